"""What the verbs of the command share: asking the warehouse, and showing rows to people and programs."""

import csv
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import click
import psycopg2

from ingest import warehouse

if TYPE_CHECKING:
    from rich.console import Console

Format = Literal["table", "csv", "json"]
FORMAT = click.Choice(["table", "csv", "json"])
WIDEST_CELL = 28
WIDTH_OF_A_FILE = 160
WHOLE = 10_000  # for programs: a row is a line


def select(
    query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows of a query, asked with the role that can only read.

    Raises:
        click.ClickException: what the database says, as one line for a person.
    """
    try:
        with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return [column.name for column in cursor.description or ()], cursor.fetchall()
    except psycopg2.errors.UndefinedTable as error:
        raise click.ClickException(f"{str(error).splitlines()[0]}; run `analytics run` first?") from error
    except psycopg2.Error as error:
        raise click.ClickException(str(error).strip()) from error


def console(stderr: bool = False, elsewhere: int = WIDTH_OF_A_FILE) -> "Console":
    """The terminal; where it is none, lines of up to ``elsewhere`` characters."""
    from rich.console import Console

    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if is_terminal else _columns_said() or elsewhere
    return Console(width=width, highlight=False, stderr=stderr)


def show(names: Sequence[str], rows: Sequence[Sequence[Any]], format_: Format) -> None:
    """Print rows."""
    if format_ == "json":
        show_json([dict(zip(names, row, strict=True)) for row in rows])
    elif format_ == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    else:
        from rich.table import Table
        from rich.text import Text

        table = Table(*names, box=None, header_style="bold", pad_edge=False)
        for row in rows:
            table.add_row(*(Text("" if value is None else str(value)) for value in row))
        console(elsewhere=WHOLE).print(table)


def show_json(value: Any) -> None:
    """Print a value as JSON; times are ISO, other values their text."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def show_wide(names: Sequence[str], rows: Sequence[Sequence[Any]], indent: str = "") -> None:
    """Print rows that may be wider than the terminal: in blocks of columns below each other, each of which
    begins with the first column. Long values are cut."""
    from rich.text import Text

    screen = console()
    cells = [["" if value is None else _cut(str(value)) for value in row] for row in rows]
    widths = [max(map(len, (name, *(row[i] for row in cells)))) for i, name in enumerate(names)]
    block, used = [0], widths[0] + len(indent)
    blocks = []
    for column in range(1, len(names)):
        if used + 2 + widths[column] > screen.width and len(block) > 1:
            blocks.append(block)
            block, used = [0], widths[0] + len(indent)
        block.append(column)
        used += 2 + widths[column]
    for number, columns in enumerate([*blocks, block]):
        if number:
            screen.print()
        for row in (names, *cells):
            line = "  ".join(row[i].ljust(widths[i]) for i in columns)
            screen.print(
                Text(indent + line.rstrip(), style="bold" if row is names else ""),
                no_wrap=True,
                overflow="ellipsis",
            )


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST_CELL else line[: WIDEST_CELL - 1] + "…"


def _columns_said() -> int | None:
    said = os.environ.get("COLUMNS", "")
    return int(said) if said.isdigit() else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
