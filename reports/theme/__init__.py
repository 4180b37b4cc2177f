"""The looks: colours, fonts and signs of `theme.yml`, handed to matplotlib, typst, HTML and the workbook.

Style sheets and page templates lie beside it; no figure and no wording does.
"""

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
FILE = FOLDER / "theme.yml"


@dataclass(frozen=True)
class Theme:
    """The entries of theme.yml; colours as `#rrggbb`."""

    company: str
    logo: str
    papersize: str
    currency: str
    locale: str
    font: str
    fallback_font: str
    accent: str
    pale: str
    ink: str
    muted: str
    rule: str
    panel: str
    good: str
    bad: str
    series: tuple[str, ...]


@cache
def theme() -> Theme:
    """The theme in force."""
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    entries: dict[str, Any] = content["house-style"]
    colours = ("accent", "pale", "ink", "muted", "rule", "panel", "good", "bad")
    return Theme(
        company=entries["company"],
        logo=entries["logo"],
        papersize=content["papersize"],
        locale=entries["locale"],
        currency=entries["currency"],
        font=entries["font"],
        fallback_font=entries["fallback-font"],
        series=tuple(f"#{colour}" for colour in entries["series"]),
        **{name: f"#{entries[name]}" for name in colours},
    )


def font_folders() -> list[Path]:
    """The folders with the theme's fonts, which come from Python packages: no font of the machine is used."""
    folders = []
    for package, subfolder in (("font_source_sans_pro", "files"), ("matplotlib", "mpl-data/fonts/ttf")):
        spec = importlib.util.find_spec(package)
        assert spec is not None, f"{package} is a dependency of this project"
        assert spec.origin is not None
        folders.append(Path(spec.origin).parent / subfolder)
    return folders


def colour_variables() -> str:
    """The colours as CSS custom properties, in Markdown that only HTML shows: print it in a cell with
    `output: asis`, and the style sheets and scripts find them."""
    look = theme()
    names = ("accent", "ink", "muted", "rule", "panel", "good", "bad")
    lines = [f"  --{name}: {getattr(look, name)};" for name in names]
    return "\n".join(["", "```{=html}", "<style>:root {", *lines, "}</style>", "```", ""])


def use_in_matplotlib() -> None:
    """Set matplotlib's defaults: fonts, colours, a quiet frame, vector figures that come out alike."""
    import matplotlib
    from cycler import cycler
    from matplotlib import font_manager

    look = theme()
    for weight in ("Regular", "Semibold"):
        font_manager.fontManager.addfont(font_folders()[0] / f"SourceSansPro-{weight}.ttf")
    matplotlib.rcParams.update(
        {
            "font.family": [look.font, look.fallback_font],
            "font.size": 9,
            "axes.prop_cycle": cycler(color=look.series),
            "axes.edgecolor": look.rule,
            "axes.labelcolor": look.muted,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.spines.left": False,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "axes.axisbelow": True,
            "grid.color": look.rule,
            "grid.linewidth": 0.6,
            "text.color": look.ink,
            "text.parse_math": False,  # a name from data with two dollar signs is no formula
            "xtick.color": look.muted,
            "ytick.color": look.muted,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "legend.frameon": False,
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "svg.fonttype": "path",  # looks alike whatever fonts the reader has
            "svg.hashsalt": "report",
        }
    )
