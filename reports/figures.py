"""The figures of the reports: one function for each section, which PDF, HTML, workbook and dashboard share.

Each returns a frame with values, not texts: amounts in the theme's currency, durations in seconds, shares as
fractions. Sums and ratios over rows are made by the database. How they are written belongs to `notation.py`.
"""

from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd

from reports.data import FIRST_STEPS, query
from reports.errors import DataError, ReportUsageError

WINDOW_DAYS = 28
AVERAGE_DAYS = 7
UNKNOWN = "Unknown"


class Coverage(NamedTuple):
    """The first and last day that the metrics cover."""

    first: date
    last: date


class Measure(NamedTuple):
    """A headline figure: its column in metrics_daily, its name for people, whether it is money."""

    column: str
    label: str
    is_money: bool


MEASURES = (
    Measure("total_sales", "Sales", True),
    Measure("total_transactions", "Transactions", False),
    Measure("avg_transaction_value", "Average value", True),
    Measure("total_customers", "Customers", False),
    Measure("new_customers", "New customers", False),
)


def coverage() -> Coverage:
    """The days that the metrics cover.

    Raises:
        DataError: there is no metric yet.
    """
    frame = query("select min(metric_date) as first, max(metric_date) as last from metrics.metrics_daily")
    if frame["last"].isna().iloc[0]:
        raise DataError(f"there is no metric yet: {FIRST_STEPS}")
    return Coverage(frame["first"].iloc[0].date(), frame["last"].iloc[0].date())


def reporting_day(given: str) -> date:
    """The day of a report: the given one (YYYY-MM-DD), or the newest that has metrics.

    Raises:
        ReportUsageError: the text is not a date.
    """
    if not given:
        return coverage().last
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise ReportUsageError(f"{given!r} is not a date: write it as YYYY-MM-DD") from None


def headline(day: date) -> pd.DataFrame:
    """One row for each measure: label, is_money, and its value on the day, the day before and a week before
    (missing where the metrics have no such day)."""
    frame = query(
        "select * from metrics.metrics_daily where metric_date in (%(day)s, %(yesterday)s, %(last_week)s)",
        day=day,
        yesterday=day - timedelta(days=1),
        last_week=day - timedelta(days=7),
    )
    by_day = frame.set_index("metric_date")

    def value(measure: Measure, when: date) -> float | None:
        found = by_day[measure.column].get(pd.Timestamp(when))
        return None if pd.isna(found) else float(found)

    return pd.DataFrame(
        {
            "label": [measure.label for measure in MEASURES],
            "is_money": [measure.is_money for measure in MEASURES],
            "value": [value(measure, day) for measure in MEASURES],
            "previous_day": [value(measure, day - timedelta(days=1)) for measure in MEASURES],
            "last_week": [value(measure, day - timedelta(days=7)) for measure in MEASURES],
        }
    ).astype({"value": "float64", "previous_day": "float64", "last_week": "float64"})


def daily(day: date, days: int = WINDOW_DAYS) -> pd.DataFrame:
    """The days up to and with the given one, oldest first: the columns of metrics_daily and `moving_average`,
    the mean sales of the seven days that end there (missing for the first six days of all)."""
    return query(
        """
        with averaged as (
            select
                metric_date,
                total_sales,
                total_transactions,
                avg_transaction_value,
                total_customers,
                new_customers,
                case
                    when count(*) over last_days = %(average_days)s
                        then round(avg(total_sales) over last_days, 2)
                end as moving_average
            from metrics.metrics_daily
            where metric_date > %(first)s and metric_date <= %(day)s
            window last_days as (
                order by metric_date
                rows between %(average_days)s - 1 preceding and current row
            )
        )

        select * from averaged where metric_date > %(shown)s order by metric_date
        """,
        day=day,
        first=day - timedelta(days=days + AVERAGE_DAYS - 1),
        shown=day - timedelta(days=days),
        average_days=AVERAGE_DAYS,
    )


def top_products(day: date, limit: int = 10) -> pd.DataFrame:
    """The products with the highest revenue of the day: product, category, units, revenue, profit (missing
    where a cost is unknown) and share of the day's sales."""
    return query(
        """
        select
            coalesce(product_name, product_code, %(unknown)s) as product,
            category,
            units_sold as units,
            revenue,
            profit,
            revenue / nullif(total_sales, 0) as share
        from metrics.metrics_products
        join metrics.metrics_daily using (metric_date)
        join marts.dim_products using (product_id)
        where metric_date = %(day)s
        order by revenue desc, product_id
        limit %(limit)s
        """,
        day=day,
        limit=limit,
        unknown=UNKNOWN,
    )


def stores(day: date) -> pd.DataFrame:
    """Sales by store, best first: store, sales, last_week (sales of the same weekday), transactions, units,
    average_value of a transaction. A store that sold on neither day is left out."""
    return query(
        """
        select
            coalesce(store_name, store_code, %(unknown)s) as store,
            coalesce(sum(total_amount) filter (where sale_date = %(day)s), 0) as sales,
            coalesce(sum(total_amount) filter (where sale_date = %(last_week)s), 0) as last_week,
            count(distinct (source_name, transaction_code))
                filter (where sale_date = %(day)s) as transactions,
            coalesce(sum(quantity) filter (where sale_date = %(day)s), 0)::bigint as units,
            sum(total_amount) filter (where sale_date = %(day)s)
            / nullif(count(distinct (source_name, transaction_code)) filter (where sale_date = %(day)s), 0)
                as average_value
        from marts.fact_sales
        join marts.dim_stores using (store_id)
        where sale_date in (%(day)s, %(last_week)s)
        group by store_id, store_name, store_code
        order by sales desc, store_id
        """,
        day=day,
        last_week=day - timedelta(days=7),
        unknown=UNKNOWN,
    )


def channels(day: date) -> pd.DataFrame:
    """Interactions by channel, busiest first: channel, interactions, last_week (those of the same weekday),
    customers reached, and average_duration in seconds."""
    return query(
        """
        select
            coalesce(channel_name, channel_code, %(unknown)s) as channel,
            count(*) filter (where interaction_date >= %(day)s) as interactions,
            count(*) filter (where interaction_date < %(day)s) as last_week,
            count(distinct customer_id)
                filter (where interaction_date >= %(day)s and customer_id <> 0) as customers,
            avg(duration) filter (where interaction_date >= %(day)s) as average_duration
        from marts.fact_interactions
        join marts.dim_channels using (channel_id)
        where
            (interaction_date >= %(day)s and interaction_date < %(next_day)s)
            or (interaction_date >= %(last_week)s and interaction_date < %(after_last_week)s)
        group by channel_id, channel_name, channel_code
        order by interactions desc, channel_id
        """,
        day=day,
        next_day=day + timedelta(days=1),
        last_week=day - timedelta(days=7),
        after_last_week=day - timedelta(days=6),
        unknown=UNKNOWN,
    )


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


def holdings() -> pd.Series:
    """What the warehouse holds in all: sale_lines, sales, customers (those with a sale, the unknown not)."""
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
