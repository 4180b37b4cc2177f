"""The dashboard's page: its tiles as text, the places of its charts and tables, and what the script needs.

The document says what stands where; what each thing is stands in `board.yml`.
"""

import html
import importlib.util
import json
import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from reports import figures, notation
from reports.dashboard.cells import page_data
from reports.dashboard.definitions import definitions
from reports.markdown import text
from reports.tables import Kind, write
from reports.theme import colour_variables, theme

SCRIPTS = Path(__file__).with_name("script")
# In the order in which they need each other; they become one script.
MODULES = ("format", "cube", "state", "charts", "content", "tables", "exports", "live", "board")
IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)
NO_BASE = "no comparison"
FACTS = {
    "tests": "Tests that pass",
    "rejections": "Open rejected rows",
    "reconciliation": "Reconciliation",
    "newest": "Newest delivery",
}


class Dashboard:
    """The dashboard as of a day (by default the newest). Each method returns a block as Markdown, to be
    printed by a cell with `output: asis`.

    Args:
        date: the last day to show, as YYYY-MM-DD.
        currency, locale: how amounts, numbers and dates are written; empty for the theme's.
        only: names or codes of stores, categories, channels, segments, each on a line: nothing else is in
            the page.

    Raises:
        DataError: there is no metric yet.
    """

    def __init__(self, date: str = "", currency: str = "", locale: str = "", **only: str) -> None:
        notation.use(notation.style(currency, locale))
        self.board = definitions()
        given = {name: values for name, values in figures.Filters(**only).values.items() if values}
        self.data = page_data(figures.reporting_day(date), given)

    def head(self) -> str:
        """Colours, data, definitions, the chart library and the script; the place of the filters."""
        colours = "".join(f" --s{place}-light: {colour};" for place, colour in enumerate(theme().series))
        page = [
            f"<style>:root {{{colours} }}</style>",
            '<div id="board-toolbar"></div>',
            "<noscript><p>Charts, tables and filters need JavaScript; the tiles show the last"
            f" {self.board['periods'][self.board['first_period']]}.</p></noscript>",
            f'<script type="application/json" id="board-data">{embedded(self.data)}</script>',
            f'<script type="application/json" id="board-definitions">{embedded(self.board)}</script>',
            f"<script>{library()}</script>",
            f'<script type="module">\n{script()}</script>',
        ]
        return colour_variables() + _raw("\n".join(page))

    def tiles(self, *names: str) -> str:
        """Value boxes of measures, with the figures of the first period; the script keeps them up to date."""
        return "".join(self._tile(name) for name in names)

    def facts(self) -> str:
        """Value boxes of the state of the data, which the script fills."""
        return "".join(
            _box(label, f'[–]{{data-fact="{name}"}}', f'[]{{data-change="{name}"}}')
            for name, label in FACTS.items()
        )

    def chart(self, name: str) -> str:
        """A card with a chart."""
        return self._card("chart", name, self.board["charts"])

    def table(self, name: str) -> str:
        """A card with a table."""
        return self._card("table", name, self.board["tables"])

    def value(self, name: str, ago: int = 0) -> float | None:
        """A measure of the first period, or of the one so many days before; None where there is none."""
        days = self.board["first_period"]
        length = (date.fromisoformat(self.data["last"]) - date.fromisoformat(self.data["first"])).days + 1
        end = length - ago
        return self.between(name, max(0, end - days), end) if end >= days or ago == 0 else None

    def _tile(self, name: str) -> str:
        measure = self.board["measures"][name]
        days = self.board["first_period"]
        now, before = self.value(name), self.value(name, ago=days)
        ratio = (now - before) / abs(before) if now is not None and before else None
        remark = (
            NO_BASE if ratio is None else f"{notation.change(ratio)} on {self.board['periods'][days]} before"
        )
        return _box(
            measure["label"],
            f'[{text(write(now, Kind(measure["kind"])))}]{{data-tile="{name}"}}',
            f'[{text(remark)}]{{data-change="{name}"}}',
        )

    def between(self, name: str, start: int, end: int) -> float | None:
        """A measure of some days, as places from the first, the last one not in it; None where there is
        none."""
        measure = self.board["measures"][name]
        if "above" in measure:
            above, below = (self.between(measure[part], start, end) for part in ("above", "below"))
            return above / below if above is not None and below else None
        rows = self._rows[measure["rows"]]
        rows = rows[(rows["day"] >= start) & (rows["day"] < end)]
        if "sum" in measure:
            total = rows[measure["sum"]].sum(min_count=min(1, len(rows)))
            return None if pd.isna(total) else float(total)
        if self.data["folded"]:
            return float(rows[measure["folded"]].sum()) if "folded" in measure else None
        if "where" in measure:
            rows = rows[rows[measure["where"]] == 1]
        values = rows[measure["distinct"]]
        return float(values[values >= 0].nunique())

    @cached_property
    def _rows(self) -> dict[str, pd.DataFrame]:
        tables = {}
        for name, columns in self.data["rows"].items():
            length = len(columns["day"])
            frame = pd.DataFrame({key: values for key, values in columns.items() if len(values) == length})
            for key in {"amount", "profit"} & set(frame):
                frame[key] = frame[key].astype(float) / 100
            if "profit" in frame:
                frame["costed"] = frame["amount"].where(frame["profit"].notna(), 0.0)
            if "starts" in frame:
                frame["transaction"] = frame["starts"].cumsum()
            tables[name] = frame
        return tables

    def _card(self, kind: str, name: str, known: dict[str, Any]) -> str:
        assert name in known, f"no {kind} {name}; there are {', '.join(known)}"
        title = html.escape(known[name]["title"].format(measure="Sales", by="store"))
        return "\n::: {.card}\n" + _raw(
            f'<section class="{kind}" data-{kind}="{name}" aria-label="{title}"><header><h2>{title}</h2>'
            '<span class="note"></span><details class="menu"></details></header>'
            '<div class="legend"></div><div class="plot"></div></section>'
        ) + "\n:::\n"  # fmt: skip


def script(modules: Sequence[str] = MODULES) -> str:
    """The page's script: its modules as one, for a page that is a file can import nothing. So no two of them
    may declare the same name."""
    texts = []
    for name in modules:
        source = (SCRIPTS / f"{name}.js").read_text(encoding="utf-8")
        texts.append(EXPORT.sub("", IMPORT.sub("", source)))
    return "\n".join(texts)


def library() -> str:
    """D3, which the package mpld3 brings."""
    spec = importlib.util.find_spec("mpld3")  # not imported, which would take matplotlib along
    assert spec is not None, "mpld3 is a dependency of this project"
    assert spec.origin is not None
    return (Path(spec.origin).parent / "js" / "d3.v5.min.js").read_text(encoding="utf-8")


def embedded(value: Any) -> str:
    """JSON that cannot end the script element that holds it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False).replace(
        "<", "\\u003c"
    )


def _box(label: str, value: str, remark: str) -> str:
    return f"\n::: {{.valuebox}}\n{text(label)}\n\n{value}\n\n{remark}\n:::\n"


def _raw(content: str) -> str:
    return f"\n```````{{=html}}\n{content}\n```````\n"
