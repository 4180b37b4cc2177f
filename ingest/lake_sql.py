"""Reading on target ``spark``: Postgres's SQL on the Parquet files of Spark's tables.

A connection looks like psycopg2's, so that readers need not know where the tables lie. A query that names a
table of the lake is read by sqlglot and answered by DuckDB in this process, without a JVM; any other goes to
Postgres, which has the ledger. Tables of the ledger that stand beside one of the lake are fetched for it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import sqlglot
from psycopg2 import errors
from psycopg2.extensions import connection as Postgres
from sqlglot import exp

from ingest import lake

# What the tables of the models are named after; ledger and models share ops.
SCHEMAS = ("marts", "metrics", "ops", "intermediate")
# DuckDB's types → the oids by which psycopg2 tells them.
OIDS = {
    "BOOLEAN": 16, "BIGINT": 20, "HUGEINT": 20, "SMALLINT": 21, "INTEGER": 23, "VARCHAR": 25, "FLOAT": 701,
    "DOUBLE": 701, "DATE": 1082, "TIMESTAMP": 1114, "TIMESTAMP WITH TIME ZONE": 1184, "DECIMAL": 1700,
}  # fmt: skip
EXISTS = re.compile(r"to_regclass\('(\w+)\.(\w+)'\) is not null")


class Column(NamedTuple):
    """A column of a result, as psycopg2 describes it."""

    name: str
    type_code: int


class Connection:
    """A connection that reads; ``postgres`` is one to the ledger, with the same role."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.duckdb = lake.connect()

    def cursor(self, name: str | None = None) -> "Cursor":
        """A cursor; a named one fetches rows in parts, as all do here."""
        return Cursor(self)

    def set_session(self, **settings: Any) -> None:
        """Of the ledger's transactions: files know none."""
        self.postgres.set_session(**settings)

    @property
    def autocommit(self) -> bool:
        """Whether the ledger sees each query by itself."""
        return bool(self.postgres.autocommit)

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        self.postgres.autocommit = value

    def close(self) -> None:
        """Close both."""
        self.duckdb.close()
        self.postgres.close()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.postgres.rollback()


class Cursor:
    """A cursor, of DuckDB or of Postgres as the query needs it."""

    itersize = 2000

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.description: Sequence[Any] | None = None
        self._result: Any = None

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
        """Run a query.

        Raises:
            psycopg2.Error: as Postgres raises it, also where DuckDB refused.
        """
        with self.connection.postgres.cursor() as cursor:
            text = cursor.mogrify(sql, parameters).decode()
        tables = lake.tables(SCHEMAS)
        text = EXISTS.sub(lambda asked: "true" if (asked[1], asked[2]) in tables else asked[0], text)
        named = _named(text)
        if not named & set(tables):
            self._result = self.connection.postgres.cursor()
            self._result.execute(text)
            self.description = self._result.description
            return
        try:
            self._define(named, tables)
            (translated,) = sqlglot.transpile(text, read="postgres", write="duckdb")
            self._result = self.connection.duckdb.cursor()
            self._result.execute(translated)
        except duckdb.CatalogException as error:
            raise errors.UndefinedTable(str(error)) from error
        except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
            raise errors.SyntaxError(f"{error}\nin: {text}") from error
        self.description = [Column(name, _oid(type_)) for name, type_, *_ in self._result.description]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        return list(self._result.fetchall())

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """Some rows."""
        return list(self._result.fetchmany(size))

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        row: tuple[Any, ...] | None = self._result.fetchone()
        return row

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def close(self) -> None:
        """Let the result go."""
        self._result = None

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _define(self, named: set[tuple[str, str]], tables: Mapping[tuple[str, str], str]) -> None:
        """Make the tables of a query known to DuckDB: files as views, the ledger's as copies."""
        for schema, table in named:
            self.connection.duckdb.execute(f"create schema if not exists {schema}")
            if (schema, table) in tables:
                self.connection.duckdb.execute(
                    f"create or replace view {schema}.{table} as {tables[schema, table]}"
                )
            else:
                _fetch(self.connection, f"{schema}.{table}")


def _fetch(connection: Connection, table: str) -> None:
    with closing(connection.postgres.cursor()) as cursor:
        cursor.execute(f"select * from {table}")
        names = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall()
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    connection.duckdb.register("fetched", pa.table(dict(zip(names, map(list, columns), strict=True))))
    connection.duckdb.execute(f"create or replace table {table} as from fetched")


def _named(text: str) -> set[tuple[str, str]]:
    """The tables of the models' schemas that a query names."""
    try:
        trees = sqlglot.parse(text, read="postgres")
    except sqlglot.errors.SqlglotError:
        return set()
    return {
        (table.db, table.name)
        for tree in trees
        if tree is not None
        for table in tree.find_all(exp.Table)
        if table.db in SCHEMAS
    }


def _oid(type_: Any) -> int:
    return OIDS.get(str(type_).split("(")[0], 25)
