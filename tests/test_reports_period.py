"""Periods and how values are written, compared with the calendar and with what people of a place write."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import notation
from reports.errors import ReportUsageError
from reports.period import Grain, containing, parse

pytestmark = pytest.mark.unit

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
KINDS = st.sampled_from([grain for grain in Grain if grain is not Grain.DAYS])


@given(DAYS, KINDS)
def test_periods_tile_the_calendar(day: date, grain: Grain) -> None:
    period = containing(day, grain)
    assert period.first <= day <= period.last
    assert containing(period.last + timedelta(days=1), grain).previous() == period
    assert period.previous().last == period.first - timedelta(days=1)
    assert parse(period.key) == period  # the key says the same


@pytest.mark.parametrize(
    ("text", "first", "last", "previous", "year_before"),
    [
        ("2024-02-29", "2024-02-29", "2024-02-29", "2024-02-28", "2023-03-02"),  # Thursdays, 52 weeks apart
        ("2025-W01", "2024-12-30", "2025-01-05", "2024-12-23", "2024-01-01"),
        ("2024-02", "2024-02-01", "2024-02-29", "2024-01-01", "2023-02-01"),
        ("2025-Q1", "2025-01-01", "2025-03-31", "2024-10-01", "2024-01-01"),
        ("2025", "2025-01-01", "2025-12-31", "2024-01-01", "2024-01-01"),
        ("2025-06-01..2025-06-10", "2025-06-01", "2025-06-10", "2025-05-22", "2024-06-02"),
    ],
)
def test_what_a_period_is_and_stands_beside(
    text: str, first: str, last: str, previous: str, year_before: str
) -> None:
    period = parse(text)
    assert (str(period.first), str(period.last)) == (first, last)
    assert str(period.previous().first) == previous
    assert str(period.year_before().first) == year_before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2025-13",
        "2025-W54",
        "2025-Q5",
        "30.6.2025",
        "2025-06-31",
        "2025-06-10..2025-06-01",
        "../x",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ReportUsageError, match=r"is not a (period|date)|ends before it begins"):
        parse(text)


@pytest.mark.parametrize(
    ("locale", "money", "minus", "count", "change", "day", "moment"),
    [
        ("en_GB", "€1,234.50", "−€3.00", "12,345", "+4.2%", "30 Dec 2025", "30 Dec 2025, 22:15 UTC"),
        ("en_US", "€1,234.50", "−€3.00", "12,345", "+4.2%", "Dec 30, 2025", "Dec 30, 2025, 22:15 UTC"),
        ("de_DE", "1.234,50 €", "−3,00 €", "12.345", "+4,2 %", "30. Dez. 2025", "30. Dez. 2025, 22:15 UTC"),
        ("de-CH", "€ 1’234.50", "−€ 3.00", "12’345", "+4.2%", "30. Dez. 2025", "30. Dez. 2025, 22:15 UTC"),
    ],
)
def test_values_are_written_as_the_locale_does(
    locale: str, money: str, minus: str, count: str, change: str, day: str, moment: str
) -> None:
    when = datetime(2025, 12, 30, 22, 15)
    with notation.writing(notation.style("€", locale)):
        written = [
            notation.money(1234.5), notation.money(-3), notation.count(12345), notation.change(0.042),
            notation.short_day(when), notation.moment(when),
        ]  # fmt: skip
    assert [text.replace("\u00a0", " ") for text in written] == [money, minus, count, change, day, moment]
    assert notation.money(1) == "£1.00"  # outside the block the theme's holds


def test_an_unknown_locale_lists_some_that_there_are() -> None:
    with pytest.raises(ReportUsageError, match=r"there is no locale 'de_XX'; there are: .*de_AT"):
        notation.style("", "de_XX")
