"""Reports: from command to PDF, laying out ten pages, a workbook of a million rows."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks._home import fill_with_demo, own_home

DAILY_SECONDS, LAYOUT_SECONDS, MEMORY_MIB = 8.0, 3.0, 300
PAGES = 10
ROWS = 1_000_000

# In a process of its own, whose peak of memory is that of the task. A plain CSV of the same rows is its peer.
STREAM = """
import csv, sys, time
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
from reports import workbook
from reports.archive import Manifest
from reports.edition import Edition
from reports.figures import Coverage
from reports.period import parse
from reports.registry import find
from reports.tables import Column, Kind, Table
rows, folder, what = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
file = folder / "rows.parquet"
names = ["code", "product", "store", "day", "units", "price", "amount"]
if not file.exists():
    schema = pa.schema([("code", pa.string()), ("product", pa.string()), ("store", pa.string()),
                        ("day", pa.timestamp("us")), ("units", pa.int64()), ("price", pa.float64()),
                        ("amount", pa.float64())])
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, rows, 10_000):
            n = range(start, start + 10_000)
            columns = [[f"S{i}" for i in n], [f"Product {i % 4000}" for i in n],
                       [f"Store {i % 9}" for i in n],
                       [1_700_000_000_000_000 + i * 1_000_000 for i in n], [i % 7 for i in n],
                       [i % 100 / 4 for i in n], [i % 7 * (i % 100) / 4 for i in n]]
            arrays = [pa.array(c).cast(t) for c, t in zip(columns, schema.types)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
kinds = [Kind.TEXT, Kind.TEXT, Kind.TEXT, Kind.MOMENT, Kind.COUNT, Kind.MONEY, Kind.MONEY]
columns = [Column(name, name, kind, summed=name in ("units", "amount")) for name, kind in zip(names, kinds)]
period = parse("2025-06-30")
table = Table("lines", "Lines", "Lines", file, columns, totals="All")
started = time.monotonic()
if what == "xlsx":
    edition = Edition(find("daily"), period, Coverage(period.first, period.last))
    paper = {"paper": "a4"}
    manifest = Manifest("trial", "daily", "Daily", period.key, period.key, paper, "", "", {}, "", "", "", "")
    workbook.write([table], edition, manifest, folder / "rows.xlsx")
elif what == "csv":
    with (folder / "rows.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        for batch in table.batches():
            writer.writerows(batch)
# Not getrusage: the process that starts this one counts there.
status = Path("/proc/self/status").read_text()
print(time.monotonic() - started, int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""


def main() -> None:
    """Measure on the demo's data, in a home of its own."""
    with own_home() as home:
        fill_with_demo(home)
        _command_to_pdf()
        _ten_pages(home)
        _million_rows(home)


def _command_to_pdf() -> None:
    """The whole command, in the processes that a user starts; the second time, when files are in memory."""
    program = Path(sys.executable).with_name("analytics")
    command = [program, "report", "--type", "daily", "--format", "pdf"]
    best = min(_timed(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(3))
    _show("daily report, from command to PDF", best, DAILY_SECONDS)


def _ten_pages(home: Path) -> None:
    """A report of ten pages: its cells apart from all that follows them."""
    from reports.render import bundled, document, kernel
    from reports.results import Results

    source = home / "long.qmd"
    monthly = (Path(__file__).parents[1] / "reports" / "monthly.qmd").read_text(encoding="utf-8")
    head, body = monthly.split("## The month in figures", 1)
    again = body.replace("label: fig-", "label: fig-again-")
    source.write_text(head + "## The month in figures" + body + "\n## Once more\n" + again, encoding="utf-8")
    read = document.read(source)
    folder = home / "long"
    folder.mkdir()
    started = time.monotonic()
    (folder / "results").mkdir()
    executed = kernel.run(read, env=Results(folder / "results").variables)
    cells = time.monotonic() - started
    meta = {"subtitle": "Trial", "report-id": "trial-1", "papersize": "a4"}
    for formats in (["pdf"], ["pdf", "html"]):
        best = min(_timed(lambda: bundled.lay_out(read, executed, formats, folder, meta)) for _ in range(3))  # noqa: B023
        pdf = folder / "long.pdf"
        info = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
        pages = int(info.split("Pages:")[1].split()[0])
        name = f"{pages} pages as {' and '.join(formats)}, beyond their cells ({cells:.1f} s)"
        _show(name, best, LAYOUT_SECONDS * pages / PAGES)


def _million_rows(home: Path) -> None:
    def run(rows: int, what: str) -> tuple[float, float]:
        command = [sys.executable, "-c", STREAM, str(rows), home, what]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, memory = done.stdout.split()
        return float(seconds), float(memory)

    run(ROWS, "rows")
    csv_seconds, csv_memory = run(ROWS, "csv")
    seconds, memory = run(ROWS, "xlsx")
    name = f"workbook of {ROWS:,} rows, peak memory (CSV: {csv_memory:.0f} MiB)"
    print(f"  {name:<64} {memory:5.0f} MiB  {memory / MEMORY_MIB:.2f} of {MEMORY_MIB} MiB")
    name = f"workbook of {ROWS:,} rows, time"
    print(f"  {name:<64} {seconds:7.1f} s   {seconds / csv_seconds:.1f} × CSV")


def _timed(task: Callable[[], object]) -> tuple[float, float]:
    """The seconds that a task takes, and those of them that it and its processes work."""

    def worked() -> float:
        usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    started, before = time.monotonic(), worked()
    task()
    return time.monotonic() - started, worked() - before


def _show(what: str, taken: tuple[float, float], limit: float) -> None:
    seconds, worked = taken
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(
        f"  {what:<64} {seconds:5.1f} s    {seconds / limit:.2f} of {limit:.1f} s   "
        f"({worked:.1f} s of work; load {load:.1f} a core)"
    )
