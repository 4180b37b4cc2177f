"""What of a feed's last large file came again as it was, so that it need not be mapped and compared again.

A file comes again with rows added or mended here and there. A block of lines that its last delivery had, too,
holds no news, as long as nothing else of the feed landed since, no key stood twice in that delivery, and no
other row of this run has one of the block's keys. Whatever of that does not hold or cannot be told, the whole
file is read: what is kept here makes a run faster, and never decides what lands.

``<home>/unchanged`` has for each feed the blocks of its last large file (JSON) and, beside it, the hashes of
their keys (Parquet).
"""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from ingest import mapping, warehouse
from ingest.config import Feed
from ingest.connectors import Piece, csv, numbers
from ingest.entities import PLACE, listed
from ingest.ledger import Ledger, Load
from ingest.mapping import Counts
from ingest.staging import BULK_ROWS

CHANGING = re.compile(
    r"\b(now|today|ago|age|random|(gen_random_)?uuid\w*|(get_)?current_\w+|local(time|timestamp)"
    r"|transaction_timestamp|nextval)\b",
    re.IGNORECASE,
)
BY_LINE = re.compile(r"\b_line\b")


class Block(NamedTuple):
    """What became of a block's rows; ``rejected`` has their hashes."""

    accepted: int
    amount: Decimal | None
    rejected: list[str]


@dataclass(frozen=True)
class Past:
    """The blocks of a delivery, by name, and the file with the hashes of their keys."""

    delivery: str = ""
    blocks: dict[str, Block] = field(default_factory=dict)
    keys: Path = Path()


@dataclass
class Again:
    """What of a delivery is known from the one before: blocks that came again, and all that were seen."""

    past: Past
    by_line: bool
    met: dict[str, Block] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)  # the line where it began last
    twice: set[str] = field(default_factory=set)

    def name(self, digest: str, line: int) -> str:
        """A block's name: with its line where the mapping depends on that."""
        return f"{digest}:{line}" if self.by_line else digest

    def knows(self, digest: str, line: int) -> bool:
        """Whether a block came before."""
        return self.name(digest, line) in self.past.blocks

    def see(self, piece: Piece) -> int | None:
        """Take note of a piece of the delivery; its block as a number, for the mapper."""
        if piece.block is None:
            return None
        name = self.name(piece.block, piece.line)
        if piece.table is None:
            self.met[name] = self.past.blocks[name]
        if self.seen.setdefault(name, piece.line) != piece.line:
            self.twice.add(name)
        return _number(name)

    @property
    def counts(self) -> Counts:
        """The rows that were not read again."""
        return Counts(
            sum(block.accepted for block in self.met.values()),
            sum(len(block.rejected) for block in self.met.values()),
        )

    @property
    def amount(self) -> Decimal | None:
        """The sum of their amounts."""
        amounts = [block.amount for block in self.met.values() if block.amount is not None]
        return sum(amounts, Decimal()) if amounts else None

    @property
    def rejected(self) -> set[str]:
        """The hashes of the rejected ones."""
        return {hash_ for block in self.met.values() for hash_ in block.rejected}


class Memory:
    """The memory of one feed."""

    def __init__(self, feed: Feed) -> None:
        expressions = [*feed.columns.values(), *feed.rules.values()]
        self.feed = feed
        self.by_line = any(map(BY_LINE.search, expressions)) or feed.entity.key == PLACE
        # A snapshot needs every key, and what depends on the time has to be looked at each time.
        self.is_kept = feed.mode != "snapshot" and not any(map(CHANGING.search, expressions))
        self._folder = warehouse.home() / "unchanged"
        self._file = self._folder / f"{feed.source}.{feed.name}.json"

    def recall(self, ledger: Ledger) -> Past:
        """The feed's last large delivery, if landed rows are still those it left."""
        if not self.is_kept:
            return Past()
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            load = kept["load_id"], kept["delivery"], kept["sha256"]
            if kept["made_by"] != self._maker() or not ledger.is_last(
                self.feed.source, self.feed.name, *load
            ):
                return Past()
            blocks = {
                name: Block(accepted, None if amount is None else Decimal(amount), rejected)
                for name, (accepted, amount, rejected) in kept["blocks"].items()
            }
            keys = self._folder / kept["keys"]
            return Past(kept["delivery"], blocks, keys) if keys.is_file() else Past()
        except (OSError, ValueError, LookupError, TypeError):  # none, or one that was damaged
            return Past()

    def of(self, past: Past, delivery: str) -> Again:
        """What is known of a delivery before it is read."""
        return Again(past if past.delivery == delivery else Past(), self.by_line)

    def clashes(self, connection: duckdb.DuckDBPyConnection, again: Again) -> bool:
        """Whether a row that was mapped in this run, or came again elsewhere, has a key of the blocks that
        came again."""
        if not again.met or again.twice:
            return bool(again.met)
        found = connection.execute(
            f"select 1 from accepted where hash({self._key}) in"
            f" (select key from read_parquet('{again.past.keys}') where block in ({_numbers(again.met)}))"
            " limit 1"
        ).fetchone()
        return found is not None

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        load: Load,
        again: Again,
        are_unique: bool = False,
    ) -> list[tuple[Path, Path]]:
        """Write what is to be known of a delivery when it comes again into a folder; returns each file and
        its place. Nothing where it is small or has a key twice, unless that was looked at before."""
        if not self.is_kept or load.sha256 is None or load.counts.read < BULK_ROWS or not again.seen:
            return []
        # Keys of blocks that came again were told apart before, and from those of this run by ``clashes``.
        here = f"(select block, key from keys where load_id = {load.load_id})"
        if not (are_unique or mapping.is_unique(connection, here)):
            return []
        keys = folder / f"{self.feed.source}.{self.feed.name}.{load.load_id}.parquet"
        known = (
            f" union all select block, key from read_parquet('{again.past.keys}')"
            f" where block in ({_numbers(again.met)})"
            if again.met
            else ""
        )
        connection.execute(f"copy (from {here}{known}) to '{keys}' (format parquet)")
        kept = {
            "made_by": self._maker(),
            "load_id": load.load_id,
            "delivery": load.delivery,
            "sha256": load.sha256,
            "keys": keys.name,
            "blocks": self._blocks(connection, load, again),
        }
        file = folder / self._file.name
        file.write_text(json.dumps(kept, default=str), encoding="utf-8")
        return [(keys, self._folder / keys.name), (file, self._file)]

    def _blocks(self, connection: duckdb.DuckDBPyConnection, load: Load, again: Again) -> dict[str, Any]:
        """The blocks of a delivery that may be known again, by name. Not one that it had twice, or in which a
        row was too late or too early: it may be right another day."""
        accepted = {
            number: (count, total)
            for number, count, total in connection.execute(
                "select block, sum(rows)::bigint, sum(amount) from sums where load_id = ? group by block",
                [load.load_id],
            ).fetchall()
        }
        rejected = {
            number: (hashes, changing)
            for number, hashes, changing in connection.execute(
                "select _block, list(md5(raw_row)), bool_or(contains(rule, '_plausible')) from rejected"
                " where load_id = ? group by _block",
                [load.load_id],
            ).fetchall()
        }
        blocks: dict[str, Any] = dict(again.met)
        for name in again.seen.keys() - again.twice:
            hashes, changing = rejected.get(_number(name), ([], False))
            if name not in blocks and not changing:
                blocks[name] = (*accepted.get(_number(name), (0, None)), hashes)
        return blocks

    @property
    def _key(self) -> str:
        return listed(self.feed.entity.key)

    def _maker(self) -> str:
        """What decides how a block is read and mapped: the feed, the code, and DuckDB."""
        feed = replace(self.feed, file=Path(), lines={})
        code = [Path(module.__file__ or "").read_bytes() for module in (mapping, csv, numbers)]
        return hashlib.sha256(repr((feed, code, duckdb.__version__)).encode()).hexdigest()


def publish(files: Sequence[tuple[Path, Path]]) -> None:
    """Put what was written in its place, after its load is in the ledger. The JSON comes last and names the
    rest, so that it is never half."""
    for draft, place in files:
        place.parent.mkdir(exist_ok=True)
        os.replace(draft, place)
    for keys, _ in files:
        source, feed = keys.name.split(".")[:2]
        for old in (warehouse.home() / "unchanged").glob(f"{source}.{feed}.*.parquet"):
            if old.name not in {place.name for _, place in files}:
                old.unlink()


def _number(name: str) -> int:
    """A block's name as a number, which costs less in a table of rows."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])


def _numbers(blocks: dict[str, Block]) -> str:
    return ", ".join(str(_number(name)) for name in blocks)
