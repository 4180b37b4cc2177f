"""The unit files and the compose file name programs, paths and settings that exist."""

import contextlib
import functools
import importlib.metadata
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
SETTING = re.compile(r"\b(?:ANALYTICS|DAGSTER)_[A-Z_]+")
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.unit


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing (Debian: systemd)")
    assert len(UNITS) == 7
    for unit in UNITS:
        text = (
            unit.read_text()
            .replace("/opt/analytics/.venv/bin", str(BIN))
            .replace("/opt/analytics", str(ROOT))
        )
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *(tmp_path / unit.name for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "analytics" in line]
    assert (done.returncode, said) == (0, [])


def commands() -> list[list[str]]:
    units = [
        line.split("=", 1)[1]
        for unit in UNITS
        for line in unit.read_text().splitlines()
        if line.startswith("ExecSt")
    ]
    found = [
        line.replace("/opt/analytics/.venv/bin/", "").split() for line in units if "/opt/analytics" in line
    ]
    for service in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].values():
        command = service.get("command", [])
        text = command if isinstance(command, str) else (command[2] if command else "")
        found += [part.removeprefix("exec ").split() for part in text.split(" && ") if part]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_of_the_services_knows_its_options(command: list[str]) -> None:
    program, *arguments = command
    words = [word for word in arguments[:2] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
    shown = help_of(program, *words)
    for option in (word for word in arguments if word.startswith("--")):
        assert option in shown


@functools.cache
def help_of(program: str, *words: str) -> str:
    """What a program says of itself; asked in this process, which has imported most of it already."""
    assert (BIN / program).is_file()
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name=program)
    run = entry.load()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as said:
        patch.setattr(sys, "argv", [program, *words, "--help"])
        with pytest.raises(SystemExit) as ended:
            run()
    assert ended.value.code in (None, 0), said.getvalue()
    return said.getvalue()


def test_the_files_that_compose_mounts_and_builds_exist() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith(".."[:1]):
                assert (DEPLOY / source).exists(), source
    copied = re.findall(r"^COPY (.*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name


def test_every_setting_of_the_services_is_documented() -> None:
    documented = set(SETTING.findall((ROOT / "docs" / "setup.md").read_text()))
    documented |= set(SETTING.findall((ROOT / "docs" / "operations.md").read_text()))
    internal = {"ANALYTICS_CODE_HOST", "DAGSTER_HOME", "ANALYTICS_INBOX"}
    for file in (DEPLOY / "compose.yaml", DEPLOY / "analytics.env.example"):
        assert set(SETTING.findall(file.read_text())) <= documented | internal
