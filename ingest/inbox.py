"""The folders in which files arrive: what is new there. Reads names and times of files, and no content."""

import glob
import hashlib
from pathlib import Path

from ingest import warehouse
from ingest.config import Source

KINDS = ("csv", "excel")  # of sources that are files


def new_files(source: Source, since: float) -> str:
    """What is there of files that came or changed after a moment, in a few characters; empty for none. The
    time is that of the file's entry (ctime), since a file moved into the folder keeps its own."""
    new = []
    for feed in source.feeds:
        for file in glob.glob(str(warehouse.ROOT / str(feed.resolved_place()["path"])), recursive=True):
            found = Path(file).stat()
            if found.st_ctime > since:
                new.append((file, found.st_size, found.st_mtime_ns))
    return hashlib.md5(repr(sorted(new)).encode()).hexdigest()[:12] if new else ""
