"""Parts of the dashboard's script by themselves, in the browser: sums over rows, addresses, CSV, words for times."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from reports.dashboard.page import script

MEASURES = {
    "sales": {"rows": "sales", "sum": "amount"},
    "profit": {"rows": "sales", "sum": "profit"},
    "transactions": {"rows": "visits", "distinct": "transaction", "folded": "transactions"},
    "customers": {"rows": "visits", "distinct": "customer"},
    "average": {"above": "sales", "below": "transactions"},
}
# Wednesday 1 January 2025 and on. The second transaction has two customers and three products, of two categories; no
# cost of the lamp is known.
DATA = {
    "first": "2025-01-01", "last": "2025-02-10", "folded": False, "customers": 2,
    "names": {"store": ["A", "B"], "product": ["lamp", "rake", "spade"], "category": ["Garden", "Light"]},
    "product_category": [1, 0, 0],
    "rows": {
        "sales": {
            "day": [0, 4, 4, 4, 40], "store": [0, 1, 1, 1, 0], "product": [1, 0, 1, 2, 0],
            "amount": [1000, 500, 2000, 3000, 700], "units": [1, 1, 1, 1, 1],
            "profit": [400, None, 1000, 2000, None],
        },
        "visits": {
            "day": [0, 4, 4, 40], "store": [0, 1, 1, 0], "starts": [1, 1, 0, 1], "is_new": [1, 1, 0, 0],
            "customer": [0, 1, 0, -1], "items": [1, 0, 1, 2, 0], "length": [1, 2, 1, 1],
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def run(browser: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    names = "Cube, csv, readAddress, writeAddress, period, before, grainOf, ago, write, short, useStyle, shownRows"
    page: Path = tmp_path_factory.mktemp("script") / "page.html"
    modules = script(("format", "cube", "state", "charts", "tables", "exports"))
    page.write_text(f"<body><script type=module>{modules}\nObject.assign(window, {{{names}}});</script>")
    browser.get(f"file://{page}")

    def execute(code: str, *arguments: Any) -> Any:
        return browser.execute_script(code, *arguments)

    return execute


@pytest.mark.parametrize(
    ("measure", "chosen", "more", "expected"),
    [
        ("sales", {}, {}, [72.0]),
        ("sales", {"store": ["B"]}, {}, [55.0]),
        ("sales", {"store": ["B"]}, {"by": "store"}, [17.0, 55.0]),  # a chart leaves its own filter out
        ("sales", {"store": ["B"]}, {"by": "store", "own": True}, [0.0, 55.0]),
        ("sales", {"store": ["nowhere"]}, {}, [0.0]),
        ("sales", {}, {"by": "weekday"}, [7.0, 0.0, 10.0, 0.0, 0.0, 0.0, 55.0]),
        ("sales", {}, {"from": 1, "to": 5}, [55.0]),
        ("profit", {}, {}, [34.0]),
        ("profit", {}, {"by": "product"}, [None, 14.0, 20.0]),  # of rows without a cost no profit is known
        ("transactions", {}, {}, [3.0]),
        ("transactions", {}, {"by": "category"}, [2.0, 2.0]),  # one of the three has both
        ("transactions", {"category": ["Garden"]}, {}, [2.0]),
        ("transactions", {"category": ["Light"]}, {"by": "category"}, [2.0, 2.0]),
        ("transactions", {"category": ["Light"]}, {"by": "product"}, [2.0, 0.0, 0.0]),
        ("transactions", {"category": ["Light"], "product": ["spade"]}, {}, [0.0]),
        ("customers", {}, {}, [2.0]),  # the unknown one is not counted
        ("customers", {"product": ["spade"]}, {}, [1.0]),
        ("customers", {}, {"by": "store"}, [1.0, 2.0]),
        ("average", {"category": ["Garden"]}, {}, [30.0]),
        ("average", {"product": ["spade"], "store": ["A"]}, {}, [None]),
    ],
)
def test_rows_are_added_up_and_counted(
    run: Callable[..., Any], measure: str, chosen: dict[str, Any], more: dict[str, Any], expected: list[Any]
) -> None:
    code = """
        const [data, measures, measure, chosen, more] = arguments;
        const cube = new Cube(data, measures);
        cube.filter(chosen);
        return [...cube.values(measure, {from: 0, to: cube.days, ...more})].map((v) => (Number.isNaN(v) ? null : v));
    """
    assert run(code, DATA, MEASURES, measure, chosen, more) == expected


def test_steps_end_on_sunday_and_with_the_month(run: Callable[..., Any]) -> None:
    code = """
        const cube = new Cube(arguments[0], arguments[1]);
        return ["week", "month"].map((grain) => cube.buckets(1, 41, grain).steps.map(({from, to}) => [from, to]));
    """
    weeks, months = run(code, DATA, MEASURES)
    assert weeks == [[1, 5], [5, 12], [12, 19], [19, 26], [26, 33], [33, 40], [40, 41]]
    assert months == [[1, 31], [31, 41]]


@pytest.mark.parametrize(
    ("hash_", "expected"),
    [
        ("", "#"),
        ("#days=7&store=A%26B&store=%23", "#days=7&store=A%26B&store=%23"),
        ("#from=2025-02-01&to=2025-01-05", "#from=2025-01-05&to=2025-02-01"),
        ("#from=2025-02-31x&to=yes&days=-3", "#"),
        ("#days=28&measure=sales&colour=red&__proto__=x", "#"),
        ("#page=products&grain=week&compare=year", "#page=products&grain=week&compare=year"),
    ],
)
def test_an_address_is_read_and_written(run: Callable[..., Any], hash_: str, expected: str) -> None:
    code = """
        const defaults = {page: "overview", days: 28, from: null, to: null, measure: "sales", grain: "auto",
          compare: "previous", by: "store", filters: {store: [], category: []}};
        return writeAddress(readAddress(arguments[0], defaults), defaults);
    """
    assert run(code, hash_) == expected


def test_a_period_stays_within_the_data(run: Callable[..., Any]) -> None:
    code = """
        const cube = new Cube(arguments[0], arguments[1]);
        return arguments[2].map((state) => { const {from, to} = period(state, cube); return [from, to]; });
    """
    asked = [
        {"days": 7}, {"days": 0}, {"days": 99999},
        {"days": None, "from": "2025-01-05", "to": "2025-01-05"},
        {"days": None, "from": "1999-01-01", "to": "2030-01-01"},
        {"days": None, "from": "2030-01-01", "to": "2031-01-01"},
    ]  # fmt: skip
    found = run(code, DATA, MEASURES, asked)
    assert found == [[34, 41], [0, 41], [0, 41], [4, 5], [0, 41], [40, 41]]


def test_csv_is_quoted_and_runs_no_formula(run: Callable[..., Any]) -> None:
    rows = [["=1+1", 1.5, None], ['a "b", c\nd', -2, 0], ["+41", 0.1, 3], ["\u202eodd €", 1e15, 2]]
    columns = [{"title": "Name"}, {"title": "Value, £"}, {"title": "Count"}]
    text = run("return csv({columns: arguments[0], rows: arguments[1]})", columns, rows)
    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))) == [
        ["Name", "Value, £", "Count"],
        ["'=1+1", "1.5", ""],
        ['a "b", c\nd', "-2", "0"],
        ["'+41", "0.1", "3"],
        ["\u202eodd €", "1000000000000000", "2"],
    ]


def test_values_are_written_as_reports_write_them(run: Callable[..., Any]) -> None:
    code = """
        useStyle(arguments[0]);
        return arguments[1].map(([value, kind]) => write(value, kind)).concat([ago(3400), ago(125000), ago(7.3e6)]);
    """
    values = [[1234.5, "money"], [-3, "money"], [-0.001, "money"], [None, "money"], [0.1234, "share"],
              [0.0421, "change"], [-0.01, "change"], [0.0001, "change"], [245.4, "duration"], [1234567, "count"]]  # fmt: skip
    british = run(code, {"currency": "£", "locale": "en-GB", "is_before": True}, values)
    assert british[:10] == [
        "£1,234.50",
        "−£3.00",
        "£0.00",
        "–",
        "12.3%",
        "+4.2%",
        "−1.0%",
        "±0.0%",
        "4:05",
        "1,234,567",
    ]
    assert british[10:] == ["3 s", "2 min", "2 h"]
    german = run(code, {"currency": "€", "locale": "de-DE", "is_before": False}, values)
    assert german[:2] == ["1.234,50\u00a0€", "−3,00\u00a0€"]
