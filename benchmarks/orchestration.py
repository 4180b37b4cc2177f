"""`analytics run` through Dagster beside the same steps called directly; limit: 20 % more.

Each side runs in processes and on a home of its own, first on two years of the demo's sources and then
twice for a day with one new file. They take turns, so that other work on the machine falls on both.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from demo.retailer import generate
from ingest import warehouse

LIMIT = 1.2
DIRECT = """
from demo.desk import desk_server
from ingest import DataIngestion
from transform import runner
from reports.registry import registered_reports
from reports.render import render_report

with desk_server():
    assert not [outcome.error for outcome in DataIngestion().run() if outcome.error]
runner.build()
for name in registered_reports():
    render_report(name)
"""
SIDES = {"directly": ["python", "-c", DIRECT], "analytics run": ["analytics", "run"]}


def main() -> None:
    """Print the seconds and processor seconds of both sides, and their ratio."""
    homes = {side: Path(tempfile.mkdtemp(prefix="analytics-bench-")) for side in SIDES}
    try:
        for home in homes.values():
            home.chmod(0o755)
            generate(home)
            shutil.move(home / "demo" / "shop", home / "later")
            (home / "demo" / "shop").mkdir()
        files = sorted(path.name for path in (homes["directly"] / "later").iterdir())
        print(f"{'':<24}{'directly':>16}{'analytics run':>16}   ratio (limit {LIMIT})")
        _measure("two years", homes, files[:-2])
        totals = [_measure("one more day", homes, [name]) for name in files[-2:]]
        print(f"{'days together':<24}{'':>32}   {sum(t[1] for t in totals) / sum(t[0] for t in totals):.2f}")
    finally:
        for home in homes.values():
            os.environ["ANALYTICS_HOME"] = str(home)
            warehouse.stop()
            shutil.rmtree(warehouse.socket_folder(), ignore_errors=True)
            shutil.rmtree(home, ignore_errors=True)


def _measure(what: str, homes: dict[str, Path], files: list[str]) -> tuple[float, float]:
    """Let both sides take new files; print and return their seconds."""
    spent = []
    for side, home in homes.items():
        for name in files:
            shutil.move(home / "later" / name, home / "demo" / "shop" / name)
        program, *arguments = SIDES[side]
        before, started = _processor(), time.monotonic()
        subprocess.run(
            [Path(sys.executable).with_name(program), *arguments],
            cwd=warehouse.ROOT,
            env=os.environ | {"ANALYTICS_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        spent.append((time.monotonic() - started, _processor() - before))
    (direct, direct_cpu), (run, run_cpu) = spent
    print(f"{what:<24}{direct:>14.1f} s{run:>14.1f} s   {run / direct:.2f}", flush=True)
    print(
        f"{'  processor':<24}{direct_cpu:>14.1f} s{run_cpu:>14.1f} s   {run_cpu / direct_cpu:.2f}", flush=True
    )
    return direct, run


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
