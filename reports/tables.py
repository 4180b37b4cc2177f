"""A table as a thing of its own: columns with a kind and a total, over a frame of figures.

PDF and HTML (`markdown.py`) and the workbook (`workbook.py`) write the same table, each in its own way: as
text, or as typed cells with formulas. Which tables there are stands in `sections.py`.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import pandas as pd

from reports import notation


class Kind(Enum):
    """What the values of a column are; decides how they are written and aligned."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"  # in the theme's currency
    MEASURE = "measure"  # money or count, as the row's `is_money` says
    SHARE = "share"  # a fraction of a whole
    CHANGE = "change"  # a relative change, as a fraction
    DURATION = "duration"  # in seconds
    DAY = "day"
    MOMENT = "moment"  # in UTC


@dataclass(frozen=True)
class Column:
    """A column of a table.

    `name` is its column in the frame. `quotient` names two other columns: if the frame has no column of this
    name, its values are their ratio, or for `Kind.CHANGE` the change from the second to the first. In the
    line of totals stands the sum (`summed`), or the quotient of the sums.
    """

    name: str
    title: str
    kind: Kind = Kind.TEXT
    summed: bool = False
    quotient: tuple[str, str] | None = None


class Tile(NamedTuple):
    """A figure in a box: what it is, its value as people read it, and a remark below it."""

    label: str
    value: str
    remark: str


@dataclass(frozen=True)
class Table:
    """Rows to show under a title (of a section or sheet) and a caption; `empty` is said where there are none.

    `totals` names the line of totals; without it there is none.
    """

    name: str
    title: str
    caption: str
    frame: pd.DataFrame = field(repr=False)
    columns: Sequence[Column]
    totals: str | None = None
    empty: str = "There is nothing to show."

    def rows(self) -> list[list[Any]]:
        """The values, row by row; None where one is missing."""
        records = self.frame.to_dict("records")
        return [[self._value(column, record) for column in self.columns] for record in records]

    def total_values(self) -> list[Any]:
        """The line of totals: its name, then for each column its total or None."""
        sums = {column.name: self._sum(column) for column in self.columns if column.summed}
        values = [
            sums.get(column.name) if column.quotient is None else _quotient(column, sums)
            for column in self.columns
        ]
        return [self.totals, *values[1:]]

    def kind(self, column: Column, row: int) -> Kind:
        """The kind of one cell: its column's, with `MEASURE` resolved."""
        if column.kind is not Kind.MEASURE:
            return column.kind
        return Kind.MONEY if self.frame["is_money"].iloc[row] else Kind.COUNT

    def texts(self) -> list[list[str]]:
        """The values as people read them, row by row."""
        return [
            [write(value, self.kind(column, index)) for column, value in zip(self.columns, row, strict=True)]
            for index, row in enumerate(self.rows())
        ]

    def total_texts(self) -> list[str]:
        """The line of totals as people read it; empty texts where a column has no total."""
        return [
            "" if value is None else write(value, column.kind if index else Kind.TEXT)
            for index, (column, value) in enumerate(zip(self.columns, self.total_values(), strict=True))
        ]

    def is_derived(self, column: Column) -> bool:
        """Whether its values are worked out from other columns."""
        return column.name not in self.frame.columns

    def _sum(self, column: Column) -> float | int:
        total = math.fsum(self.frame[column.name].dropna())
        return int(total) if column.kind is Kind.COUNT else total

    def _value(self, column: Column, record: Mapping[Hashable, Any]) -> Any:
        value = _quotient(column, record) if self.is_derived(column) else record[column.name]
        return None if pd.isna(value) else value


def write(value: Any, kind: Kind) -> str:
    """A value as people read it."""
    if kind in (Kind.TEXT, Kind.MEASURE):
        return notation.MISSING if pd.isna(value) else str(value)
    writers = {
        Kind.COUNT: notation.count,
        Kind.MONEY: notation.money,
        Kind.SHARE: notation.share,
        Kind.CHANGE: notation.change,
        Kind.DURATION: notation.duration,
        Kind.DAY: notation.short_day,
        Kind.MOMENT: _moment,
    }
    return writers[kind](value)


def _moment(value: Any) -> str:
    """A point in time without its zone, which the column's title names."""
    return notation.moment(value).removesuffix(" UTC")


def _quotient(column: Column, values: Mapping[Any, Any]) -> float | None:
    assert column.quotient is not None
    above, below = (values.get(name) for name in column.quotient)
    if above is None or below is None or pd.isna(above) or pd.isna(below) or not below:
        return None
    return float((above - below) / abs(below) if column.kind is Kind.CHANGE else above / below)
