"""Workbooks read by LibreOffice and openpyxl, exports read back, and tables that are too large for memory."""

import csv
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import reports_warehouse as made_up
from openpyxl import load_workbook

from conftest import ROOT, select
from reports.errors import ReportError
from reports.render import Rendered, render_report

SOFFICE = shutil.which("soffice")
# LibreOffice trusts the values of a file unless told to work them out.
RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode"><value>0</value></prop></item>
</oor:items>
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with made_up.filled_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def made(home: Path) -> Rendered:
    return render_report("monthly", formats=["xlsx", "csv", "parquet"])


def recalculated(workbook: Path, folder: Path) -> Path:
    """A copy as LibreOffice works it out, made from one in which every formula's value is a wrong one."""
    if SOFFICE is None:
        pytest.skip("LibreOffice is missing (Debian: libreoffice-calc-nogui)")
    wrong = folder / "wrong.xlsx"
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(wrong, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename.startswith("xl/worksheets/"):
                text = content.decode()
                content = re.sub(r"(</f>)<v>[^<]*</v>", r"\1<v>-1</v>", text).encode()
            target.writestr(item, content)
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(RECALCULATE)
    subprocess.run(
        [SOFFICE, "--headless", f"-env:UserInstallation=file://{profile}", "--convert-to", "xlsx:Calc MS Excel 2007 XML",
         "--outdir", folder / "out", wrong],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return folder / "out" / "wrong.xlsx"


def test_totals_recalculate_to_the_values_shown(made: Rendered, tmp_path: Path) -> None:
    shown = load_workbook(made.paths["xlsx"], data_only=True)
    formulas = load_workbook(made.paths["xlsx"])
    worked_out = load_workbook(recalculated(made.paths["xlsx"], tmp_path), data_only=True)
    compared = 0
    for sheet in formulas.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                expected = shown[sheet.title][cell.coordinate].value
                value = worked_out[sheet.title][cell.coordinate].value
                if expected in (None, ""):
                    assert value in (None, ""), (sheet.title, cell.coordinate, value)
                else:
                    assert value == pytest.approx(expected, abs=1e-6), (sheet.title, cell.coordinate)
                compared += 1
    assert compared > 100


def test_the_cover_leads_to_each_sheet(made: Rendered) -> None:
    book = load_workbook(made.paths["xlsx"])
    cover = book["Cover"]
    assert book.sheetnames[0] == "Cover"
    links = [cell.hyperlink.location for row in cover.iter_rows() for cell in row if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:]]
    texts = [cell.value for row in cover.iter_rows() for cell in row if cell.value]
    assert {"Monthly management report", "June 2025", made.report_id} <= set(texts)


def test_csv_and_parquet_hold_what_sql_says(home: Path, made: Rendered) -> None:
    sheets = [name.lower().replace(" ", "_") for name in load_workbook(made.paths["xlsx"]).sheetnames[1:]]
    for suffix in ("csv", "parquet"):
        assert {file.stem for file in made.paths[suffix].iterdir()} == set(sheets)
    expected = select(
        home,
        "select store_name, sum(total_amount), count(distinct (sale_date, source_name, transaction_code)) "
        "from marts.fact_sales join marts.dim_stores using (store_id) "
        "where sale_date between '2025-06-01' and '2025-06-30' group by 1 order by 2 desc",
    )
    with (made.paths["csv"] / "stores.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [(r["name"], float(r["sales"]), int(r["transactions"])) for r in rows] == [
        (name, float(str(sales)), count) for name, sales, count in expected
    ]
    table = pq.read_table(made.paths["parquet"] / "stores.parquet")
    assert table.column("sales").to_pylist() == [float(str(sales)) for _, sales, _ in expected]
    days = pq.read_table(made.paths["parquet"] / "daily.parquet").column("metric_date").to_pylist()
    assert days[0] == date(2025, 6, 1)
    assert len(days) == 30


def test_text_that_a_spreadsheet_would_run_is_harmless_in_csv_and_as_it_is_in_parquet(made: Rendered) -> None:
    dangerous = {name for name in made_up.UGLY_PRODUCTS if name.startswith(("=", "+", "@", "\t"))}
    with (made.paths["csv"] / "products.csv").open(encoding="utf-8-sig", newline="") as handle:
        names = {row["name"] for row in csv.DictReader(handle)}
    assert {f"'{name}" for name in dangerous} <= names
    exact = set(pq.read_table(made.paths["parquet"] / "products.parquet").column("name").to_pylist())
    assert set(made_up.UGLY_PRODUCTS) <= exact


def test_lines_lead_back_to_their_file(home: Path) -> None:
    made = render_report("daily", formats=["parquet", "xlsx"])
    lines = pq.read_table(made.paths["parquet"] / "lines.parquet").to_pylist()
    assert (
        len(lines)
        == select(home, f"select count(*) from marts.fact_sales where sale_date = '{made_up.LAST_DAY}'")[0][0]
    )
    assert {line["file"] for line in lines} == {f"{made_up.LAST_DAY}.csv"}
    sheet = load_workbook(made.paths["xlsx"], data_only=True)["Lines"]
    assert sheet.max_row == 4 + len(lines) + 1
    assert sheet.cell(sheet.max_row, 10).value == pytest.approx(sum(line["amount"] for line in lines))


# The rows of a table are made as they are written; what a process of its own needs at most is what counts.
STREAM = """
import sys
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
from reports.edition import Edition
from reports.figures import Coverage
from reports.period import parse
from reports.registry import find
from reports.tables import Column, Kind, Table
from reports import workbook
from reports.archive import Manifest
rows, folder = int(sys.argv[1]), Path(sys.argv[2])
file = folder / f"{rows}.parquet"
schema = pa.schema([("name", pa.string()), ("units", pa.int64()), ("amount", pa.float64())])
with pq.ParquetWriter(file, schema) as writer:
    for start in range(0, rows, 10_000):
        numbers = list(range(start, min(rows, start + 10_000)))
        columns = [[f"Product {n}" for n in numbers], numbers, [n / 4 for n in numbers]]
        writer.write_batch(pa.record_batch([pa.array(c) for c in columns], schema=schema))
columns = [Column("name", "Name"), Column("units", "Units", Kind.COUNT, summed=True),
           Column("amount", "Amount", Kind.MONEY, summed=True)]
period = parse("2025-06-30")
edition = Edition(find("daily"), period, Coverage(period.first, period.last))
table = Table("lines", "Lines", "Lines", file, columns, totals="All")
manifest = Manifest("trial", "daily", "Daily", period.key, period.key, {"paper": "a4"}, "", "", {}, "", "", "", "")
workbook.write([table], edition, manifest, folder / f"{rows}.xlsx")
# Not getrusage: the process that starts this one counts there.
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def needed(rows: int, folder: Path) -> int:
    """The most memory, in KiB, that writing a workbook of so many rows needs."""
    done = subprocess.run(
        [sys.executable, "-c", STREAM, str(rows), folder],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return int(done.stdout)


def test_many_rows_need_no_more_memory_than_few(tmp_path: Path) -> None:
    few, many = needed(10_000, tmp_path), needed(60_000, tmp_path)
    assert many < few + 20 * 1024
    assert many < 300 * 1024
    book = load_workbook(tmp_path / "60000.xlsx", read_only=True)
    assert sum(1 for _ in book["Lines"].iter_rows()) == 60_005


def test_more_rows_than_a_sheet_holds_is_an_error_that_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reports import workbook

    monkeypatch.setattr(workbook, "LAST_ROW", 40)
    with pytest.raises(
        ReportError, match=r"the table daily has 91 rows, more than a sheet holds: ask for a shorter"
    ):
        render_report("daily", formats=["xlsx"])
