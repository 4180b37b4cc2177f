"""When and in what order: the asset graph, its schedules and sensors. Thin: others do the work of a step.

>>> from orchestration import Analytics
>>> Analytics().calculate_daily_metrics()      # builds the models behind it, returns a pandas frame
"""

from transform.analytics import Analytics

__all__ = ["Analytics"]
