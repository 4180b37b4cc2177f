"""The demo's sources: the same bytes each time, what is planted is in them, and the desk serves them."""

import csv
import hashlib
import http.client
import json
import os
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from demo import planted, retailer
from demo.desk import desk_server

pytestmark = pytest.mark.unit

DAYS = pd.date_range(planted.FIRST_DAY, planted.LAST_DAY)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    assert retailer.generate(home)
    return home


@pytest.fixture(scope="module")
def sheets(home: Path) -> dict[str, list[tuple[object, ...]]]:
    workbook = load_workbook(home / "demo" / "backoffice.xlsx", read_only=True)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in workbook}


@pytest.fixture(scope="module")
def sales(home: Path, sheets: dict[str, list[tuple[object, ...]]]) -> pd.DataFrame:
    """The good sale lines as the files have them, with the category from the workbook; money in pence."""
    bad = {(row.place, row.line) for row in planted.BAD_ROWS if row.feed == "sales"}
    rows = []
    for file in sorted((home / "demo" / "shop").glob("*.csv")):
        header, *lines = file.read_text(encoding="utf-8").splitlines()
        rows += [
            {"file": file.stem, **dict(zip(header.split(","), fields, strict=True))}
            for number, fields in enumerate(csv.reader(lines), start=2)
            if (file.stem, number) not in bad
        ]
    frame = pd.DataFrame(rows)
    frame["at"] = pd.to_datetime(frame["sold_at"], format="%d/%m/%Y %H:%M")
    frame["day"] = frame["at"].dt.normalize()
    frame["qty"] = frame["qty"].astype(int)
    for column in ("price", "discount"):
        frame[column] = frame[column].map(lambda text: int(Decimal(text) * 100))
    frame["amount"] = frame["qty"] * frame["price"] - frame["discount"]
    frame["category"] = frame["sku"].map({row[0]: row[2] for row in sheets["products"]})
    return frame


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DESK_URL", raising=False)
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    with desk_server(home):
        address = urlsplit(os.environ["DESK_URL"])
        with closing(http.client.HTTPConnection(address.hostname, address.port, timeout=5)) as connection:
            yield connection


def get(connection: http.client.HTTPConnection, path: str, token: str | None = None) -> tuple[int, dict]:
    token = os.environ["DESK_TOKEN"] if token is None else token
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


# ------------------------------------------------------------------------------------------ the generator


def test_two_homes_hold_the_same_bytes(home: Path, tmp_path: Path) -> None:
    retailer.generate(tmp_path)
    assert digests(tmp_path / "demo") == digests(home / "demo")


def test_a_second_generation_changes_nothing(tmp_path: Path) -> None:
    assert retailer.generate(tmp_path)
    times = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    assert not retailer.generate(tmp_path)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == times


@pytest.mark.parametrize("left_behind", ["truth.json missing", "older version", "partial folder"])
def test_half_done_or_outdated_data_are_made_anew(home: Path, tmp_path: Path, left_behind: str) -> None:
    folder = tmp_path / ("demo.partial" if left_behind == "partial folder" else "demo")
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "2019-01-01.csv").write_text("not of this version")
    if left_behind == "older version":
        (folder / "truth.json").write_text('{"version": "older"}')
    assert retailer.generate(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo"]
    assert digests(tmp_path / "demo") == digests(home / "demo")


def test_the_retailer_is_as_large_as_promised(home: Path) -> None:
    rows = retailer.expected(home).rows
    assert rows["sales"] >= 60_000
    assert rows["interactions"] == 30_000
    assert (rows["products"], rows["customers"], rows["stores"]) == (300, 5_000, 4)
    assert len(list((home / "demo" / "shop").glob("*.csv"))) == len(DAYS) - 1  # all but the outage


def test_the_truth_is_what_the_files_say(home: Path, sales: pd.DataFrame, sheets) -> None:
    truth = retailer.expected(home)
    pounds = {key: Decimal(int(pence)) / 100 for key, pence in sales.groupby("day")["amount"].sum().items()}
    known = sales[sales["customer_no"] != ""]
    cost = {row[0]: row[4] for row in sheets["products"][1:]}
    first_days = known.groupby("customer_no")["day"].min().value_counts()

    assert len(sales) == truth.rows["sales"]
    assert Decimal(int(sales["amount"].sum())) / 100 == truth.revenue
    assert sales["qty"].sum() == truth.units
    assert Decimal(int(sales["discount"].sum())) / 100 == truth.discounts
    assert float(truth.profit) == pytest.approx(
        sales["amount"].sum() / 100 - (sales["qty"] * sales["sku"].map(cost)).sum(), abs=0.005
    )
    assert sales["receipt_no"].nunique() == truth.transactions
    assert known["customer_no"].nunique() == truth.buying_customers
    assert len(sales) - len(known) == truth.lines_without_customer
    assert (sales["qty"] < 0).sum() == truth.return_lines
    assert {day: pounds.get(pd.Timestamp(day), 0) for day in truth.revenue_by_day} == truth.revenue_by_day
    assert list(truth.revenue_by_day) == [day.date() for day in DAYS]
    assert sum(truth.revenue_by_month.values()) == truth.revenue
    assert (
        truth.revenue_by_month["2025-12"]
        == Decimal(int(sales[sales["day"] >= "2025-12"]["amount"].sum())) / 100
    )
    for name, column in (("revenue_by_shop", "shop"), ("revenue_by_category", "category")):
        sums = sales.groupby(column)["amount"].sum()
        assert {key: Decimal(int(pence)) / 100 for key, pence in sums.items()} == getattr(truth, name)
    receipts = sales.groupby("day")["receipt_no"].nunique()
    for day in DAYS:
        assert truth.transactions_by_day[day.date()] == receipts.get(day, 0)
        assert truth.new_customers_by_day[day.date()] == first_days.get(day, 0)


def test_the_shop_is_one_that_could_be(home: Path, sales: pd.DataFrame) -> None:
    truth = retailer.expected(home)
    assert 0.04 < truth.lines_without_customer / len(sales) < 0.06
    assert 0.15 < (sales["channel"] == "web").mean() < 0.30
    assert sales.groupby("receipt_no").size().mean() > 1.5
    assert sales["sale_no"].is_unique
    assert (sales["file"] == sales["day"].dt.strftime("%Y-%m-%d")).all()
    assert (sales["price"] > 0).all()
    assert Decimal("0.3") < truth.profit / truth.revenue < Decimal("0.6")
    assert (sales.groupby("receipt_no")[["at", "shop", "channel", "customer_no"]].nunique() == 1).all(
        axis=None
    )
    # No receipt is on another day in UTC than in London.
    utc = sales["at"].dt.tz_localize("Europe/London").dt.tz_convert("UTC")
    assert (utc.dt.date == sales["at"].dt.date).all()


def test_what_comes_back_was_sold_before(sales: pd.DataFrame) -> None:
    keys = ["shop", "sku", "customer_no", "price", "qty", "discount"]
    returns = sales[sales["qty"] < 0]
    sold = returns.assign(qty=-returns["qty"], discount=-returns["discount"]).merge(sales, on=keys)
    earlier = sold[sold["day_y"] < sold["day_x"]]
    assert 0.01 < len(returns) / len(sales) < 0.02
    assert set(earlier["sale_no_x"]) == set(returns["sale_no"])


# ---------------------------------------------------------------------------------------- planted effects


def test_weeks_and_years_have_their_seasons(sales: pd.DataFrame) -> None:
    lines = sales.groupby("day").size().reindex(DAYS, fill_value=0)
    lines = lines.drop(pd.Timestamp(planted.OUTAGE_DAY))
    by_weekday = lines.groupby(lines.index.day_of_week).mean()
    weekly = np.array(planted.WEEKDAY_FACTORS)
    assert np.allclose(by_weekday / by_weekday.mean(), weekly / weekly.mean(), rtol=0.06)
    # Seasons of the year in 2024 and in 2025 apart, since the level rises; the week round a month's middle.
    for year in (2024, 2025):
        middles = [
            lines[f"{year}-{month:02d}-08" : f"{year}-{month:02d}-21"].mean() for month in range(1, 13)
        ]
        assert np.corrcoef(middles, planted.MONTH_FACTORS)[0, 1] > 0.9
        assert int(np.argmax(middles)) == 11


def test_one_category_grows_and_the_others_do_not(sales: pd.DataFrame) -> None:
    elsewhere = sales[(sales["shop"] != planted.STEP_SHOP) & (sales["qty"] > 0)]
    lines = elsewhere.groupby(["category", elsewhere["day"].dt.year]).size().unstack()
    growth = lines[2025] / lines[2024]
    grown = (1 + 0.75 * planted.TREND_GROWTH) / (1 + 0.25 * planted.TREND_GROWTH)
    assert growth.pop(planted.TREND_CATEGORY) == pytest.approx(grown, rel=0.06)
    assert growth.between(0.92, 1.08).all()
    # It grows all the time: its share in the lines of each month is nearly a straight line.
    of_trend = elsewhere["category"] == planted.TREND_CATEGORY
    share = of_trend.groupby(elsewhere["day"].dt.to_period("M")).mean()
    assert np.corrcoef(np.arange(24), share)[0, 1] > 0.9


def test_the_outage_is_the_only_day_without_sales(home: Path, sales: pd.DataFrame) -> None:
    outage = pd.Timestamp(planted.OUTAGE_DAY)
    assert list(DAYS.difference(sales["day"])) == [outage]
    assert not (home / "demo" / "shop" / f"{planted.OUTAGE_DAY}.csv").exists()
    assert retailer.expected(home).revenue_by_day[planted.OUTAGE_DAY] == 0


def test_one_shop_steps_up_for_good(sales: pd.DataFrame) -> None:
    day = pd.Timestamp(planted.STEP_DAY)
    here = sales["shop"] == planted.STEP_SHOP

    def ratio(start: pd.Timestamp, end: pd.Timestamp) -> float:
        period = (sales["day"] >= start) & (sales["day"] < end)
        return (here & period).sum() / (~here & period).sum()

    end = DAYS[-1] + timedelta(days=1)
    before = ratio(DAYS[0], day)
    assert ratio(day, end) / before == pytest.approx(planted.STEP_FACTOR, rel=0.06)
    # On that day, and to the end.
    assert ratio(day, day + timedelta(days=45)) / ratio(day - timedelta(days=45), day) > 1.25
    assert ratio(end - timedelta(days=90), end) / before > 1.25


# --------------------------------------------------------------------------------------------- planted rows


def test_thirty_seven_bad_rows_of_many_kinds_in_all_sources() -> None:
    expectations = planted.expectations()
    assert len(expectations) == len(set(expectations)) == 37
    assert len({expectation.rule for expectation in expectations}) >= 9
    assert {expectation.source for expectation in expectations} == {"shop", "backoffice", "crm", "desk"}
    assert {expectation.feed for expectation in expectations} == set(planted.EXAMPLES)


def test_every_bad_row_stands_on_its_line(home: Path, sheets, desk: http.client.HTTPConnection) -> None:
    with closing(sqlite3.connect(home / "demo" / "crm.sqlite")) as connection:
        customers = connection.execute("select * from customers").fetchall()
    for bad in planted.BAD_ROWS:
        values = tuple(bad.row().values())
        file = bad.expectation().file
        match bad.source:
            case "shop":
                lines = (home / "demo" / "shop" / file).read_text(encoding="utf-8").splitlines()
                assert lines[bad.line - 1] == ",".join(value for value in values if value is not None)
            case "backoffice":
                cells = sheets[bad.place][bad.line - 1]
                assert tuple(c.date() if isinstance(c, datetime) else c for c in cells) == values
            case "crm":
                assert customers[bad.line - 1] == values
            case "desk":
                _, page = get(desk, f"/v1/{file}")
                assert page["data"][(bad.line - 1) % planted.DESK_PAGE_SIZE] == bad.row()


def test_the_kinds_are_what_they_claim() -> None:
    changed = {bad.rule: next(iter(bad.changes.values())) for bad in planted.BAD_ROWS}
    assert len(changed["product_name_length"]) == 101
    assert len(changed["first_name_length"]) > 50
    assert len(changed["channel_name_length"]) > 50
    widths = {
        len(",".join(v for v in bad.row().values() if v is not None).split(","))
        for bad in planted.BAD_ROWS
        if bad.rule == "row_shape"
    }
    assert 10 not in widths
    assert min(widths) < 10 < max(widths)


def test_customers_stand_in_the_order_of_their_numbers(home: Path) -> None:
    """So a reader that sorts by key finds the bad rows on the same lines."""
    with closing(sqlite3.connect(home / "demo" / "crm.sqlite")) as connection:
        numbers = [row[0] for row in connection.execute("select customer_no from customers")]
    assert numbers == sorted(set(numbers))


# --------------------------------------------------------------------------------------------------- desk


@pytest.mark.parametrize("token", ["", "wrong"])
def test_the_desk_wants_its_token(desk: http.client.HTTPConnection, token: str) -> None:
    status, answer = get(desk, "/v1/interactions", token=token)
    assert status == 401
    assert "data" not in answer


def test_all_pages_together_are_all_interactions(home: Path, desk: http.client.HTTPConnection) -> None:
    status, first = get(desk, "/v1/interactions")
    assert (status, first["page"], first["pages"], len(first["data"])) == (200, 1, 31, planted.DESK_PAGE_SIZE)
    pages = [get(desk, f"/v1/interactions?page={page}")[1]["data"] for page in range(1, first["pages"] + 1)]
    records = [record for page in pages for record in page]
    bad = {bad.line for bad in planted.BAD_ROWS if bad.feed == "interactions"}
    good = [record for line, record in enumerate(records, start=1) if line not in bad]
    truth = retailer.expected(home)
    assert len(good) == len({record["id"] for record in good}) == truth.rows["interactions"]
    assert sum(record["duration_seconds"] for record in good) == truth.interaction_seconds
    assert {record["channel"] for record in good} == {"phone", "chat", "email", "shop"}
    days = {date.fromisoformat(record["started_at"][:10]) for record in good}
    assert (min(days), max(days)) == (planted.FIRST_DAY, planted.LAST_DAY)
    assert get(desk, "/v1/interactions?page=32")[1]["data"] == []


def test_the_page_size_is_the_askers_choice(desk: http.client.HTTPConnection) -> None:
    _, whole = get(desk, "/v1/channels")
    _, third = get(desk, "/v1/channels?page=3&page_size=2")
    assert third["data"] == whole["data"][4:6]
    assert (third["page"], third["pages"]) == (3, 4)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/orders", 404),
        ("/v2/channels", 404),
        ("/v1/../truth", 404),
        ("/v1/channels?page=0", 400),
        ("/v1/channels?page=two", 400),
        ("/v1/channels?page_size=0", 400),
    ],
)
def test_a_wrong_request_is_told_so(desk: http.client.HTTPConnection, path: str, status: int) -> None:
    found, answer = get(desk, path)
    assert found == status
    assert answer["error"]


def test_the_environment_is_as_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_URL", raising=False)
    monkeypatch.setenv("DESK_TOKEN", "mine")
    with desk_server(home):
        assert os.environ["DESK_URL"].startswith("http://127.0.0.1:")
        assert os.environ["DESK_TOKEN"] != "mine"
    assert "DESK_URL" not in os.environ
    assert os.environ["DESK_TOKEN"] == "mine"


def test_a_desk_of_the_users_own_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_URL", "https://desk.example.com")
    with desk_server(home):
        assert os.environ["DESK_URL"] == "https://desk.example.com"


def test_without_demo_data_no_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_URL", raising=False)
    with desk_server(tmp_path):
        assert "DESK_URL" not in os.environ
