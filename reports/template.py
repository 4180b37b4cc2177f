"""A new report from one there is: a copy of its document under another name, and an exposure that registers
it.

What a report then shows is for its author to change in the two files.
"""

import re
from pathlib import Path

from reports import registry
from reports.errors import ReportUsageError

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def new_report(
    name: str, base: str, exposures: Path = registry.EXPOSURES, folder: Path = registry.FOLDER
) -> tuple[Path, Path]:
    """Write `<name>.qmd` as a copy of the document of another report, and its exposure; returns the two
    files.

    Raises:
        ReportUsageError: the name is not one, is taken, or there is no report to copy.
    """
    if not NAME.fullmatch(name):
        raise ReportUsageError(
            f"{name!r} is not a name for a report: use small letters, digits and _, beginning with a letter"
        )
    known = registry.registered_reports(exposures)
    report = registry.find(base, exposures)
    document = folder / f"{name}.qmd"
    if name in known or document.exists():
        raise ReportUsageError(f"there is already a report {name!r}; there are: {', '.join(known)}")
    label = name.replace("_", " ").capitalize()
    text = report.document.read_text(encoding="utf-8")
    text = re.sub(r"^title: .*$", f"title: {label}", text, count=1, flags=re.MULTILINE)
    text = re.sub(rf'(\bPage\(\s*)"{base}"', rf'\g<1>"{name}"', text)  # a table may bear the same name
    register = exposures.read_text(encoding="utf-8")
    entry = _entry(register, base)
    entry = re.sub(r"^  - name: .*$", f"  - name: {name}", entry, count=1, flags=re.MULTILINE)
    entry = re.sub(r"^    label: .*$", f"    label: {label}", entry, count=1, flags=re.MULTILINE)
    entry = re.sub(r"(document: reports/).*$", rf"\g<1>{name}.qmd", entry, count=1, flags=re.MULTILINE)
    document.write_text(text, encoding="utf-8")
    exposures.write_text(f"{register.rstrip()}\n\n{entry.strip(chr(10))}\n", encoding="utf-8")
    return document, exposures


def _entry(register: str, name: str) -> str:
    """The lines of an exposure, with its comments."""
    entries = re.split(r"^(?=  - name: )", register, flags=re.MULTILINE)
    return next(entry for entry in entries if re.match(rf"  - name: {name}$", entry, re.MULTILINE))
