"""Rows of one table as a statement: columns, filters, order and place are looked up, values are bound.

Shared by pages of tables and by exports.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.sql import SQL, Composable, Identifier

from reports.server.catalogue import Column, Relation
from reports.server.encoding import from_json, to_json
from reports.server.problems import Problem
from reports.server.row_filter import Condition, RowFilter

COMPARISONS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OPERATORS = (*COMPARISONS, "in", "contains", "null")
NO_ORDER = ("json", "jsonb", "[]")  # types that cannot be sorted by


@dataclass(frozen=True)
class Selection:
    """What is asked of a table: its columns, the conditions on its rows with their values, and the order:
    a column, whether downwards, or none for the key."""

    relation: Relation
    columns: tuple[Column, ...]
    conditions: tuple[Condition, ...]
    order: Column | None
    is_descending: bool

    @classmethod
    def of(
        cls,
        relation: Relation,
        row_filter: RowFilter,
        columns: str | None = None,
        filters: Sequence[str] = (),
        order: str | None = None,
    ) -> "Selection":
        """The selection that a client asks for.

        Args:
            columns: names, separated by commas; without them all.
            filters: each as column:operator:value.
            order: a column, with a minus for downwards.

        Raises:
            Problem: 422, something is not written as it should be; 403, the user may not see the table.
        """
        names = dict.fromkeys(columns.split(",")) if columns else list(relation.columns)
        conditions = [*row_filter.conditions(relation), *(_filter(relation, text) for text in filters)]
        by = relation.column(order.removeprefix("-")) if order else None
        if by and by.type.endswith(NO_ORDER):
            raise Problem(422, f"rows cannot be sorted by {by.name}")
        return cls(
            relation,
            tuple(relation.column(name) for name in names),
            tuple(conditions),
            by,
            is_descending=bool(order and order.startswith("-")),
        )

    def page(self, limit: int, after: str | None) -> tuple[Composable, list[Any]]:
        """The statement for one row more than `limit`, after the place that a page before gave. Columns of
        the order follow those that were asked for."""
        conditions = list(self.conditions)
        if after is not None:
            conditions.append(self._after(after))
        statement, values = self._statement(
            conditions,
            [*(Identifier(column.name) for column in self.columns),
             *(SQL("{}::text as {}").format(Identifier(column.name), Identifier(f"place_{number}"))
               for number, column in enumerate(self._placed))],
        )  # fmt: skip
        return SQL("{} order by {} limit %s").format(statement, self._order()), [*values, limit + 1]

    def everything(self, shown: Callable[[Column], Composable]) -> tuple[Composable, list[Any]]:
        """The statement for all rows, each column as an expression, in the order of the key."""
        statement, values = self._statement(self.conditions, [shown(column) for column in self.columns])
        return SQL("{} order by {}").format(statement, self._order()), values

    def count(self, limit: int) -> tuple[Composable, list[Any]]:
        """The statement for the number of rows, counted up to one more than `limit`."""
        statement, values = self._statement(self.conditions, [SQL("1")])
        return SQL("select count(*) from ({} limit %s) as counted").format(statement), [*values, limit + 1]

    def place(self, row: Sequence[Any]) -> str:
        """The place after a row of a page, for the next page."""
        content = [self._order_name, *row[len(self.columns) :]]
        return base64.urlsafe_b64encode(to_json(content)).decode().rstrip("=")

    # ------------------------------------------------------------------------------------------- the parts

    @property
    def _placed(self) -> list[Column]:
        """What the rows are ordered by: the wanted column, if any, and the key, which tells all rows
        apart."""
        key = [self.relation.columns[name] for name in self.relation.key]
        if self.order is None:
            return key
        return [self.order, *(column for column in key if column.name != self.order.name)]

    @property
    def _order_name(self) -> str:
        return f"{'-' if self.is_descending else ''}{self.order.name if self.order else ''}"

    def _statement(
        self, conditions: Iterable[Condition], expressions: Sequence[Composable]
    ) -> tuple[Composable, list[Any]]:
        conditions = list(conditions)
        where = SQL(" and ").join([condition for condition, _ in conditions] or [SQL("true")])
        statement = SQL("select {} from {} where {}").format(
            SQL(", ").join(expressions), Identifier(self.relation.schema, self.relation.name), where
        )
        return statement, [value for _, values in conditions for value in values]

    def _order(self) -> Composable:
        parts = []
        for column in self._placed:
            is_down = column is self.order and self.is_descending
            nulls = "" if column.name in self.relation.key else " nulls last"
            parts.append(SQL("{}" + (" desc" if is_down else "") + nulls).format(Identifier(column.name)))
        return SQL(", ").join(parts)

    def _after(self, after: str) -> Condition:
        """The rows after a place. Where the order is not that of the key, rows without a value come last."""
        values = self._values(after)
        order, key = self._placed, self._placed
        if self.order is None:
            return _row_after(key), values
        order, key = self._placed[:1], self._placed[1:]
        column, first = Identifier(order[0].name), values[0]
        if order[0].name in self.relation.key and not key:
            sign = "<" if self.is_descending else ">"
            return SQL("{} " + sign + " {}").format(column, _bound(order[0])), values
        if first is None:
            return SQL("{} is null and {}").format(column, _row_after(key)), values[1:]
        condition = SQL(
            "({column} " + ("<" if self.is_descending else ">") + " {value} or {column} is null"
            " or ({column} = {value} and {rest}))"
        ).format(column=column, value=_bound(order[0]), rest=_row_after(key) if key else SQL("false"))
        return condition, [first, first, *values[1:]]

    def _values(self, after: str) -> list[Any]:
        try:
            name, *values = from_json(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
            is_right = name == self._order_name and len(values) == len(self._placed)
            if not is_right or not all(value is None or isinstance(value, str) for value in values):
                raise ValueError
            if any("\0" in value for value in values if value):
                raise ValueError
        except (ValueError, TypeError, binascii.Error):
            raise Problem(422, "after: give the `next` of a page in the same order") from None
        return list(values)


def _row_after(key: Sequence[Column]) -> Composable:
    names = SQL(", ").join(Identifier(column.name) for column in key)
    return SQL("({}) > ({})").format(names, SQL(", ").join(_bound(column) for column in key))


def _bound(column: Column) -> Composable:
    """A place for a value that is written as text. The type comes from the catalogue; its length or precision
    is left out, which would cut the value."""
    return SQL("%s::" + column.type.split("(")[0] + ("[]" if column.type.endswith("[]") else ""))


def _filter(relation: Relation, text: str) -> Condition:
    name, _, rest = text.partition(":")
    operator, separator, value = rest.partition(":")
    column = relation.column(name)
    if operator not in OPERATORS or not separator:
        raise Problem(422, f"filter: write column:operator:value, with {', '.join(OPERATORS)}")
    identifier = Identifier(name)
    if operator == "null":
        if value not in ("true", "false"):
            raise Problem(422, "filter: null is asked as column:null:true or column:null:false")
        return SQL("{} is null" if value == "true" else "{} is not null").format(identifier), []
    if operator == "contains":
        if not column.is_text:
            raise Problem(422, f"filter: {column.name} is no text, so it contains none")
        return SQL("position(lower(%s) in lower({})) > 0").format(identifier), [value]
    if operator == "in":
        values = value.split(",")
        places = SQL(", ").join([_bound(column)] * len(values))
        return SQL("{} in ({})").format(identifier, places), values
    return SQL("{} " + COMPARISONS[operator] + " {}").format(identifier, _bound(column)), [value]
