"""How runs behave here: how they begin, how their history is written, and what they say on a terminal."""

import logging
import os
import sqlite3
import sys
from typing import Any

from dagster import InitLoggerContext, logger
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

from operations import forking

FILES = 8  # of the history that stay open

_held: dict[str, sqlite3.Connection] = {}
_engines: dict[str, Engine] = {}


@event.listens_for(Engine, "connect")
def _spare_the_disk(connection: Any, _: Any) -> None:
    """Dagster opens its SQLite files anew for each event; closing the last connection, and each commit, waits
    for the disk. So one connection to each of the last few files stays open, and commits do not wait: its
    log survives a crash without that, and what a power cut may lose is the end of a run's history."""
    if not isinstance(connection, sqlite3.Connection):
        return
    file = next(iter(connection.execute("pragma database_list")))[2]
    if file.startswith(os.environ.get("DAGSTER_HOME", "//")):
        connection.execute("pragma synchronous = normal")
        if file not in _held:
            _held[file] = sqlite3.connect(file, check_same_thread=False)
            _held[file].execute("select 1 from sqlite_master limit 1").fetchall()
        if len(_held) > FILES:
            _held.pop(next(iter(_held))).close()


def _engine(address: str, **options: Any) -> Engine:
    """An engine for a file of the history, kept with the statements it compiled. Dagster makes one for each
    event, which takes a fifth of a small run."""
    if address not in _engines:
        _engines[address] = create_engine(address, **options)
    if len(_engines) > FILES:
        _engines.pop(next(iter(_engines)))
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
