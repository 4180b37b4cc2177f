"""The workbook of a report: each table on a sheet of its own, as typed cells.

Dates are dates and money is money; totals and changes are formulas that carry their value along, for readers
that do not calculate; text is text, also where it begins like a formula. The tables come from `sections.py`.
"""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from reports import notation
from reports.tables import Column, Kind, Table
from reports.theme import theme

TITLE_ROW, CAPTION_ROW, HEAD_ROW = 0, 1, 3
FIRST_ROW = HEAD_ROW + 1
NARROWEST, WIDEST = 9, 60  # of columns, in characters
SECONDS_IN_DAY = 86_400
# Signs with which a spreadsheet, or the CSV made from it, would take text for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def write(tables: Sequence[Table], title: str, day: date, path: Path) -> None:
    """Write a workbook with a sheet for each table.

    Args:
        title: of the workbook, for its properties and printed pages.
        day: the day it is about; the day is also what its properties give as time of making, so that equal
            tables make equal files.
    """
    with xlsxwriter.Workbook(path) as book:
        book.set_properties(
            {"title": title, "author": theme().company, "created": datetime(day.year, day.month, day.day)}
        )
        sheets = {table.name: _Sheet(book, table, title, day) for table in tables}
        for sheet in sheets.values():
            sheet.write()
        if {"summary", "daily"} <= sheets.keys():
            sheets["summary"].add_sales_chart(sheets["daily"])


class _Sheet:
    """One table on its sheet."""

    def __init__(self, book: xlsxwriter.Workbook, table: Table, title: str, day: date) -> None:
        self.book, self.table, self.title, self.day = book, table, title, day
        self.formats: dict[tuple[Kind, bool, bool], Format] = {}
        self.sheet: Worksheet = book.add_worksheet(table.name.capitalize())
        self.positions = {column.name: index for index, column in enumerate(table.columns)}

    def write(self) -> None:
        """Title, head, rows, totals, and all that makes it handy."""
        look = theme()
        large = self.book.add_format({"bold": True, "font_size": 14, "font_color": look.accent})
        quiet = self.book.add_format({"font_color": look.muted})
        self.sheet.write_string(TITLE_ROW, 0, f"{self.table.title} · {notation.short_day(self.day)}", large)
        self.sheet.write_string(CAPTION_ROW, 0, self.table.caption, quiet)
        rows = self.table.rows()
        if not rows:
            self.sheet.write_string(HEAD_ROW, 0, self.table.empty, quiet)
            return
        self._head()
        for number, values in enumerate(rows):
            for index, column in enumerate(self.table.columns):
                self._cell(FIRST_ROW + number, index, column, values[index], self.table.kind(column, number))
        if self.table.totals:
            self._totals(FIRST_ROW + len(rows))
        self._fit(len(rows))

    def _head(self) -> None:
        look = theme()
        settings = {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 2, "font_color": look.ink}
        settings |= {"bottom_color": look.accent, "bg_color": look.panel}
        left, right = self.book.add_format(settings), self.book.add_format(settings | {"align": "right"})
        for index, column in enumerate(self.table.columns):
            self.sheet.write_string(
                HEAD_ROW, index, column.title, left if column.kind is Kind.TEXT else right
            )

    def _cell(self, row: int, index: int, column: Column, value: Any, kind: Kind) -> None:
        if self.table.is_derived(column):
            self._formula(row, index, self._quotient(column, row), value, self._format(kind))
        elif value is None:
            self.sheet.write_blank(row, index, None, self._format(kind))
        elif kind is Kind.TEXT:
            text = str(value)
            self.sheet.write_string(
                row, index, text, self._format(kind, quoted=text.startswith(FORMULA_SIGNS))
            )
        elif kind in (Kind.DAY, Kind.MOMENT):
            self.sheet.write_datetime(row, index, value.to_pydatetime(), self._format(kind))
        else:
            number = float(value) / SECONDS_IN_DAY if kind is Kind.DURATION else value
            self.sheet.write_number(row, index, number, self._format(kind))

    def _totals(self, row: int) -> None:
        """The last line: sums of what is shown (a filter narrows them), and quotients of the sums."""
        for index, (column, value) in enumerate(
            zip(self.table.columns, self.table.total_values(), strict=True)
        ):
            kind = column.kind if index else Kind.TEXT
            look = self._format(kind, total=True)
            if index == 0:
                self.sheet.write_string(row, index, str(value), look)
            elif column.summed:
                cells = xl_range(FIRST_ROW, index, row - 1, index)
                self._formula(row, index, f"=SUBTOTAL(109,{cells})", value, look)
            elif column.quotient and value is not None:
                self._formula(row, index, self._quotient(column, row), value, look)
            else:
                self.sheet.write_blank(row, index, None, look)

    def _formula(self, row: int, index: int, formula: str, value: float | None, look: Format) -> None:
        self.sheet.write_formula(row, index, formula, look, "" if value is None else value)

    def _quotient(self, column: Column, row: int) -> str:
        assert column.quotient is not None
        above, below = (xl_rowcol_to_cell(row, self.positions[name]) for name in column.quotient)
        ratio = f"({above}-{below})/ABS({below})" if column.kind is Kind.CHANGE else f"{above}/{below}"
        return f'=IF(OR({above}="",N({below})=0),"",{ratio})'

    def _format(self, kind: Kind, *, total: bool = False, quoted: bool = False) -> Format:
        look = theme()
        if (kind, total, quoted) not in self.formats:
            money = f'"{look.currency}"#,##0.00'
            numbers = {
                Kind.COUNT: "#,##0",
                Kind.MONEY: f"{money};-{money}",
                Kind.SHARE: "0.0%",
                Kind.CHANGE: "+0.0%;-0.0%;0.0%",
                Kind.DURATION: "[m]:ss",
                Kind.DAY: "ddd d mmm yyyy",
                Kind.MOMENT: "d mmm yyyy hh:mm",
            }
            settings: dict[str, Any] = (
                {"num_format": numbers[kind]} if kind in numbers else {"num_format": "@"}
            )
            if kind is not Kind.TEXT:
                settings["align"] = "right"
            if total:
                settings |= {"bold": True, "top": 1}
            if quoted:
                settings["quote_prefix"] = True
            self.formats[kind, total, quoted] = self.book.add_format(settings)
        return self.formats[kind, total, quoted]

    def _fit(self, rows: int) -> None:
        """Widths, frozen head, filters, and pages that print."""
        last = len(self.table.columns) - 1
        texts = [*self.table.texts(), *([self.table.total_texts()] if self.table.totals else [])]
        for index, column in enumerate(self.table.columns):
            longest = max(len(cells[index]) for cells in texts) + (4 if column.kind is Kind.DAY else 0)
            head = max(len(word) for word in column.title.split()) + 4  # room for the filter's button
            self.sheet.set_column(index, index, min(max(longest + 2, head, NARROWEST), WIDEST))
        self.sheet.freeze_panes(FIRST_ROW, 1)
        self.sheet.autofilter(HEAD_ROW, 0, HEAD_ROW + rows, last)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)  # A4
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(HEAD_ROW)
        self.sheet.set_footer(f"&L{self.title.replace('&', '&&')}&RPage &P of &N")

    def add_sales_chart(self, daily: "_Sheet") -> None:
        """Below this table: the sales of another sheet's days as columns, their moving average as a line."""
        look = theme()
        source, rows = daily.sheet.get_name(), len(daily.table.frame)
        if not rows:
            return
        last = FIRST_ROW + rows - 1
        charts = []
        for kind, column, colour in (
            ("column", "total_sales", look.accent),
            ("line", "moving_average", look.series[1]),
        ):
            chart = self.book.add_chart({"type": kind})
            assert chart is not None
            position = daily.positions[column]
            chart.add_series(
                {
                    "name": [source, HEAD_ROW, position],
                    "categories": [source, FIRST_ROW, 0, last, 0],
                    "values": [source, FIRST_ROW, position, last, position],
                    "line": {"color": colour, "width": 2} if kind == "line" else {"none": True},
                    "fill": {"color": colour, "transparency": 40},
                    "gap": 40,
                }
            )
            charts.append(chart)
        columns, average = charts
        columns.combine(average)
        columns.set_title(
            {"name": daily.table.caption, "name_font": {"size": 12, "bold": False, "color": look.ink}}
        )
        columns.set_x_axis({"date_axis": True, "num_format": "d mmm", "num_font": {"color": look.muted}})
        columns.set_y_axis(
            {"major_gridlines": {"visible": True, "line": {"color": look.rule}}, "line": {"none": True}}
        )
        columns.set_legend({"position": "top"})
        columns.set_size({"width": 760, "height": 340})
        below = FIRST_ROW + len(self.table.frame) + 2
        self.sheet.insert_chart(
            below, 0, columns, {"description": "Columns of the daily sales, and a line for their mean"}
        )
