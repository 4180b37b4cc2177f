"""The charts of printed reports, drawn with matplotlib in the theme's colours.

A chart draws what it is given and shows it; the figures come from `figures.py`. The dashboard's charts are in
`dashboard.py`.
"""

from collections.abc import Callable

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports import figures, notation, sections
from reports.edition import Edition
from reports.tables import Table
from reports.theme import theme

TEXT_WIDTH = 6.7  # inches between the margins of an A4 page
MANY = 62  # days, beyond which a chart of days is a line
LONGEST_NAME = 28


def daily(edition: Edition) -> None:
    """Sales of the last weeks' days as bars, those of the edition's period darker, their moving average as a
    line."""
    days = max(figures.WINDOW_DAYS, edition.period.days)
    frame = figures.daily(edition.period.last, days, edition.only)
    if frame.empty:
        return _nothing("No sales are known for these days")
    look, (figure, axes) = theme(), _axes(2.1)
    shown = frame["metric_date"]
    if len(frame) <= MANY:
        inside = [_solid(day >= pd.Timestamp(edition.period.first)) for day in shown]
        axes.bar(shown, frame["total_sales"], width=0.72, color=inside, label="Sales of the day")
    axes.plot(shown, frame["moving_average"], color=look.series[1], linewidth=2, label="Mean of seven days")
    if len(frame) <= MANY:
        axes.xaxis.set_major_locator(mdates.WeekdayLocator(shown.max().weekday()))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(_dates(notation.weekday))
    else:
        axes.xaxis.set_major_locator(mdates.AutoDateLocator(maxticks=9))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(_dates(notation.month))
    axes.margins(x=0.01)
    _finish(figure, axes)


def weeks(edition: Edition) -> None:
    """Sales of the last weeks as bars, and those of a year before as marks."""
    _steps(sections.weeks(edition), edition, "Sales of the week", "The same week a year before")


def months(edition: Edition) -> None:
    """Sales of the last months as bars, and those of a year before as marks."""
    _steps(sections.months(edition), edition, "Sales of the month", "The same month a year before")


def _steps(table: Table, edition: Edition, label: str, label_before: str) -> None:
    frame = table.frame
    assert isinstance(frame, pd.DataFrame)
    if frame.empty:
        return _nothing("No sales are known for these days")
    look, (figure, axes) = theme(), _axes(2.1)
    places = range(len(frame))
    inside = [
        _solid(start + pd.Timedelta(days=6) >= pd.Timestamp(edition.period.first)) for start in frame["start"]
    ]
    axes.bar(places, frame["total_sales"], width=0.72, color=inside, label=label)
    if frame["year_before"].notna().any():
        axes.plot(
            places, frame["year_before"], color=look.series[1], linestyle="none", marker="_", markersize=17,
            markeredgewidth=2.2, label=label_before,
        )  # fmt: skip
    write = notation.month if label.endswith("month") else _short
    axes.set_xticks(places, [write(start) for start in frame["start"]])
    axes.tick_params(axis="x", labelsize=7.5)
    axes.margins(x=0.01)
    _finish(figure, axes)


def running(edition: Edition) -> None:
    """Sales added up day by day through the period, beside the periods it is compared with."""
    series = [("This period", edition.asked, 2.4, "-")]
    series += [(c.title, c.period, 1.6, "--") for c in edition.comparisons if c.is_covered]
    look, (figure, axes) = theme(), _axes(2.2)
    drawn = False
    for (label, period, width, style), colour in zip(series, look.series, strict=False):
        frame = figures.days(period, edition.only)
        if not frame.empty:
            numbers = (frame["metric_date"] - pd.Timestamp(period.first)).dt.days + 1
            axes.plot(
                numbers,
                frame["total_sales"].cumsum(),
                color=colour,
                linewidth=width,
                linestyle=style,
                label=label,
            )
            drawn = True
    if not drawn:
        plt.close(figure)
        return _nothing("No sales are known for these days")
    axes.set_xlabel(f"Day of the {edition.word if edition.word != 'days' else 'period'}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    _finish(figure, axes)


def categories(edition: Edition) -> None:
    """Sales by category as bars, those of the period beside as marks."""
    _bars(sections.categories(edition), edition)


def stores(edition: Edition) -> None:
    """Sales by store as bars, those of the period beside as marks."""
    _bars(sections.stores(edition), edition)


def segments(edition: Edition) -> None:
    """Sales by segment as bars, those of the period beside as marks."""
    _bars(sections.segments(edition), edition)


def _bars(table: Table, edition: Edition, most: int = 10) -> None:
    frame = table.frame
    assert isinstance(frame, pd.DataFrame)
    frame = frame.head(most).iloc[::-1]
    if frame.empty:
        return _nothing(table.empty)
    look, main = theme(), edition.main
    figure, axes = _axes(0.55 + 0.24 * len(frame))
    places = range(len(frame))
    axes.barh(places, frame["sales"], height=0.66, color=look.accent, label=f"This {edition.word}")
    if main.is_covered:
        axes.plot(
            frame[main.name], places, color=look.series[1], linestyle="none", marker="|", markersize=12,
            markeredgewidth=2.2, label=main.title,
        )  # fmt: skip
    axes.set_yticks(places, [_cut(name) for name in frame["name"]])
    axes.tick_params(axis="y", labelcolor=look.ink)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.xaxis.set_major_formatter(FuncFormatter(_short_money))
    figure.legend(loc="outside upper left", ncols=2)
    plt.show()


def new_and_known(edition: Edition) -> None:
    """Customers who bought in each of the last thirteen weeks: new ones on top of known ones."""
    frame = figures.new_and_known(edition.ending(sections.WEEKS * 7), edition.only)
    if frame.empty:
        return _nothing("No customer is known to have bought in these weeks")
    look, (figure, axes) = theme(), _axes(2.0)
    places = range(len(frame))
    axes.bar(places, frame["known"], width=0.72, color=look.accent, label="Known")
    axes.bar(places, frame["new"], width=0.72, bottom=frame["known"], color=look.series[1], label="New")
    axes.set_xticks(places, [_short(start) for start in frame["start"]])
    axes.tick_params(axis="x", labelsize=7.5)
    axes.margins(x=0.01)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: notation.count(value)))
    figure.legend(loc="outside upper left", ncols=2)
    plt.show()


def _axes(height: float) -> tuple[Figure, Axes]:
    return plt.subplots(figsize=(TEXT_WIDTH, height), layout="constrained")


def _finish(figure: Figure, axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(_short_money))
    figure.legend(loc="outside upper left", ncols=3)
    plt.show()


def _nothing(words: str) -> None:
    _, axes = _axes(0.8)
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, color=theme().muted)
    axes.set_axis_off()
    plt.show()


def _solid(strong: bool) -> str:
    """The first colour: in full for the period itself, pale for what stands before it."""
    return theme().accent if strong else theme().pale


def _dates(write: Callable[[pd.Timestamp], str]) -> FuncFormatter:
    return FuncFormatter(lambda value, _: write(mdates.num2date(value)))  # type: ignore[no-untyped-call]


def _short(day: pd.Timestamp) -> str:
    return notation.weekday(day).split(" ", 1)[1]


def _short_money(value: float, _position: int) -> str:
    return notation.short_money(value)


def _cut(name: str) -> str:
    name = " ".join(str(name).split())
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


CHARTS: dict[str, Callable[[Edition], None]] = {
    "daily": daily,
    "weeks": weeks,
    "months": months,
    "running": running,
    "categories": categories,
    "stores": stores,
    "segments": segments,
    "new_and_known": new_and_known,
}
