"""A letter: what is sent, without to whom. As it is kept until the last of its recipients has it, and as a
mail.

It lies in `<home>/outbox/<id>/`, and the files of a report stay in the archive, so that a retry hours later,
or by another process, sends the same. What is said in it belongs to `compose.py` and `alerts.py`.
"""

import hashlib
import json
import mimetypes
import os
import re
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingest import warehouse

LETTER, PICTURES, ENCLOSED, MEGABYTE = "letter.json", "pictures", "enclosed", 1_000_000
KEPT_DAYS = 90
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
DOT = re.compile(rb"^\.", re.MULTILINE)
HEAD = policy.SMTP.clone(max_line_length=250)  # folded at 78, a subject may begin with a blank
BODY = policy.SMTP.clone(max_line_length=78)


class LetterError(RuntimeError):
    """A letter is no longer there."""


@dataclass(frozen=True)
class Letter:
    """One letter, the same for all who get it.

    `pictures` are PNG by the name that the HTML has for them (`cid:name`); `files` are attached under their
    name. `facts` is what programs are told (the JSON of a webhook). `list_id` names the kind of letter.
    """

    subject: str
    text: str
    html: str
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    files: Mapping[str, Path] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    list_id: str = "reports"
    reply_to: str = ""
    unsubscribe: str = ""

    @cached_property
    def body(self) -> bytes:
        """The MIME part that all recipients share: its own header lines, an empty line, its content; in
        lines of ASCII."""
        mail = EmailMessage(policy=BODY)
        mail.set_content(self.text, cte="quoted-printable")
        mail.add_alternative(self.html, subtype="html", cte="quoted-printable")
        html = mail.get_payload()[-1]  # type: ignore[index]
        for name, picture in self.pictures.items():
            html.add_related(  # type: ignore[union-attr]
                picture, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline"
            )
        for name, file in self.files.items():
            kind, _, subtype = (mimetypes.guess_type(name)[0] or "application/octet-stream").partition("/")
            mail.add_attachment(file.read_bytes(), kind, subtype, filename=name)
        return mail.as_bytes()

    @cached_property
    def quoted_body(self) -> bytes:
        """The body as it goes over the line to a mail server, where a dot alone would end it."""
        return DOT.sub(b"..", self.body)

    def head(self, sender: str, recipient: str, name: str, delivery_id: str) -> bytes:
        """The header lines that are one recipient's own; the body's follow them."""
        domain = parseaddr(sender)[1].rpartition("@")[2]
        head = EmailMessage(policy=HEAD)
        head["From"] = _address(*parseaddr(sender))
        head["To"] = _address(name, recipient)
        if self.reply_to:
            head["Reply-To"] = _address(*parseaddr(self.reply_to))
        head["Subject"] = one_line(self.subject)
        head["Date"] = format_datetime(datetime.now(UTC))
        head["Message-ID"] = f"<{delivery_id}@{domain}>"
        head["List-Id"] = f"<{self.list_id}.{domain}>"
        if self.unsubscribe:
            head["List-Unsubscribe"] = f"<{self.unsubscribe}>"
        head["Auto-Submitted"] = "auto-generated"
        head["X-Auto-Response-Suppress"] = "All"
        return head.as_bytes().removesuffix(b"\r\n")

    def mail(self, sender: str, recipient: str, name: str, delivery_id: str) -> bytes:
        """The whole mail to one recipient."""
        return self.head(sender, recipient, name, delivery_id) + self.body

    @property
    def letter_id(self) -> str:
        """A name that two letters share if they say the same."""
        said = [self.subject, self.text, self.html, sorted(map(str, self.files)), self.list_id]
        pictures = [hashlib.sha256(picture).hexdigest() for picture in self.pictures.values()]
        return hashlib.sha256(json.dumps([said, pictures]).encode()).hexdigest()[:16]

    def keep(self) -> str:
        """Put it away until it was sent; returns its id."""
        target = folder() / self.letter_id
        if not target.exists():
            draft = folder() / f".draft-{uuid4().hex}"
            (draft / PICTURES).mkdir(parents=True)
            for name, picture in self.pictures.items():
                (draft / PICTURES / f"{name}.png").write_bytes(picture)
            said = {name: getattr(self, name) for name in WRITTEN} | {
                "files": {name: os.path.relpath(file, warehouse.home()) for name, file in self.files.items()}
            }
            (draft / LETTER).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
            try:
                draft.rename(target)
            except OSError:  # the same letter was kept by another process meanwhile
                shutil.rmtree(draft)
        return target.name


WRITTEN = ("subject", "text", "html", "facts", "list_id", "reply_to", "unsubscribe")


def folder() -> Path:
    """Where letters lie."""
    return warehouse.home() / "outbox"


def find(letter_id: str) -> Letter:
    """A letter that was kept.

    Raises:
        LetterError: it, or a file that it names, is gone.
    """
    place = folder() / letter_id
    try:
        said = json.loads((place / LETTER).read_text(encoding="utf-8"))
    except OSError:
        raise LetterError(f"the letter {place} is gone; make the report again") from None
    files = {name: warehouse.home() / file for name, file in said.pop("files").items()}
    for file in files.values():
        if not file.is_file():
            raise LetterError(f"{file}, which the letter {letter_id} names, is gone")
    pictures = {file.stem: file.read_bytes() for file in sorted((place / PICTURES).glob("*.png"))}
    return Letter(pictures=pictures, files=files, **said)


def forget(in_use: Collection[str]) -> None:
    """Remove the letters that were kept long ago, unless somebody still waits for them."""
    oldest = time.time() - KEPT_DAYS * 24 * 60 * 60
    for place in [*folder().glob("[0-9a-f]*"), *folder().glob(f"{ENCLOSED}/*"), *folder().glob(".draft-*")]:
        used = place.name in in_use or (place.parent.name == ENCLOSED and in_use)
        if not used and place.stat().st_mtime < oldest:
            shutil.rmtree(place, ignore_errors=True)


def one_line(text: str) -> str:
    """A text as a header may hold it: no end of line, no control character."""
    return " ".join(CONTROL.sub(" ", text).split())


def megabytes(size: float) -> str:
    """A size for people."""
    return f"{size / MEGABYTE:,.1f} MB"


def size_as_mail(files: Mapping[str, Path]) -> int:
    """How many bytes files are in a mail: base64 makes four of three, in lines of 76."""
    return sum(-(-file.stat().st_size * 4 // 3) * 78 // 76 for file in files.values())


def _address(name: str, address: str) -> Address:
    mailbox, _, domain = address.rpartition("@")
    return Address(one_line(name), mailbox, domain)
