"""Reports that are sent: letters beside SQL, conditions, bursting, alerts and the command, on a small warehouse."""

import csv
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import reports_warehouse
from click.testing import CliRunner, Result
from mail_server import MailServer, mail_server
from openpyxl import load_workbook

from cli.main import main
from ingest import warehouse
from reports import archive, registry
from reports.archive import Manifest
from reports.delivery import alerts, conditions, dispatch, findings, outbox, recipients, sending
from reports.delivery.findings import Meta
from reports.delivery.terms import Terms
from reports.errors import ReportUsageError
from reports.registry import Report
from reports.render import render_report

DAY = reports_warehouse.LAST_DAY
RECIPIENTS = """
allowed_domains: [example.com]
owners: {Analytics engineering: analytics@example.com, Shop operations: desk@example.com}
groups:
  management: [ann@example.com, Bob Smith <bob@example.com>]
  buyers: [carol@example.com]
  data: [analytics@example.com]
  stores: {High Street: dave@example.com, Erin Moss: [erin@example.com], "*": ann@example.com, Nowhere: x@example.com}
"""
READ_NOW = {"shop": datetime.now(UTC)}


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """A home with a warehouse to report on, and the daily report of its last day."""
    with reports_warehouse.filled_home() as folder:
        (folder / "recipients.yml").write_text(RECIPIENTS)
        with outbox.opened():
            pass
        yield folder


@pytest.fixture(scope="module")
def daily(filled: Path) -> Manifest:
    return archive.find(render_report("daily", DAY).report_id)


@pytest.fixture(scope="module")
def running() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(autouse=True)
def server(filled: Path, running: MailServer, monkeypatch: pytest.MonkeyPatch) -> MailServer:
    """A mail server, recipients, and an outbox and memory of alerts that are empty."""
    running.reset()
    for name, value in running.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ANALYTICS_HOME", str(filled))
    monkeypatch.setenv("ANALYTICS_RECIPIENTS", str(filled / "recipients.yml"))
    write("truncate ops.deliveries; drop table if exists ops.alerts")
    return running


def write(sql: str, role: warehouse.Role = "loader") -> None:
    with closing(warehouse.connect(role)) as connection, connection:
        connection.cursor().execute(sql)


def select(sql: str) -> list[tuple[Any, ...]]:
    with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def analytics(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def report(**terms: Any) -> Report:
    """The daily report under other terms of delivery."""
    found = registry.find("daily")
    assert found.delivery
    return replace(found, delivery=replace(found.delivery, **terms))


def plain(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return str(body.get_content())


def files_of(mail: EmailMessage) -> dict[str, bytes]:
    return {str(part.get_filename()): part.get_payload(decode=True) for part in mail.iter_attachments()}  # type: ignore[misc]


@pytest.fixture
def failing_test() -> Iterator[None]:
    write("update ops.test_results set status = 'fail' where test_name = 'primary_key_fact_sales'")
    yield
    write("update ops.test_results set status = 'pass' where test_name = 'primary_key_fact_sales'")


# ------------------------------------------------------------------------------------------ the letter


def test_the_figures_of_the_letter_are_those_of_sql_and_of_the_files(
    filled: Path, daily: Manifest, server: MailServer
) -> None:
    done = dispatch.send(registry.find("daily"), daily)
    assert done.words == "2 sent"
    assert sorted(server.received()) == ["ann@example.com", "bob@example.com"]
    _, mail = server.mails[0]
    ((sales, transactions, value, customers, new),) = select(
        "select total_sales, total_transactions, round(total_sales / total_transactions, 2), total_customers,"
        f" new_customers from metrics.metrics_daily where metric_date = '{DAY}'"
    )
    expected = [f"£{sales:,.2f}", f"{transactions}", f"£{value:,.2f}", f"{customers}", f"{new}"]
    body = mail.get_body(("html",))
    assert body
    page = body.get_content()
    tiles = re.findall(r"<div[^>]*font-size: ?21px[^>]*>([^<]+)</div>", page)
    assert tiles == expected
    labels = ["Sales", "Transactions", "Average value", "Customers", "New customers"]
    lines = plain(mail).splitlines()
    for label, figure in zip(labels, expected, strict=True):
        (line,) = [line for line in lines if re.match(rf"{label}  +[£\d]", line)]
        assert line.split(label)[1].split()[0] == figure
    assert mail["Subject"] == "Daily sales report: 30 Jun 2025"
    files = files_of(mail)
    assert set(files) == {"daily-2025-06-30.pdf", "daily-2025-06-30.xlsx"}
    for name, content in files.items():
        assert content == (daily.folder / "files" / f"daily{Path(name).suffix}").read_bytes()
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == ["<daily>"]
    assert pictures[0].get_payload(decode=True)[:8] == b"\x89PNG\r\n\x1a\n"  # type: ignore[index]
    assert 'src="cid:daily"' in page
    assert not re.search(r"(src|href)=.?https?:|<script|url\(", page)  # nothing is fetched


def test_hostile_names_stay_text_in_the_letter(daily: Manifest, filled: Path) -> None:
    from reports.delivery import compose
    from reports.tables import Tile

    said = compose.Said(
        title="<b>x</b>",
        subtitle="a\r\nBcc: b",
        tiles=[Tile("<i>", "1 & 2", "")],
        remarks=["<script>1</script>"],
    )
    page = compose.as_html(said)
    assert "<script>" not in page
    assert "<b>x</b>" not in page
    assert "&lt;i&gt;" in page


def test_files_that_are_too_large_stay_in_the_archive(daily: Manifest, server: MailServer) -> None:
    dispatch.send(report(max_mb=0.1), daily)
    _, mail = server.mails[0]
    assert files_of(mail) == {}
    text = " ".join(plain(mail).split())
    assert "too large for a mail" in text
    assert "at most 0.1 MB" in text
    for suffix in ("pdf", "xlsx"):
        assert str(daily.folder / "files" / f"daily.{suffix}") in text


def test_tables_are_attached_as_csv_where_asked_for(daily: Manifest, server: MailServer) -> None:
    made = render_report("daily", DAY, ["pdf", "html", "xlsx", "csv"])
    dispatch.send(report(attach=("csv",)), archive.find(made.report_id))
    files = files_of(server.mails[0][1])
    assert {"daily-2025-06-30-summary.csv", "daily-2025-06-30-lines.csv"} <= set(files)
    rows = list(csv.DictReader(files["daily-2025-06-30-lines.csv"].decode("utf-8-sig").splitlines()))
    ((count,),) = select(f"select count(*) from marts.fact_sales where sale_date = '{DAY}'")
    assert len(rows) == count


# ------------------------------------------------------------------------------------------ the command


def test_the_command_sends_once_however_often_it_is_given(server: MailServer, daily: Manifest) -> None:
    server.at_recipient = {"bob@example.com": ["550 no such user"]}
    first = analytics("report", "--type", "daily", "--date", DAY, "--send")
    assert first.exit_code == 1
    assert "1 sent, 1 failed" in first.output
    assert "bob@example.com" in first.output
    assert "550 no such user" in first.output
    told = [mail for address, mail in server.mails if address == "analytics@example.com"]
    assert "to bob@example.com was not delivered" in plain(told[0])
    again = analytics("report", "--type", "daily", "--date", DAY, "--send")
    assert "ann@example.com has this period already" in again.output
    received = Counter(server.received())
    assert (received["ann@example.com"], received["bob@example.com"]) == (1, 1)
    forced = analytics("report", "--type", "daily", "--date", DAY, "--send", "--force")
    assert forced.exit_code == 0, forced.output
    assert Counter(server.received())["ann@example.com"] == 2


def test_deliveries_are_listed_shown_retried_and_cancelled(server: MailServer, daily: Manifest) -> None:
    server.at_recipient = {"bob@example.com": ["550 no such user", "451 later"]}
    dispatch.send(registry.find("daily"), daily)
    listed = analytics("deliveries", "list", "--state", "failed", "--format", "csv").output.splitlines()
    assert len(listed) == 2
    failed = listed[1].split(",")[0]
    assert "the server answered 550 no such user" in listed[1]
    shown = analytics("deliveries", "show", failed).output
    assert "recipient    bob@example.com" in shown
    assert "attempts     1" in shown
    retried = analytics("deliveries", "retry", failed)
    assert "1 queued" in retried.output
    assert "451 later" in retried.output
    assert retried.exit_code == 1
    assert "1 cancelled" in analytics("deliveries", "cancel", failed).output
    sent = (
        analytics("deliveries", "list", "--state", "sent", "--format", "csv")
        .output.splitlines()[1]
        .split(",")[0]
    )
    with pytest.raises(ReportUsageError, match="--force sends it again"):
        CliRunner().invoke(main, ["--debug", "deliveries", "retry", sent], catch_exceptions=False)
    assert analytics("deliveries", "cancel", sent).exit_code == 2
    assert analytics("deliveries", "retry", sent, "--force").output.strip() == "1 sent"
    assert server.received() == ["ann@example.com"] * 2
    assert analytics("deliveries", "show", "nosuch").exit_code == 2


def test_a_preview_is_a_mail_in_a_file_and_sends_nothing(server: MailServer, filled: Path) -> None:
    done = analytics("report", "--type", "daily", "--date", DAY, "--preview", "--send-to", "me@example.com")
    assert done.exit_code == 0, done.output
    file = filled / "reports" / "daily" / DAY / "daily.eml"
    assert str(file) in done.output
    assert b"To: me@example.com" in file.read_bytes()
    assert server.received() == []
    assert select("select count(*) from ops.deliveries") == [(0,)]


def test_one_address_may_be_sent_to_if_its_domain_is_allowed(server: MailServer, daily: Manifest) -> None:
    dispatch.send(registry.find("daily"), daily, only_to="me@example.com")
    assert server.received() == ["me@example.com"]
    assert conditions.last_sent(registry.find("daily"), {}) is None  # a trial is no edition
    with pytest.raises(ReportUsageError, match=r"elsewhere\.com is not one of `allowed_domains`"):
        dispatch.send(registry.find("daily"), daily, only_to="me@elsewhere.com")


def test_without_recipients_the_command_says_what_to_do(
    daily: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANALYTICS_RECIPIENTS", str(tmp_path / "none.yml"))
    with pytest.raises(ReportUsageError, match=r"copy reports/recipients\.example\.yml there"):
        dispatch.send(registry.find("daily"), daily)
    with pytest.raises(ReportUsageError, match="says nothing of `delivery`"):
        dispatch.send(registry.find("dashboard"), daily)


# ------------------------------------------------------------------------------------------ conditions


def test_a_failed_test_holds_the_report_and_its_owner_is_told(
    server: MailServer, daily: Manifest, failing_test: None
) -> None:
    held = dispatch.send(registry.find("daily"), daily)
    assert held.words == "2 held"
    assert server.received() == []
    told = [f for f in findings.all_findings(Meta()) if f.key.startswith("delivery:")]
    assert [(f.owner, f.state) for f in told] == [("analytics@example.com", "held")] * 2
    assert "primary_key_fact_sales" in told[0].detail
    write("update ops.test_results set status = 'pass' where test_name = 'primary_key_fact_sales'")
    assert dispatch.is_due(registry.find("daily"), READ_NOW)
    assert dispatch.consider(registry.find("daily"), daily, READ_NOW).words == "2 sent"


def test_a_failed_test_is_a_banner_where_that_is_wanted(
    server: MailServer, daily: Manifest, failing_test: None
) -> None:
    assert dispatch.send(report(on_failed_checks="banner"), daily).words == "2 sent"
    _, mail = server.mails[0]
    assert mail["Subject"].startswith("Check first: ")
    assert "! Do not rely on these figures yet: tests did not pass: primary_key_fact_sales." in plain(mail)


def test_a_report_goes_by_itself_once_for_each_period(server: MailServer, daily: Manifest) -> None:
    found = registry.find("daily")
    assert dispatch.is_due(found, READ_NOW)
    assert dispatch.consider(found, daily, READ_NOW).words == "2 sent"
    assert not dispatch.is_due(found, READ_NOW)
    other = replace(daily, report_id="daily-2025-06-30-ffffffffff")  # a later edition of the same day
    assert dispatch.consider(found, other, READ_NOW).words == "2 sent"
    assert len(server.mails) == 2
    older = replace(daily, period="2025-06-29", last_day="2025-06-29")
    assert "a newer period was made" in dispatch.consider(found, older, READ_NOW).waiting
    assert len(server.mails) == 2


def test_a_report_waits_for_its_period_and_its_sources_but_not_for_ever(daily: Manifest) -> None:
    found = replace(registry.find("daily"), timezone="Europe/London", schedule="0 7 * * *")

    def at(hour: str, day: str = "2025-07-01") -> datetime:
        return datetime.fromisoformat(f"{day}T{hour}:00+01:00")

    assert conditions.not_over(found, daily, at("23:59", DAY)) == "its period is not over"
    assert conditions.not_over(found, daily, at("00:00")) is None
    read = {"shop": at("05:00"), "desk": at("23:00", DAY), "crm": None}
    waiting = conditions.not_fresh(found, daily, read, at("06:59"))
    assert waiting == "not read since the period ended: crm, desk"
    assert conditions.not_fresh(found, daily, read, at("07:00")) is None
    assert conditions.not_fresh(found, daily, {"shop": at("05:00")}, at("05:01")) is None
    week = replace(daily, period="2025-W26", last_day="2025-06-25")  # metrics end on Wednesday: not over
    weekly = replace(registry.find("weekly"), timezone="Europe/London")
    assert conditions.not_over(weekly, week, at("08:00", "2025-06-26")) == "its period is not over"
    assert conditions.latest_time(weekly, conditions.period_end(weekly, "2025-W26")) == at(
        "07:30", "2025-06-30"
    )
    waits = dispatch.consider(found, daily, {"crm": None}, at("06:00"))
    assert waits.waiting == "not read since the period ended: crm"
    assert waits.deliveries == []


def test_a_period_in_which_nothing_happened_is_not_sent(server: MailServer, filled: Path) -> None:
    closed = archive.find(render_report("daily", reports_warehouse.CLOSED_DAY).report_id)
    done = dispatch.consider(report(when="not_empty"), closed, READ_NOW, is_old_news=True)
    assert done.words == "2 cancelled"
    assert done.deliveries[0].error == "nothing happened in its period"
    assert server.received() == []


def test_what_did_not_change_is_not_sent_and_what_was_restated_is(
    server: MailServer, daily: Manifest, filled: Path
) -> None:
    changed = report(when="changed", change=0.5)
    before = archive.find(render_report("daily", "2025-06-27").report_id)
    assert dispatch.consider(changed, before, READ_NOW, is_old_news=True).words == "2 sent"
    headline = dict(dispatch.compose.headline_table(before, changed))
    now = dict(dispatch.compose.headline_table(daily, changed))
    moved = max(abs(now[k] - v) / abs(v) for k, v in headline.items() if v)  # type: ignore[operator]
    same = report(when="changed", change=moved + 0.01)
    other = report(when="changed", change=moved - 0.01)
    assert conditions.nothing_to_say(same, daily, same.delivery)  # type: ignore[arg-type]
    assert conditions.nothing_to_say(other, daily, other.delivery) is None  # type: ignore[arg-type]
    write(
        "update metrics.metrics_daily set total_sales = total_sales + 7 where metric_date = '2025-06-27'",
        "transformer",
    )
    try:
        restated = archive.find(render_report("daily", "2025-06-27").report_id)
    finally:
        write(
            "update metrics.metrics_daily set total_sales = total_sales - 7 where metric_date = '2025-06-27'",
            "transformer",
        )
    assert len(conditions.restated(restated)) == 1
    assert dispatch.consider(changed, restated, READ_NOW, is_old_news=True).words == "2 sent"
    assert len(server.mails) == 4
    assert dispatch.consider(report(), restated, READ_NOW, is_old_news=True).words.startswith("4 sent")
    assert len(server.mails) == 4


# ------------------------------------------------------------------------------------------ bursting


def test_each_manager_gets_his_store_and_no_row_of_another(
    server: MailServer, daily: Manifest, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published(filled)
    burst = report(to="stores", burst_by="store", attach=("pdf", "xlsx", "html", "csv"))

    def is_killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(dispatch, "render_report", is_killed)
        with pytest.raises(KeyboardInterrupt):
            dispatch.consider(burst, daily, READ_NOW)
    assert dispatch.is_due(burst, READ_NOW)  # for all of them, so that no store is left out
    done = dispatch.consider(burst, daily, READ_NOW)
    assert sorted(server.received()) == ["ann@example.com", "dave@example.com", "erin@example.com"]
    problems = "\n".join(done.problems)
    assert "names 'Nowhere', which is no store and no manager" in problems
    assert "nobody gets the report of the store Online" in problems
    mails = dict(server.mails)
    totals = [
        written
        for (total,) in select(
            f"select total_sales from metrics.metrics_daily where metric_date = '{DAY}'"
            " union all select landed_amount from ops.reconciliation where entity = 'sales'"
            " union all select sum(total_sales) from metrics.metrics_daily"
        )
        for written in (f"{total:,.2f}", str(float(total)))
    ]
    stores = [name for (name,) in select("select store_name from marts.dim_stores where store_id <> 0")]
    for address, own in (("dave@example.com", "High Street"), ("erin@example.com", "Riverside")):
        mail = mails[address]
        assert mail["Subject"] == f"Daily sales report: 30 Jun 2025, {own}"
        foreign = [store for store in stores if store != own]
        files = files_of(mail)
        assert {Path(name).suffix for name in files} == {".pdf", ".xlsx", ".html", ".csv"}
        for name, content in files.items():
            said = contents(name, content, filled)
            assert not [store for store in foreign if store in said], (name, own)
        lines = next(content for name, content in files.items() if name.endswith("-lines.csv"))
        rows = list(csv.DictReader(lines.decode("utf-8-sig").splitlines()))
        assert {row["store"] for row in rows} == {own}
        ((count, amount),) = select(
            "select count(*), sum(total_amount) from marts.fact_sales join marts.dim_stores using (store_id)"
            f" where sale_date = '{DAY}' and store_name = '{own}'"
        )
        assert (len(rows), round(sum(float(row["amount"]) for row in rows), 2)) == (count, float(amount))
        assert f"£{amount:,.2f}" in plain(mail)
        for total in totals:  # nor what all stores sold together
            assert not [name for name, content in files.items() if total in contents(name, content, filled)]
    assert "store" not in mails["ann@example.com"]["Subject"]
    assert published(filled) == before  # the report of all stores is where it was
    again = dispatch.send(burst, daily)
    assert len(server.mails) == 3
    assert again.words == "3 sent"


def published(home: Path) -> dict[str, bytes]:
    files = (home / "reports" / "daily" / DAY).glob("daily.*")
    return {file.name: file.read_bytes() for file in files}


def contents(name: str, content: bytes, folder: Path) -> str:
    """All that a file says."""
    if name.endswith(".xlsx"):
        book = load_workbook(BytesIO(content))
        return "\n".join(
            str(cell.value)
            for sheet in book
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None
        )
    if name.endswith(".pdf"):
        (folder / "part.pdf").write_bytes(content)
        return subprocess.run(
            ["pdftotext", "-layout", folder / "part.pdf", "-"], capture_output=True, text=True, check=True
        ).stdout
    return content.decode()


# ------------------------------------------------------------------------------------------ alerts

YAML = """
models:
  - name: fact_sales
    config: {meta: {owner: Shop operations}}
  - name: metrics_daily
    config: {meta: {owner: boss@example.com}}
    metrics:
      - {name: total_sales, label: Total sales, config: {meta: {unit: money, alert: {below: 100000}}}}
      - {name: new_customers, label: New customers}
sources:
  - name: staging
    tables:
      - name: sales
        config:
          meta: {owner: Shop operations}
          freshness: {warn_after: {count: 2, period: day}, error_after: {count: 7, period: day}}
"""
ANOMALIES = """
create table metrics.metrics_anomalies (
    metric text, metric_date date, dimension text, dimension_value text, value double precision,
    expected double precision, lower double precision, upper double precision, score double precision, verdict text
);
insert into metrics.metrics_anomalies
values
    ('total_sales', '2025-06-30', 'total', '', 2732.99, 4000, 3000, 5000, -4, 'low'),
    ('total_sales', '2025-06-20', 'total', '', 9000, 4000, 3000, 5000, 9, 'high'),
    ('new_customers', '2025-06-30', 'total', '', 1, 1, 0, 2, 0, 'ordinary');
"""
SOURCES = """
sources:
  desk:
    kind: csv
    path: x.csv
    meta: {owner: Shop operations}
    feeds: {channels: {key: [channel_code], columns: {channel_code: a}}}
"""


@pytest.fixture
def meta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meta]:
    (tmp_path / "models.yml").write_text(YAML)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "own.txt").write_text(SOURCES)
    monkeypatch.setenv("ANALYTICS_SOURCES", str(tmp_path / "sources" / "own.txt"))
    write(ANOMALIES, "transformer")
    yield Meta(tmp_path)
    write("drop table metrics.metrics_anomalies", "transformer")


def test_what_is_wrong_is_found_and_belongs_to_somebody(meta: Meta, failing_test: None) -> None:
    found = findings.keys(findings.all_findings(meta, datetime(2025, 7, 3, 12, tzinfo=UTC)))
    said = {key: (finding.owner, finding.title) for key, finding in found.items()}
    assert said == {
        "threshold:total_sales:below": ("boss@example.com", "Total sales is below £100,000.00"),
        "anomaly:total_sales:total:": ("boss@example.com", "Total sales is unusual"),
        "stale:shop.shop": ("Shop operations", "shop.shop brings nothing new"),
        "test:fact_sales:primary_key_fact_sales": (
            "Shop operations",
            "The test primary_key_fact_sales of fact_sales does not pass",
        ),
        "test:some_other_model:elsewhere": (None, "The test elsewhere of some_other_model does not pass"),
        "rejects:desk.desk": ("Shop operations", "1 row of desk.desk rejected"),
    }
    assert found["stale:shop.shop"].state == "late"
    later = findings.keys(findings.all_findings(meta, datetime(2025, 8, 1, tzinfo=UTC)))
    assert later["stale:shop.shop"].state == "far too late"
    ((sales,),) = select(f"select total_sales from metrics.metrics_daily where metric_date = '{DAY}'")
    assert f"£{sales:,.2f}" in found["threshold:total_sales:below"].detail
    assert "£2,732.99, lower than the £4,000.00 expected" in found["anomaly:total_sales:total:"].detail


def test_too_many_rejected_rows_are_told_without_an_owner_too(meta: Meta) -> None:
    write("update ops.loads set rows_rejected = 40 where source_name = 'shop' and load_id = 2")
    try:
        found = findings.keys(findings.all_findings(meta))
        assert found["rejects:shop.shop"].owner is None
        assert "28.6% of the newest delivery" not in found["rejects:desk.desk"].detail
    finally:
        write("update ops.loads set rows_rejected = 3 where source_name = 'shop' and load_id = 2")
    assert "rejects:shop.shop" not in findings.keys(findings.all_findings(meta))


def test_alerts_are_grouped_told_once_and_over(
    server: MailServer, meta: Meta, failing_test: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYTICS_OWNER_EMAIL", "admin@home.example")
    now = datetime(2025, 7, 3, 12, tzinfo=UTC)
    found = findings.all_findings(meta, now)
    assert len(alerts.tell(found, now)) == 3
    sending.send_everything_due()
    mails = dict(server.mails)
    assert set(mails) == {"boss@example.com", "desk@example.com", "admin@home.example"}
    desk = mails["desk@example.com"]
    assert desk["Subject"] == "Analytics: 3 things need you"
    text = " ".join(plain(desk).split())
    assert "New:" in text
    for part in ("primary_key_fact_sales", "shop.shop brings nothing new", "1 row of desk.desk rejected"):
        assert part in text
    book = load_workbook(BytesIO(files_of(desk)["rejects-desk.desk.xlsx"]))
    assert book["desk.desk"]["C2"].value == "does not fit"
    assert "Total sales is unusual" in plain(mails["boss@example.com"])

    write("truncate ops.alerts")
    server.reset()
    monkeypatch.setattr(Terms, "max_mb", 0.001)  # a workbook of very many rows
    alerts.tell(found, now)
    sending.send_everything_due()
    desk = dict(server.mails)["desk@example.com"]
    assert files_of(desk) == {}
    kept = re.search(r"/\S+/rejects-desk\.desk\.xlsx", plain(desk))
    assert kept
    assert Path(kept[0]).is_file()

    server.reset()
    assert len(alerts.tell(findings.all_findings(meta, now), now)) == 0  # not repeated
    later = now + timedelta(days=10)
    assert (
        len(alerts.tell(findings.all_findings(meta, later), later)) == 1
    )  # the source is far too late by now
    sending.send_everything_due()
    ((address, mail),) = server.mails
    assert address == "desk@example.com"
    assert "Changed:" in plain(mail)
    assert "2 more of what you were told before are as it was." in plain(mail)

    server.reset()
    write("update ops.test_results set status = 'pass' where test_name = 'primary_key_fact_sales'")
    assert len(alerts.tell(findings.all_findings(meta, later), later)) == 1
    sending.send_everything_due()
    ((address, mail),) = server.mails
    assert address == "desk@example.com"
    assert mail["Subject"] == "Analytics: Over: The test primary_key_fact_sales of fact_sales does not pass"
    assert len(alerts.tell(findings.all_findings(meta, later), later)) == 0
    write("update ops.test_results set status = 'fail' where test_name = 'primary_key_fact_sales'")
    assert len(alerts.tell(findings.all_findings(meta, later), later)) == 1  # and again it is news


def test_two_who_tell_at_once_tell_once(server: MailServer, meta: Meta) -> None:
    from concurrent.futures import ThreadPoolExecutor

    found = findings.all_findings(meta)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(alerts.tell, [found] * 4))
    assert sorted(map(len, told)) == [0, 0, 0, 2]


def test_a_letter_that_cannot_be_delivered_is_told_to_the_reports_owner(
    server: MailServer, daily: Manifest, tmp_path: Path
) -> None:
    server.at_recipient = {"bob@example.com": ["550 no such user"]}
    dispatch.send(registry.find("daily"), daily)
    (found,) = findings._deliveries()
    assert (found.owner, found.state) == ("analytics@example.com", "failed")
    assert found.title == "“Daily sales report: 30 Jun 2025” to bob@example.com was not delivered"
    assert "550 no such user" in found.detail
    server.reset()
    assert len(alerts.tell([found])) == 1
    sending.send_everything_due()
    assert server.received() == ["analytics@example.com"]


# ------------------------------------------------------------------------------------------ people see it


def test_deliveries_stand_in_the_quality_report(server: MailServer, daily: Manifest) -> None:
    from reports import sections
    from reports.edition import Edition

    server.at_recipient = {"bob@example.com": ["550 no such user"]}
    dispatch.send(registry.find("daily"), daily)
    today = datetime.now(UTC).date()
    edition = replace(
        Edition.of(registry.find("quality")),
        asked=conditions.period.parse(f"{today}"),
        covered=dispatch.data and Edition.of(registry.find("quality")).covered._replace(last=today),
    )
    (row,) = sections.deliveries(edition).rows()
    assert (row[0], row[2:]) == ("daily 2025-06-30", [1, 0, 0, 1, 0, 0])
    ((_, recipient, state, attempts, error),) = sections.undelivered(edition).rows()
    assert (recipient, state, attempts) == ("bob@example.com", "failed", 1)
    assert "550" in error


def test_a_wrong_recipients_file_stops_nothing_but_the_delivery(
    daily: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "r.yml").write_text("allowed_domains: [example.com]\ngroups: {other: [a@example.com]}")
    monkeypatch.setenv("ANALYTICS_RECIPIENTS", str(tmp_path / "r.yml"))
    with pytest.raises(ReportUsageError, match="there is no group 'management'; there are: other"):
        dispatch.consider(registry.find("daily"), daily, READ_NOW)


def test_every_exposure_names_a_group_of_the_example() -> None:
    people = recipients.load(warehouse.ROOT / "reports" / "recipients.example.yml")
    named = {found.delivery.to for found in registry.registered_reports().values() if found.delivery}
    assert named
    assert named <= set(people.groups)
    assert isinstance(registry.find("daily").delivery, Terms)
