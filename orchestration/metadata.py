"""What an asset's page shows beside its name: columns, rows, freshness, the code, a report's first page."""

import base64
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from psycopg2.extensions import cursor as Cursor

from ingest import warehouse

Metadata = dict[str, Any]

LOADED = """
select count(*), coalesce(sum(rows_new), 0), max(load_id) filter (where rows_new > 0),
    max(finished_at) filter (where rows_new > 0)
from ops.loads where state = 'loaded' and source_name = %s and feed_name = %s
"""
COLUMNS = """
select attname, format_type(atttypid, atttypmod), not attnotnull, relkind
from pg_attribute join pg_class on pg_class.oid = attrelid
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""


def code(file: Path, line: int = 1) -> Metadata:
    """Where an asset is defined."""
    reference = dg.LocalFileCodeReference(file_path=str(warehouse.ROOT / file), line_number=line)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def table(cursor: Cursor, name: str, columns: Mapping[str, Any]) -> Metadata:
    """A table's columns, as the database has them with their descriptions from the manifest; of what is no
    view also the number of rows."""
    cursor.execute(COLUMNS, (name,))
    found = cursor.fetchall()
    schema = dg.TableSchema(
        [
            dg.TableColumn(
                column,
                type_,
                columns.get(column, {}).get("description"),
                constraints=dg.TableColumnConstraints(nullable=nullable),
            )
            for column, type_, nullable, _ in found
        ]
    )
    metadata: Metadata = {"dagster/column_schema": schema, "dagster/table_name": name}
    if found and found[0][3] != "v":
        cursor.execute(f"select count(*) from {name}")
        metadata["dagster/row_count"] = next(iter(cursor))[0]
    return metadata


def landed(cursor: Cursor, source: str, feed: str) -> tuple[str, Metadata]:
    """What all loads of a feed brought, and a version of it that a load without a new row does not change."""
    cursor.execute(LOADED, (source, feed))
    deliveries, rows, newest, finished = next(iter(cursor))
    metadata: Metadata = {"deliveries": deliveries, "dagster/row_count": int(rows)}
    if finished is not None:
        metadata["dagster/last_updated_timestamp"] = dg.MetadataValue.timestamp(finished.replace(tzinfo=UTC))
    return str(newest), metadata


def now() -> dg.MetadataValue:
    """This moment."""
    return dg.MetadataValue.timestamp(datetime.now(UTC))


def report(paths: Mapping[str, Path]) -> Metadata:
    """A report's files, and its first page as a picture where it has pages."""
    metadata: Metadata = {format_: dg.MetadataValue.path(path) for format_, path in paths.items()}
    metadata["size (kB)"] = sum(path.stat().st_size for path in paths.values()) // 1000
    if "pdf" in paths:
        picture = base64.b64encode(_first_page(paths["pdf"])).decode()
        metadata["preview"] = dg.MetadataValue.md(f"![first page](data:image/png;base64,{picture})")
    return metadata


def _first_page(pdf: Path) -> bytes:
    import typst

    with tempfile.NamedTemporaryFile("w", suffix=".typ", dir=pdf.parent) as page:
        page.write(f'#set page(width: auto, height: auto, margin: 0pt)\n#image("{pdf.name}", page: 1)')
        page.flush()
        return bytes(typst.compile(page.name, root=str(pdf.parent), format="png", ppi=72))
