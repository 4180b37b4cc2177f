"""Opening workbooks that anybody may have made: what is damaged, or would take more memory than allowed, is
an error of its source and never the end of the process.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import ZipFile, is_zipfile

from python_calamine import CalamineWorkbook

from ingest.connectors import SourceError
from ingest.connectors.files import File
from ingest.connectors.xlsx import Facts, facts

MB = 2**20
MAX_EXPANDED_MB = 1024
CELL_BYTES = 32  # of calamine's grid, which spans all cells from the first to the last that holds something
MAX_RATIO = 200  # sheets are packed about 10 to 1, at most some 50
HARMLESS_MB = 100
INTERPRETER_MB = 512
TRIAL = """
import resource, sys
from python_calamine import CalamineWorkbook
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
CalamineWorkbook.from_filelike(open(sys.argv[1], "rb"))
"""


@contextmanager
def opening(file: File) -> Iterator[None]:
    """What goes wrong with a file that anybody may have made is a SourceError."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(f"{file.name}: not a workbook that can be read ({error})") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # calamine's, which is no Exception
            raise
        raise SourceError(f"{file.name}: not a workbook that can be read (it is damaged)") from error


def open_workbook(file: File, limit_mb: int) -> CalamineWorkbook:
    """Open a workbook whose parts unpacked take at most ``limit_mb``.

    Raises:
        SourceError: they take more, or what they take is out of all proportion.
    """
    if is_zipfile(file.path):
        _refuse_bomb(file, limit_mb)
    if not _is_xlsx(file):
        _try_first(file, limit_mb)
    with file.path.open("rb") as content:  # by its content: many an .xls is an .xlsx
        return CalamineWorkbook.from_filelike(content)


def _is_xlsx(file: File) -> bool:
    if not is_zipfile(file.path):
        return False
    with ZipFile(file.path) as archive:
        return "xl/workbook.xml" in archive.namelist()


def _try_first(file: File, limit_mb: int) -> None:
    """Open a workbook in a process of its own. Of an .xls or .ods calamine makes all sheets at once, and ends
    the process where they do not fit into memory, as those of a damaged file may not."""
    memory = str((limit_mb + INTERPRETER_MB) * MB)
    trial = subprocess.run(
        [sys.executable, "-c", TRIAL, file.path, memory], capture_output=True, text=True, check=False
    )
    if trial.returncode:
        said = trial.stderr.strip().rpartition(": ")[2] if trial.returncode > 0 else "out of memory"
        raise SourceError(
            f"{file.name}: not a workbook that can be read ({said}): it is damaged, has a password, or"
            f" takes more than the {limit_mb:,} MB of options: {{max_expanded_mb: …}}"
        )


def _refuse_bomb(file: File, limit_mb: int) -> None:
    with ZipFile(file.path) as archive:
        expanded = sum(member.file_size for member in archive.infolist())
    if expanded > limit_mb * MB:
        raise SourceError(
            f"{file.name}: would expand to {expanded / MB:,.0f} MB, more than the {limit_mb:,} MB of"
            " options: {max_expanded_mb: …}"
        )
    ratio = expanded / file.path.stat().st_size
    if expanded > HARMLESS_MB * MB and ratio > MAX_RATIO:
        raise SourceError(
            f"{file.name}: would expand {ratio:,.0f} to 1, which no real workbook does; save it anew"
        )


def sheet_facts(file: File, sheet: str, limit_mb: int) -> Facts:
    """What calamine does not tell of a sheet.

    Raises:
        SourceError: the sheet's grid or texts take more than ``limit_mb``; calamine would end the process.
    """
    known = facts(file.path, sheet) if _is_xlsx(file) else Facts()
    grid_mb = known.rows * known.columns * CELL_BYTES / MB
    if grid_mb > limit_mb:
        last = f"{letters(known.columns - 1)}{known.rows}"
        raise SourceError(
            f"{file.name}#{sheet}: reaches to the cell {last}, which takes {grid_mb:,.0f} MB, more than the"
            f" {limit_mb:,} MB of options: {{max_expanded_mb: …}}; delete what is far from the table"
        )
    if (text_mb := known.text_bytes / MB) > limit_mb:
        raise SourceError(
            f"{file.name}#{sheet}: its texts take {text_mb:,.0f} MB, more than the {limit_mb:,} MB of"
            " options: {max_expanded_mb: …}"
        )
    return known


def letters(column: int) -> str:
    """A column's name: A of 0, AA of 26."""
    before, last = divmod(column, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)
