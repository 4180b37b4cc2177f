"""The assets: landed rows for each source, dbt's models with their tests as checks, and the reports."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from queue import SimpleQueue
from threading import Thread
from typing import Any

import dagster as dg
import requests
import sqlalchemy.exc
from dagster_dbt import DbtCliEventMessage, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from demo.desk import desk_server
from ingest import DataIngestion, warehouse
from ingest.config import Source
from orchestration import delivery, metadata, transform
from orchestration.checks import failed_checks
from orchestration.delivery import ReportConfig
from orchestration.translator import LANDING, REPORTS, Translator, landed_key, owners, report_key
from reports.registry import Report
from reports.render import render_report

# The days that have metrics. The models' step registers them, so that each can be chosen and no other.
DAY = "day"
DAYS = dg.DynamicPartitionsDefinition(name=DAY)
# Seconds before a source that does not answer is asked again.
WAITS = [float(wait) for wait in os.environ.get("ANALYTICS_RETRY_SECONDS", "10 30 90").split()]
RESULTS = {
    "LogSeedResult",
    "LogModelResult",
    "LogSnapshotResult",
    "LogTestResult",
}  # dbt's events of interest
TEMPORARY = (
    requests.ConnectionError,
    requests.Timeout,
    sqlalchemy.exc.OperationalError,
    ConnectionError,
    TimeoutError,
)


class LandingConfig(dg.Config):
    """From where a source is read; as ``DataIngestion.run``."""

    since: str | None = None
    full_refresh: bool = False


class BuildConfig(dg.Config):
    """How the models are built."""

    full_refresh: bool = False


def landing_assets(source: Source, manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The landed tables of a source: one step reads it, one asset for each of its feeds.

    A source that cannot be read leaves its last good rows to the models: the step succeeds, says what was
    wrong in ``error``, and the check `source_was_read` fails the run.
    """
    columns = {table["name"]: table["columns"] for table in manifest["sources"].values()}
    keys = {feed.name: landed_key(source.name, feed.name) for feed in source.feeds}
    specs = [
        dg.AssetSpec(
            keys[feed.name],
            group_name=LANDING,
            kinds={source.kind, "dlt", "postgres"},
            owners=owners(next((group["owner"] for group in manifest["groups"].values()), None)),
            metadata=metadata.code(feed.file, feed.lines["feed"]),
            description=f"Rows of source `{source.name}` in staging.{feed.name}.",
        )
        for feed in source.feeds
    ]

    @dg.multi_asset(name=f"land_{source.name}", specs=specs, can_subset=True, pool=LANDING)
    def land(
        context: dg.AssetExecutionContext, config: LandingConfig
    ) -> Iterator[dg.MaterializeResult[None]]:
        feeds = [name for name, key in keys.items() if key in context.selected_asset_keys]
        looked_at = metadata.now()
        with desk_server():
            (outcome,) = DataIngestion().run([source.name], feeds, config.since, config.full_refresh)
        if outcome.cause and is_temporary(outcome.cause) and context.retry_number < len(WAITS):
            wait = WAITS[context.retry_number]
            context.log.warning(f"{outcome.summary()}; asked again in {wait} s")
            raise dg.RetryRequested(max_retries=len(WAITS), seconds_to_wait=wait) from outcome.cause
        context.log.log("ERROR" if outcome.error else "INFO", outcome.summary())
        with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
            for feed in feeds:
                loads = [load for load in outcome.loads if load.feed == feed]
                version, landed = metadata.landed(cursor, source.name, feed)
                shape = metadata.table(cursor, f"staging.{feed}", columns.get(feed, {}))
                yield dg.MaterializeResult(
                    asset_key=keys[feed],
                    data_version=dg.DataVersion(version),
                    metadata=shape
                    | landed
                    | {
                        "looked_at": looked_at,
                        "rows_read": sum(load.counts.read for load in loads),
                        "rows_rejected": sum(load.counts.rejected for load in loads),
                        "dagster/partition_row_count": sum(load.new for load in loads),
                    }
                    | ({"error": outcome.error} if outcome.error else {}),
                )

    return land


def is_temporary(error: BaseException | None) -> bool:
    """Whether a source that failed so may answer next time: it could not be reached, or says so itself."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code in (408, 429) or error.response.status_code >= 500
    return error is not None and (isinstance(error, TEMPORARY) or is_temporary(error.__cause__))


def model_assets(manifest: Mapping[str, Any], translator: Translator) -> dg.AssetsDefinition:
    """All dbt models, seeds and snapshots; dbt's tests are their checks."""

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="dbt_build", pool="models")
    def models(context: dg.AssetExecutionContext, config: BuildConfig) -> Iterator[Any]:
        arguments = ["--full-refresh"] if config.full_refresh else []
        if context.is_subset:
            selection, indirect = get_subset_selection_for_context(
                context=context,
                manifest=manifest,
                select="fqn:*",
                exclude=None,
                selector=None,
                dagster_dbt_translator=translator,
                current_dbt_indirect_selection_env=None,
            )
            arguments += [*selection, *(["--indirect-selection", indirect] if indirect else [])]
        nodes = {
            translator.get_asset_key(node).to_python_identifier(): node for node in manifest["nodes"].values()
        }
        with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            for message in _build(arguments, context.log.info):
                for event in message.to_default_asset_events(manifest, translator, context):
                    if isinstance(event, dg.Output) and (node := nodes.get(event.output_name)):
                        name = f"{node['schema']}.{node['alias']}"
                        table = metadata.table(cursor, name, node["columns"])
                        yield event.with_metadata({**event.metadata, **table})
                    else:
                        yield event
            _register_days(context.instance, cursor)

    return models


def _build(arguments: Sequence[str], say: Callable[[str], None]) -> Iterator[DbtCliEventMessage]:
    """Run ``dbt build`` in a thread and yield its events as they come; say what it did in the end.

    Raises:
        dg.Failure: a model or a test failed.
    """
    from google.protobuf.json_format import MessageToDict

    events: SimpleQueue[Any] = SimpleQueue()
    summaries: list[str] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            summaries.append(transform.build(arguments, on_event=events.put))
        except Exception as error:
            failures.append(error)
        finally:
            events.put(None)

    thread = Thread(target=run, name="dbt build")
    thread.start()
    try:
        while (event := events.get()) is not None:
            if event.info.name in RESULTS:
                raw = MessageToDict(event, preserving_proto_field_name=True)
                yield DbtCoreCliEventMessage(raw_event=raw, event_history_metadata={})
    finally:  # also where the run is cancelled: what is being built is rolled back
        while thread.is_alive() and not (summaries or failures):
            transform.cancel()
            thread.join(0.2)
    thread.join()
    if failures:
        raise dg.Failure(str(failures[0]))
    say(f"dbt build: {summaries[0]}")


def _register_days(instance: dg.DagsterInstance, cursor: Any) -> None:
    """Make the days with metrics the partitions of the reports, in their order."""
    cursor.execute("select to_regclass('metrics.metrics_daily') is not null")
    if not next(iter(cursor))[0]:
        return
    cursor.execute("select metric_date::text from metrics.metrics_daily order by metric_date")
    days = [day for (day,) in cursor]
    known = instance.get_dynamic_partitions(DAY)
    if known != days[: len(known)]:  # older days came
        for day in known:
            instance.delete_dynamic_partition(DAY, day)
        known = []
    if new := days[len(known) :]:
        instance.add_dynamic_partitions(DAY, new)


def report_asset(
    report: Report,
    manifest: Mapping[str, Any],
    translator: Translator,
    models: dg.AssetsDefinition,
    landed: Sequence[dg.AssetKey],
) -> dg.AssetsDefinition:
    """A report, downstream of what its exposure says it depends on. One that is no dashboard has a partition
    for each day; without one it is made for the newest day. Once made it is sent, if it is due."""
    (exposure,) = (e for e in manifest["exposures"].values() if e["name"] == report.name)
    nodes = exposure["depends_on"]["nodes"]
    deps = [translator.get_asset_spec(manifest, unique_id, None).key for unique_id in nodes]
    blocking = blocking_checks(models, deps)
    partitions = None if exposure["type"] == "dashboard" else DAYS

    @dg.asset(
        key=report_key(report.name),
        deps=deps,
        group_name=REPORTS,
        kinds={"quarto", *report.formats[:2]},
        owners=owners(exposure.get("owner")),
        metadata=metadata.code(report.document),
        description=exposure["description"],
        partitions_def=partitions,
    )
    def render(context: dg.AssetExecutionContext, config: ReportConfig) -> dg.MaterializeResult[None]:
        held = failed_checks(context.instance, blocking)
        # One that goes out with a banner is made all the same, and says on its first page what is wrong.
        if held and not (report.delivery and report.delivery.on_failed_checks == "banner"):
            raise dg.Failure(
                f"{report.name} is held until its data are right: the check {'; '.join(held)} failed"
            )
        day = context.partition_key if partitions and context.has_partition_key else None
        rendered = render_report(report.name, day)
        context.log.info(f"{report.name}: {', '.join(str(path) for path in rendered.paths.values())}")
        shown: metadata.Metadata = {"period": rendered.period, "engine": rendered.engine}
        shown |= metadata.report(rendered.paths)
        if delivery.is_asked_for(config, context.run):
            asked_for = bool(config.send)
            found = delivery.deliver_report(report, rendered.report_id, context.instance, landed, asked_for)
            context.log.info(f"{report.name}: {found.words}")
            shown |= delivery.metadata(found)
        if partitions and day is None:
            newest = dg.AssetMaterialization(context.asset_key, partition=rendered.period, metadata=shown)
            context.log_event(newest)
        return dg.MaterializeResult(metadata=shown)

    return render


def blocking_checks(models: dg.AssetsDefinition, keys: Sequence[dg.AssetKey]) -> list[dg.AssetCheckKey]:
    """The checks that hold what is downstream, of some models and all that they are made from."""
    upstream: set[dg.AssetKey] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key not in upstream and key in models.keys:
            upstream.add(key)
            waiting += models.asset_deps[key]
    return [spec.key for spec in models.check_specs if spec.blocking and spec.asset_key in upstream]
