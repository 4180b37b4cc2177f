"""Raw rows to accepted and rejected rows: the feed's expressions, the entity's types and the rules.

Everything is one SQL query over a whole batch, written here and run by DuckDB; no row is touched in Python.
A row that breaks rules is rejected with the name of each and a reason that quotes the value:

====================  ==================================================================================
``row_shape``         the line has more or fewer fields than the header
``<column>_required`` an empty value that must not be empty
``<column>_type``     cannot be read as its type, or its expression fails
``<column>_length``   longer than its column in the marts
``<column>_range``    a number that does not fit exactly: too large, or more than two decimals of money
``<column>_plausible``  a time before 1900 or in the future
a rule of the feed    its own name; like a check constraint, it holds where it is null
====================  ==================================================================================
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ingest.config import ConfigError, Feed
from ingest.entities import Column

MONEY_LIMIT = 10**8  # numeric(10,2)
INTEGER_LIMIT = 2**31 - 1
EARLIEST = "1900-01-01"
DUCKDB_TYPES = {
    "text": "varchar",
    "integer": "integer",
    "bigint": "bigint",
    "money": "decimal(10,2)",
    "timestamp": "timestamp",
    "date": "date",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Check:
    """A rule as SQL: ``broken`` is true for a row that breaks it; ``reason`` is the text for a person."""

    rule: str
    broken: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """How to map batches of one header: a statement that evaluates the feed's expressions over ``raw`` into
    ``mapped``, a query that types ``mapped``, and the checks on what that yields."""

    values: str
    typed: str
    checks: list[Check]


@dataclass(frozen=True)
class Counts:
    """Rows that kept every rule and rows that did not."""

    accepted: int = 0
    rejected: int = 0

    @property
    def read(self) -> int:
        """All rows."""
        return self.accepted + self.rejected


class Mapper:
    """Maps the batches of one feed into the tables ``accepted`` and ``rejected`` of a DuckDB connection.

    ``accepted`` has the entity's columns, then source_name, source_file, source_line, load_id, row_hash;
    ``rejected`` has load_id, source_file, source_line, rule, reason, raw_row (JSON text).
    """

    def __init__(self, feed: Feed, connection: duckdb.DuckDBPyConnection) -> None:
        self.feed = feed
        self.connection = connection
        self.columns = feed.entity.columns
        typed = ", ".join(f"{c.name} {DUCKDB_TYPES[c.type]}" for c in self.columns)
        connection.execute(
            f"create or replace table accepted ({typed}, source_name varchar, source_file varchar, "
            "source_line bigint, load_id bigint, row_hash varchar)"
        )
        connection.execute(
            "create or replace table rejected (load_id bigint, source_file varchar, source_line bigint, "
            "rule varchar, reason varchar, raw_row varchar)"
        )
        self._plans: dict[tuple[str, ...], Plan] = {}
        # It would move an expression that two columns share out of the TRY that catches its failure.
        connection.execute("set disabled_optimizers = 'common_subexpressions'")

    def add(self, batch: pa.Table) -> None:
        """Map one batch: a table as connectors yield it, with the column ``_load_id`` beside.

        Raises:
            ConfigError: an expression does not fit the source's columns.
        """
        if not len(batch):
            return
        self.connection.register("raw", batch)
        header = tuple(batch.column_names)
        if header not in self._plans:
            self._plans[header] = self._plan(batch)
        plan = self._plans[header]
        # A condition on a null is null, which is neither broken nor a reason to lose the row.
        broken = " or ".join(f"({check.broken}) is true" for check in plan.checks)
        self.connection.execute(plan.values)
        self.connection.execute(
            f"create or replace temp table checked as select *, {broken} as _broken from ({plan.typed})"
        )
        self._keep_accepted()
        self._keep_rejected(plan.checks)
        self.connection.unregister("raw")

    def counts(self) -> dict[int, Counts]:
        """How many rows of each load were accepted and rejected."""
        rows = self.connection.execute(
            "select load_id, count(*) filter (not refused), count(*) filter (refused) from"
            " (select load_id, false as refused from accepted union all select load_id, true from rejected)"
            " group by all"
        ).fetchall()
        return {load_id: Counts(accepted, rejected) for load_id, accepted, rejected in rows}

    def take_accepted(self, load_id: int) -> list[int]:
        """Give all accepted rows one load; returns the load ids they had."""
        had = [row[0] for row in self.connection.execute("select load_id from accepted").fetchall()]
        self.connection.execute("update accepted set load_id = ?", [load_id])
        return had

    def _keep_accepted(self) -> None:
        names = ", ".join(column.name for column in self.columns)
        values = ", ".join(f"coalesce({column.name}::varchar, '')" for column in self.columns)
        self.connection.execute(
            f"insert into accepted select {names}, ?, _file, _line, _load_id, "
            f"md5(concat_ws(chr(31), {values})) from checked where not _broken",
            [self.feed.source],
        )

    def _keep_rejected(self, checks: list[Check]) -> None:
        rules = ", ".join(f"case when {check.broken} then {literal(check.rule)} end" for check in checks)
        reasons = ", ".join(f"case when {check.broken} then {check.reason} end" for check in checks)
        self.connection.execute(
            f"insert into rejected select _load_id, _file, _line, array_to_string([{rules}], ', '), "
            f"array_to_string([{reasons}], '; '), to_json(_raw)::varchar from checked where _broken"
        )

    def _plan(self, batch: pa.Table) -> Plan:
        """How to map batches of this header.

        Layers: ``_x_<column>`` is the value of the column's expression and ``_e_<column>`` whether it
        failed; then the typed columns; then the defaults that are computed from them.
        """
        raw_columns = [name for name in batch.column_names if not name.startswith("_")]
        raw = ", ".join(f"{literal(name)}: {quoted(name)}" for name in raw_columns)
        mapped = ["_file", "_line", "_load_id", "_problem", f"{{{raw}}} as _raw"]
        fields = ["_file", "_line", "_load_id", "_problem", "_raw"]
        typed, filled = ["*"], ["*"]
        checks = [Check("row_shape", "_problem is not null", "_problem")]
        computed: list[Check] = []
        for column in self.columns:
            name, sql_type = column.name, DUCKDB_TYPES[column.type]
            expression = self.feed.columns.get(name)
            value = f"null::{sql_type}"
            if expression is not None:
                # An expression that fails is null as a whole; one that yields null is a struct of null.
                mapped.append(f"try({{value: {expression}\n}}) as _m_{name}")
                fields += [f"_m_{name}.value as _x_{name}", f"_m_{name} is null as _e_{name}"]
                found_type = self._describe(name, f"select ({expression}\n) from raw")
                value, found = _read(
                    column, found_type, self.feed.timezone, _quoted_from(expression, raw_columns)
                )
                checks += found
            if column.default is not None:
                typed.append(f"{value} as _t_{name}")
                filled += [
                    f"try({column.default}) as _d_{name}",
                    f"coalesce(_t_{name}, try(({column.default})::{sql_type})) as {name}",
                ]
                computed += _computed(name)
                continue
            typed.append(f"{value} as {name}")
            if self.feed.requires(column):
                missing = f"not {_given(name)} and not _e_{name}"
                checks.append(Check(f"{name}_required", missing, f"'{name} is empty'"))
        values = f"create or replace temp table mapped as select {', '.join(mapped)} from raw"
        query = f"select {', '.join(fields)} from mapped"
        query = f"select {', '.join(typed)} from ({query})"
        query = f"select {', '.join(filled)} from ({query})"
        self.connection.execute(values)
        checks += [self._rule(name, predicate, query) for name, predicate in self.feed.rules.items()]
        # A computed value is missed only in rows that nothing else is wrong with.
        sound = " and ".join(f"({check.broken}) is not true" for check in checks)
        checks += [Check(c.rule, f"{c.broken} and {sound}", c.reason) for c in computed]
        # Of a line that could not be split into columns, nothing more can be said.
        shape, *others = checks
        checks = [shape, *(Check(c.rule, f"_problem is null and ({c.broken})", c.reason) for c in others)]
        return Plan(values, query, checks)

    def _rule(self, name: str, predicate: str, query: str) -> Check:
        """A rule of the feed; its reason quotes the columns that it names."""
        self._describe(name, f"select ({predicate}\n)::boolean from ({query})")
        named = [c.name for c in self.columns if re.search(rf"\b{c.name}\b", predicate)]
        reason = (
            f"{literal(f'{name} does not hold: {predicate} (')} || {_listed({c: c for c in named})} || ')'"
        )
        return Check(name, f"coalesce(try(({predicate}\n) is false), true)", reason)

    def _describe(self, name: str, query: str) -> str:
        """The type of a one-column query.

        Raises:
            ConfigError: the query does not fit the columns it reads.
        """
        try:
            row = self.connection.execute(f"describe {query}").fetchone()
        except duckdb.Error as error:
            feed = self.feed
            raise ConfigError(
                f"{feed.where(name)}: {feed.source}.{feed.name}.{name}: {_headline(error)}"
            ) from error
        return str(row[1]) if row else "VARCHAR"


def _computed(name: str) -> list[Check]:
    """The checks on a column that has a default, ``_d_<column>``."""
    return [
        Check(
            f"{name}_range",
            f"{name} is null and _d_{name} is not null",
            f"'{name} does not fit: ' || _d_{name}::varchar",
        ),
        Check(f"{name}_required", f"{name} is null and _d_{name} is null", f"'{name} is empty'"),
    ]


def _given(name: str) -> str:
    return f"(nullif(trim(_x_{name}::varchar), '') is not null)"


def _quoted_from(expression: str, raw_columns: Sequence[str]) -> str:
    """SQL for the raw values that an expression names, for the reason why it failed."""
    named = [name for name in raw_columns if re.search(rf"\b{re.escape(name)}\b", expression)]
    return _listed({name: f"_raw.{quoted(name)}" for name in named})


def _listed(values: Mapping[str, str]) -> str:
    """SQL for ``name = value, …`` from names and the SQL of their values."""
    parts = [f"{literal(f'{name} = ')} || coalesce({sql}::varchar, 'null')" for name, sql in values.items()]
    return " || ', ' || ".join(parts) or "''"


def _read(column: Column, found_type: str, timezone: str, source: str) -> tuple[str, list[Check]]:
    """SQL that reads ``_x_<column>`` as the column's type, and the checks that it could; ``source`` is SQL
    for what its expression was computed from."""
    name, x = column.name, f"_x_{column.name}"
    number = f"try_cast({x} as double)"
    exact = f"try_cast({x} as decimal(38, 9))"  # nine places forgive the noise of binary fractions
    shown = f"coalesce({x}::varchar, {source})"

    def unreadable(value: str, what: str) -> Check:
        broken = f"_e_{name} or ({_given(name)} and ({value}) is null)"
        return Check(f"{name}_type", broken, f"'{name} is not {what}: ' || {shown}")

    def too_large(broken: str, what: str) -> Check:
        return Check(f"{name}_range", f"{number} is not null and ({broken})", f"'{name} {what}: ' || {shown}")

    match column.type:
        case "text":
            value = f"nullif(trim({x}::varchar), '')"
            checks = [Check(f"{name}_type", f"_e_{name}", f"'the expression of {name} fails: ' || {source}")]
            if column.length:
                longer = f"length({value}) > {column.length}"
                reason = f"'{name} has more than {column.length} characters: ' || {value}"
                checks.append(Check(f"{name}_length", longer, reason))
            return value, checks
        case "integer" | "bigint":
            whole = f"case when {number} = trunc({number}) then {number} end"
            outside = f"abs({number}) > {INTEGER_LIMIT}"
            value = f"case when not ({outside}) and ({whole}) is not null then {exact}::integer end"
            return value, [unreadable(whole, "a whole number"), too_large(outside, "is too large")]
        case "money":
            outside = f"abs({number}) >= {MONEY_LIMIT} or {exact} is distinct from round({exact}, 2)"
            value = f"case when not ({outside}) then {exact}::decimal(10,2) end"
            return value, [unreadable(number, "a number"), too_large(outside, "does not fit numeric(10,2)")]
        case "timestamp":
            value = _utc(x, found_type, timezone)
            implausible = (
                f"{value} not between timestamp '{EARLIEST}' and (now() at time zone 'UTC') + interval 1 day"
            )
            return value, [
                unreadable(value, "a date and time"),
                Check(
                    f"{name}_plausible", implausible, f"'{name} is before 1900 or in the future: ' || {shown}"
                ),
            ]
        case "date":
            value = f"try_cast({x} as date)"
            return value, [unreadable(value, "a date")]
        case "boolean":
            word = f"lower(trim({x}::varchar))"
            value = (
                f"case when {word} in ('true', 't', 'yes', 'y', '1') then true "
                f"when {word} in ('false', 'f', 'no', 'n', '0') then false end"
            )
            return value, [unreadable(value, "yes or no")]


def _utc(x: str, found_type: str, timezone: str) -> str:
    """SQL for a time in UTC: with an offset it is that instant, without one it is local to the source."""
    local = f"try_cast({x} as timestamp) at time zone {literal(timezone)} at time zone 'UTC'"
    instant = f"try_cast({x} as timestamptz) at time zone 'UTC'"
    if found_type == "TIMESTAMP WITH TIME ZONE":
        return instant
    if found_type != "VARCHAR":
        return local
    has_offset = rf"regexp_matches({x}, ':\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)\s*$')"
    return f"case when {has_offset} then {instant} else {local} end"


def _headline(error: duckdb.Error) -> str:
    """DuckDB's message without the query it quotes, with the names it proposes."""
    lines = [line.strip() for line in str(error).split("\n\nLINE", 1)[0].splitlines() if line.strip()]
    return " ".join(lines)


def quoted(name: str) -> str:
    """A name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
