"""A Quarto document taken apart: its front matter, its prose with inline expressions, its cells with options.

Reading only. Running the cells belongs to `kernel.py`, writing their results into the prose to `weave.py`.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from reports.errors import DocumentError

# `{python} expression`, but not the doubled backticks with which documentation quotes one.
INLINE = re.compile(r"(?<!`)`\{python\}\s+([^`]+)`(?!`)")
OPTION = re.compile(r"#\|(.*)")
PARAMETERS = "parameters"


@dataclass(frozen=True)
class Prose:
    """Markdown between two cells."""

    source: str
    line: int

    @property
    def expressions(self) -> list[str]:
        """The inline expressions in it, in their order."""
        return [match.group(1).strip() for match in INLINE.finditer(self.source)]


@dataclass(frozen=True)
class Cell:
    """A block of code with its `#|` options."""

    source: str
    options: dict[str, Any]
    line: int


@dataclass(frozen=True)
class Document:
    """A document's front matter and its parts, in their order."""

    path: Path
    meta: dict[str, Any]
    parts: tuple[Prose | Cell, ...]
    text: str = ""  # as it was read
    values: dict[str, Any] = field(default_factory=dict)  # of the parameters that were set

    @property
    def sha256(self) -> str:
        """The hash of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def title(self) -> str:
        """The title, or the file's name where there is none."""
        return str(self.meta.get("title", self.path.stem))

    @property
    def is_dashboard(self) -> bool:
        """Whether the front matter asks for Quarto's dashboard format."""
        formats = self.meta.get("format")
        return "dashboard" in (formats if isinstance(formats, dict) else [formats])

    def parameters(self) -> dict[str, Any]:
        """The names that the cell tagged `parameters` sets, with their defaults (None: no plain value)."""
        found: dict[str, Any] = {}
        for cell in self._cells():
            if PARAMETERS not in cell.options.get("tags", []):
                continue
            for statement in ast.parse(cell.source).body:
                if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                    try:
                        found[statement.targets[0].id] = ast.literal_eval(statement.value)
                    except ValueError:
                        found[statement.targets[0].id] = None
        return found

    def with_parameters(self, values: dict[str, Any]) -> "Document":
        """The document with a cell after the one tagged `parameters` that sets these, as Quarto does it.

        Raises:
            DocumentError: the document has no such parameter.
        """
        known = self.parameters()
        if unknown := sorted(set(values) - set(known)):
            raise DocumentError(
                f"{self.path.name} has no parameter {', '.join(unknown)}; known: {', '.join(known) or 'none'}"
            )
        parts: list[Prose | Cell] = []
        for part in self.parts:
            parts.append(part)
            if isinstance(part, Cell) and PARAMETERS in part.options.get("tags", []):
                assignments = "\n".join(f"{name} = {value!r}" for name, value in values.items())
                parts.append(Cell(assignments, {"include": False}, part.line))
        return replace(self, parts=tuple(parts), values=values)

    def _cells(self) -> Iterator[Cell]:
        return (part for part in self.parts if isinstance(part, Cell))


def read(path: Path) -> Document:
    """Read a document.

    Raises:
        DocumentError: its front matter or a cell's options are not YAML.
    """
    import jupytext  # takes a third of a second

    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="Rmd")
    meta: dict[str, Any] = {}
    parts: list[Prose | Cell] = []
    position = 0
    for block in notebook.cells:
        source = str(block.source)
        found = text.find(source, position)
        line = text.count("\n", 0, found) + 1 if found >= 0 else 1
        position = max(position, found)
        if block.cell_type == "raw":
            meta = _yaml(source.strip().strip("-"), f"{path.name}: the front matter")
        elif block.cell_type == "markdown":
            parts.append(Prose(source, line))
        else:
            parts.append(_cell(source, line, path.name))
    return Document(path, meta, tuple(parts), text)


def _cell(source: str, line: int, name: str) -> Cell:
    lines = source.splitlines()
    head = 0
    while head < len(lines) and OPTION.match(lines[head]):
        head += 1
    options = "\n".join(text[2:].removeprefix(" ") for text in lines[:head])
    return Cell(
        "\n".join(lines[head:]), _yaml(options, f"{name}: the options of the cell at line {line}"), line
    )


def _yaml(text: str, what: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise DocumentError(f"{what} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise DocumentError(f"{what} must be `key: value` pairs")
    return values
