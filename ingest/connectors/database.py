"""SQL databases through dlt's ``sql_table``. One delivery a table, read in chunks."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from dlt.sources.sql_database import sql_table
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError

from ingest.connectors import BATCH_ROWS, Delivery, SourceError


def deliveries(place: dict[str, Any]) -> Iterator[Delivery]:
    """The rows of ``place["table"]`` (``schema.table`` too) in the database at ``place["url"]``."""
    yield Delivery(place["table"], None, lambda: _batches(place["url"], place["table"]))


def _batches(url: str, qualified: str) -> Iterator[pa.Table]:
    schema, _, table = qualified.rpartition(".")
    try:
        engine = sa.create_engine(url)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise SourceError(f"{qualified}: the database's URL cannot be used: {error}") from error
    first_line = 1
    try:
        for chunk in sql_table(
            engine, table, schema=schema or None, chunk_size=BATCH_ROWS, backend="pyarrow"
        ):
            yield _as_text(chunk, qualified, first_line)
            first_line += len(chunk)
    except NoSuchTableError as error:
        raise SourceError(f"{qualified}: the database has no such table") from error
    except SQLAlchemyError as error:
        raise SourceError(f"{qualified}: the database says: {getattr(error, 'orig', error)}") from error
    finally:
        engine.dispose()


def _as_text(chunk: pa.Table, table: str, first_line: int) -> pa.Table:
    columns = [pc.cast(column, pa.string()) for column in chunk.columns]
    columns += [
        pa.array([table] * len(chunk), pa.string()),
        pa.array(range(first_line, first_line + len(chunk)), pa.int64()),
        pa.nulls(len(chunk), pa.string()),
    ]
    return pa.table(columns, names=[*chunk.column_names, "_file", "_line", "_problem"])
