"""Delivery without reports: recipients, letters as mail, channels, and the outbox, against real servers that
misbehave and senders that are killed."""

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from mail_server import MailServer, mail_server

from conftest import ROOT, free_port, make_home, remove_home
from ingest import warehouse
from reports.delivery import letter, outbox, recipients, sending, terms
from reports.delivery.letter import Letter
from reports.delivery.outbox import WAITS, Consignment, Delivery
from reports.delivery.recipients import Recipient
from reports.errors import ReportError, ReportUsageError

PEOPLE = [Recipient("smtp", f"{name}@example.com", name.capitalize()) for name in ("ann", "bob", "carol")]
PNG = bytes.fromhex("89504e470d0a1a0a")


@pytest.fixture(scope="module")
def warehouse_home() -> Iterator[Path]:
    folder = make_home()
    os.environ["ANALYTICS_HOME"] = str(folder)
    try:
        warehouse.start()
        yield folder
    finally:
        del os.environ["ANALYTICS_HOME"]
        remove_home(folder)


@pytest.fixture
def home(warehouse_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an empty outbox."""
    monkeypatch.setenv("ANALYTICS_HOME", str(warehouse_home))
    monkeypatch.setenv("ANALYTICS_RECIPIENTS", str(warehouse_home / "recipients.yml"))
    with outbox.opened() as box, box.connection as connection:
        connection.cursor().execute("truncate ops.deliveries")
    return warehouse_home


@pytest.fixture(scope="module")
def running() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(running: MailServer, monkeypatch: pytest.MonkeyPatch) -> MailServer:
    running.reset()
    for name, value in running.settings.items():
        monkeypatch.setenv(name, value)
    return running


def a_letter(home: Path, **changes: object) -> Letter:
    file = home / "report.pdf"
    file.write_bytes(b"%PDF-1.7 report")
    said = {
        "subject": "Daily sales report: 30 Jun 2025",
        "text": "Sales £1.00\n.\n.. a dot alone\n",
        "html": '<p>Sales £1.00</p><img src="cid:daily">',
        "pictures": {"daily": PNG},
        "files": {"daily-2025-06-30.pdf": file},
        "facts": {"report_id": "daily-2025-06-30-abc", "figures": [{"name": "Sales", "value": 1.0}]},
        "list_id": "daily",
        "reply_to": "owner@example.com",
        "unsubscribe": "mailto:owner@example.com?subject=Unsubscribe%20daily",
    }
    return Letter(**said | changes)  # type: ignore[arg-type]


def consign(
    home: Path, report_id: str = "daily-2025-06-30-abc", edition: str = "daily 2025-06-30"
) -> Consignment:
    content = a_letter(home)
    return Consignment(report_id, "daily", edition, content.subject, content.keep(), "owner@example.com")


def queue(home: Path, to: list[Recipient] = PEOPLE, **options: object) -> list[Delivery]:
    what = consign(home, **{k: options.pop(k) for k in ("report_id", "edition") if k in options})  # type: ignore[arg-type]
    with outbox.opened() as box, box.transaction() as cursor:
        return outbox.queue(cursor, what, to, **options)  # type: ignore[arg-type]


def states() -> dict[str, str]:
    with outbox.opened() as box:
        rows = box._rows("select recipient, state from ops.deliveries order by position")
    return {recipient.split("@")[0]: state for recipient, state in rows}


def row(recipient: str) -> Delivery:
    with outbox.opened() as box:
        ((delivery_id,),) = box._rows(
            "select delivery_id from ops.deliveries where recipient like %s and state <> 'cancelled'"
            " order by position desc limit 1",
            (f"{recipient}%",),
        )
        return box.find(delivery_id)


def make_due() -> None:
    """Let the time of back-off pass."""
    with outbox.opened() as box:
        box._change("update ops.deliveries set due_at = now() where state = 'queued'", None)


# ------------------------------------------------------------------------------------------ who

GOOD = """
allowed_domains: [example.com, hooks.example.org]
owners: {Shop operations: desk@example.com}
groups:
  management:
    - ann@EXAMPLE.com
    - Ann <Ann@example.com>
    - "Smith, Bob <bob@example.com>"
    - {folder: /srv/reports}
    - {webhook: "https://hooks.example.org/x", secret: "${HOOK}"}
  stores: {High Street: dave@example.com, "*": ann@example.com}
"""


def test_recipients_are_read_and_each_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "recipients.yml"
    file.write_text(GOOD)
    people = recipients.load(file)
    members = [(m.channel, m.address.lower(), m.name) for m in people.group("management")]
    assert members == [
        ("smtp", "ann@example.com", "Ann"),
        ("smtp", "bob@example.com", "Smith, Bob"),
        ("folder", "/srv/reports", ""),
        ("webhook", "https://hooks.example.org/x", ""),
    ]
    assert set(people.parts("stores")) == {"High Street", "*"}
    assert people.owner("Shop operations") == Recipient("smtp", "desk@example.com")
    assert people.owner("boss@example.com") == Recipient("smtp", "boss@example.com")
    assert people.owner("boss@elsewhere.com") is None
    monkeypatch.setenv("ANALYTICS_OWNER_EMAIL", "me@home.example")
    assert people.owner("boss@elsewhere.com") == Recipient("smtp", "me@home.example")
    with pytest.raises(ReportUsageError, match="the environment variable HOOK is not set"):
        people.secret("https://hooks.example.org/x")
    monkeypatch.setenv("HOOK", "s3cret")
    assert people.secret("https://hooks.example.org/x") == "s3cret"


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups: {a: [ann@example.com]}", "`allowed_domains` is needed"),
        (
            "allowed_domains: [x.com]\ngroups: {a: [ann@evil.com]}",
            r"groups\.a: ann@evil\.com may not be sent to",
        ),
        ("allowed_domains: [x.com]\ngroups: {a: [ann@sub.x.com]}", r"sub\.x\.com is not one of"),
        ('allowed_domains: [x.com]\ngroups: {a: ["ann@x.com\\nBcc: b@x.com"]}', "is no mail address"),
        ("allowed_domains: [x.com]\ngroups: {a: ['ann@x.com, bob@x.com']}", "is no mail address"),
        ("allowed_domains: [x.com]\ngroups: {a: ['änn@x.com']}", "is no mail address"),
        (
            "allowed_domains: [x.com]\ngroups: {a: [{webhook: 'https://evil.com/'}]}",
            r"evil\.com is not one of",
        ),
        (
            "allowed_domains: [x.com]\ngroups: {a: [{webhook: 'file:///etc/passwd'}]}",
            "no address of a webhook",
        ),
        (
            "allowed_domains: [x.com]\ngroups: {a: [{webhook: 'https://x.com/', secret: abc}]}",
            r"as \$\{NAME\}",
        ),
        ("allowed_domains: [x.com]\ngroups: {a: [{webhok: 'https://x.com/'}]}", "is no recipient"),
        ("allowed_domains: [x.com]\ngroup: {}", "there is no group; there are: allowed_domains"),
        ("allowed_domains: [x.com\n", r":\d+: not valid YAML"),
        ("allowed_domains: x.com", "`allowed_domains` is needed"),
        ("allowed_domains: [x.com]\ngroups: [ann@x.com]", "`groups` is a mapping"),
        ('allowed_domains: [x.com]\nunsubscribe: "http://x.com"', "`unsubscribe`"),
    ],
)
def test_a_mistake_in_recipients_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "recipients.yml"
    file.write_text(text)
    with pytest.raises(ReportUsageError, match=message):
        recipients.load(file)


@pytest.mark.unit
def test_the_example_of_recipients_is_right_and_the_real_file_is_ignored() -> None:
    people = recipients.load(ROOT / "reports" / "recipients.example.yml")
    assert {"management", "buyers", "data", "store_managers"} <= set(people.groups)
    ignored = subprocess.run(["git", "check-ignore", "-q", "reports/recipients.yml"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


@pytest.mark.unit
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "needs `to`"),
        ({"to": "a", "wen": "always"}, "has no wen; it has: to, subject"),
        ({"to": "a", "when": "never"}, "`delivery.when` is 'never'; it can be always, not_empty, changed"),
        ({"to": "a", "attach": ["doc"]}, "`delivery.attach` is 'doc'"),
        ({"to": "a", "change": "much"}, "`delivery.change` is 'much'"),
        ({"to": "a", "subject": "{sales}"}, "it may name {label}"),
        ({"to": "a", "burst_by": "planet"}, "it can be store"),
    ],
)
def test_a_mistake_in_the_terms_is_named(entry: dict[str, object], message: str) -> None:
    with pytest.raises(ReportError, match=message.replace("{", r"\{")):
        terms.read(entry, "exposures.yml: daily")


# ------------------------------------------------------------------------------------------ the mail


@pytest.mark.unit
def test_a_mail_holds_text_html_picture_and_file(tmp_path: Path) -> None:
    raw = a_letter(tmp_path).mail("Analytics <robot@example.com>", "ann@example.com", "Ann", "0123abcd")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    raw.decode("ascii")
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail["Message-ID"] == "<0123abcd@example.com>"
    assert (mail["From"], mail["To"]) == ("Analytics <robot@example.com>", "Ann <ann@example.com>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<mailto:owner@example.com?subject=Unsubscribe%20daily>"
    assert mail["Reply-To"] == "owner@example.com"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    assert text.get_content().replace("\r\n", "\n") == "Sales £1.00\n.\n.. a dot alone\n"
    assert "cid:daily" in html.get_content()
    (picture,) = [part for part in mail.walk() if part["Content-ID"] == "<daily>"]
    assert picture.get_payload(decode=True) == PNG
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("daily-2025-06-30.pdf", "application/pdf")
    assert file.get_payload(decode=True) == b"%PDF-1.7 report"


@pytest.mark.unit
def test_nothing_that_comes_from_data_makes_a_header(tmp_path: Path) -> None:
    evil = "x\r\nBcc: thief@example.com\r\n\r\nbody\x00\u2028Grüße 😀"
    content = a_letter(tmp_path, subject=evil, list_id="daily")
    raw = content.mail("Analytics <robot@example.com>", "ann@example.com", f"Ann {evil}", "0123")
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "x Bcc: thief@example.com body Grüße 😀"
    assert [str(address.addr_spec) for address in mail["To"].addresses] == ["ann@example.com"]
    with pytest.raises(ValueError, match=r"[Nn]ewline|linefeed|CR or LF"):
        a_letter(tmp_path, reply_to="a@x.com", unsubscribe="mailto:a\r\nBcc: b@x.com").mail(
            "robot@example.com", "ann@example.com", "", "1"
        )


def test_a_kept_letter_is_the_same_and_one_that_is_gone_says_so(home: Path) -> None:
    content = a_letter(home)
    kept = letter.find(content.keep())
    assert kept == content
    assert kept.body.count(b"report.pdf") == content.body.count(b"report.pdf")
    (home / "report.pdf").unlink()
    with pytest.raises(letter.LetterError, match=r"report\.pdf, which the letter .* names, is gone"):
        letter.find(content.letter_id)
    with pytest.raises(letter.LetterError, match="is gone"):
        letter.find("0000")


def test_old_letters_go_unless_somebody_waits_for_them(home: Path) -> None:
    waited_for, old = a_letter(home).keep(), a_letter(home, subject="old").keep()
    for name in (waited_for, old):
        os.utime(letter.folder() / name, (0, 0))
    letter.forget({waited_for})
    assert (letter.folder() / waited_for).exists()
    assert not (letter.folder() / old).exists()


# ------------------------------------------------------------------------------------------ sending


def test_one_connection_brings_each_his_own_mail(home: Path, server: MailServer) -> None:
    queue(home)
    done = sending.send_everything_due()
    assert done.states == Counter(sent=3)
    assert server.received() == ["ann@example.com", "bob@example.com", "carol@example.com"]
    assert len(server.peers) == 1
    for (address, mail), delivery in zip(server.mails, (row("ann"), row("bob"), row("carol")), strict=True):
        assert mail["To"].addresses[0].addr_spec == address == delivery.recipient
        assert mail["Message-ID"] == f"<{delivery.delivery_id}@example.com>"
        assert (delivery.state, delivery.attempts, delivery.error) == ("sent", 1, None)
        assert delivery.sent_at
    assert b"\r\n.\r\n" in server.raw[0]  # the dot that stood alone in the text
    assert sending.send_everything_due().states == Counter()


def test_a_bad_recipient_fails_alone_and_4xx_is_tried_again(home: Path, server: MailServer) -> None:
    server.at_recipient = {"ann@example.com": ["550 no such user"], "bob@example.com": ["451 greylisted"]}
    queue(home)
    before = datetime.now(UTC).replace(tzinfo=None)
    done = sending.send_everything_due()
    assert done.states == Counter(failed=1, queued=1, sent=1)
    assert server.received() == ["carol@example.com"]
    assert row("ann").error == "the server answered 550 no such user"
    waits = row("bob")
    assert (waits.state, waits.attempts, waits.error) == ("queued", 1, "the server answered 451 greylisted")
    assert waits.due_at - before > timedelta(seconds=55)
    assert sending.send_everything_due().states == Counter()  # not before it is due
    make_due()
    assert sending.send_everything_due().states == Counter(sent=1)
    assert server.received() == ["carol@example.com", "bob@example.com"]
    assert states() == {"ann": "failed", "bob": "sent", "carol": "sent"}


def test_back_off_grows_over_hours_and_ends(home: Path, server: MailServer) -> None:
    server.at_end = {"ann@example.com": ["452 full"] * (len(WAITS) + 1)}
    queue(home, PEOPLE[:1])
    waited = []
    for _ in range(len(WAITS)):
        now = datetime.now(UTC).replace(tzinfo=None)
        sending.send_everything_due()
        assert row("ann").state == "queued"
        waited.append(row("ann").due_at - now)
        make_due()
    assert waited == sorted(waited)
    assert sum(waited, timedelta()) > timedelta(hours=20)
    sending.send_everything_due()
    assert (row("ann").state, row("ann").attempts) == ("failed", len(WAITS) + 1)
    assert server.received() == []


@pytest.mark.parametrize(
    ("at", "step", "state", "arrived"),
    [
        ("recipient", "lose", "queued", 0),
        ("recipient", "hang", "queued", 0),
        ("end", "lose", "unknown", 0),
        ("end", "drop", "unknown", 1),
        ("end", "hang", "unknown", 1),
        ("end", "554 spam", "failed", 0),
    ],
)
def test_a_line_that_breaks(
    home: Path,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    step: str,
    state: str,
    arrived: int,
) -> None:
    monkeypatch.setenv("ANALYTICS_SMTP_TIMEOUT", "0.3")
    monkeypatch.setattr("reports.delivery.smtp.PATIENCE", 1)
    getattr(server, f"at_{at}")["bob@example.com"] = [step]
    queue(home)
    sending.send_everything_due()
    assert states() == {"ann": "sent", "bob": state, "carol": "sent"}
    assert server.received().count("bob@example.com") == arrived
    make_due()
    sending.send_everything_due()
    received = Counter(server.received())
    assert received["bob@example.com"] == (1 if state == "queued" else arrived)
    assert (received["ann@example.com"], received["carol@example.com"]) == (1, 1)
    if state == "unknown":  # it is sent again only when a person says so
        bob = row("bob")
        with outbox.opened() as box:
            with pytest.raises(ReportUsageError, match="may have arrived; --force sends it again"):
                box.retry(bob.delivery_id)
            box.retry(bob.delivery_id, force=True)
            sending.send_due(box)
        assert states()["bob"] == "sent"
        (*_, (_, mail)) = [found for found in server.mails if found[0] == "bob@example.com"]
        assert mail["Message-ID"] == f"<{bob.delivery_id}@example.com>"  # as the first time


def test_without_a_server_all_wait_and_it_is_asked_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(home)
    assert sending.send_everything_due().states == Counter(queued=3)
    assert row("ann").error == "no mail server is named: set ANALYTICS_SMTP_HOST"
    monkeypatch.setenv("ANALYTICS_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("ANALYTICS_SMTP_PORT", str(free_port()))
    monkeypatch.setenv("ANALYTICS_SMTP_FROM", "robot@example.com")
    make_due()
    done = sending.send_everything_due()
    assert done.states == Counter(queued=3)
    assert "cannot be used" in done.errors[0]


def test_a_cancelled_delivery_is_not_sent_even_in_its_midst(
    home: Path, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reports.delivery.outbox import Outbox

    queue(home)
    begin = Outbox.begin

    def cancel_first(self: Outbox, delivery: Delivery) -> None:
        if delivery.recipient == "bob@example.com":
            with outbox.opened() as other:
                other.cancel(delivery.delivery_id)
        begin(self, delivery)

    monkeypatch.setattr(Outbox, "begin", cancel_first)
    sending.send_everything_due()
    assert server.received() == ["ann@example.com", "carol@example.com"]
    assert states()["bob"] == "cancelled"


def test_the_truth_is_noted_though_the_database_went_away_meanwhile(
    home: Path, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reports.delivery.smtp import Mail

    queue(home, PEOPLE[:1])
    send = Mail.send

    def lose_the_database(self: Mail, *arguments: object) -> object:
        outcome = send(self, *arguments)  # type: ignore[arg-type]
        with closing(warehouse.connect("loader")) as other, other, other.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = current_user and pid <> pg_backend_pid()"
            )
        return outcome

    monkeypatch.setattr(Mail, "send", lose_the_database)
    sending.send_everything_due()
    assert states() == {"ann": "sent"}
    assert server.received() == ["ann@example.com"]


class Slow(StreamRequestHandler):
    """A mail server on a line of 2 MB a second."""

    rbufsize = 0  # what follows DATA is read from the socket itself

    def handle(self) -> None:
        self.wfile.write(b"220 slow\r\n")
        while line := self.rfile.readline():
            if line.upper() == b"DATA\r\n":
                self.wfile.write(b"354 go on\r\n")
                tail = b""
                while not tail.endswith(b"\r\n.\r\n"):
                    time.sleep(0.03)
                    tail = (tail + self.request.recv(1 << 16))[-5:]
            self.wfile.write(b"250 fine\r\n")


def test_a_large_mail_may_take_longer_than_the_time_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingTCPServer(("127.0.0.1", 0), Slow) as slow:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        monkeypatch.setenv("ANALYTICS_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("ANALYTICS_SMTP_PORT", str(slow.server_address[1]))
        monkeypatch.setenv("ANALYTICS_SMTP_FROM", "robot@example.com")
        monkeypatch.setenv("ANALYTICS_SMTP_TIMEOUT", "1.5")
        file = home / "large.bin"
        file.write_bytes(os.urandom(8_000_000))
        content = a_letter(home, files={"large.bin": file})
        what = Consignment("large", "daily", "large", content.subject, content.keep())
        with outbox.opened() as box, box.transaction() as cursor:
            outbox.queue(cursor, what, PEOPLE[:1])
        assert sending.send_everything_due().states == Counter(sent=1)
        slow.shutdown()


# ------------------------------------------------------------------------------------------ exactly once


def test_nobody_gets_an_edition_twice_unless_forced(home: Path, server: MailServer) -> None:
    queue(home, PEOPLE[:2])
    sending.send_everything_due()
    again = queue(home, report_id="daily-2025-06-30-def")  # made anew, and Carol has joined
    assert [found.report_id[-3:] for found in again] == ["abc", "abc", "def"]
    sending.send_everything_due()
    assert Counter(server.received()) == dict.fromkeys(
        ("ann@example.com", "bob@example.com", "carol@example.com"), 1
    )
    queue(home, PEOPLE[:1], report_id="daily-2025-06-30-def", force=True)
    queue(home, PEOPLE[1:2], force=True)
    sending.send_everything_due()
    assert Counter(server.received())["ann@example.com"] == Counter(server.received())["bob@example.com"] == 2
    queue(home, PEOPLE[:1], report_id="daily-2025-07-01-abc", edition="daily 2025-07-01")
    sending.send_everything_due()
    assert Counter(server.received())["ann@example.com"] == 3


def test_who_waits_gets_the_newest_id_and_case_makes_no_second_person(home: Path, server: MailServer) -> None:
    queue(home, PEOPLE[:1])
    queue(home, [Recipient("smtp", "ANN@example.com")], report_id="daily-2025-06-30-def")
    assert sending.send_everything_due().states == Counter(sent=1)
    assert row("ANN").report_id == "daily-2025-06-30-def"
    with outbox.opened() as box:
        rows = box._rows("select state, error from ops.deliveries order by position")
    assert rows == [("cancelled", "replaced by daily-2025-06-30-def"), ("sent", None)]


def test_an_older_id_that_comes_again_neither_takes_the_place_of_the_newer_nor_leaves_anybody_out(
    home: Path, server: MailServer
) -> None:
    (older,) = queue(home, PEOPLE[:1])
    queue(home, PEOPLE[:1], report_id="daily-2025-06-30-def")
    (stands,) = queue(home, PEOPLE[:1])
    assert (stands.report_id, stands.state) == ("daily-2025-06-30-def", "queued")
    with (
        outbox.opened() as box,
        pytest.raises(ReportUsageError, match="gets, this edition as daily-2025-06-30-def"),
    ):
        box.retry(older.delivery_id)
    sending.send_everything_due()
    (stands,) = queue(home, PEOPLE[:1])
    assert stands.state == "sent"
    sending.send_everything_due()
    assert server.received() == ["ann@example.com"]


def test_what_is_held_waits_until_it_is_right(home: Path, server: MailServer) -> None:
    queue(home, state="held", reason="tests did not pass: a")
    assert sending.send_everything_due().states == Counter()
    queue(home, state="held", reason="tests did not pass: a")
    assert set(states().values()) == {"held"}
    queue(home)
    assert sending.send_everything_due().states == Counter(sent=3)


def test_a_trial_is_no_edition_but_its_reader_gets_no_second_one(home: Path, server: MailServer) -> None:
    queue(home, PEOPLE[:1], trial=True)
    sending.send_everything_due()
    with outbox.opened() as box:
        assert box.of_edition("daily 2025-06-30") == []
    queue(home, PEOPLE[:2])
    sending.send_everything_due()
    assert Counter(server.received()) == {"ann@example.com": 1, "bob@example.com": 1}
    with outbox.opened() as box:
        assert len(box.of_edition("daily 2025-06-30")) == 2


def test_two_at_once_queue_and_send_each_mail_once(home: Path, server: MailServer) -> None:
    people = [Recipient("smtp", f"p{number}@example.com") for number in range(40)]
    start = threading.Barrier(4)

    def dispatch(number: int) -> None:
        start.wait()
        queue(home, people, report_id=f"daily-2025-06-30-{number % 2}")
        sending.send_everything_due()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(dispatch, range(4)))
    sending.send_everything_due()
    assert Counter(server.received()) == {person.address: 1 for person in people}
    with outbox.opened() as box:
        rows = box._rows("select state, count(*) from ops.deliveries group by 1")
    assert dict(rows)["sent"] == 40


KILLED = '''
import os, signal, smtplib, sys
from reports.delivery import outbox, sending
from reports.delivery.outbox import Outbox
from reports.delivery.smtp import Mail

step = sys.argv[1]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def at(owner, name, when, nth=2):
    """Die before or after the nth call of a function."""
    original, calls = getattr(owner, name), []
    def wrapped(*arguments, **options):
        calls.append(1)
        if when == "before" and len(calls) == nth: die()
        found = original(*arguments, **options)
        if when == "after" and len(calls) == nth: die()
        return found
    setattr(owner, name, wrapped)

def half_of_it(self, text):
    halves.append(1)
    if len(text) > 1000 and len(halves) > HALF:
        send(self, text[: len(text) // 2]); die()
    send(self, text)

def after_the_dot(self, text):
    send(self, text)
    if text == b".\\r\\n":
        dots.append(1)
        if len(dots) == 2: die()

send, halves, dots, HALF = smtplib.SMTP.send, [], [], 9
steps = {
    "connected": lambda: at(smtplib.SMTP, "ehlo", "after", 1),
    "mail": lambda: at(smtplib.SMTP, "mail", "after"),
    "rcpt": lambda: at(smtplib.SMTP, "rcpt", "after"),
    "data": lambda: at(smtplib.SMTP, "docmd", "after", 2),
    "half of the body": lambda: setattr(smtplib.SMTP, "send", half_of_it),
    "before the word": lambda: at(Outbox, "begin", "before"),
    "after the word": lambda: at(Outbox, "begin", "after"),
    "after the dot": lambda: setattr(smtplib.SMTP, "send", after_the_dot),
    "answered": lambda: at(Outbox, "finish", "before"),
    "noted": lambda: at(Outbox, "finish", "after"),
}
steps[step]()
sending.send_everything_due()
'''


@pytest.mark.parametrize(
    ("step", "bob_arrived", "bob_is"),
    [
        ("connected", 0, "queued"),
        ("mail", 0, "queued"),
        ("rcpt", 0, "queued"),
        ("data", 0, "queued"),
        ("half of the body", 0, "queued"),
        ("before the word", 0, "queued"),
        ("after the word", 0, "unknown"),
        ("after the dot", 1, "unknown"),
        ("answered", 1, "unknown"),
        ("noted", 1, "sent"),
    ],
)
def test_a_sender_killed_at_any_step_doubles_and_loses_nothing(
    home: Path, server: MailServer, step: str, bob_arrived: int, bob_is: str
) -> None:
    queue(home)
    done = subprocess.run([sys.executable, "-c", KILLED, step], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    arrived = Counter(server.received())
    assert arrived["bob@example.com"] == bob_arrived
    assert arrived["carol@example.com"] == 0
    make_due()
    sending.send_everything_due()  # the same command again
    after = Counter(server.received())
    assert (after["ann@example.com"], after["carol@example.com"]) == (1, 1)
    expected = "sent" if bob_is == "queued" else bob_is
    assert states() == {"ann": "sent", "bob": expected, "carol": "sent"}
    assert after["bob@example.com"] == (1 if expected == "sent" else bob_arrived)


def test_a_living_sender_is_not_taken_for_a_dead_one(
    home: Path, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.at_end = {"ann@example.com": ["hang"]}
    queue(home, PEOPLE[:1])
    with ThreadPoolExecutor(1) as pool:
        sender = pool.submit(sending.send_everything_due)
        while states()["ann"] != "sending":
            pass
        with outbox.opened() as box:
            assert box.recover() == 0
            with pytest.raises(ReportUsageError, match="is sending"):
                box.cancel(row("ann").delivery_id)
        assert sender.result().states == Counter(sent=1)
    assert server.received() == ["ann@example.com"]


# ------------------------------------------------------------------------------------------ TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that its maker signed himself: certificate and key."""
    folder = tmp_path_factory.mktemp("certificate")
    files = (str(folder / "certificate.pem"), str(folder / "key.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_mail_goes_encrypted_after_a_login_to_a_server_that_is_trusted(
    home: Path, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    with mail_server(tls, certificate, login=True) as server:
        for name, value in server.settings.items():
            monkeypatch.setenv(name, value)
        queue(home, PEOPLE[:1])
        done = sending.send_everything_due()
        assert done.states == Counter(queued=1)
        assert "certificate verify failed" in done.errors[0]
        monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
        make_due()
        monkeypatch.setenv("ANALYTICS_SMTP_PASSWORD", "wrong")
        assert "535" in sending.send_everything_due().errors[0]
        monkeypatch.setenv("ANALYTICS_SMTP_PASSWORD", server.settings["ANALYTICS_SMTP_PASSWORD"])
        make_due()
        assert sending.send_everything_due().states == Counter(sent=1)
        assert (server.logins, server.received()) == (1, ["ann@example.com"])
        assert tls == "ssl" or server.encrypted == [True]


def test_a_server_without_starttls_gets_no_mail_in_the_clear(
    home: Path, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYTICS_SMTP_TLS", "starttls")
    queue(home, PEOPLE[:1])
    assert "STARTTLS" in sending.send_everything_due().errors[0]
    assert server.received() == []


# ------------------------------------------------------------------------------------------ webhook and folder


class Hooks(BaseHTTPRequestHandler):
    """A receiver of webhooks: answers with what the path says, or breaks the line."""

    posts: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posts.append((self.path, dict(self.headers), body))
        if self.path == "/drop":
            return self.connection.close()
        code = int(self.path.strip("/"))
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "http://example.org/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hooks(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    Hooks.posts = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Hooks) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{receiver.server_port}"
        (home / "recipients.yml").write_text(
            f"allowed_domains: [127.0.0.1]\ngroups: {{a: [{{webhook: '{address}/200', secret: '${{HOOK}}'}}]}}\n"
        )
        monkeypatch.setenv("HOOK", "s3cret")
        yield address, Hooks.posts
        receiver.shutdown()
    (home / "recipients.yml").unlink()


def test_a_webhook_gets_signed_facts_once(
    home: Path, hooks: tuple[str, list[tuple[str, dict[str, str], bytes]]]
) -> None:
    address, posts = hooks
    (delivery,) = queue(home, [Recipient("webhook", f"{address}/200")])
    assert sending.send_everything_due().states == Counter(sent=1)
    sending.send_everything_due()
    ((_, headers, body),) = posts
    assert json.loads(body) == {"delivery_id": delivery.delivery_id, **a_letter(home).facts}
    assert headers["X-Analytics-Delivery"] == delivery.delivery_id
    seconds, _, given = headers["X-Analytics-Signature"].removeprefix("t=").partition(",v1=")
    assert abs(int(seconds) - datetime.now(UTC).timestamp()) < 60
    assert given == hmac.new(b"s3cret", seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("path", "state"),
    [("503", "queued"), ("429", "queued"), ("410", "failed"), ("302", "failed"), ("drop", "unknown")],
)
def test_what_a_webhook_answers(
    home: Path, hooks: tuple[str, list[tuple[str, dict[str, str], bytes]]], path: str, state: str
) -> None:
    address, posts = hooks
    queue(home, [Recipient("webhook", f"{address}/{path}")])
    sending.send_everything_due()
    assert set(states().values()) == {state}
    assert len(posts) == 1


def test_a_webhook_that_is_not_there_is_tried_again(home: Path) -> None:
    queue(home, [Recipient("webhook", f"http://127.0.0.1:{free_port()}/")])
    assert sending.send_everything_due().states == Counter(queued=1)


def test_a_folder_gets_the_letter_and_its_files_as_a_whole(home: Path, tmp_path: Path) -> None:
    (delivery,) = queue(home, [Recipient("folder", str(tmp_path / "drop"))])
    assert sending.send_everything_due().states == Counter(sent=1)
    (place,) = (tmp_path / "drop").iterdir()
    assert place.name == f"daily-2025-06-30-abc-{delivery.delivery_id[:6]}"
    assert sorted(file.name for file in place.iterdir()) == [
        "daily-2025-06-30.pdf", "daily.png", "letter.html", "letter.txt",
    ]  # fmt: skip
    assert 'src="daily.png"' in (place / "letter.html").read_text()
    (tmp_path / "file").write_text("")
    queue(home, [Recipient("folder", str(tmp_path / "file" / "below"))], edition="other", report_id="other")
    assert "it cannot be written" in sending.send_everything_due().errors[0]


def test_a_folder_whose_sender_died_is_filled_again(home: Path, tmp_path: Path) -> None:
    (delivery,) = queue(home, [Recipient("folder", str(tmp_path))])
    with outbox.opened() as box:
        box.begin(delivery)
    assert sending.send_everything_due().states == Counter(sent=1)
    assert len(list(tmp_path.iterdir())) == 1
