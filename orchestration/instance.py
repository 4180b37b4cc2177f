"""Dagster's home in this installation (``<home>/dagster``: run history, schedules, logs), and its voice."""

import logging
import os
import sys
from pathlib import Path

from dagster import InitLoggerContext, logger

from ingest import warehouse

CONFIGURATION = """\
# Written once; yours to change.
telemetry:
  enabled: false
nux:  # no invitation to a newsletter over the first page
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


@logger(None, "What the steps say, a line each; Dagster's own events are in the run's history.")
def plain_console(context: InitLoggerContext) -> logging.Logger:
    """A console for people: the messages of the steps, without Dagster's events and prefixes."""

    class Messages(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            meta = getattr(record, "dagster_meta", {})
            if meta and meta.get("dagster_event") is None:
                sys.stdout.write(f"{meta['orig_message']}\n")
                sys.stdout.flush()

    console = logging.Logger("analytics", level=logging.INFO)
    console.addHandler(Messages())
    return console
