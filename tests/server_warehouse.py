"""For the tests of the server: the made-up warehouse with keys, values of metrics and users, and a server process on it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import reports_warehouse as made_up
import requests

from conftest import ROOT, analytics
from ingest import warehouse

KEYS = {
    "marts.fact_sales": "sale_id",
    "marts.fact_interactions": "interaction_id",
    "marts.dim_products": "product_id",
    "marts.dim_stores": "store_id",
    "marts.dim_channels": "channel_id",
    "marts.dim_customers": "customer_id",
    "metrics.metrics_daily": "metric_date",
    "metrics.metrics_products": "product_id, metric_date",
}
# As the build makes it: by period, in all and by dimension.
VALUES = """
create table metrics.metrics_values (
    metric text, grain text, period date, period_end date, dimension text, dimension_value text,
    value double precision not null, definition text not null, load_id bigint,
    primary key (metric, dimension, dimension_value, grain, period)
);
insert into metrics.metrics_values
with
parts as (
    select sale_date, total_amount, 'total' as dimension, 'total' as dimension_value from marts.fact_sales
    union all
    select sale_date, total_amount, 'store__store_name', store_name
    from marts.fact_sales inner join marts.dim_stores using (store_id)
    union all
    select sale_date, total_amount, 'product__category', category
    from marts.fact_sales inner join marts.dim_products using (product_id)
),
grains (grain, unit, length) as (
    values
    ('day', 'day', interval '1 day'), ('week', 'week', interval '7 days'),
    ('month', 'month', interval '1 month'), ('quarter', 'quarter', interval '3 months'),
    ('fiscal_year', 'year', interval '1 year')
)
select
    'total_sales', grain, date_trunc(unit, sale_date)::date,
    (date_trunc(unit, sale_date) + length - interval '1 day')::date, dimension, dimension_value,
    sum(total_amount), 'x', 4
from parts cross join grains
group by 2, 3, 4, 5, 6;
"""
PASSWORD = "correct horse battery"


def fill() -> None:
    """Create and fill the tables in the warehouse of the current ANALYTICS_HOME."""
    made_up.fill()
    keys = ";".join(f"alter table {table} add primary key ({key})" for table, key in KEYS.items())
    with closing(warehouse.connect("transformer")) as connection, connection:
        connection.cursor().execute(keys)
        connection.cursor().execute(VALUES)


def execute(role: warehouse.Role, sql: str, values: Any = None) -> None:
    """Change something in the warehouse of the current ANALYTICS_HOME."""
    with closing(warehouse.connect(role)) as connection, connection:
        connection.cursor().execute(sql, values)


def rows(sql: str, values: Any = None, role: warehouse.Role = "reader") -> list[tuple[Any, ...]]:
    """The rows of a query: what the server's answers are compared with."""
    with closing(warehouse.connect(role)) as connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def announce(load_id: int = 5) -> None:
    """What the end of a build does (dbt_project/macros/builds.sql)."""
    execute(
        "transformer",
        """
        create table if not exists ops.builds (
            build_id bigint generated always as identity primary key, load_id bigint not null,
            models integer not null, is_whole boolean not null,
            finished_at timestamptz not null default clock_timestamp()
        );
        insert into ops.builds (load_id, models, is_whole) values (%s, 1, true);
        select pg_notify('analytics_build', '');
        """,
        (load_id,),
    )


class Server:
    """A server process; `session` talks to it."""

    def __init__(self, home: Path, *arguments: str) -> None:
        command = Path(sys.executable).with_name("analytics")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANALYTICS_", "DESK_"))}
        self.log = (home / "server.log").open("w+")
        self.process = subprocess.Popen(
            [command, "serve", "--port", "0", *arguments],
            cwd=ROOT, env=environment | {"ANALYTICS_HOME": str(home)}, stdout=subprocess.PIPE,
            stderr=self.log, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://(\S+)", line)
        assert found, line + (home / "server.log").read_text()
        self.address = found[1]
        self.url = f"http://{self.address}"
        self.session = requests.Session()
        self.until(lambda: self.get("/api/v1/health").status_code == 200)

    def get(self, path: str, token: str = "", **more: Any) -> requests.Response:
        headers = more.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return requests.get(self.url + path, headers=headers, timeout=60, **more)

    def json(self, path: str, token: str = "", **more: Any) -> Any:
        answer = self.get(path, token, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def text(self) -> str:
        """What it has logged."""
        self.log.flush()
        return Path(self.log.name).read_text()

    @staticmethod
    def until(condition: Any, seconds: float = 20) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come to hold"
            time.sleep(0.05)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.log.close()


def embedded_data(page: requests.Response) -> Any:
    """The data that a dashboard's page holds."""
    found = re.search(r'id="board-data">(.*?)</script>', page.text, re.DOTALL)
    assert found, page.text[:500]
    return json.loads(found[1])


class Events:
    """The stream of events, read as a browser does."""

    def __init__(self, server: Server, token: str = "") -> None:
        self.answer = server.get("/events", token, stream=True)
        self.lines = self.answer.iter_lines(decode_unicode=True)

    def next(self) -> tuple[str, dict[str, Any]]:
        name = ""
        for line in self.lines:
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                return name, json.loads(line[6:])
        raise AssertionError("the stream ended")


@contextmanager
def served(home: Path, *arguments: str) -> Iterator[Server]:
    server = Server(home, *arguments)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def add_user(home: Path, name: str, role: str, *only: str) -> str:
    """Add a user by the command; returns a token of theirs."""
    limits = [part for text in only for part in ("--only", text)]
    added = subprocess.run(
        [Path(sys.executable).with_name("analytics"), "user", "add", name, "--role", role, "--password-stdin", *limits],
        input=PASSWORD + "\n", env=os.environ | {"ANALYTICS_HOME": str(home)}, capture_output=True, text=True,
        check=False, cwd=ROOT,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    done = analytics("user", "token", "add", name, home=home)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
