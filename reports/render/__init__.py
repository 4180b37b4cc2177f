"""From a report's name to its files: the engine, the day, one state of the warehouse, all files or none.

>>> from reports.render import render_report
>>> render_report("daily").paths["pdf"]
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as date_type
from pathlib import Path

from ingest import warehouse
from reports import registry
from reports.errors import ReportUsageError
from reports.render import quarto


@dataclass(frozen=True)
class Rendered:
    """A finished report: its name, the day it is about (YYYY-MM-DD), the engine, the file of each format."""

    report: str
    period: str
    engine: str
    paths: dict[str, Path]


def render_report(name: str, date: str | None = None, formats: Sequence[str] | None = None) -> Rendered:
    """Make a registered report and put it under `<home>/reports/<report>/<period>/<report>.<format>`.

    Files of the same report and day are replaced, once all are finished. All formats show the warehouse as it
    was at one moment.

    Args:
        name: a report of `exposures.yml`.
        date: the day it is about, as YYYY-MM-DD; by default the newest that has metrics.
        formats: some of the report's formats; by default all.

    Raises:
        ReportUsageError: there is no such report, format or date.
        ReportError: the report cannot be made, because of its data, its document or a cell in it.
    """
    # Here and not above: the schedule and `--help` know this function without the second these take.
    from reports import data, figures

    report = registry.find(name)
    wanted = _formats(report, formats)
    target = warehouse.home() / "reports" / report.name
    target.mkdir(parents=True, exist_ok=True)
    # The draft lies beside the target, so that finished files move by a rename.
    with data.snapshot() as moment, tempfile.TemporaryDirectory(prefix=".draft-", dir=target) as draft:
        day = figures.reporting_day(date or "")
        files = _make(report, day, wanted, Path(draft), env={data.SNAPSHOT: moment})
        final = target / day.isoformat()
        final.mkdir(exist_ok=True)
        for file in files.values():
            os.replace(file, final / file.name)
    paths = {suffix: final / files[suffix].name for suffix in wanted}
    return Rendered(report.name, day.isoformat(), engine_name(), paths)


def engine_name() -> str:
    """The engine that renders documents here: `quarto` where its command is found, else `bundled`."""
    return "quarto" if quarto.command() else "bundled"


def _make(
    report: registry.Report, day: date_type, formats: Sequence[str], folder: Path, env: dict[str, str]
) -> dict[str, Path]:
    """The file of each format, named after the report, in the folder."""
    from reports import sections, workbook
    from reports.render import bundled

    files = {}
    if documents := [name for name in formats if name != "xlsx"]:
        engine = quarto.render if engine_name() == "quarto" else bundled.render
        files = engine(report.document, {"date": day.isoformat()}, documents, folder, day=day, env=env)
    if "xlsx" in formats:
        files["xlsx"] = folder / f"{report.name}.xlsx"
        workbook.write(sections.workbook(report.name, day), report.label, day, files["xlsx"])
    return {suffix: file.rename(folder / f"{report.name}.{suffix}") for suffix, file in files.items()}


def _formats(report: registry.Report, asked: Sequence[str] | None) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(asked or report.formats))
    if unknown := [name for name in wanted if name not in report.formats]:
        raise ReportUsageError(
            f"{report.name} is not made as {', '.join(unknown)}; its formats are: {', '.join(report.formats)}"
        )
    return wanted
