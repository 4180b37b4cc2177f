"""What is found in the columns of a table: types, dates, numbers, dirt and keys, compared with what was written."""

from collections.abc import Iterator
from random import Random

import duckdb
import pytest

from ingest.connectors import Delivery, text_table
from ingest.profile import Table, read_table

pytestmark = pytest.mark.unit


def look(
    connection: duckdb.DuckDBPyConnection, most_rows: int = 1_000_000, **columns: list[str | None]
) -> Table:
    rows = list(zip(*columns.values(), strict=True))
    batch = text_table(list(columns), rows, "a.csv", list(range(2, len(rows) + 2)))
    return read_table(connection, [Delivery("a.csv", "sha", lambda: iter([batch]))], most_rows)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.mark.parametrize(
    ("values", "type_", "fitting"),
    [
        (["1", "-2", "+3", "007"], "integer", 4),
        (["1.5", "2", ".5"], "decimal", 3),
        (["17850.0", "12.0"], "integer", 2),
        (["1,5", "2.000,25"], "decimal", 2),
        (["1,000.50", "2"], "decimal", 2),
        (["1'000.50", "2"], "decimal", 2),
        (["€ 1.50", "2.00 EUR"], "decimal", 2),
        (["yes", "no", "No"], "boolean", 3),
        (["2024-01-31", "2024-02-01"], "date", 2),
        (["20240131", "20240201"], "date", 2),
        (["2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"], "timestamp", 2),
        (["31 Jan 2024", "1 Feb 2024"], "date", 2),
        (["10:30", "9:15:00"], "time", 2),
        (["12345678", "99999999"], "integer", 2),
        (["a", "1"], "text", 2),
        (["1", "2", "3", "4", "five"], "integer", 4),
        (["1", "2", "three", "four"], "text", 4),
        ([None, "  "], "empty", 0),
    ],
)
def test_the_type_is_what_enough_values_fit(
    connection: duckdb.DuckDBPyConnection, values: list[str | None], type_: str, fitting: int
) -> None:
    column = look(connection, c=values).columns["c"]
    assert (column.type, column.fitting) == (type_, fitting)


@pytest.mark.parametrize(
    ("values", "order", "formats"),
    [
        (["01/02/2024", "31/01/2024"], "dmy", ("%d/%m/%Y",)),
        (["01/02/2024", "01/31/2024"], "mdy", ("%m/%d/%Y",)),
        (["01.02.24 10:00", "31.01.24 10:00"], "dmy", ("%d.%m.%y %H:%M",)),
        (["2/1/2024 1:05 PM", "1/31/2024 11:05 AM"], "mdy", ("%m/%d/%Y %I:%M %p",)),
        (["01/02/2024", "02/03/2024"], None, ("%d/%m/%Y", "%m/%d/%Y")),
        (["05/05/2024", "06/06/2024"], "dmy", ("%d/%m/%Y",)),
        (["31/01/2024", "01/31/2024"], None, ("%d/%m/%Y", "%m/%d/%Y")),
        (["31/01/2024 10:00", "30/01/2024"], "dmy", ("%d/%m/%Y", "%d/%m/%Y %H:%M")),
        (["2024-02-01", "2024-02-03"], "ymd", ("%Y-%m-%d",)),
    ],
)
def test_day_and_month_are_told_apart_only_by_the_data(
    connection: duckdb.DuckDBPyConnection,
    values: list[str | None],
    order: str | None,
    formats: tuple[str, ...],
) -> None:
    dates = look(connection, c=values).columns["c"].dates
    assert dates is not None
    assert (dates.order, tuple(sorted(dates.formats))) == (order, tuple(sorted(formats)))


def test_a_few_slips_do_not_make_an_order_undecided(connection: duckdb.DuckDBPyConnection) -> None:
    values: list[str | None] = [f"{day:02}/01/2024" for day in range(13, 32)] * 10
    dates = look(connection, c=[*values, "01/31/2024"]).columns["c"].dates
    assert dates is not None
    assert dates.order == "dmy"
    column = look(connection, c=[*values, "01/31/2024"]).columns["c"]
    assert column.misfits == ("01/31/2024",)


@pytest.mark.parametrize(
    ("values", "mark"),
    [
        (["1,5", "2"], ","),
        (["1.5", "2"], "."),
        (["1,234", "2,345"], "?"),
        (["1.234", "999"], "?"),
        (["1,234", "0,500"], ","),
        (["1,234", "1,234,567"], "."),
        (["1,234", "12.5"], "."),
        (["12", "13"], "."),
    ],
)
def test_the_decimal_mark_is_open_where_the_data_do_not_tell(
    connection: duckdb.DuckDBPyConnection, values: list[str | None], mark: str
) -> None:
    assert look(connection, c=values).columns["c"].decimal == mark


def test_dirt_is_counted_and_a_slip_is_no_custom(connection: duckdb.DuckDBPyConnection) -> None:
    table = look(
        connection,
        code=["a", "A ", "b", "N/A"],
        price=["£1.00", "2.00", "3.00", "4.00"],
        many=["1", "n/a", "2", "3"],
    )
    assert table.columns["code"].dirt == {"padded": 1, "words for nothing": 1, "differ in case": 1}
    assert table.columns["price"].dirt == {"currency signs": 1}
    assert table.columns["many"].nothing == ("n/a",)
    assert table.columns["many"].type == "integer"
    slip = look(connection, price=["£1.00", *["2.00"] * 500], many=["none", *["3"] * 500])
    assert slip.columns["price"].misfits == ("£1.00",)
    assert slip.columns["price"].dirt == {}
    assert not slip.columns["many"].has_words_for_nothing
    assert slip.columns["many"].misfits == ("none",)


def test_keys_are_unique_and_never_empty(connection: duckdb.DuckDBPyConnection) -> None:
    table = look(connection, a=["1", "1", "2"], b=["x", "y", "x"], c=["1", "2", None])
    assert table.unique() == [("a", "b")]
    assert table.repeats(["a"]) == 1
    assert look(connection, a=["1", "2"], b=["x", "y"]).unique() == [("a",), ("b",)]
    assert look(connection, a=["1", "1"], b=["x", "x"]).unique() == []


def test_a_huge_table_is_looked_at_in_part_and_says_so(connection: duckdb.DuckDBPyConnection) -> None:
    table = look(connection, most_rows=2, a=["1", "2", "3"])
    assert not table.whole
    assert table.notes == ["only the first 3 rows were looked at"]  # a batch is taken whole


def test_lines_that_could_not_be_split_are_counted_and_left_out(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    batch = text_table(["a"], [["1"], ["2"]], "a.csv", [2, 3], [None, "2 fields"])
    table = read_table(connection, [Delivery("a.csv", "sha", lambda: iter([batch]))])
    assert (table.rows, table.odd) == (1, 1)


def test_odd_texts_are_counted_whole(connection: duckdb.DuckDBPyConnection) -> None:
    alphabet = "a1 .,:/-+%'\"\n\té€\u00a0\u200b😀NAna"
    random = Random(7)
    for _ in range(30):
        values = ["".join(random.choices(alphabet, k=random.randint(0, 12))) for _ in range(20)]
        column = look(connection, c=list(values)).columns["c"]
        stripped = [value.strip(" \u00a0") for value in values]
        assert column.filled == sum(bool(value) for value in stripped)
        assert column.distinct == len({value for value in stripped if value})
        assert column.fitting <= column.filled
