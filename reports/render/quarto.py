"""The Quarto engine: the installed `quarto` command renders the document.

Quarto brings its own pandoc, typst and page layout. Used where the command is found; see `bundled.py` for the
other engine.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ingest import warehouse
from reports.errors import ReportError, ReportUsageError
from reports.render import document
from reports.theme import font_folders

VARIABLE = "ANALYTICS_QUARTO"
SECONDS = 600


def command() -> str | None:
    """The path of the quarto command: what `ANALYTICS_QUARTO` names, else `quarto` if found, else None.

    Raises:
        ReportUsageError: the variable names no program.
    """
    named = os.environ.get(VARIABLE)
    if named and shutil.which(named) is None:
        raise ReportUsageError(f"{VARIABLE} names {named}, which is not a program")
    return shutil.which(named or "quarto")


def render(
    path: Path,
    parameters: Mapping[str, Any],
    formats: Sequence[str],
    folder: Path,
    *,
    day: date,
    env: dict[str, str],
) -> dict[str, Path]:
    """Render a document; arguments and result as in `bundled.render`.

    Raises:
        ReportError: quarto failed; with what it says.
    """
    program = command()
    assert program is not None, "asked for only where quarto is found"
    is_dashboard = document.read(path).is_dashboard
    # Quarto writes beside the document before it moves its output: each render works on a copy of its own.
    sources = folder / "sources"
    shutil.copytree(path.parent, sources, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    environment = os.environ | {
        "ANALYTICS_HOME": str(warehouse.home()),  # absolute: the cells run in another folder
        "QUARTO_PYTHON": sys.executable,
        "TYPST_FONT_PATHS": os.pathsep.join(str(path) for path in font_folders()),
    }
    files = {}
    for name in formats:
        to = "typst" if name == "pdf" else "dashboard" if is_dashboard else "html"
        files[name] = folder / f"{path.stem}.{name}"
        settings = [part for key, value in parameters.items() for part in ("-P", f"{key}:{value}")]
        done = subprocess.run(
            [program, "render", path.name, "--to", to, *settings, "-M", f"date:{day.isoformat()}",
             "--output", files[name].name, "--output-dir", str(folder)],
            cwd=sources, env=environment | env, timeout=SECONDS, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode or not files[name].exists():
            raise ReportError(f"quarto could not render {path.name}: {done.stderr.strip()}")
    return files
