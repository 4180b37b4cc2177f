"""Landing beyond the plain file: snapshots and their deletions, cursors, cleaning, changed sources, large loads,
and runs that meet each other. One warehouse for all; each test has sources of its own."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from landing_shop import Shop

from conftest import ROOT, select
from ingest import DataIngestion, changes, landing, staging, unchanged
from ingest.config import ConfigError
from ingest.connectors import csv
from ingest.ledger import Ledger, open_ledger
from ingest.mapping import Mapper

SOURCE = """\
sources:
  {name}:
    kind: {kind}
    {place}
    {settings}
    feeds:
      {feed}
"""
CUSTOMERS = "customers: {columns: {customer_code: no, last_name: name, email: mail, phone: tel}}"
SALES = "sales: {columns: {sale_code: no, sold_at: day, quantity: qty, total_amount: amount}}"


class Described(Shop):
    """One source, named after its test."""

    def describe(
        self, feed: str, settings: str = "timezone: UTC", kind: str = "csv", place: str = ""
    ) -> None:
        place = place or f"path: {self.folder}/*.csv"
        text = SOURCE.format(name=self.name, kind=kind, place=place, settings=settings, feed=feed)
        self.sources.write_text(text)


@pytest.fixture
def shop(warehouse_home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Described:
    return Described(warehouse_home, tmp_path, request.node.originalname[:50].lower())


# ------------------------------------------------------------------------------------------------ snapshots


def numbered(first: int, last: int) -> list[str]:
    return [f"C{n},Name {n},n{n}@x.org,1" for n in range(first, last + 1)]


HEADER = "no,name,mail,tel"
STATE = "customer_code, is_deleted"


def test_a_key_that_a_snapshot_lacks_lands_as_deleted_and_may_come_back(shop: Described) -> None:
    shop.describe(CUSTOMERS, "mode: snapshot")
    shop.write("list.csv", HEADER, *numbered(1, 5))
    shop.ingest()
    shop.write("list.csv", HEADER, *numbered(1, 4))
    assert "1 deleted" in shop.ingest().summary()
    assert shop.landed(f"{STATE}, last_name, source_line", "customers")[5:] == [("C5", True, "Name 5", 0)]
    assert shop.loads("rows_read, rows_new, rows_deleted") == [(5, 5, 0), (4, 0, 1)]
    assert shop.ingest().loads == []
    shop.write("list.csv", HEADER, *numbered(1, 5))  # as it was at first, which is news
    shop.ingest()
    assert shop.landed(STATE, "customers")[6:] == [("C5", False)]
    assert shop.loads("rows_new, rows_deleted")[2:] == [(1, 0)]


def test_snapshots_that_come_together_are_taken_one_after_the_other(shop: Described) -> None:
    shop.describe(CUSTOMERS, "mode: snapshot")
    shop.write("1.csv", HEADER, *numbered(1, 5))
    shop.write("2.csv", HEADER, *numbered(2, 5))
    shop.write("3.csv", HEADER, *numbered(1, 4))
    shop.ingest()
    assert shop.landed(STATE, "customers")[5:] == [("C1", True), ("C5", True), ("C1", False)]
    assert shop.ingest().loads == []


@pytest.mark.parametrize("lines", [numbered(1, 3), []])
def test_a_snapshot_that_shrank_too_much_is_refused_before_anything_is_written(
    shop: Described, lines: list[str]
) -> None:
    shop.name += str(len(lines))
    shop.describe(CUSTOMERS, "mode: snapshot")
    shop.write("list.csv", HEADER, *numbered(1, 5))
    shop.ingest()
    shop.write("list.csv", HEADER, *lines)
    error = shop.ingest().error or ""
    assert f"lacks {5 - len(lines)} of 5 keys, more than max_shrink allows (30%)" in error
    assert len(shop.landed(STATE, "customers")) == 5
    assert len(shop.loads("1")) == 1
    shop.describe(CUSTOMERS, "mode: snapshot\n    max_shrink: 1")
    assert shop.ingest().error is None
    assert [deleted for _, deleted in shop.landed(STATE, "customers")[5:]] == [True] * (5 - len(lines))


def test_a_rejected_row_keeps_its_key_alive_and_an_unreadable_one_all_keys(shop: Described) -> None:
    shop.describe(CUSTOMERS, "mode: snapshot")
    shop.write("list.csv", HEADER, *numbered(1, 5))
    shop.ingest()
    shop.write("list.csv", HEADER, *numbered(1, 4), f"C5,{'x' * 51},,")
    shop.ingest()
    shop.write("list.csv", HEADER, *numbered(1, 4), ",Name 5,,")
    assert "nothing is taken for deleted" in shop.ingest().summary()
    assert len(shop.landed(STATE, "customers")) == 5


def test_a_table_without_a_cursor_may_be_a_snapshot(shop: Described) -> None:
    database = shop.folder / "crm.sqlite"
    place = f"url: 'sqlite:///{database}'\n    table: c"
    shop.describe(CUSTOMERS, "mode: snapshot", "database", place)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table c (no text, name text, mail text, tel text)")
        connection.executemany("insert into c values (?, 'n', null, null)", [(f"C{n}",) for n in range(5)])
    shop.ingest()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("delete from c where no = 'C3'")
    shop.ingest()
    assert shop.landed(STATE, "customers")[5:] == [("C3", True)]
    assert shop.ingest().loads == []


# -------------------------------------------------------------------------------------------------- cursors


def test_a_cursor_reads_on_from_where_the_last_run_ended(shop: Described) -> None:
    database = shop.folder / "erp.sqlite"
    place = f"url: 'sqlite:///{database}'\n    table: s\n    cursor: {{column: 'no', lag: 1}}"
    shop.describe(SALES, kind="database", place=place)

    def add(*numbers: int) -> None:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(
                "create table if not exists s (no integer, day text, qty integer, amount real)"
            )
            connection.executemany("insert into s values (?, '2024-01-01', 1, 2.5)", [(n,) for n in numbers])

    add(1, 2, 3)
    shop.ingest()
    add(4)
    shop.ingest()
    assert shop.loads("rows_read, rows_new, cursor_value") == [(3, 3, "3"), (3, 1, "4")]  # the lag: 2 to 4
    assert shop.ingest().loads == []
    add(0)  # below the cursor
    assert shop.ingest().loads == []
    assert shop.ingest(since="0").loads[0].new == 1
    add(-5)
    assert shop.ingest(full_refresh=True).loads[0].counts.read == 6
    assert [code for (code,) in shop.landed("sale_code", "sales")] == ["1", "2", "3", "4", "0", "-5"]


def test_a_window_is_read_once_more_and_the_next_run_goes_on_where_it_was(shop: Described) -> None:
    database = shop.folder / "erp.sqlite"
    place = f"url: 'sqlite:///{database}'\n    table: s\n    cursor: {{column: day}}"
    shop.describe(SALES, kind="database", place=place)

    def add(*rows: tuple[int, str]) -> None:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(
                "create table if not exists s (no integer, day text, qty integer, amount real)"
            )
            connection.executemany("insert into s values (?, ?, 1, 2.5)", rows)

    add((1, "2024-01-01"), (2, "2024-01-03"))
    assert shop.ingest(since="2024-01-03", until="2024-01-04").loads[0].new == 1
    assert shop.ingest().loads[0].new == 1, "a window before the first run hides nothing from it"
    add((3, "2024-01-02"), (4, "2024-01-01"))  # late
    assert shop.ingest().loads == []
    assert shop.ingest(since="2024-01-01", until="2024-01-02").loads[0].new == 1
    assert shop.ingest(since="2024-01-01", until="2024-01-02").loads == []
    add((5, "2024-01-03"))
    shop.ingest()
    assert [code for (code,) in shop.landed("sale_code", "sales")] == ["2", "1", "4", "5"]
    assert [cursor for (cursor,) in shop.loads("cursor_value")] == [None, *["2024-01-03"] * 3]
    with pytest.raises(ConfigError, match="--until ends a window that begins at --since"):
        shop.ingest(until="2024-01-02")


def test_since_needs_a_cursor(shop: Described) -> None:
    shop.describe(SALES)
    with pytest.raises(ConfigError, match="--since needs a source with a `cursor`"):
        list(DataIngestion(shop.sources).run(since="2024-01-01"))


def test_a_full_refresh_of_files_adds_only_what_is_not_there(shop: Described) -> None:
    shop.describe(SALES)
    shop.write("a.csv", "no,day,qty,amount", "1,2024-01-01,1,2.50", "2,2024-01-01,1,2.50")
    shop.ingest()
    (load,) = shop.ingest(full_refresh=True).loads
    assert (load.counts.read, load.new) == (2, 0)


# ----------------------------------------------------------------------------------- cleaning, changed sources


def test_texts_are_cleaned_unless_it_is_switched_off(shop: Described) -> None:
    line = 'C1," Ann ",ANN@X.ORG,+44 (20) 7946-0958'
    shop.describe(CUSTOMERS)
    shop.write("a.csv", HEADER, line)
    shop.ingest()
    shop.describe(CUSTOMERS, "clean: {trim: false, email_case: false, phone_digits: false}")
    shop.write("b.csv", HEADER, line, 'C2,"  ",,020 ext. 7')
    shop.ingest()
    shop.describe(CUSTOMERS.replace("{columns", "{clean: {empty_to_null: false}, columns"))
    shop.write("c.csv", HEADER, 'C3,"  ",a,020 ext. 7')
    shop.ingest()
    assert shop.landed("last_name, email, phone", "customers") == [
        ("Ann", "ann@x.org", "+442079460958"),
        (" Ann ", "ANN@X.ORG", "+44 (20) 7946-0958"),
        ("  ", None, "020 ext. 7"),
        ("", "a", "020 ext. 7"),
    ]


def test_a_new_column_is_told_once_and_ignored(shop: Described) -> None:
    shop.describe(SALES)
    shop.write("a.csv", "no,day,qty,amount", "1,2024-01-01,1,2.50")
    shop.ingest()
    shop.write("b.csv", "no,day,qty,amount,till", "2,2024-01-01,1,2.50,T1")
    assert "new column `till`; map it in" in shop.ingest().summary()
    shop.write("c.csv", "no,day,qty,amount,till", "3,2024-01-01,1,2.50,T1")
    assert "new column" not in shop.ingest().summary()
    assert [len(notes) for (notes,) in shop.loads("notes")] == [0, 1, 0]


def test_a_column_whose_type_changed_is_the_sources_error(shop: Described) -> None:
    shop.describe(SALES)
    shop.write("a.csv", "no,day,qty,amount", "1,2024-01-01,1,2.50")
    shop.ingest()
    shop.write("b.csv", "no,day,qty,amount", *(f"{n},2024-01-01,{n} pcs,2.50" for n in range(20)))
    assert "all 20 rows break quantity_type (quantity is not a whole number: 0 pcs)" in (
        shop.ingest().error or ""
    )
    assert len(shop.loads("1")) == 1


# ------------------------------------------------------------------------------------ large loads, other runs


def test_a_large_load_is_copied_by_several_connections_and_is_whole(
    shop: Described, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (changes, staging):
        monkeypatch.setattr(module, "BULK_ROWS", 1000)
    shop.describe(SALES)
    lines = [f"{n},2024-01-01,1,{n % 100}.25" for n in range(300_000)]
    shop.write("a.csv", "no,day,qty,amount", *lines, *lines[:5])
    (load,) = shop.ingest().loads
    assert (load.counts.read, load.new) == (300_005, 300_000)
    total = sum(n % 100 for n in range(300_000)) + 300_000 // 4
    sums = "select count(*), count(distinct sale_code), sum(total_amount) from staging.sales"
    assert select(shop.home, f"{sums} where source_name = '{shop.name}'", "loader") == [
        (300_000, 300_000, total)
    ]
    shop.write("b.csv", "no,day,qty,amount", *lines[:-1], f"{len(lines) - 1},2024-01-01,7,1.25")
    assert shop.ingest().loads[0].new == 1


@pytest.mark.parametrize("twice", [0, 3, 350])
def test_rows_of_a_large_first_load_leave_while_the_rest_is_mapped(
    shop: Described, monkeypatch: pytest.MonkeyPatch, twice: int
) -> None:
    """Unless a key comes twice, of which the first part tells at once and a later one only in the end."""
    shop.name += f"_{twice}"
    for module, constant, value in (
        (csv, "BLOCK_BYTES", 600), (csv, "LEAST_BYTES", 60), (csv, "LINES_EACH_LOG2", 1),
        (landing, "MAPPED_ROWS", 60), (unchanged, "BULK_ROWS", 1),
    ):  # fmt: skip
        monkeypatch.setattr(module, constant, value)
    left: list[Path] = []
    let_go = Mapper.let_go
    monkeypatch.setattr(Mapper, "let_go", lambda self, keys: (left.append(keys), let_go(self, keys))[1])
    lines = [f"{n},2024-01-{n % 28 + 1:02},1,{n % 7}.25" for n in range(400)]
    lines[5] = lines[5].replace("2024", "year 2024")
    lines[399] = lines[399].replace("2024", "year 2024")
    if twice:
        lines[twice : twice + 2] = ["1,2024-01-02,1,1.25", "1,2024-01-02,5,1.25"]
    shop.describe(SALES)
    shop.write("a.csv", "no,day,qty,amount", *lines)
    assert "400 rows read" in shop.ingest().summary()
    assert (len(left) > 3) == (twice != 3)
    taken = [n for n in range(400) if n not in (5, 399, twice or 5)]  # a repeat that differs is news
    assert shop.landed("source_line", "sales") == [(n + 2,) for n in taken]
    total = sum(Decimal(lines[n].rsplit(",", 1)[1]) for n in taken)
    accepted = total + (Decimal("1.25") if twice else 0)
    counts = "rows_read, rows_accepted, rows_rejected, rows_new, amount_accepted, amount_new, state"
    assert shop.loads(counts) == [(400, 398, 2, len(taken), accepted, total, "loaded")]
    if not twice:  # all of it is known when it comes again
        shop.write("a.csv", "no,day,qty,amount", *lines, "new,2024-01-01,1,1")
        assert "401 rows read, 1 new, 2 rejected" in shop.ingest().summary()
        assert shop.loads("amount_accepted") == [(total,), (total + 1,)]


def test_what_landed_is_counted_in_the_database_and_a_difference_stops_the_run(
    shop: Described, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.describe(SALES)
    shop.write("a.csv", "no,day,qty,amount", "1,2024-01-01,1,2.50", "2,2024-01-01,1,2.50")
    real = Ledger.finish

    def lose_a_row(self: Ledger, *arguments: Any) -> None:
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(
                "delete from staging.sales where source_name = %s and sale_code = '2'", (shop.name,)
            )
        real(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "finish", lose_a_row)
        with pytest.raises(
            RuntimeError, match=r"sent 2 rows and 5.00 to staging.sales, where 1 rows and 2.50"
        ):
            shop.ingest()
    assert shop.ingest().loads[0].new == 2  # what was there of the broken load is gone
    assert shop.landed("sale_code", "sales") == [("1",), ("2",)]
    assert shop.loads("state, error") == [("failed", "interrupted"), ("loaded", None)]


def test_a_second_run_says_that_it_waits(shop: Described) -> None:
    shop.describe(SALES)
    shop.write("a.csv", "no,day,qty,amount", "1,2024-01-01,1,2.50")
    program = "from ingest import DataIngestion; print([o.summary() for o in DataIngestion().run()])"
    with open_ledger():
        second = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=os.environ | {"ANALYTICS_SOURCES": str(shop.sources)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        limit = threading.Timer(60, second.kill)
        limit.start()
        assert "another ingestion is running" in second.stderr.readline()
        assert shop.landed("1", "sales") == []
    output, _ = second.communicate(timeout=60)
    limit.cancel()
    assert "1 rows read, 1 new" in output
