"""Remarks in words: what moved, what was unusual, why. From the metrics' own trends, anomalies and drivers.

One function, `remarks`, which hands plain sentences to the page. SEAM: until `metrics_trends`,
`metrics_anomalies` and `metrics_drivers` are there, the words rest on the headline figures and the days
alone.
"""

from collections.abc import Iterator

import pandas as pd

from reports import figures, notation, sections
from reports.edition import Edition
from reports.tables import Table

NOTABLE = 0.02  # a smaller change is "about the same"
LIKELY = 3.5  # robust deviations from the same weekdays, beyond which a day is unusual
WEEKDAYS = 8  # the same weekday of so many weeks
ROBUST = 1.4826  # makes a median deviation one of the normal distribution
MOST = 3  # unusual days that are told


def remarks(edition: Edition, headline: Table) -> list[str]:
    """Sentences on an edition, the most important first; none where it has no data."""
    if not edition.has_data:
        return []
    return [*_headline(edition, headline), *_why(edition), *_unusual(edition)]


def _headline(edition: Edition, headline: Table) -> Iterator[str]:
    sales = dict(zip((column.name for column in headline.columns), headline.rows()[0], strict=True))
    parts = [
        f"{_moved(ratio)} the {comparison.title.lower()} ({notation.money(sales[comparison.name])})"
        for comparison in edition.comparisons
        if (ratio := sales[f"on_{comparison.name}"]) is not None
    ]
    if parts:
        yield f"Sales of {notation.money(sales['value'])} were {_listed(parts)}."


def _moved(ratio: float) -> str:
    if abs(ratio) < NOTABLE:
        return "about the same as"
    return f"{notation.share(abs(ratio))} {'above' if ratio > 0 else 'below'}"


def _why(edition: Edition) -> Iterator[str]:
    """The parts of the change: how many transactions, how much each, which product."""
    main = edition.main
    if not main.is_covered:
        return
    values = figures.measures([edition.period, main.period], edition.only)
    (sales, before), (count, count_before), (value, value_before) = values[:3]
    if not (sales and before and count and count_before and value is not None and value_before is not None):
        return
    difference = sales - before
    if abs(difference) < NOTABLE * abs(before):
        return
    # Volume at the old value, value at the new volume: the two add up to the difference exactly.
    volume = (count - count_before) * value_before
    worth = difference - volume
    yield (
        f"Of the difference of {notation.money(difference)} on the {main.title.lower()}, "
        f"{notation.money(volume)} come from the number of transactions ({notation.count(count_before)} → "
        f"{notation.count(count)}) and {notation.money(worth)} from their average value "
        f"({notation.money(value_before)} → {notation.money(value)})."
    )
    movers = sections.movers(edition).frame
    assert isinstance(movers, pd.DataFrame)
    with_it = movers[(movers["difference"] > 0) == (difference > 0)]
    if len(with_it):
        most = with_it.iloc[int(with_it["difference"].abs().argmax())]
        yield f"{most['name']} moved it most: {notation.money(most['difference'])}."


def _unusual(edition: Edition) -> Iterator[str]:
    """The days of the period whose sales lie farthest from those of the same weekday in the weeks before."""
    frame = figures.daily(edition.period.last, edition.period.days + 7 * WEEKDAYS, edition.only)
    sales = frame.set_index("metric_date")["total_sales"]
    found = []
    for day in sales.index[-min(edition.period.days, len(sales)) :]:
        same = sales.reindex([day - pd.Timedelta(days=7 * week) for week in range(1, WEEKDAYS + 1)]).dropna()
        spread = ROBUST * (same - same.median()).abs().median()
        if len(same) == WEEKDAYS and spread and abs(sales[day] - same.median()) >= LIKELY * spread:
            found.append((abs(sales[day] - same.median()) / spread, day, sales[day], same.median()))
    for _, day, value, middle in sorted(sorted(found, reverse=True)[:MOST], key=lambda entry: entry[1]):
        yield (
            f"{notation.weekday(day)} was unusual: {notation.money(value)}, where the {WEEKDAYS} such days"
            f" before it had {notation.money(middle)} in the middle."
        )


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
