"""Sending what is due in the outbox: each row through its channel, one connection for all of a kind."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reports.delivery import letter, outbox, recipients, smtp
from reports.delivery.channels import Channel, Folder, Outcome, Unreachable, Webhook, Withdrawn
from reports.delivery.letter import Letter, LetterError
from reports.delivery.outbox import Delivery, Outbox
from reports.delivery.recipients import Recipients
from reports.errors import ReportUsageError


@dataclass
class Done:
    """What came of the rows that were due, by the state that they are in now."""

    states: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def add(self, delivery: Delivery, state: str, error: str | None) -> None:
        """Note what came of one."""
        self.states[state] += 1
        if error:
            self.errors.append(f"{delivery.recipient}: {error}")


class Sender:
    """The channels, opened as they are needed, and the letter in hand."""

    def __init__(self, to: Recipients) -> None:
        self.recipients = to
        self._channels: dict[str, Channel] = {}
        self._unreachable: dict[str, str] = {}
        self._letter: tuple[str, Letter] | None = None

    def send(self, delivery: Delivery, begin: Callable[[], None]) -> Outcome:
        """Hand one over. A channel that reaches nobody is not asked again.

        Raises:
            Withdrawn: it is no longer to be sent.
        """
        if delivery.channel in self._unreachable:
            return Outcome("later", self._unreachable[delivery.channel])
        try:
            channel = self._channel(delivery.channel)
            return channel.send(self._content(delivery), delivery.to, delivery.delivery_id, begin)
        except (LetterError, ReportUsageError) as error:
            return Outcome("failed", str(error))
        except Unreachable as error:
            self._unreachable[delivery.channel] = str(error)
            return Outcome("later", str(error))

    def close(self) -> None:
        """Close the channels."""
        for channel in self._channels.values():
            channel.close()

    def _content(self, delivery: Delivery) -> Letter:
        # Rows come in the order of their letters, so one is enough, however many recipients and letters.
        if self._letter is None or self._letter[0] != delivery.letter_id:
            self._letter = delivery.letter_id, letter.find(delivery.letter_id)
        return self._letter[1]

    def _channel(self, name: str) -> Channel:
        if name not in self._channels:
            makers: Mapping[str, Callable[[], Channel]] = {
                "smtp": _mail,
                "webhook": lambda: Webhook(self.recipients),
                "folder": Folder,
            }
            self._channels[name] = makers[name]()
        return self._channels[name]


def _mail() -> Channel:
    try:
        settings = smtp.settings()
    except smtp.MailError as error:
        raise Unreachable(str(error)) from error
    if settings is None:
        raise Unreachable("no mail server is named: set ANALYTICS_SMTP_HOST")
    return smtp.Mail(settings)


def send_due(box: Outbox, report_ids: Sequence[str] | None = None) -> Done:
    """Send the rows that are due, of some reports or all. Any number of processes may do so at once."""
    done = Done()
    box.recover()
    sender = Sender(recipients.load())
    try:
        for position in box.due(report_ids):
            with box.claimed(position) as delivery:
                if delivery is None:
                    continue
                try:
                    outcome = sender.send(delivery, lambda row=delivery: box.begin(row))  # type: ignore[misc]
                except Withdrawn:
                    continue
                done.add(delivery, box.finish(delivery, outcome), outcome.error)
    finally:
        sender.close()
    return done


def send_everything_due() -> Done:
    """As ``send_due``, for the whole outbox; letters that nobody waits for any more are removed."""
    with outbox.opened() as box:
        done = send_due(box)
        letter.forget(box.letters_in_use())
    return done
