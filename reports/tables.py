"""A table as a thing of its own: columns with a kind and a total, over a frame of figures.

PDF and HTML (`markdown.py`), the workbook (`workbook.py`) and exports (`export.py`) write the same table,
each in
its own way: as text, as typed cells with formulas, as plain values. Which tables there are stands in
`sections.py`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from reports import notation

BATCH = 10_000  # rows


class Kind(Enum):
    """What the values of a column are; decides how they are written and aligned."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"  # in the theme's currency
    MEASURE = "measure"  # of the kind that the row's `kind` names
    SHARE = "share"  # a fraction of a whole
    CHANGE = "change"  # a relative change, as a fraction
    DURATION = "duration"  # in seconds
    DECIMAL = "decimal"  # a number with one decimal
    NUMBER = "number"  # a number that names something, as a line of a file
    DAY = "day"
    MONTH = "month"
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


class Chart(NamedTuple):
    """What a workbook's chart of a table shows: columns of it by the category, as columns, lines or bars."""

    category: str
    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows to show under a title (of a section or sheet) and a caption; `empty` is said where there are none.

    `frame` may be the Parquet file of a result that is too large for memory; its rows come in batches.
    `totals` names the line of totals; without it there is none.
    """

    name: str
    title: str
    caption: str
    frame: pd.DataFrame | Path = field(repr=False)
    columns: Sequence[Column]
    totals: str | None = None
    empty: str = "There is nothing to show."
    chart: Chart | None = None

    @cached_property
    def length(self) -> int:
        """The number of rows."""
        if isinstance(self.frame, Path):
            return int(pq.read_metadata(self.frame).num_rows)
        return len(self.frame)

    def frames(self) -> Iterator[pd.DataFrame]:
        """The rows as they lie in the frame, some thousand at a time."""
        if isinstance(self.frame, Path):
            with pq.ParquetFile(self.frame) as file:
                for batch in file.iter_batches(BATCH):
                    yield batch.to_pandas()
        else:
            yield self.frame

    def batches(self) -> Iterator[list[list[Any]]]:
        """The values, row by row, some thousand rows at a time; None where one is missing."""
        for frame in self.frames():
            values = {name: _plain(frame[name]) for name in frame.columns}
            columns = [
                values[column.name]
                if column.name in values
                else [
                    _quotient(column, dict(zip(values, row, strict=True)))
                    for row in zip(*values.values(), strict=True)
                ]
                for column in self.columns
            ]
            yield [list(row) for row in zip(*columns, strict=True)]

    def rows(self) -> list[list[Any]]:
        """All values, row by row; None where one is missing."""
        return [row for batch in self.batches() for row in batch]

    def total_values(self) -> list[Any]:
        """The line of totals: its name, then for each column its total or None."""
        sums = self._sums
        values = [
            sums.get(column.name) if column.quotient is None else _quotient(column, sums)
            for column in self.columns
        ]
        return [self.totals, *values[1:]]

    def kind(self, column: Column, row: int) -> Kind:
        """The kind of one cell: its column's, with `MEASURE` resolved."""
        if column.kind is not Kind.MEASURE:
            return column.kind
        assert isinstance(self.frame, pd.DataFrame)
        return Kind(self.frame["kind"].iloc[row])

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
        return column.name not in self._names

    @cached_property
    def _names(self) -> set[str]:
        if isinstance(self.frame, Path):
            return set(pq.read_schema(self.frame).names)
        return set(self.frame.columns)

    @cached_property
    def _sums(self) -> dict[str, float | int]:
        parts: dict[str, list[float]] = {column.name: [] for column in self.columns if column.summed}
        for frame in self.frames():
            for name, sums in parts.items():
                sums.append(math.fsum(frame[name].dropna()))
        kinds = {column.name: column.kind for column in self.columns}
        return {
            name: int(math.fsum(sums)) if kinds[name] is Kind.COUNT else math.fsum(sums)
            for name, sums in parts.items()
        }


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
        Kind.DECIMAL: notation.decimal,
        Kind.NUMBER: _number,
        Kind.DAY: notation.weekday_and_day,
        Kind.MONTH: notation.month,
        Kind.MOMENT: _moment,
    }
    return writers[kind](value)


def _number(value: Any) -> str:
    return notation.MISSING if pd.isna(value) else str(int(value))


def _plain(column: pd.Series) -> list[Any]:
    """Python values, with None for what is missing; points in time stay pandas' own."""
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def _moment(value: Any) -> str:
    """A point in time without its zone, which the column's title names."""
    return notation.moment(value).removesuffix(" UTC")


def _quotient(column: Column, values: Mapping[Any, Any]) -> float | None:
    assert column.quotient is not None
    above, below = (values.get(name) for name in column.quotient)
    if above is None or below is None or pd.isna(above) or pd.isna(below) or not below:
        return None
    return float((above - below) / abs(below) if column.kind is Kind.CHANGE else above / below)
