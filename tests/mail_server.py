"""A real SMTP server on loopback that keeps what it took, and misbehaves where a test says so."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from conftest import free_port

USER, PASSWORD = "robot", "secret"


class MailServer:
    """What the server took, and what it does next.

    `at_recipient` and `at_end` map an address to what happens at RCPT and after the mail's last line: an answer
    such as `450 later`, or `drop` (takes the mail and breaks the line), `lose` (breaks it without taking the mail),
    `hang` (takes the mail and says nothing). A list is worked off, one for each time.
    """

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.raw: list[bytes] = []
        self.at_recipient: dict[str, list[str]] = {}
        self.at_end: dict[str, list[str]] = {}
        self.peers: set[Any] = set()
        self.logins = 0
        self.encrypted: list[bool] = []
        self.settings: dict[str, str] = {}

    def received(self) -> list[str]:
        """The addresses, in the order in which it took mail for them."""
        return [address for address, _ in self.mails]

    def reset(self) -> None:
        """Forget everything."""
        for found in (self.mails, self.raw, self.at_recipient, self.at_end, self.peers, self.encrypted):
            found.clear()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if steps := self.at_recipient.get(address):
            answer = steps.pop(0)
            if answer == "hang":
                await asyncio.sleep(5)
            if answer == "lose":
                server.transport.abort()
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.peers.add(session.peer)
        self.encrypted.append(session.ssl is not None)
        (address,) = envelope.rcpt_tos
        steps = self.at_end.get(address)
        step = steps.pop(0) if steps else "250 taken"
        if step == "lose":
            server.transport.abort()
            return "250"
        if step[0] in "45":
            return step
        self.raw.append(envelope.content)
        self.mails.append((address, message_from_bytes(envelope.content, policy=policy.default)))
        if step == "drop":
            server.transport.abort()
        if step == "hang":
            await asyncio.sleep(5)
        return step if step[0] == "2" else "250 taken"

    def check_login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        self.logins += right
        return AuthResult(success=right, handled=right)


@contextmanager
def mail_server(
    tls: str = "none", certificate: tuple[str, str] | None = None, login: bool = False
) -> Iterator[MailServer]:
    """Run a server; `settings` are the environment variables by which it is reached."""
    server = MailServer()
    options: dict[str, Any] = {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        options = (
            {"ssl_context": context} if tls == "ssl" else {"tls_context": context, "require_starttls": True}
        )
    if login:
        options |= {
            "authenticator": server.check_login,
            "auth_required": True,
            "auth_require_tls": tls == "starttls",
        }
    controller = Controller(server, hostname="127.0.0.1", port=free_port(), **options)
    if tls == "ssl":  # the controller's own probe of the port trusts no certificate of ours
        address = ("127.0.0.1", controller.port)
        controller._trigger_server = lambda: socket.create_connection(address).close()  # type: ignore[method-assign]
    controller.start()
    server.settings = {
        "ANALYTICS_SMTP_HOST": "127.0.0.1",
        "ANALYTICS_SMTP_PORT": str(controller.port),
        "ANALYTICS_SMTP_FROM": "Analytics <robot@example.com>",
        "ANALYTICS_SMTP_TLS": tls,
        "ANALYTICS_SMTP_TIMEOUT": "1",
    }
    if login:
        server.settings |= {"ANALYTICS_SMTP_USER": USER, "ANALYTICS_SMTP_PASSWORD": PASSWORD}
    try:
        yield server
    finally:
        controller.stop()
