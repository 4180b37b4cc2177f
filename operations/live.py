"""New files on their way to open dashboards: what is made at once, and which runs go first."""

import os
from collections.abc import Sequence

import dagster as dg

from ingest.config import Source

# The tags of runs by new files, and of reports that follow them by themselves, one at a time (dagster.yaml).
FIRST, LAST = {"dagster/priority": "1"}, {"analytics/makes": "report"}
NICENESS = 10


def on_the_way(
    sources: Sequence[Source],
    landing: Sequence[dg.AssetsDefinition],
    models: dg.AssetsDefinition,
    shown: Sequence[dg.AssetKey],
) -> dict[str, list[dg.AssetKey]]:
    """By source what it lands and the models between that and some which are shown."""
    found = {}
    for source, rows in zip(sources, landing, strict=True):
        landed = dg.AssetSelection.assets(rows)
        between = landed.downstream() & dg.AssetSelection.assets(*shown).upstream()
        found[source.name] = sorted((landed | between).resolve([*landing, models]))
    return found


def give_way(run: dg.DagsterRun) -> None:
    """Let others have the processor first, if a run, which has this process for itself, is to be `LAST`."""
    if LAST.items() <= run.tags.items():
        os.nice(NICENESS)
