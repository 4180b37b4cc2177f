"""Trying a feed without landing anything: read and map all of it, and say what would become of its rows."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import TokenType
from sqlglot.errors import TokenError

from ingest.config import ConfigError, Feed, Source
from ingest.connectors import BATCH_ROWS, SourceError
from ingest.entities import listed
from ingest.landing import CONNECTORS
from ingest.mapping import Counts, Mapper

SAMPLE_ROWS = 20


@dataclass(frozen=True)
class Broken:
    """Rules that rows break together: how many rows, and of the first one where it stands and why."""

    rule: str
    rows: int
    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class Trial:
    """What would become of a feed's rows. ``sample`` are the first ones that would land, as ``columns`` names
    their values; ``unmapped`` are columns of the source that no feed of it reads; ``error`` is why it could
    not be read."""

    source: str
    feed: str
    counts: Counts = field(default_factory=Counts)
    broken: list[Broken] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    sample: list[tuple[Any, ...]] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str | None = None


def try_source(source: Source) -> Iterator[Trial]:
    """Try each feed of a source. Nothing is written but to a folder that goes when it is done."""
    for feed in source.feeds:
        beside = [other for other in source.feeds if other.place == feed.place]
        try:
            yield _try(feed, beside)
        except (SourceError, ConfigError) as error:
            yield Trial(source.name, feed.name, error=str(error))


def _try(feed: Feed, beside: Sequence[Feed]) -> Trial:
    headers: dict[str, None] = {}
    notes: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(duckdb.connect(str(Path(folder) / "trial"))) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        mapper = Mapper(feed, connection)
        for batch in _batches(feed, headers, notes):
            mapper.add(batch)
        counts = mapper.counts().values()
        broken = connection.execute(
            "select rule, count(*), arg_min(source_file, (load_id, source_line)), arg_min(source_line,"
            " (load_id, source_line)), arg_min(reason, (load_id, source_line)) from rejected group by all"
            " order by 2 desc, 1"
        ).fetchall()
        sample = connection.execute(
            f"select {listed([*mapper.entity.names, 'source_file', 'source_line'])} from accepted"
            f" order by load_id, source_line limit {SAMPLE_ROWS}"
        )
        columns = [name for name, *_ in sample.description]
        rows = sample.fetchall()
    return Trial(
        feed.source,
        feed.name,
        Counts(sum(c.accepted for c in counts), sum(c.rejected for c in counts)),
        [Broken(*row) for row in broken],
        columns,
        rows,
        [] if feed.entity.is_as_is else unmapped(headers, beside),
        notes,
    )


def _batches(feed: Feed, headers: dict[str, None], notes: list[str]) -> Iterator[pa.Table]:
    """The rows of all deliveries, those of small ones together, since each batch costs the planning of a
    query; the columns and notes found are added to the lists."""
    pending: list[pa.Table] = []
    for number, delivery in enumerate(CONNECTORS[feed.kind].deliveries(feed.resolved_place())):
        for table in delivery.batches():
            headers |= dict.fromkeys(table.column_names)
            batch = table.append_column("_load_id", pa.repeat(pa.scalar(number, pa.int64()), len(table)))
            is_other = pending and pending[0].column_names != batch.column_names
            if is_other or sum(map(len, pending)) >= BATCH_ROWS:
                yield pa.concat_tables(pending)
                pending = []
            pending.append(batch)
        notes += delivery.notes
    if pending:
        yield pa.concat_tables(pending)


def unmapped(header: Iterable[str], feeds: Sequence[Feed]) -> list[str]:
    """The columns of a source that no expression of the feeds names."""
    named: set[str] = set()
    for feed in feeds:
        for expression in feed.columns.values():
            named |= names_in(expression)
    return [column for column in header if not column.startswith("_") and column.lower() not in named]


def names_in(expression: str) -> set[str]:
    """The words of an expression that may be columns, in lower case: all that is no text."""
    try:
        tokens = sqlglot.tokenize(expression, read="duckdb")
    except TokenError:  # DuckDB reads more than sqlglot does
        return set(expression.lower().split())
    return {token.text.lower() for token in tokens if token.token_type != TokenType.STRING}
