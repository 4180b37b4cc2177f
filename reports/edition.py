"""One edition of a report: which days it is about, of which part of the business, and what it is compared
with.

Made from the parameters of a document. The figures belong to `figures.py`, what is shown to `sections.py` and
`blocks.py`.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from reports import figures, registry
from reports.errors import ReportUsageError
from reports.figures import EVERYTHING, Coverage, Filters
from reports.period import Grain, Period, containing, parse, parse_day


class Comparison(NamedTuple):
    """A period beside which the edition's stands: its name for columns, its title, whether metrics cover
    it."""

    name: str
    title: str
    period: Period
    is_covered: bool


@dataclass(frozen=True)
class Edition:
    """A report's edition. `asked` is the whole period, also where its last days are yet to come."""

    report: registry.Report
    asked: Period
    covered: Coverage
    only: Filters = EVERYTHING

    @classmethod
    def of(cls, report: registry.Report, date: str = "", period: str = "", **only: str) -> "Edition":
        """The edition that the parameters ask for; by default the newest complete period of the report's
        kind.

        Args:
            date: a day in the period, as YYYY-MM-DD.
            period: or the period itself, in a form of `period.FORMS`.
            only: names or codes of stores, categories, channels, segments, each on a line.

        Raises:
            ReportUsageError: a parameter is not written as it should be, or names nothing that there is.
            DataError: there is no metric yet.
        """
        if date and period:
            raise ReportUsageError(f"give a date or a period, not both: {date}, {period}")
        covered = figures.load_coverage() if report.about == "loads" else figures.coverage()
        asked = parse(period) if period else _of_day(report.grain, date, covered)
        filters = Filters(**only)
        figures.check_filter(filters)
        return cls(report, asked, covered, filters)

    @property
    def period(self) -> Period:
        """The days it is about: those of the period that have come so far."""
        return self.asked.until(self.covered.last)

    @property
    def is_complete(self) -> bool:
        """Whether its period is over."""
        return self.period == self.asked

    @property
    def has_data(self) -> bool:
        """Whether metrics cover any of its days."""
        return self.period.first <= self.covered.last and self.period.last >= self.covered.first

    @property
    def word(self) -> str:
        """What its period is, in a word: day, week, month…"""
        return self.asked.grain.value

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """What it stands beside: the period before, for a day also the week before, and the year before. A
        period that is not over stands beside as many days of theirs."""
        title = self.asked.grain.value.capitalize()
        periods = {"previous": (f"{title} before", self.asked.previous())}
        if self.asked.grain is Grain.DAY:
            periods["last_week"] = ("Week before", self.asked.week_before())
        periods["last_year"] = ("Year before", self.asked.year_before())
        return tuple(
            Comparison(name, words, self._as_long(period), self._is_covered(period))
            for name, (words, period) in periods.items()
        )

    @property
    def main(self) -> Comparison:
        """The comparison that says most: of a day with the same weekday, else with the period before."""
        return self.comparisons[1 if self.asked.grain is Grain.DAY else 0]

    @property
    def compared(self) -> tuple[Comparison, ...]:
        """The comparisons for tables that have room for two: the main one and the year before, if covered."""
        year = self.comparisons[-1]
        return (self.main, year) if year.is_covered else (self.main,)

    def ending(self, days: int) -> Period:
        """The days up to its last one."""
        return figures.ending(self.period.last, days)

    def without(self, *names: str) -> "Edition":
        """It, without some of its filters."""
        return replace(self, only=replace(self.only, **dict.fromkeys(names, "")))

    def _as_long(self, other: Period) -> Period:
        return other if self.is_complete else other.beginning(self.period.days)

    def _is_covered(self, other: Period) -> bool:
        return self.covered.first <= other.first and self._as_long(other).last <= self.covered.last


def _of_day(grain: Grain, given: str, covered: Coverage) -> Period:
    if given:
        return containing(parse_day(given), grain)
    newest = containing(covered.last, grain)
    if newest.last > covered.last and (before := newest.previous()).last >= covered.first:
        return before
    return newest


def parameters_of(edition: Edition) -> dict[str, Any]:
    """The parameters that ask for this very edition, whatever comes later: none of them a default."""
    return {"period": edition.asked.key, **edition.only.parameters()}
