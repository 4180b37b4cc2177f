"""A backup goes whole into another home: rows, keys, roles, dlt's state, the reports and the run history."""

import re
import shutil
import tarfile
from pathlib import Path

import pytest
from dagster import DagsterInstance

from conftest import analytics, make_home, remove_home, select
from ingest import warehouse

FIGURES = (
    "select md5(string_agg(t::text, '|' order by t.sale_id)) from marts.fact_sales as t",
    "select md5(string_agg(t::text, '|' order by t.metric_date)) from metrics.metrics_daily as t",
    "select md5(string_agg(t::text, '|' order by t.load_id)) from ops.loads as t",
)


def test_a_backup_goes_whole_into_another_home(demo_home: Path, tmp_path: Path) -> None:
    home = make_home()
    try:
        file = tmp_path / "analytics.tar"
        done = analytics("backup", str(file), home=demo_home)
        assert done.returncode == 0, done.stderr
        done = analytics("restore", str(file), home=home)
        assert done.returncode == 0, done.stderr
        assert re.search(r"^Restored: [\d,]{7,} rows as of ", done.stdout, re.MULTILINE)
        for figure in FIGURES:
            assert select(home, figure) == select(demo_home, figure)
        for folder in ("reports", "dlt"):
            before = {
                p.relative_to(demo_home): p.read_bytes()
                for p in demo_home.glob(f"{folder}/**/*")
                if p.is_file()
            }
            assert before
            assert {
                p.relative_to(home): p.read_bytes() for p in home.glob(f"{folder}/**/*") if p.is_file()
            } == before
        with DagsterInstance.from_config(str(demo_home / "dagster")) as one:
            runs = {run.run_id for run in one.get_runs()}
        with DagsterInstance.from_config(str(home / "dagster")) as other:
            assert {run.run_id for run in other.get_runs()} == runs
        # What is there goes on: nothing is new, keys stay, the reader still cannot write.
        shutil.copytree(demo_home / "demo", home / "demo")
        done = analytics("run", home=home)
        assert done.returncode == 0, done.stderr
        assert "shop: nothing new" in done.stdout
        assert [select(home, figure) for figure in FIGURES[:2]] == [
            select(demo_home, figure) for figure in FIGURES[:2]
        ]
        with pytest.raises(Exception, match="read-only transaction"):
            select(home, "create table marts.x (a int)")

        before = select(home, FIGURES[0])
        done = analytics("restore", str(file), home=home)
        assert done.returncode == 1
        assert "--replace" in done.stderr
        broken = tmp_path / "broken.tar"
        with tarfile.open(file) as whole, tarfile.open(broken, "w") as cut:
            for name in ("contents.json", "warehouse.dump"):
                info = whole.getmember(name)
                content = whole.extractfile(info)
                assert content is not None
                info.size = info.size if name == "contents.json" else info.size // 2
                cut.addfile(info, content)
        done = analytics("restore", "--replace", str(broken), home=home)
        assert done.returncode == 1
        assert "pg_restore failed" in done.stderr
        assert select(home, FIGURES[0]) == before
        assert (home / "reports" / "daily").is_dir()
        assert not [p for p in home.iterdir() if p.name.startswith(".restore")]
    finally:
        remove_home(home)


@pytest.mark.unit
def test_what_is_no_backup_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.backup import BackupError, restore

    monkeypatch.setenv("ANALYTICS_HOME", str(tmp_path))
    file = tmp_path / "x.tar"
    file.write_text("no tar")
    with pytest.raises(BackupError, match="is no backup"):
        restore(file, replace=True)
    assert warehouse.home() == tmp_path
