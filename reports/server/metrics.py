"""Values of metrics over periods, read from `metrics.metrics_values`, where the build has put them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from psycopg2.sql import SQL, Composable

from reports.metrics import DIMENSIONS, TOTAL, Metric
from reports.server.problems import Problem
from reports.server.row_filter import RowFilter

LARGEST = 20_000  # rows of an answer


class Grain(StrEnum):
    """The periods that metrics are kept for."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    FISCAL_YEAR = "fiscal_year"


@dataclass(frozen=True)
class Question:
    """Which values of a metric are asked for. `dimension` is as the semantic layer names it, or `total`."""

    metric: Metric
    grain: Grain
    first: date | None
    last: date | None
    dimension: str
    values: tuple[str, ...]

    @classmethod
    def of(
        cls,
        metric: Metric,
        grain: Grain,
        period: tuple[date | None, date | None],
        by: str | None,
        filters: Sequence[str],
    ) -> "Question":
        """The question that a client asks.

        Args:
            by: a dimension, by its name in the semantic layer or in short (store, category, channel,
            segment). filters: each as dimension:value; all of one dimension.

        Raises:
            Problem: 422, something is not written as it should be, or the metric is not kept so.
        """
        named: dict[str, list[str]] = {}
        for text in filters:
            name, separator, value = text.partition(":")
            if not separator:
                raise Problem(422, "filter: write dimension:value")
            named.setdefault(_dimension(metric, name), []).append(value)
        dimensions = {_dimension(metric, by)} if by else set()
        if len(dimensions | named.keys()) > 1:
            raise Problem(422, "a metric is kept by one dimension at a time: filter by the one of `by`")
        dimension = next(iter(dimensions | named.keys()), TOTAL)
        return cls(metric, grain, *period, dimension, tuple(named.get(dimension, ())))

    def statement(self, row_filter: RowFilter) -> tuple[Composable, list[Any]]:
        """The select for period, period_end, dimension_value and value.

        Raises:
            Problem: 403, if the user may not see these values.
        """
        conditions: list[tuple[Composable, list[Any]]] = [
            (SQL("metric = %s and grain = %s and dimension = %s"),
             [self.metric.name, self.grain.value, self.dimension]),
            *row_filter.metric_conditions(self.dimension),
        ]  # fmt: skip
        if self.values:
            conditions.append((SQL("dimension_value = any(%s)"), [list(self.values)]))
        if self.first:
            conditions.append((SQL("period_end >= %s"), [self.first]))
        if self.last:
            conditions.append((SQL("period <= %s"), [self.last]))
        statement = SQL(
            "select period, period_end, dimension_value, value from metrics.metrics_values where {}"
            " order by period, dimension_value limit %s"
        ).format(SQL(" and ").join(condition for condition, _ in conditions))
        return statement, [*(value for _, values in conditions for value in values), LARGEST + 1]


def _dimension(metric: Metric, name: str) -> str:
    full = DIMENSIONS.get(name, name)
    if full not in metric.dimensions:
        kept = ", ".join(metric.dimensions) or "none"
        raise Problem(422, f"{metric.name} is not kept by this dimension; it is by: {kept}")
    return full
