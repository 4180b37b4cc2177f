"""What the columns of a table of texts hold: types with their evidence, dates and numbers as they are
written, keys, dirt. Everything is counted by DuckDB over all rows that were read; nothing here knows an
entity.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingest.connectors import BATCH_ROWS, Delivery
from ingest.entities import quoted
from ingest.mapping import literal

Type = Literal["empty", "integer", "decimal", "date", "timestamp", "time", "boolean", "text"]
Order = Literal["ymd", "dmy", "mdy", "named"]

MOST_ROWS = 1_000_000  # read of a table; more change no proposal, and a person waits for it
ENOUGH = 0.8  # the share of values that must fit a type
USUAL = 0.01  # the share of values from which on a kind of dirt is a custom of the source; below it is a slip
DECISIVE = 0.99  # the share of the values that tell day from month which must agree
EXAMPLES = 3
MOST_PAIRED = 12  # columns of which pairs are tried as a key

CURRENCY = "[€$£¥]|\\b(EUR|USD|GBP|CHF)\\b"
WHOLE = r"[+-]?\d+"
GROUPS = r"[+-]?[1-9]\d{0,2}"
SPACES = "' \u00a0\u202f"
NUMBERS = {
    ".": rf"{WHOLE}|[+-]?\d*\.\d+|{GROUPS}([,{SPACES}]\d{{3}})+(\.\d+)?",
    ",": rf"{WHOLE}|[+-]?\d*,\d+|{GROUPS}([.{SPACES}]\d{{3}})+(,\d+)?",
}
"""What a number looks like, by its decimal mark."""

NOTHING = ("na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", "unknown", "k.a.", "unbekannt")
WORDS_OF_TRUTH = ("true", "false", "t", "f", "yes", "no", "y", "n")

LIKE_A_DATE = r"^\d{1,4}[-/. ]+(\d{1,2}|[A-Za-z]+)[-/. ]+\d{1,4}|^\d{8}|^[A-Za-z]{3,9} \d{1,2},? \d{4}"
DATES: dict[Order, tuple[str, ...]] = {
    "ymd": ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    "dmy": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y"),
    "mdy": ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y"),
    "named": ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"),
}
TIMES = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p",
    "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f", "T%H:%M:%SZ", "T%H:%M:%S.%fZ",
    " %H:%M:%S%z", "T%H:%M:%S%z", "T%H:%M:%S.%f%z",
)  # fmt: skip


@dataclass(frozen=True)
class Dates:
    """How a column's dates are written. ``order`` is None where the values do not tell day from month; then
    ``formats`` are those of both orders. ``evidence`` is a sentence for a person."""

    order: Order | None
    formats: tuple[str, ...]
    evidence: str

    @property
    def has_time(self) -> bool:
        """Whether there is a time of day."""
        return any("%H" in format_ or "%I" in format_ for format_ in self.formats)

    @property
    def has_zone(self) -> bool:
        """Whether each value says its time zone."""
        return all(format_.endswith(("%z", "Z")) for format_ in self.formats)

    @property
    def is_iso(self) -> bool:
        """Whether a plain cast reads it."""
        return self.order == "ymd" and all(format_.startswith("%Y-%m-%d") for format_ in self.formats)

    def of(self, order: str) -> tuple[str, ...]:
        """The formats of one order."""
        starts = DATES[order]  # type: ignore[index]
        return tuple(f for f in self.formats if f.startswith(starts))


@dataclass(frozen=True)
class Column:
    """What one column holds. ``fitting`` counts the values that fit the type, ``misfits`` are examples of
    those that do not, ``dirt`` is a count of values for each kind of it."""

    name: str
    rows: int
    filled: int
    distinct: int
    type: Type = "empty"
    fitting: int = 0
    misfits: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    dates: Dates | None = None
    decimal: Literal[".", ",", "?"] = "."
    places: int = 0  # the most decimal places
    finer: int = 0  # values with more than two
    thousands: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    dirt: dict[str, int] = field(default_factory=dict)

    @property
    def empty(self) -> int:
        """Rows without a value."""
        return self.rows - self.filled

    @property
    def has_words_for_nothing(self) -> bool:
        """Whether such words are the source's way to leave a value empty, and not a slip."""
        return self.dirt.get("words for nothing", 0) >= USUAL * self.filled > 0

    @property
    def is_finer(self) -> bool:
        """Whether amounts usually have more than two decimals."""
        return self.finer >= USUAL * self.filled > 0

    @property
    def is_number(self) -> bool:
        """Whether it is read as a number."""
        return self.type in ("integer", "decimal")

    @property
    def is_time(self) -> bool:
        """Whether it is read as a date, with or without a time of day."""
        return self.type in ("date", "timestamp")


@dataclass(frozen=True)
class Table:
    """The rows of deliveries, as the table ``raw`` of a DuckDB connection (texts, and _file and _line), and
    what its columns hold. ``odd`` are lines that could not be split into columns; they are not in it."""

    connection: duckdb.DuckDBPyConnection
    name: str
    files: int
    rows: int
    odd: int
    whole: bool
    columns: dict[str, Column]
    notes: list[str]

    def count(self, condition: str) -> int:
        """In how many rows a condition holds."""
        return _number(self.connection, f"select count(*) from raw where {condition}")

    def repeats(self, columns: Sequence[str], within: str = "_file") -> int:
        """How many rows of a file have the values that another row of it has in these columns; ``within`` an
        empty text: in all files. Rows that lack one of the values do not count."""
        names = ", ".join(filter(None, [*map(quoted, columns), within]))
        given = " and ".join(f"{quoted(column)} is not null" for column in columns)
        groups = f"select count(*) as n from raw where {given} group by {names}"
        return _number(self.connection, f"select coalesce(sum(n - 1), 0) from ({groups})")

    def unique(self) -> list[tuple[str, ...]]:
        """The columns that are unique and never empty within each file; where there are none, pairs of
        them."""
        codes = [c for c in self.columns.values() if not c.empty and c.type != "boolean" and self.rows > 1]
        single: list[tuple[str, ...]] = [
            (c.name,) for c in codes if c.distinct * self.files >= self.rows and not self.repeats([c.name])
        ]
        if single:
            return single
        codes = [c for c in codes if c.type in ("integer", "text", "date", "timestamp") and c.distinct > 1]
        codes = sorted(codes, key=lambda c: c.distinct, reverse=True)[:MOST_PAIRED]
        pairs = [
            (first.name, second.name)
            for position, first in enumerate(codes)
            for second in codes[position + 1 :]
            if first.distinct * second.distinct * self.files >= self.rows
        ]
        return [pair for pair in pairs if not self.repeats(pair)]


def read_table(
    connection: duckdb.DuckDBPyConnection, deliveries: Iterable[Delivery], most_rows: int = MOST_ROWS
) -> Table:
    """Read deliveries of one place into ``raw`` and look at every column.

    Raises:
        SourceError: a delivery cannot be read.
    """
    names: list[str] = []
    notes: list[str] = []
    raw = _Raw(connection)
    whole = True
    for delivery in deliveries:
        if raw.rows >= most_rows:
            whole = False
            break
        names.append(delivery.name)
        for batch in delivery.batches():
            if more := raw.add(batch):
                notes.append(f"{delivery.name}: has more columns than those before: {', '.join(more)}")
            if raw.rows >= most_rows:
                whole = False
                break
        notes += delivery.notes
    raw.flush()
    rows, columns = raw.rows, raw.columns
    if not whole:
        notes.append(f"only the first {rows:,} rows were looked at")
    name = names[0] if len(names) == 1 else f"{len(names):,} files, {names[0]} first" if names else "nothing"
    profiles = {column: _column(connection, column, rows) for column in columns}
    return Table(connection, name, len(names), rows, raw.odd, whole, profiles, notes)


class _Raw:
    """Fills the table ``raw``; small batches go in together, since each insert costs a query."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.columns: list[str] = []
        self.rows = self.odd = 0
        self._pending: list[pa.Table] = []
        connection.execute("create or replace table raw (_file varchar, _line bigint)")

    def add(self, batch: pa.Table) -> list[str]:
        """Take a batch, without the lines that could not be split; returns columns that no batch before
        had."""
        whole = batch.filter(pc.is_null(batch.column("_problem"))).drop_columns("_problem")
        self.odd += len(batch) - len(whole)
        self.rows += len(whole)
        known = bool(self.columns)
        new = [name for name in whole.column_names if name not in (*self.columns, "_file", "_line")]
        for name in new:
            self.connection.execute(f"alter table raw add column {quoted(name)} varchar")
        self.columns += new
        if self._pending and self._pending[0].column_names != whole.column_names:
            self.flush()
        self._pending.append(whole)
        if sum(map(len, self._pending)) >= BATCH_ROWS:
            self.flush()
        return new if known else []

    def flush(self) -> None:
        """Insert what waits."""
        if self._pending:
            self.connection.register("batch", pa.concat_tables(self._pending))
            self.connection.execute("insert into raw by name select * from batch")
            self.connection.unregister("batch")
        self._pending = []


def _column(connection: duckdb.DuckDBPyConnection, name: str, rows: int) -> Column:
    """Look at one column: at each distinct value once, weighted by how often it comes."""
    nothing = ", ".join(map(literal, NOTHING))
    connection.execute(
        f"""
        create or replace temp table found as
        select
            trim({quoted(name)}) as value,
            count(*) as n,
            count(*) filter ({quoted(name)} <> trim({quoted(name)})) as padded,
            lower(value) in ({nothing}) as is_nothing,
            trim(regexp_replace(value, {literal(CURRENCY)}, '', 'g')) as bare
        from raw
        where trim({quoted(name)}) <> ''
        group by value
        """
    )
    (totals,) = connection.execute(
        "select coalesce(sum(n), 0), count(*), coalesce(sum(padded), 0), coalesce(sum(n) filter"
        " (is_nothing), 0),"
        " coalesce(sum(n) filter (bare <> value), 0), count(*) - count(distinct lower(value)) from found"
    ).fetchall()
    filled, distinct, padded, empty_words, currency, cases = map(int, totals)
    column = Column(name, rows, filled, distinct, examples=_values(connection, "not is_nothing"))
    real = filled - empty_words
    if not real:
        return column
    if currency < USUAL * real:
        connection.execute("update found set bare = value")
        currency = 0
    if empty_words < USUAL * filled:
        connection.execute("update found set is_nothing = false")
        real = filled
    found = _typed(connection, real, column)
    is_number = found["type"] in ("integer", "decimal")
    dirt = {
        "padded": padded,
        "words for nothing": empty_words,
        "currency signs": currency if is_number else 0,
        "differ in case": cases,
    }
    return replace(
        column,
        nothing=_values(connection, "is_nothing", 5),
        dirt={kind: count for kind, count in dirt.items() if count},
        **found,
    )


def _typed(connection: duckdb.DuckDBPyConnection, real: int, column: Column) -> dict[str, Any]:
    """The type that enough values fit, as fields of Column."""
    if dates := _dates(connection, real):
        fits = f"try_strptime(value, [{', '.join(map(literal, dates.formats))}]) is not null"
        kind = "timestamp" if dates.has_time else "date"
        return {"type": kind, "dates": dates} | _fit(connection, fits)
    time = r"regexp_full_match(value, '\d{1,2}:\d{2}(:\d{2})?')"
    truth = f"lower(value) in ({', '.join(map(literal, WORDS_OF_TRUTH))})"
    for kind, fits in (("time", time), ("boolean", truth)):
        fit = _fit(connection, fits)
        if fit["fitting"] >= ENOUGH * real:
            return {"type": kind} | fit
    fits_of = {mark: f"regexp_full_match(bare, {literal(pattern)})" for mark, pattern in NUMBERS.items()}
    fit_of = {mark: _fit(connection, fits) for mark, fits in fits_of.items()}
    best = max(fit_of, key=lambda mark: fit_of[mark]["fitting"])
    fit = fit_of[best]
    if fit["fitting"] < ENOUGH * real:
        return {"type": "text", "fitting": column.filled}
    whole = f"regexp_full_match(bare, {literal(WHOLE)})"
    if not _number(
        connection, f"select count(*) from found where not is_nothing and not {whole} and {fits_of[best]}"
    ):
        return {"type": "integer"} | fit
    other = "," if best == "." else "."
    undecided = fit["fitting"] == fit_of[other]["fitting"]
    sign, grouped = literal(best), f"replace(bare, {literal(best)}, '#')"
    marks = connection.execute(
        f"select distinct unnest(regexp_extract_all({grouped}, '[^0-9#+-]')) from found where {fits_of[best]}"
    ).fetchall()
    places = _number(
        connection,
        f"select coalesce(max(length(bare) - instr(bare, {sign})), 0) from found"
        f" where {fits_of[best]} and contains(bare, {sign})",
    )
    finer = (
        f"select coalesce(sum(n), 0) from found where {fits_of[best]} and contains(bare, {sign})"
        f" and length(bare) - instr(bare, {sign}) > 2"
    )
    zeros = rf"{fits_of[best]} and regexp_full_match(bare, '\d+[{best}]0')"
    all_zeros = _fit(connection, zeros)["fitting"] == fit["fitting"]
    return {
        "type": "integer" if all_zeros else "decimal",
        "decimal": "?" if undecided else best,
        "places": places,
        "finer": _number(connection, finer),
        "thousands": tuple(mark for (mark,) in marks),
    } | fit


def _dates(connection: duckdb.DuckDBPyConnection, real: int) -> Dates | None:
    """How dates are written, if enough of the values are dates."""
    looks = (
        f"select count(*) filter (regexp_matches(value, {literal(LIKE_A_DATE)})) >= count(*) * {ENOUGH} / 2"
    )
    if not _number(connection, f"select ({looks} from found where not is_nothing)::int"):
        return None
    possible = _possible(connection)
    covered = {order: _fitting(connection, formats) for order, formats in possible.items() if formats}
    either = _fitting(connection, [*possible["dmy"], *possible["mdy"]])
    if max([0, either, *covered.values()]) < ENOUGH * real:
        return None
    order = max(covered, key=lambda o: covered[o])
    chosen = {o: _covering(connection, possible[o]) for o in DATES}
    if order in ("ymd", "named") or not (chosen["dmy"] and chosen["mdy"]):
        shown = " and ".join(chosen[order])
        return Dates(order, chosen[order], f"{shown} fits {_of(covered[order], real)}")
    return _day_or_month(connection, chosen, {o: _of(covered[o], real) for o in covered})


def _possible(connection: duckdb.DuckDBPyConnection) -> dict[Order, list[str]]:
    """The formats that fit at least one of some values, by their order."""
    sample = "(select value from found where not is_nothing limit 500)"
    ((characters,),) = connection.execute(f"select string_agg(value, '') from {sample}").fetchall()
    formats = [
        (order, date + time)
        for order, dates in DATES.items()
        for date, time in product(dates, TIMES)
        if set(re.sub("%.", "", date + time)) <= set(characters)
    ]
    if not formats:
        return {order: [] for order in DATES}
    fits = ", ".join(f"bool_or({_day([format_])} is not null)" for _, format_ in formats)
    (found,) = connection.execute(f"select {fits} from {sample}").fetchall()
    return {
        order: [f for (o, f), fit in zip(formats, found, strict=True) if fit and o == order]
        for order in DATES
    }


def _day_or_month(
    connection: duckdb.DuckDBPyConnection, chosen: dict[Order, tuple[str, ...]], share: dict[Order, str]
) -> Dates:
    """Which of day and month comes first, where formats of both orders fit; ``share`` says how much."""
    first: dict[Order, str] = {"dmy": _day(chosen["dmy"]), "mdy": _day(chosen["mdy"])}
    other: dict[Order, Order] = {"dmy": "mdy", "mdy": "dmy"}
    only = {order: f"{first[order]} is not null and {first[other[order]]} is null" for order in first}
    counts = {
        order: _number(connection, f"select coalesce(sum(n), 0) from found where {condition}")
        for order, condition in only.items()
    }
    order = max(counts, key=lambda o: counts[o])
    if counts[order] and counts[order] >= DECISIVE * sum(counts.values()):
        (example,) = _values(connection, only[order], 1)
        what = "day" if order == "dmy" else "month"
        return Dates(
            order,
            chosen[order],
            f"{' and '.join(chosen[order])} fits {share[order]}; the {what} comes first, as in {example}"
            f" ({counts[order]:,} such values)",
        )
    formats = chosen["dmy"] + chosen["mdy"]
    if counts[order]:
        evidence = (
            f"in {counts['dmy']:,} values only the day can be first, in {counts['mdy']:,} only the month"
        )
        return Dates(None, formats, evidence)
    different = _values(connection, f"{first['dmy']} <> {first['mdy']}", 1)
    if not different:
        return Dates("dmy", chosen["dmy"], "day and month are the same in every value")
    return Dates(None, formats, f"no day is above 12, so {different[0]} may be either")


def _covering(connection: duckdb.DuckDBPyConnection, formats: Sequence[str]) -> tuple[str, ...]:
    """The fewest of the formats that fit all values that they fit together, found greedily."""
    chosen: list[str] = []
    covered = 0
    while len(chosen) < len(formats):
        gains = {f: _fitting(connection, [*chosen, f]) for f in formats if f not in chosen}
        best = max(gains, key=lambda f: gains[f])
        if gains[best] == covered:
            break
        chosen.append(best)
        covered = gains[best]
    return tuple(chosen)


def _day(formats: Sequence[str]) -> str:
    """SQL for a value as a time; null where the year is not plausible, as where `24` is read as a year."""
    read = f"try_strptime(value, [{', '.join(map(literal, formats))}])"
    return f"case when year({read}) between 1900 and 2100 then {read} end"


def _fitting(connection: duckdb.DuckDBPyConnection, formats: Sequence[str]) -> int:
    if not formats:
        return 0
    return _number(connection, f"select coalesce(sum(n), 0) from found where {_day(formats)} is not null")


def _fit(connection: duckdb.DuckDBPyConnection, fits: str) -> dict[str, Any]:
    fitting = _number(connection, f"select coalesce(sum(n), 0) from found where not is_nothing and ({fits})")
    return {"fitting": fitting, "misfits": _values(connection, f"not is_nothing and ({fits}) is not true")}


def _values(connection: duckdb.DuckDBPyConnection, condition: str, most: int = EXAMPLES) -> tuple[str, ...]:
    rows = connection.execute(
        f"select value from found where {condition} order by n desc, value limit {most}"
    )
    return tuple(value for (value,) in rows.fetchall())


def _of(some: int, all_: int) -> str:
    return f"all {all_:,} values" if some == all_ else f"{some:,} of {all_:,} values"


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    ((value,),) = connection.execute(sql).fetchall()
    return int(value)
