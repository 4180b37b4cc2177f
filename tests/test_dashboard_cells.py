"""The data of the dashboard's page beside SQL: row filters, folding of large data, definitions that do not fit."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reports_warehouse as made_up
from psycopg2.extensions import connection as Connection

from conftest import select
from ingest import warehouse
from reports.dashboard import cells
from reports.dashboard.cells import dashboard_data
from reports.dashboard.definitions import check, definitions
from reports.errors import DataError, ReportError


@pytest.fixture
def reader(dashboard_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("ANALYTICS_HOME", str(dashboard_home))
    connection = warehouse.connect("reader")
    yield connection
    connection.close()


def amounts(data: dict[str, Any]) -> int:
    return sum(data["rows"]["sales"]["amount"])


def test_all_sales_are_in_it_to_the_cent(reader: Connection, dashboard_home: Path) -> None:
    data = dashboard_data(reader)
    ((amount, transactions),) = select(
        dashboard_home,
        "select (100 * sum(total_amount))::bigint, count(distinct transaction_code) from marts.fact_sales",
    )
    assert amounts(data) == amount
    assert sum(data["rows"]["visits"]["starts"]) == transactions
    assert len(data["rows"]["visits"]["items"]) == sum(data["rows"]["visits"]["length"])
    assert len({len(column) for column in data["rows"]["sales"].values()}) == 1
    assert len(json.dumps(data, allow_nan=False)) < 3_000_000
    assert data["covered_since"] == data["first"]


@pytest.mark.parametrize(
    ("only", "condition"),
    [
        ({"store": ["S2"]}, "store_code = 'S2'"),
        ({"store": ["Riverside", made_up.UGLY_STORE]}, "store_id in (2, 3)"),
        ({"category": ["Garden"], "channel": ["Phone"]}, "category = 'Garden' and sales.channel_id = 1"),
        ({"segment": [made_up.UGLY_SEGMENT]}, f"segment = '{made_up.UGLY_SEGMENT}'"),
        ({"store": ["' or true --"]}, "false"),
        ({"store": []}, "false"),
    ],
)
def test_a_row_filter_leaves_nothing_of_others(
    reader: Connection, dashboard_home: Path, only: dict[str, list[str]], condition: str
) -> None:
    data = dashboard_data(reader, only)
    rows = select(
        dashboard_home,
        "select (100 * total_amount)::bigint, store_name, product_name, category from marts.fact_sales as sales"
        " join marts.dim_stores using (store_id) join marts.dim_products using (product_id)"
        f" join marts.dim_customers using (customer_id) where {condition}",
    )
    assert amounts(data) == sum(int(str(row[0])) for row in rows)
    assert set(data["names"].get("store", [])) == {row[1] for row in rows}
    assert set(data["names"]["product"]) == {row[2] for row in rows}
    assert set(data["names"]["category"]) == {row[3] for row in rows}
    assert data["quality"] == {}
    assert data["rows"]["loads"]["day"] == []
    if {"store", "category"} & set(only):
        assert data["rows"]["contacts"]["day"] == []


def test_contacts_are_filtered_by_channel_and_segment(reader: Connection, dashboard_home: Path) -> None:
    data = dashboard_data(reader, {"channel": ["Chat"], "segment": ["Trade"]})
    ((contacts,),) = select(
        dashboard_home,
        "select count(*) from marts.fact_interactions join marts.dim_customers using (customer_id)"
        " where channel_id = 3 and segment = 'Trade'",
    )
    assert sum(data["rows"]["contacts"]["interactions"]) == contacts
    assert data["names"]["channel"] == ["Chat"]


def test_an_unknown_dimension_is_refused(reader: Connection) -> None:
    with pytest.raises(DataError, match="cannot be filtered by colour"):
        dashboard_data(reader, {"colour": ["red"]})


def test_large_data_are_folded_and_keep_their_sums(
    reader: Connection, dashboard_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "MOST_LINES", 6_000)
    monkeypatch.setattr(cells, "KEPT_PRODUCTS", 5)
    data = dashboard_data(reader)
    assert data["folded"]
    assert data["covered_since"] < data["first"]
    assert (
        max(len(rows["day"]) for name, rows in data["rows"].items() if name in ("sales", "visits")) <= 6_000
    )
    assert len([name for name in data["names"]["product"] if not name.startswith("Other ")]) == 5
    assert data["customers"] is None
    assert "customer" not in data["rows"]["visits"]
    ((amount, transactions),) = select(
        dashboard_home,
        "select (100 * sum(total_amount))::bigint, count(distinct transaction_code)"
        f" from marts.fact_sales where sale_date >= '{data['first']}'",
    )
    assert amounts(data) == amount
    assert sum(data["rows"]["visits"]["transactions"]) == transactions


@pytest.mark.unit
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("measures", "average", "above"), "turnover", "measures: average: above: 'turnover' is not known"),
        (("measures", "sales", "kind"), "cash", "measures: sales: kind: 'cash'"),
        (("measures", "sales", "distinct"), "customer", "measures: sales needs either `sum` or `distinct`"),
        (("charts", "trend", "shape"), "pie", "charts: trend: shape: 'pie' is not known; known are: time"),
        (("charts", "by_store", "by"), "shop", "charts: by_store: by: 'shop'"),
        (("tables", "days", "measures"), ["turnover"], "tables: days: measures: 'turnover'"),
        (("tables", "feeds", "columns"), None, "tables: feeds needs `columns`"),
    ],
)
def test_a_definition_that_does_not_fit_is_named(path: tuple[str, ...], value: Any, message: str) -> None:
    board = copy.deepcopy(definitions())
    *way, last = path
    place = board
    for key in way:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(ReportError, match=r"board\.yml: ") as error:
        check(board)
    assert message in str(error.value)
