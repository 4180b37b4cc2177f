"""Runs that meet trouble: sources that fail, a mail to the owner, days made again, a run that was killed.

One small home: a shop's files that can be read, a customer database that is missing, a desk that does not answer.
"""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from dagster import AssetKey, DagsterInstance, DagsterRunStatus, RunsFilter

from conftest import ROOT, analytics, free_port, make_home, remove_home, select
from reports.delivery import smtp

FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]
SOURCES = """\
sources:
  shop:
    kind: csv
    path: {home}/shop/*.csv
    schedule: {{cron: "30 5 * * *", timezone: Europe/London}}
    feeds:
      sales:
        columns: {{sale_code: code, product_code: product, sold_at: sold, quantity: quantity, unit_price: price}}
  crm:
    kind: database
    url: sqlite:///{home}/missing.sqlite
    feeds:
      customers:
        table: customers
        columns: {{customer_code: code}}
  desk:
    kind: api
    url: http://127.0.0.1:{port}
    feeds:
      interactions:
        resource: contacts
        columns: {{interaction_code: id, interaction_type: kind, occurred_at: begun}}
"""
EVERYTHING = "select count(*), sum(total_amount) from marts.fact_sales"


def write_day(home: Path, day: date, rows: int) -> Decimal:
    """A file of a day's sales; returns what it is worth."""
    lines = ["code,product,sold,quantity,price"]
    lines += [f"{day}-{n},P{n % 3},{day} 10:{n % 60:02}:00,{1 + n % 2},{n % 7 + 1}.50" for n in range(rows)]
    (home / "shop" / f"{day}.csv").write_text("\n".join(lines) + "\n")
    return sum((Decimal(f"{n % 7 + 1}.50") * (1 + n % 2) for n in range(rows)), Decimal(0))


class Inbox:
    """What a mail server took."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.envelopes: list[tuple[str, list[str]]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[tuple[Inbox, dict[str, str]]]:
    """A real SMTP server on loopback that asks for a login; yields what it took, and the settings for it."""

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"robot", b"secret")
        return AuthResult(success=right)

    inbox = Inbox()
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=check,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield (
            inbox,
            {
                "ANALYTICS_SMTP_HOST": "127.0.0.1",
                "ANALYTICS_SMTP_PORT": str(controller.port),
                "ANALYTICS_SMTP_USER": "robot",
                "ANALYTICS_SMTP_PASSWORD": "secret",
                "ANALYTICS_SMTP_FROM": "Analytics <robot@example.com>",
                "ANALYTICS_OWNER_EMAIL": "owner@example.com",
            },
        )
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def small_home() -> Iterator[Path]:
    folder = make_home()
    (folder / "shop").mkdir()
    (folder / "sources.yml").write_text(SOURCES.format(home=folder, port=free_port()))
    yield folder
    remove_home(folder)


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    settings = {"ANALYTICS_SOURCES": str(home / "sources.yml"), "ANALYTICS_RETRY_SECONDS": "0.2 0.4"}
    return analytics(*arguments, home=home, **settings, **variables)


@contextmanager
def history_of(home: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.from_config(str(home / "dagster")) as instance:
        yield instance


@pytest.fixture(scope="module")
def failed_run(small_home: Path) -> Iterator[tuple[subprocess.CompletedProcess[str], Inbox, Decimal]]:
    """`analytics run` where two of three sources fail."""
    worth = sum((write_day(small_home, day, 40) for day in DAYS), Decimal(0))
    with mail_server() as (inbox, settings):
        yield run(small_home, "run", **settings), inbox, worth


def test_a_source_that_fails_stops_neither_models_nor_reports(
    small_home: Path, failed_run: tuple[subprocess.CompletedProcess[str], Inbox, Decimal]
) -> None:
    done, _, worth = failed_run
    assert done.returncode == 1
    assert select(small_home, EVERYTHING) == [(160, worth)]
    assert select(small_home, "select sum(total_sales) from metrics.metrics_daily") == [(worth,)]
    assert (small_home / "reports" / "daily" / str(DAYS[-1]) / "daily.pdf").is_file()
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("check_landing failed")]
    assert "crm: not landed" in line
    assert "desk: not landed" in line
    with history_of(small_home) as instance:
        (record,) = instance.get_runs(RunsFilter(job_name="everything"))
        assert (record.job_name, record.status) == ("everything", DagsterRunStatus.FAILURE)


def test_only_a_source_that_could_not_be_reached_is_asked_again(
    failed_run: tuple[subprocess.CompletedProcess[str], Inbox, Decimal],
) -> None:
    done = failed_run[0]
    again = re.findall(r"^(\w+): not landed: .*asked again in ([\d.]+) s$", done.stdout, re.MULTILINE)
    assert again == [("desk", "0.2"), ("desk", "0.4")]


def test_one_mail_tells_the_owner_what_failed_and_how_to_repeat_it(
    small_home: Path, failed_run: tuple[subprocess.CompletedProcess[str], Inbox, Decimal]
) -> None:
    _, inbox, _ = failed_run
    (mail,) = inbox.mails
    assert inbox.envelopes == [("robot@example.com", ["owner@example.com"])]
    assert mail["Subject"] == "Analytics: everything failed at check_landing"
    text = str(mail.get_payload(decode=True), "utf-8") if isinstance(mail, Message) else ""
    with history_of(small_home) as instance:
        (record,) = instance.get_runs(RunsFilter(job_name="everything"))
        assert f"http://127.0.0.1:3000/runs/{record.run_id}" in text
    assert "check_landing: crm: not landed: " in text
    assert "Repeat: analytics ingest" in text


def test_a_failure_is_told_once_and_those_of_a_time_together(
    small_home: Path, failed_run: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failed_run
    from operations.housekeeping import TOLD, tell_of_failures

    with history_of(small_home) as instance, mail_server() as (inbox, settings):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        assert tell_of_failures(instance) == 0
        for source in ("crm", "desk"):  # without a mail server in reach
            assert run(small_home, "ingest", "--source", source).returncode == 1
        newest = instance.get_runs(limit=2)
        assert not any(TOLD in record.tags for record in newest)
        assert tell_of_failures(instance) == 2
        assert tell_of_failures(instance) == 0
        (mail,) = inbox.mails
        assert mail["Subject"] == "Analytics: 2 runs failed"


def test_a_failed_source_shows_as_a_failed_check_and_the_others_do_not(
    small_home: Path, failed_run: object
) -> None:
    assert failed_run
    from dagster import AssetCheckKey

    with history_of(small_home) as instance:
        keys = {
            name: AssetCheckKey(AssetKey(["staging", *name.split("/")]), "source_was_read")
            for name in ("sales/shop", "customers/crm", "interactions/desk")
        }
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys.values()))
        passed = {name: found[key].evaluation.passed for name, key in keys.items()}  # type: ignore[union-attr]
        assert passed == {"sales/shop": True, "customers/crm": False, "interactions/desk": False}
        columns = {
            column.name
            for event in [instance.get_latest_materialization_event(AssetKey(["marts", "fact_sales"]))]
            for column in event.asset_materialization.metadata["dagster/column_schema"].schema.columns  # type: ignore
        }
    truth = select(
        small_home,
        "select column_name from information_schema.columns where table_schema = 'marts' and table_name = 'fact_sales'",
    )
    assert columns == {name for (name,) in truth}


def test_a_backfill_makes_each_day_and_resumes_after_a_failure(small_home: Path, failed_run: object) -> None:
    assert failed_run
    reports = small_home / "reports" / "daily"
    obstacle = reports / str(DAYS[1])
    obstacle.write_text("not a folder")
    arguments = ("backfill", "--type", "daily", "--from", str(DAYS[0]))
    done = run(small_home, *arguments)
    assert done.returncode == 1
    assert "4 days, 1 of them made before" in done.stdout  # the newest, by the run
    assert f"1 days failed: {DAYS[1]}" in done.stderr
    assert sorted(path.name for path in reports.iterdir() if path.is_dir()) == [
        str(d) for d in DAYS if d != DAYS[1]
    ]
    obstacle.unlink()
    made_before = (reports / str(DAYS[0]) / "daily.pdf").stat().st_mtime_ns
    done = run(small_home, *arguments)
    assert done.returncode == 0, done.stderr
    assert "4 days, 3 of them made before" in done.stdout
    assert (obstacle / "daily.pdf").is_file()
    assert (reports / str(DAYS[0]) / "daily.pdf").stat().st_mtime_ns == made_before
    with history_of(small_home) as instance:
        assert instance.get_materialized_partitions(AssetKey(["reports", "daily"])) == {
            str(day) for day in DAYS
        }
    (small_home / "recipients.yml").write_text(
        "allowed_domains: [example.com]\ngroups: {management: [ann@example.com]}"
    )
    people = {"ANALYTICS_RECIPIENTS": str(small_home / "recipients.yml")}
    with mail_server() as (inbox, settings):  # the newest day too is sent by nobody but who says so
        again = ("backfill", "--type", "daily", "--from", str(DAYS[-1]), "--again")
        assert run(small_home, *again, **settings, **people).returncode == 0
        assert inbox.mails == []


CALLS = """\
sources:
  erp:
    kind: database
    url: sqlite:///{database}
    feeds:
      interactions:
        table: calls
        cursor: {{column: begun, first_day: 2026-03-01}}
        columns: {{interaction_code: number, interaction_type: kind, occurred_at: begun}}
"""


def test_chosen_days_of_a_source_are_read_from_the_command_line() -> None:
    home = make_home()
    database, sources = home / "erp.sqlite", home / "sources.yml"
    sources.write_text(CALLS.format(database=database))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table calls (number integer, kind text, begun text)")
        calls = [(n, f"2026-03-0{n} 10:00:00") for n in range(1, 6)]
        connection.executemany("insert into calls values (?, 'call', ?)", calls)
    try:
        for told, last, landed in (
            ("erp: 2 days, 0 of them made before", "2026-03-03", ["2", "3"]),
            ("erp: 3 days, 2 of them made before", "2026-03-04", ["2", "3", "4"]),
        ):
            done = run(home, "backfill", "--source", "erp", "--from", "2026-03-02", "--to", last)
            assert done.returncode == 0, done.stderr
            assert told in done.stdout
            rows = select(home, "select interaction_code from staging.interactions order by 1", "transformer")
            assert [code for (code,) in rows] == landed
        done = run(home, "backfill", "--source", "shop", "--from", "2026-03-02")
        assert done.returncode == 2
        assert "unknown source `shop`; it can be: erp" in done.stderr
    finally:
        remove_home(home)


def test_an_interrupted_backfill_does_not_go_on_with_the_next_day(
    small_home: Path, failed_run: object
) -> None:
    assert failed_run
    first, last = (small_home / "reports" / "daily" / str(day) / "daily.pdf" for day in (DAYS[0], DAYS[-1]))
    made_first, made_last = first.stat().st_mtime_ns, last.stat().st_mtime_ns
    process = start(small_home, "backfill", "--type", "daily", "--from", str(DAYS[0]), "--again")
    deadline = time.monotonic() + 120
    while first.stat().st_mtime_ns == made_first:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert last.stat().st_mtime_ns == made_last


def start(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start the command; it can be interrupted as on a terminal."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("analytics"), *arguments],
        cwd=ROOT,
        env=os.environ | {"ANALYTICS_HOME": str(home), "ANALYTICS_SOURCES": str(home / "sources.yml")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def test_a_run_killed_half_way_is_repeated_without_a_duplicate_or_a_gap(
    small_home: Path, failed_run: object
) -> None:
    assert failed_run
    day = DAYS[-1] + timedelta(days=1)
    before = select(small_home, EVERYTHING)[0]
    worth = write_day(small_home, day, 50)
    command = [Path(sys.executable).with_name("analytics"), "run"]
    environment = os.environ | {
        "ANALYTICS_HOME": str(small_home),
        "ANALYTICS_SOURCES": str(small_home / "sources.yml"),
        "ANALYTICS_RETRY_SECONDS": "",
    }
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while select(small_home, "select count(*) from staging.sales", "loader") == [(160,)]:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with history_of(small_home) as instance:
        (dead,) = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]))
        done = run(small_home, "run")
        assert done.returncode == 1, "the two sources still fail"
        assert select(small_home, EVERYTHING) == [(int(str(before[0])) + 50, Decimal(str(before[1])) + worth)]
        assert select(
            small_home, f"select sum(total_sales) from metrics.metrics_daily where metric_date = '{day}'"
        ) == [(worth,)]
        ended = instance.get_run_by_id(dead.run_id)
        assert ended is not None
        assert ended.status is DagsterRunStatus.FAILURE


def test_an_interrupted_build_is_rolled_back(small_home: Path, failed_run: object) -> None:
    assert failed_run
    before = select(small_home, EVERYTHING)
    process = start(small_home, "build", "--full-refresh")
    building = "select count(*) from pg_stat_activity where application_name = 'dbt' and state <> 'idle'"
    deadline = time.monotonic() + 120
    while select(small_home, building, "transformer") == [(0,)]:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "dbt_build failed: interrupted" in errors
    assert select(small_home, building, "transformer") == [(0,)], "nothing works on behind its back"
    assert select(small_home, EVERYTHING) == before
    assert run(small_home, "build").returncode == 0
    assert select(small_home, EVERYTHING) == before


def test_a_run_that_takes_too_long_is_ended(small_home: Path, failed_run: object) -> None:
    assert failed_run
    settings = small_home / "dagster" / "dagster.yaml"
    text = settings.read_text()
    before = select(small_home, EVERYTHING)
    settings.write_text(text.replace("max_runtime_seconds: 14400", "max_runtime_seconds: 2"))
    try:
        done = run(small_home, "build", "--full-refresh")
    finally:
        settings.write_text(text)
    assert done.returncode == 1
    assert "longer than 2 s, the max_runtime_seconds of dagster.yaml" in done.stderr
    assert select(small_home, EVERYTHING) == before


def test_of_two_builds_at_once_one_waits(small_home: Path, failed_run: object) -> None:
    assert failed_run
    builds = [start(small_home, "build") for _ in range(2)]
    for build in builds:
        _, errors = build.communicate(timeout=300)
        assert build.returncode == 0, errors
    with history_of(small_home) as instance:
        both = instance.get_runs(RunsFilter(job_name="build"), limit=2)
        spans = sorted(
            (stats.start_time, stats.end_time)
            for run_ in both
            for stats in instance.get_run_step_stats(run_.run_id, ["dbt_build"])
        )
    (_, first_ended), (second_started, _) = spans
    assert first_ended <= second_started


def test_a_failed_check_holds_the_reports(small_home: Path, failed_run: object) -> None:
    assert failed_run
    report = small_home / "reports" / "daily" / str(DAYS[-1]) / "daily.pdf"
    made = report.stat().st_mtime_ns
    # A fact changed behind dbt's back: the metrics no longer equal it.
    change = "update marts.fact_sales set total_amount = total_amount + {} where sale_code = '{}'"
    with closing_connection("transformer", small_home) as cursor:
        cursor.execute(change.format(1, f"{DAYS[0]}-0"))
    reconcile = ("build", "--select", "ops_reconciliation_days+", "--full-refresh")
    done = run(small_home, *reconcile)
    assert done.returncode == 1
    assert "nothing_is_lost_from_staging_to_facts" in done.stderr
    done = run(small_home, "backfill", "--type", "daily", "--from", str(DAYS[-1]), "--again")
    assert done.returncode == 1
    assert "daily is held until its data are right: the check nothing_is_lost_from_" in done.stderr
    assert report.stat().st_mtime_ns == made
    with closing_connection("transformer", small_home) as cursor:
        cursor.execute(change.format(-1, f"{DAYS[0]}-0"))
    assert run(small_home, *reconcile).returncode == 0


def test_a_new_column_of_a_source_fails_the_check_of_its_columns_and_nothing_else(
    small_home: Path, failed_run: object
) -> None:
    assert failed_run
    from dagster import AssetCheckKey

    (small_home / "shop" / "till.csv").write_text(
        f"code,product,sold,quantity,price,till\nT1,P1,{DAYS[-1]} 10:00:00,1,2.50,7\n"
    )
    assert run(small_home, "ingest", "--source", "shop").returncode == 0
    checks = [
        AssetCheckKey(AssetKey(["staging", "sales", "shop"]), name)
        for name in ("same_columns_as_before", "source_was_read")
    ]
    with history_of(small_home) as instance:
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    told = {
        key.name: (record.evaluation.passed, record.evaluation.description) for key, record in found.items()
    }  # type: ignore[union-attr]
    assert told["same_columns_as_before"] == (False, "+ till")
    assert told["source_was_read"][0]


@contextmanager
def closing_connection(role: Any, home: Path) -> Iterator[Any]:
    from ingest import warehouse

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYTICS_HOME", str(home))
        connection = warehouse.connect(role)
    with connection, connection.cursor() as cursor:
        yield cursor
    connection.close()


def test_old_runs_are_removed_but_not_those_that_are_the_state_of_an_asset(
    small_home: Path, failed_run: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failed_run
    from operations.housekeeping import remove_old_runs

    with history_of(small_home) as instance:
        before = {record.run_id for record in instance.get_runs()}
        monkeypatch.setenv("ANALYTICS_HISTORY_DAYS", "1")
        assert remove_old_runs(instance) == 0
        monkeypatch.setenv("ANALYTICS_HISTORY_DAYS", "0")
        makers = {
            event.run_id
            for record in instance.get_asset_records()
            if (event := record.asset_entry.last_materialization)
        }
        assert makers < before
        assert remove_old_runs(instance) == len(before) - len(makers)
        assert {record.run_id for record in instance.get_runs()} == makers
        assert {path.name for path in (small_home / "dagster" / "storage").iterdir()} <= makers
        assert instance.get_latest_materialization_event(AssetKey(["marts", "fact_sales"]))


# ------------------------------------------------------------------------------------------------- mail


@pytest.mark.unit
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PORT": "x"}, "ANALYTICS_SMTP_PORT is no number: x"),
        ({"TLS": "maybe"}, "ANALYTICS_SMTP_TLS is maybe; it can be starttls, ssl, none"),
        ({"FROM": ""}, "ANALYTICS_SMTP_FROM is needed"),
    ],
)
def test_wrong_settings_of_mail_are_named(
    variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({"HOST": "127.0.0.1", "FROM": "a@example.com"} | variables).items():
        monkeypatch.setenv(f"ANALYTICS_SMTP_{name}", value)
    with pytest.raises(smtp.MailError, match=re.escape(message)):
        smtp.settings()


@pytest.mark.unit
def test_a_refused_login_and_a_silent_server_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as (inbox, settings):
        for name, value in (settings | {"ANALYTICS_SMTP_PASSWORD": "wrong"}).items():
            monkeypatch.setenv(name, value)
        to = smtp.settings()
        assert to is not None
        mail: EmailMessage = smtp.message(to.sender, ["a@example.com"], "A\nB", "text")
        assert mail["Subject"] == "A B"
        with pytest.raises(smtp.MailError, match="did not take the mail"):
            smtp.send(to, mail)
        assert inbox.mails == []
    monkeypatch.setattr(smtp, "TIMEOUT", 1)
    with pytest.raises(smtp.MailError, match="did not take the mail"):
        smtp.send(to, mail)
