"""The charts of printed reports, drawn with matplotlib in the theme's colours.

A chart draws what it is given and shows it; the figures come from `figures.py`. The dashboard's charts are in
`dashboard.py`.
"""

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import FuncFormatter

from reports.theme import theme

TEXT_WIDTH = 6.7  # inches between the margins of an A4 page


def sales(daily: pd.DataFrame) -> None:
    """Sales of each day as bars and their moving average as a line; takes the frame of `figures.daily`."""
    look = theme()
    figure, axes = plt.subplots(figsize=(TEXT_WIDTH, 2.1), layout="constrained")
    if daily.empty:
        axes.text(0.5, 0.5, "No sales are known for these days", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        plt.show()
        return
    days = daily["metric_date"]
    newest = [look.accent if day == days.max() else "#a9c1d3" for day in days]
    axes.bar(days, daily["total_sales"], width=0.72, color=newest, label="Sales of the day")
    axes.plot(days, daily["moving_average"], color=look.series[1], linewidth=2, label="Mean of seven days")
    axes.xaxis.set_major_locator(mdates.WeekdayLocator(days.max().weekday()))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%a %-d %b"))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_formatter(FuncFormatter(_short_money))
    axes.margins(x=0.01)
    figure.legend(loc="outside upper left", ncols=2)
    plt.show()


def _short_money(value: float, _position: int) -> str:
    """An axis label: £950, £12k, £1.5M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{theme().currency}{value / size:g}{unit}"
    return f"{theme().currency}{value:g}"
