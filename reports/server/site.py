"""What people open: the index, dashboards with their data, archived reports, login and logout."""

from typing import Annotated
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from reports.server import auth, documents, pages
from reports.server.access import LONGEST_PASSWORD, SESSION_HOURS
from reports.server.api import file_response
from reports.server.cache import Answer
from reports.server.problems import Problem
from reports.server.security import policy
from reports.server.service import Viewer, service_of

SHOWN_REPORTS = 40
FORM = "application/x-www-form-urlencoded"

router = APIRouter(include_in_schema=False)
Name = Annotated[str, Path(max_length=100)]


@router.get("/")
async def index(request: Request, visitor: Viewer) -> Response:
    """Dashboards and archived reports."""
    service = service_of(request)
    known = await run_in_threadpool(service.documents.archived, visitor.row_filter)
    shown, more = known[:SHOWN_REPORTS], max(0, len(known) - SHOWN_REPORTS)
    return _page(pages.index(visitor, service.builds.current, documents.dashboards(), shown, more))


@router.get("/dashboards/{name}")
async def dashboard_without_slash(name: Name) -> Response:
    """To where relative addresses of the page fit."""
    return RedirectResponse(f"/dashboards/{quote(name, safe='')}/", 308)


@router.get("/dashboards/{name}/")
async def dashboard(request: Request, visitor: Viewer, name: Name) -> Response:
    """A dashboard's page."""
    service = service_of(request)
    file = await service.documents.page(name, visitor.row_filter)

    async def read() -> Answer:
        body = await run_in_threadpool(file.path.read_bytes)
        headers = {"Content-Security-Policy": policy(body)}
        return await run_in_threadpool(Answer(body, "text/html; charset=utf-8", headers).finished)

    return await service.answer(request, visitor, f"dashboard {name}", read, key=str(file.path))


@router.get("/dashboards/{name}/data.json")
async def dashboard_data(request: Request, visitor: Viewer, name: Name) -> Response:
    """The figures of a dashboard, as they are now."""
    service = service_of(request)
    return await service.json(request, visitor, lambda: service.documents.data(name, visitor.row_filter))


@router.get("/reports/{report_id}/{name:path}")
async def archived_report(request: Request, visitor: Viewer, report_id: Name, name: str) -> Response:
    """A file of an archived report."""
    service = service_of(request)
    file = await run_in_threadpool(service.documents.file, report_id, name, visitor.row_filter)
    service.audit.read(visitor.name, visitor.address, "report", f"{report_id} {file.name}")
    return file_response(file.path, file.name, file.media_type)


@router.get("/login")
async def login_form(request: Request) -> Response:
    """The form."""
    target = _local(request.query_params.get("next", "/"))
    if await service_of(request).gate.is_open():
        return RedirectResponse("/", 303)
    return _form(request, target)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Check what the form holds; a session if it is right."""
    form = await _read(request)
    secret = request.cookies.get(auth.LOGIN, "")
    auth.check_form(request, form, secret)
    target = _local(form.get("next", "/"))
    name, password = form.get("name", "").strip()[:100], form.get("password", "")[:LONGEST_PASSWORD]
    try:
        session = await service_of(request).gate.log_in(request, name, password)
    except Problem as problem:
        if problem.status not in (401, 429):
            raise
        answer = _form(request, target, problem.detail)
        answer.status_code = problem.status
        answer.headers.update(problem.headers)
        return answer
    done = RedirectResponse(target, 303)
    lifetime = SESSION_HOURS * 3600
    done.set_cookie(auth.SESSION, session, samesite="lax", max_age=lifetime, **auth.cookie(request))
    done.delete_cookie(auth.LOGIN)
    return done


@router.post("/logout")
async def log_out(request: Request, visitor: Viewer) -> Response:
    """End the session."""
    auth.check_form(request, await _read(request), visitor.session)
    await service_of(request).gate.log_out(visitor)
    done = RedirectResponse("/login", 303)
    done.delete_cookie(auth.SESSION)
    return done


def to_login(request: Request) -> Response:
    """Where a person goes who is not logged in, to come back afterwards."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(
        f"/login?next={quote(wanted, safe='')}", 303, headers={"Cache-Control": "no-store"}
    )


def is_for_people(request: Request) -> bool:
    """Whether a request is one of a person at a browser, for a page."""
    path = request.url.path
    return request.method == "GET" and (
        path == "/" or (path.startswith(("/dashboards/", "/reports/")) and not path.endswith(".json"))
    )


def _form(request: Request, target: str, wrong: str = "") -> Response:
    secret = auth.new_secret()
    answer = _page(pages.login(secret, target, wrong))
    answer.set_cookie(auth.LOGIN, secret, samesite="strict", max_age=3600, **auth.cookie(request))
    return answer


def _page(html: str) -> Response:
    body = html.encode()
    headers = {"Content-Security-Policy": policy(body), "Cache-Control": "no-store"}
    return HTMLResponse(body, headers=headers)


async def _read(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
        raise Problem(415, "send a form")
    try:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        raise Problem(400, "the form is not written as it should be") from None
    if any("\0" in value for value in form.values()):
        raise Problem(400, "a form cannot hold the character NUL")
    return form


def _local(target: str) -> str:
    """An address of this server, or its index: nobody is sent elsewhere."""
    is_local = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_local else "/"
