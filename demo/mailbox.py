"""A mail server on loopback that keeps the demo's letters as files, and the people who get them. Nothing
leaves the machine, whatever the settings of this installation say."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

PEOPLE = Path(__file__).with_name("recipients.yml")
SENDER = "Analytics <analytics@example.com>"


class Mailbox:
    """Keeps each letter as a file that a mail program opens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a letter."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        to = envelope.rcpt_tos[0].partition("@")[0]
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{mail['Subject']} to {to}").strip("-").lower()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.eml").write_bytes(envelope.content)
        return "250 OK"


@contextmanager
def mailbox(home: Path) -> Iterator[Path]:
    """Send all mail of this process to a server that keeps it in `<home>/demo/mail`; yields that folder."""
    from aiosmtpd.controller import Controller

    folder = home / "demo" / "mail"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=port)
    settings = {
        "ANALYTICS_RECIPIENTS": str(PEOPLE),
        "ANALYTICS_OWNER_EMAIL": "analytics@example.com",
        "ANALYTICS_SMTP_HOST": "127.0.0.1",
        "ANALYTICS_SMTP_PORT": str(port),
        "ANALYTICS_SMTP_FROM": SENDER,
        "ANALYTICS_SMTP_TLS": "none",
        "ANALYTICS_SMTP_USER": "",
        "ANALYTICS_SMTP_PASSWORD": "",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    controller.start()
    try:
        yield folder
    finally:
        controller.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
