"""Writes down who read what: reads within a second or two, exports and logins before they are answered."""

import logging
import queue
import threading
from contextlib import suppress
from datetime import UTC, datetime

from reports.server.access import Access
from reports.server.problems import Problem

WRITE_SECONDS = 1.0
LONGEST = 1_000  # characters of what was asked for
WAITING = 100_000  # entries that are kept while the warehouse is away
Entry = tuple[datetime, str, str, str, str, int | None]

logger = logging.getLogger(__name__)


class Audit:
    """The writer of `ops.access_log`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._waiting: queue.Queue[Entry] = queue.Queue(WAITING)
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="audit", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._is_ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def read(self, user: str, address: str, action: str, what: str) -> None:
        """Note a read; it is written soon."""
        with suppress(queue.Full):  # the warehouse is long away, and with it what could be read
            self._waiting.put_nowait(_entry(user, address, action, what, 200))

    def write(self, user: str, address: str, action: str, what: str, status: int | None = 200) -> None:
        """Write down now what must not happen unseen.

        Raises:
            Problem: it cannot be written.
        """
        self._access.log([_entry(user, address, action, what, status)])

    def _write_on(self) -> None:
        entries: list[Entry] = []
        while True:
            is_last = self._is_ending.wait(WRITE_SECONDS)
            with suppress(queue.Empty):
                while len(entries) < WAITING:
                    entries.append(self._waiting.get_nowait())
            try:
                if entries:
                    self._access.log(entries)
                entries = []
            except Problem:
                logger.warning("the access log cannot be written now; it is kept")
            except Exception:
                logger.exception("the access log cannot be written; it is kept")
            if is_last:
                return


def _entry(user: str, address: str, action: str, what: str, status: int | None) -> Entry:
    shown = what[:LONGEST].replace("\0", "").encode("utf-8", "replace").decode()
    return datetime.now(UTC), user, address, action, shown, status
