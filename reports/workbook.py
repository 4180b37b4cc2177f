"""The workbook of a report: a cover, and each table on a sheet of its own, as typed cells.

Dates are dates and money is money; totals and changes are formulas that carry their value along, for readers
that do not calculate; text is text, also where it begins like a formula. Rows are written as they come, so
that a million of them need no more memory than a thousand. The tables come from `sections.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range, xl_range_abs, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from reports import notation
from reports.archive import Manifest
from reports.edition import Edition
from reports.errors import ReportError
from reports.markdown import LEFT
from reports.tables import Column, Kind, Table
from reports.theme import theme

TITLE_ROW, CAPTION_ROW, HEAD_ROW = 0, 1, 3
FIRST_ROW = HEAD_ROW + 1
LAST_ROW = 1_048_575  # of a sheet
NARROWEST, WIDEST = 9, 60  # of columns, in characters
SECONDS_IN_DAY = 86_400
# Signs with which a spreadsheet, or the CSV made from it, would take text for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
COVER = "Cover"
CHARTED = 15  # bars that a chart has room for
SHORT = 20  # rows
SIZE = {"width": 760, "height": 340}
DATES = (Kind.DAY, Kind.MONTH, Kind.MOMENT)


def write(tables: Sequence[Table], edition: Edition, manifest: Manifest, path: Path) -> None:
    """Write a workbook with a cover and a sheet for each table. Equal tables make equal files.

    Args:
        manifest: what the report is made of, for its cover and properties.

    Raises:
        ReportError: a table has more rows than a sheet.
    """
    for table in tables:
        if FIRST_ROW + table.length >= LAST_ROW:
            raise ReportError(
                f"the table {table.name} has {notation.count(table.length)} rows, more than a sheet holds: "
                "ask for a shorter period, or for csv or parquet"
            )
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        book.set_properties(
            {
                "title": f"{edition.report.label} · {notation.period(edition.asked)}",
                "author": theme().company,
                "keywords": manifest.report_id,
                # The day it is about: the time of making would make each file another.
                "created": datetime.combine(edition.asked.first, datetime.min.time()),
            }
        )
        book.set_custom_property("report-id", manifest.report_id)
        _Book(book, edition, manifest).write(tables)


class _Book:
    """What the sheets of a workbook share: its formats, its footer."""

    def __init__(self, book: xlsxwriter.Workbook, edition: Edition, manifest: Manifest) -> None:
        self.book, self.edition, self.manifest = book, edition, manifest
        self.formats: dict[tuple[Kind, bool, bool], Format] = {}
        look = theme()
        self.large = book.add_format({"bold": True, "font_size": 14, "font_color": look.accent})
        self.quiet = book.add_format({"font_color": look.muted})
        self.link = book.add_format({"font_color": look.accent, "underline": 1})
        self.note = book.add_format({"font_color": look.muted, "text_wrap": True, "valign": "top"})
        money = f'"{notation.current().currency}"' if notation.currency_is_before() else ""
        after = "" if money else f'\u00a0"{notation.current().currency}"'
        self.numbers = {
            Kind.COUNT: "#,##0",
            Kind.MONEY: f"{money}#,##0.00{after};-{money}#,##0.00{after}",
            Kind.SHARE: "0.0%",
            Kind.CHANGE: "+0.0%;-0.0%;0.0%",
            Kind.DURATION: "[m]:ss",
            Kind.DECIMAL: "#,##0.0",
            Kind.NUMBER: "0",
            Kind.DAY: "ddd d mmm yyyy",
            Kind.MONTH: "mmm yyyy",
            Kind.MOMENT: "d mmm yyyy hh:mm",
            Kind.TEXT: "@",
        }

    def write(self, tables: Sequence[Table]) -> None:
        cover = self.book.add_worksheet(COVER)
        sheets = [_Sheet(self, table) for table in tables]
        self._cover(cover, sheets)
        for sheet in sheets:
            sheet.write()

    def format(self, kind: Kind, *, total: bool = False, quoted: bool = False) -> Format:
        """The format of a kind of cells; money and dates in the style of the report."""
        if (kind, total, quoted) not in self.formats:
            settings: dict[str, Any] = {"num_format": self.numbers[kind]}
            settings["align"] = "left" if kind in LEFT else "right"
            if total:
                settings |= {"bold": True, "top": 1}
            if quoted:
                settings["quote_prefix"] = True
            self.formats[kind, total, quoted] = self.book.add_format(settings)
        return self.formats[kind, total, quoted]

    def page(self, sheet: Worksheet) -> None:
        """How a sheet is printed."""
        sheet.set_landscape()
        sheet.set_paper(1 if self.manifest.parameters["paper"] == "us-letter" else 9)
        sheet.fit_to_pages(1, 0)
        title = f"{self.edition.report.label} · {notation.period(self.edition.asked)}"
        sheet.set_footer(f"&L{title.replace('&', '&&')}&RPage &P of &N")

    def _cover(self, sheet: Worksheet, sheets: Sequence["_Sheet"]) -> None:
        """What it is, of what, from when; where to find what; which report it is."""
        look, edition = theme(), self.edition
        title = self.book.add_format({"bold": True, "font_size": 22, "font_color": look.accent})
        subtitle = self.book.add_format({"font_size": 13, "font_color": look.ink})
        head_look = {"bold": True, "bottom": 2, "bottom_color": look.accent, "font_color": look.ink}
        head, right = self.book.add_format(head_look), self.book.add_format(head_look | {"align": "right"})
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 3)
        sheet.set_column(1, 1, 30)
        sheet.set_column(2, 2, 76)
        sheet.set_column(3, 3, 12)
        sheet.write_string(1, 1, look.company, self.quiet)
        sheet.set_row(2, 32)
        sheet.write_string(2, 1, edition.report.label, title)
        sheet.write_string(3, 1, notation.period(edition.period), subtitle)
        row = 4
        for name, value in edition.only.given():
            sheet.write_string(row, 1, f"Only {name}: {value}", subtitle)
            row += 1
        row += 1
        for column, text in enumerate(("Sheet", "What it shows", "Rows"), start=1):
            sheet.write_string(row, column, text, right if text == "Rows" else head)
        rows = self.format(Kind.COUNT)
        for part in sheets:
            row += 1
            sheet.write_url(row, 1, f"internal:'{part.name}'!A1", self.link, part.table.title)
            sheet.write_string(row, 2, part.table.caption)
            sheet.write_number(row, 3, part.table.length, rows)
        row += 2
        fact = self.book.add_format({"font_color": look.muted, "valign": "top"})
        for name, value in (
            ("Report", self.manifest.report_id),
            ("Made by", self.manifest.code_version),
            ("Amounts", f"in {notation.current().currency}; times in UTC"),
        ):
            sheet.write_string(row, 1, name, fact)
            sheet.write_string(row, 2, value, self.note)
            row += 1
        self.page(sheet)


class _Sheet:
    """One table on its sheet."""

    def __init__(self, book: _Book, table: Table) -> None:
        self.book, self.table = book, table
        self.name = table.name.replace("_", " ").capitalize()
        self.sheet: Worksheet = book.book.add_worksheet(self.name)
        self.positions = {column.name: index for index, column in enumerate(table.columns)}
        self.widths = [max(len(word) for word in column.title.split()) + 4 for column in table.columns]

    def write(self) -> None:
        """Title, head, rows, totals, and all that makes it handy."""
        self.sheet.write_string(TITLE_ROW, 0, self.table.title, self.book.large)
        self.sheet.write_string(CAPTION_ROW, 0, self.table.caption, self.book.quiet)
        self.book.page(self.sheet)
        if not self.table.length:
            self.sheet.write_string(HEAD_ROW, 0, self.table.empty, self.book.quiet)
            return
        self._head()
        row = FIRST_ROW
        for batch in self.table.batches():
            for values in batch:
                for index, column in enumerate(self.table.columns):
                    self._cell(row, index, column, values[index], self.table.kind(column, row - FIRST_ROW))
                row += 1
        if self.table.totals:
            self._totals(row)
        self._finish()
        if self.table.chart:
            self._chart()

    def _head(self) -> None:
        look = theme()
        settings = {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 2, "font_color": look.ink}
        settings |= {"bottom_color": look.accent, "bg_color": look.panel}
        left, right = (
            self.book.book.add_format(settings),
            self.book.book.add_format(settings | {"align": "right"}),
        )
        for index, column in enumerate(self.table.columns):
            self.sheet.write_string(HEAD_ROW, index, column.title, left if column.kind in LEFT else right)

    def _cell(self, row: int, index: int, column: Column, value: Any, kind: Kind) -> None:
        look = self.book.format(kind)
        width = 0
        if self.table.is_derived(column):
            self._formula(row, index, self._quotient(column, row), value, look)
        elif value is None:
            self.sheet.write_blank(row, index, None, look)
        elif kind is Kind.TEXT:
            text = str(value)
            width = len(text) + 2
            if text.startswith(FORMULA_SIGNS):
                look = self.book.format(kind, quoted=True)
            self.sheet.write_string(row, index, text, look)
        elif kind in DATES:
            width = len(self.book.numbers[kind]) + 2
            self.sheet.write_datetime(row, index, value.to_pydatetime(), look)
        else:
            number = float(value) / SECONDS_IN_DAY if kind is Kind.DURATION else value
            width = len(f"{number:,.2f}") + (3 if kind is Kind.MONEY else 0)
            self.sheet.write_number(row, index, number, look)
        self.widths[index] = max(self.widths[index], width)

    def _totals(self, row: int) -> None:
        """The last line: sums of what is shown (a filter narrows them), and quotients of the sums."""
        for index, (column, value) in enumerate(
            zip(self.table.columns, self.table.total_values(), strict=True)
        ):
            kind = column.kind if index else Kind.TEXT
            look = self.book.format(kind, total=True)
            if index == 0:
                self.sheet.write_string(row, index, str(value), look)
                self.widths[0] = max(self.widths[0], len(str(value)) + 2)
            elif column.summed:
                cells = xl_range(FIRST_ROW, index, row - 1, index)
                self._formula(row, index, f"=SUBTOTAL(109,{cells})", value, look)
                self._define(column, "_total", xl_rowcol_to_cell(row, index, row_abs=True, col_abs=True))
                self.widths[index] = max(self.widths[index], len(self.table.total_texts()[index]) + 2)
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

    def _define(self, column: Column, suffix: str, cells: str) -> None:
        """A name for cells, as products_revenue or products_revenue_total, to be used in formulas."""
        self.book.book.define_name(f"{self.table.name}_{column.name}{suffix}", f"='{self.name}'!{cells}")

    def _finish(self) -> None:
        """Widths, frozen head, filters, names, and pages that print."""
        last = len(self.table.columns) - 1
        last_row = HEAD_ROW + self.table.length
        for index, column in enumerate(self.table.columns):
            self.sheet.set_column(index, index, min(max(self.widths[index], NARROWEST), WIDEST))
            self._define(column, "", xl_range_abs(FIRST_ROW, index, last_row, index))
        self.sheet.freeze_panes(FIRST_ROW, 1)
        self.sheet.autofilter(HEAD_ROW, 0, last_row, last)
        self.sheet.repeat_rows(HEAD_ROW)

    def _chart(self) -> None:
        """The table's figures as columns and a line, or as bars: below a short table; beside a long one
        (there it is not printed)."""
        spec, look = self.table.chart, theme()
        assert spec is not None
        if spec.bars:
            rows = min(self.table.length, CHARTED)
            chart = self._series("bar", spec.bars, (look.accent,), rows)
            chart.set_y_axis({"reverse": True, "num_font": {"color": look.muted}})
            chart.set_x_axis({"major_gridlines": {"visible": True, "line": {"color": look.rule}}})
            chart.set_legend({"none": True})
            chart.set_size({"width": 560, "height": 120 + 24 * rows})
        else:
            chart = self._series("column", spec.columns, (look.accent,), self.table.length)
            chart.combine(self._series("line", spec.lines, look.series[1:], self.table.length))
            chart.set_x_axis(
                {"date_axis": True, "num_format": "d mmm", "num_font": {"color": look.muted}}
                if self.table.columns[self.positions[spec.category]].kind is Kind.DAY
                else {"num_format": "mmm yyyy", "num_font": {"color": look.muted}}
            )
            chart.set_y_axis(
                {"major_gridlines": {"visible": True, "line": {"color": look.rule}}, "line": {"none": True}}
            )
            chart.set_legend({"position": "top"})
            chart.set_size(SIZE)
        chart.set_title(
            {"name": self.table.title, "name_font": {"size": 12, "bold": False, "color": look.ink}}
        )
        last_row, columns = FIRST_ROW + self.table.length, len(self.table.columns)
        place = (HEAD_ROW, columns + 1)
        if self.table.length <= SHORT:
            place = (last_row + 2, 0)
        else:
            self.sheet.print_area(0, 0, last_row, columns - 1)
        self.sheet.insert_chart(
            *place,
            chart,
            {"description": f"A chart of the table: {self.table.caption}"},
        )

    def _series(self, kind: str, columns: Sequence[str], colours: Sequence[str], rows: int) -> Any:
        chart = self.book.book.add_chart({"type": kind})
        assert chart is not None
        assert self.table.chart is not None
        category, last = self.positions[self.table.chart.category], FIRST_ROW + rows - 1
        for name, colour in zip(columns, colours, strict=False):
            position = self.positions[name]
            chart.add_series(
                {
                    "name": [self.name, HEAD_ROW, position],
                    "categories": [self.name, FIRST_ROW, category, last, category],
                    "values": [self.name, FIRST_ROW, position, last, position],
                    "line": {"color": colour, "width": 2} if kind == "line" else {"none": True},
                    "fill": {"color": colour},
                    "gap": 40,
                }
            )
        return chart
