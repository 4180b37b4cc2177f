"""`ops.deliveries`: one row for each report, recipient and channel, and what may happen to it next.

    queued ─▶ sending ─▶ sent
      ▲          ├─▶ queued    not taken now; again at `due_at`
      │          ├─▶ failed    refused for good, or too often
      │          └─▶ unknown   the line, or the sender, broke off where nobody can tell
    held ─▶ queued             once its data are right
    queued, held, failed, unknown ─▶ cancelled

`sending` is committed before the step after which a letter may have arrived, by a sender that holds a lock on
the row. A lock ends with its sender. So a row that is `sending` without a lock is `unknown`, one that is
`queued` was certainly not sent, and both are true after a crash at any point.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

from ingest import warehouse
from reports.delivery.channels import Outcome, Withdrawn
from reports.delivery.recipients import Recipient
from reports.errors import ReportUsageError

DDL = """
create table if not exists ops.deliveries (
    delivery_id text primary key,
    report_id text not null,
    recipient text not null,
    channel text not null check (channel in ('smtp', 'webhook', 'folder')),
    state text not null check (
        state in ('queued', 'sending', 'sent', 'held', 'failed', 'unknown', 'cancelled')
    ),
    attempts integer not null default 0,
    error text,
    queued_at timestamp not null default now(),
    sent_at timestamp,
    due_at timestamp not null default now(),
    report text not null,
    edition text not null, -- the report with its period and part, of which each recipient gets one
    recipient_name text not null default '',
    subject text not null,
    letter_id text not null,
    owner text, -- who is told if it fails
    is_trial boolean not null default false,
    position bigint generated always as identity
);
create unique index if not exists deliveries_once on ops.deliveries (report_id, lower(recipient), channel);
create index if not exists deliveries_edition on ops.deliveries (edition);
create index if not exists deliveries_due on ops.deliveries (due_at) where state in ('queued', 'sending');
comment on table ops.deliveries is
    'One row for each report, recipient and channel: whether it was sent, or what became of it.';
"""
# Back-off over a day; what was refused more often fails.
WAITS = ("1 minute", "5 minutes", "15 minutes", "1 hour", "2 hours", "4 hours", "8 hours", "9 hours")
CLASS = "hashtext('ops.deliveries')"  # of the locks: (this, position)
COLUMNS = (
    "delivery_id, report_id, recipient, channel, state, attempts, error, queued_at, sent_at, due_at, report,"
    " edition, recipient_name, subject, letter_id, owner, is_trial, position"
)
OPEN = ("queued", "held")
LIVE = ("queued", "sending", "sent", "unknown")


@dataclass(frozen=True)
class Delivery:
    """A row of the table; times are in UTC."""

    delivery_id: str
    report_id: str
    recipient: str
    channel: str
    state: str
    attempts: int
    error: str | None
    queued_at: datetime
    sent_at: datetime | None
    due_at: datetime
    report: str
    edition: str
    recipient_name: str
    subject: str
    letter_id: str
    owner: str | None
    is_trial: bool
    position: int

    @property
    def to(self) -> Recipient:
        """Where it goes."""
        return Recipient(self.channel, self.recipient, self.recipient_name)


@dataclass(frozen=True)
class Consignment:
    """What is to go to some recipients: the letter, kept already, of one edition of a report."""

    report_id: str
    report: str
    edition: str
    subject: str
    letter_id: str
    owner: str | None = None


class Outbox:
    """The table, through one connection of the loader, who owns schema ops."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A cursor whose changes hold all together or not at all."""
        with self.connection, self.connection.cursor() as cursor:
            yield cursor

    # ------------------------------------------------------------------------------------------ out

    def recover(self) -> int:
        """Find the rows whose sender died after it began; returns how many."""
        found = self._rows("select position from ops.deliveries where state = 'sending'")
        recovered = 0
        for (position,) in found:
            with self._locked(position) as mine:
                if not mine:
                    continue
                # A folder is put there as a whole, so it can be put there again.
                recovered += self._change(
                    """
                    update ops.deliveries
                    set
                        state = case when channel = 'folder' then 'queued' else 'unknown' end,
                        error = 'the sender ended before it could note what came of it'
                    where position = %s and state = 'sending'
                    """,
                    (position,),
                )
        return recovered

    def due(self, report_ids: Sequence[str] | None = None) -> list[int]:
        """The positions of the rows that are to be sent now, of some reports or all, in their order."""
        rows = self._rows(
            "select position from ops.deliveries where state = 'queued' and due_at <= now()"
            " and (%s::text[] is null or report_id = any(%s)) order by position",
            (None if report_ids is None else list(report_ids),) * 2,
        )
        return [position for (position,) in rows]

    @contextmanager
    def claimed(self, position: int) -> Iterator[Delivery | None]:
        """The row, if it is still to be sent and nobody else is at it; meanwhile nobody else is."""
        with self._locked(position) as mine:
            rows = mine and self._rows(
                f"select {COLUMNS} from ops.deliveries"
                " where position = %s and state = 'queued' and due_at <= now()",
                (position,),
            )
            yield Delivery(*rows[0]) if rows else None

    def begin(self, delivery: Delivery) -> None:
        """Write down that it may have arrived from now on.

        Raises:
            Withdrawn: it is no longer to be sent.
        """
        if not self._change(
            "update ops.deliveries set state = 'sending', attempts = attempts + 1, error = null"
            " where position = %s and state = 'queued'",
            (delivery.position,),
        ):
            raise Withdrawn(delivery.delivery_id)

    def finish(self, delivery: Delivery, outcome: Outcome) -> str:
        """Write down what came of it; returns the state that it is in now."""
        try:
            return self._finish(delivery, outcome)
        except psycopg2.Error:  # the connection broke while the letter went: it is the truth on another one
            self.connection = warehouse.connect("loader")
            return self._finish(delivery, outcome)

    def _finish(self, delivery: Delivery, outcome: Outcome) -> str:
        rows = self._rows(
            """
            update ops.deliveries
            set
                attempts = attempts + case when state = 'queued' then 1 else 0 end,
                state = case
                    when %(state)s <> 'later' then %(state)s
                    when
                        attempts + case when state = 'queued' then 1 else 0 end
                        > cardinality(%(waits)s::text[])
                        then 'failed'
                    else 'queued'
                end,
                error = %(error)s,
                sent_at = case when %(state)s = 'sent' then now()::timestamp end,
                due_at = case
                    when %(state)s = 'later'
                        then now()::timestamp + (%(waits)s::text[])[
                            least(
                                attempts + case when state = 'queued' then 1 else 0 end,
                                cardinality(%(waits)s::text[])
                            )
                        ]::interval
                    else due_at
                end
            where position = %(position)s and state in ('queued', 'sending', 'unknown')
            returning state
            """,
            {"state": outcome.state, "error": outcome.error, "waits": list(WAITS),
             "position": delivery.position},
        )  # fmt: skip
        return str(rows[0][0]) if rows else "cancelled"

    # ------------------------------------------------------------------------------------------ by hand

    def find(self, delivery_id: str) -> Delivery:
        """The row of an id.

        Raises:
            ReportUsageError: there is none.
        """
        rows = self._rows(f"select {COLUMNS} from ops.deliveries where delivery_id = %s", (delivery_id,))
        if not rows:
            raise ReportUsageError(f"there is no delivery {delivery_id!r}; see `analytics deliveries list`")
        return Delivery(*rows[0])

    def retry(self, delivery_id: str, force: bool = False) -> None:
        """Queue a row again, to be sent now.

        Raises:
            ReportUsageError: there is none, it is being sent, or it was sent, or may have been, and `force`
                was not said.
        """
        delivery = self.find(delivery_id)
        others = [row for row in self.of_edition(delivery.edition) if row.to.key == delivery.to.key]
        live = next((row for row in others if row.state in LIVE and row.delivery_id != delivery_id), None)
        if live and not force:
            raise ReportUsageError(
                f"{delivery_id}: {delivery.recipient} has, or gets, this edition as {live.report_id}; "
                "--force sends it again"
            )
        states = ["queued", "held", "failed", "cancelled", *(["sent", "unknown"] if force else [])]
        if not self._change(
            "update ops.deliveries set state = 'queued', due_at = now(), attempts = 0, error = null,"
            " sent_at = null where delivery_id = %s and state = any(%s)",
            (delivery_id, states),
        ):
            why = {
                "sent": f"was sent at {delivery.sent_at:%Y-%m-%d %H:%M} UTC"
                if delivery.sent_at
                else "was sent",
                "unknown": "may have arrived",
            }.get(delivery.state, f"is {delivery.state}")
            mend = "; --force sends it again" if delivery.state in ("sent", "unknown") else ""
            raise ReportUsageError(f"{delivery_id} to {delivery.recipient} {why}{mend}")

    def cancel(self, delivery_id: str, reason: str = "cancelled by hand") -> None:
        """Take a row out of what is to be sent, or of what is told as failed.

        Raises:
            ReportUsageError: there is none, or it was sent or is being sent.
        """
        delivery = self.find(delivery_id)
        if not self._change(
            "update ops.deliveries set state = 'cancelled', error = %s where delivery_id = %s"
            " and state in ('queued', 'held', 'failed', 'unknown', 'cancelled')",
            (reason, delivery_id),
        ):
            raise ReportUsageError(f"{delivery_id} to {delivery.recipient} is {delivery.state}")

    def of_edition(self, edition: str) -> list[Delivery]:
        """The rows of an edition that are no trials, oldest first."""
        rows = self._rows(
            f"select {COLUMNS} from ops.deliveries where edition = %s and not is_trial order by position",
            (edition,),
        )
        return [Delivery(*row) for row in rows]

    def of_period(self, report: str, period: str) -> list[Delivery]:
        """The rows of a report's period, of all its parts, that are no trials."""
        edition = f"{report} {period}"
        rows = self._rows(
            f"select {COLUMNS} from ops.deliveries where (edition = %s or starts_with(edition, %s))"
            " and not is_trial order by position",
            (edition, f"{edition} "),
        )
        return [Delivery(*row) for row in rows]

    def of_reports(self, report_ids: Sequence[str]) -> list[Delivery]:
        """The rows of some reports, oldest first."""
        rows = self._rows(
            f"select {COLUMNS} from ops.deliveries where report_id = any(%s) order by position",
            (list(report_ids),),
        )
        return [Delivery(*row) for row in rows]

    def letters_in_use(self) -> set[str]:
        """The letters of the rows that may yet be sent."""
        rows = self._rows(
            "select distinct letter_id from ops.deliveries where state not in ('sent', 'cancelled')"
        )
        return {letter_id for (letter_id,) in rows}

    # ------------------------------------------------------------------------------------------ helpers

    @contextmanager
    def _locked(self, position: int) -> Iterator[bool]:
        """Hold the lock of a row, or say that somebody else does."""
        ((mine,),) = self._rows(f"select pg_try_advisory_lock({CLASS}, %s::integer)", (position,))
        connection = self.connection
        try:
            yield mine
        finally:
            if mine and connection is self.connection:
                with suppress(psycopg2.Error):  # a connection that broke holds nothing
                    self._rows(f"select pg_advisory_unlock({CLASS}, %s::integer)", (position,))

    def _rows(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with self.transaction() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def _change(self, sql: str, parameters: Any) -> int:
        with self.transaction() as cursor:
            cursor.execute(sql, parameters)
            return int(cursor.rowcount)


def queue(
    cursor: Any,
    what: Consignment,
    recipients: Sequence[Recipient],
    *,
    state: str = "queued",
    reason: str | None = None,
    trial: bool = False,
    force: bool = False,
) -> list[Delivery]:
    """Note, in a transaction of the outbox, that an edition is to go to some recipients; returns the rows of
    the edition that stand for them, whether or not they are new.

    A recipient who has the edition, or may have it, under this or another report id gets no second one,
    unless `force`; one who waits for an older id of it gets this one instead. `state` may also be `held`
    or `cancelled`, each with its reason.
    """
    # Two at once would both find nobody: the second waits here until the first has committed.
    cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", (f"ops.deliveries {what.edition}",))
    found = []
    for recipient in recipients:
        cursor.execute(
            f"select {COLUMNS} from ops.deliveries where channel = %s and lower(recipient) = lower(%s)"
            " and (report_id = %s or (edition = %s and not is_trial and not %s)) order by position"
            " for update",  # so that none of them begins to be sent meanwhile
            (recipient.channel, recipient.address, what.report_id, what.edition, trial),
        )
        rows = [Delivery(*row) for row in cursor.fetchall()]
        mine = next((row for row in rows if row.report_id == what.report_id), None)
        others = [row for row in rows if row is not mine]
        has_it = next((row for row in others if row.state in ("sending", "sent", "unknown")), None)
        if has_it and not force:
            found.append(has_it.delivery_id)
            continue
        waiting = [row for row in others if row.state in OPEN]
        again = ("sent", "unknown", "failed", "cancelled", "held") if force else ("held",)
        if mine is None:
            _replace(cursor, waiting, what.report_id)
            found.append(_insert(cursor, what, recipient, state, reason, trial))
            continue
        if mine.state in again and state == "queued":
            _replace(cursor, waiting, what.report_id)
            cursor.execute(
                "update ops.deliveries set state = 'queued', due_at = now(), attempts = 0, error = null,"
                " sent_at = null, letter_id = %s, subject = %s where delivery_id = %s",
                (what.letter_id, what.subject, mine.delivery_id),
            )
        elif mine.state == "cancelled" and waiting:  # it was replaced by what waits
            mine = waiting[-1]
        if not trial and mine.is_trial:  # who had it for a trial has it
            cursor.execute(
                "update ops.deliveries set is_trial = false where delivery_id = %s", (mine.delivery_id,)
            )
        found.append(mine.delivery_id)
    cursor.execute(
        f"select {COLUMNS} from ops.deliveries where delivery_id = any(%s) order by position", (found,)
    )
    return [Delivery(*row) for row in cursor.fetchall()]


def _replace(cursor: Any, older: Sequence[Delivery], by: str) -> None:
    """Cancel rows that wait for an older id of the same edition."""
    cursor.execute(
        "update ops.deliveries set state = 'cancelled', error = %s where delivery_id = any(%s)",
        (f"replaced by {by}", [row.delivery_id for row in older]),
    )


def _insert(
    cursor: Any, what: Consignment, recipient: Recipient, state: str, reason: str | None, trial: bool
) -> str:
    of = f"{what.report_id}|{recipient.channel}|{recipient.address.lower()}"
    delivery_id = hashlib.sha256(of.encode()).hexdigest()[:16]
    cursor.execute(
        "insert into ops.deliveries (delivery_id, report_id, recipient, channel, state, error, report,"
        " edition, recipient_name, subject, letter_id, owner, is_trial)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (delivery_id, what.report_id, recipient.address, recipient.channel, state, reason, what.report,
         what.edition, recipient.name, what.subject, what.letter_id, what.owner, trial),
    )  # fmt: skip
    return delivery_id


def is_due() -> bool:
    """Whether a row waits to be sent, or lost its sender."""
    with opened() as box:
        return bool(box.due() or box.recover())


@contextmanager
def opened() -> Iterator[Outbox]:
    """The outbox; its table is created where it is missing."""
    with closing(warehouse.connect("loader")) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("select to_regclass('ops.deliveries') is not null")
            if not next(iter(cursor))[0]:
                cursor.execute("select pg_advisory_xact_lock(hashtext('ops.deliveries'))")
                cursor.execute(DDL)
        outbox = Outbox(connection)
        yield outbox
        if outbox.connection is not connection:
            outbox.connection.close()
