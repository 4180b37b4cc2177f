"""The dashboard in a real browser, opened as a file: its figures equal SQL, whatever is filtered, nothing is fetched."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import reports_warehouse as made_up
from dashboard_browser import CHROMIUM, DESKTOP, DRIVER, FLAGS, PAGES, Board  # noqa: F401
from selenium.webdriver import ActionChains, Keys

from conftest import select

LAST = date.fromisoformat(made_up.LAST_DAY)
Show = Callable[..., Board]

# One row a measure: how it is written, and its SQL over the facts with all that they may be filtered by.
SALES = """
    from marts.fact_sales as sales
    join marts.dim_products as products using (product_id)
    join marts.dim_stores as stores using (store_id)
    join marts.dim_channels as channels using (channel_id)
    join marts.dim_customers as customers using (customer_id)
    join (select customer_id, min(sale_date) as first_date from marts.fact_sales group by 1) as firsts
        using (customer_id)
    where sale_date > date '{last}' - {days} and {condition}
"""
MEASURES = {
    "sales": ("money", "sum(total_amount)"),
    "profit": ("money", "sum(total_amount - quantity * unit_cost)"),
    "margin": ("share", "sum(total_amount - quantity * unit_cost) / sum(total_amount)"),
    "transactions": ("count", "count(distinct transaction_code)"),
    "average": ("money", "sum(total_amount) / count(distinct transaction_code)"),
    "customers": ("count", "count(distinct customer_id)"),
    "new_customers": ("count", "count(distinct customer_id) filter (where sale_date = first_date)"),
}


def written(kind: str, value: object) -> str:
    number = abs(Decimal(str(value or 0)))
    text = {"money": f"£{number:,.2f}", "count": f"{number:,.0f}", "share": f"{100 * number:.1f}%"}[kind]
    return f"−{text}" if value and Decimal(str(value)) < 0 else text


def truth(home: Path, days: int, condition: str = "true") -> dict[str, str]:
    """What the tiles should show for the last days, according to SQL."""
    columns = ", ".join(sql for _, sql in MEASURES.values())
    ((*values,),) = select(
        home, f"select {columns}" + SALES.format(last=LAST, days=days, condition=condition)
    )
    return {
        name: written(kind, value) for (name, (kind, _)), value in zip(MEASURES.items(), values, strict=True)
    }


def tiles(board: Board) -> dict[str, str]:
    shown = board.tiles()
    return {name: shown[name] for name in MEASURES}


def grouped(
    home: Path, by: str, days: int, condition: str = "true", what: str = "sum(total_amount)"
) -> dict[str, float]:
    rows = select(
        home,
        f"select {by}, {what}"
        + SALES.format(last=LAST, days=days, condition=condition)
        + "group by 1 order by 2 desc",
    )
    return {str(name): float(str(amount)) for name, amount in rows}


def near(found: dict[str, float], expected: dict[str, float]) -> bool:
    return list(found) == list(expected) and found == pytest.approx(expected)


def test_it_opens_from_a_file_with_sqls_figures_and_asks_for_nothing(
    dashboard_home: Path, show: Show
) -> None:
    board = show()
    assert tiles(board) == truth(dashboard_home, 28)
    ((contacts,),) = select(
        dashboard_home,
        f"select count(*) from marts.fact_interactions where interaction_date >= date '{LAST}' - 27",
    )
    assert board.tile("interactions") == f"{contacts:,}"
    assert near(board.bars("by_category"), grouped(dashboard_home, "category", 28))
    assert near(board.bars("by_store"), grouped(dashboard_home, "store_name", 28))
    steps = board.content("chart", "trend")
    daily = dict(
        select(
            dashboard_home,
            f"select metric_date::text, total_sales from metrics.metrics_daily where metric_date > date '{LAST}' - 28",
        )
    )
    shown = {
        step["iso"]: value for step, value in zip(steps["steps"], steps["series"][0]["values"], strict=True)
    }
    assert shown == pytest.approx({str(day): float(str(value)) for day, value in daily.items()})
    for page in PAGES:
        board.go(page)
    assert board.problems() == []


def test_the_page_says_the_same_without_its_script(dashboard_home: Path, dashboard_page: Path) -> None:
    html = dashboard_page.read_text(encoding="utf-8")
    for name, value in truth(dashboard_home, 28).items():
        assert f'<span data-tile="{name}">{value}</span>' in html


def test_a_period_changes_tiles_and_charts_and_is_kept_in_the_address(
    dashboard_home: Path, show: Show
) -> None:
    board = show()
    board.button("7 days", "#board-toolbar").click()
    assert tiles(board) == truth(dashboard_home, 7)
    assert board.find('[data-change="sales"]').text.endswith("on 7 days before")
    assert near(board.bars("by_category"), grouped(dashboard_home, "category", 7))
    assert board.driver.current_url.endswith("#days=7")
    again = show(hash_="#days=7")
    assert tiles(again) == truth(dashboard_home, 7)
    again.button("All", "#board-toolbar").click()
    assert tiles(again) == truth(dashboard_home, 10_000)
    assert again.find('[data-change="sales"]').text == "no comparison"
    again.script("history.back()")
    again.wait(lambda: tiles(again) == truth(dashboard_home, 7))
    assert again.problems() == []


def test_a_free_period_is_compared_with_the_days_before_it(dashboard_home: Path, show: Show) -> None:
    board = show(hash_="#from=2025-06-10&to=2025-06-19")
    rows = select(
        dashboard_home,
        "select sum(total_sales) filter (where metric_date between '2025-06-10' and '2025-06-19'),"
        " sum(total_sales) filter (where metric_date between '2025-05-31' and '2025-06-09'),"
        " sum(total_sales) filter (where metric_date between '2024-06-11' and '2024-06-20') from metrics.metrics_daily",
    )
    now, before, year = (Decimal(str(value)) for value in rows[0])
    change = 100 * (now - before) / before
    assert board.tile("sales") == f"£{now:,}"
    assert board.find('[data-change="sales"] .delta').text == f"{change:+.1f}%".replace("-", "−")
    board.script(
        "const s = document.querySelector('select[aria-label], .selects select');"
        "const all = [...document.querySelectorAll('.selects select')];"
        "all[1].value = 'year'; all[1].dispatchEvent(new Event('change'))"
    )
    change = 100 * (now - year) / year
    assert board.find('[data-change="sales"] .delta').text == f"{change:+.1f}%".replace("-", "−")
    assert "compare=year" in board.driver.current_url


@pytest.mark.parametrize(
    ("address", "condition"),
    [
        ("store=Riverside", "store_name = 'Riverside'"),
        ("category=Garden&category=Toys", "category in ('Garden', 'Toys')"),
        ("segment=Trade&channel=Phone", "segment = 'Trade' and channel_name = 'Phone'"),
        ("product=Product+023", "product_name = 'Product 023'"),
        ("category=Kitchen&store=High+Street&segment=Private",
         "category = 'Kitchen' and store_name = 'High Street' and segment = 'Private'"),
    ],
)  # fmt: skip
def test_filters_leave_what_sql_leaves(
    dashboard_home: Path, show: Show, address: str, condition: str
) -> None:
    board = show(hash_=f"#days=91&{address}")
    assert tiles(board) == truth(dashboard_home, 91, condition)
    if "store" not in address:
        assert near(board.bars("by_store"), grouped(dashboard_home, "store_name", 91, condition))
    board.go("customers")
    customers = grouped(dashboard_home, "segment", 91, condition, "count(distinct customer_id)")
    if "segment" not in address:
        assert board.bars("customers_by_segment") == pytest.approx(customers)
    assert sum(board.bars("purchases").values()) == sum(customers.values())


def test_a_click_on_a_bar_filters_the_rest_and_a_second_click_frees_it(
    dashboard_home: Path, show: Show
) -> None:
    board = show()
    whole = board.bars("by_store")
    board.click_bar("by_store", "Riverside")
    chosen = "store_name = 'Riverside'"
    assert tiles(board) == truth(dashboard_home, 28, chosen)
    assert near(board.bars("by_category"), grouped(dashboard_home, "category", 28, chosen))
    assert board.bars("by_store") == whole  # a chart does not filter itself
    assert board.bar("by_store", "Riverside").get_attribute("aria-pressed") == "true"
    assert "store=Riverside" in board.driver.current_url
    board.click_bar("by_category", "<i>Odd</i> & Co")
    assert tiles(board) == truth(dashboard_home, 28, chosen + " and category = '<i>Odd</i> & Co'")
    board.click_bar("by_store", "Riverside")
    assert tiles(board) == truth(dashboard_home, 28, "category = '<i>Odd</i> & Co'")
    board.click_bar("by_category", "<i>Odd</i> & Co")
    assert tiles(board) == truth(dashboard_home, 28)
    assert board.driver.current_url.endswith("dashboard.html#") or "#" not in board.driver.current_url
    assert board.problems() == []


def test_filters_are_chosen_in_menus_and_freed_by_chips(dashboard_home: Path, show: Show) -> None:
    board = show()
    board.find('[data-filter="segment"] summary').click()
    for name in ("Trade", "Private"):
        (box,) = [e for e in board.find_all('[data-filter="segment"] label') if e.text == name]
        box.click()
    assert tiles(board) == truth(dashboard_home, 28, "segment in ('Trade', 'Private')")
    assert [chip.text.replace("\n", " ") for chip in board.find_all(".chip")] == [
        "Segment Trade ×",
        "Segment Private ×",
    ]
    board.find(".chip").click()
    assert tiles(board) == truth(dashboard_home, 28, "segment = 'Private'")
    board.button("Reset", "#board-toolbar").click()
    assert tiles(board) == truth(dashboard_home, 28)


def test_months_are_drilled_into_weeks_and_days_and_back_leads_out(dashboard_home: Path, show: Show) -> None:
    board = show(hash_="#days=0&grain=month")
    chart = board.find('[data-chart="trend"] svg')

    def pick(key: str) -> None:
        board.find('[data-chart="trend"] svg').send_keys(key, Keys.ENTER)

    assert chart.get_attribute("aria-valuetext").startswith("Jun 2025: Sales £")
    pick(Keys.ARROW_LEFT)  # May 2025
    assert "from=2025-05-01&to=2025-05-31" in board.driver.current_url
    ((may,),) = select(
        dashboard_home,
        "select sum(total_sales) from metrics.metrics_daily where metric_date between '2025-05-01' and '2025-05-31'",
    )
    assert board.tile("sales") == f"£{may:,}"
    assert [step["iso"] for step in board.content("chart", "trend")["steps"]] == [
        "2025-05-01", "2025-05-05", "2025-05-12", "2025-05-19", "2025-05-26",
    ]  # fmt: skip
    pick(Keys.HOME)
    assert "from=2025-05-01&to=2025-05-04" in board.driver.current_url
    assert len(board.content("chart", "trend")["steps"]) == 4
    board.script("history.go(-2)")
    board.wait(lambda: tiles(board) == truth(dashboard_home, 10_000))
    assert board.problems() == []


def test_categories_are_drilled_into_products(dashboard_home: Path, show: Show) -> None:
    board = show(hash_="#page=products")
    board.click_bar("category_products", "Garden")
    products = grouped(dashboard_home, "product_name", 28, "category = 'Garden'")
    assert near(board.bars("category_products"), products)
    board.click_bar("category_products", "Product 025")
    ((sales,),) = select(
        dashboard_home,
        "select sum(total_amount)"
        + SALES.format(last=LAST, days=28, condition="product_name = 'Product 025'"),
    )
    assert board.tile("sales") == f"£{sales:,}"
    board.button("All categories", '[data-chart="category_products"]').click()
    assert near(board.bars("category_products"), grouped(dashboard_home, "category", 28))
    assert "category" not in board.driver.current_url


def test_pointing_shows_figures_and_a_hostile_name_as_text(dashboard_home: Path, show: Show) -> None:
    board = show()
    ((sales,),) = select(
        dashboard_home, f"select total_sales from metrics.metrics_daily where metric_date = '{LAST}'"
    )
    chart = board.find('[data-chart="trend"] svg')
    width = chart.size["width"]
    ActionChains(board.driver).move_to_element_with_offset(chart, width // 2 - 20, 0).perform()
    tip = board.find("#board-tip")
    assert "Mon, 30 Jun 2025" in tip.text
    assert f"£{sales:,}" in tip.text
    odd = board.bar("by_category", "<i>Odd</i> & Co")
    board.script("arguments[0].scrollIntoView({block: 'center'})", odd)
    ActionChains(board.driver).move_to_element(odd).perform()
    assert tip.text.startswith("<i>Odd</i> & Co")
    assert board.problems() == []


def test_a_drag_over_a_chart_zooms_into_its_days(show: Show) -> None:
    board = show()
    chart = board.find('[data-chart="trend"] svg')
    drag = ActionChains(board.driver).move_to_element_with_offset(chart, -200, 0).click_and_hold()
    drag.move_by_offset(200, 0).release().perform()
    steps = board.content("chart", "trend")["steps"]
    assert 3 < len(steps) < 20
    assert f"from={steps[0]['iso']}&to={steps[-1]['iso']}" in board.driver.current_url


def test_the_legend_hides_and_shows_a_series(show: Show) -> None:
    board = show()
    lines = '[data-chart="trend"] .marks path.s1'
    assert len(board.find_all(lines)) == 1
    board.button("Mean of seven days").click()
    assert board.find_all(lines) == []
    assert board.button("Mean of seven days").get_attribute("aria-pressed") == "false"
    board.button("Mean of seven days").click()
    assert len(board.find_all(lines)) == 1


def test_a_tile_chooses_what_the_charts_show(dashboard_home: Path, show: Show) -> None:
    board = show()
    board.find('[aria-label="Show Customers in the charts"]').click()
    assert board.find('[data-chart="by_store"] h2').text == "Customers by store"
    expected = grouped(dashboard_home, "store_name", 28, what="count(distinct customer_id)")
    assert board.bars("by_store") == pytest.approx(expected)
    board.find('[aria-label="Show Interactions in the charts"]').click()
    assert board.find('[data-chart="by_store"] .empty').text == "Interactions is not told by store."
    assert "measure=interactions" in board.driver.current_url


def test_the_metrics_of_the_semantic_layer_can_be_picked(dashboard_home: Path, show: Show) -> None:
    board = show(hash_="#days=91&grain=week")
    options = board.script(
        "return [...document.querySelectorAll('.selects optgroup option')].map((o) => [o.value, o.textContent])"
    )
    assert options == [
        ["metric:largest_sale", "Largest sale line"],  # as the YAML beside the model names it
        ["metric:margin_of_dreams", "Margin of dreams"],
    ]

    def weeks(condition: str) -> list[tuple[str, float]]:
        rows = select(
            dashboard_home,
            "select date_trunc('week', sale_date)::date::text, max(total_amount) from marts.fact_sales"
            f" join marts.dim_stores using (store_id) where {condition}"
            " and date_trunc('week', sale_date) between '2025-03-31' and '2025-06-30' group by 1 order by 1",
        )
        return [(str(day), float(str(value))) for day, value in rows]

    def shown() -> list[tuple[str, float]]:
        content = board.content("chart", "trend")
        return list(
            zip([step["iso"] for step in content["steps"]], content["series"][0]["values"], strict=True)
        )

    board.script(
        "const select = document.querySelector('.selects select');"
        "select.value = 'metric:largest_sale'; select.dispatchEvent(new Event('change'))"
    )
    assert board.find('[data-chart="trend"] h2').text == "Largest sale line over time"
    assert shown() == weeks("true")
    assert "measure=metric%3Alargest_sale" in board.driver.current_url
    assert "is not kept by category" in board.find('[data-chart="by_category"] .empty').text
    ((june,),) = select(
        dashboard_home,
        "select max(total_amount) from marts.fact_sales where store_id = 2 and sale_date = '2025-06-30'",
    )
    assert board.bars("by_store")["Riverside"] == float(str(june))  # the newest week has one day
    board.find('[data-filter="store"] summary').click()
    board.find('[data-filter="store"] input[data-value="Riverside"]').click()
    assert shown() == weeks("store_name = 'Riverside'")
    board.find('[data-filter="store"] input[data-value="Online"]').click()
    assert "is not kept by this choice" in board.find('[data-chart="trend"] .empty').text
    assert board.problems() == []


def test_tables_sort_search_and_page(dashboard_home: Path, show: Show) -> None:
    board = show(hash_="#page=products&days=91")
    expected = grouped(dashboard_home, "product_name", 91)
    assert board.cells("products")[0][0] == next(iter(expected)).strip()
    assert [row[2] for row in board.cells("products")] == [
        f"£{value:,.2f}" for value in list(expected.values())[:12]
    ]
    head = '[data-table="products"] thead button'
    board.find_all(head)[3].click()
    units = grouped(dashboard_home, "product_name", 91, what="sum(quantity)")
    assert [row[3] for row in board.cells("products")] == [
        f"{value:,.0f}" for value in list(units.values())[:12]
    ]
    board.find('[data-table="products"] [aria-label="Next page"]').click()
    assert board.find('[data-table="products"] .pager span').text == "13–24 of 40"
    board.find('[data-table="products"] input').send_keys("script alert")
    assert [row[0] for row in board.cells("products")] == ["<script>alert(1)</script> & <b>bold</b>"]
    assert board.driver.switch_to.active_element.get_attribute("type") == "search"


def test_the_state_of_the_data_is_told(dashboard_home: Path, show: Show) -> None:
    board = show(hash_="#page=data-quality")
    facts = [
        board.find(f'[data-fact="{name}"]').text
        for name in ("tests", "rejections", "reconciliation", "newest")
    ]
    assert facts == ["3 of 4", "4", "All agree", "30 Jun 2025, 22:04"]
    assert board.bars("rows_rejected") == {"shop": 3, "desk": 1}
    board.go("overview")
    badge = (
        board.find('.tile [data-tile="sales"]')
        .find_element("xpath", "ancestor::*[contains(@class, 'tile')]")
        .find_element("css selector", ".badge")
    )
    assert badge.get_attribute("aria-label") == "3 tests pass, data to 30 Jun 2025"
