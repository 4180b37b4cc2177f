"""New files on their way to open dashboards: what is made at once, and which runs go first."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

# The tags of runs by new files, and of reports that follow them by themselves, one at a time (dagster.yaml).
FIRST, LAST = {"dagster/priority": "1"}, {"analytics/makes": "report"}
NICENESS = 10


def on_the_way(manifest: Mapping[str, Any], tables: Collection[str]) -> list[dict[str, Any]]:
    """The models between some landed tables and the dashboards, as dbt's manifest has them, and what tells
    from the ledger how far they are to read."""
    sources, children = manifest["sources"].items(), manifest["child_map"]
    landed = [id_ for id_, node in sources if node["schema"] == "staging" and node["name"] in tables]
    ledger = {child for id_, node in sources if node["schema"] == "ops" for child in children.get(id_, ())}
    pages = [id_ for id_, exposure in manifest["exposures"].items() if exposure["type"] == "dashboard"]
    between = (_reached(landed, children) | ledger) & _reached(pages, manifest["parent_map"])
    nodes = [node for id_ in sorted(between) if (node := manifest["nodes"].get(id_))]
    return [node for node in nodes if node["resource_type"] == "model"]


def _reached(start: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [*start]
    while waiting:
        if (one := waiting.pop()) not in found:
            found.add(one)
            waiting += edges.get(one, ())
    return found


def give_way(run: dg.DagsterRun) -> None:
    """Let others have the processor first, if a run, which has this process for itself, is to be `LAST`."""
    if LAST.items() <= run.tags.items():
        os.nice(NICENESS)
