"""The daily report and its workbook, read back and compared with SQL, on a small warehouse of made-up rows."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import reports_warehouse as made_up
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image

from conftest import make_home, remove_home, select
from ingest import warehouse
from reports import ReportGenerator, data, figures, notation, registry
from reports.errors import CellError, DataError, ReportUsageError
from reports.render import Rendered, render_report

DAY = made_up.LAST_DAY


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with the made-up warehouse; the tests of this module share it."""
    with made_up.filled_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def rendered(home: Path) -> Rendered:
    return render_report("daily")


@pytest.fixture(scope="module")
def pages(rendered: Rendered) -> list[str]:
    return pdf_pages(rendered.paths["pdf"])


@pytest.fixture(scope="module")
def page(rendered: Rendered) -> "Page":
    return Page(rendered.paths["html"])


@pytest.fixture(scope="module")
def values(rendered: Rendered) -> Workbook:
    """The workbook as a reader sees it that does not calculate."""
    return load_workbook(rendered.paths["xlsx"], data_only=True)


@pytest.fixture(scope="module")
def formulas(rendered: Rendered) -> Workbook:
    return load_workbook(rendered.paths["xlsx"])


def pdf_pages(file: Path) -> list[str]:
    done = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True)
    return done.stdout.split("\f")[:-1]


def cells_in_order(file: Path) -> str:
    """The text as it is written into the PDF, cell by cell, without any space."""
    done = subprocess.run(["pdftotext", "-raw", file, "-"], capture_output=True, text=True, check=True)
    return re.sub(r"\s", "", done.stdout)


class Page(HTMLParser):
    """An HTML page taken apart: its text without scripts and styles, its tables' rows, and all it would load."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.cells: list[list[str]] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self._open: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.cells = [row for row in self.cells if row]
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag == "td":
            self.cells[-1].append("")
        for name, value in attrs:
            if name in ("src", "srcset", "poster", "data", "action") or (name, tag) == ("href", "link"):
                self.loads.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self.loads += re.findall(r"url\(([^)]*)\)|@import\s+(\S+)", data)
        elif "script" not in self._open:
            self.words.append(data)
            if "td" in self._open:
                self.cells[-1][-1] += data.strip()


# --------------------------------------------------------------------------------------- figures equal SQL


def test_the_pdf_shows_what_sql_says(home: Path, pages: list[str]) -> None:
    text = "\n".join(pages)
    ((sales, transactions, average, customers, new),) = select(
        home,
        "select total_sales, total_transactions, avg_transaction_value, total_customers, new_customers "
        f"from metrics.metrics_daily where metric_date = '{DAY}'",
    )
    line = re.compile(r"^ *(\S.*?)" + r"  +(\S+)" * 7 + "$", re.MULTILINE)
    headline = {name: rest for name, *rest in line.findall(pages[0][: pages[0].index("Four weeks")])}
    assert headline["Sales"][0] == f"£{sales:,}"
    assert headline["Transactions"][0] == str(transactions)
    assert headline["Average value"][0] == f"£{average}"
    assert headline["Customers"][0] == str(customers)
    assert headline["New customers"][0] == str(new)
    assert isinstance(sales, Decimal)
    expected = []
    for days_ago in (1, 7, 364):
        ((then,),) = select(
            home,
            f"select total_sales from metrics.metrics_daily where metric_date = date '{DAY}' - {days_ago}",
        )
        assert isinstance(then, Decimal)
        expected += [f"£{then:,}", signed(sales / then - 1)]
    assert headline["Sales"][1:] == expected
    ((units, profit),) = select(
        home,
        "select sum(quantity), sum(total_amount - quantity * unit_cost) from marts.fact_sales "
        f"join marts.dim_products using (product_id) where sale_date = '{DAY}'",
    )
    assert headline["Units sold"][0] == str(units)
    assert headline["Profit"][0] == f"£{profit:,}"
    stores = select(
        home,
        "select store_name, sum(total_amount) from marts.fact_sales join marts.dim_stores using (store_id) "
        f"where sale_date = '{DAY}' group by 1",
    )
    assert len(stores) == 4
    for name, amount in stores:
        if name != made_up.UGLY_STORE:  # which is broken over several lines
            assert re.search(rf"{re.escape(str(name))} +\d+ +\d+ +£[\d.,]+ +£{amount:,} ", text)
    assert re.search(rf"All stores +{transactions} +80 +£{average} +£{sales:,} ", text)
    for name, count in select(
        home,
        "select channel_name, count(*) from marts.fact_interactions join marts.dim_channels using (channel_id) "
        f"where interaction_date::date = '{DAY}' group by 1",
    ):
        assert re.search(rf"{name} +{count} ", text)
    assert re.search(r"shop +quantity_type +2\n", text)
    assert re.search(r"shop +shop +2025-06-30\.csv +30 Jun 2025, 22:02 +100 +3 +3\n", text)


def signed(ratio: Decimal) -> str:
    return f"{ratio:+.1%}".replace("-", "−")


def test_html_and_workbook_show_the_tables_of_the_pdf(
    rendered: Rendered, page: Page, values: Workbook
) -> None:
    squeezed = cells_in_order(rendered.paths["pdf"])
    assert len(page.cells) > 30
    for row in page.cells:
        for cell in row[1:]:
            assert re.sub(r"\s", "", cell) in squeezed, (row, cell)
    by_store = {row[0]: row for row in page.cells}
    sheet = values["Stores"]
    for cells in sheet.iter_rows(min_row=5, max_row=9, values_only=True):
        store, transactions, units, average, sales, week_before, change, year_before, year_change = cells
        expected = [str(transactions), str(units), notation.money(average), notation.money(sales),
                    notation.money(week_before), notation.change(change),
                    notation.money(year_before), notation.change(year_change)]  # fmt: skip
        assert by_store[str(store)][1:] == expected


def test_figures_are_the_same_whatever_way_they_are_asked(home: Path) -> None:
    daily = figures.daily(date.fromisoformat(DAY), 28)
    assert list(daily["metric_date"].dt.date)[-1] == date.fromisoformat(DAY)
    assert len(daily) == 28
    ((mean,),) = select(
        home,
        "select round(avg(total_sales), 2) from metrics.metrics_daily "
        f"where metric_date between date '{DAY}' - 6 and '{DAY}'",
    )
    assert daily["moving_average"].iloc[-1] == float(str(mean))
    beginning = figures.daily(figures.coverage().first, 28)
    assert beginning["moving_average"].isna().all()  # a mean of fewer days would be no mean of seven


# -------------------------------------------------------------------------------------------- how they look


def test_pdf_pages_are_filled_and_stay_within_their_margins(rendered: Rendered, tmp_path: Path) -> None:
    subprocess.run(
        ["pdftoppm", "-r", "50", "-gray", "-png", rendered.paths["pdf"], tmp_path / "p"], check=True
    )
    images = sorted(tmp_path.glob("p-*.png"))
    assert len(images) >= 2
    for image in images:
        with Image.open(image) as picture:
            width, height = picture.size
            down, across = np.nonzero(np.asarray(picture.convert("L")) < 128)
        assert len(down) > 1000  # not blank
        assert across.min() > 0.08 * width
        assert across.max() < 0.92 * width
        assert down.max() < 0.97 * height


def test_pdf_pages_are_headed_numbered_and_described(rendered: Rendered, pages: list[str]) -> None:
    for number, text in enumerate(pages, start=1):
        assert re.match(r"Daily sales report · 30 Jun 2025 +Simple Analytics Platform\n", text)
        assert f"Page {number} of {len(pages)}" in text
    raw = rendered.paths["pdf"].read_bytes()
    assert b"/Lang(en)" in raw
    assert b"Bar chart of the sales" in raw  # the alternative text
    assert b"/URI" not in raw  # an address in data is no link


def test_the_html_page_loads_nothing(rendered: Rendered, page: Page) -> None:
    assert page.loads
    assert all(str(address).startswith("data:") for address in page.loads), page.loads
    assert "script" not in page.tags
    assert rendered.paths["html"].stat().st_size < 500_000


def test_hostile_names_show_as_text(
    rendered: Rendered, page: Page, values: Workbook, formulas: Workbook
) -> None:
    squeezed = cells_in_order(rendered.paths["pdf"])
    shown = {cell for row in page.cells for cell in row}
    sheet = {row[0]: row for row in values["Products"].iter_rows(min_row=5, values_only=True)}
    for name in made_up.UGLY_PRODUCTS:
        assert name.strip() in shown
        assert name in sheet
        # right-to-left text is stored in another order
        visible = re.sub("عربي|😀|\u202e.*\u202c", "", name)
        for word in visible.split():
            assert word in squeezed
    assert "<i>Odd</i> & Co" in shown
    assert made_up.UGLY_STORE in shown
    for row in formulas["Products"].iter_rows(min_row=5, max_col=2):
        for cell in row:
            assert cell.data_type in ("s", "n", "inlineStr")  # text, or the empty category of the totals
            if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@", "\t")):
                assert cell.quotePrefix  # stays text when edited


# ------------------------------------------------------------------------------------------- the workbook


def test_cells_are_typed(values: Workbook) -> None:
    days = values["Daily"]
    assert isinstance(days["A5"].value, datetime)
    assert isinstance(days["B5"].value, float)
    assert isinstance(days["D5"].value, int)
    assert days["B5"].number_format == '"£"#,##0.00;-"£"#,##0.00'
    assert values["Stores"]["G5"].number_format == "+0.0%;-0.0%;0.0%"
    assert values["Products"]["F5"].number_format == "0.0%"
    assert isinstance(values["Lines"]["A5"].value, datetime)
    assert isinstance(values["Lines"]["M5"].value, int)
    assert isinstance(values["Loads"]["D5"].value, datetime)
    durations = values["Channels"]["D5"]
    assert durations.number_format == "[m]:ss"
    assert values.sheetnames == [
        "Cover", "Summary", "Daily", "Products", "Stores", "Channels", "Lines", "Loads", "Rejections",
        "Reconciliation", "Restated",
    ]  # fmt: skip


def test_totals_are_formulas_that_carry_their_value(values: Workbook, formulas: Workbook) -> None:
    for name, columns in {"Daily": "BDG", "Products": "CDEF", "Stores": "BCEFH", "Channels": "BE"}.items():
        sheet, shown = formulas[name], values[name]
        last = sheet.max_row
        for column in columns:
            assert sheet[f"{column}{last}"].value == f"=SUBTOTAL(109,{column}5:{column}{last - 1})"
            parts = [shown[f"{column}{row}"].value or 0 for row in range(5, last)]
            assert shown[f"{column}{last}"].value == pytest.approx(sum(parts), abs=1e-9)
    stores, shown = formulas["Stores"], values["Stores"]
    assert stores["G5"].value == '=IF(OR(E5="",N(F5)=0),"",(E5-F5)/ABS(F5))'
    assert shown["G5"].value == pytest.approx(shown["E5"].value / shown["F5"].value - 1)


def test_sheets_are_handy(formulas: Workbook) -> None:
    for sheet in formulas.worksheets:
        assert isinstance(sheet, Worksheet)
        if sheet.title in ("Cover", "Restated"):  # the one is no table, the other is empty
            continue
        assert sheet.freeze_panes == "B5"
        assert sheet.auto_filter.ref is not None
        assert sheet.print_title_rows == "$4:$4"
        for column in sheet.iter_cols(min_row=5):
            texts = [cell.value for cell in column if isinstance(cell.value, str) and cell.data_type == "s"]
            longest = max((len(text) for text in texts), default=0)
            assert sheet.column_dimensions[column[0].column_letter].width >= min(longest, 60)
    charts = {sheet.title: len(sheet._charts) for sheet in formulas.worksheets}  # type: ignore[attr-defined]
    assert {name for name, count in charts.items() if count} == {"Daily", "Products", "Stores", "Channels"}
    names = formulas.defined_names
    assert names["products_sales"].attr_text == "'Products'!$D$5:$D$44"
    assert names["stores_sales_total"].attr_text == "'Stores'!$E$9"


# --------------------------------------------------------------------------- days, formats, errors, isolation


def test_a_day_without_data_says_so_and_is_still_a_report(home: Path) -> None:
    done = render_report("daily", "2031-01-01")
    assert done.period == "2031-01-01"
    text = "\n".join(pdf_pages(done.paths["pdf"]))
    assert "No data for this day" in text
    assert "27 Apr 2024 to 30 Jun 2025" in text
    assert "Nothing was sold on this day." in text
    book = load_workbook(done.paths["xlsx"], data_only=True)
    assert book["Products"]["A4"].value == "Nothing was sold on this day."


def test_a_day_without_a_sale_is_told_apart_from_a_day_without_data(home: Path) -> None:
    text = Page(render_report("daily", made_up.CLOSED_DAY, ["html"]).paths["html"]).text
    assert "A day without a sale" in text
    assert "£0.00" in text
    assert "−100.0%" in text


def test_the_newest_day_is_the_default_and_files_lie_where_they_should(
    home: Path, rendered: Rendered
) -> None:
    assert rendered.period == DAY
    assert rendered.engine == "bundled"
    folder = home / "reports" / "daily" / DAY
    assert rendered.paths == {suffix: folder / f"daily.{suffix}" for suffix in ("pdf", "html", "xlsx")}
    assert sorted(path.name for path in folder.iterdir()) == ["daily.html", "daily.pdf", "daily.xlsx"]
    assert ReportGenerator().generate_daily_report(DAY) == rendered.paths


@pytest.mark.parametrize(
    ("name", "day", "formats", "message"),
    [
        (
            "dialy",
            None,
            None,
            "there is no report 'dialy'; there are: daily, weekly, monthly, products, customers, quality, dashboard",
        ),
        ("daily", "2025-02-30", None, "'2025-02-30' is not a date: there is no such day"),
        ("daily", "30.6.2025", None, "'30.6.2025' is not a date: write it as YYYY-MM-DD"),
        (
            "daily",
            None,
            ["docx"],
            "daily is not made as docx; its formats are: pdf, html, xlsx, csv, parquet",
        ),
        ("dashboard", None, ["pdf"], "dashboard is not made as pdf; its formats are: html"),
    ],
)
def test_wrong_use_lists_what_there_is(
    home: Path, name: str, day: str | None, formats: list[str] | None, message: str
) -> None:
    with pytest.raises(ReportUsageError) as caught:
        render_report(name, day, formats)
    assert str(caught.value) == message


def test_a_failing_report_leaves_the_last_good_one_and_no_draft(
    home: Path, rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "daily.qmd"
    parameters = '```{python}\n#| tags: [parameters]\ndate = ""\n```\n\n'
    broken.write_text(f"---\ntitle: Broken\n---\n\n{parameters}```{{python}}\n1 / 0\n```\n")
    changed = replace(registry.find("daily"), document=broken)
    monkeypatch.setattr(registry, "find", lambda _name: changed)
    before = {suffix: path.read_bytes() for suffix, path in rendered.paths.items()}
    with pytest.raises(
        CellError, match=r"daily\.qmd, line 11: ZeroDivisionError: division by zero\n    1 / 0"
    ):
        render_report("daily", DAY)
    assert {suffix: path.read_bytes() for suffix, path in rendered.paths.items()} == before
    assert not list((home / "reports" / "daily").glob(".*"))


def test_two_days_at_once_do_not_mix(home: Path) -> None:
    days = {"2025-06-10": "", "2025-06-11": ""}

    def one(day: str) -> None:
        days[day] = Page(render_report("daily", day, ["html"]).paths["html"]).text

    threads = [threading.Thread(target=one, args=(day,)) for day in days]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "Tuesday, 10 June 2025" in days["2025-06-10"]
    assert "Wednesday, 11 June 2025" in days["2025-06-11"]


# ---------------------------------------------------------------------------------- the door to the warehouse


def test_values_are_bound_and_types_kept(home: Path) -> None:
    attack = "x'; drop table marts.fact_sales; --"
    frame = data.query(
        "select %(text)s as text, 12.30::numeric as amount, 3 as count, null::integer as nothing, "
        "date '2025-06-30' as day, timestamp '2025-06-30 10:00' as moment, true as flag, '5%%' as literal",
        text=attack,
    )
    (row,) = frame.to_dict("records")
    assert row["text"] == attack
    assert (row["amount"], row["count"], row["literal"], row["flag"]) == (12.30, 3, "5%", True)
    assert row["nothing"] is None
    assert frame["nothing"].dtype == "Int64"
    assert row["day"] == pd.Timestamp("2025-06-30")
    assert row["moment"] == pd.Timestamp("2025-06-30 10:00")
    assert data.query("select 1 as one where false").empty


def test_reports_can_neither_write_nor_see_staging(home: Path) -> None:
    for statement in ("create table marts.evil as select 1", "delete from marts.fact_sales returning 1"):
        with pytest.raises(DataError, match=r"read-only|denied"):
            data.query(statement)
    with closing(warehouse.connect("loader")) as connection, connection:
        connection.cursor().execute("create table if not exists staging.secret as select 1 as one")
    with pytest.raises(DataError, match="denied"):
        data.query("select * from staging.secret")


def test_a_missing_table_says_what_to_do(home: Path) -> None:
    with pytest.raises(DataError, match=r"analytics ingest.*analytics build"):
        data.query("select * from metrics.metrics_absent")


def test_a_snapshot_keeps_one_state_through_all_queries(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = "select count(*) as n from ops.rejected_rows"
    with data.snapshot() as moment:
        before = data.query(count)["n"].iloc[0]
        with closing(warehouse.connect("loader")) as connection, connection:
            connection.cursor().execute(
                "insert into ops.rejected_rows (rule, state) values ('late', 'dismissed')"
            )
        assert data.query(count)["n"].iloc[0] == before
        seen: list[int] = []
        with monkeypatch.context() as patch:  # another process, which is told of the snapshot
            patch.setenv(data.SNAPSHOT, moment)
            thread = threading.Thread(target=lambda: seen.append(int(data.query(count)["n"].iloc[0])))
            thread.start()
            thread.join()
        assert seen == [before]
    assert data.query(count)["n"].iloc[0] == before + 1


def test_an_empty_warehouse_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_home()
    monkeypatch.setenv("ANALYTICS_HOME", str(folder))
    try:
        with pytest.raises(DataError, match=r"analytics ingest.*analytics build"):
            render_report("daily")
        assert not list((folder / "reports" / "daily").iterdir())
    finally:
        remove_home(folder)
