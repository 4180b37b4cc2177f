"""What holds for every request and response: limits of size, headers that keep a browser safe, time and
count.

Written for ASGI as such, so that streams pass through unbuffered.
"""

import base64
import hashlib
import logging
import re
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reports.server.measures import Measures
from reports.server.problems import Problem, response

LONGEST_URL = 8_000  # bytes
LARGEST_BODY = 16_000  # bytes: the one form there is
NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": NOTHING,
}
ALWAYS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
OVER_TLS = [*ALWAYS, (b"strict-transport-security", b"max-age=31536000")]
SCRIPT = re.compile(rb"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.DOTALL | re.IGNORECASE)

logger = logging.getLogger(__name__)


def policy(html: bytes) -> str:
    """The Content-Security-Policy of a self-contained page: only the scripts that stand in it, by their hash,
    no `eval`; styles and pictures of its own; requests to this server."""
    hashes = sorted(
        {
            f"'sha256-{base64.b64encode(hashlib.sha256(found['code']).digest()).decode()}'"
            for found in SCRIPT.finditer(html)
            if b"application/json" not in found["attributes"]
        }
    )
    scripts = " ".join(hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app, self.measures = app, measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        has_begun = False

        async def guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                _add_headers(message, is_secure=scope["scheme"] == "https")
                self._count(scope, message["status"], time.perf_counter() - started)
            await send(message)

        try:
            if too_large := _too_large(scope):
                await response(*too_large)(scope, receive, guarded)
                return
            await self.app(scope, _limited(receive), guarded)
        except Exception:
            if has_begun:
                raise  # uvicorn logs it, and cuts what is not whole, so that nobody takes a part for all
            logger.exception("a request failed: %s %s", scope["method"], scope["path"])
            await response(500, "something went wrong; the server's log says what")(scope, receive, guarded)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self.measures.requests.labels(route, str(status)).inc()
        self.measures.seconds.labels(route).observe(seconds)


def _too_large(scope: Scope) -> tuple[int, str] | None:
    if len(scope["raw_path"] or b"") + len(scope["query_string"]) > LONGEST_URL:
        return 414, f"an address has at most {LONGEST_URL} bytes"
    if b"\0" in scope["path"].encode("utf-8", "replace") or b"%00" in scope["query_string"]:
        return 400, "an address cannot hold the character NUL"
    length = Headers(scope=scope).get("content-length", "0")
    if length.isdigit() and int(length) > LARGEST_BODY:
        return 413, f"a body has at most {LARGEST_BODY} bytes"
    return None


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > LARGEST_BODY:
                raise Problem(413, f"a body has at most {LARGEST_BODY} bytes")
        return message

    return limited


def _add_headers(message: Message, *, is_secure: bool) -> None:
    has = {name for name, _ in message["headers"]}
    wanted = OVER_TLS if is_secure else ALWAYS
    message["headers"] = [*message["headers"], *(header for header in wanted if header[0] not in has)]
