"""The files that a path matches, on this machine or behind any URL that fsspec knows (s3://…, sftp://…).

A file of this machine is read where it is. Any other is copied to a temporary file first: memory stays
bounded, what is hashed is what is read, and the copy goes when its File does. Nothing here knows what is in
the files. Credentials come from the environment, as each protocol's driver looks for them.
"""

import glob
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import fsspec

from ingest import warehouse
from ingest.connectors import SourceError

# What file systems call the properties that change with the content.
VERSION_KEYS = {
    "etag", "md5hash", "content-md5", "crc32c", "generation", "versionid",
    "lastmodified", "last_modified", "last-modified", "mtime", "modified", "updated", "size",
}  # fmt: skip
LOCK_FILE = "~$"  # what Excel puts beside a workbook that somebody has open
INSTALL = "install the extra s3: .venv/bin/uv pip install -e '.[s3]'"
LOGIN = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (another server: AWS_ENDPOINT_URL)"


@dataclass(frozen=True)
class File:
    """A file: ``name`` is how people know it, ``path`` is where its content can be read."""

    name: str
    path: Path
    _copy: Any = None  # deletes the temporary file when nobody needs this File any more
    _version: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_version", self._state())

    @property
    def suffix(self) -> str:
        """The end of the name, such as `.gz`."""
        return PurePosixPath(self.name).suffix.lower()

    def sha256(self) -> str:
        """The hash of the content."""
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    def check_unchanged(self) -> None:
        """Refuse what was read if the file is no longer what it was when it was found.

        Raises:
            SourceError: it changed.
        """
        if self._state() != self._version:
            raise _changed(self.name)

    def _state(self) -> tuple[int, ...]:
        try:
            known = self.path.stat()
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be read: {error.strerror}") from error
        return known.st_size, known.st_mtime_ns, known.st_ino


def found(path: str) -> Iterator[File]:
    """The files that a glob or a URL matches, by name; a relative path starts at the project's root.

    Raises:
        SourceError: none, or they cannot be listed or fetched.
    """
    if "://" in path and not path.startswith("file://"):
        yield from _fetched(path)
        return
    pattern = str(warehouse.ROOT / path.removeprefix("file://"))
    files = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
    files = [file for file in files if not file.is_dir() and not file.name.startswith(LOCK_FILE)]
    if not files:
        raise SourceError(f"no file matches {pattern}")
    for file in files:
        yield File(_shown(file), file)


def _shown(file: Path) -> str:
    """A local file's name: from the project's root where it lies inside."""
    return str(file.relative_to(warehouse.ROOT) if file.is_relative_to(warehouse.ROOT) else file)


def _changed(name: str) -> SourceError:
    return SourceError(f"{name}: changed while it was read; it is read again at the next run")


# ----------------------------------------------------------------------------------------------- other places


def _fetched(url: str) -> Iterator[File]:
    pattern = _public(url)
    with _errors(pattern, url):
        # Neither the credentials nor the listing of an earlier run.
        system, path = fsspec.core.url_to_fs(url, skip_instance_cache=True)
        matches = system.glob(path, detail=True)
    files = sorted(name for name, info in matches.items() if info["type"] == "file")
    if not files:
        raise SourceError(f"no file matches {pattern}")
    for file in files:
        name = _public(_with_host(system.unstrip_protocol(file), pattern))
        copy = tempfile.NamedTemporaryFile(prefix="analytics-")  # noqa: SIM115
        with _errors(name, url):
            before = _version(system, file)
            system.get_file(file, copy.name)
            if _version(system, file) != before:
                raise _changed(name)
        yield File(name, Path(copy.name), copy)


def _version(system: Any, file: str) -> dict[str, Any]:
    """What the file system tells of a file that changes with its content."""
    system.invalidate_cache()
    return {key: value for key, value in system.info(file).items() if key.lower() in VERSION_KEYS}


def _public(url: str) -> str:
    """A URL without user and password, and without the query in which signed addresses hold their secret."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if scheme in ("http", "https"):
        path = path.partition("?")[0]
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _with_host(name: str, pattern: str) -> str:
    """A file's URL with the host that some file systems leave out."""
    host = urlsplit(pattern).netloc
    scheme, _, path = name.partition("://")
    return f"{scheme}://{host}{path}" if host and path.startswith("/") and host not in path else name


@contextmanager
def _errors(name: str, url: str) -> Iterator[None]:
    """What a file system's driver says, and what to do, without the URL's password. Each driver has errors of
    its own kind."""
    scheme = url.partition("://")[0]
    try:
        yield
    except SourceError:
        raise
    except ImportError as error:
        mend = INSTALL if scheme in ("s3", "s3a") else f"install what {scheme}:// needs"
        raise SourceError(f"{name}: there is no driver for {scheme}:// ({error}); {mend}") from error
    except Exception as error:
        said = str(error) or type(error).__name__
        password = urlsplit(url).password
        for secret in (password, unquote(password)) if password else ():
            said = said.replace(secret, "***")
        refused = isinstance(error, PermissionError) or "Credentials" in type(error).__name__
        if refused:
            mend = f"; {LOGIN}" if scheme in ("s3", "s3a") else ""
            raise SourceError(f"{name}: access is refused: {said}{mend}") from error
        raise SourceError(f"{name}: cannot be read: {said}") from error
