"""The asset graph with its checks, jobs, schedules and sensors, as `dagster dev` loads it."""

import json
import warnings
from typing import Any

import dagster as dg

from ingest.config import load_sources
from operations import delivery
from operations.housekeeping import housekeeping_sensor
from operations.storage import plain_console
from orchestration import automation
from orchestration.assets import blocking_checks, landing_assets, model_assets, report_asset
from orchestration.checks import landing_checks
from orchestration.translator import LANDING, REPORTS, Translator
from reports.registry import registered_reports
from transform import runner

# Dagster's version is pinned, so what it calls beta does not move under us.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

EVERYTHING = "everything"
DAILY = "0 6 * * *"


def build_definitions(**overrides: Any) -> dg.Definitions:
    """The whole way as Dagster definitions. An override replaces an argument of ``Definitions`` (assets,
    jobs, schedules, executor, …), so that a test exchanges a part without patching."""
    sources = list(load_sources().values())
    translator = Translator(sources)
    manifest = json.loads(runner.manifest_path().read_text())
    landing = [landing_assets(source, manifest) for source in sources]
    models = model_assets(manifest, translator)
    landed = [key for source in landing for key in source.keys]
    plans = [
        automation.ReportPlan(report, asset, blocking_checks(models, list(asset.dependency_keys)), landed)
        for report in registered_reports().values()
        for asset in [report_asset(report, manifest, translator, models, landed)]
    ]
    reports = [plan.asset for plan in plans]
    sent = {plan.report: plan.asset.key for plan in plans if plan.report.delivery}
    selections = {
        EVERYTHING: (dg.AssetSelection.all(), "Ingest, build, report."),
        "ingest": (dg.AssetSelection.groups(LANDING), "Land what is new."),
        "build": (dg.AssetSelection.assets(models), "Build and test the models."),
        "report": (dg.AssetSelection.groups(REPORTS), "Render the reports."),
    }
    jobs = [
        dg.define_asset_job(name, selection, description=text)
        for name, (selection, text) in selections.items()
    ]
    daily = dg.ScheduleDefinition(
        name="daily",
        job=jobs[0],
        cron_schedule=DAILY,
        default_status=automation.ON,
        description="The whole way, every morning (UTC).",
    )
    arguments: dict[str, Any] = {
        "assets": [*landing, models, *reports],
        "asset_checks": [landing_checks(sources)],
        "jobs": [*jobs, delivery.delivery_job(sent, landed)],
        "schedules": [daily, *automation.source_schedules(sources)],
        "sensors": [
            automation.inbox_sensor(sources, manifest, translator),
            automation.models_sensor(models),
            automation.reports_sensor(plans),
            delivery.deliveries_sensor(sent, landed),
            housekeeping_sensor(),
        ],
        # A process for each step costs six seconds of imports; the steps are few and dbt has its own threads.
        "executor": dg.in_process_executor,
        "loggers": {"console": plain_console},
    }
    return dg.Definitions(**arguments | overrides)


defs = build_definitions()
