"""Finds a report in the archive or makes it, in a process of its own: a page in the making takes a core and
some hundred megabytes, which answers to others must not wait for.

The server starts ``python -m reports.server.rendering`` with a job as JSON and reads a result as JSON.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from reports import archive
from reports.archive import Manifest
from reports.server.problems import Problem
from reports.theme import theme

SECONDS = 300
_underway: set[subprocess.Popen[str]] = set()


@dataclass(frozen=True)
class Job:
    """A report to find or make: its name, its period (none for the newest), its form, its parameters, and the
    time before which no report is new enough."""

    report: str
    period: str | None
    suffix: str
    parameters: dict[str, str] = field(default_factory=dict)
    since: str = ""


def run(job: Job) -> str:
    """The id of the report, in a process of its own.

    Raises:
        Problem: 422, the report has no such form or parameter; 503, there is nothing to report yet; 500, it
            cannot be made.
    """
    command = [sys.executable, "-m", "reports.server.rendering", json.dumps(asdict(job))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    _underway.add(process)
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Problem(504, "the report took too long to make") from None
    finally:
        _underway.discard(process)
        _end(process)
        process.wait()
    lines = output.strip().splitlines()
    if process.returncode or not lines:
        raise Problem(500, "the report could not be made; the server's log says why")
    result: dict[str, Any] = json.loads(lines[-1])
    if "problem" in result:
        raise Problem(result["status"], result["problem"])
    return str(result["report_id"])


def stop() -> None:
    """End what is being made."""
    for process in list(_underway):
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # it, or a kernel that it left


def last(report: str, parameters: Mapping[str, str]) -> str | None:
    """The id of the newest page of a dashboard that the archive holds, of whatever data."""
    found = _alike(report, "html", parameters)
    newest = max(found, key=lambda manifest: (manifest.last_day, manifest.made_at), default=None)
    return newest.report_id if newest else None


def _alike(report: str, suffix: str, parameters: Mapping[str, str]) -> Iterator[Manifest]:
    """The reports in the archive that are made as one would be now, of any period and data, newest first."""
    style = {"currency": theme().currency, "locale": theme().locale, "paper": theme().papersize}
    code = archive.code_version()
    for manifest in archive.entries(report):
        has = {key: value for key, value in manifest.parameters.items() if key != "period"}
        if has == {**style, **parameters} and manifest.code_version == code and suffix in manifest.formats:
            yield manifest


def _find(job: Job) -> str | None:
    """A report in the archive that would come out alike, made since the last build."""
    from reports import figures

    loads = archive.ranges(figures.loaded())
    newest = _newest_period(job) if job.period is None else job.period
    for manifest in _alike(job.report, job.suffix, job.parameters):
        if manifest.made_at >= job.since and (manifest.period, manifest.loads) == (newest, loads):
            return manifest.report_id
    return None


def _newest_period(job: Job) -> str:
    from reports import registry
    from reports.edition import Edition

    return Edition.of(registry.find(job.report)).asked.key


def _result(job: Job) -> dict[str, Any]:
    from reports.errors import DataError, ReportUsageError
    from reports.render import render_report

    try:
        report_id = _find(job)
        if report_id is None:
            parameters = dict(job.parameters) | ({"period": job.period} if job.period else {})
            report_id = render_report(job.report, None, [job.suffix], parameters).report_id
    except ReportUsageError as error:
        return {"problem": str(error), "status": 422}
    except DataError as error:
        print(error, file=sys.stderr)  # noqa: T201  the server's log
        return {"problem": "there is nothing to report yet, or the warehouse is away", "status": 503}
    return {"report_id": report_id}


if __name__ == "__main__":
    print(json.dumps(_result(Job(**json.loads(sys.argv[1])))))  # noqa: T201  its result
