"""Weaving: a document's prose and the results of its cells become one Markdown text for pandoc.

Honours the cell options and shortcodes that our documents use and refuses others by name. What Markdown looks
like on a page belongs to `filter.lua` and the templates.
"""

import ast
import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports import markdown
from reports.errors import DocumentError
from reports.render.document import INLINE, Cell, Document, Prose
from reports.render.kernel import Inline, Result

CELL_OPTIONS = {
    "tags", "label", "echo", "eval", "output", "include", "warning", "error",
    "fig-cap", "fig-alt", "title", "content", "icon", "color",
}  # fmt: skip
SHORTCODE = re.compile(r"\{\{<\s*(\S+)(.*?)>\}\}")
PAGE_BREAK = '\n```{=typst}\n#pagebreak(weak: true)\n```\n```{=html}\n<div class="page-break"></div>\n```\n'
IMAGES = {"image/svg+xml": "svg", "image/png": "png"}


def weave(document: Document, results: list[Result], folder: Path, meta: Mapping[str, Any]) -> str:
    """The Markdown of an executed document. Its figures are written into the folder, beside it.

    Args:
        meta: what the shortcode `meta` finds.

    Raises:
        DocumentError: a cell option, shortcode or kind of output that this engine does not know.
    """
    texts = []
    for number, result in enumerate(results, start=1):
        if isinstance(result.part, Prose):
            texts.append(_prose(document, result.part, result.values, meta))
        else:
            texts.append(_cell(document, result, folder, number, meta))
    return "\n\n".join(texts) + "\n"


def _prose(document: Document, part: Prose, values: tuple[Inline, ...], meta: Mapping[str, Any]) -> str:
    queue = iter(values)

    def inline(_match: re.Match[str]) -> str:
        value = next(queue)
        return value.text if value.is_markdown else markdown.text(value.text)

    return INLINE.sub(inline, _shortcodes(part.source, meta, document, part.line))


def _shortcodes(source: str, meta: Mapping[str, Any], document: Document, line: int) -> str:
    """A text with what its shortcodes stand for. In texts from data they are escaped, so that none works."""

    def meaning(match: re.Match[str]) -> str:
        name, key = match.group(1), match.group(2).strip()
        if name == "pagebreak":
            return PAGE_BREAK
        if name == "meta" and key in meta:
            return markdown.text(meta[key])
        where = f"{document.path.name}, line {line + source.count(chr(10), 0, match.start())}"
        if name == "meta":
            raise DocumentError(f"{where}: the document has no metadata {key!r}")
        raise DocumentError(f"{where}: the shortcode {name!r} is not known here; known are: meta, pagebreak")

    return SHORTCODE.sub(meaning, source)


def _cell(document: Document, result: Result, folder: Path, number: int, meta: Mapping[str, Any]) -> str:
    cell, outputs = result.part, result.outputs
    assert isinstance(cell, Cell)
    where = f"{document.path.name}, line {cell.line}"
    if unknown := sorted(set(cell.options) - CELL_OPTIONS):
        raise DocumentError(
            f"{where}: the cell option {unknown[0]!r} is not known here; "
            f"known are: {', '.join(sorted(CELL_OPTIONS))}"
        )
    options = document.meta.get("execute", {}) | cell.options
    if not options.get("include", True):
        return ""
    texts = []
    if options.get("echo", not document.is_dashboard):
        texts.append(_verbatim(cell.source, "python"))
    if options.get("content") == "valuebox":
        return _value_box(options, outputs, where)
    if options.get("output", True) is not False:
        for index, output in enumerate(outputs, start=1):
            label = str(options.get("label", f"cell-{number}")) + ("" if index == 1 else f"-{index}")
            texts.append(_output(output, options, label, folder, where))
    body = "\n\n".join(text for text in texts if text)
    if options.get("output") == "asis":
        body = _shortcodes(body, meta, document, cell.line)
    if document.is_dashboard and body and options.get("output") != "asis":
        title = f' title="{_attribute(options["title"])}"' if "title" in options else ""
        return f":::::: {{.card{title}}}\n\n{body}\n\n::::::"
    return body


def _output(output: dict[str, Any], options: dict[str, Any], label: str, folder: Path, where: str) -> str:
    if output["output_type"] == "stream":
        if output["name"] == "stderr":
            return _verbatim(output["text"]) if options.get("warning", True) else ""
        return str(output["text"]) if options.get("output") == "asis" else _verbatim(output["text"])
    data = output["data"]
    for kind, suffix in IMAGES.items():
        if kind in data:
            name = f"{label}.{suffix}"
            image = data[kind].encode() if suffix == "svg" else base64.b64decode(data[kind])
            (folder / name).write_bytes(image)
            return _figure(name, label, options, where)
    if "text/markdown" in data:
        return str(data["text/markdown"])
    if "text/html" in data:
        raise DocumentError(
            f"{where}: this cell shows HTML, which a PDF cannot hold; "
            "print Markdown from a cell with `output: asis`"
        )
    return _verbatim(data.get("text/plain", ""))


def _figure(name: str, label: str, options: dict[str, Any], where: str) -> str:
    caption = str(options.get("fig-cap", ""))
    alternative = str(options.get("fig-alt", caption))
    if not alternative:
        raise DocumentError(f"{where}: a figure needs `fig-alt`, a text for those who cannot see it")
    identifier = f"#{label} " if label.startswith("fig-") else ""
    return f'![{caption}]({name}){{{identifier}fig-alt="{_attribute(alternative)}"}}'


def _value_box(options: dict[str, Any], outputs: tuple[dict[str, Any], ...], where: str) -> str:
    values: dict[str, Any] = {}
    for output in outputs:
        if "text/plain" in output.get("data", {}):
            values = ast.literal_eval(output["data"]["text/plain"])
    if "value" not in values:
        raise DocumentError(f"{where}: a value box needs a cell whose last line is a dict with a `value`")
    title = markdown.text(options.get("title", ""))
    return f"::: {{.valuebox}}\n{title}\n\n{markdown.text(values['value'])}\n:::"


def _verbatim(content: str, language: str = "") -> str:
    fence = "`" * (max((len(run) for run in re.findall("`+", content)), default=0) + 3)
    return f"{fence}{language}\n{content.rstrip()}\n{fence}" if content.strip() else ""


def _attribute(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"')
