"""Delivery in Dagster: what is due starts the job, the job sends it, and the report's asset shows it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import reports_warehouse
from dagster._core.storage.tags import BACKFILL_ID_TAG
from mail_server import MailServer, mail_server

from ingest import warehouse
from operations import delivery
from operations.delivery import ReportConfig
from orchestration.translator import report_key
from reports import registry
from reports.delivery import outbox
from reports.delivery.letter import Letter
from reports.delivery.outbox import Consignment
from reports.delivery.recipients import Recipient
from reports.render import render_report

SHOP = dg.AssetKey(["staging", "sales", "shop"])
DESK = dg.AssetKey(["staging", "interactions", "desk"])
RECIPIENTS = "allowed_domains: [example.com]\ngroups: {management: [ann@example.com, bob@example.com]}"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with reports_warehouse.filled_home() as folder:
        (folder / "recipients.yml").write_text(RECIPIENTS)
        render_report("daily", reports_warehouse.LAST_DAY)
        yield folder


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with mail_server() as running:
        for name, value in running.settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("ANALYTICS_RECIPIENTS", str(home / "recipients.yml"))
        yield running


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as temporary:
        yield temporary


def read(instance: dg.DagsterInstance, key: dg.AssetKey, at: datetime, error: str = "") -> None:
    """Let a source be read."""
    metadata: dict[str, object] = {"looked_at": dg.MetadataValue.timestamp(at)}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(key, metadata=metadata | ({"error": error} if error else {}))  # type: ignore[arg-type]
    )


def test_job_and_sensor_are_loaded_by_dagster() -> None:
    reports = {registry.find("daily"): report_key("daily")}
    job, sensor = delivery.delivery_job(reports, [SHOP]), delivery.deliveries_sensor(reports, [SHOP])
    repository = dg.Definitions(jobs=[job], sensors=[sensor]).get_repository_def()
    repository.load_all_definitions()
    assert repository.has_job("deliver")


def test_a_source_counts_as_read_when_all_of_it_was(instance: dg.DagsterInstance) -> None:
    early, late = datetime(2025, 7, 1, 5, tzinfo=UTC), datetime(2025, 7, 1, 6, tzinfo=UTC)
    stores = dg.AssetKey(["staging", "stores", "shop"])
    read(instance, SHOP, late)
    read(instance, stores, early)
    assert delivery.sources_read(instance, [SHOP, stores, DESK]) == {"shop": early, "desk": None}
    read(instance, DESK, late, error="it does not answer")
    assert delivery.sources_read(instance, [DESK]) == {"desk": None}


@pytest.mark.unit
def test_a_backfill_sends_only_when_asked_to() -> None:
    plain, backfill = dg.DagsterRun("report"), dg.DagsterRun("report", tags={BACKFILL_ID_TAG: "x"})
    assert delivery.is_asked_for(ReportConfig(), plain)
    assert not delivery.is_asked_for(ReportConfig(), backfill)
    assert delivery.is_asked_for(ReportConfig(send=True), backfill)
    assert not delivery.is_asked_for(ReportConfig(send=False), plain)


def tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> dg.SensorResult:
    found = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
    return dg.SensorResult(found.run_requests or [], skip_reason=found.skip_message)


def test_what_is_due_starts_the_job_which_sends_it_and_shows_it(
    home: Path, server: MailServer, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports, landed = {registry.find("daily"): report_key("daily")}, [SHOP]
    job = delivery.delivery_job(reports, landed)
    sensor = delivery.deliveries_sensor(reports, landed)
    read(instance, SHOP, datetime.now(UTC))

    (request,) = tick(sensor, instance).run_requests or ()
    assert request.tags["analytics/due"] == "daily"
    server.at_recipient = {"bob@example.com": ["451 later"]}
    assert job.execute_in_process(instance=instance).success
    assert server.received() == ["ann@example.com"]
    event = instance.fetch_observations(report_key("daily"), limit=1).records[0].asset_observation
    assert event
    assert event.metadata["delivery"].value == "1 queued, 1 sent"
    table = str(event.metadata["deliveries"].value)
    assert "| ann@example.com | smtp | sent |" in table
    assert "the server answered 451 later" in table

    assert (tick(sensor, instance).skip_reason or dg.SkipReason("")).skip_message == "nothing is due"
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        cursor.execute("update ops.deliveries set due_at = now()")
    assert len(tick(sensor, instance).run_requests or ()) == 1
    assert job.execute_in_process(instance=instance).success
    assert sorted(server.received()) == ["ann@example.com", "bob@example.com"]

    monkeypatch.delenv("ANALYTICS_SMTP_HOST")
    monkeypatch.setenv("ANALYTICS_RECIPIENTS", str(home / "none.yml"))
    assert "no mail server" in str((tick(sensor, instance).skip_reason or dg.SkipReason("")).skip_message)


def test_a_mistake_in_recipients_fails_the_job_but_not_what_is_queued(
    home: Path, server: MailServer, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Letter("Weekly", "text", "<p>text</p>").keep()
    with outbox.opened() as box:
        box._change("truncate ops.deliveries", None)
        what = Consignment("w", "weekly", "w", "Weekly", kept)
        with box.transaction() as cursor:
            outbox.queue(cursor, what, [Recipient("smtp", "carol@example.com")])
    wrong = home / "wrong.yml"
    wrong.write_text("allowed_domains: [example.com]\ngroups: {others: [ann@example.com]}")
    monkeypatch.setenv("ANALYTICS_RECIPIENTS", str(wrong))
    job = delivery.delivery_job({registry.find("daily"): report_key("daily")}, [])
    with pytest.raises(dg.Failure, match=r"daily: .*there is no group 'management'"):
        job.execute_in_process(instance=instance)
    assert server.received() == ["carol@example.com"]
