"""REST APIs, through dlt's REST client. One delivery a feed: all its pages.

The pages are fetched before the first row is handed on, into a temporary file, so that a page that fails
leaves what was landed whole, and memory holds one page at a time.
"""

import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any
from urllib.parse import quote, quote_plus, urlsplit

import pyarrow as pa
from dlt.common import jsonpath
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.exceptions import PaginatorNotFound
from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator
from dlt.sources.rest_api.config_setup import create_auth, create_paginator
from requests import HTTPError, JSONDecodeError, RequestException, Response

from ingest.connectors import BATCH_ROWS, Delivery, SourceError, check_header, text_table
from ingest.connectors.cursor import Cursor

TIMEOUT_SECONDS = 30
MAX_PAGES = 10_000
# dlt's client tries again after 429, 5xx and lost connections: as late as Retry-After says, up to the longest
# wait, else after twice the time of the time before.
ATTEMPTS = 5
BACKOFF_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300
WILDCARD = re.compile(r"\.\.|\.\*|\[[*?]")
QUOTED = 200  # characters of an answer that an error shows


def deliveries(
    place: dict[str, Any], since: str | None = None, until: str | None = None
) -> Iterator[Delivery]:
    """All records of ``place["resource"]`` under ``place["url"]``; with a cursor, those that the API gives
    for its parameter, and before ``until``.

    Raises:
        SourceError: the API does not answer, refuses, never comes to an end, or answers something else than
            records; the message names the page.
    """
    cursor = Cursor(place.get("cursor"), since, until)
    spool = _fetch(place, cursor)
    if cursor.column and spool.rows and cursor.column not in spool.header:
        raise SourceError(
            f"{spool.name}: no cursor field `{cursor.column}`; it has: {', '.join(spool.header)}"
        )
    check_header([*spool.header, "_file", "_line", "_problem"], spool.name)
    yield Delivery(
        spool.name, spool.digest.hexdigest(), partial(_batches, spool), cursor.greatest, spool.notes
    )


@dataclass
class _Spool:
    """The rows of all pages in a file: a line of JSON a page, with its number and its rows. ``header`` has
    every field of any page, as keys in order."""

    name: str
    file: IO[str]
    header: dict[str, None]
    rows: int = 0
    notes: list[str] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, number: int, rows: list["_Row"]) -> None:
        for values, _ in rows:
            self.header.update(dict.fromkeys(values))
        content = json.dumps(rows, ensure_ascii=False)
        self.digest.update(content.encode("utf-8", "replace"))
        self.file.write(f"[{number}, {content}]\n")
        self.rows += len(rows)


_Row = tuple[dict[str, str | None], str | None]
"""A record's values by field, and why it is none, if so."""


def _fetch(place: dict[str, Any], cursor: Cursor) -> _Spool:
    url, resource = place["url"], place.get("resource", "")
    name = "/".join(part for part in (urlsplit(url).path.strip("/"), resource.strip("/")) if part)
    file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
    spool = _Spool(name, file, dict.fromkeys(place.get("optional", [])))
    parameters = dict(place.get("params", {}))
    if cursor.start is not None:
        parameters[place["cursor"]["param"]] = cursor.start
    if cursor.end is not None and "until_param" in place["cursor"]:
        parameters[place["cursor"]["until_param"]] = cursor.end
    path = place["explode"].split(".") if "explode" in place else []
    limit = place.get("max_pages", MAX_PAGES)
    client = _Client(place)
    number = 1
    try:
        for page in client.paginate(resource, params=parameters):
            rows = [row for record in page for row in _rows(record, path)]
            if cursor.column:
                cursor.see(values.get(cursor.column) for values, _ in rows)
                rows = [row for row in rows if cursor.takes(row[0].get(cursor.column))]
            spool.add(number, rows)
            if number == limit and page.paginator.has_next_page:
                raise SourceError(
                    f"there are more pages than max_pages, which is {limit:,}, or no end of them"
                )
            if "paginate" not in place and isinstance(page.paginator, SinglePagePaginator):
                spool.notes = [
                    "the answer leads to no further page; where there are some, say how in `paginate`"
                ]
            number += 1
    except (SourceError, RequestException, PaginatorNotFound, ValueError) as error:
        asked = getattr(getattr(error, "request", None), "url", None) or client.url or f"{url}/{resource}"
        raise SourceError(_hidden(f"{asked}: page {number}: {_reason(error)}", place)) from error
    return spool


def _batches(spool: _Spool) -> Iterator[pa.Table]:
    spool.file.seek(0)
    header = list(spool.header)
    first_line = 1  # rows are counted through all pages, so that their order of arrival is one
    for line in spool.file:
        number, page = json.loads(line)
        for first in range(0, len(page), BATCH_ROWS):
            rows = page[first : first + BATCH_ROWS]
            yield text_table(
                header,
                [[values.get(name) for name in header] for values, _ in rows],
                f"{spool.name}?page={number}",
                range(first_line, first_line + len(rows)),
                [problem for _, problem in rows],
            )
            first_line += len(rows)


class _Client(RESTClient):
    """dlt's client, but an answer without records is an error, and so is a page that was seen before."""

    def __init__(self, place: dict[str, Any]) -> None:
        session = Client(
            request_timeout=place.get("timeout", TIMEOUT_SECONDS),
            raise_for_status=False,
            request_max_attempts=ATTEMPTS,
            request_backoff_factor=BACKOFF_SECONDS,
            request_max_retry_delay=LONGEST_WAIT_SECONDS,
        ).session
        auth = place.get("auth")
        if auth and auth["type"] == "oauth2_client_credentials":
            auth = auth | {"session": session}  # so that asking for a token has the same limits
        super().__init__(
            base_url=place["url"],
            auth=create_auth(auth),
            paginator=create_paginator(place.get("paginate")),
            data_selector=place.get("records"),
            session=session,
        )
        self.url: str | None = None
        self._asked: set[str] = set()
        self._previous = b""

    def detect_data_selector(self, response: Response) -> str:
        """Where the records are, if ``records`` does not say it."""
        self._answer(response)
        return super().detect_data_selector(response)

    def extract_response(self, response: Response, data_selector: jsonpath.TJsonPath) -> list[Any]:
        """The records of a page.

        Raises:
            SourceError: the answer has no place for records, or the pages go round in a circle.
        """
        answer = self._answer(response)
        found = jsonpath.find_values(data_selector, answer)
        # A path with a wildcard finds nothing in an empty list; then what is before it must be there.
        outer, *wildcard = WILDCARD.split(str(data_selector), maxsplit=1)
        if not found and not (wildcard and jsonpath.find_values(outer or "$", answer)):
            raise SourceError(f"the answer has no `{data_selector}`: {_quoted(response)}")
        records = [
            record
            for value in found
            if value is not None
            for record in (value if isinstance(value, list) else [value])
        ]
        if not all(isinstance(record, dict) for record in records):
            raise SourceError(
                f"expected records (objects); set `records` to where they are: {_quoted(response)}"
            )
        self._refuse_circle(response, bool(records))
        return records

    def _answer(self, response: Response) -> Any:
        self.url = response.url
        try:
            return response.json()
        except (JSONDecodeError, RecursionError) as error:  # the latter of brackets without an end
            raise SourceError(f"the answer is not JSON: {_quoted(response)}") from error

    def _refuse_circle(self, response: Response, has_records: bool) -> None:
        content = hashlib.sha256(response.content).digest()
        if response.url in self._asked or (has_records and content == self._previous):
            raise SourceError("the pages do not come to an end: this one was given before; mend `paginate`")
        self._asked.add(response.url)
        self._previous = content


def _rows(record: dict[str, Any], path: list[str], prefix: str = "") -> Iterator[_Row]:
    """A record as one row, or a row for each element of the list at ``path``, which keeps the fields of the
    record around it."""
    if not path:
        yield _values(record, prefix)
        return
    inner, rest, inside = path[0], path[1:], f"{prefix}{path[0]}__"
    outer, problem = _values({key: value for key, value in record.items() if key != inner}, prefix)
    elements = record.get(inner, "")
    if isinstance(elements, dict):
        elements = [elements]
    if elements is not None and not isinstance(elements, list):
        yield outer, problem or f"no list at {prefix}{inner}"
        return
    for element in elements or ():
        rows = [_values({inner: element}, prefix)]
        if isinstance(element, dict):
            rows = list(_rows(element, rest, inside))
        for values, wrong in rows:
            yield outer | values, problem or wrong or _twice(outer.keys() & values.keys())


def _values(record: dict[str, Any], prefix: str) -> _Row:
    """The values of a record, and what is wrong where two of them have one path, as `a__b` and `b` in `a`."""
    pairs = list(_flatten(record, prefix))
    values = dict(pairs)
    if len(values) == len(pairs):
        return values, None
    return values, _twice({path for path, times in Counter(path for path, _ in pairs).items() if times > 1})


def _twice(paths: Collection[str]) -> str | None:
    return f"two values at {min(paths)}" if paths else None


def _flatten(record: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """A nested object's values by path (``customer__name``); lists stay JSON text."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}__")
        elif value is None or isinstance(value, str):
            yield f"{prefix}{key}", value
        else:
            yield f"{prefix}{key}", json.dumps(value, ensure_ascii=False)


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}: {_quoted(error.response)}"
    if isinstance(error, ValueError) and not isinstance(error, RequestException):
        return f"`paginate` does not fit the answer: {str(error)[:QUOTED]}"
    return str(error)


def _quoted(response: Response) -> str:
    text = " ".join(response.text[: 2 * QUOTED].split())
    return text[:QUOTED] + "…" if len(text) > QUOTED else text or "(empty)"


def _hidden(message: str, place: dict[str, Any]) -> str:
    """A message with the secrets of ``auth`` made unreadable, as some APIs take them in the URL."""
    auth = place.get("auth", {})
    for secret in (auth[key] for key in ("token", "password", "api_key", "client_secret") if auth.get(key)):
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            message = message.replace(form, "***")
    return message
