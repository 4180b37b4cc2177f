"""Jobs of Dagster's, run in this process by a command: in the same history as those that the UI starts."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dagster import AssetKey, AssetsDefinition, DagsterInstance
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from dagster_dbt import build_dbt_asset_selection

from operations import housekeeping
from operations.home import use_home
from orchestration.definitions import defs

ANY = "__ASSET_JOB"  # Dagster's own job, of which any assets can be run


@dataclass(frozen=True)
class Done:
    """Whether a run succeeded, and the steps that failed, each with the first line of its error."""

    succeeded: bool
    failures: Sequence[tuple[str, str]]

    @property
    def was_interrupted(self) -> bool:
        """Whether somebody wanted it to stop."""
        return any(error == housekeeping.INTERRUPTED for _, error in self.failures)


def run(
    name: str,
    assets: Sequence[AssetKey] | None = None,
    *,
    partitions: tuple[str, str] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Done:
    """Run a job in this process, whole or some assets of it, or of these the partitions from one to another.
    Who should know of a failure is told."""
    use_home()
    first, last = partitions or (None, None)
    a_range = {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}
    with DagsterInstance.get() as instance, _no_longer_than(instance.run_monitoring_max_runtime_seconds):
        housekeeping.end_dead_runs(instance)
        result = defs.resolve_job_def(name).execute_in_process(
            run_config={"loggers": {"console": {}}, **(config or {})},
            instance=instance,
            raise_on_error=False,
            asset_selection=assets or None,
            partition_key=first if first == last else None,
            tags={tag: day for tag, day in a_range.items() if day and first != last},
        )
        done = Done(result.success, housekeeping.failed_steps(instance, result.dagster_run))
        if not done.succeeded and not done.was_interrupted:
            housekeeping.tell_of_failures(instance)
    return done


def models(select: str) -> Sequence[AssetKey]:
    """The assets of the models that a selection of dbt's names."""
    assets = [asset for asset in defs.assets or () if isinstance(asset, AssetsDefinition)]
    built = [asset for asset in assets if asset.node_def.name == "dbt_build"]
    return list(build_dbt_asset_selection(built, dbt_select=select).resolve(defs.resolve_asset_graph()))


def days(key: AssetKey) -> tuple[Sequence[str], set[str]]:
    """The days that an asset can be made for, and those for which it was made."""
    use_home()
    partitions = defs.resolve_asset_graph().get(key).partitions_def
    assert partitions is not None
    with DagsterInstance.get() as instance:
        known = partitions.get_partition_keys(dynamic_partitions_store=instance)
        return known, instance.get_materialized_partitions(key)


def spans(wanted: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """Days that follow each other, as the first and the last of each stretch."""
    positions = {day: position for position, day in enumerate(known)}
    found: list[tuple[str, str]] = []
    for day in wanted:
        if found and positions[day] == positions[found[-1][1]] + 1:
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    return found


@contextmanager
def _no_longer_than(seconds: int) -> Iterator[None]:
    """Interrupt what takes longer; 0 is no limit. Dagster's daemon does so for the runs that it starts."""

    def too_long(*_: object) -> None:
        # An exception might be swallowed by whoever is at work; Dagster looks for interrupts at safe places.
        sys.stderr.write(f"The run takes longer than {seconds} s, the max_runtime_seconds of dagster.yaml\n")
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
