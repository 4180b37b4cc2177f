"""Running an ingestion: which sources, in what order, and what became of each."""

import csv
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.config import ConfigError, Feed, Source, load_sources, sources_file, unknown
from ingest.connectors import SourceError
from ingest.connectors.temporary import is_temporary
from ingest.entities import INTERACTIONS, SALES, Entity
from ingest.landing import WHERE_IT_ENDED, Start, land, replay
from ingest.ledger import Load, open_ledger
from ingest.mending import Mended, mend
from ingest.staging import create_tables
from ingest.trial import Trial, try_source

# dlt's telemetry asks a host that a closed network does not reach, and waits for it.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
# Of its 20 connections none but two would find a processor.
os.environ.setdefault("LOAD__WORKERS", "2")


@dataclass(frozen=True)
class Outcome:
    """What became of one source: its loads, or the error that kept it from being read, with its cause."""

    source: str
    loads: list[Load] = field(default_factory=list)
    error: str | None = None
    cause: Exception | None = None

    def counts(self, feed: str) -> dict[str, int]:
        """The rows of a feed: read, rejected, new."""
        loads = [load for load in self.loads if load.feed == feed]
        return {
            "rows_read": sum(load.counts.read for load in loads),
            "rows_rejected": sum(load.counts.rejected for load in loads),
            "rows_new": sum(load.new for load in loads),
        }

    @property
    def may_succeed_later(self) -> bool:
        """Whether it failed in a way that may be over soon."""
        return is_temporary(self.cause)

    def summary(self) -> str:
        """One line for a person."""
        if self.error:
            return f"{self.source}: not landed: {self.error}"
        if not self.loads:
            return f"{self.source}: nothing new"
        read = sum(load.counts.read for load in self.loads)
        rejected = sum(load.counts.rejected for load in self.loads)
        counts = f"{read:,} rows read, {sum(load.new for load in self.loads):,} new, {rejected:,} rejected"
        if deleted := sum(load.deleted for load in self.loads):
            counts += f", {deleted:,} deleted"
        notes = dict.fromkeys(note for load in self.loads for note in load.notes)
        return "\n  ".join([f"{self.source}: {len(self.loads)} deliveries, {counts}", *notes])


class DataIngestion:
    """Lands the sources of a sources.yml (default: the one in force)."""

    def __init__(self, sources: Path | None = None) -> None:
        self.sources = sources or sources_file()

    def run(
        self,
        names: Sequence[str] | None = None,
        feeds: Sequence[str] | None = None,
        since: str | None = None,
        full_refresh: bool = False,
        until: str | None = None,
    ) -> Iterator[Outcome]:
        """Land the named sources (default: all) and feeds (default: all), each source by itself: one that
        fails does not stop the others. ``since`` stands in for the cursor that the last run left (a number or
        an ISO time; feeds with a cursor only); ``full_refresh`` reads everything again, known or not. With
        ``until`` the feeds with a cursor are read from ``since`` until before it, and those without are not;
        the next run reads on from where the one before ended.

        Raises:
            ConfigError: sources.yml is wrong or has no source of such a name, or ``since`` is given and no
                source has a cursor; nothing was read.
        """
        sources = self._named(names)
        if since is not None or until is not None:
            sources = [source for source in sources if source.cursors]
            if not sources:
                raise ConfigError(f"{self.sources}: --since needs a source with a `cursor`; there is none")
        if until is not None:
            if since is None or full_refresh:
                raise ConfigError("--until ends a window that begins at --since, without --full-refresh")
            with_cursor = {feed.name for source in sources for feed in source.feeds if "cursor" in feed.place}
            feeds = [name for name in feeds or with_cursor if name in with_cursor]
        return self._land(sources, feeds, Start(since, full_refresh, until))

    def check(self, names: Sequence[str] | None = None) -> Generator[Trial, None, None]:
        """Read and map the feeds of the named sources (default: all) without landing anything.

        Raises:
            ConfigError: as ``run``.
        """
        for source in self._named(names):
            yield from try_source(source)

    def replay(self, names: Sequence[str] | None = None) -> Iterator[Outcome]:
        """Land the open rejected rows that now keep every rule, of the named sources (default: all).

        Raises:
            ConfigError: as ``run``.
        """
        sources = self._named(names)
        create_tables()
        with open_ledger() as ledger:
            ledger.recover()
            for source in sources:
                try:
                    yield Outcome(source.name, replay(source, ledger))
                except ConfigError as error:
                    yield Outcome(source.name, error=str(error))

    def mend(self, workbook: Path) -> Mended:
        """Land the rejected rows that their owner mended in a workbook of ``ingest.mending.export``.

        Raises:
            SourceError: it is none.
            ConfigError: as ``run``.
        """
        sources = load_sources(self.sources)
        create_tables()
        with open_ledger() as ledger:
            ledger.recover()
            return mend(workbook, sources, ledger)

    def load_sales(self, file: str | Path) -> Outcome:
        """Land a CSV file whose columns are named as those of ``staging.sales``."""
        return self._load_file(Path(file), SALES)

    def load_interactions(self, file: str | Path) -> Outcome:
        """Land a CSV file whose columns are named as those of ``staging.interactions``."""
        return self._load_file(Path(file), INTERACTIONS)

    def _named(self, names: Sequence[str] | None) -> list[Source]:
        sources = load_sources(self.sources)
        for name in names or ():
            if name not in sources:
                raise ConfigError(f"{self.sources}: {unknown('source', name, sources)}")
        return [sources[name] for name in names or sources]

    def _land(
        self, sources: Sequence[Source], feeds: Sequence[str] | None = None, start: Start = WHERE_IT_ENDED
    ) -> Iterator[Outcome]:
        create_tables()
        with open_ledger() as ledger:
            ledger.recover()
            for source in sources:
                try:
                    yield Outcome(source.name, land(source, ledger, feeds, start))
                except (SourceError, ConfigError) as error:
                    yield Outcome(source.name, error=str(error), cause=error)

    def _load_file(self, file: Path, entity: Entity) -> Outcome:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            header = [name.strip() for name in next(csv.reader(handle), [])]
        columns = {name: f'"{name}"' for name in entity.names if name in header}
        missing = [c.name for c in entity.columns if c.required and not c.default and c.name not in columns]
        if missing:
            raise SourceError(f"{file}: no column {', '.join(missing)}; it has: {', '.join(header)}")
        place = {"path": str(file.resolve())}
        feed = Feed("files", "csv", "UTC", entity, columns, {}, place, file, {"feed": 1})
        return next(self._land([Source("files", "csv", (feed,))]))
