"""The embedded Postgres: started on demand, shared, surviving, recovering; and a server of the user's own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
import pytest

from conftest import analytics, free_port, remove_home, select
from ingest import warehouse


def server_pid() -> int:
    return int((Path(warehouse.place()) / "pgdata" / "postmaster.pid").read_text().split()[0])


def test_it_starts_on_demand_and_survives_the_process_that_started_it(home: Path) -> None:
    assert analytics("warehouse", "status", home=home).returncode == 1
    done = analytics("sql", "--format", "csv", "select 6 * 7 as answer", home=home)
    assert done.stdout == "answer\n42\n", done.stderr
    assert analytics("warehouse", "status", home=home).returncode == 0
    assert select(home, "select current_user, current_setting('TimeZone')") == [("analytics_reader", "UTC")]
    assert analytics("warehouse", "stop", home=home).stdout == "Stopped.\n"
    assert analytics("warehouse", "status", home=home).returncode == 1
    assert analytics("warehouse", "stop", home=home).stdout == "It was not running.\n"


def test_two_processes_may_start_it_at_once(home: Path) -> None:
    code = "from ingest import warehouse; print(warehouse.start())"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert sorted(process.communicate(timeout=60)[0].strip() for process in started) == [
        "False",
        "False",
        "True",
    ]


@pytest.mark.parametrize("victim", ["postmaster", "backend"])
def test_it_recovers_after_kill_9(home: Path, victim: str) -> None:
    connection = warehouse.connect("loader")
    with connection, connection.cursor() as cursor:
        cursor.execute("create table staging.kept as select generate_series(1, 1000) as n")
    pid = server_pid() if victim == "postmaster" else connection.get_backend_pid()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            assert select(home, "select count(*) from staging.kept", "loader") == [(1000,)]
            break
        except psycopg2.OperationalError:  # the server is restarting by itself
            time.sleep(0.1)
    else:
        pytest.fail("the warehouse did not come back")


def test_a_pid_file_of_another_program_does_not_stop_it(home: Path) -> None:
    warehouse.start()
    os.kill(server_pid(), signal.SIGKILL)
    pid_file = Path(warehouse.place()) / "pgdata" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert select(home, "select 1") == [(1,)]


def test_two_homes_do_not_disturb_each_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Path(tempfile.mkdtemp(prefix="analytics-test-"))
    other.chmod(0o755)
    try:
        for folder in (home, other):
            monkeypatch.setenv("ANALYTICS_HOME", str(folder))
            with warehouse.connect("loader") as connection, connection.cursor() as cursor:
                cursor.execute(f"create table staging.whose as select '{folder}' as home")
        assert select(home, "select home from staging.whose", "loader") == [(str(home),)]
        assert select(other, "select home from staging.whose", "loader") == [(str(other),)]
    finally:
        remove_home(other)


def test_a_home_that_the_servers_user_cannot_enter_works_too(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Path(tempfile.mkdtemp(prefix="analytics-test-"))  # mode 0700
    monkeypatch.setenv("ANALYTICS_HOME", str(closed / ("a" * 60)))
    try:
        assert select(Path(os.environ["ANALYTICS_HOME"]), "select 1") == [(1,)]
        place = Path(warehouse.place())
    finally:
        remove_home(Path(os.environ["ANALYTICS_HOME"]))
    if os.geteuid() == 0:
        assert place.parent == warehouse.SHARED_STATE
        subprocess.run(["rm", "-rf", place], check=True)


def test_the_roles_may_do_what_their_work_needs_and_no_more(home: Path) -> None:
    loader, transformer = warehouse.connect("loader"), warehouse.connect("transformer")
    with loader, loader.cursor() as cursor:
        cursor.execute("create table staging.rows as select 1 as n; create table ops.loads as select 1 as n")
    with transformer, transformer.cursor() as cursor:
        cursor.execute("create table marts.fact as select n from staging.rows")
    assert select(home, "select fact.n, loads.n from marts.fact, ops.loads") == [(1, 1)]
    for sql in (
        "select * from staging.rows",
        "insert into marts.fact values (2)",
        "create table ops.x (n int)",
    ):
        with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction)):
            select(home, sql)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        select(home, "set transaction read write; insert into marts.fact values (2)")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        select(home, "insert into staging.rows values (2)", "transformer")


def test_the_port_and_password_of_a_server_of_ones_own_are_used(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second cluster, listening on TCP with passwords, plays the user's server."""
    port = free_port()
    monkeypatch.setitem(warehouse.SETTINGS, "listen_addresses", "127.0.0.1")
    real_pg_ctl = warehouse._pg_ctl
    monkeypatch.setattr(
        warehouse,
        "_pg_ctl",
        lambda *a: real_pg_ctl(*(f"{part} -c port={port}" if part.startswith("-k ") else part for part in a)),
    )
    real_settings = warehouse.settings
    monkeypatch.setattr(warehouse, "settings", lambda role: real_settings(role) | {"port": port})
    warehouse.start()
    with psycopg2.connect(**warehouse.settings("loader") | {"user": "postgres"}) as connection:
        cursor = connection.cursor()
        cursor.execute("alter role analytics_reader password 'läse:n/@'")
        cursor.execute("show hba_file")
        (hba,) = cursor.fetchone() or ("",)
        Path(hba).write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        cursor.execute("select pg_reload_conf()")
    own = {
        "ANALYTICS_PG_HOST": "127.0.0.1",
        "ANALYTICS_PG_PORT": str(port),
        "ANALYTICS_READER_PASSWORD": "läse:n/@",
    }
    sql = ("sql", "--format", "csv", "select inet_server_port() as port")
    done = analytics(*sql, home=home, **own)
    assert done.stdout == f"port\n{port}\n", done.stderr
    refused = analytics(*sql, home=home, **own | {"ANALYTICS_READER_PASSWORD": "wrong"})
    assert refused.returncode == 1
    assert f"the warehouse at 127.0.0.1:{port} cannot be reached" in refused.stderr
    assert "Traceback" not in refused.stderr
