"""How the values of a column are read: the SQL expression that a feed maps, and what is doubtful or open
about it.

Nothing here decides which column is which; ``ingest.proposal`` does.
"""

import functools
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field

import duckdb

from ingest import profile
from ingest.entities import Column, quoted
from ingest.mapping import literal
from ingest.profile import Table
from ingest.vocabulary import NEGATIONS, WORDS, joined, normal

ORDERS = {"dmy": "day first", "mdy": "month first"}
MARKS = {".": "a decimal point", ",": "a decimal comma"}
NOUNS = {
    "integer": "a whole number",
    "decimal": "a number",
    "date": "a date",
    "timestamp": "a date and time",
    "time": "a time",
    "boolean": "yes or no",
}
MONEY_SIGNS = "[€$£¥]|EUR|USD|GBP|CHF"


@dataclass(frozen=True)
class Answers:
    """What a person said of the data; ``expressions`` maps a landed column, or entity.column, to its
    expression."""

    entities: tuple[str, ...] = ()
    date_order: str | None = None
    decimal: str | None = None
    timezone: str | None = None
    expressions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What the data leave open: the option that answers it, why it is open, and what each answer means."""

    option: str
    text: str
    choices: Mapping[str, str]


@dataclass
class Notes:
    """What a person should look at, and what a person must answer, by the option that answers it."""

    doubts: list[str] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)


@functools.cache
def _reserved() -> frozenset[str]:
    with closing(duckdb.connect()) as connection:
        rows = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category in ('reserved',"
            " 'type_function')"
        ).fetchall()
    return frozenset(word for (word,) in rows)


def rows_of(count: int) -> str:
    """A count of rows."""
    return f"{count:,} row{'s' * (count != 1)}"


def name_of(column: str) -> str:
    """A column's name in SQL, quoted where it must be."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column) and column.lower() not in _reserved()
    return column if plain else quoted(column)


def expression_of(
    table: Table, landed: Column, column: profile.Column, answers: Answers, notes: Notes
) -> str:
    """The SQL that reads a source's column as a landed one; what is doubtful or open goes to the notes."""
    value = name_of(column.name)
    if column.has_words_for_nothing and (
        landed.type != "text" or landed.name.endswith("_code") or landed.name == "email"
    ):
        for word in column.nothing:
            value = f"nullif({value}, {literal(word)})"
        shown = ", ".join(f"`{word}`" for word in column.nothing)
        notes.doubts.append(f"{column.name}: {shown} is taken as empty")
    if landed.type != "text" and column.misfits:
        bad = column.filled - column.fitting
        bad -= column.dirt.get("words for nothing", 0) if column.has_words_for_nothing else 0
        shown = ", ".join(f"`{value}`" for value in column.misfits)
        notes.doubts.append(
            f"{column.name}: not {NOUNS[column.type]} in {rows_of(bad)} ({shown}), which would be rejected"
        )
    match landed.type:
        case "timestamp" | "date":
            return _time(table, value, landed, column, answers, notes)
        case "money" | "integer" | "bigint":
            return _numeric(value, landed, column, answers, notes)
        case "boolean":
            if joined(column.name) in NEGATIONS:
                mostly_empty = column.empty >= column.filled
                yes = "('true', 't', 'yes', 'y', '1', 'x')"
                return f"{value} is null" if mostly_empty else f"lower(trim({value})) not in {yes}"
            return value
    if column.type == "integer" and column.places:
        return f"regexp_replace({value}, '[.]0$', '')"
    if landed.name.endswith("_code") and column.dirt.get("differ in case"):
        notes.doubts.append(
            f"{column.name}: {column.dirt['differ in case']:,} codes differ from another one only in upper or"
            f" lower case and are kept apart; if they are one, map {landed.name}: upper({value})"
        )
    return value


def _numeric(value: str, landed: Column, column: profile.Column, answers: Answers, notes: Notes) -> str:
    if column.type == "time":
        notes.doubts.append(f"{column.name}: {column.examples[0]} is taken as hours and minutes")
        return f"epoch({value}::interval)"
    mark: str = column.decimal
    groups, finer = column.thousands, column.is_finer
    if mark == "?":
        separator = "," if "," in column.examples[0] else "."
        if answers.decimal is None:
            plain = re.sub(r"[^\d]", "", column.examples[0])
            what = f"{column.name}: {column.examples[0]} may be {plain} or have three decimals."
            notes.questions["--decimal"] = Question("--decimal", what, MARKS)
        mark = answers.decimal or "."
        groups, finer = (("," if mark == "." else "."),), separator == mark
    if column.dirt.get("currency signs"):
        value = f"regexp_replace({value}, {literal(MONEY_SIGNS)}, '', 'g')"
    for group in groups:
        value = f"replace({value}, {literal(group)}, '')"
    if mark == "," and column.type == "decimal":
        value = f"replace({value}, ',', '.')"
    _doubt_the_unit(landed, column, finer, notes)
    if landed.name == "duration" and _says_minutes(column):
        return f"round({value}::decimal(18, 6) * 60)"
    return f"round({value}::decimal(18, 6), 2)" if landed.type == "money" and finer else value


def _says_minutes(column: profile.Column) -> bool:
    return bool({"min", "mins", "minutes", "minuten", "minutos"} & set(normal(column.name).split()))


def _doubt_the_unit(landed: Column, column: profile.Column, finer: bool, notes: Notes) -> None:
    """Say what a number is taken for, where a column could as well mean another unit or more decimals."""
    said: list[str] = []
    if landed.name == "duration" and _says_minutes(column):
        said.append("its name says minutes; landed as seconds")
    elif landed.name == "duration":
        said.append(f"taken as seconds, e.g. {', '.join(column.examples)}")
    if landed.name == "discount_amount":
        said.append("taken as an amount of money for the whole line, not as a percentage")
    if landed.type == "money" and finer:
        said.append("amounts have more than two decimals; they are rounded")
    elif landed.type == "money" and column.finer:
        said.append(f"more than two decimals in {rows_of(column.finer)}, which would be rejected")
    if landed.type == "integer" and column.type == "decimal" and landed.name != "duration":
        said.append(f"{landed.name} holds whole numbers; rows with a fraction would be rejected")
    notes.doubts += [f"{column.name}: {doubt}" for doubt in said]


def _time(
    table: Table, value: str, landed: Column, column: profile.Column, answers: Answers, notes: Notes
) -> str:
    dates = column.dates
    if dates is None:
        return value
    order = dates.order or answers.date_order
    if order is None:
        notes.questions["--date-order"] = Question(
            "--date-order", f"{column.name}: {dates.evidence}.", ORDERS
        )
        return value
    formats = dates.of(order)
    time_column = time_beside(table) if landed.type == "timestamp" and not dates.has_time else None
    if time_column is not None:
        value = f"{value} || ' ' || {name_of(time_column.name)}"
        seconds = table.count(f"length(trim({quoted(time_column.name)})) > 5")
        formats = tuple(f"{format_} %H:%M{':%S' if seconds else ''}" for format_ in formats)
    if dates.is_iso:
        return value
    shown = [literal(format_) for format_ in formats]
    return f"strptime({value}, {shown[0] if len(shown) == 1 else '[' + ', '.join(shown) + ']'})"


def time_beside(table: Table) -> profile.Column | None:
    """The column that holds the time of day where the date is in another."""
    durations = WORDS["interactions"]["duration"]
    times = [
        c
        for c in table.columns.values()
        if c.type == "time" and not c.empty and joined(c.name) not in durations
    ]
    return times[0] if len(times) == 1 else None
