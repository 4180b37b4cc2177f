"""What the dashboard exports is opened again: tables as CSV and workbook equal SQL, charts are pictures."""

import csv
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import reports_warehouse as made_up
from dashboard_browser import Board
from openpyxl import load_workbook

from conftest import select

Show = Callable[..., Board]
PRODUCTS = f"""
    select product_name, category, sum(total_amount), sum(quantity), sum(total_amount - quantity * unit_cost)
    from marts.fact_sales join marts.dim_products using (product_id)
    where sale_date > date '{made_up.LAST_DAY}' - 91 and store_id = 1
    group by product_id, product_name, category
    order by 3 desc
"""
PERIOD = "2025-04-01-2025-06-30"


@pytest.fixture
def downloads(browser, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """Where the browser puts what it saves."""
    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    return tmp_path


def saved(folder: Path, name: str) -> Path:
    deadline = time.monotonic() + 10
    while not (folder / name).exists():
        assert time.monotonic() < deadline, f"no {name} among {[file.name for file in folder.iterdir()]}"
        time.sleep(0.05)
    return folder / name


def test_a_table_is_exported_as_csv_as_it_is_shown(dashboard_home: Path, show: Show, downloads: Path) -> None:
    board = show(hash_="#page=products&days=91&store=High+Street")
    board.menu("table", "products", "Save as CSV")
    text = saved(downloads, f"products-{PERIOD}.csv").read_bytes().decode("utf-8-sig")
    head, *rows = csv.reader(text.splitlines())
    assert head == ["Product", "Category", "Sales", "Units sold", "Profit", "Margin", "Share", "Change"]
    expected = select(dashboard_home, PRODUCTS)
    assert [row[0].removeprefix("'") for row in rows] == [str(row[0]) for row in expected]
    for place in (2, 3, 4):
        assert [float(row[place]) for row in rows] == pytest.approx(
            [float(str(row[place])) for row in expected]
        )
    hostile = [row[0] for row in rows if "evil.example" in row[0] or "SUM(" in row[0]]
    assert hostile
    assert all(not name.startswith(("=", "+", "-", "@", "\t")) for name in hostile)
    (downloads / f"products-{PERIOD}.csv").unlink()
    board.find('[data-table="products"] input').send_keys("garden product")
    board.find_all('[data-table="products"] thead button')[3].click()
    board.menu("table", "products", "Save as CSV")
    again = saved(downloads, f"products-{PERIOD}.csv").read_bytes().decode("utf-8-sig")
    _, *rows = csv.reader(again.splitlines())
    found = [row for row in expected if row[1] == "Garden" and "Product" in str(row[0])]
    assert sorted(row[0] for row in rows) == sorted(str(row[0]) for row in found)
    units = [float(row[3]) for row in rows]
    assert units == sorted(units, reverse=True)


def test_a_table_is_exported_as_a_workbook_with_types(
    dashboard_home: Path, show: Show, downloads: Path
) -> None:
    board = show(hash_="#page=products&days=91&store=High+Street")
    board.menu("table", "products", "Save as XLSX")
    sheet = load_workbook(saved(downloads, f"products-{PERIOD}.xlsx")).worksheets[0]
    assert sheet.title == "Products"
    assert sheet.freeze_panes == "A2"
    head, *rows = sheet.iter_rows()
    assert [cell.value for cell in head][:3] == ["Product", "Category", "Sales"]
    expected = select(dashboard_home, PRODUCTS)
    assert [row[0].value for row in rows] == [row[0] for row in expected]
    assert all(row[0].data_type in ("s", "inlineStr") for row in rows)  # no name is a formula
    assert [row[2].value for row in rows] == pytest.approx([float(str(row[2])) for row in expected])
    assert (rows[0][2].number_format, rows[0][5].number_format) == ("#,##0.00", "0.0%")
    board.go("sales")
    board.menu("table", "days", "Save as XLSX")
    _, *rows = (
        load_workbook(saved(downloads, f"days-{PERIOD}.xlsx")).worksheets[0].iter_rows(values_only=True)
    )
    assert rows[0][0] == datetime.fromisoformat(made_up.LAST_DAY)
    assert len(rows) == 91


def test_a_charts_twin_has_its_figures_and_is_exported(
    dashboard_home: Path, show: Show, downloads: Path
) -> None:
    board = show(hash_="#days=91&measure=units")
    board.menu("chart", "by_store", "Show as table")
    expected = select(
        dashboard_home,
        "select store_name, sum(quantity) from marts.fact_sales join marts.dim_stores using (store_id)"
        f" where sale_date > date '{made_up.LAST_DAY}' - 91 group by 1 order by 2 desc",
    )
    rows = board.find_all('[data-chart="by_store"] tbody tr')
    shown = [[cell.text for cell in row.find_elements("css selector", "th, td")][:2] for row in rows]
    assert shown == [[str(name), f"{units:,}"] for name, units in expected]
    board.menu("chart", "by_store", "Save as CSV")
    _, *lines = csv.reader(saved(downloads, f"by_store-{PERIOD}.csv").read_text("utf-8-sig").splitlines())
    assert [(line[0], int(line[1])) for line in lines] == [(str(name), units) for name, units in expected]
    board.menu("chart", "by_store", "Show as chart")
    assert board.find('[data-chart="by_store"] svg').is_displayed()


@pytest.mark.parametrize("dark", [False, True])
def test_charts_are_saved_as_svg_and_png_with_title_and_colours(
    show: Show, downloads: Path, dark: bool
) -> None:
    from matplotlib import image

    board = show(dark=dark)
    board.menu("chart", "trend", "Save as SVG")
    name = "trend-2025-06-03-2025-06-30"
    picture = ElementTree.parse(saved(downloads, f"{name}.svg")).getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert picture.findtext(f"{space}title") == "Sales over time"
    looks = [path.get("style", "") for path in picture.iter(f"{space}path")]
    assert any(("rgb(94, 166, 214)" if dark else "rgb(31, 95, 139)") in look for look in looks)
    board.menu("chart", "trend", "Save as PNG")
    pixels = image.imread(saved(downloads, f"{name}.png"))
    assert pixels.shape[1] == 2 * int(picture.get("width", "0"))
    corner = pixels[4, 4, :3].mean()
    assert corner < 0.2 if dark else corner > 0.9
    assert (
        len({tuple(pixel) for pixel in pixels[::9, ::9, :3].reshape(-1, 3).tolist()}) > 5
    )  # it shows something
    assert board.problems() == []


def test_the_pdf_needs_the_server_and_says_so(show: Show) -> None:
    board = show(hash_="#from=2025-06-10&to=2025-06-19")
    link = board.find("#board-report")
    assert link.get_attribute("href") is None
    link.click()
    said = board.find("#board-status").text
    assert said.endswith("analytics report --type monthly --period 2025-06-10..2025-06-19")
