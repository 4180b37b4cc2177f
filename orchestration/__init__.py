"""When and in what order: the asset graph, its schedules and sensors. Thin: others do the work of a step.

>>> from orchestration import Analytics
>>> Analytics().calculate_daily_metrics()      # builds the models behind it, returns a pandas frame
"""

from typing import Any

__all__ = ["Analytics"]


def __getattr__(name: str) -> Any:
    """Import on first use: who loads the graph must not wait for pandas."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from transform.analytics import Analytics

    return Analytics
