"""Two years of the demo's retailer: every sale, contact and stock count, and the true figures of them.

All money is whole pence and all figures come from the arrays made here, so they are a truth that no part of
the platform had a hand in. Names are in ``assortment``, effects in ``planted``, formats in ``files``.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo import assortment, files, planted
from demo.assortment import CATEGORY_SHARES, CHANNELS, SHOPS, Customer, Product

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SEED = 20240101
DAYS = (planted.LAST_DAY - planted.FIRST_DAY).days + 1
RECEIPTS_A_DAY = 38
LINES_A_RECEIPT = 2.1
WEB_SHARE = 0.22
CUSTOMER_SHARE = 0.95
RETURN_SHARE = 0.015
INTERACTIONS = 30_000

MINUTES = 24 * 60
KINDS = ("call", "chat", "email", "visit")
KIND_CHANNELS = ("phone", "chat", "email", "shop")
KIND_SECONDS = (260, 420, 540, 380)  # the usual length of each kind
STATUSES = ("resolved", "open", "escalated", "abandoned")


@dataclass(frozen=True)
class Sales:
    """Sale lines in order of time; arrays of one length, one element a line.

    ``day`` counts from FIRST_DAY, ``minute`` from local midnight; ``product``, ``customer`` and ``shop`` are
    indexes, customer -1 for nobody known; ``receipt`` numbers the receipts of a shop; ``price`` and
    ``discount`` are pence, the discount of the whole line.
    """

    day: Ints
    minute: Ints
    receipt: Ints
    shop: Ints
    web: Ints
    customer: Ints
    product: Ints
    quantity: Ints
    price: Ints
    discount: Ints

    @property
    def amount(self) -> Ints:
        """Pence of each line."""
        return self.quantity * self.price - self.discount


@dataclass(frozen=True)
class Truth:
    """The figures of the good rows; money in pounds, keys of the dicts as in the sources."""

    version: str
    rows: dict[str, int]
    revenue: Decimal
    units: int
    discounts: Decimal
    profit: Decimal
    transactions: int
    buying_customers: int
    lines_without_customer: int
    return_lines: int
    interaction_seconds: int
    revenue_by_day: dict[date, Decimal]
    transactions_by_day: dict[date, int]
    new_customers_by_day: dict[date, int]
    revenue_by_month: dict[str, Decimal]
    revenue_by_shop: dict[str, Decimal]
    revenue_by_category: dict[str, Decimal]


def version() -> str:
    """The generator's version: a digest of its sources, so that no edit can forget to raise it."""
    digest = hashlib.sha256()
    for module in ("assortment", "files", "planted", "retailer"):
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    return digest.hexdigest()[:16]


def folder(home: Path) -> Path:
    """Where the demo's sources of a home are."""
    return home / "demo"


def expected(home: Path) -> Truth:
    """The true figures of the data generated into ``home``; FileNotFoundError when there are none."""
    truth: dict[str, Any] = json.loads((folder(home) / "truth.json").read_text(encoding="utf-8"))
    for name in ("revenue", "discounts", "profit"):
        truth[name] = _pounds(truth[name])
    for name in ("revenue_by_month", "revenue_by_shop", "revenue_by_category"):
        truth[name] = {key: _pounds(pence) for key, pence in truth[name].items()}
    truth["revenue_by_day"] = {date.fromisoformat(d): _pounds(p) for d, p in truth["revenue_by_day"].items()}
    for name in ("transactions_by_day", "new_customers_by_day"):
        truth[name] = {date.fromisoformat(day): count for day, count in truth[name].items()}
    return Truth(**truth)


def generate(home: Path) -> bool:
    """Write the demo's sources under ``home``/demo; False when this version is already there.

    The same version writes the same bytes. A generation that was cut off leaves nothing behind that counts:
    the new folder takes its place only when it is complete.
    """
    target = folder(home)
    try:
        if json.loads((target / "truth.json").read_text(encoding="utf-8"))["version"] == version():
            return False
    except (OSError, ValueError, KeyError):
        pass
    partial = home / "demo.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _write(partial)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return True


def _write(target: Path) -> None:
    # A generator for each part: a change in one leaves the others as they were.
    people, goods, tills, desk, store = (
        np.random.default_rng(seed) for seed in np.random.SeedSequence(SEED).spawn(5)
    )
    customers = assortment.customers(people)
    products = assortment.products(goods)
    sales = _sales(tills, products, customers)
    interactions, seconds = _interactions(desk, customers)
    inventory = _inventory(store, sales, len(products))

    files.write_shop(target / "shop", sales, products, customers)
    files.write_workbook(
        target / "backoffice.xlsx",
        {
            "products": [product.row() for product in products],
            "stores": [shop.row() for shop in SHOPS],
            "inventory": [
                {"SKU": products[p].sku, "Counted on": day, "In stock": int(level)}
                for day, levels in inventory
                for p, level in enumerate(levels)
            ],
        },
    )
    files.write_database(target / "crm.sqlite", [customer.row for customer in customers])
    files.write_desk(target / "desk", {"interactions": interactions, "channels": list(CHANNELS)})
    rows = {
        "sales": len(sales.day),
        "interactions": len(interactions),
        "products": len(products),
        "customers": len(customers),
        "stores": len(SHOPS),
        "channels": len(CHANNELS),
        "inventory": len(inventory) * len(products),
    }
    truth = {"version": version(), "rows": rows, "interaction_seconds": seconds} | _figures(sales, products)
    (target / "truth.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")


# --------------------------------------------------------------------------------------------------- sales


def _yearly() -> Floats:
    """Factor of each day for its season: the month's in its middle, a straight line between two middles."""
    middles = [(date(2024, month, 15) - date(2024, 1, 1)).days for month in range(1, 13)]
    days = [(planted.FIRST_DAY + timedelta(days=d)).timetuple().tm_yday - 1 for d in range(DAYS)]
    return np.interp(days, middles, planted.MONTH_FACTORS, period=366)


def _demand() -> tuple[Floats, Floats]:
    """Expected receipts (DAYS × shops), and the share of each category in the lines (DAYS × categories)."""
    day = np.arange(DAYS)
    categories = np.tile(np.array(list(CATEGORY_SHARES.values())), (DAYS, 1))
    trend = list(CATEGORY_SHARES).index(planted.TREND_CATEGORY)
    categories[:, trend] *= 1 + planted.TREND_GROWTH * day / (DAYS - 1)
    # The trend brings further sales: it takes none from the other categories.
    total = categories.sum(axis=1)

    weekly = np.array(planted.WEEKDAY_FACTORS)[(day + planted.FIRST_DAY.weekday()) % 7]
    receipts = np.outer(RECEIPTS_A_DAY * total * weekly * _yearly(), [shop.share for shop in SHOPS])
    step = [shop.code for shop in SHOPS].index(planted.STEP_SHOP)
    receipts[(planted.STEP_DAY - planted.FIRST_DAY).days :, step] *= planted.STEP_FACTOR
    receipts[(planted.OUTAGE_DAY - planted.FIRST_DAY).days] = 0
    return receipts, categories / total[:, None]


def _sales(rng: np.random.Generator, products: list[Product], customers: list[Customer]) -> Sales:
    expected_receipts, category_shares = _demand()
    counts = rng.poisson(expected_receipts)
    day = np.repeat(np.arange(DAYS), counts.sum(axis=1))
    shop = np.repeat(np.tile(np.arange(len(SHOPS)), DAYS), counts.ravel())
    receipts = len(day)
    web = (rng.random(receipts) < WEB_SHARE).astype(np.int64)
    # Tills are open from 9:00 to 18:30. The web shop sells from 7:00 to 23:00, so that no sale falls on
    # another day in UTC, nor into the hour that the clocks skip or repeat.
    minute = np.where(
        web == 1, 7 * 60 + rng.beta(2.2, 1.5, receipts) * 959, 9 * 60 + rng.beta(1.8, 1.6, receipts) * 569
    ).astype(np.int64)
    customer = _buyers(rng, day, shop, customers)

    # Receipt by receipt to line by line; nothing stands twice on one receipt.
    of = np.repeat(np.arange(receipts), 1 + rng.poisson(LINES_A_RECEIPT - 1, receipts))
    product = _baskets(rng, category_shares[day[of]], products)
    pairs = np.unique(of * len(products) + product)
    of, product = pairs // len(products), pairs % len(products)
    lines = len(of)

    price = np.array([p.price for p in products])[product]
    several = rng.choice([2, 3, 4, 6], lines, p=(0.66, 0.18, 0.12, 0.04))
    quantity = np.where(rng.random(lines) < np.where(price < 1200, 0.34, 0.08), several, 1)
    percent = rng.choice([0, 5, 10, 15, 20], lines, p=(0.88, 0.02, 0.06, 0.01, 0.03))
    discount = quantity * price * percent // 100

    # A return is a receipt of its own, some days later at the till of the same shop, for the line's money.
    back = np.flatnonzero(rng.random(lines) < RETURN_SHARE)
    back_day = day[of[back]] + rng.integers(2, 22, len(back))
    kept = (back_day < DAYS) & (back_day != (planted.OUTAGE_DAY - planted.FIRST_DAY).days)
    back, back_day = back[kept], back_day[kept]
    back_minute = 9 * 60 + rng.integers(0, 569, len(back))

    columns = {
        "day": np.concatenate([day[of], back_day]),
        "minute": np.concatenate([minute[of], back_minute]),
        "receipt": np.concatenate([of, receipts + np.arange(len(back))]),
        "shop": np.concatenate([shop[of], shop[of][back]]),
        "web": np.concatenate([web[of], np.zeros(len(back), np.int64)]),
        "customer": np.concatenate([customer[of], customer[of][back]]),
        "product": np.concatenate([product, product[back]]),
        "quantity": np.concatenate([quantity, -quantity[back]]),
        "price": np.concatenate([price, price[back]]),
        "discount": np.concatenate([discount, -discount[back]]),
    }
    order = np.lexsort((columns["product"], columns["receipt"], columns["minute"], columns["day"]))
    columns = {name: column[order] for name, column in columns.items()}
    columns["receipt"] = _numbered(columns["receipt"], columns["shop"])
    return Sales(**columns)


def _buyers(rng: np.random.Generator, day: Ints, shop: Ints, customers: list[Customer]) -> Ints:
    """A customer for each receipt: of that shop, joined by that day, some coming often; or -1."""
    since = np.array([customer.since for customer in customers])
    home = np.array([customer.shop for customer in customers])
    loyalty = rng.lognormal(0, 1, len(customers))
    buyer = np.empty(len(day), np.int64)
    for s in range(len(SHOPS)):
        own = np.flatnonzero(home == s)  # in order of joining
        weight = np.cumsum(loyalty[own])
        here = np.flatnonzero(shop == s)
        joined = np.searchsorted(since[own], day[here], side="right")
        buyer[here] = own[np.searchsorted(weight, rng.random(len(here)) * weight[joined - 1])]
    buyer[rng.random(len(day)) >= CUSTOMER_SHARE] = -1
    return buyer


def _baskets(rng: np.random.Generator, shares: Floats, products: list[Product]) -> Ints:
    """A product for each line, of a category drawn by its row of ``shares`` (lines × categories)."""
    draws = rng.random(len(shares))
    category = (draws[:, None] > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)
    price = np.array([product.price for product in products])
    popularity = rng.lognormal(0, 0.8, len(products)) / price**0.8
    chosen = np.empty(len(shares), np.int64)
    for c, name in enumerate(CATEGORY_SHARES):
        own = np.array([p for p, product in enumerate(products) if product.category == name])
        of = np.flatnonzero(category == c)
        chosen[of] = rng.choice(own, len(of), p=popularity[own] / popularity[own].sum())
    return chosen


def _numbered(receipt: Ints, shop: Ints) -> Ints:
    """The receipts of each shop numbered from 1 in order of time; lines of one receipt stand together."""
    first = np.concatenate([[True], receipt[1:] != receipt[:-1]])
    number = np.empty(len(receipt), np.int64)
    for s in range(len(SHOPS)):
        here = shop == s
        number[here] = np.cumsum(first[here])
    return number


# -------------------------------------------------------------------------------- contacts and stock counts


def _interactions(rng: np.random.Generator, customers: list[Customer]) -> tuple[list[dict[str, Any]], int]:
    """The desk's contacts in order of time, and the sum of their seconds."""
    weekday = (np.arange(DAYS) + planted.FIRST_DAY.weekday()) % 7
    load = _yearly() * np.array((1.25, 1.15, 1.05, 1.0, 1.0, 0.8, 0.35))[weekday]
    moment = rng.choice(DAYS, INTERACTIONS, p=load / load.sum()) * 86_400
    moment = np.sort(moment + (8 * 3600 + rng.beta(1.6, 1.8, INTERACTIONS) * 11 * 3600).astype(np.int64))
    kind = rng.choice(len(KINDS), INTERACTIONS, p=(0.38, 0.27, 0.25, 0.10))
    seconds = (np.array(KIND_SECONDS)[kind] * rng.lognormal(0, 0.55, INTERACTIONS)).astype(np.int64) + 10
    status = rng.choice(len(STATUSES), INTERACTIONS, p=(0.83, 0.04, 0.06, 0.07))
    seconds = np.where(status == 3, seconds // 5, seconds)
    since = np.array([customer.since for customer in customers])
    joined = np.searchsorted(since, moment // 86_400, side="right")
    caller = (rng.random(INTERACTIONS) * joined).astype(np.int64)
    caller[rng.random(INTERACTIONS) >= 0.92] = -1

    start = np.datetime64(planted.FIRST_DAY, "s")
    texts = np.datetime_as_string(start + moment.astype("timedelta64[s]"), unit="s").tolist()
    nobody = {"number": None, "name": None}
    people = [{"number": customer.number, "name": customer.name} for customer in customers]
    rows = [
        {
            "id": f"T{100001 + i}",
            "kind": KINDS[k],
            "channel": KIND_CHANNELS[k],
            "customer": people[who] if who >= 0 else nobody,
            "started_at": f"{text}Z",
            "duration_seconds": length,
            "status": STATUSES[state],
        }
        for i, (k, who, text, length, state) in enumerate(
            zip(kind.tolist(), caller.tolist(), texts, seconds.tolist(), status.tolist(), strict=True)
        )
    ]
    return rows, int(seconds.sum())


def _inventory(rng: np.random.Generator, sales: Sales, products: int) -> list[tuple[date, Ints]]:
    """Stock of each product, counted on the last day of each month.

    The shelves are filled at the start of a month to what a good month sells: a count falls with the sales.
    """
    days = [planted.FIRST_DAY + timedelta(days=d) for d in range(DAYS)]
    month = np.array([(day.year - planted.FIRST_DAY.year) * 12 + day.month - 1 for day in days])
    ends = [day for day in days if (day + timedelta(days=1)).day == 1]
    sold = np.zeros((len(ends), products), np.int64)
    np.add.at(sold, (month[sales.day], sales.product), sales.quantity)
    filled = (1.6 * sold.mean(axis=0) + rng.integers(6, 25, products)).astype(np.int64)
    counted = np.maximum(filled - sold - rng.integers(0, 2, sold.shape), 0)  # now and then one is broken
    return list(zip(ends, counted, strict=True))


# --------------------------------------------------------------------------------------------- the figures


def _figures(sales: Sales, products: list[Product]) -> dict[str, Any]:
    """The figures of Truth that come from sales; money in pence, days in ISO form."""
    days = [(planted.FIRST_DAY + timedelta(days=d)).isoformat() for d in range(DAYS)]
    amount = sales.amount
    first_line = np.unique(sales.shop * len(sales.day) + sales.receipt, return_index=True)[1]
    known = np.flatnonzero(sales.customer >= 0)
    # Lines are in order of time, so the first line of each customer is on the day of the first purchase.
    buyers, first_purchase = np.unique(sales.customer[known], return_index=True)
    cost = np.array([product.cost for product in products])[sales.product]

    by_day = _sums(sales.day, amount, DAYS)
    by_month: dict[str, int] = {}
    for day, pence in zip(days, by_day, strict=True):
        by_month[day[:7]] = by_month.get(day[:7], 0) + pence
    categories = list(CATEGORY_SHARES)
    category = np.array([categories.index(product.category) for product in products])[sales.product]
    return {
        "revenue": int(amount.sum()),
        "units": int(sales.quantity.sum()),
        "discounts": int(sales.discount.sum()),
        "profit": int((amount - sales.quantity * cost).sum()),
        "transactions": len(first_line),
        "buying_customers": len(buyers),
        "lines_without_customer": len(sales.day) - len(known),
        "return_lines": int((sales.quantity < 0).sum()),
        "revenue_by_day": dict(zip(days, by_day, strict=True)),
        "transactions_by_day": dict(
            zip(days, np.bincount(sales.day[first_line], minlength=DAYS).tolist(), strict=True)
        ),
        "new_customers_by_day": dict(
            zip(days, np.bincount(sales.day[known][first_purchase], minlength=DAYS).tolist(), strict=True)
        ),
        "revenue_by_month": by_month,
        "revenue_by_shop": dict(
            zip([shop.code for shop in SHOPS], _sums(sales.shop, amount, len(SHOPS)), strict=True)
        ),
        "revenue_by_category": dict(zip(categories, _sums(category, amount, len(categories)), strict=True)),
    }


def _sums(group: Ints, values: Ints, groups: int) -> list[int]:
    totals = np.zeros(groups, np.int64)
    np.add.at(totals, group, values)
    return [int(total) for total in totals]


def _pounds(pence: int) -> Decimal:
    return Decimal(pence).scaleb(-2)
