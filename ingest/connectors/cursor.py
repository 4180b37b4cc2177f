"""Cursors: from where a source is read on, and how far it was read. Nothing here reads a source or stores
what it found.

A cursor column holds numbers or ISO times. The lag is read again in every run, so that rows which a source
committed late, or wrote with a clock behind, are not missed; what did not change lands no second time.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from ingest.connectors import SourceError
from ingest.places import LAG

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")
# A time further ahead than any time zone is a mistake; as the cursor it would hide all that comes before it.
AHEAD = timedelta(days=1)

Value = int | Decimal | date  # a datetime is a date, too


class Cursor:
    """The cursor of one delivery: ``settings`` is ``{column, lag}``, or None where the source has no cursor.
    With ``until`` it is a window, which begins at ``since`` without the lag and ends before ``until``.

    Raises:
        SourceError: ``since``, ``until`` or a value seen is neither a number nor an ISO time, or the lag does
            not fit.
    """

    def __init__(self, settings: dict[str, Any] | None, since: str | None, until: str | None = None) -> None:
        self.column: str | None = settings["column"] if settings else None
        self.start: str | None = None
        self.end = until if settings else None
        self._greatest: tuple[Any, str] | None = None
        if settings and since is not None:
            self.start = since if until else _minus(since, str(settings.get("lag", 0)))
            self._greatest = (_order(parse(since)), since)
        self._end = _order(parse(self.end)) if self.end else None

    def takes(self, value: str | None) -> bool:
        """Whether a row with this value lies before the end; one without a value is in no window."""
        return self._end is None or (value is not None and _order(parse(value)) < self._end)

    def see(self, values: Iterable[str | None]) -> None:
        """Take note of values of the cursor column."""
        latest = _order(datetime.now(UTC) + AHEAD)
        for value in set(values):
            if value:
                order = _order(parse(value))
                if order <= latest and (self._greatest is None or order > self._greatest[0]):
                    self._greatest = (order, value)

    def greatest(self) -> str | None:
        """The greatest value seen, in this run or before; never one that lies in the future."""
        return self._greatest[1] if self._greatest else None


def parse(text: str) -> Value:
    """A cursor value as a number, a date or a time.

    Raises:
        SourceError: it is none of them.
    """
    if NUMBER.fullmatch(text):
        return Decimal(text) if "." in text else int(text)
    try:
        return date.fromisoformat(text) if len(text) == len("2024-02-29") else datetime.fromisoformat(text)
    except ValueError as error:
        raise SourceError(
            f"the cursor's value `{text}` is neither a number nor an ISO time; choose another cursor column"
        ) from error


def _order(value: Value) -> tuple[bool, Any]:
    """A key that orders values of one column; a time without a zone counts as UTC."""
    if not isinstance(value, date):
        return False, value
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return True, value if value.tzinfo else value.replace(tzinfo=UTC)


def _minus(since: str, lag: str) -> str:
    """``since`` less the lag, written as ``since`` is written."""
    value = parse(since)
    amount, unit = LAG.fullmatch(lag).groups()  # type: ignore[union-attr]  # sources.yml was checked
    if amount.strip("0") == "":
        return since
    if isinstance(value, date) != bool(unit):
        fitting = "a number, as in 100" if unit else "a time, as in 2d"
        raise SourceError(f"the cursor's lag {lag} does not fit its value `{since}`: give {fitting}")
    if not isinstance(value, date):
        return str(value - int(amount))
    span = timedelta(**{UNITS[unit]: int(amount)})
    if not isinstance(value, datetime):
        return (datetime.combine(value, time()) - span).date().isoformat()
    earlier = (value - span).isoformat(sep="T" if "T" in since else " ")
    return earlier.replace("+00:00", "Z") if since.endswith("Z") else earlier
