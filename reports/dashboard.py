"""The dashboard's data, tiles and interactive charts: one definition of each, in Python.

The page carries its data once, as JSON; `dashboard.js` adds it up for the chosen period and hands it to tiles
and charts, which say here what they show. Charts are Bokeh's, whose library is put into the page.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import bokeh
import numpy as np
import pandas as pd
from bokeh.embed import json_item
from bokeh.models import (
    ColumnDataSource,
    DataRange1d,
    DatetimeTickFormatter,
    FactorRange,
    HoverTool,
    NumeralTickFormatter,
    Range1d,
    WheelZoomTool,
)
from bokeh.plotting import figure

from reports import figures, notation
from reports.tables import Tile
from reports.theme import colour_variables, theme

PERIODS = {7: "7 days", 28: "28 days", 91: "13 weeks", 364: "52 weeks", 0: "All"}
FIRST_PERIOD = 28
DAY = 86_400_000  # in the milliseconds of a chart's axis
NO_BASE = "no comparison"
SCRIPT = Path(__file__).with_name("dashboard.js")
LIBRARY = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"


class Measure(NamedTuple):
    """A tile: the sum of a daily series over the period, or the quotient of two such sums."""

    label: str
    above: str
    below: str | None
    is_money: bool


TILES = {
    "sales": Measure("Sales", "sales", None, True),
    "transactions": Measure("Transactions", "transactions", None, False),
    "average": Measure("Average value", "sales", "transactions", True),
    "new": Measure("New customers", "new_customers", None, False),
    "interactions": Measure("Interactions", "interactions", None, False),
}


class Dashboard:
    """The dashboard as of a day (by default the newest): data, tiles, charts.

    Raises:
        DataError: there is no metric yet.
    """

    def __init__(self, day: date) -> None:
        covered = figures.coverage()
        self.first, self.last = covered.first, min(max(day, covered.first), covered.last)
        self.data = self._read()
        self._charts = {"sales": _sales(), "categories": _categories(), "channels": _channels()}

    def _read(self) -> dict[str, Any]:
        """The data of the page: one value a day in each series; days are dense, from `first` on."""
        length = (self.last - self.first).days + 1
        daily = figures.daily(self.last, length)
        contacts = figures.interactions_by_channel(self.first, self.last)
        by_category = figures.sales_by_category(self.first, self.last)
        days = pd.date_range(self.first, self.last)
        channels = _grouped(contacts, "day", "channel", "interactions", days)
        return {
            "first": self.first.isoformat(),
            "currency": theme().currency,
            "series": {
                "sales": _values(daily["total_sales"]),
                "mean": _values(daily["moving_average"]),
                "transactions": _values(daily["total_transactions"]),
                "new_customers": _values(daily["new_customers"]),
                "interactions": np.array(channels["values"]).reshape(-1, length).sum(axis=0).tolist(),
            },
            "groups": {
                "categories": _grouped(by_category, "metric_date", "category", "sales", days),
                "channels": channels,
            },
            "tiles": {name: measure._asdict() for name, measure in TILES.items()},
        }

    def tile(self, name: str, days: int = FIRST_PERIOD) -> Tile:
        """A tile for the last days, beside as many days before them."""
        measure = TILES[name]
        now, before = self._total(measure, days, 0), self._total(measure, days, days)
        value = notation.money(now) if measure.is_money else notation.count(now)
        ratio = (now - before) / abs(before) if now is not None and before else None
        remark = NO_BASE if ratio is None else f"{notation.change(ratio)} on the {PERIODS[days]} before"
        return Tile(measure.label, value, remark)

    def _total(self, measure: Measure, days: int, ago: int) -> float | None:
        def total(name: str) -> float | None:
            values = self.data["series"][name]
            end = len(values) - ago
            return sum(value or 0 for value in values[end - days : end]) if end >= days else None

        above, below = total(measure.above), total(measure.below) if measure.below else 1
        return above / below if above is not None and below else None

    def head(self) -> str:
        """What the page needs once, in Markdown: colours, data, library, script, the choice of a period."""
        charts = {name: json_item(chart) for name, chart in self._charts.items()}
        buttons = "".join(
            f'<button type="button" data-days="{days}" aria-pressed="{pressed}">{title}</button>'
            for days, title in PERIODS.items()
            for pressed in ("true" if days == FIRST_PERIOD else "false",)
        )
        page = [
            f"<style>:root {{ --second: {theme().series[1]}; }}</style>",
            f'<div class="periods" role="group" aria-label="Period">{buttons}<output></output></div>',
            f'<script type="application/json" id="board-data">{_embedded(self.data)}</script>',
            f'<script type="application/json" id="board-charts">{_embedded(charts)}</script>',
            f"<script>{LIBRARY.read_text(encoding='utf-8')}</script>",
            f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>",
        ]
        return colour_variables() + _raw("\n".join(page))

    def chart(self, name: str, description: str) -> str:
        """The place of a chart in the page, with a text for those who cannot see it."""
        assert name in self._charts, f"no chart {name}; there are {', '.join(self._charts)}"
        return _raw(f'<div class="chart" id="chart-{name}" role="img" aria-label="{description}"></div>')


# Charts come with one empty point, which the page's script replaces: of none at all Bokeh would complain.


def _sales() -> figure:
    # Zooming takes the control key, so that the wheel still scrolls the page.
    zoom = WheelZoomTool(dimensions="width", modifiers="ctrl")
    chart = _figure(
        height=320, x_axis_type="datetime", active_drag="xpan",
        tools=["xpan", zoom, "xbox_zoom", "reset", "save"],
        x_range=Range1d(start=0, end=1), y_range=DataRange1d(start=0, only_visible=True),
    )  # fmt: skip
    # A line in the card's colour over what Bokeh paints of the bars beyond the left edge.
    for axis in chart.yaxis:
        axis.axis_line_color, axis.axis_line_width = "white", 3
        _follow(axis, major_label_text_color="muted", axis_line_color="card")
    chart.xaxis.formatter = DatetimeTickFormatter(days="%-d %b", months="%b %Y", years="%Y")
    source = ColumnDataSource({"day": [0], "sales": [0], "mean": [0]}, name="sales")
    bars = chart.vbar(
        x="day", top="sales", width=0.8 * DAY, source=source, fill_color=theme().accent, fill_alpha=0.55,
        line_color=None, legend_label="Sales of the day",
    )  # fmt: skip
    line = chart.line(
        x="day", y="mean", source=source, line_color=theme().series[1], line_width=2.5,
        legend_label="Mean of seven days",
    )  # fmt: skip
    _follow(bars.glyph, fill_color="accent")
    _follow(line.glyph, line_color="second")
    tips = [
        ("", "@day{%a %-d %b %Y}"),
        ("Sales", _money_tip("sales")),
        ("Mean of seven days", _money_tip("mean")),
    ]
    chart.add_tools(HoverTool(renderers=[bars], mode="vline", tooltips=tips, formatters={"@day": "datetime"}))
    chart.add_layout(chart.legend[0], "above")
    chart.legend.orientation = "horizontal"
    chart.legend.click_policy = "hide"
    chart.legend.border_line_color = None
    chart.legend.background_fill_alpha = 0
    for legend in chart.legend:
        legend.update(margin=0, padding=0)
        _follow(legend, label_text_color="ink")
    return chart


def _categories() -> figure:
    chart = _figure(height=300, x_range=DataRange1d(start=0), y_range=FactorRange(factors=[""]), tools="save")
    source = ColumnDataSource({"name": [""], "value": [0]}, name="categories")
    bars = chart.hbar(
        y="name", right="value", height=0.7, source=source, fill_color=theme().accent, line_color=None
    )
    _follow(bars.glyph, fill_color="accent")
    chart.ygrid.grid_line_color = None
    chart.add_tools(HoverTool(tooltips=[("", "@name"), ("Sales", _money_tip("value"))]))
    return chart


def _channels() -> figure:
    chart = _figure(height=300, x_range=FactorRange(factors=[""]), y_range=DataRange1d(start=0), tools="save")
    source = ColumnDataSource({"name": [""], "value": [0]}, name="channels")
    bars = chart.vbar(
        x="name", top="value", width=0.6, source=source, fill_color=theme().series[1], line_color=None
    )
    _follow(bars.glyph, fill_color="second")
    chart.xgrid.grid_line_color = None
    chart.add_tools(HoverTool(tooltips=[("", "@name"), ("Interactions", "@value{0,0}")]))
    return chart


def _figure(**settings: Any) -> figure:
    """A chart that is as wide as its card, quiet, and follows the page's colours."""
    chart = figure(sizing_mode="stretch_width", background_fill_color=None, border_fill_color=None,
                   outline_line_color=None, **settings)  # fmt: skip
    chart.toolbar.logo = None
    chart.toolbar.autohide = True
    for axis in chart.axis:
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = None
        axis.major_label_text_font_size = "12px"
        _follow(axis, major_label_text_color="muted")
        if axis.formatter and axis.formatter.__class__.__name__ == "BasicTickFormatter":
            axis.formatter = NumeralTickFormatter(format="0[.]0a")
    for grid in chart.grid:
        _follow(grid, grid_line_color="rule")
    chart.xgrid.grid_line_color = None if settings.get("x_axis_type") == "datetime" else theme().rule
    return chart


def _money_tip(field: str) -> str:
    return f"{theme().currency}@{field}{{0,0.00}}"


def _follow(model: Any, **colours: str) -> None:
    """Let colours of a model follow the page's (and so its dark mode): property = name of a CSS variable."""
    model.tags = [f"{name}:--{colour}" for name, colour in colours.items()]


def _grouped(frame: pd.DataFrame, day: str, group: str, value: str, days: pd.DatetimeIndex) -> dict[str, Any]:
    """One series a group, with a value for each day: {names, values}."""
    wide = frame.pivot_table(index=day, columns=group, values=value, aggfunc="sum", fill_value=0)
    wide = wide.reindex(days, fill_value=0)
    return {"names": [str(name) for name in wide], "values": [_values(wide[name]) for name in wide]}


def _values(column: pd.Series) -> list[float | None]:
    return [None if pd.isna(value) else round(value, 2) for value in column.tolist()]


def _embedded(value: Any) -> str:
    """JSON that cannot end the script element that holds it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _raw(html: str) -> str:
    return f"\n```````{{=html}}\n{html}\n```````\n"
