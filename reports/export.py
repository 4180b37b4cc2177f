"""Tables as files for programs: CSV and Parquet, with plain values instead of written ones.

Derived columns are worked out; totals are left to who reads it.
"""

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reports.tables import Column, Kind, Table
from reports.workbook import FORMULA_SIGNS

WHOLE = (Kind.COUNT, Kind.NUMBER)
DAYS = (Kind.DAY, Kind.MONTH)


def write(table: Table, file: Path) -> None:
    """Write a table's rows as CSV or Parquet, as the file's suffix says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    (_write_csv if file.suffix == ".csv" else _write_parquet)(table, file)


def _write_csv(table: Table, file: Path) -> None:
    """As spreadsheets read it: with a byte order mark, and an apostrophe before text that they would run."""
    with file.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(column.name for column in table.columns)
        for rows in table.batches():
            writer.writerows(
                [_text(value, column) for value, column in zip(row, table.columns, strict=True)]
                for row in rows
            )


def _write_parquet(table: Table, file: Path) -> None:
    schema = pa.schema([(column.name, _type(column)) for column in table.columns])
    with pq.ParquetWriter(file, schema) as writer:
        for rows in table.batches():
            columns = list(zip(*rows, strict=True)) or [()] * len(table.columns)
            arrays = [
                pa.array(values, pa_type) for values, pa_type in zip(columns, schema.types, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def _text(value: Any, column: Column) -> Any:
    if value is None:
        return ""
    if column.kind in DAYS:
        return value.date().isoformat()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        return f"'{value}"
    return value


def _type(column: Column) -> pa.DataType:
    if column.kind is Kind.TEXT:
        return pa.string()
    if column.kind in DAYS:
        return pa.date32()
    if column.kind is Kind.MOMENT:
        return pa.timestamp("us")
    return pa.int64() if column.kind in WHOLE else pa.float64()
