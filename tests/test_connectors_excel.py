"""The Excel connector: headings found, cells as a person reads them, sheets by pattern, and no workbook that is
damaged or too large ends more than its own source."""

import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from workbooks import write_ods, write_ods_content, write_xls
from xlsxwriter.worksheet import Worksheet

from ingest.connectors import Delivery, SourceError, excel

pytestmark = pytest.mark.unit


def rows(delivery: Delivery) -> list[dict[str, Any]]:
    return [row for batch in delivery.batches() for row in batch.to_pylist()]


def deliver(file: Path, sheet: str = "Sheet1", **options: Any) -> Delivery:
    (delivery,) = excel.deliveries({"path": str(file), "sheet": sheet, "options": options})
    return delivery


def read(file: Path, sheet: str = "Sheet1", **options: Any) -> list[list[Any]]:
    """The header, then each row with its line number first."""
    (table,) = deliver(file, sheet, **options).batches()
    names = [name for name in table.column_names if not name.startswith("_")]
    return [names, *([row["_line"], *(row[name] for name in names)] for row in table.to_pylist())]


def write(folder: Path, *lines: Sequence[Any]) -> Path:
    """A workbook of one sheet; None is no cell at all."""
    file = folder / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        for number, cells in enumerate(lines):
            sheet.write_row(number, 0, cells)
    return file


# ---------------------------------------------------------------------------------------------------- cells


def test_cells_become_the_text_a_person_reads(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet("Products")
        sheet.write_row(0, 0, ["code", "price", "count", "since", "seen", "active", "opens", "took"])
        sheet.write_row(1, 0, ["0012", 2.5, 7])
        for column, value, shape in (
            (3, date(2024, 2, 29), "yyyy-mm-dd"),
            (4, datetime(2024, 2, 29, 13, 45), "dd/mm/yy hh:mm"),
            (6, time(9, 30), "hh:mm"),
            (7, timedelta(hours=30, minutes=5), "[h]:mm:ss"),
        ):
            sheet.write_datetime(1, column, value, workbook.add_format({"num_format": shape}))
        sheet.write_boolean(1, 5, True)
        sheet.write_row(3, 0, [" 13", 0.1 + 0.2])  # row 3 is blank
    first, second = rows(deliver(file, "Products"))
    assert first == {
        "code": "0012", "price": "2.5", "count": "7", "since": "2024-02-29", "seen": "2024-02-29 13:45:00",
        "active": "true", "opens": "09:30:00", "took": "30:05:00",
        "_file": f"{file}#Products", "_line": 2, "_problem": None,
    }  # fmt: skip
    assert (second["code"], second["price"], second["count"], second["_line"]) == (" 13", "0.3", None, 4)


def test_error_cells_arrive_as_their_text(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["code", "price"])
        sheet.write_row(1, 0, ["a", 1])
        sheet.write_formula(2, 1, "=A1/0", None, "#DIV/0!")
        sheet.write_formula(3, 0, "=gone", None, "#NAME?")
        sheet.write_row(0, 2, ["tax"])
        sheet.write_formula(4, 2, "=gone", None, "#N/A")
    names, *found = read(file)
    assert names == ["code", "price", "tax"]
    assert found == [
        [2, "a", "1", None],
        [3, None, "#DIV/0!", None],
        [4, "#NAME?", None, None],
        [5, None, None, "#N/A"],
    ]


def test_numbers_stored_as_text_are_read_as_the_options_say(tmp_path: Path) -> None:
    file = write(tmp_path, ["code", "price"], ["1.234", "1.234,50 €"], [1.234, 1.234], ["a", "(2,5)"])
    assert read(file)[1] == [2, "1.234", "1.234,50 €"]
    assert read(file, decimal=",") == [
        ["code", "price"],
        [2, "1234", "1234.50"],
        [3, "1.234", "1.234"],  # these are numbers in the workbook
        [4, "a", "-2.5"],
    ]


@pytest.mark.parametrize("date_1904", [False, True])
def test_both_date_systems(tmp_path: Path, date_1904: bool) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file, {"date_1904": date_1904}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write(0, 0, "day")
        sheet.write_datetime(1, 0, date(2024, 2, 29), workbook.add_format({"num_format": "dd.mm.yyyy"}))
    assert read(file) == [["day"], [2, "2024-02-29"]]
    old = tmp_path / "a.xls"
    days = (date(2024, 2, 29) - (date(1904, 1, 1) if date_1904 else date(1899, 12, 30))).days
    write_xls(old, {"Sheet1": [["day"], [days]]}, dates=[0], date_1904=date_1904)
    assert read(old) == [["day"], [2, "2024-02-29"]]


def test_lost_leading_zeros_are_reported(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["sku", "shop", "pieces", "phone"])
        for line in range(1, 4):
            sheet.write_number(line, 0, line, workbook.add_format({"num_format": "00000"}))
            sheet.write_row(line, 1, ["0042" if line == 1 else 42, line])
            sheet.write_string(line, 3, f"0{line}", workbook.add_format({"num_format": "00000"}))
    delivery = deliver(file)
    assert [row["sku"] for row in rows(delivery)] == ["1", "2", "3"]
    assert delivery.notes == [
        "sku: numbers shown with leading zeros arrive without them; map lpad(\"sku\", 5, '0') to restore them",
        "shop: some codes have leading zeros and some are numbers, which may have lost theirs; format the"
        " column as text in the workbook",
    ]
    assert len(rows(delivery)) == 3
    assert len(delivery.notes) == 2  # reading again does not say it twice


def test_a_large_sheet_comes_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "BATCH_ROWS", 2)
    delivery = deliver(write(tmp_path, ["code"], ["01"], ["2"], ["3"], [4]))
    assert [batch["_line"].to_pylist() for batch in delivery.batches()] == [[2, 3], [4, 5], []]
    assert len(delivery.notes) == 1


# --------------------------------------------------------------------------------------------------- heading


def test_a_heading_is_found_below_titles(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        sheet.merge_range("B2:D2", "Sales of all shops")
        sheet.write_row("B3", ["as of", 2024])
        sheet.write_row("B5", ["code", "Unit\nprice", "city", "note"])
        sheet.write_row("B6", ["a", 1, "Bonn", None])
        sheet.write_row("B7", ["Total", 1])
    expected = [
        ["code", "Unit price", "city", "note"],
        [6, "a", "1", "Bonn", None],
        [7, "Total", "1", None, None],
    ]
    assert read(file) == expected
    assert read(file, header=5) == expected
    assert read(file, header=6) == [["a", "1", "Bonn"], [7, "Total", "1", None]]
    with pytest.raises(SourceError, match=r"row 4 is blank and names no columns"):
        read(file, header=4)


GROUPED = [
    ["Sales 2024", None, None, None, None],
    ["Product", "Q1", None, "Q2", None],
    [None, "Units", "Revenue", "Units", "Revenue"],
    ["a", 1, 2.5, 3, 4.5],
]
GROUP_NAMES = ["Product", "Q1 / Units", "Q1 / Revenue", "Q2 / Units", "Q2 / Revenue"]


@pytest.mark.parametrize("options", [{}, {"header": 3}])
def test_merged_headings_are_joined(tmp_path: Path, options: dict[str, Any]) -> None:
    new, old = tmp_path / "a.xlsx", tmp_path / "a.xls"
    with xlsxwriter.Workbook(new) as workbook:
        sheet = workbook.add_worksheet()
        sheet.merge_range("A1:E1", "Sales 2024")
        sheet.merge_range("A2:A3", "Product")
        sheet.merge_range("B2:C2", "Q1")
        sheet.merge_range("D2:E2", "Q2")
        sheet.write_row("B3", GROUPED[2][1:])
        sheet.write_row("A4", GROUPED[3])
    write_xls(old, {"Sheet1": GROUPED}, merged=[(0, 0, 0, 4), (1, 2, 0, 0), (1, 1, 1, 2), (1, 1, 3, 4)])
    for file in (new, old):
        assert read(file, **options) == [GROUP_NAMES, [4, "a", "1", "2.5", "3", "4.5"]]


def test_a_group_over_some_columns_only(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        sheet.merge_range("D3:E3", "Price")
        sheet.write_row("B4", ["code", "name", "net", "gross"])
        sheet.write_row("B5", ["a", "b", 1, 2])
    assert read(file) == [["code", "name", "Price / net", "Price / gross"], [5, "a", "b", "1", "2"]]


def test_a_title_is_no_group(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        sheet.merge_range("A1:B1", "Prices of 2024")
        sheet.write_row("A2", ["code", "name", "net", "gross"])
    assert read(file) == [["code", "name", "net", "gross"]]


def test_a_heading_may_be_far_down(tmp_path: Path) -> None:
    file = write(tmp_path, *[["terms of use", line] for line in range(150)], ["code", "price"], ["a", 1])
    assert read(file, header=151) == [["code", "price"], [152, "a", "1"]]


def test_an_ods_has_a_heading_of_one_row(tmp_path: Path) -> None:
    file = tmp_path / "a.ods"
    write_ods(file, {"Sheet1": [["Stock list"], [None], ["code", "pieces"], ["0012", 3.0]]})
    assert read(file) == [["code", "pieces"], [4, "0012", "3"]]
    write_ods(file, {"Sheet1": GROUPED[1:]})
    with pytest.raises(SourceError, match="the header names the column `Units` twice"):
        read(file, header=2)


def test_an_export_without_rows_is_no_error(tmp_path: Path) -> None:
    assert read(write(tmp_path, ["code", "price"])) == [["code", "price"]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "the sheet is empty; a row with the columns' names is missing"),
        ([["code", 2023, 2024], ["a", 1, 2]], "none of the first 2 rows reads like the names of 3 columns"),
        ([["code", "Code"], ["a", 1]], "the header names the column `Code` twice"),
        (
            [["code", None, "price", "tax"], ["a", 1, 2, 3], ["b", 1, 2, 3]],
            "the column B has values but no name",
        ),
    ],
)
def test_headings_that_cannot_serve(tmp_path: Path, lines: list[list[Any]], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(write(tmp_path, *lines))


def test_blank_columns_are_left_out_and_values_beside_the_table_are_a_problem(tmp_path: Path) -> None:
    file = write(tmp_path, ["code", None, "price"], ["a", None, 1, None, "checked!"], ["b", " ", 2], ["c"])
    found = rows(deliver(file))
    assert [(row["code"], row["price"], row["_line"]) for row in found] == [
        ("a", "1", 2),
        ("b", "2", 3),
        ("c", None, 4),
    ]
    assert [row["_problem"] for row in found] == [
        "values in columns without a name (E: checked!)",
        None,
        None,
    ]


# ---------------------------------------------------------------------------------------------------- sheets


@pytest.fixture
def years(tmp_path: Path) -> Path:
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        for name in ("Sales 2023", "Sales 2024", "Sales 2025", "Notes"):
            sheet: Worksheet = workbook.add_worksheet(name)
            sheet.write_column(0, 0, ["code", name])
            if name == "Sales 2025":
                sheet.hide()
    return file


def test_each_sheet_that_a_pattern_matches_is_a_delivery(years: Path) -> None:
    found = list(excel.deliveries({"path": str(years), "sheet": "Sales 20*"}))
    assert [delivery.name for delivery in found] == [f"{years}#Sales 2023", f"{years}#Sales 2024"]
    assert len({delivery.fingerprint for delivery in found}) == 2
    assert [rows(delivery)[0]["code"] for delivery in found] == ["Sales 2023", "Sales 2024"]
    with pytest.raises(
        SourceError, match=r"no visible sheet `\?`; it has: Sales 2023, Sales 2024, Sales 2025"
    ):
        list(excel.deliveries({"path": str(years), "sheet": "?"}))


def test_a_hidden_sheet_is_read_only_if_asked_for(years: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the sheet `Sales 2025` is hidden; set options: \{hidden: true\}"):
        read(years, "Sales 2025")
    assert read(years, "Sales 2025", hidden=True) == [["code"], [2, "Sales 2025"]]
    for file, writer in ((tmp_path / "a.xls", write_xls), (tmp_path / "a.ods", write_ods)):
        writer(file, {"Open": [["a"]], "Back": [["b"], ["1"]]}, hidden=["Back"])
        assert [d.name for d in excel.deliveries({"path": str(file), "sheet": "*"})] == [f"{file}#Open"]
        assert read(file, "Back", hidden=True) == [["b"], [2, "1"]]


def test_a_missing_sheet_and_a_missing_file_are_named(years: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no sheet `Sales`; it has: Sales 2023, Sales 2024"):
        read(years, "Sales")
    with pytest.raises(SourceError, match=r"no file matches .*/\*\.ods"):
        read(tmp_path / "*.ods")


def test_the_fingerprint_follows_the_content(years: Path) -> None:
    before = deliver(years, "Notes").fingerprint
    copy = years.with_name("b.xlsx")
    copy.write_bytes(years.read_bytes())
    assert deliver(copy, "Notes").fingerprint == before
    assert deliver(write(years.parent, ["code"]), "Notes").fingerprint != before


# ------------------------------------------------------------------------------- damaged and too large files


def test_a_workbook_whose_name_lies_is_read(tmp_path: Path) -> None:
    file = write(tmp_path, ["code", "price"], ["a", 1]).rename(tmp_path / "export.xls")
    assert read(file) == [["code", "price"], [2, "a", "1"]]


def test_a_workbook_that_would_expand_too_far_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 130 * 2**20)
    with pytest.raises(
        SourceError, match=r"would expand to 130 MB, more than the 50 MB of options: \{max_exp"
    ):
        read(file, max_expanded_mb=50)
    with pytest.raises(SourceError, match=r"would expand 1,0\d\d to 1, which no real workbook does"):
        read(file)


def test_a_stray_cell_far_out_is_named(tmp_path: Path) -> None:
    """Calamine would make a grid of all cells between, and end the process."""
    file = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["code", "price"])
        sheet.write("XFD1048576", "x")
    with pytest.raises(SourceError, match=r"reaches to the cell XFD1048576, which takes 524,288 MB"):
        read(file)
    cell = '<table:table-cell office:value-type="string" table:number-columns-repeated="90"><text:p>x</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>'
    write_ods_content(tmp_path / "a.ods", f'<table:table table:name="Sheet1">{row}</table:table>')
    with pytest.raises(SourceError, match=r"not a workbook that can be read \(out of memory\)"):
        read(tmp_path / "a.ods", max_expanded_mb=64)


def test_a_text_that_many_cells_share_is_counted_for_each(tmp_path: Path) -> None:
    """Calamine gives each cell a copy: a few kilobytes would take gigabytes."""
    long = "x" * 30_000
    file = write(tmp_path, ["code", "note"], *[["a", long]] * 4_500, *[["b", "y"]] * 20)
    assert file.stat().st_size < 100_000
    with pytest.raises(SourceError, match=r"#Sheet1: its texts take 129 MB, more than the 128 MB of options"):
        read(file, max_expanded_mb=128)
    assert len(read(write(tmp_path, ["code", long], *[["a", "b"]] * 5_000), max_expanded_mb=128)) == 5_001


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    delivery = deliver(write(tmp_path, ["code"], ["a"]))
    write(tmp_path, ["code"], ["a"], ["b"])
    with pytest.raises(SourceError, match=r"a\.xlsx: changed while it was read"):
        rows(delivery)


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "ods"])
def test_a_cut_off_workbook_is_an_error(tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path, ["code"], ["a"])
    if suffix == "xls":
        write_xls(file := tmp_path / "a.xls", {"Sheet1": [["code"], ["a"]]})
    elif suffix == "ods":
        write_ods(file := tmp_path / "a.ods", {"Sheet1": [["code"], ["a"]]})
    assert read(file) == [["code"], [2, "a"]]
    file.write_bytes(file.read_bytes()[:600])
    with pytest.raises(SourceError, match="not a workbook that can be read"):
        read(file)


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from([b"", b"PK\x03\x04", bytes.fromhex("D0CF11E0A1B11AE1")]))
def test_random_bytes_are_an_error_and_nothing_else(content: bytes, start: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "a.xls")
        file.write_bytes(start + content)
        with pytest.raises(SourceError, match="not a workbook that can be read"):
            read(file)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_damage_inside_a_workbook_is_an_error_and_nothing_else(data: st.DataObject) -> None:
    """Bytes of a member are overwritten; what can still be read is read."""
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder), ["code", "price"], ["a", 1.5], ["b", "c"])
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = data.draw(st.sampled_from([n for n in members if n.endswith((".xml", ".rels"))]))
        content = bytearray(members[name])
        position = data.draw(st.integers(0, len(content) - 1))
        damage = data.draw(st.binary(min_size=1, max_size=8))
        content[position : position + len(damage)] = damage
        with zipfile.ZipFile(file, "w") as archive:
            for member, original in members.items():
                archive.writestr(member, bytes(content) if member == name else original)
        with suppress(SourceError):
            read(file)


CELLS = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=10),
    st.integers(-(10**14), 10**14),
    st.decimals(-(10**6), 10**6, places=4).map(float),
    st.booleans(),
    st.datetimes(datetime(1905, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(microsecond=0)),
)


def text(cell: Any) -> str | None:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.15g}".removeprefix("-") if cell == 0 else f"{cell:.15g}"
    if isinstance(cell, datetime):
        midnight = cell.time() == time()
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    return None if cell is None else str(cell)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_table_is_read_back_cell_for_cell(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 5))
    table = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=12))
    above = data.draw(st.integers(0, 3))
    header = [f"column {n}" for n in range(width)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "a.xlsx")
        with xlsxwriter.Workbook(file) as workbook:
            sheet = workbook.add_worksheet()
            shape = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
            sheet.write_row(above, 0, header)
            for line, cells in enumerate(table, start=above + 1):
                for column, cell in enumerate(cells):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(line, column, cell, shape)
                    elif isinstance(cell, str):
                        sheet.write_string(line, column, cell)
                    else:
                        sheet.write(line, column, cell)
        names, *found = read(file)
    assert names == header
    seen = [(line, cells) for line, cells in enumerate(table, start=above + 2)]
    assert found == [
        [line, *map(text, cells)]
        for line, cells in seen
        if any(cell is not None and str(cell).strip() for cell in cells)
    ]
