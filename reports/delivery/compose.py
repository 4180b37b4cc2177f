"""The letter of a report: headline figures, remarks and charts, by the same functions as the report itself,
from the results that the archive keeps with it. So letter and report cannot differ, whatever was loaded
since."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import Any

import pandas as pd

from reports import archive, figures, notation, sections
from reports import remarks as words
from reports.archive import Manifest
from reports.blocks import subtitle
from reports.delivery.letter import MEGABYTE, Letter, megabytes, one_line, size_as_mail
from reports.delivery.terms import Terms
from reports.edition import Edition
from reports.registry import Report
from reports.results import Results, kept_in
from reports.tables import Tile
from reports.theme import theme

TITLES = {
    "daily": "Sales of each day, and the mean of seven days",
    "weeks": "Sales by week, beside the year before",
    "months": "Sales by month, beside the year before",
    "running": "Sales added up day by day, beside the periods compared with",
    "categories": "Sales by category",
    "stores": "Sales by store",
    "segments": "Sales by segment",
    "new_and_known": "New and known customers by week",
}
PAGE = Path(__file__).with_name("letter.html")
WIDTH, DOTS = 5.2, 230  # inches of a chart, and dots of each: narrower than on paper, to be read on a phone


@dataclass(frozen=True)
class Said:
    """What a letter says, before it is laid out: as HTML and as text alike."""

    title: str
    subtitle: str
    warning: str = ""
    tiles: Sequence[Tile] = ()
    remarks: Sequence[str] = ()
    charts: Mapping[str, str] = field(default_factory=dict)  # picture: what it shows
    sections: Mapping[str, Sequence[str]] = field(default_factory=dict)  # lists under their titles
    enclosed: Sequence[str] = ()
    ending: Sequence[str] = ()


def letter(manifest: Manifest, report: Report, terms: Terms, *, warning: str = "") -> Letter:
    """The letter of an archived report.

    Args:
        warning: what stands above all, where its data are not in order.
    """
    with of_archive(manifest, report) as edition:
        headline = _tiles(edition)
        remarks = (
            words.remarks(edition, sections.headline(edition)) if report.about == "sales" and headline else []
        )
        pictures = {name: _drawn(name, edition) for name in terms.charts}
        period, part = notation.period(edition.asked), " ".join(value for _, value in edition.only.given())
        about = subtitle(edition)
    files, enclosed = that_fit(_enclosed(manifest, terms), terms.max_mb)
    said = Said(
        title=report.label,
        subtitle=about,
        warning=warning,
        tiles=headline,
        remarks=remarks,
        charts={name: TITLES.get(name, name) for name in pictures},
        enclosed=enclosed,
        ending=[
            f"Report {manifest.report_id}. The figures are those of the report enclosed.",
            f"You get it as a member of the group {terms.to}; answer this mail to reach its owner.",
        ],
    )
    places = {"label": report.label, "period": period, "company": theme().company, "part": part}
    subject = terms.subject.format(**places)
    if part and "{part}" not in terms.subject:
        subject = f"{subject}, {part}"
    return Letter(
        subject=one_line(("Check first: " if warning else "") + subject),
        text=as_text(said),
        html=as_html(said),
        pictures=pictures,
        files=files,
        list_id=report.name.replace("_", "-"),
        facts={
            "report": report.name,
            "report_id": manifest.report_id,
            "label": report.label,
            "period": manifest.period,
            "part": dict(edition.only.given()),
            "subject": one_line(subject),
            "warning": warning or None,
            "figures": _facts(headline_table(manifest, report)),
            "files": [
                {
                    "name": name,
                    "sha256": manifest.files[name],
                    "path": str(manifest.folder / archive.FILES / name),
                }
                for name in manifest.files
            ],
            "text": as_text(said),
        },
    )


@contextmanager
def of_archive(manifest: Manifest, report: Report) -> Iterator[Edition]:
    """An archived edition, about which all questions are answered from what was kept with it."""
    parameters = manifest.parameters
    style = notation.style(parameters.get("currency", ""), parameters.get("locale", ""))
    asked = {name: value for name, value in parameters.items() if name == "period" or name in figures.MEMBERS}
    with kept_in(Results(manifest.folder / archive.RESULTS, only=True)), notation.writing(style):
        yield Edition.of(report, **asked)


def headline_table(manifest: Manifest, report: Report) -> list[tuple[str, float | None]]:
    """The headline figures of an archived report as numbers; empty where it has none."""
    if report.about != "sales" or not report.workbook:
        return []
    with of_archive(manifest, report) as edition:
        frame = sections.headline(edition).frame
        return [
            (str(label), None if pd.isna(value) else float(value))
            for label, value in zip(frame["label"], frame["value"], strict=True)  # type: ignore[index]
        ]


def _facts(headline: Sequence[tuple[str, float | None]]) -> list[dict[str, Any]]:
    return [{"name": label, "value": value} for label, value in headline]


def _tiles(edition: Edition) -> list[Tile]:
    """The figures on top. A dashboard works its figures out in the page."""
    if edition.report.about == "loads":
        return _tiles_of_loads(edition)
    if not edition.report.workbook:
        return []
    return sections.tiles(sections.headline(edition), edition)


def _tiles_of_loads(edition: Edition) -> list[Tile]:
    feeds = sections.feeds(edition)
    sums = dict(zip((column.name for column in feeds.columns), feeds.total_values(), strict=True))
    found = figures.checks([])
    bad = found[found["status"].isin(["fail", "error"])]["test"].nunique()
    waiting = figures.rejections()["rows"].sum()
    return [
        Tile(
            "Rows read",
            notation.count(sums["rows_read"]),
            f"of {notation.count(sums['deliveries'])} deliveries",
        ),
        Tile(
            "Rejected",
            notation.count(sums["rows_rejected"]),
            f"{notation.share(sums['rejected_share'])} of them",
        ),
        Tile("Failed loads", notation.count(sums["failed"]), "in this period"),
        Tile("Rejected rows", notation.count(waiting), "wait for a decision"),
        Tile("Tests failing", notation.count(bad), f"of {notation.count(found['test'].nunique())}"),
    ]


def _drawn(name: str, edition: Edition) -> bytes:
    """A chart as a picture, on white: mail programs have dark backgrounds too."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    from reports import charts
    from reports.theme import use_in_matplotlib

    use_in_matplotlib()
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*non-interactive.*")  # charts show themselves
        charts.CHARTS[name](edition)
    plt.gcf().set_figwidth(WIDTH)
    plt.gcf().savefig(drawn, format="png", dpi=DOTS, facecolor="white", metadata={"Software": None})
    plt.close("all")
    return drawn.getvalue()


def _enclosed(manifest: Manifest, terms: Terms) -> dict[str, Path]:
    """The files to attach, by the names they get."""
    part = "-".join(manifest.parameters[name] for name in figures.MEMBERS if manifest.parameters.get(name))
    slug = re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")
    stem = "-".join(filter(None, [manifest.report, manifest.period.replace("..", "-"), slug]))
    found: dict[str, Path] = {}
    for name in manifest.files:
        folder, _, rest = name.rpartition("/")
        if (folder or name.rpartition(".")[2]) in terms.attach:
            called = f"{stem}-{rest}" if folder else f"{stem}.{name.rpartition('.')[2]}"
            found[called] = manifest.folder / archive.FILES / name
    return found


def that_fit(files: Mapping[str, Path], max_mb: float) -> tuple[Mapping[str, Path], list[str]]:
    """The files to attach and what is said of them: all, or none where they would make the mail too large."""
    if (size := size_as_mail(files)) <= max_mb * MEGABYTE:
        return files, [f"{name} ({max(1, file.stat().st_size // 1000):,} kB)" for name, file in files.items()]
    return {}, [
        f"The files are too large for a mail ({megabytes(size)} of at most {max_mb:g} MB). They are kept at:",
        *map(str, files.values()),
    ]


# ------------------------------------------------------------------------------------------ how it looks


def as_text(said: Said) -> str:
    """The letter for programs that show no HTML."""
    lines = [said.title, said.subtitle, "=" * max(len(said.title), len(said.subtitle)), ""]
    if said.warning:
        lines += [f"! {said.warning}", ""]
    if said.tiles:
        label, value = (max(len(tile[position]) for tile in said.tiles) for position in (0, 1))
        lines += [f"{t.label:<{label}}  {t.value:>{value}}  {t.remark}".rstrip() for t in said.tiles] + [""]
    for title, items in {"": said.remarks, **said.sections, "Enclosed": said.enclosed}.items():
        if items:
            lines += [f"{title}:"] if title else []
            lines += [line for item in items for line in _wrapped(item)] + [""]
    lines += ["-- ", *said.ending]
    return "\n".join(lines).strip() + "\n"


def _wrapped(item: str) -> list[str]:
    return wrap(
        one_line(item),
        76,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def as_html(said: Said) -> str:
    """The letter as a page for mail programs: one column that fits a phone, all looks inline, nothing
    fetched."""
    look = theme()

    def block(content: str, style: str = "") -> str:
        return f'<div style="{style}">{content}</div>'

    parts = []
    if said.warning:
        parts.append(
            block(
                escape(said.warning),
                f"margin:16px 0;padding:12px 14px;background:#fdf1ef;border-left:4px solid {look.bad};"
                f"color:{look.bad};font-weight:600",
            )
        )
    if said.tiles:
        boxes = [
            # Inline blocks stand beside each other where there is room, and below each other on a phone.
            f'<div style="display:inline-block;width:142px;margin:0 8px 8px 0;padding:10px 12px;'
            f'background:{look.panel};border-radius:4px;vertical-align:top">'
            f'<div style="font-size:12px;color:{look.muted}">{escape(tile.label)}</div>'
            f'<div style="font-size:21px;line-height:28px;font-weight:600;color:{look.accent};'
            f'white-space:nowrap">{escape(tile.value)}</div>'
            f'<div style="font-size:12px;color:{look.muted}">{escape(tile.remark) or "&nbsp;"}</div></div>'
            for tile in said.tiles
        ]
        parts.append(block("".join(boxes), "margin:16px 0 8px;font-size:0"))
    for title, lines in {**said.sections, "": said.remarks}.items():
        items = "".join(f'<li style="margin:0 0 6px">{escape(one_line(line))}</li>' for line in lines)
        if title:
            parts.append(block(escape(title), "margin:16px 0 0;font-weight:600"))
        if items:
            parts.append(f'<ul style="margin:8px 0 16px;padding:0 0 0 18px">{items}</ul>')
    for name, title in said.charts.items():
        parts.append(
            block(escape(title), "margin:18px 0 6px;font-weight:600")
            + f'<img src="cid:{escape(name)}" alt="{escape(title)}" width="600" '
            'style="display:block;width:100%;max-width:600px;height:auto;border:0">'
        )
    if said.enclosed:
        items = "<br>".join(escape(line) for line in said.enclosed)
        parts.append(
            block(
                f'<span style="font-weight:600">Enclosed</span><br>{items}',
                "margin:20px 0 0;overflow-wrap:anywhere",
            )
        )
    ending = "<br>".join(escape(line) for line in said.ending)
    return PAGE.read_text(encoding="utf-8").format(
        company=escape(theme().company),
        title=escape(said.title),
        subtitle=escape(said.subtitle),
        content="\n".join(parts),
        ending=ending,
        font=f"{look.font}, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif",
        accent=look.accent,
        ink=look.ink,
        muted=look.muted,
        rule=look.rule,
    )
