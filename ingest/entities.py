"""The entities of the platform: the columns their landed tables have, and what each value must fit.

Types and lengths are those of the marts (DESIGN section 4), so that what passes the door never has to be
cut later. Nothing here knows a source or a database.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

ColumnType = Literal["text", "integer", "bigint", "money", "timestamp", "date", "boolean"]


@dataclass(frozen=True)
class Column:
    """One landed column.

    ``length`` is the most characters a text may have; ``default`` is a SQL expression over the landed
    columns, used where the source maps nothing or the value is empty; ``clean`` says what kind of text it is
    where cleaning has a default for it.
    """

    name: str
    type: ColumnType = "text"
    required: bool = False
    length: int | None = None
    default: str | None = None
    clean: Literal["email", "phone"] | None = None


@dataclass(frozen=True)
class Entity:
    """What can be landed: a table in schema staging and the columns that identify its rows.

    The columns of one that ``is_as_is`` are those of its source, as text: none are known before it is read.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    is_as_is: bool = False
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))

    @property
    def amount(self) -> str | None:
        """The column whose sum is compared between source and staging."""
        return (
            "total_amount" if ("total_amount", "money") in {(c.name, c.type) for c in self.columns} else None
        )


def quoted(name: str) -> str:
    """A name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Names as a list of SQL identifiers, each once."""
    return ", ".join(map(quoted, dict.fromkeys(names)))


LINEAGE = (
    Column("source_name", required=True),
    Column("source_file", required=True),
    Column("source_line", "bigint", required=True),
    Column("load_id", "bigint", required=True),
    Column("loaded_at", "timestamp", required=True, default="now()"),
    Column("row_hash", "bigint", required=True),
    # A key that a full snapshot of its source no longer has lands once more, with its last values.
    Column("is_deleted", "boolean", required=True, default="false"),
)

LONGEST_NAME = 63  # bytes, in Postgres
# Where nothing else identifies a row that lands as it is.
PLACE = ("source_file", "source_line")


def as_is(table: str, key: Sequence[str]) -> Entity:
    """A table for rows as they are in their source, which ``key`` identifies (default: their place)."""
    return Entity(table, tuple(key) or PLACE, (), is_as_is=True)


def landed_names(header: Iterable[str]) -> dict[str, str]:
    """How the columns of a source are called in a table that takes them as they are: in lower case, with _
    for what is neither letter nor digit, so that SQL needs no quotes."""
    taken = {column.name for column in LINEAGE}
    names: dict[str, str] = {}
    for position, column in enumerate(header, start=1):
        name = re.sub(r"\W+", "_", column.strip().lower()).strip("_") or f"column_{position}"
        name = f"_{name}" if name[0].isdigit() else name
        name, number = _cut(name, LONGEST_NAME), 1
        while name in taken:
            number += 1
            name = f"{_cut(name.removesuffix(f'_{number - 1}'), LONGEST_NAME - 5)}_{number}"
        taken.add(name)
        names[column] = name
    return names


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")


SALES = Entity(
    "sales",
    key=("sale_code",),
    columns=(
        Column("sale_code", required=True),
        Column("transaction_code", required=True, default="sale_code"),
        Column("product_code"),
        Column("customer_code"),
        Column("store_code"),
        Column("channel_code"),
        Column("sold_at", "timestamp", required=True),
        Column("quantity", "integer", required=True),
        Column("unit_price", "money"),
        Column("discount_amount", "money"),
        Column(
            "total_amount",
            "money",
            required=True,
            default="quantity * unit_price - coalesce(discount_amount, 0)",
        ),
    ),
)

INTERACTIONS = Entity(
    "interactions",
    key=("interaction_code",),
    columns=(
        Column("interaction_code", required=True),
        Column("customer_code"),
        Column("channel_code"),
        Column("interaction_type", required=True, length=50),
        Column("occurred_at", "timestamp", required=True),
        Column("duration", "integer"),
        Column("status", length=20),
    ),
)

PRODUCTS = Entity(
    "products",
    key=("product_code",),
    columns=(
        Column("product_code", required=True),
        Column("product_name", length=100),
        Column("category", length=50),
        Column("subcategory", length=50),
        Column("unit_cost", "money"),
        Column("unit_price", "money"),
        Column("supplier_code"),
        Column("active", "boolean"),
    ),
)

CUSTOMERS = Entity(
    "customers",
    key=("customer_code",),
    columns=(
        Column("customer_code", required=True),
        Column("first_name", length=50),
        Column("last_name", length=50),
        Column("email", length=100, clean="email"),
        Column("phone", length=20, clean="phone"),
        Column("address"),
        Column("city", length=50),
        Column("country", length=50),
        Column("segment", length=20),
    ),
)

STORES = Entity(
    "stores",
    key=("store_code",),
    columns=(
        Column("store_code", required=True),
        Column("store_name", length=100),
        Column("address"),
        Column("city", length=50),
        Column("country", length=50),
        Column("manager", length=100),
        Column("open_date", "date"),
        Column("active", "boolean"),
    ),
)

CHANNELS = Entity(
    "channels",
    key=("channel_code",),
    columns=(
        Column("channel_code", required=True),
        Column("channel_name", length=50),
        Column("channel_type", length=20),
        Column("description"),
        Column("active", "boolean"),
    ),
)

INVENTORY = Entity(
    "inventory",
    key=("product_code", "stock_date"),
    columns=(
        Column("product_code", required=True),
        Column("stock_date", "date", required=True),
        Column("stock_level", "integer", required=True),
    ),
)

ENTITIES = {
    entity.name: entity for entity in (SALES, INTERACTIONS, PRODUCTS, CUSTOMERS, STORES, CHANNELS, INVENTORY)
}
