"""The run history asked: when an asset was made and what its page shows, which checks failed, what runs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES


def made_at(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> dict[dg.AssetKey, float]:
    """When each asset was last made; those never made are left out."""
    return {
        record.asset_entry.asset_key: entry.timestamp
        for record in instance.get_asset_records(keys)
        if (entry := record.asset_entry.last_materialization)
    }


def last_shown(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, Any]:
    """What the page of an asset shows of the last time that it was made; nothing where it never was."""
    event = instance.get_latest_materialization_event(key)
    shown = event.asset_materialization.metadata if event and event.asset_materialization else {}
    return {name: value.value for name, value in shown.items()}


def looked_at(instance: dg.DagsterInstance, key: dg.AssetKey) -> float:
    """When the source of landed rows was last read; 0 where it never was."""
    return float(last_shown(instance, key).get("looked_at", 0.0))


def last_updated(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> float:
    """When new rows last came to any of some assets."""
    found = (last_shown(instance, key).get("dagster/last_updated_timestamp", 0.0) for key in keys)
    return max(found, default=0.0)


def newest_parent(
    instance: dg.DagsterInstance, key: dg.AssetKey, parents: Sequence[dg.AssetKey]
) -> float | None:
    """When the parents of an asset last changed since it was made; None where none did, or one is missing."""
    times = made_at(instance, [*parents, key])
    newest = max((times.get(parent, 0.0) for parent in parents), default=0.0)
    missing = any(parent not in times for parent in parents)
    return None if missing or newest <= times.get(key, 0.0) else newest


def failed_checks(instance: dg.DagsterInstance, keys: Collection[dg.AssetCheckKey]) -> list[str]:
    """Those of some checks whose last result is a failure that blocks, as ``check of asset``."""
    found = []
    for key, record in instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys)).items():
        evaluation = record.evaluation
        if not isinstance(evaluation, dg.AssetCheckEvaluation):  # planned by a run that was interrupted
            continue
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR:
            found.append(f"{key.name} of {key.asset_key.to_user_string()}")
    return sorted(found)


def is_running(instance: dg.DagsterInstance, job: str | None = None) -> bool:
    """Whether a job, or any, is queued or in progress."""
    return bool(instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=IN_PROGRESS_RUN_STATUSES)))


def unsettled(
    instance: dg.DagsterInstance,
    parents: Sequence[dg.AssetKey],
    blocking: Collection[dg.AssetCheckKey],
    landed: Sequence[dg.AssetKey],
) -> str | None:
    """What an asset made of some parents, which were all made, should wait for: their checks, a run, or rows
    that landed after them."""
    if failed := failed_checks(instance, blocking):
        return f"checks failed: {', '.join(failed)}"
    if is_running(instance):
        return "runs are in progress"
    late = last_updated(instance, landed) > min(made_at(instance, parents).values())
    return "rows landed that the models do not have" if late else None


def set_partitions(instance: dg.DagsterInstance, name: str, wanted: Sequence[str]) -> None:
    """Make these the partitions of a name, in their order."""
    known = instance.get_dynamic_partitions(name)
    if known != wanted[: len(known)]:  # an older one came
        for partition in known:
            instance.delete_dynamic_partition(name, partition)
        known = []
    if new := wanted[len(known) :]:
        instance.add_dynamic_partitions(name, new)
