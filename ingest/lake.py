"""The lake: rows land as Parquet files, which Apache Spark reads, where the target is ``spark``.

``<lake>/staging/<entity>/*.parquet`` holds the rows, ``<lake>/ops/loads/loads.parquet`` the ledger's loads as
of the last ingestion, ``<lake>/columns/<schema>/<table>.parquet`` an empty file that tells a table's columns.
A file's name begins with the first load of its run. The ledger itself stays in Postgres, since it needs
transactions.

The functions stand in for those of ``ingest.staging`` and ``ingest.changes``. Nothing here knows Spark.
"""

import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import duckdb
import fsspec

from ingest import warehouse
from ingest.config import Feed
from ingest.entities import ENTITIES, LINEAGE, Column, Entity, as_is, listed, quoted
from ingest.staging import SCHEMA, Batch, landed_columns, resource

DUCKDB_TYPES = {
    "text": "varchar",
    "integer": "integer",
    "bigint": "bigint",
    "money": "decimal(10, 2)",
    "timestamp": "timestamp",
    "date": "date",
    "boolean": "boolean",
}
LOADS = {
    "load_id": "bigint",
    "source_name": "varchar",
    "feed_name": "varchar",
    "entity": "varchar",
    "source_file": "varchar",
    "state": "varchar",
    "rows_read": "bigint",
    "rows_accepted": "bigint",
    "rows_rejected": "bigint",
    "rows_new": "bigint",
    "rows_deleted": "bigint",
    "amount_accepted": "decimal(18, 2)",
    "amount_new": "decimal(18, 2)",
    "cursor_value": "varchar",
    "started_at": "timestamp",
    "finished_at": "timestamp",
}
TYPES = "select column_name, column_type from (describe from read_parquet(?))"
DRAFTS = re.compile(r"_temporary$|[.]spark-staging-")  # folders in which Spark writes before it commits
NEWEST = "load_id desc, source_line desc, source_file desc"


# ------------------------------------------------------------------------------------- for ingest.staging


def create_tables() -> None:
    """Make the folders, and the files that tell the columns of the landed tables and the ledger."""
    with _pipeline("lake").destination_client() as client:
        if not client.is_storage_initialized():
            client.initialize_storage()
    for entity in ENTITIES.values():
        _tell_columns(SCHEMA, entity.name, types(entity))
    _tell_columns("ops", "loads", LOADS)


def types(entity: Entity) -> dict[str, str]:
    """The columns of an entity's landed table, with DuckDB's types."""
    return {column.name: DUCKDB_TYPES[column.type] for column in landed_columns(entity)}


def create_table(entity: Entity) -> None:
    """Tell the columns of rows as they are, and those that earlier deliveries had."""
    columns, file = types(entity), _columns_file(SCHEMA, entity.name)
    if _files().exists(file):
        with closing(connect()) as connection:
            columns = dict(connection.execute(TYPES, [file]).fetchall()) | columns
    _tell_columns(SCHEMA, entity.name, columns)


def copy(name: str, naming: str, batches: Sequence[Batch]) -> None:
    """Copy batches of Parquet files into the lake by the dlt pipeline of this name."""
    pipeline = _pipeline(name, naming, {batch.entity.name: _first_load(batch) for batch in reversed(batches)})
    pipeline.abort_packages()
    pipeline.run([resource(batch, "parquet") for batch in batches])


def _pipeline(
    name: str, naming: str = "snake_case", first_loads: Mapping[str, int] | None = None
) -> dlt.Pipeline:
    """The pipeline of a source. ``first_loads`` has the first load of its rows for each table."""
    return dlt.pipeline(
        pipeline_name=name,
        destination=dlt.destinations.filesystem(
            bucket_url=warehouse.lake(),
            naming_convention=naming,
            layout="{table_name}/{first_load}.{file_id}.{ext}",
            extra_placeholders={"first_load": lambda _, table, *__: f"{(first_loads or {})[table]:012}"},
        ),
        dataset_name=SCHEMA,
        pipelines_dir=str(warehouse.home() / "dlt" / "lake"),
    )


def landed_sums(entity: Entity, load_ids: Collection[int]) -> dict[int, tuple[int, Decimal | None]]:
    """What stands in the lake of each load: rows, and the sum of their amounts where the entity has one."""
    amount = f"sum({entity.amount})" if entity.amount else "null::decimal(10, 2)"
    with closing(connect()) as connection:
        rows = connection.execute(
            f"select load_id, count(*), {amount} from {_landed(entity, _files_of(entity.name, load_ids))}"
            " where list_contains(?, load_id) group by load_id",
            [list(load_ids)],
        ).fetchall()
    return {load_id: (count, total) for load_id, count, total in rows}


def remove(table: str, load_ids: Collection[int]) -> None:
    """Remove the files of runs that did not end, by the ids of their loads."""
    for file in _files_of(table, load_ids):
        _files().rm(file)


# ------------------------------------------------------------------------------------- for ingest.changes


def write_new(entity: Entity, connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Write the rows of the view ``news`` as they land."""
    file, now = folder / f"{entity.name}-new.parquet", datetime.now(UTC).replace(tzinfo=None)
    given = {"loaded_at": f"timestamp '{now}'", "is_deleted": "false"}
    columns = ", ".join(
        f"{given.get(name, quoted(name))}::{type_} as {quoted(name)}" for name, type_ in types(entity).items()
    )
    connection.execute(f"copy (select {columns} from news) to '{file}' (format parquet)")
    return [file]


def fetch_landed(feed: Feed, connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the table ``landed_hashes`` for the accepted rows."""
    key = listed(feed.entity.key)
    _use_lake(connection)
    connection.execute(
        f"""
        insert into landed_hashes
        select
            {key},
            arg_max_null(case when not is_deleted then row_hash end, (load_id, source_line, source_file))
        from {_landed(feed.entity)} semi join accepted using ({key})
        where source_name = ?
        group by {key}
        """,
        [feed.source],
    )


def write_deleted(
    feed: Feed, connection: duckdb.DuckDBPyConnection, file: Path, load_id: int, delivery: str
) -> tuple[int, int, Decimal | None]:
    """Write a row marked as deleted for each living key that is neither accepted nor rejected. Returns how
    many keys live, how many are missing, and the sum of their amounts where the entity has one."""
    entity, key = feed.entity, listed(feed.entity.key)
    amount = f"sum({entity.amount}) filter (where is_missing)" if entity.amount else "null"
    _use_lake(connection)
    connection.execute(
        f"""
        create or replace table missing as
        with living as (
            from {_landed(entity)}
            where source_name = ?
            qualify row_number() over (partition by {key} order by {NEWEST}) = 1 and not is_deleted
        ),
        present as (
            select {key} from accepted union select {key} from rejected
        )
        from (
            select *, true as is_missing from living anti join present using ({key})
            union all
            select *, false as is_missing from living semi join present using ({key})
        )
        """,
        [feed.source],
    )
    given = {
        "source_file": "$delivery",
        "source_line": "0",
        "load_id": "$load_id",
        "loaded_at": f"timestamp '{datetime.now(UTC).replace(tzinfo=None)}'",
        "is_deleted": "true",
    }
    columns = ", ".join(
        f"{given.get(name, quoted(name))}::{type_} as {quoted(name)}" for name, type_ in types(entity).items()
    )
    connection.execute(
        f"copy (select {columns} from missing where is_missing) to '{file}' (format parquet)",
        {"delivery": delivery, "load_id": load_id},
    )
    found = connection.execute(
        f"select count(*), count(*) filter (where is_missing), {amount} from missing"
    ).fetchone()
    return found or (0, 0, None)


# ----------------------------------------------------------------------------------------- for the ledger


def publish_ledger() -> None:
    """Write the ledger's loads where the models read them."""
    export("ops.loads", LOADS, _path("ops", "loads", "loads.parquet"))


def copy_landing() -> None:
    """Write all that landed in Postgres into the lake, in the place of what is there: the move to Spark.

    Raises:
        WarehouseError: rows landed in the lake alone, and would be lost.
    """
    create_tables()
    landed = _landed_in_postgres()
    for entity in landed:
        create_table(entity)
        _refuse_to_lose(entity)
    for entity in landed:
        for file in _files_of(entity.name):
            _files().rm(file)
        export(f"{SCHEMA}.{entity.name}", types(entity), _path(SCHEMA, entity.name, f"{0:012}.parquet"))
    publish_ledger()


def _landed_in_postgres() -> list[Entity]:
    """All that landed: the entities, and the tables of rows as they are with the columns that they have."""
    with closing(warehouse.connect_ledger("loader")) as postgres, postgres.cursor() as cursor:
        cursor.execute(
            "select table_name, array_agg(column_name::text order by ordinal_position)"
            " from information_schema.columns where table_schema = %s"
            " and table_name in (select entity from ops.loads) and not table_name = any(%s)"
            " and not column_name = any(%s) group by table_name",
            (SCHEMA, list(ENTITIES), [column.name for column in LINEAGE]),
        )
        return [
            *ENTITIES.values(),
            *(
                replace(as_is(table, ()), columns=tuple(map(Column, names)))
                for table, names in cursor.fetchall()
            ),
        ]


def _refuse_to_lose(entity: Entity) -> None:
    query = "select distinct load_id from "
    with closing(connect()) as connection:
        here = {load_id for (load_id,) in connection.execute(query + _landed(entity)).fetchall()}
    with closing(warehouse.connect_ledger("loader")) as postgres, postgres.cursor() as cursor:
        cursor.execute(query + f"{SCHEMA}.{entity.name}")
        there = {load_id for (load_id,) in cursor.fetchall()}
    if here - there:
        raise warehouse.WarehouseError(
            f"{len(here - there)} loads of {entity.name} are in the lake alone, since they landed on target"
            f" spark; copying would lose them. Who wants that removes {_path(SCHEMA, entity.name)} first"
        )


# ------------------------------------------------------------------------------------------ Spark's tables


def tables(schemas: Sequence[str]) -> dict[tuple[str, str], str]:
    """The tables of some schemas that Spark wrote: (schema, name) → a select of DuckDB's over their files."""
    found = {}
    for schema in schemas:
        root = _path("tables", f"{schema}.db")
        if not _files().exists(root):
            continue
        written = [file for file in _files().find(root) if file.endswith(".parquet")]
        for folder in _files().ls(root, detail=False):
            name = folder.rsplit("/", 1)[1]
            files = f"{_full(folder)}/**/*.parquet"
            its = [file for file in written if file.startswith(f"{folder}/")]
            if not its:  # no rows
                files = f"{_path('columns', schema, name)}/*.parquet"
                if not _files().glob(files):
                    continue
                found[schema, name] = f"select * exclude (partition_key) from read_parquet('{files}')"
            elif any(file.startswith(f"{folder}/partition_key=") for file in its):
                partitioned = "hive_partitioning = true, hive_types = {'partition_key': integer}"
                found[schema, name] = (
                    f"select * exclude (partition_key) from read_parquet('{files}', {partitioned})"
                )
            else:
                found[schema, name] = f"from read_parquet('{files}')"
    return found


def remove_unwritten() -> None:
    """Remove the folders of tables in which a killed run left drafts and nothing else: Spark makes no table
    where something lies."""
    root = _path("tables")
    if not _files().exists(root):
        return
    for schema in _files().ls(root, detail=False):
        depth = schema.count("/") + 2
        found: dict[str, list[str]] = {}
        for entry in _files().find(schema, withdirs=True):
            parts = entry.split("/")
            if len(parts) > depth:
                found.setdefault("/".join(parts[:depth]), []).append(parts[depth])
        for folder, entries in found.items():
            if all(map(DRAFTS.match, entries)):
                _files().rm(folder, recursive=True)


# ------------------------------------------------------------------------------------------------- files


@contextmanager
def _draft(target: str) -> Iterator[Path]:
    """A local file that takes the place of a file of the lake in one step."""
    warehouse.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=warehouse.home()) as folder:
        draft = Path(folder) / "draft.parquet"
        yield draft
        files = _files()
        files.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        if isinstance(files, fsspec.implementations.local.LocalFileSystem):
            draft.replace(target)
        else:
            files.put_file(str(draft), target)


def _tell_columns(schema: str, table: str, columns: Mapping[str, str]) -> None:
    selected = ", ".join(f"null::{type_} as {quoted(name)}" for name, type_ in columns.items())
    _files().makedirs(_path(schema, table), exist_ok=True)
    with _draft(_columns_file(schema, table)) as draft, closing(duckdb.connect()) as connection:
        connection.execute(f"copy (select {selected} limit 0) to '{draft}' (format parquet)")


def export(table: str, columns: Mapping[str, str], target: str, role: warehouse.Role = "loader") -> None:
    """Write columns of a table in Postgres, with their types of DuckDB, as a Parquet file."""
    form = "auto_detect=false, header=false, delim=',', quote='\"', escape='\"', allow_quoted_nulls=false"
    form += f", columns={dict(columns)}"
    with _draft(target) as draft:
        rows = draft.with_name("rows.csv")
        with (
            closing(warehouse.connect_ledger(role)) as postgres,
            postgres.cursor() as cursor,
            rows.open("w") as handle,
        ):
            selected = f"select {listed(columns)} from {table}"
            cursor.copy_expert(f"copy ({selected}) to stdout with (format csv)", handle)
        with closing(duckdb.connect()) as connection:
            connection.execute(f"copy (from read_csv('{rows}', {form})) to '{draft}' (format parquet)")


def connect() -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, which reads the lake."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    _use_lake(connection)
    return connection


def _use_lake(connection: duckdb.DuckDBPyConnection) -> None:
    files = _files()
    protocols = {files.protocol} if isinstance(files.protocol, str) else {*files.protocol}
    if "file" not in protocols and protocols.isdisjoint(connection.list_filesystems()):
        connection.register_filesystem(files)


def _landed(entity: Entity, files: Sequence[str] | None = None) -> str:
    """The landed rows as DuckDB reads them. The file of columns is among them, so that there is always one,
    and rows that landed before a column came have a null there."""
    found = [_columns_file(SCHEMA, entity.name), *(_files_of(entity.name) if files is None else files)]
    return f"read_parquet({found}, union_by_name = true)"


def _files_of(table: str, first_loads: Collection[int] | None = None) -> list[str]:
    """The landed files of a table; only those that begin with one of some loads, if given."""
    found = _files().glob(_path(SCHEMA, table, "*.parquet"))
    if first_loads is None:
        return [_full(file) for file in found]
    return [_full(file) for file in found if int(file.rsplit("/", 1)[1].split(".")[0]) in first_loads]


def _first_load(batch: Batch) -> int:
    with closing(duckdb.connect()) as connection:
        files = [str(file) for file in batch.files]
        row = connection.execute("select min(load_id) from read_parquet(?)", [files]).fetchone()
    return int(row[0]) if row else 0


def _columns_file(schema: str, table: str) -> str:
    return _path("columns", schema, f"{table}.parquet")


def _path(*parts: str) -> str:
    return "/".join([warehouse.lake().rstrip("/"), *parts])


def _full(file: str) -> str:
    """A file as DuckDB wants it, with the protocol that fsspec takes off."""
    return str(_files().unstrip_protocol(file)) if "://" in warehouse.lake() else file


def _files() -> Any:
    # A listing that is kept would not show what dlt or Spark wrote since.
    return fsspec.url_to_fs(warehouse.lake(), use_listings_cache=False)[0]
