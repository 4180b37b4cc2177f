"""Feeds that name no entity: their rows land as they are, as text, in a table of their own."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from landing_shop import Shop

from conftest import select
from ingest import DataIngestion
from ingest.config import ConfigError, load_sources
from ingest.entities import LINEAGE, landed_names

CSV = "{{kind: csv, path: '{folder}/*.csv', feeds: {{{table}_feed: {{table: {table}{more}}}}}}}"


class Desk(Shop):
    """A source of CSV files whose rows land in a table named after the test."""

    def __init__(self, home: Path, folder: Path, table: str) -> None:
        super().__init__(home, folder, f"{table}_source")
        self.table = table
        self.describe("")

    def describe(self, more: str) -> None:
        entry = CSV.format(folder=self.folder, table=self.table, more=more)
        self.sources.write_text(f"sources:\n  {self.name}: {entry}\n")

    def write(self, *lines: str, name: str = "a.csv") -> None:  # type: ignore[override]
        super().write(name, *lines)

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        return self.landed(columns, self.table)

    def counts(self) -> list[tuple[Any, ...]]:
        return self.loads("rows_read, rows_accepted, rows_rejected, rows_new, rows_deleted, state")


@pytest.fixture
def desk(warehouse_home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    return Desk(warehouse_home, tmp_path, request.node.originalname[5:40].lower().rstrip("_"))


HEADER = "Ticket No,order,Größe,load_id,total_amount"


def test_all_columns_land_as_text_with_where_they_come_from(desk: Desk) -> None:
    desk.write(HEADER, "007, a ,klein,x,1.234", '8,"two\nlines",,y,', "9,b")
    assert desk.ingest().error is None
    assert desk.rows('ticket_no, "order", größe, load_id_2, total_amount, source_line') == [
        ("007", " a ", "klein", "x", "1.234", 2),
        ("8", "two\nlines", None, "y", None, 3),
    ]
    types = select(
        desk.home,
        f"select distinct data_type from information_schema.columns where table_name = '{desk.table}'"
        " and column_name in ('ticket_no', 'order', 'größe', 'total_amount')",
        "loader",
    )
    assert types == [("text",)]
    assert desk.rows("distinct source_name, source_file, is_deleted, load_id, source_line")[0][:3] == (
        f"{desk.table}_source", f"{desk.folder}/a.csv", False,
    )  # fmt: skip
    assert desk.counts() == [(3, 2, 1, 2, 0, "loaded")]
    rejected = select(
        desk.home, f"select rule, source_line from ops.rejected_rows where feed_name = '{desk.table}'"
    )
    assert rejected == [("row_shape", 5)]
    assert desk.ingest().loads == []


def test_without_a_key_a_row_is_its_place(desk: Desk) -> None:
    desk.write("a,b", "1,x", "1,x")
    desk.ingest()
    desk.write("a,b", "1,x", "1,y", "1,x")
    desk.ingest()
    assert desk.rows("a, b, source_line") == [("1", "x", 2), ("1", "x", 3), ("1", "y", 3), ("1", "x", 4)]


def test_a_key_tells_new_and_changed_rows(desk: Desk) -> None:
    desk.describe(", key: [Ticket No]")
    desk.write("Ticket No,state", "1,open", "2,open", ",lost")
    desk.ingest()
    desk.write("Ticket No,state", "0,new", "1,open", "2,done", name="b.csv")
    desk.ingest()
    assert desk.rows("ticket_no, state") == [("1", "open"), ("2", "open"), ("0", "new"), ("2", "done")]
    assert desk.counts() == [(3, 2, 1, 2, 0, "loaded"), (3, 3, 0, 2, 0, "loaded")]
    desk.write("no,state", "1,open", name="c.csv")
    assert "the source has no column ticket_no, which is in its key; it has: no, state" in str(
        desk.ingest().error
    )


def test_a_new_column_is_added_and_an_old_one_stays(desk: Desk) -> None:
    desk.describe(", key: [no]")
    desk.write("no,a", "1,x", "2,y")
    desk.ingest()
    desk.write("no,B,a", "1,,x", "2,new,y", name="b.csv")
    outcome = desk.ingest()
    assert f"new column `B`; it lands as staging.{desk.table}.b" in outcome.summary()
    desk.write("no,b", "3,z", name="c.csv")
    desk.ingest()
    rows = [("1", "x", None), ("2", "y", None), ("2", "y", "new"), ("3", None, "z")]
    assert desk.rows("no, a, b") == rows  # row 1 of b.csv says nothing that is new


def test_a_snapshot_tells_what_was_deleted(desk: Desk) -> None:
    desk.describe(", key: [no], mode: snapshot, max_shrink: 0.5")
    desk.write("no,a", "1,x", "2,y")
    desk.ingest()
    desk.write("no,a", "2,y")
    desk.ingest()
    assert desk.rows("no, a, is_deleted")[2:] == [("1", "x", True)]
    assert desk.counts()[1] == (1, 1, 0, 0, 1, "loaded")


def test_rejected_rows_are_replayed(desk: Desk) -> None:
    desk.describe(", key: [no]")
    desk.write("no,a,b", "1,x,y", ",x,", ",y,z")
    desk.ingest()
    assert desk.counts() == [(3, 1, 2, 1, 0, "loaded")]
    desk.describe(", key: [a]")
    (outcome,) = DataIngestion(desk.sources).replay()
    assert outcome.error is None
    # The first of them has a key that landed with other values.
    assert desk.rows("no, a, b") == [("1", "x", "y"), (None, "x", None), (None, "y", "z")]
    assert desk.counts()[1] == (2, 2, 0, 2, 0, "loaded")


def test_a_trial_shows_the_rows_and_writes_nothing(desk: Desk) -> None:
    desk.write("Ticket No,a", "1,x", "2")
    (trial,) = DataIngestion(desk.sources).check()
    assert trial.error is None
    assert (trial.counts.accepted, trial.counts.rejected, trial.unmapped) == (1, 1, [])
    assert (trial.columns[:2], trial.sample[0][:2]) == (["ticket_no", "a"], ("1", "x"))
    assert [broken.rule for broken in trial.broken] == ["row_shape"]
    assert desk.counts() == []


def test_a_table_of_a_database_lands_as_it_is(desk: Desk) -> None:
    file = desk.folder / "crm.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("create table tickets (No integer, Price real, At text)")
        database.execute("insert into tickets values (1, 2.5, '2024-01-01'), (2, null, 'soon')")
    desk.sources.write_text(
        f"sources:\n  {desk.table}_source: {{kind: database, url: 'sqlite:///{file}', table: tickets,"
        f" feeds: {{{desk.table}: {{key: [No]}}}}}}\n"
    )
    assert desk.ingest().error is None
    assert desk.rows("no, price, at") == [("1", "2.5", "2024-01-01"), ("2", None, "soon")]
    assert desk.ingest().loads == []


@pytest.mark.unit
@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        ("{sale: {columns: {sale_code: a}}}", r":1: .*unknown entity `sale`; did you mean `sales`\?"),
        ("{tickets: {}}", r"to land its rows as they are, write tickets: \{table: tickets\}"),
        (
            "{tickets: {table: sales}}",
            "the table sales takes mapped rows; map its columns, or choose another",
        ),
        ("{tickets: {table: A b}}", "a table's name is lower case letters, digits and _"),
        ("{tickets: {table: t, rules: {a: b > 1}}}", "unknown key `rules`"),
        ("{tickets: {table: t, key: a}}", "expected a list of the source's columns, found 'a'"),
        ("{tickets: {table: t, mode: snapshot}}", "mode: snapshot needs a `key`"),
        ("{a: {table: t}, b: {table: t}}", "the source has a feed for the table t already"),
    ],
)
def test_a_wrong_entry_is_one_clear_error(tmp_path: Path, feeds: str, said: str) -> None:
    file = tmp_path / "sources.yml"
    file.write_text(f"sources: {{desk: {{kind: csv, path: a.csv, feeds: {feeds}}}}}")
    with pytest.raises(ConfigError, match=said):
        load_sources(file)


@pytest.mark.unit
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True))
def test_every_column_has_a_name_of_its_own(header: list[str]) -> None:
    names = landed_names(header)
    assert list(names) == header
    assert len({*names.values(), *(column.name for column in LINEAGE)}) == len(header) + len(LINEAGE)
    assert all(0 < len(name.encode()) <= 63 for name in names.values())
    assert landed_names(["Ticket No", "1st", "%", "InvoiceNo"]) == {
        "Ticket No": "ticket_no", "1st": "_1st", "%": "column_3", "InvoiceNo": "invoiceno",
    }  # fmt: skip
