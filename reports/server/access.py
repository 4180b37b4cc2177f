"""Who may log in: users, API tokens and sessions, and the log of who read what, as tables of schema ops.

Passwords are kept as argon2 hashes, tokens and sessions as SHA-256 of random texts. Only the role `access`
sees these tables; it sees nothing else. What a request may do is decided in `auth.py`.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg2
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg2.extras import Json

from ingest import warehouse
from reports.errors import ReportError, ReportUsageError
from reports.server.database import Database
from reports.server.encoding import to_json
from reports.server.row_filter import DIMENSIONS, RowFilter, from_json

ROLES = ("viewer", "analyst", "admin")
SESSION_HOURS = 12
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
TOKEN_PREFIX = "ana_"

DDL = """
select pg_advisory_xact_lock(hashtext('ops.users')); -- two at once cannot create a table
create table if not exists ops.users (
    user_name text primary key,
    role text not null check (role in ('viewer', 'analyst', 'admin')),
    password_hash text,
    row_filter jsonb not null default '{}',
    created_at timestamptz not null default now()
);
create table if not exists ops.api_tokens (
    token_id bigint generated always as identity primary key,
    user_name text not null references ops.users on delete cascade,
    label text not null,
    token_hash text not null unique,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
create table if not exists ops.sessions (
    session_hash text primary key,
    user_name text not null references ops.users on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create table if not exists ops.access_log (
    access_id bigint generated always as identity primary key,
    happened_at timestamptz not null default now(),
    user_name text not null,
    address text not null,
    action text not null,
    what text not null,
    status integer
);
create index if not exists access_log_logins on ops.access_log (happened_at) where action like 'login%';
comment on table ops.users is 'Who may log in to the server, as what, and the part of the business that they
see.'; comment on table ops.api_tokens is 'Tokens of programs: hashes, never the tokens themselves.';
comment on table ops.sessions is 'Open sessions of the server.';
comment on table ops.access_log is 'Who read and exported what from the server, and every login.';
revoke all on ops.users, ops.api_tokens, ops.sessions from analytics_reader, analytics_transformer;
grant select, insert, update, delete on ops.users, ops.api_tokens, ops.sessions to analytics_access;
grant select, insert on ops.access_log to analytics_access;
"""

_hasher = PasswordHasher()
# What an unknown user's password is compared with, so that the time taken does not tell who there is.
_NOBODY = _hasher.hash(secrets.token_urlsafe())


@dataclass(frozen=True)
class User:
    """Someone who may log in."""

    name: str
    role: str
    row_filter: RowFilter


def prepare() -> None:
    """Create the tables, as the loader, who owns schema ops.

    Raises:
        ReportError: the role `access` does not exist in this warehouse yet.
    """
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        try:
            cursor.execute(DDL)
        except psycopg2.errors.UndefinedObject as error:
            mend = "analytics warehouse stop, then start" if warehouse.is_embedded() else "ingest/roles.sql"
            raise ReportError(f"the warehouse has no role analytics_access yet; run: {mend}") from error


def hash_of(secret: str) -> str:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Access:
    """The tables, as the role `access`. Every change is told to running servers."""

    def __init__(self) -> None:
        self._database = Database("access", connections=4)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    # ---------------------------------------------------------------------------------------------- users

    def users(self) -> list[tuple[Any, ...]]:
        """All users: name, role, row filter, whether they have a password, number of tokens, since when."""
        return self._database.rows(
            "select user_name, role, row_filter, password_hash is not null,"
            " (select count(*) from ops.api_tokens where api_tokens.user_name = users.user_name"
            " and revoked_at is null), created_at from ops.users order by user_name"
        )

    def has_users(self) -> bool:
        """Whether there is any user."""
        return bool(self._database.rows("select 1 from ops.users limit 1"))

    def add_user(self, name: str, role: str, password: str | None, only: Mapping[str, Sequence[str]]) -> None:
        """Add a user; one who is there already gets the new role, filter and, if given, password, and is
        logged out.

        Raises:
            ReportUsageError: the name, role, password or filter will not do; the message says why.
        """
        name = name.strip()
        if not name or len(name) > 100 or not name.isprintable() or name.startswith("("):
            raise ReportUsageError("a user's name has 1 to 100 printable characters, the first no bracket")
        if role not in ROLES:
            raise ReportUsageError(f"there is no role {role!r}; there are: {', '.join(ROLES)}")
        if password is not None and not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise ReportUsageError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
        _check_filter(only)
        hashed = _hasher.hash(password) if password is not None else None
        self._database.rows(
            "with gone as (delete from ops.sessions where user_name = %s)"
            " insert into ops.users (user_name, role, password_hash, row_filter) values (%s, %s, %s, %s)"
            " on conflict (user_name) do update set role = excluded.role, row_filter = excluded.row_filter,"
            " password_hash = coalesce(excluded.password_hash, users.password_hash)",
            (name, name, role, hashed, Json({key: list(values) for key, values in only.items()})),
        )
        self._tell()

    def remove_user(self, name: str) -> bool:
        """Remove a user with tokens and sessions; returns whether there was one."""
        found = self._database.rows("delete from ops.users where user_name = %s returning 1", (name,))
        self._tell()
        return bool(found)

    def check_password(self, name: str, password: str) -> User | None:
        """The user, if the password is right."""
        found = self._database.rows(
            "select user_name, role, row_filter, password_hash from ops.users where user_name = %s", (name,)
        )
        hashed = (found[0][3] if found else None) or _NOBODY
        try:
            _hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return None
        if not found:
            return None
        if _hasher.check_needs_rehash(hashed):
            self._database.rows(
                "update ops.users set password_hash = %s where user_name = %s", (_hasher.hash(password), name)
            )
        return User(found[0][0], found[0][1], from_json(found[0][2]))

    # --------------------------------------------------------------------------------- tokens and sessions

    def add_token(self, name: str, label: str, days: int | None) -> tuple[int, str]:
        """A new token of a user, and its number. The token can be seen this once.

        Raises:
            ReportUsageError: there is no such user.
        """
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        rows = self._database.rows(
            "insert into ops.api_tokens (user_name, label, token_hash, expires_at)"
            " select user_name, %s, %s, now() + %s from ops.users where user_name = %s returning token_id",
            (label, hash_of(token), timedelta(days=days) if days else None, name),
        )
        if not rows:
            raise ReportUsageError(f"there is no user {name!r}; see `analytics user list`")
        return int(rows[0][0]), token

    def tokens(self, name: str | None = None) -> list[tuple[Any, ...]]:
        """Tokens: number, user, label, since when, until when, revoked when."""
        return self._database.rows(
            "select token_id, user_name, label, created_at, expires_at, revoked_at from ops.api_tokens"
            " where %s::text is null or user_name = %s order by token_id",
            (name, name),
        )

    def revoke_token(self, token_id: int) -> bool:
        """Make a token useless; returns whether it was of use."""
        found = self._database.rows(
            "update ops.api_tokens set revoked_at = now() where token_id = %s and revoked_at is null"
            " returning 1",
            (token_id,),
        )
        self._tell()
        return bool(found)

    def user_of_token(self, token: str) -> User | None:
        """The user of a token that is of use."""
        of_use = "token_hash = %s and revoked_at is null and (expires_at is null or expires_at > now())"
        return self._user(f"ops.api_tokens inner join ops.users using (user_name) where {of_use}", token)

    def open_session(self, name: str) -> str:
        """A new session of a user; returns its secret. Sessions that are over go."""
        secret = secrets.token_urlsafe(32)
        self._database.rows(
            "with over as (delete from ops.sessions where expires_at < now())"
            " insert into ops.sessions (session_hash, user_name, expires_at) values (%s, %s, now() + %s)",
            (hash_of(secret), name, timedelta(hours=SESSION_HOURS)),
        )
        return secret

    def user_of_session(self, secret: str) -> User | None:
        """The user of an open session."""
        is_open = "session_hash = %s and expires_at > now()"
        return self._user(f"ops.sessions inner join ops.users using (user_name) where {is_open}", secret)

    def close_session(self, secret: str) -> None:
        """End a session."""
        self._database.rows("delete from ops.sessions where session_hash = %s", (hash_of(secret),))
        self._tell()

    def _user(self, found_in: str, secret: str) -> User | None:
        rows = self._database.rows(f"select user_name, role, row_filter from {found_in}", (hash_of(secret),))
        return User(rows[0][0], rows[0][1], from_json(rows[0][2])) if rows else None

    # ---------------------------------------------------------------------------------------------- the log

    def log(self, entries: Sequence[tuple[datetime, str, str, str, str, int | None]]) -> None:
        """Write down what happened: when, who, from where, action, what, status."""
        names = ("happened_at", "user_name", "address", "action", "what", "status")
        content = to_json([dict(zip(names, entry, strict=True)) for entry in entries]).decode()
        # One text: hundreds of values would be quoted one by one, while others wait for their answers.
        self._database.rows(
            "insert into ops.access_log (happened_at, user_name, address, action, what, status)"
            " select happened_at, user_name, address, action, what, status"
            " from json_to_recordset(%s) as entries (happened_at timestamptz, user_name text, address text,"
            " action text, what text, status integer)",
            (content,),
        )

    def log_page(self, before: int | None, limit: int) -> list[tuple[Any, ...]]:
        """The newest entries of the log (before one of them)."""
        return self._database.rows(
            "select access_id, happened_at, user_name, address, action, what, status from ops.access_log"
            " where %s::bigint is null or access_id < %s order by access_id desc limit %s",
            (before, before, limit),
        )

    def begin_login(self, name: str, address: str, minutes: int) -> tuple[int, int, int]:
        """Write an attempt down, before its password is looked at, and count those of the last minutes, this
        one too: failed since the last success of this name from this address; of this address in all; of this
        name from anywhere."""
        rows = self._database.rows(
            """
            with attempt as (
                insert into ops.access_log (user_name, address, action, what)
                values (%(name)s, %(address)s, 'login attempt', '')
            ),
            recent as (
                select access_id, user_name, address, case action when 'login' then -1 else 1 end as failed
                from ops.access_log
                where action like 'login%%' and happened_at > now() - %(window)s
                    and (address = %(address)s or user_name = %(name)s)
            ),
            success as (
                select coalesce(max(access_id), 0) as access_id from recent
                where failed = -1 and user_name = %(name)s and address = %(address)s
            )
            select
                count(*) filter (where address = %(address)s and user_name = %(name)s
                    and recent.access_id > success.access_id),
                coalesce(sum(failed) filter (where address = %(address)s), 0),
                coalesce(sum(failed) filter (where user_name = %(name)s), 0)
            from recent cross join success
            """,
            {"name": name, "address": address, "window": timedelta(minutes=minutes)},
        )
        same, of_address, of_name = (int(count) + 1 for count in rows[0])
        return same, of_address, of_name

    def _tell(self) -> None:
        self._database.rows("select pg_notify('analytics_access', '')")


def _check_filter(only: Mapping[str, Sequence[str]]) -> None:
    """A filter that names nothing would only look like one.

    Raises:
        ReportUsageError: it names no dimension or value that there is; lists those there are.
    """
    with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
        for name, values in only.items():
            if name not in DIMENSIONS:
                raise ReportUsageError(f"users are limited by {', '.join(DIMENSIONS)}, not by {name}")
            dimension = DIMENSIONS[name]
            try:
                cursor.execute(
                    f"select distinct {dimension.value} from marts.{dimension.table}"
                    f" where {dimension.value} is not null order by 1"
                )
            except psycopg2.errors.UndefinedTable as error:
                raise ReportUsageError(f"there is no {name} yet; build first: analytics build") from error
            known = [str(value) for (value,) in cursor.fetchall()]
            if unknown := sorted(set(values) - set(known)):
                raise ReportUsageError(
                    f"there is no {name} {', '.join(unknown)}; there are: {', '.join(known[:40])}"
                )
