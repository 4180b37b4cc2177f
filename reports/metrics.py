"""The metrics of the semantic layer: which there are, and their values as the build has put them into
`metrics.metrics_values`.

Gives

- `known()`: every metric by name, each with its label, description, unit (money, number, share, seconds),
  the dimensions that it is kept by besides in all (such as `store__store_name`), the model beside whose YAML
  it stands, and its whole definition. Read from the YAML of the models: neither dbt, its manifest nor a
  warehouse is needed, and a metric that was just added is there, though without values before the next build.
- `value()` and `series()`: its values over periods.

The shape of metrics_values is the contract of all its readers: metric, grain (day, week, month, quarter,
fiscal_year), period (its first day), period_end, dimension (`total` or as above), dimension_value, value.
How a value is written for people belongs to `notation.py`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ingest import warehouse
from reports.data import exists, query
from reports.errors import ReportUsageError
from reports.figures import EVERYTHING, MEMBERS, Filters, members
from reports.period import Period

MODELS = warehouse.ROOT / "dbt_project" / "models"
UNITS = ("money", "number", "share", "seconds")
TOTAL = "total"
# The dimension of the semantic layer that a filter of a report is.
DIMENSIONS = {
    "store": "store__store_name",
    "category": "product__category",
    "channel": "channel__channel_name",
    "segment": "customer__segment",
}


@dataclass(frozen=True)
class Metric:
    """A metric as its YAML defines it; `model` is empty where it is made of metrics of several models."""

    name: str
    label: str
    description: str
    unit: str
    dimensions: tuple[str, ...] = ()
    model: str = ""
    definition: Mapping[str, Any] = field(default_factory=dict)


def known(models: Path = MODELS) -> dict[str, Metric]:
    """All metrics by name, in the order of their names. Files that have changed are read anew, as a server
    lives longer than they do."""
    return _known(tuple((file, file.stat().st_mtime_ns) for file in sorted(models.rglob("*.yml"))))


def find(name: str) -> Metric:
    """The metric of a name.

    Raises:
        ReportUsageError: there is none; the message lists those there are.
    """
    metrics = known()
    if name not in metrics:
        raise ReportUsageError(f"there is no metric {name!r}; there are: {', '.join(metrics)}")
    return metrics[name]


def value(metric: Metric, period: Period, only: Filters = EVERYTHING) -> float | None:
    """A metric's value in a period. None where it has none: the period is no day, week, month, quarter or
    fiscal year, or nothing is known of it, or the metric is not kept by what the filters ask for: more than
    one value may not add up."""
    given = [(name, value) for name, values in only.values.items() for value in values]
    dimension = DIMENSIONS[given[0][0]] if given else TOTAL
    if len(given) > 1 or dimension not in (TOTAL, *metric.dimensions) or not exists("metrics.metrics_values"):
        return None
    member = "= 'total'"
    if given:
        name = given[0][0]
        member = f"in ({members(name, MEMBERS[name][2][0])})"
    frame = query(
        f"""
        select value
        from metrics.metrics_values
        where metric = %(metric)s and dimension = %(dimension)s and dimension_value {member}
            and period = %(first)s and period_end = %(last)s
        limit 1
        """,
        metric=metric.name, dimension=dimension, first=period.first, last=period.last,
        **only.values,
    )  # fmt: skip
    return float(frame["value"].iloc[0]) if len(frame) else None


def series(metric: Metric, grain: str, first: date, last: date, dimension: str = TOTAL) -> pd.DataFrame:
    """A metric's values of the periods of a grain that lie between two days, even in part, oldest first:
    period, period_end, dimension_value, value."""
    return query(
        """
        select period, period_end, dimension_value, value
        from metrics.metrics_values
        where metric = %(metric)s and grain = %(grain)s and dimension = %(dimension)s
            and period <= %(last)s and period_end >= %(first)s
        order by period, dimension_value
        """,
        metric=metric.name, grain=grain, dimension=dimension, first=first, last=last,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _known(files: tuple[tuple[Path, int], ...]) -> dict[str, Metric]:
    found = {metric.name: metric for metric in _read(file for file, _ in files)}
    return dict(sorted(found.items()))


def _read(files: Iterable[Path]) -> Iterator[Metric]:
    for file in files:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        yield from (_metric("", definition) for definition in content.get("metrics", []))
        for model in content.get("models", []):
            yield from (_metric(model["name"], definition) for definition in model.get("metrics", []))


def _metric(model: str, definition: Mapping[str, Any]) -> Metric:
    meta = (definition.get("config") or {}).get("meta") or {}
    return Metric(
        name=definition["name"],
        label=definition.get("label") or definition["name"],
        description=definition.get("description") or "",
        unit=meta.get("unit", "number"),
        dimensions=tuple(meta.get("by", ())),
        model=model,
        definition=definition,
    )
