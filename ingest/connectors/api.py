"""REST APIs through dlt's REST client. One delivery a feed: all its pages."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.rest_api.config_setup import create_auth, create_paginator
from requests import RequestException

from ingest.connectors import Delivery, SourceError, text_table

TIMEOUT_SECONDS = 30
ATTEMPTS = 4


def deliveries(place: dict[str, Any]) -> Iterator[Delivery]:
    """All pages of ``place["resource"]`` under ``place["url"]``, fetched before the first row is mapped, so
    that a page that fails leaves what was landed whole.

    Raises:
        SourceError: the API does not answer, refuses, or answers something else than records.
    """
    resource = place.get("resource", "")
    client = RESTClient(
        base_url=place["url"],
        auth=create_auth(place.get("auth")),
        paginator=create_paginator(place.get("paginate")),
        data_selector=place.get("records"),
        session=Client(request_timeout=TIMEOUT_SECONDS, request_max_attempts=ATTEMPTS).session,
    )
    name = "/".join(part for part in (urlsplit(place["url"]).path.strip("/"), resource.strip("/")) if part)
    digest = hashlib.sha256()
    pages: list[pa.Table] = []
    try:
        first_line = 1  # records are counted through all pages, so that their order of arrival is one
        for number, page in enumerate(client.paginate(resource, params=place.get("params")), start=1):
            digest.update(json.dumps(page, sort_keys=True).encode())
            pages.append(_table(page, f"{name}?page={number}", first_line))
            first_line += len(page)
    except RequestException as error:
        raise SourceError(f"{place['url']}/{resource}: {error}") from error
    yield Delivery(name, digest.hexdigest(), lambda: iter(pages))


def _table(records: list[Any], page: str, first_line: int) -> pa.Table:
    flat = []
    for record in records:
        if not isinstance(record, dict):
            raise SourceError(
                f"{page}: expected records (objects), found {type(record).__name__}; set `records`"
            )
        flat.append(dict(_flatten(record)))
    header = list(dict.fromkeys(key for record in flat for key in record))
    rows = [[record.get(key) for key in header] for record in flat]
    return text_table(header, rows, page, range(first_line, first_line + len(rows)))


def _flatten(record: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """A nested object's values by path (``customer__name``); lists stay JSON text."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}__")
        elif value is None or isinstance(value, str):
            yield f"{prefix}{key}", value
        else:
            yield f"{prefix}{key}", json.dumps(value, ensure_ascii=False)
