"""Dagster's home in this installation: run history, schedules and logs, under ``<home>/dagster``."""

import os
from pathlib import Path

from ingest import warehouse

CONFIGURATION = """\
# Written once; yours to change.
telemetry:
  enabled: false
"""


def use_home() -> Path:
    """Create Dagster's home if need be and make it this process's ``DAGSTER_HOME``."""
    folder = warehouse.home() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(CONFIGURATION)
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder
