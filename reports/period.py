"""Periods of business: a day, week, month, quarter, year or a range of days, and what each is compared with.

Plain calendar arithmetic: weeks begin on Monday (ISO 8601). Knows no data; how a period is written for people
belongs to `notation.py`.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from reports.errors import ReportUsageError

FORMS = "2025-06-30, 2025-W26, 2025-06, 2025-Q2, 2025 or 2025-06-01..2025-06-15"
YEAR_OF_WEEKS = timedelta(days=364)  # a year before, on the same weekday
MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Grain(Enum):
    """What kind of period it is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    DAYS = "days"  # any other range


@dataclass(frozen=True)
class Period:
    """The days from the first to the last, both in it."""

    first: date
    last: date
    grain: Grain = Grain.DAYS

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def key(self) -> str:
        """It in short, as `parse` reads it and folders are named."""
        first = self.first
        return {
            Grain.DAY: f"{first}",
            Grain.WEEK: "{0[0]}-W{0[1]:02d}".format(first.isocalendar()),
            Grain.MONTH: f"{first:%Y-%m}",
            Grain.QUARTER: f"{first.year}-Q{(first.month + 2) // 3}",
            Grain.YEAR: f"{first.year}",
            Grain.DAYS: f"{first}..{self.last}",
        }[self.grain]

    def previous(self) -> "Period":
        """The period of this kind just before it."""
        if self.grain is Grain.DAYS:
            return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))
        return containing(self.first - timedelta(days=1), self.grain)

    def week_before(self) -> "Period":
        """It, seven days earlier."""
        return self._earlier(timedelta(days=7))

    def year_before(self) -> "Period":
        """The same month, quarter or year of the year before; of shorter periods the same weekdays, 52 weeks
        earlier, since business follows the week."""
        if self.grain.value in MONTHS:
            return containing(self.first.replace(year=self.first.year - 1), self.grain)
        return self._earlier(YEAR_OF_WEEKS)

    def until(self, day: date) -> "Period":
        """Its part up to a day; all of it when the day is not in it."""
        return Period(self.first, day) if self.first <= day < self.last else self

    def beginning(self, days: int) -> "Period":
        """Its first days, at most all."""
        return self.until(self.first + timedelta(days=days - 1))

    def _earlier(self, by: timedelta) -> "Period":
        return Period(self.first - by, self.last - by, self.grain)


def containing(day: date, grain: Grain) -> Period:
    """The period of a kind that a day lies in."""
    if grain is Grain.WEEK:
        first = day - timedelta(days=day.weekday())
        return Period(first, first + timedelta(days=6), grain)
    if grain.value in MONTHS:
        length = MONTHS[grain.value]
        first = date(day.year, day.month - (day.month - 1) % length, 1)
        after = first.year * 12 + first.month - 1 + length
        return Period(first, date(after // 12, after % 12 + 1, 1) - timedelta(days=1), grain)
    return Period(day, day, Grain.DAY)


def parse_day(text: str) -> date:
    """A day written as YYYY-MM-DD.

    Raises:
        ReportUsageError: the text is no such day.
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ReportUsageError(f"{text!r} is not a date: write it as YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ReportUsageError(f"{text!r} is not a date: there is no such day") from None


def parse(text: str) -> Period:
    """A period in one of the forms of `FORMS`.

    Raises:
        ReportUsageError: the text is no period; the message lists the forms.
    """
    if ".." in text:
        first, last = (parse_day(part) for part in text.split("..", 1))
        if last < first:
            raise ReportUsageError(f"the period {text} ends before it begins")
        return Period(first, last)
    try:
        if match := re.fullmatch(r"(\d{4})-W(\d{2})", text):
            return containing(date.fromisocalendar(int(match[1]), int(match[2]), 1), Grain.WEEK)
        if match := re.fullmatch(r"(\d{4})-Q([1-4])", text):
            return containing(date(int(match[1]), 3 * int(match[2]), 1), Grain.QUARTER)
        if match := re.fullmatch(r"(\d{4})-(\d{2})", text):
            return containing(date(int(match[1]), int(match[2]), 1), Grain.MONTH)
        if re.fullmatch(r"\d{4}", text):
            return containing(date(int(text), 1, 1), Grain.YEAR)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return containing(date.fromisoformat(text), Grain.DAY)
    except ValueError:
        raise ReportUsageError(f"{text!r} is not a period: there is none such in the calendar") from None
    raise ReportUsageError(f"{text!r} is not a period: write it as {FORMS}")
