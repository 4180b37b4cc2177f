"""``analytics rejects``: the rows that broke a rule at the door, for the people who can mend them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from cli.console import FORMAT, Format, select, show

NEWEST = 20
STATES = ("open", "replayed", "dismissed", "all")


@click.group()
def rejects() -> None:
    """Rows that broke a rule at the door."""


def _filters(verb: Callable[..., None]) -> Callable[..., None]:
    """The options that pick rejected rows."""
    for option in (
        click.option("--file", help="Only of this file: its name or a part of it."),
        click.option("--rule", help="Only those that break this rule."),
        click.option("--source", help="Only of this source."),
    ):
        verb = option(verb)
    return verb


def _condition(
    source: str | None, rule: str | None, file: str | None, state: str = "all"
) -> tuple[str, list[str]]:
    """The SQL condition of the filters, and its parameters."""
    conditions = [
        ("source_name = %s", source),
        ("%s = any(string_to_array(rule, ', '))", rule),
        ("position(%s in source_file) > 0", file),
        ("state = %s", None if state == "all" else state),
    ]
    given = [(sql, value) for sql, value in conditions if value is not None]
    return " and ".join(sql for sql, _ in given) or "true", [value for _, value in given]


@rejects.command("list")
@_filters
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=NEWEST,
    show_default=True,
    help="Most rows of the table; 0: all.",
)
@click.option("--format", "format_", type=FORMAT, default="table", help="csv and json hold all rows.")
def rejects_list(
    source: str | None, rule: str | None, file: str | None, state: str, limit: int, format_: Format
) -> None:
    """List rejected rows: how many break which rule, then the newest ones.

    Example: analytics rejects list --source shop --rule quantity_type
    """
    condition, parameters = _condition(source, rule, file, state)
    names, rows = select(
        "select rejection_id, source_name, feed_name, source_file, source_line, rule, reason, state,"
        f" rejected_at from ops.rejected_rows where {condition} order by rejection_id desc",
        parameters,
    )
    if format_ != "table":
        show(names, rows, format_)
        return
    word = "" if state == "all" else f"{state} "
    if not rows:
        click.echo(f"No {word}rejected rows.")
        return
    click.secho(f"{len(rows):,} {word}rejected row{'s' * (len(rows) != 1)}", bold=True)
    _, groups = select(
        "select source_name || '.' || feed_name as feed, rule, count(*), count(distinct source_file),"
        f" (array_agg(reason order by rejection_id desc))[1] from ops.rejected_rows where {condition}"
        " group by 1, 2 order by 3 desc, 1, 2",
        parameters,
    )
    show(["feed", "rule", "rows", "files", "e.g."], groups, "table")
    newest = rows[:limit] if limit else rows
    click.secho(f"\nThe newest {limit:,}:" if len(newest) < len(rows) else "\nEach of them:", bold=True)
    table: list[tuple[Any, ...]] = [
        (row[0], f"{Path(row[3]).name}:{row[4]}", row[5], row[6]) for row in newest
    ]
    if state == "all":
        table = [(*shown, row[7]) for shown, row in zip(table, newest, strict=True)]
    show(["id", "where", "rule", "reason", *(["state"] if state == "all" else [])], table, "table")
    if state == "open":
        click.echo(
            "\nOne whole: analytics rejects show ID. For the file's owner: analytics rejects export"
            " FILE.xlsx.\nAfter a rule or a mapping was mended: analytics rejects replay. Never to be"
            " mended: rejects dismiss ID."
        )


@rejects.command("show")
@click.argument("rejection_id", type=int)
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table")
def rejects_show(rejection_id: int, format_: Format) -> None:
    """Show one rejected row whole, as it stood in its source.

    Example: analytics rejects show 12
    """
    names, rows = select("select * from ops.rejected_rows where rejection_id = %s", (rejection_id,))
    if not rows:
        raise click.UsageError(f"there is no rejected row {rejection_id}; see `analytics rejects list`")
    if format_ == "json":
        show(names, rows, "json")
        return
    row = dict(zip(names, rows[0], strict=True))
    click.secho(f"Rejected row {rejection_id}, {row['state']}", bold=True)
    click.echo(f"where   {row['source_file']}, line {row['source_line']}")
    click.echo(
        f"feed    {row['source_name']}.{row['feed_name']}, load {row['load_id']},"
        f" {row['rejected_at']:%Y-%m-%d %H:%M} UTC"
    )
    rules, reasons = row["rule"].split(", "), row["reason"].split("; ")
    if len(rules) != len(reasons):
        rules, reasons = [row["rule"]], [row["reason"]]
    for rule, reason in zip(rules, reasons, strict=True):
        click.echo("rule    " + click.style(rule, fg="yellow") + f": {reason}")
    mended = row["mended_row"] or {}
    click.secho("\nThe row", bold=True)
    width = max(map(len, row["raw_row"]), default=0)
    for column, value in row["raw_row"].items():
        shown = (
            click.style("empty", dim=True) if value is None else json.dumps(value, ensure_ascii=False)[1:-1]
        )
        changed = f"   mended: {mended[column]}" if column in mended and mended[column] != value else ""
        click.echo(f"  {column:<{width}}  {shown}{changed}")


@rejects.command("export")
@_filters
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.xlsx")
@click.option("--overwrite", is_flag=True, help="Replace FILE.xlsx if it exists.")
def rejects_export(
    target: Path, source: str | None, rule: str | None, file: str | None, overwrite: bool
) -> None:
    """Write the open rejected rows as a workbook that their owner can mend and send back.

    Example: analytics rejects export --source shop shop-rejects.xlsx
    """
    from ingest.mending import export

    if target.suffix.lower() != ".xlsx":
        raise click.UsageError(f"{target}: name a workbook, FILE.xlsx")
    if target.exists() and not overwrite:
        raise click.UsageError(
            f"{target} exists, maybe with mended rows in it; choose another name or say --overwrite"
        )
    if not target.absolute().parent.is_dir():
        raise click.UsageError(f"{target}: there is no folder {target.absolute().parent}")
    select("select 1 from ops.rejected_rows limit 0")
    rows = export(target, *_condition(source, rule, file))
    if not rows:
        raise click.ClickException("no open rejected rows; nothing is written")
    click.echo(
        f"{target}: {rows:,} row{'s' * (rows != 1)}. When it comes back: analytics rejects import {target}"
    )


@rejects.command("import")
@click.argument("workbook", type=click.Path(path_type=Path), metavar="FILE.xlsx")
def rejects_import(workbook: Path) -> None:
    """Take a mended workbook back: land the rows that are right now, under their own file and line.

    Rows that came back unchanged stay open. Exit code 1 if rows are still wrong, or none of the open ones.

    Example: analytics rejects import shop-rejects.xlsx
    """
    from ingest import DataIngestion

    result = DataIngestion().mend(workbook)
    click.echo(
        f"{result.landed:,} mended and landed, {len(result.still_wrong):,} still wrong, {result.unchanged:,}"
        f" unchanged and still open, {len(result.strange):,} not taken"
    )
    for what, lines in (("still wrong", result.still_wrong), ("not taken", result.strange)):
        for line in lines:
            click.secho(f"  {what}: {line}", fg="red", err=True)
    if result.still_wrong or result.strange:
        raise SystemExit(1)


@rejects.command("replay")
@click.option("--source", "sources", multiple=True, help="Only this source (may be repeated).")
def rejects_replay(sources: tuple[str, ...]) -> None:
    """Map the open rejected rows again, after a rule or a mapping was mended; land what is now right.

    Example: analytics rejects replay --source shop
    """
    from ingest import DataIngestion

    failed = False
    for outcome in DataIngestion().replay(sources or None):
        if outcome.error:
            failed = True
            click.secho(outcome.summary(), fg="red", err=True)
            continue
        _, ((still_open,),) = select(
            "select count(*) from ops.rejected_rows where state = 'open' and source_name = %s",
            (outcome.source,),
        )
        healed = sum(load.counts.accepted for load in outcome.loads)
        if healed or still_open:
            click.echo(f"{outcome.source}: {healed:,} healed and landed, {still_open:,} still open")
        else:
            click.echo(f"{outcome.source}: none open")
    if failed:
        raise SystemExit(1)


@rejects.command("dismiss")
@click.argument("rejection_ids", type=int, nargs=-1)
@_filters
@click.option("--yes", is_flag=True, help="Do not ask.")
def rejects_dismiss(
    rejection_ids: Sequence[int], source: str | None, rule: str | None, file: str | None, yes: bool
) -> None:
    """Close rejected rows that nobody will mend: the named ones, or all open ones that the options pick.

    Example: analytics rejects dismiss --source shop --rule row_shape
    """
    from ingest.ledger import open_ledger

    picked = any((source, rule, file))
    if picked == bool(rejection_ids):
        raise click.UsageError("name rejected rows by their ids, or pick them by --source, --rule and --file")
    if picked:
        condition, parameters = _condition(source, rule, file, "open")
        _, rows = select(f"select rejection_id from ops.rejected_rows where {condition}", parameters)
        rejection_ids = [id_ for (id_,) in rows]
        if rejection_ids and not yes:
            click.confirm(f"Dismiss {len(rejection_ids):,} rows?", abort=True)
    with open_ledger() as ledger:
        dismissed = ledger.dismiss(rejection_ids)
    click.echo(f"{dismissed:,} of {len(rejection_ids):,} dismissed")
    if dismissed < len(rejection_ids):
        raise click.ClickException("the others are not open; see `analytics rejects list --state all`")
