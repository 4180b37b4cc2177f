"""What is planted in the demo data, all of it, in one place that the generator and the tests read.

Effects in the good rows (seasons, a trend, an outage, a step) and 37 bad rows beside them.
No good row is made here.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

# ------------------------------------------------------------------------------- effects in the good rows

FIRST_DAY = date(2024, 1, 1)
LAST_DAY = date(2025, 12, 31)

WEEKDAY_FACTORS = (0.82, 0.84, 0.90, 0.97, 1.12, 1.42, 0.93)
"""Sales of a Monday … Sunday beside the mean day."""

MONTH_FACTORS = (0.88, 0.90, 0.94, 0.96, 0.97, 0.95, 0.90, 0.88, 0.98, 1.05, 1.25, 1.60)
"""Sales in the middle of January … December beside a plain day; between two middles a straight line."""

TREND_CATEGORY = "Brewing"
TREND_GROWTH = 1.0
"""How much the trend category gains from the first day to the last: 1.0 is twice the sales at the end."""

OUTAGE_DAY = date(2025, 11, 12)
"""Tills and web shop were down: no sale and no file."""

STEP_SHOP = "EDI"
STEP_DAY = date(2025, 3, 3)
STEP_FACTOR = 1.5
"""From this day on this shop, moved to a larger place, sells this many times as much."""

# ------------------------------------------------------------------------------------------- the bad rows

DESK_PAGE_SIZE = 1000

EXAMPLES: dict[str, dict[str, Any]] = {
    "sales": {
        "sale_no": "",  # each bad row has its own
        "receipt_no": "BRS-990001",
        "sku": "KC-1004",
        "customer_no": "",
        "shop": "BRS",
        "channel": "shop",
        "sold_at": "",  # the day of its file
        "qty": "1",
        "price": "8.95",
        "discount": "0.00",
    },
    "products": {
        "SKU": "KC-9001",
        "Product": "Sieve, fine mesh 18 cm",
        "Category": "Kitchen",
        "Subcategory": "Utensils",
        "Cost price": 6.10,
        "Retail price": 12.50,
        "Supplier": "417",
        "Discontinued": None,
    },
    "stores": {
        "Code": "YRK",
        "Shop": "Kettle & Crumb York",
        "Address": "12 Stonegate",
        "City": "York",
        "Country": "United Kingdom",
        "Manager": "Anaïs Holt",
        "Opened": date(2026, 4, 1),
        "Trading": "no",
    },
    "inventory": {"SKU": "KC-1004", "Counted on": date(2025, 12, 31), "In stock": 12},
    "customers": {
        "customer_no": "",  # by its place in the table
        "forename": "Imogen",
        "surname": "Clarke",
        "email": "imogen.clarke@example.com",
        "phone": "07700 900123",
        "street": "8 Mill Lane",
        "postcode": "BS1 4QA",
        "town": "Bristol",
        "country": "United Kingdom",
        "tier": "Regular",
        "updated_at": "2025-06-30 09:00:00",
    },
    "interactions": {
        "id": "T990001",
        "kind": "call",
        "channel": "phone",
        "customer": {"number": "C10001", "name": "Imogen Clarke"},
        "started_at": "2025-02-11T10:20:30Z",
        "duration_seconds": 240,
        "status": "resolved",
    },
    "channels": {"code": "fax", "name": "Fax", "type": "contact", "note": "Retired", "in_use": False},
}
"""An acceptable row of each feed, in the source's own columns; a bad row changes one thing of it."""


class Expectation(NamedTuple):
    """Where ``ops.rejected_rows`` shows a bad row. ``source_file`` ends with ``file``."""

    source: str
    feed: str
    file: str
    line: int
    rule: str


@dataclass(frozen=True)
class BadRow:
    """An extra row that breaks exactly one rule.

    ``place`` is the day of a CSV file, the sheet, the table or the API resource. ``line`` is the physical
    line, the sheet's row or the record's number, counted through all pages of an API. None among the
    ``changes`` is an empty cell; in a CSV line it is a field that is not there at all.
    """

    source: str
    feed: str
    place: str
    line: int
    rule: str
    changes: dict[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """The row in the source's own columns."""
        own: dict[str, Any] = {}
        if self.feed == "sales":
            day = date.fromisoformat(self.place)
            own = {"sale_no": f"{day:%y%m%d}-{9000 + self.line}", "sold_at": f"{day:%d/%m/%Y} 11:30"}
        if self.feed == "customers":
            own = {"customer_no": f"C{10000 + self.line}"}
        return EXAMPLES[self.feed] | own | self.changes

    def expectation(self) -> Expectation:
        """Where the row must turn up among the rejected rows."""
        file = self.place
        if self.source == "shop":
            file = f"{self.place}.csv"
        elif self.source == "backoffice":
            file = f"backoffice.xlsx#{self.place}"
        elif self.source == "desk":
            file = f"{self.place}?page={(self.line - 1) // DESK_PAGE_SIZE + 1}"
        return Expectation(self.source, self.feed, file, self.line, self.rule)


def _sale(day: str, line: int, rule: str, **changes: str | None) -> BadRow:
    return BadRow("shop", "sales", day, line, rule, changes)


def _cell(sheet: str, line: int, rule: str, column: str, value: object) -> BadRow:
    return BadRow("backoffice", sheet, sheet, line, rule, {column: value})


def _customer(line: int, rule: str, **changes: str) -> BadRow:
    return BadRow("crm", "customers", "customers", line, rule, changes)


def _contact(line: int, rule: str, **changes: object) -> BadRow:
    return BadRow("desk", "interactions", "interactions", line, rule, changes)


_LONG_NAME = (
    "Gift box “Café Crème”: moka pot, two cups, a tamper and a bag of the house blend, ground for drippers"
)

BAD_ROWS: tuple[BadRow, ...] = (
    # The tills: lines cut short or shifted, and what people and clocks get wrong.
    _sale("2024-01-15", 4, "row_shape", discount=None),
    _sale("2024-06-21", 9, "row_shape", price="1,250.00"),
    _sale("2025-04-02", 12, "row_shape", sold_at=None, qty=None, price=None, discount=None),
    _sale("2025-09-09", 3, "row_shape", discount="0.00,0.00"),
    _sale("2024-02-14", 7, "sale_code_required", sale_no=""),
    _sale("2025-05-27", 11, "sale_code_required", sale_no=""),
    _sale("2024-02-29", 5, "sold_at_type", sold_at="30/02/2024 10:15"),
    _sale("2024-08-05", 2, "sold_at_type", sold_at="yesterday"),
    _sale("2024-10-13", 6, "sold_at_required", sold_at=""),
    _sale("2024-10-14", 6, "sold_at_plausible", sold_at="14/10/1066 09:00"),
    _sale("2025-12-31", 8, "sold_at_plausible", sold_at="31/12/2099 12:00"),
    _sale("2024-03-28", 10, "quantity_type", qty="two"),
    _sale("2024-11-29", 14, "quantity_required", qty=""),
    _sale("2025-01-07", 5, "unit_price_type", price="£8.95"),
    _sale("2025-02-20", 3, "unit_price_range", price="12345678901.00"),
    _sale("2025-07-16", 13, "unit_price_not_negative", price="-8.95"),
    _sale("2025-08-23", 15, "discount_amount_type", discount="ten"),
    # The workbook: what cells typed by hand hold.
    _cell("products", 18, "product_name_length", "Product", _LONG_NAME),
    _cell("products", 77, "product_code_required", "SKU", None),
    _cell("products", 140, "unit_price_type", "Retail price", "ask Gwen"),
    _cell("products", 203, "unit_price_not_negative", "Retail price", -12.50),
    _cell("products", 301, "unit_cost_range", "Cost price", 6.125),
    _cell("stores", 4, "open_date_type", "Opened", "in spring"),
    _cell("stores", 7, "store_code_required", "Code", None),
    _cell("inventory", 250, "stock_level_type", "In stock", "many"),
    _cell("inventory", 1999, "stock_level_required", "In stock", None),
    _cell("inventory", 4321, "stock_date_type", "Counted on", "31 September"),
    _cell("inventory", 7000, "stock_level_range", "In stock", 3_000_000_000),
    # The customer database: no checks on its columns.
    _customer(42, "email_has_at", email="imogen.clarke.example.com"),
    _customer(1234, "first_name_length", forename="Imogen Aurélie " * 4),
    _customer(3210, "phone_length", phone="07700 900123 or 0117 496 0123"),
    _customer(4999, "email_has_at", email="none"),
    # The help desk.
    _contact(1500, "occurred_at_plausible", id="T990002", started_at="2099-01-01T00:00:00Z"),
    _contact(9001, "duration_not_negative", id="T990003", duration_seconds=-240),
    _contact(20000, "interaction_type_required", id="T990004", kind=None),
    _contact(30004, "status_length", id="T990005", status="waiting for the supplier"),
    BadRow("desk", "channels", "channels", 4, "channel_name_length", {"name": "Fax 0117 496 0199, " * 3}),
)


def expectations() -> list[Expectation]:
    """All 37 bad rows as the platform must report them."""
    return [bad.expectation() for bad in BAD_ROWS]


def bad_rows(place: str) -> list[BadRow]:
    """The bad rows of a file's day, a sheet, a table or a resource, by line."""
    return sorted((bad for bad in BAD_ROWS if bad.place == place), key=lambda bad: bad.line)


def with_bad_rows(place: str, rows: list[dict[str, Any]], first_line: int) -> list[dict[str, Any]]:
    """The rows of a place with its bad rows among them, each on its line; ``first_line`` is rows[0]'s."""
    rows = list(rows)
    for bad in bad_rows(place):
        rows.insert(bad.line - first_line, bad.row())
    return rows
