"""How the demo's rows are written: CSV files, a workbook, a SQLite database and the desk's records.

The planted bad rows come in here, each on its line. What the rows say is decided elsewhere.
"""

import json
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xlsxwriter

from demo import planted
from demo.assortment import SHOPS, Customer, Product, Row

if TYPE_CHECKING:
    from demo.retailer import Sales

CUSTOMERS_TABLE = """
create table customers (
    customer_no text, forename text, surname text, email text, phone text,
    street text, postcode text, town text, country text, tier text, updated_at text
)
"""


def write_shop(target: Path, sales: "Sales", products: list[Product], customers: list[Customer]) -> None:
    """``YYYY-MM-DD.csv`` for each day with sales; ``sold_at`` is local time, money is pounds."""
    target.mkdir()
    header = list(planted.EXAMPLES["sales"])
    skus = [product.sku for product in products]
    numbers = [*(customer.number for customer in customers), ""]  # the last, -1, is nobody
    shops = [shop.code for shop in SHOPS]
    clock = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(24 * 60)]
    columns = zip(
        sales.receipt.tolist(), sales.product.tolist(), sales.customer.tolist(), sales.shop.tolist(),
        sales.web.tolist(), sales.minute.tolist(), sales.quantity.tolist(), sales.price.tolist(),
        sales.discount.tolist(), strict=True,
    )  # fmt: skip

    lines_of_day = np.bincount(sales.day)
    for d in np.flatnonzero(lines_of_day).tolist():
        day = planted.FIRST_DAY + timedelta(days=d)
        short, local = f"{day:%y%m%d}", f"{day:%d/%m/%Y}"
        lines = [",".join(header)]
        for n in range(1, int(lines_of_day[d]) + 1):
            receipt, product, customer, shop, web, minute, quantity, price, discount = next(columns)
            code = shops[shop]
            lines.append(
                f"{short}-{n:04d},{code}-{receipt:06d},{skus[product]},{numbers[customer]},{code},"
                f"{'web' if web else 'shop'},{local} {clock[minute]},"
                f"{quantity},{price / 100:.2f},{discount / 100:.2f}"
            )
        for bad in planted.bad_rows(day.isoformat()):
            fields = (value for value in bad.row().values() if value is not None)
            lines.insert(bad.line - 1, ",".join(fields))
        (target / f"{day}.csv").write_bytes(("\n".join(lines) + "\n").encode())


def write_workbook(target: Path, sheets: dict[str, list[Row]]) -> None:
    """One sheet for each entry, with a header; dates are dates and numbers are numbers."""
    workbook = xlsxwriter.Workbook(str(target))
    # The file says when it was made: say the same each time.
    workbook.set_properties({"created": datetime(2026, 1, 1), "company": "Kettle & Crumb"})
    bold = workbook.add_format({"bold": True})
    formats = {
        "date": workbook.add_format({"num_format": "dd/mm/yyyy"}),
        "money": workbook.add_format({"num_format": "#,##0.00"}),
        "plain": None,
    }
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(rows[0]) - 1, 18)
        sheet.write_row(0, 0, list(rows[0]), bold)
        for r, row in enumerate(planted.with_bad_rows(name, rows, first_line=2), start=1):
            for c, value in enumerate(row.values()):
                if isinstance(value, date):
                    sheet.write_datetime(r, c, value, formats["date"])
                elif isinstance(value, int | float):
                    sheet.write_number(r, c, value, formats["money" if isinstance(value, float) else "plain"])
                elif value is not None:
                    sheet.write_string(r, c, value)
    workbook.close()


def write_database(target: Path, customers: list[Row]) -> None:
    """A SQLite file with the table customers, in the order given."""
    rows = planted.with_bad_rows("customers", customers, first_line=1)
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute(CUSTOMERS_TABLE)
        values = ", ".join(f":{column}" for column in planted.EXAMPLES["customers"])
        connection.executemany(f"insert into customers values ({values})", rows)


def write_desk(target: Path, resources: dict[str, list[dict[str, Any]]]) -> None:
    """``<resource>.jsonl`` for each resource of the API: one record a line, ready to be served."""
    target.mkdir()
    for resource, records in resources.items():
        rows = planted.with_bad_rows(resource, records, first_line=1)
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        lines = "".join(f"{encode(row)}\n" for row in rows)
        (target / f"{resource}.jsonl").write_text(lines, encoding="utf-8")
