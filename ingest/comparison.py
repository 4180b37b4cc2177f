"""Comparing the tables of the models in Postgres with those of the lake, cell by cell.

Built from the same landing both must be the same, ids included. Fractions that are no decimals may differ in
their tenth digit, since they depend on the order in which rows are added up.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from psycopg2.extensions import connection as Postgres

from ingest import lake, warehouse

# The results of tests say when they ran, the horizons which builds there were.
LEFT_OUT = {("ops", "test_results"), ("ops", "model_horizons")}
SCHEMAS = ("intermediate", "marts", "metrics", "ops")
CLOSE = 1e-9
TOLD = 3  # rows of each side that a difference shows


@dataclass(frozen=True)
class Compared:
    """A table that was compared; ``difference`` says in words what differs."""

    table: str
    rows: int
    cells: int
    difference: str | None = None


def compare() -> Iterator[Compared]:
    """Compare every table of the models; some of Spark's are views in Postgres. In ops stand also the
    ledger's tables, and the rows that tests store."""
    with (
        closing(warehouse.connect_ledger("transformer")) as postgres,
        closing(lake.connect()) as connection,
        TemporaryDirectory(dir=warehouse.home()) as folder,
    ):
        in_lake = lake.tables(SCHEMAS)
        in_postgres, views = _tables(postgres)
        for schema, name in sorted({*in_lake, *in_postgres} - LEFT_OUT):
            missing = [
                place
                for place, tables in (("the lake", in_lake), ("Postgres", in_postgres | views))
                if (schema, name) not in tables
            ]
            if not missing:
                connection.execute(f"create or replace view theirs as {in_lake[schema, name]}")
                yield _compare(f"{schema}.{name}", postgres, connection, Path(folder) / "rows.csv")
            elif schema != "ops":
                yield Compared(f"{schema}.{name}", 0, 0, f"it is not in {missing[0]}")


def summary(compared: Sequence[Compared]) -> str:
    """One line for a person."""
    rows, cells = sum(one.rows for one in compared), sum(one.cells for one in compared)
    different = [one.table for one in compared if one.difference]
    verdict = f"{len(different)} differ: {', '.join(different)}" if different else "all equal"
    return f"Compared Postgres and Spark: {len(compared)} tables, {rows:,} rows, {cells:,} cells: {verdict}"


def _tables(postgres: Postgres) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The tables and the views."""
    with postgres.cursor() as cursor:
        names = []
        for kind in ("table", "view"):
            cursor.execute(
                f"select schemaname, {kind}name from pg_{kind}s where schemaname = any(%s)", (list(SCHEMAS),)
            )
            names.append(set(cursor.fetchall()))
    return names[0], names[1]


def _compare(table: str, postgres: Postgres, connection: duckdb.DuckDBPyConnection, file: Path) -> Compared:
    types = dict(connection.execute("select column_name, column_type from (describe theirs)").fetchall())
    with postgres.cursor() as cursor:
        cursor.execute(f"select * from {table} limit 0")
        columns = [column.name for column in cursor.description or ()]
        if set(columns) != set(types):
            return Compared(table, 0, 0, f"its columns differ: {sorted(set(columns) ^ set(types))}")
        with file.open("w") as handle:
            cursor.copy_expert(f"copy (select * from {table}) to stdout with (format csv)", handle)
    ordered = {name: types[name] for name in columns}
    form = "auto_detect=false, header=false, delim=',', quote='\"', escape='\"', allow_quoted_nulls=false"
    connection.execute(f"create or replace table ours as from read_csv('{file}', {form}, columns={ordered})")
    exact = [name for name, type_ in ordered.items() if type_ not in ("DOUBLE", "FLOAT")]
    fractions = [name for name in columns if name not in exact]
    same = " and ".join(f"ours.{name} is not distinct from theirs.{name}" for name in exact)
    close = "".join(
        f" and (ours.{name} is not distinct from theirs.{name} or abs(ours.{name} - theirs.{name})"
        f" <= {CLOSE} * greatest(abs(ours.{name}), abs(theirs.{name})))"
        for name in fractions
    )
    shown, rows = ", ".join(columns), _count(connection, "ours")
    lost, new = (
        _rows(connection, f"select {shown} from {one} anti join {other} on {same}{close}")
        for one, other in (("ours", "theirs"), ("theirs", "ours"))
    )
    if lost or new or rows != _count(connection, "theirs"):
        told = [
            f"{rows:,} rows in Postgres, {_count(connection, 'theirs'):,} in the lake",
            ", ".join(columns),
        ]
        told += [f"only in Postgres: {row}" for row in lost] + [f"only in the lake: {row}" for row in new]
        return Compared(table, rows, rows * len(columns), "\n  ".join(told))
    return Compared(table, rows, rows * len(columns))


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(f"{query} limit {TOLD}").fetchall()
