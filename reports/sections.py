"""The sections of the reports as tables: which columns, under which titles, with which totals.

Each takes an edition. The figures come from `figures.py`; documents and workbooks are both made from these,
and an exposure names those of its workbook (`SECTIONS`).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from reports import figures, metrics, notation, restatement
from reports.edition import Edition
from reports.errors import ReportError
from reports.metrics import Metric
from reports.period import Grain, Period
from reports.tables import Chart, Column, Kind, Table, Tile, write

TILES = 5  # measures that are shown as tiles
TOP = 10  # rows of a table that shows the best
LONG = 100  # rows of such a table in a workbook
LONGEST_DAYS = 91


def headline(edition: Edition) -> Table:
    """The measures of the period and the metrics that the exposure names, beside the periods that it is
    compared with."""
    comparisons = edition.comparisons
    values = figures.measures([edition.period, *(c.period for c in comparisons)], edition.only)
    kinds = [Kind.MONEY if measure.is_money else Kind.COUNT for measure in figures.MEASURES]
    for metric in edition.report.metrics:
        periods = [edition.asked, *(c.period for c in comparisons)]
        values.append([metrics.value(metric, period, edition.only) for period in periods])
        kinds.append(kind_of(metric, values[-1]))
    covered = [True, *(c.is_covered for c in comparisons)]
    labels = [measure.label for measure in figures.MEASURES]
    labels += [metric.label for metric in edition.report.metrics]
    frame = pd.DataFrame({"label": labels, "kind": [kind.value for kind in kinds]})
    for position, name in enumerate(["value", *(c.name for c in comparisons)]):
        column = [row[position] if covered[position] else None for row in values]
        frame[name] = pd.Series(column, dtype="float64")
    columns = [Column("label", "Measure"), Column("value", f"This {_word(edition)}", Kind.MEASURE)]
    for comparison in comparisons:
        columns += [
            Column(comparison.name, comparison.title, Kind.MEASURE),
            Column(f"on_{comparison.name}", "Change", Kind.CHANGE, quotient=("value", comparison.name)),
        ]
    beside = " and ".join(f"the {c.title.lower()}" for c in comparisons)
    return Table(
        "summary",
        f"The {_word(edition)} in figures",
        f"Headline figures, beside {beside.replace(' and ', ', ', len(comparisons) - 2)}",
        frame,
        columns,
    )


def kind_of(metric: Metric, values: Sequence[float | None]) -> Kind:
    """How a metric's values are written: a number is a count where all are whole."""
    if metric.unit == "number":
        is_whole = all(value is None or value == int(value) for value in values)
        return Kind.COUNT if is_whole else Kind.DECIMAL
    return {"money": Kind.MONEY, "share": Kind.SHARE, "seconds": Kind.DURATION}[metric.unit]


def _word(edition: Edition) -> str:
    return "period" if edition.asked.grain is Grain.DAYS else edition.word


def _this(edition: Edition) -> str:
    return f"{'on' if edition.asked.grain is Grain.DAY else 'in'} this {_word(edition)}"


def tiles(headline: Table, edition: Edition) -> list[Tile]:
    """The first measures and the metrics that the exposure names as tiles, each with its change on the period
    that says most."""
    main = edition.main
    position = next(i for i, column in enumerate(headline.columns) if column.name == f"on_{main.name}")
    words = f"on last {'week' if main.name == 'last_week' else _word(edition)}"
    return [
        Tile(
            row[0], write(row[1], headline.kind(headline.columns[1], index)), _compared(row[position], words)
        )
        for index, row in enumerate(headline.rows())
        if index < TILES or index >= len(figures.MEASURES)
    ]


def _compared(ratio: float | None, what: str) -> str:
    return "no comparison" if ratio is None else f"{notation.change(ratio)} {what}"


def daily(edition: Edition) -> Table:
    """The days of the period and of the weeks before it, one row each."""
    length = max(edition.period.days, LONGEST_DAYS if edition.asked.grain is Grain.DAY else WEEKS * 7)
    return _days(edition, min(length, 400))


def days_of_period(edition: Edition) -> Table:
    """The days of the period alone."""
    return _days(edition, edition.period.days)


WEEKS = 13


def _days(edition: Edition, days: int) -> Table:
    up_to = notation.short_day(edition.period.last)
    return Table(
        "daily",
        "Day by day",
        f"The {days} days up to {up_to}" if days > 1 else f"Sales of {up_to}",
        figures.daily(edition.period.last, days, edition.only),
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
        empty="No day of this period is covered by the metrics.",
        chart=Chart("metric_date", columns=("total_sales",), lines=("moving_average",)),
    )


def weeks(edition: Edition) -> Table:
    """The last thirteen weeks, beside the same weeks a year before."""
    return _steps(edition, "week", edition.ending(WEEKS * 7), Kind.DAY, "Week from")


def months(edition: Edition) -> Table:
    """The last thirteen months, beside the same months a year before."""
    first = edition.period.first.replace(day=1)
    first = first.replace(year=first.year - 1)
    return _steps(edition, "month", Period(first, edition.period.last), Kind.MONTH, "Month")


def _steps(edition: Edition, step: str, period: Period, kind: Kind, title: str) -> Table:
    frame = figures.steps(period, step, edition.only)
    return Table(
        f"{step}s",
        f"{step.capitalize()} by {step}",
        f"The last {len(frame)} {step}s, beside the same {step}s a year before",
        frame,
        [
            Column("start", title, kind),
            Column("total_sales", "Sales", Kind.MONEY, summed=True),
            Column("year_before", "Year before", Kind.MONEY),
            Column("change", "Change", Kind.CHANGE, quotient=("total_sales", "year_before")),
            Column("total_transactions", "Transactions", Kind.COUNT, summed=True),
            Column("average", "Average value", Kind.MONEY, quotient=("total_sales", "total_transactions")),
            Column("new_customers", "New customers", Kind.COUNT, summed=True),
        ],
        totals=f"All {step}s",
        empty=f"No {step} of this period is covered by the metrics.",
        chart=Chart("start", columns=("total_sales",), lines=("year_before",)),
    )


# --------------------------------------------------------------------------------- sales by what they are of


class Breakdown(NamedTuple):
    """A table of sales by a dimension of `figures.DIMENSIONS`: its words and columns (see `_columns`)."""

    by: str
    title: str
    caption: str
    head: str
    totals: str
    columns: str
    second: str = ""  # the title of the dimension's second column, where it is shown


BREAKDOWNS = {
    "products": Breakdown(
        "product",
        "Best-selling products",
        "The {limit} products with the highest sales of the {word}",
        "Product",
        "These products",
        "units sales profit share main",
        "Category",
    ),
    "categories": Breakdown(
        "category",
        "Sales by category",
        "Sales by category",
        "Category",
        "All categories",
        "units sales share profit margin compared",
    ),
    "stores": Breakdown(
        "store",
        "Sales by store",
        "Sales by store",
        "Store",
        "All stores",
        "transactions units average_value sales compared",
    ),
    "sales_channels": Breakdown(
        "channel",
        "Sales by channel",
        "Sales by the channel they came through",
        "Channel",
        "All channels",
        "transactions customers average_value sales share main",
    ),
    "segments": Breakdown(
        "segment",
        "Customers by segment",
        "Sales by the segment of the customers",
        "Segment",
        "All segments",
        "customers transactions sales per_customer share main",
    ),
    "countries": Breakdown(
        "country",
        "Customers by country",
        "Sales by the country of the customers",
        "Country",
        "All countries",
        "customers transactions sales share main",
    ),
    "customers": Breakdown(
        "customer",
        "Best customers",
        "The {limit} customers with the highest sales of the {word}",
        "Customer",
        "These customers",
        "transactions units sales share main",
        "Segment",
    ),
}


def products(edition: Edition, limit: int = TOP) -> Table:
    """The products with the highest sales."""
    return _best("products", edition, limit)


def customers(edition: Edition, limit: int = TOP) -> Table:
    """The customers who bought most; the unknown one, who stands for many, is not one of them."""
    return _best("customers", edition, limit)


def categories(edition: Edition) -> Table:
    """Sales by category."""
    return _sales("categories", edition)


def stores(edition: Edition) -> Table:
    """Sales by store."""
    return _sales("stores", edition)


def sales_channels(edition: Edition) -> Table:
    """Sales by the channel they came through."""
    return _sales("sales_channels", edition)


def segments(edition: Edition) -> Table:
    """Sales by the customers' segment."""
    return _sales("segments", edition)


def countries(edition: Edition) -> Table:
    """Sales by the customers' country."""
    return _sales("countries", edition)


def _sales(name: str, edition: Edition) -> Table:
    """Sales by all members of a dimension, beside those of the periods compared with."""
    spec = BREAKDOWNS[name]
    compared = edition.compared if "compared" in spec.columns else edition.compared[:1]
    beside = " and ".join(f"the {comparison.title.lower()}" for comparison in compared)
    empty = f"Nothing was sold {_this(edition)} or in the periods beside it."
    return _broken_down(
        name, edition, _breakdown(edition, spec.by), f"{spec.caption}, beside {beside}", empty
    )


def _best(name: str, edition: Edition, limit: int) -> Table:
    """The members of a dimension that sold most, of those that sold."""
    spec = BREAKDOWNS[name]
    frame = _breakdown(edition, spec.by)
    sold = (frame["sales"] != 0) | (frame["units"] != 0)
    if spec.by == "customer":
        sold &= frame["key"] != 0
    caption = spec.caption.format(limit=limit, word=_word(edition))
    empty = f"Nothing was sold {_this(edition)}."
    if spec.by == "customer":
        empty = f"No known customer bought {_this(edition)}."
    return _broken_down(name, edition, frame[sold].head(limit), caption, empty)


def _broken_down(name: str, edition: Edition, frame: pd.DataFrame, caption: str, empty: str) -> Table:
    spec = BREAKDOWNS[name]
    return Table(
        name,
        spec.title,
        caption,
        frame,
        [
            Column("name", spec.head),
            *([Column("second", spec.second)] if spec.second else []),
            *(column for word in spec.columns.split() for column in _columns(word, edition)),
        ],
        totals=spec.totals,
        empty=empty,
        chart=Chart("name", bars=("sales",)),
    )


def _columns(word: str, edition: Edition) -> list[Column]:
    """The columns of a word: one measure, or the sales of the main period beside (`main`) or of all that
    tables have room for (`compared`), each with the change."""
    known = {
        "transactions": Column("transactions", "Transactions", Kind.COUNT, summed=True),
        "customers": Column("customers", "Customers", Kind.COUNT),
        "units": Column("units", "Units", Kind.COUNT, summed=True),
        "sales": Column("sales", "Sales", Kind.MONEY, summed=True),
        "profit": Column("profit", "Profit", Kind.MONEY, summed=True),
        "margin": Column("margin", "Margin", Kind.SHARE, quotient=("profit", "sales")),
        "share": Column("share", "Of all sales", Kind.SHARE, summed=True),
        "average_value": Column(
            "average_value", "Average value", Kind.MONEY, quotient=("sales", "transactions")
        ),
        "per_customer": Column("per_customer", "Per customer", Kind.MONEY, quotient=("sales", "customers")),
    }
    if word in known:
        return [known[word]]
    return [
        column
        for comparison in (edition.compared if word == "compared" else edition.compared[:1])
        for column in (
            Column(comparison.name, comparison.title, Kind.MONEY, summed=True),
            Column(f"on_{comparison.name}", "Change", Kind.CHANGE, quotient=("sales", comparison.name)),
        )
    ]


def _breakdown(edition: Edition, by: str) -> pd.DataFrame:
    beside = [(comparison.name, comparison.period) for comparison in edition.compared]
    return figures.breakdown(by, edition.period, beside, edition.only)


def movers(edition: Edition, limit: int = 5) -> Table:
    """The products whose sales rose and fell most."""
    main = edition.main
    frame = _breakdown(edition, "product")
    frame = frame.assign(difference=(frame["sales"] - frame[main.name]).round(2))
    frame = frame[frame["difference"] != 0].sort_values(["difference", "key"], ascending=[False, True])
    if len(frame) > 2 * limit:
        frame = pd.concat([frame.head(limit), frame.tail(limit)])
    return Table(
        "movers",
        "What rose and what fell",
        f"The products whose sales rose and fell most against the {main.title.lower()}",
        frame,
        [
            Column("name", "Product"),
            Column("second", "Category"),
            Column("sales", "Sales", Kind.MONEY, summed=True),
            Column(main.name, main.title, Kind.MONEY, summed=True),
            Column("difference", "Difference", Kind.MONEY, summed=True),
            Column("change", "Change", Kind.CHANGE, quotient=("sales", main.name)),
        ],
        totals="These products",
        empty="No product's sales rose or fell.",
    )


def running_out(edition: Edition, limit: int = 15) -> Table:
    """The products in stock that run out first at the pace of the last four weeks."""
    frame = figures.stock(edition.period.last, edition.ending(28), edition.only)
    return Table(
        "running_out",
        "Stock that runs out first",
        f"The {limit} products that run out first, at the pace of the 28 days up to "
        f"{notation.short_day(edition.period.last)}",
        frame[frame["days_left"].notna()].head(limit),
        STOCK_COLUMNS,
        empty="No stock count is known of a product that sells.",
    )


def not_selling(edition: Edition, limit: int = 15) -> Table:
    """The products in stock that nobody bought in the last four weeks."""
    frame = figures.stock(edition.period.last, edition.ending(28), edition.only)
    return Table(
        "not_selling",
        "Stock that does not sell",
        f"The largest stocks of products that nobody bought in the 28 days up to "
        f"{notation.short_day(edition.period.last)}",
        frame[frame["days_left"].isna() & (frame["stock"] > 0)].head(limit),
        STOCK_COLUMNS[:3],
        empty="Each product in stock was bought in these weeks.",
    )


STOCK_COLUMNS = [
    Column("product", "Product"),
    Column("category", "Category"),
    Column("stock", "In stock", Kind.COUNT),
    Column("units", "Sold in 28 days", Kind.COUNT),
    Column("days_left", "Days left", Kind.DECIMAL),
]


def lines(edition: Edition) -> Table:
    """Every sale line of the period, with the file and line it came from."""
    return Table(
        "lines",
        "Sale lines",
        "Every sale line of the period, with the file and line that it came from",
        figures.lines(edition.period, edition.only),
        [
            Column("sold_at", "Sold (UTC)", Kind.MOMENT),
            Column("transaction", "Transaction"),
            Column("product", "Product"),
            Column("category", "Category"),
            Column("store", "Store"),
            Column("channel", "Channel"),
            Column("customer", "Customer"),
            Column("quantity", "Units", Kind.COUNT, summed=True),
            Column("unit_price", "Unit price", Kind.MONEY),
            Column("amount", "Amount", Kind.MONEY, summed=True),
            Column("source", "Source"),
            Column("file", "File"),
            Column("line", "Line", Kind.NUMBER),
        ],
        totals="All lines",
        empty="Nothing was sold in this period.",
    )


# ------------------------------------------------------------------------------------ contacts with customers


def channels(edition: Edition) -> Table:
    """Interactions by channel."""
    return _contacts(edition, "channel", "channels", "Contacts with customers", "Channel", "All channels")


def contact_types(edition: Edition) -> Table:
    """Interactions by what they were about."""
    return _contacts(edition, "interaction_type", "contact_types", "Contacts by type", "Type", "All types")


def contact_states(edition: Edition) -> Table:
    """Interactions by what came of them."""
    return _contacts(edition, "status", "contact_states", "Contacts by status", "Status", "All states")


def _contacts(edition: Edition, by: str, name: str, title: str, head: str, totals: str) -> Table:
    main = edition.main
    apart = [name for name, _ in edition.only.given() if name in ("store", "category")]
    caption = f"Interactions by {head.lower()}, beside the {main.title.lower()}"
    if apart:
        caption += f" (of every {' and '.join(apart)}: contacts are not kept by {' or '.join(apart)})"
    return Table(
        name,
        title,
        caption,
        figures.contacts(by, edition.period, main.period, edition.only),
        [
            Column("name", head),
            Column("interactions", "Interactions", Kind.COUNT, summed=True),
            Column("customers", "Customers", Kind.COUNT),
            Column("average_duration", "Mean duration", Kind.DURATION),
            Column("before", main.title, Kind.COUNT, summed=True),
            Column("change", "Change", Kind.CHANGE, quotient=("interactions", "before")),
        ],
        totals=totals,
        empty=f"No interaction was recorded {_this(edition)} or in the period beside it.",
        chart=Chart("name", bars=("interactions",)),
    )


# -------------------------------------------------------------------------------------- the data behind them


def restated(edition: Edition) -> Table:
    """The days whose sales are not what the last edition said."""
    return Table(
        "restated",
        "What changed since",
        "Days whose sales are no longer what the last edition said",
        restatement.restated(edition).frame,
        [
            Column("metric_date", "Day", Kind.DAY),
            Column("before", "Last edition", Kind.MONEY, summed=True),
            Column("now", "Now", Kind.MONEY, summed=True),
            Column("difference", "Difference", Kind.MONEY, summed=True),
        ],
        totals="These days",
        empty="No day has changed.",
    )


def loads(_edition: Edition) -> Table:
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


def feeds(edition: Edition) -> Table:
    """What arrived in the period, by feed."""
    return Table(
        "feeds",
        "What arrived",
        f"What arrived in {notation.period(edition.asked)}, by source and feed",
        figures.feeds(edition.period),
        [
            Column("source", "Source"),
            Column("feed", "Feed"),
            Column("deliveries", "Deliveries", Kind.COUNT, summed=True),
            Column("failed", "Failed", Kind.COUNT, summed=True),
            Column("rows_read", "Read", Kind.COUNT, summed=True),
            Column("rows_accepted", "Accepted", Kind.COUNT, summed=True),
            Column("rows_rejected", "Rejected", Kind.COUNT, summed=True),
            Column("rejected_share", "Rejected", Kind.SHARE, quotient=("rows_rejected", "rows_read")),
            Column("rows_new", "New", Kind.COUNT, summed=True),
            Column("amount", "Amount", Kind.MONEY, summed=True),
        ],
        totals="All feeds",
        empty="Nothing arrived in this period.",
    )


def failures(edition: Edition) -> Table:
    """The loads of the period that failed."""
    return Table(
        "failures",
        "Loads that failed",
        "Loads that failed; their files are read again by the next run",
        figures.failures(edition.period),
        [
            Column("source", "Source"),
            Column("feed", "Feed"),
            Column("delivery", "Delivery"),
            Column("finished_at", "When (UTC)", Kind.MOMENT),
            Column("error", "Error"),
        ],
        empty="No load failed.",
    )


def rejections(_edition: Edition, limit: int | None = None) -> Table:
    """The rejected rows that wait for a decision, by source and rule; those beyond a limit as one."""
    frame = figures.rejections()
    if limit and len(frame) > limit + 1:
        others = {
            "source": "…",
            "rule": f"{len(frame) - limit} other rules",
            "rows": frame["rows"][limit:].sum(),
        }
        frame = pd.concat([frame.head(limit), pd.DataFrame([others])], ignore_index=True)
    return Table(
        "rejections",
        "Rejected rows",
        "Rejected rows that wait for a decision, by source and rule",
        frame,
        [
            Column("source", "Source"),
            Column("rule", "Rule that the rows broke"),
            Column("rows", "Rows", Kind.COUNT, summed=True),
        ],
        totals="All sources",
        empty="No rejected row waits for a decision.",
    )


def rejected_rows(_edition: Edition, limit: int = 1000) -> Table:
    """The newest rejected rows, with file, line and reason."""
    return Table(
        "rejected_rows",
        "The newest rejected rows",
        f"The newest rejected rows that wait for a decision (at most {notation.count(limit)})",
        figures.rejected_rows(limit),
        [
            Column("source", "Source"),
            Column("feed", "Feed"),
            Column("file", "File"),
            Column("line", "Line", Kind.NUMBER),
            Column("rule", "Rule"),
            Column("reason", "Reason"),
        ],
        empty="No rejected row waits for a decision.",
    )


def reconciliation(_edition: Edition) -> Table:
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


def deliveries(edition: Edition) -> Table:
    """What was sent in the period."""
    counts = ("sent", "waiting", "held", "failed", "unknown", "cancelled")
    return Table(
        "deliveries",
        "Deliveries",
        f"Reports and alerts that were to be sent in {notation.period(edition.asked)}, by recipients",
        figures.deliveries(edition.period),
        [
            Column("edition", "Edition"),
            Column("queued_at", "Last queued (UTC)", Kind.MOMENT),
            *(Column(name, name.capitalize(), Kind.COUNT, summed=True) for name in counts),
        ],
        totals="All editions",
        empty="Nothing was to be sent in this period.",
    )


def undelivered(_edition: Edition) -> Table:
    """Recipients who were not reached."""
    return Table(
        "undelivered",
        "Recipients not reached",
        "Recipients who were not reached, or of whom that is not known",
        figures.undelivered(),
        [
            Column("edition", "Edition"),
            Column("recipient", "Recipient"),
            Column("state", "State"),
            Column("attempts", "Attempts", Kind.COUNT),
            Column("error", "Why"),
        ],
        empty="Everybody was reached.",
    )


def checks(_edition: Edition) -> Table:
    """The tests of all models, by model."""
    found = figures.checks([])
    rows: list[dict[str, Any]] = []
    for model, group in found.groupby("model", sort=True):
        counts = group["status"].value_counts()
        bad = int(counts.get("fail", 0) + counts.get("error", 0))
        rows.append(
            {
                "model": model,
                "tests": len(group),
                "passed": int(counts.get("pass", 0)),
                "warned": int(counts.get("warn", 0)),
                "failed": bad,
                "checked_at": group["checked_at"].max(),
            }
        )
    columns = [
        Column("model", "Model"),
        Column("tests", "Tests", Kind.COUNT),
        Column("passed", "Passed", Kind.COUNT),
        Column("warned", "Warned", Kind.COUNT),
        Column("failed", "Failed", Kind.COUNT),
        Column("checked_at", "Last run (UTC)", Kind.MOMENT),
    ]
    return Table(
        "checks",
        "Tests of the models",
        "The newest result of each test, by the model that it looks at (a test may look at several)",
        pd.DataFrame(rows, columns=[column.name for column in columns]),
        columns,
        empty="No test has run yet: `analytics build` builds and tests the models.",
    )


def failed_checks(_edition: Edition) -> Table:
    """The tests that did not pass."""
    found = figures.checks([])
    return Table(
        "failed_checks",
        "Tests that did not pass",
        "Tests that did not pass when they last ran",
        found[found["status"] != "pass"],
        [
            Column("model", "Model"),
            Column("test", "Test"),
            Column("status", "Result"),
            Column("failures", "Rows", Kind.COUNT),
            Column("message", "What it says"),
        ],
        empty="Each test passed when it last ran.",
    )


def inferred(_edition: Edition) -> Table:
    """Members that no source has described yet."""
    return Table(
        "inferred",
        "Members without a description",
        "Members that sales and contacts name but no source has described yet",
        figures.inferred(),
        [
            Column("dimension", "Dimension"),
            Column("inferred", "Not described", Kind.COUNT, summed=True),
            Column("members", "Members", Kind.COUNT, summed=True),
            Column("share", "Share", Kind.SHARE, quotient=("inferred", "members")),
        ],
        totals="All dimensions",
    )


SECTIONS: dict[str, Callable[[Edition], Table]] = {
    "summary": headline,
    "daily": daily,
    "days": days_of_period,
    "weeks": weeks,
    "months": months,
    "products": products,
    "movers": movers,
    "categories": categories,
    "stores": stores,
    "sales_channels": sales_channels,
    "segments": segments,
    "countries": countries,
    "customers": customers,
    "running_out": running_out,
    "not_selling": not_selling,
    "channels": channels,
    "contact_types": contact_types,
    "contact_states": contact_states,
    "lines": lines,
    "restated": restated,
    "feeds": feeds,
    "failures": failures,
    "loads": loads,
    "rejections": rejections,
    "most_rejections": lambda edition: rejections(edition, 8),
    "newest_rejections": lambda edition: rejected_rows(edition, 12),
    "rejected_rows": rejected_rows,
    "reconciliation": reconciliation,
    "deliveries": deliveries,
    "undelivered": undelivered,
    "checks": checks,
    "failed_checks": failed_checks,
    "inferred": inferred,
}

# Tables of the best show more of them in a workbook, where there is room.
LONGER: dict[str, Callable[[Edition], Table]] = {
    "products": lambda edition: products(edition, LONG),
    "movers": lambda edition: movers(edition, LONG // 2),
    "customers": lambda edition: customers(edition, LONG),
    "running_out": lambda edition: running_out(edition, LONG),
    "not_selling": lambda edition: not_selling(edition, LONG),
}


# Tables of all data. Who gets a part of the business does not get them.
OF_ALL = ("feeds", "failures", "loads", "rejections", "most_rejections", "newest_rejections", "rejected_rows",
          "reconciliation")  # fmt: skip
NOT_OF_A_PART = "What concerns all data, such as loads and reconciliation, stands in the report of all."


def allowed(names: Sequence[str], edition: Edition) -> list[str]:
    """Those of some tables that an edition may show."""
    return [name for name in names if not (edition.only.given() and name in OF_ALL)]


def workbook(edition: Edition) -> list[Table]:
    """The tables of an edition's workbook, a sheet each, as its exposure names them.

    Raises:
        ReportError: there is no table of a name; the message lists those there are.
    """
    if unknown := [name for name in edition.report.workbook if name not in SECTIONS]:
        raise ReportError(
            f"the exposure {edition.report.name} names the tables {', '.join(unknown)}, which are not; "
            f"there are: {', '.join(SECTIONS)}"
        )
    shown = allowed(edition.report.workbook, edition)
    return [LONGER.get(name, SECTIONS[name])(edition) for name in shown]
