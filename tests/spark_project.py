"""Apache Spark on this machine, for tests: its smallest settings, and dbt's builds on target spark."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner
from models_project import QUIETLY

from conftest import ROOT, free_port

SETTINGS = ROOT / "tests" / "spark"


def require_spark() -> None:
    """Skip where Spark cannot run; in CI that fails."""
    pytest.importorskip("pyspark", reason="run `make .venv/.spark`")
    if shutil.which("java") is None:
        pytest.skip("no Java")


class SparkDbt:
    """dbt on target spark in this process, which keeps its session and the manifest."""

    def __init__(self, home: Path) -> None:
        shutil.copy(ROOT / "profiles.example.yml", home / "profiles.yml")
        os.environ["SPARK_CONF_DIR"] = str(SETTINGS)
        self.folders = ["--project-dir", str(ROOT), "--profiles-dir", str(home), "--target", "spark"]
        self.manifest: Any = None
        self.manifest = self("parse")

    def __call__(self, *arguments: str) -> Any:
        done = dbtRunner(manifest=self.manifest).invoke([*arguments, *QUIETLY, *self.folders])
        results = getattr(done.result, "results", [])
        failures = [f"{r.node.name}: {r.message}" for r in results if r.status in ("error", "fail")]
        if not done.success:
            raise AssertionError(str(done.exception or failures))
        return done.result


def stop_session() -> None:
    """End the JVM of this process, and with it the lock on the catalog of tables."""
    from pyspark.sql import SparkSession

    if session := SparkSession.getActiveSession() or SparkSession._instantiatedSession:
        session.stop()


class Cluster:
    """A standalone master, two workers and a Connect server on loopback, each a process of its own.

    The server keeps its catalog in ``home``; clients reach it at `remote`.
    """

    def __init__(self, home: Path) -> None:
        import pyspark

        self.home, self.spark = home, Path(pyspark.__file__).parent
        self.processes: list[subprocess.Popen[bytes]] = []
        self.remote = f"sc://127.0.0.1:{free_port()}"

    def __enter__(self) -> "Cluster":
        master, ui = free_port(), ["--webui-port", "0"]
        deploy = "org.apache.spark.deploy"
        self._start(
            "master", "spark-class", f"{deploy}.master.Master", "-h", "127.0.0.1", "-p", str(master), *ui
        )
        wait_for_port(master)
        url = f"spark://127.0.0.1:{master}"
        for number in (1, 2):
            resources = ["-c", "1", "-m", "1g", "-d", str(self.home / f"worker-{number}")]
            self._start(
                f"worker-{number}",
                "spark-class",
                f"{deploy}.worker.Worker",
                "-h",
                "127.0.0.1",
                *resources,
                *ui,
                url,
            )
        port = self.remote.rsplit(":", 1)[1]
        settings = {
            "spark.connect.grpc.binding.port": port,
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.sql.catalogImplementation": "hive",
            "spark.sql.warehouse.dir": str(self.home / "lake" / "tables"),
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={self.home}/spark/metastore;create=true",
            "spark.executor.memory": "700m",
            "spark.executor.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        server = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--master", url]
        self._start("connect", "spark-submit", *server, *options, "spark-internal")
        wait_for_port(int(port))
        return self

    def _start(self, name: str, program: str, *arguments: str) -> None:
        environment = os.environ | {"SPARK_CONF_DIR": str(SETTINGS), "SPARK_LOCAL_IP": "127.0.0.1"}
        with (self.home / f"{name}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    [self.spark / "bin" / program, *arguments],
                    cwd=self.home, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, start_new_session=True,
                )
            )  # fmt: skip

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=60)


def wait_for_port(port: int, seconds: int = 120) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + seconds
    while True:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, f"nobody listens on {port}"
        time.sleep(0.2)
