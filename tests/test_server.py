"""The server as a process on a real warehouse: what it answers equals SQL, whatever is asked, whoever is slow, whatever goes away."""

import csv
import gzip
import io
import itertools
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import hypothesis
import openpyxl
import psycopg2
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import reports_warehouse as made_up
import requests
import schemathesis
from dashboard_browser import Board
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from selenium import webdriver
from server_warehouse import Events, Server, announce, embedded_data, execute, rows, served

from conftest import analytics
from ingest import warehouse
from reports.server import catalogue, export, reference
from reports.server.database import Database
from reports.server.problems import Problem
from reports.server.queries import Selection
from reports.server.row_filter import RowFilter

# These take seconds each, or do not end: schemathesis leaves them to other tests.
LONG = {"/events", "/api/v1/reports/{report}", "/api/v1/export/{mart}.{suffix}"}


@pytest.fixture(scope="module")
def server(server_home: Path) -> Iterator[Server]:
    with served(server_home) as running:
        yield running


# ------------------------------------------------------------------------------------------- metrics and tables


def test_values_of_metrics_equal_the_facts(server: Server) -> None:
    answer = server.json("/api/v1/metrics/total_sales?from=2025-06-01&to=2025-06-30")
    found = {row["period"]: row["value"] for row in answer["rows"]}
    wanted = rows(
        "select sale_date, sum(total_amount) from marts.fact_sales where sale_date >= '2025-06-01' group by 1"
    )
    assert found == {day.isoformat(): pytest.approx(float(amount)) for day, amount in wanted}
    assert answer["by"] is None
    assert {row["of"] for row in answer["rows"]} == {None}


@pytest.mark.parametrize("by", ["store", "store__store_name"])
def test_metrics_by_a_dimension_and_its_values(server: Server, by: str) -> None:
    path = f"/api/v1/metrics/total_sales?grain=month&by={by}&from=2025-05-01"
    answer = server.json(path)
    wanted = rows(
        "select date_trunc('month', sale_date)::date, store_name, sum(total_amount) from marts.fact_sales"
        " join marts.dim_stores using (store_id) where sale_date >= '2025-05-01' group by 1, 2"
    )
    found = {(row["period"], row["of"]): row["value"] for row in answer["rows"]}
    assert found == {(day.isoformat(), name): pytest.approx(float(amount)) for day, name, amount in wanted}
    assert made_up.UGLY_STORE in {row["of"] for row in answer["rows"]}
    only = server.json(path + "&filter=store:Online")
    assert only["rows"] == [row for row in answer["rows"] if row["of"] == "Online"]
    assert len(only["rows"]) == 2


def test_a_table_is_paged_whole_in_any_order(server: Server) -> None:
    """Ties, nulls and a key of two columns: every row comes once, in order."""
    for table, order, sql in (
        ("fact_sales", "", "sale_id"),
        ("fact_sales", "-total_amount", "total_amount desc, sale_id"),
        ("fact_interactions", "duration", "duration nulls last, interaction_id"),
        ("fact_interactions", "-duration", "duration desc nulls last, interaction_id"),
        ("fact_interactions", "-interaction_id", "interaction_id desc"),
        ("metrics_products", "-metric_date", "metric_date desc, product_id"),
    ):
        schema = "metrics" if table.startswith("metrics") else "marts"
        key = "product_id, metric_date" if schema == "metrics" else sql.split()[-1] if order == "" else None
        columns = "product_id,metric_date" if schema == "metrics" else f"{table[5:-1]}_id"
        wanted = rows(f"select {columns} from {schema}.{table} order by {sql} limit 2500")
        found: list[tuple[Any, ...]] = []
        after = ""
        while len(found) < 2500:
            query = f"/api/v1/tables/{table}?limit=700&columns={columns}&order={order}".replace(
                "&order=&", "&"
            )
            page = server.json(query.removesuffix("&order=") + after)
            found += [tuple(row.values()) for row in page["rows"]]
            assert page["next"]
            after = f"&after={page['next']}"
        shown = [tuple(v.isoformat() if isinstance(v, date) else v for v in row) for row in wanted]
        assert found[:2500] == shown, (table, order, key)


def test_the_last_page_says_so(server: Server) -> None:
    page = server.json("/api/v1/tables/dim_stores?limit=5")
    assert (len(page["rows"]), page["next"]) == (5, None)
    page = server.json("/api/v1/tables/dim_stores?limit=3")
    assert server.json(f"/api/v1/tables/dim_stores?limit=3&after={page['next']}")["next"] is None


@pytest.mark.parametrize(
    ("filters", "sql"),
    [
        (["sale_date:ge:2025-06-29", "store_id:eq:2"], "sale_date >= '2025-06-29' and store_id = 2"),
        (["quantity:in:1,3", "sale_id:lt:500"], "quantity in (1, 3) and sale_id < 500"),
        (["transaction_code:contains:t252-1", "quantity:ne:1"], "transaction_code ilike '%t252-1%' and quantity <> 1"),
        (["total_amount:gt:200.5"], "total_amount > 200.5"),
        (["sold_at:le:2024-04-28 12:00:00"], "sold_at <= '2024-04-28 12:00'"),
    ],
)  # fmt: skip
def test_filters_are_sql(server: Server, filters: list[str], sql: str) -> None:
    asked = "&".join(f"filter={requests.utils.quote(text)}" for text in filters)
    page = server.json(f"/api/v1/tables/fact_sales?limit=1000&columns=sale_id&{asked}")
    wanted = rows(f"select sale_id from marts.fact_sales where {sql} order by 1 limit 1000")
    assert [row["sale_id"] for row in page["rows"]] == [number for (number,) in wanted]
    assert wanted


def test_null_is_asked_for(server: Server) -> None:
    for asked, sql in (("true", "is null"), ("false", "is not null")):
        page = server.json(f"/api/v1/tables/dim_customers?limit=1000&filter=first_name:null:{asked}")
        assert (
            len(page["rows"])
            == rows(f"select count(*) from marts.dim_customers where first_name {sql}")[0][0]
        )


def test_tables_are_those_of_the_reader_with_a_key(server: Server) -> None:
    tables = {table["name"]: table for table in server.json("/api/v1/tables")["tables"]}
    assert "loads" not in tables
    assert tables["metrics_products"]["key"] == ["product_id", "metric_date"]
    amounts = {column["name"]: column["type"] for column in tables["fact_sales"]["columns"]}
    assert amounts["total_amount"] == "numeric(10,2)"


def test_sources_tell_what_came(server: Server) -> None:
    sources = {source["source"]: source for source in server.json("/api/v1/sources")["sources"]}
    assert sources["shop"] == {
        "source": "shop", "feed": "shop", "entity": "sales", "load_id": 2, "loaded_at": "2025-06-30T22:02:30Z",
        "last_state": "loaded", "rows_accepted": 100, "rows_rejected": 3,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------- exports


def test_exports_hold_every_cell(server: Server) -> None:
    columns = "product_id,product_name,category,unit_cost,is_inferred"
    wanted = rows(f"select {columns} from marts.dim_products order by product_id")
    text = server.get(f"/api/v1/export/dim_products.csv?columns={columns}").content.decode("utf-8-sig")
    names, *lines = csv.reader(io.StringIO(text))
    assert ",".join(names) == columns
    harmless = [
        [
            str(v) if not (isinstance(v, str) and v.startswith(("=", "+", "-", "@", "\t"))) else f"'{v}"
            for v in row
        ]
        for row in wanted
    ]
    assert lines == harmless
    assert any(line[1].startswith("'=HYPERLINK") for line in lines)

    body = server.get(f"/api/v1/export/dim_products.parquet?columns={columns}").content
    table = pq.read_table(io.BytesIO(body))
    plain = [tuple(float(v) if i == 3 else v for i, v in enumerate(row)) for row in wanted]
    assert [tuple(row.values()) for row in table.to_pylist()] == plain

    body = server.get(f"/api/v1/export/dim_products.xlsx?columns={columns}").content
    sheet = openpyxl.load_workbook(io.BytesIO(body))["Rows"]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert cells == [list(row) for row in plain]
    assert all(cell.data_type == "s" for cell in sheet["B"])  # none is a formula


def test_an_export_has_dates_and_times_and_obeys_filters(server: Server) -> None:
    asked = "filter=sale_date:eq:2025-06-30&columns=sale_date,sold_at,total_amount"
    body = server.get(f"/api/v1/export/fact_sales.xlsx?{asked}").content
    sheet = openpyxl.load_workbook(io.BytesIO(body))["Rows"]
    found = [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=2)]
    sold = datetime(2025, 6, 30, 12)
    assert {row[:2] for row in found} == {(datetime(2025, 6, 30), sold)}
    ((count, amount),) = rows(
        "select count(*), sum(total_amount) from marts.fact_sales where sale_date = '2025-06-30'"
    )
    assert (len(found), round(sum(row[2] for row in found), 2)) == (count, float(amount))
    assert sheet["B2"].number_format == "yyyy-mm-dd hh:mm"
    body = server.get(f"/api/v1/export/fact_sales.parquet?{asked}").content
    assert pc.sum(pq.read_table(io.BytesIO(body))["total_amount"]).as_py() == amount  # an exact decimal


def test_exports_of_nothing_are_whole_files(server: Server) -> None:
    nothing = "filter=sale_id:lt:0&columns=sale_id,sale_date"
    assert (
        server.get(f"/api/v1/export/fact_sales.csv?{nothing}").content == b"\xef\xbb\xbfsale_id,sale_date\r\n"
    )
    table = pq.read_table(io.BytesIO(server.get(f"/api/v1/export/fact_sales.parquet?{nothing}").content))
    assert (table.num_rows, table.column_names) == (0, ["sale_id", "sale_date"])
    body = server.get(f"/api/v1/export/fact_sales.xlsx?{nothing}").content
    assert openpyxl.load_workbook(io.BytesIO(body))["Rows"].max_row == 1


def test_an_export_of_more_rows_than_its_form_holds_is_refused(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database()
    stores = catalogue.read(database).relation("dim_stores")
    database.close()
    monkeypatch.setattr(export, "LARGEST_SHEET", 4)
    counted, done = list[int](), list[bool]()

    def begin(suffix: export.Suffix, *filters: str) -> None:
        selection = Selection.of(stores, RowFilter(), filters=filters)
        export.begin(selection, suffix, counted.append, lambda: done.append(True))

    begin(export.Suffix.XLSX, "store_id:ne:0")
    begin(export.Suffix.CSV)
    assert (counted, done) == ([4, 5], [])
    with pytest.raises(Problem, match=r"more than 4 rows; filter them, or for csv or parquet") as refused:
        begin(export.Suffix.XLSX)
    assert refused.value.status == 413
    assert (counted, done) == ([4, 5], [True])  # its slot is free again


# ------------------------------------------------------------------------------------------ cache and events


def test_an_answer_is_known_by_its_tag_until_the_next_build(server: Server) -> None:
    path = "/api/v1/metrics/total_sales?grain=month"
    first = server.get(path)
    again = server.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["Cache-Control"] == "private, no-cache"
    value = "select value from metrics.metrics_values where metric = 'total_sales' and grain = 'month'"
    execute("transformer", "update metrics.metrics_values set value = value + 1 where grain = 'month'")
    try:
        assert server.get(path).content == first.content  # remembered: nobody announced a build
        announce(7)
        server.until(lambda: server.get(path).content != first.content)
        changed = server.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert changed.status_code == 200
        assert changed.json()["load_id"] == 7
        found = sorted(row["value"] for row in changed.json()["rows"])
        assert found == pytest.approx(sorted(v for (v,) in rows(value + " and dimension = 'total'")))
    finally:
        execute("transformer", "update metrics.metrics_values set value = value - 1 where grain = 'month'")
        announce(8)
        server.until(lambda: server.get(path).json()["load_id"] == 8)


def test_a_long_answer_is_compressed_for_who_can_read_it(server: Server) -> None:
    path = "/api/v1/metrics/total_sales"
    packed = server.session.get(server.url + path, headers={"Accept-Encoding": "gzip"}, stream=True)
    body = packed.raw.read(decode_content=False)
    plain = server.session.get(server.url + path, headers={"Accept-Encoding": "identity"})
    assert gzip.decompress(body) == plain.content
    assert len(body) < len(plain.content) / 3


def test_open_pages_hear_of_a_build_at_once(server: Server) -> None:
    streams = [Events(server) for _ in range(3)]
    for events in streams:
        name, state = events.next()
        assert name == "build"
    before = time.monotonic()
    announce(9)
    for events in streams:
        name, told = events.next()
        assert (name, told["load_id"]) == ("build", 9)
        assert told["built_at"] > (state["built_at"] or "")
    assert time.monotonic() - before < 2
    # After the event the answers are the new build's.
    assert server.json("/api/v1/sources")["load_id"] == 9


def test_a_stream_shows_signs_of_life(server: Server) -> None:
    with socket.create_connection(server.address.split(":"), timeout=20) as raw:
        raw.sendall(f"GET /events HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode())
        received = b""
        while b": alive" not in received:
            received += raw.recv(4096)
    assert b"text/event-stream" in received


def test_a_slow_client_keeps_nobody_waiting(server: Server) -> None:
    """As many clients as there are slots ask for more than any buffer holds, and take nothing of it."""
    execute(
        "transformer",
        "create table marts.fact_wide as select n as wide_id, repeat('x', 200) as filler"
        " from generate_series(1, 100000) as n; alter table marts.fact_wide add primary key (wide_id)",
    )
    announce(10)
    server.until(lambda: server.get("/api/v1/tables/fact_wide?limit=1").status_code == 200)
    host, port = server.address.split(":")
    slow = []
    for _ in range(4):
        raw = socket.create_connection((host, port))
        raw.sendall(f"GET /api/v1/export/fact_wide.csv HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode())
        slow.append(raw)
    try:
        server.until(lambda: server.get("/api/v1/export/dim_stores.csv").status_code == 503)
        assert server.get("/api/v1/export/dim_stores.csv").headers["Retry-After"]
        started = time.monotonic()
        for number in range(20):
            server.json(f"/api/v1/tables/fact_sales?limit=5&filter=sale_id:gt:{number}")
        assert time.monotonic() - started < 10
    finally:
        for raw in slow:  # they leave in the middle: their slots and cursors are given back
            raw.close()
    server.until(lambda: server.get("/api/v1/export/dim_stores.csv").status_code == 200)
    left = (
        "select count(*) from pg_stat_activity"
        " where application_name = 'analytics serve' and state like 'idle in transaction%'"
    )
    server.until(lambda: rows(left, role="loader")[0][0] == 0)
    execute("transformer", "drop table marts.fact_wide")
    announce(11)


# ---------------------------------------------------------------------------------------------------- problems


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nothing", 404, "nothing at this address"),
        ("/api/v1/metrics/profits", 404, "total_sales"),
        ("/api/v1/tables/loads", 404, "there are: dim_channels"),
        ("/api/v1/tables/pg_authid", 404, "no table of this name"),
        ("/api/v1/export/fact_sales.exe", 422, "suffix"),
        (
            "/api/v1/tables/fact_sales?filter=prize:eq:1",
            422,
            "fact_sales has no column of this name; there are: channel_id",
        ),
        ("/api/v1/tables/fact_sales?filter=quantity:like:1", 422, "column:operator:value"),
        ("/api/v1/tables/fact_sales?filter=quantity:eq:many", 422, "does not fit the column"),
        ("/api/v1/tables/fact_sales?filter=quantity:contains:1", 422, "is no text"),
        ("/api/v1/tables/fact_sales?limit=1001", 422, "limit"),
        ("/api/v1/tables/fact_sales?after=abc", 422, "after"),
        ("/api/v1/tables/fact_sales?colums=a", 422, "colums"),
        ("/api/v1/metrics/total_sales?from=yesterday", 422, "from"),
        ("/api/v1/metrics/total_sales?by=colour", 422, "it is by: "),
        ("/api/v1/metrics/total_sales?by=store&filter=category:Toys", 422, "one dimension at a time"),
        ("/api/v1/reports/yearly", 404, "there are: daily"),
        ("/api/v1/reports/daily?from=2025-06-30", 422, "both from and to"),
        ("/api/v1/reports/daily?from=2025-06-30&to=2025-06-01", 422, "ends before it begins"),
        ("/api/v1/reports/dashboard?format=pdf", 422, "is made as: html"),
        ("/dashboards/sales/", 404, "there are: dashboard"),
        ("/reports/daily-2025-01-01-0123456789/daily.pdf", 404, "no such report"),
        ("/reports/..%2f..%2fetc/passwd", 404, ""),
        (f"/api/v1/tables/fact_sales?filter={'x' * 9000}", 414, "8000"),
        ("/api/v1/tables/fact_sales?filter=source_name:eq:%00", 400, "NUL"),
    ],
)
def test_bad_input_gets_a_problem_that_names_it(server: Server, path: str, status: int, says: str) -> None:
    answer = server.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert says in problem["detail"]
    for secret in ("select ", "marts.", "/work", "/tmp", "psycopg", "Traceback", "postgres"):
        assert secret not in answer.text


def test_a_body_and_a_method_have_their_limits(server: Server) -> None:
    for content, headers in ((b"x" * 20_000, {}), (iter([b"x" * 9_000] * 3), {})):
        answer = requests.post(
            server.url + "/login", data=content, timeout=20,
            headers={"Content-Type": "application/x-www-form-urlencoded"} | headers,
        )  # fmt: skip
        assert answer.status_code == 413
    assert requests.post(server.url + "/api/v1/metrics", timeout=20).status_code == 405
    assert requests.delete(server.url + "/api/v1/tables/fact_sales", timeout=20).status_code == 405


EVIL = [
    "'; drop table marts.fact_sales; --",
    "1 or 1=1",
    "x' union select rolname, 1, 1, '1' from pg_roles --",
    'sale_id"; drop table marts.fact_sales; --',
    "%s", "%(x)s", "{0}", "$1", "\\'", "é\u202e😀", "../../etc/passwd", "pg_sleep(30)", "(select pg_sleep(30))",
    "sale_id::text||pg_read_file('/etc/passwd')",
]  # fmt: skip
PLACES = [
    "/api/v1/metrics/{}", "/api/v1/metrics/total_sales?by={}", "/api/v1/metrics/total_sales?filter={}",
    "/api/v1/metrics/total_sales?filter=store:{}", "/api/v1/metrics/total_sales?grain={}",
    "/api/v1/metrics/total_sales?from={}", "/api/v1/tables/{}", "/api/v1/tables/fact_sales?columns={}",
    "/api/v1/tables/fact_sales?columns=sale_id,{}", "/api/v1/tables/fact_sales?order={}",
    "/api/v1/tables/fact_sales?order=-{}", "/api/v1/tables/fact_sales?filter={}",
    "/api/v1/tables/fact_sales?filter={}:eq:1", "/api/v1/tables/fact_sales?filter=sale_id:{}:1",
    "/api/v1/tables/fact_sales?filter=sale_id:eq:{}", "/api/v1/tables/fact_sales?filter=source_name:eq:{}",
    "/api/v1/tables/fact_sales?filter=source_name:contains:{}", "/api/v1/tables/fact_sales?filter=source_name:in:{},a",
    "/api/v1/tables/fact_sales?after={}", "/api/v1/tables/fact_sales?limit={}", "/api/v1/export/{}.csv",
    "/api/v1/export/dim_stores.{}", "/api/v1/export/dim_stores.csv?filter=store_name:eq:{}",
    "/api/v1/export/dim_stores.csv?columns={}", "/api/v1/export/dim_stores.csv?order={}", "/api/v1/reports?report={}",
    "/api/v1/reports/{}", "/api/v1/reports/daily?from={}", "/api/v1/access-log?before={}", "/dashboards/{}/",
    "/dashboards/{}/data.json", "/reports/{}/daily.pdf", "/reports/daily-1/{}", "/login?next={}",
]  # fmt: skip


def test_injections_through_every_parameter_come_to_nothing(server: Server, server_home: Path) -> None:
    known = {
        "{" + parameter["name"] + "}"
        for operations in server.json("/api/v1/openapi.json")["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
    }
    tried = {"{" + re.split(r"[?&]", place.split("=")[-2])[-1] + "}" for place in PLACES if "=" in place}
    in_path = {"{metric}", "{mart}", "{suffix}", "{report}"}
    unable = {
        "{to}",
        "{format}",
        "{store}",
        "{category}",
        "{channel}",
        "{segment}",
    }  # dates, enums; and see below
    assert known <= tried | in_path | unable, known - tried - in_path - unable
    before = rows("select count(*), sum(total_amount) from marts.fact_sales")
    started = time.monotonic()
    for place in PLACES:
        for text in EVIL:
            path = place.format(requests.utils.quote(text, safe=""))
            answer = server.session.get(server.url + path, timeout=20, allow_redirects=False)
            assert answer.status_code in (200, 303, 404, 422), (path, answer.status_code, answer.text)
            if answer.status_code == 200 and path.startswith("/api/v1/tables/"):
                assert answer.json()["rows"] == [], path
    assert time.monotonic() - started < 25  # no pg_sleep ran
    assert rows("select count(*), sum(total_amount) from marts.fact_sales") == before
    assert "Traceback" not in server.text()


def test_the_api_does_what_it_says(server: Server) -> None:
    """Schemathesis asks whatever the description allows, and what it does not."""
    load_all_checks()
    # A filter may be a text of any kind, of which few name a column; without users there is no login to ignore.
    unasked = [CHECKS.get_one(name) for name in ("positive_data_acceptance", "ignored_auth")]
    schema = schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json")
    asked = set()
    for found, mode in itertools.product(schema.get_all_operations(), GenerationMode):
        operation = found.ok()
        if operation.path in LONG or (mode is GenerationMode.NEGATIVE and not operation.query):
            continue

        @hypothesis.settings(
            max_examples=15, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(session=server.session, timeout=20, excluded_checks=unasked)

        ask()
        asked.add((operation.path, mode))
    assert len(asked) >= 12
    assert "Traceback" not in server.text()


def test_a_report_of_an_evil_store_is_refused_by_name(server: Server) -> None:
    for name in ("store", "segment"):
        answer = server.get(f"/api/v1/reports/daily?{name}=';drop table x;--")
        assert answer.status_code == 422
        assert "there is no" in answer.json()["detail"]


def test_the_database_role_of_the_server_cannot_write(server_home: Path) -> None:
    with psycopg2.connect(**warehouse.settings("reader")) as connection:
        connection.cursor().execute("set transaction read write")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            connection.cursor().execute("delete from marts.fact_sales")
    with (
        psycopg2.connect(**warehouse.settings("reader")) as connection,
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
    ):
        connection.cursor().execute("select * from ops.users")
    with (
        psycopg2.connect(**warehouse.settings("access")) as connection,
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
    ):
        connection.cursor().execute("select * from marts.fact_sales")


def test_a_question_that_takes_too_long_is_ended(server: Server, server_home: Path) -> None:
    """A lock plays the slow plan: the statement's time limit ends it, and others are answered meanwhile."""
    holder = psycopg2.connect(**warehouse.settings("transformer"))
    holder.cursor().execute("lock table marts.dim_channels in access exclusive mode")
    try:
        answers: list[requests.Response] = []
        asking = threading.Thread(
            target=lambda: answers.append(server.get("/api/v1/tables/dim_channels?limit=7"))
        )
        asking.start()
        time.sleep(0.5)
        assert server.get("/api/v1/tables/dim_stores?limit=2").status_code == 200
        asking.join(30)
    finally:
        holder.rollback()
        holder.close()
    assert answers[0].status_code == 504
    assert "too long" in answers[0].json()["detail"]


# ------------------------------------------------------------------------------------------------------- pages


def test_every_response_carries_the_headers_that_keep_a_browser_safe(server: Server) -> None:
    for path in ("/", "/api/v1/metrics", "/nothing", "/api/v1/export/dim_stores.csv", "/metrics"):
        headers = server.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'unsafe-inline'" not in policy
        assert "server" not in {name.lower() for name in headers}


def test_a_page_elsewhere_cannot_point_its_name_at_an_open_server(server: Server) -> None:
    server.get("/api/v1/metrics")  # remembered
    for name in ("evil.example", "[", "127.0.0.1.evil.example", ""):
        answer = server.get("/api/v1/metrics", headers={"Host": name})
        assert answer.status_code in (400, 421), name  # uvicorn itself refuses some


def test_the_dashboard_is_served_with_its_data_and_stays_known(server: Server) -> None:
    page = server.get("/dashboards/dashboard/")
    assert page.status_code == 200
    assert "board-data" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.count("'sha256-") >= 1
    assert "connect-src 'self'" in policy
    again = server.get("/dashboards/dashboard/", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304
    assert (
        server.get("/dashboards/dashboard", allow_redirects=False).headers["Location"]
        == "/dashboards/dashboard/"
    )
    data = server.json("/dashboards/dashboard/data.json")
    assert data.keys() == embedded_data(page).keys()
    index = server.get("/")
    assert 'href="/dashboards/dashboard/"' in index.text


def embedded_sales(page: requests.Response) -> int:
    """The cents of all sales in a page's own data."""
    return sum(embedded_data(page)["rows"]["sales"]["amount"])


def test_a_new_server_shows_the_page_made_last_and_makes_it_anew(server: Server, server_home: Path) -> None:
    before = embedded_sales(server.get("/dashboards/dashboard/"))
    execute("transformer", "update marts.fact_sales set total_amount = total_amount + 5 where sale_id = 1")
    announce(28)
    try:
        with served(server_home) as other:
            page = "/dashboards/dashboard/"
            assert embedded_sales(other.get(page)) == before
            data = other.json(page + "data.json")
            assert sum(data["rows"]["sales"]["amount"]) == before + 500
            other.until(lambda: embedded_sales(other.get(page)) == before + 500, 90)
    finally:
        execute(
            "transformer", "update marts.fact_sales set total_amount = total_amount - 5 where sale_id = 1"
        )
        announce(29)


def test_an_open_dashboard_follows_builds_and_keeps_what_is_chosen(
    server: Server, browser: webdriver.Chrome
) -> None:
    """In a real browser, under the server's own policy: a build changes a filtered tile by what SQL says."""
    server.get("/dashboards/dashboard/")
    board = Board(browser, f"{server.url}/dashboards/dashboard/#days=7&store=Riverside")
    board.wait(lambda: board.find("#board-status").text.startswith("live"), 30)

    def shown() -> float:
        return float(board.tile("sales").lstrip("£").replace(",", ""))

    sql = (
        "select sum(total_amount) from marts.fact_sales join marts.dim_stores using (store_id)"
        f" where store_name = 'Riverside' and sale_date > date '{made_up.LAST_DAY}' - 7"
    )
    board.wait(lambda: shown() == float(rows(sql)[0][0]))
    columns = [name for (name,) in rows(
        "select column_name from information_schema.columns where table_name = 'fact_sales'"
        " and column_name not in ('sale_id', 'total_amount')"
    )]  # fmt: skip
    execute(
        "transformer",
        f"insert into marts.fact_sales (sale_id, total_amount, {', '.join(columns)}) select -1, 1000,"
        f" {', '.join(columns)} from marts.fact_sales where store_id = 2 order by sale_date desc limit 1",
    )
    try:
        announce(30)
        board.wait(lambda: shown() == float(rows(sql)[0][0]))
        assert "store=Riverside" in browser.current_url
        assert board.find("#board-status").text.startswith("live")
        assert [problem for problem in board.problems() if not problem.startswith(server.url)] == []
    finally:
        execute("transformer", "delete from marts.fact_sales where sale_id = -1")
        announce(31)


def test_a_report_of_a_period_is_made_once_and_found_again(server: Server, server_home: Path) -> None:
    path = "/api/v1/reports/daily?from=2025-06-30&to=2025-06-30&format=xlsx"
    first = server.get(path)
    assert first.status_code == 200, first.text
    assert 'filename="daily-2025-06-30.xlsx"' in first.headers["Content-Disposition"]
    made = rows("select count(*) from ops.report_runs where report = 'daily'")
    assert server.get(path).content == first.content
    assert rows("select count(*) from ops.report_runs where report = 'daily'") == made
    listed = server.json("/api/v1/reports?report=daily")["reports"][0]
    assert listed["period"] == "2025-06-30"
    assert server.get(listed["files"]["daily.xlsx"]).content == first.content
    assert listed["report_id"] in server.get("/").text
    archived = server_home / "archive" / listed["report_id"] / "files" / "daily.xlsx"
    assert archived.read_bytes() == first.content


def test_the_server_counts_what_it_does(server: Server) -> None:
    server.get("/api/v1/metrics/total_sales")
    text = server.get("/metrics").text
    assert re.search(r'analytics_requests_total\{route="/api/v1/metrics/\{metric\}",status="200"\} \d+', text)
    assert "analytics_warehouse_up 1.0" in text
    assert re.search(r"analytics_cache_hits [1-9]", text)


def test_the_page_on_the_api_is_written_from_its_description() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.render(), "run: make docs"


# ------------------------------------------------------------------------------------------ starting and away


def test_it_refuses_other_machines_while_nobody_could_log_in(server_home: Path) -> None:
    done = analytics("serve", "--host", "0.0.0.0", "--port", "0", home=server_home)
    assert done.returncode == 2
    assert "add a user first" in done.stderr
    taken = socket.create_server(("127.0.0.1", 0))
    done = analytics("serve", "--port", str(taken.getsockname()[1]), home=server_home)
    assert done.returncode == 2
    assert "choose another --port" in done.stderr


def test_the_warehouse_goes_away_and_comes_back(
    server: Server, server_home: Path, browser: webdriver.Chrome
) -> None:
    board = Board(browser, f"{server.url}/dashboards/dashboard/")
    board.wait(lambda: board.find("#board-status").text.startswith("live"), 30)
    events = Events(server)
    assert events.next()[0] == "build"
    server.json("/api/v1/tables/dim_stores")
    warehouse.stop()
    try:
        server.until(lambda: server.get("/api/v1/health").status_code == 503)
        answer = server.get("/api/v1/tables/dim_stores?limit=4")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "/tmp" not in answer.text
        assert server.get("/api/v1/reports/daily?format=xlsx").status_code == 503
        assert events.next()[0] == "away"
        assert not warehouse.is_running()  # nothing of it starts what somebody stopped
        assert "analytics_warehouse_up 0.0" in server.get("/metrics").text
        board.wait(lambda: board.find("#board-status").text.startswith("stale since"))
    finally:
        warehouse.start()
    assert events.next()[0] == "build"
    server.until(lambda: server.get("/api/v1/health").status_code == 200)
    board.wait(lambda: board.find("#board-status").text.startswith("live"), 30)
    assert server.json("/api/v1/tables/dim_stores?limit=4")["rows"]
    # What was read just before is written down all the same.
    server.until(lambda: rows("select 1 from ops.access_log where what = '/api/v1/tables/dim_stores'"))


def ask_for_a_report(server: Server) -> None:
    with suppress(requests.RequestException):  # the server ends first
        server.get("/api/v1/reports/monthly?format=xlsx")


def test_it_ends_in_order_although_pages_listen_and_a_report_is_made(server_home: Path) -> None:
    with served(server_home) as server:
        events = Events(server)
        events.next()
        making = threading.Thread(target=ask_for_a_report, args=(server,))
        making.start()
        time.sleep(1)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 8
        making.join(10)
