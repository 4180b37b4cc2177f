"""sources.yml: what is right is read, what is wrong is named with its line and the mend."""

from pathlib import Path

import pytest

from ingest.config import ConfigError, load_sources

pytestmark = pytest.mark.unit

GOOD = """\
sources:
  shop:
    kind: csv
    path: inbox/*.csv
    timezone: Europe/London
    feeds:
      sales:
        key: [sale_code]
        columns:
          sale_code: no
          sold_at: "strptime(day, '%d/%m/%Y')"
          quantity: qty
          unit_price: price
        rules:
          price_not_negative: "unit_price >= 0"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "sources.yml"
    file.write_text(text)
    return file


def test_a_good_file_is_read(tmp_path: Path) -> None:
    source = load_sources(written(tmp_path, GOOD))["shop"]
    (feed,) = source.feeds
    assert (source.kind, feed.entity.name, feed.timezone) == ("csv", "sales", "Europe/London")
    assert feed.columns["quantity"] == "qty"
    assert feed.rules == {"price_not_negative": "unit_price >= 0"}
    assert feed.place == {"path": "inbox/*.csv"}
    assert feed.where("quantity").endswith("sources.yml:12")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("kind: csv", "kind: cvs", 3, "unknown kind `cvs`; did you mean `csv`?"),
        ("    path:", "    pth:", 4, "unknown key `pth`; did you mean `path`?"),
        ("Europe/London", "Europe/Lodnon", 5, "no such time zone: 'Europe/Lodnon'"),
        ("      sales:", "      sale:", 7, "unknown entity `sale`; did you mean `sales`?"),
        ("key: [sale_code]", "key: [no]", 8, "the key of sales is [sale_code]"),
        ("          quantity:", "          quantities:", 12, "did you mean `quantity`?"),
        ("          quantity: qty\n", "", 9, "the column `quantity` of sales must be mapped"),
        ("          unit_price: price\n", "", 9, "map `unit_price` or `total_amount`"),
        ("quantity: qty", "quantity: 'qty +'", 12, "not a SQL expression"),
        ("quantity: qty", "quantity: 'qty); drop table x; select (1'", 12, "not a SQL expression"),
        ("    path: inbox/*.csv\n", "", 6, "a source of kind csv needs `path`"),
        ("quantity: qty", "quantity: qty\n          quantity: qty", 13, "a duplicate key (first in line 12)"),
        ("quantity: qty", "quantity: [qty", 13, "not valid YAML"),
        ("    kind: csv", "    kind: csv\n    mode: replace", 4, "unknown mode `replace`"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_mend(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in GOOD
    file = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_sources(file)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "secret",
    ["    auth: {type: bearer, token: abc}", "    url: https://me:secret@example.com"],
)
def test_a_literal_secret_is_refused(tmp_path: Path, secret: str) -> None:
    text = f"sources:\n  desk:\n    kind: api\n{secret}\n    feeds: {{}}\n"
    with pytest.raises(ConfigError, match="a secret must come from the environment"):
        load_sources(written(tmp_path, text))


def test_variables_are_resolved_when_a_source_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, GOOD.replace("inbox/*.csv", "${SHOP_FOLDER}/*.csv"))
    feed = load_sources(file)["shop"].feeds[0]
    with pytest.raises(ConfigError, match="the environment variable SHOP_FOLDER is not set"):
        feed.resolved_place()
    monkeypatch.setenv("SHOP_FOLDER", "/srv/shop")
    assert feed.resolved_place() == {"path": "/srv/shop/*.csv"}


def test_the_projects_own_file_is_right() -> None:
    assert {source.kind for source in load_sources().values()} == {"csv", "excel", "database", "api"}
