"""The portable forms of the models: where Postgres has a form of its own for speed, the one that other databases get
gives the same cells, and it is SQL that Spark can read."""

import re
import shutil
from pathlib import Path

import landing_rows
import pytest
import sqlglot
from landing_sequences import draw, land_side_by_side
from models_project import Dbt, cells, clear_models

from conftest import ROOT
from ingest import warehouse

MACRO = r"\{% macro (\w+)\(.*?\{%-? endmacro -?%\}\n*"


@pytest.fixture(scope="module")
def portable(models: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """The project without the macros that Postgres has for itself beside a default."""
    project = tmp_path_factory.mktemp("portable")
    shutil.copy(ROOT / "dbt_project.yml", project)
    shutil.copytree(ROOT / "dbt_project", project / "dbt_project")
    removed = []
    for file in (project / "dbt_project" / "macros").glob("*.sql"):
        text = file.read_text()
        for macro in re.finditer(MACRO, text, flags=re.DOTALL):
            name = macro[1].removeprefix("postgres__")
            if macro[1] != name and f"macro default__{name}(" in text:
                text = text.replace(macro[0], "")
                removed.append(name)
        file.write_text(text)
    assert set(removed) >= {"with_aggregates", "with_last_before", "rows_since"}
    return Dbt(Path(warehouse.home()), project)


def test_the_portable_forms_give_the_same_cells_and_are_read_by_spark(dbt: Dbt, portable: Dbt) -> None:
    loads = land_side_by_side(draw(25, number=11))
    landing_rows.take_in(loads)
    dbt("run")
    expected = cells()
    clear_models()
    landing_rows.take_in(loads // 2)
    portable("run")
    landing_rows.take_in(loads)
    results = portable("run").results
    for table, rows in cells().items():
        assert rows == expected[table], table
    assert len(results) > 30
    for result in results:
        if result.node.resource_type == "operation":  # a hook; what it ran is in its macro
            continue
        sqlglot.parse_one(result.node.compiled_code, read="spark")
