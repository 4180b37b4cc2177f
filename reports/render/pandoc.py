"""Pandoc and typst: from Markdown to a page in HTML or PDF.

The two programs come as Python packages. Nothing here knows a report.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typst

from reports.errors import DocumentError
from reports.theme import FILE as THEME
from reports.theme import FOLDER as THEME_FOLDER
from reports.theme import font_folders, theme

HERE = Path(__file__).parent
SECONDS = 60
PDF_STANDARDS: list[Any] = ["ua-1"]  # tagged, titled, with a text for each figure: PDF/UA-1


def to_typst(markdown: str, folder: Path, meta: Mapping[str, Any]) -> str:
    """A whole typst page."""
    partials = ["typst-template.typ", "typst-show.typ"]
    for name in partials:  # pandoc looks for partials beside the template
        (folder / name).write_bytes((THEME_FOLDER / name).read_bytes())
    template = folder / "page.typ"
    template.write_bytes((HERE / "page.typ").read_bytes())
    return _pandoc(markdown, "typst", folder, meta, ["--template", str(template)])


def to_pdf(page: str, folder: Path, target: Path) -> None:
    """Set a typst page as a PDF; its figures lie in the folder. Only the theme's fonts are used.

    Raises:
        DocumentError: the page is not valid typst.
    """
    source = folder / "report.typ"
    fonts: list[Path] = font_folders()
    source.write_text(page, encoding="utf-8")
    try:
        typst.compile(
            source,
            output=target,
            root=folder,
            font_paths=fonts,
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=PDF_STANDARDS,
        )
    except typst.TypstError as error:
        raise DocumentError(f"the page cannot be set: {error}") from error


def to_html(markdown: str, folder: Path, meta: Mapping[str, Any], *, dashboard: bool) -> str:
    """A whole HTML page that needs nothing beside itself."""
    name = "dashboard" if dashboard else "report"
    arguments = ["--template", str(HERE / "page.html"), "--css", str(THEME_FOLDER / f"{name}.css")]
    if dashboard:
        arguments += ["--lua-filter", str(HERE / "dashboard.lua")]
    return _pandoc(markdown, "html5", folder, meta, [*arguments, "--embed-resources", "--standalone"])


def _pandoc(markdown: str, to: str, folder: Path, meta: Mapping[str, Any], arguments: Sequence[str]) -> str:
    """Run pandoc within a folder. Metadata goes in as JSON, so that no value is taken for an option.

    Raises:
        DocumentError: pandoc or the filter refuses the document; with what they say.
    """
    logo = folder / theme().logo
    logo.parent.mkdir(parents=True, exist_ok=True)
    logo.write_bytes((THEME_FOLDER.parent / theme().logo).read_bytes())
    values = folder / "metadata.json"
    values.write_text(json.dumps(dict(meta), default=str), encoding="utf-8")
    command = [
        _program(), "--from", "markdown-implicit_header_references", "--to", to, "--wrap", "none",
        "--fail-if-warnings", "--metadata-file", str(THEME), "--metadata-file", str(values),
        "--lua-filter", str(HERE / "filter.lua"), *arguments,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        input=markdown,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise DocumentError(f"the document cannot be laid out: {done.stderr.strip()}")
    return done.stdout


@cache
def _program() -> str:
    import pypandoc

    return str(pypandoc.get_pandoc_path())
