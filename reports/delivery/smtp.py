"""Sending mail: the server's settings from the environment, and one message. Knows neither reports nor runs.

Environment: ``ANALYTICS_SMTP_HOST`` (no mail without it), ``_PORT``, ``_USER``, ``_PASSWORD``, ``_FROM``, and
``_TLS``: ``starttls`` (the default on port 587), ``ssl`` (on port 465) or ``none`` (elsewhere).
"""

import os
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

TIMEOUT = 30  # seconds
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


def settings() -> Settings | None:
    """The settings in the environment; None where no server is named.

    Raises:
        MailError: one of them is wrong.
    """
    env = {
        name: os.environ.get(f"ANALYTICS_SMTP_{name}", "")
        for name in ("HOST", "PORT", "USER", "PASSWORD", "FROM", "TLS")
    }
    if not env["HOST"]:
        return None
    try:
        port = int(env["PORT"] or 587)
    except ValueError:
        raise MailError(f"ANALYTICS_SMTP_PORT is no number: {env['PORT']}") from None
    tls = env["TLS"] or {587: "starttls", 465: "ssl"}.get(port, "none")
    if tls not in TLS:
        raise MailError(f"ANALYTICS_SMTP_TLS is {env['TLS']}; it can be {', '.join(TLS)}")
    sender = env["FROM"] or env["USER"]
    if "@" not in sender:
        raise MailError("ANALYTICS_SMTP_FROM is needed: the address that mail is from")
    return Settings(env["HOST"], port, env["USER"], env["PASSWORD"], sender, tls)


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
    context = ssl.create_default_context()
    try:
        if to.tls == "ssl":
            server: smtplib.SMTP = smtplib.SMTP_SSL(to.host, to.port, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(to.host, to.port, timeout=TIMEOUT)
        with server:
            if to.tls == "starttls":
                server.starttls(context=context)
            if to.user:
                server.login(to.user, to.password)
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(f"the mail server {to.host}:{to.port} did not take the mail: {error}") from error
