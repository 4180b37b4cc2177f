"""Server: the overview's questions on ten million fact rows, cached and cold, at 200 requests a second.

ANALYTICS_BENCH_ROWS asks for another number of rows. The same statements through psycopg2, and a bare uvicorn
that answers the same bytes, are measured in the same run.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks._home import own_home

ROWS = int(os.environ.get("ANALYTICS_BENCH_ROWS") or 10_000_000)
FIRST, DAYS = date(2024, 1, 1), 730
CACHED_MS, COLD_MS, RATE = 50.0, 300.0, 200
SECONDS = 15
CONNECTIONS = 16

FACTS = """
create table marts.dim_stores as
select n as store_id, 'S' || n as store_code, 'Store ' || n as store_name from generate_series(1, 20) as n;
create table marts.dim_products as
select n as product_id, 'Category ' || n %% 12 as category from generate_series(1, 4000) as n;
create table marts.fact_sales as
select
    n as sale_id, 1 + n %% 4000 as product_id, 1 + n * 7 %% 20 as store_id,
    date '2024-01-01' + (n::bigint * 730 / {rows})::integer as sale_date, 1 + n %% 3 as quantity,
    (1 + n %% 9000 / 100.0)::numeric(10, 2) as total_amount
from generate_series(0, {rows} - 1) as n;
alter table marts.fact_sales add primary key (sale_id);
alter table marts.dim_stores add primary key (store_id);
analyze marts.fact_sales;
create table metrics.metrics_values as
with
days as (
    select sale_date, store_id, category, sum(total_amount) as amount, sum(quantity) as units
    from marts.fact_sales inner join marts.dim_products using (product_id) group by 1, 2, 3
),
parts as (
    select sale_date, 'total' as dimension, 'total' as dimension_value, amount, units from days
    union all select sale_date, 'store__store_name', 'Store ' || store_id, amount, units from days
    union all select sale_date, 'product__category', category, amount, units from days
),
grains (grain, unit, length) as (
    values ('day', 'day', interval '1 day'), ('week', 'week', interval '7 days'),
    ('month', 'month', interval '1 month'), ('fiscal_year', 'year', interval '1 year')
),
sums as (
    select
        grain, date_trunc(unit, sale_date)::date as period,
        (date_trunc(unit, sale_date) + length - interval '1 day')::date as period_end,
        dimension, dimension_value, sum(amount) as amount, sum(units) as units
    from parts cross join grains group by 1, 2, 3, 4, 5
)
select
    metric, grain, period, period_end, dimension, dimension_value,
    (case when metric like '%%units%%' then units else amount end)::double precision as value,
    'x' as definition, 1::bigint as load_id
from sums cross join (
    select unnest(array['total_sales', 'units_sold', 'profit', 'total_transactions', 'avg_transaction_value',
    'total_customers', 'new_customers', 'revenue', 'returned_amount', 'largest_sale', 'interactions']) as metric
) as metrics;
alter table metrics.metrics_values add primary key (metric, dimension, dimension_value, grain, period);
analyze metrics.metrics_values;
""".replace("%%", "%")
BUILDS = """
create table if not exists ops.builds (
    build_id bigint generated always as identity primary key, load_id bigint not null,
    models integer not null, is_whole boolean not null, finished_at timestamptz not null default clock_timestamp()
);
insert into ops.builds (load_id, models, is_whole) values (1, 1, true);
select pg_notify('analytics_build', '');
"""
BARE = """
import sys, uvicorn
body = open(sys.argv[1], "rb").read()
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False, lifespan="off")
"""


def main() -> None:
    """Measure on a warehouse of its own."""
    with own_home() as home:
        started = time.monotonic()
        _execute(FACTS.format(rows=ROWS))
        print(f"  {ROWS:,} fact rows made in {time.monotonic() - started:.0f} s")
        with _process([Path(sys.executable).with_name("analytics"), "serve", "--port", "0"]) as server:
            line = server.stdout.readline()  # type: ignore[union-attr]
            port = int(re.findall(r":(\d+)", line)[-1])
            _wait_for(port)
            _cold(port)
            _exports(port, server.pid)
            _cached(port, home, server.pid)


def overview() -> list[str]:
    """What a page of tiles and charts asks: four weeks and the four before them, by day, store and category."""
    last = FIRST + timedelta(days=DAYS - 1)
    spans = [f"from={last - timedelta(days=27)}&to={last}",
             f"from={last - timedelta(days=55)}&to={last - timedelta(days=28)}"]  # fmt: skip
    names = ("total_sales", "units_sold", "profit", "total_transactions", "total_customers", "new_customers")
    asked = [f"/api/v1/metrics/{name}?{span}" for name in names for span in spans]
    asked += [f"/api/v1/metrics/total_sales?{span}&by={by}" for by in ("store", "category") for span in spans]
    return [*asked, "/api/v1/metrics/total_sales?grain=week", "/api/v1/metrics/total_sales?grain=month&by=store",
            "/api/v1/metrics"]  # fmt: skip


def _cold(port: int) -> None:
    """Each question just after a build, when nothing is remembered; and the statement alone, by psycopg2."""
    from ingest import warehouse

    taken: list[float] = []
    for _ in range(10):
        _build()
        time.sleep(0.5)
        for path in overview():
            started = time.perf_counter()
            _get(port, path)
            taken.append(1000 * (time.perf_counter() - started))
    _show(f"cold, {len(taken)} answers, p95", taken, COLD_MS)
    alone: list[float] = []
    sql = (
        "select period, period_end, dimension_value, value from metrics.metrics_values where metric = %s"
        " and grain = 'day' and dimension = %s and period_end >= '2025-11-03' order by period, dimension_value"
    )
    with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
        for number in range(200):
            dimension = ("total", "store__store_name", "product__category")[number % 3]
            started = time.perf_counter()
            cursor.execute(sql, ("total_sales", dimension))
            cursor.fetchall()
            alone.append(1000 * (time.perf_counter() - started))
    print(f"  {'its peer: a statement by psycopg2, p95':<52} {_p95(alone):8.1f} ms")
    facts: list[float] = []
    for number in range(20):
        started = time.perf_counter()
        _get(port, f"/api/v1/tables/fact_sales?limit=100&filter=sale_id:gt:{number * ROWS // 20}")
        facts.append(1000 * (time.perf_counter() - started))
    _show("a page of the facts by key, cold, p95", facts, COLD_MS)


def _exports(port: int, pid: int) -> None:
    """Half a million rows; a COPY of the same rows is the peer. Memory must not grow with the rows."""
    from ingest import warehouse

    some = min(500_000, ROWS)
    for suffix in ("csv", "parquet"):
        _get(port, f"/api/v1/export/fact_sales.{suffix}?filter=sale_id:lt:1000")
        before, started = _memory(pid), time.perf_counter()
        size = len(_get(port, f"/api/v1/export/fact_sales.{suffix}?filter=sale_id:lt:{some}"))
        seconds = time.perf_counter() - started
        grown = _memory(pid) - before
        with closing(warehouse.connect("reader")) as connection, open(os.devnull, "wb") as sink:
            started = time.perf_counter()
            query = f"select * from marts.fact_sales where sale_id < {some} order by sale_id"
            connection.cursor().copy_expert(f"copy ({query}) to stdout with (format csv)", sink)
            peer = time.perf_counter() - started
        name = f"export of {some:,} rows as {suffix} ({size / 1e6:.0f} MB)"
        print(f"  {name:<52} {seconds:8.1f} s    {seconds / peer:.1f} × COPY, memory +{grown:.0f} MiB")


def _cached(port: int, home: Path, pid: int) -> None:
    """At a fixed rate, whether or not answers come in time; and a bare server that sends the same bytes."""
    paths = overview()
    for path in paths:
        _get(port, path)
    before = _worked(pid)
    ours = asyncio.run(_load(port, paths))
    work = _worked(pid) - before
    _show(f"cached, {RATE} requests/s for {SECONDS} s, p95", ours, CACHED_MS)
    cores = os.cpu_count() or 1
    name = f"its work a second, of {cores} cores"
    print(f"  {name:<52} {work / SECONDS:8.2f} s    {work / SECONDS / cores:.2f} of {cores} s")
    body = home / "body"
    body.write_bytes(_get(port, paths[0]))
    free = port + 1 if port < 65000 else port - 1
    with _process([sys.executable, "-c", BARE, body, str(free)]) as peer:
        _wait_for(free)
        before = _worked(peer.pid)
        bare = asyncio.run(_load(free, paths))
        seconds = (_worked(peer.pid) - before) / SECONDS
    name = "its peer: bare uvicorn, as many bytes, p95"
    print(f"  {name:<52} {_p95(bare):8.1f} ms   ({seconds:.2f} s of work a second)")


async def _load(port: int, paths: Sequence[str]) -> list[float]:
    """Milliseconds from when a request was due until its answer was there."""
    due: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
    taken: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            when, path = await due.get()
            if not path:
                writer.close()
                return
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(re.findall(rb"content-length: (\d+)", head.lower())[0])
            await reader.readexactly(length)
            taken.append(1000 * (time.perf_counter() - when))

    clients = [asyncio.ensure_future(client()) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for number in range(RATE * SECONDS):
        when = started + number / RATE
        if (wait := when - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((when, paths[number % len(paths)]))
    for _ in clients:
        due.put_nowait((0.0, ""))
    await asyncio.gather(*clients)
    return taken


@contextmanager
def _process(command: Sequence[Any]) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        killer = threading.Timer(15, process.kill)
        killer.start()
        process.wait()
        killer.cancel()


def _build() -> None:
    _execute(BUILDS)


def _execute(sql: str) -> None:
    from ingest import warehouse

    with closing(warehouse.connect("transformer")) as connection, connection:
        connection.cursor().execute(sql)


def _get(port: int, path: str) -> bytes:
    import requests

    answer = requests.get(f"http://127.0.0.1:{port}{path}", timeout=300)
    assert answer.status_code == 200, answer.text
    return answer.content


def _wait_for(port: int) -> None:
    import requests

    for _ in range(300):
        try:
            requests.get(f"http://127.0.0.1:{port}/api/v1/health", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing answers on port {port}")


def _worked(pid: int) -> float:
    """The seconds that a process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _p95(taken: Sequence[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)]


def _show(what: str, taken: Sequence[float], limit: float) -> None:
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    p95, middle = _p95(taken), sorted(taken)[len(taken) // 2]
    print(
        f"  {what:<52} {p95:8.1f} ms   {p95 / limit:.2f} of {limit:.0f} ms   (median {middle:.1f}; load {load:.1f} a core)"
    )
