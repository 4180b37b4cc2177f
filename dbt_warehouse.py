"""A plugin of dbt: says in one line that the embedded warehouse is not running, before dbt tries to connect.

dbt imports every top-level module named ``dbt_*`` and sets up its ``plugins`` once the project is loaded.
What the warehouse is and how it is started is known in ingest/warehouse.py; here is only dbt's side of it.
"""

import os
import socket
from pathlib import Path

from dbt.config.runtime import load_profile
from dbt.flags import get_flags
from dbt.plugins.manager import dbtPlugin
from dbt_common.exceptions import DbtRuntimeError

PROJECT = "simple_analytics"
TARGET = "embedded"
MESSAGE = "The embedded warehouse is not running. Start it: analytics warehouse start"
OFFLINE_COMMANDS = frozenset({"clean", "debug", "deps", "init", "list", "ls", "parse"})


class WarehouseCheck(dbtPlugin):
    """Stops a command that would connect to an embedded warehouse that does not listen."""

    def initialize(self) -> None:
        """Look for the server behind the socket of the chosen target.

        Raises:
            DbtRuntimeError: nobody answers there.
        """
        flags = get_flags()
        if self.project_name != PROJECT or flags.WHICH in OFFLINE_COMMANDS:
            return
        profile = load_profile(flags.PROJECT_DIR, flags.VARS, flags.PROFILE, flags.TARGET)
        if profile.target_name != TARGET:
            return
        connection = profile.to_target_dict()
        server = Path(connection["host"]) / f".s.PGSQL.{connection['port']}"
        if not _listens(server):
            raise DbtRuntimeError(MESSAGE)


def _listens(server: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(os.fspath(server)) == 0


plugins = [WarehouseCheck]
