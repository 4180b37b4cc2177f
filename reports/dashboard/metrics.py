"""The metrics of the semantic layer (see `reports/metrics.py`) for the dashboard: all their values by name,
so that a metric which is added is in the page after the next build.

The page's own measures are worked out in the page, under any filter; these are kept as they were built.
"""

from datetime import date, timedelta
from typing import Any

from reports import metrics
from reports.data import exists, query
from reports.metrics import TOTAL, Metric

KINDS = {"money": "money", "share": "share", "seconds": "duration"}  # of units; else a number
SHORT = {dimension: name for name, dimension in metrics.DIMENSIONS.items()}
DIGITS = 4


def semantic_metrics(first: date, last: date) -> dict[str, Any]:
    """The metrics by name: label, description, kind, and under `values` for each grain (day, week, month) and
    dimension (or `total`) the values by name, as places in days after the first and what was measured.

    By dimension only weeks and months, as days would fill the page. Empty where the models are not built.
    """
    if not exists("metrics.metrics_values"):
        return {}
    frame = query(
        """
        select metric, grain, dimension, dimension_value, period - %(first)s as place, value
        from metrics.metrics_values
        where period between %(earliest)s and %(last)s
            and (
                (dimension = 'total' and grain in ('day', 'week', 'month'))
                or (dimension = any(%(dimensions)s) and grain in ('week', 'month'))
            )
        order by metric, grain, dimension, dimension_value, period
        """,
        first=first, earliest=first - timedelta(days=30), last=last, dimensions=sorted(SHORT),
    )  # fmt: skip
    known, found = metrics.known(), dict[str, Any]()
    for key, rows in frame.groupby(["metric", "grain", "dimension", "dimension_value"], sort=False):
        metric, grain, dimension, value = (str(part) for part in key)
        entry = found.setdefault(metric, _named(metric, known.get(metric)) | {"values": {}})
        by = entry["values"].setdefault(grain, {}).setdefault(SHORT.get(dimension, TOTAL), {})
        by[value] = [rows["place"].tolist(), [round(float(number), DIGITS) for number in rows["value"]]]
    return found


def _named(name: str, metric: Metric | None) -> dict[str, str]:
    if metric is None:  # its YAML has gone since the last build
        metric = Metric(name, name.replace("_", " ").capitalize(), "", "number")
    return {
        "label": metric.label,
        "description": " ".join(metric.description.split()),
        "kind": KINDS.get(metric.unit, "number"),
    }
