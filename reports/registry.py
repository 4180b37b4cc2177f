"""Which reports there are: the dbt exposures with a document, read from `exposures.yml`.

An exposure registers a document with its formats, schedule and time zone. Making it belongs to `render/`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ingest import warehouse
from reports.errors import ReportError, ReportUsageError

EXPOSURES = warehouse.ROOT / "dbt_project" / "models" / "exposures.yml"
FORMATS = ("pdf", "html", "xlsx")


@dataclass(frozen=True)
class Report:
    """A registered report: its document, the formats it is made in, when (cron) and in which time zone."""

    name: str
    label: str
    description: str
    document: Path
    formats: tuple[str, ...]
    schedule: str | None
    timezone: str


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


def _meta(entry: dict[str, Any]) -> dict[str, Any]:
    return (entry.get("config") or {}).get("meta") or {}


def _report(entry: dict[str, Any], file: str) -> Report:
    name, meta = entry["name"], _meta(entry)
    document = warehouse.ROOT / meta["document"]
    formats = tuple(meta.get("formats", ()))
    if not document.is_file():
        raise ReportError(f"{file}: the document of the exposure {name} does not exist: {meta['document']}")
    if not formats or not set(formats) <= set(FORMATS):
        raise ReportError(f"{file}: the exposure {name} needs `formats`, one or more of {', '.join(FORMATS)}")
    return Report(
        name=name,
        label=entry.get("label", name),
        description=entry.get("description", ""),
        document=document,
        formats=formats,
        schedule=meta.get("schedule"),
        timezone=meta.get("timezone", "UTC"),
    )
