"""Landing: reads a source's feeds through their connectors, maps them, keeps what is new, and hands it to
``ingest.staging``, which copies it. Every step is in the ledger before it is taken.

A delivery whose content was loaded before is not read again; of the rest, a row lands when it differs from
the newest landed row of its key. Landing appends: it never changes a row, and removes only those of a load
that did not come to its end.
"""

import copy as copies
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from ingest import warehouse
from ingest.changes import Stream, deleted_rows, new_rows
from ingest.config import Feed, Source
from ingest.connectors import BATCH_ROWS, Delivery, SourceError, api, csv, database, excel, text_table
from ingest.entities import landed_names
from ingest.ledger import Known, Ledger, Load, Reject
from ingest.mapping import LINEAGE, Counts, Mapper
from ingest.staging import Batch, copy
from ingest.unchanged import Again, Memory, Past, publish

CONNECTORS = {"csv": csv, "excel": excel, "api": api, "database": database}
# Larger than what connectors yield, as each batch costs the planning of a long query.
MAPPED_ROWS = 5 * BATCH_ROWS
MEMORY_LIMIT = "400MB"  # of DuckDB; what is more goes into files of the work folder
FEW = 10  # rows: that all of so few are wrong says nothing of their column


@dataclass(frozen=True)
class Start:
    """From where a run reads: ``since`` stands in for the cursor that earlier runs left; ``full_refresh``
    reads everything again, also what is known (what did not change lands no second time). With ``until``, it
    reads a window, and the next run goes on from where the one before it ended."""

    since: str | None = None
    full_refresh: bool = False
    until: str | None = None

    def of(self, feed: Feed, last_cursor: str | None) -> "Start":
        """From where a feed is read whose earlier runs saw this value last."""
        if "cursor" not in feed.place:
            return replace(self, since=None, until=None)
        return self if self.since or self.full_refresh else replace(self, since=last_cursor)


WHERE_IT_ENDED = Start()


@dataclass(frozen=True)
class Mapped:
    """What reading a feed gave: its loads, the rows rejected for the first time, and the new rows."""

    loads: list[Load]
    rejected: list[Reject]
    batches: list[Batch]
    more: bool = False  # whether another snapshot waits
    remembered: Sequence[tuple[Path, Path]] = ()  # files of ``ingest.unchanged`` and their places


@dataclass(frozen=True)
class Way:
    """How a feed is read: without the blocks of ``past``, or while rows leave; else as a whole."""

    past: Past = field(default_factory=Past)
    may_stream: bool = False


@dataclass(frozen=True)
class Read:
    """A delivery that was read as a load, and the names of its columns."""

    load_id: int
    delivery: Delivery
    header: tuple[str, ...]
    again: Again


def land(
    source: Source, ledger: Ledger, feeds: Sequence[str] | None = None, start: Start = WHERE_IT_ENDED
) -> list[Load]:
    """Land what is new in a source's feeds (default: all); returns a Load for each delivery read.

    Raises:
        SourceError: the source cannot be read; nothing of it is landed.
        ConfigError: sources.yml does not fit the source.
    """
    chosen = [feed for feed in source.feeds if feeds is None or feed.name in feeds]
    known = {
        feed.name: Known([]) if start.full_refresh else ledger.known(feed.source, feed.name)
        for feed in chosen
    }
    landed: list[Load] = []
    more = True
    while more:  # snapshots one after the other, since each is compared with the one before
        mapped: list[Mapped] = []
        next_load_id = ledger.next_load_id()
        with _work_folder() as folder:
            for feed in chosen:
                mapped.append(_map(feed, ledger, known[feed.name], next_load_id, folder, start))
                next_load_id = max([next_load_id, *(load.load_id + 1 for load in mapped[-1].loads)])
            loads = [load for result in mapped for load in result.loads]
            if loads:
                ledger.announce(loads, [reject for result in mapped for reject in result.rejected])
                copy(source.name, [batch for result in mapped for batch in result.batches if batch.rows])
                ledger.finish(loads)
                for result in mapped:
                    publish(result.remembered)
        landed += loads
        more = any(result.more for result in mapped)
    return landed


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
                for batch in as_batches(rejects):
                    mapper.add(batch)
                accepted = mapper.take_accepted(load_id)
                if not accepted:
                    continue
                feed = replace(feed, entity=mapper.entity)  # noqa: PLW2901
                batches.append(new_rows(feed, mapper.connection, folder, landed_before=True))
                name = f"replay of {len(accepted)} rejected rows"
                load = Load(load_id, source.name, feed.name, name, None, Counts(len(accepted)))
                loads.append(_with_sums(load, mapper.connection))
                healed += accepted
        if loads:
            ledger.announce(loads, [])
            copy(source.name, [batch for batch in batches if batch.rows])
            ledger.finish(loads, healed, {id_: mended[id_] for id_ in healed} if mended else None)
    return loads


def as_batches(rejects: Iterable[tuple[int, Reject]]) -> Iterator[pa.Table]:
    """Rejected rows as their connector yielded them, those with the same columns together; their ids stand in
    for the loads'. What could not be split into columns still cannot."""
    by_header: dict[tuple[str, ...], list[tuple[int, Reject, list[str | None]]]] = defaultdict(list)
    for rejection_id, reject in rejects:
        raw = json.loads(reject.raw_row)
        by_header[tuple(raw)].append((rejection_id, reject, list(raw.values())))
    for header, members in by_header.items():
        for start in range(0, len(members), MAPPED_ROWS):
            ids, some, rows = zip(*members[start : start + MAPPED_ROWS], strict=True)
            problems = [reject.reason if reject.rule == "row_shape" else None for reject in some]
            table = text_table(header, rows, "", [reject.line for reject in some], problems)
            files = pa.array([reject.file for reject in some], pa.string())
            table = table.set_column(table.schema.get_field_index("_file"), "_file", files)
            yield table.append_column("_load_id", pa.array(ids, pa.int64()))


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


@contextmanager
def _mapper(feed: Feed, folder: Path) -> Iterator[Mapper]:
    """A mapper whose memory stays bounded."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(folder / "duckdb"),
        "memory_limit": MEMORY_LIMIT,
    }
    with closing(duckdb.connect(config=settings)) as connection:
        # Rows need no order: each has its line.
        connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
        yield Mapper(feed, connection)


def _read(
    mapper: Mapper,
    known: Known,
    next_load_id: int,
    start: Start,
    memory: Memory,
    past: Past,
    stream: Stream | None,
) -> tuple[list[Read], bool]:
    """Map every delivery that is not known; of snapshots the first, and say whether more wait.

    Raises:
        RuntimeError: a row that was read is neither accepted nor rejected.
    """
    feed = mapper.feed
    read: list[Read] = []
    rows_read: dict[int, int] = {}
    queue = _Queue(mapper, stream)
    more = False
    for delivery in CONNECTORS[feed.kind].deliveries(feed.resolved_place(), start.since, start.until):
        if known.has(delivery.name, delivery.fingerprint):
            continue
        if more := bool(feed.mode == "snapshot" and read):
            break
        known.add(delivery.name, delivery.fingerprint)
        load_id = next_load_id + len(read)
        again = memory.of(past, delivery.name)
        header: dict[str, None] = {}
        rows_read[load_id] = 0
        for piece in delivery.pieces(again.knows):
            block = again.see(piece)
            rows_read[load_id] += piece.rows if piece.table is None else len(piece.table)
            if piece.table is not None:
                header |= dict.fromkeys(name for name in piece.table.column_names if name not in LINEAGE)
                queue.put(piece.table, load_id, block)
        read.append(Read(load_id, delivery, tuple(header), again))
    queue.flush()
    counts = mapper.counts()
    for one in read:
        rows = rows_read[one.load_id]
        if rows != (counts.get(one.load_id, Counts()) + one.again.counts).read:
            raise RuntimeError(f"{one.delivery.name}: {rows} rows read, not all of them accounted for")
    return read, more


class _Queue:
    """Gathers tables of one form before they are mapped, so that many small deliveries cost little."""

    def __init__(self, mapper: Mapper, stream: Stream | None) -> None:
        self.mapper, self.stream = mapper, stream
        self.tables: list[pa.Table] = []

    def put(self, table: pa.Table, load_id: int, block: int | None) -> None:
        rows = len(table)
        table = table.append_column("_load_id", pa.repeat(pa.scalar(load_id, pa.int64()), rows))
        table = table.append_column("_block", pa.repeat(pa.scalar(block, pa.uint64()), rows))
        if self.tables and self.tables[0].column_names != table.column_names:
            self.flush()
        self.tables.append(table)
        if sum(map(len, self.tables)) >= MAPPED_ROWS:
            self.flush()

    def flush(self) -> None:
        if self.tables:
            if self.stream:
                self.stream.take()
            self.mapper.add(pa.concat_tables(self.tables))
        self.tables = []


def _map(feed: Feed, ledger: Ledger, known: Known, next_load_id: int, folder: Path, start: Start) -> Mapped:
    """Read what is new in a feed and map it; the new rows go into files in ``folder``."""
    memory = Memory(feed)
    past = Past() if start.full_refresh else memory.recall(ledger)
    ways = [Way(past)] if past.blocks else [Way(may_stream=True)] if _may_stream(feed, ledger) else []
    for way in ways:
        beside = Path(tempfile.mkdtemp(dir=folder))
        mapped = _map_beside(way, memory, ledger, copies.deepcopy(known), next_load_id, beside, start)
        if mapped is not None:
            return mapped
        shutil.rmtree(beside)
    mapped = _map_beside(Way(), memory, ledger, known, next_load_id, folder, start)
    assert mapped is not None
    return mapped


def _may_stream(feed: Feed, ledger: Ledger) -> bool:
    """Whether rows may leave before all are mapped: nothing of the feed landed, and should a key come twice
    in the end, its files can be read again."""
    is_first = not ledger.header(feed.source, feed.name)
    return is_first and feed.kind == "csv" and feed.mode != "snapshot" and not feed.entity.is_as_is


def _map_beside(
    way: Way,
    memory: Memory,
    ledger: Ledger,
    known: Known,
    next_load_id: int,
    folder: Path,
    start: Start,
) -> Mapped | None:
    """``_map`` in one way; None where it has to be another, since a row of the run has one of the keys of
    those that are not there any more."""
    feed = memory.feed
    last_cursor = ledger.cursor(feed.source, feed.name)
    start = start.of(feed, last_cursor)
    with _mapper(feed, folder) as mapper:
        connection = mapper.connection
        stream = Stream(mapper, folder) if way.may_stream else None
        read, more = _read(mapper, known, next_load_id, start, memory, way.past, stream)
        if not read:
            return Mapped([], [], [], more)
        if any(memory.clashes(connection, one.again) for one in read):
            return None
        feed = replace(feed, entity=mapper.entity)
        earlier = ledger.header(feed.source, feed.name)
        counts = mapper.counts()
        for one in read:
            counts[one.load_id] = counts.get(one.load_id, Counts()) + one.again.counts
        if earlier:
            _refuse_changed_types(read, counts, connection)
        has_left = stream is not None and stream.has_begun
        news = stream.end() if stream and has_left else new_rows(feed, connection, folder, bool(earlier))
        if news is None:
            return None
        batches = [news]
        loads = [
            _with_sums(
                Load(
                    one.load_id, feed.source, feed.name, one.delivery.name, one.delivery.fingerprint,
                    counts[one.load_id], header=one.header,
                    cursor=last_cursor if start.until else one.delivery.cursor(),
                    notes=(*one.delivery.notes, *_new_columns(one, earlier, feed)),
                ),
                connection, one.again.amount,
            )
            for one in read
        ]  # fmt: skip
        if feed.mode == "snapshot":
            last = loads[-1]
            deleted, note = deleted_rows(feed, connection, folder, last.load_id, last.delivery)
            batches.append(deleted)
            notes = (*last.notes, note) if note else last.notes
            amount = (last.new_amount or 0) + deleted.amount if deleted.amount else last.new_amount
            loads[-1] = replace(last, deleted=deleted.rows, new_amount=amount, notes=notes)
        rejected = [
            Reject(load_id, feed.source, feed.name, *row)
            for load_id, *row in connection.execute(
                "select load_id, source_file, source_line, rule, reason, raw_row from rejected"
                " order by load_id, source_line"
            ).fetchall()
        ]
        broken: dict[int, set[str]] = defaultdict(set)
        for reject in rejected:
            broken[reject.load_id].add(reject.raw_hash)
        for one in read:
            broken[one.load_id] |= one.again.rejected
        loads = [replace(load, still_rejected=frozenset(broken[load.load_id])) for load in loads]
        remembered = [
            files
            for one, load in zip(read, loads, strict=True)
            if (files := memory.write(connection, folder, load, one.again, are_unique=has_left))
        ]
        told_before = ledger.known_rejects(feed.source, feed.name)
        rejected = [reject for reject in rejected if reject.identity not in told_before]
        # What has no fingerprint, or begins where the last run ended, is read each time; where nothing came
        # of it there is nothing to record.
        told = {reject.load_id for reject in rejected}
        comes_whole = "cursor" not in feed.place
        loads = [
            load
            for load in loads
            if (load.sha256 and comes_whole)
            or load.new
            or load.deleted
            or load.load_id in told
            or load.cursor != last_cursor
        ]
        return Mapped(loads, rejected, batches, more, remembered[-1] if remembered else ())


def _with_sums(load: Load, connection: duckdb.DuckDBPyConnection, unread: Decimal | None = None) -> Load:
    """A load with what was accepted and what of it is new, in rows and money; ``unread`` is the amount of
    rows that were accepted without being read again."""
    accepted = connection.execute("select sum(amount) from sums where load_id = ?", [load.load_id]).fetchone()
    fresh = connection.execute("select rows, amount from fresh where load_id = ?", [load.load_id]).fetchone()
    new, new_amount = fresh or (0, None)
    amounts = [amount for amount in (*(accepted or ()), unread) if amount is not None]
    return replace(load, amount=sum(amounts, Decimal()) if amounts else None, new=new, new_amount=new_amount)


def _new_columns(read: Read, earlier: Sequence[str], feed: Feed) -> list[str]:
    """A note on columns that the feed's deliveries did not have before; nothing reads them until mapped."""
    new = [name for name in read.header if name not in earlier] if earlier else []
    if feed.entity.is_as_is:
        names = landed_names(read.header)
        what = {name: f"it lands as staging.{feed.name}.{names[name]}" for name in new}
    else:
        what = dict.fromkeys(new, f"map it in {feed.where('feed')} to land it")
    return [f"{read.delivery.name}: new column `{name}`; {said}" for name, said in what.items()]


def _refuse_changed_types(
    read: Sequence[Read], counts: dict[int, Counts], connection: duckdb.DuckDBPyConnection
) -> None:
    """Refuse a delivery in which no row can be read as one column's type, where those before it could.

    Raises:
        SourceError: such a delivery.
    """
    for one in read:
        count = counts.get(one.load_id, Counts())
        if count.accepted or count.rejected < FEW:
            continue
        for rule, example in connection.execute(
            "select unnest(string_split(rule, ', ')) as name, min(reason) from rejected where load_id = ?"
            " group by name having count(*) = ? and name like '%_type'",
            [one.load_id, count.rejected],
        ).fetchall():
            raise SourceError(
                f"{one.delivery.name}: all {count.rejected:,} rows break {rule} ({example}); the column's"
                " type has changed: mend its mapping, or the file"
            )
