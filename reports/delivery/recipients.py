"""Who gets what: groups, owners and the domains that may be sent to, from `reports/recipients.yml`.

The file is the installation's own and git ignores it; `reports/recipients.example.yml` shows all of it.
``ANALYTICS_RECIPIENTS`` names another one. Nothing here sends.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from ingest import warehouse
from reports.errors import ReportUsageError

KEYS = ("allowed_domains", "owners", "groups", "unsubscribe")
EVERYTHING = "*"  # in a group by store: who gets the report of all stores
MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
WRITTEN = re.compile(r'"?(?P<name>[^"<>]*?)"?\s*<(?P<in_brackets>[^<>]+)>|(?P<alone>[^<>\s]+)')
SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Recipient:
    """One place that a letter goes to: a mail address, the URL of a webhook or a folder."""

    channel: str
    address: str
    name: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two recipients one, however they are written."""
        return self.channel, self.address.lower()


@dataclass(frozen=True)
class Recipients:
    """The file as a whole. A group is a list, or by store (its name or code, or its manager's name)."""

    file: Path
    domains: tuple[str, ...] = ()
    owners: Mapping[str, Recipient] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, tuple[Recipient, ...]]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    unsubscribe: str = ""

    def group(self, name: str) -> tuple[Recipient, ...]:
        """The members of a group who get a report as a whole.

        Raises:
            ReportUsageError: there is no such group; the message lists those there are.
        """
        return self.parts(name).get(EVERYTHING, ())

    def parts(self, name: str) -> Mapping[str, tuple[Recipient, ...]]:
        """The members of a group by what they get: all, or by store.

        Raises:
            ReportUsageError: there is no such group; the message lists those there are.
        """
        if name not in self.groups:
            known = ", ".join(self.groups) or "none"
            raise ReportUsageError(f"{self.file}: there is no group {name!r}; there are: {known}")
        return self.groups[name]

    def one(self, text: str) -> Recipient:
        """A mail address that a person gave.

        Raises:
            ReportUsageError: it is no address, or its domain is not allowed.
        """
        return _mailbox(text, self.domains, str(self.file))

    def owner(self, name: str | None) -> Recipient | None:
        """Where an owner named in some `meta` is reached: by the file's `owners`, or the address itself
        where it is allowed; else ``ANALYTICS_OWNER_EMAIL``. None where all of these say nothing."""
        if name and name in self.owners:
            return self.owners[name]
        if name and "@" in name and _domain(name) in self.domains:
            return self.one(name)
        fallback = os.environ.get("ANALYTICS_OWNER_EMAIL")
        return Recipient("smtp", fallback) if fallback else None

    def secret(self, url: str) -> str:
        """What the messages to a webhook are signed with; empty where nothing is said.

        Raises:
            ReportUsageError: the variable that should hold it is not set.
        """
        written = self.secrets.get(url, "")
        if match := SECRET.fullmatch(written):
            if not os.environ.get(match[1]):
                raise ReportUsageError(f"{self.file}: the environment variable {match[1]} is not set")
            return os.environ[match[1]]
        return written


def file() -> Path:
    """The recipients.yml in force."""
    return Path(os.environ.get("ANALYTICS_RECIPIENTS") or warehouse.ROOT / "reports" / "recipients.yml")


def load(place: Path | None = None) -> Recipients:
    """Read and check the file; an installation without one has no recipients.

    Raises:
        ReportUsageError: something in it is wrong; the message names it.
    """
    place = place or file()
    if not place.exists():
        return Recipients(place)
    try:
        tree = yaml.safe_load(place.read_text(encoding="utf-8")) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ReportUsageError(f"{place}:{line}: not valid YAML: {error.problem}") from error
    if not isinstance(tree, dict):
        raise ReportUsageError(f"{place}: it is a mapping with the keys {', '.join(KEYS)}")
    if unknown := sorted(set(tree) - set(KEYS)):
        raise ReportUsageError(f"{place}: there is no {', '.join(unknown)}; there are: {', '.join(KEYS)}")
    domains = tree.get("allowed_domains")
    if not domains or not isinstance(domains, list):
        raise ReportUsageError(
            f"{place}: `allowed_domains` is needed: the domains that may be sent to, as [example.com]"
        )
    for key in ("owners", "groups"):
        if not isinstance(tree.get(key) or {}, dict):
            raise ReportUsageError(f"{place}: `{key}` is a mapping: a name, and who that is")
    return _Reader(place, tuple(str(domain).lower() for domain in domains)).recipients(tree)


class _Reader:
    """Turns the YAML tree into recipients; a webhook's secret is noted on the way."""

    def __init__(self, place: Path, domains: tuple[str, ...]) -> None:
        self.place, self.domains = place, domains
        self.secrets: dict[str, str] = {}

    def recipients(self, tree: Mapping[str, Any]) -> Recipients:
        owners = {}
        for name, text in (tree.get("owners") or {}).items():
            owners[str(name)] = self._member(text, f"owners.{name}")
            if owners[str(name)].channel != "smtp":
                raise ReportUsageError(f"{self.place}: owners.{name}: it is a mail address")
        groups = {
            str(name): self._group(str(name), group) for name, group in (tree.get("groups") or {}).items()
        }
        unsubscribe = str(tree.get("unsubscribe") or "")
        if unsubscribe and not re.fullmatch(r"(https://|mailto:)[!-;=?-~]+", unsubscribe):
            raise ReportUsageError(f"{self.place}: `unsubscribe` is an address https://… or mailto:…")
        return Recipients(self.place, self.domains, owners, groups, self.secrets, unsubscribe)

    def _group(self, name: str, group: Any) -> dict[str, tuple[Recipient, ...]]:
        parts = group if isinstance(group, dict) else {EVERYTHING: group}
        found = {}
        for part, members in parts.items():
            where = f"groups.{name}" if part == EVERYTHING else f"groups.{name}.{part}"
            listed = members if isinstance(members, list) else [members]
            found[str(part)] = unique(self._member(member, where) for member in listed)
        return found

    def _member(self, member: Any, where: str) -> Recipient:
        where = f"{self.place}: {where}"
        if isinstance(member, str):
            return _mailbox(member, self.domains, where)
        if isinstance(member, dict) and "webhook" in member and set(member) <= {"webhook", "secret"}:
            return self._webhook(str(member["webhook"]), str(member.get("secret", "")), where)
        if isinstance(member, dict) and set(member) == {"folder"}:
            folder = Path(str(member["folder"])).expanduser()
            return Recipient("folder", str(folder if folder.is_absolute() else warehouse.ROOT / folder))
        raise ReportUsageError(
            f"{where}: {member!r} is no recipient; write an address, {{webhook: URL, secret: ${{NAME}}}} or "
            "{folder: PATH}"
        )

    def _webhook(self, url: str, secret: str, where: str) -> Recipient:
        host = urlsplit(url).hostname or ""
        if urlsplit(url).scheme not in ("https", "http") or not host or re.search(r"[\x00-\x20\x7f]", url):
            raise ReportUsageError(f"{where}: {url!r} is no address of a webhook: write https://…")
        if host not in self.domains:
            raise ReportUsageError(_not_allowed(where, url, host, self.domains))
        if secret and not SECRET.fullmatch(secret):
            raise ReportUsageError(f"{where}: write the secret as ${{NAME}}, a variable of the environment")
        self.secrets[url] = secret
        return Recipient("webhook", url)


def unique(recipients: Iterable[Recipient]) -> tuple[Recipient, ...]:
    """Each recipient once, in their order."""
    return tuple({recipient.key: recipient for recipient in recipients}.values())


def _mailbox(text: str, domains: Sequence[str], where: str) -> Recipient:
    written = WRITTEN.fullmatch(text)
    name, address = (
        (written["name"] or "", written["in_brackets"] or written["alone"]) if written else ("", "")
    )
    # A line's end would begin another header, and a letter of another alphabet needs servers that know it.
    if re.search(r"[\x00-\x1f\x7f]", text) or not MAILBOX.fullmatch(address):
        raise ReportUsageError(f"{where}: {text!r} is no mail address; write ann@example.com")
    mailbox, _, domain = address.rpartition("@")
    Address(name, mailbox, domain)
    if domain.lower() not in domains:
        raise ReportUsageError(_not_allowed(where, address, domain, domains))
    return Recipient("smtp", f"{mailbox}@{domain.lower()}", name)


def _not_allowed(where: str, address: str, domain: str, domains: Sequence[str]) -> str:
    allowed = ", ".join(domains) or "none"
    return f"{where}: {address} may not be sent to: {domain} is not one of `allowed_domains` ({allowed})"


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower().rstrip(">")
