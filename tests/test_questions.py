"""The questions of docs/questions.md: each runs on the demo's warehouse as its reader, and what adds up adds up."""

import re
from pathlib import Path

import pytest

from conftest import ROOT, select

PAGE = (ROOT / "docs" / "questions.md").read_text()
QUESTIONS = dict(re.findall(r"^\*\*(\d+)\. .*?```sql\n(.*?)```", PAGE, flags=re.DOTALL | re.MULTILINE))


def test_there_are_ten() -> None:
    assert list(QUESTIONS) == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("number", QUESTIONS)
def test_a_question_has_an_answer(demo_home: Path, number: str) -> None:
    assert select(demo_home, QUESTIONS[number])


@pytest.mark.parametrize(("number", "column"), [("4", 2), ("5", 2), ("7", 2)])
def test_what_covers_all_sales_adds_up_to_them(demo_home: Path, number: str, column: int) -> None:
    ((total,),) = select(demo_home, "select sum(total_amount) from marts.fact_sales")
    assert sum(row[column] for row in select(demo_home, QUESTIONS[number])) == total  # type: ignore[misc]


def test_the_last_day_is_traced_to_its_lines(demo_home: Path) -> None:
    ((total,),) = select(
        demo_home, "select total_sales from metrics.metrics_daily order by metric_date desc limit 1"
    )
    assert sum(row[4] for row in select(demo_home, QUESTIONS["10"])) == total  # type: ignore[misc]
