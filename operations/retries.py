"""Asking again, after a while, what may answer the next time."""

import os

import dagster as dg

# Seconds before something that does not answer is asked again.
WAITS = [float(wait) for wait in os.environ.get("ANALYTICS_RETRY_SECONDS", "10 30 90").split()]


def again(context: dg.AssetExecutionContext, cause: Exception, what: str) -> None:
    """Let the step run again after a while; where it was asked often enough, go on.

    Raises:
        dagster.RetryRequested: it is asked again.
    """
    if context.retry_number < len(WAITS):
        wait = WAITS[context.retry_number]
        context.log.warning(f"{what}; asked again in {wait} s")
        raise dg.RetryRequested(max_retries=len(WAITS), seconds_to_wait=wait) from cause
