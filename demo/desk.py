"""The demo's help desk: a local REST server with bearer token and pages. It serves records and knows none."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from demo import retailer
from demo.planted import DESK_PAGE_SIZE
from ingest import warehouse

LARGEST_PAGE = 5_000


class DeskServer(ThreadingHTTPServer):
    """``GET /v1/<resource>?page=N&page_size=M`` → ``{"data": […], "page": N, "pages": P}``, on loopback.

    ``since`` and ``until`` choose records by their ``started_at``: from the one on, before the other.
    """

    daemon_threads = True

    def __init__(self, folder: Path, token: str) -> None:
        """Serve the ``<resource>.jsonl`` files of ``folder`` on a free port to whoever has the token."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.resources = {file.stem: file.read_bytes().splitlines() for file in folder.glob("*.jsonl")}

    @property
    def url(self) -> str:
        """The server's address without the version."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: DeskServer
    protocol_version = "HTTP/1.1"  # keep-alive
    disable_nagle_algorithm = True  # head and body are two writes: do not wait for the first one's receipt

    def do_GET(self) -> None:
        """Answer one page, or say what is wrong with the request."""
        given = self.headers.get("Authorization", "")
        if not compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            return self._fail(HTTPStatus.UNAUTHORIZED, "a bearer token is required")
        address = urlsplit(self.path)
        version, _, resource = address.path.strip("/").partition("/")
        if version != "v1" or resource not in self.server.resources:
            return self._fail(HTTPStatus.NOT_FOUND, "no such resource")
        query = parse_qs(address.query)
        try:
            page = int(query.get("page", ["1"])[0])
            size = int(query.get("page_size", [str(DESK_PAGE_SIZE)])[0])
        except ValueError:
            return self._fail(HTTPStatus.BAD_REQUEST, "page and page_size are whole numbers")
        if page < 1 or not 1 <= size <= LARGEST_PAGE:
            return self._fail(HTTPStatus.BAD_REQUEST, f"page is from 1, page_size from 1 to {LARGEST_PAGE}")
        records = self.server.resources[resource]
        since, until = (query.get(name, [""])[0] for name in ("since", "until"))
        if since or until:
            times = ((json.loads(record).get("started_at", ""), record) for record in records)
            records = [record for at, record in times if at >= since and (not until or at < until)]
        data = b",".join(records[(page - 1) * size : page * size])
        pages = max(-(-len(records) // size), 1)
        return self._answer(HTTPStatus.OK, b'{"data":[%b],"page":%d,"pages":%d}' % (data, page, pages))

    def _fail(self, status: HTTPStatus, message: str) -> None:
        self._answer(status, json.dumps({"error": message}).encode())

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the loads are the log."""


@contextmanager
def desk_server(home: Path | None = None) -> Iterator[None]:
    """Serve the desk of ``home`` (default: this installation's), with DESK_URL and DESK_TOKEN set meanwhile.

    Does nothing when DESK_URL is set already (a desk of the user's own) or when the home has no demo data.
    """
    folder = retailer.folder(home or warehouse.home()) / "desk"
    if os.environ.get("DESK_URL") or not folder.is_dir():
        yield
        return
    before = {name: os.environ.get(name) for name in ("DESK_URL", "DESK_TOKEN")}
    with DeskServer(folder, token=secrets.token_hex(16)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        os.environ.update(DESK_URL=server.url, DESK_TOKEN=server.token)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
            server.shutdown()
            thread.join()
