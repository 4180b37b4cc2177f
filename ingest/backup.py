"""A backup: the warehouse and the state beside it (dlt's, the reports, the run history) in one file, and the
way back. Files of sources stay where they are; they are yours to keep.

The database is dumped as it was at one moment in which no load was under way. A restore builds a database
beside the present one, compares it with what the backup counted, and only then puts it in its place.

On a server of your own both need a role that may create databases: ``ANALYTICS_PG_ADMIN_USER`` and
``ANALYTICS_PG_ADMIN_PASSWORD``.
"""

import json
import os
import sqlite3
import subprocess
import tarfile
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2

from ingest import warehouse
from ingest.ledger import open_ledger

FORMAT = 1
FOLDERS = ("dlt", "reports", "archive", "outbox", "dagster")  # of the home
DUMP, CONTENTS = "warehouse.dump", "contents.json"
TABLES = """
select schemaname || '.' || tablename from pg_tables
where schemaname not like 'pg\\_%' and schemaname <> 'information_schema' order by 1
"""


class BackupError(RuntimeError):
    """A backup cannot be made or restored; the message says why, and that nothing was changed."""


def backup(target: Path | None = None) -> Path:
    """Write a backup (default: into ``<home>/backups``) and return its path. Ingestion waits meanwhile.

    Raises:
        BackupError: the database cannot be dumped.
    """
    started = datetime.now(UTC)
    target = target or warehouse.home() / "backups" / f"analytics-{started:%Y%m%dT%H%M%SZ}.tar"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as draft, open_ledger():
        folder = Path(draft)
        rows = _dump(folder / DUMP)
        contents = {"format": FORMAT, "made": started.isoformat(timespec="seconds"), "rows": rows}
        (folder / CONTENTS).write_text(json.dumps(contents, indent=1))
        with tarfile.open(folder / "backup.tar", "w") as archive:
            archive.add(folder / CONTENTS, CONTENTS)
            archive.add(folder / DUMP, DUMP)
            for name in FOLDERS:
                _add(archive, warehouse.home() / name, name, folder / "copy.db")
        os.replace(folder / "backup.tar", target)
    return target


def restore(file: Path, *, replace: bool = False) -> dict[str, Any]:
    """Put a backup in the place of what is there; returns what it holds: ``made`` and ``rows`` of each table.

    Raises:
        BackupError: the file is no backup, something is there and ``replace`` was not said, or the restored
            database does not hold what the backup counted. What was there is still there.
    """
    home = warehouse.home()
    if not replace and _is_in_use():
        raise BackupError(
            f"{home} holds data; a restore would replace them. Say so: analytics restore --replace"
        )
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as draft:
        folder = Path(draft)
        contents = _unpack(file, folder)
        _load(folder / DUMP, contents["rows"])
        for name in FOLDERS:
            if (home / name).exists():
                (home / name).rename(folder / f"before-{name}")
            if (folder / name).exists():
                (folder / name).rename(home / name)
    return contents


def _is_in_use() -> bool:
    with closing(warehouse.connect("loader")) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('ops.loads') is not null")
        return bool(next(iter(cursor))[0])


def _unpack(file: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="data")
        contents: dict[str, Any] = json.loads((folder / CONTENTS).read_text())
    except (OSError, tarfile.TarError, ValueError) as error:
        raise BackupError(f"{file} is no backup: {error}") from error
    if contents.get("format") != FORMAT:
        raise BackupError(
            f"{file} was made by another version (format {contents.get('format')}, not {FORMAT})"
        )
    return contents


def _dump(file: Path) -> dict[str, int]:
    """Dump the database; returns the rows of each table at that moment."""
    with closing(_connect()) as connection, connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("select pg_export_snapshot()")
        snapshot = next(iter(cursor))[0]
        rows = _rows(cursor)
        _run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}", _database())
    return rows


def _load(dump: Path, expected: dict[str, int]) -> None:
    """Restore a dump beside the database, compare, then swap the two."""
    name = _database()
    draft, before = f"{name}_restored", f"{name}_before"
    with closing(_connect("postgres")) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f'drop database if exists "{draft}" with (force)')
        cursor.execute(f'create database "{draft}" template template0')
        try:
            _run("pg_restore", "--exit-on-error", "--jobs=2", f"--dbname={draft}", str(dump))
            with closing(_connect(draft)) as restored, restored.cursor() as reader:
                if (found := _rows(reader)) != expected:
                    different = [table for table in expected if found.get(table) != expected[table]]
                    raise BackupError(
                        f"the restored database differs in {', '.join(different) or 'its tables'}"
                    )
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            )
            cursor.execute(f'drop database if exists "{before}" with (force)')
            cursor.execute(f'alter database "{name}" rename to "{before}"')
            cursor.execute(f'alter database "{draft}" rename to "{name}"')
            cursor.execute(f'drop database "{before}" with (force)')
        finally:
            cursor.execute(f'drop database if exists "{draft}" with (force)')
    with closing(_connect()) as connection, connection:
        connection.cursor().execute(warehouse.ROLES_SQL.read_text())


def _rows(cursor: Any) -> dict[str, int]:
    cursor.execute(TABLES)
    counts = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f"select count(*) from {table}")
        counts[table] = next(iter(cursor))[0]
    return counts


def _add(archive: tarfile.TarFile, path: Path, name: str, copy: Path) -> None:
    """Add a folder; an SQLite file as its last commit left it, by a copy."""
    for file in sorted(path.rglob("*")):
        inside = f"{name}/{file.relative_to(path)}"
        if file.suffix == ".db":
            copy.unlink(missing_ok=True)
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            archive.add(copy, inside)
        elif not file.name.endswith((".db-wal", ".db-shm")):
            archive.add(file, inside, recursive=False)


def _database() -> str:
    return str(_settings()["dbname"])


def _settings() -> dict[str, Any]:
    settings = warehouse.settings("loader")
    if warehouse.is_embedded():
        warehouse.start()
        return settings | {"user": warehouse.SUPERUSER}
    user = os.environ.get("ANALYTICS_PG_ADMIN_USER")
    if not user:
        raise BackupError(
            "set ANALYTICS_PG_ADMIN_USER and ANALYTICS_PG_ADMIN_PASSWORD, or use your server's backup"
        )
    return settings | {"user": user, "password": os.environ.get("ANALYTICS_PG_ADMIN_PASSWORD", "")}


def _connect(database: str | None = None) -> Any:
    settings = _settings()
    return psycopg2.connect(**settings | {"dbname": database or settings["dbname"], "connect_timeout": 10})


def _run(program: str, *arguments: str) -> None:
    settings = _settings()
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    environment = os.environ | {variable: str(settings[name]) for variable, name in names.items()}
    command = [str(warehouse.tool(program)), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()}")
