"""Landing sales lines from a CSV file: raw COPY of the same file is the limit; plain dlt and pandas are peers.

Ours is the whole way of a row: read, mapped, five rules, quarantine, compared with what is there, copied, counted
where it landed. Peers only copy. Each runs in a process of its own, on a warehouse of its own; the time is from
the call to its return, without the start of Python, and memory is the most that the process held. Seconds of CPU
are those of the process and of the server together: on a machine with other work they tell more than the time.
"""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import duckdb

from ingest import warehouse

LINES = [int(n) for n in os.environ.get("BENCH_LINES", "1_000_000 10_000_000").split()]
PEER_LINES = 100_000  # what the slow peers copy; their time is taken times the rest
SOURCES = """\
sources:
  shop:
    kind: csv
    path: {folder}/inbox/*.csv
    feeds:
      sales:
        columns:
          sale_code: sale_no
          transaction_code: receipt_no
          product_code: sku
          customer_code: customer_no
          store_code: shop
          channel_code: channel
          sold_at: sold_at
          quantity: qty
          unit_price: price
          discount_amount: discount
        rules:
          price_not_negative: "unit_price >= 0"
          quantity_plausible: "quantity between -1000 and 1000"
          discount_below_price: "discount_amount <= quantity * unit_price"
          store_known: "store_code like 'shop-%'"
          channel_known: "channel_code in ('web', 'till', 'phone')"
"""
TABLE = """\
create table staging.raw_copy (
    sale_no text, receipt_no text, sku text, customer_no text, shop text, channel text, sold_at timestamp,
    qty integer, price numeric(10, 2), discount numeric(10, 2), note text{key}
)
"""
TIMED = """
import json, resource, sys, time
from benchmarks.ingest import cpu_seconds
{setup}
cpu, started = cpu_seconds(), time.monotonic()
{work}
seconds = time.monotonic() - started
cpu = cpu_seconds() - cpu
print(json.dumps([seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
START = "from ingest import warehouse\nwarehouse.start()"
OURS = (
    f"from ingest import DataIngestion\n{START}\nimport ingest.landing",
    "for outcome in DataIngestion().run():\n    print(outcome.summary(), file=sys.stderr)\n    assert not outcome.error",
)
COPY = (
    f"import subprocess\n{START}",
    "subprocess.run([warehouse.tool('psql'), '-q', '-v', 'ON_ERROR_STOP=1', '-c', {table!r}, '-c', {copy!r},"
    " warehouse.url('loader')], check=True)",
)
DLT = (
    f"import csv, dlt\n{START}",
    "def sales():\n    yield from csv.DictReader(open({file!r}))\n"
    "dlt.pipeline('plain', destination=dlt.destinations.postgres(warehouse.url('loader')), dataset_name='plain')"
    ".run(sales, table_name='sales')",
)
PANDAS = (
    f"import pandas, sqlalchemy\n{START}",
    "engine = sqlalchemy.create_engine(warehouse.url('loader', 'postgresql+psycopg2'))\n"
    "pandas.read_csv({file!r}).to_sql('pandas_sales', engine, schema='staging', if_exists='append', index=False)",
)


class Cost(NamedTuple):
    """What a run took: time, CPU, and the most memory that its process held."""

    seconds: float
    cpu: float
    megabytes: float


def main() -> None:
    """Print seconds, ratios to raw COPY, and peak memory, for each number of lines."""
    for lines in LINES:
        folder = Path(tempfile.mkdtemp(prefix="analytics-bench-"))
        folder.chmod(0o755)
        try:
            _measure(folder, lines)
        finally:
            _stop(folder)
            shutil.rmtree(folder)


def _measure(folder: Path, lines: int) -> None:
    (folder / "inbox").mkdir()
    (folder / "sources.yml").write_text(SOURCES.format(folder=folder))
    file, small = folder / "inbox" / "a.csv", folder / "small.csv"
    grown, later = folder / "grown.csv", folder / "later.csv"
    write_sales(file, lines)
    write_sales(grown, lines, lines // 100)
    write_sales(later, lines, lines // 50)
    write_sales(small, PEER_LINES)
    copy = f"\\copy staging.raw_copy from '{file}' (format csv, header)"
    empty = "drop table if exists staging.raw_copy"
    size = file.stat().st_size / 2**20
    print(f"{lines:,} lines, {size:,.0f} MB")
    prepared = (f"{START}\nfrom ingest.staging import create_tables", "create_tables()")
    _run(folder, prepared)
    raw: Cost | None = None
    for key, name in (("", "raw COPY"), (", primary key (sale_no)", "raw COPY with its key")):
        _run(folder, COPY, table=empty, copy=TABLE.format(key=key))
        cost = _run(folder, COPY, table="select", copy=copy)
        raw = raw or cost
        _say(name, cost, raw)
    _run(folder, COPY, table=empty, copy="select")
    assert raw is not None
    first = _run(folder, OURS)
    _say("ours, first load", first, raw)
    _say("the same file again", _run(folder, OURS), raw)
    for name, new in (("1 % of it new", grown), ("another 1 % new", later)):
        os.replace(new, file)
        cost = _run(folder, OURS)
        _say(name, cost, raw)
        print(
            f"  {'':<34}{cost.seconds / first.seconds:7.0%} of the first load's time, {cost.cpu / first.cpu:.0%} of its CPU"
        )
    for name, peer in (("plain dlt", DLT), ("pandas to_sql", PANDAS)):
        cost, times = _run(folder, peer, file=str(small)), lines / PEER_LINES
        cost = Cost(cost.seconds * times, cost.cpu * times, cost.megabytes)
        _say(f"{name} (from {PEER_LINES:,} lines)", cost, raw)


def write_sales(file: Path, lines: int, new: int = 0) -> None:
    """Sales lines of some 90 bytes; one in a thousand breaks a rule, and the last ``new`` of them differ from
    those of a file without."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select
                    'S' || lpad((i + if(i >= {lines - new}, {lines}, 0))::varchar, 9, '0') as sale_no,
                    'R' || lpad((i // 3)::varchar, 8, '0') as receipt_no,
                    'SKU-' || lpad((hash(i) % 5000)::varchar, 5, '0') as sku,
                    'C' || lpad((hash(i // 3) % 100000)::varchar, 6, '0') as customer_no,
                    'shop-' || (hash(i // 3 + 1) % 20)::varchar as shop,
                    ['web', 'till', 'phone'][1 + (hash(i // 3 + 2) % 3)::int] as channel,
                    strftime(timestamp '2023-01-01' + to_seconds(i % 94608000), '%Y-%m-%d %H:%M:%S') as sold_at,
                    1 + hash(i + 3) % 5 as qty,
                    if(hash(i + 4) % 1000 = 0, -1, 100 + hash(i + 5) % 9900)::decimal(12, 2) / 100 as price,
                    if(hash(i + 6) % 10 = 0, 0.5, null)::decimal(10, 2) as discount,
                    'note ' || (hash(i + 7) % 100000)::varchar as note
                from range({lines}) as numbers (i)
            ) to '{file}' (format csv, header)
            """
        )


def cpu_seconds() -> float:
    """Seconds of CPU that this process, what it started, and the warehouse's server have taken so far."""
    time.sleep(0.3)  # a backend that just ended is counted when the server has taken note of it
    own = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    postmaster = (Path(warehouse.place()) / "pgdata" / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended meanwhile
            fields = stat.read_text().rpartition(")")[2].split()
            if stat.parent.name == postmaster:
                ticks += sum(map(int, fields[11:15]))  # with those of its children that ended
            elif fields[1] == postmaster:
                ticks += sum(map(int, fields[11:13]))
    return own + ticks / os.sysconf("SC_CLK_TCK")


def _run(folder: Path, program: tuple[str, str], **values: str) -> Cost:
    setup, work = program
    text = TIMED.format(setup=setup, work=work.format(**values) if values else work)
    variables = {"ANALYTICS_HOME": str(folder / "home"), "ANALYTICS_SOURCES": str(folder / "sources.yml")}
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", text],
        env=os.environ | variables | quiet,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def _say(name: str, cost: Cost, raw: Cost) -> None:
    print(
        f"  {name:<34}{cost.seconds:7.2f} s {cost.seconds / raw.seconds:7.2f} x raw COPY"
        f"{cost.cpu:8.2f} s of CPU {cost.cpu / raw.cpu:7.2f} x{cost.megabytes:8,.0f} MB",
        flush=True,
    )


def _stop(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "from ingest import warehouse; warehouse.stop()"],
        env=os.environ | {"ANALYTICS_HOME": str(folder / "home")},
        check=True,
    )
