"""From a file to its entry in sources.yml: where its rows are, what is proposed for them, and the entry as
text, put under the others without touching a character of them.
"""

import glob
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import yaml
from python_calamine import SheetVisibleEnum

from ingest import warehouse
from ingest.config import NAME, VARIABLE, ConfigError, Source, load_sources
from ingest.connectors import SourceError
from ingest.connectors.files import File
from ingest.connectors.workbook import MAX_EXPANDED_MB, open_workbook, opening
from ingest.landing import CONNECTORS
from ingest.places import Kind
from ingest.profile import Table, read_table
from ingest.proposal import Feed, Proposal, propose
from ingest.reading import Answers

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
TEXTS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".zip")
NEW_FILE = """\
# What is loaded, how its columns map, and which rules its rows must keep: see docs/bring-your-own-data.md.
# `analytics source add FILE` adds an entry, `analytics source check` tries them without loading.

sources:
"""


@dataclass(frozen=True)
class Origin:
    """Where the rows of a new source are: what its entry says of it (``written``), and the same resolved."""

    kind: Kind
    name: str
    written: dict[str, Any]
    sheets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class Entry:
    """A proposed source: what was found in each of its tables, and what would be written."""

    origin: Origin
    timezone: str | None
    proposals: list[tuple[dict[str, Any], Table, Proposal]] = field(default_factory=list)

    @property
    def doubts(self) -> list[str]:
        """What a person should look at."""
        return list(dict.fromkeys([*self.origin.notes, *(d for _, _, p in self.proposals for d in p.doubts)]))

    @property
    def needs_zone(self) -> bool:
        """Whether there are times of which nobody has said where they are local."""
        return self.timezone is None and any(proposal.needs_zone for _, _, proposal in self.proposals)

    def feeds(self) -> Iterator[tuple[dict[str, Any], Feed]]:
        """The feeds, each with what only its own place says (its sheet)."""
        for place, _, proposal in self.proposals:
            for feed in proposal.feeds:
                yield place, feed


def locate(given: str, name: str | None = None, sheet: str | None = None, table: str | None = None) -> Origin:
    """Where the rows of a file, a folder, a glob or a database are.

    Raises:
        SourceError: there is no such file, or it is of no kind that is known.
    """
    if table is not None:
        return _database(given, name, table)
    if (
        "://" in given
        and VARIABLE.search(given) is None
        and not given.startswith(("s3://", "sftp://", "file://"))
    ):
        raise SourceError(
            f"{given}: for a database say --table; an API is described by hand (docs/bring-your-own-data.md)"
        )
    path = Path(given).expanduser()
    notes: list[str] = []
    if path.is_dir():
        path /= f"*{_commonest_ending(path)}"
    elif not path.exists() and not glob.glob(str(path), recursive=True) and "://" not in given:
        raise SourceError(
            f"{given}: there is no such file; give a file, a folder or a quoted pattern such as 'in/*.csv'"
        )
    ending = path.name.lower()
    kind: Kind | None = "excel" if ending.endswith(WORKBOOKS) else "csv" if ending.endswith(TEXTS) else None
    if kind is None:
        raise SourceError(f"{given}: not a kind of file that is known ({' '.join((*TEXTS, *WORKBOOKS))})")
    is_one = path.exists()
    if is_one:
        notes.append(f"path names this one file; {_others(path).name} would also take those that come later")
    written = given if "://" in given else _written(path, is_one)
    origin = Origin(kind, name or _likely_name(path), {"path": written}, notes=tuple(notes))
    return replace(origin, sheets=_sheets(path, sheet)) if kind == "excel" else origin


def _database(given: str, name: str | None, table: str) -> Origin:
    url = (
        given
        if "://" in given or VARIABLE.match(given)
        else f"sqlite:///{_written(Path(given).expanduser(), False)}"
    )
    return Origin("database", name or _plain_name(table), {"url": url, "table": table})


def _commonest_ending(folder: Path) -> str:
    endings = [
        e for f in sorted(folder.iterdir()) for e in (*TEXTS, *WORKBOOKS) if f.name.lower().endswith(e)
    ]
    if not endings:
        raise SourceError(f"{folder}: holds no file of a known kind ({' '.join((*TEXTS, *WORKBOOKS))})")
    return max(endings, key=endings.count)


def _written(path: Path, is_one: bool) -> str:
    """A path as sources.yml names it: from the project's root or the home where it lies inside."""
    path = Path(os.path.abspath(path))
    for folder, before in ((warehouse.home(), "${ANALYTICS_HOME}/"), (warehouse.ROOT, ""), (Path("/"), "/")):
        if path.is_relative_to(folder):
            inside = str(path.relative_to(folder))
            return before + (glob.escape(inside) if is_one else inside)
    return str(path)


def _others(path: Path) -> Path:
    ending = next(e for e in (*TEXTS, *WORKBOOKS) if path.name.lower().endswith(e))
    return path.with_name(f"*{ending}")


def _likely_name(path: Path) -> str:
    """A source's name from a file's, without the dates and numbers that differ from file to file."""
    for part in (path.name.split(".")[0], path.parent.name):
        plain = _plain_name(re.sub(r"(?<![A-Za-z0-9])\d+(?![A-Za-z])", " ", part))
        if plain:
            return plain
    return "source"


def _plain_name(text: str) -> str:
    return re.sub(r"^[^a-z]+|_+$", "", re.sub(r"[^a-z0-9]+", "_", text.lower()))


def _sheets(path: Path, wanted: str | None) -> tuple[str, ...]:
    if wanted is not None:
        return (wanted,)
    first = Path(sorted(glob.glob(str(path)))[0] if not path.exists() else path)
    workbook = File(str(first), first)
    with opening(workbook):
        sheets = open_workbook(workbook, MAX_EXPANDED_MB).sheets_metadata
    return tuple(sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible)


# ----------------------------------------------------------------------------------------------- the proposal


def read(
    origin: Origin, connection: duckdb.DuckDBPyConnection
) -> tuple[Origin, list[tuple[dict[str, Any], Table]]]:
    """Read and look at all rows of a new source: a table for each of its places (a workbook's sheets). A
    sheet that cannot be read is left out, with a note in the origin, where there are others.

    Raises:
        SourceError: the source cannot be read.
    """
    tables: list[tuple[dict[str, Any], Table]] = []
    failures: list[SourceError] = []
    for number, place in enumerate([{"sheet": s} for s in origin.sheets] or [{}]):
        own = connection.cursor()
        own.execute(f"create schema place_{number}; use place_{number}; set TimeZone = 'UTC'")
        try:
            tables.append(
                (place, read_table(own, CONNECTORS[origin.kind].deliveries(resolved(origin.written | place))))
            )
        except SourceError as error:
            failures.append(error)
    if not tables:
        raise failures[0]
    return replace(origin, notes=(*origin.notes, *(f"left out: {error}" for error in failures))), tables


def propose_entry(origin: Origin, tables: list[tuple[dict[str, Any], Table]], answers: Answers) -> Entry:
    """Propose the feeds of a new source. A feed that another sheet already has is left out, with a doubt.

    Raises:
        ConfigError: an answer does not fit the source.
    """
    entry = Entry(origin, answers.timezone)
    taken: dict[str, str] = {}
    for place, table in tables:
        proposal = propose(table, answers, lines_are_stable=origin.kind in ("csv", "excel"))
        for feed in list(proposal.feeds):
            if first := taken.get(feed.entity.name):
                proposal.feeds.remove(feed)
                proposal.doubts.append(
                    f"sheet {place['sheet']}: holds {feed.entity.name} as {first} does, and a source has one"
                    f" feed for each entity; add it as another source: --sheet '{place['sheet']}' --name …"
                )
        for feed in proposal.feeds:
            taken[feed.entity.name] = f"sheet {place['sheet']}" if place else "this file"
        entry.proposals.append((place, table, proposal))
    return entry


def resolved(place: dict[str, Any]) -> dict[str, Any]:
    """A place with its variables replaced.

    Raises:
        ConfigError: one is not set.
    """

    def value_of(match: re.Match[str]) -> str:
        if match[1] == "ANALYTICS_HOME":
            return str(warehouse.home())
        if match[1] not in os.environ:
            raise ConfigError(f"the environment variable {match[1]} is not set")
        return os.environ[match[1]]

    return {k: VARIABLE.sub(value_of, v) if isinstance(v, str) else v for k, v in place.items()}


# ---------------------------------------------------------------------------------------- the entry as text


def as_yaml(entry: Entry, name: str, indent: int = 2) -> str:
    """The entry as it would stand in sources.yml."""
    lines = [f"{name}:", f"  kind: {entry.origin.kind}"]
    lines += [f"  {key}: {scalar(value)}" for key, value in entry.origin.written.items()]
    if entry.timezone or entry.needs_zone:
        unsaid = "" if entry.timezone else "   # not said: times without a zone are taken as UTC"
        lines.append(f"  timezone: {entry.timezone or 'UTC'}{unsaid}")
    lines.append("  feeds:")
    for place, feed in entry.feeds():
        lines.append(f"    {feed.entity.name}:")
        lines += [f"      {key}: {scalar(value)}" for key, value in place.items()]
        lines.append(f"      key: [{', '.join(feed.entity.key)}]")
        lines.append("      columns:")
        lines += [f"        {column}: {scalar(sql)}" for column, sql in feed.columns.items()]
        if feed.rules:
            lines.append("      rules:")
            lines += [f"        {rule}: {scalar(sql)}" for rule, sql in feed.rules.items()]
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def scalar(value: str) -> str:
    """A text as YAML, in double quotes where it needs quotes, as SQL is full of single ones."""
    plain = (
        r"[A-Za-z_][A-Za-z0-9_]*( [A-Za-z_]+)*|[$/.A-Za-z][A-Za-z0-9_${}/.*?+-]*(://[A-Za-z0-9_${}/.*?+-]*)?"
    )
    if re.fullmatch(plain, value) and yaml.safe_load(f"key: {value}") == {"key": value}:
        return value
    if '"' in value and "'" not in value and "\\" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def add_entry(file: Path, entry: Entry, name: str) -> str:
    """The text of a sources.yml with a new entry under the others; what was there stays as it is, to the
    character.

    Raises:
        ConfigError: the name is taken or no name, or the file is one that nothing can be added to.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"`{name}`: a source's name is lower case letters, digits and _, a letter first; see --name"
        )
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if not text.strip():
        return text + NEW_FILE + as_yaml(entry, name)
    column = _column_of_entries(file, text)
    if column is None:
        text = re.sub(r"^(sources:)\s*(\{\s*\}|null|~)", r"\1", text, count=1, flags=re.MULTILINE)
    else:
        existing = load_sources(file)
        if name in existing:
            line = existing[name].feeds[0].where("feed")
            raise ConfigError(
                f"{line}: there is a source `{name}` already; give another --name, or remove it first"
            )
    before = text if text.endswith("\n") else f"{text}\n"
    gap = "" if before.endswith(("\n\n", "sources:\n")) else "\n"
    return before + gap + as_yaml(entry, name, column or 2)


def _column_of_entries(file: Path, text: str) -> int | None:
    """How far the entries are indented; None where there is none yet."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        load_sources(file)  # says what is wrong
        raise
    values = (
        dict((key.value, value) for key, value in tree.value) if isinstance(tree, yaml.MappingNode) else {}
    )
    entries = values.get("sources")
    if tree is None or (isinstance(entries, yaml.ScalarNode) and entries.value in ("", "null", "~")):
        return None
    if not isinstance(entries, yaml.MappingNode) or list(values)[-1] != "sources":
        load_sources(file)
        raise ConfigError(f"{file}: expected a mapping with the key `sources`, after which nothing stands")
    if not entries.value:
        return None
    if entries.flow_style:
        raise ConfigError(
            f"{file}: its sources stand in braces; write each on lines of its own, or add what --print shows"
        )
    return int(entries.value[0][0].start_mark.column)


def write_entry(file: Path, text: str, name: str) -> Source:
    """Write the new text of a sources.yml, as a whole and only if it is right.

    Raises:
        ConfigError: it is not.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False, newline=""
    ) as draft:
        draft.write(text)
    try:
        source = load_sources(Path(draft.name))[name]
        Path(draft.name).chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
        os.replace(draft.name, file.resolve())
    except ConfigError as error:
        raise ConfigError(str(error).replace(draft.name, str(file))) from error
    finally:
        Path(draft.name).unlink(missing_ok=True)
    return source


def trial_source(entry: Entry, name: str) -> Source:
    """The entry as ``ingest.config`` reads it, for a dry run before anything is written.

    Raises:
        ConfigError: it is not right.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "proposal.yml"
        draft.write_text("sources:\n" + as_yaml(entry, name), encoding="utf-8")
        return load_sources(draft)[name]
