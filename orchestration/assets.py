"""The assets: landed rows for each source, dbt's models with their tests as checks, and the reports."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    Failure,
    MaterializeResult,
    MetadataValue,
    asset,
    multi_asset,
)
from dagster_dbt import DbtCliEventMessage, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from demo.desk import desk_server
from ingest import DataIngestion
from ingest.config import Source
from orchestration import transform
from orchestration.translator import LANDING, REPORTS, Translator, landed_key, report_key
from reports.registry import Report
from reports.render import render_report


def landing_assets(source: Source) -> AssetsDefinition:
    """The landed tables of a source: one step reads it, one asset for each of its feeds."""
    specs = [
        AssetSpec(
            landed_key(source.name, feed.name),
            group_name=LANDING,
            kinds={source.kind, "dlt", "postgres"},
            description=f"Rows of source `{source.name}` in staging.{feed.name}.",
        )
        for feed in source.feeds
    ]

    @multi_asset(name=f"land_{source.name}", specs=specs, can_subset=True)
    def land(context: AssetExecutionContext) -> Iterator[MaterializeResult[None]]:
        feeds = [
            f.name for f in source.feeds if landed_key(source.name, f.name) in context.selected_asset_keys
        ]
        with desk_server():
            (outcome,) = DataIngestion().run([source.name], feeds)
        if outcome.error:
            raise Failure(outcome.error)
        context.log.info(outcome.summary())
        for feed in feeds:
            loads = [load for load in outcome.loads if load.feed == feed]
            yield MaterializeResult(
                asset_key=landed_key(source.name, feed),
                metadata={
                    "deliveries": len(loads),
                    "rows_read": sum(load.counts.read for load in loads),
                    "rows_rejected": sum(load.counts.rejected for load in loads),
                    "dagster/partition_row_count": sum(load.new for load in loads),
                },
            )

    return land


def model_assets(manifest: Path, translator: Translator) -> AssetsDefinition:
    """All dbt models, seeds and snapshots; dbt's tests are their checks."""

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="dbt_build")
    def models(context: AssetExecutionContext) -> Iterator[Any]:
        selection: list[str] = []
        if context.is_subset:
            selection, indirect = get_subset_selection_for_context(
                context=context,
                manifest=json.loads(manifest.read_text()),
                select="fqn:*",
                exclude=None,
                selector=None,
                dagster_dbt_translator=translator,
                current_dbt_indirect_selection_env=None,
            )
            selection += ["--indirect-selection", indirect] if indirect else []
        for message in _build(selection, context.log.info):
            yield from message.to_default_asset_events(
                manifest=manifest, dagster_dbt_translator=translator, context=context
            )

    return models


def _build(selection: Sequence[str], say: Callable[[str], None]) -> Iterator[DbtCliEventMessage]:
    """Run ``dbt build`` in a thread and yield its events as they come; say what it did in the end.

    Raises:
        Failure: a model or a test failed.
    """
    from google.protobuf.json_format import MessageToDict

    events: SimpleQueue[Any] = SimpleQueue()
    summaries: list[str] = []
    failures: list[transform.BuildError] = []

    def run() -> None:
        try:
            summaries.append(transform.build(selection, on_event=events.put))
        except transform.BuildError as error:
            failures.append(error)
        finally:
            events.put(None)

    thread = Thread(target=run, name="dbt build")
    thread.start()
    while (event := events.get()) is not None:
        raw = MessageToDict(event, preserving_proto_field_name=True)
        yield DbtCoreCliEventMessage(raw_event=raw, event_history_metadata={})
    thread.join()
    if failures:
        raise Failure(str(failures[0]))
    say(f"dbt build: {summaries[0]}")


def report_asset(report: Report, manifest: Mapping[str, Any], translator: Translator) -> AssetsDefinition:
    """A report, downstream of what its exposure says it depends on."""
    (exposure,) = (e for e in manifest["exposures"].values() if e["name"] == report.name)
    deps = [
        translator.get_asset_spec(manifest, unique_id, None).key
        for unique_id in exposure["depends_on"]["nodes"]
    ]

    @asset(
        key=report_key(report.name),
        deps=deps,
        group_name=REPORTS,
        kinds={"quarto"},
        description=exposure["description"],
    )
    def render(context: AssetExecutionContext) -> MaterializeResult[None]:
        rendered = render_report(report.name)
        context.log.info(f"{report.name}: {', '.join(str(path) for path in rendered.paths.values())}")
        return MaterializeResult(
            metadata={format_: MetadataValue.path(path) for format_, path in rendered.paths.items()}
        )

    return render
