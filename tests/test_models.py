"""The models on a real Postgres: the contract of the marts, stable keys, and increments that equal a full refresh."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import landing_rows
import pytest
from landing_rows import land
from models_project import FACTS_AND_DAYS, Dbt, assert_equals_full_refresh, cells, execute, select

from conftest import ROOT
from ingest import warehouse

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
OPS = [*FACTS_AND_DAYS, "+path:dbt_project/models/ops"]


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
    tables = cells()
    # How each component is defined stands there before its days do.
    assert {kind for _, kind, *_ in tables.pop("metrics.metrics_components")} == {"definition"}
    assert {table: len(rows) for table, rows in tables.items() if rows} == {
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
    dbt("run", *FACTS_AND_DAYS)
    assert select("select sale_code from marts.fact_sales") == [("A1",)]
    assert select("select product_code from marts.dim_products where product_id > 0") == [("lamp",)]


# ------------------------------------------------------------------------------------- keys and dimensions


def test_keys_follow_the_order_of_arrival_and_never_change(dbt: Dbt) -> None:
    land(
        1, "sales", {"sale_code": "A1", "product_code": "lamp"}, {"sale_code": "A2", "product_code": "chair"}
    )
    dbt("run", *FACTS_AND_DAYS)
    land(2, "products", {"product_code": "chair", "product_name": "Chair"}, {"product_code": "Lamp"})
    land(3, "inventory", {"product_code": "desk"})
    dbt("run", *FACTS_AND_DAYS)
    codes = "select product_code, product_id from marts.dim_products where product_id > 0 order by product_id"
    numbered = [("lamp", 1), ("chair", 2), ("Lamp", 3), ("desk", 4)]
    assert select(codes) == numbered
    dbt("run", "--full-refresh", *FACTS_AND_DAYS)
    assert select(codes) == numbered


def test_an_inferred_member_is_replaced_under_its_key(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "customer_code": "C7", "product_code": "lamp"})
    dbt("run", *FACTS_AND_DAYS)
    member = "select customer_id, last_name, is_inferred, created_at, load_id from marts.dim_customers where customer_id > 0"
    assert select(member) == [(1, None, True, landing_rows.EPOCH + timedelta(hours=1), 1)]
    land(2, "customers", {"customer_code": "C7", "last_name": "Ångström"}, source="crm")
    dbt("run", *FACTS_AND_DAYS)
    assert select(member) == [(1, "Ångström", False, landing_rows.EPOCH + timedelta(hours=1), 2)]
    assert select("select customer_id from marts.fact_sales") == [(1,)]


def test_the_newest_row_of_a_member_wins_across_sources_and_within_a_load(dbt: Dbt) -> None:
    member = "select unit_cost, active from marts.dim_products where product_id = 1"
    land(1, "products", {"product_code": "lamp", "unit_cost": 1}, {"product_code": "lamp", "unit_cost": 2})
    dbt("run", *FACTS_AND_DAYS)
    assert select(member) == [(Decimal(2), True)]
    land(2, "products", {"product_code": "lamp", "unit_cost": 3, "active": False}, source="erp")
    dbt("run", *FACTS_AND_DAYS)
    assert select(member) == [(Decimal(3), False)]


def test_a_sale_without_codes_points_to_the_unknown_members(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1"})
    land(2, "interactions", {"interaction_code": "I1"})
    dbt("run", *FACTS_AND_DAYS)
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
    dbt("run", *FACTS_AND_DAYS)
    assert select("select sale_id, source_name from marts.fact_sales order by 1") == [(1, "shop"), (2, "web")]
    assert metric("total_transactions") == {DAY: 2}


# --------------------------------------------------------------------------------- increments = full refresh


def test_a_correction_moves_a_sale_to_another_day_and_customer(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "customer_code": "C1", "product_code": "lamp"})
    land(2, "sales", {"sale_code": "A2", "customer_code": "C1", "product_code": "lamp", "sold_at": at(3)})
    dbt("run", *FACTS_AND_DAYS)
    assert metric("new_customers") == dict(zip(days(0, 1, 2, 3), [1, 0, 0, 0], strict=True))
    land(3, "sales", {"sale_code": "A1", "customer_code": "C2", "product_code": "desk", "sold_at": at(1)})
    dbt("run", *FACTS_AND_DAYS)
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
    dbt("run", *FACTS_AND_DAYS)
    assert metric("new_customers") == dict(zip(days(5, 6), [1, 0], strict=True))
    land(3, "sales", {"sale_code": "A3", "customer_code": "C1", "sold_at": at(3)})
    dbt("run", *FACTS_AND_DAYS)
    assert metric("new_customers") == dict(zip(days(3, 4, 5, 6), [1, 0, 0, 0], strict=True))
    # And back again: the early sale turns out to be another customer's.
    land(4, "sales", {"sale_code": "A3", "customer_code": "C2", "sold_at": at(3)})
    dbt("run", *FACTS_AND_DAYS)
    assert metric("new_customers") == dict(zip(days(3, 4, 5, 6), [1, 0, 1, 0], strict=True))
    assert_equals_full_refresh(dbt)


def test_the_days_stay_dense_as_they_grow_to_both_sides(dbt: Dbt) -> None:
    for load_id, day in enumerate([0, 3, -2, 2], start=1):
        land(load_id, "sales", {"sale_code": f"A{day}", "customer_code": f"C{day}", "sold_at": at(day)})
        dbt("run", *FACTS_AND_DAYS)
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
    dbt("run", *FACTS_AND_DAYS)
    assert select(rows) == list(zip(days(0, 2, 3, 4), [None, None, 7, 7], [None, None, 0, None], strict=True))
    land(3, "inventory", {"product_code": "lamp", "stock_date": days(1)[0], "stock_level": 9})
    dbt("run", *FACTS_AND_DAYS)
    levels = [None, 9, 9, 7, 7]
    assert select(rows) == list(zip(days(0, 1, 2, 3, 4), levels, [None, 0, None, 0, None], strict=True))
    land(4, "products", {"product_code": "lamp", "unit_cost": 4})
    dbt("run", *FACTS_AND_DAYS)
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


# --------------------------------------------------------------------------------- deleted rows and history


def test_a_deleted_sale_leaves_its_day_and_comes_back_under_its_key(dbt: Dbt) -> None:
    kept = {"sale_code": "A1", "customer_code": "C1", "product_code": "lamp"}
    gone = {"sale_code": "A2", "customer_code": "C1", "product_code": "lamp", "sold_at": at(-1)}
    land(1, "sales", kept, gone)
    land(2, "interactions", {"interaction_code": "I1"}, {"interaction_code": "I2"})
    land(3, "inventory", *[{"product_code": "lamp", "stock_date": d, "stock_level": 7} for d in days(-1, 0)])
    dbt("run", *OPS)
    assert metric("new_customers") == dict(zip(days(-1, 0), [1, 0], strict=True))
    land(4, "sales", gone | {"is_deleted": True})
    land(5, "interactions", {"interaction_code": "I1", "is_deleted": True})
    land(
        6,
        "inventory",
        *[{"product_code": "lamp", "stock_date": days(-1)[0], "stock_level": 7, "is_deleted": True}],
    )
    dbt("build", *OPS)
    sales = "select sale_id, sale_code from marts.fact_sales order by 1"
    products = "select metric_date, units_sold, stock_level from metrics.metrics_products order by 1"
    assert select(sales) == [(1, "A1")]
    assert select("select interaction_id from marts.fact_interactions") == [(2,)]
    assert metric("total_sales") == dict(zip(days(-1, 0), [0, 10], strict=True))
    assert metric("new_customers") == dict(zip(days(-1, 0), [0, 1], strict=True))
    assert select(products) == list(zip(days(-1, 0), [0, 1], [None, 7], strict=True))
    assert select("select landed_rows, fact_rows from ops.reconciliation order by entity") == [(1, 1)] * 2
    land(7, "sales", gone)
    dbt("run", *FACTS_AND_DAYS)
    assert select(sales) == [(1, "A1"), (2, "A2")]
    assert metric("new_customers") == dict(zip(days(-1, 0), [1, 0], strict=True))
    assert_equals_full_refresh(dbt)


def test_a_deleted_member_keeps_its_row_and_is_not_active(dbt: Dbt) -> None:
    for load_id, deleted in [(1, False), (2, True), (3, False)]:
        for number, entity in enumerate(("products", "customers", "stores", "channels")):
            row = {f"{entity[:-1]}_code": "X", "is_deleted": deleted}
            land(10 * load_id + number, entity, row)
        dbt("run", *FACTS_AND_DAYS)
        for entity in ("products", "stores", "channels"):
            assert select(
                f"select {entity[:-1]}_id, is_deleted, active, is_inferred from marts.dim_{entity} where {entity[:-1]}_id > 0"
            ) == [(1, deleted, not deleted, False)]
        assert select("select customer_id, is_deleted from marts.dim_customers where customer_id > 0") == [
            (1, deleted)
        ]


AS_OF_ITS_DAY = """
    select sales.sale_code, customers.segment, products.unit_cost
    from marts.fact_sales as sales
    inner join marts.dim_customers_history as customers
        on sales.customer_id = customers.customer_id
        and sales.sale_date >= customers.valid_from
        and sales.sale_date < customers.valid_to
    inner join marts.dim_products_history as products
        on sales.product_id = products.product_id
        and sales.sale_date >= products.valid_from
        and sales.sale_date < products.valid_to
    order by sale_code
"""


def test_a_sale_has_the_segment_and_the_cost_of_its_day(dbt: Dbt) -> None:
    landed = [landing_rows.EPOCH + timedelta(days=day) for day in (0, 3, 6)]
    sold = [landed[0] - timedelta(days=90), landed[1] - timedelta(days=1), landed[1], landed[2]]
    member = {"customer_code": "C1", "product_code": "lamp"}
    sales = [{"sale_code": f"A{n}", "sold_at": when} | member for n, when in enumerate(sold)]
    land(1, "sales", *sales, {"sale_code": "B"}, loaded_at=landed[0])
    dbt("run", *FACTS_AND_DAYS)
    assert select(AS_OF_ITS_DAY) == [(f"A{n}", None, None) for n in range(4)] + [("B", None, None)]
    for load_id, (segment, cost) in enumerate([("new", 1), ("loyal", 2), ("loyal", 2), ("gold", 3)], start=1):
        when = landed[min(load_id, 3) - 1]
        land(10 * load_id, "customers", {"customer_code": "C1", "segment": segment}, loaded_at=when)
        land(10 * load_id + 1, "products", {"product_code": "lamp", "unit_cost": cost}, loaded_at=when)
        dbt("run", *FACTS_AND_DAYS)
    assert select(AS_OF_ITS_DAY) == [
        ("A0", "new", 1),
        ("A1", "new", 1),
        ("A2", "loyal", 2),
        ("A3", "gold", 3),  # of two versions of one day the last one holds
        ("B", None, None),
    ]
    assert select(
        "select metric_date, profit from metrics.metrics_products where product_id = 1 order by 1"
    ) == [(when.date(), 10 - cost) for when, cost in zip(sold, [1, 1, 2, 3], strict=True)]
    spans = "select valid_from, valid_to, is_current, segment from marts.dim_customers_history where customer_id = 1 order by 1"
    assert select(spans) == [
        (date(1, 1, 1), landed[1].date(), False, "new"),
        (landed[1].date(), landed[2].date(), False, "loyal"),
        (landed[2].date(), date(9999, 12, 31), True, "gold"),
    ]
    assert_equals_full_refresh(dbt)


# ------------------------------------------------------------------------------------ what a person must look at


def test_an_amount_that_differs_is_kept_and_listed(dbt: Dbt) -> None:
    row = {"quantity": 2, "unit_price": 5}
    land(
        1,
        "sales",
        row | {"sale_code": "off", "discount_amount": 1, "total_amount": Decimal("9.02")},
        row | {"sale_code": "a cent off", "total_amount": Decimal("10.01")},
        row | {"sale_code": "right", "total_amount": 10},
        {"sale_code": "no price", "total_amount": 10},
    )
    land(2, "products", *[{"product_code": code} for code in ("AB 1", "ab1", "AB2", "a\u00a0b\t1")])
    results = dbt("build", *OPS).results
    assert {r.node.name: r.status for r in results if r.status == "warn"} == {
        "amounts_are_quantity_times_price": "warn",
        "codes_differ_by_more_than_case_and_spaces": "warn",
    }
    assert select("select sale_code, total_amount, amount_difference from ops.amount_differences") == [
        ("off", Decimal("9.02"), Decimal("0.02"))
    ]
    assert metric("total_sales") == {DAY: Decimal("39.03")}
    assert select("select code from ops.suspect_codes order by id") == [("AB 1",), ("ab1",), ("a\u00a0b\t1",)]
    assert select("select count(*) from marts.dim_products where product_id > 0") == [(4,)]


def test_a_loss_fails_the_build_with_the_name_of_its_hop(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "sold_at": at(0)}, {"sale_code": "A2", "sold_at": at(1)})
    execute(  # into a table that none of these models knows
        "loader",
        "insert into ops.loads (load_id, source_name, feed_name, entity, source_file, state, rows_read,"
        " rows_accepted, rows_rejected, rows_new, started_at)"
        " values (0, 'desk', 'tickets', 'tickets', 'tickets.csv', 'loaded', 1, 1, 0, 1, now())",
    )
    dbt("build", *OPS)

    def failures(*arguments: str) -> str:
        with pytest.raises(AssertionError) as failed:
            dbt(*arguments)
        return str(failed.value)

    execute("transformer", "delete from marts.fact_sales where sale_code = 'A1'")
    dbt("build", *OPS)  # nothing landed, so nothing is looked at
    assert "metrics_daily_equals_facts" in failures("test", *OPS)  # which looks at everything
    land(2, "sales", {"sale_code": "A3", "sold_at": at(0)})
    assert "nothing_is_lost_from_staging_to_facts" in failures("build", *OPS)
    # What differed is looked at again until it agrees.
    assert "nothing_is_lost_from_staging_to_facts" in failures("build", *OPS)
    assert select("select entity, broken_hop from ops.reconciliation order by 1") == [
        ("interactions", None),
        ("sales", "staging → facts"),
    ]
    dbt("build", "--full-refresh", *OPS)

    land(3, "sales", {"sale_code": "A4", "sold_at": at(0)}, {"sale_code": "A5", "sold_at": at(0)})
    execute("loader", "delete from staging.sales where sale_code = 'A5'")
    assert "nothing_is_lost_from_source_to_staging" in failures("build", *OPS)
    execute(
        "loader",
        "update ops.loads set rows_new = 1, rows_accepted = 1, rows_read = 1, amount_new = 10 where load_id = 3",
    )
    dbt("build", *OPS)

    land(4, "sales", {"sale_code": "A6", "sold_at": at(0)})
    dbt("run", *OPS, "--exclude", "path:dbt_project/models/ops")
    for table, hop in (("metrics_daily", "total_sales"), ("metrics_products", "revenue")):
        execute("transformer", f"update metrics.{table} set {hop} = {hop} + 1 where metric_date = '{DAY}'")
        message = failures("build", "--select", "path:dbt_project/models/ops")
        assert f"nothing_is_lost_from_facts_to_{table}" in message
        execute("transformer", f"update metrics.{table} set {hop} = {hop} - 1 where metric_date = '{DAY}'")
    dbt("build", *OPS)


def test_sources_that_stopped_delivering_are_told(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1"})
    execute("loader", "update ops.loads set finished_at = now() - interval '25 hours'")
    with pytest.raises(AssertionError):  # the sale landed in 2024
        dbt("source", "freshness")
    execute("loader", "update staging.sales set loaded_at = now() - interval '1 hour'")
    results = dbt("source", "freshness").results
    told = {r.node.name: str(r.status) for r in results if r.node.resource_type == "source"}
    assert told == {"sales": "pass", "loads": "warn"}


# ------------------------------------------------------------------------------------------ time and money


def test_the_calendar_has_iso_weeks_fiscal_years_and_holidays(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "sold_at": datetime(2021, 1, 3)})
    land(2, "inventory", {"product_code": "lamp", "stock_date": date(2024, 12, 30)})
    dbt("run", *FACTS_AND_DAYS, "--vars", "{fiscal_year_start_month: 4, holiday_country: DE}", manifest=None)
    rows = select("select * from marts.dim_dates order by 1")
    names = [
        name
        for (name,) in select(
            "select column_name from information_schema.columns where table_schema = 'marts'"
            " and table_name = 'dim_dates' order by ordinal_position"
        )
    ]
    calendar = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    every_day = [
        date(2020, 1, 1) + timedelta(days=n) for n in range((date(2026, 1, 1) - date(2020, 1, 1)).days)
    ]
    assert list(calendar) == every_day
    for day, row in calendar.items():
        iso = day.isocalendar()
        assert (row["iso_year"], row["iso_week"], row["day_of_week"]) == (iso.year, iso.week, iso.weekday)
        assert row["week_start"] == day - timedelta(days=day.weekday())
        assert (row["month_name"], row["day_name"]) == (f"{day:%B}", f"{day:%A}")
        assert row["is_weekend"] == (day.weekday() >= 5)
        assert row["fiscal_year"] == day.year + (day.month >= 4)
        assert row["fiscal_month"] == (day.month - 4) % 12 + 1
        assert row["fiscal_quarter"] == (row["fiscal_month"] - 1) // 3 + 1
        assert row["quarter_start"] == date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        assert row["is_holiday"] == (row["holiday_name"] is not None)
    assert calendar[date(2024, 10, 3)]["holiday_name"] == "German Unity Day"
    assert calendar[date(2024, 3, 29)]["holiday_name"] == "Good Friday"
    assert not calendar[date(2024, 8, 26)]["is_holiday"]
    with pytest.raises(AssertionError, match="fiscal_year_start_month is a month, 1 to 12, not 13"):
        dbt("compile", "--vars", "{fiscal_year_start_month: 13}", manifest=None)
    with pytest.raises(AssertionError, match=r"no holidays are known of .* XX; known are AT, BE, DE"):
        dbt("compile", "--vars", "{holiday_country: XX}", manifest=None)


def test_a_day_ends_at_midnight_of_the_reporting_time_zone(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "sold_at": at(0, hour=23)})
    land(2, "interactions", {"interaction_code": "I1", "occurred_at": at(0, hour=23)})
    dbt("run", *FACTS_AND_DAYS, "--vars", "{reporting_timezone: Europe/Berlin}", manifest=None)
    assert select("select sale_date, sold_at from marts.fact_sales") == [(days(1)[0], at(0, hour=23))]
    assert select("select interaction_date from marts.fact_interactions") == [(at(1, hour=0),)]
    assert list(metric("total_sales")) == days(1)


def test_a_name_that_is_too_long_is_refused_and_not_cut(dbt: Dbt) -> None:
    land(1, "interactions", {"interaction_code": "I1"})
    dbt("run", *FACTS_AND_DAYS)
    land(2, "interactions", {"interaction_code": "I2", "interaction_type": "x" * 51})
    with pytest.raises(AssertionError, match="too long"):
        dbt("run", *FACTS_AND_DAYS)
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


def test_the_yaml_names_all_columns_in_their_order(models: Dbt) -> None:
    models("run", "--select", "config.materialized:view")  # a part that is built drops views of it
    nodes = [node for node in models.manifest.nodes.values() if node.resource_type == "model"]
    assert len(nodes) > 30
    for node in nodes:
        columns = select(
            "select column_name from information_schema.columns"
            f" where table_schema = '{node.schema}' and table_name = '{node.alias}' order by ordinal_position"
        )
        assert [name for (name,) in columns] == list(node.columns), node.name


def test_the_end_of_a_build_is_told_to_who_listens(dbt: Dbt) -> None:
    land(7, "sales", {"sale_code": "A1", "product_code": "lamp"})
    with closing(warehouse.connect("reader")) as connection:
        connection.set_session(autocommit=True)
        connection.cursor().execute("listen analytics_build")
        dbt("run", "--select", "stg_horizon")
        connection.poll()
        (told,) = connection.notifies
        connection.notifies.clear()
        dbt("test", "--select", "fact_sales")  # builds nothing
        connection.poll()
        assert connection.notifies == []
    ((load_id, models, is_whole, finished_at),) = select(
        "select load_id, models, is_whole, finished_at from ops.builds order by build_id desc limit 1"
    )
    assert (load_id, models, is_whole) == (7, 1, True)
    content = json.loads(told.payload)
    assert (content["load_id"], datetime.fromisoformat(content["built_at"])) == (load_id, finished_at)


WRITTEN = " union all ".join(
    f"select '{table}', max(cast(cast(xmin as text) as bigint)) from metrics.{table}"
    for table in ("metrics_stores", "metrics_products", "metrics_components", "metrics_values")
)


def test_a_build_with_nothing_new_computes_nothing_again(dbt: Dbt) -> None:
    """Also where the newest load is one of members, of which the metrics keep no row."""
    land(1, "sales", {"sale_code": "A1", "product_code": "lamp", "customer_code": "C1"})
    land(2, "products", {"product_code": "lamp", "category": "Light", "unit_cost": 4})
    land(3, "customers", {"customer_code": "C1", "segment": "Loyal"})
    dbt("run")
    assert select("select distinct load_id from ops.model_horizons") == [(3,)]
    written = select(WRITTEN)
    dbt("run")
    assert select(WRITTEN) == written
    land(
        4,
        "products",
        {"product_code": "lamp", "category": "Light", "unit_cost": 5},
        loaded_at=datetime(2020, 1, 1),
    )
    dbt("run")
    assert all(after > before for (_, before), (_, after) in zip(written, select(WRITTEN), strict=True))


def test_a_table_has_taken_in_no_more_than_its_parents_had(dbt: Dbt) -> None:
    land(1, "sales", {"sale_code": "A1", "product_code": "lamp"})
    dbt("run")
    land(2, "sales", {"sale_code": "A2", "product_code": "lamp"})
    land(3, "products", {"product_code": "lamp", "category": "Light", "unit_cost": 4})
    dbt("run", "--exclude", "fact_sales")
    models = "('fact_sales', 'dim_products_history', 'int_daily_movements', 'metrics_stores')"
    assert dict(select(f"select model, load_id from ops.model_horizons where model in {models}")) == {
        "fact_sales": 1,
        "dim_products_history": 3,
        "int_daily_movements": 3,
        "metrics_stores": 1,
    }
    dbt("run")
    assert_equals_full_refresh(dbt)
