"""The dashboard's measures are the semantic layer's metrics: equal for every day and month of the demo."""

from datetime import date
from pathlib import Path

import pytest

from conftest import select
from reports.dashboard.definitions import definitions
from reports.dashboard.page import Dashboard

MEASURES = {
    name: measure["metric"] for name, measure in definitions()["measures"].items() if "metric" in measure
}


@pytest.fixture(scope="module")
def board(demo_home: Path) -> Dashboard:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYTICS_HOME", str(demo_home))
        return Dashboard()


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_equals_its_metric(board: Dashboard, demo_home: Path, name: str) -> None:
    rows = select(
        demo_home,
        "select period, period_end, value from metrics.metrics_values"
        f" where metric = '{MEASURES[name]}' and dimension = 'total' and grain in ('day', 'month')",
    )
    assert len(rows) > 700
    first = date.fromisoformat(board.data["first"])
    for start, end, value in rows:
        assert isinstance(start, date)
        assert isinstance(end, date)
        found = board.between(name, (start - first).days, (end - first).days + 1)
        assert found == pytest.approx(value, rel=1e-9), (start, end)


def test_every_metric_can_be_picked_under_its_name(board: Dashboard, demo_home: Path) -> None:
    metrics = board.data["metrics"]
    known = select(demo_home, "select distinct metric from metrics.metrics_values")
    assert set(metrics) == {metric for (metric,) in known}
    assert (metrics["gross_margin"]["label"], metrics["gross_margin"]["kind"]) == ("Gross margin", "share")
    ((value,),) = select(
        demo_home,
        "select value from metrics.metrics_values where metric = 'gross_margin' and grain = 'month'"
        " and dimension = 'product__category' and dimension_value = 'Tea' and period = '2025-11-01'",
    )
    places, values = metrics["gross_margin"]["values"]["month"]["category"]["Tea"]
    place = (date(2025, 11, 1) - date.fromisoformat(board.data["first"])).days
    assert values[places.index(place)] == pytest.approx(value, abs=1e-4)
