"""The archive: every finished report with all that it takes to make it again, byte for byte.

`<home>/archive/<id>/` holds `manifest.json`, the template as it was, the results of the report's queries
(`results/*.parquet`) and its files. An id is worked out from what a report is made of, so equal reports have
equal ids. Rendering belongs to `render/`; here files are only put away and found.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingest import warehouse
from reports.errors import ReportUsageError

MANIFEST, TEMPLATE, RESULTS, FILES = "manifest.json", "template.qmd", "results", "files"
# What the bytes of a report depend on beside the values in it.
CODE = ("reports", "dbt_project")
# The register says nothing about how a report looks, nor does whom it goes to.
NO_CODE = ("exposures.yml", "recipients.yml", "recipients.example.yml", "delivery")
MADE_WITH = ("babel", "matplotlib", "mpld3", "pandas", "pypandoc-binary", "typst", "XlsxWriter")
SHOWN = 8  # ids in an error that lists what there is


@dataclass(frozen=True)
class Manifest:
    """What a report was made of, and the sha256 of each of its files."""

    report_id: str
    report: str
    label: str
    period: str
    last_day: str
    parameters: dict[str, str]
    code_version: str
    loads: str  # the ids of the loads that the warehouse held: 1-97,99
    exposure: dict[str, Any]  # what its exposure said of it
    template_sha256: str
    results_sha256: str
    engine: str
    made_at: str
    files: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return folder() / self.report_id

    @property
    def formats(self) -> list[str]:
        """The formats it was made in."""
        suffixes = [name.split("/")[0] if "/" in name else name.rsplit(".", 1)[-1] for name in self.files]
        return list(dict.fromkeys(suffixes))


def folder() -> Path:
    """The archive of this home."""
    return warehouse.home() / "archive"


def report_id(report: str, period: str, **made_of: Any) -> str:
    """The id of a report: its name, its period, and a hash of what it is made of."""
    digest = hashlib.sha256(json.dumps([report, period, made_of], sort_keys=True).encode()).hexdigest()
    return f"{report}-{period}-{digest[:10]}"


@cache
def code_version() -> str:
    """The version of the package with a hash of the code, the models and the libraries that make reports."""
    found = hashlib.sha256()
    for name in MADE_WITH:
        found.update(f"{name} {version(name)}\n".encode())
    for folder_name in CODE:
        for file in sorted((warehouse.ROOT / folder_name).rglob("*")):
            # Templates have a hash of their own.
            parts = {"__pycache__", *NO_CODE} & set(file.parts)
            if file.is_file() and not parts and file.suffix != ".qmd":
                found.update(f"{file.relative_to(warehouse.ROOT)}\n".encode() + file.read_bytes())
    return f"{version('simple-analytics-platform')}+{found.hexdigest()[:10]}"


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in order, in short: 1-97,99."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def now() -> str:
    """The time, as manifests give it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def store(manifest: Manifest, template: str, results: Path, files: Mapping[str, Path]) -> Manifest:
    """Put a report away; the one file of each name is copied. Of a report that is there already the formats
    that are new are added. Returns what is then there."""
    hashes = {name: sha256(file) for name, file in files.items()}
    target = manifest.folder
    if target.exists():
        known = read(target)
        manifest = Manifest(**asdict(known) | {"files": known.files | hashes})
        for name, file in files.items():
            _copy(file, target / FILES / name)
        _write(target / MANIFEST, _json(manifest))
        return manifest
    manifest = Manifest(**asdict(manifest) | {"files": hashes})
    draft = folder() / f".draft-{uuid4().hex}"
    try:
        (draft / FILES).mkdir(parents=True)
        for name, file in files.items():
            _copy(file, draft / FILES / name)
        shutil.copytree(results, draft / RESULTS, ignore=shutil.ignore_patterns(".*"))
        (draft / TEMPLATE).write_text(template, encoding="utf-8")
        (draft / MANIFEST).write_text(_json(manifest), encoding="utf-8")
        try:
            draft.rename(target)
        except OSError:  # the same report was made by another process meanwhile
            return store(manifest, template, results, files)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def entries(report: str | None = None) -> list[Manifest]:
    """The archived reports (of one name), newest first."""
    found = folder().glob(f"{report or '[!.]*'}-*/{MANIFEST}")
    manifests = [read(file.parent) for file in found]
    return sorted(manifests, key=lambda manifest: (manifest.made_at, manifest.report_id), reverse=True)


def find(report_id: str) -> Manifest:
    """The archived report of an id.

    Raises:
        ReportUsageError: there is none; the message lists the newest there are.
    """
    # Looked up by name within the archive: an id is no path.
    if re.fullmatch(r"[\w.-]+", report_id) and (folder() / report_id / MANIFEST).is_file():
        return read(folder() / report_id)
    ids = [manifest.report_id for manifest in entries()]
    some = ", ".join(ids[:SHOWN]) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")
    raise ReportUsageError(f"the archive holds no report {report_id!r}; there are: {some or 'none'}")


def read(place: Path) -> Manifest:
    """The manifest in a folder of the archive."""
    return Manifest(**json.loads((place / MANIFEST).read_text(encoding="utf-8")))


def particulars(manifest: Manifest) -> str:
    """The parameters of a report that are not the theme's or a default."""
    from reports.theme import theme

    usual = {"currency": theme().currency, "locale": theme().locale, "paper": theme().papersize}
    return " ".join(
        f"{name}={', '.join(value.splitlines())}"
        for name, value in manifest.parameters.items()
        if name != "period" and usual.get(name) != value
    )


def sha256(file: Path) -> str:
    """The hash of a file."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def changed(manifest: Manifest, files: Mapping[str, Path]) -> Sequence[str]:
    """The names of files that are not what the manifest says."""
    return [name for name, file in files.items() if sha256(file) != manifest.files.get(name)]


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{uuid4().hex}")
    shutil.copyfile(file, draft)
    os.replace(draft, target)


def _write(target: Path, text: str) -> None:
    draft = target.with_name(f".{uuid4().hex}")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, target)


def _json(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n"
