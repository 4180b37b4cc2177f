"""Remarks in words: what moved, what was unusual, why, where it goes.

One function, `remarks`, which hands plain sentences to the page. Why sales moved is taken from
`metrics_drivers`, what is unusual from `metrics_anomalies`, where it goes from `metrics_trends`. These models
say nothing of a part of the business, and the drivers nothing of periods long past: then the change is split
here into transactions and their value, and days are judged by the same weekdays before them.
"""

import math
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
MOVERS = ("product", "category", "store", "channel", "segment")
STEPS = {"step up": "a lasting step up", "step down": "a lasting step down"}


def remarks(edition: Edition, headline: Table) -> list[str]:
    """Sentences on an edition, the most important first; none where it has no data."""
    if not edition.has_data:
        return []
    return [*_headline(edition, headline), *_why(edition), *_unusual(edition), *_trend(edition)]


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
    """The parts of the change, and what moved it most."""
    main = edition.main
    if not main.is_covered:
        return
    sales, before = figures.measures([edition.period, main.period], edition.only)[0]
    if not (sales and before) or abs(sales - before) < NOTABLE * abs(before):
        return
    found = None
    if edition.is_complete and not edition.only.given():
        found = figures.drivers(edition.period, main.name)
    yield from _transactions(edition) if found is None else _drivers(edition, found)


def _drivers(edition: Edition, found: pd.DataFrame) -> Iterator[str]:
    """Price, volume and mix of the change, and of each kind the member that moved it most."""
    parts = found[found["dimension"] == "product"]
    difference, price, volume, mix = (math.fsum(parts[name]) for name in ("change", "price", "volume", "mix"))
    yield (
        f"Of the difference of {notation.money(difference)} on the {edition.main.title.lower()}, "
        f"{notation.money(volume)} come from the number of units sold, {notation.money(price)} from their "
        f"prices and {notation.money(mix)} from which products they were."
    )
    most = []
    for dimension in MOVERS:
        members = found[(found["dimension"] == dimension) & (found["change"] * difference > 0)]
        if len(members):
            first = members.iloc[0]
            most.append(f"the {dimension} {first['name']} ({notation.money(first['change'])})")
    if most:
        yield f"It was moved most by {_listed(most)}."


def _transactions(edition: Edition) -> Iterator[str]:
    """How many transactions, how much each, which product."""
    main = edition.main
    values = figures.measures([edition.period, main.period], edition.only)
    (sales, before), (count, count_before), (value, value_before) = values[:3]
    if not (sales and before and count and count_before and value is not None and value_before is not None):
        return
    difference = sales - before
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
    """The days of the period whose sales lie farthest from what was to be expected, at most three, in their
    order."""
    if edition.only.given() or (found := figures.anomalies(edition.period)) is None:
        found = _judged_here(edition)
    most = found.sort_values("score", key=abs, ascending=False).head(MOST).sort_values("metric_date")
    for row in most.to_dict("records"):
        day, words = notation.weekday(row["metric_date"]), STEPS.get(row["verdict"], "unusual")
        yield (
            f"{day} was {words}: {notation.money(row['value'])}, where such days before it "
            f"led to expect {notation.money(row['expected'])}."
        )


def _judged_here(edition: Edition) -> pd.DataFrame:
    """Days far from the middle of the same weekdays before them, in the columns of `figures.anomalies`."""
    frame = figures.daily(edition.period.last, edition.period.days + 7 * WEEKDAYS, edition.only)
    sales = frame.set_index("metric_date")["total_sales"]
    found = []
    for day in sales.index[-min(edition.period.days, len(sales)) :]:
        same = sales.reindex([day - pd.Timedelta(days=7 * week) for week in range(1, WEEKDAYS + 1)]).dropna()
        spread = ROBUST * (same - same.median()).abs().median()
        if len(same) == WEEKDAYS and spread and abs(sales[day] - same.median()) >= LIKELY * spread:
            score = (sales[day] - same.median()) / spread
            found.append((day, sales[day], same.median(), score, "high" if score > 0 else "low"))
    return pd.DataFrame(found, columns=["metric_date", "value", "expected", "score", "verdict"])


def _trend(edition: Edition) -> Iterator[str]:
    """Where sales go, as of the newest day: a trend is told only where chance is no likely reason for it."""
    if edition.only.given() or (found := figures.trends(edition.period.last)) is None:
        return
    for row in found.to_dict("records"):
        if row["direction"] in ("up", "down"):
            yield (
                f"Over the last {row['window_days']} days sales went {row['direction']} by "
                f"{notation.money(abs(row['slope']))} a day, apart from the differences between weekdays."
            )


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
