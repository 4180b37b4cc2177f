"""Source to staging. What decides where rows land, and nothing about models, schedules or reports.

>>> from ingest import DataIngestion
>>> DataIngestion().run()                            # every source of sources.yml
>>> DataIngestion().load_sales("data/sales.csv")     # one file whose columns are named as staging's
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.ingestion import DataIngestion, Outcome

__all__ = ["DataIngestion", "Outcome"]


def __getattr__(name: str) -> object:
    """Import on first use: who only wants ``ingest.warehouse`` does not wait a second for dlt."""
    if name in __all__:
        from ingest import ingestion

        return getattr(ingestion, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
