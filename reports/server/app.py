"""The application and the process that serves it (`analytics serve`)."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from ingest import warehouse
from reports.errors import ReportUsageError
from reports.server import access, api, problems, site
from reports.server.problems import Problem
from reports.server.security import Guard
from reports.server.service import Memory, Service

TITLE = "Simple Analytics Platform"
DESCRIPTION = """\
Metrics, tables, exports and reports of the warehouse, read-only.

Send an API token as `Authorization: Bearer …` (`analytics user token add NAME`), or the cookie of a login. A
server on a loopback address that has no users is open. Errors are problem+json (RFC 9457). Answers carry an
`ETag` that changes with what they hold; `load_id` and `built_at` say which build they are of."""
# Nobody waits for pages that listen for events when the server ends.
ENDING_SECONDS = 2
CONNECTIONS = 1_000
QUEUE = 256


def application(service: Service) -> ASGIApp:
    """The application over a service, which begins and ends with it."""
    return Guard(Memory(routes(service), service), service.measures)


def routes(service: Service | None = None) -> FastAPI:
    """The endpoints; without a service only to be described."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if service is not None:
            service.start(asyncio.get_running_loop())
        yield
        if service is not None:
            service.stop()

    app = FastAPI(
        title=TITLE, description=DESCRIPTION, version=version("simple-analytics-platform"),
        openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False,
    )  # fmt: skip
    app.state.service = service
    app.include_router(api.router)
    app.include_router(site.router)
    problems.install(app)

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        if error.status == 401 and site.is_for_people(request):
            return site.to_login(request)
        return problems.response(error.status, error.detail, error.headers)

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return api.json_response(app.openapi())

    app.openapi = _described(app, app.openapi)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI, plain: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The description with what FastAPI does not say: how to log in, and that all problems look alike."""

    def described() -> dict[str, Any]:
        content = plain()
        components = content.setdefault("components", {})
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "session"},
        }
        schemas = components.setdefault("schemas", {})
        schemas["ProblemModel"] = problems.ProblemModel.model_json_schema()
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for path, operations in content["paths"].items():
            for operation in operations.values():
                if path != "/api/v1/health":
                    operation["security"] = [{"token": []}, {"session": []}, {}]
        return content

    return described


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address, or all that a name stands for."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except socket.gaierror as error:
        raise ReportUsageError(f"there is no address {host!r} on this machine") from error
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)


def serve(host: str, port: int, ready: Callable[[str, int], None]) -> None:
    """Serve until interrupted; `ready` is told where once requests are taken.

    Raises:
        ReportUsageError: the address is open to other machines and there are no users, or it cannot be had.
    """
    local = is_loopback(host)
    warehouse.start()
    access.prepare()
    service = Service(is_loopback=local)
    if not local and not service.access.has_users():
        raise ReportUsageError(
            f"{host} is reached by other machines, and nobody could log in: add a user first"
            " (analytics user add NAME), or serve on 127.0.0.1"
        )
    listener = _listener(host, port)
    with contextlib.closing(listener):
        config = uvicorn.Config(
            application(service), log_level="warning", access_log=False, server_header=False,
            timeout_graceful_shutdown=ENDING_SECONDS, limit_concurrency=CONNECTIONS, backlog=QUEUE,
        )  # fmt: skip
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        server = uvicorn.Server(config)
        ready(host, int(listener.getsockname()[1]))
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn ends in order, then passes it on
            server.run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ReportUsageError(
            f"{host}:{port} cannot be had: {error.strerror}; choose another --port"
        ) from error
    listener.listen(QUEUE)
    return listener
