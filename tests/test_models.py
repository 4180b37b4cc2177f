"""The models on a real Postgres: the contract of the marts, stable keys, and increments that equal a full refresh."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import landing_rows
import pytest
import yaml
from landing_rows import land
from models_project import Dbt, assert_equals_full_refresh, cells, select

from conftest import ROOT

MARTS = {
    "marts.fact_sales": (
        "sale_id integer, product_id integer, customer_id integer, store_id integer, sale_date date,"
        " quantity integer, unit_price numeric(10,2), total_amount numeric(10,2), created_at timestamp"
    ),
    "marts.fact_interactions": (
        "interaction_id integer, customer_id integer, channel_id integer, interaction_type varchar(50),"
        " interaction_date timestamp, duration integer, status varchar(20), created_at timestamp"
    ),
    "marts.dim_products": (
        "product_id integer, product_name varchar(100), category varchar(50), subcategory varchar(50),"
        " unit_cost numeric(10,2), unit_price numeric(10,2), supplier_id integer, active boolean,"
        " created_at timestamp"
    ),
    "marts.dim_customers": (
        "customer_id integer, first_name varchar(50), last_name varchar(50), email varchar(100),"
        " phone varchar(20), address text, city varchar(50), country varchar(50), segment varchar(20),"
        " created_at timestamp"
    ),
    "marts.dim_stores": (
        "store_id integer, store_name varchar(100), address text, city varchar(50), country varchar(50),"
        " manager varchar(100), open_date date, active boolean, created_at timestamp"
    ),
    "marts.dim_channels": (
        "channel_id integer, channel_name varchar(50), channel_type varchar(20), description text,"
        " active boolean, created_at timestamp"
    ),
    "metrics.metrics_daily": (
        "metric_date date, total_sales numeric(12,2), total_transactions integer,"
        " avg_transaction_value numeric(10,2), total_customers integer, new_customers integer,"
        " created_at timestamp"
    ),
    "metrics.metrics_products": (
        "product_id integer, metric_date date, units_sold integer, revenue numeric(10,2),"
        " profit numeric(10,2), stock_level integer, created_at timestamp"
    ),
}
DAY = date(2024, 3, 1)


def metric(column: str) -> dict[date, Any]:
    return dict(select(f"select metric_date, {column} from metrics.metrics_daily order by 1"))


def at(day: int, hour: int = 12) -> datetime:
    """Noon (UTC) of a day, counted from DAY."""
    return datetime.combine(DAY, datetime.min.time()) + timedelta(days=day, hours=hour)


def days(*offsets: int) -> list[date]:
    return [DAY + timedelta(days=offset) for offset in offsets]


# ------------------------------------------------------------------------------------------ the contract


@pytest.mark.parametrize("table", MARTS)
def test_columns_types_and_order_are_those_of_the_contract(models: Dbt, table: str) -> None:
    schema, name = table.split(".")
    columns = select(
        f"""
        select column_name || ' ' || case
            when data_type = 'character varying' then 'varchar(' || character_maximum_length || ')'
            when data_type = 'numeric' then 'numeric(' || numeric_precision || ',' || numeric_scale || ')'
            when data_type = 'timestamp without time zone' then 'timestamp'
            else data_type
        end
        from information_schema.columns
        where table_schema = '{schema}' and table_name = '{name}'
        order by ordinal_position
        """
    )
    assert ", ".join(column for (column,) in columns).startswith(MARTS[table])


@pytest.mark.parametrize("table", MARTS)
def test_keys_and_defaults_hold_in_the_database(models: Dbt, table: str) -> None:
    schema, name = table.split(".")
    key = select(
        f"""
        select string_agg(column_name, ', ' order by ordinal_position)
        from information_schema.table_constraints
        join information_schema.key_column_usage using (constraint_schema, constraint_name, table_schema, table_name)
        where table_schema = '{schema}' and table_name = '{name}' and constraint_type = 'PRIMARY KEY'
        """
    )
    columns = MARTS[table].split(", ")
    expected = columns[:2] if name == "metrics_products" else columns[:1]
    assert key == [(", ".join(column.split()[0] for column in expected),)]

    defaults = dict(
        select(
            "select column_name, lower(column_default) from information_schema.columns where column_default"
            f" is not null and table_schema = '{schema}' and table_name = '{name}'"
        )
    )
    active = {"active": "true"} if "active boolean" in MARTS[table] else {}
    assert defaults == {"created_at": "current_timestamp"} | active


def test_the_reader_sees_marts_metrics_and_reconciliation_only(models: Dbt) -> None:
    readable = select(
        """
        select distinct schemaname from pg_tables
        where has_table_privilege('analytics_reader', format('%I.%I', schemaname, tablename), 'select')
            and has_schema_privilege('analytics_reader', schemaname, 'usage')
            and schemaname not in ('pg_catalog', 'information_schema')
        order by 1
        """
    )
    assert [schema for (schema,) in readable] == ["marts", "metrics", "ops"]
    assert select("select has_table_privilege('analytics_reader', 'ops.reconciliation', 'select')") == [
        (True,)
    ]


# --------------------------------------------------------------------------------- before and at the start


def test_before_anything_landed_there_are_only_the_unknown_members(dbt: Dbt) -> None:
    dbt("build")
    assert {table: len(rows) for table, rows in cells().items() if rows} == {
        "marts.dim_products_history": 1,
        "marts.dim_customers_history": 1,
        "ops.reconciliation": 2,
        **{f"marts.dim_{key}s": 1 for key in ("product", "customer", "store", "channel")},
        **{
            f"intermediate.int_{key}_keys": 1
            for key in ("product", "customer", "store", "channel", "supplier")
        },
    }
    assert select(
        "select product_id, product_name, product_code, is_inferred, created_at from marts.dim_products"
    ) == [(0, "Unknown", None, False, None)]


def test_a_load_that_is_not_whole_waits(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "product_code": "lamp"})
    land(2, "sales", {"sale_code": "A2", "product_code": "chair"}, state="loading")
    dbt("build")
    assert select("select sale_code from marts.fact_sales") == [("A1",)]
    assert select("select product_code from marts.dim_products where product_id > 0") == [("lamp",)]


# ------------------------------------------------------------------------------------- keys and dimensions


def test_keys_follow_the_order_of_arrival_and_never_change(dbt: Dbt) -> None:
    land(
        1, "sales", {"sale_code": "A1", "product_code": "lamp"}, {"sale_code": "A2", "product_code": "chair"}
    )
    dbt("run")
    land(2, "products", {"product_code": "chair", "product_name": "Chair"}, {"product_code": "Lamp"})
    land(3, "inventory", {"product_code": "desk"})
    dbt("run")
    codes = "select product_code, product_id from marts.dim_products where product_id > 0 order by product_id"
    numbered = [("lamp", 1), ("chair", 2), ("Lamp", 3), ("desk", 4)]
    assert select(codes) == numbered
    dbt("run", "--full-refresh")
    assert select(codes) == numbered


def test_an_inferred_member_is_replaced_under_its_key(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "customer_code": "C7", "product_code": "lamp"})
    dbt("run")
    member = "select customer_id, last_name, is_inferred, created_at, load_id from marts.dim_customers where customer_id > 0"
    assert select(member) == [(1, None, True, landing_rows.EPOCH + timedelta(hours=1), 1)]
    land(2, "customers", {"customer_code": "C7", "last_name": "Ångström"}, source="crm")
    dbt("run")
    assert select(member) == [(1, "Ångström", False, landing_rows.EPOCH + timedelta(hours=1), 2)]
    assert select("select customer_id from marts.fact_sales") == [(1,)]


def test_the_newest_row_of_a_member_wins_across_sources_and_within_a_load(dbt: Dbt) -> None:
    member = "select unit_cost, active from marts.dim_products where product_id = 1"
    land(1, "products", {"product_code": "lamp", "unit_cost": 1}, {"product_code": "lamp", "unit_cost": 2})
    dbt("run")
    assert select(member) == [(Decimal(2), True)]
    land(2, "products", {"product_code": "lamp", "unit_cost": 3, "active": False}, source="erp")
    dbt("run")
    assert select(member) == [(Decimal(3), False)]


def test_a_sale_without_codes_points_to_the_unknown_members(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1"})
    land(2, "interactions", {"interaction_code": "I1"})
    dbt("run")
    assert select("select product_id, customer_id, store_id, channel_id from marts.fact_sales") == [
        (0, 0, 0, 0)
    ]
    assert select("select customer_id, channel_id from marts.fact_interactions") == [(0, 0)]
    assert select("select total_customers, new_customers from metrics.metrics_daily") == [(0, 0)]
    assert select("select product_id, revenue, profit from metrics.metrics_products") == [
        (0, Decimal(10), None)
    ]


def test_two_sources_may_use_the_same_codes(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "1", "transaction_code": "T1"}, source="shop")
    land(2, "sales", {"sale_code": "1", "transaction_code": "T1"}, source="web")
    dbt("run")
    assert select("select sale_id, source_name from marts.fact_sales order by 1") == [(1, "shop"), (2, "web")]
    assert metric("total_transactions") == {DAY: 2}


# --------------------------------------------------------------------------------- increments = full refresh


def test_a_correction_moves_a_sale_to_another_day_and_customer(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "customer_code": "C1", "product_code": "lamp"})
    land(2, "sales", {"sale_code": "A2", "customer_code": "C1", "product_code": "lamp", "sold_at": at(3)})
    dbt("run")
    assert metric("new_customers") == dict(zip(days(0, 1, 2, 3), [1, 0, 0, 0], strict=True))
    land(3, "sales", {"sale_code": "A1", "customer_code": "C2", "product_code": "desk", "sold_at": at(1)})
    dbt("run")
    assert metric("total_sales") == dict(zip(days(0, 1, 2, 3), [0, 10, 0, 10], strict=True))
    assert metric("new_customers") == dict(zip(days(0, 1, 2, 3), [0, 1, 0, 1], strict=True))
    landed = [
        (1, landing_rows.EPOCH + timedelta(hours=1), 3),
        (2, landing_rows.EPOCH + timedelta(hours=2), 2),
    ]
    assert select("select sale_id, created_at, load_id from marts.fact_sales order by 1") == landed
    assert_equals_full_refresh(dbt)


def test_a_late_sale_makes_a_customer_new_on_an_earlier_day(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "customer_code": "C1", "sold_at": at(5)})
    land(2, "sales", {"sale_code": "A2", "customer_code": "C1", "sold_at": at(6)})
    dbt("run")
    assert metric("new_customers") == dict(zip(days(5, 6), [1, 0], strict=True))
    land(3, "sales", {"sale_code": "A3", "customer_code": "C1", "sold_at": at(3)})
    dbt("run")
    assert metric("new_customers") == dict(zip(days(3, 4, 5, 6), [1, 0, 0, 0], strict=True))
    # And back again: the early sale turns out to be another customer's.
    land(4, "sales", {"sale_code": "A3", "customer_code": "C2", "sold_at": at(3)})
    dbt("run")
    assert metric("new_customers") == dict(zip(days(3, 4, 5, 6), [1, 0, 1, 0], strict=True))
    assert_equals_full_refresh(dbt)


def test_the_days_stay_dense_as_they_grow_to_both_sides(dbt: Dbt) -> None:
    for load_id, day in enumerate([0, 3, -2, 2], start=1):
        land(load_id, "sales", {"sale_code": f"A{day}", "customer_code": f"C{day}", "sold_at": at(day)})
        dbt("run")
    assert metric("total_transactions") == dict(
        zip(days(-2, -1, 0, 1, 2, 3), [1, 0, 1, 0, 1, 1], strict=True)
    )
    # Each day is there since the load that made the days reach it, also where its own line came later.
    hours = [
        (created_at - landing_rows.EPOCH).seconds // 3600 for created_at in metric("created_at").values()
    ]
    assert hours == [3, 3, 1, 2, 2, 2]
    assert_equals_full_refresh(dbt)


def test_stock_and_cost_reach_the_days_they_hold_for(dbt: Dbt) -> None:
    rows = "select metric_date, stock_level, profit from metrics.metrics_products order by 1"
    sales = [{"sale_code": f"A{day}", "product_code": "lamp", "sold_at": at(day)} for day in (0, 2, 4)]
    land(1, "sales", *sales)
    land(2, "inventory", {"product_code": "lamp", "stock_date": days(3)[0], "stock_level": 7})
    dbt("run")
    assert select(rows) == list(zip(days(0, 2, 3, 4), [None, None, 7, 7], [None, None, 0, None], strict=True))
    land(3, "inventory", {"product_code": "lamp", "stock_date": days(1)[0], "stock_level": 9})
    dbt("run")
    levels = [None, 9, 9, 7, 7]
    assert select(rows) == list(zip(days(0, 1, 2, 3, 4), levels, [None, 0, None, 0, None], strict=True))
    land(4, "products", {"product_code": "lamp", "unit_cost": 4})
    dbt("run")
    assert select(rows) == list(zip(days(0, 1, 2, 3, 4), levels, [6, 0, 6, 0, 6], strict=True))
    assert_equals_full_refresh(dbt)


def test_a_build_without_new_loads_changes_nothing(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "product_code": "lamp"}, {"sale_code": "A2", "customer_code": "C1"})
    land(2, "products", {"product_code": "lamp", "unit_cost": 4}, {"product_code": "desk"})
    land(3, "sales", {"sale_code": "A2", "is_deleted": True})
    land(4, "inventory", {"product_code": "lamp", "stock_level": 7})
    dbt("build")
    before = cells()
    dbt("build")
    assert cells() == before


# ------------------------------------------------------------------------------------------ time and money


def test_a_day_ends_at_midnight_of_the_reporting_time_zone(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "sold_at": at(0, hour=23)})
    land(2, "interactions", {"interaction_code": "I1", "occurred_at": at(0, hour=23)})
    dbt("run", "--vars", "{reporting_timezone: Europe/Berlin}", manifest=None)
    assert select("select sale_date, sold_at from marts.fact_sales") == [(days(1)[0], at(0, hour=23))]
    assert select("select interaction_date from marts.fact_interactions") == [(at(1, hour=0),)]
    assert list(metric("total_sales")) == days(1)


def test_a_name_that_is_too_long_is_refused_and_not_cut(dbt: Dbt) -> None:
    land(1, "interactions", {"interaction_code": "I1"})
    dbt("run")
    land(2, "interactions", {"interaction_code": "I2", "interaction_type": "x" * 51})
    with pytest.raises(AssertionError, match="too long"):
        dbt("run")
    assert select("select count(*) from marts.fact_interactions") == [(1,)]


# ------------------------------------------------------------------------------------- command and project


def test_without_a_warehouse_dbt_says_how_to_start_it(tmp_path: Path) -> None:
    shutil.copy(ROOT / "profiles.example.yml", tmp_path / "profiles.yml")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANALYTICS_", "DBT_"))}
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "build", "--project-dir", ROOT, "--profiles-dir", tmp_path],
        env=environment
        | {"DBT_TARGET_PATH": str(tmp_path / "target"), "DBT_LOG_PATH": str(tmp_path), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1].strip() == (
        "The embedded warehouse is not running. Start it: analytics warehouse start"
    )
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.unit
def test_no_file_uses_an_old_form_of_dbt_s_yaml() -> None:
    """On Postgres dbt is silent about most of them."""
    for file in (ROOT / "dbt_project").rglob("*.yml"):
        content = yaml.safe_load(file.read_text())
        assert "version" not in content, file
        for keys in _mappings(content):
            assert "tests" not in keys, f"{file}: data_tests instead of tests"
            if "name" in keys and "columns" in keys:
                old = {"meta", "tags", "access", "group", "freshness", "docs"} & set(keys)
                assert not old, f"{file}: {old} belong under config"
            for test in keys.get("data_tests", []):
                settings = next(iter(test.values())) if isinstance(test, dict) else {}
                assert set(settings) <= {"arguments", "config", "name", "description"}, f"{file}: {test}"


def test_every_model_and_column_is_described_and_has_its_access(models: Dbt) -> None:
    nodes = [node for node in models.manifest.nodes.values() if node.resource_type == "model"]
    assert len(nodes) > 20
    for node in nodes:
        layer = node.fqn[1]
        assert re.match(r"[A-Z].*\. .*Key: ", node.description), f"{node.name}: what it is, and its key"
        assert node.group == "warehouse"
        assert node.access == ("private" if layer in ("staging", "intermediate") else "public")
        columns = select(
            "select column_name from information_schema.columns"
            f" where table_schema = '{node.schema}' and table_name = '{node.alias}' order by ordinal_position"
        )
        assert [name for (name,) in columns] == list(node.columns), node.name
        assert all(column.description for column in node.columns.values()), node.name


def _mappings(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    children: Sequence[Any] = (
        list(content.values()) if isinstance(content, dict) else content if isinstance(content, list) else []
    )
    for child in children:
        yield from _mappings(child)
