"""When assets are made by themselves: new files, schedules, models that follow their parents, reports that
follow their models. All of it is on in `dagster dev`."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import dagster as dg

from ingest.config import Source
from ingest.inbox import KINDS, watch
from operations import history, live
from orchestration.assets import DAY
from orchestration.translator import Translator, landed_key
from reports.registry import Report

ON, SENSOR_ON = dg.DefaultScheduleStatus.RUNNING, dg.DefaultSensorStatus.RUNNING


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


def inbox_sensor(sources: Sequence[Source], translator: Translator) -> dg.SensorDefinition:
    """Reads a source of files once new ones came and are whole, and builds what dashboards show of it."""
    watched = {source.name: source for source in sources if source.kind in KINDS}
    keys = {name: [landed_key(name, feed.name) for feed in source.feeds] for name, source in watched.items()}
    nodes = {
        name: live.on_the_way(translator.manifest, {key.path[1] for key in keys[name]}) for name in watched
    }
    made = {name: [*keys[name], *map(translator.get_asset_key, nodes[name])] for name in watched}

    @dg.sensor(
        name="inbox",
        target=sorted({key for name in watched for key in made[name]}) or "*",
        minimum_interval_seconds=1,
        default_status=SENSOR_ON,
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """New files in the folders of sources.yml."""
        since = {name: history.looked_at(context.instance, of_source[0]) for name, of_source in keys.items()}
        found = watch(watched, since, json.loads(context.cursor or "{}"))
        requests = [
            dg.RunRequest(run_key=f"{name}:{state}", asset_selection=made[name], tags=live.FIRST)
            for name, state in found.whole.items()
        ]
        growing = ", ".join(found.growing)
        otherwise = f"waiting until new files are whole: {growing}" if growing else "no new file"
        return dg.SensorResult(requests, None if requests else otherwise, cursor=json.dumps(found.known))

    return inbox


class ReportPlan(NamedTuple):
    """When one report is due: as soon as its models are newer than it is, hold what landed, and pass; at its
    latest time, if they are newer."""

    report: Report
    asset: dg.AssetsDefinition
    blocking: Sequence[dg.AssetCheckKey]
    landed: Sequence[dg.AssetKey]

    def request(self, instance: dg.DagsterInstance, now: datetime) -> dg.RunRequest | str | None:
        """A run that makes the report; why it waits; or None, where there is nothing to make it of."""
        parents = list(self.asset.dependency_keys)
        if (updated := history.newest_parent(instance, self.asset.key, parents)) is None:
            return None
        latest = self.report.next_time(datetime.fromtimestamp(updated, UTC))
        waits = history.unsettled(instance, parents, self.blocking, self.landed)
        if waits and (latest is None or now < latest):
            return f"{waits}; it is made without at {latest}" if latest else waits
        days = instance.get_dynamic_partitions(DAY) if self.asset.partitions_def else []
        if self.report.about == "sales":
            today = now.astimezone(self.report.zone).date().isoformat()
            days = [day for day in days if day < today] or days  # the newest that is over where it is read
        return dg.RunRequest(
            run_key=f"{self.report.name}: models of {updated}{', at the latest time' if waits else ''}",
            asset_selection=[self.asset.key],
            partition_key=days[-1] if days else None,
            tags=live.LAST,
        )


def reports_sensor(plans: Sequence[ReportPlan]) -> dg.SensorDefinition:
    """Makes each report that is due."""

    @dg.sensor(
        name="reports",
        target=[plan.asset.key for plan in plans],
        minimum_interval_seconds=15,
        default_status=SENSOR_ON,
    )
    def reports(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """Reports whose models are fresh, or whose latest time has come."""
        now = datetime.now(UTC)
        found = {plan.report.name: plan.request(context.instance, now) for plan in plans}
        requests = [request for request in found.values() if isinstance(request, dg.RunRequest)]
        waiting = [f"{name}: {reason}" for name, reason in found.items() if isinstance(reason, str)]
        otherwise = "; ".join(waiting) or "no model is newer than its reports"
        return dg.SensorResult(requests, skip_reason=None if requests else otherwise)

    return reports
