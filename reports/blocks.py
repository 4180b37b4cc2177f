"""The building blocks of the printed reports: what each page opens with, shows and ends with, in Markdown.

A template opens a `Page` with its parameters and prints blocks between its prose. The figures come from
`sections.py`, how they look on the page from `markdown.py` and `charts.py`.

>>> page = Page("daily", date="2025-12-31")
>>> print(page.opening(), page.headline(), page.show("products"))
"""

from functools import cached_property

from reports import charts, figures, markdown, notation, registry, restatement, sections
from reports import remarks as words
from reports.edition import Edition
from reports.period import parse
from reports.tables import Table
from reports.theme import colour_variables, theme, use_in_matplotlib

PASSED, WARNED = "pass", "warn"
LISTED = 6  # failing tests named on the first page


class Page:
    """An edition of a report on a page. Each method returns one block as Markdown, to be printed by a cell
    with `output: asis`; `chart` shows one chart.

    Args:
        report: its name in the exposures.
        date: a day of the period; empty for the newest complete one.
        period: or the period itself.
        currency, locale: how amounts, numbers and dates are written; empty for the theme's.
        only: names or codes of a store, category, channel or segment; empty for all.
    """

    def __init__(
        self, report: str, date: str = "", period: str = "", currency: str = "", locale: str = "", **only: str
    ) -> None:
        notation.use(notation.style(currency, locale))
        use_in_matplotlib()
        self.edition = Edition.of(registry.find(report), date, period, **only)

    @cached_property
    def summary(self) -> Table:
        """The table of the headline figures."""
        return sections.headline(self.edition)

    @property
    def period(self) -> str:
        """The days that it is about, in words: Tuesday, 30 December 2025, or June 2025 (1 Jun – 30 Jun
        2025)."""
        edition = self.edition
        if edition.period.days == 1:
            return notation.day(edition.period.first)
        name, days = notation.period(edition.asked), notation.days(edition.period)
        return name if days in name else f"{name} ({days})"

    @property
    def beside(self) -> str:
        """What it is compared with, in words: the day before, the week before and the year before."""
        names = [f"the {comparison.title.lower()}" for comparison in self.edition.comparisons]
        return f"{', '.join(names[:-1])} and {names[-1]}"

    @property
    def held(self) -> str:
        """What the warehouse holds in all, or of the part that the edition is of, in words."""
        held = figures.holdings(self.edition.only)
        return (
            f"{notation.count(held['sale_lines'])} sale lines of {notation.count(held['customers'])} known "
            f"customers, worth {notation.money(held['sales'])}"
        )

    # ------------------------------------------------------------------------------------------ blocks

    def opening(self) -> str:
        """What stands above all: colours, the state of the data and of the tests, and whether there is any
        data."""
        return colour_variables() + self._state() + self._without_data()

    def headline(self) -> str:
        """The headline figures as tiles and as a table, and remarks on them."""
        if not self.edition.has_data:
            return markdown.table(self.summary)
        remarks = words.remarks(self.edition, self.summary)
        return (
            markdown.tiles(sections.tiles(self.summary, self.edition))
            + "\n".join(["", *(f"- {markdown.text(remark)}" for remark in remarks), ""])
            + markdown.table(self.summary)
        )

    def show(self, *names: str) -> str:
        """Tables of `sections.SECTIONS`, by name."""
        shown = sections.allowed(names, self.edition)
        tables = [markdown.table(sections.SECTIONS[name](self.edition)) for name in shown]
        if len(shown) < len(names):
            tables.append(f"\n*{sections.NOT_OF_A_PART}*\n")
        return "\n".join(tables)

    def restated(self) -> str:
        """The days whose figures changed since the last edition."""
        found = restatement.restated(self.edition)
        if not found.since:
            return "\nThis is the first edition of this report: there is nothing to compare with.\n"
        since = markdown.text(notation.period(parse(found.since)))
        edition = f"the edition on {since} ([{markdown.text(found.report_id)}]{{.id}})"
        if found.frame.empty:
            return f"\nThe days in {edition} have the same sales today.\n"
        words = f"\nSince {edition}, late or corrected lines have changed these days:\n"
        return words + self.show("restated")

    def chart(self, name: str) -> None:
        """A chart of `charts.py` on a table of the same edition; to be shown by a cell with `label` and
        `fig-alt`."""
        charts.CHARTS[name](self.edition)

    def ending(self) -> str:
        """The id of the report, small, as the last thing on its last page."""
        look = f'typst:text:size="7pt" typst:text:fill="rgb(\\"{theme().muted}\\")"'
        return (
            f"\n::: {{.colophon}}\n[Report {{{{< meta report-id >}}}}. `analytics report rebuild` with this "
            f"id makes it again, byte for byte, from the results that the archive keeps.]{{{look}}}\n:::\n"
        )

    # ------------------------------------------------------------------------------------------ the words

    def _state(self) -> str:
        """How fresh the data is, and what the tests of the models behind the report say."""
        fresh = figures.freshness()
        models = self.edition.report.models
        found = figures.checks(models)
        parts = [
            f"Data last arrived on **{markdown.text(notation.moment(fresh['newest_load']))}**; "
            f"the newest sale known is of {markdown.text(notation.moment(fresh['newest_sale']))}."
        ]
        bad = found[~found["status"].isin([PASSED, WARNED])]
        if found.empty:
            parts.append("The models behind this report have not been tested yet.")
        else:
            tests = found.drop_duplicates("test")
            warned = int((tests["status"] == WARNED).sum())
            parts.append(
                f"{'' if len(bad) else 'All '}{notation.count(len(tests))} tests of the models behind this "
                "report "
                + (f"ran, {bad['test'].nunique()} did not pass" if len(bad) else "passed")
                + (f", {warned} with a warning" if warned else "")
                + f" (last run {markdown.text(notation.moment(found['checked_at'].max()))})."
            )
        state = "\n\n::: {.state}\n" + " ".join(parts) + "\n:::\n"
        if len(bad):
            names = bad["test"].drop_duplicates().tolist()
            shown = ", ".join(markdown.text(name) for name in names[:LISTED])
            more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            state += (
                '\n::: {.callout-warning title="Some figures below did not pass their tests"}\n'
                f"These tests did not pass: {shown}{more}. Do not rely on this report before they do.\n:::\n"
            )
        return state

    def _without_data(self) -> str:
        """A callout where a period has no metrics, no sale, or is not over; nothing otherwise."""
        edition, covered = self.edition, self.edition.covered
        what = "day" if edition.asked.days == 1 else "period"
        span = f"{notation.short_day(covered.first)} to {notation.short_day(covered.last)}"
        if not edition.has_data:
            known = "Loads" if edition.report.about == "loads" else "The metrics"
            name = notation.period(edition.asked)
            return _note(f"No data for this {what}", f"{known} cover {span}; nothing is known of {name}.")
        if edition.report.about == "loads":
            return ""
        sales, transactions = (row[1] for row in self.summary.rows()[:2])
        if (not sales and not transactions) or sales is None:
            return _note(
                f"A {what} without a sale",
                f"No transaction of this {what} has arrived: the shops were closed, or their data is late.",
            )
        if not edition.is_complete:
            return _note(
                f"This {edition.word if edition.word != 'days' else 'period'} is not over",
                f"Sales are known up to {notation.short_day(covered.last)}. They stand beside as many days "
                "of the periods they are compared with.",
            )
        return ""


def subtitle(edition: Edition) -> str:
    """What an edition is about, for its head: 30 Dec 2025 · store High Street."""
    return " · ".join(
        [notation.period(edition.asked), *(f"{name} {value}" for name, value in edition.only.given())]
    )


def _note(title: str, text: str) -> str:
    return f'\n::: {{.callout-note title="{title}"}}\n{markdown.text(text)}\n:::\n'
