"""The API connector, against real HTTP servers: pages of every kind, authentication, retries, cursors, and
errors that name the page."""

import http.server
import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import SHARED_DATA
from ingest.connectors import Delivery, SourceError, api

pytestmark = pytest.mark.unit


@dataclass
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]


@dataclass
class Answer:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def server(respond: Callable[[Request], Answer]) -> Iterator[str]:
    """Serve what ``respond`` answers; yields the URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            form = dict(parse_qsl(self.rfile.read(length).decode()))
            answer = respond(Request(url.path, dict(parse_qsl(url.query)), dict(self.headers), form))
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/v1"
        finally:
            running.shutdown()  # a server whose socket is closed while it serves would spin for ever


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BACKOFF_SECONDS", 0.001)


def rows(delivery: Delivery) -> list[dict[str, Any]]:
    return [row for batch in delivery.batches() for row in batch.to_pylist()]


def deliver(
    respond: Callable[[Request], Answer], since: str | None = None, until: str | None = None, **place: Any
) -> Delivery:
    with server(respond) as url:
        (delivery,) = api.deliveries({"url": url, "resource": "tickets"} | place, since, until)
        return delivery


def read(respond: Callable[[Request], Answer], **place: Any) -> list[dict[str, Any]]:
    return rows(deliver(respond, **place))


# ---------------------------------------------------------------------------------------------------- pages

RECORDS = [{"id": number} for number in range(5)]
SIZE = 2


def by_number(request: Request) -> Answer:
    page = int(request.query["p"])
    return Answer({"data": RECORDS[(page - 1) * SIZE : page * SIZE], "pages": 3})


def by_number_until_empty(request: Request) -> Answer:
    return Answer(by_number(request).body["data"])


def by_offset(request: Request) -> Answer:
    first, limit = int(request.query["from"]), int(request.query["n"])
    return Answer({"data": RECORDS[first : first + limit], "total": len(RECORDS)})


def by_cursor(request: Request) -> Answer:
    first = int(request.query.get("after", 0))
    after = str(first + SIZE) if first + SIZE < len(RECORDS) else None
    return Answer({"data": RECORDS[first : first + SIZE], "meta": {"next": after}})


def by_link_header(request: Request) -> Answer:
    answer = by_cursor(request)
    after = answer.body["meta"]["next"]
    return Answer(
        answer.body["data"], headers={"Link": f'</v1/tickets?after={after}>; rel="next"'} if after else {}
    )


def by_next_url(request: Request) -> Answer:
    answer = by_cursor(request)
    after = answer.body["meta"]["next"]
    following = f"http://{request.headers['Host']}/v1/tickets?after={after}" if after else None
    return Answer({"data": answer.body["data"], "links": {"next": following}})


@pytest.mark.parametrize(
    ("respond", "place"),
    [
        (
            by_number,
            {"paginate": {"type": "page_number", "page_param": "p", "base_page": 1, "total_path": "pages"}},
        ),
        (
            by_number_until_empty,
            {
                "paginate": {"type": "page_number", "page_param": "p", "base_page": 1, "total_path": None},
                "records": "$",
            },
        ),
        (by_offset, {"paginate": {"type": "offset", "limit": 2, "limit_param": "n", "offset_param": "from"}}),
        (by_cursor, {"paginate": {"type": "cursor", "cursor_path": "meta.next", "cursor_param": "after"}}),
        (by_link_header, {"paginate": "header_link", "records": "$"}),
        (by_next_url, {"paginate": {"type": "json_link", "next_url_path": "links.next"}}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_pages_are_followed_to_the_last(respond: Callable[[Request], Answer], place: dict[str, Any]) -> None:
    found = read(respond, **{"records": "data"} | place)
    assert [(row["id"], row["_file"][-1], row["_line"]) for row in found] == [
        ("0", "1", 1),
        ("1", "1", 2),
        ("2", "2", 3),
        ("3", "2", 4),
        ("4", "3", 5),
    ]
    assert found[0]["_file"] == "v1/tickets?page=1"


def test_the_fingerprint_follows_the_records() -> None:
    place: dict[str, Any] = {"records": "data", "paginate": "single_page"}
    once, again, other = (
        deliver(lambda _, data=data: Answer({"data": data, "at": time.time()}), **place)  # type: ignore[misc]
        for data in (RECORDS, RECORDS, RECORDS[:4])
    )
    assert once.fingerprint == again.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("respond", "paginate"),
    [
        (lambda r: Answer({"data": RECORDS, "next": "/v1/tickets?x=1", "at": time.time()}), "json_link"),
        (lambda r: Answer({"data": RECORDS}), {"type": "page_number", "total_path": None}),
    ],
)
def test_pages_that_go_round_in_a_circle_are_noticed(
    respond: Callable[[Request], Answer], paginate: Any
) -> None:
    with pytest.raises(SourceError, match=r"page [23]: the pages do not come to an end"):
        deliver(respond, records="data", paginate=paginate)


def test_the_page_limit_is_an_error_and_no_cut() -> None:
    place: dict[str, Any] = {
        "records": "data",
        "paginate": {"type": "page_number", "page_param": "p", "base_page": 1, "total_path": "pages"},
    }
    assert len(read(by_number, **place, max_pages=3)) == 5
    with pytest.raises(SourceError, match="page 2: there are more pages than max_pages, which is 2"):
        deliver(by_number, **place, max_pages=2)


def test_one_page_that_nobody_said_is_all_is_told() -> None:
    def respond(request: Request) -> Answer:
        return Answer({"data": RECORDS})

    (note,) = deliver(respond, records="data").notes
    assert note.startswith("the answer leads to no further page")
    assert deliver(respond, records="data", paginate="single_page").notes == []
    found = deliver(by_next_url, records="data")  # a link called next is found
    assert (len(rows(found)), found.notes) == (5, [])


def test_a_paginator_that_does_not_fit_says_so() -> None:
    with pytest.raises(
        SourceError, match="page 1: `paginate` does not fit the answer: Total `pages` not found"
    ):
        deliver(lambda r: Answer({"data": RECORDS}), records="data", paginate={"type": "page_number"})


# -------------------------------------------------------------------------------------------------- records


def single(body: Any, **place: Any) -> list[dict[str, Any]]:
    return read(lambda r: Answer(body), **{"paginate": "single_page"} | place)


def values(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without where they stand."""
    return [{key: value for key, value in row.items() if not key.startswith("_")} for row in found]


def test_nested_records_are_flattened_by_path() -> None:
    record = {
        "id": 7,
        "who": {"name": "Zoë", "at": {"city": "Bonn"}},
        "tags": ["ü", 1],
        "ok": True,
        "no": None,
        "amount": 2.5,
        "e": "",
    }
    assert single([record]) == [
        {
            "id": "7", "who__name": "Zoë", "who__at__city": "Bonn", "tags": '["ü", 1]', "ok": "true", "no": None,
            "amount": "2.5", "e": None, "_file": "v1/tickets?page=1", "_line": 1, "_problem": None,
        }
    ]  # fmt: skip


def test_every_row_has_every_field_of_any_page() -> None:
    pages = {"1": [{"a": 1}], "2": [{"b": "\ud800"}]}
    paginate = {"type": "page_number", "base_page": 1, "total_path": "pages"}
    found = read(
        lambda r: Answer({"data": pages[r.query["page"]], "pages": 2}),
        records="data",
        paginate=paginate,
        optional=["c"],
    )
    assert values(found) == [{"c": None, "a": "1", "b": None}, {"c": None, "a": None, "b": "?"}]


def test_a_nested_list_becomes_rows_that_keep_the_record_around() -> None:
    orders = [
        {"id": 1, "who": {"no": 5}, "lines": [{"sku": "a", "tax": {"rate": 7}}, {"sku": "b"}], "tags": ["x"]},
        {"id": 2, "who": None, "lines": []},
        {"id": 3, "lines": None},
        {"id": 4, "lines": {"sku": "c"}},
        {"id": 5},
    ]
    found = single({"data": orders}, records="data", explode="lines")
    assert [
        (row["id"], row["who__no"], row["lines__sku"], row["lines__tax__rate"], row["tags"]) for row in found
    ] == [
        ("1", "5", "a", "7", '["x"]'),
        ("1", "5", "b", None, '["x"]'),
        ("4", None, "c", None, None),
        ("5", None, None, None, None),
    ]
    assert [row["_line"] for row in found] == [1, 2, 3, 4]
    assert [row["_problem"] for row in found] == [None, None, None, "no list at lines"]


def test_lists_in_lists_and_lists_of_values() -> None:
    order = {"id": 1, "parcels": [{"no": 1, "items": ["a", "b"]}, {"no": 2, "items": ["c"]}]}
    assert values(single([order], explode="parcels.items")) == [
        {"id": "1", "parcels__no": "1", "parcels__items": "a"},
        {"id": "1", "parcels__no": "1", "parcels__items": "b"},
        {"id": "1", "parcels__no": "2", "parcels__items": "c"},
    ]


@pytest.mark.parametrize(
    ("records", "body", "ids"),
    [
        ("data", {"data": []}, []),
        ("data", {"data": None}, []),
        ("data", {"data": {"id": 1}}, ["1"]),
        (
            "data[*].tickets",
            {"data": [{"tickets": [{"id": 1}]}, {"tickets": [{"id": 2}, {"id": 3}]}]},
            ["1", "2", "3"],
        ),
        ("data[*].tickets", {"data": []}, []),
        ("$..tickets", {"kind": "none today"}, []),
        (None, {"items": [{"id": 1}], "count": 1}, ["1"]),
    ],
)
def test_where_the_records_are(records: str | None, body: Any, ids: list[str]) -> None:
    place = {"records": records} if records else {}
    assert [row["id"] for row in single(body, **place)] == ids


@pytest.mark.parametrize(
    ("records", "body", "message"),
    [
        ("data", {"error": {"code": 7}}, r'the answer has no `data`: \{"error": \{"code": 7\}\}'),
        ("data[*].tickets", {"error": "quota"}, r"the answer has no `data\[\*\].tickets`"),
        ("data", {"data": [1, 2]}, "expected records .objects.; set `records`"),
        (
            "data",
            b"<html><body>Please   log in</body></html>",
            "the answer is not JSON: <html><body>Please log in",
        ),
        (None, b"", r"the answer is not JSON: \(empty\)"),
        (None, b"[" * 100_000, r"the answer is not JSON: \[\[\["),
        ("data", b"x" * 1000, f"not JSON: {'x' * 200}…$"),
    ],
)
def test_answers_without_records_are_quoted(records: str | None, body: Any, message: str) -> None:
    with pytest.raises(SourceError, match=rf"http://127.0.0.1:\d+/v1/tickets: page 1: .*{message}"):
        single(body, **({"records": records} if records else {}))


def test_two_values_of_one_path_are_a_problem_and_not_one_value() -> None:
    record = {"a__b": 1, "a": {"b": 2, "c": [{"d": 3}, {"d": 4}]}, "a__c__d": 5}
    assert [row["_problem"] for row in single([record, {"id": 1}])] == ["two values at a__b", None]
    assert [row["_problem"] for row in single([record], explode="a.c")] == ["two values at a__b"] * 2
    record = {"a": [{"b": 1}, {"c": 2}], "a__b": 3}
    assert [row["_problem"] for row in single([record], explode="a")] == ["two values at a__b", None]


def test_a_zero_byte_is_a_problem_of_its_record() -> None:
    good, bad = single([{"a": "x", "b": 1}, {"a": "x\0y", "b": 2}])
    assert (good["_problem"], bad["a"], bad["b"], bad["_problem"]) == (None, r"x\0y", "2", "a zero byte in a")


# --------------------------------------------------------------------------------------------- authentication


@pytest.mark.parametrize(
    ("auth", "right"),
    [
        ({"type": "bearer", "token": "abc"}, lambda r: r.headers.get("Authorization") == "Bearer abc"),
        (
            {"type": "http_basic", "username": "me", "password": "abc"},
            lambda r: r.headers.get("Authorization") == f"Basic {b64encode(b'me:abc').decode()}",
        ),
        ({"type": "api_key", "name": "X-Key", "api_key": "abc"}, lambda r: r.headers.get("X-Key") == "abc"),
        (
            {"type": "api_key", "name": "key", "api_key": "a/c", "location": "query"},
            lambda r: r.query.get("key") == "a/c",
        ),
    ],
    ids=["bearer", "http_basic", "api_key", "api_key in query"],
)
def test_authentication(auth: dict[str, str], right: Callable[[Request], bool]) -> None:
    def respond(request: Request) -> Answer:
        return Answer(RECORDS) if right(request) else Answer({"error": "no"}, 401)

    assert len(read(respond, paginate="single_page", auth=auth)) == 5
    wrong = {key: "wrong%" if value in ("abc", "a/c") else value for key, value in auth.items()}
    with pytest.raises(
        SourceError, match=r'/v1/tickets.*: page 1: 401 Unauthorized: \{"error": "no"\}'
    ) as caught:
        deliver(respond, paginate="single_page", auth=wrong)
    assert "wrong" not in str(caught.value)


def test_oauth2_client_credentials() -> None:
    given: list[str] = []

    def respond(request: Request) -> Answer:
        if request.path == "/slow":
            time.sleep(0.4)
        if request.path == "/token":
            if request.form != {
                "client_id": "us",
                "client_secret": "abc",
                "grant_type": "client_credentials",
            }:
                return Answer({"error": "invalid_client"}, 401)
            given.append(f"token{len(given)}")
            return Answer({"access_token": given[-1], "expires_in": 3600})
        right = request.headers.get("Authorization") == f"Bearer {given[-1]}"
        return by_number(request) if right else Answer(None, 401)

    paginate = {"type": "page_number", "page_param": "p", "base_page": 1, "total_path": "pages"}
    with server(respond) as url:
        auth = {
            "type": "oauth2_client_credentials",
            "access_token_url": url.replace("/v1", "/token"),
            "client_id": "us",
            "client_secret": "abc",
        }
        place = {"url": url, "resource": "tickets", "records": "data", "paginate": paginate, "auth": auth}
        (delivery,) = api.deliveries(place)
        assert len(rows(delivery)) == 5
        assert given == ["token0"]
        place["auth"] = auth | {"client_secret": "wrong"}
        with pytest.raises(SourceError, match=r"/token: page 1: 401 Unauthorized: .*invalid_client"):
            list(api.deliveries(place))
        place |= {"auth": auth | {"access_token_url": url.replace("/v1", "/slow")}, "timeout": 0.1}
        with pytest.raises(SourceError, match=r"/slow: page 1: .*timed out"):
            list(api.deliveries(place))


# ---------------------------------------------------------------------------------------------------- retries


def failing(*first: Answer) -> tuple[Callable[[Request], Answer], list[float]]:
    """A server that gives these answers first, then records; and when it was asked."""
    asked: list[float] = []

    def respond(request: Request) -> Answer:
        asked.append(time.monotonic())
        return first[len(asked) - 1] if len(asked) <= len(first) else Answer(RECORDS)

    return respond, asked


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status: int) -> None:
    respond, asked = failing(Answer(None, status), Answer(None, status))
    assert len(read(respond, paginate="single_page")) == 5
    assert len(asked) == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form: str) -> None:
    later = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
    respond, asked = failing(Answer(None, 429, {"Retry-After": later}))
    read(respond, paginate="single_page")
    assert asked[1] - asked[0] >= 0.95


def test_retries_have_an_end_and_a_wrong_request_has_none() -> None:
    respond, asked = failing(*[Answer({"error": "down"}, 503)] * 9)
    with pytest.raises(SourceError, match=r"page 1: 503 Service Unavailable: .*down"):
        read(respond, paginate="single_page")
    assert len(asked) == api.ATTEMPTS
    respond, asked = failing(Answer(None, 404))
    with pytest.raises(SourceError, match="page 1: 404 Not Found"):
        read(respond, paginate="single_page")
    assert len(asked) == 1


def test_a_server_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ATTEMPTS", 2)
    asked = []

    def respond(request: Request) -> Answer:
        asked.append(1)
        time.sleep(0.4)
        return Answer(RECORDS)

    with pytest.raises(SourceError, match=r"/v1/tickets: page 1: .*timed out"):
        deliver(respond, paginate="single_page", timeout=0.1)
    assert len(asked) == 2


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    auth = {"type": "api_key", "name": "key", "api_key": "abc", "location": "query"}
    with pytest.raises(
        SourceError, match=r"http://127.0.0.1:1/tickets\?key=\*\*\*: page 1: .*refused"
    ) as caught:
        list(api.deliveries({"url": "http://127.0.0.1:1", "resource": "tickets", "auth": auth}))
    assert "abc" not in str(caught.value)


def test_a_page_that_fails_gives_nothing_and_is_named() -> None:
    def respond(request: Request) -> Answer:
        return Answer({"error": "gone"}, 410) if request.query["p"] == "3" else by_number(request)

    place: dict[str, Any] = {
        "records": "data",
        "paginate": {"type": "page_number", "page_param": "p", "base_page": 1, "total_path": "pages"},
    }
    with pytest.raises(SourceError, match=r"/v1/tickets\?p=3: page 3: 410 Gone: "):
        deliver(respond, **place)


# ----------------------------------------------------------------------------------------------------- cursor

TIMES = [
    "2024-05-03T09:59:59Z",
    "2024-05-03T12:00:00+02:00",
    "2024-05-01T00:00:00Z",
    None,
    "2999-01-01T00:00:00Z",
]
CURSOR = {"column": "meta__at", "param": "changed_since", "lag": "2d"}


def test_a_cursor_reads_on_with_its_lag() -> None:
    asked: list[str | None] = []

    def respond(request: Request) -> Answer:
        asked.append(request.query.get("changed_since"))
        return Answer({"data": [{"meta": {"at": at}} for at in TIMES]})

    place: dict[str, Any] = {
        "records": "data",
        "paginate": "single_page",
        "cursor": CURSOR,
        "params": {"size": 9},
    }
    assert deliver(respond, **place).cursor() == "2024-05-03T12:00:00+02:00"
    assert deliver(respond, "2024-05-02T00:00:00Z", **place).cursor() == "2024-05-03T12:00:00+02:00"
    assert deliver(respond, "2024-06-01T00:00:00.250Z", **place).cursor() == "2024-06-01T00:00:00.250Z"
    deliver(respond, "2024-05-01", **place)
    assert asked == [None, "2024-04-30T00:00:00Z", "2024-05-30T00:00:00.250000Z", "2024-04-29"]


def test_a_window_holds_its_records_and_no_other() -> None:
    asked: list[dict[str, str]] = []

    def respond(request: Request) -> Answer:
        asked.append(dict(request.query))
        return Answer({"data": [{"meta": {"at": at}} for at in TIMES]})  # an API that knows no end

    place: dict[str, Any] = {"records": "data", "paginate": "single_page", "cursor": CURSOR}
    found = rows(deliver(respond, "2024-05-02", "2024-05-03T10:00:00Z", **place))
    # What comes before it is the API's to leave out.
    assert [row["meta__at"] for row in found] == ["2024-05-03T09:59:59Z", "2024-05-01T00:00:00Z"]
    deliver(respond, "2024-05-02", "2024-05-03", **place | {"cursor": CURSOR | {"until_param": "before"}})
    assert asked == [
        {"changed_since": "2024-05-02"},
        {"changed_since": "2024-05-02", "before": "2024-05-03"},
    ]


@pytest.mark.parametrize(
    ("lag", "since", "start"),
    [
        ("90s", "2024-05-03 00:01:00", "2024-05-02 23:59:30"),
        ("15m", "2024-05-03T00:00:00+02:00", "2024-05-02T23:45:00+02:00"),
        ("3h", "2024-05-03", "2024-05-02"),
        (0, "2024-05-03T10:00Z", "2024-05-03T10:00Z"),
        (100, "1714730400", "1714730300"),
    ],
)
def test_a_lag_keeps_the_form_of_the_value(lag: Any, since: str, start: str) -> None:
    asked = []

    def respond(request: Request) -> Answer:
        asked.append(request.query["changed_since"])
        return Answer([])

    delivery = deliver(respond, since, records="$", paginate="single_page", cursor=CURSOR | {"lag": lag})
    assert (asked, delivery.cursor()) == ([start], since)


def test_a_cursor_field_that_no_record_has() -> None:
    with pytest.raises(SourceError, match="no cursor field `meta__at`; it has: id"):
        single(RECORDS, cursor=CURSOR)


# ------------------------------------------------------------------------------------------------ properties

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
)
KEYS = st.sampled_from(["a", "b", "a__b", "b__a"]) | st.text("ab_é", min_size=1, max_size=3)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=5
)
RECORDS_OF_ANY_KIND = st.dictionaries(KEYS, VALUES, max_size=4) | st.builds(
    lambda outer, inner: {"a__b": outer, "a": {"b": inner}}, LEAVES, LEAVES
)


def leaves(value: Any, *path: str) -> Iterator[tuple[str, str | None]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, *path, key)
    elif value is None or value == "":
        yield "__".join(path), None
    else:
        yield "__".join(path), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def test_any_documents_are_read_back_value_for_value() -> None:
    pages: list[list[Any]] = []

    def respond(request: Request) -> Answer:
        page = int(request.query["page"])
        return Answer(pages[page] if page < len(pages) else [])

    with server(respond) as url:
        paginate = {"type": "page_number", "total_path": None}
        place = {"url": url, "resource": "tickets", "records": "$", "paginate": paginate}

        @settings(max_examples=30, deadline=None)
        @given(st.lists(st.lists(RECORDS_OF_ANY_KIND, min_size=1, max_size=3), max_size=3))
        def check(drawn: list[list[Any]]) -> None:
            # The same page twice would be a circle.
            pages[:] = [[{"no": number}, *page] for number, page in enumerate(drawn)]
            (delivery,) = api.deliveries(place)
            found = rows(delivery)
            records = [record for page in pages for record in page]
            assert [row["_line"] for row in found] == list(range(1, len(records) + 1))
            for row, record in zip(found, records, strict=True):
                pairs = list(leaves(record))
                twice = len(dict(pairs)) < len(pairs)
                zero = any("\0" in (value or "") for _, value in pairs)
                assert (row["_problem"] is not None) == (twice or zero)
                if not twice and not zero:
                    assert {k: v for k, v in row.items() if v is not None and k[0] != "_"} == {
                        k: v for k, v in pairs if v is not None and k[0] != "_"
                    }
                    assert {k for k, _ in pairs} <= row.keys()

        check()


def test_random_answers_are_records_or_an_error() -> None:
    answer = b""
    with server(lambda request: Answer(answer)) as url:

        @settings(max_examples=100, deadline=None)
        @given(st.binary(max_size=60) | st.text('[]{}":,a1é\\', max_size=40).map(str.encode))
        def check(content: bytes) -> None:
            nonlocal answer
            answer = content
            try:
                (delivery,) = api.deliveries({"url": url, "paginate": "single_page"})
            except SourceError:
                return
            records = json.loads(content)
            assert len(rows(delivery)) == (len(records) if isinstance(records, list) else 1)

        check()


# ---------------------------------------------------------------------------------------------------- Chinook


def test_chinooks_invoice_lines_to_the_cent() -> None:
    folder: Path = SHARED_DATA / "chinook"
    if not folder.exists():
        pytest.skip("the shared data is not here")
    truth = json.loads((folder / "truth.json").read_text())["variants"]["invoice_lines"]
    pages = sorted((folder / "api_pages").glob("page_*.json"))

    def respond(request: Request) -> Answer:
        return Answer(pages[int(request.query.get("page", 1)) - 1].read_bytes())

    paginate = {"type": "json_link", "next_url_path": "links.next"}
    lines = read(respond, records="data", explode="lines", paginate=paginate)
    assert len(lines) == truth["total_rows"]
    assert len({line["id"] for line in lines}) == truth["distinct_sale_ids"]
    assert len({line["customer__CustomerId"] for line in lines}) == truth["distinct_customers"]
    assert len({line["lines__TrackId"] for line in lines}) == truth["distinct_products"]
    assert sum(Decimal(line["lines__Quantity"]) for line in lines) == Decimal(truth["total_quantity"])
    revenue = sum(Decimal(line["lines__UnitPrice"]) * Decimal(line["lines__Quantity"]) for line in lines)
    assert revenue == Decimal(truth["total_revenue_exact"])
    assert [line["_line"] for line in lines] == list(range(1, len(lines) + 1))
