"""What changed in the past since a report was last sent: the days whose sales its last edition gave
otherwise.

Each edition keeps its days with the results of its queries; the next one compares them with its own.
"""

from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from reports import archive, data, figures, results
from reports.edition import Edition, parameters_of
from reports.period import Period

KEPT = "days"  # the name under which an edition keeps its days
REACH = 400  # days
COLUMNS = ["metric_date", "before", "now", "difference"]


class Restated(NamedTuple):
    """The edition compared with (`label`: its period, empty where there is none), and the days that differ:
    metric_date, before, now, difference."""

    since: str
    report_id: str
    frame: pd.DataFrame


def restated(edition: Edition) -> Restated:
    """The days whose sales are not what the last edition sent said; where none was ever sent, the last one
    made about an earlier period."""
    reach = Period(figures.ending(edition.period.last, REACH).first, edition.period.last)
    now = results.keep(KEPT, lambda: figures.days(reach, edition.only)[["metric_date", "total_sales"]])
    last = results.keep("last_edition", lambda: _last_edition(edition))
    frame = results.keep("restated", lambda: _differences(last, now))
    if last.empty:
        return Restated("", "", frame)
    return Restated(str(last["period"].iloc[0]), str(last["report_id"].iloc[0]), frame)


def _last_edition(edition: Edition) -> pd.DataFrame:
    """The edition to compare with, as a frame of one row or none: report_id, period."""
    mine = {name: value for name, value in parameters_of(edition).items() if name != "period"}
    sent = _sent()
    made = [
        manifest
        for manifest in archive.entries(edition.report.name)
        if {n: v for n, v in manifest.parameters.items() if n in figures.MEMBERS} == mine
        and (manifest.folder / archive.RESULTS / f"{KEPT}.parquet").exists()
    ]
    last_day = edition.period.last.isoformat()
    found = [m for m in made if m.report_id in sent and m.last_day <= last_day] or [
        m for m in made if m.last_day < last_day
    ]
    rows = [{"report_id": manifest.report_id, "period": manifest.period} for manifest in found[:1]]
    return pd.DataFrame(rows, columns=["report_id", "period"], dtype="object")


def _sent() -> set[str]:
    if not data.exists("ops.deliveries"):
        return set()
    sent = data.query("select distinct report_id from ops.deliveries where state = 'sent' and not is_trial")
    return set(sent["report_id"])


def _differences(last: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    if last.empty:
        return pd.DataFrame(columns=COLUMNS).astype(
            {"metric_date": "datetime64[us]", "difference": "float64"}
        )
    file = archive.folder() / last["report_id"].iloc[0] / archive.RESULTS / f"{KEPT}.parquet"
    before = pq.read_table(file).to_pandas()
    # Days that the last edition did not reach are new, not restated.
    both = before.merge(now, on="metric_date", suffixes=("_before", "_now"))
    frame = pd.DataFrame(
        {
            "metric_date": both["metric_date"],
            "before": both["total_sales_before"],
            "now": both["total_sales_now"],
            "difference": (both["total_sales_now"] - both["total_sales_before"]).round(2),
        }
    )
    return frame[frame["difference"] != 0].reset_index(drop=True)
