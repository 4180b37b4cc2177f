"""How a letter is handed over: the interface of a channel, and two of them, webhook and folder. Mail is in
`smtp`.

A channel says what came of one letter to one recipient. Just before the moment after which it cannot know any
more whether the letter will arrive, it calls `begin`, which writes that down.
"""

import hashlib
import hmac
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol
from uuid import uuid4

from reports.delivery.letter import Letter
from reports.delivery.recipients import Recipient, Recipients

TIMEOUT = 30  # seconds
SIGNATURE, DELIVERY = "X-Analytics-Signature", "X-Analytics-Delivery"
CAME_OF_IT = Literal["sent", "later", "failed", "unknown"]


class Outcome(NamedTuple):
    """What came of it: `sent`; not taken, but maybe `later`; `failed` for good; or `unknown`, where the line
    broke after the letter was out and before it was acknowledged."""

    state: CAME_OF_IT
    error: str | None = None


SENT = Outcome("sent")


class Unreachable(RuntimeError):
    """The channel as a whole does not work now; nothing was handed over."""


class Withdrawn(RuntimeError):
    """The delivery is no longer to be sent: it was cancelled, or somebody else sends it."""


class Channel(Protocol):
    """One way to hand letters over; it may keep a connection open from one to the next."""

    def send(self, content: Letter, to: Recipient, delivery_id: str, begin: Callable[[], None]) -> Outcome:
        """Hand a letter over.

        Raises:
            Unreachable: this channel reaches nobody at the moment.
            Withdrawn: `begin` said so.
        """
        ...

    def close(self) -> None:
        """Give back what was kept open."""
        ...


@dataclass(frozen=True)
class Webhook:
    """A POST of the letter's facts as JSON. The header `X-Analytics-Signature: t=<seconds>,v1=<hex>` holds
    the HMAC-SHA256 of `<seconds>.<body>`; `X-Analytics-Delivery` tells a receiver what it has had before."""

    recipients: Recipients

    def send(self, content: Letter, to: Recipient, delivery_id: str, begin: Callable[[], None]) -> Outcome:
        """Post it; redirects are not followed, since they may lead outside the allowed domains."""
        import requests

        secret = self.recipients.secret(to.address)
        body = json.dumps({"delivery_id": delivery_id, **content.facts}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", DELIVERY: delivery_id}
        if secret:
            headers[SIGNATURE] = signature(secret, body, int(time.time()))
        begin()
        try:
            answer = requests.post(
                to.address, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.ConnectTimeout as error:
            return Outcome("later", f"it cannot be reached: {error}")
        except requests.ConnectionError as error:
            # What could not be connected was not sent; a line that broke later may have brought it there.
            reached = "NewConnectionError" not in repr(error) and "NameResolution" not in repr(error)
            return Outcome("unknown" if reached else "later", f"the line failed: {error}")
        except requests.RequestException as error:
            return Outcome("unknown", f"no answer came: {error}")
        said = f"{answer.status_code} {answer.reason}"
        if answer.ok and not answer.is_redirect:
            return SENT
        temporary = answer.status_code in (408, 425, 429) or answer.status_code >= 500
        return Outcome("later" if temporary else "failed", f"it answered {said}")

    def close(self) -> None:
        """Nothing is kept open."""


def signature(secret: str, body: bytes, seconds: int) -> str:
    """What signs a webhook's message, with the time at which it was made."""
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


class Folder:
    """The letter (letter.html with its pictures, letter.txt) and its files, as one folder of the delivery's
    name. It appears as a whole, and putting it there again changes nothing, so this channel always knows."""

    def send(self, content: Letter, to: Recipient, delivery_id: str, begin: Callable[[], None]) -> Outcome:
        """Put it there."""
        target = Path(to.address) / f"{content.facts.get('report_id', 'letter')}-{delivery_id[:6]}"
        begin()
        if target.exists():
            return SENT
        draft = target.parent / f".draft-{uuid4().hex}"
        try:
            draft.mkdir(parents=True)
            for name, picture in content.pictures.items():
                (draft / f"{name}.png").write_bytes(picture)
            page = content.html
            for name in content.pictures:
                page = page.replace(f'"cid:{name}"', f'"{name}.png"')
            (draft / "letter.html").write_text(page, encoding="utf-8")
            (draft / "letter.txt").write_text(content.text, encoding="utf-8")
            for name, file in content.files.items():
                shutil.copyfile(file, draft / name)
            os.replace(draft, target)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if target.exists():  # another process was first
                return SENT
            return Outcome("later", f"it cannot be written: {error}")
        return SENT

    def close(self) -> None:
        """Nothing is kept open."""
