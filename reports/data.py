"""The one door from documents to the warehouse: read-only, bound parameters, one moment in time.

Everything a report shows comes through `query`, with the reader role, which sees the schemas marts, metrics
and ops and cannot write. What a figure means belongs to `figures.py`, how it looks to `notation.py`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg2
import pyarrow as pa
from psycopg2.extensions import connection as Connection

from ingest import warehouse
from reports import results
from reports.errors import DataError

# An open snapshot that this process is to read from; set for the processes that run a report's cells.
SNAPSHOT = "ANALYTICS_SNAPSHOT"

BOOLEAN, NUMERIC = 16, 1700
INTEGERS = (20, 21, 23)
TIMES = (1082, 1114, 1184)
BATCH = 10_000  # rows

# What to do while there is nothing to read.
FIRST_STEPS = "load and build first, with `analytics ingest` and `analytics build`"

Value = str | int | float | date | datetime | list[str] | list[int] | None

_shared: ContextVar[Connection | None] = ContextVar("shared", default=None)


def query(sql: str, **parameters: Value) -> pd.DataFrame:
    """The rows of one select, as a frame with a column for each of its columns.

    Values go in by name, as `%(name)s`, and are never pasted into the text (a literal percent sign is
    written `%%`). Types: numeric becomes float64, in which an amount keeps its cents up to 10^13 (sums and
    divisions over many rows are the database's to make, in exact decimals); integers become int64, or
    Int64 where a null occurs; dates and timestamps become datetime64, in UTC; text stays text.

    While a report is made the result is kept with it, and asked for once (see `results.py`).

    Raises:
        DataError: the warehouse cannot be reached, a table does not exist yet, or the select is wrong.
    """
    return results.keep(results.key_of(sql, parameters), lambda: _ask(sql, parameters))


def stream(sql: str, **parameters: Value) -> Path:
    """As `query`, for results of any size: a Parquet file with them. Memory holds some thousand rows at a
    time."""
    return results.keep_batches(results.key_of(sql, parameters), lambda: _ask_in_batches(sql, parameters))


def exists(table: str) -> bool:
    """Whether there is a table `schema.name` that may be read."""
    return bool(query("select to_regclass(%(table)s) is not null as found", table=table)["found"].iloc[0])


@contextmanager
def snapshot() -> Iterator[str]:
    """Let all queries of this thread see the warehouse as it is now, so that a report's figures agree
    although a build commits in between. A process given the yielded id as `ANALYTICS_SNAPSHOT` sees the same.
    """
    with closing(_connect()) as connection:
        token = _shared.set(connection)
        try:
            yield _export(connection)
        finally:
            _shared.reset(token)


@contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """Let all queries of this thread go through an open connection, and see what it sees."""
    token = _shared.set(connection)
    try:
        yield
    finally:
        _shared.reset(token)


def _ask(sql: str, parameters: Mapping[str, Value]) -> pd.DataFrame:
    with _cursor() as cursor:
        cursor.execute(sql, parameters)
        columns = _columns(cursor)
        rows = cursor.fetchall()
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    series = [_series(list(column), oid) for column, (_, oid) in zip(values, columns, strict=True)]
    frame = pd.concat(series, axis=1) if series else pd.DataFrame()
    frame.columns = pd.Index([name for name, _ in columns])
    return frame


def _ask_in_batches(sql: str, parameters: Mapping[str, Value]) -> Iterator[pa.RecordBatch]:
    with _cursor(name="stream") as cursor:
        cursor.itersize = BATCH
        cursor.execute(sql, parameters)
        rows = cursor.fetchmany(BATCH)
        columns = _columns(cursor)
        schema = pa.schema([(name, _arrow_type(oid)) for name, oid in columns])
        while True:
            values = list(zip(*rows, strict=True)) or [()] * len(columns)
            arrays = [
                pa.array(column).cast(type_) for column, type_ in zip(values, schema.types, strict=True)
            ]
            yield pa.record_batch(arrays, schema=schema)
            if len(rows) < BATCH:
                return
            rows = cursor.fetchmany(BATCH)


@contextmanager
def _cursor(name: str | None = None) -> Iterator[Any]:
    """A cursor on the moment in force; errors become ones for the report's author."""
    try:
        shared = _shared.get()
        connection = shared or _connect()
        try:
            with connection.cursor(name) as cursor:
                yield cursor
        finally:
            if connection is not shared:
                connection.close()
    except psycopg2.errors.UndefinedTable as error:
        table = str(error).splitlines()[0]
        raise DataError(f"{table}: {FIRST_STEPS}") from error
    except psycopg2.Error as error:
        raise DataError(f"the warehouse refused a query: {error}".strip()) from error


def _columns(cursor: Any) -> list[tuple[str, int]]:
    assert cursor.description is not None, "only a select returns rows"
    return [(column.name, column.type_code) for column in cursor.description]


def _connect() -> Connection:
    """A connection that sees one moment: the snapshot of the environment if there is one, else now."""
    try:
        connection = warehouse.connect("reader")
    except (psycopg2.Error, warehouse.WarehouseError) as error:
        raise DataError(f"the warehouse cannot be read: {error}".strip()) from error
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    if given := os.environ.get(SNAPSHOT):
        connection.cursor().execute("set transaction snapshot %s", (given,))
    return connection


def _export(connection: Connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select pg_export_snapshot()")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def _arrow_type(oid: int) -> pa.DataType:
    if oid == NUMERIC:
        return pa.float64()
    if oid in INTEGERS:
        return pa.int64()
    if oid in TIMES:
        return pa.timestamp("us")
    return pa.bool_() if oid == BOOLEAN else pa.string()


def _series(values: list[Any], oid: int) -> pd.Series:
    if oid == NUMERIC:
        return pd.Series(values, dtype="float64")
    if oid in INTEGERS:
        return pd.Series(values, dtype="Int64" if None in values else "int64")
    if oid in TIMES:
        return pd.Series(pd.to_datetime(pd.Series(values, dtype="object"), utc=True)).dt.tz_localize(None)
    if oid == BOOLEAN and None not in values:
        return pd.Series(values, dtype="bool")
    return pd.Series(values, dtype="object")
