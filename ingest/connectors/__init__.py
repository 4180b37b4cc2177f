"""Connectors: each reads one kind of source and yields its rows as text, and nothing else.

No mapping, no rules and no warehouse here. A connector's module offers ``deliveries(place, since, until)``:
``since`` is the greatest value of the cursor column that earlier runs saw, from which the connector subtracts
the lag. With ``until`` the two are a window, and it reads just the rows in it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BATCH_ROWS = 50_000


class SourceError(RuntimeError):
    """A source cannot be read; the message names the place and what to do."""


class Piece(NamedTuple):
    """Rows of a delivery, and the block of lines that they stand in: a hash of its bytes, and its first line.

    ``block`` is None where none can be told, ``table`` where the reader said that it knows the block.
    """

    table: pa.Table | None
    block: str | None = None
    line: int = 0
    rows: int = 0


Knows: TypeAlias = Callable[[str, int], bool]
"""Whether the reader of a delivery knows a block, by its hash and first line, and needs no rows of it."""


@dataclass(frozen=True)
class Delivery:
    """A file, a sheet, a set of API pages or a table: what is landed or refused as a whole.

    ``fingerprint`` is the SHA-256 of the content, or None where it is not known before reading.
    ``batches()`` reads the rows, each batch a table of text columns (empty text is null) with three more:

    * ``_file`` (text) and ``_line`` (64-bit): where the row stands, for people and for lineage,
    * ``_problem`` (text): why the row could not be split into columns, null where it could.

    ``blocks(knows)`` reads the same rows as pieces, but not those of blocks that are known; None where the
    connector cannot tell blocks.

    After the batches were read, ``cursor()`` is the greatest value of the cursor column (None where there is
    no cursor), and ``notes`` says what a person should know of the rows.
    """

    name: str
    fingerprint: str | None
    batches: Callable[[], Iterator[pa.Table]]
    cursor: Callable[[], str | None] = lambda: None
    notes: list[str] = field(default_factory=list)
    blocks: Callable[[Knows], Iterator[Piece]] | None = None

    def pieces(self, knows: Knows) -> Iterator[Piece]:
        """The rows, without those of known blocks where the connector can tell blocks."""
        return self.blocks(knows) if self.blocks else map(Piece, self.batches())


def text_table(
    header: Sequence[str],
    rows: Iterable[Sequence[str | None]],
    file: str,
    lines: Sequence[int],
    problems: Sequence[str | None] | None = None,
) -> pa.Table:
    """A batch of the form that Delivery describes; rows are as long as the header. A text with a zero byte,
    which no database keeps, is a problem of its row."""
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    arrays: list[Any] = [pa.array([v or None for v in column], pa.string()) for column in columns]
    for position, (name, array) in enumerate(zip(header, arrays, strict=True)):
        if _has_zero(array):
            bad = [text is not None and "\0" in text for text in columns[position]]
            reason = f"a zero byte in {name}"
            problems = problems if problems is not None else [None] * len(bad)
            problems = [
                old or (reason if is_bad else None) for old, is_bad in zip(problems, bad, strict=True)
            ]
            arrays[position] = pc.replace_substring(array, "\0", "\\0")
    arrays += [
        pa.array([file] * len(lines), pa.string()),
        pa.array(lines, pa.int64()),
        pa.array(problems if problems is not None else [None] * len(lines), pa.string()),
    ]
    return pa.table(arrays, names=[*header, "_file", "_line", "_problem"])


def _has_zero(array: pa.Array) -> bool:
    content = array.buffers()[2]
    return content is not None and not np.frombuffer(content, np.uint8).all()


def check_header(header: Sequence[str], file: str) -> None:
    """Refuse a header that does not name each column once.

    Raises:
        SourceError: an empty or repeated name.
    """
    seen: set[str] = set()
    for position, name in enumerate(header, start=1):
        if not name:
            raise SourceError(f"{file}: the header names no column {position}; give every column a name")
        if name.lower() in seen:
            raise SourceError(f"{file}: the header names the column `{name}` twice; rename one")
        seen.add(name.lower())
