"""From a finished report to the rows of the outbox, and on: to its group, to one address, or each store's
part to those who run the store."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2

from ingest import warehouse
from reports import archive, data
from reports.archive import Manifest
from reports.delivery import compose, conditions, outbox, recipients, sending, smtp
from reports.delivery.letter import Letter
from reports.delivery.outbox import Consignment, Delivery
from reports.delivery.recipients import EVERYTHING, Recipient, Recipients
from reports.delivery.terms import Terms
from reports.errors import ReportError, ReportUsageError
from reports.registry import Report
from reports.render import render_report

RECENT = 50  # runs of a report among which the newest period is
DONE = ("queued", "sending", "sent", "failed", "unknown", "cancelled")


@dataclass
class Dispatched:
    """What came of a report: its rows in the outbox as they are now; why nothing was sent, if so; what a
    person should mend."""

    deliveries: list[Delivery] = field(default_factory=list)
    waiting: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """It in a few words: 5 sent, 1 failed."""
        counts = [(state, sum(d.state == state for d in self.deliveries)) for state in (*DONE, "held")]
        said = ", ".join(f"{count} {state}" for state, count in counts if count)
        return "; ".join(filter(None, [said, self.waiting])) or "nothing to send"

    @property
    def is_bad(self) -> bool:
        """Whether somebody should look at it."""
        bad = ("failed", "unknown", "held")
        return bool(self.problems) or any(row.state in bad for row in self.deliveries)


def send(report: Report, manifest: Manifest, *, only_to: str = "", force: bool = False) -> Dispatched:
    """Send a report that was just made, because a person said so: the period may be any, and sources are not
    waited for. To the group of its exposure, or to one address as a trial.

    Raises:
        ReportUsageError: the report has no terms of delivery, or the recipients are wrong.
    """
    counter = _Counter(report, _terms(report), recipients.load())
    for part, members in counter.parts(manifest, only_to):
        if edition := counter.edition_of(manifest, part):
            counter.queue(edition, members, trial=bool(only_to), force=force)
    return counter.sent()


def consider(
    report: Report,
    manifest: Manifest,
    read_at: Mapping[str, datetime | None],
    now: datetime | None = None,
    is_old_news: bool = False,
) -> Dispatched:
    """Send a report by itself: once for each period, when its period is over, its data are there and right,
    and it has something to say. Unless `is_old_news`, only the newest period is news."""
    terms, people = report.delivery, recipients.load()
    if terms is None or not people.groups:
        return Dispatched(waiting="it has no recipients")
    if conditions.part_of(manifest):
        return Dispatched(waiting="an edition of a part is sent only when asked for")
    if reason := conditions.not_over(report, manifest, now):
        return Dispatched(waiting=reason)
    last = newest(report, now)
    if last and last.last_day > manifest.last_day and not is_old_news:
        return Dispatched(waiting=f"a newer period was made: {last.period}")
    if terms.after_load and (reason := conditions.not_fresh(report, manifest, read_at, now)):
        return Dispatched(waiting=reason)
    counter = _Counter(report, terms, people)
    for part, members in counter.parts(manifest):
        counter.consider(manifest, part, members)
    return counter.sent()


def is_due(report: Report, read_at: Mapping[str, datetime | None], now: datetime | None = None) -> bool:
    """Whether the newest edition of a report may be sent by itself and was not: its period is over, its data
    are there, and nothing in the outbox says what became of it, but for a hold whose reason is gone."""
    if report.delivery is None or not recipients.load().groups:
        return False
    if (manifest := newest(report, now)) is None:
        return False
    if report.delivery.after_load and conditions.not_fresh(report, manifest, read_at, now):
        return False
    with outbox.opened() as box:
        rows = box.of_period(report.name, manifest.period)
    if any(row.state == "held" for row in rows):
        return conditions.failed_checks(report) is None
    return not rows


def preview(report: Report, manifest: Manifest, *, only_to: str = "") -> list[Path]:
    """Write what would be sent, as .eml files beside the report: one, of a burst report one for each store.
    Nothing is sent or noted.

    Raises:
        ReportUsageError: the report has no terms of delivery, or the recipients are wrong.
    """
    counter = _Counter(report, _terms(report), recipients.load())
    settings = smtp.settings()
    sender = settings.sender if settings else report.owner or "analytics@localhost"
    files = []
    for part, members in counter.parts(manifest, only_to):
        if (edition := counter.edition_of(manifest, part)) is None:
            continue
        to = next((member for member in members if member.channel == "smtp"), Recipient("smtp", sender))
        name = f"{report.name}.eml" if part == EVERYTHING else f"{report.name}-{slug(part)}.eml"
        file = warehouse.home() / "reports" / report.name / manifest.period / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(counter.letter(edition).mail(sender, to.address, to.name, "preview"))
        files.append(file)
    if counter.found.problems:
        raise ReportError("; ".join(counter.found.problems))
    return files


def newest(report: Report, now: datetime | None = None) -> Manifest | None:
    """Of the newest period that is over, the edition of all business that was made last."""
    if not data.exists("ops.report_runs"):
        return None
    found = data.query(
        "select report_id from ops.report_runs where report = %(report)s and state = 'finished'"
        " and not parameters ?| array['store', 'category', 'channel', 'segment']"
        " order by finished_at desc limit %(recent)s",
        report=report.name,
        recent=RECENT,
    )
    made = [
        archive.find(report_id)
        for report_id in found["report_id"].drop_duplicates()
        if (archive.folder() / report_id / archive.MANIFEST).is_file()
    ]
    over = [manifest for manifest in made if not conditions.not_over(report, manifest, now)]
    return max(over, key=lambda manifest: (manifest.last_day, manifest.made_at), default=None)


def slug(name: str) -> str:
    """A name as a part of a file's name."""
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in name.lower()).strip("-") or "part"


# ------------------------------------------------------------------------------------------ helpers


def _terms(report: Report) -> Terms:
    if report.delivery is None:
        raise ReportUsageError(
            f"the exposure {report.name} says nothing of `delivery`; see reports/recipients.example.yml and "
            "docs/delivery.md"
        )
    return report.delivery


class _Counter:
    """One report over the counter: who gets which part of it, and what was done for whom."""

    def __init__(self, report: Report, terms: Terms, people: Recipients) -> None:
        self.report, self.terms, self.people = report, terms, people
        self.found = Dispatched()
        self._to_queue: list[Callable[[Any], list[Delivery]]] = []

    def parts(self, manifest: Manifest, only_to: str = "") -> list[tuple[str, Sequence[Recipient]]]:
        """Who gets which part: `EVERYTHING`, or a store by its own name. Who is named by a store that is not
        known, and a store that nobody gets, are problems, but not of the others."""
        if only_to:
            return [(EVERYTHING, (self.people.one(only_to),))]
        if not self.people.groups:
            raise ReportUsageError(
                f"{self.people.file} is missing: copy reports/recipients.example.yml there and say who gets "
                "what"
            )
        parts = self.people.parts(self.terms.to)
        by_store = {key: members for key, members in parts.items() if key != EVERYTHING}
        if by_store and not self.terms.burst_by:
            raise ReportUsageError(
                f"{self.people.file}: the group {self.terms.to} is by store, and {self.report.name} is not "
                "sent by store"
            )
        whole = parts.get(EVERYTHING, ())
        stores = self._by_store(by_store) if by_store else {}
        if given := conditions.part_of(manifest).get("store"):
            # It was asked for as a part, and goes as it is to those whose part it is.
            return [(EVERYTHING, recipients.unique([*stores.get(given, ()), *whole]))]
        return [*([(EVERYTHING, whole)] if whole else []), *stores.items()]

    def _by_store(self, by_key: Mapping[str, Sequence[Recipient]]) -> dict[str, Sequence[Recipient]]:
        stores: dict[str, Sequence[Recipient]] = {}
        unused = set(by_key)
        for code, name, manager in _stores():
            store, keys = name or code, [key for key in (name, code, manager) if key and key in by_key]
            unused -= set(keys)
            if keys:
                stores[store] = recipients.unique(
                    [*stores.get(store, ()), *(member for key in keys for member in by_key[key])]
                )
            else:
                self.found.problems.append(f"nobody gets the report of the store {store}")
        self.found.problems += [
            f"{self.people.file}: the group {self.terms.to} names {key!r}, which is no store and no manager"
            for key in sorted(unused)
        ]
        return stores

    def edition_of(self, manifest: Manifest, part: str) -> Manifest | None:
        """The archived edition that a part gets: the report itself, or one of the same period that was made
        with the store as a filter in SQL. None where it cannot be made, which is no problem of the others."""
        if part == EVERYTHING:
            return manifest
        parameters = manifest.parameters | {"store": part}
        try:
            rendered = render_report(self.report.name, None, self.report.made_as, parameters, publish=False)
        except ReportError as error:
            self.found.problems.append(f"{part}: {error}")
            return None
        return archive.find(rendered.report_id)

    def edition(self, manifest: Manifest, part: str = EVERYTHING) -> str:
        """What each recipient gets once."""
        filters = conditions.part_of(manifest) | ({} if part == EVERYTHING else {"store": part})
        return " ".join(
            [self.report.name, manifest.period, *(f"{name}={filters[name]}" for name in sorted(filters))]
        )

    def letter(self, edition: Manifest) -> Letter:
        """The letter of an edition, with a banner where its data are not right."""
        failed = conditions.failed_checks(self.report)
        warning = f"Do not rely on these figures yet: {failed}." if failed else ""
        content = compose.letter(edition, self.report, self.terms, warning=warning)
        owner = self.people.owner(self.report.owner)
        reply_to = owner.address if owner else ""
        mailto = f"mailto:{reply_to}?subject=Unsubscribe%20{self.report.name}" if reply_to else ""
        return replace(content, reply_to=reply_to, unsubscribe=self.people.unsubscribe or mailto)

    def consider(self, manifest: Manifest, part: str, members: Sequence[Recipient]) -> None:
        """Queue a part, unless it was settled before what becomes of it or has nothing to say."""
        with outbox.opened() as box:
            rows = box.of_edition(self.edition(manifest, part))
        settled = [row for row in rows if row.state != "held"]
        if rows and not settled and self._held():
            self.found.deliveries += rows
            return
        # A correction is news for those who want to know of changes; to others the next edition tells of it.
        is_correction = (
            self.terms.when == "changed"
            and all(row.report_id != manifest.report_id for row in settled)
            and bool(len(conditions.restated(manifest)))
        )
        if settled and not is_correction:
            self.found.deliveries += settled
        elif edition := self.edition_of(manifest, part):
            reason = conditions.nothing_to_say(self.report, edition, self.terms)
            self.queue(edition, members, nothing_to_say=reason, force=is_correction)

    def queue(
        self,
        edition: Manifest,
        members: Sequence[Recipient],
        *,
        nothing_to_say: str | None = None,
        trial: bool = False,
        force: bool = False,
    ) -> None:
        """Prepare that an edition is to go to some recipients, or why it is not."""
        state, reason = "queued", None
        if nothing_to_say:
            state, reason = "cancelled", nothing_to_say
        elif not (trial or force) and (held := self._held()):
            state, reason = "held", held
        content = self.letter(edition)
        owner = self.people.owner(self.report.owner)
        what = Consignment(
            edition.report_id,
            self.report.name,
            self.edition(edition),
            content.subject,
            content.keep(),
            owner.address if owner else None,
        )
        self._to_queue.append(
            partial(
                outbox.queue,
                what=what,
                recipients=members,
                state=state,
                reason=reason,
                trial=trial,
                force=force,
            )
        )

    def _held(self) -> str | None:
        """Why the report is held, if it is."""
        return conditions.failed_checks(self.report) if self.terms.on_failed_checks == "hold" else None

    def sent(self) -> Dispatched:
        """Queue what was prepared, send it, and look again."""
        with outbox.opened() as box:
            # All parts or none: a period of which there are rows counts as settled.
            with box.transaction() as cursor:
                for queue in self._to_queue:
                    self.found.deliveries += queue(cursor)
            ids = list(dict.fromkeys(row.report_id for row in self.found.deliveries))
            mine = {row.delivery_id for row in self.found.deliveries}
            sending.send_due(box, ids)
            self.found.deliveries = [row for row in box.of_reports(ids) if row.delivery_id in mine]
        return self.found


def _stores() -> list[tuple[str, str | None, str | None]]:
    """The stores that there are: code, name, manager."""
    with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(
                "select store_code, store_name, manager from marts.dim_stores"
                " where store_id <> 0 and coalesce(active, true) order by store_id"
            )
        except psycopg2.Error as error:
            raise ReportUsageError(f"the stores cannot be read: {error}") from error
        return cursor.fetchall()
