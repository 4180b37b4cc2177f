"""SQL databases, through SQLAlchemy. One delivery a table or query, streamed in chunks and only ever read.

A value arrives as the text its database would write. PostgreSQL writes it itself, so that no type is lost on
the way (numeric, infinity, json, arrays, intervals); of other databases Python writes what the driver gives:
what they keep as 0 and 1 for false and true stays 0 and 1.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from ingest import warehouse
from ingest.connectors import BATCH_ROWS, Delivery, SourceError, check_header, text_table
from ingest.connectors.cursor import Cursor, parse
from ingest.connectors.sheet import as_text

# What a URL without a driver means: those that are installed with the platform and its extra.
DRIVERS = {
    "postgresql": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
CONNECT_SECONDS = 30  # libpq would wait for ever
PASSWORD = re.compile(r"://[^/@:]*:(.+)@")

# Run once in each new connection: read only, and times in a form that does not hang on the server's settings.
SESSION = {
    "postgresql": (
        "set session characteristics as transaction read only",
        "set timezone to 'UTC'",
        "set datestyle to 'ISO'",
        "set intervalstyle to 'iso_8601'",
        "set bytea_output to 'hex'",
    ),
    "mysql": ("set session transaction read only", "set time_zone = '+00:00'"),
    "mariadb": ("set session transaction read only", "set time_zone = '+00:00'"),
    "sqlite": ("pragma query_only = on",),
}


def _hex(value: bytes | bytearray | memoryview) -> str:
    return r"\x" + bytes(value).hex()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


# How a driver's values are written: ISO times, plain digits, bytes as hex; the others by str().
TEXTS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    float: "{:.15g}".format,
    Decimal: "{:f}".format,
    datetime: lambda value: value.isoformat(sep=" "),
    date: date.isoformat,
    time: time.isoformat,
    timedelta: as_text,
    bytes: _hex,
    bytearray: _hex,
    memoryview: _hex,
    dict: _json,
    list: _json,
}


def deliveries(
    place: dict[str, Any], since: str | None = None, until: str | None = None
) -> Iterator[Delivery]:
    """The rows of ``place["table"]`` (``schema.table`` too) or ``place["query"]`` in the database at
    ``place["url"]``; where the place has a cursor, those at or after ``since`` and those without a value; or
    those before ``until``, too."""
    name = place.get("table", "query")
    cursor = Cursor(place.get("cursor"), since, until)
    yield Delivery(name, None, partial(_batches, place, name, cursor), cursor.greatest)


def _batches(place: dict[str, Any], name: str, cursor: Cursor) -> Iterator[pa.Table]:
    engine = _engine(place["url"], name)
    with _errors(place["url"], name):
        try:
            with engine.connect() as connection:
                yield from _read(connection, place, name, cursor)
        finally:
            engine.dispose()


def _read(connection: sa.Connection, place: dict[str, Any], name: str, cursor: Cursor) -> Iterator[pa.Table]:
    source = _source(connection, place)
    header = list(connection.execute(sa.select(sa.text("*")).select_from(source).where(sa.false())).keys())
    check_header(header, name)
    if cursor.column and cursor.column not in header:
        raise SourceError(f"{name}: no cursor column `{cursor.column}`; it has: {', '.join(header)}")
    statement = _statement(connection.dialect.name, source, header, cursor)
    result = connection.execution_options(yield_per=BATCH_ROWS).execute(statement)
    first_line = 1
    for chunk in result.partitions():
        rows = [[v if v is None else TEXTS.get(type(v), str)(v) for v in row] for row in chunk]
        if cursor.column:
            position = header.index(cursor.column)
            cursor.see(row[position] for row in rows)
        yield text_table(header, rows, name, range(first_line, first_line + len(rows)))
        first_line += len(rows)


def _source(connection: sa.Connection, place: dict[str, Any]) -> sa.FromClause | sa.TextClause:
    """What to select from: the query as a subquery, or the table.

    Raises:
        NoSuchTableError: there is none of that name.
    """
    if "query" in place:
        query = place["query"].strip().rstrip(";").replace(":", r"\:")  # a colon of it is no parameter
        return sa.text(f"({query}\n) as delivered")
    schema, _, table = place["table"].rpartition(".")
    if not sa.inspect(connection).has_table(table, schema or None):
        raise NoSuchTableError(place["table"])
    return sa.table(table, schema=schema or None)


def _statement(
    dialect: str, source: sa.FromClause | sa.TextClause, header: list[str], cursor: Cursor
) -> sa.Select[Any]:
    columns: list[Any] = [sa.column(name) for name in header]
    if dialect == "postgresql":
        columns = [sa.cast(column, sa.Text).label(column.name) for column in columns]
    statement = sa.select(*columns).select_from(source)
    if cursor.column and cursor.start is not None:
        column: sa.ColumnClause[Any] = sa.column(cursor.column)
        start: sa.BindParameter[Any] = sa.bindparam("since", _bound(dialect, cursor.start))
        if cursor.end is None:
            return statement.where(sa.or_(column >= start, column.is_(None)))
        end: sa.BindParameter[Any] = sa.bindparam("until", _bound(dialect, cursor.end))
        return statement.where(column >= start, column < end)
    return statement


def _bound(dialect: str, start: str) -> Any:
    """The start as a parameter. SQLite keeps times as text, so there it is the text that compares."""
    value = parse(start)
    if dialect == "sqlite" and not isinstance(value, int):
        return start if isinstance(value, date) else float(value)
    return value


def _engine(url: str, name: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
        if parsed.drivername == DRIVERS["postgresql"] and "connect_timeout" not in parsed.query:
            parsed = parsed.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            parsed = _read_only_file(parsed)
        engine = sa.create_engine(parsed, poolclass=sa.NullPool)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise SourceError(
            f"{name}: no driver for the database's URL: {error} (for MySQL and MariaDB: the extra `mysql`)"
        ) from error
    except (ArgumentError, ValueError) as error:  # without its text, which may hold a part of the password
        raise SourceError(
            f"{name}: the database's URL cannot be read; it is like postgresql://user:password@host/database,"
            " with @, : and / of the password as %40, %3A and %2F"
        ) from error

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        with closing(connection.cursor()) as statements:
            for statement in SESSION.get(engine.dialect.name, ()):
                statements.execute(statement)
        connection.commit()

    return engine


def _read_only_file(url: sa.URL) -> sa.URL:
    file = warehouse.ROOT / str(url.database)
    if not file.exists():  # SQLite would create it
        raise SourceError(f"{file}: there is no such file")
    return url.set(database=f"file:{quote(str(file))}").update_query_dict({"mode": "ro", "uri": "true"})


@contextmanager
def _errors(url: str, name: str) -> Iterator[None]:
    """Say what the database said, without its password."""
    try:
        yield
    except NoSuchTableError as error:
        raise SourceError(f"{name}: the database has no such table") from error
    except SQLAlchemyError as error:
        said = _hidden(getattr(error, "orig", None) or error, url)
        raise SourceError(f"{name}: the database says: {said}") from error


def _hidden(error: BaseException, url: str) -> str:
    """An error's text with the URL's password made unreadable."""
    text = str(error).strip().replace(url, "***")
    found = PASSWORD.search(url)
    for secret in (found[1], unquote(found[1])) if found else ():
        text = text.replace(secret, "***")
    return text
