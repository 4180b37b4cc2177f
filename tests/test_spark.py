"""The models on Apache Spark: the same cells as on Postgres, by increments and in full, and what they do not share."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import landing_rows
import pytest
from landing_sequences import draw, land_side_by_side
from models_project import Dbt
from spark_project import Cluster, SparkDbt, require_spark, stop_session

from conftest import ROOT
from ingest import lake, warehouse
from ingest.comparison import compare

pytestmark = pytest.mark.spark

SEQUENCES = 30


@pytest.fixture(scope="module")
def spark(models: Dbt) -> Iterator[SparkDbt]:
    """The project on a Spark of its own, beside the one on Postgres."""
    require_spark()
    yield SparkDbt(Path(warehouse.home()))
    stop_session()


def differences() -> list[str]:
    return [f"{table.table}: {table.difference}" for table in compare() if table.difference]


def take_in(last: int) -> None:
    landing_rows.take_in(last)
    lake.copy_landing()


@pytest.mark.whole_spark
def test_increments_on_spark_equal_a_full_refresh_on_postgres_and_tests_hold(
    dbt: Dbt, spark: SparkDbt
) -> None:
    loads = land_side_by_side(draw(SEQUENCES, number=23))
    take_in(loads // 2)
    spark("run")  # in full, as there is nothing yet
    take_in(loads)
    spark("build")  # with unit tests, contracts and the accounting identities
    dbt("build", "--full-refresh")
    assert differences() == []
    found = {table.table: table.rows for table in compare()}
    assert found["marts.fact_sales"] > 100
    assert found["metrics.metrics_products"] > 200


def test_a_cluster_behind_spark_connect_builds_the_same(
    dbt: Dbt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Base models by a process that has no Spark of its own, first in full and then by an increment."""
    require_spark()
    loads = land_side_by_side(draw(5, number=25))
    home = Path(warehouse.home())
    shutil.copy(ROOT / "profiles.example.yml", home / "profiles.yml")
    monkeypatch.setenv("ANALYTICS_LAKE", str(tmp_path / "lake"))
    with Cluster(tmp_path) as cluster:
        for last in (loads // 2, loads):
            take_in(last)
            command = [Path(sys.executable).with_name("dbt"), "run", "--target", "spark", "--quiet"]
            models = ["--select", "+metrics_daily", "+metrics_products", "+ops_reconciliation"]
            folders = ["--project-dir", ROOT, "--profiles-dir", home]
            done = subprocess.run(
                [*command, *models, *folders], cwd=tmp_path, env=os.environ | {"SPARK_REMOTE": cluster.remote},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
    dbt("run")
    built = [table for table in compare() if table.difference != "it is not in the lake"]
    assert [f"{table.table}: {table.difference}" for table in built if table.difference] == []
    assert {table.table for table in built} >= {"marts.fact_sales", "metrics.metrics_products"}
