"""`ops.report_runs`: which reports were made, as a table beside the archive, which is the truth on disk.

One of the places in reports/ that write to the warehouse, beside `delivery/outbox.py` and
`delivery/alerts.py`: rows of schema ops, as the loader, who owns it. Documents never come near them; they
read as the reader.
"""

import json
from contextlib import closing

from ingest import warehouse
from reports.archive import Manifest

DDL = """
create table if not exists ops.report_runs (
    run_id bigint generated always as identity primary key,
    report_id text,
    report text not null,
    period text,
    parameters jsonb not null,
    formats text[] not null,
    code_version text,
    loads text,
    engine text,
    state text not null check (state in ('finished', 'failed')),
    error text,
    started_at timestamp not null,
    finished_at timestamp not null default now()
);
create index if not exists report_runs_report on ops.report_runs (report, report_id);
comment on table ops.report_runs is
    'One row for each time a report was made or failed; a finished one is archived under its report_id.';
"""
LOCK = "select pg_advisory_xact_lock(hashtext('ops.report_runs'))"  # two at once cannot create a table


def finished(manifest: Manifest, formats: list[str], started_at: str) -> None:
    """Write down that a report was made."""
    made_of = (manifest.code_version, manifest.loads, manifest.engine)
    _insert(
        manifest.report_id, manifest.report, manifest.period, json.dumps(manifest.parameters), formats,
        *made_of, "finished", None, started_at,
    )  # fmt: skip


def failed(report: str, parameters: dict[str, str], formats: list[str], error: str, started_at: str) -> None:
    """Write down that a report could not be made, and why."""
    _insert(
        None, report, None, json.dumps(parameters), formats, None, None, None, "failed", error, started_at
    )


def _insert(*values: object) -> None:
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LOCK)
        cursor.execute(DDL)
        cursor.execute(
            "insert into ops.report_runs (report_id, report, period, parameters, formats, code_version,"
            f" loads, engine, state, error, started_at) values ({', '.join(['%s'] * len(values))})",
            values,
        )
