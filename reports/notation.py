"""How values are written for people: money, counts, changes, dates. The same in PDF, HTML and dashboard.

Each function takes a missing value (None, NaN, NA) as well and then writes an en dash.
"""

from datetime import date, datetime
from typing import Any

import pandas as pd

from reports.theme import theme

MISSING = "–"


def money(value: Any) -> str:
    """An amount with its currency sign and cents: £1,234.50, −£3.00."""
    if pd.isna(value):
        return MISSING
    return f"{'−' if round(value, 2) < 0 else ''}{theme().currency}{abs(value):,.2f}"


def count(value: Any) -> str:
    """A whole number with its thousands separated: 1,234."""
    return MISSING if pd.isna(value) else f"{int(value):,}".replace("-", "−")


def share(value: Any) -> str:
    """A fraction of a whole in percent: 12.3%."""
    return MISSING if pd.isna(value) else f"{value:.1%}".replace("-", "−")


def change(value: Any) -> str:
    """A relative change, given as a fraction, in percent with its sign: +4.2%, −1.0%, ±0.0%."""
    if pd.isna(value):
        return MISSING
    return f"{value:+.1%}".replace("-", "−") if abs(value) >= 0.0005 else "±0.0%"


def duration(seconds: Any) -> str:
    """A number of seconds as minutes and seconds: 4:05."""
    if pd.isna(seconds):
        return MISSING
    whole = round(float(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def day(value: date | datetime) -> str:
    """A date in full: Tuesday, 30 December 2025."""
    return f"{value:%A}, {value.day} {value:%B %Y}"


def short_day(value: date | datetime) -> str:
    """A date in short: 30 Dec 2025."""
    return f"{value.day} {value:%b %Y}"


def moment(value: Any) -> str:
    """A point in time (UTC) to the minute: 30 Dec 2025, 22:15 UTC."""
    return MISSING if pd.isna(value) else f"{short_day(value)}, {value:%H:%M} UTC"
