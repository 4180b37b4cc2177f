"""Which reports there are: the dbt exposures with a document, read from `exposures.yml`.

An exposure registers a document with its formats, schedule and time zone. Making it belongs to `render/`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from croniter import croniter

from ingest import warehouse
from reports import metrics
from reports.archive import TEMPLATE, Manifest
from reports.delivery import terms
from reports.delivery.terms import Terms
from reports.errors import ReportError, ReportUsageError
from reports.metrics import Metric
from reports.period import Grain

EXPOSURES = warehouse.ROOT / "dbt_project" / "models" / "exposures.yml"
FOLDER = Path(__file__).parent
FORMATS = ("pdf", "html", "xlsx")
GRAINS = tuple(grain.value for grain in Grain if grain is not Grain.DAYS)
ABOUT = ("sales", "loads")  # whose days its periods are
REF = re.compile(r"ref\('(\w+)'\)")


@dataclass(frozen=True)
class Report:
    """A registered report: its document, the formats it is made in, when (cron) and in which time zone; the
    kind of its periods and whose days they are; the tables of its workbook and the models that it is made
    from; to whom it goes and when, and who answers for it."""

    name: str
    label: str
    description: str
    document: Path
    formats: tuple[str, ...]
    schedule: str | None
    timezone: str
    grain: Grain = Grain.DAY
    about: str = "sales"
    workbook: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()  # shown among its headline figures
    delivery: Terms | None = None
    owner: str | None = None

    @property
    def made_as(self) -> tuple[str, ...]:
        """The formats it is made in unless others are asked for: its own, and those it is sent in."""
        return tuple(dict.fromkeys((*self.formats, *(self.delivery.attach if self.delivery else ()))))

    @property
    def zone(self) -> ZoneInfo:
        """Where it is read."""
        return ZoneInfo(self.timezone)

    def next_time(self, after: datetime) -> datetime | None:
        """The first time of its schedule after a moment; None without a schedule."""
        if not self.schedule:
            return None
        found: datetime = croniter(self.schedule, after.astimezone(self.zone)).get_next(datetime)
        return found

    def as_archived(self) -> dict[str, Any]:
        """What the archive keeps of it: all that decides what it shows."""
        return {"grain": self.grain.value, "about": self.about, "workbook": list(self.workbook),
                "models": list(self.models),
                "metrics": [[metric.name, metric.label, metric.unit] for metric in self.metrics]}  # fmt: skip


def registered_reports(exposures: Path = EXPOSURES) -> dict[str, Report]:
    """All registered reports by name, in the order of the file.

    Raises:
        ReportError: an exposure does not say what a report needs; the message names it.
    """
    entries = (yaml.safe_load(exposures.read_text(encoding="utf-8")) or {}).get("exposures", [])
    found = [_report(entry, exposures.name) for entry in entries if "document" in _meta(entry)]
    return {report.name: report for report in found}


def find(name: str, exposures: Path = EXPOSURES) -> Report:
    """The report of a name.

    Raises:
        ReportUsageError: there is none; the message lists those there are.
    """
    known = registered_reports(exposures)
    if name not in known:
        raise ReportUsageError(f"there is no report {name!r}; there are: {', '.join(known) or 'none'}")
    return known[name]


def from_archive(manifest: Manifest) -> Report:
    """A report as it was when the archive took it, whatever its exposure says now."""
    kept = manifest.exposure
    return Report(
        name=manifest.report,
        label=manifest.label,
        description="",
        document=manifest.folder / TEMPLATE,
        formats=tuple(manifest.formats),
        schedule=None,
        timezone="UTC",
        grain=Grain(kept["grain"]),
        about=kept["about"],
        workbook=tuple(kept["workbook"]),
        models=tuple(kept["models"]),
        metrics=tuple(Metric(name, label, "", unit) for name, label, unit in kept.get("metrics", ())),
    )


def _meta(entry: dict[str, Any]) -> dict[str, Any]:
    return (entry.get("config") or {}).get("meta") or {}


def _report(entry: dict[str, Any], file: str) -> Report:
    name, meta = entry["name"], _meta(entry)
    document = warehouse.ROOT / meta["document"]
    formats = tuple(meta.get("formats", ()))
    workbook = tuple(meta.get("workbook", ()))
    named = tuple(meta.get("metrics", ()))
    grain, about = meta.get("grain", "day"), meta.get("about", "sales")
    if not document.is_file():
        raise ReportError(f"{file}: the document of the exposure {name} does not exist: {meta['document']}")
    if not formats or not set(formats) <= set(FORMATS):
        raise ReportError(f"{file}: the exposure {name} needs `formats`, one or more of {', '.join(FORMATS)}")
    if ("xlsx" in formats) != bool(workbook):
        raise ReportError(
            f"{file}: the exposure {name} needs `workbook`, the tables of its workbook, if and only if xlsx "
            "is one of its formats"
        )
    if grain not in GRAINS or about not in ABOUT:
        raise ReportError(
            f"{file}: the exposure {name}: `grain` is one of {', '.join(GRAINS)}; "
            f"`about` one of {', '.join(ABOUT)}"
        )
    if named and (unknown := [metric for metric in named if metric not in metrics.known()]):
        raise ReportError(
            f"{file}: the exposure {name} names metrics that there are not: {', '.join(unknown)}; "
            f"there are: {', '.join(metrics.known())}"
        )
    return Report(
        name=name,
        label=entry.get("label", name),
        description=entry.get("description", ""),
        document=document,
        formats=formats,
        schedule=meta.get("schedule"),
        timezone=meta.get("timezone", "UTC"),
        grain=Grain(grain),
        about=about,
        workbook=workbook,
        models=tuple(model for ref in entry.get("depends_on", []) for model in REF.findall(ref)),
        metrics=tuple(metrics.known()[metric] for metric in named),
        delivery=_terms(meta, formats, f"{file}: the exposure {name}"),
        owner=(entry.get("owner") or {}).get("email"),
    )


def _terms(meta: dict[str, Any], formats: tuple[str, ...], where: str) -> Terms | None:
    if "delivery" not in meta:
        return None
    found = terms.read(meta["delivery"], where)
    if strange := [name for name in found.attach if name not in (*formats, "csv")]:
        raise ReportError(f"{where}: `delivery.attach` names {', '.join(strange)}, which it is not made in")
    return found
