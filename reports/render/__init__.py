"""From a report's name to its files: the engine, the period, one state of the warehouse, all files or none.

>>> from reports.render import render_report
>>> render_report("daily").paths["pdf"]
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest import warehouse
from reports import archive, registry
from reports.archive import Manifest
from reports.errors import ReportError, ReportUsageError
from reports.render import quarto

if TYPE_CHECKING:
    from reports.edition import Edition
    from reports.notation import Style
    from reports.render.document import Document
    from reports.results import Results
    from reports.tables import Table

DOCUMENTS = ("pdf", "html")
EXPORTS = ("csv", "parquet")  # of each table of the workbook, made only when asked for
PAPERS = ("a4", "us-letter")
STYLE = ("currency", "locale", "paper")  # parameters that change no figure
EPOCH = "315532800"  # 1980: the time of making, where a library would write one into a file


@dataclass(frozen=True)
class Rendered:
    """A finished report: its name, its period (as 2025-06-30 or 2025-W26), the engine, the file of each
    format (of `csv` and `parquet` the folder of one file a table), its id, under which the archive holds
    it."""

    report: str
    period: str
    engine: str
    paths: dict[str, Path]
    report_id: str = ""
    files: list[Path] = field(default_factory=list)


def render_report(
    name: str,
    date: str | None = None,
    formats: Sequence[str] | None = None,
    parameters: Mapping[str, str] | None = None,
    *,
    publish: bool = True,
) -> Rendered:
    """Make a registered report and put it under `<home>/reports/<report>/<period>/<report>.<format>`.

    Files of the same report and period are replaced, once all are finished. All formats show the warehouse
    as it was at one moment. The report is kept in the archive, with what it takes to make it again.

    Args:
        date: a day of the period that it is about, as YYYY-MM-DD; by default the newest complete period.
        formats: some of the report's formats, or `csv` or `parquet`, its tables; by default all that its
            exposure names.
        parameters: any of `period` (instead of the date), `store`, `category`, `channel`, `segment`,
            `currency`, `locale`, `paper`.
        publish: without, it is only put into the archive.

    Raises:
        ReportUsageError: there is no such report, format, date or parameter; the message lists what there is.
        ReportError: the report cannot be made, because of its data, its document or a cell in it.
    """
    report = registry.find(name)
    wanted = _formats(report, formats)
    asked = {key: value for key, value in (parameters or {}).items() if value} | (
        {"date": date} if date else {}
    )
    started = archive.now()
    try:
        manifest, paths = _render(report, asked, wanted, publish)
    except ReportUsageError:
        raise
    except ReportError as error:
        from reports import runs

        with suppress(Exception):  # the report's error says more than that it could not be written down
            runs.failed(report.name, asked, list(wanted), str(error), started)
        raise
    from reports import runs

    runs.finished(manifest, list(wanted), started)
    return _rendered(manifest, wanted, paths)


def rebuild_report(report_id: str) -> Rendered:
    """Make an archived report again from the results that were kept with it, and put it where it was first
    put.

    The warehouse is not asked. The files are byte for byte those that were made then.

    Raises:
        ReportUsageError: the archive holds no report of this id.
        ReportError: the code, or a library, has changed so that other bytes come out; the first ones are in
            the archive.
    """
    from reports.render import document
    from reports.results import Results

    manifest = archive.find(report_id)
    report = registry.from_archive(manifest)
    # Its cells run where they always run, whatever the folder that its text comes from.
    source = replace(document.read(report.document), path=registry.FOLDER / f"{report.name}.qmd")
    with _draft(report) as draft:
        results = Results(manifest.folder / archive.RESULTS, only=True)
        work = _Work(report, source, dict(manifest.parameters), tuple(manifest.formats), results)
        work.run(draft, {})
        files = work.lay_out(draft, manifest)
        if differing := archive.changed(manifest, files):
            raise ReportError(
                f"{report_id} comes out otherwise than it was made ({', '.join(differing)}): made "
                f"by {manifest.code_version} ({manifest.engine}), this is {archive.code_version()} "
                f"({engine_name()}); the files as they were are in {manifest.folder / archive.FILES}"
            )
        paths = _publish(report, manifest.period, files)
    return _rendered(manifest, manifest.formats, paths)


def engine_name() -> str:
    """The engine that renders documents here: `quarto` where its command is found, else `bundled`."""
    return "quarto" if quarto.command() else "bundled"


def _render(
    report: registry.Report, asked: dict[str, str], formats: Sequence[str], publish: bool
) -> tuple[Manifest, dict[str, Path]]:
    # Here and not above: the schedule and `--help` know this module without the second these take.
    from reports import data, figures
    from reports.render import document
    from reports.results import Results

    source = document.read(report.document)
    _check_parameters(report, source, asked)
    with _draft(report) as draft:
        with data.snapshot() as moment:
            work = _Work(report, source, asked, formats, Results(draft / "results"))
            work.run(draft, {data.SNAPSHOT: moment})
            loads = archive.ranges(figures.loaded())
        manifest = work.manifest(loads)
        files = work.lay_out(draft, manifest)
        manifest = archive.store(manifest, source.text, draft / "results", files)
        return manifest, _publish(report, manifest.period, files) if publish else {}


class _Work:
    """One report in the making: first its cells and tables are run, then, its id being known, it is laid
    out."""

    def __init__(
        self,
        report: registry.Report,
        source: "Document",
        asked: dict[str, str],
        formats: Sequence[str],
        results: "Results",
    ) -> None:
        self.report, self.source, self.formats, self.results = report, source, formats, results
        self.asked = asked
        self.edition: Edition
        self.style: Style
        self.tables: list[Table] = []
        self.executed: list[Any] = []

    def run(self, folder: Path, env: dict[str, str]) -> None:
        """Find out what the report shows: run the document's cells, make the workbook's tables."""
        from reports import notation, sections
        from reports.edition import Edition
        from reports.render import kernel
        from reports.results import kept_in

        only = {key: value for key, value in self.asked.items() if key not in STYLE}
        self.style = notation.style(self.asked.get("currency", ""), self.asked.get("locale", ""))
        with kept_in(self.results), notation.writing(self.style):
            self.edition = Edition.of(self.report, **only)
            self.env = env | self.results.variables | {"SOURCE_DATE_EPOCH": EPOCH}
            if set(self.formats) & set(DOCUMENTS):
                self.source = self.source.with_parameters(self._values())
                self.executed = kernel.run(self.source, env=self.env)
            if set(self.formats) - set(DOCUMENTS):
                self.tables = sections.workbook(self.edition)

    def manifest(self, loads: str) -> Manifest:
        """What the report is made of."""
        from reports.edition import parameters_of

        parameters = parameters_of(self.edition) | {
            "currency": self.style.currency, "locale": self.style.locale, "paper": self._paper,
        }  # fmt: skip
        made_of: dict[str, Any] = {
            "code_version": archive.code_version(),
            "loads": loads,
            "parameters": parameters,
            "exposure": self.report.as_archived(),
            "template_sha256": self.source.sha256,
            # What is decided of rejected rows, what tests say, and what was sent can change without a load.
            "results_sha256": self.results.digest(),
            "engine": engine_name(),
        }
        period = self.edition.asked.key
        return Manifest(
            report_id=archive.report_id(self.report.name, period, **made_of),
            report=self.report.name,
            label=self.report.label,
            period=period,
            last_day=self.edition.period.last.isoformat(),
            made_at=archive.now(),
            **made_of,
        )

    def lay_out(self, folder: Path, manifest: Manifest) -> dict[str, Path]:
        """The files, in the folder, by the names that they get within the folder of their period."""
        from reports import export, notation, workbook

        name = self.report.name
        files: dict[str, Path] = {}
        with notation.writing(self.style):
            if documents := [suffix for suffix in self.formats if suffix in DOCUMENTS]:
                for suffix, file in self._documents(documents, folder, manifest.report_id).items():
                    files[f"{name}.{suffix}"] = file
            if "xlsx" in self.formats:
                files[f"{name}.xlsx"] = folder / f"{name}.xlsx"
                workbook.write(self.tables, self.edition, manifest, files[f"{name}.xlsx"])
            for suffix in EXPORTS:
                if suffix in self.formats:
                    for table in self.tables:
                        file = folder / suffix / f"{table.name}.{suffix}"
                        export.write(table, file)
                        files[f"{suffix}/{file.name}"] = file
        return files

    def _documents(self, formats: Sequence[str], folder: Path, report_id: str) -> dict[str, Path]:
        from reports import blocks
        from reports.render import bundled

        meta = {"subtitle": blocks.subtitle(self.edition), "report-id": report_id, "papersize": self._paper}
        if engine_name() == "bundled":
            return bundled.lay_out(self.source, self.executed, formats, folder, meta)
        # Quarto runs the cells itself, for each format: on the results that are kept by now.
        env = self.env | {"ANALYTICS_RESULTS_ONLY": "1"}
        return quarto.render(self.source, formats, folder, meta, env)

    @property
    def _paper(self) -> str:
        from reports.theme import theme

        return self.asked.get("paper") or theme().papersize

    def _values(self) -> dict[str, str]:
        """Values for the document's parameters, of those that it has."""
        from reports.edition import parameters_of

        values = parameters_of(self.edition) | {"currency": self.style.currency, "locale": self.style.locale}
        known = self.source.parameters()
        if "period" not in known:
            values["date"] = self.edition.period.last.isoformat()
        return {key: value for key, value in values.items() if key in known}


def _check_parameters(report: registry.Report, source: "Document", asked: Mapping[str, str]) -> None:
    # Of a date every report can make its period; paper concerns the page, not the document.
    known = {*source.parameters(), "date", "paper"}
    if unknown := sorted(set(asked) - known):
        raise ReportUsageError(
            f"the report {report.name} has no parameter {', '.join(unknown)}; "
            f"it has: {', '.join(sorted(known))}"
        )
    if (paper := asked.get("paper", PAPERS[0])) not in PAPERS:
        raise ReportUsageError(f"there is no paper {paper!r}; there are: {', '.join(PAPERS)}")


@contextmanager
def _draft(report: registry.Report) -> Iterator[Path]:
    """A folder to work in, beside the target, so that finished files move by a rename."""
    target = warehouse.home() / "reports" / report.name
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=target) as draft:
        yield Path(draft)


def _publish(report: registry.Report, period: str, files: Mapping[str, Path]) -> dict[str, Path]:
    """Give finished files their place; they are all there by now."""
    final = warehouse.home() / "reports" / report.name / period
    places = {}
    for name, file in files.items():
        places[name] = final / name
        places[name].parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, places[name])
    return places


def _rendered(manifest: Manifest, formats: Sequence[str], places: Mapping[str, Path]) -> Rendered:
    final = warehouse.home() / "reports" / manifest.report / manifest.period
    paths = {
        suffix: final / suffix if suffix in EXPORTS else final / f"{manifest.report}.{suffix}"
        for suffix in formats
    }
    return Rendered(
        manifest.report, manifest.period, manifest.engine, paths, manifest.report_id, list(places.values())
    )


def _formats(report: registry.Report, asked: Sequence[str] | None) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(asked or report.made_as))
    known = (*report.formats, *(EXPORTS if report.workbook else ()))
    if unknown := [name for name in wanted if name not in known]:
        raise ReportUsageError(
            f"{report.name} is not made as {', '.join(unknown)}; its formats are: {', '.join(known)}"
        )
    return wanted
