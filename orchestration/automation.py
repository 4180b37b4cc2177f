"""When things run by themselves: new files, schedules, models that follow their parents, reports that follow
their models, and the housekeeping of the run history. All of it is on in `dagster dev`."""

import glob
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from ingest import warehouse
from ingest.config import Source
from orchestration import history
from orchestration.assets import DAY
from orchestration.checks import failed_checks
from orchestration.translator import landed_key
from reports.registry import Report

ON, SENSOR_ON = dg.DefaultScheduleStatus.RUNNING, dg.DefaultSensorStatus.RUNNING
FILES = ("csv", "excel")


# ---------------------------------------------------------------------------------------------- sources


def source_schedules(sources: Sequence[Source]) -> list[dg.ScheduleDefinition]:
    """Each source that has a `schedule` in sources.yml is read by it."""
    return [
        dg.ScheduleDefinition(
            name=f"read_{source.name}",
            target=[landed_key(source.name, feed.name) for feed in source.feeds],
            cron_schedule=source.schedule.cron,
            execution_timezone=source.schedule.timezone,
            default_status=ON,
        )
        for source in sources
        if source.schedule
    ]


def inbox_sensor(sources: Sequence[Source]) -> dg.SensorDefinition:
    """Reads a source of files when files came that it has not seen: once for all of them, and not before they
    stopped growing, which is when two looks find them alike."""
    watched = {source.name: source for source in sources if source.kind in FILES}
    keys = {name: [landed_key(name, feed.name) for feed in source.feeds] for name, source in watched.items()}

    @dg.sensor(
        name="inbox",
        target=[key for of_source in keys.values() for key in of_source] or "*",
        minimum_interval_seconds=10,
        default_status=SENSOR_ON,
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """New files in the folders of sources.yml."""
        before: Mapping[str, str] = json.loads(context.cursor or "{}")
        seen = {
            name: _new_files(source, _looked_at(context.instance, keys[name]))
            for name, source in watched.items()
        }
        ready = [name for name, state in seen.items() if state and state == before.get(name)]
        growing = [name for name, state in seen.items() if state and name not in ready]
        requests = [
            dg.RunRequest(run_key=f"{name}:{seen[name]}", asset_selection=keys[name]) for name in ready
        ]
        waiting = [f"{name}: new files; waiting until they stop growing" for name in growing]
        return _result(requests, waiting or ["no new file"], json.dumps(seen))

    return inbox


def _looked_at(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> float:
    """When the source was last read."""
    event = instance.get_latest_materialization_event(keys[0])
    found = (
        event.asset_materialization.metadata.get("looked_at")
        if event and event.asset_materialization
        else None
    )
    return float(found.value) if found else 0.0  # type: ignore[arg-type]


def _new_files(source: Source, since: float) -> str:
    """What is there of files that came or changed after a moment, in a few characters; empty for none. The
    time is that of the file's entry (ctime), since a file moved into the folder keeps its own."""
    new = []
    for feed in source.feeds:
        for file in glob.glob(str(warehouse.ROOT / str(feed.resolved_place()["path"])), recursive=True):
            found = Path(file).stat()
            if found.st_ctime > since:
                new.append((file, found.st_size, found.st_mtime_ns))
    return hashlib.md5(repr(sorted(new)).encode()).hexdigest()[:12] if new else ""


def models_sensor(models: dg.AssetsDefinition) -> dg.AutomationConditionSensorDefinition:
    """Evaluates the models' automation conditions."""
    return dg.AutomationConditionSensorDefinition(
        "models", target=list(models.keys), minimum_interval_seconds=15, default_status=SENSOR_ON
    )


# ---------------------------------------------------------------------------------------------- reports


class ReportPlan:
    """When one report is due: as soon as its models are newer than it is, hold what landed, and pass."""

    def __init__(
        self,
        report: Report,
        asset: dg.AssetsDefinition,
        blocking: Sequence[dg.AssetCheckKey],
        landed: Sequence[dg.AssetKey],
    ) -> None:
        self.report, self.asset, self.blocking, self.landed = report, asset, blocking, landed
        self.models = list(asset.dependency_keys)

    def updated(self, instance: dg.DagsterInstance) -> float | None:
        """When the models last changed since the report was made; None where they did not, or are missing."""
        times = _materialized(instance, [*self.models, self.asset.key])
        newest = max((times.get(key, 0.0) for key in self.models), default=0.0)
        missing = any(key not in times for key in self.models)
        return None if missing or newest <= times.get(self.asset.key, 0.0) else newest

    def waits_for(self, instance: dg.DagsterInstance) -> str | None:
        """What a report that is due should wait for."""
        if failed := failed_checks(instance, self.blocking):
            return f"checks failed: {', '.join(failed)}"
        if instance.get_runs_count(dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)):
            return "runs are in progress"
        oldest = min(_materialized(instance, self.models).values())
        arrived = max((_arrived(instance, key) for key in self.landed), default=0.0)
        return "rows landed that the models do not have" if arrived > oldest else None

    def request(self, instance: dg.DagsterInstance, reason: str) -> dg.RunRequest:
        """A run that makes the report, for the newest day that is over where it is read."""
        days = instance.get_dynamic_partitions(DAY) if self.asset.partitions_def else []
        if self.report.about == "sales":
            today = datetime.now(ZoneInfo(self.report.timezone)).date().isoformat()
            days = [day for day in days if day < today] or days
        return dg.RunRequest(
            run_key=f"{self.report.name}:{reason}",
            asset_selection=[self.asset.key],
            partition_key=days[-1] if days else None,
        )


def reports_sensor(plans: Sequence[ReportPlan]) -> dg.SensorDefinition:
    """Makes each report once its models are fresh and their checks passed."""

    @dg.sensor(
        name="reports",
        target=[plan.asset.key for plan in plans],
        minimum_interval_seconds=15,
        default_status=SENSOR_ON,
    )
    def reports(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Reports whose models are fresh."""
        requests, waiting = [], []
        for plan in plans:
            if (updated := plan.updated(context.instance)) is None:
                continue
            if reason := plan.waits_for(context.instance):
                waiting.append(f"{plan.report.name}: {reason}")
            else:
                requests.append(plan.request(context.instance, f"models of {updated}"))
        return _result(requests, waiting or ["no model is newer than its reports"])

    return reports


def report_schedules(plans: Sequence[ReportPlan]) -> list[dg.ScheduleDefinition]:
    """The latest time of each report: if its models have not made it by then, it is made of what is there."""

    def latest_time(plan: ReportPlan, cron: str) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=f"latest_time_of_{plan.report.name}",
            target=[plan.asset.key],
            cron_schedule=cron,
            execution_timezone=plan.report.timezone,
            default_status=ON,
        )
        def due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
            if plan.updated(context.instance) is None:
                return dg.SkipReason("the report was made of the newest models already")
            return plan.request(context.instance, f"at {context.scheduled_execution_time}")

        return due

    return [latest_time(plan, plan.report.schedule) for plan in plans if plan.report.schedule]


def _result(
    requests: list[dg.RunRequest], otherwise: Sequence[str], cursor: str | None = None
) -> dg.SensorResult:
    """What a sensor asks for, or why it does not."""
    return dg.SensorResult(requests, skip_reason=None if requests else "; ".join(otherwise), cursor=cursor)


def _materialized(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> dict[dg.AssetKey, float]:
    """When each asset was last made; those never made are left out."""
    return {
        record.asset_entry.asset_key: entry.timestamp
        for record in instance.get_asset_records(keys)
        if (entry := record.asset_entry.last_materialization)
    }


def _arrived(instance: dg.DagsterInstance, key: dg.AssetKey) -> float:
    """When a feed last brought new rows."""
    event = instance.get_latest_materialization_event(key)
    metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
    found = metadata.get("dagster/last_updated_timestamp")
    return float(found.value) if found else 0.0  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- housekeeping


def housekeeping_sensor() -> dg.SensorDefinition:
    """Tells of failed runs by mail, ends the record of runs whose process died, removes old history."""

    @dg.sensor(name="housekeeping", job=None, minimum_interval_seconds=60, default_status=SENSOR_ON)
    def housekeeping(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """Failed and dead runs, old history."""
        return dg.SkipReason(history.keep_house(context.instance))

    return housekeeping
