"""The bundled engine: an executed document to PDF and HTML with what the Python packages bring, without
Quarto.

One run of the cells serves all formats. The steps are modules of their own: read, run, weave, lay out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from reports.markdown import text as plain
from reports.render import pandoc, weave
from reports.render.document import Document
from reports.render.kernel import Result

# What the front matter may hand on to the page; the rest of it speaks to Quarto.
PAGE_KEYS = ("title", "lang")


def lay_out(
    source: Document, results: list[Result], formats: Sequence[str], folder: Path, meta: Mapping[str, str]
) -> dict[str, Path]:
    """Lay out a document whose cells have run; the file of each format (`pdf`, `html`), within the folder.

    Args:
        meta: further metadata of the document, as plain text: `subtitle`, `report-id`, `papersize`.

    Raises:
        DocumentError: the document uses what this engine does not know.
    """
    markdown = weave.weave(source, results, folder, source.meta | dict(meta))
    page_meta = {key: source.meta[key] for key in PAGE_KEYS if key in source.meta}
    page_meta |= {key: plain(value) for key, value in meta.items()}
    files = {}
    for suffix in formats:
        files[suffix] = folder / f"{source.path.stem}.{suffix}"
        if suffix == "html":
            page = pandoc.to_html(markdown, folder, page_meta, dashboard=source.is_dashboard)
            files[suffix].write_text(page, encoding="utf-8")
        else:
            pandoc.to_pdf(pandoc.to_typst(markdown, folder, page_meta), folder, files[suffix])
    return files
