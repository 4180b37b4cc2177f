"""When and in what order: the asset graph, its schedule, and the ``analytics`` command. Thin.

>>> from orchestration import Analytics
>>> Analytics().calculate_daily_metrics()      # builds the models behind it, returns a pandas frame
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration.analytics import Analytics

__all__ = ["Analytics"]


def __getattr__(name: str) -> object:
    """Import on first use: the command line must not wait for pandas."""
    if name in __all__:
        from orchestration.analytics import Analytics

        return Analytics
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
