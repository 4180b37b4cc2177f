"""``analytics source``: the sources of sources.yml. How a new one is proposed is ``ingest.onboarding``'s to
know; here a person is shown what was found, and asked what the data leave open.
"""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from cli.console import FORMAT, Format, console, show, show_json, show_wide

if TYPE_CHECKING:
    from ingest.onboarding import Entry, Origin
    from ingest.profile import Column, Table
    from ingest.reading import Answers
    from ingest.trial import Trial

HOLDS = {
    "empty": "nothing",
    "integer": "whole numbers",
    "decimal": "numbers",
    "date": "dates",
    "timestamp": "times",
    "time": "times of day",
    "boolean": "yes or no",
    "text": "text",
}
LONGEST_NAME = 24
MOST_KEYS = 4


@click.group()
def source() -> None:
    """The sources of sources.yml."""


@source.command("list")
@click.option("--format", "format_", type=FORMAT, default="table")
def source_list(format_: Format) -> None:
    """List the sources and what they feed.

    Example: analytics source list
    """
    from ingest.config import load_sources

    rows = [
        (s.name, s.kind, feed.name, next(iter(feed.place.values())))
        for s in load_sources().values()
        for feed in s.feeds
    ]
    show(["source", "kind", "feed", "where"], rows, format_)


# ------------------------------------------------------------------------------------------------------ check


@source.command("check")
@click.argument("names", nargs=-1)
@click.option("--format", "format_", type=FORMAT, default="table", help="csv: the sample rows only.")
def source_check(names: tuple[str, ...], format_: Format) -> None:
    """Read and map sources (default: all) without writing anything: counts, 20 rows as they would land, the
    rules that rows break, columns that nothing maps.

    Example: analytics source check shop
    """
    from demo.desk import desk_server
    from ingest import DataIngestion

    with desk_server(), closing(DataIngestion().check(names or None)) as trials:
        if format_ == "table":
            failed = [_show_trial(trial) for trial in trials]
        else:
            done = list(trials)
            (_trials_as_json if format_ == "json" else _samples_as_csv)(done)
            failed = [bool(trial.error) for trial in done]
    if any(failed):
        raise SystemExit(1)


def _show_trial(trial: "Trial") -> bool:
    """Print a trial for a person; returns whether it failed."""
    name = f"{trial.source}.{trial.feed}"
    if trial.error:
        click.secho(f"{name}: {trial.error}", fg="red", err=True)
        return True
    counts = trial.counts
    click.secho(
        f"{name}: {_rows(counts.read)} read, {counts.accepted:,} would land, {counts.rejected:,} would be"
        " rejected",
        bold=True,
    )
    for broken in trial.broken:
        click.secho(f"  {broken.rule}: {_rows(broken.rows)}, first {broken.file}:{broken.line}", fg="yellow")
        click.echo(f"    {broken.reason}")
    for column in trial.unmapped:
        click.echo(f"  column {column} is ignored until it is mapped")
    for note in trial.notes:
        click.echo(f"  note: {note}")
    if trial.sample:
        # What is the same in all rows, as the file is, needs no column.
        constant = [len({row[i] for row in trial.sample}) == 1 for i in range(len(trial.columns))]
        empty = [c for i, c in enumerate(trial.columns) if constant[i] and trial.sample[0][i] is None]
        wanted = [
            i
            for i, c in enumerate(trial.columns)
            if c not in empty and c not in ("source_file", "source_line")
        ]
        lines = [i for i, c in enumerate(trial.columns) if c == "source_line"]
        order = [*lines, *wanted]
        shown = ["line" if trial.columns[i] == "source_line" else trial.columns[i] for i in order]
        click.echo(f"  the first {len(trial.sample)} rows as they would land:")
        show_wide(shown, [[row[i] for i in order] for row in trial.sample], indent="  ")
        if empty:
            click.echo(f"  empty in all of them: {', '.join(empty)}")
    click.echo()
    return False


def _trials_as_json(trials: Sequence["Trial"]) -> None:
    show_json(
        [
            {
                "source": t.source,
                "feed": t.feed,
                "error": t.error,
                "rows": {"read": t.counts.read, "accepted": t.counts.accepted, "rejected": t.counts.rejected},
                "broken": [vars(broken) for broken in t.broken],
                "unmapped": t.unmapped,
                "notes": t.notes,
                "sample": [dict(zip(t.columns, row, strict=True)) for row in t.sample],
            }
            for t in trials
        ]
    )


def _samples_as_csv(trials: Sequence["Trial"]) -> None:
    """The sample rows of one table: the feeds' columns, each once."""
    columns = list(dict.fromkeys(column for trial in trials for column in trial.columns))
    rows = []
    for trial in trials:
        for row in trial.sample:
            values = dict(zip(trial.columns, row, strict=True))
            rows.append([trial.source, trial.feed, *(values.get(column) for column in columns)])
        if trial.error:
            click.secho(f"{trial.source}.{trial.feed}: {trial.error}", fg="red", err=True)
    show(["source", "feed", *columns], rows, "csv")


# -------------------------------------------------------------------------------------------------------- add


@source.command("add")
@click.argument("file")
@click.option("--name", help="The source's name; default: from the file's.")
@click.option("--entity", "entities", multiple=True, help="What it holds, e.g. sales (may be repeated).")
@click.option(
    "--map", "mapped", multiple=True, metavar="COLUMN=SQL", help="A column's expression (may be repeated)."
)
@click.option("--date-order", type=click.Choice(["dmy", "mdy"]), help="Of dates such as 01/02/2024.")
@click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark of numbers such as 1,234.")
@click.option("--timezone", help="Of times without a zone, e.g. Europe/London.")
@click.option("--sheet", help="Only this sheet of a workbook.")
@click.option("--table", help="FILE is a database (an URL or a SQLite file): its table.")
@click.option("--yes", is_flag=True, help="Write the entry without asking.")
@click.option("--print", "only_print", is_flag=True, help="Print the entry and write nothing.")
def source_add(file: str, name: str | None, yes: bool, only_print: bool, **said: Any) -> None:
    """Look at a file, a folder, a quoted pattern or a database's table, and propose an entry of sources.yml
    for it.

    All rows are looked at (of very large files the first million). What the data do not decide is asked;
    without a terminal it is an error that names the option to give.

    Example: analytics source add inbox/sales.csv --name shop --timezone Europe/London
    """
    import duckdb

    from ingest.config import sources_file
    from ingest.onboarding import add_entry, as_yaml, locate, propose_entry, read, write_entry

    answers = _answers(said)
    origin = locate(file, name, said["sheet"], said["table"])
    target = sources_file()
    with closing(duckdb.connect()) as connection:
        origin, tables = read(origin, connection)
        entry = propose_entry(origin, tables, answers)
        err = only_print  # then the entry alone goes to standard output
        for _, table, proposal in entry.proposals:
            _show_table(table, [(feed.entity.name, feed.used) for feed in proposal.feeds], err)
        while questions := [q for _, _, proposal in entry.proposals for q in proposal.questions.values()]:
            answers = _ask(questions, answers)
            entry = propose_entry(origin, tables, answers)
        if entry.needs_zone and sys.stdin.isatty():
            answers = replace(answers, timezone=_ask_zone())
            entry = propose_entry(origin, tables, answers)
        _refuse_incomplete(entry)
        text = add_entry(target, entry, origin.name)
        _show_doubts(entry, err)
        if only_print:
            click.echo(as_yaml(entry, origin.name), nl=False)
            return
        click.secho("\nThe entry:", bold=True)
        click.echo(as_yaml(entry, origin.name))
        _try(entry, origin)
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nothing is written yet; --yes writes the entry, --print prints it alone")
    if yes or click.confirm(f"Add it to {target}?"):
        write_entry(target, text, origin.name)
        click.echo(f"Added {origin.name} to {target}.")
        click.echo(
            f"Next: analytics source check {origin.name}, then analytics ingest --source {origin.name}"
        )
    else:
        click.echo("Nothing is written.")


def _answers(said: dict[str, Any]) -> "Answers":
    from ingest.reading import Answers

    expressions = {}
    for mapped in said["mapped"]:
        column, equals, expression = mapped.partition("=")
        if not equals or not expression.strip():
            raise click.UsageError(f'--map {mapped}: write COLUMN=SQL, e.g. --map "quantity=1"')
        expressions[column.strip()] = expression.strip()
    if said["timezone"]:
        said["timezone"] = _zone(said["timezone"])
    return Answers(said["entities"], said["date_order"], said["decimal"], said["timezone"], expressions)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise click.UsageError(f"--timezone: no such time zone: {name} (e.g. Europe/London)") from error
    return name


def _ask(questions: Sequence[Any], answers: "Answers") -> "Answers":
    """Ask a person what the data leave open.

    Raises:
        UsageError: there is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        said = [
            f"{q.text} Say {' or '.join(f'{q.option} {value} ({what})' for value, what in q.choices.items())}"
            for q in questions
        ]
        raise click.UsageError("\n".join(dict.fromkeys(said)))
    for option in dict.fromkeys(q.option for q in questions):
        asked = [q for q in questions if q.option == option]
        click.echo()
        for question in asked:
            click.echo(question.text)
        for value, what in asked[0].choices.items():
            click.echo(f"  {value}  {what}")
        answer = click.prompt("Which is it", type=click.Choice(list(asked[0].choices)))
        answers = replace(answers, **{option.removeprefix("--").replace("-", "_"): answer})
    return answers


def _ask_zone() -> str:
    click.echo("\nIts times have no zone. They land as UTC; where are they local?")

    def known(name: str) -> str:
        try:
            return _zone(name)
        except click.UsageError as error:
            raise click.BadParameter(error.message) from error

    return str(click.prompt("Time zone (e.g. Europe/London)", default="UTC", value_proc=known))


def _refuse_incomplete(entry: "Entry") -> None:
    """End where no table gives a complete feed, saying what is missing."""
    missing = [line for _, _, proposal in entry.proposals for line in proposal.missing]
    if any(proposal.feeds for _, _, proposal in entry.proposals):
        for line in missing:
            entry.origin = replace(entry.origin, notes=(*entry.origin.notes, f"not proposed: {line}"))
        return
    for line in missing:
        click.secho(f"  {line}", fg="red", err=True)
    raise click.ClickException(
        "nothing can be proposed, and nothing is written. Give what is missing as SQL over the columns of"
        " the file: --map COLUMN=SQL; or say with --entity what the file holds"
    )


def _show_table(table: "Table", feeds: Sequence[tuple[str, dict[str, str]]], err: bool) -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    screen = console(err)
    looked = "" if table.whole else " looked at"
    screen.print(
        f"[bold]{table.name}[/]: {_rows(table.rows)}{looked}, {len(table.columns)} columns", soft_wrap=True
    )
    for note in table.notes:
        screen.print(f"  note: {note}", soft_wrap=True)
    becomes = {
        column: ", ".join(
            f"{entity}.{landed}" for entity, used in feeds for landed, name in used.items() if name == column
        )
        for column in table.columns
    }
    rows = [
        (c.name, _holds(c), f"{c.empty:,}", f"{c.distinct:,}", becomes[c.name] or "–", " | ".join(c.examples))
        for c in table.columns.values()
    ]
    heads = ("column", "holds", "empty", "distinct", "becomes", "e.g.")
    natural = [max(len(row[i]) for row in (heads, *rows)) for i in range(5)]
    widths = [min(natural[0], LONGEST_NAME), *natural[1:]]
    # For what may be folded, and the examples:
    left = screen.width - widths[0] - widths[2] - widths[3] - 2 * 4
    widths[1] = min(natural[1], max(left * 3 // 5, left - natural[4]))
    widths[4] = min(natural[4], left - widths[1])
    left -= widths[1] + widths[4] + 2
    grid = Grid(box=None, header_style="bold", pad_edge=False)
    for head, width in zip(heads, widths, strict=False):
        grid.add_column(
            head, width=width, overflow="fold", justify="right" if head in ("empty", "distinct") else "left"
        )
    if left >= 12:
        grid.add_column("e.g.", width=left, no_wrap=True, overflow="ellipsis")
    for row in rows:
        grid.add_row(*map(Text, row[: 5 + (left >= 12)]))
    screen.print(grid)
    for column in table.columns.values():
        if column.dates:
            screen.print(f"dates  {column.name}: {column.dates.evidence}", soft_wrap=True)
    keys = [" + ".join(key) for key in table.unique()]
    keys = [*keys[:MOST_KEYS], *([f"{len(keys) - MOST_KEYS} more"] if len(keys) > MOST_KEYS else [])]
    screen.print(
        f"keys   {', '.join(keys) or 'none: no column, and no two columns, are different in every row'}\n"
    )


def _holds(column: "Column") -> str:
    """What a column holds, with how much of it, and its dirt."""
    filled = column.filled - (column.dirt.get("words for nothing", 0) if column.has_words_for_nothing else 0)
    said = HOLDS[column.type]
    if column.type not in ("text", "empty") and column.fitting < filled:
        share = min(99.9, 100 * column.fitting / filled)
        said += f", {share:.1f} %" + (f" (not {column.misfits[0]})" if column.misfits else "")
    if column.decimal != "." and column.type == "decimal":
        said += ", decimal comma" if column.decimal == "," else ", decimal mark open"
    dirt = [f"{count:,} {kind}" for kind, count in column.dirt.items()]
    return "; ".join([said, *dirt])


def _show_doubts(entry: "Entry", err: bool) -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    doubts = list(entry.doubts)
    if entry.needs_zone:
        doubts.append("times have no zone and are taken as UTC; --timezone says where they are local")
    if doubts:
        screen = console(err)
        screen.print("[bold]Please look at this:[/]")
        grid = Grid.grid(padding=(0, 1))
        for doubt in doubts:
            grid.add_row("-", Text(doubt))
        screen.print(grid)


def _try(entry: "Entry", origin: "Origin") -> None:
    from ingest.onboarding import trial_source
    from ingest.trial import try_source

    click.secho("Tried on all rows:", bold=True)
    for trial in try_source(trial_source(entry, origin.name)):
        if trial.error:
            raise click.ClickException(trial.error)
        rejected = f"{trial.counts.rejected:,} would be rejected"
        click.echo(
            f"  {trial.feed}: {trial.counts.accepted:,} of {_rows(trial.counts.read)} would land, {rejected}"
        )
        for broken in trial.broken:
            click.echo(f"    {broken.rule}: {broken.rows:,}, e.g. {broken.reason}")


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
