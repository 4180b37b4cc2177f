"""Delivery in Dagster: after a report's asset, and by the job `deliver`, which a sensor starts when something
is due: a report that waited for its data, a letter that was not taken, an alert. What is due is known to
`reports/delivery/`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from dagster._core.storage.tags import BACKFILL_ID_TAG

from reports.delivery import recipients, smtp
from reports.errors import ReportError
from reports.registry import Report

if TYPE_CHECKING:
    from reports.delivery.dispatch import Dispatched

JOB = "deliver"
SHOWN = 100  # deliveries on the page of an asset
Landed = Sequence[dg.AssetKey]


class ReportConfig(dg.Config):
    """Whether a report that was made is also sent, once it is due: by default unless it is a backfill's."""

    send: bool | None = None


def is_asked_for(config: ReportConfig, run: dg.DagsterRun) -> bool:
    """Whether what a run makes is to be sent."""
    return BACKFILL_ID_TAG not in run.tags if config.send is None else config.send


def sources_read(instance: dg.DagsterInstance, landed: Landed) -> dict[str, datetime | None]:
    """When each source was last read as a whole; None where it never was, or its last reading failed."""
    found: dict[str, datetime | None] = {}
    for key in landed:
        event = instance.get_latest_materialization_event(key)
        metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
        looked = metadata.get("looked_at")
        at = (
            datetime.fromtimestamp(float(str(looked.value)), UTC)
            if looked and "error" not in metadata
            else None
        )
        before = found.get(key.path[-1], at)
        found[key.path[-1]] = min(before, at) if before and at else None
    return found


def deliver_report(
    report: Report, report_id: str, instance: dg.DagsterInstance, landed: Landed, asked_for: bool = False
) -> "Dispatched":
    """Send a report that was made, if it is due; one of the past only if that was asked for."""
    from reports import archive
    from reports.delivery import dispatch  # which draws charts, and takes a second to load

    read_at = sources_read(instance, landed)
    return dispatch.consider(report, archive.find(report_id), read_at, is_old_news=asked_for)


def metadata(found: "Dispatched") -> dict[str, dg.MetadataValue]:
    """What came of it, for the page of the asset."""
    shown: dict[str, dg.MetadataValue] = {"delivery": dg.MetadataValue.text(found.words)}
    if found.deliveries:
        rows = [
            f"| {row.recipient} | {row.channel} | {row.state} | {row.sent_at or row.due_at:%Y-%m-%d %H:%M} |"
            f" {(row.error or '').replace('|', '/')} |"
            for row in found.deliveries[:SHOWN]
        ]
        head = "| recipient | channel | state | when (UTC) | error |\n|---|---|---|---|---|"
        shown["deliveries"] = dg.MetadataValue.md("\n".join([head, *rows]))
    if found.problems:
        shown["problems"] = dg.MetadataValue.text("; ".join(found.problems))
    return shown


def delivery_job(reports: Mapping[Report, dg.AssetKey], landed: Landed) -> dg.JobDefinition:
    """Sends what is due: reports that waited, letters that were not taken, alerts."""

    @dg.op
    def send_what_is_due(context: dg.OpExecutionContext) -> None:
        from reports.delivery import alerts, sending

        errors = []
        for report, key in reports.items():
            try:
                found = _of_newest(report, context.instance, landed)
            except ReportError as error:
                errors.append(f"{report.name}: {error}")
                continue
            if found and (found.deliveries or found.problems):
                context.log.info(f"{report.name}: {found.words}")
                context.log_event(dg.AssetObservation(key, metadata=metadata(found)))
        sending.send_everything_due()
        told = alerts.tell()
        done = sending.send_everything_due()
        states = ", ".join(f"{number} {state}" for state, number in done.states.items())
        context.log.info(f"{len(told)} alerts; letters: {states or 'none is due'}")
        if errors:
            raise dg.Failure("; ".join(errors))

    @dg.job(name=JOB, description="Send what is due: reports that waited, letters not taken, alerts.")
    def job() -> None:
        send_what_is_due()

    return job


def deliveries_sensor(reports: Mapping[Report, dg.AssetKey], landed: Landed) -> dg.SensorDefinition:
    """Starts the job when something is due."""

    @dg.sensor(
        name="deliveries",
        job_name=JOB,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def deliveries(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Reports that waited, letters that were not taken, alerts."""
        from reports.delivery import alerts, dispatch, outbox

        if reason := not_set_up():
            return dg.SkipReason(reason)
        running = dg.RunsFilter(job_name=JOB, statuses=IN_PROGRESS_RUN_STATUSES)
        if context.instance.get_runs_count(running):
            return dg.SkipReason("it is being delivered")
        due = [
            report.name
            for report in reports
            if report.delivery and dispatch.is_due(report, sources_read(context.instance, landed))
        ]
        if due or outbox.is_due() or alerts.are_due():
            return dg.RunRequest(tags={"analytics/due": ", ".join(due) or "letters or alerts"})
        return dg.SkipReason("nothing is due")

    return deliveries


def not_set_up() -> str | None:
    """Why nothing can be sent by this installation, if so."""
    if smtp.settings() is None and not recipients.file().exists():
        return "there is no mail server and no recipient (docs/delivery.md)"
    return None


def _of_newest(report: Report, instance: dg.DagsterInstance, landed: Landed) -> "Dispatched | None":
    """Send the newest edition of a report, if it waited until now."""
    from reports.delivery import dispatch

    if report.delivery is None or not dispatch.is_due(report, sources_read(instance, landed)):
        return None
    newest = dispatch.newest(report)
    return deliver_report(report, newest.report_id, instance, landed) if newest else None
