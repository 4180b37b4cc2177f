"""How runs behave here: how they begin, how their history is written, and what they say on a terminal."""

import logging
import sys
import warnings
from typing import Any

from dagster import BetaWarning, InitLoggerContext, logger
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from operations import forking

# Dagster's version is pinned, so what it calls beta does not move under us.
warnings.filterwarnings("ignore", category=BetaWarning)

FILES = 8  # of the history that stay open

_engines: dict[str, Engine] = {}


class _Kept(QueuePool):
    """Connections that stay open, whoever disposes of their engine."""

    def dispose(self) -> None:
        """Do nothing."""

    def recreate(self) -> "_Kept":
        """The same pool."""
        return self

    def close(self) -> None:
        """Close the connections that nobody uses."""
        super().dispose()


def _engine(address: str, **options: Any) -> Engine:
    """An engine for a file of the history. Dagster makes one for each event, opens its file anew and closes
    it, which waits for the disk: a third of a small run. So connections to the last few files stay open, with
    the statements that they compiled, and commits do not wait: the log of SQLite survives a crash without
    that, and what a power cut may lose is the end of a run's history."""
    if address not in _engines:
        engine = create_engine(address, **options | {"poolclass": _Kept})
        event.listen(
            engine, "connect", lambda connection, _: connection.execute("pragma synchronous = normal")
        )
        _engines[address] = engine
    if len(_engines) > FILES:
        _engines.pop(next(iter(_engines))).pool.close()  # type: ignore[attr-defined]
    return _engines[address]


for storage in (sqlite_event_log, sqlite_run_storage):
    storage.create_engine = _engine  # type: ignore[attr-defined]
forking.install()


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
