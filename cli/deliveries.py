"""``analytics deliveries``: what was sent to whom, what waits or failed, and what to do about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.console import FORMAT, Format, select, show

if TYPE_CHECKING:
    from reports.delivery.sending import Done

STATES = ("queued", "sending", "sent", "held", "failed", "unknown", "cancelled")
NEWEST = 50
LIST = """
select
    delivery_id as id, edition, recipient, channel, state, attempts,
    to_char(
        coalesce(sent_at, case when state = 'queued' then due_at end, queued_at), 'YYYY-MM-DD HH24:MI'
    ) as at,
    error
from ops.deliveries
where (%(report)s::text is null or report = %(report)s) and (%(state)s::text is null or state = %(state)s)
order by position desc
"""


@click.group()
def deliveries() -> None:
    """Reports and alerts that were sent, or are to be."""


@deliveries.command("list")
@click.option("--type", "report", help="Only of this report; alerts: those of alerts.")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(0), default=NEWEST, show_default=True, help="0: all.")
@click.option("--format", "format_", type=FORMAT, default="table", help="csv and json hold all rows.")
def deliveries_list(report: str | None, state: str | None, limit: int, format_: Format) -> None:
    """List deliveries, newest first.

    Example: analytics deliveries list --state failed
    """
    from reports.delivery import outbox

    with outbox.opened():  # the table exists from now on
        names, rows = select(LIST, {"report": report, "state": state})
    if format_ != "table":
        show(names, rows, format_)
    elif rows:
        show(names, rows[:limit] if limit else rows, format_)
        if limit and len(rows) > limit:
            click.echo(f"… and {len(rows) - limit:,} more; --limit 0 shows all")
    else:
        click.echo("No delivery." if not (report or state) else "No such delivery.")


@deliveries.command("show")
@click.argument("delivery_id")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table")
def deliveries_show(delivery_id: str, format_: Format) -> None:
    """Show one delivery: what, to whom, and what became of it.

    Example: analytics deliveries show 3c891426216cfe66
    """
    from reports.delivery import outbox

    with outbox.opened() as box:
        found = box.find(delivery_id)
    row = {name: value for name, value in vars(found).items() if name not in ("position", "recipient_name")}
    if format_ == "json":
        show(list(row), [list(row.values())], "json")
        return
    for name, value in row.items():
        if value is not None:
            click.echo(f"{name:<12} {f'{value:%Y-%m-%d %H:%M:%S} UTC' if name.endswith('_at') else value}")


@deliveries.command("retry")
@click.argument("delivery_ids", nargs=-1)
@click.option("--force", is_flag=True, help="Also one that was sent, or may have been.")
def deliveries_retry(delivery_ids: Sequence[str], force: bool) -> None:
    """Send deliveries again: the named ones, which may have failed or been held; or all that are due.

    Exit code 1 if one could not be sent.

    Example: analytics deliveries retry 3c891426216cfe66
    """
    from reports.delivery import outbox, sending

    with outbox.opened() as box:
        for delivery_id in delivery_ids:
            box.retry(delivery_id, force)
        named = [box.find(delivery_id).report_id for delivery_id in delivery_ids]
        done = sending.send_due(box, named or None)
    say(done)


@deliveries.command("cancel")
@click.argument("delivery_ids", nargs=-1, required=True)
def deliveries_cancel(delivery_ids: Sequence[str]) -> None:
    """Take deliveries out of what is to be sent, or is told as failed.

    Example: analytics deliveries cancel 3c891426216cfe66
    """
    from reports.delivery import outbox

    with outbox.opened() as box:
        for delivery_id in delivery_ids:
            box.cancel(delivery_id)
    click.echo(f"{len(delivery_ids)} cancelled")


def say(done: "Done") -> None:
    """What came of sending; ends the command with 1 if something failed."""
    counts = ", ".join(f"{count} {state}" for state, count in done.states.items())
    click.echo(counts or "nothing is due")
    for error in done.errors:
        click.secho(f"  {error}", fg="red", err=True)
    if done.errors:
        raise SystemExit(1)
