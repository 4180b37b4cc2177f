"""What a run needs, loaded: the definitions, dbt and its parsed project. Imported by the fork server of a
code server (`forking.py`)."""

import logging

import orchestration.definitions  # noqa: F401
from transform import runner

try:
    runner.parse()
except Exception:  # the run says what is wrong, where people look
    logging.getLogger(__name__).exception("dbt's project could not be parsed beforehand")
