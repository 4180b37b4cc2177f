"""When and in what order: the asset graph, its schedule, and the ``analytics`` command. Thin.

>>> from orchestration import Analytics
>>> Analytics().calculate_daily_metrics()      # builds the models behind it, returns a pandas frame
"""

from orchestration.analytics import Analytics

__all__ = ["Analytics"]
