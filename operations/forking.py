"""Runs begin in a copy of a process that has everything loaded: Dagster's code server starts each in a new
interpreter, which imports for five seconds of a core and lets dbt parse for three, before the first step.

The copies come from multiprocessing's fork server, which imports this module and nothing that holds a thread,
a lock or a connection.
"""

import multiprocessing
import sys
from multiprocessing import forkserver
from typing import Any

PRELOADED = "operations.preloaded"


class _ForkServer:
    """Stands for the attribute of Dagster's server that says how processes are started."""

    def __init__(self) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([PRELOADED])

    def __get__(self, server: Any, owner: Any = None) -> Any:
        return self.context

    def __set__(self, server: Any, value: Any) -> None:
        """Dagster's own choice is left."""


def install() -> None:
    """In a code server, let runs be forked, and begin to load what they need."""
    if "grpc" not in sys.argv:
        return
    from dagster._grpc.server import DagsterApiServer

    DagsterApiServer._mp_ctx = _ForkServer()  # type: ignore[assignment]
    forkserver.ensure_running()
