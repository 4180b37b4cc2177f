"""Whether a report should go out now: is its period over, are its data there and right, does it say anything
new.

Each condition answers with a reason not to send, or None. What then happens belongs to `dispatch.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow.parquet as pq
from croniter import croniter

from reports import archive, data, figures, period, sections
from reports.archive import Manifest
from reports.delivery.compose import headline_table, of_archive
from reports.delivery.terms import Terms
from reports.errors import DataError
from reports.registry import Report

LISTED = 4


def not_over(report: Report, manifest: Manifest, now: datetime | None = None) -> str | None:
    """Days that are not over are nobody's news yet. A report on loads tells of what is there."""
    if report.about == "sales" and period_end(report, manifest.period) > (now or datetime.now(UTC)):
        return "its period is not over"
    return None


def not_fresh(
    report: Report, manifest: Manifest, read_at: Mapping[str, datetime | None], now: datetime | None = None
) -> str | None:
    """Until the latest time a report waits for all sources to be read after its period ended.

    Args:
        read_at: when each source was last read as a whole, None for never.
    """
    now = now or datetime.now(UTC)
    ended = period_end(report, manifest.period)
    if ended > now:
        return "its period is not over"
    late = [name for name, at in read_at.items() if at is None or at < ended]
    if not late or now >= latest_time(report, ended):
        return None
    return f"not read since the period ended: {', '.join(sorted(late))}"


def period_end(report: Report, key: str) -> datetime:
    """When a period ended, where the report is read."""
    after = period.parse(key).last + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(report.timezone))


def latest_time(report: Report, ended: datetime) -> datetime:
    """The first time of its schedule after its period ended; without a schedule it never waits."""
    if not report.schedule:
        return ended
    found: datetime = croniter(report.schedule, ended - timedelta(seconds=1)).get_next(datetime)
    return found


def failed_checks(report: Report) -> str | None:
    """The tests, of the models behind the report, that did not pass when they last ran."""
    found = figures.checks(report.models)
    bad = found[found["status"].isin(["fail", "error"])]["test"].drop_duplicates().tolist()
    if not bad:
        return None
    more = f" and {len(bad) - LISTED} more" if len(bad) > LISTED else ""
    return f"tests did not pass: {', '.join(bad[:LISTED])}{more}"


def nothing_to_say(report: Report, manifest: Manifest, terms: Terms) -> str | None:
    """What `when` says of an edition; `changed` is measured from the one that was last sent, if any."""
    if terms.when == "not_empty" and _is_empty(report, manifest):
        return "nothing happened in its period"
    if terms.when != "changed" or (last := last_sent(report, part_of(manifest))) is None:
        return None
    if not _has_changed(report, manifest, terms, last):
        return (
            f"no figure moved by more than {terms.change:.0%} since {last.report_id}, and no day was restated"
        )
    return None


def restated(manifest: Manifest) -> pd.DataFrame:
    """The days that an edition gives otherwise than the one sent before it: metric_date, before, now,
    difference. Empty where it does not compare."""
    file = manifest.folder / archive.RESULTS / "restated.parquet"
    return pq.read_table(file).to_pandas() if file.exists() else pd.DataFrame()


def last_sent(report: Report, part: Mapping[str, str]) -> Manifest | None:
    """The edition, of a part of the business, that was sent last; trials do not count."""
    if not data.exists("ops.deliveries"):
        return None
    rows = data.query(
        "select report_id, max(sent_at) as at from ops.deliveries"
        " where report = %(report)s and state = 'sent' and not is_trial group by 1 order by 2 desc",
        report=report.name,
    )
    for report_id in rows["report_id"]:
        if not (archive.folder() / report_id / archive.MANIFEST).is_file():
            continue
        manifest = archive.find(report_id)
        if part_of(manifest) == dict(part):
            return manifest
    return None


def part_of(manifest: Manifest) -> dict[str, str]:
    """The part of the business that an edition is of: its filters."""
    asked = {name: value for name, value in manifest.parameters.items() if name in figures.MEMBERS}
    return dict(figures.Filters(**asked).given())


def _is_empty(report: Report, manifest: Manifest) -> bool:
    if report.about == "loads":
        with of_archive(manifest, report) as edition:
            return not sections.feeds(edition).length
    return not any(value for _, value in headline_table(manifest, report))


def _has_changed(report: Report, manifest: Manifest, terms: Terms, last: Manifest) -> bool:
    if len(restated(manifest)):
        return True
    try:
        before = dict(headline_table(last, report))
    except DataError:  # it was made by code that asked other questions
        return True
    for label, now in headline_table(manifest, report):
        was = before.get(label)
        if (now is None) != (was is None):
            return True
        if now is not None and was is not None and abs(now - was) > terms.change * abs(was):
            return True
    return False
