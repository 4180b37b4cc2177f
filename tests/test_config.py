"""sources.yml: what is right is read, what is wrong is named with its line and the mend."""

import inspect
from datetime import date
from pathlib import Path

import pytest
import yaml
from dlt.sources.rest_api.config_setup import AUTH_MAP, PAGINATOR_MAP

from ingest.config import ConfigError, load_sources
from ingest.places import AUTH, PAGINATE

pytestmark = pytest.mark.unit

GOOD = """\
sources:
  shop:
    kind: csv
    path: inbox/*.csv
    timezone: Europe/London
    feeds:
      sales:
        key: [sale_code]
        columns:
          sale_code: no
          sold_at: "strptime(day, '%d/%m/%Y')"
          quantity: qty
          unit_price: price
        rules:
          price_not_negative: "unit_price >= 0"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "sources.yml"
    file.write_text(text)
    return file


def test_a_good_file_is_read(tmp_path: Path) -> None:
    source = load_sources(written(tmp_path, GOOD))["shop"]
    (feed,) = source.feeds
    assert (source.kind, feed.entity.name, feed.timezone) == ("csv", "sales", "Europe/London")
    assert feed.columns["quantity"] == "qty"
    assert feed.rules == {"price_not_negative": "unit_price >= 0"}
    assert feed.place == {"path": "inbox/*.csv"}
    assert feed.where("quantity").endswith("sources.yml:12")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("kind: csv", "kind: cvs", 3, "unknown kind `cvs`; did you mean `csv`?"),
        ("    path:", "    pth:", 4, "unknown key `pth`; did you mean `path`?"),
        ("Europe/London", "Europe/Lodnon", 5, "no such time zone: 'Europe/Lodnon'"),
        ("      sales:", "      sale:", 7, "unknown entity `sale`; did you mean `sales`?"),
        ("key: [sale_code]", "key: [no]", 8, "the key of sales is [sale_code]"),
        ("          quantity:", "          quantities:", 12, "did you mean `quantity`?"),
        ("          quantity: qty\n", "", 9, "the column `quantity` of sales must be mapped"),
        ("          unit_price: price\n", "", 9, "map `unit_price` or `total_amount`"),
        ("quantity: qty", "quantity: 'qty +'", 12, "not a SQL expression"),
        ("quantity: qty", "quantity: 'qty); drop table x; select (1'", 12, "not a SQL expression"),
        ("    path: inbox/*.csv\n", "", 6, "a source of kind csv needs `path`"),
        ("quantity: qty", "quantity: qty\n          quantity: qty", 13, "a duplicate key (first in line 12)"),
        ("quantity: qty", "quantity: [qty", 13, "not valid YAML"),
        ("    kind: csv", "    kind: csv\n    mode: replace", 4, "unknown mode `replace`"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_mend(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in GOOD
    file = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_sources(file)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert message in str(caught.value)


EXCEL = """\
sources:
  office:
    kind: excel
    path: office.xlsx
    sheet: Sales 20*
    options: {header: auto, hidden: false, max_expanded_mb: 64}
    feeds: {channels: {columns: {channel_code: code}}}
"""
API = """\
sources:
  desk:
    kind: api
    url: ${DESK_URL}/v1
    resource: tickets
    params: {size: 100}
    auth: {type: bearer, token: "${DESK_TOKEN}"}
    paginate: {type: page_number, base_page: 0, total_path: null}
    records: data[*].tickets
    explode: order.lines
    optional: [customer__number]
    cursor: {column: updated_at, param: since, until_param: before, lag: 2d, first_day: 2024-01-01}
    timeout: 2.5
    max_pages: 10
    feeds: {channels: {columns: {channel_code: code}}}
"""
DATABASE = """\
sources:
  erp:
    kind: database
    url: ${ERP_URL}
    table: customers
    cursor: {column: updated_at, lag: 3600}
    feeds: {channels: {columns: {channel_code: code}}}
"""
CSV = """\
sources:
  shop:
    kind: csv
    path: "*.csv"
    options: {encoding: cp1252, delimiter: ";", header: 3, decimal: ",", thousands: ".", max_expanded_mb: 9}
    feeds: {channels: {columns: {channel_code: code}}}
"""


@pytest.mark.parametrize("text", [EXCEL, API, DATABASE, CSV])
def test_where_the_rows_are_is_read(tmp_path: Path, text: str) -> None:
    (source,) = load_sources(written(tmp_path, text)).values()
    stated = yaml.safe_load(text)["sources"][source.name]
    assert source.feeds[0].place == {key: stated[key] for key in stated if key not in ("kind", "feeds")}


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "message"),
    [
        (
            EXCEL,
            "header: auto",
            "header: 0",
            6,
            "options.header: expected `auto` or the number of the header's",
        ),
        (EXCEL, "hidden: false", "hidden: 1", 6, "options.hidden: expected true or false, found 1"),
        (EXCEL, "hidden: false", "hidden: true", 7, "needs the sheet's exact name"),
        (
            EXCEL,
            "max_expanded_mb",
            "max_expand_mb",
            6,
            "unknown key `max_expand_mb`; did you mean `max_expanded_mb`?",
        ),
        (EXCEL, "{header: auto", "{encoding: utf-8", 6, "unknown key `encoding`"),
        (EXCEL, "sheet: Sales 20*", "sheet: [a]", 5, "sheet: expected a text, found ['a']"),
        (
            EXCEL,
            "{header: auto, hidden: false, max_expanded_mb: 64}",
            "auto",
            6,
            "expected a mapping of header, hid",
        ),
        (API, "url: ${DESK_URL}/v1", "url: ''", 4, "url: expected a text"),
        (API, "{size: 100}", "[size]", 6, "params: expected a mapping of names to values"),
        (API, "type: bearer", "type: barer", 7, "auth: unknown type `barer`; did you mean `bearer`?"),
        (
            API,
            'bearer, token: "${DESK_TOKEN}"',
            "basic",
            7,
            "auth: unknown type `basic`; did you mean `http_basic`?",
        ),
        (
            API,
            "type: bearer, ",
            "",
            7,
            "auth: unknown type `None`; it can be: api_key, bearer, http_basic, oauth2",
        ),
        (API, ', token: "${DESK_TOKEN}"', "", 7, "auth: `token` is missing"),
        (API, "token:", "tokn:", 7, "auth.tokn: unknown key `tokn`; did you mean `token`?"),
        (API, "page_number, base_page: 0, total_path: null", "offset", 8, "paginate: `limit` is missing"),
        (
            API,
            "page_number",
            "page_numbr",
            8,
            "paginate: unknown type `page_numbr`; did you mean `page_number`?",
        ),
        (API, "total_path", "maximum_page", 8, "unknown key `maximum_page`"),
        (
            API,
            "base_page: 0",
            "base_page: -1",
            8,
            "paginate.base_page: expected a whole number from 0, found -1",
        ),
        (API, "total_path: null", "total_path: 'a['", 8, "paginate.total_path: expected a JSONPath"),
        (API, "data[*].tickets", "'data['", 9, "records: expected a JSONPath such as data"),
        (API, "order.lines", "order..lines", 10, "explode: expected keys joined by dots"),
        (API, "[customer__number]", "customer__number", 11, "optional: expected a list of texts"),
        (API, "param: since, ", "", 12, "cursor: `param` is missing"),
        (API, "lag: 2d", "lag: 2 days", 12, "cursor.lag: expected a time such as 30s, 15m, 2h or 2d"),
        (API, "2.5", "soon", 13, "timeout: expected a number above 0, found 'soon'"),
        (API, "max_pages: 10", "max_pages: 0", 14, "max_pages: expected a whole number from 1, found 0"),
        (DATABASE, "    table: customers\n", "", 6, "needs `table` or `query`, one of the two"),
        (
            DATABASE,
            "table: customers",
            "table: customers\n    query: select 1",
            8,
            "needs `table` or `query`, one of",
        ),
        (DATABASE, "column: updated_at, ", "", 6, "cursor: `column` is missing"),
        (DATABASE, "lag: 3600", "param: since", 6, "cursor.param: unknown key `param`"),
        (
            DATABASE,
            "lag: 3600",
            "first_day: spring",
            6,
            "cursor.first_day: expected a day such as 2024-01-31",
        ),
        (CSV, "cp1252", "cp125", 5, "options.encoding: expected an encoding such as utf-8, cp1252 or utf-16"),
        (CSV, '";"', '"; "', 5, "options.delimiter: expected one character, found '; '"),
        (CSV, 'thousands: "."', "thousands: x", 5, "options.thousands: expected `,` or `.` or ` ` or `'`"),
        (CSV, 'thousands: "."', 'thousands: ","', 6, "`decimal` and `thousands` of the options are the same"),
        (CSV, 'decimal: ","', "decimal: comma", 5, "options.decimal: expected `.` or `,`, found 'comma'"),
    ],
)
def test_a_mistake_in_where_the_rows_are_is_named(
    tmp_path: Path, text: str, old: str, new: str, line: int, message: str
) -> None:
    assert old in text
    file = written(tmp_path, text.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_sources(file)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert message in str(caught.value)


def test_a_feed_may_say_where_its_own_rows_are(tmp_path: Path) -> None:
    text = DATABASE.replace("    table: customers\n", "").replace(
        "{channels: {", '{channels: {query: "select 1", '
    )
    (feed,) = load_sources(written(tmp_path, text))["erp"].feeds
    assert (feed.place["query"], feed.place["url"]) == ("select 1", "${ERP_URL}")
    with pytest.raises(ConfigError, match=r"erp\.feeds\.channels\.cursor: `column` is missing"):
        load_sources(written(tmp_path, text.replace("{channels: {", "{channels: {cursor: {lag: 2d}, ")))


def test_the_keys_of_auth_and_paginate_are_dlts() -> None:
    for choice, classes in ((AUTH, AUTH_MAP), (PAGINATE, PAGINATOR_MAP)):
        assert choice.types.keys() <= classes.keys()
        for name, keys in choice.types.items():
            parameters = inspect.signature(classes[name]).parameters if classes[name] else {}
            assert keys.known.keys() <= parameters.keys(), name


@pytest.mark.parametrize(
    "secret",
    [
        "    auth: {type: bearer, token: abc}",
        "    auth: {type: http_basic, username: me, password: 12345}",
        "    auth: {type: api_key, name: X-Key, api_key: 'a${KEY}'}",
        "    auth: {type: oauth2_client_credentials, client_secret: abc}",
        "    url: https://me:secret@example.com",
        "    url: https://example.com/v1?api_key=abc",
        "    params: {Api-Key: abc}",
        "    feeds: {channels: {auth: {token: abc}}}",
    ],
)
def test_a_literal_secret_is_refused(tmp_path: Path, secret: str) -> None:
    text = f"sources:\n  desk:\n    kind: api\n{secret}\n"
    with pytest.raises(ConfigError, match=r"sources.yml:4: .*: a secret must come from the environment"):
        load_sources(written(tmp_path, text))


def test_a_literal_password_in_a_path_is_refused(tmp_path: Path) -> None:
    text = CSV.replace('"*.csv"', "sftp://me:${PW}@example.com/*.csv")
    load_sources(written(tmp_path, text))
    with pytest.raises(ConfigError, match=r"sources.yml:4: .*: a secret must come from the environment"):
        load_sources(written(tmp_path, text.replace("${PW}", "secret")))


def test_variables_are_resolved_when_a_source_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, GOOD.replace("inbox/*.csv", "${SHOP_FOLDER}/*.csv"))
    feed = load_sources(file)["shop"].feeds[0]
    with pytest.raises(ConfigError, match="the environment variable SHOP_FOLDER is not set"):
        feed.resolved_place()
    monkeypatch.setenv("SHOP_FOLDER", "/srv/shop")
    assert feed.resolved_place() == {"path": "/srv/shop/*.csv"}


def test_the_projects_own_file_is_right() -> None:
    assert {source.kind for source in load_sources().values()} == {"csv", "excel", "database", "api"}


@pytest.mark.parametrize(
    ("cursor", "first"),
    [
        ("{column: at}", date(2020, 1, 1)),
        ("{column: at, lag: 2d, first_day: 2024-02-29}", date(2024, 2, 29)),
        ("{column: at, lag: 0, first_day: '2024-02-29'}", date(2024, 2, 29)),
        ("{column: id, lag: 100}", None),
    ],
)
def test_days_of_a_source_can_be_told_where_its_cursor_is_a_time(
    tmp_path: Path, cursor: str, first: date | None
) -> None:
    text = DATABASE.replace("{column: updated_at, lag: 3600}", cursor)
    assert load_sources(written(tmp_path, text))["erp"].first_day == first
