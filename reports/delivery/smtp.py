"""Sending mail: the server's settings from the environment, one message, and the channel that hands over
many. Knows neither reports nor runs.

Environment: ``ANALYTICS_SMTP_HOST`` (no mail without it), ``_PORT``, ``_USER``, ``_PASSWORD``, ``_FROM``, and
``_TLS``: ``starttls`` (the default on port 587), ``ssl`` (on port 465) or ``none`` (elsewhere). A certificate
of your own is trusted by ``SSL_CERT_FILE``. ``_TIMEOUT``: seconds without an answer (30).
"""

import os
import smtplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

from reports.delivery.channels import SENT, Outcome, Unreachable
from reports.delivery.letter import Letter
from reports.delivery.recipients import Recipient

TIMEOUT = 30.0  # seconds
PATIENCE = 10  # times as long a server may take over a mail that it has: it may be looking for viruses
PIECE = 1 << 16  # bytes
TLS = ("starttls", "ssl", "none")


class MailError(RuntimeError):
    """A mail cannot be sent; the message says why."""


@dataclass(frozen=True)
class Settings:
    """How to reach the mail server, and who the mail is from."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    tls: str
    timeout: float = TIMEOUT


def settings() -> Settings | None:
    """The settings in the environment; None where no server is named.

    Raises:
        MailError: one of them is wrong.
    """
    env = {
        name: os.environ.get(f"ANALYTICS_SMTP_{name}", "")
        for name in ("HOST", "PORT", "USER", "PASSWORD", "FROM", "TLS", "TIMEOUT")
    }
    if not env["HOST"]:
        return None
    try:
        port = int(env["PORT"] or 587)
    except ValueError:
        raise MailError(f"ANALYTICS_SMTP_PORT is no number: {env['PORT']}") from None
    try:
        timeout = float(env["TIMEOUT"] or TIMEOUT)
    except ValueError:
        raise MailError(f"ANALYTICS_SMTP_TIMEOUT is no number: {env['TIMEOUT']}") from None
    tls = env["TLS"] or {587: "starttls", 465: "ssl"}.get(port, "none")
    if tls not in TLS:
        raise MailError(f"ANALYTICS_SMTP_TLS is {env['TLS']}; it can be {', '.join(TLS)}")
    sender = env["FROM"] or env["USER"]
    if "@" not in sender:
        raise MailError("ANALYTICS_SMTP_FROM is needed: the address that mail is from")
    return Settings(env["HOST"], port, env["USER"], env["PASSWORD"], sender, tls, timeout)


def message(sender: str, recipients: Sequence[str], subject: str, text: str) -> EmailMessage:
    """A plain mail, to which a caller may add alternatives and attachments."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(recipients)
    mail["Subject"], mail["Date"] = " ".join(subject.split()), formatdate()
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail.set_content(text)
    return mail


def send(to: Settings, mail: EmailMessage) -> None:
    """Hand a mail to the server.

    Raises:
        MailError: the server cannot be reached, or refuses the login or the mail.
    """
    try:
        with _connected(to) as server:
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(f"the mail server {to.host}:{to.port} did not take the mail: {error}") from error


class Mail:
    """The channel of mail: one connection for all letters, opened when the first one goes."""

    def __init__(self, to: Settings) -> None:
        self.to = to
        self._server: smtplib.SMTP | None = None

    def send(self, content: Letter, to: Recipient, delivery_id: str, begin: Callable[[], None]) -> Outcome:
        """Hand a letter over. The server has it once it answers to the line that ends it, so `begin` is
        called just before that line: until then nothing can have arrived."""
        head = content.head(self.to.sender, to.address, to.name, delivery_id)
        server = self._connection()
        began = False
        try:
            size = [f"size={len(head) + len(content.body)}"] if server.has_extn("size") else []
            code, words = server.mail(parseaddr(self.to.sender)[1], size)
            if code < 400:
                code, words = server.rcpt(to.address)
            if code < 400:
                code, words = server.docmd("DATA")
            if code >= 400:
                return self._refused(code, words)
            server.send(head)
            body = memoryview(content.quoted_body)
            for start in range(0, len(body), PIECE):  # the time-out is for each, not for a large mail
                server.send(body[start : start + PIECE])
            begin()
            began = True
            server.send(b".\r\n")
            if server.sock:
                server.sock.settimeout(PATIENCE * self.to.timeout)
            code, words = server.getreply()
            if server.sock:
                server.sock.settimeout(self.to.timeout)
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            said = " ".join(str(error).split())
            if began:
                return Outcome("unknown", f"the line broke before the server acknowledged the mail: {said}")
            return Outcome("later", f"the line broke: {said}")
        except BaseException:  # withdrawn, or interrupted, in the midst of a mail
            self._hang_up()
            raise
        return SENT if code < 400 else self._refused(code, words)

    def close(self) -> None:
        """End the session."""
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self._hang_up()

    def _connection(self) -> smtplib.SMTP:
        if self._server is None:
            try:
                self._server = _connected(self.to)
            except (OSError, smtplib.SMTPException) as error:
                raise Unreachable(
                    f"the mail server {self.to.host}:{self.to.port} cannot be used: {error}"
                ) from error
        return self._server

    def _refused(self, code: int, words: bytes) -> Outcome:
        """What a refusal says, and the connection made ready for the next letter."""
        if code == 421:  # the server says goodbye
            self._hang_up()
        elif self._server is not None:
            try:
                self._server.rset()
            except (OSError, smtplib.SMTPException):
                self._hang_up()
        said = " ".join(words.decode("utf-8", "replace").split())
        return Outcome("failed" if code >= 500 else "later", f"the server answered {code} {said}")

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None


def _connected(to: Settings) -> smtplib.SMTP:
    """A session with the server, encrypted and logged in as the settings say."""
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if to.tls == "ssl":
        server = smtplib.SMTP_SSL(to.host, to.port, timeout=to.timeout, context=context)
    else:
        server = smtplib.SMTP(to.host, to.port, timeout=to.timeout)
    try:
        if to.tls == "starttls":
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        if to.user:
            server.login(to.user, to.password)
    except BaseException:
        server.close()
        raise
    return server
