"""docs/bring-your-own-data.md does what it says: its walk-through runs as written and prints what the page shows, and
its examples of sources.yml are right."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import openpyxl
import pytest
from _pytest.mark.structures import ParameterSet

from conftest import ROOT, make_home, remove_home
from ingest import config
from ingest.config import load_sources
from ingest.places import PLACES, Keys

PAGE = ROOT / "docs" / "bring-your-own-data.md"
WALK = PAGE.read_text(encoding="utf-8").split("\n## What `source add` accepts")[0]
BLOCK = re.compile(r"```(\w+)(?: (\S+))?\n(.*?)```|<!-- mended: (\S+) (\S+) (\S+) (\S+) -->", re.DOTALL)
YAML = [match[3] for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")) if match[1] == "yaml"]
SECONDS = re.compile(r"^.*: [\d.]+ s$", re.MULTILINE)  # how long something took, printed beside the output
NODES = re.compile(r"\d+ models built, \d+ tests")


def _example(text: str) -> ParameterSet:
    """An example; one that uses a key which ingestion does not know yet must fail until it does."""
    name = text.split("\n")[1].strip().split(":")[0]
    known = {"clean:": "clean" in config.SOURCE_KEYS, "mode: snapshot": "snapshot" in get_args(config.Mode)}
    pending = any(words in text and not is_known for words, is_known in known.items())
    return pytest.param(text, id=name, marks=[pytest.mark.xfail(strict=True)] if pending else [])


@pytest.mark.unit
@pytest.mark.parametrize("text", [_example(text) for text in YAML])
def test_every_example_is_a_right_sources_yml(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sources.yml"
    file.write_text(text)
    assert load_sources(file)


@pytest.mark.unit
def test_every_key_of_sources_yml_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    keys = {*config.SOURCE_KEYS, *config.FEED_KEYS}
    for place in PLACES.values():
        keys |= place.known.keys()
        keys |= {key for spec in place.known.values() if isinstance(spec, Keys) for key in spec.known}
    assert {key for key in keys if not re.search(rf"\b{key}\b", page)} == set()


@pytest.fixture
def home() -> Iterator[Path]:
    folder = make_home()
    yield folder
    remove_home(folder)


def test_the_walk_through_prints_what_the_page_shows(home: Path) -> None:
    """``data`` on the page is the home. Times, the number of models and the ends of lines are not compared."""
    shown, printed = [], []
    for language, file, text, *mended in (match.groups() for match in BLOCK.finditer(WALK)):
        if language == "csv":
            target = home / Path(file).relative_to("data")
            target.parent.mkdir(parents=True)
            target.write_text(text, encoding="utf-8")
        elif language == "console":
            for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
                shown.append((command, plain(output)))
                printed.append((command, plain(run(command, home))))
        elif mended and mended[0]:
            mend(home / Path(mended[0]).relative_to("data"), *mended[1:])
    assert len(shown) >= 8
    assert printed == shown


def run(command: str, home: Path) -> str:
    """What a command prints. The page is written for a terminal of 100 columns."""
    program, *arguments = shlex.split(command.replace("data/", f"{home}/"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANALYTICS_", "DESK_"))}
    environment |= {"ANALYTICS_HOME": str(home), "ANALYTICS_SOURCES": f"{home}/sources.yml", "COLUMNS": "100"}
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.stdout.replace(str(home), "data")


def plain(output: str) -> list[str]:
    output = NODES.sub("N models built, N tests", SECONDS.sub("", output))
    return [line.rstrip() for line in output.splitlines() if line.rstrip()]


def mend(workbook: Path, sheet: str, column: str, value: str) -> None:
    book = openpyxl.load_workbook(workbook)
    heading = [cell.value for cell in book[sheet][1]]
    book[sheet].cell(2, heading.index(column) + 1).value = value
    book.save(workbook)
