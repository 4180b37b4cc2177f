"""Reports that are kept: ids, the archive, rebuilding byte for byte, what changed since the last edition."""

import csv
import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import reports_warehouse as made_up
from openpyxl import load_workbook

from conftest import analytics, select
from ingest import warehouse
from reports import archive, registry
from reports.errors import CellError, ReportError, ReportUsageError
from reports.render import Rendered, rebuild_report, render_report
from reports.template import new_report

DAY = made_up.LAST_DAY


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with the made-up warehouse; the tests of this module share it and add to it."""
    with made_up.filled_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def first(home: Path) -> tuple[Rendered, dict[str, bytes]]:
    """The daily report as it was before anything else arrived, and its bytes."""
    rendered = render_report("daily", formats=["pdf", "html", "xlsx", "csv", "parquet"])
    return rendered, {file.name: file.read_bytes() for file in rendered.files}


def write(sql: str, role: warehouse.Role = "transformer") -> None:
    with closing(warehouse.connect(role)) as connection, connection:
        connection.cursor().execute(sql)


# ------------------------------------------------------------------------------------------ ids


def test_the_id_stands_on_the_last_page_and_in_the_metadata(first: tuple[Rendered, dict[str, bytes]]) -> None:
    rendered, _ = first
    report_id = rendered.report_id
    assert re.fullmatch(r"daily-2025-06-30-[0-9a-f]{10}", report_id)
    pdf = rendered.paths["pdf"]
    pages = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True).stdout.split(
        "\f"
    )
    assert report_id in pages[-2]
    info = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    assert f"Keywords:        {report_id}" in info
    html = rendered.paths["html"].read_text(encoding="utf-8")
    assert f'<meta name="report-id" content="{report_id}">' in html
    assert report_id in html[html.rindex("colophon") :].replace("\\", "")
    book = load_workbook(rendered.paths["xlsx"])
    assert book.properties.keywords == report_id
    assert book.custom_doc_props["report-id"].value == report_id
    assert report_id in [cell.value for row in book["Cover"].iter_rows() for cell in row]


def test_equal_reports_have_equal_ids_and_bytes_and_others_do_not(
    first: tuple[Rendered, dict[str, bytes]],
) -> None:
    rendered, before = first
    again = render_report("daily", DAY, ["pdf", "html", "xlsx"])
    assert again.report_id == rendered.report_id
    assert all(file.read_bytes() == before[file.name] for file in again.files)
    ids = {
        render_report("daily", DAY, ["html"], parameters).report_id
        for parameters in ({}, {"currency": "$"}, {"locale": "de_DE"}, {"store": "Riverside"})
    }
    assert len(ids) == 4


def test_the_code_is_part_of_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    known = archive.code_version()
    archive.code_version.cache_clear()
    monkeypatch.setattr(archive, "CODE", ("reports", "ingest"))
    try:
        assert archive.code_version() != known
    finally:
        archive.code_version.cache_clear()
    made_of = {"loads": "1-4", "parameters": {"period": DAY}, "template_sha256": "a"}
    ids = {
        archive.report_id("daily", DAY, **made_of | change)
        for change in ({}, {"loads": "1-5"}, {"template_sha256": "b"})
    }
    assert len(ids) == 3


# ------------------------------------------------------------------------------------------ the archive


def test_the_archive_holds_files_results_template_and_manifest(
    home: Path, first: tuple[Rendered, dict[str, bytes]]
) -> None:
    rendered, before = first
    folder = home / "archive" / rendered.report_id
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["loads"] == "1-4"
    assert manifest["parameters"] == {"period": DAY, "currency": "£", "locale": "en_GB", "paper": "a4"}
    assert (folder / "template.qmd").read_text() == registry.find("daily").document.read_text()
    assert len(list((folder / "results").glob("*.parquet"))) > 10
    for name, sha256 in manifest["files"].items():
        assert archive.sha256(folder / "files" / name) == sha256
        assert (folder / "files" / name).read_bytes() == before[Path(name).name]
    rows = select(
        home, f"select state, formats from ops.report_runs where report_id = '{rendered.report_id}'"
    )
    assert rows[0] == ("finished", ["pdf", "html", "xlsx", "csv", "parquet"])


def test_reports_are_listed_by_id(home: Path, first: tuple[Rendered, dict[str, bytes]]) -> None:
    ids = {manifest.report_id for manifest in archive.entries()}
    assert first[0].report_id in ids
    listed = analytics("report", "list", "--format", "csv", home=home)
    rows = list(csv.reader(io.StringIO(listed.stdout)))
    assert rows[0][0] == "id"
    assert {row[0] for row in rows[1:]} == ids
    entries = json.loads(analytics("report", "list", "--format", "json", home=home).stdout)
    assert next(iter(entries[0])) == "id"
    table = analytics("report", "list", home=home).stdout
    assert {line.split()[0] for line in table.splitlines()[1:]} == ids


def test_a_rebuild_gives_the_same_bytes_after_new_data_came_in(
    home: Path, first: tuple[Rendered, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered, before = first
    write(
        "insert into ops.loads select 5, 'shop', 'sales', 'sales', 'inbox/late.csv', 'y', 'loaded', 1, 1, 0, 1, 9, "
        "'2025-07-01 06:00', '2025-07-01 06:00:01', null",
        "loader",
    )
    write(
        f"update metrics.metrics_daily set total_sales = total_sales + 1000 where metric_date = '{DAY}';"
        f"update marts.fact_sales set total_amount = total_amount + 1 where sale_date = '{DAY}'"
    )
    newer = render_report("daily", DAY, ["pdf", "html", "xlsx"])
    assert newer.report_id != rendered.report_id
    assert all(file.read_bytes() != before[file.name] for file in newer.files)
    with monkeypatch.context() as patch:
        patch.setenv("ANALYTICS_PG_HOST", "/nowhere")  # a rebuild asks no warehouse
        patch.setattr(
            archive, "code_version", lambda: "later"
        )  # nor does code that changes nothing here matter
        rebuilt = rebuild_report(rendered.report_id)
    assert rebuilt.report_id == rendered.report_id
    assert {file.name: file.read_bytes() for file in rebuilt.files} == before
    assert rebuilt.paths == rendered.paths
    done = analytics("report", "rebuild", newer.report_id, home=home)
    assert done.returncode == 0, done.stderr
    assert [Path(line).name for line in done.stdout.splitlines()] == ["daily.pdf", "daily.html", "daily.xlsx"]


def test_the_dashboard_too_is_rebuilt_byte_for_byte(home: Path) -> None:
    made = render_report("dashboard")
    before = made.paths["html"].read_bytes()
    made.paths["html"].unlink()
    assert rebuild_report(made.report_id).paths["html"].read_bytes() == before


def test_a_rebuild_that_comes_out_otherwise_fails_and_says_where_the_first_files_are(home: Path) -> None:
    made = render_report("quality", formats=["html"])
    before = made.paths["html"].read_bytes()
    template = home / "archive" / made.report_id / "template.qmd"
    template.write_text(template.read_text() + "\nAnother line.\n")
    with pytest.raises(ReportError, match=r"comes out otherwise.*quality\.html.*archive/quality-.*/files"):
        rebuild_report(made.report_id)
    assert made.paths["html"].read_bytes() == before


@pytest.mark.parametrize("report_id", ["daily-2025-06-30-0123456789", "../../etc/passwd", "..", ""])
def test_an_unknown_id_lists_what_there_is(first: tuple[Rendered, dict[str, bytes]], report_id: str) -> None:
    with pytest.raises(ReportUsageError, match=r"the archive holds no report .*; there are: \w+-"):
        rebuild_report(report_id)


def test_a_failed_report_is_written_down_and_leaves_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "daily.qmd"
    broken.write_text(
        '---\ntitle: Broken\n---\n\n```{python}\n#| tags: [parameters]\ndate = ""\n```\n\n```{python}\n1 / 0\n```\n'
    )
    changed = replace(registry.find("daily"), document=broken)
    monkeypatch.setattr(registry, "find", lambda _name: changed)
    kept = sorted(path.name for path in archive.folder().iterdir())
    with pytest.raises(CellError):
        render_report("daily", "2025-06-05")
    assert sorted(path.name for path in archive.folder().iterdir()) == kept
    assert not (home / "reports" / "daily" / "2025-06-05").exists()
    ((state, error),) = select(home, "select state, error from ops.report_runs order by run_id desc limit 1")
    assert state == "failed"
    assert "ZeroDivisionError" in str(error)


def test_files_that_cannot_be_put_away_leave_no_half_report(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        render_report("daily", "2025-06-06", ["html"])
    assert not (home / "reports" / "daily" / "2025-06-06").exists()
    assert not [
        path for path in archive.folder().iterdir() if path.name.startswith(".") or "06-06" in path.name
    ]


# ------------------------------------------------------------------------- what changed since the last edition


def test_days_that_changed_since_the_last_edition_are_told(home: Path) -> None:
    render_report("daily", "2025-05-19", ["html"])  # the edition before
    ((before,),) = select(
        home, "select total_sales from metrics.metrics_daily where metric_date = '2025-05-17'"
    )
    page = render_report("daily", "2025-05-20", ["html"])
    assert "have the same sales today" in text_of(page.paths["html"])
    write(
        "update metrics.metrics_daily set total_sales = total_sales - 12.34 where metric_date = '2025-05-17'"
    )
    page = render_report("daily", "2025-05-20", ["html", "xlsx"])
    text = text_of(page.paths["html"])
    assert isinstance(before, Decimal)
    now = before - Decimal("12.34")
    assert "Since the edition on 19 May 2025" in text
    assert f"Sat 17 May 2025 £{before:,} £{now:,} −£12.34" in text
    sheet = load_workbook(page.paths["xlsx"], data_only=True)["Restated"]
    assert [cell.value for cell in sheet[5]][1:] == [float(str(before)), float(str(now)), -12.34]


def test_an_edition_that_was_sent_counts_more_than_one_that_was_only_made(home: Path) -> None:
    sent = render_report("daily", "2025-05-25", ["html"])
    write(
        "create table ops.deliveries (report_id text, recipient text, state text, is_trial boolean)", "loader"
    )
    write(f"insert into ops.deliveries values ('{sent.report_id}', 'a@example.com', 'sent', false)", "loader")
    render_report("daily", "2025-05-26", ["html"])
    text = text_of(render_report("daily", "2025-05-27", ["html"]).paths["html"])
    assert f"the edition on 25 May 2025 ( {sent.report_id} )" in text


def text_of(page: Path) -> str:
    body = page.read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body[body.index("<main") :]))


# ------------------------------------------------------------------------------------------ new reports


def test_a_new_report_is_a_copy_that_can_be_made(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exposures = tmp_path / "exposures.yml"
    exposures.write_text(registry.EXPOSURES.read_text())
    # Its document is looked for where documents are, and taken away again.
    document, _ = new_report("trial_copy", "products", exposures)
    try:
        made = registry.registered_reports(exposures)["trial_copy"]
        assert made.label == "Trial copy"
        assert made.models == registry.find("products").models
        monkeypatch.setattr(registry, "EXPOSURES", exposures)
        monkeypatch.setattr(registry.find, "__defaults__", (exposures,))
        page = render_report("trial_copy", formats=["xlsx"])
        assert page.paths["xlsx"] == home / "reports" / "trial_copy" / "2025-06" / "trial_copy.xlsx"
        text = document.read_text()
        assert "title: Trial copy" in text
        assert '"trial_copy", date' in text
        assert 'page.show("products")' in text
        with pytest.raises(ReportUsageError, match=r"there is already a report 'trial_copy'"):
            new_report("trial_copy", "products", exposures)
    finally:
        os.unlink(document)


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "Big", "a b", "x.qmd", "", "1st", "a" * 60])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    before = sorted(registry.FOLDER.rglob("*.qmd"))
    with pytest.raises(ReportUsageError, match="is not a name for a report"):
        new_report(name, "daily", registry.EXPOSURES, tmp_path)
    assert sorted(registry.FOLDER.rglob("*.qmd")) == before
    assert not list(tmp_path.iterdir())
