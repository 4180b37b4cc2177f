"""Which accepted rows are news: those that differ from the row of their key before them, and the keys that a
snapshot no longer has. They leave here as CSV files ready for COPY.

Works in the DuckDB connection in which the rows were mapped, beside staging in Postgres.
"""

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from ingest import lake, warehouse
from ingest.config import Feed
from ingest.connectors import SourceError
from ingest.entities import Entity, listed, quoted
from ingest.mapping import Mapper, is_unique, literal
from ingest.staging import BULK_ROWS, SCHEMA, Batch, create_key_index, create_table, landed_columns

COPIED_BATCHES = 4  # of the mapper, that are written at a time
LOOK_UP_ROWS = 10  # rows that are read in a pass while one is looked up


class Stream:
    """Rows of a first load that leave while the rest is mapped, so that memory does not grow with their
    number. There is nothing to compare them with but each other."""

    def __init__(self, mapper: Mapper, folder: Path) -> None:
        self.mapper, self.folder = mapper, folder
        self.files: list[Path] = []
        self.is_open = True

    @property
    def has_begun(self) -> bool:
        """Whether rows have left."""
        return bool(self.files)

    def take(self) -> None:
        """Write the rows that were mapped so far, and let them go; none where they have a key twice."""
        connection = self.mapper.connection
        if not self.is_open or not _value(connection, "select count(*) from accepted"):
            return
        if not self.has_begun and self.repeats():
            self.is_open = False
            return
        part = self.folder / f"{self.mapper.entity.name}-{len(self.files)}"
        part.mkdir()
        connection.execute("create or replace temp view news as from accepted")
        self.files += _writer()(self.mapper.entity, connection, part)
        self.mapper.let_go(part / "keys.parquet")

    def repeats(self) -> bool:
        """Whether a key was mapped twice, perhaps: a hash stands for it."""
        return not is_unique(self.mapper.connection, "keys")

    def end(self) -> Batch | None:
        """All rows, and their loads and amounts in the table ``fresh``, as ``new_rows`` gives them; None
        where two parts have a key in common."""
        self.take()
        if self.repeats():
            return None
        connection = self.mapper.connection
        connection.execute(
            "create or replace table fresh as"
            " select load_id, sum(rows)::bigint as rows, sum(amount) as amount from sums group by load_id"
        )
        return Batch(self.mapper.entity, self.files, int(_value(connection, "select sum(rows) from fresh")))


def new_rows(feed: Feed, connection: duckdb.DuckDBPyConnection, folder: Path, landed_before: bool) -> Batch:
    """Write the accepted rows that differ from the newest row of their key before them, be it landed or
    accepted. Leaves their loads and amounts in the table ``fresh`` (load_id, rows, amount).

    ``landed_before`` is whether the feed may have rows in staging at all.
    """
    entity, key = feed.entity, listed(feed.entity.key)
    connection.execute(
        "create or replace table landed_hashes as"
        f" select {key}, row_hash as landed_hash from accepted limit 0"
    )
    if landed_before and warehouse.is_lake():
        lake.fetch_landed(feed, connection)
    elif landed_before:
        _fetch_landed(feed, connection, folder)
    amount = entity.amount or "null::decimal(10, 2)"
    create_table(entity)
    if not landed_before and is_unique(connection, "keys"):
        connection.execute("create temp view news as from accepted")
    else:
        connection.execute(
            f"""
            create temp table news as
            with repeated as (
                select {key} from accepted group by {key} having count(*) > 1
            ),
            ordered as (
                select *, null::bigint as previous_hash from accepted anti join repeated using ({key})
                union all
                select *, lag(row_hash) over (partition by {key} order by load_id, source_line)
                from accepted semi join repeated using ({key})
            )
            select ordered.* exclude (previous_hash)
            from ordered left join landed_hashes using ({key})
            where row_hash is distinct from coalesce(previous_hash, landed_hash)
            """
        )
    connection.execute(
        f"create or replace table fresh as select load_id, count(*) as rows, sum({amount}) as amount"
        " from news group by load_id"
    )
    files = _writer()(entity, connection, folder)
    return Batch(entity, files, int(_value(connection, "select coalesce(sum(rows), 0) from fresh")))


def _writer() -> Callable[[Entity, duckdb.DuckDBPyConnection, Path], list[Path]]:
    return lake.write_new if warehouse.is_lake() else _write_new


def _write_new(entity: Entity, connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Write the rows of ``news`` for COPY."""
    names = listed(c.name for c in landed_columns(entity) if c.name not in ("loaded_at", "is_deleted"))
    # The columns that COPY leaves to their defaults: rows that land together were loaded at one time.
    target = folder / f"{entity.name}-new"
    target.mkdir()
    if _value(connection, "select count(*) from accepted") < BULK_ROWS:
        connection.execute(f"copy (select {names} from news) to '{target}/0.csv' (format csv, header)")
    else:  # a part at a time, as DuckDB may hold in memory what the disk is too slow for
        first, last = connection.execute("select min(_batch), max(_batch) from accepted").fetchall()[0]
        for batch in range(first, last + 1, COPIED_BATCHES):
            part = f"select {names} from news where _batch between {batch} and {batch + COPIED_BATCHES - 1}"
            connection.execute(f"copy ({part}) to '{target}/{batch}' (format csv, header, per_thread_output)")
    return sorted(target.rglob("*.csv"))


def deleted_rows(
    feed: Feed, connection: duckdb.DuckDBPyConnection, folder: Path, load_id: int, delivery: str
) -> tuple[Batch, str | None]:
    """Write a row marked as deleted, with its last values, for each key that lives in staging and is missing
    from the snapshot that was mapped. Rejected rows count as there; where the key of one cannot be read,
    nothing is deleted, and the note says so.

    Raises:
        SourceError: more than the share ``max_shrink`` of the keys is missing.
    """
    entity = feed.entity
    unreadable = " or ".join(f"{quoted(name)} is null" for name in feed.entity.key)
    if lost := _value(connection, f"select count(*) from rejected where {unreadable}"):
        note = (
            f"{delivery}: nothing is taken for deleted, because {lost:,} rejected rows have no readable key"
        )
        return Batch(entity, [], 0), note
    write = lake.write_deleted if warehouse.is_lake() else _write_deleted
    file = folder / f"{entity.name}-deleted"
    living, missing, total = write(feed, connection, file, load_id, delivery)
    if missing > feed.max_shrink * living:
        raise SourceError(
            f"{delivery}: the snapshot lacks {missing:,} of {living:,} keys, more than max_shrink allows"
            f" ({feed.max_shrink:.0%}); nothing was landed. Deliver it"
            " whole, or set max_shrink for this once"
        )
    return Batch(entity, [file] if missing else [], missing, total), None


def _write_deleted(
    feed: Feed, connection: duckdb.DuckDBPyConnection, file: Path, load_id: int, delivery: str
) -> tuple[int, int, Decimal | None]:
    """Write a row marked as deleted for each living key that is neither accepted nor rejected. Returns how
    many keys live, how many are missing, and the sum of their amounts where the entity has one."""
    entity, key = feed.entity, listed(feed.entity.key)
    present = file.with_name(f"{entity.name}-present.csv")
    connection.execute(
        f"copy (select {key} from accepted union select {key} from rejected)"
        f" to '{present}' (format csv, header false)"
    )
    names = listed(entity.names)
    with closing(warehouse.connect("loader")) as postgres, postgres, postgres.cursor() as cursor:
        cursor.execute(f"create temp table present as select {key} from {SCHEMA}.{entity.name} limit 0")
        with present.open() as handle:
            cursor.copy_expert("copy present from stdin with (format csv)", handle)
        cursor.execute("analyze present")
        cursor.execute(
            f"""
            create temp table missing as
            select newest.*, present_key is null as is_missing
            from (
                select distinct on ({key}) {names}, row_hash, is_deleted
                from {SCHEMA}.{entity.name}
                where source_name = %s
                order by {key}, load_id desc, source_line desc, source_file desc
            ) as newest
            left join (select *, true as present_key from present) as present using ({key})
            where not newest.is_deleted
            """,
            (feed.source,),
        )
        amount = f"sum({entity.amount}) filter (where is_missing)" if entity.amount else "null"
        cursor.execute(f"select count(*), count(*) filter (where is_missing), {amount} from missing")
        living, missing, total = cursor.fetchone() or (0, 0, None)
        lineage = "%s as source_name, %s as source_file, 0 as source_line, %s as load_id, row_hash"
        with file.open("w") as handle:
            query = cursor.mogrify(
                f"select {names}, {lineage}, true as is_deleted from missing where is_missing",
                (feed.source, delivery, load_id),
            ).decode()
            cursor.copy_expert(f"copy ({query}) to stdout with (format csv, header)", handle)
    return living, missing, total


def _fetch_landed(feed: Feed, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Fill ``landed_hashes``: the hash of the newest landed row of each accepted key; none where that row
    says that the key was deleted."""
    entity, key = feed.entity, listed(feed.entity.key)
    keys, hashes = folder / f"{entity.name}.keys.csv", folder / f"{entity.name}.hashes.csv"
    version = "load_id, source_line, source_file"
    columns = list(dict.fromkeys((*entity.key, "load_id", "source_line", "source_file")))
    landed = f"case when not is_deleted then row_hash end as row_hash, {listed(columns)}"
    accepted = _value(connection, "select count(*) from accepted")
    is_bulk = accepted >= BULK_ROWS and accepted * LOOK_UP_ROWS >= _landed(feed)
    if not is_bulk:
        create_key_index(entity)
    with closing(warehouse.connect("loader")) as postgres, postgres, postgres.cursor() as cursor:
        if not is_bulk:
            connection.execute(
                f"copy (select distinct {key} from accepted) to '{keys}' (format csv, header false)"
            )
            cursor.execute(f"create temp table incoming as select {key} from {SCHEMA}.{entity.name} limit 0")
            with keys.open() as handle:
                cursor.copy_expert("copy incoming from stdin with (format csv)", handle)
            cursor.execute("analyze incoming")
            source = f"incoming join {SCHEMA}.{entity.name} using ({key})"
        else:  # so many that all are read: one pass without a sort costs less than a look-up for each
            source = f"{SCHEMA}.{entity.name}"
        query = cursor.mogrify(f"select {landed} from {source} where source_name = %s", (feed.source,))
        with hashes.open("w") as handle:
            cursor.copy_expert(f"copy ({query.decode()}) to stdout with (format csv)", handle)
    types = dict(connection.execute("select column_name, column_type from (describe accepted)").fetchall())
    described = ", ".join(f"{literal(name)}: '{types[name]}'" for name in ("row_hash", *columns))
    dialect = "auto_detect=false, header=false, delim=',', quote='\"', escape='\"'"
    connection.execute(
        f"insert into landed_hashes select {key}, arg_max_null(row_hash, ({version}))"
        f" from read_csv('{hashes}', {dialect}, columns={{{described}}}) group by {key}"
    )


def _landed(feed: Feed) -> int:
    """How many rows landed from a feed."""
    with closing(warehouse.connect("loader")) as postgres, postgres, postgres.cursor() as cursor:
        cursor.execute(
            "select coalesce(sum(rows_new + rows_deleted), 0) from ops.loads"
            " where source_name = %s and feed_name = %s and state = 'loaded'",
            (feed.source, feed.name),
        )
        return int((cursor.fetchone() or (0,))[0])


def _value(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return connection.execute(sql).fetchall()[0][0]
