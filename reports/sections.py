"""The sections of the daily report as tables: which columns, under which titles, with which totals.

The figures in them come from `figures.py`; document and workbook are both made from these.
"""

from collections.abc import Callable
from datetime import date

import pandas as pd

from reports import figures, notation
from reports.errors import ReportError
from reports.tables import Column, Kind, Table, Tile, write


def headline(day: date) -> Table:
    """The measures of the day, beside the day before and the same weekday a week earlier."""
    return Table(
        "summary",
        "The day in figures",
        "Headline figures, beside the day before and the same weekday a week earlier",
        figures.headline(day),
        [
            Column("label", "Measure"),
            Column("value", "This day", Kind.MEASURE),
            Column("previous_day", "Day before", Kind.MEASURE),
            Column("on_previous_day", "Change", Kind.CHANGE, quotient=("value", "previous_day")),
            Column("last_week", "Week before", Kind.MEASURE),
            Column("on_last_week", "Change", Kind.CHANGE, quotient=("value", "last_week")),
        ],
    )


def tiles(headline: Table) -> list[Tile]:
    """The headline table as tiles, each with its change on the week before."""
    return [
        Tile(
            row[0],
            write(row[1], headline.kind(headline.columns[1], index)),
            _compared(row[5], "on last week"),
        )
        for index, row in enumerate(headline.rows())
    ]


def _compared(ratio: float | None, what: str) -> str:
    return "no comparison" if ratio is None else f"{notation.change(ratio)} {what}"


def remark(day: date, covered: figures.Coverage, headline: Table) -> str:
    """A callout in Markdown where a day has no metrics or no sale; nothing otherwise."""
    sales = headline.frame["value"].iloc[0]
    if pd.isna(sales):
        title = "No data for this day"
        words = (
            f"The metrics cover {notation.short_day(covered.first)} to {notation.short_day(covered.last)}; "
            f"nothing is known of {notation.short_day(day)}."
        )
    elif not sales and not headline.frame["value"].iloc[1]:
        title = "A day without a sale"
        words = "No transaction of this day has arrived: the shops were closed, or their data is late."
    else:
        return ""
    return f'\n::: {{.callout-note title="{title}"}}\n{words}\n:::\n'


def daily(day: date, days: int = figures.WINDOW_DAYS) -> Table:
    """The last days, one row each."""
    return Table(
        "daily",
        "Day by day",
        f"The {days} days up to this one",
        figures.daily(day, days),
        [
            Column("metric_date", "Day", Kind.DAY),
            Column("total_sales", "Sales", Kind.MONEY, summed=True),
            Column("moving_average", "Mean of seven days", Kind.MONEY),
            Column("total_transactions", "Transactions", Kind.COUNT, summed=True),
            Column(
                "avg_transaction_value",
                "Average value",
                Kind.MONEY,
                quotient=("total_sales", "total_transactions"),
            ),
            Column("total_customers", "Customers", Kind.COUNT),
            Column("new_customers", "New customers", Kind.COUNT, summed=True),
        ],
        totals="All days",
    )


def products(day: date, limit: int = 10) -> Table:
    """The products with the highest sales of the day."""
    return Table(
        "products",
        "Best-selling products",
        f"The {limit} products with the highest sales of the day",
        figures.top_products(day, limit),
        [
            Column("product", "Product"),
            Column("category", "Category"),
            Column("units", "Units", Kind.COUNT, summed=True),
            Column("revenue", "Sales", Kind.MONEY, summed=True),
            Column("profit", "Profit", Kind.MONEY, summed=True),
            Column("share", "Of all sales", Kind.SHARE, summed=True),
        ],
        totals="These products",
        empty="No product was sold on this day.",
    )


def stores(day: date) -> Table:
    """Sales by store, beside the same weekday a week earlier."""
    return Table(
        "stores",
        "Sales by store",
        "Sales by store, beside the same weekday a week earlier",
        figures.stores(day),
        [
            Column("store", "Store"),
            Column("transactions", "Transactions", Kind.COUNT, summed=True),
            Column("units", "Units", Kind.COUNT, summed=True),
            Column("average_value", "Average value", Kind.MONEY, quotient=("sales", "transactions")),
            Column("sales", "Sales", Kind.MONEY, summed=True),
            Column("last_week", "Week before", Kind.MONEY, summed=True),
            Column("change", "Change", Kind.CHANGE, quotient=("sales", "last_week")),
        ],
        totals="All stores",
        empty="No store sold anything on this day or a week earlier.",
    )


def channels(day: date) -> Table:
    """Interactions by channel, beside the same weekday a week earlier."""
    return Table(
        "channels",
        "Contacts with customers",
        "Interactions by channel, beside the same weekday a week earlier",
        figures.channels(day),
        [
            Column("channel", "Channel"),
            Column("interactions", "Interactions", Kind.COUNT, summed=True),
            Column("customers", "Customers", Kind.COUNT),
            Column("average_duration", "Mean duration", Kind.DURATION),
            Column("last_week", "Week before", Kind.COUNT, summed=True),
            Column("change", "Change", Kind.CHANGE, quotient=("interactions", "last_week")),
        ],
        totals="All channels",
        empty="No interaction was recorded on this day or a week earlier.",
    )


def loads() -> Table:
    """The newest load of each feed."""
    return Table(
        "loads",
        "Loads",
        "The newest load of each feed, and the rows that were rejected at the door",
        figures.loads(),
        [
            Column("source", "Source"),
            Column("feed", "Feed"),
            Column("delivery", "Newest delivery"),
            Column("finished_at", "Loaded (UTC)", Kind.MOMENT),
            Column("rows_accepted", "Accepted", Kind.COUNT, summed=True),
            Column("rows_rejected", "Rejected", Kind.COUNT, summed=True),
            Column("open_rejections", "Rejected so far", Kind.COUNT, summed=True),
        ],
        totals="All feeds",
        empty="Nothing has been loaded yet.",
    )


def rejections() -> Table:
    """The rejected rows that wait for a decision, by source and rule."""
    return Table(
        "rejections",
        "Rejected rows",
        "Rejected rows that wait for a decision, by source and rule",
        figures.rejections(),
        [
            Column("source", "Source"),
            Column("rule", "Rule that the rows broke"),
            Column("rows", "Rows", Kind.COUNT, summed=True),
        ],
        totals="All sources",
        empty="No rejected row waits for a decision.",
    )


def reconciliation() -> Table:
    """What landed, beside what facts and metrics hold."""
    return Table(
        "reconciliation",
        "Reconciliation",
        "What landed beside what the figures hold, each counted at its own end; the differences must be 0",
        figures.reconciliation(),
        [
            Column("entity", "Entity"),
            Column("landed_rows", "Landed", Kind.COUNT),
            Column("fact_rows", "In the facts", Kind.COUNT),
            Column("difference_rows", "Difference", Kind.COUNT),
            Column("landed_amount", "Amount landed", Kind.MONEY),
            Column("daily_amount", "In the metrics", Kind.MONEY),
            Column("difference_amount", "Difference", Kind.MONEY),
        ],
    )


def workbook(report: str, day: date) -> list[Table]:
    """The tables of a report's workbook, a sheet each.

    Raises:
        ReportError: no workbook is made of this report.
    """
    if report not in WORKBOOKS:
        raise ReportError(
            f"no workbook is made of the report {report}; one is made of: {', '.join(WORKBOOKS)}"
        )
    return WORKBOOKS[report](day)


def _daily_workbook(day: date) -> list[Table]:
    return [
        headline(day),
        daily(day, days=91),
        products(day, limit=100),
        stores(day),
        channels(day),
        loads(),
        rejections(),
        reconciliation(),
    ]


WORKBOOKS: dict[str, Callable[[date], list[Table]]] = {"daily": _daily_workbook}
