"""What is wrong, told once: one letter for each owner with what is new, what changed and what is over.

`ops.alerts` remembers what was told. It is written in the transaction that queues the letter, so each piece
of news is told exactly once, whoever looks and whenever it is killed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingest.mending import export
from reports import data, notation
from reports.delivery import compose, findings, letter, outbox, recipients, smtp
from reports.delivery.compose import Said
from reports.delivery.findings import Finding
from reports.delivery.letter import Letter
from reports.delivery.outbox import Consignment
from reports.delivery.recipients import Recipient, Recipients
from reports.delivery.terms import Terms

DDL = """
create table if not exists ops.alerts (
    alert_key text primary key,
    title text not null,
    detail text not null,
    state text not null,
    owner text not null,
    since timestamp not null default now(),
    told_at timestamp not null default now(),
    over_at timestamp
);
comment on table ops.alerts is
    'What was told to owners as wrong, the newest of each kind; over_at says when it was over.';
"""
LOCK = "select pg_advisory_xact_lock(hashtext('ops.alerts'))"
LISTED = 25  # findings of a kind in a letter


@dataclass
class News:
    """What one owner is to be told."""

    new: list[Finding] = field(default_factory=list)
    changed: list[Finding] = field(default_factory=list)
    over: list[tuple[str, datetime]] = field(default_factory=list)
    still: int = 0


def tell(found: Sequence[Finding] | None = None, now: datetime | None = None) -> list[str]:
    """Queue a letter for each owner who has news; returns their ids. Nobody is told who has no address, and
    nothing is remembered of what nobody was told.

    Args:
        found: what is wrong; by default everything that is.
    """
    if smtp.settings() is None:
        return []
    people = recipients.load()
    now = now or datetime.now(UTC)
    addressed: list[tuple[Recipient, Finding]] = []
    for finding in findings.all_findings(now=now) if found is None else found:
        if owner := people.owner(finding.owner):
            addressed.append((owner, finding))
    with outbox.opened() as box, box.transaction() as cursor:
        cursor.execute(LOCK)
        cursor.execute(DDL)
        letters = _news(cursor, addressed, now)
        return [_queue(cursor, owner, news, now, people) for owner, news in letters]


def are_due() -> bool:
    """Whether somebody would be told something."""
    if smtp.settings() is None:
        return False
    people = recipients.load()
    now = {f.key: f.state for f in findings.all_findings() if people.owner(f.owner)}
    told = {}
    if data.exists("ops.alerts"):
        rows = data.query("select alert_key, state from ops.alerts where over_at is null")
        told = dict(zip(rows["alert_key"], rows["state"], strict=True))
    return now != told


def _news(
    cursor: Any, addressed: Sequence[tuple[Recipient, Finding]], now: datetime
) -> list[tuple[Recipient, News]]:
    """What is new to whom; it is remembered as told."""
    cursor.execute("select alert_key, state, owner, title, since from ops.alerts where over_at is null")
    open_ones = {key: (state, owner, title, since) for key, state, owner, title, since in cursor}
    told: dict[str, tuple[Recipient, News]] = {}

    def news_for(owner: Recipient) -> News:
        return told.setdefault(owner.address.lower(), (owner, News()))[1]

    for owner, finding in addressed:
        known = open_ones.pop(finding.key, None)
        news = news_for(owner)
        if known and known[:2] == (finding.state, owner.address):
            news.still += 1
            continue
        (news.changed if known else news.new).append(finding)
        cursor.execute(
            """
            insert into ops.alerts (alert_key, title, detail, state, owner, since, told_at)
            values (%(key)s, %(title)s, %(detail)s, %(state)s, %(owner)s, %(now)s, %(now)s)
            on conflict (alert_key) do update
            set
                title = excluded.title,
                detail = excluded.detail,
                state = excluded.state,
                owner = excluded.owner,
                since = case when alerts.over_at is null then alerts.since else excluded.since end,
                told_at = excluded.told_at,
                over_at = null
            """,
            {"key": finding.key, "title": finding.title, "detail": finding.detail, "state": finding.state,
             "owner": owner.address, "now": now.astimezone(UTC).replace(tzinfo=None)},
        )  # fmt: skip
    for key, (_, address, title, since) in open_ones.items():
        news_for(Recipient("smtp", address)).over.append((title, since))
        cursor.execute("update ops.alerts set over_at = now() where alert_key = %s", (key,))
    return [(owner, news) for owner, news in told.values() if news.new or news.changed or news.over]


def _queue(cursor: Any, owner: Recipient, news: News, now: datetime, people: Recipients) -> str:
    number = f"alerts-{now:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
    content = _letter(number, news, people)
    what = Consignment(number, "alerts", number, content.subject, content.keep())
    outbox.queue(cursor, what, [owner])
    return number


def _letter(number: str, news: News, people: Recipients) -> Letter:
    files, enclosed = compose.that_fit(_workbooks(number, [*news.new, *news.changed]), Terms.max_mb)
    sections = {
        "New": [_line(finding) for finding in news.new],
        "Changed": [_line(finding) for finding in news.changed],
        "Over": [f"{title} (since {notation.moment(since)})" for title, since in news.over],
    }
    still = f"{news.still} more of what you were told before {'is' if news.still == 1 else 'are'} as it was."
    said = Said(
        title=_subject(news),
        subtitle=notation.moment(datetime.now(UTC)),
        sections={title: _at_most(lines) for title, lines in sections.items() if lines},
        remarks=[still] if news.still else [],
        enclosed=enclosed,
        ending=["You get this as the owner of these data. It is told again only when it changes."],
    )
    return Letter(
        subject=letter.one_line(f"Analytics: {_subject(news)}"),
        text=compose.as_text(said),
        html=compose.as_html(said),
        files=files,
        list_id="alerts",
        facts={"report_id": number},
        unsubscribe=people.unsubscribe,
    )


def _subject(news: News) -> str:
    wrong = [*news.new, *news.changed]
    if not wrong:
        return f"Over: {news.over[0][0]}" if len(news.over) == 1 else f"{len(news.over)} things are over"
    return wrong[0].title if len(wrong) == 1 else f"{len(wrong)} things need you"


def _line(finding: Finding) -> str:
    return f"{finding.title}: {finding.detail}" if finding.detail else finding.title


def _at_most(lines: Sequence[str]) -> list[str]:
    more = len(lines) - LISTED
    return [*lines[:LISTED], *([f"… and {more} more"] if more > 0 else [])]


def _workbooks(number: str, wrong: Sequence[Finding]) -> dict[str, Path]:
    """The rejected rows that an owner should mend, a workbook for each feed."""
    files = {}
    for finding in wrong:
        if finding.condition is None:
            continue
        name = f"rejects-{finding.key.partition(':')[2]}.xlsx"
        file = letter.folder() / letter.ENCLOSED / number / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if export(file, *finding.condition):
            files[name] = file
    return files
