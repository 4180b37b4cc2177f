"""CSV files, also ugly ones: nothing is lost, and each line is known by the number an editor shows."""

import csv as stdlib_csv
import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.connectors import Delivery, SourceError, csv

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


def test_a_header_below_title_lines_is_found_or_given(tmp_path: Path) -> None:
    content = b"Sales of the week\n\nno;qty\n1;2\n"
    assert seen(read(tmp_path, content), "no") == [("1", 4)]
    content = b"Printed;2024-01-01\nno;qty\n1;2\n"
    assert seen(read(tmp_path, content, header=2), "no") == [("1", 3)]


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


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a,b\n1,2\n")
    (delivery,) = csv.deliveries({"path": str(file)})
    batches = delivery.batches()
    next(batches)
    file.write_bytes(b"a,b\n1,2\n3,4\n")
    with pytest.raises(SourceError, match="changed while it was read"):
        list(batches)


def test_no_file_names_the_pattern(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file matches .*/\*\.csv"):
        list(csv.deliveries({"path": str(tmp_path / "*.csv")}))


# ------------------------------------------------------------------------------------------------ properties

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
RELAXED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
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
