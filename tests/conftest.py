"""Fixtures that several tests share: throwaway homes, and the demo run once the whole way."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bucket_server import bucket, server  # noqa: F401
from dashboard_browser import browser, dashboard_home, dashboard_page, show  # noqa: F401
from homes import at, begin_run, copy_of, empty_home, make_home, remove_home

from ingest import warehouse

if TYPE_CHECKING:
    from models_project import Dbt

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
# The files whose tests take longest are begun first, so that in the end no core waits for the other.
LONGEST = [
    "test_orchestration",
    "test_models",
    "test_models_identity",
    "test_orchestration_runs",
    "test_whole_way",
    "test_metrics_statistics",
    "test_metrics",
    "test_spark",
    "test_reports_templates",
    "test_delivery_reports",
    "test_server",
    "test_reports_archive",
    "test_reports",
    "test_lake",
    "test_models_portable",
    "test_backup",
    "test_docs_page",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI a test that would skip fails: what was not run proves nothing."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def pytest_configure(config: pytest.Config) -> None:
    """What is made once is shared by the processes of xdist."""
    if not hasattr(config, "workerinput"):
        begin_run()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order of LONGEST, which xdist keeps."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """The developer's own settings must not reach a test."""
    for name in list(os.environ):
        if name.startswith(("ANALYTICS_", "DESK_", "DAGSTER_HOME", "DBT_")) or name == "COLUMNS":
            del os.environ[name]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home for one test, whose warehouse is not made yet."""
    folder = empty_home()
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


@pytest.fixture(scope="module")
def server_home() -> Iterator[Path]:
    """A home with the tables that the server reads, which is ANALYTICS_HOME meanwhile."""
    from server_warehouse import fill

    folder = make_home()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYTICS_HOME", str(folder))
        fill()
        yield folder
    remove_home(folder)


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
    folder = copy_of("demo", _run_demo)
    yield folder
    remove_home(folder)


def _run_demo(home: Path) -> None:
    done = analytics("demo", home=home)
    assert done.returncode == 0, done.stdout + done.stderr


def select(home: Path, sql: str, role: warehouse.Role = "reader") -> list[tuple[object, ...]]:
    """The rows of a query on a home's warehouse."""
    with at(home):
        connection = warehouse.connect(role)
    try:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()
    finally:
        connection.close()
