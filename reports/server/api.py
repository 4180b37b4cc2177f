"""The API under `/api/v1`, the events and the counters: what is taken, what comes back, with examples."""

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from psycopg2.sql import SQL
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from reports.archive import particulars
from reports.figures import BETWEEN, MEMBERS, Filters
from reports.metrics import TOTAL, Metric
from reports.server import export
from reports.server.builds import Build
from reports.server.catalogue import Relation
from reports.server.encoding import to_json
from reports.server.metrics import LARGEST, Grain, Question
from reports.server.problems import Problem, documented
from reports.server.queries import OPERATORS, Selection
from reports.server.row_filter import DIMENSIONS, RowFilter
from reports.server.security import policy
from reports.server.service import Admin, Analyst, Service, Viewer, service_of

PAGE, LARGEST_PAGE = 100, 1_000
FILTERS = 20
SOURCES_SQL = """
select
    source_name, feed_name, entity,
    max(load_id) filter (where state = 'loaded'),
    max(finished_at) filter (where state = 'loaded'),
    (array_agg(state order by load_id desc))[1],
    (array_agg(rows_accepted order by load_id desc) filter (where state = 'loaded'))[1],
    (array_agg(rows_rejected order by load_id desc) filter (where state = 'loaded'))[1]
from ops.loads
group by source_name, feed_name, entity
order by source_name, feed_name
"""

router = APIRouter()
Name = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^/\x00]+$")]
Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
SHORT = ", ".join(DIMENSIONS)
FILTER_HELP = f"column:operator:value, with {', '.join(OPERATORS)}; may be repeated, and all must hold"


# ------------------------------------------------------------------------------------------- what is taken


class MetricParameters(BaseModel):
    """Which values of a metric."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    first: date | None = Field(None, alias="from", description="The first day.", examples=["2025-12-01"])
    last: date | None = Field(None, alias="to", description="The last day.", examples=["2025-12-31"])
    grain: Grain = Field(Grain.DAY, description="The length of the periods.")
    by: Text | None = Field(
        None,
        description=f"A dimension of the metric, or in short: {', '.join(DIMENSIONS)}.",
        examples=["store"],
    )
    filter: list[Text] = Field(
        [],
        max_length=FILTERS,
        description="dimension:value; may be repeated.",
        examples=[["store:High Street"]],
    )


class RowParameters(BaseModel):
    """Which rows of a table."""

    model_config = ConfigDict(extra="forbid")

    columns: Text | None = Field(
        None, description="Names, separated by commas.", examples=["sale_date,quantity,total_amount"]
    )
    filter: list[Text] = Field(
        [], max_length=FILTERS, description=FILTER_HELP, examples=[["sale_date:ge:2025-12-01"]]
    )
    order: Text | None = Field(
        None, description="A column, with a minus for downwards; without it the key.", examples=["-sale_date"]
    )


class TableParameters(RowParameters):
    """Which page of a table."""

    limit: int = Field(PAGE, ge=1, le=LARGEST_PAGE, description="Most rows of the page.")
    after: Text | None = Field(None, description="The `next` of the page before.")


class ReportParameters(BaseModel):
    """Of which period and part of the business."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    first: date | None = Field(None, alias="from", description="The first day.", examples=["2025-12-01"])
    last: date | None = Field(None, alias="to", description="The last day.", examples=["2025-12-31"])
    format: Literal["pdf", "html", "xlsx"] = "pdf"
    store: list[Text] = Field(
        [], max_length=FILTERS, description="Only these stores, by name or code; may be repeated."
    )
    category: list[Text] = Field([], max_length=FILTERS, description="Only these categories of products.")
    channel: list[Text] = Field([], max_length=FILTERS, description="Only these channels, by name or code.")
    segment: list[Text] = Field([], max_length=FILTERS, description="Only these segments of customers.")


class ReportListParameters(BaseModel):
    """Which archived reports."""

    model_config = ConfigDict(extra="forbid")

    report: Text | None = Field(None, description="Only reports of this name.", examples=["daily"])
    limit: int = Field(PAGE, ge=1, le=LARGEST_PAGE)


class ListParameters(BaseModel):
    """Which part of a list, newest first."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(PAGE, ge=1, le=LARGEST_PAGE)
    before: int | None = Field(None, ge=1, le=2**62, description="Only entries before this one.")


# -------------------------------------------------------------------------------------------- what comes back


class BuildModel(BaseModel):
    """What the marts hold."""

    load_id: int = Field(examples=[97])
    built_at: datetime | None = Field(examples=["2026-01-02T06:00:31Z"])


class MetricModel(BaseModel):
    """A metric."""

    name: str = Field(examples=["total_sales"])
    label: str = Field(examples=["Total sales"])
    description: str
    unit: str = Field(examples=["money"])
    dimensions: list[str] = Field(examples=[["store__store_name"]])


class MetricsModel(BaseModel):
    """All metrics, and their grains."""

    metrics: list[MetricModel]
    grains: list[str]


class ValueModel(BaseModel):
    """A value of a metric."""

    period: date = Field(examples=["2025-12-01"])
    period_end: date = Field(examples=["2025-12-01"])
    of: str | None = Field(examples=["High Street"], description="The dimension's value; null in all.")
    value: float | None = Field(examples=[1234.5])


class ValuesModel(BuildModel):
    """Values of a metric."""

    metric: str
    label: str
    unit: str
    grain: str
    by: str | None
    rows: list[ValueModel]


class ColumnModel(BaseModel):
    """A column."""

    name: str
    type: str = Field(examples=["numeric(10,2)"])
    description: str


class TableModel(BaseModel):
    """A table."""

    name: str = Field(examples=["fact_sales"])
    schema_name: str = Field(examples=["marts"])
    description: str
    key: list[str] = Field(examples=[["sale_id"]])
    columns: list[ColumnModel]


class TablesModel(BaseModel):
    """All tables."""

    tables: list[TableModel]


class RowsModel(BuildModel):
    """A page of a table."""

    table: str
    rows: list[dict[str, Any]] = Field(examples=[[{"sale_id": 1, "sale_date": "2025-12-01"}]])
    next: str | None = Field(description="Give it as `after` for the next page; null on the last.")


class ReportModel(BaseModel):
    """An archived report."""

    report_id: str = Field(examples=["daily-2025-12-31-3f9a2c1b7d"])
    report: str = Field(examples=["daily"])
    label: str
    period: str = Field(examples=["2025-12-31"])
    made_at: datetime
    parameters: str = Field(description="What it was limited to, or made otherwise.")
    files: dict[str, str] = Field(description="Addresses, by name.")


class ReportsModel(BaseModel):
    """Archived reports, newest first, and how many there are in all."""

    reports: list[ReportModel]
    total: int


class SourceModel(BaseModel):
    """A feed of a source, and how it was last loaded."""

    source: str = Field(examples=["shop"])
    feed: str = Field(examples=["sales"])
    entity: str = Field(examples=["sales"])
    load_id: int | None
    loaded_at: datetime | None
    last_state: str = Field(examples=["loaded"], description="Of the newest load, also a failed one.")
    rows_accepted: int | None
    rows_rejected: int | None


class SourcesModel(BuildModel):
    """All feeds."""

    sources: list[SourceModel]


class HealthModel(BuildModel):
    """Whether the server can answer."""

    status: Literal["ok"]


class LogEntryModel(BaseModel):
    """Who did what."""

    access_id: int
    happened_at: datetime
    user_name: str
    address: str
    action: str = Field(examples=["export"])
    what: str
    status: int | None


class LogModel(BaseModel):
    """Entries of the access log, newest first."""

    entries: list[LogEntryModel]


def _answers(model: type[BaseModel], *problems: int) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"model": model},
        304: {"description": "The client has it already."},
        **documented(*problems),
    }


def _binary(*media_types: str) -> dict[int | str, dict[str, Any]]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "The file.", "content": dict.fromkeys(media_types, binary)}}


def json_response(content: Any) -> Response:
    """A response that is never kept."""
    return Response(to_json(content), media_type="application/json", headers={"Cache-Control": "no-store"})


def file_response(path: FilePath, name: str, media_type: str) -> Response:
    """A file of the archive, to be shown; a page with the policy that its own scripts need."""
    headers = {"Cache-Control": "private, no-store"}
    if path.suffix == ".html":
        body = path.read_bytes()
        return Response(
            body, media_type=media_type, headers=headers | {"Content-Security-Policy": policy(body)}
        )
    return FileResponse(
        path, media_type=media_type, headers=headers, filename=name, content_disposition_type="inline"
    )


# ------------------------------------------------------------------------------------------------- metrics


@router.get("/api/v1/metrics", responses=_answers(MetricsModel), tags=["metrics"])
async def list_metrics(request: Request, visitor: Viewer) -> Response:
    """All metrics, with what they are kept by."""
    service = service_of(request)
    known = (await service.catalogue()).metrics.values()
    metrics = [
        {"name": m.name, "label": m.label, "description": m.description, "unit": m.unit,
         "dimensions": m.dimensions}
        for m in known
    ]  # fmt: skip
    return await service.json(request, visitor, lambda: {"metrics": metrics, "grains": list(Grain)})


@router.get("/api/v1/metrics/{metric}", responses=_answers(ValuesModel, 404, 413, 504), tags=["metrics"])
async def metric_values(
    request: Request, visitor: Viewer, metric: Name, asked: Annotated[MetricParameters, Query()]
) -> Response:
    """The values of a metric over periods, in all or by one dimension. Periods that the days lie in are
    whole."""
    service = service_of(request)
    found = (await service.catalogue()).metric(metric)
    question = Question.of(found, asked.grain, (asked.first, asked.last), asked.by, asked.filter)
    build = service.builds.current
    return await service.json(request, visitor, lambda: _values(service, question, visitor.row_filter, build))


def _values(service: Service, question: Question, row_filter: RowFilter, build: Build) -> dict[str, Any]:
    rows = service.database.rows(*question.statement(row_filter))
    if len(rows) > LARGEST:
        raise Problem(413, f"more than {LARGEST:,} values; ask for a shorter time or a longer grain")
    is_total = question.dimension == TOTAL
    metric: Metric = question.metric
    return {
        **build._asdict(),
        "metric": metric.name,
        "label": metric.label,
        "unit": metric.unit,
        "grain": question.grain,
        "by": None if is_total else question.dimension,
        "rows": [
            {"period": period, "period_end": end, "of": None if is_total else of, "value": value}
            for period, end, of, value in rows
        ],
    }


# -------------------------------------------------------------------------------------------------- tables


@router.get("/api/v1/tables", responses=_answers(TablesModel), tags=["tables"])
async def list_tables(request: Request, visitor: Analyst) -> Response:
    """All tables of marts and metrics that you may see, with their columns and keys."""
    service = service_of(request)
    tables = [
        {"name": t.name, "schema_name": t.schema, "description": t.description, "key": t.key,
         "columns": [asdict(column) for column in t.columns.values()]}
        for t in (await service.catalogue()).relations.values()
        if _is_open(t, visitor.row_filter)
    ]  # fmt: skip
    return await service.json(request, visitor, lambda: {"tables": tables})


@router.get("/api/v1/tables/{mart}", responses=_answers(RowsModel, 404, 504), tags=["tables"])
async def table_rows(
    request: Request, visitor: Analyst, mart: Name, asked: Annotated[TableParameters, Query()]
) -> Response:
    """Rows of a table, page by page."""
    service = service_of(request)
    relation = (await service.catalogue()).relation(mart)
    selection = Selection.of(relation, visitor.row_filter, asked.columns, asked.filter, asked.order)
    statement = selection.page(asked.limit, asked.after)
    build = service.builds.current

    def make() -> dict[str, Any]:
        rows = service.database.rows(*statement)
        names = [column.name for column in selection.columns]
        shown = rows[: asked.limit]
        return {
            **build._asdict(),
            "table": mart,
            "rows": [dict(zip(names, row, strict=False)) for row in shown],
            "next": selection.place(shown[-1]) if len(rows) > asked.limit else None,
        }

    return await service.json(request, visitor, make)


@router.get(
    "/api/v1/export/{mart}.{suffix}",
    responses={**_binary(*export.MEDIA_TYPES.values()), **documented(404, 413, 504)},
    tags=["tables"],
)
async def export_rows(
    request: Request, visitor: Analyst, mart: Name, suffix: export.Suffix,
    asked: Annotated[RowParameters, Query()],
) -> Response:  # fmt: skip
    """All rows of a table as a file, streamed."""
    service = service_of(request)
    relation = (await service.catalogue()).relation(mart)
    selection = Selection.of(relation, visitor.row_filter, asked.columns, asked.filter, asked.order)
    service.exports.take()
    try:
        what = f"{mart}.{suffix}?{request.url.query}"
        await run_in_threadpool(service.audit.write, visitor.name, visitor.address, "export", what)
    except BaseException:
        service.exports.give_back()
        raise
    return await run_in_threadpool(
        export.begin, selection, suffix, service.measures.exported_rows.inc, service.exports.give_back
    )


def _is_open(relation: Relation, row_filter: RowFilter) -> bool:
    try:
        row_filter.conditions(relation)
    except Problem:
        return False
    return True


# -------------------------------------------------------------------------------------- reports and sources


@router.get("/api/v1/reports", responses=_answers(ReportsModel), tags=["reports"])
async def list_reports(
    request: Request, visitor: Viewer, asked: Annotated[ReportListParameters, Query()]
) -> Response:
    """The reports in the archive that you may see, newest first."""
    service = service_of(request)

    def make() -> dict[str, Any]:
        known = service.documents.archived(visitor.row_filter)
        chosen = [m for m in known if asked.report in (None, m.report)]
        reports = [
            {"report_id": m.report_id, "report": m.report, "label": m.label, "period": m.period,
             "made_at": m.made_at, "parameters": particulars(m),
             "files": {name: f"/reports/{m.report_id}/{name}" for name in m.files}}
            for m in chosen[: asked.limit]
        ]  # fmt: skip
        return {"reports": reports, "total": len(chosen)}

    return await service.json(request, visitor, make, is_new_each_time=True)


@router.get(
    "/api/v1/reports/{report}",
    responses={
        **_binary("application/pdf", "text/html; charset=utf-8", export.MEDIA_TYPES[export.Suffix.XLSX]),
        **documented(404, 504),
    },
    tags=["reports"],
)
async def report_of_period(
    request: Request, visitor: Viewer, report: Name, asked: Annotated[ReportParameters, Query()]
) -> Response:
    """A report of a period, from the archive or made now; without a period the newest."""
    service = service_of(request)
    only = Filters(**{name: BETWEEN.join(getattr(asked, name)) for name in MEMBERS})
    file = await service.documents.report(
        report, (asked.first, asked.last), asked.format, only, visitor.row_filter
    )
    service.audit.read(
        visitor.name, visitor.address, "report", " ".join([file.name, *only.parameters().values()])
    )
    return file_response(file.path, file.name, file.media_type)


@router.get("/api/v1/sources", responses=_answers(SourcesModel), tags=["sources"])
async def list_sources(request: Request, visitor: Viewer) -> Response:
    """What is loaded, when it last came, and how many rows were accepted and rejected."""
    service = service_of(request)
    build = service.builds.current
    names = list(SourceModel.model_fields)

    def make() -> dict[str, Any]:
        has_loads = service.database.rows("select to_regclass('ops.loads') is not null")[0][0]
        rows = service.database.rows(SQL(SOURCES_SQL)) if has_loads else []
        sources = [dict(zip(names, row, strict=True)) for row in rows]
        if visitor.row_filter:  # counts of whole loads are of the whole business
            sources = [source | {"rows_accepted": None, "rows_rejected": None} for source in sources]
        return {**build._asdict(), "sources": sources}

    return await service.json(request, visitor, make, is_new_each_time=True)


# ---------------------------------------------------------------------------------- the server about itself


@router.get(
    "/api/v1/health",
    responses={200: {"model": HealthModel}, **documented()},
    tags=["server"],
)
async def health(request: Request) -> Response:
    """Whether the server can answer: 503 while the warehouse is away. Needs no login."""
    service = service_of(request)
    await run_in_threadpool(service.database.rows, "select 1")
    content = {"status": "ok", **service.builds.current._asdict()}
    return json_response(content)


@router.get(
    "/events",
    responses={
        200: {
            "description": "A stream of events.",
            "content": {
                "text/event-stream": {"schema": {"type": "string"}, "example": Build(97).event().decode()}
            },
        },
        **documented(),
    },
    tags=["server"],
)
async def events(request: Request, visitor: Viewer) -> Response:
    """Server-sent events: `build` at once and after each finished build, `away` while the warehouse is away,
    a comment each ten seconds."""
    service = service_of(request)

    async def is_welcome() -> bool:
        try:
            return (await service.gate.visitor(request)).name == visitor.name
        except Problem as problem:
            return problem.status == 503  # who they are cannot be asked now

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        service.builds.stream(is_welcome), media_type="text/event-stream", headers=headers
    )


@router.get("/api/v1/access-log", responses=_answers(LogModel), tags=["server"])
async def access_log(request: Request, visitor: Admin, asked: Annotated[ListParameters, Query()]) -> Response:
    """Who read and exported what, and every login; for admins."""
    service = service_of(request)
    rows = await run_in_threadpool(service.access.log_page, asked.before, asked.limit)
    names = list(LogEntryModel.model_fields)
    return json_response({"entries": [dict(zip(names, row, strict=True)) for row in rows]})


@router.get(
    "/metrics",
    responses={
        200: {"description": "Counters.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **documented(),
    },
    tags=["server"],
)
async def prometheus(request: Request, visitor: Viewer) -> Response:
    """What the server counts about itself, in Prometheus' text format."""
    text = service_of(request).measures.text()
    return Response(text, media_type="text/plain; version=0.0.4", headers={"Cache-Control": "no-store"})
