"""`analytics source add` and `source check`: the proposal fits the file, asks what the data leave open, keeps
sources.yml as it was, and what was added lands with the counts that other programs computed."""

import csv
import io
import json
import os
import pty
import re
import select as io_select
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from cli.main import main
from conftest import SHARED_DATA, make_home, remove_home, select
from demo import planted
from demo.retailer import expected, generate
from ingest import DataIngestion
from ingest.config import ConfigError, load_sources
from ingest.onboarding import Entry, add_entry, as_yaml, locate, propose_entry, read, scalar
from ingest.reading import Answers
from ingest.trial import unmapped

SHOP = """\
# My sources. Mine!
sources:

    shop:            # the till
        kind: csv
        path: till/*.csv
        feeds:
            stores: {columns: {store_code: code}}   # odd, but mine
# the end
"""


def propose(folder: Path, text: str, answers: Answers | None = None, name: str = "till.csv") -> Entry:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    with duckdb.connect() as connection:
        return propose_entry(*read(locate(str(file)), connection), answers or Answers())


def columns_of(entry: Entry) -> dict[str, dict[str, str]]:
    return {feed.entity.name: feed.columns for _, feed in entry.feeds()}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


# ------------------------------------------------------------------------------------------- what is proposed

GERMAN = """\
Belegnr;Artikelnr.;Bezeichnung;Datum;Menge;Einzelpreis;Kunde
1001;A-17;Espressotasse;31.01.2024 09:12;2;"1.006,50 €";K1
1001;A-17;Espressotasse;01.02.2024 09:12;1;6,50 €;K1
1002;B-02;Filter;02.02.2024 10:40;1;3,20 €;K2
"""
FRENCH = """\
No commande,Référence produit,Désignation,Date vente,Quantité,Prix unitaire,Client
1,A,Tasse,2024-01-31,2,6.50,K1
1,B,Filtre,2024-02-01,1,3.20,K1
"""
SPANISH = """\
Factura,Código artículo,Descripción,Fecha,Cantidad,Precio unitario,Cliente
1,A,Taza,31/01/2024,2,6.50,K1
1,B,Filtro,01/02/2024,1,3.20,K1
"""


@pytest.mark.unit
@pytest.mark.parametrize("text", [GERMAN, FRENCH, SPANISH])
def test_sales_are_found_in_several_languages(tmp_path: Path, text: str) -> None:
    columns = columns_of(propose(tmp_path, text))
    assert columns["sales"].keys() >= {
        "sale_code", "transaction_code", "product_code", "customer_code", "sold_at", "quantity", "unit_price"
    }  # fmt: skip
    assert columns["products"].keys() == {"product_code", "product_name"}


@pytest.mark.unit
def test_what_is_written_reads_the_values_as_they_are_written(tmp_path: Path) -> None:
    sales = columns_of(propose(tmp_path, GERMAN))["sales"]
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select {sales['unit_price']}, {sales['sold_at']} from read_csv('{tmp_path}/till.csv', all_varchar=true)"
        ).fetchall()
    assert [(Decimal(price.strip()), time.isoformat()) for price, time in found] == [
        (Decimal("1006.50"), "2024-01-31T09:12:00"),
        (Decimal("6.50"), "2024-02-01T09:12:00"),
        (Decimal("3.20"), "2024-02-02T10:40:00"),
    ]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("header", "row", "entity", "expected_columns"),
    [
        (
            "Ticket ID,Client No,Channel,Kind,Opened,Duration (min)", "1,C1,phone,call,2024-01-31 10:00,5", "interactions",
            {"interaction_code": '"Ticket ID"', "duration": 'round("Duration (min)"::decimal(18, 6) * 60)'},
        ),
        ("Kundennr,Vorname,Nachname,E-Mail,Ort", "K1,Ada,Berg,ada@example.com,Köln", "customers",
         {"customer_code": "Kundennr", "first_name": "Vorname", "last_name": "Nachname", "email": '"E-Mail"', "city": "Ort"}),
        ("SKU,Product,Category,Cost,Price,Discontinued", "A,Cup,Cups,1.00,2.00,", "products",
         {"product_code": "SKU", "product_name": "Product", "unit_cost": "Cost", "unit_price": "Price", "active": "Discontinued is null"}),
        ("Code,Shop,City,Opened", "BRS,Bristol,Bristol,2020-01-31", "stores",
         {"store_code": "Code", "store_name": "Shop", "open_date": "Opened"}),
        ("Channel,Name,Type", "web,The web shop,online", "channels", {"channel_code": "Channel", "channel_name": "Name"}),
        ("Article,Date,Stock", "A,2024-01-31,5", "inventory",
         {"product_code": "Article", "stock_date": "Date", "stock_level": "Stock"}),
    ],
)  # fmt: skip
def test_each_entity_is_found_by_its_columns(
    tmp_path: Path, header: str, row: str, entity: str, expected_columns: dict[str, str]
) -> None:
    columns = columns_of(propose(tmp_path, f"{header}\n{row}\n"))
    assert list(columns) == [entity]
    assert columns[entity].items() >= expected_columns.items()


@pytest.mark.unit
def test_the_only_dates_are_taken_whatever_they_are_called_and_it_is_said(tmp_path: Path) -> None:
    entry = propose(tmp_path, "Receipt,SKU,Rung up,Qty,Price\n1,A,2024-01-31,1,2.00\n")
    assert columns_of(entry)["sales"]["sold_at"] == '"Rung up"'
    assert any(doubt.startswith("Rung up: ") for doubt in entry.doubts)
    two = propose(tmp_path, "Receipt,SKU,Rung up,Paid,Qty,Price\n1,A,2024-01-31,2024-02-01,1,2.00\n")
    assert two.proposals[0][2].missing[-1].startswith("sales: `sold_at` is missing")


@pytest.mark.unit
def test_the_time_of_day_may_stand_in_a_column_of_its_own(tmp_path: Path) -> None:
    entry = propose(tmp_path, "Datum,Uhrzeit,SKU,Menge,Preis\n31.01.2024,09:12,A,1,2.00\n")
    assert columns_of(entry)["sales"]["sold_at"] == "strptime(Datum || ' ' || Uhrzeit, '%d.%m.%Y %H:%M')"


@pytest.mark.unit
def test_the_key_of_a_sale(tmp_path: Path) -> None:
    """Its own column; else what is different in each row of enough; else the file's name and the line."""
    head = "sale_no,receipt_no,sku,date,qty,price\n"
    own = "".join(f"{n},{n // 3},A{n % 3},2024-01-31,1,1.00\n" for n in range(1200))
    assert columns_of(propose(tmp_path, head + own))["sales"]["sale_code"] == "sale_no"
    without = "".join(f"x,{n // 3},A{n % 3},2024-01-31,1,1.00\n" for n in range(1200))
    entry = propose(tmp_path, head + without)
    assert columns_of(entry)["sales"]["sale_code"] == "receipt_no || '-' || sku"
    assert any("different in all 1,200 rows" in doubt for doubt in entry.doubts)
    few = propose(tmp_path, head + "x,1,A,2024-01-31,1,1.00\nx,1,B,2024-01-31,1,1.00\n")
    assert columns_of(few)["sales"]["sale_code"] == "regexp_extract(_file, '[^/]+$') || '-' || _line"
    assert any("its key is the file's name and its line" in doubt for doubt in few.doubts)


@pytest.mark.unit
def test_a_rule_is_proposed_only_where_the_data_keep_it(tmp_path: Path) -> None:
    head = "sale_no,sku,date,qty,price\n"
    rows = [f"{n},A,2024-01-31,1,{-1 if n < 10 else 1}\n" for n in range(1000)]
    entry = propose(tmp_path, head + "".join(rows[9:]))
    (feed,) = [feed for _, feed in entry.feeds()]
    assert feed.rules == {"unit_price_not_negative": "unit_price >= 0"}
    assert any("1 would be rejected by it" in doubt for doubt in entry.doubts)
    broken = propose(tmp_path, head + "".join(rows))
    assert [feed.rules for _, feed in broken.feeds()] == [{}]
    assert any("10 of 1,000 rows break unit_price >= 0" in doubt for doubt in broken.doubts)


@pytest.mark.unit
def test_a_total_that_is_not_quantity_times_price_is_told(tmp_path: Path) -> None:
    entry = propose(
        tmp_path, "sale_no,date,qty,price,total\n1,2024-01-31,2,1.00,2.00\n2,2024-01-31,2,1.00,3.00\n"
    )
    assert columns_of(entry)["sales"]["total_amount"] == "total"
    assert any("in 1 row total is not quantity × price" in doubt for doubt in entry.doubts)


@pytest.mark.unit
def test_an_attribute_that_does_not_follow_its_code_makes_no_feed(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n % 5},Note {n},2024-01-31,1,1.00\n" for n in range(50))
    entry = propose(tmp_path, "sale_no,sku,Description,date,qty,price\n" + rows)
    assert list(columns_of(entry)) == ["sales"]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("date", "price", "answers", "option", "expression"),
    [
        ("01/02/2024", "1.50", Answers(date_order="mdy"), "--date-order", "strptime(date, '%m/%d/%Y')"),
        ("01/02/2024", "1.50", Answers(date_order="dmy"), "--date-order", "strptime(date, '%d/%m/%Y')"),
        ("2024-02-01", '"1,234"', Answers(decimal="."), "--decimal", "replace(price, ',', '')"),
        ("2024-02-01", '"1,234"', Answers(decimal=","), "--decimal",
         "round(replace(replace(price, '.', ''), ',', '.')::decimal(18, 6), 2)"),
    ],
)  # fmt: skip
def test_what_the_data_do_not_decide_is_a_question(
    tmp_path: Path, date: str, price: str, answers: Answers, option: str, expression: str
) -> None:
    text = f"sale_no,date,qty,price\n1,{date},1,{price}\n2,{date},1,{price}\n"
    (_, _, open_) = propose(tmp_path, text).proposals[0]
    assert list(open_.questions) == [option]
    answered = propose(tmp_path, text, answers)
    assert not answered.proposals[0][2].questions
    assert expression in columns_of(answered)["sales"].values()


@pytest.mark.unit
def test_a_folder_a_pattern_and_a_file_give_the_path_and_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYTICS_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "My Shop"
    folder.mkdir(parents=True)
    for day in (1, 2):
        (folder / f"2024-01-0{day} [till].csv").write_text("a\n1\n")
    (folder / "notes.doc").write_text("")
    assert locate(str(folder)).written == {"path": "${ANALYTICS_HOME}/My Shop/*.csv"}
    assert locate(f"{folder}/2024*.csv").written == {"path": "${ANALYTICS_HOME}/My Shop/2024*.csv"}
    one = locate(str(folder / "2024-01-01 [till].csv"))
    assert one.written == {"path": "${ANALYTICS_HOME}/My Shop/2024-01-01 [[]till].csv"}
    assert "*.csv would also take those that come later" in one.notes[0]
    names = [origin.name for origin in (one, locate(str(folder)), locate(f"{folder}/*till*.csv"))]
    assert names == ["till", "my_shop", "till"]


@pytest.mark.unit
@pytest.mark.parametrize(
    "text",
    [
        "a b",
        "price >= 0",
        "a: b",
        "'x' || y",
        '"Cost price"',
        "yes",
        "12",
        "a # b",
        "x\\y",
        "\"a\" || 'b'",
        "é",
        "{a}",
        " a",
    ],
)
def test_a_scalar_is_read_as_it_was(text: str) -> None:
    import yaml

    assert yaml.safe_load(f"key: {scalar(text)}") == {"key": text}


# ---------------------------------------------------------------------------------------- into sources.yml


@pytest.mark.unit
def test_an_entry_goes_under_the_others_and_changes_no_character_of_them(tmp_path: Path) -> None:
    entry = propose(tmp_path, FRENCH)
    file = tmp_path / "sources.yml"
    file.write_text(SHOP)
    text = add_entry(file, entry, "boutique")
    assert text.startswith(SHOP)
    file.write_text(text)
    assert list(load_sources(file)) == ["shop", "boutique"]
    assert f"    {as_yaml(entry, 'boutique').splitlines()[0].strip()}\n" in text  # indented as the others


@pytest.mark.unit
@pytest.mark.parametrize(
    "before", ["", "sources:\n", "# mine\nsources: {}\n", "sources:   # none yet\n", "sources: null"]
)
def test_a_file_without_entries_gets_its_first(tmp_path: Path, before: str) -> None:
    entry = propose(tmp_path, FRENCH)
    file = tmp_path / "sources.yml"
    file.write_text(before)
    file.write_text(add_entry(file, entry, "boutique"))
    assert list(load_sources(file)) == ["boutique"]
    assert "# mine" in file.read_text() or "# mine" not in before


@pytest.mark.unit
def test_a_name_that_is_taken_is_refused_with_the_mend(tmp_path: Path) -> None:
    entry = propose(tmp_path, FRENCH)
    file = tmp_path / "sources.yml"
    file.write_text(SHOP)
    with pytest.raises(
        ConfigError, match=r"sources.yml:8: there is a source `shop` already; give another --name"
    ):
        add_entry(file, entry, "shop")
    with pytest.raises(ConfigError, match="lower case letters"):
        add_entry(file, entry, "My shop")
    file.write_text("sources: {a: {kind: csv, path: x, feeds: {stores: {columns: {store_code: a}}}}}\n")
    with pytest.raises(ConfigError, match="stand in braces"):
        add_entry(file, entry, "boutique")


@pytest.mark.unit
def test_unmapped_columns_are_those_that_no_expression_names() -> None:
    class Feed:
        def __init__(self, **columns: str) -> None:
            self.columns = columns

    feeds = [Feed(a="Aa || 'Note'", b='"Cost price"'), Feed(c="lower(kind)")]
    header = ["AA", "Note", "Cost price", "kind", "_file", "lower price"]
    assert unmapped(header, feeds) == ["Note", "lower price"]  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------- the command


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANALYTICS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANALYTICS_SOURCES", str(tmp_path / "sources.yml"))
    return tmp_path


AMBIGUOUS = "sale_no,date,qty,price\n1,01/02/2024,1,1.00\n2,02/02/2024,1,1.00\n"


@pytest.mark.unit
def test_without_a_terminal_an_open_question_is_an_error_that_names_the_option(empty_home: Path) -> None:
    file = empty_home / "till.csv"
    file.write_text(AMBIGUOUS)
    done = run("source", "add", str(file), "--yes")
    assert done.exit_code == 2
    assert "--date-order dmy (day first) or --date-order mdy (month first)" in done.output
    assert not (empty_home / "sources.yml").exists()
    assert run("source", "add", str(file), "--date-order", "mdy", "--yes").exit_code == 0
    assert "strptime(date, '%m/%d/%Y')" in (empty_home / "sources.yml").read_text()


@pytest.mark.unit
def test_nothing_is_written_without_yes_or_with_print(empty_home: Path) -> None:
    file = empty_home / "till.csv"
    file.write_text(AMBIGUOUS)
    done = run("source", "add", str(file), "--date-order", "dmy")
    assert done.exit_code == 2
    assert "--yes writes" in done.output
    done = run("source", "add", str(file), "--date-order", "dmy", "--print")
    assert done.exit_code == 0
    assert done.stdout.startswith("  till:\n")
    assert not (empty_home / "sources.yml").exists()


@pytest.mark.unit
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.csv"], "there is no such file"),
        (["till.csv", "--entity", "slaes"], "did you mean `sales`"),
        (["till.csv", "--map", "quantity"], "write COLUMN=SQL"),
        (["till.csv", "--map", "quantity=nonsense"], "--map quantity: Binder Error"),
        (["till.csv", "--timezone", "Mars"], "no such time zone: Mars"),
        (["report.pdf"], "not a kind of file that is known"),
        (["https://example.com/api"], "an API is described by hand"),
    ],
)
def test_wrong_use_is_one_clear_error(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    (empty_home / "till.csv").write_text(AMBIGUOUS)
    (empty_home / "report.pdf").write_text("")
    monkeypatch.chdir(empty_home)
    done = run("source", "add", *arguments, "--date-order", "dmy", "--yes")
    assert done.exit_code in (1, 2)
    assert message in done.output
    assert not (empty_home / "sources.yml").exists()


def test_a_person_is_asked_on_a_terminal(empty_home: Path) -> None:
    file = empty_home / "till.csv"
    file.write_text(AMBIGUOUS.replace("/2024,", "/2024 10:00,"))
    leader, follower = pty.openpty()
    command = [str(Path(sys.executable).with_name("analytics")), "source", "add", str(file)]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower)
    seen, deadline = "", time.monotonic() + 60
    answers = [("Which is it", "mdy\n"), ("Time zone", "Europe/Berlin\n"), ("Add it to", "y\n")]
    while process.poll() is None and time.monotonic() < deadline:
        if io_select.select([leader], [], [], 0.2)[0]:
            seen += os.read(leader, 4096).decode(errors="replace")
        if answers and answers[0][0] in seen.split("\n")[-1]:
            os.write(leader, answers.pop(0)[1].encode())
            seen += "\n"
    assert process.wait(timeout=10) == 0, seen
    os.close(leader)
    os.close(follower)
    written = (empty_home / "sources.yml").read_text()
    assert "timezone: Europe/Berlin" in written
    assert "strptime(date, '%m/%d/%Y %H:%M')" in written


@pytest.mark.unit
def test_check_shows_what_would_land_and_writes_nothing(empty_home: Path) -> None:
    file = empty_home / "till.csv"
    rows = "".join(f"{n},{n % 28 + 1:02}/01/2024,1,{'x' if n == 7 else '1.00'},?\n" for n in range(40))
    file.write_text("sale_no,date,qty,price,extra\n" + rows)
    assert run("source", "add", str(file), "--yes", "--name", "till").exit_code == 0
    before = sorted(path for path in empty_home.rglob("*"))
    done = run("source", "check", "till")
    assert done.exit_code == 0
    assert "till.sales: 40 rows read, 39 would land, 1 would be rejected" in done.output
    assert re.search(
        r"unit_price_type: 1 row, first \S*till.csv:9\n +unit_price is not a number: x", done.output
    )
    assert "column extra is ignored until it is mapped" in done.output
    assert "the first 20 rows" in done.output
    assert "2024-01-20 00:00:00" in done.output
    (trial,) = json.loads(run("source", "check", "--format", "json").stdout)
    assert trial["rows"] == {"read": 40, "accepted": 39, "rejected": 1}
    assert [len(trial["sample"]), trial["sample"][0]["sale_code"], trial["unmapped"]] == [20, "0", ["extra"]]
    assert [broken["rule"] for broken in trial["broken"]] == ["unit_price_type"]
    lines = list(csv.DictReader(io.StringIO(run("source", "check", "--format", "csv").stdout)))
    assert [len(lines), lines[0]["source"], lines[0]["total_amount"]] == [20, "till", "1.00"]
    assert sorted(path for path in empty_home.rglob("*")) == before
    file.write_text("other\n1\n")
    done = run("source", "check")
    assert done.exit_code == 1
    assert "till.sales: " in done.output


# ------------------------------------------------------------------------- the whole way, against the truth


@pytest.fixture(scope="module")
def filled_home() -> Iterator[Path]:
    """A home whose sources.yml was made by `source add` alone, ingested once."""
    home = make_home()
    generate(home)
    demo = home / "demo"
    calls = [
        ("--map", "occurred_at=strptime('2010 ' || month || ' 1', '%Y %b %d')"),
        ("--map", "interaction_type='call'"),
        ("--map", "status=y"),
    ]
    adds = [
        (str(demo / "shop"), "--timezone", "Europe/London"),
        (str(demo / "backoffice.xlsx"),),
        (str(demo / "crm.sqlite"), "--table", "customers", "--name", "crm"),
    ]
    if SHARED_DATA.is_dir():
        adds += [
            (str(SHARED_DATA / "online_retail_dec2010"), "--timezone", "Europe/London", "--name", "online"),
            (str(SHARED_DATA / "bank_calls"), *(part for option in calls for part in option)),
            (
                str(SHARED_DATA / "chinook" / "Chinook_Sqlite.sqlite"),
                "--table",
                "Customer",
                "--name",
                "chinook_customers",
            ),
            (
                str(SHARED_DATA / "chinook" / "Chinook_Sqlite.sqlite"),
                "--table",
                "Track",
                "--name",
                "chinook_tracks",
            ),
        ]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANALYTICS_HOME", str(home))
        environment.setenv("ANALYTICS_SOURCES", str(home / "sources.yml"))
        for arguments in adds:
            done = run("source", "add", *arguments, "--yes")
            assert done.exit_code == 0, done.output
        assert {outcome.error for outcome in DataIngestion().run()} == {None}
    yield home
    remove_home(home)


def one(home: Path, sql: str) -> tuple[object, ...]:
    (row,) = select(home, sql, "loader")
    return row


def test_the_demo_files_land_as_their_truth_says(filled_home: Path) -> None:
    truth = expected(filled_home)
    sales = "select count(*), sum(total_amount), sum(quantity) from staging.sales where source_name = 'shop'"
    assert one(filled_home, sales) == (truth.rows["sales"], truth.revenue, truth.units)
    shops = "select store_code, sum(total_amount) from staging.sales where source_name = 'shop' group by 1"
    assert dict(select(filled_home, shops, "loader")) == truth.revenue_by_shop  # type: ignore[arg-type]
    for entity, source in (
        ("products", "backoffice"),
        ("stores", "backoffice"),
        ("inventory", "backoffice"),
        ("customers", "crm"),
    ):
        keys = {"inventory": "product_code, stock_date"}.get(entity, f"{entity[:-1]}_code")
        count = f"select count(*) from (select distinct {keys} from staging.{entity} where source_name = '{source}')"
        assert (entity, one(filled_home, count)) == (entity, (truth.rows[entity],))


def test_the_demo_s_bad_rows_are_rejected_by_the_proposed_rules(filled_home: Path) -> None:
    wanted = {
        (bad.source, bad.feed, bad.line, bad.rule)
        for bad in (row.expectation() for row in planted.BAD_ROWS)
        if bad.source in ("shop", "backoffice", "crm")
    }
    sql = (
        "select source_name, feed_name, source_line, rule from ops.rejected_rows"
        " where source_name in ('shop', 'backoffice', 'crm')"
    )
    assert set(select(filled_home, sql)) == wanted


def truth_of(folder: str) -> dict[str, object]:
    file = SHARED_DATA / folder / "truth.json"
    if not file.is_file():
        pytest.skip(f"the real files are not here: {file}")
    truth: dict[str, object] = json.loads(file.read_text())
    return truth


def test_nine_real_days_land_as_their_truth_says(filled_home: Path) -> None:
    truth = truth_of("online_retail_dec2010")["variants"]["all_rows"]  # type: ignore[index]
    found = one(
        filled_home,
        "select count(*), sum(total_amount), sum(quantity), count(distinct transaction_code),"
        " count(distinct product_code), count(distinct customer_code), count(*) filter (where customer_code is null),"
        " min(sold_at)::date::text, max(sold_at)::date::text from staging.sales where source_name = 'online'",
    )
    assert found == (
        truth["total_rows"], Decimal(truth["total_revenue_exact"]), int(truth["total_quantity"]), truth["distinct_sale_ids"],
        truth["distinct_products"], truth["distinct_customers"], truth["rows_without_customer"],
        truth["date_min"], truth["date_max"],
    )  # fmt: skip
    names = "select count(distinct product_code) from staging.products where source_name = 'online'"
    assert one(filled_home, names) == (truth["distinct_products"],)
    rejected = "select count(*) from ops.rejected_rows where source_name in ('online', 'bank_calls')"
    assert one(filled_home, rejected) == (0,)


def test_real_calls_land_once_what_they_lack_is_given(filled_home: Path) -> None:
    truth = truth_of("bank_calls")
    found = select(
        filled_home,
        "select channel_code, count(*), sum(duration), count(*) filter (where status = 'yes') from staging.interactions"
        " where source_name = 'bank_calls' group by 1",
        "loader",
    )
    by_channel = truth["by_channel"]
    assert {
        channel: {"calls": calls, "duration_sum": duration, "success": won}
        for channel, calls, duration, won in found
    } == by_channel
    assert sum(int(str(calls)) for _, calls, *_ in found) == truth["total_rows"]


def test_real_calls_are_refused_where_something_is_missing(empty_home: Path) -> None:
    truth_of("bank_calls")
    done = run("source", "add", str(SHARED_DATA / "bank_calls"), "--yes")
    assert done.exit_code == 1
    assert "interactions: `interaction_type` is missing" in done.output
    assert re.search(
        r"`occurred_at` is missing: month \(may, jul, aug\) is not a full date; day_of_week", done.output
    )
    assert "--map COLUMN=SQL" in done.output
    assert not (empty_home / "sources.yml").exists()


def test_the_tables_of_a_real_database_land_whole(filled_home: Path) -> None:
    rows = truth_of("chinook")["table_rows"]
    for entity, source, table in (
        ("customers", "chinook_customers", "Customer"),
        ("products", "chinook_tracks", "Track"),
    ):
        count = (
            f"select count(*), (select count(*) from ops.rejected_rows where source_name = '{source}')"
            f" from staging.{entity} where source_name = '{source}'"
        )
        too_long = {"chinook_tracks": 3}.get(source, 0)  # names of more than 100 characters
        assert one(filled_home, count) == (rows[table] - too_long, too_long)  # type: ignore[index]


def test_lines_of_invoices_without_their_date_are_not_taken_for_products(empty_home: Path) -> None:
    truth_of("chinook")
    database = str(SHARED_DATA / "chinook" / "Chinook_Sqlite.sqlite")
    done = run("source", "add", database, "--table", "InvoiceLine", "--yes")
    assert done.exit_code == 1
    assert "sales: `sold_at` is missing" in done.output
