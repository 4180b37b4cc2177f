"""What is wrong at the moment, and whose it is: figures beyond a bound or unlike those before, sources that
are late, tests that fail, rows that were rejected, deliveries that did not arrive.

Each finding has a key, under which it is the same tomorrow, and a state, by which it is seen to have changed.
Who was told what belongs to `alerts.py`. Owners and bounds stand in `meta` of models, metrics and sources:

    config: {meta: {owner: Analytics engineering}}       of a model, or of a source of dbt
    config: {meta: {alert: {below: 1000}}}               of a metric: of the newest day that is over
    meta: {owner: Shop operations, max_rejected_share: 0.02}     of a source in sources.yml
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ingest.config import Source, load_sources
from reports import metrics, notation
from reports.data import exists, query
from reports.errors import ReportError
from reports.metrics import Metric
from reports.sections import kind_of
from reports.tables import write

BOUNDS = ("below", "above")
NEWS = 2  # days in which the newest judged day is news
MARKS = {
    "low": "lower than",
    "high": "higher than",
    "step up": "a lasting step up from",
    "step down": "a lasting step down from",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `condition` picks the rejected rows that go to the owner as a workbook."""

    key: str
    title: str
    state: str
    owner: str | None = None
    detail: str = ""
    condition: tuple[str, tuple[Any, ...]] | None = None


@dataclass(frozen=True)
class Meta:
    """What the YAML of the models says: owners by model, bounds by metric, freshness by landed table."""

    folder: Path = metrics.MODELS

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        """The YAML files of the models."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        files = sorted(self.folder.rglob("*.yml"))
        return [yaml.load(file.read_text(encoding="utf-8"), loader) or {} for file in files]

    def owner_of(self, model: str) -> str | None:
        """Who answers for a model."""
        return next(
            (_meta(entry).get("owner") for entry in self._all("models") if entry["name"] == model), None
        )

    def metrics(self) -> Iterator[tuple[Metric, str | None]]:
        """The metrics, and the owner of each: its own, or its model's."""
        for metric in metrics.known(self.folder).values():
            yield metric, _meta(metric.definition).get("owner") or self.owner_of(metric.model)

    def freshness(self) -> dict[str, tuple[timedelta | None, timedelta | None, str | None]]:
        """For each landed table after how long it is late, after how long far too late, and its owner."""
        found = {}
        for source in self._all("sources"):
            for table in source.get("tables", ()):
                config = table.get("config") or {}
                limits = config.get("freshness") or {}
                after = (_age(limits.get("warn_after")), _age(limits.get("error_after")))
                found[table["name"]] = (*after, _meta(table).get("owner") or _meta(source).get("owner"))
        return found

    def _all(self, kind: str) -> Iterator[dict[str, Any]]:
        for entry in self.entries:
            yield from entry.get(kind) or ()


def all_findings(meta: Meta | None = None, now: datetime | None = None) -> list[Finding]:
    """Everything that is wrong at the moment.

    Raises:
        ReportError: a bound in the YAML is not written as it should be.
    """
    meta = meta or Meta()
    now = now or datetime.now(UTC)
    sources = load_sources()
    found = [*_thresholds(meta, now), *_anomalies(meta, now), *_stale(meta, sources, now)]
    found += [*_tests(meta), *_rejects(sources), *_deliveries()]
    return found


# ------------------------------------------------------------------------------------------ figures


def _thresholds(meta: Meta, now: datetime) -> Iterator[Finding]:
    for metric, owner in meta.metrics():
        bounds = _meta(metric.definition).get("alert")
        if bounds is None:
            continue
        if not (
            isinstance(bounds, dict)
            and bounds
            and set(bounds) <= set(BOUNDS)
            and all(isinstance(limit, int | float) for limit in bounds.values())
        ):
            raise ReportError(
                f"the metric {metric.name}: `alert` is written as {{below: 100}} or {{above: 5}}"
            )
        newest = _newest(metric.name, now)
        if newest is None:
            continue
        day, value = newest
        for bound, limit in bounds.items():
            if value < limit if bound == "below" else value > limit:
                yield Finding(
                    f"threshold:{metric.name}:{bound}",
                    f"{metric.label} is {bound} {_written(limit, metric)}",
                    f"{bound} {limit}",
                    owner,
                    f"{notation.weekday_and_day(day)}: {_written(value, metric)}",
                )


def _newest(metric: str, now: datetime) -> tuple[date, float] | None:
    """The value of a metric on the newest day that is over."""
    if exists("metrics.metrics_values"):
        sql = (
            "select period as day, value from metrics.metrics_values where metric = %(metric)s"
            " and grain = 'day' and dimension = 'total' and period < %(today)s order by period desc limit 1"
        )
    elif exists("metrics.metrics_daily"):
        sql = (
            "select metric_date as day, (to_jsonb(daily) ->> %(metric)s)::float as value"
            " from metrics.metrics_daily as daily where metric_date < %(today)s order by 1 desc limit 1"
        )
    else:
        return None
    for row in query(sql, metric=metric, today=now.date()).dropna().to_dict("records"):
        return row["day"].date(), float(row["value"])
    return None


def _anomalies(meta: Meta, now: datetime) -> Iterator[Finding]:
    """What was unlike the days before, on the newest days that were judged: older ones are no news."""
    if not exists("metrics.metrics_anomalies"):
        return
    known = {metric.name: (metric, owner) for metric, owner in meta.metrics()}
    found = query(
        """
        select metric, metric_date, dimension, dimension_value, value, expected, verdict
        from metrics.metrics_anomalies
        where verdict in ('low', 'high', 'step up', 'step down') and metric_date < %(today)s
            and metric_date > (
                select max(metric_date) from metrics.metrics_anomalies where metric_date < %(today)s
            ) - %(news)s
        order by metric, dimension, dimension_value, metric_date
        """,
        today=now.date(),
        news=NEWS,
    )
    newest = found.drop_duplicates(["metric", "dimension", "dimension_value"], keep="last")
    for row in newest.to_dict("records"):
        if row["metric"] not in known:  # its YAML is gone, and the next build takes it out
            continue
        metric, owner = known[row["metric"]]
        beside = f"{MARKS[row['verdict']]} the {_written(row['expected'], metric)} expected"
        where = "" if row["dimension"] == "total" else f" of {row['dimension_value']}"
        day = notation.weekday_and_day(row["metric_date"])
        yield Finding(
            f"anomaly:{row['metric']}:{row['dimension']}:{row['dimension_value']}",
            f"{metric.label}{where} is unusual",
            f"{row['metric_date']:%Y-%m-%d} {row['verdict']}",
            owner,
            f"{day}: {_written(row['value'], metric)}, {beside}",
        )


# ------------------------------------------------------------------------------------------ data


def _stale(meta: Meta, sources: Mapping[str, Source], now: datetime) -> Iterator[Finding]:
    if not exists("ops.loads"):
        return
    limits = meta.freshness()
    found = query(
        "select source_name, feed_name, entity, max(finished_at) as newest from ops.loads"
        " where state = 'loaded' and rows_new > 0 group by 1, 2, 3 order by 1, 2"
    )
    for row in found.to_dict("records"):
        warn, error, owner = limits.get(row["entity"], (None, None, None))
        age = pd.Timestamp(now).tz_convert(None) - row["newest"]
        late = error is not None and age > error
        if not late and (warn is None or age <= warn):
            continue
        yield Finding(
            f"stale:{row['source_name']}.{row['feed_name']}",
            f"{row['source_name']}.{row['feed_name']} brings nothing new",
            "far too late" if late else "late",
            _owner(sources, row["source_name"]) or owner,
            f"its newest rows came {age.days} days ago, {notation.moment(row['newest'])}",
        )


def _tests(meta: Meta) -> Iterator[Finding]:
    if not exists("ops.test_results"):
        return
    found = query(
        "select test_name, model_name, status, failures, message from ops.test_results"
        " where status in ('fail', 'error') order by model_name, test_name"
    )
    for row in found.to_dict("records"):
        yield Finding(
            f"test:{row['model_name']}:{row['test_name']}",
            f"The test {row['test_name']} of {row['model_name']} does not pass",
            f"{row['status']} {row['failures']}",
            meta.owner_of(row["model_name"]),
            row["message"] or row["status"],
        )


def _rejects(sources: Mapping[str, Source]) -> Iterator[Finding]:
    """Files with too large a share of rejected rows; for an owner who is named, with any that is open."""
    if not exists("ops.rejected_rows"):
        return
    found = query(
        """
        with newest as (
            select distinct on (source_name, feed_name)
                source_name, feed_name, source_file, load_id, rows_read, rows_rejected
            from ops.loads
            where state = 'loaded' and rows_read > 0
            order by source_name, feed_name, load_id desc
        ),

        waiting as (
            select
                source_name, feed_name, count(*) as rows, count(distinct source_file) as files,
                max(rejection_id) as newest_rejection
            from ops.rejected_rows
            where state = 'open'
            group by source_name, feed_name
        )

        select newest.*, waiting.rows, waiting.files, waiting.newest_rejection
        from newest
        join waiting using (source_name, feed_name)
        order by source_name, feed_name
        """
    )
    for row in found.to_dict("records"):
        source = sources.get(row["source_name"])
        named = _owner(sources, row["source_name"])
        share = row["rows_rejected"] / row["rows_read"]
        too_many = share > (source.meta.max_rejected_share if source else 0.05)
        if not too_many and not named:
            continue
        feed = f"{row['source_name']}.{row['feed_name']}"
        file = Path(str(row["source_file"])).name
        newest = f"{notation.share(share)} of the newest delivery" if too_many else "newest delivery"
        yield Finding(
            f"rejects:{feed}",
            f"{notation.count(row['rows'])} {'row' if row['rows'] == 1 else 'rows'} of {feed} rejected",
            f"{row['newest_rejection']} {'too many' if too_many else 'some'}",
            named,
            f"{newest}, {file}. The workbook has the rows: mend them there and send it back",
            ("source_name = %s and feed_name = %s", (row["source_name"], row["feed_name"])),
        )


def _deliveries() -> Iterator[Finding]:
    """Letters that did not, or may not have, reached somebody; those about alerts themselves are not told."""
    if not exists("ops.deliveries"):
        return
    found = query(
        "select delivery_id, subject, recipient, state, error, owner from ops.deliveries"
        " where state in ('failed', 'unknown', 'held') and report <> 'alerts' and not is_trial"
        " order by position"
    )
    words = {"failed": "was not delivered", "unknown": "may not have been delivered", "held": "is held"}
    for row in found.to_dict("records"):
        mend = " --force" if row["state"] == "unknown" else ""
        yield Finding(
            f"delivery:{row['delivery_id']}",
            f"“{row['subject']}” to {row['recipient']} {words[row['state']]}",
            row["state"],
            row["owner"],
            f"{row['error']}; analytics deliveries retry {row['delivery_id']}{mend}, or cancel",
        )


# ------------------------------------------------------------------------------------------ helpers


def _meta(entry: Mapping[str, Any]) -> dict[str, Any]:
    return (entry.get("config") or {}).get("meta") or entry.get("meta") or {}


def _owner(sources: Mapping[str, Source], name: str) -> str | None:
    return sources[name].meta.owner if name in sources else None


def _age(limit: Mapping[str, Any] | None) -> timedelta | None:
    return timedelta(**{f"{limit['period']}s": limit["count"]}) if limit else None


def _written(value: float, metric: Metric) -> str:
    return write(value, kind_of(metric, [value]))


def keys(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Findings by their keys."""
    return {finding.key: finding for finding in findings}
