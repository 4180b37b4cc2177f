"""What an asset's page shows beside its name: the code, columns and rows, a report's first page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from psycopg2.extensions import cursor as Cursor

from ingest import observation, warehouse
from reports.render import Rendered
from reports.render.preview import first_page


def code(file: Path, line: int = 1) -> dict[str, Any]:
    """Where an asset is defined."""
    reference = dg.LocalFileCodeReference(file_path=str(warehouse.ROOT / file), line_number=line)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def table(cursor: Cursor, name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """A table's columns, with their descriptions from the manifest; of what is no view also its rows."""
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            described.get(column.name, {}).get("description"),
            dg.TableColumnConstraints(nullable=column.is_nullable),
        )
        for column in observation.columns(cursor, name)
    ]
    shown: dict[str, Any] = {"dagster/column_schema": dg.TableSchema(columns), "dagster/table_name": name}
    rows = observation.rows(cursor, name)
    return shown if rows is None else shown | {"dagster/row_count": rows}


def report(rendered: Rendered) -> dict[str, Any]:
    """A report's period, engine and files, and its first page as a picture where it has pages."""
    paths = rendered.paths
    shown: dict[str, Any] = {format_: dg.MetadataValue.path(path) for format_, path in paths.items()}
    shown |= {"period": rendered.period, "engine": rendered.engine}
    shown["size (kB)"] = sum(path.stat().st_size for path in paths.values()) // 1000
    return shown | ({"preview": dg.MetadataValue.md(first_page(paths["pdf"]))} if "pdf" in paths else {})
