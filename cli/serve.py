"""``analytics serve`` and ``analytics user``: the server of dashboards and API, and who may log in to it."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.console import FORMAT, Format, show

if TYPE_CHECKING:
    from reports.server.access import Access

ROLES = ("viewer", "analyst", "admin")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
def serve(host: str, port: int) -> None:
    """Serve dashboards, reports and the API until interrupted.

    On a loopback address it is open while there are no users; on any other it needs users. It speaks HTTP:
    put a reverse proxy with TLS before it.

    Example: analytics serve --port 8080
    """
    from reports.server.app import serve as serve_until_interrupted

    def ready(address: str, port: int) -> None:
        shown = f"[{address}]" if ":" in address else address
        click.echo(f"Serving: http://{shown}:{port}")
        sys.stdout.flush()

    serve_until_interrupted(host, port, ready)


@click.group()
def user() -> None:
    """Who may log in to the server."""


@user.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="viewer",
    show_default=True,
    help="viewer: dashboards, metrics, reports; analyst: tables and exports too; admin: the log too.",
)
@click.option(
    "--only",
    "only",
    multiple=True,
    metavar="DIMENSION=CODE",
    help="Only this part of the business: store=S1, category=…, channel=…, segment=…; may be repeated.",
)
@click.option("--no-password", is_flag=True, help="For programs, which have tokens.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def user_add(name: str, role: str, only: tuple[str, ...], no_password: bool, password_stdin: bool) -> None:
    """Add a user, or change one; asks for the password.

    Example: analytics user add ada --role analyst --only store=S1
    """
    if no_password and password_stdin:
        raise click.UsageError("--no-password or --password-stdin, not both")
    parts: dict[str, list[str]] = {}
    for text in only:
        dimension, separator, value = text.partition("=")
        if not separator or not value:
            raise click.UsageError(f"--only {text}: write it as DIMENSION=CODE")
        parts.setdefault(dimension, []).append(value)
    password = None
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not no_password:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    _access().add_user(name, role, password, parts)
    limited = f", only {', '.join(only)}" if only else ""
    click.echo(f"{name}: {role}{limited}")


@user.command("list")
@click.option("--format", "format_", type=FORMAT, default="table")
def user_list(format_: Format) -> None:
    """List the users.

    Example: analytics user list
    """
    rows = [
        (name, role, _written(only), "yes" if has_password else "no", tokens, since)
        for name, role, only, has_password, tokens, since in _access().users()
    ]
    show(["name", "role", "only", "password", "tokens", "since"], rows, format_)


@user.command("remove")
@click.argument("name")
def user_remove(name: str) -> None:
    """Remove a user, with sessions and tokens.

    Example: analytics user remove ada
    """
    if not _access().remove_user(name):
        raise click.UsageError(f"there is no user {name!r}; see `analytics user list`")
    click.echo(f"{name}: removed")


@user.group("token")
def token() -> None:
    """Tokens for programs."""


@token.command("add")
@click.argument("name")
@click.option("--label", default="", help="What it is for.")
@click.option("--days", type=click.IntRange(1), help="How long it is of use; default: until it is revoked.")
def token_add(name: str, label: str, days: int | None) -> None:
    """Make a token for a user and print it, this once.

    Example: analytics user token add ada --label prometheus
    """
    number, secret = _access().add_token(name, label, days)
    click.echo(f"Token {number} of {name}; it is not shown again:", err=True)
    click.echo(secret)


@token.command("list")
@click.argument("name", required=False)
@click.option("--format", "format_", type=FORMAT, default="table")
def token_list(name: str | None, format_: Format) -> None:
    """List tokens, without the tokens themselves.

    Example: analytics user token list ada
    """
    columns = ["id", "user", "label", "since", "until", "revoked"]
    show(columns, _access().tokens(name), format_)


@token.command("revoke")
@click.argument("token_id", type=int)
def token_revoke(token_id: int) -> None:
    """Make a token useless.

    Example: analytics user token revoke 3
    """
    if not _access().revoke_token(token_id):
        raise click.UsageError(f"there is no token {token_id} in use; see `analytics user token list`")
    click.echo(f"Token {token_id}: revoked")


def _access() -> "Access":
    from ingest import warehouse
    from reports.server import access

    warehouse.start()
    access.prepare()
    return access.Access()


def _written(only: dict[str, Sequence[str]]) -> str:
    return " ".join(f"{name}={value}" for name, values in only.items() for value in values)
