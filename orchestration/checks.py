"""Checks of what landed, beside dbt's tests of the models: read at all, and as usual. None of them keeps the
models from the last good rows."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import dagster as dg

from ingest import observation, warehouse
from ingest.config import Source
from operations import history
from orchestration.translator import landed_key

READ = "source_was_read"
CHECKS = {READ: "The source could be read.", **observation.USUAL}


def landing_checks(sources: Sequence[Source]) -> dg.AssetChecksDefinition:
    """One step that checks all feeds. It fails where a source could not be read: the run is then a failed
    one, although its models and reports are made of the last good rows."""
    feeds = {landed_key(source.name, feed.name): source.name for source in sources for feed in source.feeds}
    specs = [
        dg.AssetCheckSpec(name, asset=key, description=text) for key in feeds for name, text in CHECKS.items()
    ]

    @dg.multi_asset_check(name="check_landing", specs=specs, can_subset=True)
    def check_landing(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        errors: dict[str, str] = {}
        with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
            for key in sorted({key.asset_key for key in context.selected_asset_check_keys}):
                if error := history.last_shown(context.instance, key).get("error", ""):
                    errors[feeds[key]] = error
                found = observation.compared_with_usual(cursor, feeds[key], key.path[1])
                found[READ] = observation.Verdict(not error, error or "The source was read.")
                for name, verdict in found.items():
                    severe = dg.AssetCheckSeverity.ERROR if name == READ else dg.AssetCheckSeverity.WARN
                    yield dg.AssetCheckResult(
                        passed=verdict.passed,
                        asset_key=key,
                        check_name=name,
                        severity=severe,
                        description=verdict.why,
                    )
        if errors:
            raise dg.Failure("; ".join(f"{source}: not landed: {error}" for source, error in errors.items()))

    return check_landing
