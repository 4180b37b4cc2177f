"""What a large file's last delivery left known makes the next one faster and never other: two sources read the
same files, one of them without that memory, and land the same."""

import random
import shutil
from pathlib import Path

import pytest

from conftest import select
from ingest import DataIngestion, landing, unchanged
from ingest.connectors import csv
from ingest.unchanged import Again, Memory

SOURCE = """\
  {name}:
    kind: csv
    path: {folder}/*.csv
    feeds:
      sales:
        columns: {{sale_code: "{code}", sold_at: day, quantity: qty, total_amount: amount}}
        rules: {{small: "quantity < 90"}}
"""
LANDED = "sale_code, sold_at, quantity, total_amount, source_file, source_line, is_deleted"


class Twins:
    """Two sources over one folder, of which the second one forgets; ``met`` and ``clashes`` count what the
    first one knew again, and how often it had to read all the same."""

    def __init__(self, home: Path, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.folder, self.names = home, folder, (f"{name}_knows", f"{name}_forgets")
        self.met = self.clashes = 0
        self.sources = folder / "sources.yml"
        self.describe("no")
        # Blocks of a few lines, remembered also where a file is small.
        for module, constant, value in (
            (csv, "BLOCK_BYTES", 600), (csv, "LEAST_BYTES", 60), (csv, "LINES_EACH_LOG2", 1),
            (unchanged, "BULK_ROWS", 1),
        ):  # fmt: skip
            monkeypatch.setattr(module, constant, value)
        clashes = Memory.clashes

        def counted(memory: Memory, connection: object, again: Again) -> bool:
            self.met += len(again.met)
            clash = clashes(memory, connection, again)  # type: ignore[arg-type]
            self.clashes += clash
            return clash

        monkeypatch.setattr(Memory, "clashes", counted)

    def describe(self, code: str) -> None:
        entries = [SOURCE.format(name=name, folder=self.folder, code=code) for name in self.names]
        self.sources.write_text("sources:\n" + "".join(entries))

    def write(self, lines: list[str], name: str = "a.csv") -> None:
        (self.folder / name).write_text("\n".join(["no,day,qty,amount", *lines, ""]))

    def ingest(self) -> None:
        forgotten = self.home / "unchanged" / f"{self.names[1]}.sales.json"
        forgotten.unlink(missing_ok=True)
        for outcome in DataIngestion(self.sources).run():
            assert outcome.error is None

    def assert_same(self) -> None:
        for sql, role in (
            (f"select {LANDED} from staging.sales where source_name = '{{}}' order by load_id, source_line", "loader"),
            (
                "select source_file, rows_read, rows_accepted, rows_rejected, rows_new, amount_accepted,"
                " amount_new from ops.loads where source_name = '{}' order by load_id",
                "reader",
            ),
            (
                "select source_file, source_line, rule, raw_hash, state from ops.rejected_rows"
                " where source_name = '{}' order by rejection_id",
                "reader",
            ),
        ):  # fmt: skip
            knows, forgets = (select(self.home, sql.format(name), role) for name in self.names)
            assert knows == forgets


@pytest.fixture
def twins(
    warehouse_home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Twins:
    name = request.node.name.lower().replace("[", "_").strip("]")
    return Twins(warehouse_home, tmp_path, name[-40:].strip("_"), monkeypatch)


def line(number: int, quantity: int = 1) -> str:
    return f"S{number},2024-01-{number % 28 + 1:02},{quantity},{number % 97}.5"


def test_of_a_grown_file_only_the_new_part_is_mapped(twins: Twins) -> None:
    lines = [line(number, 95 if number % 50 == 0 else 1) for number in range(400)]
    twins.write(lines)
    twins.ingest()
    twins.write([*lines[:100], line(1000), *lines[100:], line(1001), line(1002, 99)])
    twins.ingest()
    twins.assert_same()
    assert (twins.met > 20, twins.clashes) == (True, 0)
    rows = "select rows_read, rows_new from ops.loads where source_name = '{}' order by load_id"
    assert select(twins.home, rows.format(twins.names[0])) == [(400, 392), (403, 2)]


@pytest.mark.parametrize("seed", [0, 2, 3, 5])
def test_whatever_happens_to_a_file_the_same_lands(twins: Twins, seed: int) -> None:
    chance = random.Random(seed)
    twins.describe(chance.choice(["no", "no || '-' || _line", "upper(no)"]))
    numbers = iter(range(1000, 9999))
    lines = [line(number, chance.choice([1] * 30 + [95])) for number in range(200)]
    for _ in range(4):
        twins.write(lines)
        twins.ingest()
        twins.assert_same()
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(lines))
            match chance.randrange(8):
                case 0 | 1:
                    lines[place:place] = [line(next(numbers)) for _ in range(chance.randrange(1, 20))]
                case 2:
                    del lines[place : place + chance.randrange(1, 20)]
                case 3:
                    lines[place] = line(place, chance.choice([7, 99]))
                case 4:  # a key for a second time, perhaps with another value
                    lines.insert(chance.randrange(len(lines)), chance.choice([lines[place], line(place, 8)]))
                case 5:
                    lines.insert(
                        place, chance.choice(['"S1,2024-01-01,1,1', "S1,2024-01-01", "", "S2,soon,1,1"])
                    )
                case 6:
                    twins.write([line(place, 5), line(next(numbers))], chance.choice(["0.csv", "b.csv"]))
                case 7:
                    lines = lines[place:] + lines[:place]
    assert twins.met


def test_what_no_longer_holds_is_not_trusted(twins: Twins) -> None:
    lines = [line(number, 95 if number % 50 == 0 else 1) for number in range(200)]
    file = twins.home / "unchanged" / f"{twins.names[0]}.sales.json"
    twins.write(lines)
    twins.ingest()

    def met(*more: str) -> bool:
        before = twins.met
        lines.extend(more)
        twins.write(lines)
        twins.ingest()
        twins.assert_same()
        return twins.met > before

    assert met(line(300))
    twins.sources.write_text(twins.sources.read_text().replace("< 90", "< 80"))
    assert not met(line(301))  # another rule
    assert met(line(302))
    twins.write([line(5, 3)], "other.csv")
    twins.ingest()
    assert not met(line(303))  # another file landed rows since
    assert met(line(304))
    text = file.read_text()
    file.write_text(text[: len(text) // 2])
    assert not met(line(305))
    next(file.parent.glob(f"{twins.names[0]}.sales.*.parquet")).unlink()
    assert not met(line(306))
    assert met(line(307))
    for outcome in DataIngestion(twins.sources).run(full_refresh=True):
        assert outcome.error is None
    shutil.rmtree(file.parent)
    assert not met(line(308))


def test_killed_before_it_is_written_the_next_run_reads_all(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line(number) for number in range(200)]
    twins.write(lines)
    twins.ingest()

    def killed(files: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(landing, "publish", killed)
        twins.write([*lines, line(300)])
        for _ in range(2):  # the first source, then the second one
            with pytest.raises(KeyboardInterrupt):
                twins.ingest()
    twins.ingest()
    twins.assert_same()
    before = twins.met
    twins.write([*lines, line(300), line(301)])
    twins.ingest()
    twins.assert_same()
    assert twins.met == before
