"""Reports and dashboards as the server shows them: what the archive holds, what is made when asked for, and
for whom.

Making is `rendering.py`'s; what a report looks like is no matter here.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from reports import archive, registry
from reports.archive import Manifest
from reports.dashboard.cells import dashboard_data
from reports.errors import ReportError, ReportUsageError
from reports.figures import BETWEEN, Filters, members
from reports.server import rendering
from reports.server.builds import Build
from reports.server.database import AWAY, moment, told
from reports.server.problems import Problem, unavailable
from reports.server.row_filter import DIMENSIONS, RowFilter

WAITING = 6  # jobs, of which one is worked at
MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class File:
    """A file of the archive."""

    path: Path
    name: str

    @property
    def media_type(self) -> str:
        """Its media type, by its suffix."""
        return MEDIA_TYPES.get(self.path.suffix, "application/octet-stream")


class Documents:
    """The reports of this home, made one at a time."""

    def __init__(self, build: Callable[[], Build], is_away: Callable[[], bool]) -> None:
        self._build, self._is_away = build, is_away
        self._jobs: dict[tuple[Any, ...], asyncio.Task[str]] = {}
        self._worker = asyncio.Semaphore(1)
        self._pages: dict[tuple[Any, ...], tuple[Build | None, str]] = {}

    def archived(self, row_filter: RowFilter, report: str | None = None) -> list[Manifest]:
        """The archived reports that a user may see, newest first."""
        known = archive.entries(report)
        return [manifest for manifest in known if row_filter.covers(manifest.parameters)]

    def file(self, report_id: str, name: str, row_filter: RowFilter) -> File:
        """A file of an archived report.

        Raises:
            Problem: 404, there is none that the user may see.
        """
        try:
            manifest = archive.find(report_id)
        except ReportUsageError:
            raise Problem(404, "the archive holds no such report") from None
        if name not in manifest.files or not row_filter.covers(manifest.parameters):
            raise Problem(404, "the archive holds no such report")
        return File(manifest.folder / archive.FILES / name, Path(name).name)

    async def report(
        self, name: str, period: tuple[date | None, date | None], suffix: str, only: Filters,
        row_filter: RowFilter,
    ) -> File:  # fmt: skip
        """A report of a period (without one of the newest), found or made.

        Args:
            only: the part of the business that is asked for; what the user may see is the most.

        Raises:
            Problem: there is no such report, or it cannot be made.
        """
        report = _registered(name)
        first, last = period
        if (first is None) != (last is None):
            raise Problem(422, "give both from and to, or neither")
        if first and last and last < first:
            raise Problem(422, "the period ends before it begins")
        if suffix not in report.formats:
            raise Problem(422, f"{name} is made as: {', '.join(report.formats)}")
        key = None if first is None else f"{first}" if first == last else f"{first}..{last}"
        parameters = await run_in_threadpool(_limited, only, row_filter)
        report_id = await self._make(name, key, suffix, parameters)
        file = self.file(report_id, f"{name}.{suffix}", row_filter)
        return File(file.path, f"{name}-{archive.find(report_id).period}.{suffix}")

    async def page(self, name: str, row_filter: RowFilter) -> File:
        """The page of a dashboard. One made before the last build, also by a server before this one, is
        shown while the next is in the making: it takes its figures from `data`.

        Raises:
            Problem: 404, there is no such dashboard; 403, it cannot be limited to what the user may see.
        """
        _dashboard(name)
        key, build = (name, row_filter.key), self._build()
        try:
            parameters = row_filter.parameters()
            if key not in self._pages and (last := await run_in_threadpool(rendering.last, name, parameters)):
                self._pages.setdefault(key, (None, last))
            known = self._pages.get(key)
            if known is None:
                self._pages[key] = build, await self._make(name, None, "html", parameters)
            elif known[0] != build and not self._is_away():
                self._pages[key] = build, known[1]
                task = asyncio.ensure_future(self._make(name, None, "html", parameters))
                task.add_done_callback(lambda done: self._replace(key, build, done))
        except Problem as problem:
            if row_filter and problem.status == 422:
                raise Problem(403, "this dashboard cannot be limited to the part that you may see") from None
            raise
        return self.file(self._pages[key][1], f"{name}.html", row_filter)

    def data(self, name: str, row_filter: RowFilter) -> dict[str, Any]:
        """The data of a dashboard, as it is now.

        Raises:
            Problem: 404, there is no such dashboard; 403, it cannot be limited to what the user may see.
        """
        _dashboard(name)
        with moment() as connection, told():
            try:
                return dashboard_data(connection, row_filter.only)
            except ReportError as error:
                logger.warning("the dashboard's data cannot be read: %s", error)
                raise unavailable("there is nothing to show yet, or the warehouse is away") from error

    def _replace(self, key: tuple[Any, ...], build: Build, done: "asyncio.Task[str]") -> None:
        if done.cancelled() or done.exception() is not None:
            logger.warning("the page of %s could not be made anew: %s", key[0], done.exception())
        else:
            self._pages[key] = build, done.result()

    async def _make(self, name: str, period: str | None, suffix: str, parameters: dict[str, str]) -> str:
        build = self._build()
        key = (name, period, suffix, tuple(sorted(parameters.items())), build)
        if key not in self._jobs:
            if self._is_away():  # making would start the embedded warehouse, which somebody stopped
                raise unavailable(AWAY)
            if len(self._jobs) >= WAITING:
                raise unavailable("too many reports are being made; ask again in a moment")
            since = build.built_at.isoformat(timespec="seconds") if build.built_at else ""
            job = rendering.Job(name, period, suffix, parameters, since)
            self._jobs[key] = asyncio.ensure_future(self._run(job))
            self._jobs[key].add_done_callback(lambda _: self._jobs.pop(key, None))
        return await asyncio.shield(self._jobs[key])

    async def _run(self, job: rendering.Job) -> str:
        async with self._worker:
            return await run_in_threadpool(rendering.run, job)


def dashboards() -> list[registry.Report]:
    """The dashboards there are: reports that are pages and nothing else."""
    return [report for report in registry.registered_reports().values() if report.formats == ("html",)]


def _limited(only: Filters, row_filter: RowFilter) -> dict[str, str]:
    """The parameters of a report of a part of the business, or of as much as a user may see.

    Raises:
        Problem: 403, more is asked for.
    """
    parameters = only.parameters() | row_filter.parameters()
    for name, values in row_filter.only.items():
        if not (asked := only.values[name]):
            continue
        with moment() as connection, told(), connection.cursor() as cursor:
            cursor.execute(members(name, DIMENSIONS[name].value), {name: asked})
            found = {str(value) for (value,) in cursor.fetchall()}
        if not found or not found <= set(values):
            raise Problem(403, f"you may see no such {name}")
        parameters[name] = BETWEEN.join(sorted(found))
    return parameters


def _registered(name: str) -> registry.Report:
    try:
        return registry.find(name)
    except ReportUsageError as error:
        raise Problem(404, str(error)) from None


def _dashboard(name: str) -> None:
    known = [report.name for report in dashboards()]
    if name not in known:
        raise Problem(404, f"there is no dashboard of this name; there are: {', '.join(known) or 'none'}")
