"""The asset graph with its checks, jobs, schedules and sensors, as `dagster dev` loads it."""

import json
from typing import Any

import dagster as dg

from ingest.config import load_sources
from operations import delivery
from operations.housekeeping import housekeeping_sensor
from operations.storage import plain_console
from orchestration import automation
from orchestration.assets import blocking_checks, landing_assets, model_assets, report_asset
from orchestration.automation import ON, SENSOR_ON, ReportPlan
from orchestration.checks import landing_checks
from orchestration.translator import LANDING, REPORTS, WINDOWS, Translator, landed_key
from reports.registry import registered_reports
from transform import runner


def build_definitions(**overrides: Any) -> dg.Definitions:
    """The whole way as Dagster definitions. An override replaces an argument of ``Definitions`` (assets,
    jobs, schedules, executor, …), so that a test exchanges a part without patching."""
    sources = list(load_sources().values())
    translator = Translator(sources, json.loads(runner.manifest_path().read_text()))
    landing = [asset for source in sources for asset in landing_assets(source, translator)]
    models = model_assets(translator)
    landed = [landed_key(source.name, feed.name) for source in sources for feed in source.feeds]
    plans = [
        ReportPlan(report, asset, blocking_checks(models, frozenset(asset.dependency_keys)), landed)
        for report in registered_reports().values()
        for asset in [report_asset(report, translator, models, landed)]
    ]
    sent = {plan.report: plan.asset.key for plan in plans if plan.report.delivery}

    all_but_windows = dg.AssetSelection.all() - dg.AssetSelection.groups(WINDOWS)
    jobs = [
        dg.define_asset_job(name, selection, description=text)
        for name, selection, text in (
            ("everything", all_but_windows, "Ingest, build, report."),
            ("ingest", dg.AssetSelection.groups(LANDING), "Land what is new."),
            ("build", dg.AssetSelection.assets(models), "Build and test the models."),
            ("report", dg.AssetSelection.groups(REPORTS), "Render the reports."),
        )
    ]
    daily = dg.ScheduleDefinition(name="daily", job=jobs[0], cron_schedule="0 6 * * *", default_status=ON)
    arguments: dict[str, Any] = {
        "assets": [*landing, models, *(plan.asset for plan in plans)],
        "asset_checks": [landing_checks(sources)],
        "jobs": [*jobs, delivery.delivery_job(sent, landed)],
        "schedules": [daily, *automation.source_schedules(sources)],
        "sensors": [
            automation.inbox_sensor(sources, translator),
            dg.AutomationConditionSensorDefinition(
                "models", target=list(models.keys), minimum_interval_seconds=15, default_status=SENSOR_ON
            ),
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
