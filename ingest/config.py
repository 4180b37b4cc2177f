"""``sources.yml`` as typed objects.

Every mistake in the file is an error that names the file, the line, the key and what would be right, and
is found before anything is read. Secrets come from the environment as ``${NAME}``, resolved only when a
source is read, so that a source nobody uses needs none.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
import yaml

from ingest import warehouse
from ingest.entities import ENTITIES, PLACE, SALES, Column, Entity, as_is, landed_names
from ingest.places import PLACES, Choice, Keys, Kind, Spec, contradiction

Mode = Literal["append", "upsert", "snapshot"]
MODES: tuple[Mode, ...] = get_args(Mode)
FIRST_DAY = "2020-01-01"  # of the windows of a cursor that does not say another
MAX_SHRINK = 0.3

NAME = re.compile(r"[a-z][a-z0-9_]*")
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Compared without case, - and _.
SECRET_KEYS = {"token", "password", "apikey", "clientsecret", "accesstoken", "secret", "accesskey"}
URL_SECRET = re.compile(
    r"://[^/@:]*:(?!\$\{)[^/@]+@"
    r"|[?&](token|access_token|api_?key|key|secret|password)=(?!\$\{)",
    re.IGNORECASE,
)
CRON_FIELDS = re.compile(r"[\d*/,A-Za-z-]+( [\d*/,A-Za-z-]+){4}")
# What a source says for all its feeds, and a feed for itself.
FEED_DEFAULTS = {"mode", "max_shrink", "clean", "plausible_dates"}
SOURCE_KEYS = {"kind", "timezone", "schedule", "feeds", "meta"} | FEED_DEFAULTS
AS_IS_KEYS = {"table", "key", "mode", "max_shrink"}
FEED_KEYS = {"key", "columns", "rules"} | FEED_DEFAULTS


class ConfigError(ValueError):
    """Something in sources.yml is wrong; the message names the place and the mend."""


@dataclass(frozen=True)
class Clean:
    """What is done to texts unless it is switched off: blanks around them go, an empty one is null, an e-mail
    address is in lower case, and a phone number keeps its digits and the plus before them."""

    trim: bool = True
    empty_to_null: bool = True
    email_case: bool = True
    phone_digits: bool = True


@dataclass(frozen=True)
class Feed:
    """How the rows of a source become rows of one entity.

    ``columns`` and ``rules`` map a name to a DuckDB SQL expression; ``place`` says where the rows are, with
    variables not yet resolved; ``lines`` gives the line in sources.yml of each expression. In mode
    ``snapshot`` a key that is missing was deleted; more than the share ``max_shrink`` of them is refused.
    ``plausible_dates`` refuses facts from before 1900 or from the future.
    """

    source: str
    kind: Kind
    timezone: str
    entity: Entity
    columns: dict[str, str]
    rules: dict[str, str]
    place: dict[str, Any]
    file: Path
    lines: dict[str, int]
    clean: Clean = Clean()
    mode: Mode = "append"
    max_shrink: float = MAX_SHRINK
    plausible_dates: bool = True

    @property
    def name(self) -> str:
        """The feed's name, which is its entity's."""
        return self.entity.name

    def requires(self, column: Column) -> bool:
        """Whether a row without a value in the column is refused. A sale needs a price unless the source
        gives the amount itself."""
        priced = self.entity is SALES and column.name == "unit_price" and "total_amount" not in self.columns
        return column.required or priced

    def where(self, key: str) -> str:
        """``file:line`` of a column, rule or place key, for error messages."""
        return f"{self.file}:{self.lines.get(key, self.lines['feed'])}"

    def resolved_place(self) -> dict[str, Any]:
        """``place`` with every ``${NAME}`` replaced from the environment.

        Raises:
            ConfigError: a variable is not set.
        """
        return {key: self._resolve(key, value) for key, value in self.place.items()}

    def _resolve(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {inner: self._resolve(key, item) for inner, item in value.items()}
        if not isinstance(value, str):
            return value

        def replace(match: re.Match[str]) -> str:
            name = match[1]
            if name == "ANALYTICS_HOME":
                return str(warehouse.home())
            if name not in os.environ:
                raise ConfigError(
                    f"{self.where(key)}: {self.source}.{key}: the environment variable {name} is not set"
                )
            return os.environ[name]

        return VARIABLE.sub(replace, value)


@dataclass(frozen=True)
class Schedule:
    """When a source is read by itself: a cron expression and the time zone it is meant in."""

    cron: str
    timezone: str


@dataclass(frozen=True)
class Meta:
    """Who is told when something is wrong with a source, and which share of rejected rows is too much. An
    owner who is named gets the rejected rows of each of its files."""

    owner: str | None = None
    max_rejected_share: float = 0.05


@dataclass(frozen=True)
class Source:
    """One source system and its feeds, in the order of the file."""

    name: str
    kind: Kind
    feeds: tuple[Feed, ...]
    schedule: Schedule | None = None
    meta: Meta = Meta()

    @property
    def cursors(self) -> list[dict[str, Any]]:
        """The cursors of those of its feeds that have one."""
        return [feed.place["cursor"] for feed in self.feeds if "cursor" in feed.place]

    @property
    def first_day(self) -> date | None:
        """The first day that can be read again by itself; None where there is no cursor of times."""
        of_numbers = re.compile("0*[1-9][0-9]*")  # the lag of a cursor of numbers
        days = [
            date.fromisoformat(str(cursor.get("first_day", FIRST_DAY)))
            for cursor in self.cursors
            if not of_numbers.fullmatch(str(cursor.get("lag", 0)))
        ]
        return min(days, default=None)


def sources_file() -> Path:
    """The sources.yml in force: ``ANALYTICS_SOURCES``, else the project's own."""
    return Path(os.environ.get("ANALYTICS_SOURCES") or warehouse.ROOT / "ingest" / "sources.yml")


def load_sources(file: Path | None = None) -> dict[str, Source]:
    """Read and check a sources.yml.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    file = file or sources_file()
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); set ANALYTICS_SOURCES") from error
    return _Reader(file, text).sources()


class _Said(NamedTuple):
    """What a source says for all its feeds."""

    source: str
    kind: Kind
    timezone: str
    place: dict[str, Any]
    defaults: dict[str, Any]


class _Reader:
    """Turns the YAML tree into sources; keeps the line of every key for the messages."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.lines: dict[tuple[str, ...], int] = {}
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigError(f"{file}:{line}: not valid YAML: {error.problem}") from error
        self.tree = self._plain(node, ()) if node else None

    def _plain(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            result: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = str(key_node.value)
                here = (*path, key)
                if key in result:
                    first = self.lines[here]
                    raise self.error(
                        (), f"{'.'.join(here)}: a duplicate key (first in line {first})", key_node
                    )
                self.lines[here] = key_node.start_mark.line + 1
                result[key] = self._plain(value_node, here)
            return result
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*path, str(index))) for index, item in enumerate(node.value)]
        if path[-2:-1] in (("columns",), ("rules",), ("key",)):
            return node.value  # as it is written: to YAML a column called `no` would be false
        return yaml.SafeLoader("").construct_object(node, deep=True)

    def error(self, path: tuple[str, ...], message: str, node: yaml.Node | None = None) -> ConfigError:
        line = node.start_mark.line + 1 if node else self.lines.get(path, 1)
        return ConfigError(f"{self.file}:{line}: {'.'.join(path) + ': ' if path else ''}{message}")

    def mapping(self, value: Any, path: tuple[str, ...], what: str) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            raise self.error(path, f"expected {what}")
        return value

    def known(self, keys: Iterable[str], allowed: Iterable[str], path: tuple[str, ...]) -> None:
        for key in keys:
            if key not in allowed:
                raise self.error((*path, key), unknown("key", key, allowed))

    def sources(self) -> dict[str, Source]:
        top = self.mapping(self.tree, (), "a mapping with the key `sources`")
        self.known(top, {"sources"}, ())
        entries = self.mapping(top.get("sources"), ("sources",), "a mapping of source names")
        return {name: self.source(name, entry) for name, entry in entries.items()}

    def source(self, name: str, entry: Any) -> Source:
        path = ("sources", name)
        if not NAME.fullmatch(name):
            raise self.error(path, "a source's name is lower case letters, digits and _, a letter first")
        entry = self.mapping(entry, path, "a mapping with kind, feeds and where the rows are")
        kind = entry.get("kind")
        if kind not in PLACES:
            raise self.error((*path, "kind") if "kind" in entry else path, unknown("kind", kind, PLACES))
        self.known(entry, SOURCE_KEYS | PLACES[kind].known.keys(), path)
        self.secrets(entry, path)
        timezone = self.timezone(entry, path)
        feeds = self.mapping(entry.get("feeds"), (*path, "feeds"), f"a mapping of {', '.join(ENTITIES)}")
        said = _Said(name, kind, timezone, self.place(kind, entry, path), self.feed_defaults(entry, path))
        read: dict[str, Feed] = {}
        for key in feeds:
            feed = self.feed(said, key, feeds[key])
            if feed.name in read:
                raise self.error(
                    (*path, "feeds", key), f"the source has a feed for the table {feed.name} already"
                )
            read[feed.name] = feed
        return Source(
            name,
            kind,
            tuple(read.values()),
            self.schedule(entry["schedule"], timezone, (*path, "schedule")) if "schedule" in entry else None,
            self.meta(entry["meta"], (*path, "meta")) if "meta" in entry else Meta(),
        )

    def meta(self, value: Any, path: tuple[str, ...]) -> Meta:
        entry = self.mapping(value, path, "a mapping such as {owner: Shop operations}")
        self.known(entry, vars(Meta()), path)
        share = entry.get("max_rejected_share", 0)
        if type(share) not in (int, float) or not 0 <= share <= 1:
            raise self.error((*path, "max_rejected_share"), f"expected a share from 0 to 1, found {share!r}")
        if not isinstance(entry.get("owner", ""), str):
            raise self.error((*path, "owner"), f"expected a name or an address, found {entry['owner']!r}")
        return Meta(**entry)

    def timezone(self, entry: Mapping[str, Any], path: tuple[str, ...], default: str = "UTC") -> str:
        timezone = entry.get("timezone", default)
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, TypeError) as error:
            raise self.error(
                (*path, "timezone"), f"no such time zone: {timezone!r} (e.g. Europe/London)"
            ) from error
        return str(timezone)

    def schedule(self, value: Any, timezone: str, path: tuple[str, ...]) -> Schedule:
        """A cron expression, or one with a time zone; that of the source's times is the default."""
        entry = value if isinstance(value, dict) else {"cron": value}
        self.known(entry, {"cron", "timezone"}, path)
        cron = entry.get("cron")
        if not isinstance(cron, str) or not CRON_FIELDS.fullmatch(cron):
            raise self.error(path, f'expected a cron expression such as "0 6 * * *", found {cron!r}')
        return Schedule(cron, self.timezone(entry, path, timezone))

    def feed_defaults(self, entry: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        """What an entry says of FEED_DEFAULTS, as arguments of a Feed."""
        found: dict[str, Any] = {key: entry[key] for key in sorted(FEED_DEFAULTS & entry.keys())}
        if "mode" in found and found["mode"] not in MODES:
            raise self.error((*path, "mode"), unknown("mode", found["mode"], MODES))
        share = found.get("max_shrink", MAX_SHRINK)
        if type(share) not in (int, float) or not 0 <= share <= 1:
            raise self.error((*path, "max_shrink"), f"expected a share from 0 to 1, found {share!r}")
        self.switch(found.get("plausible_dates", True), (*path, "plausible_dates"))
        if "clean" in found:
            switches = self.mapping(found["clean"], (*path, "clean"), "a mapping such as {trim: false}")
            self.known(switches, vars(Clean()), (*path, "clean"))
            for key, value in switches.items():
                self.switch(value, (*path, "clean", key))
        return found

    def switch(self, value: Any, path: tuple[str, ...]) -> None:
        if not isinstance(value, bool):
            raise self.error(path, f"expected true or false, found {value!r}")

    def feed(self, said: "_Said", name: str, entry: Any) -> Feed:
        source, kind = said.source, said.kind
        path = ("sources", source, "feeds", name)
        if name not in ENTITIES:
            return self.feed_as_is(said, name, entry)
        entity = ENTITIES[name]
        entry = self.mapping(entry, path, "a mapping with `columns`")
        self.known(entry, FEED_KEYS | PLACES[kind].known.keys(), path)
        place = self.whole_place(said, entry, path)
        if "key" in entry and tuple(entry["key"]) != entity.key:
            raise self.error((*path, "key"), f"the key of {name} is [{', '.join(entity.key)}]")
        columns = self.expressions(entry.get("columns"), (*path, "columns"), entity.names)
        rules = self.expressions(entry["rules"], (*path, "rules")) if "rules" in entry else {}
        mapped = set(columns)
        for column in entity.columns:
            if column.required and column.name not in mapped and column.default is None:
                raise self.error((*path, "columns"), f"the column `{column.name}` of {name} must be mapped")
        if entity is SALES and not mapped & {"unit_price", "total_amount"}:
            raise self.error((*path, "columns"), "map `unit_price` or `total_amount`: a sale needs an amount")
        own = self.feed_defaults(entry, path)
        settings = said.defaults | own
        settings["clean"] = Clean(**(said.defaults.get("clean", {}) | own.get("clean", {})))
        if settings.get("mode") == "snapshot" and "cursor" in place:
            raise self.error(path, "mode: snapshot needs all rows, and `cursor` reads only the new ones")
        lines = self.feed_lines(path, entry, place)
        return Feed(source, kind, said.timezone, entity, columns, rules, place, self.file, lines, **settings)

    def feed_as_is(self, said: "_Said", name: str, entry: Any) -> Feed:
        """A feed that names no entity: its rows land as they are, in a table of their own."""
        path = ("sources", said.source, "feeds", name)
        is_database = said.kind == "database"  # whose `table` is the one that is read
        if not isinstance(entry, dict) or "columns" in entry or not (is_database or "table" in entry):
            mend = "leave out `columns`" if is_database else f"write {name}: {{table: {name}}}"
            raise self.error(
                path, f"{unknown('entity', name, ENTITIES)}; to land its rows as they are, {mend}"
            )
        table = name if is_database else entry["table"]
        if not isinstance(table, str) or not NAME.fullmatch(table):
            raise self.error(path, "a table's name is lower case letters, digits and _, a letter first")
        if table in ENTITIES:
            raise self.error(
                path, f"the table {table} takes mapped rows; map its columns, or choose another name"
            )
        self.known(entry, AS_IS_KEYS | PLACES[said.kind].known.keys(), path)
        place = self.whole_place(said, entry, path)
        key = entry.get("key", [])
        if not isinstance(key, list) or not all(isinstance(column, str) and column for column in key):
            raise self.error((*path, "key"), f"expected a list of the source's columns, found {key!r}")
        settings = said.defaults | self.feed_defaults(entry, path)
        settings = {name: value for name, value in settings.items() if name in AS_IS_KEYS}
        entity = as_is(table, list(landed_names(key).values()))
        if settings.get("mode") == "snapshot" and ("cursor" in place or entity.key == PLACE):
            raise self.error(path, "mode: snapshot needs a `key`, and all rows, without a `cursor`")
        lines = self.feed_lines(path, entry, place)
        return Feed(
            said.source, said.kind, said.timezone, entity, {}, {}, place, self.file, lines, **settings
        )

    def whole_place(self, said: "_Said", entry: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        """Where a feed's rows are, by what its source and itself say."""
        place = said.place | self.place(said.kind, entry, path)
        for key in PLACES[said.kind].needed:
            if key not in place:
                raise self.error(path, f"a source of kind {said.kind} needs `{key}`")
        if wrong := contradiction(said.kind, place):
            raise self.error(path, wrong)
        return place

    def place(self, kind: Kind, entry: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        """What an entry says of where its rows are."""
        known = PLACES[kind].known
        place = {key: value for key, value in entry.items() if key in known}
        for key, value in place.items():
            self.value(value, known[key], (*path, key))
        return place

    def value(self, value: Any, spec: Spec, path: tuple[str, ...]) -> None:
        if isinstance(spec, Choice):
            entry = {"type": value} if isinstance(value, str) else self.mapping(value, path, "a mapping")
            kind = entry.get("type")
            if not isinstance(kind, str) or kind not in spec.types:
                raise self.error(path, unknown("type", kind, spec.types))
            keys = spec.types[kind]
            self.value({k: v for k, v in entry.items() if k != "type"}, keys, path)
        elif isinstance(spec, Keys):
            if not isinstance(value, dict):
                raise self.error(path, f"expected a mapping of {', '.join(spec.known)}")
            self.known(value, spec.known, path)
            for key in spec.needed:
                if key not in value:
                    raise self.error(path, f"`{key}` is missing")
            for key, item in value.items():
                self.value(item, spec.known[key], (*path, key))
        elif expected := spec(value):
            raise self.error(path, f"expected {expected}, found {value!r}")

    def feed_lines(
        self, path: tuple[str, ...], entry: dict[str, Any], place: dict[str, Any]
    ) -> dict[str, int]:
        lines = {"feed": self.lines[path]}
        for key in place:
            lines[key] = self.lines.get((*path, key)) or self.lines[(*path[:2], key)]
        for group in ("columns", "rules"):
            for key in entry.get(group, {}):
                lines[key] = self.lines[(*path, group, key)]
        return lines

    def expressions(
        self, value: Any, path: tuple[str, ...], allowed: Iterable[str] | None = None
    ) -> dict[str, str]:
        entries = self.mapping(value, path, "a mapping of names to SQL expressions")
        if allowed is not None:
            self.known(entries, allowed, path)
        for name, expression in entries.items():
            if not NAME.fullmatch(name):
                raise self.error((*path, name), "a name is lower case letters, digits and _, a letter first")
            try:
                statements = duckdb.extract_statements(f"select ({expression}\n)")
                if len(statements) != 1:
                    raise duckdb.ParserException("more than one statement")
            except duckdb.Error as error:
                raise self.error((*path, name), f"not a SQL expression: {first_line(error)}") from error
        return {name: str(expression) for name, expression in entries.items()}

    def secrets(self, entry: Mapping[str, Any], path: tuple[str, ...]) -> None:
        for key, value in entry.items():
            here = (*path, key)
            if key in ("columns", "rules"):
                continue  # SQL
            if isinstance(value, dict):
                self.secrets(value, here)
                continue
            secret = key.lower().replace("-", "").replace("_", "") in SECRET_KEYS
            literal = secret and not (isinstance(value, str) and VARIABLE.fullmatch(value))
            if literal or (key in ("url", "path") and isinstance(value, str) and URL_SECRET.search(value)):
                raise self.error(here, "a secret must come from the environment: write ${NAME}")


def unknown(what: str, given: object, allowed: Iterable[str]) -> str:
    """A message for a name that does not exist, with the nearest one that does."""
    names = sorted(allowed)
    near = difflib.get_close_matches(str(given), names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"it can be: {', '.join(names)}"
    return f"unknown {what} `{given}`; {hint}"


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return str(error).strip().split("\n", 1)[0]
