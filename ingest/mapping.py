"""Raw rows to accepted and rejected rows: the feed's expressions, the entity's types and the rules.

Everything is one SQL query over a whole batch, written here and run by DuckDB; no row is touched in Python.
A row that breaks rules is rejected with the name of each and a reason that quotes the value:

====================  ==================================================================================
``row_shape``         the line has more or fewer fields than the header
``<column>_required`` an empty value that must not be empty
``<column>_type``     cannot be read as its type, or its expression fails
``<column>_length``   longer than its column in the marts
``<column>_range``    a number that does not fit exactly: too large, or more than two decimals of money
``<column>_plausible``  a fact's day before 1900 or in the future, unless `plausible_dates: false`
a rule of the feed    its own name; like a check constraint, it holds where it is null
====================  ==================================================================================
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingest.config import Clean, ConfigError, Feed
from ingest.entities import Column, landed_names, listed, quoted

MONEY_LIMIT = 10**8  # numeric(10,2)
INTEGER_LIMIT = 2**31 - 1
# What connectors and landing add to the source's own columns.
LINEAGE = ("_file", "_line", "_load_id", "_block", "_problem")
UNIQUE_ROWS = 2_000_000  # whose keys are compared at a time
EARLIEST = "1900-01-01"
NO_BREAK_SPACE = 160
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
    """How to map batches of one header: a query that types the feed's expressions over ``raw`` and says which
    rows are flawed, SQL over that for whether a row breaks any rule, all checks, and the source's columns."""

    typed: str
    broken: str
    checks: list[Check]
    raw_columns: list[str]


class Reading(NamedTuple):
    """How a value is read as its column's type: columns computed first, SQL of the value, and the checks."""

    parsed: list[str]
    value: str
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

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.accepted + other.accepted, self.rejected + other.rejected)


class Mapper:
    """Maps the batches of one feed into ``accepted`` and ``rejected`` of a DuckDB connection.

    ``accepted``, a view of the table ``mapped`` of all rows, has the entity's columns, then source_name,
    source_file, source_line, load_id, row_hash, and _batch, the number of the batch that it came with;
    ``rejected`` has load_id, source_file, source_line, rule, reason, raw_row (JSON text), _block, then the
    key's columns as far as they could be read. Of all rows that were accepted, also of those that were let
    go, ``sums`` has load_id, block, rows and amount, and ``keys`` has load_id, block and key, a hash.
    """

    def __init__(self, feed: Feed, connection: duckdb.DuckDBPyConnection) -> None:
        self.feed = feed
        self.entity = feed.entity  # one that takes rows as they are grows with the columns that are read
        self.connection = connection
        self.columns = feed.entity.columns
        self._let_go: list[Path] = []
        connection.execute(
            "create or replace table sums_let_go"
            " (load_id bigint, block ubigint, rows bigint, amount decimal(38, 2))"
        )
        self._make_table()
        types = {column.name: DUCKDB_TYPES[column.type] for column in self.columns}
        key = "".join(f", {quoted(name)} {types.get(name, 'varchar')}" for name in self._key)
        connection.execute(
            "create or replace table rejected (load_id bigint, source_file varchar, source_line bigint, "
            f"rule varchar, reason varchar, raw_row varchar, _block ubigint{key})"
        )
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._batches = 0
        # It would move an expression that two columns share out of the TRY that catches its failure.
        connection.execute("set disabled_optimizers = 'common_subexpressions'")

    def add(self, batch: pa.Table) -> None:
        """Map one batch: a table as connectors yield it, with the column ``_load_id`` beside, and perhaps
        ``_block``, which the table ``mapped`` keeps.

        Raises:
            ConfigError: an expression does not fit the source's columns.
        """
        if not len(batch):
            return
        if "_block" not in batch.column_names:
            batch = batch.append_column("_block", pa.nulls(len(batch), pa.uint64()))
        self.connection.register("raw", batch)
        header = tuple(batch.column_names)
        if self.entity.is_as_is and header not in self._plans:
            self._take_columns(header)
        if header not in self._plans:
            plan_of = self._plan_as_is if self.entity.is_as_is else self._plan
            self._plans[header] = plan_of(batch)
        plan = self._plans[header]
        self._batches += 1
        self._insert(f"({plan.typed})", plan.broken)
        self._keep_rejected(plan, batch)
        self.connection.unregister("raw")

    def counts(self) -> dict[int, Counts]:
        """How many rows of each load were accepted and rejected."""
        rows = self.connection.execute(
            "select load_id, sum(accepted)::bigint, sum(rejected)::bigint from"
            " (select load_id, rows as accepted, 0 as rejected from sums"
            " union all select load_id, 0, 1 from rejected) group by all"
        ).fetchall()
        return {load_id: Counts(accepted, rejected) for load_id, accepted, rejected in rows}

    def let_go(self, keys: Path) -> None:
        """Forget the rows that were mapped so far, but for their sums and, in a file, their keys."""
        self.connection.execute(f"copy (from keys_here) to '{keys}' (format parquet)")
        self.connection.execute("insert into sums_let_go from sums_here")
        self._let_go.append(keys)
        self._make_table()

    def take_accepted(self, load_id: int) -> list[int]:
        """Give all accepted rows one load; returns the load ids they had."""
        had = [row[0] for row in self.connection.execute("select load_id from accepted").fetchall()]
        self.connection.execute("update mapped set load_id = ?", [load_id])
        return had

    def _keep_rejected(self, plan: Plan, batch: pa.Table) -> None:
        """Say of the rows that broke a rule which ones and why. They are few, and mapped again for that."""
        broken = self.connection.sql(
            "select load_id as _load_id, source_file as _file, source_line as _line from mapped"
            f" where _broken and _batch = {self._batches}"
        ).to_arrow_table()
        if not len(broken):
            return
        # First by the line alone, which is cheaper than to join all rows.
        lines = broken.column("_line").combine_chunks()
        self.connection.register("raw", batch.filter(pc.is_in(batch.column("_line"), value_set=lines)))
        self.connection.register("broken", broken)
        refused = self.connection.sql(
            "select raw.* from raw semi join broken using (_load_id, _file, _line)"
        ).to_arrow_table()
        self.connection.register("raw", refused)
        self.connection.execute(
            f"create or replace temp table checked as select *, {plan.broken} as _broken from ({plan.typed})"
        )
        checks = plan.checks
        rules = ", ".join(f"case when {check.broken} then {literal(check.rule)} end" for check in checks)
        reasons = ", ".join(f"case when {check.broken} then {check.reason} end" for check in checks)
        key = "".join(f", {quoted(name)}" for name in self._key)
        self.connection.execute(
            f"""
            insert into rejected
            select
                _load_id, _file, _line, array_to_string([{rules}], ', '), array_to_string([{reasons}], '; '),
                to_json(_raw)::varchar, _block{key}
            from checked
            inner join (select _load_id, _file, _line, {_struct(plan.raw_columns)} as _raw from raw) as source
                using (_load_id, _file, _line)
            where _broken
            """
        )
        # An expression may depend on the time, which has passed.
        self._insert("checked where not _broken", "false")

    def _insert(self, rows: str, broken: str) -> None:
        """Keep typed rows; ``rows`` is SQL for them, ``broken`` for whether one breaks a rule."""
        names = "".join(f"{quoted(column.name)}, " for column in self.columns)
        if self.entity.is_as_is:  # a column that comes later and is empty does not change a row
            pairs = ((quoted(name), literal(f"{name}=")) for name in sorted(self.entity.names))
            text = f"concat_ws(chr(31), {', '.join(f'{label} || {name}' for name, label in pairs)})"
        else:  # concat takes null for empty
            text = f"concat({', chr(31), '.join(map(_hashed, self.columns))})"
        # The lower half of the MD5 without its sign; DuckDB's md5_number_lower takes five times as long.
        row_hash = f"(md5_number({text}) & {2**63 - 1})::bigint"
        self.connection.execute(
            f"insert into mapped ({names}source_name, source_file, source_line, load_id, row_hash, _block,"
            f" _batch, _broken) select {names}?, _file, _line, _load_id, {row_hash}, _block, ?, {broken}"
            f" from {rows}",
            [self.feed.source, self._batches],
        )

    def _plan(self, batch: pa.Table) -> Plan:
        """How to map batches of this header.

        Layers, so that nothing is computed twice: ``_x_<column>`` is the value of the column's expression and
        ``_e_<column>`` whether it failed; ``_n_<column>`` a number before its type; then the typed columns;
        the defaults that are computed from them; and ``_flawed``, whether anything given is wrong.
        """
        raw_columns = [name for name in batch.column_names if not name.startswith("_")]
        mapped, fields, parsed, typed, filled = list(LINEAGE), list(LINEAGE), ["*"], ["*"], ["*"]
        checks: list[Check] = []
        computed: list[Check] = []
        for column in self.columns:
            name, sql_type = column.name, DUCKDB_TYPES[column.type]
            target = name if column.default is None else f"_t_{name}"
            expression = self.feed.columns.get(name)
            value = f"null::{sql_type}"
            if expression is not None:
                if _is_plain(expression, raw_columns):
                    mapped += [f"{expression} as _x_{name}", f"false as _e_{name}"]
                    fields += [f"_x_{name}", f"_e_{name}"]
                else:
                    # An expression that fails is null as a whole; one that yields null is a struct of null.
                    mapped.append(f"try({{value: {expression}\n}}) as _m_{name}")
                    fields += [f"_m_{name}.value as _x_{name}", f"_m_{name} is null as _e_{name}"]
                found_type = self._describe(name, f"select ({expression}\n) from raw")
                reading = _read(column, target, found_type, self.feed, _quoted_from(expression, raw_columns))
                parsed += reading.parsed
                value = reading.value
                checks += reading.checks
            typed.append(f"{value} as {target}")
            if column.default is not None:
                filled += [
                    f"try({column.default}) as _d_{name}",
                    f"coalesce(_t_{name}, try(({column.default})::{sql_type})) as {name}",
                ]
                computed += _computed(name)
            elif self.feed.requires(column):
                missing = f"case when {name} is null then not {_given(name)} and not _e_{name} else false end"
                checks.append(Check(f"{name}_required", missing, f"'{name} is empty'"))
        query = f"select {', '.join(mapped)} from raw"
        for layer in (fields, parsed, typed, filled):
            query = f"select {', '.join(layer)} from ({query})"
        checks += [self._rule(name, predicate, query) for name, predicate in self.feed.rules.items()]
        flawed = " or ".join(f"coalesce({check.broken}, false)" for check in checks)
        query = f"select *, _problem is not null or {flawed} as _flawed from ({query})"
        # Of a line that could not be split into columns, nothing more can be said.
        checks = [Check(c.rule, f"_problem is null and ({c.broken})", c.reason) for c in checks]
        shape = Check("row_shape", "_problem is not null", "_problem")
        # A computed value is missed only in rows that nothing else is wrong with.
        computed = [Check(c.rule, f"not _flawed and {c.broken}", c.reason) for c in computed]
        # A condition on a null is null, which is neither broken nor a reason to lose the row.
        broken = " or ".join(["_flawed", *(f"({check.broken}) is true" for check in computed)])
        return Plan(query, broken, [shape, *checks, *computed], raw_columns)

    @property
    def _key(self) -> list[str]:
        """The columns of the key that are the source's own."""
        return [name for name in self.entity.key if name not in ("source_file", "source_line")]

    def _make_table(self) -> None:
        typed = ", ".join(f"{quoted(c.name)} {DUCKDB_TYPES[c.type]}" for c in self.columns)
        self.connection.execute(
            f"create or replace table mapped ({f'{typed}, ' if typed else ''}source_name varchar,"
            " source_file varchar, source_line bigint, load_id bigint, row_hash bigint, _block ubigint,"
            " _batch integer, _broken boolean)"
        )
        self._see_accepted()

    def _see_accepted(self) -> None:
        amount = f"sum({self.entity.amount})" if self.entity.amount else "null"
        views = {
            "accepted": "select * exclude (_block, _broken) from mapped where not _broken",
            "sums_here": "select load_id, _block as block, count(*) as rows,"
            f" {amount}::decimal(38, 2) as amount from mapped where not _broken group by all",
            "sums": "from sums_here union all from sums_let_go",
        }
        if not set(self._key) - {column.name for column in self.columns}:
            key = f"hash({listed(self.entity.key)})"
            views["keys_here"] = (
                f"select load_id, _block as block, {key} as key from mapped where not _broken"
            )
            gone = f" union all from read_parquet({[str(file) for file in self._let_go]})"
            views["keys"] = f"from keys_here{gone if self._let_go else ''}"
        for name, query in views.items():
            self.connection.execute(f"create or replace view {name} as {query}")

    def _take_columns(self, header: Sequence[str]) -> None:
        """Widen the tables by the columns that were not there before.

        Raises:
            ConfigError: the key is not among them.
        """
        names = landed_names(name for name in header if name not in LINEAGE)
        if missing := [name for name in self._key if name not in names.values()]:
            feed = self.feed
            raise ConfigError(
                f"{feed.where('key')}: {feed.source}.{feed.name}: the source has no column"
                f" {', '.join(missing)}, which is in its key; it has: {', '.join(names.values())}"
            )
        new = [name for name in names.values() if name not in self.entity.names]
        for name in new:
            self.connection.execute(f"alter table mapped add column {quoted(name)} varchar")
        self.columns = (*self.columns, *map(Column, new))
        self.entity = replace(self.entity, columns=self.columns)
        self._plans.clear()
        self._see_accepted()

    def _plan_as_is(self, batch: pa.Table) -> Plan:
        """How to take batches of this header as they are: all that can be wrong is a line's shape, and a key
        that is empty."""
        raw_columns = [name for name in batch.column_names if name not in LINEAGE]
        names = landed_names(raw_columns)
        taken = [f"{quoted(column)} as {quoted(name)}" for column, name in names.items()]
        absent = [f"null::varchar as {quoted(n)}" for n in self.entity.names if n not in names.values()]
        checks = [
            Check(
                f"{name}_required",
                f"_problem is null and {quoted(name)} is null",
                literal(f"{name} is empty"),
            )
            for name in self._key
        ]
        flawed = " or ".join(["_problem is not null", *(f"{quoted(name)} is null" for name in self._key)])
        query = f"select {', '.join([*LINEAGE, *taken, *absent])}, {flawed} as _flawed from raw"
        shape = Check("row_shape", "_problem is not null", "_problem")
        return Plan(query, "_flawed", [shape, *checks], raw_columns)

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


def is_unique(connection: duckdb.DuckDBPyConnection, keys: str) -> bool:
    """Whether no ``key``, a hash, stands twice in rows that ``keys`` is SQL for. They are looked at in parts,
    so that memory does not grow with their number."""
    (rows,) = connection.execute(f"select count(*) from {keys}").fetchall()[0]
    parts = 1 + rows // UNIQUE_ROWS
    unique = f"select count(*) = count(distinct key) from {keys} where key % {parts} = "
    return all(connection.execute(f"{unique}{part}").fetchall()[0][0] for part in range(parts))


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


def _hashed(column: Column) -> str:
    """SQL for what of a column enters the row's hash: the cheapest form that tells all values apart."""
    match column.type:
        case "timestamp":
            return f"epoch_us({column.name})"
        case "money":
            return f"({column.name} * 100)::bigint"
        case _:
            return column.name


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


def _read(column: Column, target: str, found_type: str, feed: Feed, source: str) -> Reading:
    """How to read ``_x_<column>`` into ``target``; ``source`` is SQL for what its expression was computed
    from."""
    name, x, number = column.name, f"_x_{column.name}", f"_n_{column.name}"
    shown = f"coalesce({x}::varchar, {source})"

    def unreadable(value: str, what: str) -> Check:
        broken = f"_e_{name} or case when ({value}) is null then {_given(name)} else false end"
        return Check(f"{name}_type", broken, f"'{name} is not {what}: ' || {shown}")

    def too_large(broken: str, what: str) -> Check:
        return Check(f"{name}_range", f"{number} is not null and ({broken})", f"'{name} {what}: ' || {shown}")

    match column.type:
        case "text":
            checks = [Check(f"{name}_type", f"_e_{name}", f"'the expression of {name} fails: ' || {source}")]
            if column.length:
                longer = f"length({target}) > {column.length}"
                reason = f"'{name} has more than {column.length} characters: ' || {target}"
                checks.append(Check(f"{name}_length", longer, reason))
            return Reading([], _cleaned(column, f"{x}::varchar", feed.clean), checks)
        case "integer" | "bigint":
            whole = f"{number} = trunc({number})"
            outside = f"abs({number}) > {INTEGER_LIMIT}"
            value = f"case when {whole} and not ({outside}) then {number}::integer end"
            unread = unreadable(f"case when {whole} then {number} end", "a whole number")
            parsed = [f"try_cast({x} as double) as {number}"]
            return Reading(parsed, value, [unread, too_large(outside, "is too large")])
        case "money":
            exact = f"_c_{name}"  # nine places forgive the noise of binary fractions
            outside = f"{exact} is null or abs({exact}) >= {MONEY_LIMIT} or {exact} <> round({exact}, 2)"
            value = f"case when not ({outside}) then {exact}::decimal(10,2) end"
            parsed = [
                f"try_cast({x} as decimal(18, 9)) as {exact}",
                f"case when {exact} is null then try_cast({x} as double) else 0 end as {number}",
            ]
            checks = [unreadable(number, "a number"), too_large(outside, "does not fit numeric(10,2)")]
            return Reading(parsed, value, checks)
        case "timestamp":
            checks = [unreadable(target, "a date and time"), *_plausible(column, target, shown, feed)]
            return Reading([], _utc(x, found_type, feed.timezone), checks)
        case "date":
            checks = [unreadable(target, "a date"), *_plausible(column, target, shown, feed)]
            return Reading([], f"try_cast({x} as date)", checks)
        case "boolean":
            word = f"lower(trim({x}::varchar))"
            value = (
                f"case when {word} in ('true', 't', 'yes', 'y', '1') then true "
                f"when {word} in ('false', 'f', 'no', 'n', '0') then false end"
            )
            return Reading([], value, [unreadable(target, "yes or no")])


def _plausible(column: Column, target: str, shown: str, feed: Feed) -> list[Check]:
    """The check that a fact is not older than any business nor from the future; clocks may be a zone ahead.

    Facts have a day that is required; the day on which a store opens may lie ahead.
    """
    if not (column.required and feed.plausible_dates):
        return []
    latest = "(now() at time zone 'UTC') + interval 1 day"
    implausible = f"{target} not between timestamp '{EARLIEST}' and {latest}"
    return [
        Check(
            f"{column.name}_plausible",
            implausible,
            f"'{column.name} is before 1900 or in the future: ' || {shown}",
        )
    ]


def _cleaned(column: Column, text: str, clean: Clean) -> str:
    """SQL for a text as the feed's defaults of cleaning leave it."""
    nothing = "nullif({}, '')" if clean.empty_to_null else "{}"
    if clean.trim:
        # Few values have blanks around them, and to look is ten times cheaper than to trim. What sorts before
        # `!` begins with a blank or is empty.
        trimmed = f"{text} >= '!' and not suffix({text}, ' ') and not contains({text}, chr({NO_BREAK_SPACE}))"
        text = f"case when {trimmed} then {text} else {nothing.format(f'trim({text})')} end"
    else:
        text = nothing.format(text)
    if clean.email_case and column.clean == "email":
        text = f"lower({text})"
    if clean.phone_digits and column.clean == "phone":
        # Digits, and the plus of a country; a number with words in it (ext. 12) stays as it is.
        digits = rf"regexp_replace({text}, '(^\+)|\D', '\1', 'g')"
        text = rf"case when regexp_full_match({text}, '\+?[\d\s()./-]*') then {digits} else {text} end"
        text = nothing.format(text)
    return text


def _is_plain(expression: str, raw_columns: Sequence[str]) -> bool:
    """Whether an expression is just a column of the source, which cannot fail."""
    name = expression.strip()
    return name in map(quoted, raw_columns) or (
        re.fullmatch(r"[A-Za-z_]\w*", name) is not None and name.lower() in map(str.lower, raw_columns)
    )


def _utc(x: str, found_type: str, timezone: str) -> str:
    """SQL for a time in UTC: with an offset it is that instant, without one it is local to the source."""
    if timezone == "UTC" and found_type == "TIMESTAMP":
        return x
    if timezone == "UTC" and found_type == "VARCHAR":
        # Of these 19 characters none is left for an offset, and to read them so is four times as fast.
        plain = f"length({x}) = 19 and {x}[17] = ':'"
        return (
            f"case when {plain} then try_cast({x} as timestamp)"
            f" else try_cast({x} as timestamptz) at time zone 'UTC' end"
        )
    local = f"try_cast({x} as timestamp) at time zone {literal(timezone)} at time zone 'UTC'"
    instant = f"try_cast({x} as timestamptz) at time zone 'UTC'"  # the connection's zone is UTC
    if found_type == "TIMESTAMP WITH TIME ZONE" or timezone == "UTC":
        return instant
    if found_type != "VARCHAR":
        return local
    has_offset = rf"regexp_matches({x}, ':\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)\s*$')"
    return f"case when {has_offset} then {instant} else {local} end"


def _headline(error: duckdb.Error) -> str:
    """DuckDB's message without the query it quotes, with the names it proposes."""
    lines = [line.strip() for line in str(error).split("\n\nLINE", 1)[0].splitlines() if line.strip()]
    return " ".join(lines)


def _struct(names: Sequence[str]) -> str:
    """SQL for a struct of columns."""
    return "{" + ", ".join(f"{literal(name)}: {quoted(name)}" for name in names) + "}"


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
