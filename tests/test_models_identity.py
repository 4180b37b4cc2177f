"""The identity of the models: however loads arrive and are cut into builds, every cell of the marts and metrics is
that of one full refresh, surrogate keys included."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import landing_rows
import pytest
from landing_sequences import Sequence_, draw, land_side_by_side, without_row, without_step
from models_project import KEYS, Dbt, cells, clear_models

BATCHES = 2
SEQUENCES_IN_A_BATCH = 104
# Made anew by each build from what is compared.
DERIVED = "metrics_statistics metrics_trends metrics_drivers metrics_segments metrics_comparisons"


def difference(dbt: Dbt, sequences: Sequence[Sequence_], choice: random.Random) -> str | None:
    """Land sequences side by side, build them in random cuts with a full refresh in between, and compare all cells
    with a full refresh in the end. Returns the first cells that differ, in words, or None."""
    landing_rows.clear()
    clear_models()
    loads = land_side_by_side(sequences)
    cuts = sorted({choice.randint(0, loads) for _ in range(4)})
    # Not always, and early: what an increment forgot before it would be mended by it.
    refreshed = cuts[0] if choice.random() < 0.5 else None
    for cut in cuts:
        landing_rows.take_in(cut)
        dbt("run", "--exclude", DERIVED, *(["--full-refresh"] if cut == refreshed else []))
    landing_rows.take_in(loads)
    dbt("build")  # with the accounting identities
    incremental = cells()
    dbt("run", "--full-refresh", "--exclude", DERIVED)
    for table, rows in cells().items():
        if incremental[table] != rows:
            ours, full = set(map(repr, incremental[table])), set(map(repr, rows))
            return (
                f"{table} after builds of the loads up to {cuts}, {refreshed} a full refresh:\n"
                + "\n".join(
                    ["by increments:", *sorted(ours - full)[:5], "by full refresh:", *sorted(full - ours)[:5]]
                )
            )
    return None


def smallest_failing(
    sequences: Sequence[Sequence_], fails: Callable[[Sequence[Sequence_]], bool]
) -> Sequence[Sequence_]:
    """Halve the sequences while one half fails by itself, then leave out loads and rows that it fails without."""
    while len(sequences) > 1:
        half = len(sequences) // 2
        if fails(sequences[:half]):
            sequences = sequences[:half]
        elif fails(sequences[half:]):
            sequences = sequences[half:]
        else:
            return sequences
    (sequence,) = sequences
    for step in reversed(range(len(sequence))):
        if len(sequence) > 1 and fails([without_step(sequence, step)]):
            sequence = without_step(sequence, step)
    for step in reversed(range(len(sequence))):
        for row in reversed(range(len(sequence[step].rows))):
            if len(sequence[step].rows) > 1 and fails([without_row(sequence, step, row)]):
                sequence = without_row(sequence, step, row)
    return [sequence]


def check(dbt: Dbt, sequences: Sequence[Sequence_], seed: int) -> None:
    """Fail with the smallest sequence of loads of which increments and a full refresh differ."""
    found = difference(dbt, sequences, random.Random(seed))
    if found is None:
        return

    def fails(fewer: Sequence[Sequence_]) -> bool:
        return any(difference(dbt, fewer, random.Random(cut)) for cut in (seed, seed + 1, seed + 2))

    smallest = smallest_failing(sequences, fails)
    told = "\n\n".join("\n".join(map(str, sequence)) for sequence in smallest[:3])
    pytest.fail(f"{found}\n\nalready with these loads:\n{told}")


@pytest.mark.parametrize("batch", range(BATCHES))
def test_increments_equal_a_full_refresh(models: Dbt, batch: int) -> None:
    check(models, draw(SEQUENCES_IN_A_BATCH, number=batch), seed=batch)


@pytest.mark.parametrize("number", [100, 101])
def test_increments_of_one_sequence_alone_equal_a_full_refresh(models: Dbt, number: int) -> None:
    """With no other load beside it, the last load of a build may be one that only deletes, or changes a cost."""
    check(models, draw(1, number), seed=number)


def test_the_keys_of_a_landing_are_the_same_in_20_random_cuts(models: Dbt) -> None:
    landing_rows.clear()
    loads = land_side_by_side(draw(10, number=7))
    select = ["--select", *(f"+int_{key}_keys" for key in KEYS)]
    tables = [f"intermediate.int_{key}_keys" for key in KEYS]
    built: list[dict[str, Any]] = []
    for cutting in range(20):
        choice = random.Random(cutting)
        clear_models()
        for cut in [*sorted(choice.sample(range(1, loads), 1 + cutting % 2)), loads]:
            landing_rows.take_in(cut)
            models("run", *select)
        built.append(cells(tables))
    assert all(keys == built[0] for keys in built)
