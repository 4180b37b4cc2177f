"""Live: from a new file in the inbox to changed pixels in an open browser, with Dagster's sensors running.

ANALYTICS_BENCH_FILES asks for another number of files. Each is told when the tile shows it to the penny; beside it
stand how long its run waited, landed and built, and how busy the machine was meanwhile.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks._home import fill_with_demo, own_home

FILES = int(os.environ.get("ANALYTICS_BENCH_FILES") or 20)
LIMIT, LONGEST = 15.0, 300.0  # seconds
PAUSES = (20.0, 27.0, 31.0, 24.0)  # seconds between files; reports of the one before are still being made
LINES, PRICE = 20, 10.0
HEAD = "sale_no,receipt_no,sku,customer_no,shop,channel,sold_at,qty,price,discount"
# Notes the frame in which the tile of sales is painted anew.
WATCH = """
window.painted = [];
const tile = document.querySelector('[data-tile="sales"]');
let last = tile.textContent;
new MutationObserver(() => {
  if (tile.textContent === last) return;
  last = tile.textContent;
  const text = last;
  requestAnimationFrame(() => setTimeout(() => window.painted.push([Date.now() / 1000, text]), 0));
}).observe(tile, { childList: true, characterData: true, subtree: true });
return last;
"""


def main() -> None:
    """Measure on the demo's data, in a home of its own."""
    with own_home(PYTHONWARNINGS="ignore") as home, tempfile.TemporaryDirectory() as profile:
        fill_with_demo(home)
        with (
            _process(home, "serve", "--port", "0") as served,
            _process(home, "dev", "--port", "0") as _,
            _browser(profile) as driver,
        ):
            address = re.findall(r"http://\S+", served.stdout.readline())[0]  # type: ignore[union-attr]
            _until(lambda: _has_looked(home), 300)
            _until(lambda: _is_open(driver, f"{address}/dashboards/dashboard/"), 120)
            amount = _amount(driver.execute_script(WATCH))
            taken = []
            print(f"  {'file':<6}{'pixels':>9}{'queued':>9}{'landed':>9}{'built':>9}   load a core")
            for number in range(FILES):
                amount = round(amount + LINES * PRICE, 2)
                taken.append(_one(driver, home, number, amount))
                time.sleep(PAUSES[number % len(PAUSES)])
    taken.sort()
    p95 = taken[min(len(taken) - 1, int(len(taken) * 0.95))]
    print(
        f"  file to pixels: median {taken[len(taken) // 2]:.1f} s, p95 {p95:.1f} s   {p95 / LIMIT:.2f} of {LIMIT:.0f} s"
    )


def _one(driver: Any, home: Path, number: int, amount: float) -> float:
    """Let a file arrive, and wait until the page shows it; returns the seconds that this took."""
    lines = [
        f"LIVE{number}-{line},LIVE{number},KC-1020,C12531,LDN,web,31/12/2025 09:01,1,{PRICE:.2f},0.00"
        for line in range(LINES)
    ]
    draft = home / "draft.csv"
    draft.write_text("\n".join([HEAD, *lines]) + "\n")
    draft.rename(home / "demo" / "shop" / f"live-{number}.csv")
    moved = time.time()

    def shown() -> list[float]:
        painted = driver.execute_script("return window.painted")
        return [when for when, text in painted if _amount(text) == amount]

    _until(shown, LONGEST)
    seconds = shown()[0] - moved
    parts = "".join(f"{part:>9.1f}" for part in _parts(moved))
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f"  {number + 1:<6}{seconds:>9.1f}{parts}   {load:.1f}", flush=True)
    return seconds


def _parts(moved: float) -> list[float]:
    """After how many seconds the load of the file began and ended, and the build was announced."""
    from ingest import warehouse

    sql = """
        select started_at, finished_at,
            (select min(builds.finished_at) from ops.builds where builds.load_id >= loads.load_id)
        from ops.loads where source_file like %s order by load_id desc limit 1
    """
    with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
        cursor.execute(sql, ("%live-%",))
        (row,) = cursor.fetchall()
    times = [time if time.tzinfo else time.replace(tzinfo=UTC) for time in row if isinstance(time, datetime)]
    return [when.timestamp() - moved for when in times]


def _has_looked(home: Path) -> bool:
    """Whether Dagster's daemon has looked into the inbox."""
    return "Sensor inbox skipped" in (home / "dev.log").read_text(errors="replace")


def _is_open(driver: Any, page: str) -> bool:
    """Whether the page is drawn; the first one of a home may still be in the making."""
    driver.get(page)
    for _ in range(20):
        if driver.execute_script("return document.documentElement.dataset.ready") == "true":
            return True
        time.sleep(0.5)
    print(f"  not drawn: {driver.title}: {driver.find_element('tag name', 'body').text[:300]}")
    return False


def _amount(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def _until(condition: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not come to hold")
        time.sleep(0.1)


@contextmanager
def _process(home: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """`analytics …` in a session of its own, ended with all that it started."""
    with (home / f"{arguments[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("analytics"), *arguments],
            stdout=subprocess.PIPE if arguments[0] == "serve" else log, stderr=log, text=True,
            start_new_session=True, restore_signals=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def _browser(profile: str) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver import ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    flags: Sequence[str] = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1440,900")
    for flag in (*flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()
