"""The assets: landed rows for each source, dbt's models with their tests as checks, and the reports."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_IS_USER_PROVIDED_TAG, DATA_VERSION_TAG
from dagster_dbt import dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from demo.desk import desk_server
from ingest import DataIngestion, observation, warehouse
from ingest.config import Source
from operations import delivery, history, live, retries
from operations.delivery import ReportConfig
from orchestration import metadata
from orchestration.translator import (
    LANDING,
    REPORTS,
    WINDOWS,
    Translator,
    landed_key,
    owners,
    report_key,
    window_key,
)
from reports import figures
from reports.registry import Report
from reports.render import render_report
from transform import runner

# The days that have metrics. The models' step registers them, so that each can be chosen and no other.
DAY = "day"
DAYS = dg.DynamicPartitionsDefinition(name=DAY)


class LandingConfig(dg.Config):
    """From where a source is read; as ``DataIngestion.run``."""

    since: str | None = None
    until: str | None = None
    full_refresh: bool = False


class BuildConfig(dg.Config):
    """How the models are built."""

    full_refresh: bool = False


def landing_assets(source: Source, translator: Translator) -> list[dg.AssetsDefinition]:
    """The landed tables of a source: one step reads it, one asset for each of its feeds. Beside them, where
    it has a cursor of times, its windows: a partition for each day, which reads that day once more.

    A source that cannot be read leaves its last good rows to the models: the step succeeds, says what was
    wrong in ``error``, and the check `source_was_read` fails the run. A window fails by itself.
    """
    manifest = translator.manifest
    described = {table["name"]: table["columns"] for table in manifest["sources"].values()}
    keys = {feed.name: landed_key(source.name, feed.name) for feed in source.feeds}
    kinds = {source.kind, "dlt", "postgres"}
    owner = owners(next((group["owner"] for group in manifest["groups"].values()), None))
    specs = [
        dg.AssetSpec(
            keys[feed.name],
            group_name=LANDING,
            kinds=kinds,
            owners=owner,
            metadata=metadata.code(feed.file, feed.lines["feed"]),
            description=f"Rows of source `{source.name}` in staging.{feed.name}.",
        )
        for feed in source.feeds
    ]

    def read(context: dg.AssetExecutionContext, start: LandingConfig, feeds: Sequence[str]) -> Iterator[Any]:
        now: dict[str, Any] = {"looked_at": datetime.now(UTC).timestamp()}
        with desk_server():
            (outcome,) = DataIngestion().run([source.name], feeds, **start.model_dump())
        if outcome.cause and outcome.may_succeed_later:
            retries.again(context, outcome.cause, outcome.summary())
        context.log.log("ERROR" if outcome.error else "INFO", outcome.summary())
        if outcome.error:
            now["error"] = outcome.error
            if start.until:
                raise dg.Failure(outcome.error)
        with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
            for feed in feeds:
                landed = observation.landed(cursor, source.name, feed)
                shown = metadata.table(cursor, f"staging.{feed}", described.get(feed, {}))
                shown |= outcome.counts(feed)
                shown |= {"deliveries": landed.deliveries, "dagster/row_count": landed.rows}
                # A window says nothing of the source as a whole.
                whole = history.last_shown(context.instance, keys[feed]) if start.until else now
                shown |= {"error": whole["error"]} if "error" in whole else {}
                times = {"looked_at": whole.get("looked_at"), "dagster/last_updated_timestamp": landed.at}
                shown |= {name: dg.MetadataValue.timestamp(at) for name, at in times.items() if at}
                version = dg.DataVersion(landed.version)
                yield dg.MaterializeResult(asset_key=keys[feed], data_version=version, metadata=shown)

    @dg.multi_asset(name=f"land_{source.name}", specs=specs, can_subset=True, pool=LANDING)
    def land(
        context: dg.AssetExecutionContext, config: LandingConfig
    ) -> Iterator[dg.MaterializeResult[None]]:
        yield from read(context, config, [f for f, key in keys.items() if key in context.selected_asset_keys])

    if source.first_day is None:
        return [land]

    @dg.asset(
        key=window_key(source.name),
        partitions_def=dg.DailyPartitionsDefinition(str(source.first_day), end_offset=1),
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=WINDOWS,
        kinds=kinds,
        owners=owner,
        pool=LANDING,
        metadata=metadata.code(source.feeds[0].file, source.feeds[0].lines["feed"]),
        description=f"Days of source `{source.name}`, by its cursor, read once more.",
    )
    def read_window(context: dg.AssetExecutionContext) -> Iterator[Any]:
        window = context.partition_time_window
        start = LandingConfig(since=f"{window.start:%Y-%m-%d}", until=f"{window.end:%Y-%m-%d}")
        for result in read(context, start, [feed.name for feed in source.feeds if "cursor" in feed.place]):
            tags = {DATA_VERSION_TAG: result.data_version.value, DATA_VERSION_IS_USER_PROVIDED_TAG: "true"}
            yield dg.AssetMaterialization(result.asset_key, metadata=result.metadata, tags=tags)
        yield dg.MaterializeResult()

    return [land, read_window]


def model_assets(translator: Translator) -> dg.AssetsDefinition:
    """All dbt models, seeds and snapshots; dbt's tests are their checks."""
    manifest = translator.manifest
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
    report: Report, translator: Translator, models: dg.AssetsDefinition, landed: Sequence[dg.AssetKey]
) -> dg.AssetsDefinition:
    """A report, downstream of what its exposure says it depends on. One that is no dashboard has a partition
    for each day; without one it is made for the newest day. Once made it is sent, if it is due."""
    manifest = translator.manifest
    (exposure,) = (e for e in manifest["exposures"].values() if e["name"] == report.name)
    deps = [translator.get_asset_spec(manifest, id_, None).key for id_ in exposure["depends_on"]["nodes"]]
    blocking = blocking_checks(models, frozenset(deps))
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
            what = f"{report.name} is held until its data are right"
            raise dg.Failure(f"{what}: the check {'; '.join(held)} failed")
        day = context.partition_key if partitions and context.has_partition_key else None
        rendered = render_report(report.name, day)
        context.log.info(f"{report.name}: {', '.join(str(path) for path in rendered.paths.values())}")
        shown = metadata.report(rendered)
        shown |= delivery.deliver_report(report, rendered.report_id, context, config, landed)
        if partitions and day is None:
            newest = dg.AssetMaterialization(context.asset_key, partition=rendered.period, metadata=shown)
            context.log_event(newest)
        return dg.MaterializeResult(metadata=shown)

    return render


@cache
def blocking_checks(models: dg.AssetsDefinition, keys: frozenset[dg.AssetKey]) -> list[dg.AssetCheckKey]:
    """The checks that hold what is downstream, of some models and all that they are made from."""
    upstream = dg.AssetSelection.assets(*keys).upstream().resolve([models])
    return [spec.key for spec in models.check_specs if spec.blocking and spec.asset_key in upstream]
