"""The data of the dashboard's page: sales, visits, contacts and loads by day and dimension, as columns of
numbers.

A value of a dimension is its place in the list of names that stands beside the columns. Sales are summed by
day, store, product, channel and segment. A visit is what a customer bought in one transaction: by visits
transactions and customers are counted exactly, whatever is filtered. Customers are numbers that mean nothing
outside the page.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from psycopg2.extensions import connection as Connection

from reports import data, figures, notation
from reports.dashboard.metrics import semantic_metrics
from reports.data import query
from reports.errors import DataError

MOST_LINES = 150_000  # sale lines in a page; of more, products are folded and the oldest days are left out
KEPT_PRODUCTS = 50  # then by name, the others as one of each category
UNKNOWN = figures.UNKNOWN
FIRST_SALES = """first_sales as (
    select customer_id, min(sale_date) as first_date
    from marts.fact_sales
    where customer_id <> 0
    group by customer_id
)"""

Only = Mapping[str, Sequence[str]]


def dashboard_data(connection: Connection, row_filter: Only | None = None) -> dict[str, Any]:
    """The page's data as of one connection, with names of JSON types only; see `page_data`.

    Args:
        connection: of the role reader; what it sees in its transaction is what the page shows.
        row_filter: names or codes that may be seen, by dimension (`store`, `category`, `channel`, `segment`).
    """
    with data.reading(connection):
        return page_data(figures.coverage().last, row_filter)


def page_data(last: date, only: Only | None = None) -> dict[str, Any]:
    """The page's data up to a day, read through `reports.data`.

    With a row filter nothing is in it that adds up rows which may not be seen: no contacts where a store or
    category is asked for, since they belong to none, no counts of whole loads, no metrics of the whole.

    Raises:
        DataError: there is no metric yet, or the filter names an unknown dimension.
    """
    filters = {name: list(values) for name, values in (only or {}).items()}
    if unknown := sorted(set(filters) - set(figures.MEMBERS)):
        raise DataError(f"the dashboard cannot be filtered by {', '.join(unknown)}")
    covered = figures.coverage()
    last = min(max(last, covered.first), covered.last)
    rows = _Rows(covered.first, last, filters)
    fresh = figures.freshness()
    style = notation.current()
    return {
        "load_id": max(figures.loaded(), default=0),
        "built_at": _moment(_built_at(fresh)),
        "newest_sale": _moment(fresh["newest_sale"]),
        "newest_load": _moment(fresh["newest_load"]),
        "first": rows.first.isoformat(),
        "last": last.isoformat(),
        "covered_since": covered.first.isoformat(),
        "folded": rows.folded,
        "customers": rows.customers,
        "style": {
            "currency": style.currency,
            "locale": style.locale.replace("_", "-"),
            "is_before": notation.currency_is_before(),
        },
        "names": rows.names,
        "product_category": rows.product_category,
        "rows": rows.tables,
        "tests": _tests(),
        "quality": {} if filters else _quality(),
        "metrics": {} if filters else semantic_metrics(rows.first, last),
    }


class _Rows:
    """The rows of the page: `tables` of columns, the `names` that their numbers mean."""

    def __init__(self, first: date, last: date, only: dict[str, list[str]]) -> None:
        self.last = last
        self.names: dict[str, list[str]] = {}
        self.only = only
        # Sales have products and customers joined; a contact belongs to no store and to no product.
        self.sales_filter = "".join(figures.CONDITIONS[name] for name in only)
        self.contacts_filter = "".join(figures.CONDITIONS[n] for n in ("channel", "segment") if n in only)
        self.products = query(
            "select product_id, product_name, product_code, category from marts.dim_products"
            " order by product_id"
        )
        lines = query(
            f"""
            select sale_date, count(*) as lines
            from marts.fact_sales as sales
            join marts.dim_products as products using (product_id)
            join marts.dim_customers as customers using (customer_id)
            where sale_date between %(first)s and %(last)s {self.sales_filter}
            group by sale_date
            order by sale_date desc
            """,
            first=first, last=last, **only,
        )  # fmt: skip
        self.folded = int(lines["lines"].sum()) > MOST_LINES
        self.first = _first_day(lines, first, 4 * MOST_LINES) if self.folded else first
        self.kept = self._most_sold() if self.folded else []
        sales, visits = self._sales(), self._visits()
        if self.folded:
            self.first = max(
                _first_day(_lines_of(frame), self.first, MOST_LINES) for frame in (sales, visits)
            )
            sales = sales[sales["day"] >= pd.Timestamp(self.first)]
            visits = visits[visits["day"] >= pd.Timestamp(self.first)]
        contacts, loads = self._contacts(), self._loads()
        self._name_members(sales, visits, contacts)
        self.product_category, self.tables = self._products(sales, visits), {}
        self.tables["sales"] = self._columns(sales, ("amount", "units", "profit"))
        self.tables["visits"] = self._columns(visits, ("transactions" if self.folded else "starts", "is_new"))
        self.customers: int | None = None
        if not self.folded:
            self.tables["visits"]["customer"], self.customers = _numbered(visits["customer_id"])
        self._add_items(visits)
        self.tables["contacts"] = self._columns(contacts, ("interactions", "seconds", "timed"))
        self.tables["loads"] = self._columns(loads, ("read", "rejected"))

    # -------------------------------------------------------------------------------------- what is read

    def _most_sold(self) -> list[int]:
        """The products that keep their names."""
        frame = query(
            f"""
            select product_id
            from marts.fact_sales as sales
            join marts.dim_products as products using (product_id)
            join marts.dim_customers as customers using (customer_id)
            where sale_date between %(first)s and %(last)s {self.sales_filter}
            group by product_id
            order by sum(total_amount) desc, product_id
            limit %(kept)s
            """,
            first=self.first, last=self.last, kept=KEPT_PRODUCTS, **self.only,
        )  # fmt: skip
        return sorted(frame["product_id"].tolist())

    @property
    def _product(self) -> str:
        """SQL of what stands for a product: its id, or a category where products are folded."""
        if not self.folded:
            return "products.product_id::text"
        return (
            "case when products.product_id = any(%(kept)s) then products.product_id::text"
            " else coalesce(category, %(unknown)s) end"
        )

    def _sales(self) -> pd.DataFrame:
        return query(
            f"""
            select
                sale_date as day,
                store_id,
                {self._product} as product,
                channel_id,
                coalesce(segment, %(unknown)s) as segment,
                sum(total_amount) as amount,
                sum(quantity)::bigint as units,
                sum(total_amount - quantity * days.unit_cost) as profit
            from marts.fact_sales as sales
            join marts.dim_products as products using (product_id)
            join marts.dim_customers as customers using (customer_id)
            left join metrics.metrics_products as days
                on days.product_id = sales.product_id and days.metric_date = sales.sale_date
            where sale_date between %(first)s and %(last)s {self.sales_filter}
            group by 1, 2, 3, 4, 5, days.unit_cost is null
            order by 1, 2, 3, 4, 5, 8
            """,
            **self._bounds,
        )  # fmt: skip

    def _visits(self) -> pd.DataFrame:
        """The transactions, in as many parts as they have stores, channels and customers, which nearly always
        is one. `starts` is 1 where a transaction begins."""
        if self.folded:
            return self._counted_visits()
        return query(
            f"""
            with {FIRST_SALES},

            parts as (
                select
                    sale_date as day,
                    source_name,
                    transaction_code,
                    store_id,
                    channel_id,
                    customer_id,
                    coalesce(min(segment), %(unknown)s) as segment,
                    string_agg(distinct {self._product}, '|' order by {self._product}) as items
                from marts.fact_sales as sales
                join marts.dim_products as products using (product_id)
                join marts.dim_customers as customers using (customer_id)
                where sale_date between %(first)s and %(last)s {self.sales_filter}
                group by 1, 2, 3, 4, 5, 6
            )

            select
                day, store_id, channel_id, customer_id, segment, items,
                coalesce(first_date = day, false)::integer as is_new,
                (
                    row_number() over (
                        partition by day, source_name, transaction_code
                        order by store_id, channel_id, customer_id
                    ) = 1
                )::integer as starts
            from parts
            left join first_sales using (customer_id)
            order by day, source_name, transaction_code, store_id, channel_id, customer_id
            """,
            **self._bounds,
        )  # fmt: skip

    def _counted_visits(self) -> pd.DataFrame:
        """Transactions counted by what they may be filtered by, where there are too many to tell one from
        another. One of several stores or customers counts for the first; a new customer counts in his first
        transaction."""
        return query(
            f"""
            with {FIRST_SALES},

            transactions as (
                select
                    sale_date as day,
                    min(store_id) as store_id,
                    min(channel_id) as channel_id,
                    min(customer_id) as customer_id,
                    string_agg(distinct {self._product}, '|' order by {self._product}) as items
                from marts.fact_sales as sales
                join marts.dim_products as products using (product_id)
                join marts.dim_customers as customers using (customer_id)
                where sale_date between %(first)s and %(last)s {self.sales_filter}
                group by sale_date, source_name, transaction_code
            ),

            marked as (
                select
                    transactions.*,
                    coalesce(segment, %(unknown)s) as segment,
                    coalesce(first_date = day, false)
                    and row_number() over (partition by customer_id, day order by store_id, items) = 1
                        as is_new
                from transactions
                join marts.dim_customers using (customer_id)
                left join first_sales using (customer_id)
            )

            select
                day, store_id, channel_id, segment, items,
                count(*) as transactions,
                count(*) filter (where is_new) as is_new
            from marked
            group by 1, 2, 3, 4, 5
            order by 1, 2, 3, 4, 5
            """,
            **self._bounds,
        )  # fmt: skip

    def _contacts(self) -> pd.DataFrame:
        nobody = bool({"store", "category"} & set(self.only))
        return query(
            f"""
            select
                cast(interaction_date as date) as day,
                channel_id,
                coalesce(segment, %(unknown)s) as segment,
                coalesce(interaction_type, %(unknown)s) as type,
                coalesce(status, %(unknown)s) as status,
                count(*) as interactions,
                coalesce(sum(duration), 0)::bigint as seconds,
                count(duration) as timed
            from marts.fact_interactions as sales
            join marts.dim_customers as customers using (customer_id)
            where interaction_date >= %(first)s and interaction_date < %(after)s and not %(nobody)s
                {self.contacts_filter}
            group by 1, 2, 3, 4, 5
            order by 1, 2, 3, 4, 5
            """,
            nobody=nobody, after=self.last + timedelta(days=1), **self._bounds,
        )  # fmt: skip

    def _loads(self) -> pd.DataFrame:
        """Rows read and rejected by the day on which they were loaded, which may be after the last sale."""
        return query(
            """
            select
                cast(finished_at as date) as day,
                source_name as source,
                sum(rows_read)::bigint as read,
                sum(rows_rejected)::bigint as rejected
            from ops.loads
            where state = 'loaded' and finished_at >= %(first)s and not %(nobody)s
            group by 1, 2
            order by 1, 2
            """,
            first=self.first, nobody=bool(self.only),
        )  # fmt: skip

    @property
    def _bounds(self) -> dict[str, Any]:
        return {"first": self.first, "last": self.last, "unknown": UNKNOWN, "kept": self.kept, **self.only}

    # ----------------------------------------------------------------------------- from names to numbers

    def _name_members(self, *frames: pd.DataFrame) -> None:
        """Give stores, channels and what else the rows name the numbers of their names' places."""
        for name, key in (("store", "store_id"), ("channel", "channel_id")):
            members = query(
                f"select {name}_id as id, coalesce({name}_name, {name}_code, %(unknown)s) as name"
                f" from marts.dim_{name}s",
                unknown=UNKNOWN,
            )
            told = dict(zip(members["id"], members["name"], strict=True))
            for frame in frames:
                if key in frame:
                    frame[name] = frame.pop(key).map(told)

    def _products(self, sales: pd.DataFrame, visits: pd.DataFrame) -> list[int]:
        """Name the products that the rows have; the category of each."""
        present = set(sales["product"].tolist())
        present |= {item for items in visits["items"].tolist() for item in items.split("|")}
        names = self.products["product_name"].where(
            self.products["product_name"].notna(), self.products["product_code"]
        ).fillna(UNKNOWN)  # fmt: skip
        twins = names.duplicated(keep=False)
        names = names.where(~twins, names + " (" + self.products["product_code"].fillna("") + ")")
        categories = self.products["category"].fillna(UNKNOWN)
        told = {
            str(key): (name, category)
            for key, name, category in zip(self.products["product_id"], names, categories, strict=True)
            if str(key) in present
        }
        told |= {key: (f"Other {key}", key) for key in present if key not in told}
        members = sorted(told.items(), key=lambda member: (member[1][0].lower(), member[0]))
        self.product_codes = {key: code for code, (key, _) in enumerate(members)}
        self.names["product"] = [name for _, (name, _) in members]
        self.names["category"] = sorted({category for _, (_, category) in members})
        sales["product"] = sales["product"].map(self.product_codes)
        return [self.names["category"].index(category) for _, (_, category) in members]

    def _columns(self, frame: pd.DataFrame, measures: Sequence[str]) -> dict[str, list[Any]]:
        """The columns of a table: days since the first, numbers of names, amounts in cents."""
        columns: dict[str, list[Any]] = {
            "day": (frame["day"] - pd.Timestamp(self.first)).dt.days.astype(int).tolist()
        }
        for name in ("store", "channel", "segment", "type", "status", "source"):
            if name in frame:
                columns[name] = self._numbers(name, frame[name])
        if "product" in frame:
            columns["product"] = frame["product"].tolist()
        for name in measures:
            values = frame[name]
            if name in ("amount", "profit"):
                values = (values * 100).round()
            columns[name] = [None if missing else int(value) for value, missing in
                             zip(values.tolist(), values.isna(), strict=True)]  # fmt: skip
        return columns

    def _numbers(self, name: str, column: pd.Series) -> list[int]:
        """The places of values in the names of a dimension, which several tables share."""
        names, values = self.names.setdefault(name, []), column.tolist()
        names += sorted(set(values) - set(names))
        places = {value: place for place, value in enumerate(names)}
        return [places[value] for value in values]

    def _add_items(self, visits: pd.DataFrame) -> None:
        """The products of each visit, one after the other, and how many each has."""
        items = [items.split("|") for items in visits["items"].tolist()]
        self.tables["visits"]["items"] = [self.product_codes[item] for each in items for item in each]
        self.tables["visits"]["length"] = [len(each) for each in items]


def _first_day(lines: pd.DataFrame, first: date, most: int) -> date:
    """The first day from which on there are at most so many lines; `lines` has the newest day first."""
    fitting = lines[lines["lines"].cumsum() <= most]
    if fitting.empty:
        return lines["sale_date"].iloc[0].date() if len(lines) else first
    return max(first, fitting["sale_date"].iloc[-1].date()) if len(fitting) < len(lines) else first


def _lines_of(frame: pd.DataFrame) -> pd.DataFrame:
    counts = frame["day"].value_counts().sort_index(ascending=False)
    return pd.DataFrame({"sale_date": counts.index, "lines": counts.to_numpy()})


def _numbered(ids: pd.Series) -> tuple[list[int], int]:
    """Customers as numbers from 0, -1 for the unknown one; and how many there are."""
    known = np.sort(ids[ids != 0].unique())
    numbers = np.where(ids == 0, -1, np.searchsorted(known, ids))
    return numbers.tolist(), len(known)


def _built_at(fresh: pd.Series) -> Any:
    """When models were last tested, which is what a build ends with, or else when data last came."""
    checks = figures.checks([])
    tested = pd.to_datetime(checks["checked_at"]).max() if len(checks) else pd.NaT
    return fresh["newest_load"] if pd.isna(tested) else tested


def _tests() -> dict[str, dict[str, int]]:
    """How many tests of each model passed, and how many did not."""
    found: dict[str, dict[str, int]] = {}
    for check in figures.checks([]).itertuples():
        counts = found.setdefault(str(check.model), {"passed": 0, "failed": 0})
        counts["passed" if check.status == "pass" else "failed"] += 1
    return found


def _quality() -> dict[str, list[dict[str, Any]]]:
    """What the page's quality tables show, row by row."""
    frames = {
        "feeds": figures.loads(),
        "rejections": figures.rejections(),
        "reconciliation": figures.reconciliation(),
        "checks": figures.checks([]),
    }
    return {
        name: json.loads(frame.to_json(orient="records", date_format="iso", date_unit="s"))
        for name, frame in frames.items()
    }


def _moment(value: Any) -> str | None:
    return None if pd.isna(value) else f"{pd.Timestamp(value):%Y-%m-%dT%H:%M:%S}Z"
