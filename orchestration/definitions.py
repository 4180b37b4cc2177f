"""The asset graph with its checks, jobs, schedules and sensors, as `dagster dev` loads it."""

import json
import warnings
from typing import Any

import dagster as dg

from ingest.config import load_sources
from orchestration import automation, delivery, transform
from orchestration.assets import blocking_checks, landing_assets, model_assets, report_asset
from orchestration.checks import landing_checks
from orchestration.instance import plain_console
from orchestration.translator import LANDING, REPORTS, Translator
from reports.registry import registered_reports

# Dagster's version is pinned, so what it calls beta does not move under us.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

EVERYTHING = "everything"
DAILY = "0 6 * * *"


def build_definitions(**overrides: Any) -> dg.Definitions:
    """The whole way as Dagster definitions. An override replaces an argument of ``Definitions`` (assets,
    jobs, schedules, executor, …), so that a test exchanges a part without patching."""
    sources = list(load_sources().values())
    translator = Translator(sources)
    manifest = json.loads(transform.manifest_path().read_text())
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

    everything = dg.define_asset_job(
        EVERYTHING, dg.AssetSelection.all(), description="Ingest, build, report."
    )
    parts = [
        dg.define_asset_job("ingest", dg.AssetSelection.groups(LANDING), description="Land what is new."),
        dg.define_asset_job(
            "build", dg.AssetSelection.assets(models), description="Build and test the models."
        ),
        dg.define_asset_job("report", dg.AssetSelection.groups(REPORTS), description="Render the reports."),
    ]
    daily = dg.ScheduleDefinition(
        name="daily",
        job=everything,
        cron_schedule=DAILY,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="The whole way, every morning (UTC).",
    )
    arguments: dict[str, Any] = {
        "assets": [*landing, models, *reports],
        "asset_checks": [landing_checks(sources)],
        "jobs": [everything, *parts, delivery.delivery_job(sent, landed)],
        "schedules": [daily, *automation.source_schedules(sources), *automation.report_schedules(plans)],
        "sensors": [
            automation.inbox_sensor(sources),
            automation.models_sensor(models),
            automation.reports_sensor(plans),
            delivery.deliveries_sensor(sent, landed),
            automation.housekeeping_sensor(),
        ],
        # A process for each step costs six seconds of imports; the steps are few and dbt has its own threads.
        "executor": dg.in_process_executor,
        "loggers": {"console": plain_console},
    }
    return dg.Definitions(**arguments | overrides)


defs = build_definitions()
