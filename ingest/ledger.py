"""The ledger: ``ops.loads`` and ``ops.rejected_rows``, what was read and what became of it.

It is written ahead: a load's counts and its rejected rows stand here, in state ``loading``, before its rows
are copied into staging. So after a crash the ledger knows which loads are whole
(``recover``), and a repeated run neither doubles nor loses a row. Nothing here reads a source.
"""

import csv
import hashlib
import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from ingest import lake, warehouse
from ingest.entities import ENTITIES, as_is
from ingest.mapping import Counts
from ingest.staging import landed_sums

logger = logging.getLogger(__name__)

DDL = """
create table if not exists ops.loads (
    load_id bigint primary key,
    source_name text not null,
    feed_name text not null,
    entity text not null,
    source_file text not null,
    sha256 text,
    state text not null check (state in ('loading', 'loaded', 'failed')),
    rows_read bigint not null,
    rows_accepted bigint not null,
    rows_rejected bigint not null,
    rows_new bigint not null,
    rows_deleted bigint not null default 0,
    amount_accepted numeric,
    amount_new numeric,
    cursor_value text,
    source_columns text[] not null default '{}',
    notes text[] not null default '{}',
    started_at timestamp not null,
    finished_at timestamp,
    error text,
    check (rows_read = rows_accepted + rows_rejected)
);
create index if not exists loads_feed on ops.loads (source_name, feed_name, sha256);
create table if not exists ops.rejected_rows (
    rejection_id bigint generated always as identity primary key,
    load_id bigint not null references ops.loads,
    source_name text not null,
    feed_name text not null,
    source_file text not null,
    source_line bigint not null,
    rule text not null,
    reason text not null,
    raw_row json not null, -- not jsonb, which forgets the order of the columns
    raw_hash text not null,
    mended_row json, -- as it landed, where its owner mended the row itself and not its file
    state text not null default 'open' check (state in ('open', 'replayed', 'dismissed')),
    rejected_at timestamp not null default now()
);
alter table ops.rejected_rows add column if not exists mended_row json;
create index if not exists rejected_rows_load on ops.rejected_rows (load_id);
comment on table ops.loads is
    'One row for each file, set of pages or table that was read for a feed, with what became of its rows.';
comment on table ops.rejected_rows is
    'Rows that broke a rule at the door: where they stand, which rules, why, and the whole row.';
"""

# Two ingestions at once would give loads an order that differs from the order of their commits.
LOCK = "select pg_advisory_lock(hashtext('analytics ingest'))"
IS_FREE = "select pg_try_advisory_lock(hashtext('analytics ingest'))"


@dataclass(frozen=True)
class Load:
    """A row of ``ops.loads``: one delivery of one feed. Amounts are in the source's currency."""

    load_id: int
    source: str
    feed: str
    delivery: str
    sha256: str | None
    counts: Counts
    new: int = 0
    deleted: int = 0
    amount: Decimal | None = None
    new_amount: Decimal | None = None
    cursor: str | None = None
    header: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    still_rejected: frozenset[str] = frozenset()  # hashes of the rows of this delivery that broke a rule


class Reject(NamedTuple):
    """A row of ``ops.rejected_rows``; ``raw_row`` is JSON text."""

    load_id: int
    source: str
    feed: str
    file: str
    line: int
    rule: str
    reason: str
    raw_row: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it the same reject when its file comes again, longer or shifted, or an API's record on
        another page."""
        return _without_page(self.file), self.rule, self.raw_hash

    @property
    def raw_hash(self) -> str:
        """The hash of the row as it stood in the source."""
        return hashlib.md5(self.raw_row.encode()).hexdigest()


def _without_page(file: str) -> str:
    return file.partition("?page=")[0]


class Known:
    """The content of deliveries that were loaded before: names and fingerprints, in the order of loading."""

    def __init__(self, loaded: Iterable[tuple[str, str]]) -> None:
        self._all: set[str] = set()
        self._newest: dict[str, str] = {}
        for name, sha256 in loaded:
            self.add(name, sha256)

    def add(self, name: str, sha256: str | None) -> None:
        """Take note of a delivery; one without a fingerprint is never known."""
        if sha256 is not None:
            self._all.add(sha256)
            self._newest[name] = sha256

    def has(self, name: str, sha256: str | None) -> bool:
        """Whether the content was loaded, under this name or another; not where the name has had other
        content since, as what goes back to what it was is news."""
        return sha256 is not None and sha256 in self._all and self._newest.get(name, sha256) == sha256


class Ledger:
    """The ledger on an open connection that holds the lock of ingestion."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def next_load_id(self) -> int:
        """The number after the last one; nobody else counts while the lock is held."""
        return int(self._value("select coalesce(max(load_id), 0) + 1 from ops.loads"))

    def known(self, source: str, feed: str) -> Known:
        """What was loaded before for a feed."""
        return Known(
            self._rows(
                "select source_file, sha256 from ops.loads where source_name = %s and feed_name = %s"
                " and state = 'loaded' and sha256 is not null order by load_id",
                (source, feed),
            )
        )

    def cursor(self, source: str, feed: str) -> str | None:
        """The greatest value of the cursor column that earlier runs of a feed saw, if it has a cursor."""
        found = self._newest(source, feed, "cursor_value", "cursor_value is not null")
        return None if found is None else str(found)

    def is_last(self, source: str, feed: str, load_id: int, delivery: str, sha256: str) -> bool:
        """Whether this load is the feed's last one that changed anything, and the last of its delivery."""
        rows = self._rows(
            "select 1 from ops.loads"
            " where load_id = %s and source_file = %s and sha256 = %s and state = 'loaded'"
            " and not exists (select 1 from ops.loads as newer where newer.load_id > loads.load_id"
            " and newer.source_name = %s and newer.feed_name = %s and newer.state = 'loaded'"
            " and (newer.rows_new + newer.rows_deleted > 0 or newer.source_file = loads.source_file))",
            (load_id, delivery, sha256, source, feed),
        )
        return bool(rows)

    def header(self, source: str, feed: str) -> list[str]:
        """The columns of a feed's newest delivery; empty where none was loaded."""
        return self._newest(source, feed, "source_columns", "source_columns <> '{}'") or []

    def _newest(self, source: str, feed: str, column: str, condition: str) -> Any:
        rows = self._rows(
            f"select {column} from ops.loads where source_name = %s and feed_name = %s and state = 'loaded'"
            f" and {condition} order by load_id desc limit 1",
            (source, feed),
        )
        return rows[0][0] if rows else None

    def known_rejects(self, source: str, feed: str) -> set[tuple[str, str, str]]:
        """The identities of a feed's rejected rows that nobody has replayed, and of those that were mended by
        hand: their file still has them as they were."""
        rows = self._rows(
            "select source_file, rule, raw_hash from ops.rejected_rows"
            " where source_name = %s and feed_name = %s and (state <> 'replayed' or mended_row is not null)",
            (source, feed),
        )
        return {(_without_page(file), rule, raw_hash) for file, rule, raw_hash in rows}

    def announce(self, loads: Sequence[Load], rejected: Sequence[Reject]) -> None:
        """Write loads in state ``loading`` and their rejected rows, in one transaction."""
        with self.connection, self.connection.cursor() as cursor:
            execute_values(
                cursor,
                "insert into ops.loads (load_id, source_name, feed_name, entity, source_file, sha256,"
                " state, rows_read, rows_accepted, rows_rejected, rows_new, rows_deleted, amount_accepted,"
                " amount_new, cursor_value, source_columns, notes, started_at) values %s",
                [
                    (
                        *(x.load_id, x.source, x.feed, x.feed, x.delivery, x.sha256, "loading"),
                        *(x.counts.read, x.counts.accepted, x.counts.rejected, x.new, x.deleted),
                        *(x.amount, x.new_amount, x.cursor, list(x.header), list(x.notes)),
                    )
                    for x in loads
                ],
                template="(" + "%s, " * 15 + "%s::text[], %s::text[], now())",
                page_size=1000,
            )
            buffer = io.StringIO()
            csv.writer(buffer).writerows((*reject, reject.raw_hash) for reject in rejected)
            buffer.seek(0)
            cursor.copy_expert(
                "copy ops.rejected_rows (load_id, source_name, feed_name, source_file, source_line, rule,"
                " reason, raw_row, raw_hash) from stdin with (format csv)",
                buffer,
            )

    def finish(
        self, loads: Sequence[Load], replayed: Sequence[int] = (), mended: Mapping[int, str] | None = None
    ) -> None:
        """Mark loads as loaded, and the rejected rows that they healed as replayed: the named ones, and the
        older ones of a file that came again and no longer has them. ``mended`` has, by id, the rows (JSON
        text) that landed instead of the replayed ones.

        Raises:
            RuntimeError: what stands in staging of a load is not what was announced.
        """
        self._compare_with_staging(loads)
        load_ids = [load.load_id for load in loads]
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(
                "update ops.loads set state = 'loaded', finished_at = now() where load_id = any(%s)",
                (load_ids,),
            )
            cursor.execute(
                "update ops.rejected_rows set state = 'replayed' where rejection_id = any(%s)",
                (list(replayed),),
            )
            if mended:
                execute_values(
                    cursor,
                    "update ops.rejected_rows set mended_row = mended.row::json"
                    " from (values %s) as mended (id, row) where rejection_id = mended.id",
                    list(mended.items()),
                )
            cursor.execute(
                """
                update ops.rejected_rows as rejected
                set state = 'replayed'
                from ops.loads as newer
                where newer.load_id = any(%s)
                    and newer.sha256 is not null
                    and newer.source_name = rejected.source_name
                    and newer.feed_name = rejected.feed_name
                    and newer.source_file = rejected.source_file
                    and newer.load_id > rejected.load_id
                    and rejected.state = 'open'
                    and not rejected.raw_hash = any(%s)
                """,
                (load_ids, [hash_ for load in loads for hash_ in load.still_rejected]),
            )

    def _compare_with_staging(self, loads: Sequence[Load]) -> None:
        """Count rows and money where they landed, in the database, against what was sent there."""
        for feed in {load.feed for load in loads}:
            sent = {x.load_id: x for x in loads if x.feed == feed}
            landed = landed_sums(ENTITIES.get(feed) or as_is(feed, ()), list(sent))
            for load_id, load in sent.items():
                rows, amount = landed.get(load_id, (0, None))
                if (rows, amount or 0) != (load.new + load.deleted, load.new_amount or 0):
                    raise RuntimeError(
                        f"landing: load {load_id} ({load.delivery}) sent {load.new + load.deleted} rows and"
                        f" {load.new_amount} to staging.{feed}, where {rows} rows and {amount} stand;"
                        " the next run takes them out and reads it again"
                    )

    def open_rejects(self, source: str, feed: str) -> list[tuple[int, Reject]]:
        """The rejected rows of a feed that wait for a decision, by their ids."""
        rows = self._rows(
            "select rejection_id, load_id, source_name, feed_name, source_file, source_line, rule, reason,"
            " raw_row::text from ops.rejected_rows"
            " where source_name = %s and feed_name = %s and state = 'open' order by rejection_id",
            (source, feed),
        )
        return [(rejection_id, Reject(*row)) for rejection_id, *row in rows]

    def dismiss(self, rejection_ids: Sequence[int]) -> int:
        """Close open rejected rows that will not be mended; returns how many were open."""
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(
                "update ops.rejected_rows set state = 'dismissed' where state = 'open'"
                " and rejection_id = any(%s)",
                (list(rejection_ids),),
            )
            return cursor.rowcount

    def recover(self) -> None:
        """Settle the loads that a killed run left in state ``loading``.

        Where the landed rows are as many as announced the load is whole; else it failed, what came of it
        goes, and its file is read again. Nothing has read these rows: readers look at whole loads only.
        """
        if warehouse.is_lake():  # files are not counted: what was not finished goes
            self._remove_unfinished()
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute("select distinct entity from ops.loads where state = 'loading'")
            for (entity,) in cursor.fetchall():
                cursor.execute(
                    f"""
                    update ops.loads
                    set state = case when is_whole then 'loaded' else 'failed' end,
                        error = case when is_whole then null else 'interrupted' end,
                        finished_at = now()
                    from (
                        select
                            announced.load_id,
                            count(landed.load_id) = announced.rows_new + announced.rows_deleted as is_whole
                        from ops.loads as announced
                        left join staging.{entity} as landed on announced.load_id = landed.load_id
                        where announced.state = 'loading' and announced.entity = %s
                        group by announced.load_id
                    ) as settled
                    where loads.load_id = settled.load_id
                    """,
                    (entity,),
                )
                cursor.execute(
                    f"delete from staging.{entity} where load_id in"
                    " (select load_id from ops.loads where entity = %s and error = 'interrupted')",
                    (entity,),
                )
            cursor.execute(
                "delete from ops.rejected_rows where load_id in"
                " (select load_id from ops.loads where error = 'interrupted')"
            )

    def _remove_unfinished(self) -> None:
        unfinished = self._rows("select entity, load_id from ops.loads where state = 'loading'", ())
        for table in {table for table, _ in unfinished}:
            lake.remove(table, [load_id for name, load_id in unfinished if name == table])
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(
                "update ops.loads set state = 'failed', error = 'interrupted', finished_at = now()"
                " where state = 'loading'"
            )

    def _value(self, sql: str) -> Any:
        return self._rows(sql, ())[0][0]

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()


@contextmanager
def open_ledger() -> Iterator[Ledger]:
    """The ledger, for one ingestion at a time: a second one waits here until the first is done."""
    with closing(warehouse.connect("loader")) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(IS_FREE)
            if not (cursor.fetchone() or (False,))[0]:
                logger.warning("another ingestion is running; waiting for its end")
                cursor.execute(LOCK)
            cursor.execute(DDL)
        yield Ledger(connection)
        if warehouse.is_lake():
            lake.publish_ledger()
