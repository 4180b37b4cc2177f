"""Checks of what landed, beside dbt's tests of the models: read at all, as fresh and as much as usual, of the
same shape. None of them keeps the models from the last good rows."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

import dagster as dg

from ingest import warehouse
from ingest.config import Source
from orchestration.translator import landed_key

READ, FRESH, VOLUME, SHAPE = (
    "source_was_read",
    "as_fresh_as_usual",
    "as_much_as_usual",
    "same_columns_as_before",
)
HISTORY = 28  # deliveries that say what is usual
ENOUGH = 5  # fewer say nothing
UNUSUAL = 3  # times more, or less, than the median

DELIVERIES = """
select finished_at, rows_read from ops.loads
where state = 'loaded' and rows_new > 0 and source_name = %s and feed_name = %s
order by load_id desc limit %s
"""
COLUMNS = """
select source_columns from ops.loads
where state = 'loaded' and source_columns <> '{}' and source_name = %s and feed_name = %s
order by load_id desc limit 2
"""


def landing_checks(sources: Sequence[Source]) -> dg.AssetChecksDefinition:
    """One step that checks all feeds. It fails where a source could not be read: the run is then a failed
    one, although its models and reports are made of the last good rows."""
    feeds = {
        landed_key(source.name, feed.name): (source.name, feed.name)
        for source in sources
        for feed in source.feeds
    }
    descriptions = {
        READ: "The source could be read.",
        FRESH: "New rows arrived no later than they usually do.",
        VOLUME: "The last delivery has about as many rows as those before it.",
        SHAPE: "The last delivery has the columns of the one before.",
    }
    specs = [
        dg.AssetCheckSpec(name, asset=key, description=text)
        for key in feeds
        for name, text in descriptions.items()
    ]

    @dg.multi_asset_check(name="check_landing", specs=specs, can_subset=True)
    def check_landing(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        errors: dict[str, str] = {}
        selected = {key.asset_key for key in context.selected_asset_check_keys}
        connection = warehouse.connect("reader")
        with connection, connection.cursor() as cursor:
            for key in sorted(selected):
                source, feed = feeds[key]
                event = context.instance.get_latest_materialization_event(key)
                read = event.asset_materialization if event else None
                found = read.metadata.get("error") if read else None
                if found is not None:
                    errors[source] = str(found.value)
                yield dg.AssetCheckResult(
                    passed=found is None,
                    asset_key=key,
                    check_name=READ,
                    metadata={} if found is None else {"error": found},
                )
                cursor.execute(DELIVERIES, (source, feed, HISTORY))
                deliveries = cursor.fetchall()
                yield _result(key, FRESH, *freshness([finished for finished, _ in deliveries]))
                yield _result(key, VOLUME, *volume([rows for _, rows in deliveries]))
                cursor.execute(COLUMNS, (source, feed))
                yield _result(key, SHAPE, *_shape([set(columns) for (columns,) in cursor]))
        connection.close()
        if errors:
            raise dg.Failure("; ".join(f"{source}: not landed: {error}" for source, error in errors.items()))

    return check_landing


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


def _result(key: dg.AssetKey, name: str, passed: bool, description: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=passed,
        asset_key=key,
        check_name=name,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
    )


def freshness(times: Sequence[datetime]) -> tuple[bool, str]:
    """Whether new rows are no later than usual, from the times of deliveries, newest first; and why."""
    days = sorted({time.date() for time in times})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    if len(gaps) < ENOUGH:
        return True, "Too few days with deliveries to say what is usual."
    usual, age = median(gaps), (datetime.now(UTC).date() - days[-1]).days
    return (
        age <= UNUSUAL * usual,
        f"The last new rows are {age} days old; they usually come every {usual:g} days.",
    )


def volume(rows: Sequence[int]) -> tuple[bool, str]:
    """Whether the newest delivery has about as many rows as those before it, newest first; and why."""
    if len(rows) <= ENOUGH:
        return True, "Too few deliveries to say what is usual."
    last, usual = rows[0], median(rows[1:])
    passed = usual / UNUSUAL <= last <= usual * UNUSUAL
    return passed, f"The last delivery has {last:,} rows; half of those before it have {usual:,.0f} or more."


def _shape(deliveries: Sequence[set[str]]) -> tuple[bool, str]:
    """The newest delivery's columns beside those of the one before."""
    if len(deliveries) < 2:
        return True, "There is no delivery before it."
    now, before = deliveries
    changes = [
        *(f"+ {name}" for name in sorted(now - before)),
        *(f"- {name}" for name in sorted(before - now)),
    ]
    return not changes, "; ".join(changes) or "The columns are the same."
