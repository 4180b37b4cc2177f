"""Which build the marts are of, and who waits to hear of the next one.

One connection listens; it wakes the server's caches first and then the open pages. A page that does not take
its events is let go, so that none waits for another.
"""

import asyncio
import logging
import select
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg2

from reports.server.database import connect
from reports.server.encoding import to_json

CHANNEL = "analytics_build"  # dbt_project/macros/builds.sql sends it
ACCESS_CHANNEL = "analytics_access"
HEARTBEAT_SECONDS = 10.0
RECONNECT_SECONDS = 1.0
WAITING_EVENTS = 16  # that a page may leave untaken
# A warehouse that no build has announced itself in is known by its newest load.
STATE_SQL = """
select load_id, finished_at from ops.builds order by build_id desc limit 1
"""
LOADS_SQL = "select coalesce(max(load_id), 0), null::timestamptz from ops.loads where state = 'loaded'"

logger = logging.getLogger(__name__)


class Build(NamedTuple):
    """What the marts hold: the newest load in them, and when they were built."""

    load_id: int = 0
    built_at: datetime | None = None

    def event(self) -> bytes:
        """It as a server-sent event."""
        return _event("build", self._asdict())


class Builds:
    """The newest build, and those who listen for the next one.

    Args:
        on_build: called in the listening thread with each new build, before pages hear of it.
        on_access: called when users or tokens changed.
    """

    def __init__(self, on_build: Callable[[Build], None], on_access: Callable[[], None]) -> None:
        self.current = Build()
        self.is_away = True
        self._on_build, self._on_access = on_build, on_access
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="builds", daemon=True)

    @property
    def listeners(self) -> int:
        """How many pages listen."""
        return len(self._listeners)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to listen; events reach pages by this loop."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """End, and let all pages go."""
        self._is_ending.set()
        for listener in list(self._listeners):
            self._let_go(listener)

    async def stream(self, is_welcome: Callable[[], Any]) -> AsyncIterator[bytes]:
        """The events for a page: the state as it is, each build, and a sign of life in between. Ends when the
        page is no longer welcome (awaited at each sign of life) or does not take its events."""
        listener: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_EVENTS)
        self._listeners.add(listener)
        try:
            yield b"retry: 2000\n\n" + (_away() if self.is_away else self.current.event())
            while True:
                try:
                    event = await asyncio.wait_for(listener.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    if not await is_welcome():
                        return
                    event = b": alive\n\n"
                if event is None:
                    return
                yield event
        finally:
            self._listeners.discard(listener)

    def publish(self, event: bytes) -> None:
        """Hand an event to every page; in the loop's own thread."""
        for listener in list(self._listeners):
            try:
                listener.put_nowait(event)
            except asyncio.QueueFull:
                self._let_go(listener)

    def _let_go(self, listener: asyncio.Queue[bytes | None]) -> None:
        self._listeners.discard(listener)
        with suppress(asyncio.QueueEmpty):
            while True:
                listener.get_nowait()
        listener.put_nowait(None)

    # -------------------------------------------------------------------------------- the listening thread

    def _listen(self) -> None:
        while not self._is_ending.is_set():
            try:
                self._listen_once()
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                if not self.is_away:
                    logger.warning("the warehouse went away: %s", str(error).strip())
                    self.is_away = True
                    self._send(_away())
            except Exception:
                logger.exception("listening for builds failed; it begins anew")
            self._is_ending.wait(RECONNECT_SECONDS)

    def _listen_once(self) -> None:
        connection = connect("reader")
        try:
            connection.set_session(autocommit=True)
            with connection.cursor() as cursor:
                cursor.execute(f"listen {CHANNEL}; listen {ACCESS_CHANNEL}")
            was_away, self.is_away = self.is_away, False
            self._on_access()
            self._look(connection, always=was_away)
            while not self._is_ending.is_set():
                if not select.select([connection], [], [], 5)[0]:
                    connection.cursor().execute("select 1")  # notices a connection that died in silence
                connection.poll()
                channels = {notify.channel for notify in connection.notifies}
                connection.notifies.clear()
                if ACCESS_CHANNEL in channels:
                    self._on_access()
                if CHANNEL in channels:
                    self._look(connection, always=True)
        finally:
            connection.close()

    def _look(self, connection: Any, *, always: bool) -> None:
        """Read which build is the newest and tell of it if it is a new one, or `always`."""
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass('ops.builds'), to_regclass('ops.loads')")
            builds, loads = cursor.fetchone()
            row = None
            if builds:
                cursor.execute(STATE_SQL)
                row = cursor.fetchone()
            if row is None and loads:
                cursor.execute(LOADS_SQL)
                row = cursor.fetchone()
        found = Build(*row) if row else Build()
        if always or found != self.current:
            self.current = found
            self._on_build(found)
            self._send(found.event())

    def _send(self, event: bytes) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self.publish, event)


def _away() -> bytes:
    return _event("away", {"since": datetime.now(UTC).replace(microsecond=0)})


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: ".encode() + to_json(data) + b"\n\n"
