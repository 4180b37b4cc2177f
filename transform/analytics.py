"""The models from Python: build a metric's tables and read them."""

from contextlib import closing
from typing import TYPE_CHECKING

from ingest import warehouse
from transform import runner

if TYPE_CHECKING:  # who loads the asset graph must not wait for it
    import pandas as pd


class Analytics:
    """Builds metrics and returns them as pandas frames, one row for each row of the table."""

    def calculate_daily_metrics(self) -> "pd.DataFrame":
        """``metrics.metrics_daily`` after building it and what it needs, by metric_date.

        Raises:
            BuildError: a model or a test failed.
        """
        return self._calculate("metrics_daily", "metric_date")

    def calculate_product_metrics(self) -> "pd.DataFrame":
        """``metrics.metrics_products`` after building it and what it needs, by metric_date and product_id."""
        return self._calculate("metrics_products", "metric_date, product_id")

    def _calculate(self, model: str, order: str) -> "pd.DataFrame":
        import pandas as pd

        runner.build(["--select", f"+{model}"])
        with closing(warehouse.connect("reader")) as connection, connection.cursor() as cursor:
            cursor.execute(f"select * from metrics.{model} order by {order}")
            names = [column.name for column in cursor.description or ()]
            return pd.DataFrame(cursor.fetchall(), columns=names)
