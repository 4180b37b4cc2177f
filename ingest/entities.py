"""The entities of the platform: the columns their landed tables have, and what each value must fit.

Types and lengths are those of the marts (DESIGN section 4), so that what passes the door never has to be
cut later. Nothing here knows a source or a database.
"""

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
    """What can be landed: a table in schema staging and the columns that identify its rows."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))


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
