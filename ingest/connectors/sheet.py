"""What the cells of a sheet say: a cell as text, and the heading that names the columns, below title lines
and under a row of groups. Knows nothing of files.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

Ranges = Sequence[tuple[tuple[int, int], tuple[int, int]]]
"""Merged cells: the first and the last, each as row and column, from 0."""


def as_text(cell: Any) -> str:
    """A cell as the text a person would read: 5.0 is `5`, a number has Excel's 15 digits, dates are ISO."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.15g}"
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def blank(cell: Any) -> bool:
    """Whether a person sees nothing in a cell."""
    return isinstance(cell, str) and (not cell or cell.isspace())


class Sample:
    """The first rows of a sheet that are not blank, by their number. Without ``merged`` (not every kind of
    workbook tells it) titles and plain headings can be found, groups cannot."""

    def __init__(self, rows: Mapping[int, Sequence[Any]], merged: Ranges) -> None:
        self.rows = rows
        self.used = {i for cells in rows.values() for i, cell in enumerate(cells) if not blank(cell)}
        self._first_cell: dict[tuple[int, int], tuple[int, int]] = {}
        self._groups: set[int] = set()
        for (top, left), (bottom, right) in merged:
            if top in rows:
                for row in range(top, min(bottom, max(rows)) + 1):
                    for column in range(left, right + 1):
                        self._first_cell[row, column] = top, left
                # One merged cell that stands alone at the left is a title.
                title = left == min(self.used) and sum(not blank(cell) for cell in rows[top]) == 1
                if top == bottom and right > left and not title:
                    self._groups.add(top)

    def heading(self) -> int | None:
        """The first row whose names are distinct texts over most columns, or None."""
        for row in self.rows:
            names = zip(self.names(row), self._cells(row), strict=True)
            texts = {name for name, cell in names if name and isinstance(cell, str)}
            group = row in self._groups and row + 1 in self.rows
            if not group and len(texts) * 2 > len(self.used):
                return row
        return None

    def names(self, row: int) -> list[str]:
        """The columns' names in a row, `Group / Name` under a group; empty where a column has none."""
        names = [_name(cell) for cell in self._cells(row)]
        if row - 1 not in self._groups:
            return names
        first, above = self._first_cell, row - 1
        groups = [
            ""
            if (above, column) in first and first[above, column] == first.get((row, column))
            else _name(cell)
            for column, cell in enumerate(self._cells(above))
        ]
        return [" / ".join(filter(None, pair)) for pair in zip(groups, names, strict=True)]

    def _cells(self, row: int) -> list[Any]:
        """The cells of a row; each of merged cells has the value of their first."""
        cells = list(self.rows[row])
        for column in range(len(cells)):
            first_row, first_column = self._first_cell.get((row, column), (row, column))
            cells[column] = self.rows[first_row][first_column]
        return cells


def _name(cell: Any) -> str:
    return " ".join(as_text(cell).split())
