"""The ``analytics`` command. Each verb is a thin door; heavy imports wait until a verb needs them.

Exit codes: 0 done, 1 failed, 2 wrong use.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from dotenv import find_dotenv, load_dotenv

from cli.console import FORMAT, Format, select, show
from cli.deliveries import deliveries
from cli.lake import lake
from cli.rejects import rejects
from cli.serve import serve, user
from cli.source import source
from ingest import warehouse

DATE = click.DateTime(formats=["%Y-%m-%d"])
FORMATS = "pdf, html, xlsx, csv or parquet; default: what its exposure names"


class Analytics(click.Group):
    """Shows the errors that users can mend as one line, without a traceback (``--debug`` shows it)."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            click.secho(f"Error: {str(error) or type(error).__name__}", fg="red", err=True)
            ctx.exit(2 if type(error).__name__ in ("ConfigError", "ReportUsageError") else 1)


@click.group(
    cls=Analytics, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.option(
    "--target",
    type=click.Choice(warehouse.TARGETS),
    help="Where it runs; default: what the environment says.",
)
def main(debug: bool, target: str | None) -> None:
    """Sources in; a tested star schema, metrics, reports and a dashboard out.

    Example: analytics demo
    """
    load_dotenv(find_dotenv(usecwd=True))
    if target:
        os.environ["ANALYTICS_TARGET"] = target
    os.environ["ANALYTICS_HOME"] = str(warehouse.home())


main.add_command(source)
main.add_command(rejects)
main.add_command(lake)
main.add_command(deliveries)
main.add_command(serve)
main.add_command(user)


# ------------------------------------------------------------------------------------------ the whole way


@main.command()
def demo() -> None:
    """Make a small retailer's sources and run the whole way on them. Reports are sent to a mail server of the
    demo's own, on this machine.

    Example: analytics demo
    """
    from demo.mailbox import mailbox
    from demo.retailer import generate

    with _timed("demo sources"):
        generate(warehouse.home())
    with mailbox(warehouse.home()) as letters:
        succeeded = _run_job("everything", stop=False)
        _run_job("deliver", stop=False)
    if not succeeded:
        raise SystemExit(1)
    _say_what_was_built(letters)


@main.command()
def run() -> None:
    """Ingest, build and report, recorded in Dagster's history. Where recipients are set up, send what is due.

    Example: analytics run
    """
    from reports.delivery.rounds import not_set_up

    succeeded = _run_job("everything", stop=False)
    if not not_set_up():
        succeeded &= _run_job("deliver", stop=False)
    if not succeeded:
        raise SystemExit(1)


@main.command()
@click.option("--source", "sources", multiple=True, help="Only this source (may be repeated).")
@click.option("--since", help="Read on from this value of the cursor, in place of where the last run ended.")
@click.option("--until", help="With --since: read only the values before this one, once more.")
@click.option("--full-refresh", is_flag=True, help="Read everything again; what did not change adds nothing.")
def ingest(sources: tuple[str, ...], since: str | None, until: str | None, full_refresh: bool) -> None:
    """Land what is new in the sources of sources.yml.

    Example: analytics ingest --source shop
    """
    from ingest.config import ConfigError, load_sources, sources_file, unknown
    from orchestration.translator import landed_key

    known = load_sources()
    for name in sources:
        if name not in known:
            raise ConfigError(f"{sources_file()}: {unknown('source', name, known)}")
    chosen = [known[name] for name in sources or known]
    if since is not None:
        chosen = [s for s in chosen if s.cursors]
        if not chosen:
            raise ConfigError(f"{sources_file()}: --since needs a source with a `cursor`; there is none")
    if until is not None and (since is None or full_refresh):
        raise click.UsageError("--until ends a window that begins at --since, without --full-refresh")
    start = {"since": since, "until": until, "full_refresh": full_refresh}
    _run_job(
        "ingest",
        [landed_key(s.name, feed.name) for s in chosen for feed in s.feeds],
        config={"ops": {f"land_{s.name}": {"config": start} for s in chosen}},
    )


@main.command()
@click.option("--select", help="Only these models (dbt's selection syntax).")
@click.option("--full-refresh", is_flag=True, help="Build incremental models anew.")
def build(select: str | None, full_refresh: bool) -> None:
    """Build and test the models.

    Example: analytics build --select metrics_daily+
    """
    config = {"ops": {"dbt_build": {"config": {"full_refresh": full_refresh}}}}
    with _timed("dbt build"):
        _run_job("build", _models(select) if select else None, config=config)


@main.command()
def docs() -> None:
    """Write dbt's documentation of the models as one page.

    Example: analytics docs
    """
    from transform import runner

    click.echo(_short(runner.write_docs()))


@main.group(invoke_without_command=True)
@click.option("--type", "name", help="The report's name, e.g. daily.")
@click.option("--date", "day", type=DATE, help="A day of its period; default: the newest complete period.")
@click.option("--period", help="Its period: 2025-06-30, 2025-W26, 2025-06, 2025-Q2, 2025 or FIRST..LAST.")
@click.option("--store", help="Only this store, by name or code.")
@click.option("--category", help="Only this category of products.")
@click.option("--channel", help="Only this channel, by name or code.")
@click.option("--segment", help="Only this segment of customers.")
@click.option("--currency", help="The sign of amounts; default: the theme's.")
@click.option("--locale", help="How numbers and dates are written, e.g. de_DE; default: the theme's.")
@click.option("--paper", help="a4 or us-letter; default: the theme's.")
@click.option("--format", "formats", multiple=True, help=f"{FORMATS}; may be repeated.")
@click.option("--send", is_flag=True, help="Send it to the group of its exposure.")
@click.option("--send-to", metavar="ADDRESS", help="Send it to this address only.")
@click.option("--preview", is_flag=True, help="Write the mail as a file instead of sending it.")
@click.option("--force", is_flag=True, help="Send it although it was sent, or is held by a failed test.")
@click.pass_context
def report(
    context: click.Context,
    /,
    name: str | None,
    day: datetime | None,
    formats: tuple[str, ...],
    **options: Any,
) -> None:
    """Render a report, and send it if asked; or list, rebuild or add reports.

    Examples: analytics report --type daily --date 2025-12-31 --format pdf

    analytics report --type daily --send-to ann@example.com --preview
    """
    if context.invoked_subcommand:
        return
    from reports.registry import find, registered_reports
    from reports.render import render_report

    if not name:
        raise click.UsageError(f"say which report with --type; there are: {', '.join(registered_reports())}")
    send, send_to, preview, force = (options.pop(key) for key in ("send", "send_to", "preview", "force"))
    if formats and (send or send_to or preview):
        formats = tuple(dict.fromkeys((*formats, *find(name).made_as)))
    with _timed(f"report {name}"):
        rendered = render_report(name, day.date().isoformat() if day else None, formats or None, options)
    for path in rendered.files:
        click.echo(_short(path))
    if send or send_to or preview:
        _send(rendered.report_id, send_to or "", preview, force)


@report.command("list")
@click.option("--format", "format_", type=FORMAT, default="table")
@click.option("--type", "name", help="Only reports of this name.")
def report_list(format_: Format, name: str | None) -> None:
    """List the reports in the archive, newest first.

    Example: analytics report list --format csv
    """
    from reports import archive

    rows = [
        (m.report_id, m.report, m.period, m.made_at, " ".join(m.formats), archive.particulars(m))
        for m in archive.entries(name)
    ]
    show(["id", "report", "period", "made_at", "formats", "parameters"], rows, format_)


@report.command("rebuild")
@click.argument("report_id")
def report_rebuild(report_id: str) -> None:
    """Make an archived report again, byte for byte, from the results that were kept with it.

    Example: analytics report rebuild daily-2025-12-31-3f9a2c1b7d
    """
    from reports.render import rebuild_report

    with _timed(f"report {report_id}"):
        rendered = rebuild_report(report_id)
    for path in rendered.files:
        click.echo(_short(path))


@report.command("new")
@click.argument("name")
@click.option("--from", "base", default="daily", show_default=True, help="The report to copy.")
def report_new(name: str, base: str) -> None:
    """Add a report: a copy of another one's document, and its exposure.

    Example: analytics report new garden --from monthly
    """
    from reports.template import new_report

    for path in new_report(name, base):
        click.echo(_short(path))


@main.command()
@click.option("--type", "name", help="The report's name, e.g. daily.")
@click.option("--source", help="Or a source with a cursor: its days are read once more.")
@click.option("--from", "first", type=DATE, required=True, help="The first day.")
@click.option("--to", "last", type=DATE, help="The last day; default: the newest.")
@click.option("--again", is_flag=True, help="Also the days that were made before.")
def backfill(
    name: str | None, source: str | None, first: datetime, last: datetime | None, again: bool
) -> None:
    """Make a report, or read a source, for each day of a time but those that were made. Sends nothing.

    Examples: analytics backfill --type daily --from 2025-12-01 --to 2025-12-30

    analytics backfill --source desk --from 2025-12-01 --to 2025-12-30
    """
    from cli import jobs
    from orchestration.translator import report_key, window_key
    from reports import registry

    if bool(name) == bool(source):
        raise click.UsageError("say which report with --type, or which source with --source")
    if name:
        registry.find(name)
    key = report_key(name) if name else window_key(_source_with_days(source or ""))
    until = (last or datetime.max).date().isoformat()
    known, made = jobs.days(key)
    days = [day for day in known if first.date().isoformat() <= day <= until]
    if not days:
        raise click.UsageError("no day of this time has data" if name else "no day of this time can be read")
    wanted = [day for day in days if again or day not in made]
    click.echo(f"{name or source}: {len(days)} days, {len(days) - len(wanted)} of them made before")
    if name:
        config = {"ops": {key.to_python_identifier(): {"config": {"send": False}}}}
        spans = [(day, day) for day in wanted]
    else:
        config, spans = None, jobs.spans(wanted, known)  # a stretch of days is one question to the source
    job = "report" if name else jobs.ANY
    failed = [span for span in spans if not _run_job(job, [key], partitions=span, config=config, stop=False)]
    if failed:
        told = ", ".join(day if day == end else f"{day} to {end}" for day, end in failed)
        number = sum(known.index(end) - known.index(day) + 1 for day, end in failed)
        raise click.ClickException(f"{number} days failed: {told}; the same command resumes")


def _source_with_days(name: str) -> str:
    from ingest.config import ConfigError, load_sources, sources_file, unknown

    known = load_sources()
    if name not in known:
        raise ConfigError(f"{sources_file()}: {unknown('source', name, known)}")
    if known[name].first_day is None:
        raise ConfigError(f"{sources_file()}: {name} has no `cursor` of times to tell its days by")
    return name


@main.command()
@click.option("--port", default=3000, show_default=True, help="The port; if it is taken, a free one is used.")
def dev(port: int) -> None:
    """Start Dagster's UI on this machine's loopback address.

    Example: analytics dev
    """
    from demo.desk import desk_server
    from operations.home import use_home

    use_home()
    warehouse.start()
    port = _free_port(port)
    with desk_server():
        command = ["-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", str(port)]
        click.echo(f"Dagster: http://127.0.0.1:{port}")
        raise SystemExit(_wait(["dagster", "dev", *command]))


# ------------------------------------------------------------------------------------------ warehouse


@main.command()
@click.argument("query")
@click.option("--format", "format_", type=FORMAT, default="table")
def sql(query: str, format_: Format) -> None:
    """Ask the warehouse, with the role that can only read.

    Example: analytics sql "select count(*) from marts.fact_sales"
    """
    show(*select(query), format_)


@main.group("warehouse")
def warehouse_group() -> None:
    """The embedded Postgres."""


@warehouse_group.command("start")
def warehouse_start() -> None:
    """Start it, if it is not running.

    Example: analytics warehouse start
    """
    from operations.home import use_home

    use_home()
    if not warehouse.is_embedded():
        click.echo(f"The environment names a server of your own: {warehouse.place()}. Nothing to start.")
        return
    click.echo(f"{'Started' if warehouse.start() else 'Already running'}: {warehouse.place()}")


@warehouse_group.command("stop")
def warehouse_stop() -> None:
    """Stop it.

    Example: analytics warehouse stop
    """
    click.echo("Stopped." if warehouse.stop() else "It was not running.")


@warehouse_group.command("status")
def warehouse_status() -> None:
    """Say whether it runs and where its data lies; exit code 1 when it does not run.

    Example: analytics warehouse status
    """
    running = warehouse.is_running()
    click.echo(f"{'Running' if running else 'Not running'}: {warehouse.place()}")
    if not running:
        raise SystemExit(1)


@warehouse_group.command("url")
@click.option(
    "--role", type=click.Choice(["loader", "transformer", "reader"]), default="reader", show_default=True
)
def warehouse_url(role: warehouse.Role) -> None:
    """Print its connection URL, for psql and other clients.

    Example: psql "$(analytics warehouse url)"
    """
    click.echo(warehouse.url(role))


@main.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False))
def backup(file: str | None) -> None:
    """Write the warehouse, the reports and the run history into one file (default: in data/backups).

    Example: analytics backup /backups/analytics.tar
    """
    from ingest.backup import backup as write_backup

    with _timed("backup"):
        click.echo(_short(write_backup(Path(file).absolute() if file else None)))


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True))
@click.option("--replace", is_flag=True, help="Also where there are data, which are then lost.")
def restore(file: str, replace: bool) -> None:
    """Put a backup in the place of what is there. Stop `analytics dev` and other services first.

    Example: analytics restore data/backups/analytics-20260102T030405Z.tar
    """
    from ingest.backup import restore as put_back

    with _timed("restore"):
        contents = put_back(Path(file), replace=replace)
    click.echo(f"Restored: {sum(contents['rows'].values()):,} rows as of {contents['made']}")


@main.command()
def doctor() -> None:
    """Check what this installation needs, and say what to mend.

    Example: analytics doctor
    """
    failed = False
    for what, check in _diagnoses():
        try:
            click.echo(f"ok    {what}: {check()}")
        except Exception as error:
            failed = True
            click.secho(f"FAIL  {what}: {error}", fg="red")
    if failed:
        raise SystemExit(1)


def _diagnoses() -> Iterator[tuple[str, Callable[[], str]]]:
    def version() -> str:
        with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
            cursor.execute("select split_part(version(), ' ', 2)")
            row = cursor.fetchone()
            return f"PostgreSQL {row[0] if row else '?'} at {warehouse.place()}"

    def sources() -> str:
        from ingest.config import load_sources, sources_file

        return f"{len(load_sources())} sources in {_short(sources_file())}"

    def disk() -> str:
        warehouse.home().mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(warehouse.home()).free / 1e9
        if free < 1:
            raise RuntimeError(f"only {free:.1f} GB free in {warehouse.home()}")
        return f"{free:.0f} GB free in {warehouse.home()}"

    def engine() -> str:
        from reports.render import engine_name

        return engine_name()

    yield "Python", lambda: sys.version.split()[0]
    yield "disk", disk
    yield "warehouse", version
    yield "sources.yml", sources
    yield "report engine", engine


# ------------------------------------------------------------------------------------------ helpers


def _run_job(
    name: str,
    assets: Sequence[Any] | None = None,
    *,
    partitions: tuple[str, str] | None = None,
    config: Any = None,
    stop: bool = True,
) -> bool:
    """Run a job, whole or some assets of it; say what failed. Returns whether it succeeded, unless a failure
    should stop the command. An interruption always does."""
    from cli import jobs

    done = jobs.run(name, assets, partitions=partitions, config=config)
    for step, error in done.failures:
        click.secho(f"{step} failed: {error}", fg="red", err=True)
    if done.was_interrupted or (stop and not done.succeeded):
        raise SystemExit(1)
    return done.succeeded


def _models(select: str) -> Sequence[Any]:
    """The assets of a selection."""
    from cli import jobs

    if not (found := jobs.models(select)):
        raise click.UsageError(f"no model is selected by {select!r}")
    return found


def _say_what_was_built(letters: Path) -> None:
    from reports.registry import registered_reports

    click.echo("\nBuilt:")
    for report in registered_reports().values():
        newest = max((warehouse.home() / "reports" / report.name).iterdir())
        for format_ in report.formats:
            click.echo(f"  {f'{report.name} ({format_})':<18}{_short(newest / f'{report.name}.{format_}')}")
    for letter in sorted(letters.glob("*.eml")):
        click.echo(f"  {'mail':<18}{_short(letter)}")
    command = "analytics" if shutil.which("analytics") else _short(sys.argv[0])
    query = "select * from metrics.metrics_daily order by metric_date desc limit 7"
    click.echo("Try:")
    click.echo(f'  {"ask with SQL":<18}{command} sql "{query}"')
    click.echo(f"  {'the Dagster UI':<18}make dev")


def _send(report_id: str, only_to: str, preview: bool, force: bool) -> None:
    """Send an archived report, or write what would be sent; say what came of it."""
    from reports import archive, registry
    from reports.delivery import alerts, dispatch, outbox, sending

    manifest = archive.find(report_id)
    report = registry.find(manifest.report)
    if preview:
        for path in dispatch.preview(report, manifest, only_to=only_to):
            click.echo(_short(path))
        return
    done = dispatch.send(report, manifest, only_to=only_to, force=force)
    click.echo(f"{report.label}, {manifest.period}: {done.words}")
    for row in done.deliveries:
        if row.state != "sent":
            click.secho(
                f"  {row.recipient} ({row.delivery_id}): {row.state}: {row.error}", fg="red", err=True
            )
        elif row.report_id != report_id:
            click.echo(
                f"  {row.recipient} has this period already, as {row.report_id}; --force sends it again"
            )
    for problem in done.problems:
        click.secho(f"  {problem}", fg="red", err=True)
    if any(row.state == "queued" for row in done.deliveries):
        click.echo("What waits is sent by `analytics dev`, `analytics run` or `analytics deliveries retry`.")
    if done.is_bad:
        with outbox.opened() as box:  # the owner should know as well
            sending.send_due(box, alerts.tell())
        raise SystemExit(1)


@contextmanager
def _timed(what: str) -> Iterator[None]:
    import time

    started = time.monotonic()
    yield
    click.echo(f"{what}: {time.monotonic() - started:.1f} s", err=True)


def _short(path: Any) -> str:
    return os.path.relpath(path) if str(path).startswith(os.getcwd()) else str(path)


def _free_port(wanted: int) -> int:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(command: Sequence[str]) -> int:
    """Run a program with its children until it ends, or until this process is interrupted or terminated:
    then the program is asked to end, and after ten seconds made to."""
    import signal
    import subprocess
    from contextlib import suppress

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    # Set before the program starts: a shell that starts us in the background has interrupts ignored, which
    # the program would inherit; a handler it does not.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    program = os.path.join(os.path.dirname(sys.executable), command[0])
    process = subprocess.Popen([program, *command[1:]], start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        return 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
