"""CSV files, also ugly ones: nothing is lost, and each line is known by the number an editor shows."""

import csv as stdlib_csv
import gzip
import io
import json
import os
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import SHARED_DATA
from ingest.connectors import Delivery, SourceError, csv
from ingest.connectors.numbers import Style

pytestmark = pytest.mark.unit


def rows(delivery: Delivery) -> list[dict[str, Any]]:
    return [row for batch in delivery.batches() for row in batch.to_pylist()]


def read(folder: Path, content: bytes, file: str = "a.csv", **options: Any) -> list[dict[str, Any]]:
    (folder / file).write_bytes(content)
    return [row for d in csv.deliveries({"path": str(folder / file), "options": options}) for row in rows(d)]


def seen(found: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in (*columns, "_line")) for row in found]


# `plain` goes through Arrow; a quoted newline sends the block through the reader of records.
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ragged_lines_are_kept_with_their_number_and_text(tmp_path: Path, plain: bool, end: str) -> None:
    lines = [
        "a,b,c",
        "1,2,3",
        "4,5",
        "6,7,8,9",
        "x,,NA",
        ",,",
        '"q, r",s,t' if plain else f'"q{end}r",s,t',
        "7,8,9",
    ]
    found = read(tmp_path, (end.join(lines)).encode())
    assert (
        seen(found, "a", "_problem") == sorted(seen(found, "a", "_problem"), key=lambda row: row[-1]) or plain
    )
    by_line = {row["_line"]: row for row in found}
    assert (by_line[2]["a"], by_line[2]["_problem"]) == ("1", None)
    assert by_line[3]["_problem"] == "2 fields where the header has 3: 4,5"
    assert by_line[4]["_problem"] == "4 fields where the header has 3: 6,7,8,9"
    assert (by_line[5]["b"], by_line[5]["c"]) == (None, "NA")
    assert (by_line[6]["a"], by_line[6]["_problem"]) == (None, None)
    assert by_line[7]["a"] == ("q, r" if plain else f"q{end}r")
    assert by_line[8 if plain else 9]["a"] == "7"
    assert len(found) == 7


def test_blank_lines_are_no_records_but_count(tmp_path: Path) -> None:
    assert seen(read(tmp_path, b"a,b\n\n1,2\n\n\n3,4\n\n"), "a") == [("1", 3), ("3", 6)]
    assert seen(read(tmp_path, b"a\n1\n\n2\n"), "a") == [("1", 2), ("2", 4)]


@pytest.mark.parametrize("after", [0, 3, 5000])
def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path, after: int) -> None:
    lines = ["a,b", '1,"open', *(f"{n},x" for n in range(after))]
    found = read(tmp_path, "\n".join(lines).encode())
    assert len(found) == after + 1
    assert found[0]["_problem"] == 'a quote is opened in this line and never closed: 1,"open'
    assert seen(found[1:], "a") == [(str(n), n + 3) for n in range(after)]


def test_a_record_may_go_on_in_the_next_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "BLOCK_BYTES", 7)
    content = b'a,b\n1,"x\ny\nz"\n2,w\n3,"v"\n4,5\n'
    assert seen(read(tmp_path, content), "a", "b") == [
        ("1", "x\ny\nz", 2),
        ("2", "w", 5),
        ("3", "v", 6),
        ("4", "5", 7),
    ]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n3,4", b"a,b\r1,2\r3,4\r", b"a,b\r\n1,2\r\n3,4\r\n"])
def test_lines_end_as_old_and_new_programs_end_them(tmp_path: Path, content: bytes) -> None:
    assert seen(read(tmp_path, content), "a", "b") == [("1", "2", 2), ("3", "4", 3)]


def test_other_characters_that_separate_lines_elsewhere_end_none(tmp_path: Path) -> None:
    content = 'Sales\u2028of\x0bMay\n"no\x0c",qty\n1\u2028,2\n'.encode()
    assert seen(read(tmp_path, content), "no", "qty") == [("1\u2028", "2", 3)]


def test_a_delimiter_at_the_end_of_every_line_is_a_column_more(tmp_path: Path) -> None:
    assert seen(read(tmp_path, b"a,b,\n1,2,\n3,4,x\n"), "a", "column_3") == [("1", None, 2), ("3", "x", 3)]


def test_a_line_without_an_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv, "LONGEST_LINE_MB", 0.01)
    monkeypatch.setattr(csv, "BLOCK_BYTES", 1000)
    with pytest.raises(SourceError, match=r"a line without an end in 0\.01 MB; is it"):
        read(tmp_path, b"a,b\n" + b"1" * 20_000 + b"\n")


def test_zero_bytes_are_a_problem_of_their_line(tmp_path: Path) -> None:
    bad, good = read(tmp_path, b"a,b\n1,x\0y\n2,z\n")
    assert bad["_problem"] == "a zero byte in the line: 1,x\\0y"
    assert (good["a"], good["_problem"]) == ("2", None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = f'name{delimiter}note\nAnn{delimiter}"x, y; z"\nBob{delimiter}w\n'
    assert seen(read(tmp_path, text.encode()), "name") == [("Ann", 2), ("Bob", 3)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
@pytest.mark.parametrize("given", [True, False])
def test_encodings_are_found_or_given(tmp_path: Path, encoding: str, given: bool) -> None:
    options = {"encoding": encoding} if given else {}
    found = read(tmp_path, "name,city\nZoë,Köln\n".encode(encoding), **options)
    assert [(row["name"], row["city"]) for row in found] == [("Zoë", "Köln")]


def test_a_guessed_encoding_is_told_and_a_wrong_one_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("name\nZoë\n".encode("cp1252"))
    (delivery,) = csv.deliveries({"path": str(tmp_path / "a.csv")})
    assert delivery.notes == [f"{tmp_path}/a.csv: not UTF-8, read as cp1252"]
    with pytest.raises(SourceError, match=r"not utf-8 text \(byte 7\); set options"):
        read(tmp_path, "name\nZoë\n".encode("cp1252"), encoding="utf-8")


def test_a_guess_fits_all_bytes_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "BLOCK_BYTES", 8)
    # The second byte of the first letter means nothing in cp1252, and stands blocks before the first wrong one.
    content = "name\nÁ\n".encode() + b"x" * 30 + b"\n\xe9\n"
    assert seen(read(tmp_path, content), "name") == [("Ã\x81", 2), ("x" * 30, 3), ("é", 4)]


@pytest.mark.parametrize(("encoding", "cut"), [("utf-8", 1), ("utf-16", 1)])
def test_a_file_that_ends_within_a_character_is_read_and_told(
    tmp_path: Path, encoding: str, cut: int
) -> None:
    (tmp_path / "a.csv").write_bytes("a,b\n1,ü\n2,é".encode(encoding)[:-cut])
    (delivery,) = csv.deliveries({"path": str(tmp_path / "a.csv")})
    assert seen(rows(delivery), "a", "b") == [("1", "ü", 2), ("2", "\ufffd", 3)]
    assert delivery.notes == [f"{tmp_path}/a.csv: ends in the middle of a character: is it whole?"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    for content in (b'\xef\xbb\xbf"a",b\n1,2', b"\xef\xbb\xbfa,b\n1,2\n"):
        for options in ({}, {"encoding": "utf-8"}, {"encoding": "utf-8-sig"}):
            assert seen(read(tmp_path, content, **options), "a") == [("1", 2)]


def test_a_file_of_a_header_has_its_columns_and_no_rows(tmp_path: Path) -> None:
    for content in (b"a,b", b"a,b\n", b"\xef\xbb\xbfa,b\r\n"):
        (tmp_path / "a.csv").write_bytes(content)
        (delivery,) = csv.deliveries({"path": str(tmp_path / "a.csv")})
        (table,) = delivery.batches()
        assert (len(table), table.column_names[:2]) == (0, ["a", "b"])


def test_a_header_below_title_lines_is_found_or_given(tmp_path: Path) -> None:
    content = b"Sales of the week\n\nno;qty\n1;2\n"
    assert seen(read(tmp_path, content), "no") == [("1", 4)]
    content = b"Printed;2024-01-01\nno;qty\n1;2\n"
    assert seen(read(tmp_path, content, header=2), "no") == [("1", 3)]
    content = b"terms;of use\n" * 80 + b"no;qty\n1;2\n"
    assert seen(read(tmp_path, content, header=81), "no") == [("1", 82)]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"a,a\n1,2\n", "column `a` twice"), (b"a,,c\n1,2,3\n", "no column 2")],
)
def test_headers_that_cannot_serve(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(tmp_path, content)


def test_packed_files_are_read_and_known_by_their_content(tmp_path: Path) -> None:
    content = b"a,b\n1,2\n"
    (tmp_path / "plain.csv").write_bytes(content)
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.writestr("x/one.csv", content)
        archive.writestr("two.csv", b"a,b\n3,4\n")
    found = {d.name.rpartition("/")[2]: d for d in csv.deliveries({"path": str(tmp_path / "*")})}
    assert [row["a"] for row in rows(found["packed.csv.gz"])] == ["1"]
    assert [row["a"] for row in rows(found["both.zip#two.csv"])] == ["3"]
    assert len({found[name].fingerprint for name in ("plain.csv", "packed.csv.gz", "one.csv")}) == 1


def test_what_expands_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"a,b\n" + b"0,0\n" * 2_000_000)
    with pytest.raises(SourceError, match="larger than 1 MB; see max_expanded_mb"):
        read(tmp_path, bomb, "a.csv.gz", max_expanded_mb=1)
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path, bomb[:1000], "a.csv.gz")
    with pytest.raises(SourceError, match="not a zip archive"):
        read(tmp_path, b"no", "a.zip")
    damaged = bytearray(bomb)
    damaged[10] = 0xFF  # no such kind of block
    with pytest.raises(SourceError, match=r"a.csv.gz: cannot be read: .*decompressing"):
        read(tmp_path, bytes(damaged), "a.csv.gz")


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one.csv", b"a,b\n1,2\n")
    content = bytearray(file.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1  # says that the member is encrypted
    with pytest.raises(SourceError, match=r"a.zip#one.csv: cannot be read: .*password required"):
        read(tmp_path, bytes(content), "a.zip")


# -------------------------------------------------------------------------------------------------- numbers

GERMAN = "code;day;amount;note\n1.2.3;01.02.2024;1.234,56 €;NA\n030.123.456;2.3.24;(7,5);1.234\n"


def test_numbers_are_text_unless_the_options_say_how_they_are_written(tmp_path: Path) -> None:
    first, second = read(tmp_path, GERMAN.encode())
    assert (first["amount"], first["note"], second["amount"], second["note"]) == (
        "1.234,56 €",
        "NA",
        "(7,5)",
        "1.234",
    )


@pytest.mark.parametrize(
    "ugly", ["", '3;"two\nlines";5,0\n']
)  # the second goes through the reader of records
def test_numbers_become_plain_and_nothing_else_changes(tmp_path: Path, ugly: str) -> None:
    first, second, *others = read(tmp_path, (GERMAN + ugly).encode(), decimal=",")
    assert list(first.values())[:4] == ["1.2.3", "01.02.2024", "1234.56", "NA"]
    assert list(second.values())[:4] == ["030.123.456", "2.3.24", "-7.5", "1234"]
    assert [row["_problem"] for row in others] == [
        '3 fields where the header has 4: 3;"two\nlines";5,0'
    ] * bool(ugly)


@pytest.mark.parametrize(
    ("options", "written", "plain"),
    [
        ({"decimal": ","}, "1.234.567,80", "1234567.80"),
        ({"decimal": ","}, "€ 12", "12"),
        ({"decimal": ","}, "-€12,5", "-12.5"),
        ({"decimal": ","}, "€ -12,5", "-12.5"),
        ({"decimal": ","}, "12,5- ", "-12.5"),
        ({"decimal": ","}, "\u221212,5 €", "-12.5"),
        ({"decimal": ","}, "+,5", ".5"),
        ({"decimal": ","}, "00123", "00123"),
        ({"decimal": ","}, "12.5", "12.5"),
        ({"thousands": "."}, "1.234,5", "1234.5"),
        ({"decimal": "."}, "£3.50", "3.50"),
        ({"decimal": "."}, "(£1,234.50)", "-1234.50"),
        ({"decimal": "."}, "£(12)", "-12"),
        ({"decimal": ",", "thousands": " "}, "1\u00a0234\u202f567,5", "1234567.5"),
        ({"decimal": ",", "thousands": " "}, "030 123 456", "030 123 456"),
        ({"thousands": "'"}, "1\u2019234.50", "1234.50"),
        *(
            ({"decimal": ","}, text, text)
            for text in ("--5", "(5-)", "(5", "1.23.456", "5 x", "12,5%", "€", "-", "1,2,3", "EUR 5")
        ),
    ],
)
def test_ways_to_write_numbers(tmp_path: Path, options: dict[str, str], written: str, plain: str) -> None:
    (row,) = read(tmp_path, f"a;b\n{written};x\n".encode(), **options)
    assert row["a"] == plain


@given(
    st.decimals(-(10**9), 10**9, places=2), st.sampled_from([(",", "."), (".", ","), (",", " "), (".", "'")])
)
def test_any_number_is_read_back(number: Decimal, signs: tuple[str, str]) -> None:
    style = Style(*signs)
    text = f"{number:,.2f}".translate(str.maketrans(",.", signs[1] + signs[0]))
    (plain,) = style.plain(pa.chunked_array([[text]])).to_pylist()
    assert (Decimal(plain), len(plain)) == (number, len(f"{number:.2f}"))


# ---------------------------------------------------------------------------------------------------- files


def test_a_file_that_changes_after_it_was_found_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    for change in (
        lambda: file.write_bytes(b"a,b\n1,2\n3,4\n"),
        lambda: os.utime(file, ns=(0, 0)),
        lambda: file.with_name("b").rename(file),
    ):
        file.write_bytes(b"a,b\n1,2\n")
        file.with_name("b").write_bytes(b"a,b\n3,4\n")
        os.utime(file.with_name("b"), ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
        (delivery,) = csv.deliveries({"path": str(file)})
        change()
        with pytest.raises(SourceError, match=r"a\.csv: changed while it was read; it is read again"):
            rows(delivery)


def test_no_file_names_the_pattern(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    (tmp_path / "~$b.csv").write_text("what a program keeps beside an open file")
    with pytest.raises(SourceError, match=r"no file matches .*/\*\.csv"):
        list(csv.deliveries({"path": str(tmp_path / "*.csv")}))


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n")
    (delivery,) = csv.deliveries({"path": f"file://{tmp_path}/*.csv"})
    assert (delivery.name, len(rows(delivery))) == (f"{tmp_path}/a.csv", 1)


# ------------------------------------------------------------------------------------------------ properties

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
RELAXED = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@RELAXED
@given(table=st.lists(st.tuples(CELL, CELL), max_size=12), block=st.sampled_from([5, 64, 4 * 2**20]))
def test_any_table_is_read_back_cell_for_cell(
    tmp_path: Path, table: list[tuple[str, str]], block: int
) -> None:
    text = io.StringIO()
    writer = stdlib_csv.writer(text, quoting=stdlib_csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("left", "right"), *table])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "BLOCK_BYTES", block)
        found = read(tmp_path, text.getvalue().encode(), delimiter=",", encoding="utf-8")
    assert [(row["left"] or "", row["right"] or "", row["_problem"]) for row in found] == [
        (left, right, None) for left, right in table
    ]


@RELAXED
@given(content=st.binary(max_size=200) | st.text('a1,";\n\r\0é', max_size=60).map(str.encode))
def test_any_bytes_are_rows_or_an_error_and_no_line_is_lost(tmp_path: Path, content: bytes) -> None:
    try:
        found = read(tmp_path, b"a,b\n" + content, delimiter=",", encoding="latin-1", header=1)
    except SourceError:
        return
    text = content.decode("latin-1")
    kept = "".join(f"{row['a']}{row['b']}{row['_problem']}" for row in found)
    for character in set(text) - set('",\n\r\0'):
        assert character in kept, f"{character!r} of {text!r} is lost"
    lines = [row["_line"] for row in found]
    assert len(lines) == len(set(lines))


@RELAXED
@given(content=st.text('a1,";\n\ré', max_size=60).map(str.encode))
@example(content=b'1","')
@example(content=b"\r1\n")
def test_the_fast_reader_and_the_one_of_records_read_the_same(tmp_path: Path, content: bytes) -> None:
    found = []
    for fast in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not fast:
                patch.setattr(csv._Reader, "_by_arrow", lambda self, block: (None, []))
            rows = read(tmp_path, b"a,b\n" + content, delimiter=",", encoding="utf-8", header=1)
            found.append(sorted(rows, key=lambda row: row["_line"]))
    assert found[0] == found[1]


# ----------------------------------------------------------------------------------------------- real files


def shared(folder: str) -> tuple[Path, dict[str, Any]]:
    path: Path = SHARED_DATA / folder
    if not path.exists():
        pytest.skip("the shared data is not here")
    return path, json.loads((path / "truth.json").read_text())


def test_the_online_shops_days() -> None:
    folder, facts = shared("online_retail_dec2010")
    truth = facts["variants"]["all_rows"]
    files = {d.name.rpartition("/")[2]: d for d in csv.deliveries({"path": str(folder / "*.csv")})}
    assert {name: file.fingerprint for name, file in files.items()} == {
        file["file"]: file["sha256"] for file in facts["source_files"]
    }
    lines = [row for file in files.values() for row in rows(file)]
    assert [line for line in lines if line["_problem"]] == []
    assert len(lines) == truth["total_rows"]
    assert len({line["InvoiceNo"] for line in lines}) == truth["distinct_sale_ids"]
    assert len({line["StockCode"] for line in lines}) == truth["distinct_products"]
    assert sum(line["CustomerID"] is None for line in lines) == truth["rows_without_customer"]
    assert sum(Decimal(line["Quantity"]) for line in lines) == Decimal(truth["total_quantity"])
    revenue = sum(Decimal(line["Quantity"]) * Decimal(line["UnitPrice"]) for line in lines)
    assert revenue == Decimal(truth["total_revenue_exact"])


def test_the_banks_calls() -> None:
    folder, truth = shared("bank_calls")
    (delivery,) = csv.deliveries({"path": str(folder / "*.csv")})
    calls = rows(delivery)
    assert (len(calls), calls[0]["emp.var.rate"], calls[-1]["_line"]) == (truth["total_rows"], "-1.8", 4120)
    assert sum(int(call["duration"]) for call in calls) == truth["duration_sum"]
    assert Counter(call["contact"] for call in calls) == {
        channel: of["calls"] for channel, of in truth["by_channel"].items()
    }
    assert Counter(call["month"] for call in calls) == truth["by_month"]
