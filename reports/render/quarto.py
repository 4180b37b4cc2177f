"""The Quarto engine: the installed `quarto` command renders the document.

Quarto brings its own pandoc, typst and page layout. Used where the command is found; see `bundled.py` for the
other engine.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ingest import warehouse
from reports.errors import ReportError, ReportUsageError
from reports.render.document import Document
from reports.theme import font_folders

VARIABLE = "ANALYTICS_QUARTO"
SECONDS = 600
FOLDER = Path(__file__).parents[1]


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
    source: Document, formats: Sequence[str], folder: Path, meta: Mapping[str, str], env: Mapping[str, str]
) -> dict[str, Path]:
    """Render a document with its parameters set; arguments and result as in `bundled.lay_out`.

    Args:
        env: environment variables for the cells, which Quarto runs itself.

    Raises:
        ReportError: quarto failed; with what it says.
    """
    program = command()
    assert program is not None, "asked for only where quarto is found"
    environment = os.environ | {
        "ANALYTICS_HOME": str(warehouse.home()),  # absolute: the cells run in another folder
        "QUARTO_PYTHON": sys.executable,
        "TYPST_FONT_PATHS": os.pathsep.join(str(path) for path in font_folders()),
    }
    name = source.path.name
    files = {}
    for suffix in formats:
        # Quarto writes beside the document before it moves its output: each render works on a copy of its
        # own.
        sources = folder / f"quarto-{suffix}"
        shutil.copytree(FOLDER, sources, ignore=shutil.ignore_patterns("__pycache__", "*.py", "*.qmd"))
        (sources / name).write_text(with_meta(source.text, meta), encoding="utf-8")
        to = "typst" if suffix == "pdf" else "dashboard" if source.is_dashboard else "html"
        files[suffix] = folder / f"{source.path.stem}.{suffix}"
        settings = [part for key, value in source.values.items() for part in ("-P", f"{key}:{value}")]
        done = subprocess.run(
            [program, "render", name, "--to", to, *settings, "--output", files[suffix].name,
             "--output-dir", str(folder)],
            cwd=sources, env=environment | dict(env), timeout=SECONDS, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode or not files[suffix].exists():
            raise ReportError(f"quarto could not render {name}: {done.stderr.strip()}")
    return files


def with_meta(text: str, meta: Mapping[str, str]) -> str:
    """A document's text with metadata in its front matter, instead of what stood there under the same
    names."""
    _, head, body = re.split(r"^---[ \t]*$\n?", text, maxsplit=2, flags=re.MULTILINE)
    for key, value in meta.items():
        head = re.sub(rf"^{re.escape(key)}:.*\n", "", head, flags=re.MULTILINE)
        head += f"{key}: {json.dumps(value, ensure_ascii=False)}\n"
    return f"---\n{head}---\n{body}"
