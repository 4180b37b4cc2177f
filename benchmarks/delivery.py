"""A report of 1 MB to 1,000 recipients, beside plain smtplib; limits: 60 s, one connection, memory flat.

The server is a process of its own that takes mail as fast as it comes. The peers send the same mail: smtplib
handing over ready bytes on one connection, which is the floor, and smtplib as tutorials have it, which builds the
mail and connects anew for each recipient.
"""

import os
import smtplib
import socketserver
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from multiprocessing import Event, Process, Value
from pathlib import Path
from typing import Any

from benchmarks._home import own_home
from ingest import warehouse

RECIPIENTS, MEGABYTE, LIMIT = 1000, 1_000_000, 60
FEW = 100  # recipients of the slow peer
FLAT = 25  # MB that memory may grow from the hundredth mail to the last


class Sink(socketserver.StreamRequestHandler):
    """An SMTP server that takes everything."""

    connections: Any
    mails: Any

    def handle(self) -> None:
        """Answer until it quits."""
        with self.connections.get_lock():
            self.connections.value += 1
        self.say(b"220 sink")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say(b"354 go on")
                tail = b""
                while not tail.endswith(b"\r\n.\r\n"):
                    tail = (tail + self.request.recv(1 << 18))[-5:]
                with self.mails.get_lock():
                    self.mails.value += 1
            self.say(b"221 bye" if verb == b"QUIT" else b"250 fine")

    def say(self, words: bytes) -> None:
        """Answer one line."""
        self.request.sendall(words + b"\r\n")


def _serve(port: Any, connections: Any, mails: Any, ready: Any) -> None:
    Sink.connections, Sink.mails = connections, mails
    Sink.rbufsize = 0  # what follows DATA is read from the socket itself
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        server.daemon_threads = True
        port.value = server.server_address[1]
        ready.set()
        server.serve_forever()


SEND = """
import resource, sys
from reports.delivery import outbox, sending

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

seen = []
begin = outbox.Outbox.begin
def watched(self, delivery):
    begin(self, delivery)
    seen.append(resident())
outbox.Outbox.begin = watched
done = sending.send_everything_due()
assert done.states["sent"] == len(seen) == int(sys.argv[1]), done
print(max(seen[100:]) - max(seen[:100]))
"""


def main() -> None:
    """Print seconds, mails a second, connections and the growth of memory."""
    port, connections, mails, ready = Value("i", 0), Value("i", 0), Value("i", 0), Event()
    server = Process(target=_serve, args=(port, connections, mails, ready), daemon=True)
    server.start()
    ready.wait(10)
    try:
        with own_home() as home:
            attached = home / "report.pdf"
            attached.write_bytes(os.urandom(MEGABYTE))
            _queue(attached)
            grown = 0.0

            def ours() -> None:
                nonlocal grown
                variables = {
                    "ANALYTICS_SMTP_HOST": "127.0.0.1",
                    "ANALYTICS_SMTP_PORT": str(port.value),
                    "ANALYTICS_SMTP_FROM": "robot@example.com",
                    "ANALYTICS_SMTP_TLS": "none",
                }
                done = subprocess.run(
                    [sys.executable, "-c", SEND, str(RECIPIENTS)],
                    cwd=warehouse.ROOT, env=os.environ | variables, capture_output=True, text=True, check=True,
                )  # fmt: skip
                grown = float(done.stdout)

            print(f"{'':<34}{'seconds':>10}{'mails/s':>10}{'connections':>13}")
            floor = _measured(
                "smtplib, ready bytes", lambda: _ready(port.value, attached), RECIPIENTS, connections
            )
            spent = _measured("delivery", ours, RECIPIENTS, connections)
            _measured(f"smtplib, built anew ({FEW})", lambda: _anew(port.value, attached), FEW, connections)
            assert mails.value == 2 * RECIPIENTS + FEW
            print(
                f"limit {LIMIT} s: {'kept' if spent <= LIMIT else 'BROKEN'}; {spent / floor:.1f} times the floor"
            )
            print(f"memory from mail 100 to {RECIPIENTS}: {grown:+.1f} MB (limit {FLAT})")
    finally:
        server.terminate()


def _queue(attached: Path) -> None:
    from reports.delivery import outbox
    from reports.delivery.letter import Letter
    from reports.delivery.outbox import Consignment
    from reports.delivery.recipients import Recipient

    content = Letter("Report", "Enclosed.", "<p>Enclosed.</p>", files={"report.pdf": attached})
    what = Consignment("bench", "bench", "bench", "Report", content.keep())
    people = [Recipient("smtp", f"p{number}@example.com") for number in range(RECIPIENTS)]
    with outbox.opened() as box, box.transaction() as cursor:
        outbox.queue(cursor, what, people)


def _measured(what: str, send: Callable[[], None], count: int, connections: Any) -> float:
    before, started = connections.value, time.monotonic()
    send()
    spent = time.monotonic() - started
    print(f"{what:<34}{spent:>10.1f}{count / spent:>10.0f}{connections.value - before:>13}", flush=True)
    return spent


def _mail(attached: Path, number: int) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "robot@example.com", f"p{number}@example.com", "Report"
    mail.set_content("Enclosed.")
    mail.add_attachment(attached.read_bytes(), "application", "pdf", filename="report.pdf")
    return mail


def _ready(port: int, attached: Path) -> None:
    content = _mail(attached, 0).as_bytes().replace(b"\n", b"\r\n")
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(RECIPIENTS):
            server.sendmail("robot@example.com", [f"p{number}@example.com"], content)


def _anew(port: int, attached: Path) -> None:
    for number in range(FEW):
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.send_message(_mail(attached, number))
