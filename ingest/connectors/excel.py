"""Excel and OpenDocument workbooks (.xlsx, .xls, .ods), found by a glob. One delivery a sheet.

python-calamine reads them. What it does not tell is found in an .xlsx's XML (``ingest.connectors.xlsx``). Of
the two other kinds that leaves open: error cells arrive empty, numbers shown with leading zeros are not
reported, and an .ods does not tell merged cells, so that its heading is one row.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain, islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from ingest.connectors import BATCH_ROWS, Delivery, SourceError, check_header, text_table
from ingest.connectors.files import File, found
from ingest.connectors.numbers import Style
from ingest.connectors.sheet import Sample, as_text, blank
from ingest.connectors.workbook import MAX_EXPANDED_MB, letters, open_workbook, opening, sheet_facts
from ingest.connectors.xlsx import Facts
from ingest.places import SHEET_PATTERN

SAMPLE_ROWS = 100
LEADING_ZERO = re.compile(r"0\d+")


def deliveries(
    place: dict[str, Any], since: str | None = None, until: str | None = None
) -> Iterator[Delivery]:
    """The sheets ``place["sheet"]`` of the workbooks that ``place["path"]`` matches. A pattern (`Sales 20*`)
    finds visible sheets only; a hidden one is read where it is named exactly with the option ``hidden``.

    Raises:
        SourceError: no file or no sheet matches, or a workbook cannot be opened.
    """
    options = place.get("options", {})
    for file in found(place["path"]):
        digest = file.sha256()
        for sheet in _sheets(file, str(place["sheet"]), options):
            notes: list[str] = []
            yield Delivery(
                f"{file.name}#{sheet}",
                hashlib.sha256(f"{digest}#{sheet}".encode()).hexdigest(),
                partial(_batches, file, sheet, options, notes),
                notes=notes,
            )


def _sheets(file: File, wanted: str, options: dict[str, Any]) -> list[str]:
    if not SHEET_PATTERN.search(wanted):
        return [wanted]
    with opening(file):
        workbook = open_workbook(file, options.get("max_expanded_mb", MAX_EXPANDED_MB))
    sheets = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet
        and sheet.visible == SheetVisibleEnum.Visible
        and fnmatchcase(sheet.name, wanted)
    ]
    if not sheets:
        names = ", ".join(workbook.sheet_names)
        raise SourceError(f"{file.name}: no visible sheet `{wanted}`; it has: {names}")
    return sheets


def _batches(file: File, sheet: str, options: dict[str, Any], notes: list[str]) -> Iterator[pa.Table]:
    name = f"{file.name}#{sheet}"
    with opening(file):
        workbook = open_workbook(file, options.get("max_expanded_mb", MAX_EXPANDED_MB))
        known = sheet_facts(file, sheet, options.get("max_expanded_mb", MAX_EXPANDED_MB))
        cells = _sheet(workbook, file, sheet, options)
        merged = cells.merged_cell_ranges or []
    file.check_unchanged()  # from here on the sheet is in memory
    rows = _rows(cells, known)
    sample = _first(rows, options)
    if not sample:
        raise SourceError(f"{name}: the sheet is empty; a row with the columns' names is missing")
    heading, header = _header(Sample(dict(sample), merged), name, options)
    below = [(row, values) for row, values in sample if row > heading]
    _refuse_nameless(below, header, name)
    numbers = Style.of(options)
    for batch, table in _tables(chain(below, rows), header, name, _LeadingZeros(header, known), notes):
        yield _plain(table, batch, header, numbers) if numbers else table


def _sheet(workbook: CalamineWorkbook, file: File, sheet: str, options: dict[str, Any]) -> CalamineSheet:
    visible = {entry.name: entry.visible for entry in workbook.sheets_metadata}
    if sheet not in visible:
        raise SourceError(f"{file.name}: no sheet `{sheet}`; it has: {', '.join(workbook.sheet_names)}")
    if visible[sheet] != SheetVisibleEnum.Visible and not options.get("hidden"):
        raise SourceError(f"{file.name}: the sheet `{sheet}` is hidden; set options: {{hidden: true}}")
    return workbook.get_sheet_by_name(sheet)


def _rows(sheet: CalamineSheet, known: Facts) -> Iterator[tuple[int, list[Any]]]:
    """The rows that are not blank, with their number from 0; each begins in the sheet's first column."""
    left = sheet.start[1] if sheet.start else 0  # calamine leaves out the first columns, not the first rows
    for row, cells in enumerate(sheet.iter_rows()):
        full = [""] * left + cells
        for column, error in known.errors.get(row, {}).items():
            full[column] = error
        if not all(map(blank, full)):
            yield row, full


def _first(rows: Iterator[tuple[int, list[Any]]], options: dict[str, Any]) -> list[tuple[int, list[Any]]]:
    """Enough rows to find the heading and to see what is below it."""
    line = options.get("header", "auto")
    above = 0 if line == "auto" else line
    sample = []
    for row, cells in rows:
        sample.append((row, cells))
        if len(sample) >= SAMPLE_ROWS and row >= above:
            break
    return sample


def _header(sample: Sample, name: str, options: dict[str, Any]) -> tuple[int, dict[int, str]]:
    """The row of the heading, and the names of the columns that have one."""
    line = options.get("header", "auto")
    heading = sample.heading() if line == "auto" else line - 1
    if heading is None:
        raise SourceError(
            f"{name}: none of the first {len(sample.rows)} rows reads like the names of {len(sample.used)}"
            " columns; say which does in options: {header: …}"
        )
    if heading not in sample.rows:
        raise SourceError(
            f"{name}: row {line} is blank and names no columns; mend options: {{header: {line}}}"
        )
    header = {column: text for column, text in enumerate(sample.names(heading)) if text}
    check_header(list(header.values()), name)
    return heading, header


def _refuse_nameless(rows: Sequence[tuple[int, list[Any]]], header: dict[int, str], name: str) -> None:
    """Refuse a table in which a column has values but no name. A few values beside the table are the
    problem of their rows only."""
    for column in range(len(rows[0][1]) if rows else 0):
        filled = sum(not blank(cells[column]) for _, cells in rows)
        if column not in header and filled * 2 > len(rows):
            raise SourceError(
                f"{name}: the column {letters(column)} has values but no name; give every column a name"
            )


def _tables(
    rows: Iterator[tuple[int, list[Any]]],
    header: dict[int, str],
    name: str,
    zeros: "_LeadingZeros",
    notes: list[str],
) -> Iterator[tuple[list[tuple[int, list[Any]]], pa.Table]]:
    """Batches of rows, as cells and as text."""
    while True:
        batch = list(islice(rows, BATCH_ROWS))
        zeros.see(batch)
        yield (
            batch,
            text_table(
                list(header.values()),
                [[as_text(cells[column]) for column in header] for _, cells in batch],
                name,
                [row + 1 for row, _ in batch],
                [_problem(cells, header) for _, cells in batch],
            ),
        )
        if len(batch) < BATCH_ROWS:
            break
    notes[:] = zeros.notes()


def _plain(
    table: pa.Table, batch: Sequence[tuple[int, list[Any]]], header: dict[int, str], numbers: Style
) -> pa.Table:
    """Numbers that are stored as text made plain; the text of cells that are numbers is so already."""
    for position, column in enumerate(header):
        texts = pa.array([isinstance(cells[column], str) for _, cells in batch], pa.bool_())
        written = table.column(position)
        plain = pc.if_else(texts, numbers.plain(written), written)
        table = table.set_column(position, header[column], plain)
    return table


def _problem(cells: list[Any], header: dict[int, str]) -> str | None:
    beside = [
        f"{letters(column)}: {as_text(cell)}"
        for column, cell in enumerate(cells)
        if column not in header and not blank(cell)
    ]
    return f"values in columns without a name ({', '.join(beside)})" if beside else None


class _LeadingZeros:
    """Finds columns whose codes lost their leading zeros, as Excel does when it takes them for numbers."""

    def __init__(self, header: dict[int, str], known: Facts) -> None:
        self.header = header
        self.shown = {column: digits for column, digits in known.zero_padded.items() if column in header}
        self.numbers: set[int] = set()
        self.zeros: set[int] = set()

    def see(self, batch: Sequence[tuple[int, list[Any]]]) -> None:
        for column in self.header:
            cells = [cells[column] for _, cells in batch]
            if not {float, int}.isdisjoint(map(type, cells)):
                self.numbers.add(column)
            if any(type(cell) is str and cell[:1] == "0" and LEADING_ZERO.fullmatch(cell) for cell in cells):
                self.zeros.add(column)

    def notes(self) -> list[str]:
        padded = [
            f"{self.header[column]}: numbers shown with leading zeros arrive without them; map"
            f" lpad(\"{self.header[column]}\", {digits}, '0') to restore them"
            for column, digits in sorted(self.shown.items())
        ]
        mixed = [
            f"{self.header[column]}: some codes have leading zeros and some are numbers, which may have lost"
            " theirs; format the column as text in the workbook"
            for column in sorted(self.numbers & self.zeros - self.shown.keys())
        ]
        return padded + mixed
