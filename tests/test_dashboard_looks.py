"""How the dashboard looks and who can use it: sizes of screens, dark mode, contrast, names, the keyboard."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from dashboard_browser import DESKTOP, PAGES, PHONE, TABLET, Board
from selenium.webdriver import Keys

Show = Callable[..., Board]
SIZE_LIMIT = 3_000_000  # bytes, gzipped

# Texts in sight whose contrast with what lies behind them is below the least of WCAG AA.
CONTRAST = """
const parse = (text) => { const c = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  c.fillStyle = text; c.fillRect(0, 0, 1, 1); const d = c.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => { const layers = []; for (let n = node; n; n = n.parentElement) layers.push(parse(getComputedStyle(n).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]); };
const bad = [];
for (const node of document.querySelectorAll('body *')) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own || !node.getClientRects().length || node.closest('.unseen, :disabled, [aria-disabled], noscript, .dimmed')) continue;
  const look = getComputedStyle(node);
  const back = behind(node), ink = over(parse(node instanceof SVGElement ? look.fill : look.color), back);
  const [a, b] = [light(ink), light(back)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(look.fontSize);
  const least = size >= 24 || (size >= 18.66 && look.fontWeight >= 700) ? 3 : 4.5;
  if (ratio < least) bad.push(`${node.tagName}.${node.getAttribute('class')} "${node.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
}
return bad;
"""
# What can be used and has no name, or is told twice by one id.
NAMELESS = """
const shown = (node) => node.getClientRects().length;
const name = (node) => node.getAttribute('aria-label') || node.textContent.trim() || node.title
  || (node.id && document.querySelector(`label[for="${node.id}"]`)?.textContent) || node.closest('label')?.textContent.trim();
const bad = [...document.querySelectorAll('button, a, input, select, summary, [tabindex="0"], [role=button], [role=img]:not(.logo), section')]
  .filter((node) => shown(node) && !name(node)).map((node) => node.outerHTML.slice(0, 120));
const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
bad.push(...ids.filter((id, i) => ids.indexOf(id) !== i));
bad.push(...[...document.querySelectorAll('table')].filter((t) => shown(t) && t.closest('[data-chart], [data-table]') && !t.caption).map((t) => t.outerHTML.slice(0, 80)));
for (const heading of document.querySelectorAll('h1, h2, h3')) if (!heading.textContent.trim()) bad.push(heading.outerHTML);
return bad;
"""
WIDE = """
const outside = [...document.querySelectorAll('.board-card, #board-toolbar > *, header > *')].filter((node) => {
  const box = node.getBoundingClientRect(); return box.width && (box.left < -1 || box.right > innerWidth + 1); });
const cut = [...document.querySelectorAll('.board-value')].filter((node) => node.scrollWidth > node.clientWidth + 1);
return [...outside, ...cut].map((node) => `${node.className} ${node.textContent.trim().slice(0, 40)}`);
"""


@pytest.mark.parametrize(
    ("size", "dark"), [(DESKTOP, False), (DESKTOP, True), (TABLET, False), (PHONE, True)],
    ids=["desktop", "desktop-dark", "tablet", "phone-dark"],
)  # fmt: skip
def test_every_page_fits_is_legible_and_named(show: Show, size: tuple[int, int], dark: bool) -> None:
    board = show(size, dark=dark)
    for page in PAGES:
        board.go(page)
        assert board.script("return document.documentElement.scrollWidth") <= size[0], page
        assert board.script(WIDE) == [], page
        assert board.script(CONTRAST) == [], page
        assert board.script(NAMELESS) == [], page
        board.keep(f"dashboard-{page}-{size[0]}-{'dark' if dark else 'light'}")
    assert board.problems() == []


def test_cards_stand_beside_each_other_or_below(show: Show) -> None:
    places = {}
    for size in (DESKTOP, PHONE):
        board = show(size)
        places[size] = [
            board.find(f'[data-chart="{name}"]').rect["y"]
            for name in ("by_category", "by_store", "by_channel")
        ]
    assert len(set(places[DESKTOP])) == 1
    assert places[PHONE] == sorted(set(places[PHONE]))


def test_on_a_phone_the_filters_wait_behind_a_button(show: Show) -> None:
    board = show(PHONE)
    assert not board.find('[data-filter="store"]').is_displayed()
    board.find("#board-more").click()
    assert board.find("#board-more").get_attribute("aria-expanded") == "true"
    board.find('[data-filter="store"] summary').click()
    board.find('[data-filter="store"] .choices label').click()
    assert "store=" in board.driver.current_url


def test_colours_follow_the_system_or_the_pages_own_switch(show: Show) -> None:
    def brightness() -> float:
        colour = board.script("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour[4:-1].split(",")) / 3

    board = show(dark=True)
    assert brightness() < 60
    board.find("#board-theme").click()
    assert brightness() > 200
    assert board.find("#board-theme").get_attribute("aria-label") == "Colours: light"
    board.driver.refresh()
    board.wait(lambda: board.script("return document.documentElement.dataset.ready"))
    assert brightness() > 200
    board.find("#board-theme").click()
    assert brightness() < 60
    board.find("#board-theme").click()


def test_all_can_be_done_by_keyboard(show: Show) -> None:
    board = show()
    bar = board.bar("by_store", "Riverside")
    board.script("arguments[0].focus()", bar)
    bar.send_keys(Keys.ENTER)
    assert "store=Riverside" in board.driver.current_url
    # The chart was drawn anew: the bar that was pressed has the focus still.
    assert board.script("return document.activeElement.dataset.name") == "Riverside"
    board.driver.switch_to.active_element.send_keys(" ")
    assert "store" not in board.driver.current_url
    chart = board.find('[data-chart="trend"] svg')
    chart.send_keys(Keys.ARROW_LEFT)
    assert chart.get_attribute("aria-valuetext").startswith("Sun, 29 Jun 2025: Sales £")
    assert board.find("#board-tip").is_displayed()
    summary = board.find('[data-filter="channel"] summary')
    summary.send_keys(Keys.ENTER)
    assert board.find('[data-filter="channel"] .choices').is_displayed()
    board.find('[data-filter="channel"] input').send_keys(Keys.ESCAPE)
    assert not board.find('[data-filter="channel"] .choices').is_displayed()
    assert board.script("return document.activeElement.parentElement.dataset.filter") == "channel"


def test_the_page_is_small_enough_to_mail(dashboard_page: Path) -> None:
    assert len(gzip.compress(dashboard_page.read_bytes())) < SIZE_LIMIT
    assert dashboard_page.read_text(encoding="utf-8").count("d3js.org v5") == 1
