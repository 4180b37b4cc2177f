"""Rejected rows as a workbook: written for their owner, mended, taken back, and never landed twice."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from openpyxl.worksheet.worksheet import Worksheet

from cli.main import main
from conftest import select
from ingest import DataIngestion, staging, warehouse
from ingest.ledger import Reject, open_ledger
from ingest.mending import Mended, Open, _cells, _changes, write_workbook

SOURCES = """\
sources:
  till:
    kind: csv
    path: {home}/inbox/*.csv
    feeds:
      sales:
        columns: {{sale_code: no, product_code: sku, sold_at: day, quantity: qty, unit_price: price}}
        rules: {{price_not_negative: unit_price >= 0}}
"""
HEADER = "qty,no,sku,day,price\n"


class Till:
    """A home with one source of CSV files."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.inbox = home / "inbox"
        self.workbook = home / "rejects.xlsx"

    def deliver(self, name: str, *lines: str) -> None:
        self.inbox.mkdir(exist_ok=True)
        (self.inbox / name).write_text(HEADER + "".join(f"{line}\n" for line in lines))
        assert [outcome.error for outcome in DataIngestion().run()] == [None]

    def landed(self) -> list[tuple[object, ...]]:
        sql = "select sale_code, quantity, source_line from staging.sales order by load_id, source_line"
        return select(self.home, sql, "loader")

    def states(self) -> list[tuple[object, ...]]:
        return select(self.home, "select source_line, state from ops.rejected_rows order by rejection_id")

    def export(self, *arguments: str) -> None:
        done = run("rejects", "export", *arguments, "--overwrite", str(self.workbook))
        assert done.exit_code == 0, done.output

    def mend(self, edit: Callable[[Worksheet], None]) -> Result:
        book = openpyxl.load_workbook(self.workbook)
        edit(book["till.sales"])
        book.save(self.workbook)
        return run("rejects", "import", str(self.workbook))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def set_cell(sheet: Worksheet, line: int, column: str, value: object) -> None:
    """Type a value into the row of a line of the file."""
    heading = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        if row[heading.index("_line")].value == str(line):
            row[heading.index(column)].value = value  # type: ignore[assignment]
            return
    raise AssertionError(f"line {line} is not in the workbook")


@pytest.fixture
def till(warehouse_home: Path, monkeypatch: pytest.MonkeyPatch) -> Till:
    """A till without a past, on a warehouse that the tests share."""
    monkeypatch.setenv("ANALYTICS_HOME", str(warehouse_home))
    monkeypatch.setenv("ANALYTICS_SOURCES", str(warehouse_home / "sources.yml"))
    (warehouse_home / "sources.yml").write_text(SOURCES.format(home=warehouse_home))
    for file in warehouse_home.glob("inbox/*"):
        file.unlink()
    with open_ledger():
        staging.create_tables()
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        cursor.execute("truncate staging.sales, ops.loads cascade")
    return Till(warehouse_home)


BAD = (
    "1,1,A,2024-01-01,1",
    "x,2,A,2024-01-01,1",
    "1,3,=1+1,soon,-1",
    "1,4,A,2024-01-01",
    "1,5,A,2024-01-02,-5",
)


def test_the_workbook_shows_the_rows_in_their_own_columns_with_what_is_wrong(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    till.export()
    sheet = openpyxl.load_workbook(till.workbook)["till.sales"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == ["_id", "_line", "_reason", "qty", "no", "sku", "day", "price", "_rule", "_file"]
    assert [row[1] for row in rows[1:]] == ["3", "4", "5", "6"]
    assert rows[2][2:9] == [
        "sold_at is not a date and time: soon; price_not_negative does not hold: unit_price >= 0 (unit_price = -1.00)",
        "1", "3", "=1+1", "soon", "-1", "sold_at_type, price_not_negative",
    ]  # fmt: skip
    assert {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row} <= {"s", "n"}  # n is empty
    formula = sheet["F3"]
    assert (formula.value, formula.data_type, formula.number_format, formula.quotePrefix) == (
        "=1+1",
        "s",
        "@",
        True,
    )
    yellow = {
        cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fgColor.rgb == "FFFFEB9C"
    }
    assert yellow == {"D2", "G3", "H3", "D4", "E4", "F4", "G4", "H4", "H5"}
    assert [sheet[cell].comment is not None for cell in ("D2", "G3", "D4", "H5", "E2")] == [True] * 4 + [
        False
    ]
    assert sheet.freeze_panes == "B2"


def test_mended_rows_land_once_under_their_own_file_and_line(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    till.export()

    def edit(sheet: Worksheet) -> None:
        set_cell(sheet, 3, "qty", 7)  # a number, as some programs make of it
        set_cell(sheet, 4, "price", "1.50")  # one of two mistakes
        set_cell(sheet, 5, "price", "2.00")  # the field that was not there

    done = till.mend(edit)
    assert done.exit_code == 1
    assert "2 mended and landed, 1 still wrong, 1 unchanged" in done.output
    assert "still wrong: till.sales row 3: sold_at is not a date and time: soon" in done.output
    assert till.landed() == [("1", 1, 2), ("2", 7, 3), ("4", 1, 5)]
    assert till.states() == [(3, "replayed"), (4, "open"), (5, "replayed"), (6, "open")]
    mended = "select raw_row ->> 'qty', mended_row ->> 'qty' from ops.rejected_rows where source_line = 3"
    assert select(till.home, mended) == [("x", "7")]
    file = "select distinct source_file from staging.sales"
    assert select(till.home, file, "loader") == [(str(till.inbox / "a.csv"),)]
    assert select(till.home, "select rows_read, rows_new, state from ops.loads order by load_id")[-1] == (
        2,
        2,
        "loaded",
    )


def test_a_workbook_taken_back_twice_a_replay_and_the_mended_file_add_nothing(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    till.export()
    assert till.mend(lambda sheet: set_cell(sheet, 3, "qty", "7")).exit_code == 0
    landed = till.landed()
    again = run("rejects", "import", str(till.workbook))
    assert again.exit_code == 1
    assert "is replayed already" in again.output
    assert run("rejects", "replay").exit_code == 0
    assert till.landed() == landed
    # The file grows and still has the bad line: it is not told anew, and does not land anew.
    till.deliver("a.csv", *BAD, "1,6,A,2024-01-03,1")
    assert till.landed() == [*landed, ("6", 1, 7)]
    assert till.states() == [(3, "replayed"), (4, "open"), (5, "open"), (6, "open")]
    # Its owner mends the file as the workbook was mended.
    till.deliver("a.csv", BAD[0], "7,2,A,2024-01-01,1", *BAD[2:], "1,6,A,2024-01-03,1")
    assert till.landed() == [*landed, ("6", 1, 7)]


def test_an_untouched_workbook_changes_nothing(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    till.export()
    done = run("rejects", "import", str(till.workbook))
    assert (done.exit_code, done.output) == (
        0,
        "0 mended and landed, 0 still wrong, 4 unchanged and still open, 0 not taken\n",
    )
    assert till.landed() == [("1", 1, 2)]


def test_rows_that_do_not_belong_are_told_and_not_taken(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    till.export()

    def edit(sheet: Worksheet) -> None:
        first = [cell.value for cell in sheet[2]]
        sheet.append([None, "9", None, "1", "9", "A", "2024-01-01", "1", None, None])  # without an id
        sheet.append(["999999", *first[1:]])  # of no reject
        sheet.append([sheet["A3"].value, *first[1:]])  # an id with another's line
        set_cell(sheet, 3, "qty", "7")
        copy = [cell.value for cell in sheet[2]]
        sheet.append(copy)

    done = till.mend(edit)
    assert done.exit_code == 1
    for message in (
        "row 6: has no _id",
        "row 7: there is no rejected row 999999",
        "a.csv:4 here, not",
        "row 9: the rejected row",
    ):
        assert message in done.output
    assert "comes twice" in done.output
    assert till.landed() == [("1", 1, 2), ("2", 7, 3)]


def test_what_is_no_such_workbook_is_one_clear_error(till: Till, tmp_path: Path) -> None:
    other = tmp_path / "other.xlsx"
    openpyxl.Workbook().save(other)
    done = run("rejects", "import", str(other))
    assert done.exit_code == 1
    assert "not a workbook of `analytics rejects export`" in done.output
    other.write_bytes(b"PK\x03\x04 no")
    assert "not a workbook that can be read" in run("rejects", "import", str(other)).output
    assert "there is no such file" in run("rejects", "import", str(tmp_path / "none.xlsx")).output
    done = run("rejects", "export", str(tmp_path / "none.xlsx"))
    assert done.exit_code == 1
    assert "no open rejected rows; nothing is written" in done.output
    till.deliver("a.csv", *BAD)
    assert "say --overwrite" in run("rejects", "export", str(other)).output


def test_a_mended_row_of_a_source_that_is_gone_is_told(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    till.export()
    sources = till.home / "sources.yml"
    sources.write_text(sources.read_text().replace("till:", "tills:"))
    done = till.mend(lambda sheet: set_cell(sheet, 3, "qty", "7"))
    assert "sources.yml has no feed till.sales any more" in done.output
    assert till.landed() == [("1", 1, 2)]


# ------------------------------------------------------------------------------------ list, show and dismiss


def test_the_list_groups_first_and_filters(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    till.deliver("b.csv", "x,20,A,2024-01-01,1", "y,21,A,2024-01-01,1")
    done = run("rejects", "list")
    lines = done.output.splitlines()
    assert lines[0] == "6 open rejected rows"
    assert lines[2].split()[:4] == ["till.sales", "quantity_type", "3", "2"]
    assert sum("quantity is not a whole number" in line for line in lines) == 4  # the group, and its rows
    rows = json.loads(run("rejects", "list", "--rule", "price_not_negative", "--format", "json").stdout)
    assert [row["source_line"] for row in rows] == [6, 4]  # one of them breaks another rule, too
    assert next(iter(rows[0])) == "rejection_id"
    text = run("rejects", "list", "--file", "b.csv", "--format", "csv").stdout.splitlines()
    assert text[0].startswith("rejection_id,source_name,feed_name,source_file,source_line,rule,reason")
    assert len(text) == 3
    assert run("rejects", "list", "--source", "nobody").output == "No open rejected rows.\n"
    assert len(run("rejects", "list", "--limit", "1").output.split("The newest 1:")[1].splitlines()) < 8


def test_one_is_shown_whole(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    (first, second, *_) = [
        id_ for (id_,) in select(till.home, "select rejection_id from ops.rejected_rows order by 1")
    ]
    shown = run("rejects", "show", str(second)).output
    assert shown.startswith(f"Rejected row {second}, open\nwhere   {till.inbox}/a.csv, line 4\n")
    assert "rule    sold_at_type: sold_at is not a date and time: soon\n" in shown
    assert "rule    price_not_negative: price_not_negative does not hold" in shown
    assert [line.split()[0] for line in shown.split("The row\n")[1].splitlines()] == [
        "qty",
        "no",
        "sku",
        "day",
        "price",
    ]
    till.export()
    till.mend(lambda sheet: set_cell(sheet, 3, "qty", "7"))
    assert "qty    x   mended: 7" in run("rejects", "show", str(first)).output
    assert run("rejects", "show", "999999").exit_code == 2


def test_dismiss_takes_ids_or_a_filter(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    (first, *_) = [
        id_ for (id_,) in select(till.home, "select rejection_id from ops.rejected_rows order by 1")
    ]
    assert run("rejects", "dismiss").exit_code == 2
    assert run("rejects", "dismiss", str(first), "--source", "till").exit_code == 2
    assert "1 of 1 dismissed" in run("rejects", "dismiss", str(first)).output
    assert "1 of 1 dismissed" in run("rejects", "dismiss", "--rule", "row_shape", "--yes").output
    assert [state for _, state in till.states()] == ["dismissed", "open", "dismissed", "open"]
    assert run("rejects", "dismiss", "--source", "till").exit_code == 1  # asked, and nobody said yes
    assert [state for _, state in till.states()].count("open") == 2


def test_replay_says_what_healed_and_what_is_still_open(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    sources = till.home / "sources.yml"
    sources.write_text(sources.read_text().replace("unit_price >= 0", "unit_price >= -5"))
    assert run("rejects", "replay").output == "till: 1 healed and landed, 3 still open\n"


# ---------------------------------------------------------------------------------------------- any texts


@pytest.mark.unit
def test_any_text_comes_back_unchanged(tmp_path: Path) -> None:
    texts = [
        "=1+1", "+49 30", "-5", "@x", "007", "1e5", "2024-01-31", "true", " padded ", "\t", "a\nb", "a\r\nb", "\r", "_x0041_",
        "\x0b\x1f", "€ é 😀", '"', "'quoted", "x" * 40_000, "https://example.com", "#N/A", "0,5", "\u00a0", "\ufeffx",
    ]  # fmt: skip
    rows = [
        Open(n, "open", Reject(1, "s", "f", "a.csv", n, "rule", "why", json.dumps({"a": text, "b": None})))
        for n, text in enumerate(texts, start=1)
    ]
    file = tmp_path / "any.xlsx"
    write_workbook(file, rows, {})
    cells = {id_: row for id_, row in _cells(file, Mended()).values()}
    assert sorted(cells) == list(range(1, len(texts) + 1))
    assert {
        n: _changes(row.raw, cells[n]) for n, row in enumerate(rows, start=1) if _changes(row.raw, cells[n])
    } == {}


def test_mend_is_there_for_python_too(till: Till) -> None:
    till.deliver("a.csv", *BAD)
    till.export()
    result = DataIngestion().mend(till.workbook)
    assert (result.landed, result.unchanged) == (0, 4)
