"""The figures of the reports: one function for each section, which PDF, HTML, workbook and dashboard share.

Each returns a frame with values, not texts: amounts in the theme's currency, durations in seconds, shares as
fractions. Sums and ratios over rows are made by the database. How they are written belongs to `notation.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from reports.data import FIRST_STEPS, exists, query, stream
from reports.errors import DataError, ReportUsageError
from reports.period import Period, parse_day

WINDOW_DAYS = 28
AVERAGE_DAYS = 7
UNKNOWN = "Unknown"
LISTED = 20  # names in an error that lists what there is


class Coverage(NamedTuple):
    """The first and last day that the metrics cover."""

    first: date
    last: date


class Measure(NamedTuple):
    """A headline figure: its column in `days`, its name for people, whether it is money."""

    column: str
    label: str
    is_money: bool


MEASURES = (
    Measure("total_sales", "Sales", True),
    Measure("total_transactions", "Transactions", False),
    Measure("avg_transaction_value", "Average value", True),
    Measure("total_customers", "Customers", False),
    Measure("new_customers", "New customers", False),
    Measure("units_sold", "Units sold", False),
    Measure("profit", "Profit", True),
)


@dataclass(frozen=True)
class Filters:
    """The part of the business that figures are of: names or codes, several of a kind on a line each; empty
    for all."""

    store: str = ""
    category: str = ""
    channel: str = ""
    segment: str = ""

    @property
    def values(self) -> dict[str, list[str]]:
        """The values of each, as `CONDITIONS` take them."""
        return {name: text.split(BETWEEN) if text else [] for name, text in asdict(self).items()}

    def given(self) -> list[tuple[str, str]]:
        """Those that are set, as (name, values) for people."""
        return [(name, ", ".join(values)) for name, values in self.values.items() if values]

    def parameters(self) -> dict[str, str]:
        """Those that are set, as parameters of a report."""
        return {name: text for name, text in asdict(self).items() if text}


BETWEEN = "\n"  # values of a filter
EVERYTHING = Filters()
# What can be filtered by: the table of its members, their key, and the columns of their name and code.
MEMBERS = {
    "store": ("marts.dim_stores", "store_id", ("store_name", "store_code")),
    "category": ("marts.dim_products", "product_id", ("category",)),
    "channel": ("marts.dim_channels", "channel_id", ("channel_name", "channel_code")),
    "segment": ("marts.dim_customers", "customer_id", ("segment",)),
}


def members(name: str, column: str) -> str:
    """A select for a column of the members that a filter leaves. What is a member's code stands for that one
    alone, whoever bears it as a name."""
    table, _, (known_as, *code) = MEMBERS[name]
    condition = f"{known_as} = any(%({name})s)"
    if code:
        codes = f"select {code[0]} from {table} where {code[0]} = any(%({name})s)"
        condition = f"{code[0]} = any(%({name})s) or ({condition} and {known_as} not in ({codes}))"
    return f"select {column} from {table} where {condition}"


# Which rows of facts, called `sales`, a filter leaves.
CONDITIONS = {name: f" and sales.{key} in ({members(name, key)})" for name, (_, key, _) in MEMBERS.items()}


# ------------------------------------------------------------------------------------------ days and periods


def coverage() -> Coverage:
    """The days that the metrics cover.

    Raises:
        DataError: there is no metric yet.
    """
    return _coverage("select min(metric_date) as first, max(metric_date) as last from metrics.metrics_daily")


def days_covered() -> list[str]:
    """The days that have metrics, oldest first, as 2025-06-30; none before the first build."""
    if not exists("metrics.metrics_daily"):
        return []
    found = query("select metric_date from metrics.metrics_daily order by metric_date")["metric_date"]
    return [str(day) for day in found.dt.strftime("%Y-%m-%d")]


def load_coverage() -> Coverage:
    """The days on which something was loaded.

    Raises:
        DataError: nothing was loaded yet.
    """
    return _coverage("select min(finished_at) as first, max(finished_at) as last from ops.loads")


def _coverage(sql: str) -> Coverage:
    frame = query(sql)
    if frame["last"].isna().iloc[0]:
        raise DataError(f"there is no metric yet: {FIRST_STEPS}")
    return Coverage(frame["first"].iloc[0].date(), frame["last"].iloc[0].date())


def reporting_day(given: str) -> date:
    """The day of a report: the given one (YYYY-MM-DD), or the newest that has metrics.

    Raises:
        ReportUsageError: the text is not a date.
    """
    return parse_day(given) if given else coverage().last


def ending(last: date, days: int) -> Period:
    """That many days, up to the given one."""
    return Period(last - timedelta(days=days - 1), last)


def check_filter(only: Filters) -> None:
    """Make sure that there are stores, categories, channels and segments of these names or codes.

    Raises:
        ReportUsageError: there is none of one; the message lists those there are.
    """
    for name, values in only.values.items():
        if not values:
            continue
        table, _, columns = MEMBERS[name]
        known = query(
            f"select distinct {columns[0]} as name, {columns[-1]} as code from {table} order by 1, 2"
        )
        if unknown := sorted(set(values) - {*known["name"], *known["code"]}):
            names = known["name"].dropna().unique().tolist()
            shown = ", ".join(names[:LISTED]) + (
                f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            )
            raise ReportUsageError(f"there is no {name} {unknown[0]!r}; there are: {shown or 'none'}")


def _source_of_days(only: Filters) -> str:
    """A select of one row a day with the sums of all measures. As the metrics have them; of a part of the
    business they are worked out from the sale lines, in the same way."""
    if not only.given():
        return """
            select
                daily.metric_date, total_sales, total_transactions, total_customers, new_customers,
                coalesce(units_sold, 0) as units_sold, coalesce(profit, 0) as profit
            from metrics.metrics_daily as daily
            left join (
                select metric_date, sum(units_sold) as units_sold, sum(profit) as profit
                from metrics.metrics_products
                where metric_date between %(first)s and %(last)s
                group by metric_date
            ) as products using (metric_date)
            where daily.metric_date between %(first)s and %(last)s
        """
    return f"""
        select
            daily.metric_date,
            coalesce(sum(sales.total_amount), 0) as total_sales,
            count(distinct (sales.source_name, sales.transaction_code))
                filter (where sales.sale_id is not null) as total_transactions,
            count(distinct sales.customer_id) filter (where sales.customer_id <> 0) as total_customers,
            count(distinct sales.customer_id) filter (where sales.is_first_day) as new_customers,
            coalesce(sum(sales.quantity), 0) as units_sold,
            coalesce(sum(sales.profit), 0) as profit
        from metrics.metrics_daily as daily
        left join metrics.metrics_sale_lines as sales on sale_date = daily.metric_date {_and(only)}
        where daily.metric_date between %(first)s and %(last)s
        group by daily.metric_date
    """


def _and(only: Filters) -> str:
    return "".join(CONDITIONS[name] for name, _ in only.given())


def days(period: Period, only: Filters = EVERYTHING) -> pd.DataFrame:
    """The days of a period that metrics cover, oldest first: metric_date, total_sales, total_transactions,
    total_customers, new_customers, units_sold, profit (of the products whose cost is known)."""
    return query(
        f"select * from ({_source_of_days(only)}) as days order by metric_date",
        first=period.first, last=period.last, **only.values,
    )  # fmt: skip


def totals(period: Period, only: Filters = EVERYTHING) -> pd.Series | None:
    """The measures of a period as a whole; None where metrics cover none of its days. Customers are counted
    once, on however many days they bought."""
    row = query(
        f"""
        select
            count(*) as days,
            sum(total_sales) as total_sales,
            sum(total_transactions) as total_transactions,
            sum(total_sales) / nullif(sum(total_transactions), 0) as avg_transaction_value,
            (
                select count(distinct customer_id)
                from marts.fact_sales as sales
                where sale_date between %(first)s and %(last)s and customer_id <> 0 {_and(only)}
            ) as total_customers,
            sum(new_customers) as new_customers,
            sum(units_sold) as units_sold,
            sum(profit) as profit
        from ({_source_of_days(only)}) as days
        """,
        first=period.first, last=period.last, **only.values,
    ).iloc[0]  # fmt: skip
    return row if row["days"] else None


def measures(periods: Sequence[Period], only: Filters = EVERYTHING) -> list[list[float | None]]:
    """The value of each of `MEASURES` in each period."""
    found = [totals(period, only) for period in periods]

    def value(of: pd.Series | None, measure: Measure) -> float | None:
        return None if of is None or pd.isna(of[measure.column]) else float(of[measure.column])

    return [[value(of, measure) for of in found] for measure in MEASURES]


def daily(day: date, days: int = WINDOW_DAYS, only: Filters = EVERYTHING) -> pd.DataFrame:
    """The days up to and with the given one, oldest first: the columns of `days`, avg_transaction_value and
    `moving_average`, the mean sales of the seven days that end there (missing for the first six days of
    all)."""
    return query(
        f"""
        with averaged as (
            select
                metric_date,
                total_sales,
                total_transactions,
                total_sales / nullif(total_transactions, 0) as avg_transaction_value,
                total_customers,
                new_customers,
                case
                    when count(*) over last_days = %(average_days)s
                        then round(avg(total_sales) over last_days, 2)
                end as moving_average
            from ({_source_of_days(only)}) as days
            window last_days as (
                order by metric_date
                rows between %(average_days)s - 1 preceding and current row
            )
        )

        select * from averaged where metric_date >= %(shown)s order by metric_date
        """,
        first=day - timedelta(days=days + AVERAGE_DAYS - 2),
        last=day,
        shown=day - timedelta(days=days - 1),
        average_days=AVERAGE_DAYS,
        **only.values,
    )


def steps(period: Period, step: str, only: Filters = EVERYTHING) -> pd.DataFrame:
    """Sales of a period by `week` or `month`, oldest first: start, total_sales, total_transactions,
    new_customers, days covered, and `year_before`: the sales 52 weeks or twelve months earlier (missing
    where not covered)."""
    earlier = "interval '364 days'" if step == "week" else "interval '1 year'"
    return query(
        f"""
        with steps as (
            select
                date_trunc(%(step)s, metric_date)::date as start,
                sum(total_sales) as total_sales,
                sum(total_transactions) as total_transactions,
                sum(new_customers) as new_customers,
                count(*) as days
            from ({_source_of_days(only)}) as days
            group by 1
        )

        select steps.*, case when before.days >= steps.days then before.total_sales end as year_before
        from steps
        left join steps as before on before.start = (steps.start - {earlier})::date
        where steps.start >= %(shown)s
        order by steps.start
        """,
        first=period.first - timedelta(days=366),
        last=period.last,
        shown=period.first,
        step=step,
        **only.values,
    )


def anomalies(period: Period) -> pd.DataFrame | None:
    """The days of a period whose sales were not as expected: metric_date, value, expected, score, verdict
    (low, high, step up, step down). None where the model is not built."""
    if not exists("metrics.metrics_anomalies"):
        return None
    return query(
        """
        select metric_date, value, expected, score, verdict
        from metrics.metrics_anomalies
        where metric = 'total_sales' and dimension = 'total'
            and metric_date between %(first)s and %(last)s
            and verdict in ('low', 'high', 'step up', 'step down')
        order by metric_date
        """,
        first=period.first,
        last=period.last,
    )


def trends(day: date) -> pd.DataFrame | None:
    """Where sales go as of a day, which must be the newest: window_days, slope by day, direction (up, down,
    flat, too little data). None where the model is not built."""
    if not exists("metrics.metrics_trends"):
        return None
    return query(
        """
        select window_days, slope, direction
        from metrics.metrics_trends
        where metric = 'total_sales' and dimension = 'total' and last_day = %(day)s
        order by window_days
        """,
        day=day,
    )


def drivers(period: Period, comparison: str) -> pd.DataFrame | None:
    """What drove the change of sales of a period beside another (previous, last_week, last_year), by product,
    category, store, channel and segment: dimension, name, change, price, volume, mix. None where the model
    is not built or does not reach back so far."""
    if not exists("metrics.metrics_drivers"):
        return None
    frame = query(
        """
        select
            case when dimension = 'product__category' then 'category' else split_part(dimension, '__', 1)
                end as dimension,
            case when dimension = 'product' then coalesce(product_name, dimension_value)
                else dimension_value end as name,
            revenue_change as change,
            price_effect as price,
            volume_effect as volume,
            mix_effect as mix
        from metrics.metrics_drivers
        left join marts.dim_products as products
            on dimension = 'product' and dimension_value = product_code
        where grain = %(grain)s and comparison = %(comparison)s and period = %(first)s
        order by abs(revenue_change) desc, dimension, dimension_value
        """,
        grain=period.grain.value,
        comparison=comparison,
        first=period.first,
    )
    return frame if len(frame) else None


# --------------------------------------------------------------------------------- sales by what they are of


class Dimension(NamedTuple):
    """What sales are broken down by: the key, the name for people, and a second column (SQL over the
    marts)."""

    key: str
    name: str
    second: str = "null::text"


DIMENSIONS = {
    "product": Dimension(
        "products.product_id", "coalesce(product_name, product_code, %(unknown)s)", "products.category"
    ),
    "category": Dimension(
        "coalesce(products.category, %(unknown)s)", "coalesce(products.category, %(unknown)s)"
    ),
    "store": Dimension("stores.store_id", "coalesce(store_name, store_code, %(unknown)s)"),
    "channel": Dimension("channels.channel_id", "coalesce(channel_name, channel_code, %(unknown)s)"),
    "segment": Dimension(
        "coalesce(customers.segment, %(unknown)s)", "coalesce(customers.segment, %(unknown)s)"
    ),
    "country": Dimension(
        "coalesce(customers.country, %(unknown)s)", "coalesce(customers.country, %(unknown)s)"
    ),
    "customer": Dimension(
        "customers.customer_id",
        "coalesce(nullif(trim(concat_ws(' ', first_name, last_name)), ''), customer_code, %(unknown)s)",
        "customers.segment",
    ),
}
JOINS = {
    "product": "",
    "category": "",
    "store": "join marts.dim_stores as stores using (store_id)",
    "channel": "join marts.dim_channels as channels using (channel_id)",
    "segment": "join marts.dim_customers as customers using (customer_id)",
    "country": "join marts.dim_customers as customers using (customer_id)",
    "customer": "join marts.dim_customers as customers using (customer_id)",
}


def breakdown(
    by: str, period: Period, beside: Sequence[tuple[str, Period]], only: Filters = EVERYTHING
) -> pd.DataFrame:
    """Sales of a period by a dimension of `DIMENSIONS`, highest first: name, second, sales, units, profit
    (missing where no cost is known), transactions, customers, average_value, share (of all these sales), and
    for each period beside it a column of its name with the sales then. What sold in none of them is left
    out."""
    dimension = DIMENSIONS[by]
    windows = {name: (window.first, window.last) for name, window in beside}
    bounds = {
        f"{name}_{end}": day
        for name, window in windows.items()
        for end, day in zip(("first", "last"), window, strict=True)
    }
    earlier = "".join(
        f", coalesce(sum(total_amount) filter (where sale_date between %({name}_first)s and %({name}_last)s),"
        f" 0) as {name}"
        for name in windows
    )
    within = " or ".join(
        ["sale_date between %(first)s and %(last)s"]
        + [f"sale_date between %({name}_first)s and %({name}_last)s" for name in windows]
    )
    this = "filter (where sale_date between %(first)s and %(last)s)"
    return query(
        f"""
        with groups as (
            select
                {dimension.key} as key,
                {dimension.name} as name,
                {dimension.second} as second,
                coalesce(sum(total_amount) {this}, 0) as sales,
                coalesce(sum(quantity) {this}, 0)::bigint as units,
                sum(profit) {this} as profit,
                count(distinct (sale_date, source_name, transaction_code)) {this} as transactions,
                count(distinct customer_id) filter (
                    where sale_date between %(first)s and %(last)s and customer_id <> 0
                ) as customers
                {earlier}
            from metrics.metrics_sale_lines as sales
            join marts.dim_products as products using (product_id)
            {JOINS[by]}
            where ({within}) {_and(only)}
            group by 1, 2, 3
        )

        select
            *,
            sales / nullif(transactions, 0) as average_value,
            sales / nullif(sum(sales) over (), 0) as share
        from groups
        order by sales desc, key
        """,
        first=period.first, last=period.last, unknown=UNKNOWN, **bounds, **only.values,
    )  # fmt: skip


def new_and_known(period: Period, only: Filters = EVERYTHING) -> pd.DataFrame:
    """Customers who bought in each week of a period, oldest first: start, new (their first week of all),
    known."""
    return query(
        f"""
        with buyers as (
            select distinct date_trunc('week', sale_date)::date as start, customer_id
            from marts.fact_sales as sales
            where sale_date between %(first)s and %(last)s and customer_id <> 0 {_and(only)}
        ),

        first_sales as (
            select customer_id, min(sale_date) as first_date
            from marts.fact_sales
            where customer_id in (select customer_id from buyers)
            group by customer_id
        )

        select
            start,
            count(*) filter (where first_date >= start) as new,
            count(*) filter (where first_date < start) as known
        from buyers
        join first_sales using (customer_id)
        group by start
        order by start
        """,
        first=period.first, last=period.last, **only.values,
    )  # fmt: skip


def stock(day: date, sold: Period, only: Filters = EVERYTHING) -> pd.DataFrame:
    """The products in stock on a day: product, category, stock, units sold in a period before it, days_left
    at that pace (missing where none sold); those that run out first come first."""
    return query(
        f"""
        with counted as (
            select
                product_id,
                max(metric_date) as metric_date
            from metrics.metrics_products
            where metric_date <= %(day)s and stock_level is not null
            group by product_id
        ),

        sold as (
            select product_id, sum(quantity) as units
            from marts.fact_sales as sales
            where sale_date between %(first)s and %(last)s {_and(only)}
            group by product_id
        )

        select
            coalesce(product_name, product_code, %(unknown)s) as product,
            category,
            stock_level as stock,
            coalesce(units, 0)::bigint as units,
            stock_level * %(days)s::numeric / nullif(greatest(units, 0), 0) as days_left
        from counted
        join metrics.metrics_products using (product_id, metric_date)
        join marts.dim_products using (product_id)
        left join sold using (product_id)
        where %(category)s in ('', category)
        order by days_left nulls last, stock_level desc, product_id
        """,
        day=day, first=sold.first, last=sold.last, days=sold.days, unknown=UNKNOWN, **only.values,
    )  # fmt: skip


def lines(period: Period, only: Filters = EVERYTHING) -> Path:
    """Every sale line of a period, as a Parquet file: sold_at, transaction, product, category, store,
    channel, customer, quantity, unit_price, amount, and the source, file and line it came from."""
    return stream(
        f"""
        select
            sold_at,
            transaction_code as transaction,
            coalesce(product_name, product_code, %(unknown)s) as product,
            category,
            coalesce(store_name, store_code, %(unknown)s) as store,
            coalesce(channel_name, channel_code, %(unknown)s) as channel,
            coalesce(customer_code, %(unknown)s) as customer,
            quantity,
            sales.unit_price,
            total_amount as amount,
            source_name as source,
            regexp_replace(source_file, '^.*/', '') as file,
            source_line as line
        from marts.fact_sales as sales
        join marts.dim_products using (product_id)
        join marts.dim_stores using (store_id)
        join marts.dim_channels using (channel_id)
        join marts.dim_customers using (customer_id)
        where sale_date between %(first)s and %(last)s {_and(only)}
        order by sold_at, sale_id
        """,
        first=period.first, last=period.last, unknown=UNKNOWN, **only.values,
    )  # fmt: skip


# ------------------------------------------------------------------------------------ contacts with customers


def contacts(by: str, period: Period, before: Period, only: Filters = EVERYTHING) -> pd.DataFrame:
    """Interactions by `channel`, `interaction_type` or `status`, most first: name, interactions, before
    (those of the earlier period), customers reached, and average_duration in seconds. Of the filters,
    channel and segment
    apply: a contact has no store and no product."""
    name = (
        "coalesce(channel_name, channel_code, %(unknown)s)"
        if by == "channel"
        else f"coalesce({by}, %(unknown)s)"
    )
    conditions = [CONDITIONS[name] for name, _ in only.given() if name in ("channel", "segment")]
    return query(
        f"""
        select
            {name} as name,
            count(*) filter (where {_within("")}) as interactions,
            count(*) filter (where {_within("before_")}) as before,
            count(distinct customer_id) filter (where {_within("")} and customer_id <> 0) as customers,
            avg(duration) filter (where {_within("")}) as average_duration
        from marts.fact_interactions as sales
        join marts.dim_channels using (channel_id)
        where ({_within("")} or {_within("before_")}) {"".join(conditions)}
        group by 1
        order by interactions desc, name
        """,
        first=period.first,
        after=period.last + timedelta(days=1),
        before_first=before.first,
        before_after=before.last + timedelta(days=1),
        unknown=UNKNOWN,
        **only.values,
    )


def _within(prefix: str) -> str:
    return f"(interaction_date >= %({prefix}first)s and interaction_date < %({prefix}after)s)"


# -------------------------------------------------------------------------------------- the data behind them


def loads() -> pd.DataFrame:
    """The newest load of each feed, newest first: source, feed, entity, delivery (its file without folders,
    or its page), state, finished_at, rows_read, rows_accepted, rows_rejected, and open_rejections (of all the
    feed's loads)."""
    return query(
        """
        with newest as (
            select *, row_number() over (partition by source_name, feed_name order by load_id desc) as age
            from ops.loads
        ),

        rejections as (
            select source_name, feed_name, count(*) as open_rejections
            from ops.rejected_rows
            where state = 'open'
            group by source_name, feed_name
        )

        select
            source_name as source,
            feed_name as feed,
            entity,
            regexp_replace(source_file, '^.*/', '') as delivery,
            state,
            finished_at,
            rows_read,
            rows_accepted,
            rows_rejected,
            coalesce(open_rejections, 0) as open_rejections
        from newest
        left join rejections using (source_name, feed_name)
        where age = 1
        order by load_id desc
        """
    )


def feeds(period: Period) -> pd.DataFrame:
    """What arrived in a period by feed: source, feed, deliveries, failed, rows_read, rows_accepted,
    rows_rejected, rows_new, amount, last_finished."""
    return query(
        """
        select
            source_name as source,
            feed_name as feed,
            count(*) filter (where state = 'loaded') as deliveries,
            count(*) filter (where state = 'failed') as failed,
            coalesce(sum(rows_read) filter (where state = 'loaded'), 0)::bigint as rows_read,
            coalesce(sum(rows_accepted) filter (where state = 'loaded'), 0)::bigint as rows_accepted,
            coalesce(sum(rows_rejected) filter (where state = 'loaded'), 0)::bigint as rows_rejected,
            coalesce(sum(rows_new) filter (where state = 'loaded'), 0)::bigint as rows_new,
            sum(amount_accepted) filter (where state = 'loaded') as amount,
            max(finished_at) as last_finished
        from ops.loads
        where finished_at >= %(first)s and finished_at < %(after)s
        group by source_name, feed_name
        order by source_name, feed_name
        """,
        first=period.first,
        after=period.last + timedelta(days=1),
    )


def failures(period: Period, limit: int = 20) -> pd.DataFrame:
    """The loads of a period that failed, newest first: source, feed, delivery, finished_at, error."""
    return query(
        """
        select
            source_name as source, feed_name as feed, regexp_replace(source_file, '^.*/', '') as delivery,
            finished_at, error
        from ops.loads
        where state = 'failed' and finished_at >= %(first)s and finished_at < %(after)s
        order by load_id desc
        limit %(limit)s
        """,
        first=period.first,
        after=period.last + timedelta(days=1),
        limit=limit,
    )


def rejections() -> pd.DataFrame:
    """The open rejected rows by source and rule, most first: source, rule, rows."""
    return query(
        """
        select source_name as source, rule, count(*) as rows
        from ops.rejected_rows
        where state = 'open'
        group by source_name, rule
        order by rows desc, source, rule
        """
    )


def rejected_rows(limit: int) -> pd.DataFrame:
    """The newest open rejected rows: source, feed, file (without folders), line, rule, reason."""
    return query(
        """
        select
            source_name as source, feed_name as feed,
            coalesce(regexp_replace(source_file, '^.*/', ''), '') as file, source_line as line, rule, reason
        from ops.rejected_rows
        where state = 'open'
        order by load_id desc, source_line, rejection_id
        limit %(limit)s
        """,
        limit=limit,
    )


def reconciliation() -> pd.DataFrame:
    """What landed beside what facts and metrics hold, by entity: entity, landed_rows, fact_rows,
    difference_rows, landed_amount, daily_amount, difference_amount (amounts are missing for interactions)."""
    return query(
        """
        select entity, landed_rows, fact_rows, difference_rows, landed_amount, daily_amount, difference_amount
        from ops.reconciliation
        order by entity desc
        """
    )


def deliveries(period: Period) -> pd.DataFrame:
    """What was to be sent in a period, by edition, newest first: edition, queued_at, sent, waiting, held,
    failed, unknown (whether they arrived), cancelled. No row where nothing was ever sent."""
    columns = ["edition", "queued_at", "sent", "waiting", "held", "failed", "unknown", "cancelled"]
    if not exists("ops.deliveries"):
        return pd.DataFrame(columns=columns)
    return query(
        """
        select
            case when report = 'alerts' then 'alerts' else edition end as edition,
            max(queued_at) as queued_at,
            count(*) filter (where state = 'sent') as sent,
            count(*) filter (where state in ('queued', 'sending')) as waiting,
            count(*) filter (where state = 'held') as held,
            count(*) filter (where state = 'failed') as failed,
            count(*) filter (where state = 'unknown') as unknown,
            count(*) filter (where state = 'cancelled') as cancelled
        from ops.deliveries
        where queued_at >= %(first)s and queued_at < %(after)s
        group by 1
        order by queued_at desc, edition
        """,
        first=period.first,
        after=period.last + timedelta(days=1),
    )


def undelivered(limit: int = 50) -> pd.DataFrame:
    """Who was not reached, or maybe not, newest first: edition, recipient, state, attempts, error."""
    if not exists("ops.deliveries"):
        return pd.DataFrame(columns=["edition", "recipient", "state", "attempts", "error"])
    return query(
        """
        select edition, recipient, state, attempts, error
        from ops.deliveries
        where state in ('failed', 'unknown', 'held') or (state = 'queued' and attempts > 0)
        order by position desc
        limit %(limit)s
        """,
        limit=limit,
    )


def checks(models: Sequence[str]) -> pd.DataFrame:
    """The newest result of each test of some models (of all models, where none is named), by model: model,
    test, status (pass, warn, fail, error, skipped), failures, message, checked_at. No row before the first
    build."""
    if not exists("ops.test_results"):
        return pd.DataFrame(columns=["model", "test", "status", "failures", "message", "checked_at"])
    return query(
        """
        select model_name as model, test_name as test, status, failures, message, checked_at
        from ops.test_results
        where %(models)s = '' or model_name = any(string_to_array(%(models)s, ','))
        order by model_name, test_name
        """,
        models=",".join(models),
    )


def inferred() -> pd.DataFrame:
    """Members that facts name but no source has described yet: dimension, inferred, members in all."""
    return query(
        " union all ".join(
            f"select '{name}' as dimension, count(*) filter (where is_inferred) as inferred,"
            f" count(*) as members from marts.dim_{name} where {key} <> 0"
            for name, key in (
                ("products", "product_id"), ("customers", "customer_id"), ("stores", "store_id"),
                ("channels", "channel_id"),
            )
        )
    )  # fmt: skip


def holdings(only: Filters = EVERYTHING) -> pd.Series:
    """What the warehouse holds in all: sale_lines, sales, customers (those with a sale, the unknown not)."""
    if only.given():
        return query(
            f"""
            select
                count(*) as sale_lines,
                count(distinct customer_id) filter (where customer_id <> 0) as customers,
                coalesce(sum(total_amount), 0) as sales
            from marts.fact_sales as sales
            where true {_and(only)}
            """,
            **only.values,
        ).iloc[0]
    return query(
        """
        select
            (select count(*) from marts.fact_sales) as sale_lines,
            coalesce(sum(new_customers), 0) as customers,
            coalesce(sum(total_sales), 0) as sales
        from metrics.metrics_daily
        """
    ).iloc[0]


def freshness() -> pd.Series:
    """When data last arrived: newest_sale and newest_load, as times in UTC, missing where there was none."""
    return query(
        """
        select
            (select max(sold_at) from marts.fact_sales) as newest_sale,
            (select max(finished_at) from ops.loads where state = 'loaded') as newest_load
        """
    ).iloc[0]


def loaded() -> list[int]:
    """The ids of all loads that the warehouse holds, in order."""
    frame = query("select load_id from ops.loads where state = 'loaded' order by load_id")
    return [int(load_id) for load_id in frame["load_id"]]


# ------------------------------------------------------------------------------------------ for the dashboard


def sales_by_category(first: date, last: date) -> pd.DataFrame:
    """Sales of each day and category between two days (both in): metric_date, category, sales."""
    return query(
        """
        select metric_date, coalesce(category, %(unknown)s) as category, sum(revenue) as sales
        from metrics.metrics_products
        join marts.dim_products using (product_id)
        where metric_date between %(first)s and %(last)s
        group by metric_date, coalesce(category, %(unknown)s)
        order by metric_date, category
        """,
        first=first,
        last=last,
        unknown=UNKNOWN,
    )


def interactions_by_channel(first: date, last: date) -> pd.DataFrame:
    """Interactions of each day and channel between two days (both in): day, channel, interactions."""
    return query(
        """
        select
            cast(interaction_date as date) as day,
            coalesce(channel_name, channel_code, %(unknown)s) as channel,
            count(*) as interactions
        from marts.fact_interactions
        join marts.dim_channels using (channel_id)
        where interaction_date >= %(first)s and interaction_date < %(after)s
        group by cast(interaction_date as date), coalesce(channel_name, channel_code, %(unknown)s)
        order by day, channel
        """,
        first=first,
        after=last + timedelta(days=1),
        unknown=UNKNOWN,
    )
