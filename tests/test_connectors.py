"""Connectors: each kind of source parses, and what cannot be read is said, never lost."""

import http.server
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import xlsxwriter

from ingest.connectors import Delivery, SourceError, api, database, excel

pytestmark = pytest.mark.unit


def rows(delivery: Delivery) -> list[dict[str, Any]]:
    return [row for batch in delivery.batches() for row in batch.to_pylist()]


# ---------------------------------------------------------------------------------------------------- Excel


def test_excel_cells_become_the_text_a_person_reads(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet = workbook.add_worksheet("Products")
        sheet.write_row(0, 0, ["code", "price", "count", "since", "active"])
        sheet.write_row(1, 0, ["0012", 2.5, 7])
        sheet.write_datetime(1, 3, datetime(2024, 2, 29), day)
        sheet.write_boolean(1, 4, True)
        sheet.write_row(3, 0, ["0013", 0.1 + 0.2])  # row 3 is blank
    (delivery,) = excel.deliveries({"path": str(file), "sheet": "Products"})
    first, second = rows(delivery)
    assert (first["code"], first["price"], first["count"], first["active"]) == ("0012", "2.5", "7", "true")
    assert date.fromisoformat(first["since"][:10]) == date(2024, 2, 29)
    assert (second["code"], second["price"], second["_line"]) == ("0013", "0.3", 4)
    assert second["_file"].endswith("a.xlsx#Products")


def test_excel_without_the_sheet_names_those_it_has(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        workbook.add_worksheet("Sales 2024")
    (delivery,) = excel.deliveries({"path": str(file), "sheet": "Sales"})
    with pytest.raises(SourceError, match="no sheet `Sales`; it has: Sales 2024"):
        rows(delivery)


def test_excel_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 not really")
    (delivery,) = excel.deliveries({"path": str(tmp_path / "a.xlsx"), "sheet": "Sales"})
    with pytest.raises(SourceError, match="not a workbook that can be read"):
        rows(delivery)


# ------------------------------------------------------------------------------------------------- database


def test_database_rows_arrive_as_text(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("create table customers (no integer, name text, credit numeric(10, 2), born date)")
        connection.execute(
            "insert into customers values (1, 'Zoë', 2.5, '1980-02-29'), (2, null, null, null)"
        )
    (delivery,) = database.deliveries({"url": f"sqlite:///{file}", "table": "customers"})
    first, second = rows(delivery)
    assert (first["no"], first["name"], float(first["credit"]), first["born"]) == (
        "1",
        "Zoë",
        2.5,
        "1980-02-29",
    )
    assert (second["no"], second["name"], second["_line"], second["_file"]) == ("2", None, 2, "customers")


def test_database_without_the_table_says_so(tmp_path: Path) -> None:
    (delivery,) = database.deliveries({"url": f"sqlite:///{tmp_path}/a.sqlite", "table": "customers"})
    with pytest.raises(SourceError, match="customers: the database has no such table"):
        rows(delivery)


# ------------------------------------------------------------------------------------------------------ API


class Desk(http.server.BaseHTTPRequestHandler):
    """Five records on three pages, for whoever has the token; page 2 fails the first time it is asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        if self.headers.get("Authorization") != "Bearer right":
            return self.answer(401, {"error": "no"})
        if page == 2 and sum("page=2" in path for path in self.asked) == 1:
            return self.answer(503, {"error": "busy"})
        records = [
            {"id": n, "who": {"name": f"n{n}"}, "tags": ["x"], "ok": True, "none": None} for n in range(5)
        ]
        return self.answer(200, {"data": records[(page - 1) * 2 : page * 2], "pages": 3})

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def desk() -> Iterator[str]:
    Desk.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def api_place(url: str, token: str = "right") -> dict[str, Any]:
    return {
        "url": url,
        "resource": "tickets",
        "records": "data",
        "auth": {"type": "bearer", "token": token},
        "paginate": {"type": "page_number", "page_param": "page", "base_page": 1, "total_path": "pages"},
    }


def test_api_pages_are_followed_and_records_flattened(desk: str) -> None:
    (delivery,) = api.deliveries(api_place(desk))
    found = rows(delivery)
    assert [row["id"] for row in found] == ["0", "1", "2", "3", "4"]
    assert found[2] == {
        "id": "2", "who__name": "n2", "tags": '["x"]', "ok": "true", "none": None,
        "_file": "v1/tickets?page=2", "_line": 3, "_problem": None,
    }  # fmt: skip


def test_api_that_refuses_says_so(desk: str) -> None:
    with pytest.raises(SourceError, match="tickets: 401"):
        list(api.deliveries(api_place(desk, token="wrong")))
