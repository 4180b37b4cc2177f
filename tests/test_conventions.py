"""The conventions of the project and of its models, checked on files and the manifest; no warehouse is needed."""

import base64
import re
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.cli.main import dbtRunner

from conftest import ROOT

pytestmark = pytest.mark.unit

PREFIXES = {
    "staging": r"stg_",
    "intermediate": r"int_",
    "marts": r"(dim|fact)_",
    "metrics": r"metrics_",
    "ops": r"ops_",
}
# What a layer may read: models of these layers. Only staging reads sources.
READS = {
    "staging": {"staging"},
    "intermediate": {"staging", "intermediate"},
    "marts": {"staging", "intermediate", "marts"},
    "metrics": {"intermediate", "marts", "metrics"},
    "ops": {"staging", "intermediate", "marts", "metrics", "ops"},
}
PUBLIC = {"marts", "metrics", "ops"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The parsed project."""
    home = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "profiles.example.yml", home / "profiles.yml")
    folders = ["--project-dir", str(ROOT), "--profiles-dir", str(home)]
    quietly = ["--quiet", "--no-write-json", "--log-level-file", "none", "--target-path", str(home)]
    done = dbtRunner().invoke(["parse", *quietly, *folders])
    assert done.success, done.exception
    return done.result


@pytest.fixture(scope="module")
def models(manifest: Any) -> list[Any]:
    found = [node for node in manifest.nodes.values() if node.resource_type == "model"]
    assert len(found) > 30
    return found


def layer(node: Any) -> str:
    """The folder below models/."""
    return str(node.fqn[1])


def test_orchestration_stays_thin() -> None:
    files = list((ROOT / "orchestration").rglob("*.py"))
    assert {file.stem for file in files} >= {"definitions", "assets", "automation", "translator"}
    assert sum(len(file.read_text().splitlines()) for file in files) < 600


def test_dagster_and_dbt_are_imported_where_they_belong() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for name, allowed in {"dagster": {"orchestration", "operations", "cli"}, "dbt": {"transform"}}.items():
        found = {
            package
            for package in packages
            for file in (ROOT / package).rglob("*.py")
            if re.search(rf"^\s*(from|import) {name}\b", file.read_text(), re.MULTILINE)
        }
        assert found == allowed, name


def test_a_model_lies_in_its_layer_s_folder_and_bears_its_prefix(models: list[Any]) -> None:
    for node in models:
        assert Path(node.original_file_path).parent == Path("dbt_project/models", layer(node)), node.name
        assert re.fullmatch(f"{PREFIXES[layer(node)]}[a-z_]+", node.name), node.name
        assert node.schema == {"staging": "staging_views"}.get(layer(node), layer(node)), node.name


def test_yaml_stands_beside_its_models_by_folder_or_by_model(models: list[Any]) -> None:
    for node in models:
        yaml_file = Path(node.patch_path.split("://")[1])
        by_folder = layer(node) in ("staging", "intermediate")
        assert yaml_file.parent == Path(node.original_file_path).parent, node.name
        assert yaml_file.stem == (layer(node) if by_folder else node.name), node.name


def test_every_model_and_column_is_described(manifest: Any, models: list[Any]) -> None:
    for node in models:
        assert re.match(r"[A-Z].*\. .*Key: ", node.description), f"{node.name}: what it is, and its key"
        assert node.columns, node.name
        assert all(column.description for column in node.columns.values()), node.name
    for source in manifest.sources.values():
        assert source.description, source.name
        assert all(column.description for column in source.columns.values()), source.name


def test_every_key_is_tested_or_enforced(manifest: Any, models: list[Any]) -> None:
    tested = {
        node.attached_node
        for node in manifest.nodes.values()
        if node.resource_type == "test"
        and getattr(node, "test_metadata", None)
        and node.test_metadata.name in ("primary_key", "unique")
    }
    for node in models:
        if layer(node) in ("marts", "metrics") and node.config.materialized != "view":
            assert node.unique_id in tested, f"{node.name}: its key has no test"
        elif layer(node) == "intermediate" and node.config.materialized != "view":
            unique = any(index.get("unique") for index in node.config.get("indexes") or [])
            assert unique or node.unique_id in tested or "_movements" in node.name, node.name


def test_no_layer_is_skipped(manifest: Any, models: list[Any]) -> None:
    nodes = manifest.nodes
    for node in models:
        for parent in node.depends_on.nodes:
            if parent.startswith("source."):
                assert layer(node) == "staging", f"{node.name} reads a source"
            else:
                assert layer(nodes[parent]) in READS[layer(node)], f"{node.name} reads {parent}"


def test_public_models_have_contracts_and_only_they(models: list[Any]) -> None:
    for node in models:
        public = layer(node) in PUBLIC
        assert node.group == "warehouse", node.name
        assert node.access == ("public" if public else "private"), node.name
        assert node.contract.enforced == public, node.name
        if public:
            assert all(column.data_type for column in node.columns.values()), node.name


def test_exposures_stand_on_public_models_only(manifest: Any) -> None:
    assert manifest.exposures
    for exposure in manifest.exposures.values():
        assert exposure.description, exposure.name
        assert exposure.depends_on.nodes, exposure.name
        for parent in exposure.depends_on.nodes:
            assert manifest.nodes[parent].access == "public", f"{exposure.name} reads {parent}"


def test_tests_bear_names_that_a_person_understands(manifest: Any) -> None:
    """A failing build shows little more than the test's name."""
    for node in manifest.nodes.values():
        if node.resource_type == "test" and len(node.name) > 63:
            assert re.match(r"(primary_key|accepted_values|relationships)_", node.name), node.name


def test_the_overview_shows_the_flow_of_the_data(manifest: Any) -> None:
    """The picture stands inside the page, which must work without a network."""
    (overview,) = (
        doc
        for doc in manifest.docs.values()
        if doc.name == "__overview__" and "simple_analytics" in doc.unique_id
    )
    picture = re.search(r"data:image/svg\+xml;base64,([\w+/=]+)", overview.block_contents)
    assert picture
    same = base64.b64decode(picture[1]) == (ROOT / "docs" / "flow.svg").read_bytes()
    assert same, "encode docs/flow.svg anew into dbt_project/models/overview.md: base64 -w0 docs/flow.svg"


# Forms of Postgres that Spark does not know (DESIGN section 8); a macro postgres__… may use them.
FORBIDDEN = {
    "a cast by ::": r"::",
    "lateral": r"\blateral\b",
    "generate_series": r"\bgenerate_series\b",
    "distinct on": r"\bdistinct\s+on\b",
    "to_char": r"\bto_char\b",
    "a match by ~": r"[^~|]\s~\*?\s+'",
    "JSON by ->>": r"->>",
    "extract(dow or epoch)": r"extract\s*\(\s*(dow|epoch|isoyear|isodow|week)\b",
    "a comparison of rows": r"\(\w[\w.]*(,\s*\w[\w.]*)+\)\s*[<>]",
    "now()": r"\bnow\(\)",
}


def test_no_form_that_only_postgres_knows_stands_outside_its_macros() -> None:
    files = [f for f in (ROOT / "dbt_project").rglob("*.sql") if f.name != "holidays.sql"]
    assert len(files) > 40
    for file in files:
        sql = re.sub(r"\{%-? macro postgres__.*?endmacro -?%\}", "", file.read_text(), flags=re.DOTALL)
        sql = re.sub(r"\{#.*?#\}|--[^\n]*|\{%.*?%\}|\{\{.*?\}\}", " ", sql, flags=re.DOTALL)
        for what, form in FORBIDDEN.items():
            assert not re.search(form, sql, re.IGNORECASE), f"{file.relative_to(ROOT)}: {what}"


def test_no_file_uses_an_old_form_of_dbt_s_yaml() -> None:
    """On Postgres dbt is silent about most of them."""
    files = list((ROOT / "dbt_project").rglob("*.yml"))
    assert files
    for file in files:
        content = yaml.safe_load(file.read_text())
        assert "version" not in content, file
        for keys in _mappings(content):
            assert "tests" not in keys, f"{file}: data_tests instead of tests"
            if "name" in keys and "columns" in keys:
                old = {"meta", "tags", "access", "group", "freshness", "docs"} & set(keys)
                assert not old, f"{file}: {old} belong under config"
            for test in keys.get("data_tests", []):
                settings = next(iter(test.values())) if isinstance(test, dict) else {}
                assert set(settings) <= {"arguments", "config", "name", "description"}, f"{file}: {test}"


def _mappings(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    children: Sequence[Any] = (
        list(content.values()) if isinstance(content, dict) else content if isinstance(content, list) else []
    )
    for child in children:
        yield from _mappings(child)
