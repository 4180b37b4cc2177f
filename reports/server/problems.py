"""Errors as clients see them: problem+json (RFC 9457), in words for who asked, without SQL and without
paths."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from reports.server.encoding import to_json

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

logger = logging.getLogger(__name__)


class Problem(Exception):
    """Something that ends a request: an HTTP status and a sentence for who asked."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


class ProblemModel(BaseModel):
    """What a client gets instead of an answer."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def unavailable(detail: str) -> Problem:
    """Something that comes back by itself."""
    return Problem(503, detail, {"Retry-After": str(RETRY_SECONDS)})


def response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as a response."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(
        to_json(content),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint may answer with, for its OpenAPI; those that any may are added."""
    known = {400, 401, 403, 414, 422, 429, 500, 503, *statuses}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}},
        }
        for status in sorted(known)
    }


def install(app: FastAPI) -> None:
    """Let all errors of an application leave it as problems."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        return response(error.status, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        details = {404: "there is nothing at this address", 405: "this address does not take this method"}
        return response(error.status_code, details.get(error.status_code, str(error.detail)), error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        # What was sent is not repeated: it may be long, and it is the client's own.
        found = [f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors()]
        return response(422, "; ".join(found[:5]))

    @app.exception_handler(Exception)
    async def _failed(request: Request, error: Exception) -> Response:
        return response(500, "something went wrong; the server's log says what")
