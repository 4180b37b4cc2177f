"""The dashboard: size of its page, time to the first tile, time of a filter click, at 60,000 cells."""

import gzip
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._home import fill_with_demo, own_home
from reports.render import render_report

SIZE, FIRST_TILE, REPAINT = 3_000_000, 1000.0, 100.0  # bytes, milliseconds, milliseconds
LOADS, CLICKS = 5, 12
PERIODS = {364: "52 weeks", 0: "two years"}
PAGES = ("overview", "sales", "products", "customers", "interactions")
# From the click to the frame that follows, in turn choosing and freeing each value of a filter's menu. What an empty
# click costs here is measured too: a busy machine shows in it.
CLICK = """
const done = arguments[arguments.length - 1], dimension = arguments[0], clicks = arguments[1];
const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
(async () => {
  const times = [];
  for (let i = 0; i < clicks; i++) {
    const boxes = dimension ? document.querySelectorAll(`[data-filter="${dimension}"] input`) : [document.createElement("input")];
    const box = boxes[(i >> 1) % boxes.length];
    await frame();
    const start = performance.now();
    box.click();
    await frame();
    times.push(performance.now() - start);
  }
  done(times);
})();
"""


def main() -> None:
    """Measure on the demo's data, in a home of its own."""
    with own_home() as home:
        fill_with_demo(home)
        measure(render_report("dashboard").paths["html"])


def measure(page: Path) -> None:
    """Print what a rendered page costs in headless Chromium."""
    from selenium import webdriver
    from selenium.webdriver import ChromeOptions
    from selenium.webdriver.chrome.service import Service

    _show("page, gzipped", len(gzip.compress(page.read_bytes())), SIZE, "bytes")
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1440,900",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(flag)
        driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
        try:
            firsts = []
            for _ in range(LOADS):
                driver.get("about:blank")
                driver.get(f"file://{page}")
                firsts.append(
                    driver.execute_script("return performance.getEntriesByName('board-tiles')[0].startTime")
                )
            cells = driver.execute_script(
                "return JSON.parse(document.getElementById('board-data').textContent).rows.sales.day.length"
            )
            _show(f"first tile, {cells:,} cells", statistics.median(firsts), FIRST_TILE, "ms")
            driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
            _show_clicks(driver, "a click that changes nothing", "")
            for days, period in PERIODS.items():
                for name in PAGES:
                    driver.get("about:blank")
                    driver.get(f"file://{page}#days={days}&page={name}")
                    _show_clicks(driver, f"filter click, {name}, {period}", "store")
        finally:
            driver.quit()


def _show_clicks(driver: Any, what: str, dimension: str) -> None:
    """The time that passes, and that of the page's thread alone, which other programs do not lengthen."""
    before = _thread_time(driver)
    times = driver.execute_async_script(CLICK, dimension, CLICKS)
    thread = (_thread_time(driver) - before) / CLICKS
    _show(f"{what} ({thread:.0f} ms of CPU)", statistics.median(times), REPAINT, "ms")


def _thread_time(driver: Any) -> float:
    """Milliseconds that the page's main thread has worked."""
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return 1000 * next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def _show(what: str, value: float, limit: float, unit: str) -> None:
    verdict = "" if value <= limit else "   over its limit"
    print(f"  {what:<58} {value:>12,.0f} {unit:<5} limit {limit:,.0f}{verdict}", flush=True)
