"""The asset graph with its job and schedule, as `dagster dev` loads it."""

import json
from typing import Any

from dagster import AssetSelection, Definitions, ScheduleDefinition, define_asset_job, in_process_executor

from ingest.config import load_sources
from orchestration import transform
from orchestration.assets import landing_assets, model_assets, report_asset
from orchestration.instance import plain_console
from orchestration.translator import LANDING, REPORTS, Translator
from reports.registry import registered_reports

EVERYTHING = "everything"
DAILY = "0 6 * * *"


def build_definitions(**overrides: Any) -> Definitions:
    """The whole way as Dagster definitions. An override replaces an argument of ``Definitions`` (assets,
    jobs, schedules, executor, …), so that a test exchanges a part without patching."""
    sources = list(load_sources().values())
    translator = Translator(sources)
    manifest_path = transform.manifest_path()
    manifest = json.loads(manifest_path.read_text())
    landing = [landing_assets(source) for source in sources]
    models = model_assets(manifest_path, translator)
    reports = [report_asset(report, manifest, translator) for report in registered_reports().values()]

    everything = define_asset_job(EVERYTHING, AssetSelection.all(), description="Ingest, build, report.")
    parts = [
        define_asset_job("ingest", AssetSelection.groups(LANDING), description="Land what is new."),
        define_asset_job("build", AssetSelection.assets(models), description="Build and test the models."),
        define_asset_job("report", AssetSelection.groups(REPORTS), description="Render the reports."),
    ]
    daily = ScheduleDefinition(
        name="daily", job=everything, cron_schedule=DAILY, description="The whole way, every morning (UTC)."
    )
    arguments: dict[str, Any] = {
        "assets": [*landing, models, *reports],
        "jobs": [everything, *parts],
        "schedules": [daily],
        # A process for each step costs six seconds of imports; the steps are few and dbt has its own threads.
        "executor": in_process_executor,
        "loggers": {"console": plain_console},
    }
    return Definitions(**arguments | overrides)


defs = build_definitions()
