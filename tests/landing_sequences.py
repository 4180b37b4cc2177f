"""What sources may do, drawn by hypothesis: sequences of loads with repeats, corrections, late rows, deletions and
revivals, facts before their dimension rows, and changes of cost. Many are landed side by side, each with codes and
days of its own, so that one run of dbt tries them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from landing_rows import EPOCH, land

# Loads land minutes apart, so that several share a day and all take a few days.
MINUTES_BETWEEN_LOADS = 11
WINDOW = 6  # days of its own that a sequence's facts fall on

SOURCES = st.sampled_from(["shop", "web"])
CODE = {"product": 2, "customer": 3, "store": 2, "channel": 2, "supplier": 2}
KEYS = {
    "sales": ("sale_code",),
    "interactions": ("interaction_code",),
    "products": ("product_code",),
    "customers": ("customer_code",),
    "stores": ("store_code",),
    "channels": ("channel_code",),
    "inventory": ("product_code", "stock_date"),
}


@dataclass(frozen=True)
class Row:
    """A row of a load, or the deletion of its key. Days count from the sequence's first day, or, from 100 on, from
    the first day of landing; codes are numbers."""

    values: dict[str, Any]
    is_deletion: bool = False


@dataclass(frozen=True)
class Step:
    """One load of one source."""

    entity: str
    source: str
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        rows = "; ".join(f"{'delete ' if row.is_deletion else ''}{row.values}" for row in self.rows)
        return f"{self.source}.{self.entity}: {rows}"


Sequence_ = tuple[Step, ...]


def code(kind: str) -> st.SearchStrategy[int | None]:
    return st.one_of(st.integers(0, CODE[kind] - 1), st.none())


DAYS = st.one_of(st.integers(0, WINDOW - 1), st.integers(0, WINDOW - 1), st.integers(100, 103))
MONEY = st.decimals(Decimal(-50), Decimal(200), places=2)
COST = st.sampled_from([Decimal(1), Decimal(2), Decimal("3.33"), None])
NAME = st.sampled_from([None, "a", "b"])
FLAG = st.sampled_from([None, True, False])

VALUES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "sales": {
        "sale_code": st.integers(0, 5),
        "transaction_code": st.integers(0, 2),
        "product_code": code("product"),
        "customer_code": code("customer"),
        "store_code": code("store"),
        "channel_code": code("channel"),
        "sold_at": DAYS,
        "quantity": st.integers(-2, 5),
        "unit_price": st.one_of(st.none(), MONEY),
        "total_amount": MONEY,
    },
    "interactions": {
        "interaction_code": st.integers(0, 3),
        "customer_code": code("customer"),
        "channel_code": code("channel"),
        "occurred_at": DAYS,
    },
    "products": {
        "product_code": st.integers(0, CODE["product"]),
        "product_name": NAME,
        "category": NAME,
        "unit_cost": COST,
        "supplier_code": code("supplier"),
        "active": FLAG,
    },
    "customers": {"customer_code": st.integers(0, CODE["customer"]), "segment": NAME},
    "stores": {"store_code": st.integers(0, CODE["store"]), "store_name": NAME, "active": FLAG},
    "channels": {"channel_code": st.integers(0, CODE["channel"]), "channel_name": NAME},
    "inventory": {
        "product_code": st.integers(0, CODE["product"]),
        "stock_date": DAYS,
        "stock_level": st.integers(0, 99),
    },
}


def steps(entity: str) -> st.SearchStrategy[Step]:
    rows = st.builds(Row, st.fixed_dictionaries(VALUES[entity]), st.sampled_from([False, False, False, True]))
    loads = st.lists(rows, min_size=1, max_size=5).map(tuple)
    return st.builds(Step, st.just(entity), SOURCES, loads)


SEQUENCES = st.lists(
    st.sampled_from([*["sales"] * 5, *["products"] * 3, *["inventory"] * 2, *KEYS]).flatmap(steps),
    min_size=8,
    max_size=14,
).map(tuple)


def draw(count: int, number: int) -> list[Sequence_]:
    """Distinct sequences, the same for the same number."""
    drawn: dict[str, Sequence_] = {}

    @seed(number)
    @settings(
        max_examples=count + count // 4 + 10,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(SEQUENCES)
    def collect(sequence: Sequence_) -> None:
        if len(drawn) < count:
            drawn[repr(sequence)] = sequence

    collect()
    assert len(drawn) == count
    return list(drawn.values())


def land_side_by_side(sequences: Sequence[Sequence_]) -> int:
    """Land the first load of each sequence, then the second of each, and so on, as loads that no build takes in yet;
    returns how many there are."""
    landed: list[dict[tuple[str, ...], dict[str, Any]]] = [{} for _ in sequences]
    load_id = 0
    for turn in range(max(map(len, sequences))):
        for number, sequence in enumerate(sequences):
            if turn >= len(sequence):
                continue
            step = sequence[turn]
            rows = [row for row in (_landed(row, step, number, landed[number]) for row in step.rows) if row]
            if not rows:
                continue
            load_id += 1
            when = EPOCH + timedelta(minutes=MINUTES_BETWEEN_LOADS * load_id)
            land(load_id, step.entity, *rows, source=step.source, state="loading", loaded_at=when)
    return load_id


def _landed(
    row: Row, step: Step, number: int, landed: dict[tuple[str, ...], dict[str, Any]]
) -> dict[str, Any] | None:
    """A row as it lands for the sequence of a number; None for the deletion of what is not there. A deletion
    repeats the last values."""
    values = {name: _value(name, value, number) for name, value in row.values.items()}
    source = step.source if step.entity in ("sales", "interactions") else ""
    key = (step.entity, source, *(str(values[column]) for column in KEYS[step.entity]))
    if not row.is_deletion:
        landed[key] = values
        return values
    last = landed.pop(key, None)
    return None if last is None else last | {"is_deleted": True}


def _value(name: str, value: Any, number: int) -> Any:
    if value is None:
        return None
    if name.endswith("_code"):
        return f"{number}-{value}"
    if name in ("sold_at", "occurred_at", "stock_date"):
        first = datetime(2023, 1, 1) + timedelta(days=number * WINDOW) if value < 100 else EPOCH
        moment = first + timedelta(days=value % 100, hours=9)
        return moment.date() if name == "stock_date" else moment
    return value


def without_step(sequence: Sequence_, step: int) -> Sequence_:
    """The sequence without one of its loads."""
    return sequence[:step] + sequence[step + 1 :]


def without_row(sequence: Sequence_, step: int, row: int) -> Sequence_:
    """The sequence without one row of one of its loads."""
    rows = sequence[step].rows
    return (
        *sequence[:step],
        replace(sequence[step], rows=rows[:row] + rows[row + 1 :]),
        *sequence[step + 1 :],
    )
