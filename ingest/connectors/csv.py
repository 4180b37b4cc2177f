"""CSV files, found by a glob. One delivery a file."""

import csv
import glob
import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingest import warehouse
from ingest.connectors import BATCH_ROWS, Delivery, SourceError, check_header, text_table

DELIMITERS = ",;\t|"


def deliveries(place: dict[str, Any]) -> Iterator[Delivery]:
    """The files that ``place["path"]`` matches, by name.

    Raises:
        SourceError: no file matches.
    """
    pattern = str(warehouse.ROOT / place["path"])
    files = sorted(glob.glob(pattern, recursive=True))
    if not files:
        raise SourceError(f"no file matches {pattern}")
    options = place.get("options", {})
    encoding, delimiter = options.get("encoding", "utf-8-sig"), options.get("delimiter")
    for file in map(Path, files):
        yield Delivery(shown(file), sha256(file), partial(_batches, file, encoding, delimiter))


def shown(file: Path) -> str:
    """A file's name as people see it: from the project's root where it lies inside."""
    return str(file.relative_to(warehouse.ROOT) if file.is_relative_to(warehouse.ROOT) else file)


def sha256(file: Path) -> str:
    """The hash of a file's bytes."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _batches(file: Path, encoding: str, delimiter: str | None) -> Iterator[pa.Table]:
    name = shown(file)
    try:
        with file.open(encoding=encoding, newline="") as handle:
            if delimiter is None:
                delimiter = _likely_delimiter(handle.readline())
                handle.seek(0)
            yield from _read(csv.reader(handle, delimiter=delimiter), name)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name}: not {encoding} text (byte {error.start}); set options: {{encoding: …}}"
        ) from error
    except csv.Error as error:
        raise SourceError(f"{name}: {error}") from error


def _likely_delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _read(reader: Any, file: str) -> Iterator[pa.Table]:
    header = [field.strip() for field in next(reader, [])]
    if not header:
        raise SourceError(f"{file}: the file is empty; a first line with the columns' names is missing")
    check_header(header, file)
    width = len(header)
    rows: list[list[str]] = []
    lines: list[int] = []
    problems: list[str | None] = []
    line = reader.line_num + 1
    for row in reader:
        if row:  # a blank line is no record
            fits = len(row) == width
            rows.append(row if fits else (row + [""] * width)[:width])
            lines.append(line)
            problems.append(
                None if fits else f"{len(row)} fields where the header has {width}: {','.join(row)}"
            )
            if len(rows) == BATCH_ROWS:
                yield text_table(header, rows, file, lines, problems)
                rows, lines, problems = [], [], []
        line = reader.line_num + 1
    yield text_table(header, rows, file, lines, problems)
