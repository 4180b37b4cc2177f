"""The dbt project on a warehouse of its own, for tests of the models: runs of dbt in this process, and what they built."""

import pickle
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import landing_rows
import pytest
from dbt.cli.main import dbtRunner
from homes import copy_of, made_once, make_home, remove_home

from conftest import ROOT
from ingest import warehouse

KEYS = ["product", "customer", "store", "channel", "supplier", "sale", "interaction"]
# What most tests of the models look at: a build of them alone costs a third of a whole one.
FACTS_AND_DAYS = ["--select", "+path:dbt_project/models/marts", "+metrics_daily", "+metrics_products"]
TABLES_OF_FACTS_AND_DAYS = [
    "marts.fact_sales",
    "marts.fact_interactions",
    "marts.dim_products",
    "marts.dim_customers",
    "marts.dim_stores",
    "marts.dim_channels",
    "marts.dim_products_history",
    "marts.dim_customers_history",
    "marts.dim_dates",
    *(f"intermediate.int_{key}_keys" for key in KEYS),
    "intermediate.int_stock_levels",
    "metrics.metrics_daily",
    "metrics.metrics_products",
]
TABLES = [
    *TABLES_OF_FACTS_AND_DAYS,
    "metrics.metrics_stores",
    "metrics.metrics_interactions",
    "metrics.metrics_customers",
    "metrics.metrics_cohorts",
    "metrics.metrics_components",
    "metrics.metrics_values",
    "metrics.metrics_anomalies",
    "intermediate.int_daily_movements",
    "ops.reconciliation_loads",
    "ops.reconciliation_days",
    "ops.reconciliation",
]
QUIETLY = ["--log-level", "none", "--no-write-json", "--log-level-file", "none"]


class Dbt:
    """dbt in this process, which keeps the manifest: a run costs seconds less than by command."""

    def __init__(self, home: Path, project: Path = ROOT) -> None:
        shutil.copy(ROOT / "profiles.example.yml", home / "profiles.yml")
        self.folders = ["--project-dir", str(project), "--profiles-dir", str(home)]
        if project == ROOT:
            self.manifest = pickle.loads(made_once("manifest", self._parse).read_bytes())
        else:
            self.manifest = self("parse", manifest=None)

    def _parse(self, file: Path) -> None:
        file.write_bytes(pickle.dumps(self("parse", manifest=None)))

    def __call__(self, *arguments: str, manifest: Any = ...) -> Any:
        runner = dbtRunner(manifest=self.manifest if manifest is ... else manifest)
        done = runner.invoke([*arguments, *QUIETLY, *self.folders])
        results = getattr(done.result, "results", [])
        failures = [f"{r.node.name}: {r.message}" for r in results if r.status in ("error", "fail")]
        if not done.success:
            raise AssertionError(str(done.exception or failures))
        return done.result


@contextmanager
def in_home(home: Path) -> Iterator[None]:
    """With a home of dbt's files too."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANALYTICS_HOME", str(home))
        environment.setenv("DBT_TARGET_PATH", str(home / "target"))
        environment.setenv("DBT_LOG_PATH", str(home / "logs"))
        yield


@contextmanager
def project() -> Iterator[Dbt]:
    """The project on a warehouse of its own, of which nothing is built."""
    with _project_in(make_home()) as dbt:
        yield dbt


@contextmanager
def built_project() -> Iterator[Dbt]:
    """The project on a warehouse of its own, built once while nothing had landed."""
    with _project_in(copy_of("models", _build)) as dbt:
        yield dbt


@contextmanager
def _project_in(home: Path) -> Iterator[Dbt]:
    try:
        with in_home(home):
            warehouse.start()
            yield Dbt(home)
    finally:
        remove_home(home)


def _build(home: Path) -> None:
    with in_home(home):
        warehouse.start()
        landing_rows.create()
        Dbt(home)("build")


def clear_models() -> None:
    """Empty all tables; the next build fills them by its increments."""
    with closing(warehouse.connect("transformer")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"truncate {', '.join(TABLES)}")


def execute(role: warehouse.Role, sql: str) -> None:
    """Change something behind dbt's back."""
    with closing(warehouse.connect(role)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql)


def select(sql: str) -> list[tuple[Any, ...]]:
    with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def cells(tables: Sequence[str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """All cells of the marts, the metrics and what they are made from."""
    return {table: select(f"select cells.* from {table} as cells order by cells") for table in tables}


def assert_equals_full_refresh(dbt: Dbt) -> None:
    """Of facts, days and what they are made from."""
    incremental = cells(TABLES_OF_FACTS_AND_DAYS)
    dbt("run", "--full-refresh", *FACTS_AND_DAYS)
    for table, rows in cells(TABLES_OF_FACTS_AND_DAYS).items():
        assert incremental[table] == rows, table
