"""Values of the warehouse as JSON: dates and times in ISO 8601 (UTC), amounts as numbers, no value as
null."""

from decimal import Decimal
from typing import Any

import orjson

OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def to_json(value: Any) -> bytes:
    """A value as JSON in UTF-8."""
    return orjson.dumps(value, _other, OPTIONS)


def from_json(text: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is none.
    """
    return orjson.loads(text)


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
