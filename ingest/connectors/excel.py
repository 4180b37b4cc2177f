"""Excel workbooks, one sheet a feed. One delivery a workbook."""

import datetime
import glob
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound

from ingest import warehouse
from ingest.connectors import Delivery, SourceError, check_header, text_table
from ingest.connectors.csv import sha256, shown


def deliveries(place: dict[str, Any]) -> Iterator[Delivery]:
    """The workbooks that ``place["path"]`` matches, read at ``place["sheet"]``.

    Raises:
        SourceError: no file matches.
    """
    pattern = str(warehouse.ROOT / place["path"])
    files = sorted(glob.glob(pattern, recursive=True))
    if not files:
        raise SourceError(f"no file matches {pattern}")
    sheet = str(place["sheet"])
    for file in map(Path, files):
        yield Delivery(f"{shown(file)}#{sheet}", sha256(file), partial(_batches, file, sheet))


def _batches(file: Path, sheet: str) -> Iterator[pa.Table]:
    name = f"{shown(file)}#{sheet}"
    try:
        workbook = CalamineWorkbook.from_path(file)
        cells = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except WorksheetNotFound as error:
        raise SourceError(
            f"{shown(file)}: no sheet `{sheet}`; it has: {', '.join(workbook.sheet_names)}"
        ) from error
    except CalamineError as error:
        raise SourceError(f"{shown(file)}: not a workbook that can be read: {error}") from error
    if not cells:
        raise SourceError(f"{name}: the sheet is empty; a first row with the columns' names is missing")
    header = [as_text(cell) for cell in cells[0]]
    check_header(header, name)
    numbered = [
        (line, [as_text(cell) for cell in row])
        for line, row in enumerate(cells[1:], start=2)
        if any(cell != "" for cell in row)
    ]
    yield text_table(header, [row for _, row in numbered], name, [line for line, _ in numbered])


def as_text(cell: Any) -> str:
    """A cell as the text a person would read: 5.0 is `5`, a number has Excel's 15 digits, dates are ISO."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.15g}"
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat(*([" "] if isinstance(cell, datetime.datetime) else []))
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell).strip()
