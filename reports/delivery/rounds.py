"""A round of delivery: all that is due, be it a report that waited, a letter not taken, or an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from reports.delivery import recipients, smtp
from reports.errors import ReportError
from reports.registry import Report

if TYPE_CHECKING:  # it draws charts, and takes a second to load
    from reports.delivery.dispatch import Dispatched

SHOWN = 100  # deliveries of a report in a table


@dataclass
class Round:
    """What came of it: of reports that waited, in words of the rest, and what went wrong."""

    reports: "dict[str, Dispatched]" = field(default_factory=dict)
    words: str = ""
    errors: list[str] = field(default_factory=list)


def not_set_up() -> str | None:
    """Why nothing can be sent by this installation, if so."""
    if smtp.settings() is None and not recipients.file().exists():
        return "there is no mail server and no recipient (docs/delivery.md)"
    return None


def is_due(reports: Sequence[Report], read_at: Mapping[str, datetime | None]) -> str | None:
    """What is due, in words; None for nothing."""
    from reports.delivery import alerts, dispatch, outbox

    due = [report.name for report in reports if report.delivery and dispatch.is_due(report, read_at)]
    return ", ".join(due) or ("letters or alerts" if outbox.is_due() or alerts.are_due() else None)


def deliver(reports: Sequence[Report], read_at: Mapping[str, datetime | None]) -> Round:
    """Send what is due. A report with a mistake in its terms or recipients does not stop the others."""
    from reports import archive
    from reports.delivery import alerts, dispatch, sending

    done = Round()
    for report in reports:
        try:
            if not dispatch.is_due(report, read_at) or not (newest := dispatch.newest(report)):
                continue
            found = dispatch.consider(report, archive.find(newest.report_id), read_at)
        except ReportError as error:
            done.errors.append(f"{report.name}: {error}")
            continue
        if found.deliveries or found.problems:
            done.reports[report.name] = found
    sending.send_everything_due()
    told = alerts.tell()
    states = ", ".join(f"{number} {state}" for state, number in sending.send_everything_due().states.items())
    done.words = f"{len(told)} alerts; letters: {states or 'none is due'}"
    return done


def as_table(found: "Dispatched") -> str:
    """The deliveries of a report as a table of Markdown."""
    rows = [
        f"| {row.recipient} | {row.channel} | {row.state} | {row.sent_at or row.due_at:%Y-%m-%d %H:%M} |"
        f" {(row.error or '').replace('|', '/')} |"
        for row in found.deliveries[:SHOWN]
    ]
    head = "| recipient | channel | state | when (UTC) | error |\n|---|---|---|---|---|"
    return "\n".join([head, *rows])
