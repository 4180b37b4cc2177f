"""Where a source's rows are: the keys that each kind of source knows in sources.yml, and what each may hold.

A table and its checks; nothing here reads the file (``ingest.config`` does) or the rows (the connectors do).
"""

import codecs
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse

Kind = Literal["csv", "excel", "api", "database"]

LAG = re.compile(r"(\d+)([smhd]?)")
SHEET_PATTERN = re.compile(r"[*?\[]")  # characters that no sheet's name may hold

Check: TypeAlias = Callable[[Any], str | None]
"""Says what a value should have been, or None where it is right."""

Spec: TypeAlias = "Check | Keys | Choice"


@dataclass(frozen=True)
class Keys:
    """A mapping with these keys, of which some must be there."""

    known: dict[str, Spec]
    needed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """A mapping whose key ``type`` says which other keys it has; a type that needs none may stand alone."""

    types: dict[str, Keys]


def text(value: Any) -> str | None:
    """Not empty."""
    return None if isinstance(value, str) and value else "a text"


def texts(value: Any) -> str | None:
    """A list of texts."""
    return None if isinstance(value, list) and not any(map(text, value)) else "a list of texts"


def name(value: Any) -> str | None:
    """A text, or a number that YAML made of one."""
    return None if type(value) is int else text(value)


def flag(value: Any) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "true or false"


def count(value: Any) -> str | None:
    """A whole number from 1."""
    return None if type(value) is int and value >= 1 else "a whole number from 1"


def index(value: Any) -> str | None:
    """A whole number from 0."""
    return None if type(value) is int and value >= 0 else "a whole number from 0"


def amount(value: Any) -> str | None:
    """A number above 0."""
    return None if type(value) in (int, float) and value > 0 else "a number above 0"


def parameters(value: Any) -> str | None:
    """A mapping of names to values."""
    right = isinstance(value, dict) and not any(isinstance(item, dict | list) for item in value.values())
    return None if right else "a mapping of names to values"


def one_of(*values: str) -> Check:
    """One of a few words."""
    return lambda value: None if value in values else " or ".join(f"`{word}`" for word in values)


def nullable(check: Check) -> Check:
    """What the check asks for, or null."""
    return lambda value: None if value is None or not (expected := check(value)) else f"{expected}, or null"


def character(value: Any) -> str | None:
    """One character."""
    return None if isinstance(value, str) and len(value) == 1 else "one character"


def header(value: Any) -> str | None:
    """The line of the header, or that it is to be found."""
    return None if value == "auto" or not count(value) else "`auto` or the number of the header's line"


def encoding(value: Any) -> str | None:
    """A character encoding that Python knows."""
    try:
        codecs.lookup(value)
    except (LookupError, TypeError):
        return "an encoding such as utf-8, cp1252 or utf-16"
    return None


def lag(value: Any) -> str | None:
    """How far before the cursor to read again."""
    expected = "a time such as 30s, 15m, 2h or 2d, or a whole number for a cursor of numbers"
    return None if not isinstance(value, bool) and LAG.fullmatch(str(value)) else expected


def day(value: Any) -> str | None:
    """A day of the calendar."""
    with suppress(ValueError):
        if date.fromisoformat(str(value)):
            return None
    return "a day such as 2024-01-31"


def path(value: Any) -> str | None:
    """Keys of nested objects."""
    right = isinstance(value, str) and all(value.split("."))
    return None if right else "keys joined by dots, such as order.lines"


def json_path(value: Any) -> str | None:
    """A JSONPath expression."""
    try:
        parse(value)
    except (JSONPathError, TypeError):
        return "a JSONPath such as data or result.items[*]"
    return None


AUTH = Choice(
    {
        "bearer": Keys({"token": text}, ("token",)),
        "http_basic": Keys({"username": text, "password": text}, ("username", "password")),
        "api_key": Keys(
            {"api_key": text, "name": text, "location": one_of("header", "query")}, ("api_key", "name")
        ),
        "oauth2_client_credentials": Keys(
            {
                "access_token_url": text,
                "client_id": text,
                "client_secret": text,
                "access_token_request_data": parameters,
                "default_token_expiration": count,
            },
            ("access_token_url", "client_id", "client_secret"),
        ),
    }
)
MORE_PAGES: dict[str, Spec] = {
    "total_path": nullable(json_path),
    "has_more_path": json_path,
    "stop_after_empty_page": flag,
}
# The names are dlt's; its maximum_page is left out, because it cuts in silence (max_pages is an error).
PAGINATE = Choice(
    {
        "auto": Keys({}),
        "single_page": Keys({}),
        "page_number": Keys({"page_param": text, "base_page": index, "page": index} | MORE_PAGES),
        "offset": Keys(
            {"limit": count, "limit_param": text, "offset": index, "offset_param": text} | MORE_PAGES,
            ("limit",),
        ),
        "cursor": Keys(
            {
                "cursor_path": json_path,
                "cursor_param": text,
                "has_more_path": json_path,
                "stop_after_empty_page": flag,
            },
            ("cursor_path",),
        ),
        "header_link": Keys({"links_next_key": text}),
        "json_link": Keys({"next_url_path": json_path}),
        "header_cursor": Keys({"cursor_key": text, "cursor_param": text}),
    }
)
# How numbers are written that stand as text.
NUMBERS: dict[str, Spec] = {"decimal": one_of(".", ","), "thousands": one_of(",", ".", " ", "'")}

PLACES: dict[Kind, Keys] = {
    "csv": Keys(
        {
            "path": text,
            "options": Keys(
                {
                    "encoding": encoding,
                    "delimiter": character,
                    "header": header,
                    "max_expanded_mb": count,
                }
                | NUMBERS
            ),
        },
        ("path",),
    ),
    "excel": Keys(
        {
            "path": text,
            "sheet": name,
            "options": Keys({"header": header, "hidden": flag, "max_expanded_mb": count} | NUMBERS),
        },
        ("path", "sheet"),
    ),
    "api": Keys(
        {
            "url": text,
            "resource": text,
            "params": parameters,
            "auth": AUTH,
            "paginate": PAGINATE,
            "records": json_path,
            "explode": path,
            "optional": texts,
            "cursor": Keys(
                {"column": text, "param": text, "until_param": text, "lag": lag, "first_day": day},
                ("column", "param"),
            ),
            "timeout": amount,
            "max_pages": count,
        },
        ("url",),
    ),
    "database": Keys(
        {
            "url": text,
            "table": text,
            "query": text,
            "cursor": Keys({"column": text, "lag": lag, "first_day": day}, ("column",)),
        },
        ("url",),
    ),
}


def contradiction(kind: Kind, place: dict[str, Any]) -> str | None:
    """What is wrong with a place whose keys are right one by one."""
    if kind == "database" and ("table" in place) == ("query" in place):
        return "a source of kind database needs `table` or `query`, one of the two"
    options = place.get("options", {})
    if "thousands" in options and options["thousands"] == options.get("decimal"):
        return "`decimal` and `thousands` of the options are the same sign"
    hidden = kind == "excel" and options.get("hidden")
    if hidden and SHEET_PATTERN.search(str(place["sheet"])):
        return "`hidden: true` needs the sheet's exact name: a pattern finds no hidden sheets"
    return None
