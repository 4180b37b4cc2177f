"""Landing: the one place that knows where rows land. Reads a source's feeds through their connectors, maps
them, keeps what is new, and hands it to dlt, which copies it into schema ``staging``.

A delivery whose content was loaded before is not read again; of the rest, a row lands when it differs from
the newest landed row of its key. Landing appends: it never changes or removes a row.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
from dlt.common.schema.typing import TColumnSchema
from dlt.common.typing import TDataItem

from ingest import warehouse
from ingest.config import Feed, Source
from ingest.connectors import BATCH_ROWS, Delivery, api, csv, database, excel, text_table
from ingest.entities import ENTITIES, LINEAGE, Column, Entity
from ingest.ledger import Ledger, Load, Reject
from ingest.mapping import Counts, Mapper

CONNECTORS = {"csv": csv, "excel": excel, "api": api, "database": database}
SCHEMA = "staging"

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
    """The new rows of one feed, as a CSV file ready for COPY."""

    entity: Entity
    file: Path
    rows: int


@dataclass(frozen=True)
class Mapped:
    """What reading a feed gave: its loads, the rows rejected for the first time, and the new rows."""

    loads: list[Load]
    rejected: list[Reject]
    batch: Batch


def create_tables() -> None:
    """Create the landed tables and their indexes where they are missing.

    The models' increments read by load_id, and the newest row of a key is found by key.
    """
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        for entity in ENTITIES.values():
            table = f"{SCHEMA}.{entity.name}"
            columns = ", ".join(
                f"{c.name} {POSTGRES_TYPES[c.type]}{' not null' if c.required else ''}"
                f"{f' default {c.default}' if c in LINEAGE and c.default else ''}"
                for c in _landed(entity)
            )
            key = ", ".join(entity.key)
            cursor.execute(f"create table if not exists {table} ({columns})")
            cursor.execute(f"create index if not exists {entity.name}_load on {table} (load_id)")
            cursor.execute(
                f"create index if not exists {entity.name}_newest on {table} ({key}, load_id, source_line)"
            )


def land(source: Source, ledger: Ledger, feeds: Sequence[str] | None = None) -> list[Load]:
    """Land what is new in a source's feeds (default: all); returns a Load for each delivery read.

    Raises:
        SourceError: the source cannot be read; nothing of it is landed.
        ConfigError: sources.yml does not fit the source.
    """
    mapped: list[Mapped] = []
    next_load_id = ledger.next_load_id()
    with _work_folder() as folder:
        for feed in source.feeds:
            if feeds is None or feed.name in feeds:
                mapped.append(_map(feed, ledger, next_load_id, folder))
                next_load_id = max([next_load_id, *(load.load_id + 1 for load in mapped[-1].loads)])
        loads = [load for feed_result in mapped for load in feed_result.loads]
        if loads:
            ledger.announce(loads, [row for feed_result in mapped for row in feed_result.rejected])
            _copy(source, [feed_result.batch for feed_result in mapped if feed_result.batch.rows])
            ledger.finish(loads)
    return loads


def replay(source: Source, ledger: Ledger, mended: Mapping[int, str] | None = None) -> list[Load]:
    """Map a source's open rejected rows again, as after a rule or the mapping was mended, and land those
    that now keep every rule; they keep their file and line. The others stay as they are. ``mended`` has new
    values (JSON text) for some of them, by id: then these alone are mapped.

    Raises:
        ConfigError: sources.yml does not fit the rows.
    """
    loads: list[Load] = []
    batches: list[Batch] = []
    healed: list[int] = []
    with _work_folder() as folder:
        for feed in source.feeds:
            rejects = ledger.open_rejects(source.name, feed.name)
            if mended is not None:
                rejects = [
                    (id_, reject._replace(rule="", raw_row=mended[id_]))
                    for id_, reject in rejects
                    if id_ in mended
                ]
            load_id = ledger.next_load_id() + len(loads)
            with _mapper(feed, folder) as mapper:
                for rejection_id, reject in rejects:
                    mapper.add(as_batch(reject, rejection_id))
                accepted = mapper.take_accepted(load_id)
                if not accepted:
                    continue
                batch = _new_rows(feed, mapper.connection, folder)
                name = f"replay of {len(accepted)} rejected rows"
                amount = _amounts(feed, mapper.connection).get(load_id)
                loads.append(
                    Load(
                        load_id,
                        source.name,
                        feed.name,
                        name,
                        None,
                        counts=Counts(len(accepted)),
                        new=batch.rows,
                        amount=amount,
                    )
                )
                batches += [batch] if batch.rows else []
                healed += accepted
        if loads:
            ledger.announce(loads, [])
            _copy(source, batches)
            ledger.finish(loads, healed, {id_: mended[id_] for id_ in healed} if mended else None)
    return loads


def as_batch(reject: Reject, rejection_id: int) -> pa.Table:
    """A rejected row as its connector yielded it; its id stands in for the load's. What could not be split
    into columns still cannot."""
    raw = json.loads(reject.raw_row)
    problem = reject.reason if reject.rule == "row_shape" else None
    table = text_table(list(raw), [list(raw.values())], reject.file, [reject.line], [problem])
    return table.append_column("_load_id", pa.array([rejection_id], pa.int64()))


@contextmanager
def _work_folder() -> Iterator[Path]:
    """An empty folder for the files between reading and COPY. The lock of ingestion makes it ours, and what
    a killed run left in it goes."""
    folder = warehouse.home() / "landing"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _read(feed: Feed, mapper: Mapper, known: set[str], next_load_id: int) -> list[tuple[int, Delivery]]:
    """Map every delivery that is not known; small ones share a batch, so that each costs little.

    Raises:
        RuntimeError: a row that was read is neither accepted nor rejected.
    """
    read: list[tuple[int, Delivery]] = []
    rows_read: dict[int, int] = defaultdict(int)
    pending: list[pa.Table] = []
    for delivery in CONNECTORS[feed.kind].deliveries(feed.resolved_place()):
        if delivery.fingerprint is not None and delivery.fingerprint in known:
            continue
        if delivery.fingerprint is not None:
            known.add(delivery.fingerprint)
        load_id = next_load_id + len(read)
        read.append((load_id, delivery))
        for table in delivery.batches():
            rows_read[load_id] += len(table)
            batch = table.append_column("_load_id", pa.repeat(pa.scalar(load_id, pa.int64()), len(table)))
            if pending and pending[0].column_names != batch.column_names:
                mapper.add(pa.concat_tables(pending))
                pending = []
            pending.append(batch)
            if sum(map(len, pending)) >= BATCH_ROWS:
                mapper.add(pa.concat_tables(pending))
                pending = []
    if pending:
        mapper.add(pa.concat_tables(pending))
    counts = mapper.counts()
    for load_id, delivery in read:
        if rows_read[load_id] != counts.get(load_id, Counts()).read:
            raise RuntimeError(
                f"{delivery.name}: {rows_read[load_id]} rows read, not all of them accounted for"
            )
    return read


def _map(feed: Feed, ledger: Ledger, next_load_id: int, folder: Path) -> Mapped:
    """Read what is new in a feed and map it; the new rows go into a file in ``folder``."""
    with _mapper(feed, folder) as mapper:
        connection = mapper.connection
        read = _read(feed, mapper, ledger.known(feed.source, feed.name), next_load_id)
        batch = _new_rows(feed, connection, folder)
        known = ledger.known_rejects(feed.source, feed.name)
        rejected = [
            Reject(load_id, feed.source, feed.name, *row)
            for load_id, *row in connection.execute("from rejected order by load_id, source_line").fetchall()
        ]
        broken: dict[int, set[str]] = defaultdict(set)
        for reject in rejected:
            broken[reject.load_id].add(reject.raw_hash)
        rejected = [reject for reject in rejected if reject.identity not in known]
        amounts = _amounts(feed, connection)
        new = dict(connection.execute("select load_id, count(*) from fresh group by all").fetchall())
        counts = mapper.counts()
        loads = [
            Load(
                load_id,
                feed.source,
                feed.name,
                delivery.name,
                delivery.fingerprint,
                counts=counts.get(load_id, Counts()),
                new=new.get(load_id, 0),
                amount=amounts.get(load_id),
                still_rejected=frozenset(broken[load_id]),
            )
            for load_id, delivery in read
        ]
        told = {reject.load_id for reject in rejected}
        # What has no fingerprint is read each time; where nothing came of it there is nothing to record.
        loads = [load for load in loads if load.sha256 or load.new or load.load_id in told]
        return Mapped(loads, rejected, batch)


@contextmanager
def _mapper(feed: Feed, folder: Path) -> Iterator[Mapper]:
    """A mapper that works in a file, so that memory stays bounded."""
    with closing(duckdb.connect(str(folder / f"{feed.name}.duckdb"))) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield Mapper(feed, connection)


def _amounts(feed: Feed, connection: duckdb.DuckDBPyConnection) -> dict[int, Decimal | None]:
    """The money accepted in each load; none where the entity has no amount."""
    amount = "sum(total_amount)" if "total_amount" in feed.entity.names else "null"
    return dict(connection.execute(f"select load_id, {amount} from accepted group by all").fetchall())


def _new_rows(feed: Feed, connection: duckdb.DuckDBPyConnection, folder: Path) -> Batch:
    """Write the accepted rows that differ from the row of their key before them, landed or accepted."""
    entity, key = feed.entity, ", ".join(feed.entity.key)
    _fetch_landed(feed, connection, folder)
    connection.execute(
        f"""
        create temp table fresh as
        with ordered as (
            select *, lag(row_hash) over (partition by {key} order by load_id, source_line) as previous_hash
            from accepted
        )
        select ordered.* exclude (previous_hash)
        from ordered left join landed_hashes using ({key})
        where row_hash is distinct from coalesce(previous_hash, landed_hash)
        """
    )
    file = folder / f"{entity.name}.csv"
    names = ", ".join(c.name for c in _landed(entity) if c.name not in ("loaded_at", "is_deleted"))
    connection.execute(
        f"copy (select {names}, (now() at time zone 'UTC')::timestamp as loaded_at from fresh"
        f" order by load_id, source_line) to '{file}' (format csv, header)"
    )
    row = connection.execute("select count(*) from fresh").fetchone()
    return Batch(entity, file, int(row[0]) if row else 0)


def _fetch_landed(feed: Feed, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Fill ``landed_hashes``: the hash of the newest landed row of each accepted key."""
    entity, key = feed.entity, ", ".join(feed.entity.key)
    connection.execute(
        f"create temp table landed_hashes as select {key}, row_hash as landed_hash from accepted limit 0"
    )
    keys, hashes = folder / f"{entity.name}.keys.csv", folder / f"{entity.name}.hashes.csv"
    connection.execute(f"copy (select distinct {key} from accepted) to '{keys}' (format csv, header false)")
    with closing(warehouse.connect("loader")) as postgres, postgres, postgres.cursor() as cursor:
        cursor.execute(f"create temp table incoming as select {key} from {SCHEMA}.{entity.name} limit 0")
        with keys.open() as handle:
            cursor.copy_expert("copy incoming from stdin with (format csv)", handle)
        cursor.execute("analyze incoming")
        newest = (
            f"select distinct on ({key}) {key}, row_hash"
            f" from incoming join {SCHEMA}.{entity.name} using ({key})"
            f" where source_name = '{feed.source}' order by {key}, load_id desc, source_line desc"
        )
        with hashes.open("w") as handle:
            cursor.copy_expert(f"copy ({newest}) to stdout with (format csv)", handle)
    dialect = "auto_detect false, header false, delimiter ',', quote '\"', escape '\"'"
    connection.execute(f"copy landed_hashes from '{hashes}' (format csv, {dialect})")


def _copy(source: Source, batches: Sequence[Batch]) -> None:
    """Copy the batches into staging: one dlt load package, one COPY for each feed."""
    if not batches:
        return
    pipeline = dlt.pipeline(
        pipeline_name=source.name,
        destination=dlt.destinations.postgres(warehouse.url("loader")),
        dataset_name=SCHEMA,
        pipelines_dir=str(warehouse.home() / "dlt"),
    )
    # What a killed run left half-way is settled by the ledger, not by repeating its package.
    pipeline.abort_packages()
    pipeline.run([_resource(batch) for batch in batches])


def _resource(batch: Batch) -> Any:
    def rows() -> Iterator[TDataItem]:
        yield dlt.mark.with_file_import(str(batch.file), "csv", batch.rows)

    return dlt.resource(
        rows,
        name=batch.entity.name,
        columns={c.name: _hint(c) for c in _landed(batch.entity)},
        write_disposition="append",
        file_format="csv",
    )


def _hint(column: Column) -> TColumnSchema:
    hint: TColumnSchema = {**DLT_TYPES[column.type], "name": column.name, "nullable": not column.required}
    return hint


def _landed(entity: Entity) -> tuple[Column, ...]:
    return entity.columns + LINEAGE
