"""When one machine is outgrown: what whole builds and a day cost on Postgres and on Spark, and what Spark shuffles.

For each size of SCALE (default "1 M"; also "10 M", "50 M") the history of benchmarks/models.py is built on the embedded
Postgres, a day is added, the landing is copied and the same is built on a local Spark. Memory is the peak of all processes
of Postgres or of the JVM, without the pages that they share. Shuffled bytes are those of Spark's event log, by model.
"""

import json
import os
import re
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks._home import own_home
from benchmarks.models import LINES_OF_A_DAY, History, execute
from ingest import lake, staging, warehouse
from ingest.comparison import compare, summary
from ingest.ledger import open_ledger
from transform import runner

DAYS = {"100 k": 37, "1 M": 370, "10 M": 3_704, "50 M": 18_519}
SETTINGS = """
spark.driver.bindAddress         127.0.0.1
spark.driver.host                127.0.0.1
spark.driver.memory              {memory}
spark.driver.extraJavaOptions    -Dderby.stream.error.file=/dev/null
spark.local.dir                  {folder}
spark.sql.shuffle.partitions     16
spark.ui.enabled                 false
spark.ui.showConsoleProgress     false
spark.eventLog.enabled           true
spark.eventLog.compress          false
spark.eventLog.rolling.enabled   false
spark.eventLog.dir               file://{folder}/events
"""


class Peak:
    """The most memory that some processes used together."""

    def __init__(self, program: str) -> None:
        self.program, self.bytes, self.running = program, 0, True
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self) -> None:
        """Look once a second."""
        while self.running:
            self.bytes = max(self.bytes, sum(self.sizes()))
            time.sleep(1)

    def sizes(self) -> Iterator[int]:
        """Bytes of each process of the program in this home: the proportional set size."""
        home = str(warehouse.home())
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (process / "comm").read_text().strip() != self.program:
                    continue
                mine = home in os.readlink(process / "cwd") or os.getpid() in _ancestors(process)
                if mine:
                    found = re.search(r"^Pss:\s+(\d+) kB", (process / "smaps_rollup").read_text(), re.M)
                    yield int(found[1]) * 1024 if found else 0

    def stop(self) -> str:
        """End, and say the peak."""
        self.running = False
        self.thread.join()
        return gigabytes(self.bytes)


def _ancestors(process: Path) -> Iterator[int]:
    number = int(process.name)
    while number > 1:
        number = int(Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[1])
        yield number


def gigabytes(size: float) -> str:
    """A size for people."""
    return f"{size / 1e9:.2f} GB"


def folder_size(folder: Path) -> int:
    """Bytes of the files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def on(target: str) -> Iterator[None]:
    """What runs inside runs on a target."""
    os.environ["ANALYTICS_TARGET"] = target
    try:
        yield
    finally:
        os.environ.pop("ANALYTICS_TARGET")


class Build:
    """One ``dbt build``: its seconds, and when each node ran."""

    def __init__(self, *arguments: str) -> None:
        self.nodes: list[tuple[str, float, float]] = []
        self.started: dict[str, float] = {}
        started = time.time()
        runner.build(arguments, on_event=self.note)
        self.seconds = time.time() - started

    def note(self, event: Any) -> None:
        """Take note of the start and the end of a node."""
        if event.info.name == "NodeStart":
            self.started[event.data.node_info.unique_id] = time.time()
        elif event.info.name == "NodeFinished":
            name = event.data.node_info.unique_id
            self.nodes.append((name, self.started.get(name, time.time()), time.time()))

    def shuffled(self, folder: Path) -> dict[str, int]:
        """Bytes that each model wrote for a shuffle, by Spark's event log. Models run one after the other."""
        found: dict[str, int] = defaultdict(int)
        (log,) = folder.glob("events/*")
        for line in log.open():
            if '"SparkListenerTaskEnd"' not in line:
                continue
            event = json.loads(line)
            written = (event.get("Task Metrics") or {}).get("Shuffle Write Metrics", {})
            at = event["Task Info"]["Finish Time"] / 1000
            for name, started, ended in self.nodes:
                if started <= at <= ended and name.startswith("model."):
                    found[name.split(".")[-1]] += written.get("Shuffle Bytes Written", 0)
        return found


def main() -> None:
    """Print what each size costs on both."""
    with own_home(ANALYTICS_SPARK_THREADS="1") as home:
        conf = home / "conf"
        (home / "events").mkdir()
        conf.mkdir()
        (conf / "spark-defaults.conf").write_text(
            SETTINGS.format(memory=os.environ.get("SCALE_MEMORY", "6g"), folder=home)
        )
        shutil.copy(warehouse.ROOT / "deploy" / "spark" / "log4j2.properties", conf)
        os.environ["SPARK_CONF_DIR"] = str(conf)
        warehouse.start()
        with open_ledger():
            staging.create_tables()
        history = History()
        for size in os.environ.get("SCALE", "1 M").split(","):
            measure(size, history, home)


def measure(size: str, history: History, home: Path) -> None:
    """One size: Postgres first, then Spark."""
    history.extend(DAYS[size] - 1)
    print(f"\n{size} lines ({DAYS[size] * LINES_OF_A_DAY:,})")
    with on("embedded"):
        peak = Peak("postgres")
        whole = Build("--full-refresh")
        execute("transformer", "analyze")
        history.add_a_day()
        day = Build()
        print(f"  Postgres: {told(whole, day, peak, home / 'warehouse')}", flush=True)
        started = time.time()
        lake.copy_landing()
        print(f"  the landing copied in {time.time() - started:.0f} s", flush=True)
    with on("spark"):
        peak = Peak("java")
        whole = Build("--full-refresh")
        print(f"  {summary(list(compare()))}")
        history.add_a_day()
        lake.copy_landing()
        day = Build()
        print(f"  Spark: {told(whole, day, peak, home / 'lake')}")
        first, later = whole.shuffled(home), day.shuffled(home)
        print(f"  {'shuffled, MB':<28} {'whole':>10} {'a day':>10}")
        for model in sorted(first, key=lambda name: -first[name]):
            if first[model] + later[model] > 1e5:
                print(f"  {model:<28} {first[model] / 1e6:10.1f} {later[model] / 1e6:10.1f}", flush=True)


def told(whole: Build, day: Build, peak: Peak, disk: Path) -> str:
    """What a target took, in words."""
    size = gigabytes(folder_size(disk))
    return f"whole {whole.seconds:.0f} s, a day {day.seconds:.0f} s, memory {peak.stop()}, disk {size}"
