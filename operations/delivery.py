"""Letters in Dagster: of a report that a step made, and by the job `deliver`, which a sensor starts when
something is due: a report that waited for its data, a letter not taken, an alert. What is due is known to
`reports/delivery/`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.tags import BACKFILL_ID_TAG

from operations import history
from reports.delivery import rounds
from reports.registry import Report

if TYPE_CHECKING:
    from reports.delivery.dispatch import Dispatched

JOB = "deliver"
Landed = Sequence[dg.AssetKey]


class ReportConfig(dg.Config):
    """Whether a report that was made is also sent, once it is due: by default unless it is a backfill's."""

    send: bool | None = None


def deliver_report(
    report: Report, report_id: str, context: dg.AssetExecutionContext, config: ReportConfig, landed: Landed
) -> dict[str, Any]:
    """Send a report that a step made, if it is due and the step is to send; one of the past only if that was
    asked for. Returns what the page of its asset shows of it."""
    from reports import archive
    from reports.delivery import dispatch  # which draws charts, and takes a second to load

    if not is_asked_for(config, context.run):
        return {}
    read_at = sources_read(context.instance, landed)
    found = dispatch.consider(report, archive.find(report_id), read_at, is_old_news=bool(config.send))
    context.log.info(f"{report.name}: {found.words}")
    return metadata(found)


def is_asked_for(config: ReportConfig, run: dg.DagsterRun) -> bool:
    """Whether what a run makes is to be sent."""
    return BACKFILL_ID_TAG not in run.tags if config.send is None else config.send


def sources_read(instance: dg.DagsterInstance, landed: Landed) -> dict[str, datetime | None]:
    """When each source was last read as a whole; None where it never was, or its last reading failed."""
    times: dict[str, list[float]] = {}
    for key in landed:
        shown = history.last_shown(instance, key)
        looked_at = 0.0 if "error" in shown else float(shown.get("looked_at", 0))
        times.setdefault(key.path[-1], []).append(looked_at)
    return {
        source: datetime.fromtimestamp(min(found), UTC) if min(found) else None
        for source, found in times.items()
    }


def metadata(found: "Dispatched") -> dict[str, dg.MetadataValue]:
    """What came of it, for the page of the asset."""
    shown: dict[str, dg.MetadataValue] = {"delivery": dg.MetadataValue.text(found.words)}
    if found.deliveries:
        shown["deliveries"] = dg.MetadataValue.md(rounds.as_table(found))
    if found.problems:
        shown["problems"] = dg.MetadataValue.text("; ".join(found.problems))
    return shown


def delivery_job(reports: Mapping[Report, dg.AssetKey], landed: Landed) -> dg.JobDefinition:
    """Sends what is due: reports that waited, letters that were not taken, alerts."""

    @dg.op
    def send_what_is_due(context: dg.OpExecutionContext) -> None:
        done = rounds.deliver(list(reports), sources_read(context.instance, landed))
        keys = {report.name: key for report, key in reports.items()}
        for name, found in done.reports.items():
            context.log.info(f"{name}: {found.words}")
            context.log_event(dg.AssetObservation(keys[name], metadata=metadata(found)))
        context.log.info(done.words)
        if done.errors:
            raise dg.Failure("; ".join(done.errors))

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
        if reason := rounds.not_set_up():
            return dg.SkipReason(reason)
        if history.is_running(context.instance, JOB):
            return dg.SkipReason("it is being delivered")
        due = rounds.is_due(list(reports), sources_read(context.instance, landed))
        return dg.RunRequest(tags={"analytics/due": due}) if due else dg.SkipReason("nothing is due")

    return deliveries
