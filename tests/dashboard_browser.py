"""The dashboard of the made-up warehouse, rendered once, and a headless browser that opens it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import homes
import pytest

if TYPE_CHECKING:
    from selenium import webdriver
    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--force-device-scale-factor=1",
]  # fmt: skip
DESKTOP, TABLET, PHONE = (1440, 900), (1024, 768), (390, 844)
PAGES = ("overview", "sales", "products", "customers", "interactions", "data-quality")
# Metrics of the semantic layer as a build leaves them; `largest_sale` is no measure of the page.
METRICS_VALUES = """
create table metrics.metrics_values as
select
    metric, grain, date_trunc(grain, sale_date)::date as period, dimension, dimension_value,
    case metric when 'largest_sale' then max(total_amount) else sum(total_amount) end::double precision as value
from marts.fact_sales
join marts.dim_stores using (store_id)
cross join (values ('largest_sale'), ('margin_of_dreams')) as metrics (metric)
cross join (values ('day'), ('week'), ('month')) as grains (grain)
cross join lateral (values ('total', 'total'), ('store__store_name', store_name)) as parts (dimension, dimension_value)
group by 1, 2, 3, 4, 5
"""
SCREENSHOTS = Path(__file__).resolve().parents[1] / "data" / "screenshots"


@pytest.fixture(scope="session")
def dashboard_home() -> Iterator[Path]:
    """A home with the made-up warehouse and the page."""
    folder = homes.copy_of("dashboard", _render_dashboard)
    yield folder
    homes.remove_home(folder)


def _render_dashboard(home: Path) -> None:
    import reports_warehouse as made_up

    from ingest import warehouse
    from reports.render import render_report

    made_up.fill()
    with closing(warehouse.connect("transformer")) as connection, connection:
        connection.cursor().execute(METRICS_VALUES)
    render_report("dashboard")


@pytest.fixture(scope="session")
def dashboard_page(dashboard_home: Path) -> Path:
    """The rendered page."""
    (page,) = dashboard_home.glob("reports/dashboard/*/dashboard.html")
    return page


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[webdriver.Chrome]":
    """A headless Chromium that logs its console and its requests."""
    from selenium import webdriver
    from selenium.webdriver import ChromeOptions
    from selenium.webdriver.chrome.service import Service

    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("Chromium or its driver is missing (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def show(browser: "webdriver.Chrome", dashboard_page: Path) -> "Callable[..., Board]":
    """Opens the page as a file."""

    def open_board(size: tuple[int, int] = DESKTOP, *, dark: bool = False, hash_: str = "") -> Board:
        return Board(browser, f"file://{dashboard_page}{hash_}", size, dark=dark)

    return open_board


class Board:
    """An open dashboard."""

    def __init__(
        self, driver: "webdriver.Chrome", address: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False
    ) -> None:
        self.driver = driver
        self.resize(*size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        driver.get("about:blank")
        for kind in ("browser", "performance"):
            driver.get_log(kind)  # what came before is no concern of this page
        driver.get(address)
        self.wait(lambda: self.script("return document.documentElement.dataset.ready === 'true'"))

    def resize(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def wait(self, condition: Callable[[], Any], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the page did not get there in time"
            time.sleep(0.05)

    def find(self, selector: str) -> "WebElement":
        return self.driver.find_element("css selector", selector)

    def find_all(self, selector: str) -> "list[WebElement]":
        return self.driver.find_elements("css selector", selector)

    def button(self, text: str, within: str = "body") -> "WebElement":
        (found,) = [b for b in self.find_all(f"{within} button") if b.is_displayed() and b.text == text]
        return found

    def go(self, page: str) -> None:
        """Turn to a page."""
        self.script(
            "for (const label of document.querySelectorAll('.board-pages > .tabs > label'))"
            " if (label.textContent.trim().toLowerCase().replace(' ', '-') === arguments[0]) label.click()",
            page,
        )
        self.wait(lambda: page == "overview" or f"page={page}" in self.driver.current_url)

    def tile(self, measure: str) -> str:
        """The value of a measure's tile that is in sight."""
        return self.tiles()[measure]

    def tiles(self) -> dict[str, str]:
        """The values of the tiles that are in sight."""
        found: dict[str, str] = self.script(
            "return Object.fromEntries([...document.querySelectorAll('[data-tile]')]"
            ".filter((tile) => tile.offsetParent).map((tile) => [tile.dataset.tile, tile.innerText]))"
        )
        return found

    def content(self, kind: str, name: str) -> Any:
        """What a chart or table shows, as its script has it."""
        return self.script(
            "return JSON.parse(JSON.stringify(document.querySelector(arguments[0]).content,"
            " (_, value) => ArrayBuffer.isView(value) ? [...value] : value))",
            f'[data-{kind}="{name}"]',
        )

    def bars(self, chart: str) -> dict[str, float]:
        """The bars of a chart, by name, in their order."""
        return {row["name"]: row["value"] for row in self.content("chart", chart)["rows"]}

    def bar(self, chart: str, name: str) -> "WebElement":
        bars = self.find_all(f'[data-chart="{chart}"] .bar')
        (found,) = [bar for bar in bars if bar.get_attribute("data-name") == name]
        return found

    def click_bar(self, chart: str, name: str) -> None:
        """A real click into the middle of a bar's row."""
        from selenium.webdriver import ActionChains

        bar = self.bar(chart, name)
        self.script("arguments[0].scrollIntoView({block: 'center'})", bar)
        ActionChains(self.driver).move_to_element(bar).click().perform()

    def menu(self, kind: str, name: str, item: str) -> None:
        """Choose an item of a card's menu."""
        section = f'[data-{kind}="{name}"]'
        summary = self.find(f"{section} .menu summary")
        self.script("arguments[0].scrollIntoView({block: 'center'})", summary)
        summary.click()
        self.button(item, f"{section} .menu").click()

    def cells(self, name: str) -> list[list[str]]:
        """The texts of a table that are in sight, row by row."""
        rows = self.find_all(f'[data-table="{name}"] tbody tr')
        return [[cell.text for cell in row.find_elements("css selector", "th, td")] for row in rows]

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page under data/."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        width = self.script("return window.innerWidth")
        height = self.script("return window.innerHeight")
        self.resize(width, self.script("return document.documentElement.scrollHeight"))
        self.driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))
        self.resize(width, height)

    def problems(self) -> list[str]:
        """Warnings and errors of the console, and all requests but the page's own."""
        console = [
            e["message"] for e in self.driver.get_log("browser") if e["level"] in ("WARNING", "SEVERE")
        ]
        requests = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                requests.append(message["params"]["request"]["url"])
        return console + [url for url in requests if not url.startswith(("file://", "data:", "blob:"))]
