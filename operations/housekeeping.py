"""The run history: runs whose process died are ended, failed ones told by mail, old ones removed."""

import os
import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG

from reports.delivery import smtp

TOLD = "analytics/told"  # a tag of runs whose failure was mailed
RECENT = timedelta(days=1)  # an older failure is no news
INTERRUPTED = "interrupted"
CLASS = re.compile(r"^[A-Za-z_.]+\.[A-Z]\w*: ")  # a Python class, before its message
STEPS = (  # a step, the command that repeats it, and its option for a day
    ("land_", "ingest --source", ""),
    ("windows__", "backfill --source", "--from"),
    ("reports__", "report --type", "--date"),
)


def keep_house(instance: dg.DagsterInstance) -> str:
    """Everything of this module; returns what was done, in words."""
    ended = end_dead_runs(instance)
    told = tell_of_failures(instance)
    removed = remove_old_runs(instance)
    return f"{ended} dead runs ended, {told} failed runs mailed, {removed} old runs removed"


def end_dead_runs(instance: dg.DagsterInstance) -> int:
    """Mark runs as failed whose process is gone (killed, or the machine went down), and free what they held,
    so that the next run does not wait for them."""
    ended = 0
    for run in instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
    ):
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        started = [
            (int(str(found.value)), event.timestamp)
            for event in events
            if event.dagster_event and (found := event.dagster_event.engine_event_data.metadata.get("pid"))
        ]
        if started and not any(_lives(pid, since) for pid, since in started):
            instance.report_run_failed(run, "The run's process ended before the run did.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            ended += 1
    return ended


def _lives(pid: int, since: float) -> bool:
    """Whether the process that had a number at some moment still has it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with suppress(OSError):  # /proc tells when a process began: after the event it is another one
        return Path(f"/proc/{pid}").stat().st_ctime <= since + 1
    return True


def tell_of_failures(instance: dg.DagsterInstance) -> int:
    """One mail to the owner of the runs that failed since the last one. Without settings for mail, none."""
    settings, owner = smtp.settings(), os.environ.get("ANALYTICS_OWNER_EMAIL")
    if not settings or not owner:
        return 0
    since = datetime.now(UTC) - RECENT
    failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since))
    news = [run for run in failed if TOLD not in run.tags]
    if news:
        told = [explain(instance, run) for run in reversed(news)]
        subject = told[0].splitlines()[0] if len(told) == 1 else f"{len(told)} runs failed"
        text = "\n\n".join(told) + "\n"
        smtp.send(settings, smtp.message(settings.sender, [owner], f"Analytics: {subject}", text))
        for run in news:
            instance.add_run_tags(run.run_id, {TOLD: "yes"})
    return len(news)


def explain(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """A failed run for a person: what failed, the first line of each error, the link, how to repeat it."""
    address = os.environ.get("ANALYTICS_DAGSTER_URL", "http://127.0.0.1:3000").rstrip("/")
    failures = failed_steps(instance, run)
    day = run.tags.get(PARTITION_NAME_TAG) or run.tags.get(ASSET_PARTITION_RANGE_START_TAG)
    name = "A run" if run.job_name.startswith("__") else run.job_name  # of assets that somebody chose
    lines = [f"{name} failed" + (f" at {', '.join(step for step, _ in failures)}" if failures else "")]
    lines += [f"  {step}: {error}" for step, error in failures] or ["  The process ended before the run did."]
    lines += [f"  Log:    {address}/runs/{run.run_id}"]
    lines += [f"  Repeat: analytics {_command(step, day)}" for step, _ in failures[:1]] or [
        "  Repeat: analytics run"
    ]
    return "\n".join(lines)


def failed_steps(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[tuple[str, str]]:
    """The steps that failed by themselves, each with the first line of its error."""
    found = []
    for event in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        assert event.dagster_event is not None
        error = event.dagster_event.step_failure_data.error
        while error and error.cause:
            error = error.cause
        found.append((event.step_key or "", first_line(error.message) if error else ""))
    return found


def first_line(message: str) -> str:
    """The first line of an error, without the name of its Python class."""
    if "DagsterExecutionInterruptedError" in message:
        return INTERRUPTED
    lines = CLASS.sub("", message.strip()).splitlines() or [""]
    return f"{lines[0]} {lines[1].strip()}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]


def _command(step: str, day: str | None) -> str:
    for prefix, command, option in STEPS:
        if step.startswith(prefix):
            words = [command, step.removeprefix(prefix), *([option, day] if day and option else [])]
            return " ".join(words)
    return "ingest" if step == "check_landing" else "build" if step == "dbt_build" else "run"


def remove_old_runs(instance: dg.DagsterInstance) -> int:
    """Remove the history and logs of runs older than ``ANALYTICS_HISTORY_DAYS`` (default 90), except those
    that made an asset last, which are its state."""
    days = float(os.environ.get("ANALYTICS_HISTORY_DAYS") or 90)
    old = instance.get_runs(dg.RunsFilter(updated_before=datetime.now(UTC) - timedelta(days=days)))
    old = [run for run in old if run.is_finished]
    if not old:
        return 0
    kept = _last_makers(instance)
    removed = [run.run_id for run in old if run.run_id not in kept]
    for run_id in removed:
        instance.delete_run(run_id)
        shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)
    return len(removed)


def _last_makers(instance: dg.DagsterInstance) -> set[str]:
    records = instance.get_asset_records()
    return {entry.run_id for record in records if (entry := record.asset_entry.last_materialization)}


def housekeeping_sensor() -> dg.SensorDefinition:
    """Keeps house once a minute."""

    @dg.sensor(
        name="housekeeping",
        job=None,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def housekeeping(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """Failed and dead runs, old history."""
        return dg.SkipReason(keep_house(context.instance))

    return housekeeping
