"""What may be asked for: the tables of marts and metrics, their columns and keys, and the metrics, by name.

Every name that reaches a statement is looked up here. The truth is the warehouse's own catalogue, seen as the
reader; dbt's manifest adds which models are not for readers. Metrics are those of `reports/metrics.py`.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ingest import warehouse
from reports import metrics
from reports.metrics import Metric
from reports.server.database import Database
from reports.server.encoding import from_json
from reports.server.problems import Problem

SCHEMAS = ("marts", "metrics")
VALUES = ("metrics", "metrics_values")
SHOWN = 30  # names in an error that lists what there is

TABLES_SQL = """
select
    namespaces.nspname,
    tables.relname,
    coalesce(obj_description(tables.oid, 'pg_class'), ''),
    columns.attname,
    format_type(columns.atttypid, columns.atttypmod),
    coalesce(col_description(tables.oid, columns.attnum), ''),
    array_position(keys.indkey::smallint[], columns.attnum)
from pg_class as tables
inner join pg_namespace as namespaces on namespaces.oid = tables.relnamespace
inner join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum > 0 and not
attisdropped inner join pg_index as keys on keys.indrelid = tables.oid and keys.indisprimary
where
    namespaces.nspname = any(%s)
    and tables.relkind in ('r', 'p')
    and has_table_privilege(tables.oid, 'select')
order by namespaces.nspname, tables.relname, columns.attnum
"""
logger = logging.getLogger(__name__)
Known = TypeVar("Known")


@dataclass(frozen=True)
class Column:
    """A column with its type as Postgres writes it, such as numeric(10,2)."""

    name: str
    type: str
    description: str

    @property
    def is_text(self) -> bool:
        """Whether it holds text."""
        return self.type == "text" or self.type.startswith("character")


@dataclass(frozen=True)
class Relation:
    """A table that may be read: its schema, its columns in order, the columns of its key."""

    schema: str
    name: str
    description: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]

    def column(self, name: str) -> Column:
        """The column of a name.

        Raises:
            Problem: 422, there is none; lists those there are.
        """
        return _find(f"{self.name} has no column", name, self.columns, 422)


@dataclass(frozen=True)
class Catalogue:
    """All names of one moment."""

    relations: Mapping[str, Relation] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    def relation(self, name: str) -> Relation:
        """The table of a name.

        Raises:
            Problem: 404, there is none; lists those there are.
        """
        return _find("there is no table", name, self.relations)

    def metric(self, name: str) -> Metric:
        """The metric of a name.

        Raises:
            Problem: 404, there is none; lists those there are.
        """
        return _find("there is no metric", name, self.metrics)


def read(database: Database) -> Catalogue:
    """The catalogue as it is now.

    Raises:
        Problem: the warehouse is away.
    """
    hidden = {
        node["name"]
        for node in _manifest().get("nodes", {}).values()
        if node["resource_type"] == "model" and (node.get("config") or {}).get("access") == "private"
    }
    tables: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in database.rows(TABLES_SQL, (list(SCHEMAS),)):
        tables.setdefault(row[:2], []).append(row)
    relations = {
        name: Relation(
            schema=schema,
            name=name,
            description=rows[0][2],
            columns={row[3]: Column(*row[3:6]) for row in rows},
            key=tuple(row[3] for row in sorted((r for r in rows if r[6] is not None), key=lambda r: r[6])),
        )
        for (schema, name), rows in tables.items()
        if name not in hidden
    }
    return Catalogue(relations, metrics.known() if VALUES in tables else {})


def _manifest() -> dict[str, Any]:
    file = warehouse.home() / "dbt" / "target" / "manifest.json"
    try:
        content: dict[str, Any] = from_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:  # dbt is just writing it; the next build's event reads it again
        logger.warning("dbt's manifest cannot be read: tables of private models are shown")
        return {}
    return content


def _find(none: str, name: str, known: Mapping[str, Known], status: int = 404) -> Known:
    if name not in known:
        raise Problem(status, f"{none} of this name; there are: {_some(known)}")
    return known[name]


def _some(names: Iterable[str]) -> str:
    known = sorted(names)
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return (", ".join(known[:SHOWN]) + more) or "none yet"
