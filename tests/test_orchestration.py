"""The asset graph and `dagster dev`: what is upstream of what, and the whole way from the UI."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, AssetsDefinition, Definitions

from conftest import ROOT, free_port, make_home, remove_home, select


@pytest.fixture(scope="module")
def definitions(demo_home: Path) -> Iterator[Definitions]:
    patch = pytest.MonkeyPatch()
    patch.setenv("ANALYTICS_HOME", str(demo_home))
    from orchestration.definitions import build_definitions

    yield build_definitions()
    patch.undo()


# The way of a sale, hop by hop, and what joins it.
EDGES = [
    ("staging/sales/shop", "staging_views/stg_sales"),
    ("staging_views/stg_sales", "marts/fact_sales"),
    ("intermediate/int_product_keys", "marts/fact_sales"),
    ("marts/dim_products", "reports/daily"),
    ("staging/products/backoffice", "staging_views/stg_products"),
    ("staging/customers/crm", "staging_views/stg_customers"),
    ("staging/interactions/desk", "staging_views/stg_interactions"),
    ("marts/fact_sales", "metrics/metrics_daily"),
    ("marts/fact_sales", "metrics/metrics_products"),
    ("metrics/metrics_daily", "reports/daily"),
    ("metrics/metrics_daily", "reports/dashboard"),
]


def test_upstream_and_downstream_lead_from_source_to_report(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()

    def ancestors(key: AssetKey) -> set[AssetKey]:
        parents = graph.get(key).parent_keys
        return parents.union(*(ancestors(parent) for parent in parents))

    for upstream, downstream in EDGES:
        key = AssetKey(downstream.split("/"))
        assert AssetKey(upstream.split("/")) in ancestors(key), f"{upstream} is not upstream of {downstream}"
    landed = {key for key in graph.get_all_asset_keys() if key.path[0] == "staging"}
    assert len(landed) == 7
    assert landed <= ancestors(AssetKey(["reports", "daily"]))
    assert not [key for key in graph.get_all_asset_keys() if not graph.get(key).is_executable]


def test_assets_are_grouped_by_layer_and_tests_are_their_checks(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups == {"landing", "staging", "intermediate", "marts", "metrics", "ops", "reports"}
    checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys}
    assert {"marts/fact_sales", "marts/dim_customers", "metrics/metrics_daily"} <= checked


def test_there_is_a_job_and_a_daily_schedule_for_the_whole_way(definitions: Definitions) -> None:
    job = definitions.resolve_job_def("everything")
    assert len(job.asset_layer.selected_asset_keys) == len(
        definitions.resolve_asset_graph().get_all_asset_keys()
    )
    assert definitions.resolve_schedule_def("daily").job_name == "everything"


def test_a_part_is_replaced_without_patching(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_HOME", str(demo_home))
    from orchestration.definitions import build_definitions

    bare = build_definitions(assets=[], jobs=[], schedules=[])
    assert not [asset for asset in bare.assets or [] if isinstance(asset, AssetsDefinition)]


# ------------------------------------------------------------------------------------------------ dagster dev


@contextmanager
def dagster_dev(home: Path) -> Iterator[str]:
    """A real `analytics dev` in a session of its own; yields its address and ends all its processes."""
    port = free_port()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("analytics"), "dev", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"ANALYTICS_HOME": str(home)},
        stdout=(home / "dev.log").open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        yield f"http://127.0.0.1:{port}"
        children = processes_of(home)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert len(children) > 2
        wait_for("the end of all processes", lambda: not processes_of(home), 10, home)
    finally:
        for pid in processes_of(home):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def processes_of(home: Path) -> list[int]:
    """The living Python processes whose environment names this home."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            names_home = f"ANALYTICS_HOME={home}\0".encode() in (entry / "environ").read_bytes()
            program = (entry / "cmdline").read_bytes().split(b"\0")[0]
            if names_home and Path(program.decode()).name.startswith("python"):
                found.append(int(entry.name))
    return found


def graphql(address: str, query: str, **variables: Any) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def wait_for(what: str, ask: Any, seconds: float, home: Path) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if answer := ask():
                return answer
        except OSError:
            pass
        time.sleep(0.5)
    left = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes_of(home)]
    pytest.fail(f"{what}: not within {seconds} s; {left}; {(home / 'dev.log').read_text()[-2000:]}")


LAUNCH = """
mutation ($selector: JobOrPipelineSelector!) {
  launchPipelineExecution(executionParams: {selector: $selector, mode: "default"}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""


def test_materialising_everything_from_the_ui_works() -> None:
    from demo.retailer import expected, generate

    home = make_home()
    try:
        generate(home)
        with dagster_dev(home) as address:
            repositories = wait_for(
                "the code location",
                lambda: graphql(
                    address,
                    "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }",
                )["repositoriesOrError"]["nodes"],
                90,
                home,
            )
            selector = {
                "repositoryName": repositories[0]["name"],
                "repositoryLocationName": repositories[0]["location"]["name"],
                "pipelineName": "everything",
            }
            launched = graphql(address, LAUNCH, selector=selector)["launchPipelineExecution"]
            assert launched["__typename"] == "LaunchRunSuccess", launched
            run = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"

            def ended() -> str | None:
                status = graphql(address, run, id=launched["run"]["runId"])["runOrError"]["status"]
                return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

            assert wait_for("the run", ended, 180, home) == "SUCCESS", (home / "dev.log").read_text()[-3000:]
            nodes = graphql(
                address,
                "{ assetNodes { assetKey { path } isMaterializable assetMaterializations(limit: 1) { runId } } }",
            )["assetNodes"]
            assert [
                n["assetKey"] for n in nodes if n["isMaterializable"] and not n["assetMaterializations"]
            ] == []
        assert select(home, "select sum(total_sales) from metrics.metrics_daily") == [
            (expected(home).revenue,)
        ]
        assert list(home.glob("reports/daily/*/daily.pdf"))
    finally:
        remove_home(home)
