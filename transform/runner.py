"""Running dbt inside this process: a build by command spends six seconds on start-up alone."""

import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from ingest import lake, warehouse
from ingest.ledger import open_ledger
from ingest.staging import create_tables

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

PROJECT = warehouse.ROOT
# What dbt tells of a node that it has done with, among some 1,700 events of a build.
RESULTS = {"LogSeedResult", "LogModelResult", "LogSnapshotResult", "LogTestResult"}
# The manifests of this process, once parsed, by target, and of which files.
_parsed: dict[str, tuple[tuple[int, float], Any]] = {}


class BuildError(RuntimeError):
    """dbt failed; the message names the first nodes that did and why."""


def target_path() -> Path:
    """Where dbt writes its artifacts."""
    return warehouse.home() / "dbt" / ("target-spark" if warehouse.is_lake() else "target")


def manifest_path() -> Path:
    """The manifest, parsed again when a file of the dbt project is newer."""
    if not _is_parsed():
        parse()
    return target_path() / "manifest.json"


def parse() -> None:
    """Parse the project, which writes the manifest.

    Raises:
        BuildError: the project does not parse.
    """
    files = _files()
    result = invoke(["parse"])
    if not result.success:
        raise BuildError(f"dbt cannot parse the project: {result.exception}")
    _parsed[warehouse.target()] = files, result.result


def build(arguments: Sequence[str] = (), on_event: Callable[[Any], None] | None = None) -> str:
    """``dbt build`` with further arguments; returns a summary such as ``31 models built, 64 tests passed``.

    Raises:
        BuildError: a model or a test failed.
    """
    warehouse.start()
    if warehouse.is_lake():  # what a killed run left half written would be read, or in the way
        create_tables()
        with open_ledger() as ledger:
            ledger.recover()
        lake.remove_unwritten()
    result = invoke(["build", *arguments], on_event)
    if result.exception is not None:
        raise BuildError(str(result.exception)) from result.exception
    return _summary(result)


def results(arguments: Sequence[str], say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """``dbt build`` in a thread: yields its events of nodes that are done as they come, and says in the end
    what it did. Where the caller goes no further, what is being built is rolled back.

    Raises:
        BuildError: as ``build``.
    """
    from google.protobuf.json_format import MessageToDict

    events: SimpleQueue[Any] = SimpleQueue()
    summaries: list[str] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            summaries.append(build(arguments, on_event=events.put))
        except Exception as error:
            failures.append(error)
        finally:
            events.put(None)

    thread = Thread(target=run, name="dbt build")
    thread.start()
    try:
        while (event := events.get()) is not None:
            if event.info.name in RESULTS:
                yield MessageToDict(event, preserving_proto_field_name=True)
    finally:
        while thread.is_alive() and not (summaries or failures):
            cancel()
            thread.join(0.2)
    thread.join()
    if failures:
        raise failures[0]
    say(f"dbt build: {summaries[0]}")


def cancel() -> None:
    """Roll back what this process's build is doing at the moment."""
    from dbt.adapters.factory import FACTORY
    from dbt_common.exceptions import DbtRuntimeError

    for adapter in FACTORY.adapters.values():
        with suppress(DbtRuntimeError):  # one that is just being opened
            adapter.cancel_open_connections()  # type: ignore[attr-defined]


def write_docs() -> Path:
    """dbt's documentation of the models as one self-contained page; returns its path.

    Raises:
        BuildError: dbt failed.
    """
    warehouse.start()
    result = invoke(["docs", "generate", "--static"])
    if not result.success:
        raise BuildError(f"dbt cannot write its documentation: {result.exception}")
    page = warehouse.home() / "docs" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(target_path() / "static_index.html", page)
    return page


def invoke(arguments: Sequence[str], on_event: Callable[[Any], None] | None = None) -> "dbtRunnerResult":
    """Any dbt command on the project, quiet but for warnings and errors."""
    from dbt.cli.main import dbtRunner

    if not (PROJECT / "profiles.yml").exists():
        shutil.copy(PROJECT / "profiles.example.yml", PROJECT / "profiles.yml")
    # dbt resolves these in profiles.yml and in its own settings.
    os.environ["ANALYTICS_HOME"] = str(warehouse.home())
    os.environ["DBT_TARGET_PATH"] = str(target_path())
    os.environ["DBT_LOG_PATH"] = str(warehouse.home() / "dbt" / "logs")
    if warehouse.is_lake():
        _prepare_spark()
    files, manifest = _parsed.get(warehouse.target(), (None, None))
    if files != _files():
        manifest = None
    runner = dbtRunner(manifest=manifest, callbacks=[on_event] if on_event else [])
    folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    # Safe where nothing was edited; see partial_parse in dbt_project.yml.
    reuse = ["--partial-parse"] if _is_parsed() else []
    return runner.invoke(["--log-level", "warn", *reuse, *arguments, *folders])


def _prepare_spark() -> None:
    """Make Spark find its settings, and keep to itself what concerns nobody here.

    Raises:
        BuildError: it is not installed.
    """
    if find_spec("dbt.adapters.spark") is None or find_spec("pyspark") is None:
        raise BuildError("target spark needs more packages: run `make .venv/.spark` (and install Java 17)")
    os.environ.setdefault("SPARK_CONF_DIR", str(PROJECT / "deploy" / "spark"))
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")


def _is_parsed() -> bool:
    """Whether the manifest is newer than every file of the project."""
    manifest = target_path() / "manifest.json"
    return manifest.exists() and manifest.stat().st_mtime > _files()[1]


def _files() -> tuple[int, float]:
    """How many files the project has, and when the newest was written."""
    files = [PROJECT / "dbt_project.yml", *(PROJECT / "dbt_project").rglob("*")]
    times = [file.stat().st_mtime for file in files if file.is_file()]
    return len(times), max(times)


def _summary(result: "dbtRunnerResult") -> str:
    kinds: dict[str, int] = {"models": 0, "tests": 0}
    failures = []
    for node in getattr(result.result, "results", []):
        if node.node.resource_type == "operation":  # a hook
            continue
        kind = "tests" if node.node.resource_type in ("test", "unit_test") else "models"
        if node.status in ("success", "pass", "warn"):
            kinds[kind] += 1
        elif node.status in ("error", "fail"):
            failures.append(f"{node.node.name}: {node.message}")
    if failures or not result.success:
        raise BuildError("dbt build failed:\n  " + "\n  ".join(failures[:5] or ["see dbt's log"]))
    return f"{kinds['models']} models built, {kinds['tests']} tests passed"
