"""The definitions of `board.yml`, checked: measures, charts and tables, for Python and the page's script.

Knows no data and no looks.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reports.errors import ReportError

FILE = Path(__file__).with_name("board.yml")
ROWS = ("sales", "visits", "contacts", "loads")
SHAPES = ("time", "stack", "bars")
# Dimensions that follow from others and are no filter.
DERIVED = ("weekday", "purchases", "source", "time")
KINDS = ("money", "count", "share", "duration", "number")


@cache
def definitions() -> dict[str, Any]:
    """What stands in board.yml.

    Raises:
        ReportError: a definition names what there is not; the message says where.
    """
    return check(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def check(board: dict[str, Any]) -> dict[str, Any]:
    """The same definitions, once they are found whole.

    Raises:
        ReportError: one names what there is not; the message says where and what there is.
    """
    measures, dimensions = board["measures"], [*board["dimensions"], *DERIVED]
    for name, measure in measures.items():
        where = f"measures: {name}"
        _known(where, "kind", measure["kind"], KINDS)
        if "above" in measure:
            _known(where, "above", measure["above"], measures)
            _known(where, "below", measure["below"], measures)
        else:
            _known(where, "rows", measure.get("rows"), ROWS)
            if ("sum" in measure) == ("distinct" in measure):
                raise ReportError(f"{FILE.name}: {where} needs either `sum` or `distinct`")
    for name, chart in board["charts"].items():
        where = f"charts: {name}"
        _known(where, "shape", chart["shape"], SHAPES)
        _known(where, "measure", chart["measure"], [*measures, "chosen"])
        by = chart.get("by", [])
        for dimension in [by] if isinstance(by, str) else by:
            _known(where, "by", dimension, dimensions)
    for name, table in board["tables"].items():
        where = f"tables: {name}"
        if "from" not in table:
            _known(where, "by", table.get("by"), dimensions)
            for measure in table["measures"]:
                _known(where, "measures", measure, measures)
        elif "columns" not in table:
            raise ReportError(f"{FILE.name}: {where} needs `columns`")
    return board


def _known(where: str, key: str, value: Any, names: Any) -> None:
    if value not in names:
        raise ReportError(
            f"{FILE.name}: {where}: {key}: {value!r} is not known; known are: {', '.join(names)}"
        )
