"""Rejected rows as a workbook that the owner of their file mends and sends back.

A sheet for each feed: in front, in grey, what identifies a row and what is wrong with it; then the source's
own columns, as text, with the cells in question marked. A row that comes back changed and now keeps every
rule lands under its own file and line; the reject is then replayed, with the mended row beside the one that
was refused.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter

from ingest import warehouse
from ingest.config import ConfigError, Feed, Source, load_sources
from ingest.connectors import SourceError
from ingest.connectors.files import File
from ingest.connectors.sheet import as_text, blank
from ingest.connectors.workbook import MAX_EXPANDED_MB, open_workbook, opening
from ingest.landing import as_batches, replay
from ingest.ledger import Ledger, Load, Reject
from ingest.mapping import Mapper
from ingest.trial import names_in

FRONT, BACK = ("_id", "_line", "_reason"), ("_rule", "_file")
"""Our columns, before and behind the source's. No column of a source begins with _ (the mapping would not see
it)."""

LONGEST_CELL = 32_767  # Excel's limit
MOST_ROWS = 1_000_000  # of a sheet
HELP = (
    "Each other sheet holds rows that could not be taken over, with the reason.",
    "Mend the yellow cells, or any other of the white ones, then save the workbook and send it back.",
    "Leave the grey columns as they are: they tell which row is which. Do not add rows; new rows belong in a"
    " file.",
    "All cells are text: write dates and numbers as the other rows of your file have them.",
    "A row that you leave unchanged, or delete here, stays open.",
)


@dataclass(frozen=True)
class Open:
    """A rejected row in any state; ``raw`` is the row as it stood in the source."""

    rejection_id: int
    state: str
    reject: Reject

    @property
    def raw(self) -> dict[str, str | None]:
        """The source's columns in their order."""
        row: dict[str, str | None] = json.loads(self.reject.raw_row)
        return row


@dataclass
class Mended:
    """What came of a workbook: the loads of what landed, rows that came back unchanged, and by sheet and row
    what is to be told: rows that still break a rule, and rows that are none of the open ones."""

    loads: list[Load] = field(default_factory=list)
    unchanged: int = 0
    still_wrong: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    @property
    def landed(self) -> int:
        """The rows that now keep every rule."""
        return sum(load.counts.accepted for load in self.loads)


# -------------------------------------------------------------------------------------------------------- out


def write_workbook(target: Path, rejects: Sequence[Open], sources: Mapping[str, Source]) -> None:
    """Write rejected rows as a workbook; ``sources`` tells which cells a rule is about."""
    feeds = {(s.name, feed.name): feed for s in sources.values() for feed in s.feeds}
    by_feed: dict[tuple[str, str], list[Open]] = defaultdict(list)
    for one in rejects:
        by_feed[one.reject.source, one.reject.feed].append(one)
    with xlsxwriter.Workbook(
        str(target), {"strings_to_formulas": False, "strings_to_urls": False}
    ) as workbook:
        sheets: list[str] = []
        for (source, feed), rows in by_feed.items():
            for start in range(0, len(rows), MOST_ROWS):
                name = f"{source}.{feed}"[:28]
                name = name if name not in sheets else f"{name[:25]} {len(sheets)}"
                sheets.append(name)
                _write_sheet(workbook, name, rows[start : start + MOST_ROWS], feeds.get((source, feed)))
        _write_help(workbook)


def _write_sheet(workbook: Any, name: str, rows: Sequence[Open], feed: Feed | None) -> None:
    sheet = workbook.add_worksheet(name)
    text = {"num_format": "@", "valign": "top", "quote_prefix": True}
    grey = workbook.add_format(text | {"bg_color": "#E7E6E6", "font_color": "#404040"})
    white = workbook.add_format(text)
    yellow = workbook.add_format(text | {"bg_color": "#FFEB9C"})
    bold = workbook.add_format({"bold": True, "bottom": 1, "bg_color": "#E7E6E6"})
    own = list(dict.fromkeys(column for row in rows for column in row.raw))
    columns = [*FRONT, *own, *BACK]
    for position, column in enumerate(columns):
        sheet.write_string(0, position, column, bold)
    for number, row in enumerate(rows, start=1):
        reject, raw = row.reject, row.raw
        ours = (row.rejection_id, reject.line, reject.reason, reject.rule, reject.file)
        for column, value in zip((*FRONT, *BACK), ours, strict=True):
            sheet.write_string(number, columns.index(column), _shown(str(value)), grey)
        wrong = _wrong_columns(reject, feed, own)
        for position, column in enumerate(own, start=len(FRONT)):
            form = yellow if column in wrong else white
            value = raw.get(column)
            if value:
                sheet.write_string(number, position, _shown(value), form)
            else:
                sheet.write_blank(number, position, None, form)
        if wrong:
            first = min(own.index(column) for column in wrong) + len(FRONT)
            sheet.write_comment(number, first, reject.reason[:1000], {"x_scale": 2})
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    for column, width in zip((*FRONT, *BACK), (6, 7, 44, 28, 40), strict=True):
        sheet.set_column(columns.index(column), columns.index(column), width)
    for column in own:
        longest = max(len(column), *(len(row.raw.get(column) or "") for row in rows[:1000]))
        sheet.set_column(columns.index(column), columns.index(column), min(40, longest + 3), white)


def _write_help(workbook: Any) -> None:
    sheet = workbook.add_worksheet("How to mend")
    sheet.set_column(0, 0, 110)
    for number, line in enumerate(HELP):
        sheet.write_string(number, 0, line)


def _wrong_columns(reject: Reject, feed: Feed | None, own: Sequence[str]) -> set[str]:
    """The source's columns that the broken rules are about."""
    if reject.rule == "row_shape":
        return set(own)
    if feed is None:
        return set()
    words: set[str] = set()
    for rule in reject.rule.split(", "):
        predicate = names_in(feed.rules.get(rule, ""))
        landed = [c for c in feed.columns if c in predicate or rule in (f"{c}_{kind}" for kind in KINDS)]
        words |= {word for column in landed for word in names_in(feed.columns[column])}
    return {column for column in own if column.lower() in words}


KINDS = ("required", "type", "length", "range", "plausible")


def _shown(value: str) -> str:
    """A value as its cell holds it."""
    return value if len(value) <= LONGEST_CELL else value[: LONGEST_CELL - 1] + "…"


# ------------------------------------------------------------------------------------------------------- back


def mend(file: Path, sources: Mapping[str, Source], ledger: Ledger) -> Mended:
    """Land the rows of a workbook that were mended.

    Raises:
        SourceError: it is no workbook, or none that ``write_workbook`` made.
        ConfigError: sources.yml does not fit the rows.
    """
    result = Mended()
    cells = _cells(file, result)
    known = {one.rejection_id: one for one in find(ledger, [id_ for id_, _ in cells.values()])}
    changed: dict[int, str] = {}
    for place, (id_, row) in cells.items():
        one = known.get(id_)
        if wrong := _strange(id_, row, one, changed, sources):
            result.strange.append(f"{place}: {wrong}")
        elif one is not None and (new := _changes(one.raw, row)):
            changed[id_] = json.dumps(one.raw | new, ensure_ascii=False)
        else:
            result.unchanged += 1
    places = {id_: place for place, (id_, _) in cells.items()}
    for source in sources.values():
        mine = {id_: raw for id_, raw in changed.items() if known[id_].reject.source == source.name}
        if mine:
            refused = _refused(source, [known[id_] for id_ in mine], mine)
            result.still_wrong += [f"{places[id_]}: {reason}" for id_, reason in sorted(refused.items())]
            result.loads += replay(
                source, ledger, {id_: raw for id_, raw in mine.items() if id_ not in refused}
            )
    return result


def _cells(file: Path, result: Mended) -> dict[str, tuple[int, dict[str, str]]]:
    """The rows of all sheets that have our columns, by sheet and row: the id of each and its cells by
    heading."""
    if not file.is_file():
        raise SourceError(f"{file}: there is no such file")
    found: dict[str, tuple[int, dict[str, str]]] = {}
    is_ours = False
    workbook_file = File(str(file), file)
    with opening(workbook_file):
        workbook = open_workbook(workbook_file, MAX_EXPANDED_MB)
        sheets = [
            (name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in workbook.sheet_names
        ]
    for name, rows in sheets:
        heading = [as_text(cell).strip() for cell in rows[0]] if rows else []
        if not {*FRONT, *BACK} <= set(heading):
            continue
        is_ours = True
        for number, cells in enumerate(rows[1:], start=2):
            row = {column: as_text(cell) for column, cell in zip(heading, cells, strict=True) if column}
            if all(map(blank, row.values())):
                continue
            if row["_id"].strip().isdigit():
                found[f"{name} row {number}"] = int(row["_id"]), row
            else:
                result.strange.append(
                    f"{name} row {number}: has no _id, so it is none of the rows that were written out"
                )
    if not is_ours:
        raise SourceError(
            f"{file}: no sheet has the columns {', '.join((*FRONT, *BACK))}; it is not a workbook of"
            " `analytics rejects"
            " export`"
        )
    return found


def find(ledger: Ledger, rejection_ids: Sequence[int]) -> list[Open]:
    """The rejected rows of these ids, whatever their state."""
    return select_rejects(ledger.connection, "rejection_id = any(%s)", (list(rejection_ids),))


def select_rejects(connection: Any, condition: str, parameters: Sequence[Any]) -> list[Open]:
    """The rejected rows for which a condition holds, by source, feed, file and line."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select rejection_id, state, load_id, source_name, feed_name, source_file, source_line, rule,"
            f" reason, raw_row::text from ops.rejected_rows where {condition} order by source_name,"
            " feed_name, source_file, source_line, rejection_id",
            parameters,
        )
        return [Open(id_, state, Reject(*row)) for id_, state, *row in cursor.fetchall()]


def _strange(
    id_: int,
    row: Mapping[str, str],
    one: Open | None,
    changed: Mapping[int, str],
    sources: Mapping[str, Source],
) -> str | None:
    """Why a row is none that can be mended, or None."""
    if one is None:
        return f"there is no rejected row {id_}"
    reject = one.reject
    if (row["_file"], row["_line"]) != (_shown(reject.file), str(reject.line)):
        return (
            f"the rejected row {id_} is {reject.file}:{reject.line} here, not {row['_file']}:{row['_line']}"
        )
    if one.state != "open":
        return f"the rejected row {id_} is {one.state} already"
    if id_ in changed:
        return f"the rejected row {id_} comes twice; the first one counts"
    if reject.source not in sources or reject.feed not in {
        feed.name for feed in sources[reject.source].feeds
    }:
        return f"sources.yml has no feed {reject.source}.{reject.feed} any more"
    return None


def _changes(raw: Mapping[str, str | None], row: Mapping[str, str]) -> dict[str, str | None]:
    """The values that differ from those that were written out."""
    return {
        column: row[column] or None
        for column, value in raw.items()
        if column in row and _lines(row[column]) != _lines(_shown(value or ""))
    }


def _lines(value: str) -> str:
    """A text with the ends of lines that every program agrees on."""
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _refused(source: Source, rows: Sequence[Open], mended: Mapping[int, str]) -> dict[int, str]:
    """Of mended rows those that still break a rule, with the reason."""
    refused: dict[int, str] = {}
    for feed in source.feeds:
        with closing(duckdb.connect()) as connection:
            connection.execute("set TimeZone = 'UTC'")
            mapper = Mapper(feed, connection)
            for batch in as_batches(
                (one.rejection_id, one.reject._replace(rule="", raw_row=mended[one.rejection_id]))
                for one in rows
                if one.reject.feed == feed.name
            ):
                mapper.add(batch)
            refused |= dict(connection.execute("select load_id, reason from rejected").fetchall())
    return refused


def export(target: Path, condition: str, parameters: Sequence[Any]) -> int:
    """Write the open rejected rows for which a condition holds as a workbook; returns how many. Without any,
    nothing is written."""
    with closing(warehouse.connect("reader")) as connection:
        rejects = select_rejects(connection, f"state = 'open' and {condition}", parameters)
    if rejects:
        try:
            sources = load_sources()
        except ConfigError:  # without it no cell is marked
            sources = {}
        write_workbook(target, rejects, sources)
    return len(rejects)
