"""How often metrics_anomalies is right: drops, spikes, steps and trends in 1,000 simulated metric-years.

Each metric has a season of the week, noise of 10 % of its level, and a history of half a year before the
year that counts. It is judged by the SQL that metrics_anomalies itself is made of, beside two rules that
are written again here for the comparison: Elementary's published default (z-score 3 over the 14 days
before) and a plain 3 sigma over all days before. To reach: at most 1 false alarm for each metric and
quarter at 90 % recall of a one-day drop of 30 %; steps of 30 % told within 7 days, 90 %. BENCH_METRICS
sets the number of metric-years.
"""

import io
import os
from collections.abc import Callable
from contextlib import closing
from statistics import NormalDist

import numpy as np
import pandas as pd

from benchmarks._home import own_home
from ingest import warehouse
from transform import runner

METRICS = int(os.environ.get("BENCH_METRICS", "1000"))
HISTORY, YEAR = 196, 365
QUARTERS = YEAR / 91.25
WEEK = np.array([1.0, 0.95, 1.0, 1.05, 1.2, 1.5, 0.6])
FIRST_DAY = np.datetime64("2024-01-01")
# A day's noise as a share of its level, all with a standard deviation of 10 % but the last.
NOISES: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal, σ 10 %": lambda rng, shape: rng.normal(0, 0.1, shape),
    "skewed (gamma), σ 10 %": lambda rng, shape: rng.gamma(100, 0.01, shape) - 1,
    "uniform, ± 10 %": lambda rng, shape: rng.uniform(-0.1, 0.1, shape),
}
PLANTS = ("nothing", "drop", "spike", "step", "trend")


def main() -> None:
    """Simulate, judge, print."""
    with own_home():
        warehouse.start()
        judge = _judging_sql()
        for name, noise in NOISES.items():
            simulated = _simulate(np.random.default_rng(1), noise)
            print(f"\n{METRICS} metric-years, noise {name}")
            print(f"  {'':34}{'ours':>12}{'z 3, 14 days':>16}{'3 sigma':>12}{'to reach':>12}")
            _print(
                simulated,
                {
                    "ours": _judge(judge, simulated),
                    "z": _z_score(simulated, 14),
                    "s": _z_score(simulated, None),
                },
            )
        # A drop of 30 % lies 3 σ below, with 0.7 of the noise; one alarm in 91 days sets the threshold.
        bound = NormalDist().cdf((3 - NormalDist().inv_cdf(1 - 1 / 91.25)) / 0.7)
        print("\nwhat a rule that knows all parameters can find on normal noise, of drops alone,")
        print(f"at 1 false alarm a quarter: {bound:.0%} of the drops found")


class Simulated:
    """Values by metric and day, and what was planted: kind by metric, the day by metric."""

    def __init__(self, values: np.ndarray, kinds: np.ndarray, days: np.ndarray) -> None:
        self.values, self.kinds, self.days = values, kinds, days


def _simulate(
    rng: np.random.Generator, noise: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
) -> Simulated:
    shape = (METRICS, HISTORY + YEAR)
    kinds = np.array([PLANTS[n % len(PLANTS)] for n in range(METRICS)])
    planted = rng.integers(HISTORY, HISTORY + YEAR - 60, METRICS)
    level = np.ones(shape)
    days = np.arange(shape[1])
    for n, (kind, day) in enumerate(zip(kinds, planted, strict=True)):
        if kind == "drop":
            level[n, day] = 0.7
        elif kind == "spike":
            level[n, day] = 1.3
        elif kind == "step":
            level[n, day:] = 0.7
        elif kind == "trend":  # a fifth more in a year
            level[n] = 1 + 0.2 * days / YEAR
    values = 1000 * level * WEEK[days % 7] * (1 + noise(rng, shape))
    return Simulated(values, kinds, planted)


def _judging_sql() -> str:
    done = runner.invoke(
        [
            "compile",
            "--quiet",
            "--inline",
            "{{ judged_days('calibration', 'no_days') }}",
        ]
    )
    if not done.success:
        raise RuntimeError(str(done.exception))
    return str(done.result.results[0].node.compiled_code)


def _judge(sql: str, simulated: Simulated) -> pd.DataFrame:
    """The verdicts of metrics_anomalies by metric and day: −1 low, 1 high, −2 and 2 steps, else 0."""
    metrics, days = simulated.values.shape
    rows = io.StringIO()
    for n in range(metrics):
        for day in range(days):
            rows.write(f"{n}\t{FIRST_DAY + day}\t{simulated.values[n, day]:.6f}\n")
    rows.seek(0)
    with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create temp table calibration (series integer, day date, value double precision,"
            " minimum_volume double precision default 0, one_sided text)"
        )
        cursor.copy_expert("copy calibration (series, day, value) from stdin", rows)
        cursor.execute("create temp table no_days (date_day date)")
        cursor.execute("analyze calibration")
        cursor.execute(
            f"""
            select series, day - date '{FIRST_DAY}', case verdict
                when 'low' then -1 when 'high' then 1 when 'step down' then -2 when 'step up' then 2 else 0
                end
            from ({sql}) as judged
            """
        )
        found = np.zeros((metrics, days), dtype=int)
        for series, day, verdict in cursor.fetchall():
            found[series, day] = verdict
    return pd.DataFrame(found)


def _z_score(simulated: Simulated, window: int | None) -> pd.DataFrame:
    """A z-score beyond 3 against the days before, of a number or all."""
    values = pd.DataFrame(simulated.values.T)
    before = values.shift(1)
    history = before.rolling(window) if window else before.expanding(28)
    score = (values - history.mean()) / history.std()
    return ((score > 3).astype(int) - (score < -3).astype(int)).T


def _print(simulated: Simulated, verdicts: dict[str, pd.DataFrame]) -> None:
    def of(kind: str) -> np.ndarray:
        return np.flatnonzero(simulated.kinds == kind)

    def at(found: pd.DataFrame, kind: str, sign: int) -> float:
        return float(np.mean([np.sign(found.iat[n, simulated.days[n]]) == sign for n in of(kind)]))

    def alarms(found: pd.DataFrame, kind: str) -> float:
        return float((found.iloc[of(kind), HISTORY:] != 0).sum(axis=1).mean() / QUARTERS)

    def steps(found: pd.DataFrame, days: int) -> float:
        told = [(found.iloc[n, simulated.days[n] : simulated.days[n] + days] == -2).any() for n in of("step")]
        return float(np.mean(told))

    def noise_of_a_step(found: pd.DataFrame) -> float:
        return float(
            np.mean(
                [(found.iloc[n, simulated.days[n] : simulated.days[n] + 60] != 0).sum() for n in of("step")]
            )
        )

    lines = [
        ("false alarms a metric and quarter", lambda f: f"{alarms(f, 'nothing'):.2f}", "≤ 1"),
        ("the same, while it grows", lambda f: f"{alarms(f, 'trend'):.2f}", ""),
        ("drops of 30 % for a day, found", lambda f: f"{at(f, 'drop', -1):.0%}", "≥ 90 %"),
        ("spikes of 30 % for a day, found", lambda f: f"{at(f, 'spike', 1):.0%}", ""),
        ("steps of 30 %, told in 7 days", lambda f: f"{steps(f, 7):.0%}", "≥ 90 %"),
        ("alarms in the 60 days of a step", lambda f: f"{noise_of_a_step(f):.1f}", ""),
    ]
    for name, measure, limit in lines:
        ours, peers = measure(verdicts["ours"]), [measure(verdicts[rule]) for rule in ("z", "s")]
        print(f"  {name:34}{ours:>12}{peers[0]:>16}{peers[1]:>12}{limit:>12}")
