"""The folders in which files arrive: what is new there, and whether it is whole. Reads names, sizes and times
of files, and no content."""

import fcntl
import glob
import hashlib
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ingest import warehouse
from ingest.config import Source

KINDS = ("csv", "excel")  # of sources that are files
# Who watches again and again is held up in between (by Dagster for five seconds, less what a watch took).
WATCH_SECONDS = 4.0
LOOK_SECONDS = 0.25  # between two looks, or longer where a look takes long
SHARE = 20  # of the time, of which one is spent on looking
# How long nothing of a file may have changed before it is taken for whole: where the system says that nobody
# has it open for writing, and where it does not tell.
QUIET_SECONDS, UNTOLD_SECONDS = 1.0, 3.0
F_SETSIG = 10  # of Linux; Python does not name it

File = tuple[str, int, int]  # path, size, time of change


class Arrivals(NamedTuple):
    """New files by source: of which sources they are whole (with their state, in a few characters), of which
    they are not yet, and what is known by now."""

    whole: dict[str, str]
    growing: list[str]
    known: dict[str, str]


def watch(sources: Mapping[str, Source], since: Mapping[str, float], known: Mapping[str, str]) -> Arrivals:
    """Look until the new files of a source are whole and are not `known`, for `WATCH_SECONDS` at most.

    Args:
        since: when each source was read last.
        known: as an earlier watch told it.
    """
    unchanged: dict[str, tuple[str, float]] = {}  # since when
    end = time.monotonic() + WATCH_SECONDS
    while True:
        now = time.monotonic()
        files = {name: _new_files(source, since[name]) for name, source in sources.items()}
        seen = {name: _in_short(found) for name, found in files.items() if found}
        for name, state in seen.items():
            if name not in unchanged or unchanged[name][0] != state:
                unchanged[name] = state, now
        new = {name: state for name, state in seen.items() if state != known.get(name)}
        whole = {
            name: state for name, state in new.items() if _are_whole(files[name], now - unchanged[name][1])
        }
        if whole or now >= end:
            told = {name: state for name, state in seen.items() if name in whole or name not in new}
            return Arrivals(whole, sorted(new.keys() - whole.keys()), told)
        time.sleep(max(LOOK_SECONDS, SHARE * (time.monotonic() - now)))


def _new_files(source: Source, since: float) -> list[File]:
    """The files that came or changed after a moment. The time is that of the file's entry (ctime), since a
    file moved into the folder keeps its own."""
    new = []
    for feed in source.feeds:
        for file in glob.glob(str(warehouse.ROOT / str(feed.resolved_place()["path"])), recursive=True):
            with suppress(FileNotFoundError):  # moved away since its name was read
                found = Path(file).stat()
                if found.st_ctime > since:
                    new.append((file, found.st_size, found.st_mtime_ns))
    return sorted(new)


def _in_short(files: list[File]) -> str:
    return hashlib.md5(repr(files).encode()).hexdigest()[:12]


def _are_whole(files: list[File], quiet: float) -> bool:
    if quiet < QUIET_SECONDS:
        return False
    writers = {_is_being_written(file) for file, *_ in files}
    return True not in writers and (None not in writers or quiet >= UNTOLD_SECONDS)


def _is_being_written(file: str) -> bool | None:
    """Whether a process has a file open for writing; None where the system does not tell. Linux grants a
    lease for reading a file of one's own only while nobody has."""
    try:
        with Path(file).open("rb") as handle:
            # Who opens it in this moment is held up and we get a signal: one that does not end this process.
            fcntl.fcntl(handle, F_SETSIG, signal.SIGURG)
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):
        return None
    return False
