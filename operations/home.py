"""Dagster's home in this installation: ``<home>/dagster``, with its settings, run history and logs."""

import os
from contextlib import suppress
from pathlib import Path

from dotenv import dotenv_values, set_key

from ingest import warehouse

CONFIGURATION = """\
# Written once; yours to change. What there is: https://docs.dagster.io/deployment/oss/dagster-yaml
telemetry:
  enabled: false
nux:  # no invitation to a newsletter over the first page
  enabled: false
run_monitoring:
  enabled: true
  max_runtime_seconds: 14400  # a run that takes longer than 4 hours is ended
  free_slots_after_run_end_seconds: 60
concurrency:
  runs:
    max_concurrent_runs: 3
    tag_concurrency_limits:  # new files need not wait for reports
      - {key: analytics/makes, value: report, limit: 1}
  pools:  # landing, models: one writer at a time
    default_limit: 1
    granularity: op
run_queue:
  dequeue_interval_seconds: 1  # an open dashboard waits for the run of a new file
retention:  # of the ticks; old runs are removed by the sensor `housekeeping`
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days: {skipped: 1, success: 90, failure: 90, started: 90}
  auto_materialize:
    purge_after_days: {skipped: 1, success: 90, failure: 90, started: 90}
"""
ENV = warehouse.ROOT / ".env"


def use_home() -> Path:
    """Create Dagster's home if need be and make it this process's ``DAGSTER_HOME``; note it in `.env`, from
    where a plain ``dagster dev`` takes it."""
    folder = warehouse.home() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(CONFIGURATION)
    os.environ["DAGSTER_HOME"] = str(folder)
    noted = f"${{ANALYTICS_HOME:-{warehouse.ROOT / 'data'}}}/dagster"
    with suppress(PermissionError):  # an installation that others own has DAGSTER_HOME in its services
        if not ENV.exists() or dotenv_values(ENV, interpolate=False).get("DAGSTER_HOME") != noted:
            set_key(ENV, "DAGSTER_HOME", noted, quote_mode="never")
    return folder
