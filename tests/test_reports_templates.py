"""Every template on the made-up warehouse, whose names are hostile: its pages, figures, parameters, empty periods."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import reports_warehouse as made_up
from openpyxl import load_workbook
from PIL import Image
from selenium import webdriver
from selenium.webdriver import ChromeOptions
from selenium.webdriver.chrome.service import Service

from conftest import analytics, select
from ingest import warehouse
from reports import figures, sections
from reports.edition import Edition
from reports.errors import ReportUsageError
from reports.period import parse
from reports.registry import find, registered_reports
from reports.render import Rendered, render_report

PRINTED = ["daily", "weekly", "monthly", "products", "customers", "quality"]
PERIODS = {"daily": "2025-06-30", "weekly": "2025-W26", "quality": "2025-06"}
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with the made-up warehouse; the tests of this module share it."""
    with made_up.filled_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def made(home: Path) -> dict[str, Rendered]:
    """All printed reports, of their newest periods."""
    return {name: render_report(name) for name in PRINTED}


def pdf_text(file: Path, *options: str) -> str:
    done = subprocess.run(["pdftotext", *options, file, "-"], capture_output=True, text=True, check=True)
    return done.stdout


def html_text(file: Path) -> str:
    body = file.read_text(encoding="utf-8")
    body = re.sub(r"<style.*?</style>", "", body[body.index("<main") :], flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_registered_reports_are_these() -> None:
    reports = registered_reports()
    assert list(reports) == [*PRINTED, "dashboard"]
    for name in PRINTED:
        assert reports[name].formats == ("pdf", "html", "xlsx")
        assert set(reports[name].workbook) <= set(sections.SECTIONS)
        assert reports[name].models


@pytest.mark.parametrize("name", PRINTED)
def test_pages_are_filled_headed_and_stay_within_their_margins(
    made: dict[str, Rendered], tmp_path: Path, name: str
) -> None:
    rendered = made[name]
    assert rendered.period == PERIODS.get(name, "2025-06")
    pdf = rendered.paths["pdf"]
    pages = pdf_text(pdf, "-layout").split("\f")[:-1]
    label = find(name).label
    for number, page in enumerate(pages, start=1):
        assert page.startswith(f"{label} · ")
        assert f"Page {number} of {len(pages)}" in page
    subprocess.run(["pdftoppm", "-r", "50", "-gray", "-png", pdf, tmp_path / "p"], check=True)
    for image in tmp_path.glob("p-*.png"):
        with Image.open(image) as picture:
            width, height = picture.size
            down, across = np.nonzero(np.asarray(picture.convert("L")) < 128)
        assert len(down) > 500, image  # not blank
        assert across.min() > 0.08 * width
        assert across.max() < 0.92 * width, image
        assert down.max() < 0.97 * height
    info = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    assert f"Title:           {label} · " in info
    assert re.search(r"Tagged: +yes", info)
    raw = pdf.read_bytes()
    assert b"/Lang(en)" in raw
    assert b"pdfuaid" in raw  # says of itself that it keeps to PDF/UA
    assert b"/Outlines" in raw  # bookmarks
    assert b"/URI" not in raw
    figures_drawn = raw.count(b"/S/Figure") + raw.count(b"/S /Figure")
    assert raw.count(b"/Alt(") >= figures_drawn


@pytest.mark.parametrize("name", PRINTED)
def test_hostile_names_show_as_text_everywhere(made: dict[str, Rendered], name: str) -> None:
    page = Elements()
    page.feed(made[name].paths["html"].read_text(encoding="utf-8"))
    assert not {"script", "b", "i", "iframe", "object"} & {tag for tag, _ in page.found}
    for tag, attributes in page.found:
        for attribute, value in attributes.items():
            assert not attribute.startswith("on"), (tag, attribute)
            if attribute in ("src", "href"):
                assert str(value).startswith(("data:", "#")), (tag, value)
    book = load_workbook(made[name].paths["xlsx"])
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert str(cell.value).startswith(("=SUBTOTAL(109,", "=IF(OR(")), (
                        sheet.title,
                        cell.value,
                    )


def test_ugly_segments_and_stores_show_as_themselves(made: dict[str, Rendered]) -> None:
    monthly = load_workbook(made["monthly"].paths["xlsx"], data_only=True)
    assert made_up.UGLY_STORE in [cell.value for cell in monthly["Stores"]["A"]]
    assert made_up.UGLY_SEGMENT in [cell.value for cell in monthly["Segments"]["A"]]
    text = re.sub(r"\s", "", pdf_text(made["customers"].paths["pdf"], "-raw"))
    assert re.search(r"=1\+1\d+", text)
    assert re.search(r"First(\d+)Last<\1>", text)


# ------------------------------------------------------------------------------------------ figures equal SQL

FACTS = """
    select
        sum(total_amount), count(distinct (sale_date, source_name, transaction_code)),
        count(distinct customer_id) filter (where customer_id <> 0), sum(quantity),
        sum(total_amount - quantity * unit_cost)
    from marts.fact_sales
    join marts.dim_products using (product_id)
    join marts.dim_stores using (store_id)
    join marts.dim_channels using (channel_id)
    join marts.dim_customers using (customer_id)
    where sale_date between '{first}' and '{last}' and {condition}
"""


@pytest.mark.parametrize("name", ["weekly", "monthly", "products", "customers"])
def test_headlines_equal_sql_now_before_and_a_year_ago(
    home: Path, made: dict[str, Rendered], name: str
) -> None:
    period = parse(made[name].period)
    sheet = load_workbook(made[name].paths["xlsx"], data_only=True)["Summary"]
    shown = {row[0]: row[1:] for row in sheet.iter_rows(min_row=5, values_only=True)}
    for column, window in ((0, period), (1, period.previous()), (3, period.year_before())):
        ((sales, transactions, customers, units, profit),) = select(
            home, FACTS.format(first=window.first, last=window.last, condition="true")
        )
        assert shown["Sales"][column] == float(str(sales))
        assert shown["Transactions"][column] == transactions
        assert shown["Customers"][column] == customers
        assert shown["Units sold"][column] == units
        assert shown["Profit"][column] == pytest.approx(float(str(profit)))
        average = float(str(sales)) / int(str(transactions))
        assert shown["Average value"][column] == pytest.approx(average)
    text = pdf_text(made[name].paths["pdf"], "-layout")
    ((sales, *_),) = select(home, FACTS.format(first=period.first, last=period.last, condition="true"))
    assert re.search(rf"Sales +£{sales:,} ", text)


FILTERS = {
    "store": ("Riverside", "store_name = 'Riverside'"),
    "category": ("Garden", "category = 'Garden'"),
    "channel": ("E-mail", "channel_name = 'E-mail'"),
    "segment": ("Trade", "segment = 'Trade'"),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_leaves_its_part_of_the_business(home: Path, name: str) -> None:
    value, condition = FILTERS[name]
    edition = Edition.of(find("monthly"), period="2025-06", **{name: value})
    row = figures.totals(edition.period, edition.only)
    assert row is not None
    ((sales, transactions, customers, units, profit),) = select(
        home, FACTS.format(first="2025-06-01", last="2025-06-30", condition=condition)
    )
    assert row["total_sales"] == float(str(sales))
    assert (row["total_transactions"], row["total_customers"], row["units_sold"]) == (
        transactions,
        customers,
        units,
    )
    assert row["profit"] == pytest.approx(float(str(profit)))
    for section in ("products", "stores", "segments", "sales_channels", "categories"):
        table = sections.SECTIONS[section](edition)
        assert sum(table.frame["sales"]) <= float(str(sales)) + 0.001  # type: ignore[index]
        if section != "products":
            assert sum(table.frame["sales"]) == pytest.approx(float(str(sales)))  # type: ignore[index]


def test_unfiltered_figures_are_those_of_a_filter_that_leaves_everything(home: Path) -> None:
    period = parse("2025-06")
    metrics = figures.days(period)
    by_store = [
        figures.days(period, figures.Filters(store=store))
        for store in ("High Street", "Riverside", made_up.UGLY_STORE, "Online")
    ]
    for column in ("total_sales", "units_sold", "profit", "new_customers"):
        total = sum(frame[column] for frame in by_store)
        if column == "new_customers":  # who bought in two stores on the first day is new in both
            assert (total >= metrics[column]).all()
        else:
            assert np.allclose(total, metrics[column])


def test_a_filtered_report_says_so_on_each_page(home: Path) -> None:
    made = render_report("weekly", "2025-06-25", ["pdf", "xlsx"], {"store": "S2", "segment": "Trade"})
    text = pdf_text(made.paths["pdf"], "-layout")
    assert text.count("· store S2 · segment Trade") >= text.count("\f")
    assert "of every store: contacts are not kept by store" in re.sub(r"\s+", " ", text)
    cover = [cell.value for row in load_workbook(made.paths["xlsx"])["Cover"].iter_rows() for cell in row]
    assert {"Only store: S2", "Only segment: Trade"} <= set(cover)


# ------------------------------------------------------------------------------------------ parameters


def test_locale_currency_and_paper_are_followed(home: Path) -> None:
    made = render_report(
        "monthly",
        None,
        ["pdf", "xlsx"],
        {"period": "2025-05", "locale": "de_DE", "currency": "€", "paper": "us-letter"},
    )
    ((sales, *_),) = select(home, FACTS.format(first="2025-05-01", last="2025-05-31", condition="true"))
    german = f"{sales:,}".replace(",", "x").replace(".", ",").replace("x", ".")
    text = pdf_text(made.paths["pdf"], "-layout").replace("\u00a0", " ")
    assert re.search(rf"Sales +{re.escape(german)} € ", text)
    assert "Mai 2025" in text
    assert "£" not in text
    info = subprocess.run(["pdfinfo", made.paths["pdf"]], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Page size: +612 x 792 pts", info)
    sheet = load_workbook(made.paths["xlsx"])["Summary"]
    assert sheet["B5"].number_format == '#,##0.00\u00a0"€";-#,##0.00\u00a0"€"'
    assert sheet.page_setup.paperSize == 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"store": "Nowhere"},
            r"there is no store 'Nowhere'; there are: High Street, Online, Riverside, Station",
        ),
        ({"category": "'; drop table"}, r"there is no category .*; there are: .*Garden, Kitchen"),
        ({"segment": "x"}, r"there is no segment 'x'; there are: =1\+1, Private, Trade"),
        ({"channel": "x"}, r"there is no channel 'x'; there are: Chat"),
        ({"locale": "xx"}, r"there is no locale 'xx'"),
        ({"paper": "a3"}, r"there is no paper 'a3'; there are: a4, us-letter"),
        ({"period": "June"}, r"'June' is not a period: write it as 2025-06-30, 2025-W26"),
        ({"period": "2025-06", "date": "2025-06-30"}, r"give a date or a period, not both"),
        (
            {"colour": "x"},
            r"the report daily has no parameter colour; it has: category, channel, currency, date",
        ),
    ],
)
def test_a_wrong_parameter_lists_what_there_is(home: Path, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(ReportUsageError, match=message):
        render_report("daily", formats=["html"], parameters=parameters)


def test_a_parameter_that_a_report_does_not_have_is_refused(home: Path) -> None:
    with pytest.raises(
        ReportUsageError, match=r"quality has no parameter store; it has: currency, date, locale"
    ):
        render_report("quality", formats=["html"], parameters={"store": "Online"})


def test_the_command_ends_with_two_and_says_what_there_is(home: Path) -> None:
    for arguments, message in (
        (["--type", "dialy"], "there are: daily, weekly, monthly, products, customers, quality, dashboard"),
        (["--type", "daily", "--store", "x"], "there are: High Street"),
        (["--type", "daily", "--date", "2025-02-30"], "2025-02-30"),
        ([], "there are: daily, weekly"),
    ):
        done = analytics("report", *arguments, home=home)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    done = analytics("report", "--type", "daily", "--period", "2025-06-29", "--format", "html", home=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("daily/2025-06-29/daily.html")


@pytest.mark.parametrize("name", PRINTED)
def test_a_period_without_data_says_so_and_is_still_a_good_page(home: Path, name: str) -> None:
    made = render_report(name, "1999-12-31")
    text = re.sub(r"\s+", " ", pdf_text(made.paths["pdf"]))
    assert re.search(r"No data for this (day|period)", text)
    assert re.search(r"(metrics|Loads) cover \d+ \w+ 202\d to ", text)
    assert made.report_id in text
    book = load_workbook(made.paths["xlsx"], data_only=True)
    assert book["Cover"]["B3"].value == find(name).label


def test_a_period_that_is_not_over_stands_beside_as_many_days(home: Path) -> None:
    edition = Edition.of(find("weekly"), date="2025-06-30")  # a Monday, the newest day
    assert edition.period == parse("2025-06-30..2025-06-30")
    assert [str(c.period.last) for c in edition.comparisons] == ["2025-06-23", "2024-07-01"]
    text = html_text(render_report("weekly", "2025-06-30", ["html"]).paths["html"])
    assert "This week is not over Sales are known up to 30 Jun 2025" in text


def test_the_state_of_data_and_tests_stands_on_the_first_page(home: Path, made: dict[str, Rendered]) -> None:
    first_page = re.sub(r"\s+", " ", pdf_text(made["daily"].paths["pdf"]).split("\f")[0])
    assert "Data last arrived on 30 Jun 2025, 22:04 UTC" in first_page
    # Two tests of its models passed; the one that failed is another model's.
    assert (
        "All 2 tests of the models behind this report passed (last run 1 Jul 2025, 05:00 UTC)" in first_page
    )
    quality = re.sub(r"\s+", " ", pdf_text(made["quality"].paths["pdf"], "-raw"))
    assert "some_other_model elsewhere fail 3 Got 3 results" in quality


def test_remarks_say_what_moved_and_why(home: Path, made: dict[str, Rendered]) -> None:
    text = html_text(made["monthly"].paths["html"])
    ((now, *_),) = select(home, FACTS.format(first="2025-06-01", last="2025-06-30", condition="true"))
    ((before, *_),) = select(home, FACTS.format(first="2025-05-01", last="2025-05-31", condition="true"))
    ratio = abs(float(str(now)) / float(str(before)) - 1)
    assert f"Sales of £{now:,} were {ratio:.1%}" in text
    found = re.search(
        r"Of the difference of (\S+) on the month before, (\S+) come .* and (\S+) from their", text
    )
    assert found
    difference, volume, worth = (float(re.sub("[£,]", "", part).replace("−", "-")) for part in found.groups())
    assert difference == pytest.approx(float(str(now)) - float(str(before)), abs=0.006)
    assert volume + worth == pytest.approx(difference, abs=0.011)
    assert "Sun 22 Jun was unusual: £0.00" in text  # the closed day


def test_remarks_follow_the_models_of_anomalies_and_trends_where_they_are_built(home: Path) -> None:
    with closing(warehouse.connect("transformer")) as connection, connection:
        connection.cursor().execute(
            "create table metrics.metrics_anomalies as select 'total_sales' as metric, 'total' as dimension,"
            " date '2025-06-12' as metric_date, 99.5 as value, 300.25 as expected, -9.0 as score, 'low' as verdict;"
            "create table metrics.metrics_trends as select 'total_sales' as metric, 'total' as dimension,"
            " date '2025-06-30' as last_day, 28 as window_days, 12.5 as slope, 'up' as direction"
        )
    try:
        text = html_text(render_report("monthly", None, ["html"]).paths["html"])
        assert "Thu 12 Jun was unusual: £99.50, where such days before it led to expect £300.25." in text
        assert "Sun 22 Jun was unusual" not in text
        assert "Over the last 28 days sales went up by £12.50 a day" in text
        text = html_text(render_report("monthly", None, ["html"], {"store": "Online"}).paths["html"])
        assert "£300.25" not in text  # the models speak of the whole business
    finally:
        with closing(warehouse.connect("transformer")) as connection, connection:
            connection.cursor().execute("drop table metrics.metrics_anomalies, metrics.metrics_trends")


# ------------------------------------------------------------------------------------------ in a browser


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("Chromium or its driver is missing (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, Service(str(DRIVER)))
    yield browser
    browser.quit()


@pytest.mark.parametrize("name", PRINTED)
def test_html_fetches_nothing_fits_a_phone_and_follows_dark_mode(
    driver: webdriver.Chrome, made: dict[str, Rendered], name: str
) -> None:
    backgrounds = set()
    for width, scheme in ((1280, "light"), (390, "dark")):
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        driver.get("about:blank")
        for kind in ("browser", "performance"):
            driver.get_log(kind)
        driver.get(made[name].paths["html"].as_uri())
        assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        assert driver.get_log("browser") == []
        urls = re.findall(r'"url\\?":\\?"(\w+):', str(driver.get_log("performance")))
        assert not {url for url in urls if url not in ("file", "data", "about")}
        backgrounds.add(driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
        assert driver.execute_script("return [...document.images].every(i => i.naturalWidth > 0)")
        assert driver.execute_script(
            "return [...document.querySelectorAll('figure img')].every(i => i.alt.length > 20)"
        )
    assert len(backgrounds) == 2
