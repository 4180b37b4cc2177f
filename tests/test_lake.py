"""Target spark without a Spark: rows land as files as they land in Postgres, and what is read of the tables in the lake
is what Postgres would say."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg2
import pytest

from conftest import ROOT, make_home, remove_home
from ingest import DataIngestion, lake, warehouse
from ingest.backup import backup, restore
from ingest.comparison import SCHEMAS, compare, summary
from ingest.entities import ENTITIES
from ingest.ledger import open_ledger
from reports import archive
from reports.render import render_report

SOURCES = """\
sources:
  shop:
    kind: csv
    path: {folder}/sales-*.csv
    timezone: UTC
    feeds:
      sales:
        columns: {{sale_code: no, product_code: item, sold_at: day, quantity: qty, unit_price: price, customer_code: who}}
        rules: {{price_not_negative: "unit_price >= 0"}}
  crm:
    kind: csv
    path: {folder}/customers*.csv
    mode: snapshot
    feeds:
      customers: {{columns: {{customer_code: no, last_name: name, city: town}}}}
"""
SALES = "no,item,day,qty,price,who"
CUSTOMERS = "no,name,town"
LINES = [f"S{n},P{n % 3},2024-03-0{n % 9 + 1},{n % 4},{n}.50,C{n % 5}" for n in range(40)]
PEOPLE = [f'C{n},"O\'Name, {n}",{"" if n % 2 else "Bath"}' for n in range(9)]


@contextmanager
def at(home: Path, target: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANALYTICS_HOME", str(home))
        environment.setenv("ANALYTICS_TARGET", target)
        yield


@pytest.fixture(scope="module")
def homes() -> Iterator[dict[str, Path]]:
    homes = {"embedded": make_home(), "spark": make_home()}
    yield homes
    for home in homes.values():
        remove_home(home)


def write(folder: Path, name: str, header: str, lines: list[str]) -> None:
    (folder / name).write_text("\n".join([header, *lines, ""]))


def ingest(homes: dict[str, Path], sources: Path, **start: Any) -> list[str]:
    """Land on both targets, which must say the same of it."""
    told = []
    for target, home in homes.items():
        with at(home, target):
            told.append([outcome.summary() for outcome in DataIngestion(sources).run(**start)])
    assert told[0] == told[1]
    return told[0]


def landed(home: Path, target: str, entity: str) -> list[tuple[Any, ...]]:
    columns = [name for name in lake.types(ENTITIES[entity]) if name != "loaded_at"]
    order = f"order by load_id, source_line, {ENTITIES[entity].key[0]}"
    with at(home, target):
        if target == "spark":
            with closing(lake.connect()) as connection:
                files = f"{warehouse.lake()}/staging/{entity}/*.parquet"
                return connection.execute(f"select {', '.join(columns)} from '{files}' {order}").fetchall()
        with closing(warehouse.connect("loader")) as postgres, postgres.cursor() as cursor:
            cursor.execute(f"select {', '.join(columns)} from staging.{entity} {order}")
            return cursor.fetchall()


def ledger(home: Path, target: str, sql: str) -> list[tuple[Any, ...]]:
    with at(home, target), closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def assert_same(homes: dict[str, Path]) -> None:
    for entity in ("sales", "customers"):
        assert landed(homes["spark"], "spark", entity) == landed(homes["embedded"], "embedded", entity), (
            entity
        )
    told = (
        "select load_id, source_file, state, rows_read, rows_accepted, rows_rejected, rows_new, rows_deleted,"
        " amount_accepted, amount_new from ops.loads order by load_id"
    )
    rejected = "select load_id, source_line, rule, raw_row::text, state from ops.rejected_rows order by 1, 2"
    for sql in (told, rejected):
        assert ledger(homes["spark"], "spark", sql) == ledger(homes["embedded"], "embedded", sql)


def test_rows_land_as_files_as_they_land_in_postgres(homes: dict[str, Path], tmp_path: Path) -> None:
    sources = tmp_path / "sources.yml"
    sources.write_text(SOURCES.format(folder=tmp_path))
    write(tmp_path, "sales-1.csv", SALES, [*LINES[:20], "S99,P1,2024-03-01,1,-1,C1", "S98,P1,someday,1,1,"])
    write(tmp_path, "sales-2.csv", SALES, [*LINES[15:30]])
    write(tmp_path, "customers.csv", CUSTOMERS, PEOPLE)
    first = ingest(homes, sources)
    assert "37 rows read, 30 new, 2 rejected" in first[0]
    assert "9 rows read, 9 new" in first[1]
    # A correction, a repeat, a late row, a row that breaks no rule any more; a key less, and later again.
    write(tmp_path, "sales-3.csv", SALES, [LINES[3].replace(",3.50,", ",7.00,"), *LINES[28:33], LINES[0]])
    write(tmp_path, "customers.csv", CUSTOMERS, PEOPLE[1:])
    second = ingest(homes, sources)
    assert "1 deleted" in second[1]
    write(tmp_path, "customers.csv", CUSTOMERS, [*PEOPLE[:-1], 'C8,,"York"'])
    assert "nothing new" in ingest(homes, sources)[0]
    assert "10 rows" not in ingest(homes, sources, full_refresh=True)[0]
    assert_same(homes)
    assert len(landed(homes["spark"], "spark", "customers")) == 12

    with at(homes["spark"], "spark"), closing(lake.connect()) as connection:
        published = connection.execute(
            f"select load_id, state, rows_new, amount_new from '{warehouse.lake()}/ops/loads/loads.parquet'"
            " order by load_id"
        ).fetchall()
    assert published == ledger(
        homes["spark"], "spark", "select load_id, state, rows_new, amount_new from ops.loads order by 1"
    )


def test_the_lake_may_be_a_bucket(
    tmp_path: Path, bucket: Any, homes: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an ingestion wrote there the next one finds, though the file system keeps listings."""
    monkeypatch.setenv("ANALYTICS_LAKE", "s3://box/lake")
    sources = tmp_path / "sources.yml"
    sources.write_text(SOURCES.format(folder=tmp_path).replace("shop:", "far:").replace("crm:", "away:"))
    with at(homes["spark"], "spark"):

        def ingest_there() -> str:
            return " ".join(outcome.summary() for outcome in DataIngestion(sources).run())

        write(tmp_path, "sales-1.csv", SALES, LINES[:20])
        write(tmp_path, "customers.csv", CUSTOMERS, PEOPLE)
        assert "20 rows read, 20 new" in ingest_there()
        write(tmp_path, "sales-2.csv", SALES, LINES[15:30])
        write(tmp_path, "customers.csv", CUSTOMERS, PEOPLE[1:])
        told = ingest_there()
        assert "15 rows read, 10 new" in told
        assert "8 rows read, 0 new, 0 rejected, 1 deleted" in told


def test_the_move_takes_all_that_landed_and_never_what_is_in_the_lake_alone(
    homes: dict[str, Path], tmp_path: Path
) -> None:
    home, sources = homes["embedded"], tmp_path / "sources.yml"
    sources.write_text(
        f"sources: {{desk: {{kind: csv, path: '{tmp_path}/*.csv', feeds: {{t: {{table: tickets, key: [No]}}}}}}}}"
    )
    with at(home, "embedded"):
        write(tmp_path, "a.csv", "No,order,Größe", ["1,x,", "2,,klein"])
        assert [outcome.error for outcome in DataIngestion(sources).run()] == [None]
        lake.copy_landing()
    with at(home, "spark"):
        write(tmp_path, "b.csv", "No,order,Größe", ["2,,klein", "3,z,"])
        (outcome,) = DataIngestion(sources).run()
        assert "2 rows read, 1 new" in outcome.summary()
    with at(home, "embedded"):
        with pytest.raises(warehouse.WarehouseError, match="1 loads of tickets are in the lake alone"):
            lake.copy_landing()
        with closing(lake.connect()) as connection:
            files = f"read_parquet('{warehouse.lake()}/staging/tickets/*.parquet', union_by_name = true)"
            rows = connection.execute(f'select no, "order", größe from {files} order by 1').fetchall()
    assert rows == [("1", "x", None), ("2", None, "klein"), ("3", "z", None)]


@pytest.mark.unit
def test_what_a_killed_run_began_to_write_is_removed(tmp_path: Path) -> None:
    metrics = tmp_path / "lake" / "tables" / "metrics.db"
    staging = ".spark-staging-51b1/partition_key=1"
    for file in (
        *(
            "whole/partition_key=1/p.parquet",
            f"begun/{staging}/p.parquet",
            "begun_too/_temporary/0/p.parquet",
        ),
        *(f"half/{staging}/p.parquet", "half/partition_key=1/p.parquet", "empty/_SUCCESS"),
    ):
        (metrics / file).parent.mkdir(parents=True, exist_ok=True)
        (metrics / file).touch()
    (metrics / "no_file" / "_temporary" / "0").mkdir(parents=True)
    with at(tmp_path, "spark"):
        lake.remove_unwritten()
        lake.remove_unwritten()
    assert sorted(folder.name for folder in metrics.iterdir()) == ["empty", "half", "whole"]
    assert (metrics / "whole" / "partition_key=1" / "p.parquet").exists()


KILLED_AFTER_COPY = """
import os, signal
from ingest import DataIngestion, lake
from pathlib import Path
copied = lake.copy
def copy(*arguments):
    copied(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
lake.copy = copy
list(DataIngestion(Path(os.environ["SOURCES"])).run(["shop"]))
"""


def test_files_of_a_killed_run_go_and_it_is_read_again(homes: dict[str, Path], tmp_path: Path) -> None:
    home = homes["spark"]
    sources = tmp_path / "sources.yml"
    sources.write_text(SOURCES.format(folder=tmp_path))
    write(tmp_path, "sales-killed.csv", SALES, [line.replace("S", "K", 1) for line in LINES])
    environment = {"ANALYTICS_HOME": str(home), "ANALYTICS_TARGET": "spark", "SOURCES": str(sources)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_COPY], cwd=ROOT, env=os.environ | environment, check=False
    )
    assert killed.returncode == -9
    of_killed = (
        "select count(*), sum(total_amount) from '{}/staging/sales/*.parquet' where sale_code like 'K%'"
    )

    def count() -> tuple[Any, ...] | None:
        with closing(lake.connect()) as connection:
            return connection.execute(of_killed.format(warehouse.lake())).fetchone()

    with at(home, "spark"):
        assert count()[0] == 40  # they are there, and nobody may count them
        with open_ledger() as settled:
            settled.recover()
        assert count() == (0, None)
        (outcome,) = DataIngestion(sources).run(["shop"])
        assert "40 rows read, 40 new" in outcome.summary()
        total = sum(Decimal(n % 4) * (n + Decimal("0.5")) for n in range(40))
        assert count() == (40, total)


@pytest.fixture(scope="module")
def demo_lake(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The demo, with the tables that it built on Postgres also as files where Spark would have written them."""
    home = make_home()
    with at(demo_home, "embedded"):
        saved = backup(tmp_path_factory.mktemp("backup") / "demo.tar")
    with at(home, "embedded"):
        restore(saved)
    with at(home, "embedded"), closing(warehouse.connect("transformer")) as postgres:
        with postgres.cursor() as cursor:
            cursor.execute(
                "select nspname || '.' || relname, attname, format_type(atttypid, atttypmod)"
                " from pg_attribute join pg_class on pg_class.oid = attrelid"
                " join pg_namespace on pg_namespace.oid = relnamespace"
                " where nspname = any(%s) and attnum > 0 and not attisdropped and relkind in ('r', 'v')"
                " and pg_get_userbyid(relowner) = 'analytics_transformer'"
                " order by nspname, relname, attnum",
                (list(SCHEMAS),),
            )
            tables: dict[str, dict[str, str]] = {}
            for table, column, type_ in cursor.fetchall():
                tables.setdefault(table, {})[column] = type_.split(" without")[0]
        for table, columns in tables.items():
            schema, name = table.split(".")
            folder = Path(warehouse.lake()) / "tables" / f"{schema}.db" / name
            folder.mkdir(parents=True, exist_ok=True)
            lake.export(table, columns, str(folder / "part-0.parquet"), "transformer")
    yield home
    remove_home(home)


def test_the_comparison_finds_one_cell(demo_lake: Path) -> None:
    with at(demo_lake, "embedded"):
        compared = list(compare())
        assert [table.difference for table in compared if table.difference] == []
        assert len(compared) > 30
        assert "all equal" in summary(compared)
        facts = Path(warehouse.lake()) / "tables" / "marts.db" / "fact_sales" / "part-0.parquet"
        kept = facts.read_bytes()
        with closing(lake.connect()) as connection:
            connection.execute(
                f"copy (select * replace (case sale_id when 7 then quantity + 1 else quantity end as quantity)"
                f" from '{facts}') to '{facts}.new' (format parquet)"
            )
        facts.with_name("part-0.parquet.new").replace(facts)
        try:
            (different,) = [table for table in compare() if table.difference]
        finally:
            facts.write_bytes(kept)
        assert different.table == "marts.fact_sales"
        assert "only in the lake: (7," in str(different.difference)


@pytest.mark.parametrize(
    "report", ["daily", "weekly", "monthly", "products", "customers", "quality", "dashboard"]
)
def test_a_report_from_the_lake_has_the_figures_of_one_from_postgres(demo_lake: Path, report: str) -> None:
    frames = []
    for target in ("embedded", "spark"):
        with at(demo_lake, target):
            made = render_report(report, formats=["html"])
            results = archive.folder() / made.report_id / archive.RESULTS
            frames.append({file.name: pd.read_parquet(file) for file in sorted(results.glob("*.parquet"))})
    postgres, spark = frames
    assert postgres.keys() == spark.keys()
    for name, frame in postgres.items():
        pd.testing.assert_frame_equal(spark[name], frame, check_dtype=False, rtol=1e-9)


def test_what_postgres_refuses_is_refused_alike(demo_lake: Path) -> None:
    with at(demo_lake, "spark"), closing(warehouse.connect("reader")) as connection:
        for wrong, error in {
            "select * from marts.nothing": psycopg2.errors.UndefinedTable,
            "select nothing from marts.fact_sales": psycopg2.Error,
            "drop table marts.fact_sales": psycopg2.Error,
        }.items():
            with connection.cursor() as cursor, pytest.raises(error):
                cursor.execute(wrong)
            connection.postgres.rollback()
