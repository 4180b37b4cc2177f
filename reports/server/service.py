"""The parts of a running server, put together; and how endpoints answer: known answers first, tagged,
noted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from reports.server import catalogue, rendering
from reports.server.access import Access
from reports.server.audit import Audit
from reports.server.auth import Gate, Visitor
from reports.server.builds import Build, Builds
from reports.server.cache import Answer, Asked, Cache
from reports.server.catalogue import Catalogue
from reports.server.database import Database
from reports.server.documents import Documents
from reports.server.encoding import to_json
from reports.server.export import Slots
from reports.server.measures import Measures
from reports.server.problems import Problem

logger = logging.getLogger(__name__)


class Service:
    """Everything behind the endpoints of one server."""

    def __init__(self, *, is_loopback: bool) -> None:
        self.database, self.access = Database(), Access()
        self.measures, self.cache, self.exports = Measures(), Cache(), Slots()
        self.audit = Audit(self.access)
        self.gate = Gate(self.access, self.audit, self.measures, is_loopback=is_loopback)
        self.builds = Builds(self._on_build, self.gate.forget)
        self.documents = Documents(lambda: self.builds.current, lambda: self.builds.is_away)
        self._catalogue: Catalogue | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        for name, text, value in (
            ("cache_answers", "Answers in the cache.", lambda: len(self.cache)),
            ("cache_bytes", "Bytes in the cache.", lambda: self.cache.bytes),
            ("cache_hits", "Questions answered from the cache.", lambda: self.cache.hits),
            ("cache_misses", "Questions not answered from the cache.", lambda: self.cache.misses),
            ("event_clients", "Open streams of events.", lambda: self.builds.listeners),
            ("warehouse_up", "Whether the warehouse answers.", lambda: not self.builds.is_away),
            ("build_load_id", "The newest load in the marts.", lambda: self.builds.current.load_id),
            ("build_timestamp_seconds", "When the marts were built.", self._built_at),
        ):
            self.measures.gauge(name, text, value)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to listen for builds and to write the access log."""
        self._loop = loop
        self.audit.start()
        self.builds.start(loop)

    def stop(self) -> None:
        """End all of it."""
        rendering.stop()
        self.builds.stop()
        self.audit.stop()
        self.database.close()
        self.access.close()

    async def catalogue(self) -> Catalogue:
        """The names of the present build."""
        if (known := self._catalogue) is None:
            known = self._catalogue = await run_in_threadpool(catalogue.read, self.database)
        return known

    async def answer(
        self, request: Request, visitor: Visitor, what: str, make: Callable[[], Awaitable[Answer]],
        key: Hashable = None,
    ) -> Response:  # fmt: skip
        """The response to a question: from the cache, or worked out; 304 where the client has it already. The
        access log gets `what` was read.

        Args:
            key: what tells the question from others, beside its address and who may see what.
        """
        asked = None if key else Asked(what, request.state.least, request.scope["route"])

        async def made() -> Answer:
            return replace(await make(), asked=asked)

        answer = await self.cache.get(_known_as(request, visitor, key), made)
        return self._shown(request, visitor, what, answer)

    def remembered(self, request: Request) -> Response | None:
        """The response to a question that was answered before, and needs no more than its address."""
        if (visitor := self.gate.remembered(request)) is None:
            return None
        answer = self.cache.known(_known_as(request, visitor))
        if answer is None or answer.asked is None or not visitor.is_at_least(answer.asked.least):
            return None
        request.scope["route"] = answer.asked.route
        return self._shown(request, visitor, answer.asked.what, answer)

    def _shown(self, request: Request, visitor: Visitor, what: str, answer: Answer) -> Response:
        self.audit.read(visitor.name, visitor.address, "read", what)
        # Another user of the same browser must not find what was shown to someone who sees more or else.
        keeping = "no-store" if visitor.row_filter else "no-cache"
        headers = {
            "ETag": answer.etag,
            "Cache-Control": f"private, {keeping}",
            "Vary": "Accept-Encoding, Authorization, Cookie",
            **answer.headers,
        }
        if answer.etag in {tag.strip().removeprefix("W/") for tag in _tags(request)}:
            return Response(status_code=304, headers=headers)
        if answer.compressed and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(answer.compressed, media_type=answer.media_type, headers=headers)
        return Response(answer.body, media_type=answer.media_type, headers=headers)

    async def json(
        self, request: Request, visitor: Visitor, make: Callable[[], Any], is_new_each_time: bool = False
    ) -> Response:
        """As `answer`, for what a function in a thread makes, as JSON."""

        async def made() -> Answer:
            return await run_in_threadpool(lambda: Answer(to_json(make())).finished())

        if is_new_each_time:
            body = await run_in_threadpool(lambda: to_json(make()))
            self.audit.read(visitor.name, visitor.address, "read", _address(request))
            return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
        return await self.answer(request, visitor, _address(request), made)

    def _on_build(self, build: Build) -> None:
        """In the listening thread: the loop's own cache is emptied in the loop, before pages hear of it."""
        if self._loop is None:
            return
        logger.info("a build: load %s, %s", *build)
        try:
            self._loop.call_soon_threadsafe(self._renew)
        except RuntimeError:  # the loop has ended
            logger.info("the server ends")

    def _renew(self) -> None:
        self._catalogue = None
        self.cache.clear()

    def _built_at(self) -> float:
        return self.builds.current.built_at.timestamp() if self.builds.current.built_at else 0.0


class Memory:
    """A layer around the endpoints: what was asked before is answered before an address is taken apart and
    checked, which costs several times as much."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_question = scope["type"] == "http" and scope["method"] == "GET"
        answer = self.service.remembered(Request(scope)) if is_question else None
        await (answer or self.app)(scope, receive, send)


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


def at_least(role: str) -> Callable[..., Awaitable[Visitor]]:
    """A dependency: the visitor, who must have this role or a higher one."""

    async def visitor(request: Request) -> Visitor:
        request.state.least = role
        found = await service_of(request).gate.visitor(request)
        if not found.is_at_least(role):
            raise Problem(403, f"this is for the role {role}; yours is {found.role}")
        return found

    return visitor


Viewer = Annotated[Visitor, Depends(at_least("viewer"))]
Analyst = Annotated[Visitor, Depends(at_least("analyst"))]
Admin = Annotated[Visitor, Depends(at_least("admin"))]


def _known_as(request: Request, visitor: Visitor, key: Hashable = None) -> Hashable:
    return request.scope["path"], request.scope["query_string"], visitor.row_filter.key, key


def _tags(request: Request) -> list[str]:
    return request.headers.get("if-none-match", "").split(",")


def _address(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
