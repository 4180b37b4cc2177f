"""Landing: each kind of source lands, a truncated fetch does not empty, run twice adds nothing, and a crash
at any stage neither doubles nor loses a row."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import landing_rows
import pytest
from landing_shop import Shop

from conftest import ROOT, make_home, remove_home, select
from demo import planted
from demo.desk import desk_server
from demo.retailer import expected, generate
from ingest import DataIngestion
from ingest.connectors import SourceError
from ingest.ledger import open_ledger
from ingest.mapping import Mapper

SOURCES = """\
sources:
  shop:
    kind: csv
    path: {folder}/*.csv
    feeds:
      sales:
        columns: {{sale_code: no, sold_at: day, quantity: qty, unit_price: price}}
        rules: {{price_not_negative: unit_price >= 0}}
"""
HEADER = "no,day,qty,price"


class Inbox(Shop):
    """A source of CSV files, alone in its warehouse."""

    def __init__(self, home: Path, folder: Path) -> None:
        super().__init__(home, folder, "shop")
        self.sources.write_text(SOURCES.format(folder=self.folder))

    def write(self, name: str, *lines: str) -> None:
        super().write(name, HEADER, *lines)

    def lines(self) -> list[tuple[object, ...]]:
        return self.landed("sale_code, quantity, source_line", "sales")

    def counts(self) -> list[tuple[object, ...]]:
        return self.loads("rows_read, rows_accepted, rows_rejected, rows_new, state")


@pytest.fixture
def shop(warehouse_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    monkeypatch.setenv("ANALYTICS_HOME", str(warehouse_home))
    landing_rows.create()
    landing_rows.clear()
    return Inbox(warehouse_home, tmp_path)


def test_a_file_lands_once_whatever_its_name(shop: Inbox) -> None:
    shop.write("a.csv", "1,2024-01-01,2,3.50", "2,2024-01-01,1,-1", "3,2024-01-01,1,1")
    assert shop.ingest().error is None
    shop.write("copy of a.csv", "1,2024-01-01,2,3.50", "2,2024-01-01,1,-1", "3,2024-01-01,1,1")
    assert shop.ingest().loads == []
    assert shop.lines() == [("1", 2, 2), ("3", 1, 4)]
    assert shop.counts() == [(3, 2, 1, 2, "loaded")]
    assert select(shop.home, "select source_line, rule, raw_row ->> 'price' from ops.rejected_rows") == [
        (3, "price_not_negative", "-1")
    ]


def test_a_grown_file_adds_only_its_new_and_changed_rows(shop: Inbox) -> None:
    shop.write("a.csv", "1,2024-01-01,2,3", "bad,soon,1,1")
    shop.ingest()
    shop.write("a.csv", "1,2024-01-01,5,3", "bad,soon,1,1", "2,2024-01-02,1,1")
    shop.ingest()
    assert shop.lines() == [("1", 2, 2), ("1", 5, 2), ("2", 1, 4)]
    assert shop.counts()[1] == (3, 2, 1, 2, "loaded")
    assert select(shop.home, "select count(*) from ops.rejected_rows") == [(1,)]


def test_a_value_that_goes_back_is_news_again(shop: Inbox) -> None:
    for number, quantity in enumerate((1, 2, 1, 1)):
        shop.write(f"{number}.csv", f"1,2024-01-01,{quantity},3", f"{number}x,2024-01-01,1,1")
        shop.ingest()
    assert [quantity for code, quantity, _ in shop.lines() if code == "1"] == [1, 2, 1]


def test_a_key_twice_in_one_file_lands_each_change(shop: Inbox) -> None:
    shop.write("a.csv", "1,2024-01-01,1,3", "1,2024-01-01,1,3", "1,2024-01-01,2,3")
    shop.ingest()
    assert shop.lines() == [("1", 1, 2), ("1", 2, 4)]


def test_a_truncated_file_takes_nothing_away(shop: Inbox) -> None:
    shop.write("a.csv", "1,2024-01-01,1,3", "2,2024-01-01,1,3")
    shop.ingest()
    before = shop.lines()
    (shop.folder / "a.csv").write_text("")
    assert "the file is empty" in (shop.ingest().error or "")
    (shop.folder / "a.csv").write_text(f"{HEADER}\n")
    assert shop.ingest().error is None
    assert shop.lines() == before


def test_a_missing_column_is_that_sources_error_only(shop: Inbox) -> None:
    other = SOURCES.format(folder=shop.folder / "other").replace("sources:\n  shop", "  other")
    shop.sources.write_text(shop.sources.read_text() + other)
    (shop.folder / "other").mkdir()
    (shop.folder / "other" / "b.csv").write_text(f"{HEADER}\n1,2024-01-01,1,1\n")
    (shop.folder / "a.csv").write_text("no,day,price\n1,2024-01-01,1\n")
    bad, good = DataIngestion(shop.sources).run()
    assert 'shop.sales.quantity: Binder Error: Referenced column "qty" not found' in (bad.error or "")
    assert good.error is None
    assert select(shop.home, "select source_name from staging.sales", "loader") == [("other",)]


def test_two_sources_may_use_the_same_codes(shop: Inbox) -> None:
    other = SOURCES.format(folder=shop.folder).replace("sources:\n  shop", "  other")
    shop.sources.write_text(shop.sources.read_text() + other)
    shop.write("a.csv", "1,2024-01-01,1,3")
    assert [len(outcome.loads) for outcome in DataIngestion(shop.sources).run()] == [1, 1]
    assert select(shop.home, "select source_name from staging.sales order by 1", "loader") == [
        ("other",),
        ("shop",),
    ]


def test_a_file_with_the_platforms_own_columns_needs_no_sources_file(shop: Inbox) -> None:
    file = shop.folder / "sales.csv"
    file.write_text("sale_code,sold_at,quantity,total_amount\nA,2024-02-29 10:00,2,9.99\n")
    assert DataIngestion().load_sales(file).loads[0].new == 1
    assert [str(row[0]) for row in select(shop.home, "select total_amount from staging.sales", "loader")] == [
        "9.99"
    ]
    file.write_text("sale_code,quantity\nA,2\n")
    with pytest.raises(SourceError, match="no column sold_at; it has: sale_code, quantity"):
        DataIngestion().load_sales(file)


KILLED_AT = [
    "announce:before",
    "announce:after",
    "copy:before",
    "copy:after",
    "finish:before",
    "finish:after",
]
CRASH = """
import os, signal, sys
from ingest import landing, ledger
from ingest.ingestion import DataIngestion

name, _, when = sys.argv[1].partition(":")
owner = landing if name == "copy" else ledger.Ledger
real = getattr(owner, name)

def killed(*arguments):
    if when == "after":
        real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, killed)
for _ in DataIngestion().run():
    pass
"""


@pytest.mark.parametrize("stage", KILLED_AT)
def test_killed_at_any_stage_and_repeated_there_is_no_duplicate_and_no_gap(shop: Inbox, stage: str) -> None:
    shop.write("a.csv", "1,2024-01-01,1,1", "2,2024-01-01,1,-1")
    shop.ingest()
    shop.write("b.csv", "3,2024-01-01,1,1", "4,2024-01-01,1,-1", "1,2024-01-01,9,1")
    died = subprocess.run(
        [sys.executable, "-c", CRASH, stage],
        cwd=ROOT,
        env=os.environ | {"ANALYTICS_SOURCES": str(shop.sources)},
        check=False,
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL
    assert shop.ingest().error is None
    assert shop.lines() == [("1", 1, 2), ("3", 1, 2), ("1", 9, 4)]
    loaded = [load for load in shop.counts() if load[-1] == "loaded"]
    assert loaded == [(2, 1, 1, 1, "loaded"), (3, 2, 1, 2, "loaded")]
    assert select(shop.home, "select count(*), count(distinct raw_hash) from ops.rejected_rows") == [(2, 2)]
    assert shop.ingest().loads == []


# ---------------------------------------------------------------------- the four kinds, on the demo's sources


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    home = make_home()
    before = os.environ.get("ANALYTICS_HOME")
    os.environ["ANALYTICS_HOME"] = str(home)
    generate(home)
    with desk_server():
        assert [outcome.error for outcome in DataIngestion().run()] == [None] * 4
    yield home
    os.environ.pop("ANALYTICS_HOME")
    if before:
        os.environ["ANALYTICS_HOME"] = before
    remove_home(home)


@pytest.mark.parametrize(
    "entity", ["sales", "products", "stores", "inventory", "customers", "interactions", "channels"]
)
def test_each_kind_of_source_lands_whole(demo: Path, entity: str) -> None:
    assert select(demo, f"select count(*) from staging.{entity}", "loader") == [
        (expected(demo).rows[entity],)
    ]


def test_sales_land_to_the_penny(demo: Path) -> None:
    truth = expected(demo)
    sums = "select sum(total_amount), sum(quantity), count(distinct transaction_code) from staging.sales"
    assert select(demo, sums, "loader") == [(truth.revenue, truth.units, truth.transactions)]
    assert select(demo, "select sum(amount_accepted) from ops.loads") == [(truth.revenue,)]


def test_exactly_the_planted_rows_are_rejected_each_with_its_rule(demo: Path) -> None:
    found = select(
        demo, "select source_name, feed_name, source_file, source_line, rule from ops.rejected_rows"
    )
    wanted = planted.expectations()
    assert len(found) == len(wanted) == 37
    assert len({rule for *_, rule in wanted}) >= 9
    for source, feed, file, line, rule in wanted:
        assert [
            row for row in found
            if row[:2] == (source, feed) and str(row[2]).endswith(file) and row[3:] == (line, rule)
        ], f"{source}.{feed} {file}:{line} {rule}"  # fmt: skip


def test_run_twice_adds_nothing(demo: Path) -> None:
    counts = "select (select count(*) from ops.loads), (select count(*) from ops.rejected_rows)"
    before = select(demo, counts)
    with desk_server():
        assert [outcome.loads for outcome in DataIngestion().run()] == [[]] * 4
    assert select(demo, counts) == before


def test_every_row_read_is_accepted_or_rejected(demo: Path) -> None:
    """Counted apart: lines in the files, rows in staging, rows in the ledger."""
    files = sorted((demo / "demo" / "shop").glob("*.csv"))
    lines = sum(len(file.read_text().splitlines()) - 1 for file in files)
    landed, refused, read = select(
        demo,
        "select (select count(*) from staging.sales),"
        " (select count(*) from ops.rejected_rows where feed_name = 'sales'),"
        " (select sum(rows_read) from ops.loads where entity = 'sales')",
        "loader",
    )[0]
    assert (int(str(landed)) + int(str(refused)), read) == (lines, lines)


# ---------------------------------------------------------------------------------------------------- replay


def states(shop: Inbox) -> list[tuple[object, ...]]:
    return select(shop.home, "select source_line, state from ops.rejected_rows order by rejection_id")


def test_replay_lands_exactly_the_rows_that_a_mended_rule_heals(shop: Inbox) -> None:
    shop.write(
        "a.csv", "1,2024-01-01,1,-1", "2,soon,1,1", "3,2024-01-01,1,1", "4,2024-01-01", "5,2024-01-01,1,-5"
    )
    shop.ingest()
    assert [outcome.loads for outcome in DataIngestion(shop.sources).replay()] == [[]]
    shop.sources.write_text(shop.sources.read_text().replace("unit_price >= 0", "unit_price >= -5"))
    (outcome,) = DataIngestion(shop.sources).replay()
    assert outcome.error is None
    assert shop.lines() == [("3", 1, 4), ("1", 1, 2), ("5", 1, 6)]
    assert states(shop) == [(2, "replayed"), (3, "open"), (5, "open"), (6, "replayed")]
    assert shop.counts()[-1] == (2, 2, 0, 2, "loaded")
    assert [outcome.loads for outcome in DataIngestion(shop.sources).replay()] == [[]]


def test_thousands_of_rejected_rows_are_replayed_as_sets(
    shop: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("a.csv", *(f"{n},2024-01-01,1,{-n}" for n in range(1, 4001)), "x,2024-01-01")
    rows = [f"P,2024-01-01,{n},1,{-n},new" for n in range(4001, 5001)]  # in the columns of another export
    (shop.folder / "b.csv").write_text("\n".join(["sku,day,no,qty,price,note", *rows, ""]))
    shop.ingest()
    batches: list[int] = []
    add = Mapper.add
    monkeypatch.setattr(Mapper, "add", lambda self, batch: (batches.append(len(batch)), add(self, batch))[1])
    shop.sources.write_text(shop.sources.read_text().replace("unit_price >= 0", "unit_price >= -4500"))
    (outcome,) = DataIngestion(shop.sources).replay()
    assert (outcome.error, [load.counts.accepted for load in outcome.loads]) == (None, [4500])
    assert sorted(batches) == [1000, 4001]
    landed = select(
        shop.home,
        "select source_file like '%a.csv', count(*), sum(total_amount), min(source_line), max(source_line)"
        " from staging.sales group by 1 order by 1",
        "loader",
    )
    assert [tuple(map(str, row)) for row in landed] == [
        ("False", "500", str(-sum(range(4001, 4501))) + ".00", "2", "501"),
        ("True", "4000", str(-sum(range(1, 4001))) + ".00", "2", "4001"),
    ]
    counted = "select state, count(*) from ops.rejected_rows group by 1 order by 1"
    assert select(shop.home, counted) == [("open", 501), ("replayed", 4500)]


def test_a_mended_file_heals_its_rejected_rows(shop: Inbox) -> None:
    shop.write("a.csv", "1,2024-01-01,1,1", "2,soon,1,1", "3,never,1,1")
    shop.ingest()
    shop.write("a.csv", "1,2024-01-01,1,1", "2,2024-01-02,1,1", "3,never,1,1")
    shop.ingest()
    assert shop.lines() == [("1", 1, 2), ("2", 1, 3)]
    assert states(shop) == [(3, "replayed"), (4, "open")]
    assert shop.ingest().loads == []


def test_a_dismissed_row_stays_dismissed_when_its_file_comes_again(shop: Inbox) -> None:
    shop.write("a.csv", "1,soon,1,1")
    shop.ingest()
    ((rejection,),) = select(shop.home, "select rejection_id from ops.rejected_rows")
    with open_ledger() as ledger:
        assert ledger.dismiss([rejection, rejection + 1]) == 1
    shop.write("a.csv", "1,soon,1,1", "2,2024-01-01,1,1")
    shop.ingest()
    assert states(shop) == [(2, "dismissed")]
