"""Rows landed by hand, in the form that ingestion gives them, for tests of the models alone."""

import hashlib
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from ingest import staging, warehouse
from ingest.entities import ENTITIES
from ingest.ledger import open_ledger

EPOCH = datetime(2024, 6, 1)
DEFAULTS: dict[str, dict[str, Any]] = {
    "sales": {"sold_at": datetime(2024, 3, 1, 12), "quantity": 1, "total_amount": 10},
    "interactions": {"interaction_type": "call", "occurred_at": datetime(2024, 3, 1, 12)},
    "inventory": {"stock_date": datetime(2024, 3, 1).date(), "stock_level": 0},
}


def create() -> None:
    """Create the tables of landing and ledger, as ingestion does at its start."""
    with open_ledger():
        staging.create_tables()


def clear() -> None:
    """Forget everything that landed."""
    tables = ", ".join(f"staging.{entity}" for entity in ENTITIES)
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"truncate {tables}, ops.loads cascade")


def take_in(last: int) -> None:
    """Make the loads up to the last one whole and those after it not yet: what the next build takes in."""
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "update ops.loads set state = case when load_id <= %s then 'loaded' else 'loading' end", (last,)
        )


def land(
    load_id: int,
    entity: str,
    *rows: Mapping[str, Any],
    source: str = "shop",
    state: str = "loaded",
    loaded_at: datetime | None = None,
) -> None:
    """Land rows as one load. A row is a mapping of the entity's columns, and is_deleted for a tombstone; what it
    lacks has a default."""
    lineage = {
        "source_name": source,
        "source_file": f"{entity}-{load_id}.csv",
        "load_id": load_id,
        "loaded_at": loaded_at or EPOCH + timedelta(hours=load_id),
    }
    with closing(warehouse.connect("loader")) as connection, connection, connection.cursor() as cursor:
        amounts = []
        for line, row in enumerate(rows, start=2):
            values = DEFAULTS.get(entity, {}) | row
            amounts.append(values.get("total_amount", 0))
            if entity == "sales":
                values.setdefault("transaction_code", values["sale_code"])
            row_hash = int(hashlib.md5(repr(sorted(values.items())).encode()).hexdigest()[:15], 16)
            _insert(
                cursor, f"staging.{entity}", values | lineage | {"source_line": line, "row_hash": row_hash}
            )
        _insert(
            cursor,
            "ops.loads",
            {"load_id": load_id, "source_name": source, "feed_name": entity, "entity": entity, "state": state}
            | {"source_file": lineage["source_file"], "started_at": lineage["loaded_at"], "rows_rejected": 0}
            | dict.fromkeys(("rows_read", "rows_accepted", "rows_new"), len(rows))
            | (dict.fromkeys(("amount_accepted", "amount_new"), sum(amounts)) if entity == "sales" else {}),
        )


def _insert(cursor: Any, table: str, values: Mapping[str, Any]) -> None:
    places = ", ".join(f"%({column})s" for column in values)
    cursor.execute(f"insert into {table} ({', '.join(values)}) values ({places})", values)
