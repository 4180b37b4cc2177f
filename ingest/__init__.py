"""Source to staging. What decides where rows land, and nothing about models, schedules or reports.

>>> from ingest import DataIngestion
>>> DataIngestion().run()                            # every source of sources.yml
>>> DataIngestion().load_sales("data/sales.csv")     # one file whose columns are named as staging's
"""

from ingest.ingestion import DataIngestion, Outcome

__all__ = ["DataIngestion", "Outcome"]
