"""The database connector on a real MariaDB, started by the tests on a folder and a port of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import make_home
from ingest.connectors import Delivery, SourceError, database

SERVER = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
INSTALL = shutil.which("mariadb-install-db")
pytestmark = pytest.mark.skipif(
    not (SERVER and INSTALL), reason="there is no MariaDB here: apt-get install mariadb-server"
)
PASSWORD = "s/cr:t@1"


def rows(delivery: Delivery) -> list[dict[str, Any]]:
    return [row for batch in delivery.batches() for row in batch.to_pylist()]


def read(place: dict[str, Any], since: str | None = None) -> list[dict[str, Any]]:
    (delivery,) = database.deliveries(place, since)
    return rows(delivery)


class MariaDb:
    """A server of its own with the database `shop`, and its URL for a user who may do anything there."""

    def __init__(self, folder: Path) -> None:
        user = "mysql" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        data, self.socket = folder / "data", folder / "s"
        identity = [f"--user={user}", f"--datadir={data}"]
        data.mkdir()
        if os.geteuid() == 0:
            for path in (folder, data):
                shutil.chown(path, user)
        subprocess.run(
            [str(INSTALL), "--no-defaults", *identity, "--auth-root-authentication-method=normal",
             "--skip-test-db"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [str(SERVER), "--no-defaults", *identity, f"--socket={self.socket}", f"--port={self.port}",
                 "--bind-address=127.0.0.1", f"--pid-file={data}/pid", "--innodb-buffer-pool-size=32M",
                 "--innodb-log-file-size=8M"],
                stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                self("create database shop character set utf8mb4", database=None)
                break
            except pymysql.err.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((folder / "log").read_text()) from None
                time.sleep(0.1)
        self(f"create user me@'127.0.0.1' identified by '{PASSWORD}'")
        self("grant all on shop.* to me@'127.0.0.1'")
        self.url = f"mariadb://me:s%2Fcr%3At%401@127.0.0.1:{self.port}/shop"

    def __call__(self, *statements: str, database: str | None = "shop") -> list[tuple[Any, ...]]:
        connection = pymysql.connect(
            unix_socket=str(self.socket), user="root", database=database, autocommit=True
        )
        with closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDb]:
    folder = make_home()  # of a short path, which a socket needs
    server = None
    try:
        server = MariaDb(folder)
        yield server
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder)


TYPES = {
    "decimal(30, 10)": ("12345678901234567890.1", "12345678901234567890.1000000000"),
    "double": ("0.1e0 + 0.2e0", "0.3"),
    "bigint unsigned": ("18446744073709551615", "18446744073709551615"),
    "boolean": ("true", "1"),
    "datetime(6)": ("'2024-02-29 13:45:00.5'", "2024-02-29 13:45:00.500000"),
    "timestamp": ("'2024-02-29 13:45:00'", "2024-02-29 13:45:00"),
    "date": ("'2024-02-29'", "2024-02-29"),
    "time": ("'26:03:04'", "26:03:04"),
    "year": ("2024", "2024"),
    "enum('open', 'zu')": ("'zu'", "zu"),
    "json": ("""'{"a": 1.50}'""", '{"a": 1.50}'),
    "varbinary(9)": ("x'00ff'", r"\x00ff"),
    "varchar(20) character set latin1": ("'Größe'", "Größe"),
    "text": ("'€ 😀'", "€ 😀"),
    "varchar(9)": ("''", None),
    "int": ("null", None),
}


@pytest.mark.parametrize("scheme", ["mariadb", "mysql"])
def test_mariadb_types_arrive_as_they_are_kept(mariadb: MariaDb, scheme: str) -> None:
    columns = ", ".join(f"c{number} {type_} null" for number, type_ in enumerate(TYPES))
    values = ", ".join(value for value, _ in TYPES.values())
    mariadb("drop table if exists types", f"create table types ({columns})")
    mariadb("set time_zone = '+00:00'", f"insert into types values ({values})")
    url = mariadb.url.replace("mariadb:", f"{scheme}:")
    for place in ({"table": "types"}, {"table": "shop.types"}, {"query": "select * from types"}):
        (row,) = read({"url": url} | place)
        assert [row[f"c{number}"] for number in range(len(TYPES))] == [text for _, text in TYPES.values()]


def test_a_date_that_is_none_stays_what_the_table_shows(mariadb: MariaDb) -> None:
    mariadb("drop table if exists dates", "create table dates (d date, t datetime)")
    mariadb("set sql_mode = ''", "insert into dates values ('0000-00-00', '2024-02-31 10:00')")
    (row,) = read({"url": mariadb.url, "table": "dates"})
    assert (row["d"], row["t"]) == ("0000-00-00", "0000-00-00 00:00:00")


def test_mariadb_is_only_read(mariadb: MariaDb) -> None:
    mariadb("create table kept (n int)")
    mariadb("create function sneak() returns int begin insert into kept values (1); return 1; end")
    with pytest.raises(SourceError, match="Cannot execute statement in a READ ONLY transaction"):
        read({"url": mariadb.url, "query": "select sneak()"})
    assert mariadb("select count(*) from kept") == [(0,)]


def test_mariadb_keeps_the_rows_until_they_are_asked_for(mariadb: MariaDb) -> None:
    (delivery,) = database.deliveries({"url": mariadb.url, "query": "select seq as n from seq_1_to_1000000"})
    batches = delivery.batches()
    assert len(next(batches)) == 50_000
    doing = "select count(*) from information_schema.processlist where user = 'me'"
    assert mariadb(doing) == [(1,)]
    batches.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10
    while mariadb(doing) != [(0,)] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mariadb(doing) == [(0,)]


@pytest.mark.parametrize(
    ("sql_type", "values", "lag", "greatest", "again"),
    [
        ("datetime", ["2024-05-01 10:00:00", "2024-05-01 11:30:00"], "1h", "2024-05-01 11:30:00", 1),
        ("datetime(3)", ["2024-05-01 10:00", "2024-05-01 10:00:00.25"], "0s", "2024-05-01 10:00:00.250000", 1),
        ("timestamp", ["2024-05-01 10:00", "2024-05-01 11:00"], "2h", "2024-05-01 11:00:00", 2),
        ("date", ["2024-04-30", "2024-05-01"], "1d", "2024-05-01", 2),
        ("bigint", ["9", "10"], "0", "10", 1),
        ("decimal(9, 1)", ["9.5", "10.5"], "1", "10.5", 2),
    ],
)  # fmt: skip
def test_mariadb_cursors(
    mariadb: MariaDb, sql_type: str, values: list[str], lag: str, greatest: str, again: int
) -> None:
    mariadb("drop table if exists Changes", f"create table Changes (c {sql_type})")
    listed = ", ".join(f"('{value}')" for value in values)
    mariadb("set time_zone = '+00:00'", f"insert into Changes values {listed}")
    place = {"url": mariadb.url, "table": "Changes", "cursor": {"column": "c", "lag": lag}}
    (first,) = database.deliveries(place)
    assert (len(rows(first)), first.cursor()) == (2, greatest)
    assert len(read(place, first.cursor())) == again


def test_what_mariadb_refuses_is_told_without_the_password(mariadb: MariaDb) -> None:
    with pytest.raises(SourceError, match="t: the database has no such table"):
        read({"url": mariadb.url, "table": "t"})
    wrong = mariadb.url.replace("/shop", "/other")
    with pytest.raises(SourceError, match=r"t: the database says: .*Access denied for user 'me'") as caught:
        read({"url": wrong, "table": "t"})
    assert PASSWORD not in str(caught.value)
    with pytest.raises(SourceError, match=r"query: the database says: .*Duplicate column name"):
        read({"url": mariadb.url, "query": "select * from (select 1 as no) a, (select 2 as No) b"})


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(st.tuples(TEXT, st.none() | st.decimals(-(10**12), 10**12, places=3), TEXT), max_size=9),
    chunk=st.integers(1, 4),
)
def test_any_mariadb_table_is_read_back_cell_for_cell(
    mariadb: MariaDb, table: list[tuple[Any, ...]], chunk: int
) -> None:
    mariadb(
        "drop table if exists anything",
        "create table anything (no int auto_increment primary key, `a:b` text, `c%` decimal(20, 3), d text)",
    )
    connection = pymysql.connect(
        unix_socket=str(mariadb.socket), user="root", database="shop", autocommit=True
    )
    with closing(connection), connection.cursor() as cursor:
        cursor.executemany("insert into anything values (default, %s, %s, %s)", table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "BATCH_ROWS", chunk)
        found = read({"url": mariadb.url, "query": "select `a:b`, `c%`, d from anything order by no"})
    assert [(row["a:b"], row["c%"], row["d"], row["_line"]) for row in found] == [
        (a or None, None if c is None else str(c), d or None, line)
        for line, (a, c, d) in enumerate(table, start=1)
    ]
