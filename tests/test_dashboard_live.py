"""The dashboard behind a server: it learns of new data, keeps what is chosen, and says honestly when it hears nothing.

The server is a small one of the test's: it serves the page, `data.json` and `/events` as the real one does.
"""

import base64
import hashlib
import json
import queue
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from dashboard_browser import Board
from selenium import webdriver

from conftest import select
from ingest import warehouse
from reports.dashboard.cells import dashboard_data


def policy(page: str) -> str:
    """The strictest one under which the page may run: its own scripts by their hashes, and no eval."""
    codes = re.findall(r"<script(?: type=\"module\")?>(.*?)</script>", page, re.DOTALL)
    assert len(codes) == 2
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in codes]
    scripts = " ".join(f"'sha256-{found}'" for found in hashes)
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'"
    )


class Server:
    """Serves the page; `tell` sends a build to all who listen, `drop` ends their lines."""

    def __init__(self, page: Path, data: dict[str, Any]) -> None:
        self.page, self.data = page.read_bytes(), data
        self.policy = policy(page.read_text(encoding="utf-8"))
        self.lines: list[queue.Queue[bytes | None]] = []
        self.asked: list[tuple[str, int]] = []
        self.is_open = True
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        if path == "/events" and self.is_open:
            return self.stream(request)
        etag = f'"{self.data["load_id"]}"'
        if path == "/dashboards/dashboard/data.json" and request.headers.get("If-None-Match") == etag:
            status, kind, body = 304, "application/json", b""
        elif path == "/dashboards/dashboard/data.json":
            status, kind, body = 200, "application/json", json.dumps(self.data).encode()
        elif path == "/dashboards/dashboard/":
            status, kind, body = 200, "text/html; charset=utf-8", self.page
        else:
            status, kind, body = 503, "text/plain", b"away"
        self.asked.append((path, status))
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Content-Security-Policy", self.policy)
        request.end_headers()
        request.wfile.write(body)

    def stream(self, request: BaseHTTPRequestHandler) -> None:
        line: queue.Queue[bytes | None] = queue.Queue()
        self.lines.append(line)
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.send_header("Connection", "close")
        request.end_headers()
        text: bytes | None = b": here\n\n"
        while text is not None:
            request.wfile.write(text)
            request.wfile.flush()
            text = line.get()
        request.close_connection = True

    def tell(self, text: bytes | None) -> None:
        for line in self.lines:
            line.put(text)

    def build(self) -> None:
        facts = json.dumps({"load_id": self.data["load_id"], "built_at": self.data["built_at"]})
        self.tell(f"event: build\ndata: {facts}\n\n".encode())


@pytest.fixture
def server(dashboard_home: Path, dashboard_page: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("ANALYTICS_HOME", str(dashboard_home))
    connection = warehouse.connect("reader")
    try:
        running = Server(dashboard_page, dashboard_data(connection))
    finally:
        connection.close()
    yield running
    running.tell(None)
    running.http.shutdown()


@pytest.fixture
def board(browser: webdriver.Chrome, server: Server) -> Board:
    board = Board(browser, f"{server.address}/dashboards/dashboard/#days=7&store=Riverside")
    board.wait(lambda: board.find("#board-status").text.startswith("live"))
    return board


def with_a_sale_more(data: dict[str, Any]) -> dict[str, Any]:
    """The data after a build in which Riverside sold for £1,000 more on the last day."""
    new = json.loads(json.dumps(data))
    sales, visits = new["rows"]["sales"], new["rows"]["visits"]
    place = len(sales["day"]) - 1
    riverside = new["names"]["store"].index("Riverside")
    for name, column in sales.items():
        column.append(
            {"store": riverside, "amount": 100_000, "units": 1, "profit": 50_000}.get(name, column[place])
        )
    for name, column in visits.items():
        if name == "items":
            column.append(sales["product"][-1])
        else:
            column.append({"store": riverside, "length": 1, "starts": 1, "is_new": 0}.get(name, column[-1]))
    new["load_id"] += 1
    return new  # type: ignore[no-any-return]


def money(text: str) -> float:
    return float(text.replace("£", "").replace(",", ""))


def test_a_build_changes_tiles_and_charts_in_place_and_keeps_the_filters(
    dashboard_home: Path, server: Server, board: Board
) -> None:
    before = board.tiles()
    ((sales,),) = select(
        dashboard_home,
        "select sum(total_amount) from marts.fact_sales join marts.dim_stores using (store_id)"
        " where store_name = 'Riverside' and sale_date > date '2025-06-30' - 7",
    )
    assert money(before["sales"]) == float(str(sales))
    board.script("window.same = true")
    address = board.driver.current_url
    server.data = with_a_sale_more(server.data)
    server.build()
    board.wait(lambda: board.tile("sales") != before["sales"])
    after = board.tiles()
    assert money(after["sales"]) == pytest.approx(money(before["sales"]) + 1000)
    assert int(after["transactions"]) == int(before["transactions"]) + 1
    assert board.bars("by_store")["Riverside"] == pytest.approx(money(before["sales"]) + 1000)
    assert board.driver.current_url == address
    assert board.script("return window.same")  # it was no reload
    refused = [entry["message"] for entry in board.driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert refused == []  # under a strict policy too


def test_what_has_not_changed_is_not_sent_again(server: Server, board: Board) -> None:
    server.build()
    board.wait(lambda: ("/dashboards/dashboard/data.json", 304) in server.asked)
    assert [status for path, status in server.asked if path.endswith("data.json")] == [200, 304]


def test_a_heartbeat_keeps_it_live_and_a_lost_line_is_told_and_found_again(
    server: Server, board: Board
) -> None:
    def status() -> str:
        return board.find("#board-status").text

    board.wait(lambda: status() == "live · 2 s ago")
    server.tell(b": still here\n\n")
    board.wait(lambda: status() == "live · 0 s ago")
    server.is_open = False
    server.tell(None)
    board.wait(lambda: status().startswith("stale since "))
    assert board.find("#board-status").get_attribute("data-state") == "stale"
    server.data = with_a_sale_more(server.data)
    server.lines.clear()
    before = board.tile("sales")
    server.is_open = True  # what was built meanwhile is shown once the line stands again
    board.wait(lambda: status().startswith("live") and board.tile("sales") != before, seconds=15)


def test_silence_is_noticed_though_the_line_stands(server: Server, board: Board) -> None:
    """After 25 seconds; the page's clock and timers are turned forward instead of waiting."""
    fast = """
        const real = window.setTimeout;
        window.setTimeout = (act, after, ...more) => real(act, after > 20000 ? 300 : after, ...more);
    """
    board.script(fast)
    server.is_open = False
    server.tell(b": the last sign of life\n\n")
    time.sleep(0.2)
    board.wait(lambda: board.find("#board-status").text.startswith("stale since "))


def test_the_pdf_is_asked_for_with_period_and_filter(server: Server, board: Board) -> None:
    link = board.find("#board-report").get_attribute("href")
    assert link == (
        f"{server.address}/api/v1/reports/monthly?from=2025-06-24&to=2025-06-30&format=pdf&store=Riverside"
    )
