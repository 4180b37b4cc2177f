"""The names of assets: the one place that says what a landed table, a dbt node or a report is called.

Rows that a source lands are ``staging/<entity>/<source>``, a dbt node ``<schema>/<alias>``, a report
``reports/<name>``; their groups are landing, the node's layer, and reports.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import AssetKey, AssetSpec, AutomationCondition
from dagster_dbt import DagsterDbtTranslator, DbtProject

from ingest.config import Source
from orchestration import metadata

LANDING, WINDOWS, REPORTS = "landing", "windows", "reports"

# A model follows its parents. A source that was read and brought nothing new does not count as a change.
WHEN_PARENTS_CHANGED = AutomationCondition.eager().replace(
    "newly_updated", AutomationCondition.data_version_changed()
)


def landed_key(source: str, entity: str) -> AssetKey:
    """The key of the rows that a source lands for an entity."""
    return AssetKey(["staging", entity, source])


def window_key(source: str) -> AssetKey:
    """The key of the days of a source that can be read again."""
    return AssetKey([WINDOWS, source])


def report_key(report: str) -> AssetKey:
    """The key of a report."""
    return AssetKey([REPORTS, report])


def owners(owner: Mapping[str, Any] | None) -> list[str]:
    """An owner of a dbt group or exposure, as Dagster writes it."""
    email, name = ((owner or {}).get(key) for key in ("email", "name"))
    return [email] if isinstance(email, str) else [f"team:{name}"] if name else []


class Translator(DagsterDbtTranslator):
    """dbt nodes as assets. A dbt source stands for what every source of sources.yml lands there, so a model
    on it depends on those landed rows directly."""

    def __init__(self, sources: Sequence[Source], manifest: Mapping[str, Any]) -> None:
        super().__init__()
        self.sources, self.manifest = sources, manifest
        self._specs: dict[str, AssetSpec] = {}  # asked for at each event of dbt

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """``schema/alias``."""
        alias = dbt_resource_props.get("alias") or dbt_resource_props["name"]
        return AssetKey([dbt_resource_props["schema"], alias])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer: the folder below models/."""
        return str(dbt_resource_props["fqn"][1])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """The owners in the node's meta, else its group's owner."""
        given = super().get_owners(dbt_resource_props)
        return given or owners((dbt_resource_props.get("group") or {}).get("owner"))

    def get_automation_condition(self, dbt_resource_props: Mapping[str, Any]) -> AutomationCondition[Any]:
        """Built when what it reads has changed."""
        return WHEN_PARENTS_CHANGED

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """dbt's own, and where the SQL stands."""
        file = Path(dbt_resource_props["original_file_path"])
        return {**super().get_metadata(dbt_resource_props), **metadata.code(file)}

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetSpec:
        """The spec of a node, with dbt sources replaced by what is landed there."""
        if unique_id not in self._specs:
            spec = super().get_asset_spec(manifest, unique_id, project)
            tables = manifest["sources"].values()
            sources = {AssetKey([table["schema"], table["name"]]): self._landed(table) for table in tables}
            deps = [key for dep in spec.deps for key in sources.get(dep.asset_key, [dep.asset_key])]
            self._specs[unique_id] = spec.replace_attributes(deps=list(dict.fromkeys(deps)))
        return self._specs[unique_id]

    def _landed(self, dbt_source: Mapping[str, Any]) -> list[AssetKey]:
        """What lands in a dbt source: its entity's feeds; every feed writes the ledger in schema ops."""
        return [
            landed_key(source.name, feed.name)
            for source in self.sources
            for feed in source.feeds
            if dbt_source["schema"] == "ops" or feed.name == dbt_source["name"]
        ]
