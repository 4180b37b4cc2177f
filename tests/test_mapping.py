"""Mapping and rules: which rows pass the door, and what is said of those that do not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ingest.config import ConfigError, Feed
from ingest.connectors import text_table
from ingest.entities import ENTITIES
from ingest.mapping import Counts, Mapper

pytestmark = pytest.mark.unit

SALES = {
    "sale_code": "no",
    "sold_at": "strptime(day, '%d/%m/%Y %H:%M')",
    "quantity": "qty",
    "unit_price": "price",
    "customer_code": "customer",
}
HEADER = ["no", "day", "qty", "price", "customer"]
GOOD_ROW = ["1", "24/12/2024 10:00", "2", "3.50", ""]


def feed(
    entity: str, columns: dict[str, str], rules: dict[str, str] | None = None, timezone: str = "UTC"
) -> Feed:
    return Feed(
        "shop", "csv", timezone, ENTITIES[entity], columns, rules or {}, {}, Path("s.yml"), {"feed": 1}
    )


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set TimeZone = 'UTC'")
        yield opened


def batch(header: list[str], rows: list[list[str]], problems: list[str | None] | None = None) -> pa.Table:
    table = text_table(header, rows, "day.csv", range(2, len(rows) + 2), problems)
    return table.append_column("_load_id", pa.array([7] * len(rows), pa.int64()))


def accepted(connection: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from accepted order by source_line").fetchall()


def rejected(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute("select rule, reason from rejected order by source_line").fetchall()


def test_a_row_becomes_typed_columns_with_defaults_and_lineage(connection: duckdb.DuckDBPyConnection) -> None:
    mapper = Mapper(feed("sales", SALES, timezone="Europe/London"), connection)
    mapper.add(batch(HEADER, [["1", "24/06/2024 10:00", " 2.0 ", "3.50", " "]]))
    columns = (
        "sale_code, transaction_code, customer_code, sold_at, quantity, unit_price, total_amount,"
        " source_name, source_file, source_line, load_id, row_hash <> 0"
    )
    assert accepted(connection, columns) == [
        (
            "1",
            "1",
            None,
            datetime(2024, 6, 24, 9),
            2,
            Decimal("3.50"),
            Decimal("7.00"),
            "shop",
            "day.csv",
            2,
            7,
            True,
        )
    ]
    assert mapper.counts() == {7: Counts(accepted=1, rejected=0)}


@pytest.mark.parametrize(
    ("field", "value", "rule", "said"),
    [
        ("no", "", "sale_code_required", "sale_code is empty"),
        ("day", "", "sold_at_required", "sold_at is empty"),
        ("day", "30/02/2024 10:00", "sold_at_type", "day = 30/02/2024 10:00"),
        ("day", "soon", "sold_at_type", "day = soon"),
        ("day", "24/12/1066 10:00", "sold_at_plausible", "1066"),
        ("day", "24/12/2999 10:00", "sold_at_plausible", "2999"),
        ("qty", "two", "quantity_type", "not a whole number: two"),
        ("qty", "2.5", "quantity_type", "not a whole number: 2.5"),
        ("qty", "3000000000", "quantity_range", "3000000000"),
        ("qty", "nan", "quantity_range", "nan"),
        ("price", "£3", "unit_price_type", "not a number: £3"),
        ("price", "", "unit_price_required", "unit_price is empty"),
        ("price", "3.505", "unit_price_range", "3.505"),
        ("price", "123456789.00", "unit_price_range", "123456789.00"),
        ("price", "1e60", "unit_price_range", "1e60"),
        ("price", "99999999.99", "total_amount_range", "199999999.98"),
        ("price", "-1", "price_not_negative", "unit_price = -1.00"),
    ],
)
def test_a_row_that_breaks_one_rule_is_rejected_with_its_name_and_the_value(
    connection: duckdb.DuckDBPyConnection, field: str, value: str, rule: str, said: str
) -> None:
    bad = GOOD_ROW.copy()
    bad[HEADER.index(field)] = value
    mapper = Mapper(feed("sales", SALES, {"price_not_negative": "unit_price >= 0"}), connection)
    mapper.add(batch(HEADER, [GOOD_ROW, bad]))
    ((found, reason),) = rejected(connection)
    assert found == rule
    assert said in reason
    assert mapper.counts() == {7: Counts(accepted=1, rejected=1)}
    raw = json.loads(connection.execute("select raw_row from rejected").fetchall()[0][0])
    assert raw == {name: text or None for name, text in zip(HEADER, bad, strict=True)}


@pytest.mark.parametrize("day", ["1066-12-24", "2999-12-24"])
def test_a_fact_of_no_plausible_day_is_rejected_unless_that_is_switched_off(
    connection: duckdb.DuckDBPyConnection, day: str
) -> None:
    counts = feed("inventory", {"product_code": "sku", "stock_date": "day", "stock_level": "level"})
    rows = batch(["sku", "day", "level"], [["A", day, "1"]])
    Mapper(counts, connection).add(rows)
    assert [rule for rule, _ in rejected(connection)] == ["stock_date_plausible"]
    with duckdb.connect() as believing:
        Mapper(replace(counts, plausible_dates=False), believing).add(rows)
        assert accepted(believing, "stock_date::varchar") == [(day,)]


def test_a_store_may_open_next_year(connection: duckdb.DuckDBPyConnection) -> None:
    stores = feed("stores", {"store_code": "code", "open_date": "opens"})
    Mapper(stores, connection).add(batch(["code", "opens"], [["S1", "2999-01-01"]]))
    assert accepted(connection, "store_code") == [("S1",)]


def test_all_failures_of_a_row_are_listed(connection: duckdb.DuckDBPyConnection) -> None:
    mapper = Mapper(feed("sales", SALES), connection)
    mapper.add(batch(HEADER, [["", "soon", "two", "£3", ""]]))
    assert rejected(connection)[0][0] == "sale_code_required, sold_at_type, quantity_type, unit_price_type"


def test_of_a_line_that_could_not_be_split_only_that_is_said(connection: duckdb.DuckDBPyConnection) -> None:
    mapper = Mapper(feed("sales", SALES), connection)
    mapper.add(batch(HEADER, [["1", "", "", "", ""]], ["3 fields where the header has 5: 1,2,3"]))
    assert rejected(connection) == [("row_shape", "3 fields where the header has 5: 1,2,3")]


def test_a_rule_holds_where_it_is_null_and_a_failing_rule_rejects(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    columns = {"customer_code": "code", "email": "email"}
    mapper = Mapper(feed("customers", columns, {"has_at": "email like '%@%'"}), connection)
    mapper.add(batch(["code", "email"], [["1", ""], ["2", "a@b"], ["3", "none"]]))
    assert accepted(connection, "customer_code") == [("1",), ("2",)]
    assert [rule for rule, _ in rejected(connection)] == ["has_at"]


def test_text_longer_than_its_column_is_rejected_not_cut(connection: duckdb.DuckDBPyConnection) -> None:
    mapper = Mapper(feed("products", {"product_code": "code", "product_name": "name"}), connection)
    mapper.add(batch(["code", "name"], [["1", "é" * 100], ["2", "é" * 101]]))
    assert accepted(connection, "product_code, length(product_name)") == [("1", 100)]
    assert rejected(connection)[0][0] == "product_name_length"


def test_two_columns_may_share_an_expression_that_fails(connection: duckdb.DuckDBPyConnection) -> None:
    day = "strptime(day, '%d/%m/%Y')"
    columns = {"product_code": "code", "stock_date": day, "stock_level": f"date_part('day', {day})"}
    mapper = Mapper(feed("inventory", columns), connection)
    mapper.add(batch(["code", "day"], [["1", "30/02/2024"], ["1", "29/02/2024"]]))
    assert [rule for rule, _ in rejected(connection)] == ["stock_date_type, stock_level_type"]
    assert accepted(connection, "stock_level") == [(29,)]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-07-01 12:00:00", datetime(2024, 7, 1, 11)),
        ("2024-07-01T12:00:00Z", datetime(2024, 7, 1, 12)),
        ("2024-07-01T12:00:00+05:00", datetime(2024, 7, 1, 7)),
        ("2024-07-01", datetime(2024, 6, 30, 23)),
    ],
)
def test_times_land_as_utc(connection: duckdb.DuckDBPyConnection, text: str, utc: datetime) -> None:
    mapper = Mapper(feed("sales", SALES | {"sold_at": "day"}, timezone="Europe/London"), connection)
    mapper.add(batch(HEADER, [["1", text, "1", "1", ""]]))
    assert accepted(connection, "sold_at") == [(utc,)]


def test_a_mapping_may_reuse_the_names_of_the_landed_columns(connection: duckdb.DuckDBPyConnection) -> None:
    columns = {"customer_code": "customer_code", "email": "lower(Email)", "first_name": '"First name"'}
    mapper = Mapper(feed("customers", columns), connection)
    mapper.add(batch(["customer_code", "Email", "First name"], [["1", "A@B", "Zoë"]]))
    assert accepted(connection, "customer_code, email, first_name") == [("1", "a@b", "Zoë")]


def test_an_expression_that_does_not_fit_the_source_names_the_line(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    mapper = Mapper(feed("sales", SALES | {"quantity": "quantities"}), connection)
    with pytest.raises(
        ConfigError, match=r's.yml:1: shop.sales.quantity: .*"quantities" not found'
    ) as caught:
        mapper.add(batch(HEADER, [GOOD_ROW]))
    assert "qty" in str(caught.value)


def test_a_null_where_a_length_or_range_is_checked_loses_no_row(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    columns = {"customer_code": "code", "first_name": "name", "phone": "phone"}
    mapper = Mapper(feed("customers", columns), connection)
    mapper.add(batch(["code", "name", "phone"], [["1", "", ""], ["2", "Ann", ""], ["3", "", "07700"]]))
    assert mapper.counts() == {7: Counts(accepted=3, rejected=0)}


@pytest.mark.parametrize("padded", ["x ", " x", "\u00a0x\u00a0", "  x  "])
def test_blanks_around_a_text_go(connection: duckdb.DuckDBPyConnection, padded: str) -> None:
    mapper = Mapper(feed("customers", {"customer_code": "code"}), connection)
    mapper.add(batch(["code"], [[padded], ["a b"], ["ü"]]))
    assert [code for (code,) in accepted(connection, "customer_code")] == ["x", "a b", "ü"]


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 10), ("Europe/London", 9)])
def test_a_time_with_an_offset_is_that_instant_and_one_without_is_local(
    connection: duckdb.DuckDBPyConnection, zone: str, hour: int
) -> None:
    columns = {"sale_code": "no", "sold_at": "moment", "quantity": "'1'", "total_amount": "'1'"}
    mapper = Mapper(feed("sales", columns, timezone=zone), connection)
    times = ["2024-06-24 10:00", "2024-06-24T10:00:00+02:00", "2024-06-24 08:00:00Z"]
    mapper.add(batch(["no", "moment"], [[str(n), time] for n, time in enumerate(times)]))
    hours = [sold_at.hour for (sold_at,) in accepted(connection, "sold_at")]
    assert hours == [hour, 8, 8]
