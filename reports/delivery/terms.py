"""The terms of delivery: what an exposure says under `meta.delivery`. Who is in a group is not said here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from reports.errors import ReportError

WHEN = ("always", "not_empty", "changed")
ON_FAILED_CHECKS = ("hold", "banner")
BURST_BY = ("store",)
ATTACHED = ("pdf", "xlsx", "html", "csv")
PLACES = ("label", "period", "company", "part")  # what a subject may name


@dataclass(frozen=True)
class Terms:
    """How a report goes out.

    `to` names the group of recipients; `subject` may name {label}, {period}, {company} and {part} (the store
    of a burst edition). With `after_load` a report waits until all sources were read after its period ended,
    at the latest until its `schedule`. `when: changed` sends it if a headline figure moved by more than the
    share `change` since the edition that was last sent, or if days sent before were restated.
    """

    to: str
    subject: str = "{label}: {period}"
    attach: tuple[str, ...] = ("pdf",)
    charts: tuple[str, ...] = ()
    after_load: bool = True
    when: str = "always"
    change: float = 0.1
    on_failed_checks: str = "hold"
    burst_by: str | None = None
    max_mb: float = 10


def read(entry: Mapping[str, Any], where: str) -> Terms:
    """The terms written in an exposure.

    Raises:
        ReportError: something in them is wrong; the message names it and what would be right.
    """
    if not isinstance(entry, Mapping) or not entry.get("to"):
        raise ReportError(f"{where}: `delivery` needs `to`, a group of reports/recipients.yml")
    known = [field.name for field in fields(Terms)]
    if unknown := sorted(set(entry) - set(known)):
        raise ReportError(f"{where}: `delivery` has no {', '.join(unknown)}; it has: {', '.join(known)}")
    lists = {name: tuple(entry[name]) for name in ("attach", "charts") if name in entry}
    terms = Terms(**{**entry, **lists})
    for name, value, choices in (
        ("when", terms.when, WHEN),
        ("on_failed_checks", terms.on_failed_checks, ON_FAILED_CHECKS),
        ("burst_by", terms.burst_by, (*BURST_BY, None)),
        *(("attach", format_, ATTACHED) for format_ in terms.attach),
    ):
        if value not in choices:
            shown = ", ".join(str(choice) for choice in choices if choice)
            raise ReportError(f"{where}: `delivery.{name}` is {value!r}; it can be {shown}")
    for name, number in (("change", terms.change), ("max_mb", terms.max_mb)):
        if isinstance(number, bool) or not isinstance(number, int | float) or number < 0:
            raise ReportError(f"{where}: `delivery.{name}` is {number!r}; it is a number, 0 or more")
    try:
        terms.subject.format(**dict.fromkeys(PLACES, ""))
    except (KeyError, IndexError, ValueError) as error:
        raise ReportError(
            f"{where}: `delivery.subject` is {terms.subject!r}; it may name "
            f"{', '.join(f'{{{place}}}' for place in PLACES)}"
        ) from error
    return terms
