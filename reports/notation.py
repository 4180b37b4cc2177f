"""How values are written for people: money, counts, changes, dates, periods. The same in PDF, HTML and
dashboard.

The currency sign and the locale, whose number and date formats are followed, are the theme's unless a report
is asked for with others (`writing`). Each function takes a missing value (None, NaN, NA) as well and then
writes an en dash.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import pandas as pd
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.localedata import locale_identifiers
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent

from reports.errors import ReportUsageError
from reports.period import Grain, Period
from reports.theme import theme

MISSING = "–"
NO_CURRENCY = "XXX"  # ISO 4217: babel writes the sign ¤ for it, which ours replaces
MINUS = "−"


class Style(NamedTuple):
    """In which currency and locale values are written."""

    currency: str
    locale: str


_style: ContextVar[Style | None] = ContextVar("style", default=None)


def style(currency: str = "", locale: str = "") -> Style:
    """A style of the given sign and locale, where one is empty with the theme's.

    Raises:
        ReportUsageError: there is no such locale; the message names some of those there are.
    """
    return Style(currency or theme().currency, str(_locale(locale or theme().locale)))


def use(chosen: Style) -> None:
    """Write in this style from now on, in this thread."""
    _style.set(chosen)


@contextmanager
def writing(chosen: Style) -> Iterator[None]:
    """Write in this style within the block."""
    token = _style.set(chosen)
    try:
        yield
    finally:
        _style.reset(token)


def current() -> Style:
    """The style in force."""
    return _style.get() or style()


@cache
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        near = [known for known in locale_identifiers() if known.startswith(name[:2].lower())]
        some = ", ".join((near or ["en_GB", "en_US", "de_DE", "fr_FR", "es_ES", "nl_NL"])[:12])
        raise ReportUsageError(f"there is no locale {name!r}; there are: {some}, …") from None


def money(value: Any) -> str:
    """An amount with its currency sign and cents: £1,234.50, −£3.00."""
    if pd.isna(value):
        return MISSING
    amount = format_currency(abs(value), NO_CURRENCY, locale=current().locale)
    return f"{MINUS if round(value, 2) < 0 else ''}{amount.replace('¤', current().currency)}"


def currency_is_before() -> bool:
    """Whether the locale writes the currency's sign before the number."""
    pattern = str(_locale(current().locale).currency_formats["standard"].pattern)
    return pattern.lstrip("\u200f").startswith("¤")


def short_money(value: float) -> str:
    """An amount on an axis: £950, £12K, £1.5M."""
    number = format_compact_decimal(abs(value), locale=current().locale, fraction_digits=1)
    sign, minus = current().currency, MINUS if value < 0 else ""
    return f"{minus}{sign}{number}" if currency_is_before() else f"{minus}{number}\u00a0{sign}"


def count(value: Any) -> str:
    """A whole number with its thousands separated: 1,234."""
    return MISSING if pd.isna(value) else _signed(format_decimal(int(value), locale=current().locale))


def share(value: Any) -> str:
    """A fraction of a whole in percent: 12.3%."""
    return MISSING if pd.isna(value) else _percent(value)


def change(value: Any) -> str:
    """A relative change, given as a fraction, in percent with its sign: +4.2%, −1.0%, ±0.0%."""
    if pd.isna(value):
        return MISSING
    if abs(value) < 0.0005:
        return f"±{_percent(0)}"
    return ("+" if value > 0 else "") + _percent(value)


def duration(seconds: Any) -> str:
    """A number of seconds as minutes and seconds: 4:05."""
    if pd.isna(seconds):
        return MISSING
    whole = round(float(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def decimal(value: Any) -> str:
    """A number with one decimal: 1,234.5."""
    return MISSING if pd.isna(value) else _signed(format_decimal(value, "#,##0.0", current().locale))


def day(value: date | datetime) -> str:
    """A date in full: Tuesday, 30 December 2025."""
    if _is_plain():
        return f"{value:%A}, {value.day} {value:%B %Y}"
    return str(format_date(value, "full", locale=current().locale))


def short_day(value: date | datetime) -> str:
    """A date in short: 30 Dec 2025."""
    return MISSING if pd.isna(value) else _date(value, "yMMMd")


def weekday(value: date | datetime) -> str:
    """A date within a week or month: Tue 30 Dec."""
    return f"{format_date(value, 'EEE', locale=current().locale)} {_date(value, 'MMMd')}"


def weekday_and_day(value: date | datetime) -> str:
    """A date in a table: Tue 30 Dec 2025."""
    if pd.isna(value):
        return MISSING
    return f"{format_date(value, 'EEE', locale=current().locale)} {short_day(value)}"


def month(value: date | datetime) -> str:
    """A month: Dec 2025."""
    return _date(value, "yMMM")


def moment(value: Any) -> str:
    """A point in time (UTC) to the minute: 30 Dec 2025, 22:15 UTC."""
    if pd.isna(value):
        return MISSING
    return f"{short_day(value)}, {format_time(value, 'HH:mm', locale=current().locale)} UTC"


def period(value: Period) -> str:
    """A period by name: 30 Dec 2025, week 26 of 2025 (23 Jun – 29 Jun 2025), June 2025, 2nd quarter…,
    2025."""
    first = value.first
    if value.grain is Grain.DAY or value.days == 1:
        return short_day(first)
    if value.grain is Grain.WEEK:
        year, week, _ = first.isocalendar()
        return f"week {week} of {year} ({days(value)})"
    if value.grain is Grain.MONTH:
        return _date(first, "yMMMM")
    if value.grain is Grain.QUARTER:
        return f"quarter {(first.month + 2) // 3} of {first.year}"
    return str(first.year) if value.grain is Grain.YEAR else days(value)


def days(value: Period) -> str:
    """A period by its days: 23 Jun – 29 Jun 2025."""
    first = _date(value.first, "MMMd" if value.first.year == value.last.year else "yMMMd")
    return f"{first} – {short_day(value.last)}"


def _date(value: date | datetime, skeleton: str) -> str:
    """A date with the parts of a skeleton, in the locale's order."""
    if _is_plain():  # a long table has a thousand of them, which babel writes slowly
        forms = {"yMMMd": "%-d %b %Y", "MMMd": "%-d %b", "yMMM": "%b %Y", "yMMMM": "%B %Y"}
        return value.strftime(forms[skeleton])
    return str(format_skeleton(skeleton, value, locale=current().locale))


def _percent(value: float) -> str:
    pattern = re.sub(
        r"0(?=\D*$)", "0.0", _locale(current().locale).percent_formats[None].pattern.split(";")[0]
    )
    return _signed(format_percent(value, pattern, current().locale))


def _is_plain() -> bool:
    """Whether dates are written the British way: 30 Dec 2025."""
    return current().locale == "en_GB"


def _signed(number: str) -> str:
    return number.replace("-", MINUS)
