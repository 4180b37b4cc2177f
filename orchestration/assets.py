"""The assets: landed rows for each source, dbt's models with their tests as checks, and the reports."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from demo.desk import desk_server
from ingest import DataIngestion, observation, warehouse
from ingest.config import Source
from operations import delivery, history, live
from operations.delivery import ReportConfig
from orchestration import metadata
from orchestration.translator import LANDING, REPORTS, Translator, landed_key, owners, report_key
from reports import figures
from reports.registry import Report
from reports.render import render_report
from transform import runner

# The days that have metrics. The models' step registers them, so that each can be chosen and no other.
DAY = "day"
DAYS = dg.DynamicPartitionsDefinition(name=DAY)
# Seconds before a source that does not answer is asked again.
WAITS = [float(wait) for wait in os.environ.get("ANALYTICS_RETRY_SECONDS", "10 30 90").split()]


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
    described = {table["name"]: table["columns"] for table in manifest["sources"].values()}
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
        looked_at = dg.MetadataValue.timestamp(datetime.now(UTC))
        with desk_server():
            (outcome,) = DataIngestion().run([source.name], feeds, config.since, config.full_refresh)
        if outcome.may_succeed_later and context.retry_number < len(WAITS):
            wait = WAITS[context.retry_number]
            context.log.warning(f"{outcome.summary()}; asked again in {wait} s")
            raise dg.RetryRequested(max_retries=len(WAITS), seconds_to_wait=wait) from outcome.cause
        context.log.log("ERROR" if outcome.error else "INFO", outcome.summary())
        with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
            for feed in feeds:
                loads = [load for load in outcome.loads if load.feed == feed]
                landed = observation.landed(cursor, source.name, feed)
                shown = metadata.table(cursor, f"staging.{feed}", described.get(feed, {})) | {
                    "looked_at": looked_at,
                    "deliveries": landed.deliveries,
                    "rows_read": sum(load.counts.read for load in loads),
                    "rows_rejected": sum(load.counts.rejected for load in loads),
                    "dagster/partition_row_count": sum(load.new for load in loads),
                    "dagster/row_count": landed.rows,
                }
                if landed.at:
                    shown["dagster/last_updated_timestamp"] = dg.MetadataValue.timestamp(landed.at)
                if outcome.error:
                    shown["error"] = outcome.error
                version = dg.DataVersion(landed.version)
                yield dg.MaterializeResult(asset_key=keys[feed], data_version=version, metadata=shown)

    return land


def model_assets(manifest: Mapping[str, Any], translator: Translator) -> dg.AssetsDefinition:
    """All dbt models, seeds and snapshots; dbt's tests are their checks."""

    nodes = {
        translator.get_asset_key(node).to_python_identifier(): node for node in manifest["nodes"].values()
    }

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="dbt_build", pool="models")
    def models(context: dg.AssetExecutionContext, config: BuildConfig) -> Iterator[Any]:
        arguments = ["--full-refresh"] if config.full_refresh else []
        if context.is_subset:
            selection, indirect = get_subset_selection_for_context(
                context, manifest, "fqn:*", None, None, translator, None
            )
            arguments += [*selection, *(["--indirect-selection", indirect] if indirect else [])]
            arguments += ["--exclude-resource-type", "unit_test"]  # data do not change what models compute
        with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            for result in runner.results(arguments, context.log.info):
                message = DbtCoreCliEventMessage(raw_event=result, event_history_metadata={})
                for event in message.to_default_asset_events(manifest, translator, context):
                    if isinstance(event, dg.Output) and (node := nodes.get(event.output_name)):
                        table = f"{node['schema']}.{node['alias']}"
                        yield event.with_metadata(
                            {**event.metadata, **metadata.table(cursor, table, node["columns"])}
                        )
                    else:
                        yield event
        history.set_partitions(context.instance, DAY, figures.days_covered())

    return models


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
        live.give_way(context.run)
        held = history.failed_checks(context.instance, blocking)
        # One that goes out with a banner is made all the same, and says on its first page what is wrong.
        if held and not (report.delivery and report.delivery.on_failed_checks == "banner"):
            raise dg.Failure(
                f"{report.name} is held until its data are right: the check {'; '.join(held)} failed"
            )
        day = context.partition_key if partitions and context.has_partition_key else None
        rendered = render_report(report.name, day)
        context.log.info(f"{report.name}: {', '.join(str(path) for path in rendered.paths.values())}")
        shown = {"period": rendered.period, "engine": rendered.engine, **metadata.report(rendered.paths)}
        shown |= delivery.deliver_report(report, rendered.report_id, context, config, landed)
        if partitions and day is None:
            newest = dg.AssetMaterialization(context.asset_key, partition=rendered.period, metadata=shown)
            context.log_event(newest)
        return dg.MaterializeResult(metadata=shown)

    return render


def blocking_checks(models: dg.AssetsDefinition, keys: Sequence[dg.AssetKey]) -> list[dg.AssetCheckKey]:
    """The checks that hold what is downstream, of some models and all that they are made from."""
    upstream = dg.AssetSelection.assets(*keys).upstream().resolve([models])
    return [spec.key for spec in models.check_specs if spec.blocking and spec.asset_key in upstream]
