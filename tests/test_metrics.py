"""Metrics on a real Postgres: the semantic layer and its values for every grain, beside pandas, MetricFlow and the
other tables of metrics. That increments equal a full refresh is shown in test_models_identity.py."""

import html
import logging
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import landing_rows
import pandas as pd
import pytest
import yaml
from landing_rows import land
from models_project import Dbt, clear_models, select
from openpyxl import load_workbook
from server_warehouse import served

from conftest import ROOT
from ingest import warehouse
from reports import figures, metrics, registry
from reports.delivery import findings
from reports.period import parse
from reports.render import Rendered, render_report
from reports.template import new_report
from transform import metric_docs

GRAINS = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "fiscal_year": "Y"}
# The day on which another cost of the product P1 landed.
NEW_COST = date(2024, 3, 9)
# The day on which every reader of metrics is asked for each.
SHOWN = date(2024, 3, 7)


def at(day: int, hour: int = 12) -> datetime:
    """An hour (UTC) of a day, counted from the first one."""
    return datetime(2024, 3, 1) + timedelta(days=day, hours=hour)


def frame(sql: str) -> pd.DataFrame:
    """The rows of a query."""
    with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])


def values(metric: str, grain: str, dimension: str = "total") -> dict[Any, float]:
    """A metric's values: by period, or by period and dimension value."""
    rows = frame(
        f"""
        select period, dimension_value, value from metrics.metrics_values
        where metric = '{metric}' and grain = '{grain}' and dimension = '{dimension}'
        """
    )
    return {
        (row.period if dimension == "total" else (row.period, row.dimension_value)): row.value
        for row in rows.itertuples()
    }


# -------------------------------------------------------------------------------- values


@pytest.fixture(scope="module")
def landed(models: Dbt) -> pd.DataFrame:
    """Sale lines that landed at random and were built, as a frame with what the metrics are made of."""
    landing_rows.clear()
    clear_models()
    choice = random.Random(77)

    def code(prefix: str, count: int) -> str | None:
        return None if choice.random() < 0.1 else f"{prefix}{choice.randrange(count)}"

    def sale(number: int) -> dict[str, Any]:
        return {
            "sale_code": f"A{number}",
            "transaction_code": f"T{choice.randrange(60)}",
            "product_code": code("P", 6),
            "customer_code": code("C", 8),
            "store_code": code("S", 3),
            "channel_code": code("H", 3),
            "sold_at": at(choice.randrange(12), choice.randrange(24)),
            "quantity": choice.randrange(-2, 5),
            "total_amount": Decimal(choice.randrange(-5000, 20000)) / 100,
        }

    land(1, "sales", *map(sale, range(150)))
    land(2, "sales", *map(sale, range(60)), source="web")
    land(
        3,
        "interactions",
        *(
            {
                "interaction_code": f"I{number}",
                "customer_code": code("C", 8),
                "channel_code": code("H", 3),
                "occurred_at": at(choice.randrange(12)),
                "duration": choice.choice([None, number * 7]),
            }
            for number in range(40)
        ),
    )
    land(4, "customers", *({"customer_code": f"C{n}", "segment": "ab"[n % 2]} for n in range(7)))
    land(5, "stores", *({"store_code": f"S{n}", "store_name": f"Store {n}"} for n in range(3)))
    land(6, "channels", *({"channel_code": f"H{n}", "channel_name": f"Channel {n}"} for n in range(3)))
    products = [{"product_code": f"P{n}", "category": f"Kind {n % 2}", "unit_cost": 3} for n in range(3)]
    land(7, "products", *products, loaded_at=datetime(2024, 3, 2))
    land(8, "products", products[1] | {"unit_cost": 5}, loaded_at=datetime(2024, 3, 9, 7))
    for number, day in enumerate((25, 60, 61, 200, 366, 420)):
        codes = {"customer_code": f"C{number % 3}", "product_code": "P1", "store_code": "S1"}
        land(100 + number, "sales", codes | {"sale_code": f"B{number}", "sold_at": at(day)})
    models("run")
    lines = frame(
        """
        select
            sales.*, products.product_code, products.unit_cost, products.category, stores.store_name, channels.channel_name, segment
        from marts.fact_sales as sales
        join marts.dim_products as products using (product_id)
        join marts.dim_stores as stores using (store_id)
        join marts.dim_channels as channels using (channel_id)
        join marts.dim_customers as customers using (customer_id)
        """
    )
    numbers = ["total_amount", "unit_cost"]
    lines[numbers] = lines[numbers].astype(float)
    lines["sale_date"] = pd.to_datetime(lines.sale_date)
    lines.loc[(lines.product_code == "P1") & (lines.sale_date < pd.Timestamp(NEW_COST)), "unit_cost"] = 3
    lines["profit"] = lines.total_amount - lines.quantity * lines.unit_cost
    lines["ticket"] = lines.source_name + ":" + lines.transaction_code + ":" + lines.sale_date.astype(str)
    known = lines[lines.customer_id != 0]
    lines["customer"] = lines.customer_id.where(lines.customer_id != 0)
    first = known.groupby("customer_id").sale_date.min()
    lines["new"] = lines.customer.where(lines.sale_date == lines.customer_id.map(first))
    return lines


def measured(lines: pd.DataFrame, by: list[Any]) -> pd.DataFrame:
    """The metrics of sales by pandas."""
    with_cost = lines[lines.profit.notna()]
    groups = lines.groupby(by)
    result = pd.DataFrame(
        {
            "total_sales": groups.total_amount.sum(),
            "revenue": groups.total_amount.sum(),
            "units_sold": groups.quantity.sum(),
            "profit": groups.profit.sum(),
            "total_transactions": groups.ticket.nunique(),
            "total_customers": groups.customer.nunique(),
            "new_customers": groups.new.nunique(),
            "largest_sale": groups.total_amount.max(),
        }
    )
    result["revenue_with_cost"] = with_cost.groupby(by).total_amount.sum()
    result["revenue_with_cost"] = result.revenue_with_cost.fillna(0)
    result["avg_transaction_value"] = result.total_sales / result.total_transactions
    result["basket_size"] = result.units_sold / result.total_transactions
    result["repeat_customers"] = result.total_customers - result.new_customers
    return result.astype(float)


@pytest.mark.parametrize("grain", GRAINS)
def test_values_are_those_of_pandas_for_every_grain(landed: pd.DataFrame, grain: str) -> None:
    period = landed.sale_date.dt.to_period(GRAINS[grain]).dt.start_time.dt.date
    expected = measured(landed.assign(period=period), ["period"])
    for metric in expected:
        found = values(metric, grain)
        for when, value in expected[metric].dropna().items():
            assert found.get(when) == pytest.approx(value, rel=1e-9), (metric, when)
    # In a period without a sale there are zeros where there is something to count, else nothing.
    gaps = set(values("total_sales", grain)) - set(expected.index)
    assert {values("total_sales", grain)[when] for when in gaps} <= {0}
    assert not gaps & (set(values("largest_sale", grain)) | set(values("avg_transaction_value", grain)))


@pytest.mark.parametrize(
    ("column", "dimension"),
    [
        ("store_name", "store__store_name"),
        ("channel_name", "channel__channel_name"),
        ("segment", "customer__segment"),
    ],
)
def test_values_of_dimensions_are_those_of_pandas(landed: pd.DataFrame, column: str, dimension: str) -> None:
    members = landed.assign(
        member=landed[column].fillna("unknown"),
        period=landed.sale_date.dt.to_period("M").dt.start_time.dt.date,
    )
    expected = measured(members, ["period", "member"])
    for metric in ("total_sales", "total_transactions", "total_customers", "new_customers", "basket_size"):
        found = values(metric, "month", dimension)
        wanted = expected[metric].dropna().to_dict()
        assert wanted == pytest.approx({key: found.pop(key, None) for key in wanted}, rel=1e-9), metric
        assert set(found.values()) <= {0.0}, metric  # a contact, but no sale


def test_values_of_days_are_those_of_the_tables_of_days(landed: pd.DataFrame) -> None:
    """metrics_daily and metrics_products are computed apart from the semantic layer, by another way."""
    for metric in ("total_sales", "total_transactions", "total_customers", "new_customers"):
        rows = select(f"select metric_date, cast({metric} as double precision) from metrics.metrics_daily")
        assert values(metric, "day") == dict(rows), metric
    for metric in ("units_sold", "revenue", "profit"):
        rows = select(
            f"""
            select metric_date, cast(sum({metric}) as double precision) from metrics.metrics_products
            where metric_date in (select sale_date from marts.fact_sales)
            group by metric_date
            """
        )
        found = values(metric, "day")
        assert {day: found[day] for day, _ in rows} == {day: value or 0 for day, value in rows}, metric
    averages = select(
        "select metric_date, avg_transaction_value from metrics.metrics_daily where total_transactions > 0"
    )
    rounded = {day: round(value, 2) for day, value in values("avg_transaction_value", "day").items()}
    assert rounded == pytest.approx({day: float(value) for day, value in averages}, abs=0.0101)


def test_values_of_stores_and_channels_are_those_of_their_tables(landed: pd.DataFrame) -> None:
    for metric, column in (("revenue", "revenue"), ("total_transactions", "total_transactions")):
        rows = select(
            f"""
            select metric_date, coalesce(store_name, 'unknown'), cast(days.{column} as double precision)
            from metrics.metrics_stores as days join marts.dim_stores using (store_id)
            """
        )
        expected = {(day, store): value for day, store, value in rows}
        assert {
            key: v for key, v in values(metric, "day", "store__store_name").items() if v or key in expected
        } == expected
    rows = select(
        """
        select metric_date, coalesce(channel_name, 'unknown'), cast(total_interactions as double precision)
        from metrics.metrics_interactions join marts.dim_channels using (channel_id)
        """
    )
    expected = {(day, channel): value for day, channel, value in rows}
    found = values("interactions", "day", "channel__channel_name")
    assert {key: value for key, value in found.items() if value or key in expected} == expected


def test_a_view_of_metrics_has_its_key(landed: pd.DataFrame) -> None:
    """Of a table the database enforces it."""
    for view, key in {
        "metrics_sale_lines": "sale_id",
        "metrics_comparisons": "metric, dimension, dimension_value, grain, period",
    }.items():
        source = {"metrics_sale_lines": "marts.fact_sales"}.get(view, "metrics.metrics_values")
        ((rows, keys, expected),) = select(
            f"select count(*), count(distinct ({key})), (select count(*) from {source}) from metrics.{view}"
        )
        assert rows == keys == expected > 100, view


def test_cumulative_metrics_run_over_days(landed: pd.DataFrame) -> None:
    days = pd.date_range(landed.sale_date.min(), landed.sale_date.max())
    daily = landed.groupby("sale_date").total_amount.sum().reindex(days, fill_value=0.0)
    window = daily.rolling(28, min_periods=1).sum()
    to_date = daily.groupby(daily.index.year).cumsum()
    for metric, series in (("revenue_28_days", window), ("revenue_year_to_date", to_date)):
        for grain, frequency in GRAINS.items():
            last = series.groupby(series.index.to_period(frequency)).last()
            expected = {period.start_time.date(): value for period, value in last.items()}
            assert values(metric, grain) == pytest.approx(expected, rel=1e-9, abs=1e-9), (metric, grain)


def test_mf_query_answers_what_metrics_values_holds(models: Dbt, landed: pd.DataFrame) -> None:
    """Every metric by MetricFlow's own SQL, in all and by the dimensions it is kept by."""
    from dbt.adapters.factory import get_adapter_by_type
    from dbt.contracts.graph.semantic_manifest import SemanticManifest
    from dbt_metricflow.cli.dbt_connectors.adapter_backed_client import AdapterBackedSqlClient
    from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    logging.getLogger("metricflow").setLevel(logging.ERROR)
    manifest = SemanticManifest(models.manifest)._get_pydantic_semantic_manifest()
    lookup = SemanticManifestLookup(parse_manifest_from_dbt_generated_manifest(manifest.json()))
    engine = MetricFlowEngine(lookup, AdapterBackedSqlClient(get_adapter_by_type("postgres")))
    metrics = list(models.manifest.metrics.values())
    assert len(metrics) > 20
    for metric in metrics:
        for dimension in ["total", *metric.config.meta.get("by", [])]:
            names = ["metric_time__month"] + ([dimension] if dimension != "total" else [])
            answer = engine.query(
                MetricFlowQueryRequest.create(metric_names=[metric.name], group_by_names=names)
            ).result_df
            assert answer is not None
            found = {}
            for row in answer.rows:
                when, *member, value = row
                if value is not None and when is not None:
                    key = when.date() if dimension == "total" else (when.date(), member[0] or "unknown")
                    found[key] = float(value)
            ours = values(metric.name, "month", dimension)
            # MetricFlow fills the whole time spine; beyond the first and last row of a model we say nothing.
            extra = {key: value for key, value in found.items() if key not in ours}
            assert set(extra.values()) <= {0.0}, (metric.name, dimension)
            missing = set(ours) - set(found)
            assert {ours[key] for key in missing} <= {0.0}, (metric.name, dimension)
            both = {key: value for key, value in ours.items() if key in found}
            assert both, metric.name
            assert both == pytest.approx({key: found[key] for key in both}, rel=1e-9), (
                metric.name,
                dimension,
            )


# ------------------------------------------------------------------------------- custom metrics


@pytest.mark.unit
def test_the_page_of_metrics_is_that_of_the_yaml() -> None:
    assert metric_docs.PAGE.read_text() == metric_docs.render(), "make docs"


def with_metric(models: Dbt, folder: Path, yaml: str) -> Dbt:
    """The project with one more metric in YAML and nothing else, on the same warehouse."""
    project = folder / "project"
    project.mkdir()
    shutil.copy(ROOT / "dbt_project.yml", project)
    shutil.copytree(ROOT / "dbt_project", project / "dbt_project")
    (project / "dbt_project" / "models" / "metrics" / "custom.yml").write_text(f"metrics:\n{yaml}")
    dbt = object.__new__(Dbt)
    dbt.folders = ["--project-dir", str(project), *models.folders[2:]]
    dbt.manifest = dbt("parse", manifest=None)
    return dbt


def test_a_metric_added_in_yaml_alone_is_in_metrics_values_after_the_next_build(
    models: Dbt, landed: pd.DataFrame, tmp_path: Path
) -> None:
    example = (
        metric_docs.HEAD.split("```yaml\nmetrics:\n")[1].split("```")[0].replace("Web shop", "Channel 1")
    )
    # What is no number is no value.
    example += (
        "  - {name: odd, label: Odd, description: Now and then no number., type: derived,"
        " expr: \"case when largest < 100 then largest else cast('NaN' as double precision) end\","
        " input_metrics: [{name: largest_sale, alias: largest}]}\n"
    )
    before = values("revenue", "day")
    custom = with_metric(models, tmp_path, example)
    custom("run", "--select", "metrics_components", "metrics_values")
    found = values("web_margin_per_new_customer", "month")
    month = landed.sale_date.dt.to_period("M").dt.start_time.dt.date
    profit = landed[landed.channel_name == "Channel 1"].groupby(month).profit.sum()
    new = landed.groupby(month).new.nunique()
    expected = {when: profit.get(when, 0.0) / count for when, count in new.items() if count}
    assert expected
    assert found == pytest.approx(expected, rel=1e-9)
    assert values("revenue", "day") == before
    largest = values("largest_sale", "day")
    assert values("odd", "day") == {day: value for day, value in largest.items() if value < 100}
    assert 0 < len(values("odd", "day")) < len(largest)
    # An increment that finds nothing new writes nothing.
    results = custom("run", "--select", "metrics_components", "metrics_values").results
    built = [result.message for result in results if result.node.resource_type == "model"]
    assert built == ["INSERT 0 0"] * 2
    # Without its YAML it goes.
    models("run", "--select", "metrics_components", "metrics_values")
    assert not values("web_margin_per_new_customer", "month")


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        (
            "  - {name: odd, label: O, description: d, type: derived, expr: revenue - before,"
            " input_metrics: [revenue, {name: revenue, alias: before, offset_window: 1 month}]}\n",
            "The metric odd compares with an offset",
        ),
        (
            "  - {name: odd, label: O, description: d, type: cumulative, input_metric: total_customers}\n",
            "The metric odd accumulates total_customers, which is no sum or count",
        ),
        (
            "  - {name: odd, label: O, description: d, type: ratio, numerator: revenue, denominator: units_sold,"
            " config: {meta: {by: [supplier__name]}}}\n",
            "The metric odd names the dimension 'supplier__name', which sale_lines does not reach",
        ),
    ],
)
def test_a_metric_that_cannot_be_kept_by_day_stops_the_build_by_name(
    models: Dbt, tmp_path: Path, yaml: str, message: str
) -> None:
    with pytest.raises(AssertionError, match=re.escape(message)):
        with_metric(models, tmp_path, yaml)("run", "--select", "metrics_components")


# ----------------------------------------------------------------------------------- the same for all readers


def test_headline_figures_of_reports_are_the_values_of_their_metrics(landed: pd.DataFrame) -> None:
    for text in ("2024-03-04", "2024-W10", "2024-03", "2024-Q1", "2024"):
        period = parse(text)
        for measure, (found,) in zip(figures.MEASURES, figures.measures([period]), strict=True):
            expected = metrics.value(metrics.find(measure.column), period)
            assert expected is not None, (measure.column, text)
            assert found == pytest.approx(expected, rel=1e-9), (measure.column, text)


@pytest.mark.parametrize(
    ("part", "member"),
    [("store", "Store 1"), ("category", "Kind 1"), ("channel", "Channel 1"), ("segment", "a")],
)
def test_figures_of_a_part_of_the_business_are_the_values_of_its_member(
    landed: pd.DataFrame, part: str, member: str
) -> None:
    """Profit too, although the cost of a product changed within the month."""
    period, only = parse("2024-03"), figures.Filters(**{part: member})
    compared = []
    for measure, (found,) in zip(figures.MEASURES, figures.measures([period], only), strict=True):
        metric = metrics.find(measure.column)
        if metrics.DIMENSIONS[part] in metric.dimensions:
            assert found == pytest.approx(metrics.value(metric, period, only), rel=1e-9), metric.name
            compared.append(metric.name)
    assert {"total_sales", "units_sold", "profit"} <= set(compared)


@pytest.fixture(scope="module")
def named(landed: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rendered]:
    """The report of one day by an exposure that names every metric, and does nothing else."""
    exposures = tmp_path_factory.mktemp("exposures") / "exposures.yml"
    exposures.write_text(registry.EXPOSURES.read_text())
    document, _ = new_report("every_metric", "daily", exposures)
    entries = yaml.safe_load(exposures.read_text())
    (entry,) = (entry for entry in entries["exposures"] if entry["name"] == "every_metric")
    entry["config"]["meta"]["metrics"] = list(metrics.known())
    exposures.write_text(yaml.safe_dump(entries))
    # The document's cells run in a process of their own, which looks for the exposure too.
    here = (
        "from pathlib import Path\n\nfrom reports import registry\n\n"
        f'registry.find.__defaults__ = (Path("{exposures}"),)\n'
    )
    text = document.read_text()
    document.write_text(text.replace("from reports.blocks", f"{here}from reports.blocks", 1))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry.find, "__defaults__", (exposures,))
            yield render_report("every_metric", parameters={"period": f"{SHOWN}"})
    finally:
        document.unlink()


def in_tiles(made: Rendered) -> dict[str, str]:
    page = made.paths["html"].read_text()
    found = re.findall(
        r'class="tile-label"[^>]*>(.*?)</span>.*?class="tile-value"[^>]*>(.*?)</span>', page, re.S
    )
    return {html.unescape(label): html.unescape(value) for label, value in found}


def in_pdf(made: Rendered) -> dict[str, str]:
    text = subprocess.run(
        ["pdftotext", "-layout", made.paths["pdf"], "-"], capture_output=True, text=True, check=True
    ).stdout
    rows = re.findall(r"^ *(\S.*?) {2,}(\S+)", text, re.MULTILINE)
    return dict(rows)


def in_workbook(made: Rendered) -> dict[str, float]:
    """As numbers; a duration in seconds."""
    sheet = load_workbook(made.paths["xlsx"], data_only=True)["Summary"]
    rows = {row[0]: row[1] for row in sheet.iter_rows(min_row=5, values_only=True)}
    return {
        label: value.total_seconds() if isinstance(value, timedelta) else value
        for label, value in rows.items()
    }


def in_alerts(folder: Path) -> dict[str, str]:
    """What is told on the day after, were every metric bound to be lower than it can be."""
    models = folder / "models"
    shutil.copytree(metrics.MODELS, models, ignore=shutil.ignore_patterns("*.sql"))
    for file in models.rglob("*.yml"):
        content = yaml.safe_load(file.read_text()) or {}
        owners = [content, *content.get("models", ())]
        for definition in (metric for owner in owners for metric in owner.get("metrics", ())):
            meta = definition.setdefault("config", {}).setdefault("meta", {})
            meta["alert"] = {"above": -1e9}
        file.write_text(yaml.safe_dump(content))
    told = findings.all_findings(findings.Meta(models), datetime(2024, 3, 8, tzinfo=UTC))
    said = [
        re.fullmatch(r"(.*) is above \S+ – Thu 7 Mar 2024: (\S+)", f"{f.title} – {f.detail}") for f in told
    ]
    return dict(found.groups() for found in said if found)


def in_api() -> dict[str, float]:
    """As a client of a server gets them, by name."""
    with served(warehouse.home()) as server:
        answers = [server.json(f"/api/v1/metrics/{name}?from={SHOWN}&to={SHOWN}") for name in metrics.known()]
    return {answer["metric"]: answer["rows"][0]["value"] for answer in answers}


def test_each_metric_is_the_same_in_tile_pdf_workbook_alert_and_api(named: Rendered, tmp_path: Path) -> None:
    """By its label, in each."""
    tiles, pdf, workbook, alerts = in_tiles(named), in_pdf(named), in_workbook(named), in_alerts(tmp_path)
    api = in_api()
    assert len(metrics.known()) > 20
    for metric in metrics.known().values():
        value = values(metric.name, "day")[SHOWN]
        assert workbook[metric.label] == pytest.approx(value, rel=1e-12), metric.name
        assert api[metric.name] == pytest.approx(value, rel=1e-12), metric.name
        shown = tiles[metric.label]
        assert shown == written(value, metric.unit), metric.name
        assert pdf[metric.label] == shown, metric.name
        assert alerts[metric.label] == shown, metric.name


def written(value: float, unit: str) -> str:
    """A value as people read it, put together without reports/notation.py."""
    match unit:
        case "money":
            return f"{'−' if value < 0 else ''}£{abs(value):,.2f}"
        case "share":
            return f"{value:.1%}".replace("-", "−")
        case "seconds":
            return f"{round(value) // 60}:{round(value) % 60:02d}"
    return (f"{value:,.0f}" if value == int(value) else f"{value:,.1f}").replace("-", "−")
