"""Markdown that a document's cells print: tables, tiles, and text from data that stays text.

Written for pandoc's dialect, so that Quarto and the bundled engine read it alike. No figure is made here.
"""

import re
import string
from collections.abc import Sequence
from typing import Any

import pandas as pd

from reports import notation
from reports.tables import Kind, Table, Tile
from reports.theme import theme

PUNCTUATION = re.compile(f"([{re.escape(string.punctuation)}])")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Relative widths of columns, in characters of their longest text.
NARROWEST, WIDEST = 7, 34
TILES_IN_A_ROW = 5
LEFT = (Kind.TEXT, Kind.DAY, Kind.MONTH)  # kinds that stand at the left of their column
# pandoc takes the widths of a pipe table from its dashes once a line is longer than its text width of 72.
DASHES = 200


def text(value: Any) -> str:
    """A value as Markdown that shows just its characters: no markup, code, link or shortcode in it works."""
    if pd.isna(value):
        return notation.MISSING
    return PUNCTUATION.sub(r"\\\1", CONTROL.sub(" ", str(value)).strip())


def table(content: Table) -> str:
    """A table with its caption and totals, labelled `tbl-NAME`, or one sentence where it has no rows."""
    if not content.length:
        return f"\n*{text(content.empty)}*\n"
    heads = [text(column.title) for column in content.columns]
    rows = [[text(cell) for cell in row] for row in content.texts()]
    if content.totals:
        rows.append([cell and f"**{text(cell)}**" for cell in content.total_texts()])
    widths = [_width(index, heads, rows) for index in range(len(heads))]
    dashes = ["-" * max(3, DASHES * width // sum(widths)) for width in widths]
    rule = [
        f":{dash}" if column.kind in LEFT else f"{dash}:"
        for column, dash in zip(content.columns, dashes, strict=True)
    ]
    lines = [_line(heads), _line(rule), *(_line(row) for row in rows)]
    return "\n".join(["", *lines, "", f": {text(content.caption)} {{#tbl-{content.name}}}", ""])


def tiles(boxes: Sequence[Tile]) -> str:
    """Boxes side by side, each with a label, a large value and a remark."""
    look = theme()

    def span(content: str, name: str, **looks: str) -> str:
        settings = " ".join(f'typst:text:{key}="{value}"' for key, value in looks.items())
        return f"[{text(content)}]{{.tile-{name} {settings}}}"

    muted, accent, panel = (f'rgb(\\"{colour}\\")' for colour in (look.muted, look.accent, look.panel))
    lines = ["", f"::::: {{.tiles layout-ncol={min(len(boxes), TILES_IN_A_ROW)}}}"]
    for box in boxes:
        lines += [
            "",
            f':::: {{.tile typst:fill="{panel}" typst:inset="8pt" typst:radius="3pt" typst:width="100%"}}',
            span(box.label, "label", size="8pt", fill=muted) + "\\",
            span(box.value, "value", size="14pt", weight="600", fill=accent) + "\\",
            span(box.remark, "remark", size="8pt", fill=muted),
            "::::",
        ]
    return "\n".join([*lines, "", ":::::", ""])


def _width(index: int, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The width a column wants, from the longest word of its head and its longest cell."""
    longest_cell = max(len(row[index].replace("\\", "")) for row in rows)
    longest_word = max(len(word) for word in heads[index].replace("\\", "").split())
    return min(max(longest_cell + 1, longest_word + 3, NARROWEST), WIDEST)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
