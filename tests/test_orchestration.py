"""The asset graph, what runs by itself, and `dagster dev`: the whole way from the UI."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import requests
from dagster import AssetKey, AssetsDefinition, Definitions
from dagster._core.definitions.partitions.context import partition_loading_context
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from test_dashboard import CHROMIUM, DRIVER, FLAGS

from conftest import ROOT, analytics, free_port, make_home, remove_home, select
from ingest.config import ConfigError, Schedule, Source, load_sources
from ingest.observation import freshness, volume


@pytest.fixture(scope="module")
def definitions(demo_home: Path) -> Iterator[Definitions]:
    patch = pytest.MonkeyPatch()
    patch.setenv("ANALYTICS_HOME", str(demo_home))
    from orchestration.definitions import build_definitions

    yield build_definitions()
    patch.undo()


@pytest.fixture(scope="module")
def manifest(definitions: Definitions, demo_home: Path) -> Any:
    return json.loads((demo_home / "dbt" / "target" / "manifest.json").read_text())


def key(name: str) -> AssetKey:
    return AssetKey(name.split("/"))


# ------------------------------------------------------------------------------------------------- the graph

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

    def ancestors(of: AssetKey) -> set[AssetKey]:
        parents = graph.get(of).parent_keys
        return parents.union(*(ancestors(parent) for parent in parents))

    for upstream, downstream in EDGES:
        assert key(upstream) in ancestors(key(downstream)), f"{upstream} is not upstream of {downstream}"
    landed = {key for key in graph.get_all_asset_keys() if key.path[0] == "staging"}
    assert len(landed) == 7
    assert landed <= ancestors(key("reports/daily"))
    assert not [key for key in graph.get_all_asset_keys() if not graph.get(key).is_executable]


def test_every_node_of_dbt_and_every_exposure_is_an_asset_with_the_parents_dbt_gives_it(
    definitions: Definitions, manifest: Any
) -> None:
    graph = definitions.resolve_asset_graph()
    nodes = {
        unique_id: AssetKey([node["schema"], node["alias"]])
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed", "snapshot")
    }
    reports = {
        unique_id: AssetKey(["reports", exposure["name"]])
        for unique_id, exposure in manifest["exposures"].items()
    }
    landed = {asset for asset in graph.get_all_asset_keys() if asset.path[0] == "staging"}
    windows = {key("windows/desk")}
    assert set(graph.get_all_asset_keys()) == {*nodes.values(), *reports.values()} | landed | windows
    for asset in graph.get_all_asset_keys():
        assert graph.get(asset).description
        assert graph.get(asset).owners, asset
        assert graph.get(asset).kinds, asset
        assert "dagster/code_references" in graph.get(asset).metadata, asset
    for unique_id, asset in (nodes | reports).items():
        node = manifest["nodes"].get(unique_id) or manifest["exposures"][unique_id]
        expected = {nodes[parent] for parent in node["depends_on"]["nodes"] if parent in nodes}
        assert graph.get(asset).parent_keys - landed == expected, asset


def test_assets_are_grouped_by_layer_and_tests_are_their_checks(
    definitions: Definitions, manifest: Any
) -> None:
    graph = definitions.resolve_asset_graph()
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups == {"landing", "windows", "staging", "intermediate", "marts", "metrics", "ops", "reports"}
    checks = {check.name for check in graph.asset_check_keys}
    tests = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "test"}
    assert tests
    assert tests <= checks, "also those over several models"
    assert graph.get(key("staging/sales/shop")).kinds == {"csv", "dlt", "postgres"}


def test_there_is_a_job_and_a_daily_schedule_for_the_whole_way(definitions: Definitions) -> None:
    job = definitions.resolve_job_def("everything")
    all_keys = set(definitions.resolve_asset_graph().get_all_asset_keys())
    assert all_keys - set(job.asset_layer.selected_asset_keys) == {key("windows/desk")}
    assert definitions.resolve_schedule_def("daily").job_name == "everything"


def test_a_part_is_replaced_without_patching(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_HOME", str(demo_home))
    from orchestration.definitions import build_definitions

    bare = build_definitions(assets=[], asset_checks=[], jobs=[], schedules=[], sensors=[])
    assert not [asset for asset in bare.assets or [] if isinstance(asset, AssetsDefinition)]


def test_the_demo_run_tells_rows_columns_and_the_first_page(demo_home: Path) -> None:
    with dg.DagsterInstance.from_config(str(demo_home / "dagster")) as instance:

        def shown(name: str) -> Any:
            event = instance.get_latest_materialization_event(key(name))
            assert event is not None
            assert event.asset_materialization is not None
            return event.asset_materialization.metadata

        for name in ("marts/fact_sales", "metrics/metrics_daily", "intermediate/int_product_keys"):
            (truth,) = select(demo_home, f"select count(*) from {name.replace('/', '.')}", "transformer")
            assert shown(name)["dagster/row_count"].value == truth[0]
        (truth,) = select(demo_home, "select count(*), max(loaded_at) from staging.sales", "transformer")
        landed = shown("staging/sales/shop")
        assert landed["dagster/row_count"].value == truth[0]
        arrived = datetime.fromtimestamp(landed["dagster/last_updated_timestamp"].value, UTC).replace(
            tzinfo=None
        )
        assert abs((arrived - datetime.fromisoformat(str(truth[1]))).total_seconds()) < 300
        assert shown("reports/daily")["preview"].value.startswith("![first page](data:image/png;base64,iVBOR")
        days = select(demo_home, "select metric_date::text from metrics.metrics_daily order by 1")
        assert [(day,) for day in instance.get_dynamic_partitions("day")] == days


# ------------------------------------------------------------------------------------------ what runs by itself

FILES = """\
sources:
  shop:
    kind: csv
    path: {home}/shop/*.csv
    {schedule}
    feeds:
      sales:
        columns: {{sale_code: code, product_code: product, sold_at: sold, quantity: quantity, unit_price: price}}
  web:
    kind: csv
    path: {home}/web/*.csv
    feeds:
      sales:
        columns: {{sale_code: code, product_code: product, sold_at: sold, quantity: quantity, unit_price: price}}
"""


def sources(folder: Path, schedule: str = "") -> list[Source]:
    file = folder / "sources.yml"
    file.write_text(FILES.format(home=folder, schedule=schedule))
    return list(load_sources(file).values())


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as temporary:
        yield temporary


def tick(
    sensor: dg.SensorDefinition,
    instance: dg.DagsterInstance,
    cursor: str | None = None,
    definitions: Definitions | None = None,
) -> dg.SensorResult:
    """What a sensor asks for, with its new cursor."""
    with (
        partition_loading_context(dynamic_partitions_store=instance),
        dg.build_sensor_context(instance=instance, cursor=cursor, definitions=definitions) as context,
    ):
        data = sensor.evaluate_tick(context)
    return dg.SensorResult(run_requests=list(data.run_requests or []), cursor=data.cursor)


def was_read(instance: dg.DagsterInstance) -> None:
    metadata = {"looked_at": dg.MetadataValue.timestamp(time.time())}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(["staging", "sales", "shop"], metadata=metadata)
    )


# Of the sales that land a page shows one model, by another; nothing that contacts lead to.
MANIFEST = {
    "sources": {
        "source.sales": {"schema": "staging", "name": "sales"},
        "source.interactions": {"schema": "staging", "name": "interactions"},
        "source.loads": {"schema": "ops", "name": "loads"},
    },
    "nodes": {
        name: {"resource_type": kind, "schema": "marts", "name": name}
        for name, kind in (
            ("view", "model"), ("sold", "model"), ("unseen", "model"), ("called", "model"), ("newest", "model"),
            ("check", "test"),
        )
    },
    "exposures": {"page": {"type": "dashboard"}, "letter": {"type": "analysis"}},
    "child_map": {
        "source.sales": ["view"], "view": ["sold", "unseen"], "sold": ["check", "page"], "unseen": ["letter"],
        "source.interactions": ["called"], "called": ["page"], "source.loads": ["newest"],
        "newest": ["view", "called"],
    },
    "parent_map": {
        "page": ["sold", "called"], "sold": ["view"], "called": ["source.interactions", "newest"],
        "newest": ["source.loads"], "view": ["source.sales", "newest"], "letter": ["unseen"], "unseen": ["view"],
    },
}  # fmt: skip


@pytest.fixture
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"WATCH_SECONDS": 0.3, "LOOK_SECONDS": 0.02, "QUIET_SECONDS": 0.1, "UNTOLD_SECONDS": 0.2}
    for name, value in seconds.items():
        monkeypatch.setattr(f"ingest.inbox.{name}", value)


@pytest.mark.unit
def test_a_backlog_of_files_is_read_once_when_the_last_is_whole(
    tmp_path: Path, instance: dg.DagsterInstance, short_looks: None
) -> None:
    from orchestration.automation import inbox_sensor
    from orchestration.translator import Translator

    (tmp_path / "shop").mkdir()
    sensor = inbox_sensor(sources(tmp_path), Translator(sources(tmp_path), MANIFEST))
    assert tick(sensor, instance).run_requests == []
    (tmp_path / "web").mkdir()
    for day in range(40):
        (tmp_path / "shop" / f"{day}.csv").write_text("code\n")
    (tmp_path / "web" / "1.csv").write_text("code\n")
    made = [key("marts/newest"), key("marts/sold"), key("marts/view")]
    with (tmp_path / "shop" / "39.csv").open("a") as file:  # it is still being written
        first = tick(sensor, instance)
        (request,) = first.run_requests or []
        second = tick(sensor, instance, first.cursor)
        assert second.run_requests == []
        file.write("1\n")
    third = tick(sensor, instance, second.cursor)
    (request,) = third.run_requests or []
    assert request.asset_selection == [key("staging/sales/shop"), *made]
    assert tick(sensor, instance, third.cursor).run_requests == [], "it was asked for"


@pytest.mark.unit
def test_what_was_read_is_not_read_again_and_a_file_moved_in_keeps_no_secret(
    tmp_path: Path, instance: dg.DagsterInstance, short_looks: None
) -> None:
    from orchestration.automation import inbox_sensor
    from orchestration.translator import Translator

    (tmp_path / "shop").mkdir()
    sensor = inbox_sensor(sources(tmp_path), Translator(sources(tmp_path), MANIFEST))
    (tmp_path / "shop" / "1.csv").write_text("code\n")
    elsewhere = tmp_path / "old.csv"
    elsewhere.write_text("code\n2\n")
    os.utime(elsewhere, (1_000_000_000, 1_000_000_000))
    time.sleep(0.02)
    was_read(instance)
    assert tick(sensor, instance).run_requests == []
    time.sleep(0.02)
    elsewhere.rename(tmp_path / "shop" / "2.csv")
    assert len(tick(sensor, instance).run_requests or []) == 1


@pytest.mark.unit
def test_a_file_that_grows_in_pieces_waits_though_nobody_holds_it_open(
    tmp_path: Path, instance: dg.DagsterInstance, short_looks: None
) -> None:
    from ingest import inbox

    (tmp_path / "shop").mkdir()
    watched = {source.name: source for source in sources(tmp_path) if source.name == "shop"}
    growing = threading.Event()

    def write() -> None:
        while not growing.wait(0.03):
            with (tmp_path / "shop" / "1.csv").open("a") as file:
                file.write("code\n")

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.1)
    try:
        assert inbox.watch(watched, {"shop": 0.0}, {}).growing == ["shop"]
    finally:
        growing.set()
        writer.join()
    next(iter(tmp_path.rglob("*.csv"))).with_name("gone.csv").symlink_to(tmp_path / "moved away")
    assert inbox.watch(watched, {"shop": 0.0}, {}).whole.keys() == {"shop"}


@pytest.mark.unit
def test_where_nothing_tells_of_writers_a_file_waits_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_looks: None
) -> None:
    from ingest import inbox

    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "1.csv").write_text("code\n")
    watched = {source.name: source for source in sources(tmp_path) if source.name == "shop"}
    monkeypatch.setattr(inbox, "F_SETSIG", -1)  # as where the system knows no leases
    monkeypatch.setattr(inbox, "WATCH_SECONDS", 0.15)
    assert inbox.watch(watched, {"shop": 0.0}, {}).growing == ["shop"]
    monkeypatch.setattr(inbox, "WATCH_SECONDS", 0.4)
    assert inbox.watch(watched, {"shop": 0.0}, {}).whole.keys() == {"shop"}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('schedule: "30 5 * * 1-5"', Schedule("30 5 * * 1-5", "UTC")),
        ("schedule: {cron: '0 6 * * *', timezone: Europe/London}", Schedule("0 6 * * *", "Europe/London")),
        ("timezone: Asia/Tokyo\n    schedule: '*/15 * * * *'", Schedule("*/15 * * * *", "Asia/Tokyo")),
    ],
)
def test_a_source_is_read_by_its_own_schedule(text: str, expected: Schedule, tmp_path: Path) -> None:
    from orchestration.automation import source_schedules

    found = sources(tmp_path, text)
    assert found[0].schedule == expected
    (schedule,) = source_schedules(found)
    assert (schedule.cron_schedule, schedule.execution_timezone) == (expected.cron, expected.timezone)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schedule: 6 o'clock", "sources.shop.schedule: expected a cron expression"),
        ("schedule: {cron: '0 6 * * *', timezone: Mars}", "no such time zone: 'Mars'"),
        ("schedule: {corn: '0 6 * * *'}", "unknown key `corn`; did you mean `cron`?"),
    ],
)
def test_a_wrong_schedule_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sources\.yml:5: ") as error:
        sources(tmp_path, text)
    assert message in str(error.value)


def landed_again(instance: dg.DagsterInstance, assets: Sequence[AssetKey], version: str) -> None:
    for asset in assets:
        tags = {"dagster/data_version": version, "dagster/data_version_is_user_provided": "true"}
        instance.report_runless_asset_event(dg.AssetMaterialization(asset, tags=tags))


def test_models_follow_what_landed_and_only_if_it_is_new(
    definitions: Definitions, instance: dg.DagsterInstance
) -> None:
    graph = definitions.resolve_asset_graph()
    landed = [asset for asset in graph.get_all_asset_keys() if asset.path[0] == "staging"]
    others = ("staging", "windows", "reports")
    models = [asset for asset in graph.get_all_asset_keys() if asset.path[0] not in others]
    landed_again(instance, landed, "1")
    landed_again(instance, models, "1")

    def requested(cursor: Any) -> tuple[set[AssetKey], Any]:
        result = dg.evaluate_automation_conditions(defs=definitions, instance=instance, cursor=cursor)
        return {asset for asset in models if result.get_num_requested(asset)}, result.cursor

    found, cursor = requested(None)
    assert found == set(), "what is there when it is switched on is no news"
    landed_again(instance, [key("staging/inventory/backoffice")], "1")
    found, cursor = requested(cursor)
    assert found == set(), "it was read, and nothing was new"
    landed_again(instance, [key("staging/inventory/backoffice")], "2")
    found, cursor = requested(cursor)
    assert {key("staging_views/stg_inventory"), key("metrics/metrics_products")} <= found
    found, cursor = requested(cursor)
    assert found == set(), "asked for once"


class Plan:
    """A report of two models, and what the sensors make of it."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        from orchestration.assets import DAYS
        from orchestration.automation import ReportPlan, reports_sensor
        from reports.registry import Report

        self.instance = instance
        instance.add_dynamic_partitions("day", ["2026-03-01", "2026-03-02"])
        self.check = dg.AssetCheckKey(AssetKey("a"), "right")

        @dg.asset(deps=["a", "b"], key="r", partitions_def=DAYS)
        def report() -> None: ...

        made = Report("r", "R", "", Path(), ("pdf",), "0 7 * * *", "Europe/London")
        self.plan = ReportPlan(made, report, [self.check], [AssetKey("landed")])
        self.sensor = reports_sensor([self.plan])
        self.definitions = Definitions(assets=[report], sensors=[self.sensor])

    def made(self, *assets: str, arrived: float = 0.0) -> None:
        for asset in assets:
            metadata = {"dagster/last_updated_timestamp": dg.MetadataValue.timestamp(arrived)}
            self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, metadata=metadata))

    def checked(self, passed: bool) -> None:
        evaluation = dg.AssetCheckEvaluation(
            asset_key=self.check.asset_key, check_name=self.check.name, passed=passed, metadata={}
        )
        self.instance.report_runless_asset_event(evaluation)

    def asked(self) -> list[str | None]:
        return [
            request.partition_key
            for request in tick(self.sensor, self.instance, None, self.definitions).run_requests or []
        ]

    def at_its_time(self) -> list[str | None]:
        """What is asked for at 7 o'clock in London on the next day."""
        tomorrow = (datetime.now(ZoneInfo("Europe/London")) + timedelta(days=1)).replace(hour=7, minute=0)
        request = self.plan.request(self.instance, tomorrow)
        return [request.partition_key] if isinstance(request, dg.RunRequest) else []


def test_a_report_follows_its_models_once_they_are_fresh_and_right(instance: dg.DagsterInstance) -> None:
    plan = Plan(instance)
    assert plan.asked() == [], "no model was made"
    plan.made("a")
    assert plan.asked() == []
    plan.made("landed", arrived=time.time())
    plan.made("a", "b")
    plan.checked(False)
    assert plan.asked() == [], "a check failed"
    assert plan.at_its_time() == ["2026-03-02"], "it is asked for, and its run says that it is held"
    plan.checked(True)
    assert plan.asked() == ["2026-03-02"], "the newest day"
    plan.made("r")
    assert plan.asked() == [], "it was made"
    assert plan.at_its_time() == []
    plan.made("a")
    plan.made("landed", arrived=time.time() + 1)
    assert plan.asked() == [], "rows landed that the models do not have"
    assert plan.at_its_time() == ["2026-03-02"], "the latest time has come"


@pytest.mark.unit
@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (requests.ConnectionError(), True),
        (requests.Timeout(), True),
        (ValueError(), False),
        (None, False),
    ],
)
def test_what_may_answer_the_next_time_is_told_from_what_will_not(
    cause: Exception | None, expected: bool
) -> None:
    from ingest.connectors import SourceError
    from ingest.connectors.temporary import is_temporary

    error = SourceError("no answer")
    error.__cause__ = cause
    assert is_temporary(error) is expected


@pytest.mark.unit
@pytest.mark.parametrize(
    ("ages", "passed"),
    [
        ([3, 4, 5, 6, 7, 8], True),  # daily, and three days late
        ([4, 5, 6, 7, 8, 9], False),
        ([20, 27, 34, 41, 48, 55], True),  # weekly
        ([22, 29, 36, 43, 50, 57], False),
        ([90, 91, 92], True),  # too few to say
        ([], True),
    ],
)
def test_rows_are_late_when_three_times_the_usual_gap_has_passed(ages: list[int], passed: bool) -> None:
    now = datetime.now(UTC)
    assert freshness([now - timedelta(days=age) for age in ages])[0] is passed


@pytest.mark.parametrize(
    ("rows", "passed"),
    [
        ([33, 100, 90, 110, 100, 100], False),
        ([34, 100, 90, 110, 100, 100], True),
        ([300, 100, 90, 110, 100, 100], True),
        ([301, 100, 90, 110, 100, 100], False),
        ([1, 100, 90, 110, 100], True),  # too few to say
    ],
)
def test_a_delivery_is_unusual_with_three_times_more_or_less_rows(rows: list[int], passed: bool) -> None:
    assert volume(rows)[0] is passed


@pytest.mark.parametrize(
    ("status", "expected"), [(500, True), (503, True), (429, True), (401, False), (404, False)]
)
def test_an_http_error_is_temporary_where_the_server_says_so(status: int, expected: bool) -> None:
    from ingest.connectors.temporary import is_temporary

    response = requests.Response()
    response.status_code = status
    assert is_temporary(requests.HTTPError(response=response)) is expected


# ------------------------------------------------------------------------------------------------ dagster dev


@contextmanager
def dagster_dev(home: Path, *command: str) -> Iterator[str]:
    """A real `dagster dev` or `analytics dev`; yields its address and ends all its processes."""
    port = free_port()
    process = subprocess.Popen(
        [Path(sys.executable).with_name(command[0]), *command[1:], "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"ANALYTICS_HOME": str(home)},
        stdout=(home / "dev.log").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # A shell that starts the tests in the background has interrupts ignored, which children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        yield f"http://127.0.0.1:{port}"
        children = processes_of(home)
        process.send_signal(signal.SIGTERM if command[0] == "analytics" else signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert len(children) > 2
        wait_for("the end of all processes", lambda: not processes_of(home), 30, home)
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


REPOSITORIES = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
RUNS = "{ runsOrError { ... on Runs { results { status pipelineName assetSelection { path } } } } }"
NODES = "{ assetNodes { assetKey { path } isMaterializable assetMaterializations(limit: 1) { runId } } }"
PREFERENCES = "{ shouldShowNux canBulkTerminate instance { info } }"


@pytest.fixture(scope="module")
def control_room() -> Iterator[tuple[Path, str]]:
    """A plain `dagster dev` in the root, on a home whose sources were never read; (home, address)."""
    from demo.retailer import generate

    home = make_home()
    try:
        generate(home)
        assert analytics("warehouse", "start", home=home).returncode == 0
        with dagster_dev(home, "dagster", "dev") as address:
            wait_for(
                "the code location",
                lambda: graphql(address, REPOSITORIES)["repositoriesOrError"]["nodes"],
                120,
                home,
            )
            yield home, address
    finally:
        remove_home(home)


def test_the_files_that_wait_are_read_by_themselves(control_room: tuple[Path, str]) -> None:
    home, address = control_room

    def landed() -> bool:
        query = '{ assetNodes(assetKeys: [{path: ["staging", "sales", "shop"]}]) { assetMaterializations(limit: 1) { runId } } }'
        return bool(graphql(address, query)["assetNodes"][0]["assetMaterializations"])

    wait_for("the inbox", landed, 240, home)
    runs = graphql(address, RUNS)["runsOrError"]["results"]
    of_shop = [run for run in runs if {"path": ["staging", "sales", "shop"]} in (run["assetSelection"] or [])]
    assert len(of_shop) == 1, "one run for 730 files"


def test_materialising_everything_from_the_ui_works(control_room: tuple[Path, str]) -> None:
    from demo.retailer import expected

    home, address = control_room
    repository = graphql(address, REPOSITORIES)["repositoriesOrError"]["nodes"][0]
    selector = {
        "repositoryName": repository["name"],
        "repositoryLocationName": repository["location"]["name"],
        "pipelineName": "everything",
    }
    launched = graphql(address, LAUNCH, selector=selector)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched

    def ended() -> str | None:
        status = graphql(address, RUN, id=launched["run"]["runId"])["runOrError"]["status"]
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    assert wait_for("the run", ended, 240, home) == "SUCCESS", (home / "dev.log").read_text()[-3000:]
    nodes = graphql(address, NODES)["assetNodes"]
    missing = [
        n["assetKey"]["path"] for n in nodes if n["isMaterializable"] and not n["assetMaterializations"]
    ]
    assert missing == [["windows", "desk"]], "the whole way reads on, and no day once more"
    assert select(home, "select sum(total_sales) from metrics.metrics_daily") == [(expected(home).revenue,)]
    assert list(home.glob("reports/daily/*/daily.pdf"))


BACKFILL = """
mutation ($path: [String!]!, $days: [String!]) {
  launchPartitionBackfill(backfillParams: {assetSelection: [{path: $path}], partitionNames: $days}) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""


def backfill_from_the_ui(home: Path, address: str, path: str, days: list[str]) -> None:
    launched = graphql(address, BACKFILL, path=path.split("/"), days=days)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    query = "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"

    def ended() -> str | None:
        status = graphql(address, query, id=launched["backfillId"])["partitionBackfillOrError"]["status"]
        return None if status in ("REQUESTED", "CANCELING", "FAILING") else str(status)

    assert wait_for("the backfill", ended, 240, home) == "COMPLETED_SUCCESS"


def test_a_backfill_from_the_ui_makes_the_chosen_days(control_room: tuple[Path, str]) -> None:
    home, address = control_room
    days = ["2025-03-03", "2025-03-04"]
    backfill_from_the_ui(home, address, "reports/daily", days)
    assert all((home / "reports" / "daily" / day / "daily.pdf").is_file() for day in days)


def test_days_of_an_api_are_read_once_more_from_the_ui_and_models_follow(
    control_room: tuple[Path, str],
) -> None:
    home, address = control_room
    days = ["2024-03-04", "2024-03-05"]
    file = home / "demo" / "desk" / "interactions.jsonl"
    records = [json.loads(line) for line in file.read_text().splitlines()]
    chosen = [record for record in records if record["started_at"][:10] in days]
    assert 0 < len(chosen) < 1000
    chosen[0]["duration_seconds"] = 4321  # long ago, so that reading on does not find it
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    loads = "select rows_read, rows_new, cursor_value from ops.loads where feed_name = 'interactions' order by load_id desc limit 1"
    ((_, _, cursor),) = select(home, loads)
    backfill_from_the_ui(home, address, "windows/desk", days)
    assert select(home, loads) == [(len(chosen), 1, cursor)], "it goes on where it was"
    code = chosen[0]["id"]
    fact = f"select duration from marts.fact_interactions where interaction_code = '{code}'"
    wait_for("the models", lambda: select(home, fact) == [(4321,)], 240, home)


def test_its_history_lies_in_the_home_and_nothing_asks_or_tells_the_world(
    control_room: tuple[Path, str],
) -> None:
    home, address = control_room
    assert address.startswith("http://127.0.0.1:")
    assert not list(ROOT.glob(".tmp_dagster_home_*"))
    preferences = graphql(address, PREFERENCES)
    assert preferences["shouldShowNux"] is False
    assert "telemetry:\n  enabled: false" in preferences["instance"]["info"]
    assert str(home / "dagster") in preferences["instance"]["info"]
    listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=False).stdout
    port = address.rsplit(":", 1)[1]
    assert {line.split()[3] for line in listening.splitlines() if line.split()[3].endswith(f":{port}")} <= {
        f"127.0.0.1:{port}"
    }


def test_the_lineage_page_shows_every_layer(control_room: tuple[Path, str], tmp_path: Path) -> None:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("Chromium or its driver is missing (Debian: chromium, chromium-driver)")
    _, address = control_room
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1600,1000"]:
        options.add_argument(flag)
    browser = webdriver.Chrome(options, Service(str(DRIVER)))
    try:
        browser.get(f"{address}/asset-groups")

        def layers(_: object) -> set[str]:
            shown = {element.text for element in browser.find_elements(By.CSS_SELECTOR, "svg foreignObject")}
            wanted = {"landing", "staging", "intermediate", "marts", "metrics", "ops", "reports"}
            return wanted if all(any(layer in text for text in shown) for layer in wanted) else set()

        assert WebDriverWait(browser, 60).until(layers)
        assert browser.save_screenshot(str(tmp_path / "lineage.png"))
        assert (tmp_path / "lineage.png").stat().st_size > 20_000
    finally:
        browser.quit()


def test_analytics_dev_ends_with_all_its_processes() -> None:
    home = make_home()
    try:
        with dagster_dev(home, "analytics", "dev") as address:
            wait_for("the server", lambda: graphql(address, "{ version }")["version"], 240, home)
    finally:
        remove_home(home)
