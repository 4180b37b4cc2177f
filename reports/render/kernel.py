"""Running a document's cells: a fresh Python process for each document, with a time limit.

Hands back what each cell printed and showed. How that looks on the page belongs to `weave.py`.
"""

import ast
import math
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from ingest import warehouse
from reports.errors import CellError
from reports.render.document import Cell, Document, Prose

TIME_LIMIT = 300.0  # seconds for a whole document
TIME_IS_UP = "the document's time is up"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
SHOWN_LINES = 30
# Text of an inline expression comes back as its repr; what brings its own Markdown keeps it.
INLINE_CODE = "(lambda value: value if hasattr(value, '_repr_markdown_') else str(value))({})"


@dataclass(frozen=True)
class Inline:
    """The value of an inline expression; Markdown only if it says so (`IPython.display.Markdown`)."""

    text: str
    is_markdown: bool


@dataclass(frozen=True)
class Result:
    """What came of a part: a cell's outputs (as in a notebook), or the values of the prose's expressions."""

    part: Prose | Cell
    outputs: tuple[dict[str, Any], ...] = ()
    values: tuple[Inline, ...] = ()


class _Python(AsyncKernelManager):
    """A kernel of this very interpreter, whatever kernels the user has installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start it: vector figures, no history file."""
        return KernelSpec(
            argv=[
                sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}",
                "--HistoryManager.enabled=False", "--InlineBackend.figure_formats=svg",
            ],
            display_name="Python", language="python",
        )  # fmt: skip


def run(document: Document, *, env: dict[str, str], time_limit: float = TIME_LIMIT) -> list[Result]:
    """Run all cells and inline expressions of a document from top to bottom, in the document's folder.

    Args:
        document: with its parameters set.
        env: environment variables for the process, beside the inherited ones.
        time_limit: seconds for the whole document.

    Raises:
        CellError: a cell or an inline expression failed, or the time was up.
    """
    deadline = time.monotonic() + time_limit
    results = []
    with _interruptible(), _started(document, env) as client:
        for part in document.parts:
            if isinstance(part, Prose):
                values = [
                    _value(_execute(client, document, INLINE_CODE.format(code), part.line, code, deadline))
                    for code in part.expressions
                ]
                results.append(Result(part, values=tuple(values)))
            elif part.options.get("eval", True):
                outputs = _execute(client, document, part.source, part.line, part.source, deadline)
                results.append(Result(part, outputs=outputs))
            else:
                results.append(Result(part))
    return results


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let signals end what is at work. asyncio passes KeyboardInterrupt on, but swallows whatever else a
    handler raises, such as that of who runs this; so that one is asked when the loop has ended."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in before.items() if callable(handler)}
    if threading.current_thread() is not threading.main_thread():
        handlers = {}
    received: list[int] = []

    def interrupt(number: int, _: object) -> None:
        received.append(number)
        raise KeyboardInterrupt

    for number in handlers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received:
            handlers[signal.Signals(received[0])](received[0], None)


@contextmanager
def _started(document: Document, env: dict[str, str]) -> Iterator[NotebookClient]:
    """A running kernel, which talks through sockets in a folder of its own, and ends with the block."""
    fonts = warehouse.home() / "cache" / "matplotlib"
    fonts.mkdir(parents=True, exist_ok=True)
    # Not below the home: a socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="analytics-kernel-", dir="/tmp") as folder:
        settings = {
            "ANALYTICS_HOME": str(warehouse.home()),  # absolute: the cells run in another folder
            "IPYTHONDIR": f"{folder}/ipython",  # no start-up files of the user's
            "MPLCONFIGDIR": str(fonts),  # where matplotlib remembers the fonts it found
            "PYTHONWARNINGS": "ignore",
        }
        client = NotebookClient(
            nbformat.v4.new_notebook(),  # type: ignore[no-untyped-call]
            km=_Python(transport="ipc", ip=f"{folder}/socket", connection_file=f"{folder}/connection.json"),
            resources={"metadata": {"path": str(document.path.parent)}},
            iopub_timeout=30,
            raise_on_iopub_timeout=True,  # output that is lost must not go unnoticed
            shutdown_kernel="immediate",  # it has nothing to save
        )
        with client.setup_kernel(env=os.environ | settings | env, cleanup_kc=True):
            yield client


def _execute(
    client: NotebookClient, document: Document, code: str, line: int, shown: str, deadline: float
) -> tuple[dict[str, Any], ...]:
    """Run one piece of code as the notebook's next cell; its outputs."""
    cell = nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call]
    client.nb.cells.append(cell)
    client.timeout = math.ceil(deadline - time.monotonic())
    if client.timeout <= 0:
        raise CellError(_message(document, line, shown, TIME_IS_UP))
    try:
        done = client.execute_cell(cell, len(client.nb.cells) - 1)
    except CellExecutionError as error:
        what = f"{error.ename}: {error.evalue}".rstrip(": ")
        raise CellError(_message(document, line, shown, what)) from error
    except DeadKernelError as error:
        what = "its process ended (out of memory, or it called exit)"
        raise CellError(_message(document, line, shown, what)) from error
    except TimeoutError as error:
        what = TIME_IS_UP if isinstance(error, CellTimeoutError) else "it printed more than could be read"
        raise CellError(_message(document, line, shown, what)) from error
    return tuple(_joined(done.outputs))


def _joined(outputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The outputs, with one stream where a long print came in pieces."""
    for (kind, name), group in groupby(
        outputs, key=lambda output: (output["output_type"], output.get("name"))
    ):
        if kind == "stream":
            yield {"output_type": kind, "name": name, "text": "".join(output["text"] for output in group)}
        else:
            yield from group


def _message(document: Document, line: int, code: str, what: str) -> str:
    lines = code.splitlines()
    if len(lines) > SHOWN_LINES:
        lines = [*lines[:SHOWN_LINES], "…"]
    body = "\n".join(f"    {text}" for text in lines)
    return f"{document.path.name}, line {line}: {ANSI.sub('', what)}\n{body}"


def _value(outputs: tuple[dict[str, Any], ...]) -> Inline:
    for output in outputs:
        if "text/markdown" in output.get("data", {}):
            return Inline(str(output["data"]["text/markdown"]), is_markdown=True)
        if "text/plain" in output.get("data", {}):
            return Inline(str(ast.literal_eval(output["data"]["text/plain"])), is_markdown=False)
    return Inline("", is_markdown=False)
