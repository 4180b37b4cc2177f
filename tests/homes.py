"""Homes for tests. What is dear to make and the same for many tests is made once in a run of pytest, whatever its
number of processes, and copied.

Their clusters do without what guards Postgres against a power cut, since waiting for the disk takes long. What was
committed before a process is killed is kept all the same.
"""

import atexit
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest import warehouse

RUN = "TEST_RUN_FOLDER"
WITHOUT_WAITING = "fsync = off\nfull_page_writes = off\n"


def begin_run() -> None:
    """Choose the folder of what is made once; processes that this one starts from here on share it."""
    os.environ[RUN] = str(empty_home())
    atexit.register(shutil.rmtree, os.environ[RUN], ignore_errors=True)


@contextmanager
def at(home: Path) -> Iterator[None]:
    """With another home."""
    before = os.environ.get("ANALYTICS_HOME")
    os.environ["ANALYTICS_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["ANALYTICS_HOME"]
        else:
            os.environ["ANALYTICS_HOME"] = before


def empty_home() -> Path:
    """A new home without a warehouse, which the server's user can enter even where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="analytics-test-"))
    folder.chmod(0o755)
    return folder


def make_home() -> Path:
    """A new home with a cluster in which nothing was done yet."""
    return copy_of("cluster", _make_cluster)


def copy_of(name: str, make: Callable[[Path], None]) -> Path:
    """A new home as ``make`` leaves it, which is given a home to fill. The warehouse is stopped."""

    def make_template(template: Path) -> None:
        draft = empty_home() if make is _make_cluster else make_home()
        try:
            with at(draft):
                make(draft)
                warehouse.stop()
            draft.rename(template)
        finally:
            remove_home(draft)

    home = empty_home()
    subprocess.run(["cp", "-a", "--reflink=auto", f"{made_once(name, make_template)}/.", home], check=True)
    return home


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """A file or folder of this run of pytest, which ``make`` writes if no process has done so yet."""
    if RUN not in os.environ:
        begin_run()
    made = Path(os.environ[RUN]) / name
    with made.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not made.exists():
            make(made)
    return made


def remove_home(home: Path) -> None:
    """Stop a home's warehouse and remove everything of it."""
    with at(home):
        warehouse.stop()
        shutil.rmtree(warehouse.socket_folder(), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _make_cluster(home: Path) -> None:
    warehouse.start()
    warehouse.stop()
    with (home / "warehouse" / "pgdata" / "postgresql.conf").open("a") as settings:
        settings.write(WITHOUT_WAITING)
