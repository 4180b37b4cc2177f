"""CSV files, found by a glob; plain, gzipped or zipped. One delivery a file or a member of an archive.

A block in which each line is a record is split by Arrow, hundreds of megabytes a second. Any other goes
through Python's reader, which knows the physical line of each record, so that a quote that is never closed
costs its own line and not the rest of the file. Lines that do not have the header's number of fields are kept
with their text as a problem; blank lines are no records.
"""

import codecs
import csv
import gzip
import hashlib
import itertools
import zipfile
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import IO, Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from ingest.connectors import (
    BATCH_ROWS,
    Delivery,
    Knows,
    Piece,
    SourceError,
    check_header,
    text_table,
)
from ingest.connectors.files import File, found
from ingest.connectors.numbers import Style

DELIMITERS = ",;\t|"
BLOCK_BYTES = 4 * 2**20
LEAST_BYTES = 2**20
LINES_EACH_LOG2 = 12
PIECES_AHEAD = 6
LONGEST_LINE_MB = 64  # what has no line end for so long is no text of lines, and would fill the memory
SAMPLE_LINES = 50
LONGEST_RECORD = 1000  # lines; a record that goes on is a quote that was never closed
MAX_EXPANDED_MB = 10_240
NOT_IN_CP1252 = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


@dataclass(frozen=True)
class Layout:
    """How a file is to be read: the field delimiter, the columns' names, and how many physical lines stand
    before the first record (titles and the header)."""

    delimiter: str
    header: list[str]
    lines_before: int


def deliveries(
    place: dict[str, Any], since: str | None = None, until: str | None = None
) -> Iterator[Delivery]:
    """The files that ``place["path"]`` matches, by name; ``since`` and ``until`` mean nothing to files.

    Raises:
        SourceError: no file matches, or one is no text, or larger inside its archive than allowed.
    """
    options = place.get("options", {})
    for file in found(place["path"]):
        for name, open_content in _contents(file):
            limit = options.get("max_expanded_mb", MAX_EXPANDED_MB) * 2**20
            fingerprint, encoding, notes = _inspect(open_content, name, options.get("encoding"), limit)
            read = partial(_pieces, file, name, open_content, encoding, options)
            yield Delivery(name, fingerprint, partial(_batches, read), notes=notes, blocks=read)


# --------------------------------------------------------------------------------------- bytes and encodings


def _contents(file: File) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The texts in a file: itself, what gzip packed, or each member of a zip archive."""
    if file.suffix == ".gz":
        yield file.name, lambda: cast(IO[bytes], gzip.GzipFile(file.path))
    elif file.suffix == ".zip":
        try:
            with zipfile.ZipFile(file.path) as archive:
                members = sorted(info.filename for info in archive.infolist() if not info.is_dir())
        except (OSError, zipfile.BadZipFile) as error:
            raise SourceError(f"{file.name}: not a zip archive: {error}") from error
        for member in members:
            yield f"{file.name}#{member}", partial(_open_member, file, member)
    else:
        yield file.name, lambda: file.path.open("rb")


def _open_member(file: File, member: str) -> IO[bytes]:
    return zipfile.ZipFile(file.path).open(member)


def _inspect(
    open_content: Callable[[], IO[bytes]], name: str, encoding: str | None, limit: float
) -> tuple[str, str, list[str]]:
    """The hash of the content, its encoding, and what a person should know of that. Every byte is looked at,
    so that a file is refused before its first row is read, not after its millionth."""
    digest = hashlib.sha256()
    text = _Encoding(encoding)
    try:
        with open_content() as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)
                text.see(block)
                if text.size > limit:
                    raise SourceError(f"{name}: larger than {limit / 2**20:,.0f} MB; see max_expanded_mb")
    except SourceError:
        raise
    except (
        OSError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:  # also a zip's password
        raise SourceError(f"{name}: cannot be read: {error}") from error
    if text.broken_at is not None and not text.is_guess:
        raise SourceError(
            f"{name}: not {text.name} text (byte {text.broken_at}); set options: {{encoding: …}}"
        )
    return digest.hexdigest(), text.name, [f"{name}: {note}" for note in text.notes()]


class _Encoding:
    """The encoding of a text, from its bytes: what was ``given`` or a byte order mark names, if it is true of
    them, else UTF-8 or, where that is not true, cp1252 or latin-1 as a guess."""

    def __init__(self, given: str | None) -> None:
        self.size = 0
        self.broken_at: int | None = None
        self._known = codecs.lookup(given).name if given else None
        self._decoder = codecs.getincrementaldecoder(self._known)() if self._known else None
        self._in_cp1252 = True

    @property
    def is_guess(self) -> bool:
        """Whether the text is in none of the encodings that can be told."""
        return self._known is None and self.broken_at is not None

    @property
    def name(self) -> str:
        """The encoding's name."""
        if self.is_guess:
            return "cp1252" if self._in_cp1252 else "latin-1"
        return self._known or "utf-8"

    def see(self, block: bytes) -> None:
        """Look at the next bytes."""
        if self._decoder is None:
            self._known = _marked(block) or None
            self._decoder = codecs.getincrementaldecoder(self._known or "utf-8")()
        if not block.isascii() or self._pending() or self._known not in (None, "utf-8"):
            self._in_cp1252 = self._in_cp1252 and not any(byte in block for byte in NOT_IN_CP1252)
            if self.broken_at is None:
                start = self.size - self._pending()
                try:
                    self._decoder.decode(block)
                except UnicodeDecodeError as error:
                    self.broken_at = start + error.start
        self.size += len(block)

    def notes(self) -> list[str]:
        """What a person should know, when all was seen."""
        if self.is_guess:
            return [f"not UTF-8, read as {self.name}"]
        return ["ends in the middle of a character: is it whole?"] if self._pending() else []

    def _pending(self) -> int:
        """How many bytes of an unfinished character were seen last."""
        return len(self._decoder.getstate()[0]) if self._decoder else 0


def _marked(start: bytes) -> str:
    """The encoding that a byte order mark names, or that zero bytes give away."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = start[:1000]
    if sample[1::2].count(0) > len(sample) // 4:
        return "utf-16-le"
    return "utf-16-be" if sample[::2].count(0) > len(sample) // 4 else ""


def _blocks(stream: IO[bytes], name: str, encoding: str) -> Iterator[bytes]:
    """The content as UTF-8 without a byte order mark, in blocks that end with a line: where, the lines
    themselves decide, so that beyond an insertion the blocks are soon those of before again.

    Raises:
        SourceError: a line has no end.
    """
    # The encoding was checked; what remains is a character that the file's end cuts off.
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    rest, start, first = b"", 0, True
    while chunk := stream.read(BLOCK_BYTES):
        text = chunk if encoding == "utf-8" else decoder.decode(chunk).encode()
        if first:
            text = text.removeprefix(codecs.BOM_UTF8)
            first = False
        rest, start = rest[start:] + text, 0
        while len(rest) - start > BLOCK_BYTES and (end := _end_of_block(rest, start)):
            yield rest[start:end]
            start = end
        if len(rest) - start > LONGEST_LINE_MB * 2**20:
            raise SourceError(f"{name}: a line without an end in {LONGEST_LINE_MB} MB; is it a CSV file?")
    rest, start = rest[start:], 0
    rest = (
        rest.decode(errors="replace").encode()
        if encoding == "utf-8"
        else rest + decoder.decode(b"", True).encode()
    )
    while start < len(rest):
        end = _end_of_block(rest, start) or len(rest)
        yield rest[start:end]
        start = end


def _end_of_block(text: bytes, start: int) -> int:
    """Where the block that begins at ``start`` ends: behind the first line beyond LEAST_BYTES whose last
    characters hash to one value in many, else behind the last line within BLOCK_BYTES; 0 where no line ends.
    """
    if len(text) - start <= min(LEAST_BYTES, BLOCK_BYTES):
        return len(text)
    size = min(len(text) - start, BLOCK_BYTES)
    step = LEAST_BYTES // 4
    for window in range(LEAST_BYTES, size, step):  # most blocks end in the first ones
        codes = np.frombuffer(text, np.uint8, min(step, size - window) + 16, start + window - 16)
        ends = 16 + np.flatnonzero(codes[16:] == ord("\n"))
        last = codes[ends[:, np.newaxis] + np.arange(-16, 0)].view(np.uint64)
        mixed = (last[:, 0] ^ (last[:, 1] * np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        chosen = ends[mixed >> np.uint64(64 - LINES_EACH_LOG2) == 0]
        if len(chosen):
            return start + window - 16 + int(chosen[0]) + 1
    return (text.rfind(b"\n", start, start + size) + 1) or (text.find(b"\n", start) + 1)


# ------------------------------------------------------------------------------------------ header and rows


def _batches(read: Callable[[Knows], Iterator[Piece]]) -> Iterator[pa.Table]:
    return (piece.table for piece in read(lambda digest, line: False) if piece.table is not None)


def _pieces(
    file: File,
    name: str,
    open_content: Callable[[], IO[bytes]],
    encoding: str,
    options: dict[str, Any],
    knows: Knows,
) -> Iterator[Piece]:
    numbers = Style.of(options)
    with open_content() as stream:
        blocks = _blocks(stream, name, encoding)
        first = next(blocks, b"")
        layout = _layout(first, name, options)
        reader = _Reader(name, layout, itertools.chain([_without_lines(first, layout.lines_before)], blocks))
        for piece in _ahead(reader.pieces(knows)):
            table = piece.table
            if numbers and table is not None:
                table = numbers.plain_columns(table, layout.header)
            yield piece._replace(table=table)
    file.check_unchanged()


def _ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces, of which the next ones are split while one is in use: Arrow leaves the interpreter free."""
    with ThreadPoolExecutor(1) as pool:  # of one, so that they keep their order
        coming = deque(pool.submit(next, pieces, None) for _ in range(PIECES_AHEAD))
        while (piece := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, pieces, None))
            yield piece


def _layout(start: bytes, name: str, options: dict[str, Any]) -> Layout:
    sample = list(itertools.islice(_split(start), max(SAMPLE_LINES, _line_given(options))))
    delimiter = options.get("delimiter") or _likely_delimiter(sample)
    reader = csv.reader(sample, delimiter=delimiter)
    records: list[tuple[list[str], int]] = []
    try:
        records = [([cell.strip() for cell in row], reader.line_num) for row in reader]
    except csv.Error as error:
        raise SourceError(f"{name}: {error}") from error
    if number := _line_given(options):
        chosen = next((i for i, (_, line) in enumerate(records) if line == number), None)
    else:
        chosen = _first_full([row for row, _ in records])
    if chosen is None:
        raise SourceError(f"{name}: the file is empty; a line with the columns' names is missing")
    header, line = records[chosen]
    if len(header) > 1 and not header[-1]:
        header[-1] = f"column_{len(header)}"  # of exports whose every line ends with a delimiter
    check_header(header, name)
    return Layout(delimiter, header, line)


def _line_given(options: dict[str, Any]) -> int:
    """The number of the header's line where it is given, else 0."""
    line = options.get("header", "auto")
    return 0 if line == "auto" else line


def _likely_delimiter(sample: Sequence[str]) -> str:
    """The delimiter that splits most lines into the same number of fields, more than one."""

    def evenness(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(row) for row in csv.reader(sample, delimiter=delimiter) if len(row) > 1)
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    return max(DELIMITERS, key=evenness)


def _first_full(rows: Sequence[Sequence[str]]) -> int | None:
    """The header: the first line with more than one filled field, since title lines have one; or the first
    line at all, where the file has one column."""
    filled = [sum(map(bool, row)) for row in rows]
    enough = 2 if any(count > 1 for count in filled) else 1
    return next((index for index, count in enumerate(filled) if count >= enough), None)


def _lines_in(block: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n"))) + (not block.endswith(b"\n"))


def _without_lines(block: bytes, lines: int) -> bytes:
    return block[len("".join(itertools.islice(_split(block), lines)).encode()) :]


def _ends_quoted(block: bytes, delimiter: str) -> bool:
    """Whether a quote may be open at a block's end, which Arrow takes for closed."""
    last = block[block.rfind(b"\n", 0, -1) + 1 :].decode(errors="replace")
    try:
        list(csv.reader([last], delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    return False


class Record(NamedTuple):
    """A line split into fields, and what is wrong with it."""

    line: int
    fields: list[str]
    problem: str | None = None


class _Reader:
    """Splits blocks of lines into tables; ``line`` is the number of physical lines behind it."""

    def __init__(self, name: str, layout: Layout, blocks: Iterator[bytes]) -> None:
        self.name, self.layout, self.blocks = name, layout, blocks
        self.width = len(layout.header)
        self.line = layout.lines_before

    def pieces(self, knows: Knows) -> Iterator[Piece]:
        """The rows. A block of its own is one in which each line is a record."""
        yield Piece(
            text_table(self.layout.header, [], self.name, [])
        )  # the columns, also of a file without rows
        as_laid_out = hashlib.sha256(repr((self.layout.delimiter, self.layout.header)).encode())
        for block in self.blocks:
            digest = as_laid_out.copy()
            digest.update(block)
            name, line = digest.hexdigest(), self.line + 1
            if knows(name, line):
                rows = _lines_in(block)
                self.line += rows
                yield Piece(None, name, line, rows)
                continue
            table, odd = self._by_arrow(block)
            if table is None:
                yield from map(Piece, self._by_records(block))
                continue
            slices = (table.slice(start, BATCH_ROWS) for start in range(0, len(table), BATCH_ROWS))
            for part in (*slices, *self._table(odd)):
                yield Piece(part, name, line, len(part))

    def _by_arrow(self, block: bytes) -> tuple[pa.Table | None, list[Record]]:
        """The records of a block, and those of a wrong width; None where a line is not one record, be it
        that it is blank, that a field holds a newline or that a quote is not closed."""
        odd: list[tuple[int, str]] = []

        def keep(row: pacsv.InvalidRow) -> str:
            odd.append((row.number, row.text))
            return "skip"

        header, delimiter = self.layout.header, self.layout.delimiter
        parse = pacsv.ParseOptions(delimiter=delimiter, invalid_row_handler=keep, newlines_in_values=True)
        as_text = pacsv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), null_values=[""], strings_can_be_null=True
        )
        read = pacsv.ReadOptions(column_names=header, use_threads=False, block_size=len(block) + 1)
        codes = np.frombuffer(block, np.uint8)  # several times as fast as to count in the bytes
        lines = _lines_in(block)
        if b"\0" in block or (b'"' in block and np.count_nonzero(codes == ord('"')) % 2):
            return None, []
        if b"\r" in block and block.count(b"\r\n") != np.count_nonzero(codes == ord("\r")):
            return None, []
        if _ends_quoted(block, delimiter):
            return None, []
        try:
            table = pacsv.read_csv(pa.BufferReader(block), read, parse, as_text)
        except pa.ArrowInvalid:
            return None, []
        if len(table) + len(odd) != lines:  # or there are blank lines, which Arrow leaves out
            return None, []
        numbers = self.line + np.delete(np.arange(1, lines + 1), [number - 1 for number, _ in odd])
        table = table.append_column("_file", pa.repeat(self.name, len(table)))
        table = table.append_column("_line", pa.array(numbers, pa.int64()))
        table = table.append_column("_problem", pa.nulls(len(table), pa.string()))
        records = [
            Record(self.line + number, next(csv.reader([text], delimiter=delimiter))) for number, text in odd
        ]
        self.line += lines
        return table, records

    def _by_records(self, block: bytes) -> Iterator[pa.Table]:
        """A block whose records may have several lines; the last one may go on in the next block."""
        records: list[Record] = []
        lines = _Lines(block, self.blocks)
        while True:
            reader = csv.reader(lines, delimiter=self.layout.delimiter)
            lines.start_record()
            try:
                for row in reader:
                    if lines.is_unclosed:
                        break
                    if row:
                        records.append(Record(self.line + 1, row))
                    self.line += lines.start_record()
                    if len(records) >= BATCH_ROWS:
                        yield from self._table(records)
                        records = []
                else:
                    break
            except csv.Error:  # a field beyond the reader's limit is an unclosed quote as well
                pass
            text = lines.give_back_all_but_the_first()
            self.line += 1
            fields = next(csv.reader([text], delimiter=self.layout.delimiter))
            problem = f"a quote is opened in this line and never closed: {text}"
            records.append(Record(self.line, fields, problem))
        yield from self._table(records)

    def _table(self, records: Sequence[Record]) -> Iterator[pa.Table]:
        """A table of records; those of a wrong width get a problem."""
        if not records:
            return
        rows, problems = [], []
        for _, fields, known in records:
            problem = known
            if problem is None and len(fields) != self.width:
                text = self._as_line(fields)
                problem = f"{len(fields)} fields where the header has {self.width}: {text}"
            elif problem is None and any("\0" in field for field in fields):
                problem = f"a zero byte in the line: {self._as_line(fields)}"
            cells = [field.replace("\0", "") for field in fields] if problem else fields
            rows.append((cells + [""] * self.width)[: self.width])
            problems.append(problem and problem.replace("\0", "\\0"))
        yield text_table(self.layout.header, rows, self.name, [record.line for record in records], problems)

    def _as_line(self, fields: list[str]) -> str:
        text = StringIO()
        csv.writer(text, delimiter=self.layout.delimiter, lineterminator="\n").writerow(fields)
        return text.getvalue().removesuffix("\n")


class _Lines:
    """The physical lines of a block for Python's CSV reader. It ends with the block between two records;
    within a record it goes on into the next block."""

    def __init__(self, block: bytes, blocks: Iterator[bytes]) -> None:
        self._waiting = _split(block)
        self._blocks = blocks
        self._record: list[str] = []
        self.is_unclosed = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._waiting, None)
        while line is None and self._record and (block := next(self._blocks, None)) is not None:
            self._waiting = _split(block)
            line = next(self._waiting, None)
        too_long = len(self._record) > LONGEST_RECORD
        if line is not None and too_long:
            self._waiting = itertools.chain([line], self._waiting)
        if line is None or too_long:
            self.is_unclosed = bool(self._record)
            raise StopIteration
        self._record.append(line)
        return line

    def start_record(self) -> int:
        """Forget the lines of the last record; returns how many they were."""
        lines = len(self._record)
        self._record, self.is_unclosed = [], False
        return lines

    def give_back_all_but_the_first(self) -> str:
        """Where a record was none: its first line, without the line's end; the others come again."""
        first, *rest = self._record
        self._waiting = itertools.chain(rest, self._waiting)
        self._record = []
        return first.rstrip("\r\n")


def _split(block: bytes) -> Iterator[str]:
    """The lines of a block, with their ends: \\n, \\r\\n, or a lone \\r as old programs write it."""
    return iter(StringIO(block.decode(), newline=""))
