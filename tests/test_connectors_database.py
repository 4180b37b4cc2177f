"""The database connector, on real SQLite and PostgreSQL: types as text, cursors, chunks, and only ever reading."""

import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import SHARED_DATA, make_home, remove_home
from ingest import warehouse
from ingest.connectors import Delivery, SourceError, database


def rows(delivery: Delivery) -> list[dict[str, Any]]:
    return [row for batch in delivery.batches() for row in batch.to_pylist()]


def read(place: dict[str, Any], since: str | None = None, until: str | None = None) -> list[dict[str, Any]]:
    (delivery,) = database.deliveries(place, since, until)
    return rows(delivery)


# --------------------------------------------------------------------------------------------------- SQLite


def sqlite(folder: Path, *statements: str) -> str:
    file = folder / "a.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return f"sqlite:///{file}"


@pytest.mark.unit
def test_sqlite_values_arrive_as_they_are_kept(tmp_path: Path) -> None:
    url = sqlite(
        tmp_path,
        "create table customers (no integer, name text, credit real, born date, ok boolean, photo blob)",
        "insert into customers values (1, 'Zoë', 0.1 + 0.2, '1980-02-29', true, x'00ff')",
        "insert into customers values (123456789012345678, '', 2.5, 'in spring', null, null)",
    )
    assert read({"url": url, "table": "customers"}) == [
        {
            "no": "1", "name": "Zoë", "credit": "0.3", "born": "1980-02-29", "ok": "1", "photo": r"\x00ff",
            "_file": "customers", "_line": 1, "_problem": None,
        },
        {
            "no": "123456789012345678", "name": None, "credit": "2.5", "born": "in spring", "ok": None,
            "photo": None, "_file": "customers", "_line": 2, "_problem": None,
        },
    ]  # fmt: skip


@pytest.mark.unit
def test_an_empty_table_gives_its_columns(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "create table customers (no integer)")
    assert read({"url": url, "table": "customers"}) == []


@pytest.mark.unit
def test_a_missing_table_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="customers: the database has no such table"):
        read({"url": sqlite(tmp_path), "table": "customers"})
    missing = tmp_path / "b.sqlite"
    with pytest.raises(SourceError, match=r"b\.sqlite: there is no such file"):
        read({"url": f"sqlite:///{missing}", "table": "customers"})
    assert not missing.exists()


@pytest.mark.unit
def test_a_query_is_taken_as_it_is_written(tmp_path: Path) -> None:
    query = "select 1 as no, ':x' as \"a b\", '50%' as share -- the last line;\n;"
    (row,) = read({"url": sqlite(tmp_path), "query": query})
    assert (row["no"], row["a b"], row["share"], row["_file"]) == ("1", ":x", "50%", "query")
    with pytest.raises(SourceError, match="query: the database says: no such column: nobody"):
        read({"url": sqlite(tmp_path), "query": "select nobody"})


@pytest.mark.unit
def test_rows_come_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BATCH_ROWS", 2)
    url = sqlite(tmp_path, "create table n (i integer)", "insert into n values (1), (2), (3), (4), (5)")
    (delivery,) = database.deliveries({"url": url, "table": "n"})
    assert [batch["_line"].to_pylist() for batch in delivery.batches()] == [[1, 2], [3, 4], [5]]


CHANGES = (
    "create table changes (no integer, seen datetime)",
    "insert into changes values (1, '2024-05-01 10:00:00'), (2, '2024-05-03 09:59:59'),"
    " (3, '2024-05-03 10:00:00'), (4, null), (5, '2999-01-01 00:00:00')",
)


@pytest.mark.unit
def test_a_cursor_reads_on_with_its_lag(tmp_path: Path) -> None:
    place = {"url": sqlite(tmp_path, *CHANGES), "table": "changes", "cursor": {"column": "seen", "lag": "1d"}}
    (first,) = database.deliveries(place)
    assert len(rows(first)) == 5
    assert first.cursor() == "2024-05-03 10:00:00"  # a time in the future would hide what comes before it
    (second,) = database.deliveries(place, first.cursor())
    assert [row["no"] for row in rows(second)] == ["2", "3", "4", "5"]  # without a value: always read
    place["cursor"] = {"column": "seen"}
    (third,) = database.deliveries(place, first.cursor())
    assert [row["no"] for row in rows(third)] == ["3", "4", "5"]
    (later,) = database.deliveries(place, "2024-06-01")
    assert [row["no"] for row in rows(later)] == ["4", "5"]
    assert later.cursor() == "2024-06-01"  # never goes back


@pytest.mark.unit
def test_a_window_holds_its_rows_and_no_other(tmp_path: Path) -> None:
    place = {"url": sqlite(tmp_path, *CHANGES), "table": "changes", "cursor": {"column": "seen", "lag": "1d"}}
    assert [row["no"] for row in read(place, "2024-05-03", "2024-05-04")] == ["2", "3"]
    assert [row["no"] for row in read(place, "2024-05-01", "2024-05-03 10:00:00")] == ["1", "2"]
    assert read(place, "2024-05-02", "2024-05-03") == []


@pytest.mark.unit
def test_a_cursor_of_numbers_has_a_lag_of_numbers(tmp_path: Path) -> None:
    place = {"url": sqlite(tmp_path, *CHANGES), "table": "changes", "cursor": {"column": "no", "lag": 2}}
    (delivery,) = database.deliveries(place, "5")
    assert ([row["no"] for row in rows(delivery)], delivery.cursor()) == (["3", "4", "5"], "5")
    place["cursor"] = {"column": "no", "lag": "2d"}
    with pytest.raises(SourceError, match="lag 2d does not fit its value `5`: give a number, as in 100"):
        list(database.deliveries(place, "5"))


@pytest.mark.unit
def test_a_cursor_that_cannot_serve_is_refused(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "create table t (no integer, seen text)", "insert into t values (1, '01/05/2024')")
    with pytest.raises(SourceError, match="t: no cursor column `when`; it has: no, seen"):
        read({"url": url, "table": "t", "cursor": {"column": "when"}})
    with pytest.raises(SourceError, match="`01/05/2024` is neither a number nor an ISO time"):
        read({"url": url, "table": "t", "cursor": {"column": "seen"}})


@pytest.mark.unit
@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:hun%40ter2@127.0.0.1:1/shop", "the database says: .*refused"),
        ("postgresql://me:hunter2@127.0.0.1:port/shop", "the database's URL cannot be read"),
        ("me:hunter2@127.0.0.1", "the database's URL cannot be read"),
        ("nosuch://me:hunter2@127.0.0.1/shop", "no driver for the database's URL: .*nosuch"),
        ("mssql+pymssql://me:hunter2@127.0.0.1/shop", "no driver for the database's URL: .*pymssql"),
    ],
)
def test_a_url_that_does_not_work_is_told_without_its_password(url: str, message: str) -> None:
    with pytest.raises(SourceError, match=f"(?s)customers: {message}") as caught:
        read({"url": url, "table": "customers"})
    assert "hun" not in str(caught.value)


@pytest.mark.unit
def test_the_driver_of_the_extra_is_found() -> None:
    for scheme in ("mysql", "mariadb"):
        with pytest.raises(SourceError, match=r"t: the database says: .*Can't connect to MySQL server"):
            read({"url": f"{scheme}://me:secret@127.0.0.1:1/shop", "table": "t"})


@pytest.mark.unit
def test_a_database_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CONNECT_SECONDS", 2)  # libpq's shortest
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/shop"
        with pytest.raises(SourceError, match=r"t: the database says: .*timeout expired"):
            read({"url": url, "table": "t"})


def text_of(value: Any) -> str | None:
    if isinstance(value, bytes):
        return r"\x" + value.hex()
    if isinstance(value, float):
        return f"{value:.15g}"
    return None if value is None or value == "" else str(value)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
CELL = (
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary(max_size=4) | TEXT
)


@pytest.mark.unit
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(CELL, CELL), max_size=7), chunk=st.integers(1, 4))
def test_any_sqlite_table_is_read_back_cell_for_cell(
    tmp_path: Path, table: list[tuple[Any, Any]], chunk: int
) -> None:
    file = tmp_path / "any.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("drop table if exists cells")
        connection.execute("create table cells (a, b)")
        connection.executemany("insert into cells values (?, ?)", table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "BATCH_ROWS", chunk)
        found = read({"url": f"sqlite:///{file}", "table": "cells"})
    assert [(row["a"], row["b"], row["_line"], row["_problem"]) for row in found] == [
        (text_of(a), text_of(b), line, None) for line, (a, b) in enumerate(table, start=1)
    ]


@pytest.mark.unit
def test_a_zero_byte_is_a_problem_of_its_row(tmp_path: Path) -> None:
    url = sqlite(tmp_path, "create table t (a)", "insert into t values ('x' || char(0) || 'y'), ('z')")
    bad, good = read({"url": url, "table": "t"})
    assert (bad["a"], bad["_problem"]) == (r"x\0y", "a zero byte in a")
    assert (good["a"], good["_problem"]) == ("z", None)


# ----------------------------------------------------------------------------------------------- PostgreSQL


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a scratch database, for its superuser."""
    home, before = make_home(), os.environ.get("ANALYTICS_HOME")
    os.environ["ANALYTICS_HOME"] = str(home)
    try:
        warehouse.connect("loader").close()
        admin = warehouse.settings("loader") | {"user": "postgres", "dbname": "postgres"}
        with closing(psycopg2.connect(**admin)) as connection:
            connection.autocommit = True
            connection.cursor().execute("create database shop")
        yield f"postgresql://postgres@/shop?host={admin['host']}"
    finally:
        os.environ.pop("ANALYTICS_HOME")
        if before:
            os.environ["ANALYTICS_HOME"] = before
        remove_home(home)


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


TYPES = {
    "12345678901234567890.10::numeric": "12345678901234567890.10",
    "9.90::numeric(10, 2)": "9.90",
    "0.1::float8": "0.1",
    "true": "true",
    "timestamp '2024-02-29 13:45:00.5'": "2024-02-29 13:45:00.5",
    "timestamptz '2024-02-29 13:45:00+02'": "2024-02-29 11:45:00+00",
    "timestamp 'infinity'": "infinity",
    "date '2024-02-29'": "2024-02-29",
    "interval '1 month 2 hours'": "P1MT2H",
    r"'\x00ff'::bytea": r"\x00ff",
    """'{"a": 1.50}'::json""": '{"a": 1.50}',
    "array[1, 2]": "{1,2}",
    "'x'::char(3)": "x",
    "null::int": None,
    "''": None,
}


def test_postgres_writes_its_types_itself(postgres: str) -> None:
    execute(postgres, "alter database shop set datestyle to 'German, DMY'")
    columns = ", ".join(f"{value} as c{number}" for number, value in enumerate(TYPES))
    execute(postgres, f"create table types as select {columns}")
    for place in ({"table": "types"}, {"table": "public.types"}, {"query": "select * from types"}):
        (row,) = read({"url": postgres} | place)
        assert [row[f"c{number}"] for number in range(len(TYPES))] == list(TYPES.values())


def test_postgres_is_only_read(postgres: str) -> None:
    execute(postgres, "create table kept (n int)")
    execute(
        postgres,
        "create function sneak() returns int language sql as 'insert into kept values (1) returning n'",
    )
    with pytest.raises(SourceError, match="cannot execute INSERT in a read-only transaction"):
        read({"url": postgres, "query": "select sneak()"})
    assert execute(postgres, "select count(*) from kept") == [(0,)]


def test_postgres_keeps_the_rows_until_they_are_asked_for(postgres: str) -> None:
    (delivery,) = database.deliveries({"url": postgres, "query": "select generate_series(1, 1000000) as n"})
    batches = delivery.batches()
    assert len(next(batches)) == 50_000
    doing = "select state, query from pg_stat_activity where query like 'FETCH%'"
    assert [state for state, _ in execute(postgres, doing)] == ["idle in transaction"]
    batches.close()  # type: ignore[attr-defined]
    assert execute(postgres, doing) == []


def test_the_password_is_hidden_in_what_the_database_says(postgres: str) -> None:
    url = postgres.replace("postgres@/shop", "postgres:s%2Fcret@/s%2Fcret")
    with pytest.raises(SourceError, match=r'database "\*\*\*" does not exist'):
        read({"url": url, "table": "customers"})


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(st.tuples(TEXT, st.none() | st.decimals(-(10**12), 10**12, places=3), TEXT), max_size=9),
    chunk=st.integers(1, 4),
)
def test_any_postgres_table_is_read_back_cell_for_cell(
    postgres: str, table: list[tuple[Any, ...]], chunk: int
) -> None:
    with closing(psycopg2.connect(postgres)) as connection, connection, connection.cursor() as cursor:
        cursor.execute('drop table if exists "Any %s"')
        cursor.execute('create table "Any %s" (no serial, "a:b" text, "c%" numeric, d text)')
        cursor.executemany(
            'insert into "Any %s" values (default, %s, %s, %s)'.replace("Any %s", "Any %%s"), table
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "BATCH_ROWS", chunk)
        found = read({"url": postgres, "query": 'select "a:b", "c%", d from "Any %s" order by no'})
    assert [(row["a:b"], row["c%"], row["d"], row["_line"]) for row in found] == [
        (a or None, None if c is None else str(c), d or None, line)
        for line, (a, c, d) in enumerate(table, start=1)
    ]


def test_postgres_column_names_must_differ(postgres: str) -> None:
    with pytest.raises(SourceError, match="names the column `No` twice"):
        read({"url": postgres, "query": 'select 1 as no, 2 as "No"'})


@pytest.mark.parametrize(
    ("sql_type", "values", "lag", "greatest", "again"),
    [
        ("timestamptz", ["2024-05-01 10:00+02", "2024-05-01 11:00+00"], "1h", "2024-05-01 11:00:00+00", 1),
        ("timestamp", ["2024-05-01 10:00", "2024-05-01 10:00:00.25"], "0s", "2024-05-01 10:00:00.25", 1),
        ("date", ["2024-04-30", "2024-05-01"], "1d", "2024-05-01", 2),
        ("bigint", ["9", "10"], "0", "10", 1),
        ("numeric", ["9.5", "10.5"], "1", "10.5", 2),
    ],
)  # fmt: skip
def test_postgres_cursors(
    postgres: str, sql_type: str, values: list[str], lag: str, greatest: str, again: int
) -> None:
    listed = ", ".join(f"('{value}'::{sql_type})" for value in values)
    execute(postgres, 'drop table if exists "Changes"')
    execute(postgres, f'create table "Changes" as select * from (values {listed}) as changes (c)')
    place = {"url": postgres, "table": "Changes", "cursor": {"column": "c", "lag": lag}}
    (first,) = database.deliveries(place)
    assert (len(rows(first)), first.cursor()) == (2, greatest)
    assert len(read(place, first.cursor())) == again


# ------------------------------------------------------------------------------------------------- Chinook


@pytest.mark.unit
def test_chinooks_invoice_lines_to_the_cent() -> None:
    folder = SHARED_DATA / "chinook"
    if not folder.exists():
        pytest.skip("the shared data is not here")
    truth = json.loads((folder / "truth.json").read_text())["variants"]["invoice_lines"]
    url = f"sqlite:///{folder / 'Chinook_Sqlite.sqlite'}"
    lines = read({"url": url, "table": "InvoiceLine"})
    assert len(lines) == truth["total_rows"]
    assert sum(Decimal(line["Quantity"]) for line in lines) == Decimal(truth["total_quantity"])
    revenue = sum(Decimal(line["UnitPrice"]) * Decimal(line["Quantity"]) for line in lines)
    assert revenue == Decimal(truth["total_revenue_exact"])
    joined = "select InvoiceId, CustomerId, InvoiceDate from InvoiceLine join Invoice using (InvoiceId)"
    invoices = read({"url": url, "query": joined})
    assert len({line["InvoiceId"] for line in invoices}) == truth["distinct_sale_ids"]
    assert len({line["CustomerId"] for line in invoices}) == truth["distinct_customers"]
    days = [line["InvoiceDate"][:10] for line in invoices]
    assert (min(days), max(days)) == (truth["date_min"], truth["date_max"])
