"""All rows of a selection as a file: CSV, Parquet or a workbook, made while they are read, in flat memory.

Rows come by a server-side cursor that sees one moment. A client that takes its file slowly keeps nobody
waiting; one that takes longer than the limit is cut off.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import anyio
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from psycopg2.extensions import connection as Connection
from psycopg2.sql import SQL, Composable, Identifier
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reports.server.catalogue import Column
from reports.server.database import EXPORT_SECONDS, Rows, moment, told
from reports.server.problems import Problem, unavailable
from reports.server.queries import Selection
from reports.workbook import FORMULA_SIGNS

LARGEST = 5_000_000  # rows
LARGEST_SHEET = 1_000_000  # rows
BATCH = 2_000  # rows
CHUNK = 256 * 1024  # bytes
AT_ONCE = 4


class Suffix(StrEnum):
    """The forms in which tables are exported."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Suffix.CSV: "text/csv; charset=utf-8",
    Suffix.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Suffix.PARQUET: "application/vnd.apache.parquet",
}


class Slots:
    """How many exports may be under way."""

    def __init__(self, number: int = AT_ONCE) -> None:
        self.free = number

    def take(self) -> None:
        """Take one.

        Raises:
            Problem: 503, all are taken.
        """
        if self.free <= 0:
            raise unavailable("too many exports are under way; ask again in a moment")
        self.free -= 1

    def give_back(self) -> None:
        """Give it back."""
        self.free += 1


class Export(Response):
    """The response that streams a file; one that does not end in time is cut, which uvicorn does. Its first
    bytes are made before it begins, so that what cannot be made is a problem and no broken file."""

    def __init__(
        self, chunks: Iterator[bytes], first: bytes, suffix: Suffix, name: str, done: Callable[[], None]
    ):
        super().__init__(media_type=MEDIA_TYPES[suffix])
        del self.headers["content-length"]
        self.headers["content-disposition"] = f'attachment; filename="{name}.{suffix}"'
        self.headers["cache-control"] = "no-store"
        self._chunks, self._first, self._done = chunks, first, done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until it ends, the client leaves or the time is over."""

        async def leave_with_client() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        try:
            with anyio.move_on_after(EXPORT_SECONDS):
                async with anyio.create_task_group() as group:
                    group.start_soon(leave_with_client)
                    await self._send(send)
                    group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._close)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        chunk: bytes | None = self._first
        while chunk is not None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await run_in_threadpool(next, self._chunks, None)
        await send({"type": "http.response.body", "body": b""})

    def _close(self) -> None:
        with suppress(Exception):
            self._chunks.close()  # type: ignore[attr-defined]
        self._done()


def begin(
    selection: Selection, suffix: Suffix, counted: Callable[[int], None], done: Callable[[], None]
) -> Export:
    """Count, begin to read, and make the first bytes.

    Args:
        counted: told the number of rows.
        done: called when nothing is read any more.

    Raises:
        Problem: 413, more rows than the form holds; else see `database.told`.
    """
    chunks = _chunks(selection, suffix, counted)
    try:
        with told():
            first = next(chunks, b"")
    except BaseException:
        done()
        raise
    return Export(chunks, first, suffix, selection.relation.name, done)


def _chunks(selection: Selection, suffix: Suffix, counted: Callable[[int], None]) -> Iterator[bytes]:
    largest = LARGEST_SHEET if suffix is Suffix.XLSX else LARGEST
    with moment() as connection:
        with connection.cursor() as cursor:
            cursor.execute(*selection.count(largest))
            rows = int(cursor.fetchall()[0][0])
        if rows > largest:
            other = ", or for csv or parquet" if suffix is Suffix.XLSX else ""
            raise Problem(413, f"more than {largest:,} rows; filter them{other}")
        counted(rows)
        shown = {Suffix.CSV: _for_csv, Suffix.XLSX: _as_it_is, Suffix.PARQUET: _as_it_is}[suffix]
        write = {Suffix.CSV: _csv, Suffix.XLSX: _xlsx, Suffix.PARQUET: _parquet}[suffix]
        yield from write(selection.columns, _batches(connection, *selection.everything(shown)))


def _batches(connection: Connection, statement: Composable, values: Sequence[Any]) -> Iterator[Rows]:
    with closing(connection.cursor(name="export")) as cursor:
        cursor.itersize = BATCH
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(BATCH):
            yield rows


def _as_it_is(column: Column) -> Composable:
    return Identifier(column.name)


def _for_csv(column: Column) -> Composable:
    """Text that a spreadsheet would run gets an apostrophe."""
    if not column.is_text:
        return Identifier(column.name)
    signs = "".join(FORMULA_SIGNS).replace("-", "").replace("\t", r"\t").replace("\r", r"\r")
    # Signs are the project's own and no quote is among them.
    return SQL(
        "case when {0} ~ E'^[" + signs + "-]' then '''' || {0} else {0} end"
    ).format(Identifier(column.name))  # fmt: skip


def _csv(columns: Sequence[Column], batches: Iterable[Rows]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write("\ufeff")  # without it spreadsheets take UTF-8 for something else
    writer.writerow(column.name for column in columns)
    for rows in batches:
        writer.writerows(rows)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _parquet(columns: Sequence[Column], batches: Iterable[Rows]) -> Iterator[bytes]:
    schema = pa.schema([(column.name, _arrow_type(column.type)) for column in columns])
    sink = _Pipe()
    with pq.ParquetWriter(sink, schema) as writer:
        for rows in _joined(batches):
            arrays = [
                pa.array([_plain(value, type_) for value in values], type_)
                for values, type_ in zip(zip(*rows, strict=True), schema.types, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            if made := sink.take():
                yield made
    yield sink.take()


def _joined(batches: Iterable[Rows], batches_a_group: int = 10) -> Iterator[Rows]:
    """Batches in groups of a size that Parquet compresses well."""
    group: Rows = []
    for number, rows in enumerate(batches, 1):
        group.extend(rows)
        if number % batches_a_group == 0:
            yield group
            group = []
    if group:
        yield group


def _xlsx(columns: Sequence[Column], batches: Iterable[Rows]) -> Iterator[bytes]:
    """The end of a workbook must be known before its beginning can be sent: it goes through a temporary
    file."""
    with tempfile.TemporaryFile() as file:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                   "default_date_format": "yyyy-mm-dd", "nan_inf_to_errors": True}  # fmt: skip
        with xlsxwriter.Workbook(file, options) as book:
            sheet = book.add_worksheet("Rows")
            head = book.add_format({"bold": True})
            moments = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
            formats = [moments if column.type.startswith("timestamp") else None for column in columns]
            _write_head(sheet, head, columns)
            last = _write_rows(sheet, formats, batches)
            sheet.autofilter(0, 0, last, len(columns) - 1)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _write_head(sheet: Worksheet, head: Format, columns: Sequence[Column]) -> None:
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, 16 if column.type.startswith("timestamp") else 11)
        sheet.write_string(0, place, column.name, head)


def _write_rows(sheet: Worksheet, formats: Sequence[Format | None], batches: Iterable[Rows]) -> int:
    """Write rows below the head; returns the number of the last one."""
    number = 0
    for rows in batches:
        for row in rows:
            number += 1
            for place, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, place, value)
                elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
                    sheet.write_number(number, place, value)
                elif value is not None:
                    sheet.write(number, place, _cell(value), formats[place])
    return number


def _cell(value: Any) -> Any:
    if isinstance(value, date) and value.year < 1900:  # before a sheet's time begins
        return value.isoformat()
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return value if isinstance(value, (bool, date)) else str(value)


def _arrow_type(name: str) -> pa.DataType:
    if name.startswith("numeric("):
        precision, scale = name[8:-1].split(",")
        return pa.decimal128(int(precision), int(scale))
    plain = {
        "integer": pa.int32(), "smallint": pa.int16(), "bigint": pa.int64(), "boolean": pa.bool_(),
        "date": pa.date32(), "double precision": pa.float64(), "real": pa.float32(), "numeric": pa.float64(),
        "timestamp without time zone": pa.timestamp("us"),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    return plain.get(name, pa.string())


def _plain(value: Any, type_: pa.DataType) -> Any:
    if value is None or (isinstance(value, str) and pa.types.is_string(type_)):
        return value
    if pa.types.is_string(type_):
        return str(value)
    return float(value) if pa.types.is_floating(type_) else value


class _Pipe(io.RawIOBase):
    """A file that is only written; what is in it is taken out as it comes."""

    def __init__(self) -> None:
        self._written, self._position = bytearray(), 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Keep some bytes until they are taken."""
        self._written += data
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """How many bytes were ever written."""
        return self._position

    def take(self) -> bytes:
        """What was written since."""
        taken = bytes(self._written)
        self._written.clear()
        return taken
