"""The dashboard in a real browser, opened as a file: its figures equal SQL, its charts answer, nothing is fetched."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import reports_warehouse as made_up
from selenium import webdriver
from selenium.webdriver import ActionChains, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from conftest import make_home, remove_home, select
from reports.dashboard import Dashboard
from reports.render import render_report

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--force-device-scale-factor=1",
]  # fmt: skip
DESKTOP, PHONE = (1400, 900), (390, 844)
LAST = date.fromisoformat(made_up.LAST_DAY)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = make_home()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYTICS_HOME", str(folder))
        made_up.fill()
        yield folder
    remove_home(folder)


@pytest.fixture(scope="module")
def page(home: Path) -> Path:
    return render_report("dashboard").paths["html"]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("Chromium or its driver is missing (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, Service(str(DRIVER)))
    yield browser
    browser.quit()


class Board:
    """An open dashboard."""

    def __init__(
        self, driver: webdriver.Chrome, page: Path, size: tuple[int, int], *, dark: bool, hash_: str
    ) -> None:
        self.driver = driver
        width, height = size
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        driver.get("about:blank")
        for kind in ("browser", "performance"):
            driver.get_log(kind)  # what came before is no concern of this page
        driver.get(f"file://{page}{hash_}")
        self.wait(lambda: self.script("return document.documentElement.dataset.ready === 'true'"))
        self.wait(lambda: self.script("return Bokeh.documents.every((d) => d.is_idle)"))

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def wait(self, condition: Callable[[], Any], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the page did not get there in time"
            time.sleep(0.05)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def tiles(self) -> dict[str, str]:
        names = ("sales", "transactions", "average", "new", "interactions")
        return {name: self.find(f"#tile-{name}").text for name in names}

    def choose(self, period: str) -> None:
        (button,) = [
            b for b in self.driver.find_elements(By.CSS_SELECTOR, ".periods button") if b.text == period
        ]
        button.click()
        self.wait(lambda: button.get_attribute("aria-pressed") == "true")

    def model(self, chart: str, code: str) -> Any:
        """Evaluate code with `chart` and `source` bound to a chart's models."""
        find = "const all = Bokeh.documents.map((d) => d.get_model_by_name(arguments[0])).filter((m) => m);"
        roots = "const source = all[0], chart = source.document.roots()[0];"
        return self.script(f"{find}{roots} return {code};", chart)

    def point(self, chart: str, x: str, y: str) -> tuple[int, int]:
        """Where a place of a chart, given in its data's terms, is in the window."""
        code = f"""(() => {{
            const view = [...Bokeh.index.roots].find((v) => v.model === chart);
            const box = view.frame.bbox, area = view.el.getBoundingClientRect();
            return [area.left + view.frame.x_scale.compute({x}), area.top + view.frame.y_scale.compute({y})];
        }})()"""
        left, top = self.model(chart, code)
        return round(left), round(top)

    def move_to(self, left: int, top: int, *, click: bool = False) -> None:
        actions = ActionChains(self.driver)
        actions.w3c_actions.pointer_action.move_to_location(left, top)
        if click:
            actions.click()
        actions.perform()

    def tooltip(self) -> str:
        """The text of the tooltip that is open, through all shadow roots."""
        code = """
            const texts = [];
            const walk = (node) => {
                if (node.shadowRoot) walk(node.shadowRoot);
                if (node.classList && node.classList.contains("bk-tooltip-content")) texts.push(node.innerText);
                for (const child of node.children || []) walk(child);
            };
            walk(document.body);
            return texts.join(" ");
        """
        return str(self.script(code)).replace("\n", " ")

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
        pages = [url for url in requests if url.startswith("file://")]
        assert len(pages) == 1, pages
        return console + [url for url in requests if not url.startswith(("file://", "data:"))]


@pytest.fixture
def show(driver: webdriver.Chrome, page: Path) -> Callable[..., Board]:
    def open_board(size: tuple[int, int] = DESKTOP, *, dark: bool = False, hash_: str = "") -> Board:
        return Board(driver, page, size, dark=dark, hash_=hash_)

    return open_board


def truth(home: Path, days: int | None) -> dict[str, str]:
    """What the tiles should show for the last days, according to SQL."""
    since = f"> date '{LAST}' - {days}" if days else "is not null"
    ((sales, transactions, new),) = select(
        home,
        "select sum(total_sales), sum(total_transactions), sum(new_customers) from metrics.metrics_daily "
        f"where metric_date {since}",
    )
    ((interactions,),) = select(
        home, f"select count(*) from marts.fact_interactions where interaction_date::date {since}"
    )
    assert isinstance(sales, Decimal)
    return {
        "sales": f"£{sales:,}",
        "transactions": f"{transactions:,}",
        "average": f"£{sales / Decimal(str(transactions)):,.2f}",
        "new": f"{new:,}",
        "interactions": f"{interactions:,}",
    }


def bars(home: Path, days: int) -> dict[str, float]:
    rows = select(
        home,
        "select category, sum(revenue) from metrics.metrics_products join marts.dim_products using (product_id) "
        f"where metric_date > date '{LAST}' - {days} group by 1",
    )
    return {str(name): float(str(amount)) for name, amount in rows}


def test_it_opens_from_a_file_with_sqls_figures_and_asks_for_nothing(
    home: Path, show: Callable[..., Board]
) -> None:
    board = show()
    assert board.tiles() == truth(home, 28)
    assert board.model(
        "categories", "Object.fromEntries(source.data.name.map((n, i) => [n, source.data.value[i]]))"
    ) == (bars(home, 28))
    assert board.find(".periods output").text == "3 Jun 2025 – 30 Jun 2025"
    assert board.problems() == []


def test_a_period_changes_tiles_and_charts_and_is_kept_in_the_address(
    home: Path, show: Callable[..., Board]
) -> None:
    board = show()
    board.choose("7 days")
    assert board.tiles() == truth(home, 7)
    assert board.find("#tile-sales-change").text.endswith("on the 7 days before")
    names = board.model("categories", "[...source.data.name]")
    values = board.model("categories", "[...source.data.value]")
    assert dict(zip(names, values, strict=True)) == bars(home, 7)
    assert values == sorted(values, reverse=True)
    start = board.model("sales", "chart.x_range.start")
    first = (LAST - timedelta(days=6) - date(1970, 1, 1)).days
    assert first - 1 < start / 86_400_000 < first
    assert board.driver.current_url.endswith("#days=7")
    again = show(hash_="#days=7")
    assert again.tiles() == truth(home, 7)
    again.choose("All")
    assert again.tiles() == truth(home, None)
    assert again.find("#tile-sales-change").text == "no comparison"
    again.driver.back()
    again.wait(lambda: again.tiles() == truth(home, 7))
    assert again.problems() == []


def test_the_page_says_the_same_without_its_script(
    home: Path, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Dashboard(LAST)
    assert {name: board.tile(name).value for name in truth(home, 28)} == truth(home, 28)
    html = page.read_text(encoding="utf-8")
    for name, value in truth(home, 28).items():
        assert f'<span id="tile-{name}">{value}</span>' in html


def test_pointing_at_a_bar_shows_its_figures_and_a_hostile_name_as_text(
    home: Path, show: Callable[..., Board]
) -> None:
    board = show()
    ((sales,),) = select(home, f"select total_sales from metrics.metrics_daily where metric_date = '{LAST}'")
    day = (LAST - date(1970, 1, 1)).days * 86_400_000
    board.move_to(*board.point("sales", str(day), "chart.y_range.end / 10"))
    board.wait(lambda: "Mon 30 Jun 2025" in board.tooltip())
    assert f"£{sales:,}" in board.tooltip()
    board.script("document.getElementById('chart-categories').scrollIntoView({block: 'center'})")
    board.move_to(*board.point("categories", "chart.x_range.end / 20", "'<i>Odd</i> & Co'"))
    board.wait(lambda: "<i>Odd</i> & Co" in board.tooltip())
    assert board.problems() == []


def test_a_click_in_the_legend_hides_and_shows_a_series(show: Callable[..., Board]) -> None:
    board = show()
    hidden = "chart.renderers.map((r) => r.visible)"
    place = """(() => {
        const view = [...Bokeh.index.roots].find((v) => v.model === chart);
        const walk = (v) => v.model.type === "Legend" ? v : [...v.children()].map(walk).find((x) => x);
        const area = walk(view).el.getBoundingClientRect();
        return [area.left + area.width / 4, area.top + area.height / 2];
    })()"""
    left, top = board.model("sales", place)
    assert board.model("sales", hidden) == [True, True]
    board.move_to(round(left), round(top), click=True)
    board.wait(lambda: board.model("sales", hidden) == [False, True])
    board.move_to(round(left), round(top), click=True)
    board.wait(lambda: board.model("sales", hidden) == [True, True])


def test_dragging_moves_the_chart_and_reset_brings_it_back(show: Callable[..., Board]) -> None:
    board = show()
    start = board.model("sales", "chart.x_range.start")
    left, top = board.point(
        "sales",
        "chart.x_range.start + (chart.x_range.end - chart.x_range.start) / 2",
        "chart.y_range.end / 2",
    )
    actions = ActionChains(board.driver)
    actions.w3c_actions.pointer_action.move_to_location(left, top).pointer_down().move_to_location(
        left + 200, top
    )
    actions.w3c_actions.pointer_action.pointer_up()
    actions.perform()
    board.wait(lambda: board.model("sales", "chart.x_range.start") < start)
    board.model("sales", "chart.reset.emit()")
    board.wait(lambda: board.model("sales", "chart.x_range.start") == start)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_fits_the_screen(show: Callable[..., Board], size: tuple[int, int]) -> None:
    board = show(size)
    assert board.script("return document.documentElement.scrollWidth") <= size[0]
    cards = board.driver.find_elements(By.CSS_SELECTOR, ".board-card")
    assert len(cards) == 9
    for card in cards:
        assert card.rect["width"] > 0.35 * min(size[0], 400)
        assert card.rect["x"] >= 0
        assert card.rect["x"] + card.rect["width"] <= size[0]
    charts = [board.find(f"#chart-{name}").rect for name in ("categories", "channels")]
    beside = charts[0]["y"] == charts[1]["y"]
    assert beside == (size == DESKTOP)
    assert board.problems() == []


def test_dark_mode_darkens_page_and_charts(show: Callable[..., Board]) -> None:
    found = []
    for dark in (False, True):
        board = show(dark=dark)
        page = board.script("return getComputedStyle(document.body).backgroundColor")
        labels = board.model("sales", "chart.left[0].major_label_text_color")
        found.append((brightness(page) > 128, labels))
    assert found == [(True, "#5f6f7f"), (False, "#98a6b3")]


def brightness(colour: str) -> float:
    red, green, blue = (int(part) for part in colour[4:-1].split(",")[:3])
    return (red + green + blue) / 3


def test_the_page_is_small_enough_to_mail(page: Path) -> None:
    assert page.stat().st_size < 2_000_000
    assert page.read_text(encoding="utf-8").count("BokehJS") < 20  # the library is in it once
