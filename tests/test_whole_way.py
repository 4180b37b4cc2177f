"""The whole way as a user goes it: sources in, figures out, compared with truth that other programs computed."""

import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from dagster import AssetKey, DagsterInstance
from server_warehouse import served

from conftest import ROOT, SHARED_DATA, analytics, make_home, remove_home, select
from demo import planted
from demo.retailer import expected


def pdf_text(file: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is missing (Debian: poppler-utils)")
    return subprocess.run(
        ["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True
    ).stdout


def money(text: str) -> list[Decimal]:
    """The amounts of money in a text."""
    return [Decimal(found.replace(",", "")) for found in re.findall(r"£([\d,]+\.\d\d)", text)]


# --------------------------------------------------------------------------------------------------- the demo


def test_the_marts_equal_the_truth(demo_home: Path) -> None:
    truth = expected(demo_home)
    facts = "select count(*), sum(total_amount), sum(quantity) from marts.fact_sales"
    assert select(demo_home, facts) == [(truth.rows["sales"], truth.revenue, truth.units)]
    daily = "select metric_date, total_sales, total_transactions, new_customers from metrics.metrics_daily"
    found = {day: rest for day, *rest in select(demo_home, daily)}
    assert found == {
        day: [revenue, truth.transactions_by_day[day], truth.new_customers_by_day[day]]
        for day, revenue in truth.revenue_by_day.items()
    }
    products = "select sum(units_sold), sum(revenue), sum(profit) from metrics.metrics_products"
    assert select(demo_home, products) == [(truth.units, truth.revenue, truth.profit)]
    shops = "select store_code, sum(total_amount) from marts.fact_sales join marts.dim_stores using (store_id) group by 1"
    assert dict(select(demo_home, shops)) == truth.revenue_by_shop  # type: ignore[arg-type]


def test_no_dimension_member_had_to_be_inferred(demo_home: Path) -> None:
    for dimension in ("products", "customers", "stores", "channels"):
        rows = select(demo_home, f"select count(*) from marts.dim_{dimension} where is_inferred")
        assert (dimension, rows) == (dimension, [(0,)])


def test_the_reconciliation_shows_no_difference(demo_home: Path) -> None:
    rows = select(demo_home, "select * from ops.reconciliation")
    assert rows
    names = [name for (name,) in select(
        demo_home,
        "select column_name from information_schema.columns where table_schema = 'ops'"
        " and table_name = 'reconciliation' order by ordinal_position",
    )]  # fmt: skip
    for row in rows:
        differences = [v for n, v in zip(names, row, strict=True) if "difference" in str(n) and v is not None]
        assert differences
        assert not any(differences), dict(zip(names, row, strict=True))


def test_the_report_shows_what_sql_says(demo_home: Path) -> None:
    (folder,) = (demo_home / "reports" / "daily").iterdir()
    day = folder.name
    text = pdf_text(folder / "daily.pdf")
    ((sales, transactions, value, customers, new),) = select(
        demo_home,
        "select total_sales, total_transactions, avg_transaction_value, total_customers, new_customers"
        f" from metrics.metrics_daily where metric_date = '{day}'",
    )
    amounts = money(text)
    assert sales in amounts
    assert value in amounts
    for count, label in ((transactions, "Transactions"), (customers, "Customers"), (new, "New customers")):
        assert re.search(rf"^\s*{label}\s+{count}\b", text, re.MULTILINE), f"{label} {count}"
    assert sum(amount == expected(demo_home).revenue for amount in amounts) >= 1, "the reconciled total"


def test_the_daily_report_was_mailed_with_the_figures_of_sql(demo_home: Path) -> None:
    (file,) = (demo_home / "demo" / "mail").glob("daily-sales-report-*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    ((day, sales),) = select(
        demo_home,
        "select metric_date, total_sales from metrics.metrics_daily order by metric_date desc limit 1",
    )
    body = mail.get_body(("plain",))
    assert body
    assert f"Sales          £{sales:,.2f}" in body.get_content()
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        f"daily-{day}.pdf",
        f"daily-{day}.xlsx",
    ]
    sent = select(demo_home, "select recipient, state from ops.deliveries where report = 'daily'")
    assert sent == [("ann@example.com", "sent")]
    with DagsterInstance.from_config(str(demo_home / "dagster")) as instance:
        event = instance.get_latest_materialization_event(AssetKey(["reports", "daily"]))
    assert event
    assert event.asset_materialization
    assert event.asset_materialization.metadata["delivery"].value == "1 sent"
    (rejected,) = (demo_home / "demo" / "mail").glob("*rows-of-shop-sales-rejected-to-shop-desk.eml")
    assert b"rejects-shop.sales.xlsx" in rejected.read_bytes()


def test_the_server_answers_with_the_truth(demo_home: Path) -> None:
    truth = expected(demo_home)
    with served(demo_home) as server:
        state = server.json("/api/v1/health")
        ((load_id, finished_at),) = select(demo_home, "select load_id, finished_at from ops.builds")
        assert (state["load_id"], datetime.fromisoformat(state["built_at"])) == (load_id, finished_at)
        sales = server.json("/api/v1/metrics/total_sales")
        assert (sales["label"], sales["unit"]) == ("Total sales", "money")
        found = {date.fromisoformat(row["period"]): round(Decimal(row["value"]), 2) for row in sales["rows"]}
        assert found == truth.revenue_by_day
        by_store = server.json("/api/v1/metrics/total_sales?grain=fiscal_year&by=store")["rows"]
        assert round(sum(Decimal(row["value"]) for row in by_store), 2) == truth.revenue
        body = server.get("/api/v1/export/fact_sales.parquet?columns=total_amount,quantity").content
        table = pq.read_table(io.BytesIO(body))
        assert (table.num_rows, pc.sum(table["total_amount"]).as_py()) == (truth.rows["sales"], truth.revenue)
        tables = {table["name"]: table for table in server.json("/api/v1/tables")["tables"]}
        assert {"dim_customers_history", "metrics_values", "metrics_daily", "dim_dates"} <= set(tables)
        assert tables["fact_sales"]["description"].startswith("Sale lines as they stand now")
        for name in tables:
            assert server.json(f"/api/v1/tables/{name}?limit=1")["rows"], name


def test_what_was_planted_is_in_the_marts(demo_home: Path) -> None:
    outage = select(
        demo_home,
        f"select total_sales, total_transactions from metrics.metrics_daily where metric_date = '{planted.OUTAGE_DAY}'",
    )
    assert outage == [(0, 0)]
    assert select(demo_home, "select count(*) from ops.rejected_rows") == [(37,)]


def test_the_demo_names_what_it_built_and_a_second_run_changes_no_figure(demo_home: Path) -> None:
    figures = (
        "select md5(string_agg(t::text, '|' order by t.sale_id)) from marts.fact_sales as t",
        "select md5(string_agg(t::text, '|' order by t.metric_date)) from metrics.metrics_daily as t",
        "select md5(string_agg(t::text, '|' order by t.metric_date, t.product_id)) from metrics.metrics_products as t",
        "select md5(string_agg(t::text, '|' order by t.customer_id)) from marts.dim_customers as t",
        "select count(*) from ops.loads",
        "select count(*) from ops.rejected_rows",
    )
    before = [select(demo_home, sql) for sql in figures]
    done = analytics("demo", home=demo_home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [select(demo_home, sql) for sql in figures] == before
    for built in ("daily.pdf", "daily.html", "daily.xlsx", "dashboard.html", "analytics sql", "make dev"):
        assert built in done.stdout
    for path in re.findall(r"\S+/(?:daily|dashboard)\.\w+", done.stdout):
        assert (ROOT / path).is_file()


# ------------------------------------------------------------------------------------------ nine real days


REAL_SOURCES = """\
sources:
  online_shop:
    kind: csv
    path: {folder}/*.csv
    timezone: Europe/London
    feeds:
      sales:
        key: [sale_code]
        columns:
          sale_code: "regexp_extract(_file, '([^/]+)[.]csv$', 1) || '-' || _line"
          transaction_code: InvoiceNo
          product_code: StockCode
          customer_code: "regexp_replace(CustomerID, '[.]0$', '')"
          sold_at: "strptime(InvoiceDate, '%Y-%m-%d %H:%M:%S')"
          quantity: Quantity
          unit_price: UnitPrice
      products:
        key: [product_code]
        columns: {{product_code: StockCode, product_name: Description}}
"""


@pytest.fixture(scope="module")
def real_home() -> Iterator[Path]:
    data = SHARED_DATA / "online_retail_dec2010"
    if not data.is_dir():
        pytest.skip(f"the real files are not here: {data}")
    home = make_home()
    sources = home / "sources.yml"
    sources.write_text(REAL_SOURCES.format(folder=data))
    done = analytics("run", home=home, ANALYTICS_SOURCES=str(sources))
    assert done.returncode == 0, done.stdout + done.stderr
    yield home
    remove_home(home)


def test_nine_real_days_equal_their_truth(real_home: Path) -> None:
    data = SHARED_DATA / "online_retail_dec2010"
    truth = json.loads((data / "truth.json").read_text())["variants"]["all_rows"]
    revenue = Decimal(truth["total_revenue_exact"])
    sums = select(
        real_home,
        "select count(*), sum(total_amount), sum(quantity), count(distinct transaction_code),"
        " count(distinct customer_id) filter (where customer_id <> 0),"
        " count(*) filter (where customer_id = 0), count(distinct product_id),"
        " min(sale_date)::text, max(sale_date)::text from marts.fact_sales",
    )
    assert sums == [
        (
            truth["total_rows"], revenue, int(truth["total_quantity"]), truth["distinct_sale_ids"],
            truth["distinct_customers"], truth["rows_without_customer"], truth["distinct_products"],
            truth["date_min"], truth["date_max"],
        )
    ]  # fmt: skip
    daily = "select sum(total_sales), sum(new_customers) from metrics.metrics_daily"
    assert select(real_home, daily) == [(revenue, truth["new_customers_by_month"]["2010-12"])]
    for column, best in (
        ("revenue", "top5_products_by_revenue"),
        ("units_sold", "top5_products_by_quantity"),
    ):
        found = select(
            real_home,
            f"select product_code, sum({column}) from metrics.metrics_products join marts.dim_products"
            ' using (product_id) group by product_code order by 2 desc, product_code collate "C" limit 5',
        )
        assert found == [(product["product_id"], Decimal(product["value"])) for product in truth[best]]
    assert select(real_home, "select count(*) from ops.rejected_rows") == [(0,)]


def test_the_daily_report_of_a_real_day_shows_the_truth(real_home: Path) -> None:
    truth = json.loads((SHARED_DATA / "online_retail_dec2010" / "truth.json").read_text())["variants"][
        "all_rows"
    ]
    (folder,) = (real_home / "reports" / "daily").iterdir()
    assert folder.name == truth["date_max"]
    text = pdf_text(folder / "daily.pdf")
    ((sales, customers),) = select(
        real_home, "select sum(total_amount), count(distinct customer_id) filter (where customer_id <> 0)"
        " from marts.fact_sales where sale_date = '2010-12-09'",
    )  # fmt: skip
    assert sales in money(text)
    assert re.search(rf"^\s*Customers\s+{customers}\b", text, re.MULTILINE)
    holds = rf"holds\s+{truth['total_rows']:,}\s+sale\s+lines\s+of\s+{truth['distinct_customers']}\s+known\s+customers"
    assert re.search(holds, text)
    assert Decimal(truth["total_revenue_exact"]) in money(text)


def test_every_fact_leads_back_to_its_line(real_home: Path) -> None:
    rows = select(
        real_home,
        "select source_file, source_line, transaction_code, quantity, unit_price from marts.fact_sales"
        " order by md5(sale_code) limit 200",
    )
    for file, line, invoice, quantity, price in rows:
        cells = (ROOT / str(file)).read_text().splitlines()[int(str(line)) - 1].split(",")
        assert (cells[0], cells[-5]) == (invoice, str(quantity))
        assert Decimal(cells[-3]) == price
