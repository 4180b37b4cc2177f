"""The landed tables: their form, and the one way in which rows get into them, by dlt from CSV files.

On target ``spark`` they are files, and ``ingest.lake`` stands in. Nothing here knows what a source is or
which of its rows are new.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import dlt
from dlt.common.schema.typing import TColumnSchema
from dlt.common.typing import TDataItem

from ingest import warehouse
from ingest.entities import ENTITIES, LINEAGE, Column, Entity, listed, quoted

SCHEMA = "staging"
# From here on it pays to fill an empty table without its index, and to copy on two connections.
BULK_ROWS = 100_000

POSTGRES_TYPES = {
    "text": "text",
    "integer": "integer",
    "bigint": "bigint",
    "money": "numeric(10, 2)",
    "timestamp": "timestamp",
    "date": "date",
    "boolean": "boolean",
}
DLT_TYPES: dict[str, TColumnSchema] = {
    "text": {"data_type": "text"},
    "integer": {"data_type": "bigint", "precision": 32},
    "bigint": {"data_type": "bigint"},
    "money": {"data_type": "decimal", "precision": 10, "scale": 2},
    "timestamp": {"data_type": "timestamp", "timezone": False},
    "date": {"data_type": "date"},
    "boolean": {"data_type": "bool"},
}


@dataclass(frozen=True)
class Batch:
    """Rows of one feed that are to land, as CSV files with headers, ready for COPY; ``amount`` is the sum of
    theirs, where the entity has one."""

    entity: Entity
    files: list[Path]
    rows: int
    amount: Decimal | None = None


def landed_columns(entity: Entity) -> tuple[Column, ...]:
    """The columns of an entity's landed table."""
    return entity.columns + LINEAGE


def create_tables() -> None:
    """Create the landed tables where they are missing, with an index on load_id, whose rows stand together:
    the models' increments read by it."""
    if warehouse.is_lake():
        from ingest import lake

        lake.create_tables()
        return
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        for entity in ENTITIES.values():
            _create_table(cursor, entity)


def create_table(entity: Entity) -> None:
    """Create the table of rows as they are where it is missing, or add the columns that are new."""
    if not entity.is_as_is:
        return
    if warehouse.is_lake():
        from ingest import lake

        lake.create_table(entity)
        return
    table = f"{SCHEMA}.{entity.name}"
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        _create_table(cursor, entity)
        for name in entity.names:
            cursor.execute(f"alter table {table} add column if not exists {quoted(name)} text")


def _create_table(cursor: Any, entity: Entity) -> None:
    table = f"{SCHEMA}.{entity.name}"
    columns = ", ".join(
        f"{quoted(c.name)} {POSTGRES_TYPES[c.type]}{' not null' if c.required else ''}"
        f"{f' default {c.default}' if c in LINEAGE and c.default else ''}"
        for c in landed_columns(entity)
    )
    cursor.execute(f"create table if not exists {table} ({columns})")
    cursor.execute(
        f"create index if not exists {entity.name}_load on {table}"
        " using brin (load_id) with (pages_per_range = 32, autosummarize = on)"
    )


def create_key_index(entity: Entity) -> None:
    """Create the index that finds the newest row of a key, where it is missing. Only what comes after a first
    load looks for keys, so that is when a large table gets it."""
    columns, name = listed((*entity.key, "load_id", "source_line")), f"{entity.name}_newest"
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"create index if not exists {name} on {SCHEMA}.{entity.name} ({columns})")


def copy(name: str, batches: Sequence[Batch]) -> None:
    """Copy batches into staging by the dlt pipeline of this name: one package, one COPY for each file.

    Rows as they are take a pipeline beside it, since dlt's usual naming loses letters beyond ASCII.
    """
    for pipeline_name, naming, is_as_is in ((name, "snake_case", False), (f"{name}_as_is", "direct", True)):
        if chosen := [batch for batch in batches if batch.entity.is_as_is == is_as_is]:
            _copy(pipeline_name, naming, chosen)


def _copy(name: str, naming: str, batches: Sequence[Batch]) -> None:
    if warehouse.is_lake():
        from ingest import lake

        lake.copy(name, naming, batches)
        return
    pipeline = dlt.pipeline(
        pipeline_name=name,
        destination=dlt.destinations.postgres(warehouse.url("loader"), naming_convention=naming),
        dataset_name=SCHEMA,
        pipelines_dir=str(warehouse.home() / "dlt"),
    )
    # What a killed run left half-way is settled by the ledger, not by repeating its package.
    pipeline.abort_packages()
    small = {batch.entity.name: batch.entity for batch in batches if batch.rows < BULK_ROWS}
    for entity in small.values():
        create_key_index(entity)
    pipeline.run([resource(batch) for batch in batches])


def landed_sums(entity: Entity, load_ids: Sequence[int]) -> dict[int, tuple[int, Decimal | None]]:
    """What stands in staging of each load: rows, and the sum of their amounts where the entity has one."""
    if warehouse.is_lake():
        from ingest import lake

        return lake.landed_sums(entity, load_ids)
    amount = f"sum({entity.amount})" if entity.amount else "null"
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        # What has just landed has no statistics, and by guess Postgres would sort it.
        cursor.execute("set local enable_sort = off")
        cursor.execute(
            f"select load_id, count(*), {amount} from {SCHEMA}.{entity.name}"
            " where load_id = any(%s) group by load_id",
            (list(load_ids),),
        )
        return {load_id: (rows, total) for load_id, rows, total in cursor.fetchall()}


def resource(batch: Batch, form: Literal["csv", "parquet"] = "csv") -> Any:
    """A batch as dlt takes it: its files as they are."""

    def rows() -> Iterator[TDataItem]:
        for file in batch.files:
            yield dlt.mark.with_file_import(str(file), form)

    return dlt.resource(
        rows,
        name=batch.entity.name,
        columns={
            c.name: _hint(c, form == "parquet" and not c.required) for c in landed_columns(batch.entity)
        },
        write_disposition="append",
        file_format=form,
    )


def _hint(column: Column, nullable: bool) -> TColumnSchema:
    # In CSV dlt takes "" for null in columns that it knows as nullable; the tables are ours, and say it.
    hint: TColumnSchema = {**DLT_TYPES[column.type], "name": column.name, "nullable": nullable}
    return hint
