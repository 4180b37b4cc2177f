"""The bundled engine: a document to PDF and HTML with what the Python packages bring, without Quarto.

One run of the cells serves all formats. The steps are modules of their own: read, run, weave, lay out.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from reports import notation
from reports.render import document, kernel, pandoc, weave

# What the front matter may hand on to the page; the rest of it speaks to Quarto.
PAGE_KEYS = ("title", "lang")


def render(
    path: Path,
    parameters: Mapping[str, Any],
    formats: Sequence[str],
    folder: Path,
    *,
    day: date,
    env: dict[str, str],
) -> dict[str, Path]:
    """Render a document in an empty folder; the file of each format (`pdf`, `html`), within that folder.

    Args:
        parameters: values for the names in the document's cell tagged `parameters`.
        day: the day the report is about, for title and running head.
        env: environment variables for the cells.

    Raises:
        ReportError: a cell failed, or the document uses what this engine does not know.
    """
    source = document.read(path).with_parameters(dict(parameters))
    results = kernel.run(source, env=env)
    markdown = weave.weave(source, results, folder)
    meta = {key: source.meta[key] for key in PAGE_KEYS if key in source.meta} | {
        "date": notation.short_day(day)
    }
    files = {}
    if "html" in formats:
        files["html"] = folder / f"{path.stem}.html"
        page = pandoc.to_html(markdown, folder, meta, dashboard=source.is_dashboard)
        files["html"].write_text(page, encoding="utf-8")
    if "pdf" in formats:
        files["pdf"] = folder / f"{path.stem}.pdf"
        pandoc.to_pdf(pandoc.to_typst(markdown, folder, meta | {"papersize": "a4"}), folder, files["pdf"])
    return files
