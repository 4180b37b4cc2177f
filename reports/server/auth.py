"""Who is asking, and may they: tokens, session cookies, and the open door of a loopback server without users.

Users and sessions are kept by `access.py`; here requests are judged. What was found is remembered for a short
time, and forgotten at once when users change.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from reports.server.access import ROLES, Access, User, hash_of
from reports.server.audit import Audit
from reports.server.measures import Measures
from reports.server.problems import Problem
from reports.server.row_filter import RowFilter

SESSION, LOGIN = "session", "login"  # cookies
REMEMBERED_SECONDS = 30.0
REMEMBERED = 10_000  # secrets
# Attempts to log in within so many minutes: of a name from an address, of an address, of a name from
# anywhere.
LOGIN_MINUTES, LOGIN_ATTEMPTS = 15, (5, 20, 50)
AT_ONCE = 2  # passwords checked at a time: each takes 64 MB and a core
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOCAL = "(local)"


@dataclass(frozen=True)
class Visitor:
    """Who asks: name, role, what part of the business they see, from which address; the secret of their
    session, if they have one."""

    name: str
    role: str
    address: str
    row_filter: RowFilter = field(default_factory=RowFilter)
    session: str = ""

    def is_at_least(self, role: str) -> bool:
        """Whether the role is this one or above it."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Gate:
    """Tells who asks. With `is_loopback` a server without users is open, to the machine itself."""

    def __init__(self, access: Access, audit: Audit, measures: Measures, *, is_loopback: bool) -> None:
        self._access, self._audit, self._measures = access, audit, measures
        self._is_loopback = is_loopback
        self._known: dict[str, tuple[float, User | None]] = {}
        self._has_users: bool | None = None
        self._checking = asyncio.Semaphore(AT_ONCE)

    def forget(self) -> None:
        """Ask again who is who; safe from any thread."""
        self._known, self._has_users = {}, None

    async def visitor(self, request: Request) -> Visitor:
        """Who asks.

        Raises:
            Problem: 401, if they must say so first; 421, if an open server is asked by another name.
        """
        if (remembered := self.remembered(request)) is not None:
            return remembered
        address = address_of(request)
        token = _bearer(request)
        if token is not None:
            if (user := await self._find(token, self._access.user_of_token)) is not None:
                return Visitor(user.name, user.role, address, user.row_filter)
            raise unauthorized("this token is not known, was revoked or is over")
        session = request.cookies.get(SESSION, "")
        if session and (user := await self._find(session, self._access.user_of_session)) is not None:
            return Visitor(user.name, user.role, address, user.row_filter, session)
        if not await self.is_open():
            raise unauthorized("log in, or send an API token")
        # A page elsewhere that points its own name at this machine must not read what is open to it.
        if _host(request) not in LOOPBACK:
            raise Problem(421, "without users this server answers to 127.0.0.1 and localhost only")
        return Visitor(LOCAL, "admin", address)

    def remembered(self, request: Request) -> Visitor | None:
        """Who asks, where nothing needs to be looked up for it."""
        token = _bearer(request)
        session = request.cookies.get(SESSION, "") if token is None else ""
        if secret := token or session:
            until, user = self._known.get(hash_of(secret), (0.0, None))
            if user is None or until <= time.monotonic():
                return None
            return Visitor(user.name, user.role, address_of(request), user.row_filter, session)
        if token is None and self._is_loopback and self._has_users is False and _host(request) in LOOPBACK:
            return Visitor(LOCAL, "admin", address_of(request))
        return None

    async def is_open(self) -> bool:
        """Whether nobody needs to log in."""
        if not self._is_loopback:
            return False
        if (has_users := self._has_users) is None:
            has_users = await run_in_threadpool(self._access.has_users)
            self._has_users = has_users
        return not has_users

    async def log_in(self, request: Request, name: str, password: str) -> str:
        """Check a name and a password; returns the secret of a new session.

        Raises:
            Problem: 401, if they are wrong; 429, after too many attempts.
        """
        address = address_of(request)
        async with self._checking:
            attempts = await run_in_threadpool(self._access.begin_login, name, address, LOGIN_MINUTES)
            if any(made > allowed for made, allowed in zip(attempts, LOGIN_ATTEMPTS, strict=True)):
                self._measures.logins.labels("limited").inc()
                wait = {"Retry-After": str(LOGIN_MINUTES * 60)}
                raise Problem(429, f"too many attempts; wait {LOGIN_MINUTES} minutes", wait)
            user = await run_in_threadpool(self._access.check_password, name, password)
        if user is None:
            self._measures.logins.labels("failed").inc()
            raise Problem(401, "the name or the password is wrong")
        secret = await run_in_threadpool(self._access.open_session, user.name)
        await run_in_threadpool(self._audit.write, user.name, address, "login", "")
        self._measures.logins.labels("done").inc()
        return secret

    async def log_out(self, visitor: Visitor) -> None:
        """End the visitor's session."""
        await run_in_threadpool(self._access.close_session, visitor.session)
        await run_in_threadpool(self._audit.write, visitor.name, visitor.address, "logout", "")
        self.forget()

    async def _find(self, secret: str, look_up: Callable[[str], User | None]) -> User | None:
        known = self._known
        key = hash_of(secret)
        if (found := known.get(key)) is not None and found[0] > time.monotonic():
            return found[1]
        user = await run_in_threadpool(look_up, secret)
        if len(known) >= REMEMBERED:
            known.clear()
        # Into what was in force when the look-up began: what `forget` threw away stays so.
        known[key] = (time.monotonic() + REMEMBERED_SECONDS, user)
        return user


def unauthorized(detail: str) -> Problem:
    """Nobody knows who asks."""
    return Problem(401, detail, {"WWW-Authenticate": "Bearer"})


def address_of(request: Request) -> str:
    """The address of who asks."""
    return request.client.host if request.client else "unknown"


def csrf_token(secret: str) -> str:
    """What a form must carry beside the cookie with this secret, so that no other site can send it."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def check_form(request: Request, form: dict[str, str], secret: str) -> None:
    """Make sure that a form comes from a page of this server.

    Raises:
        Problem: 403, it does not.
    """
    origin = request.headers.get("origin")
    foreign = origin is not None and origin.partition("://")[2] != request.headers.get("host")
    if foreign or not secret or not hmac.compare_digest(form.get("csrf", ""), csrf_token(secret)):
        raise Problem(403, "this form has expired; open its page again")


def new_secret() -> str:
    """A random text for a cookie."""
    return secrets.token_urlsafe(32)


def cookie(request: Request, **more: Any) -> dict[str, Any]:
    """How cookies are set: out of reach of scripts, and over TLS only where it is used."""
    return {"httponly": True, "secure": request.url.scheme == "https", "path": "/", **more}


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _host(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:  # it is no name
        return ""
