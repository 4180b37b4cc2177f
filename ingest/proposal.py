"""From what the columns of a table hold to a proposed entry of sources.yml: which entity, which column is
which, and what cannot be known from the data. What the data leave open is a question, never a guess.

Names alone decide nothing: a column is taken where its name is one that people use (``ingest.vocabulary``)
and what it holds fits (``ingest.profile``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from ingest import profile
from ingest.config import ConfigError, unknown
from ingest.entities import ENTITIES, SALES, Column, Entity, quoted
from ingest.profile import Table
from ingest.reading import Answers, Notes, expression_of, name_of, rows_of, time_beside
from ingest.vocabulary import NEGATIONS, joined, likeness, normal

LINE_KEY = "regexp_extract(_file, '[^/]+$') || '-' || _line"
PARTS_OF_DATES = {
    *("date", "day", "month", "year", "week", "weekday", "quarter", "time"),
    *("datum", "tag", "monat", "jahr", "woche", "wochentag", "zeit"),
    *("jour", "mois", "annee", "semaine", "fecha", "dia", "mes", "ano"),
}
NOT_NEGATIVE = ("unit_price", "unit_cost", "duration", "stock_level")
ENOUGH_ROWS = 1000  # below it, two columns are easily different in every row by chance
DEPENDS = 0.9  # the share of codes that must have one value of an attribute
HOLDS = 0.99  # the share of values that must keep a rule for it to be proposed,
EXCEPTIONS = 0.001  # and the share that may break it, though one always may


@dataclass
class Feed:
    """A proposed feed; ``used`` has for a landed column the source's column it is made of."""

    entity: Entity
    columns: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)


@dataclass
class Proposal(Notes):
    """The feeds of one table. Without feeds, ``missing`` says what the nearest entity lacks."""

    feeds: list[Feed] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    needs_zone: bool = False


def propose(table: Table, answers: Answers, lines_are_stable: bool = True) -> Proposal:
    """Propose feeds for a table. ``lines_are_stable`` says that a row keeps its line, as it does in a file.

    Raises:
        ConfigError: an answer does not fit the table.
    """
    proposal = Proposal()
    for name in answers.entities:
        if name not in ENTITIES:
            raise ConfigError(f"--entity: {unknown('entity', name, ENTITIES)}")
    wanted = [ENTITIES[name] for name in answers.entities] or list(ENTITIES.values())
    tries = [_Match(table, entity, answers, lines_are_stable) for entity in wanted]
    chosen = tries if answers.entities else [_nearest(tries)]
    proposal.missing = [line for match in chosen if match.missing for line in match.explained()]
    if proposal.missing:
        return proposal
    proposal.feeds = [match.feed(proposal) for match in chosen]
    if not answers.entities:
        _doubt_the_entity(tries, chosen[0], proposal)
        _add_attributes(table, chosen[0], answers, proposal)
    if table.odd:
        proposal.doubts.append(
            f"{table.odd:,} lines do not have as many fields as the header and would be rejected"
        )
    return proposal


def _nearest(tries: Sequence["_Match"]) -> "_Match":
    """The entity that most columns fit, without which nothing is missing; one that lacks something is nearer
    where clearly more fit it, as in a list of sales without dates, which is no list of products."""
    complete = max(tries, key=lambda match: (not match.missing, len(match.used)))
    most = max(tries, key=lambda match: len(match.used))
    return most if complete.missing or len(most.used) >= len(complete.used) + 2 else complete


def _doubt_the_entity(tries: Sequence["_Match"], main: "_Match", proposal: Proposal) -> None:
    others = [
        match.entity.name
        for match in tries
        if match is not main and not match.missing and len(match.used) >= len(main.used)
    ]
    if others:
        proposal.doubts.append(
            f"the columns fit {' and '.join(others)} as well as {main.entity.name}; --entity chooses"
        )


class _Match:
    """An entity laid over a table: which column is which, and what is missing."""

    def __init__(self, table: Table, entity: Entity, answers: Answers, lines_are_stable: bool) -> None:
        self.table, self.entity, self.answers = table, entity, answers
        self.lines_are_stable = lines_are_stable
        names = entity.names
        self.given = {
            name.rpartition(".")[2]: expression
            for name, expression in answers.expressions.items()
            if name.rpartition(".")[0] in ("", entity.name) and name.rpartition(".")[2] in names
        }
        self.only_dates: str | None = None
        self.used = self._assigned()
        self.key_expression = self.given.get(entity.key[0]) or self._fact_key()
        self.missing = self._missing()

    def _assigned(self) -> dict[str, str]:
        """The source's column of each landed column: the likeliest names first, each column once."""
        scores = []
        for landed in self.entity.columns:
            for position, column in enumerate(self.table.columns.values()):
                likely = likeness(self.entity.name, landed.name, column.name)
                negated = landed.name == "active" and joined(column.name) in NEGATIONS
                if landed.name not in self.given and (negated or (likely and self._fits(landed, column))):
                    scores.append((likely, -position, landed.name, column.name))
        used: dict[str, str] = {}
        for _, _, name, column_name in sorted(scores, reverse=True):
            if name not in used and column_name not in used.values():
                used[name] = column_name
        for *_, name, column_name in sorted(scores, reverse=True):  # a name may be all the code there is
            if name in self.entity.key and name not in used:
                used[name] = column_name
        times = [column.name for column in self.table.columns.values() if column.is_time]
        for landed in self.entity.columns:
            when = landed.required and landed.type in ("timestamp", "date") and landed.name not in self.given
            if when and landed.name not in used and len(times) == 1 and used:
                self.only_dates = used[landed.name] = times[0]
        return {name: used[name] for name in self.entity.names if name in used}

    def _fits(self, landed: Column, column: profile.Column) -> bool:
        """Whether what a column holds may be what the landed column means."""
        if column.type == "empty":
            return not landed.required
        if landed.name in ("sale_code", "interaction_code"):
            several = column.distinct > 1 or self.table.rows == 1
            return column.type in ("text", "integer") and several and self._identifies(column.name)
        match landed.type:
            case "timestamp" | "date":
                fits = column.is_time
            case "money" | "integer" | "bigint":
                fits = column.is_number or (landed.name == "duration" and column.type == "time")
            case "boolean":
                fits = column.type == "boolean" or column.distinct <= 2
            case _ if landed.name.endswith("_code"):
                fits = column.type in ("text", "integer")
            case _ if landed.name.endswith("_name"):
                fits = column.type in ("text", "boolean")
            case _:
                fits = column.type not in ("decimal", "timestamp")
        return fits

    def _identifies(self, column: str) -> bool:
        """Whether rows of a file that share a value are copies of one row."""
        repeats = self.table.repeats([column])
        always = [c.name for c in self.table.columns.values() if not c.empty and c.name != column]
        return not repeats or repeats == self.table.repeats([column, *always])

    def _fact_key(self) -> str | None:
        """What identifies a row of sales or interactions; None where its own column does, or nothing can."""
        if self.entity.name not in ("sales", "interactions") or self.entity.key[0] in self.used:
            return None
        transaction, product = self.used.get("transaction_code"), self.used.get("product_code")
        for columns in ([transaction], [transaction, product]):
            names = [column for column in columns if column and not self.table.columns[column].empty]
            enough = len(names) == 1 or self.table.rows >= ENOUGH_ROWS
            if len(names) == len(columns) and enough and not self.table.repeats(names):
                return " || '-' || ".join(map(name_of, names))
        return LINE_KEY if self.lines_are_stable else None

    def _missing(self) -> list[str]:
        mapped = self.used.keys() | self.given.keys()
        if self.key_expression:
            mapped |= {self.entity.key[0]}
        missing = [
            c.name for c in self.entity.columns if c.required and not c.default and c.name not in mapped
        ]
        if self.entity is SALES and not mapped & {"unit_price", "total_amount"}:
            missing.append("unit_price")
        if not missing and not mapped - set(self.entity.key):  # a key alone says nothing
            missing = [name for name in self.entity.names if name not in self.entity.key][:1]
        return missing

    def explained(self) -> list[str]:
        """What is missing, with the columns that came near."""
        found = ", ".join(f"{name} ({column})" for name, column in self.used.items())
        said = [f"{self.entity.name}: found {found or 'none of its columns'}"]
        for name in self.missing:
            said.append(f"{self.entity.name}: `{name}` is missing{self._near(name)}")
        return said

    def _near(self, name: str) -> str:
        landed = next(column for column in self.entity.columns if column.name == name)
        named = [c for c in self.table.columns.values() if likeness(self.entity.name, name, c.name)]
        if landed.type in ("timestamp", "date"):
            named += [c for c in self.table.columns.values() if PARTS_OF_DATES & set(normal(c.name).split())]
        near = {c.name: c for c in named if not self._fits(landed, c)}.values()
        what = {
            "timestamp": "a full date",
            "date": "a full date",
            "money": "a number",
            "integer": "a number",
        }.get(landed.type, "what it should hold")
        if not near:
            return f": no column holds {what} under a name that says so" if landed.type != "text" else ""
        return ": " + "; ".join(f"{c.name} ({', '.join(c.examples)}) is not {what}" for c in near)

    # ------------------------------------------------------------------------------------------- the feed

    def feed(self, proposal: Proposal) -> Feed:
        """The feed, once nothing is missing; doubts and questions go to the proposal."""
        feed = Feed(self.entity, used=self.used)
        for landed in self.entity.columns:
            name = landed.name
            if name in self.given:
                feed.columns[name] = self.given[name]
            elif name in self.used:
                column = self.table.columns[self.used[name]]
                feed.columns[name] = expression_of(self.table, landed, column, self.answers, proposal)
            elif name == self.entity.key[0] and self.key_expression:
                feed.columns[name] = self.key_expression
                self._doubt_the_made_key(proposal)
        if self.only_dates:
            proposal.doubts.append(
                f"{self.only_dates}: its name does not say that it is the time, but no other column has dates"
            )
        self._check_expressions(feed)
        self._doubt_the_key(feed, proposal)
        if self.entity is SALES:
            _check_amounts(self.table, feed, proposal)
        _add_rules(self.table, feed, proposal)
        for name in ("sold_at", "occurred_at"):
            if name in self.used:
                self._place_in_time(name, proposal)
        return feed

    def _place_in_time(self, name: str, proposal: Proposal) -> None:
        """Whether the times need a time zone. A date alone begins its day wherever it is, which only a zone
        other than that of the reports could move."""
        dates = self.table.columns[self.used[name]].dates
        if dates is None or dates.has_zone:
            return
        if dates.has_time or time_beside(self.table) is not None:
            proposal.needs_zone = True
        elif self.answers.timezone not in (None, "UTC"):
            proposal.doubts.append(
                f"{self.used[name]}: holds days without a time of day, which begin at midnight in"
                f" {self.answers.timezone};"
                " they fall on another day unless reporting_timezone in dbt_project.yml is the same"
            )

    def _doubt_the_made_key(self, proposal: Proposal) -> None:
        entity = self.entity.name
        if self.key_expression != LINE_KEY:
            proposal.doubts.append(
                f"{entity}: {self.key_expression} is different in all {rows_of(self.table.rows)}, so it"
                " becomes the key. Rows that ever share it count as one, of which the newest wins; if that"
                " may be, say"
                f' --map {self.entity.key[0]}="{LINE_KEY}"'
            )
            return
        row = {"sales": "sale", "interactions": "contact"}[entity]
        proposal.doubts.append(
            f"{entity}: no column identifies a row, so its key is the file's name and its line. A line that"
            f" is corrected in place replaces its {row}; a line that moves, or comes again in another file,"
            f" counts as a {row} of its own"
        )

    def _check_expressions(self, feed: Feed) -> None:
        for name in self.given:
            try:
                self.table.connection.execute(f"describe select ({feed.columns[name]}\n) from raw").fetchall()
            except duckdb.Error as error:
                said = " ".join(str(error).split("\n\nLINE", 1)[0].split())
                raise ConfigError(f"--map {name}: {said}") from error

    def _doubt_the_key(self, feed: Feed, proposal: Proposal) -> None:
        columns = [self.used[name] for name in self.entity.key if name in self.used]
        if len(columns) < len(self.entity.key):
            return
        shown = " and ".join(columns)
        empty = max(self.table.columns[column].empty for column in columns)
        if empty:
            proposal.doubts.append(
                f"{feed.entity.name}: {shown} is empty in {rows_of(empty)}, which would be rejected"
            )
        within = self.table.repeats(columns)
        across = self.table.repeats(columns, within="") - within if self.table.files > 1 else 0
        if within:
            proposal.doubts.append(
                f"{feed.entity.name}: {shown} comes again in the same file in {rows_of(within)}; the last"
                " one counts"
            )
        if across > 0:
            proposal.doubts.append(
                f"{feed.entity.name}: {shown} comes again in another file in {rows_of(across)}; the newest"
                " counts"
            )


def _add_attributes(table: Table, main: _Match, answers: Answers, proposal: Proposal) -> None:
    """Feeds for the products, customers, stores and channels of which a file of facts carries attributes."""
    if main.entity.name not in ("sales", "interactions", "inventory"):
        return
    free = set(table.columns) - set(main.used.values())
    for name in ("products", "customers", "stores", "channels"):
        entity = ENTITIES[name]
        (key,) = entity.key
        if key not in main.used:
            continue
        code = main.used[key]
        match = _Match(table, entity, answers, main.lines_are_stable)
        attributes = {n: c for n, c in match.used.items() if c in free and _depends(table, code, c)}
        if not attributes:
            continue
        empty = table.columns[code].empty
        if empty:
            proposal.doubts.append(
                f"{name} are not proposed, though {', '.join(attributes.values())} describes them: {code} is"
                f" empty in {empty:,} rows, each of which would be rejected (--entity {main.entity.name}"
                f" --entity {name} proposes them)"
            )
            continue
        free -= set(attributes.values())
        match.used = {key: code} | attributes
        quiet = Proposal()
        proposal.feeds.append(match.feed(quiet))
        proposal.questions |= quiet.questions
        for attribute, column in attributes.items():
            several = _several(table, code, column)
            if several:
                proposal.doubts.append(
                    f"{name}: {several:,} of {table.columns[code].distinct:,} {code} have more than one"
                    f" {column}; the newest becomes {attribute}"
                )


def _several(table: Table, code: str, column: str) -> int:
    groups = f"select 1 from raw group by {quoted(code)} having count(distinct trim({quoted(column)})) > 1"
    return len(table.connection.execute(groups).fetchall())


def _depends(table: Table, code: str, column: str) -> bool:
    """Whether a code has, nearly always, one value of another column."""
    codes = table.columns[code].distinct
    return (
        bool(codes)
        and bool(table.columns[column].filled)
        and 1 - _several(table, code, column) / codes >= DEPENDS
    )


# ---------------------------------------------------------------------------------------- amounts and rules


def _check_amounts(table: Table, feed: Feed, proposal: Proposal) -> None:
    """Compare the total of a line, where the source gives one, with quantity × price."""
    if proposal.questions or not {"quantity", "unit_price", "total_amount"} <= feed.columns.keys():
        return
    number = {
        n: f"try_cast({feed.columns[n]} as decimal(18, 6))"
        for n in ("quantity", "unit_price", "total_amount")
    }
    discount = feed.columns.get("discount_amount")
    off = f"coalesce(try_cast({discount} as decimal(18, 6)), 0)" if discount else "0"
    computed = f"{number['quantity']} * {number['unit_price']}"
    differ = table.count(f"abs({number['total_amount']} - ({computed} - {off})) > 0.01")
    if differ:
        proposal.doubts.append(
            f"sales: in {rows_of(differ)} {feed.used.get('total_amount')} is not quantity × price − discount;"
            " the source's own amount counts"
        )


def _add_rules(table: Table, feed: Feed, proposal: Proposal) -> None:
    if proposal.questions:
        return
    for name in NOT_NEGATIVE:
        if name in feed.used and name in feed.columns:
            value = f"try_cast({feed.columns[name]} as double)"
            _add_rule(
                table,
                feed,
                proposal,
                (f"{name}_not_negative", f"{name} >= 0", f"{value} < 0", f"{value} >= 0"),
            )
    if "email" in feed.used:
        value = name_of(feed.used["email"])
        like = f"{value} like '%_@_%'"
        _add_rule(table, feed, proposal, ("email_has_at", "email like '%_@_%'", f"not ({like})", like))


def _add_rule(table: Table, feed: Feed, proposal: Proposal, rule: tuple[str, str, str, str]) -> None:
    """Add a rule, if nearly all the data keep it."""
    name, predicate, broken_by, kept_by = rule
    broken, kept = table.count(broken_by), table.count(kept_by)
    rows = kept + broken
    if kept >= HOLDS * rows > 0 and broken <= max(1, EXCEPTIONS * rows):
        feed.rules[name] = predicate
        if broken:
            proposal.doubts.append(
                f"{feed.entity.name}: {rows_of(kept)} keep {predicate}; {broken:,} would be rejected by it"
            )
    elif broken:
        proposal.doubts.append(
            f"{feed.entity.name}: {broken:,} of {rows:,} rows break {predicate}, so it is not proposed as a"
            " rule"
        )
