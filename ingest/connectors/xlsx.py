"""What python-calamine does not tell of a sheet of an .xlsx workbook: how far it reaches, how much its texts
take, which cells hold errors, and which columns are shown with leading zeros. Found in a pass over the
sheet's XML, in pieces; the values themselves are calamine's to read.
"""

import posixpath
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import sub
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

PIECE = 1 << 20
COUNTED_FROM = 1 << 27  # below, as many times the longest text as there are cells is near enough
# A cell with something in it: its column and row.
REFERENCE = re.compile(rb"""\sr=["']([A-Z]{1,3})([0-9]+)["'][^>/]*>""")
CELL = re.compile(rb"<(?:\w+:)?c(\s[^>/]*)>(.*?)</(?:\w+:)?c>", re.DOTALL)
VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)<")
KIND = re.compile(rb"""\st=["'](\w+)["']""")
SHARED = re.compile(rb"""<(?:\w+:)?c\s[^>]*\bt=["']s["'][^>]*>\s*<(?:\w+:)?v>\s*([0-9]+)""")
STRING_END = re.compile(rb"</(?:\w+:)?si>")
STYLE = re.compile(rb"""\ss=["']([0-9]+)["']""")
ZEROS = re.compile(r"(0{2,})(;.*)?")


@dataclass
class Facts:
    """``rows`` and ``columns`` span all cells that hold something; ``text_bytes`` is what the texts take at
    most that cells share, as each cell gets its own copy; ``errors`` gives the text of error cells by row and
    column, ``zero_padded`` the digits shown of a column's numbers; all counted from 0."""

    rows: int = 0
    columns: int = 0
    text_bytes: int = 0
    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    zero_padded: dict[int, int] = field(default_factory=dict)


def facts(file: Path, sheet: str) -> Facts:
    """Look through a sheet. One that the workbook does not name, or keeps in another form, has no facts.

    Raises:
        zipfile.BadZipFile, zlib.error, xml.etree.ElementTree.ParseError: the file is damaged.
    """
    found = Facts()
    with ZipFile(file) as archive:
        part = _part(archive, sheet)
        if part is None:
            return found
        styles = _zero_styles(archive)
        lengths = _text_lengths(archive)
        cells = 0
        for piece in _pieces(archive, part, b"row>"):
            if references := REFERENCE.findall(piece):
                letters, digits = zip(*references, strict=True)
                found.columns = max(found.columns, *(column(name) + 1 for name in set(letters)))
                found.rows = max(found.rows, *map(int, set(digits)))
                cells += len(references)
            if styles or b'"e"' in piece or b"'e'" in piece:
                _note_cells(piece, styles, found)
        found.text_bytes = cells * int(lengths.max(initial=0))
        if found.text_bytes > COUNTED_FROM:
            found.text_bytes = sum(
                int(lengths[np.minimum(np.array(SHARED.findall(piece), np.int64), len(lengths) - 1)].sum())
                for piece in _pieces(archive, part, b"row>")
            )
    return found


def column(letters: bytes) -> int:
    """The position of a column from 0: 0 of A, 26 of AA."""
    position = 0
    for letter in letters:
        position = position * 26 + letter - ord("A") + 1
    return position - 1


def _part(archive: ZipFile, sheet: str) -> str | None:
    """The name of the archive's member that holds a sheet."""
    names = set(archive.namelist())
    relations = "xl/_rels/workbook.xml.rels"
    if not {"xl/workbook.xml", relations} <= names:
        return None
    targets = {
        entry.get("Id"): posixpath.join("xl", entry.get("Target", ""))
        for entry in ElementTree.fromstring(archive.read(relations))
    }
    for entry in ElementTree.fromstring(archive.read("xl/workbook.xml")).findall(".//{*}sheet"):
        if entry.get("name") == sheet:
            relation = next((value for key, value in entry.items() if key.endswith("}id")), None)
            part = targets.get(relation, "").lstrip("/")
            return part if part in names else None
    return None


def _zero_styles(archive: ZipFile) -> dict[bytes, int]:
    """The cell styles that show a number with leading zeros, and with how many digits."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    styles = ElementTree.fromstring(archive.read("xl/styles.xml"))
    digits = {
        entry.get("numFmtId"): len(match[1])
        for entry in styles.findall(".//{*}numFmt")
        if (match := ZEROS.fullmatch(entry.get("formatCode", "")))
    }
    formats = [entry.get("numFmtId") for entry in styles.findall("{*}cellXfs/{*}xf")]
    return {str(n).encode(): digits[number] for n, number in enumerate(formats) if number in digits}


def _text_lengths(archive: ZipFile) -> NDArray[np.int64]:
    """How many bytes each text takes that cells share, with its markup."""
    part = "xl/sharedStrings.xml"
    lengths = array("q")
    if part in archive.namelist():
        for piece in _pieces(archive, part, b"si>"):
            ends = [0, *(match.end() for match in STRING_END.finditer(piece))]
            lengths.extend(map(sub, ends[1:], ends))
    return np.array(lengths, np.int64)


def _pieces(archive: ZipFile, part: str, end_tag: bytes) -> Iterator[bytes]:
    """The XML of a part in pieces of whole elements, such as rows."""
    rest = b""
    with archive.open(part) as stream:
        while more := stream.read(PIECE):
            rest += more
            end = rest.rfind(end_tag) + len(end_tag)
            if end >= len(end_tag):
                yield rest[:end]
                rest = rest[end:]
    yield rest


def _note_cells(piece: bytes, styles: dict[bytes, int], found: Facts) -> None:
    for cell in CELL.finditer(piece):
        reference = REFERENCE.match(cell[1] + b">")
        if reference is None:
            continue
        position, row = column(reference[1]), int(reference[2]) - 1
        kind = KIND.search(cell[1])
        if kind and kind[1] == b"e":
            value = VALUE.search(cell[2])
            found.errors.setdefault(row, {})[position] = (
                value[1].decode(errors="replace") if value else "#ERROR"
            )
        elif kind is None or kind[1] == b"n":
            style = STYLE.search(cell[1])
            if style and style[1] in styles:
                found.zero_padded[position] = max(found.zero_padded.get(position, 0), styles[style[1]])
