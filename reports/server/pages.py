"""The server's own pages: the index of dashboards and reports, and the login. Plain HTML without a script."""

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from reports.archive import Manifest, particulars
from reports.registry import Report
from reports.server.auth import LOCAL, Visitor, csrf_token
from reports.server.builds import Build
from reports.theme import FOLDER, theme

STYLE = "server.css"


def index(
    visitor: Visitor, build: Build, boards: Sequence[Report], reports: Sequence[Manifest], more: int
) -> str:
    """The page at `/`: dashboards, the newest archived reports (of `more` that are not shown), who is in."""
    cards = "".join(
        f'<a class="card" href="/dashboards/{quote(board.name)}/"><h2>{escape(board.label)}</h2>'
        f"<p>{escape(board.description)}</p></a>"
        for board in boards
    )
    rows = "".join(_row(manifest) for manifest in reports)
    table = (
        '<div class="card wide"><table><thead><tr><th>Report</th><th>Period</th>'
        '<th class="made">Made</th><th>Open</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
        if rows
        else "<p>None yet. <code>analytics report --type daily</code> makes one.</p>"
    )
    older = f"<p>And {more:,} older ones: <code>/api/v1/reports</code></p>" if more else ""
    built = f"Built {build.built_at:%-d %b %Y, %H:%M} UTC." if build.built_at else ""
    return _page(
        "Dashboards and reports",
        f'<div class="cards">{cards}</div><h2>Reports</h2>{table}{older}'
        f'<footer><p>{built} <a href="/api/v1/openapi.json">The API\'s description</a></p></footer>',
        _who(visitor),
    )


def login(secret: str, target: str, wrong: str = "") -> str:
    """The login form; `secret` is that of its cookie, `target` where it leads."""
    remark = f'<p class="wrong" role="alert">{escape(wrong[0].upper() + wrong[1:])}.</p>' if wrong else ""
    return _page(
        "Log in",
        f'<form class="card" method="post" action="/login"><h2>Log in</h2>{remark}'
        '<label>Name <input name="name" autocomplete="username" required autofocus></label>'
        '<label>Password <input name="password" type="password" autocomplete="current-password" required>'
        "</label>"
        f'<input type="hidden" name="csrf" value="{csrf_token(secret)}">'
        f'<input type="hidden" name="next" value="{escape(target)}"><button>Log in</button></form>',
    )


def _row(manifest: Manifest) -> str:
    part = particulars(manifest)
    links = " ".join(
        f'<a href="/reports/{quote(manifest.report_id)}/{quote(name)}">{escape(_suffix(name).upper())}</a>'
        for name in _documents(manifest.files)
    )
    about = f" <small>({escape(part)})</small>" if part else ""
    made = manifest.made_at.replace("T", " ")[:16]
    return (
        f"<tr><td>{escape(manifest.label)}{about}</td><td>{escape(manifest.period)}</td>"
        f'<td class="made">{made} UTC</td>'
        f"<td>{links}</td></tr>"
    )


def _suffix(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _documents(files: Iterable[str]) -> list[str]:
    return sorted(name for name in files if "/" not in name)


def _who(visitor: Visitor) -> str:
    if visitor.name == LOCAL:
        return ""
    only = "; ".join(f"{name} {', '.join(values)}" for name, values in visitor.row_filter.only.items())
    form = (
        '<form method="post" action="/logout">'
        f'<input type="hidden" name="csrf" value="{csrf_token(visitor.session)}">'
        "<button>Log out</button></form>"
        if visitor.session
        else ""
    )
    return f"<p>{escape(visitor.name)}{f' ({escape(only)})' if only else ''}</p>{form}"


def _page(title: str, body: str, who: str = "") -> str:
    look = theme()
    names = ("accent", "ink", "muted", "rule", "panel", "good", "bad")
    colours = " ".join(f"--{name}: {getattr(look, name)};" for name in names)
    style = (FOLDER / STYLE).read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>:root {{ {colours} }}\n{style}</style></head>"
        f'<body><header><h1>{escape(title)}</h1>{who}<p class="company">{escape(look.company)}</p></header>'
        f"<main>{body}</main></body></html>"
    )
