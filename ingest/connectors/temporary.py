"""Telling a source that may answer the next time from one that will not."""

import requests
import sqlalchemy.exc

UNREACHED = (
    requests.ConnectionError,
    requests.Timeout,
    sqlalchemy.exc.OperationalError,
    ConnectionError,
    TimeoutError,
)


def is_temporary(error: BaseException | None) -> bool:
    """Whether a source that failed so may answer next time: it could not be reached, or says so itself."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code in (408, 429) or error.response.status_code >= 500
    return error is not None and (isinstance(error, UNREACHED) or is_temporary(error.__cause__))
