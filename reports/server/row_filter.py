"""Row filters: which part of the business a user may see, as a condition in SQL for every table.

A filter that cannot reach a table closes it: nothing is shown that might be another's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psycopg2.sql import SQL, Composable, Identifier

from reports import metrics
from reports.figures import BETWEEN
from reports.server.catalogue import Relation
from reports.server.problems import Problem


class Dimension(NamedTuple):
    """What a filter goes by: the table of its members, their key, the column with the value that a filter
    holds, and the one with the name that people see."""

    table: str
    key: str
    value: str
    name: str


DIMENSIONS = {
    "store": Dimension("dim_stores", "store_id", "store_code", "store_name"),
    "category": Dimension("dim_products", "product_id", "category", "category"),
    "channel": Dimension("dim_channels", "channel_id", "channel_code", "channel_name"),
    "segment": Dimension("dim_customers", "customer_id", "segment", "segment"),
}
FACTS = "fact_sales"
KEYS = {dimension.key for dimension in DIMENSIONS.values()}
Condition = tuple[Composable, list[Any]]


@dataclass(frozen=True)
class RowFilter:
    """The values that a user may see, by dimension; without any, everything."""

    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.only)

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What tells it from others, for caches."""
        return tuple((name, tuple(sorted(values))) for name, values in sorted(self.only.items()))

    def conditions(self, relation: Relation) -> list[Condition]:
        """The conditions under which rows of a table may be seen.

        Raises:
            Problem: 403, where the table cannot be limited to what the user may see.
        """
        return [condition for name in self.only for condition in self._condition(name, relation)]

    def metric_conditions(self, dimension: str) -> list[Condition]:
        """The conditions under which values of metrics by a dimension (as the semantic layer names it) may be
        seen.

        Raises:
            Problem: 403, where values by it would tell of what the user may not see.
        """
        if not self.only:
            return []
        name = next(iter(self.only))
        wanted = DIMENSIONS[name]
        if len(self.only) > 1 or dimension != metrics.DIMENSIONS[name]:
            raise Problem(403, f"you may see a part of the business: ask by={metrics.DIMENSIONS[name]}")
        # A name that a member of others bears too stands for both, so it is not shown.
        condition = SQL(
            "dimension_value in (select coalesce({name}, 'unknown') from marts.{table}"
            " group by coalesce({name}, 'unknown') having bool_and(coalesce({value} = any(%s), false)))"
        ).format(name=Identifier(wanted.name), table=Identifier(wanted.table), value=Identifier(wanted.value))
        return [(condition, [list(self.only[name])])]

    def parameters(self) -> dict[str, str]:
        """The parameters that limit a report to it."""
        return {name: BETWEEN.join(values) for name, values in self.key}

    def covers(self, parameters: Mapping[str, str]) -> bool:
        """Whether a report of these parameters shows nothing but what may be seen."""
        return all(
            name in parameters and set(parameters[name].split(BETWEEN)) <= set(values)
            for name, values in self.only.items()
        )

    def _condition(self, name: str, relation: Relation) -> Iterator[Condition]:
        wanted = DIMENSIONS[name]
        members = SQL("select {key} from marts.{table} where {value} = any(%s)").format(
            key=Identifier(wanted.key), table=Identifier(wanted.table), value=Identifier(wanted.value)
        )
        values = [list(self.only[name])]
        if wanted.key in relation.columns:
            yield SQL("{key} in ({members})").format(key=Identifier(wanted.key), members=members), values
            return
        if not relation.name.startswith("dim_"):
            raise Problem(403, f"{relation.name} does not tell by {name}, to which you are limited")
        if own := KEYS & set(relation.columns):
            # The members of a dimension that stand in sales which may be seen.
            yield (
                SQL("{own} in (select {own} from marts.{facts} where {key} in ({members}))").format(
                    own=Identifier(own.pop()),
                    facts=Identifier(FACTS),
                    key=Identifier(wanted.key),
                    members=members,
                ),
                values,
            )


def from_json(stored: Mapping[str, list[str]]) -> RowFilter:
    """The filter as it is stored with a user."""
    return RowFilter({name: tuple(values) for name, values in stored.items()})
