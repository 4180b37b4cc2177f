"""Fixtures that several tests share: throwaway homes, and the demo run once the whole way."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bucket_server import bucket, server  # noqa: F401
from dashboard_browser import browser, dashboard_home, dashboard_page, show  # noqa: F401

from ingest import warehouse

if TYPE_CHECKING:
    from models_project import Dbt

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI a test that would skip fails: what was not run proves nothing."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def make_home() -> Path:
    """A new home that the server's user can enter even where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="analytics-test-"))
    folder.chmod(0o755)
    return folder


def remove_home(home: Path) -> None:
    """Stop a home's warehouse and remove everything of it."""
    before = os.environ.get("ANALYTICS_HOME")
    os.environ["ANALYTICS_HOME"] = str(home)
    try:
        warehouse.stop()
        shutil.rmtree(warehouse.socket_folder(), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
    finally:
        if before is None:
            del os.environ["ANALYTICS_HOME"]
        else:
            os.environ["ANALYTICS_HOME"] = before


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """The developer's own settings must not reach a test."""
    for name in list(os.environ):
        if name.startswith(("ANALYTICS_", "DESK_", "DAGSTER_HOME", "DBT_")) or name == "COLUMNS":
            del os.environ[name]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home for one test."""
    folder = make_home()
    monkeypatch.setenv("ANALYTICS_HOME", str(folder))
    yield folder
    remove_home(folder)


@pytest.fixture(scope="module")
def warehouse_home() -> Iterator[Path]:
    """A home for the tests of a module, each of which lands what is its own."""
    folder = make_home()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANALYTICS_HOME", str(folder))
        yield folder
    remove_home(folder)


@pytest.fixture(scope="module")
def models() -> "Iterator[Dbt]":
    """The dbt project on a warehouse of its own, built once while nothing had landed."""
    from models_project import built_project

    with built_project() as dbt:
        yield dbt


@pytest.fixture
def dbt(models: "Dbt") -> "Dbt":
    """The dbt project on a warehouse in which nothing has landed."""
    import landing_rows
    from models_project import clear_models

    landing_rows.clear()
    clear_models()
    return models


def free_port() -> int:
    """A port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def analytics(*arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the ``analytics`` command as a user would, in a process of its own."""
    command = Path(sys.executable).with_name("analytics")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANALYTICS_", "DESK_"))}
    return subprocess.run(
        [command, *arguments],
        cwd=ROOT,
        env=environment | {"ANALYTICS_HOME": str(home)} | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def demo_home() -> Iterator[Path]:
    """A home in which ``analytics demo`` has run. Tests read it and change nothing."""
    folder = make_home()
    done = analytics("demo", home=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    yield folder
    remove_home(folder)


def select(home: Path, sql: str, role: warehouse.Role = "reader") -> list[tuple[object, ...]]:
    """The rows of a query on a home's warehouse."""
    before = os.environ.get("ANALYTICS_HOME")
    os.environ["ANALYTICS_HOME"] = str(home)
    try:
        connection = warehouse.connect(role)
    finally:
        if before is None:
            del os.environ["ANALYTICS_HOME"]
        else:
            os.environ["ANALYTICS_HOME"] = before
    try:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()
    finally:
        connection.close()
