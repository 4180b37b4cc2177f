"""The identity of the models at length: drawn sequences of loads, built in random cuts, against one full refresh.

As tests/test_models_identity.py does in small; each run draws other sequences. ``IDENTITY_BATCHES`` says how many
batches of fifty (default 20).
"""

import os
import random
import sys
from pathlib import Path

BATCHES = int(os.environ.get("IDENTITY_BATCHES", "20"))


def main() -> None:
    """Check batch after batch; stops at the first difference with the smallest loads that show it."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from landing_sequences import draw
    from models_project import built_project
    from test_models_identity import SEQUENCES_IN_A_BATCH, check

    first = random.SystemRandom().randrange(1_000, 1_000_000)
    with built_project() as dbt:
        for number in range(first, first + BATCHES):
            check(dbt, draw(SEQUENCES_IN_A_BATCH, number), seed=number)
            print(f"batch {number}: {SEQUENCES_IN_A_BATCH} sequences equal a full refresh", flush=True)
