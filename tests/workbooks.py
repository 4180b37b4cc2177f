"""Workbooks of the two kinds that no library here writes: small but real .xls and .ods files."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Cell = str | float | None
DATE_FORMAT = 14  # built in


def write_xls(
    file: Path,
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    *,
    merged: Sequence[tuple[int, int, int, int]] = (),
    dates: Sequence[int] = (),
    date_1904: bool = False,
    hidden: Sequence[str] = (),
) -> None:
    """An Excel 97 workbook. ``merged`` gives first row, last row, first column and last column in every sheet,
    ``dates`` the columns whose numbers are shown as dates."""
    bodies = [_xls_sheet(rows, merged, dates) for rows in sheets.values()]
    formats = [_record(0x00E0, struct.pack("<HHHHHHII", 0, n, 0, 0, 0, 0, 0, 0)) for n in (0, DATE_FORMAT)]
    head = _bof(0x0005) + _record(0x0022, struct.pack("<H", date_1904)) + b"".join(formats)
    offset = len(head) + sum(12 + len(name) for name in sheets) + 4
    for name, body in zip(sheets, bodies, strict=True):
        head += _record(
            0x0085, struct.pack("<IBBBB", offset, name in hidden, 0, len(name), 0) + name.encode("latin-1")
        )
        offset += len(body)
    file.write_bytes(_compound_file(head + _record(0x000A) + b"".join(bodies)))


def _xls_sheet(
    rows: Sequence[Sequence[Cell]], merged: Sequence[tuple[int, int, int, int]], dates: Sequence[int]
) -> bytes:
    body = _bof(0x0010)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            place = struct.pack("<HHH", row, column, column in dates)
            if isinstance(cell, str):
                body += _record(0x0204, place + struct.pack("<HB", len(cell), 0) + cell.encode("latin-1"))
            elif cell is not None:
                body += _record(0x0203, place + struct.pack("<d", cell))
    ranges = b"".join(struct.pack("<HHHH", *corners) for corners in merged)
    return body + _record(0x00E5, struct.pack("<H", len(merged)) + ranges) + _record(0x000A)


def _bof(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 0))


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _compound_file(stream: bytes) -> bytes:
    """The container of Microsoft's older formats, with one stream called Workbook."""
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")  # smaller ones are kept elsewhere
    sectors = len(stream) // 512
    header = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0, 0)
    header += struct.pack("<108I", *[free] * 108)
    chain = [table, end, *range(3, sectors + 2), end]
    allocation = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<BBIII36xIQ", kind, 1, free, free, child, start, size)
        return text.ljust(64, b"\0") + struct.pack("<H", len(text)) + links

    directory = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, 2, len(stream))
    return header + allocation + directory.ljust(512, b"\0") + stream


def write_ods(file: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]], hidden: Sequence[str] = ()) -> None:
    """An OpenDocument spreadsheet."""
    tables = ""
    for name, rows in sheets.items():
        lines = ("".join(map(_ods_cell, cells)) for cells in rows)
        body = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines)
        style = ' table:style-name="off"' if name in hidden else ""
        tables += f'<table:table table:name="{escape(name)}"{style}>{body}</table:table>'
    off = '<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/></style:style>'
    write_ods_content(file, tables, off)


def _ods_cell(cell: Cell) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, str):
        return (
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
        )
    return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'


def write_ods_content(file: Path, tables: str, styles: str = "") -> None:
    """An OpenDocument spreadsheet of tables that are already XML."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "style", "table", "text")
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content{names}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>",
        )
