"""The metrics of the semantic layer for the dashboard: values from `metrics.metrics_values`, names from the
YAML beside the models, so that a metric which is added there is in the page after the next build.

The page's own measures are worked out in the page, under any filter; these are kept as they were built.
"""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ingest import warehouse
from reports.data import exists, query

MODELS = warehouse.ROOT / "dbt_project" / "models"
KINDS = {"money": "money", "share": "share", "seconds": "duration"}  # of units; else a number
TOTAL = "total"
DIMENSIONS = {
    "store__store_name": "store",
    "product__category": "category",
    "channel__channel_name": "channel",
    "customer__segment": "segment",
}
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
        first=first, earliest=first - timedelta(days=30), last=last, dimensions=sorted(DIMENSIONS),
    )  # fmt: skip
    found: dict[str, Any] = {}
    for key, rows in frame.groupby(["metric", "grain", "dimension", "dimension_value"], sort=False):
        metric, grain, dimension, value = (str(part) for part in key)
        entry = found.setdefault(metric, _named(metric) | {"values": {}})
        by = entry["values"].setdefault(grain, {}).setdefault(DIMENSIONS.get(dimension, TOTAL), {})
        by[value] = [rows["place"].tolist(), [round(float(number), DIGITS) for number in rows["value"]]]
    return found


def _named(metric: str) -> dict[str, str]:
    described: dict[str, Any] = _definitions().get(metric, {})
    unit = ((described.get("config") or {}).get("meta") or {}).get("unit", "")
    return {
        "label": described.get("label") or metric.replace("_", " ").capitalize(),
        "description": " ".join((described.get("description") or "").split()),
        "kind": KINDS.get(str(unit), "number"),
    }


@cache
def _definitions() -> dict[str, dict[str, Any]]:
    """The metrics of all YAML files beside the models, by name."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(Path(MODELS).rglob("*.yml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        nested = [metric for model in content.get("models", []) for metric in model.get("metrics", [])]
        found |= {metric["name"]: metric for metric in [*nested, *content.get("metrics", [])]}
    return found
