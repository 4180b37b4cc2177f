"""The results of a report's queries, kept as Parquet: while a report is made each is asked for once and kept,
and a rebuild reads what was kept and asks nobody.

Knows neither the warehouse nor a report. A process is told by environment variables where results are kept,
so that a document's cells share them with the process that renders it.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reports.errors import DataError

FOLDER, ONLY = "ANALYTICS_RESULTS", "ANALYTICS_RESULTS_ONLY"


@dataclass(frozen=True)
class Results:
    """A folder of results. With `only`, what is not there is an error instead of a question to the
    warehouse."""

    folder: Path
    only: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that tell a process of it."""
        return {FOLDER: str(self.folder), ONLY: "1" if self.only else ""}

    def digest(self) -> str:
        """A hash of all results, the same for the same values."""
        found = hashlib.sha256()
        for file in sorted(self.folder.glob("*.parquet")):
            found.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
        return found.hexdigest()


_current: ContextVar[Results | None] = ContextVar("results", default=None)


@contextmanager
def kept_in(results: Results) -> Iterator[Results]:
    """Keep the results of this thread's queries in a folder, or read them there."""
    results.folder.mkdir(parents=True, exist_ok=True)
    token = _current.set(results)
    try:
        yield results
    finally:
        _current.reset(token)


def key_of(sql: str, parameters: Mapping[str, Any]) -> str:
    """The name of a query's result: a hash of its text, whatever its spacing, and its parameters."""
    values = sorted((name, _plain(value)) for name, value in parameters.items())
    return hashlib.sha256(repr((sql.split(), values)).encode()).hexdigest()[:20]


def keep(key: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The frame kept under a key; made, and kept, when there is none.

    Raises:
        DataError: there is none, and this report is rebuilt from what was kept.
    """
    results = current()
    if results is None:
        return make()
    file = _found(results, key)
    if file is None:
        file = results.folder / f"{key}.parquet"
        with _draft(file) as draft:
            make().to_parquet(draft, index=False)
    # Read back also when it was just made, so that a rebuild sees the very same frame.
    return _frame(file)


def keep_batches(key: str, make: Callable[[], Iterator[pa.RecordBatch]]) -> Path:
    """As `keep`, for a result that may be too large for memory: its Parquet file, written batch by batch;
    there is at least one batch."""
    results = current()
    assert results is not None, "large results are asked for only while a report is made"
    file = _found(results, key)
    if file is None:
        file = results.folder / f"{key}.parquet"
        batches = make()
        first = next(batches)
        with _draft(file) as draft, pq.ParquetWriter(draft, first.schema) as writer:
            for batch in chain([first], batches):
                writer.write_batch(batch)
    return file


def current() -> Results | None:
    """Where this thread, or else this process, keeps its results."""
    if (results := _current.get()) is not None:
        return results
    folder = os.environ.get(FOLDER)
    return Results(Path(folder), bool(os.environ.get(ONLY))) if folder else None


def _found(results: Results, key: str) -> Path | None:
    file = results.folder / f"{key}.parquet"
    if file.exists():
        return file
    if results.only:
        raise DataError(
            "the archive of this report does not hold the result of a query that is asked for now: "
            "the code that makes reports has changed since"
        )
    return None


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """A file to write, which gets its name when it is whole: another process may keep the same result."""
    draft = file.with_name(f".{uuid4().hex}")
    try:
        yield draft
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _frame(file: Path) -> pd.DataFrame:
    frame = pd.read_parquet(file)
    for (
        name
    ) in frame.columns:  # text comes back as pandas' own kind of text: None, not NaN, is what is missing
        if not pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_datetime64_any_dtype(
            frame[name]
        ):
            values = frame[name].astype(object)
            frame[name] = values.where(values.notna(), None)
    return frame


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else repr(value)
