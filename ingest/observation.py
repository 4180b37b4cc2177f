"""What the warehouse shows of a table and of a feed: columns, rows, what its loads brought, and whether the
newest is as usual. Reads with a cursor that it is given; whoever shows or judges it does so elsewhere.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

FRESH, VOLUME, SHAPE = "as_fresh_as_usual", "as_much_as_usual", "same_columns_as_before"
USUAL = {
    FRESH: "New rows arrived no later than they usually do.",
    VOLUME: "The last delivery has about as many rows as those before it.",
    SHAPE: "The last delivery has the columns of the one before.",
}
HISTORY = 28  # deliveries that say what is usual
ENOUGH = 5  # fewer say nothing
UNUSUAL = 3  # times more, or less, than the median

COLUMNS = """
select attname, format_type(atttypid, atttypmod), not attnotnull from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""
LOADED = """
select count(*), coalesce(sum(rows_new), 0), max(load_id) filter (where rows_new > 0),
    max(finished_at) filter (where rows_new > 0)
from ops.loads where state = 'loaded' and source_name = %s and feed_name = %s
"""
DELIVERIES = """
select finished_at, rows_read from ops.loads
where state = 'loaded' and rows_new > 0 and source_name = %s and feed_name = %s
order by load_id desc limit %s
"""
SOURCE_COLUMNS = """
select source_columns from ops.loads
where state = 'loaded' and source_columns <> '{}' and source_name = %s and feed_name = %s
order by load_id desc limit 2
"""


class Column(NamedTuple):
    """A column as the database has it."""

    name: str
    type: str
    is_nullable: bool


class Landed(NamedTuple):
    """What all loads of a feed brought: deliveries and rows, the newest load with a new row and when it was.

    ``version`` does not change by a load without a new row.
    """

    deliveries: int
    rows: int
    version: str
    at: datetime | None


class Verdict(NamedTuple):
    """Whether something is as usual, and why."""

    passed: bool
    why: str


def columns(cursor: Cursor, table: str) -> list[Column]:
    """The columns of a table or view."""
    cursor.execute(COLUMNS, (table,))
    return [Column(*column) for column in cursor]


def rows(cursor: Cursor, table: str) -> int | None:
    """The number of rows of a table; of a view, which would have to be computed, None."""
    cursor.execute("select relkind from pg_class where oid = to_regclass(%s)", (table,))
    if next(iter(cursor), ("v",))[0] == "v":
        return None
    cursor.execute(f"select count(*) from {table}")
    return int(next(iter(cursor))[0])


def landed(cursor: Cursor, source: str, feed: str) -> Landed:
    """What all loads of a feed brought."""
    cursor.execute(LOADED, (source, feed))
    deliveries, rows, newest, finished = next(iter(cursor))
    return Landed(deliveries, int(rows), str(newest), finished and finished.replace(tzinfo=UTC))


def compared_with_usual(cursor: Cursor, source: str, feed: str) -> dict[str, Verdict]:
    """The newest deliveries of a feed beside what those before it show to be usual, by the names of USUAL."""
    cursor.execute(DELIVERIES, (source, feed, HISTORY))
    deliveries = cursor.fetchall()
    cursor.execute(SOURCE_COLUMNS, (source, feed))
    return {
        FRESH: freshness([finished for finished, _ in deliveries]),
        VOLUME: volume([rows for _, rows in deliveries]),
        SHAPE: shape([set(columns) for (columns,) in cursor]),
    }


def freshness(times: Sequence[datetime]) -> Verdict:
    """Whether new rows are no later than usual, from the times of deliveries, newest first."""
    days = sorted({time.date() for time in times})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    if len(gaps) < ENOUGH:
        return Verdict(True, "Too few days with deliveries to say what is usual.")
    usual, age = median(gaps), (datetime.now(UTC).date() - days[-1]).days
    why = f"The last new rows are {age} days old; they usually come every {usual:g} days."
    return Verdict(age <= UNUSUAL * usual, why)


def volume(rows: Sequence[int]) -> Verdict:
    """Whether the newest delivery has about as many rows as those before it, newest first."""
    if len(rows) <= ENOUGH:
        return Verdict(True, "Too few deliveries to say what is usual.")
    last, usual = rows[0], median(rows[1:])
    why = f"The last delivery has {last:,} rows; half of those before it have {usual:,.0f} or more."
    return Verdict(usual / UNUSUAL <= last <= usual * UNUSUAL, why)


def shape(deliveries: Sequence[set[str]]) -> Verdict:
    """The newest delivery's columns beside those of the one before."""
    if len(deliveries) < 2:
        return Verdict(True, "There is no delivery before it.")
    now, before = deliveries
    changes = [f"+ {name}" for name in sorted(now - before)] + [f"- {name}" for name in sorted(before - now)]
    return Verdict(not changes, "; ".join(changes) or "The columns are the same.")
