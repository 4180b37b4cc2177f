"""Statistics, trends, anomalies and drivers beside pandas, scipy and statsmodels, on the demo and on drawn data."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api as sm
from models_project import Dbt, execute, project

from conftest import select
from ingest import warehouse

DAY = date(2025, 1, 1)


def frame(home: Path, sql: str) -> pd.DataFrame:
    """A query on the demo; columns are those named in its select."""
    names = [
        column.strip().split()[-1]
        for column in sql.split("from", maxsplit=1)[0].replace("select", "").split(",")
    ]
    return pd.DataFrame(select(home, sql), columns=names)


@pytest.fixture(scope="module")
def daily(demo_home: Path) -> pd.DataFrame:
    """All daily values of the demo."""
    return frame(
        demo_home,
        "select metric, dimension, dimension_value, period, value from metrics.metrics_values where grain = 'day'",
    )


@pytest.fixture(scope="module")
def drawn() -> Iterator[Dbt]:
    """A warehouse whose metrics_values is drawn by the test."""
    with project() as dbt:
        execute(
            "transformer",
            "create schema if not exists metrics; create table metrics.metrics_values (metric text, grain text,"
            " period date, period_end date, dimension text, dimension_value text, value double precision,"
            " definition text, load_id bigint)",
        )
        yield dbt


SERIES: dict[str, list[float | None]] = {
    "trending": [10 + 0.3 * n + (n % 7) ** 2 + ((n * 7919) % 13) for n in range(120)],
    "with_gaps": [None if n % 5 == 0 else float((n * 31) % 17) for n in range(100)],
    "ties": [float(n % 2) for n in range(60)],
    "constant": [4.0] * 90,
    "constant_share": [0.1] * 90,
    "on_a_line": [2.0 * n for n in range(90)],
    "one_row": [3.5],
    "two_rows": [1.0, 2.0],
    "negative": [-5.0 - n for n in range(40)],
    "tiny_share": [1e-9 * (1 + (n * 37) % 11) for n in range(95)],
    "large": [1e12 + (n * 997) % 101 for n in range(95)],
    "eight_days": [1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 3.0, 6.0],
}


@pytest.fixture(scope="module")
def drawn_values(drawn: Dbt) -> pd.DataFrame:
    """Series with trends, gaps, ties, one row; built into statistics and trends."""
    rows = [
        (name, DAY + timedelta(days=n), value)
        for name, values in SERIES.items()
        for n, value in enumerate(values)
        if value is not None
    ]
    fill_values(rows)
    drawn("run", "--select", "metrics_statistics", "metrics_trends")
    table = pd.DataFrame(rows, columns=["metric", "period", "value"])
    return table.assign(dimension="total", dimension_value="total")


def fill_values(rows: list[tuple[str, date, float]]) -> None:
    with closing(warehouse.connect("transformer")) as connection, connection, connection.cursor() as cursor:
        cursor.execute("truncate metrics.metrics_values")
        for row in rows:
            cursor.execute(
                "insert into metrics.metrics_values values (%s, 'day', %s, %s, 'total', 'total', %s, 'd', 1)",
                (row[0], row[1], row[1], row[2]),
            )


def query(sql: str) -> pd.DataFrame:
    with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])


# ---------------------------------------------------------------------------- statistics


def statistics_of(values: pd.Series) -> dict[str, float]:
    mean, deviation = values.mean(), values.std()
    return {
        "observations": len(values),
        "mean": mean,
        "median": values.median(),
        "standard_deviation": deviation,
        "first_quartile": values.quantile(0.25),
        "third_quartile": values.quantile(0.75),
        "minimum": values.min(),
        "maximum": values.max(),
        "coefficient_of_variation": deviation / abs(mean) if mean else np.nan,
    }


def assert_statistics(found: pd.DataFrame, daily: pd.DataFrame) -> None:
    newest = daily[daily.dimension == "total"].groupby("metric").period.max()
    keys = ["metric", "dimension", "dimension_value"]
    groups = {key: group.sort_values("period") for key, group in daily.groupby(keys)}
    expected = 0
    for key, group in groups.items():
        for window in (7, 28, 90, 365):
            first = newest[key[0]] - timedelta(days=window - 1)
            expected += int(((group.period >= first) & (group.period <= newest[key[0]])).any())
    assert len(found) == expected
    for row in found.itertuples():
        group = groups[(row.metric, row.dimension, row.dimension_value)]
        first = newest[row.metric] - timedelta(days=row.window_days - 1)
        values = group[(group.period >= first) & (group.period <= newest[row.metric])].value
        for name, value in statistics_of(values).items():
            actual = getattr(row, name)
            if pd.isna(value):
                assert pd.isna(actual), (row.metric, name)
            else:
                # Sums of squares lose the digits by which a mean exceeds its spread, here and there.
                slack = 1e-12 * abs(values.mean())
                assert actual == pytest.approx(value, rel=1e-9, abs=slack), (
                    row.metric,
                    row.window_days,
                    name,
                )


COLUMNS = (
    "metric, window_days, dimension, dimension_value, observations, mean, median, standard_deviation,"
    " first_quartile, third_quartile, minimum, maximum, coefficient_of_variation"
)


def test_statistics_of_the_demo_are_those_of_pandas(demo_home: Path, daily: pd.DataFrame) -> None:
    assert_statistics(frame(demo_home, f"select {COLUMNS} from metrics.metrics_statistics"), daily)


def test_statistics_of_drawn_series_are_those_of_pandas(drawn_values: pd.DataFrame) -> None:
    assert_statistics(query(f"select {COLUMNS} from metrics.metrics_statistics"), drawn_values)


# -------------------------------------------------------------------------------- trends


def assert_trends(found: pd.DataFrame, daily: pd.DataFrame) -> None:
    newest = daily[daily.dimension == "total"].groupby("metric").period.max()
    groups = dict(list(daily.groupby(["metric", "dimension", "dimension_value"])))
    assert len(found)
    for row in found.itertuples():
        last = newest[row.metric]
        group = groups[(row.metric, row.dimension, row.dimension_value)]
        age = group.period.map(lambda day, last=last: (last - day).days)
        values = group.value[(age >= 0) & (age < row.window_days)]
        days = -age[values.index].astype(float)
        assert row.observations == len(values)
        for window, name in ((7, "moving_average_7"), (28, "moving_average_28")):
            recent = group.value[(age >= 0) & (age < window)]
            if len(recent):
                assert getattr(row, name) == pytest.approx(recent.mean(), rel=1e-9)
        weekdays = pd.get_dummies((days % 7).astype(int)).astype(float)
        degrees = len(values) - weekdays.shape[1] - 1
        assert row.degrees_of_freedom == degrees
        if len(values) * 2 < row.window_days or degrees < 1:
            assert row.direction == "too little data"
        if degrees < 1:
            continue
        fit = sm.OLS(values.to_numpy(), np.column_stack([days, weekdays])).fit()
        season = sm.OLS(values.to_numpy(), weekdays.to_numpy()).fit()
        if season.ssr < 1e-12 * max(1, (values**2).sum()):
            assert row.direction in ("flat", "too little data")
            continue
        assert row.slope == pytest.approx(fit.params[0], rel=1e-8, abs=1e-12 * values.abs().max()), row
        if fit.ssr < 1e-12 * season.ssr:
            assert row.r_squared == pytest.approx(1)
            continue
        assert row.r_squared == pytest.approx(1 - fit.ssr / season.ssr, rel=1e-8, abs=1e-9), row
        assert row.t_statistic == pytest.approx(fit.tvalues[0], rel=1e-7, abs=1e-9), row
        # scipy judges the very statistic, so that only the distribution is compared.
        exact = 2 * scipy.stats.t.sf(abs(row.t_statistic), row.degrees_of_freedom)
        assert row.significance == pytest.approx(exact, rel=1e-9), row
        if row.direction != "too little data":
            up_or_down = "up" if row.slope > 0 else "down"
            assert row.direction == (up_or_down if exact <= 0.05 else "flat")


TRENDS = (
    "metric, window_days, dimension, dimension_value, observations, moving_average_7, moving_average_28, slope,"
    " r_squared, t_statistic, degrees_of_freedom, significance, direction"
)


def test_trends_of_the_demo_are_those_of_statsmodels(demo_home: Path, daily: pd.DataFrame) -> None:
    found = frame(
        demo_home,
        f"select {TRENDS} from metrics.metrics_trends where dimension in ('total', 'customer__segment')",
    )
    assert {"up", "flat"} <= set(found.direction)
    assert_trends(found, daily)


def test_trends_of_drawn_series_are_those_of_statsmodels(drawn_values: pd.DataFrame) -> None:
    found = query(f"select {TRENDS} from metrics.metrics_trends")
    assert_trends(found[found.metric != "large"], drawn_values)
    directions = found[found.window_days == 28].set_index("metric").direction
    assert directions[["on_a_line", "negative", "constant", "constant_share", "one_row"]].tolist() == [
        "up",
        "down",
        "flat",
        "flat",
        "too little data",
    ]


def test_without_a_value_there_is_no_row(drawn: Dbt) -> None:
    fill_values([])
    drawn("run", "--select", "metrics_statistics", "metrics_trends")
    assert query(
        "select metric from metrics.metrics_statistics union all select metric from metrics.metrics_trends"
    ).empty


def test_student_s_t_is_scipy_s(drawn: Dbt) -> None:
    sql = (
        drawn("compile", "--inline", "{{ student_t_significance('t', 'df', largest=88) }}")
        .results[0]
        .node.compiled_code
    )
    statistics = [0.0, 0.001, 0.3, 1.0, 1.7, 1.99, 2.5, 4.0, 9.0, 30.0, 200.0, -1.3, -7.0]
    points = [(t, df) for df in range(1, 89) for t in statistics]
    rows = ", ".join(f"(cast({t!r} as double precision), {df})" for t, df in points)
    found = query(f"select t, df, {sql} as p from (values {rows}) as points (t, df)")
    exact = 2 * scipy.stats.t.sf(found.t.abs(), found.df)
    np.testing.assert_allclose(found.p, exact, rtol=1e-9)


# ------------------------------------------------------------------------------ anomalies


def judged(series: pd.Series, holidays: tuple[str, ...] = ()) -> pd.DataFrame:
    """What metrics_anomalies says of one series, written again by loops over its days."""
    index = series.index
    deviation = pd.Series(np.nan, index)
    expected = pd.Series(np.nan, index)
    days_off = pd.to_datetime(list(holidays))
    for day in index:
        past = [day - pd.Timedelta(weeks=w) for w in range(1, 14)]
        past = series.reindex([d for d in past if d not in days_off]).dropna()
        if len(past):
            expected[day] = past.median()
        if len(past) >= 6 and day not in days_off and expected[day]:
            deviation[day] = (series[day] - expected[day]) / abs(expected[day])
    week_before = deviation.rolling("7D", min_periods=1, closed="left").mean()
    spread = (deviation - week_before).abs() / np.sqrt(8 / 7)
    result = []
    for day in index:
        near = spread[(index < day) & (index >= day - pd.Timedelta(days=91))].dropna()
        scale = max(1.4826 * near.median(), 0.005) if len(near) >= 28 else np.nan
        result.append((day, expected[day], deviation[day], scale))
    table = pd.DataFrame(result, columns=["day", "expected", "deviation", "scale"]).set_index("day")
    table["score"] = table.deviation / table.scale
    return table


def test_anomalies_are_judged_by_medians_and_mads_of_earlier_days(drawn: Dbt) -> None:
    rng = np.random.default_rng(5)
    days = pd.date_range("2024-01-01", periods=400)
    week = np.array([1, 1, 1.1, 1, 1.3, 1.6, 0.7])[np.arange(400) % 7]
    series = pd.Series(100 * week * (1 + rng.normal(0, 0.05, 400)), days).round(6)
    series.iloc[300] *= 0.6
    series.iloc[330] *= 1.5
    series = series.drop(series.index[[250, 251]])
    expected = judged(series, ("2024-11-20",))
    found = run_anomalies(drawn, series, ("2024-11-20",)).set_index("day")
    quiet = expected.score.notna()
    band = (found.upper - found.lower) / 2 / 2.75
    pd.testing.assert_series_equal(
        band[quiet].astype(float),
        (expected.scale * expected.expected.abs())[quiet],
        rtol=1e-9,
        check_names=False,
        check_index=False,
    )
    pd.testing.assert_series_equal(
        found.score[quiet].astype(float),
        expected.score[quiet],
        rtol=1e-9,
        check_names=False,
        check_index=False,
    )
    assert found.verdict[pd.Timestamp("2024-11-20")] == "holiday"
    assert found.verdict[days[300]] == "low"
    assert found.verdict[days[330]] == "high"
    assert (found.verdict[: days[60]] == "too little data").all()


def test_few_or_equal_values_are_judged_without_an_error(drawn: Dbt) -> None:
    days = pd.date_range("2024-01-01", periods=200)
    assert run_anomalies(drawn, pd.Series([5.0], days[:1])).verdict.tolist() == ["too little data"]
    equal = pd.Series(8.0, days)
    found = run_anomalies(drawn, equal).verdict
    assert set(found) == {"too little data", "ordinary"}
    assert (found[:70] == "too little data").all()
    equal.iloc[150] = 7.0
    assert run_anomalies(drawn, equal).verdict[150] == "low"
    # Nothing is expected where there never was anything, and nothing can be said of what comes.
    silent = pd.Series(0.0, days)
    silent.iloc[150] = 9.0
    assert set(run_anomalies(drawn, silent).verdict) == {"too little data"}


def test_a_step_is_told_once(drawn: Dbt) -> None:
    rng = np.random.default_rng(6)
    days = pd.date_range("2024-01-01", periods=420)
    series = pd.Series(100 * (1 + rng.normal(0, 0.05, 420)), days)
    series.iloc[300:] *= 0.6
    verdicts = run_anomalies(drawn, series).set_index("day").verdict
    after = verdicts[days[300] :]
    assert (after == "step down").sum() == 1
    assert (after[after == "step down"].index[0] - days[300]).days < 7
    assert (after[10:] == "low").sum() <= 3
    # Nor is a second one within 60 days, after the level had come back.
    twice = pd.Series(100 * (1 + rng.normal(0, 0.05, 420)), days)
    twice.iloc[[*range(300, 306), *range(340, 346)]] *= 0.6
    assert (run_anomalies(drawn, twice).verdict == "step down").sum() == 1


def test_a_side_that_does_not_matter_and_a_small_volume_are_not_judged(drawn: Dbt) -> None:
    rng = np.random.default_rng(7)
    days = pd.date_range("2024-01-01", periods=300)
    series = pd.Series(100 * (1 + rng.normal(0, 0.05, 300)), days)
    series.iloc[200] *= 0.5
    series.iloc[210] *= 1.5
    series.iloc[240:] *= 0.6
    told = {"low": "low", "high": "high", "step": "step down"}
    for side, silent in (("low", {"high"}), ("high", {"low", "step"}), (None, set())):
        found = run_anomalies(drawn, series, one_sided=side).set_index("day")
        after = found[days[240] : days[250]].verdict
        seen = {
            "low": found.verdict[days[200]],
            "high": found.verdict[days[210]],
            "step": next((verdict for verdict in after if verdict.startswith("step")), "ordinary"),
        }
        assert seen == told | dict.fromkeys(silent, "ordinary"), side
        scored = found[found.score.notna()]
        assert scored.lower.isna().all() == (side == "high")
        assert scored.upper.isna().all() == (side == "low")
    found = run_anomalies(drawn, series, minimum_volume=150).set_index("day").verdict
    assert set(found) == {"too little data", "too little volume"}


def test_a_day_is_judged_the_same_when_only_the_newest_days_are(drawn: Dbt) -> None:
    """In a series of days with gaps too: of working days alone, and of days at random."""
    rng = np.random.default_rng(8)
    days = pd.date_range("2024-01-01", periods=560)
    series = pd.Series(100 * (1 + rng.normal(0, 0.05, 560)), days)
    series.iloc[330:] *= 0.6
    series.iloc[460:] *= 0.6
    for rows in (days.day_of_week < 5, rng.random(560) < 0.85):
        every = run_anomalies(drawn, series[rows])
        steps = every.day[every.verdict == "step down"].tolist()
        assert len(steps) == 2
        for since in (steps[1], days[500]):
            newest = run_anomalies(drawn, series[rows], since=since)
            pd.testing.assert_frame_equal(
                newest, every[every.day >= since].reset_index(drop=True), check_exact=True
            )


def run_anomalies(
    dbt: Dbt,
    series: pd.Series,
    holidays: tuple[str, ...] = (),
    *,
    since: pd.Timestamp | None = None,
    one_sided: str | None = None,
    minimum_volume: float = 0,
) -> pd.DataFrame:
    first = f""", "cast('{since:%Y-%m-%d}' as date)\"""" if since else ""
    macro = "{{ judged_days('drawn_days', 'days_off'" + first + ") }}"
    sql = dbt("compile", "--inline", macro).results[0].node.compiled_code
    rows = ", ".join(
        f"(1, date '{day:%Y-%m-%d}', cast({value!r} as double precision))" for day, value in series.items()
    )
    days_off = ", ".join(f"(date '{day}')" for day in ("0001-01-01", *holidays))
    side = f"'{one_sided}'" if one_sided else "null"
    found = query(
        f"with days_off (date_day) as (values {days_off}), drawn_days as (select series, day, value,"
        f" {minimum_volume} as minimum_volume, cast({side} as text) as one_sided"
        f" from (values {rows}) as days (series, day, value)) select * from ({sql}) as judged order by day"
    )
    return found.assign(day=pd.to_datetime(found.day))


def test_the_outage_planted_in_the_demo_is_found(demo_home: Path) -> None:
    from demo.planted import OUTAGE_DAY

    verdict = f"select verdict from metrics.metrics_anomalies where metric = 'revenue' and metric_date = '{OUTAGE_DAY}'"
    assert select(demo_home, verdict) == [("low",)]


# ------------------------------------------------------------- drivers, cohorts, segments


def test_drivers_add_up_to_the_cent(demo_home: Path) -> None:
    drivers = frame(
        demo_home,
        "select grain, comparison, period, compared_period, dimension, revenue_change, price_effect, volume_effect,"
        " mix_effect from metrics.metrics_drivers",
    )
    values = frame(
        demo_home,
        "select grain, period, value from metrics.metrics_values where metric = 'revenue' and dimension = 'total'",
    )
    revenue = {(row.grain, row.period): round(row.value * 100) for row in values.itertuples()}
    assert (drivers.revenue_change == drivers.price_effect + drivers.volume_effect + drivers.mix_effect).all()
    groups = drivers.groupby(
        ["grain", "comparison", "period", "compared_period", "dimension"]
    ).revenue_change.sum()
    assert len(groups) == (6 + 4 + 4) * 5
    for (grain, _, period, before, _), change in groups.items():
        assert change * 100 == revenue[grain, period] - revenue.get((grain, before), 0)


def test_price_volume_and_mix_of_a_product_are_those_of_the_sale_lines(demo_home: Path) -> None:
    lines = frame(
        demo_home,
        "select product_code, sale_date, quantity, total_amount as amount"
        " from marts.fact_sales join marts.dim_products using (product_id)",
    )
    lines["month"] = pd.to_datetime(lines.sale_date).dt.to_period("M").dt.start_time.dt.date
    lines["amount"] = lines.amount.astype(float)
    sums = lines.groupby(["month", "product_code"])[["quantity", "amount"]].sum()
    found = frame(
        demo_home,
        "select period, compared_period, dimension_value, price_effect, volume_effect, mix_effect"
        " from metrics.metrics_drivers where dimension = 'product' and grain = 'month' and comparison = 'last_year'",
    )
    assert len(found) > 300
    for row in found.itertuples():
        now, then = sums.loc[row.period], sums.loc[row.compared_period]
        quantity, amount = now.loc[row.dimension_value] if row.dimension_value in now.index else (0, 0.0)
        quantity0, amount0 = then.loc[row.dimension_value] if row.dimension_value in then.index else (0, 0.0)
        price = amount - quantity * amount0 / quantity0 if quantity and quantity0 else 0.0
        volume = amount0 * (now.quantity.sum() / then.quantity.sum() - 1)
        assert float(row.price_effect) == pytest.approx(price, abs=0.0051)
        assert float(row.volume_effect) == pytest.approx(volume, abs=0.0051)
        assert float(row.mix_effect) == pytest.approx(amount - amount0 - price - volume, abs=0.011)


def test_cohorts_and_segments_are_those_of_pandas(demo_home: Path) -> None:
    lines = frame(
        demo_home,
        "select customer_id, sale_date, total_amount as amount, source_name, transaction_code as code"
        " from marts.fact_sales where customer_id <> 0",
    )
    lines["sale_date"] = pd.to_datetime(lines.sale_date)
    month = lines.sale_date.dt.to_period("M")
    cohort = month.groupby(lines.customer_id).transform("min")
    expected = lines.groupby([cohort, month]).agg(
        customers=("customer_id", "nunique"), revenue=("amount", "sum")
    )
    found = select(
        demo_home,
        "select cohort_month, activity_month, months_since, active_customers, revenue from metrics.metrics_cohorts",
    )
    assert len(found) == len(expected)
    for first, active, months, customers, revenue in found:
        row = expected.loc[(pd.Period(first, "M"), pd.Period(active, "M"))]
        assert (customers, revenue) == (row.customers, row.revenue)
        assert months == (pd.Period(active, "M") - pd.Period(first, "M")).n

    customers = lines.groupby("customer_id").agg(last=("sale_date", "max"), monetary=("amount", "sum"))
    customers["frequency"] = (
        lines.assign(day=lines.sale_date)
        .groupby("customer_id")[["source_name", "code", "day"]]
        .apply(lambda group: len(group.drop_duplicates()))
    )
    segments = (
        frame(
            demo_home,
            "select customer_id, recency_days, frequency, monetary, recency_score, frequency_score, monetary_score"
            " from metrics.metrics_segments",
        )
        .set_index("customer_id")
        .sort_index()
    )
    assert (segments.recency_days == (customers["last"].max() - customers["last"]).dt.days).all()
    assert (segments.frequency == customers.frequency).all()
    assert (segments.monetary == customers.monetary).all()
    for score, column in (
        ("recency_score", "last"),
        ("frequency_score", "frequency"),
        ("monetary_score", "monetary"),
    ):
        order = (
            customers.reset_index().sort_values([column, "customer_id"], ascending=[False, True]).customer_id
        )
        fifths = pd.Series(
            np.concatenate([[5 - n] * len(part) for n, part in enumerate(np.array_split(order, 5))]), order
        )
        assert (segments[score] == fifths.sort_index()).all(), score


def test_comparisons_are_those_of_pandas(demo_home: Path, daily: pd.DataFrame) -> None:
    found: Any = frame(
        demo_home,
        "select period, value, previous_value, same_weekday_value, last_year_value, year_to_date, average_of_7"
        " from metrics.metrics_comparisons where metric = 'revenue' and grain = 'day' and dimension = 'total' order by period",
    )
    series = (
        daily[(daily.metric == "revenue") & (daily.dimension == "total")]
        .set_index("period")
        .value.sort_index()
    )
    series.index = pd.to_datetime(series.index)
    found = found.set_index(pd.to_datetime(found.period)).drop(columns="period").astype(float)
    last_year = pd.Series(series.reindex(series.index - pd.DateOffset(years=1)).to_numpy(), series.index)
    expected = {
        "previous_value": series.shift(1),
        "same_weekday_value": series.shift(7),
        "last_year_value": last_year,
        "year_to_date": series.groupby(series.index.year).cumsum(),
        "average_of_7": series.rolling(7, min_periods=1).mean(),
    }
    for column, values in expected.items():
        np.testing.assert_allclose(found[column], values, rtol=1e-9, err_msg=column)
