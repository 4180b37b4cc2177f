"""The server's way to the warehouse: a few connections as the reader, read-only, each question within a time
limit.

A warehouse that is away is a 503; nobody here starts it, so that who stopped it for a restore is not
surprised. Knows no table.
"""

import logging
import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.sql import Composable

from ingest import warehouse
from reports.server.problems import Problem, unavailable

CONNECTIONS = 8
WAIT_SECONDS = 5.0  # for a connection, while others have them all
QUERY_SECONDS = 10
EXPORT_SECONDS = 900
CONNECT_SECONDS = 3
AWAY = "the warehouse is away; it is asked again with the next request"

logger = logging.getLogger(__name__)
Rows = list[tuple[Any, ...]]
Parameters = Sequence[Any] | Mapping[str, Any]


def connect(role: warehouse.Role, seconds: int = QUERY_SECONDS) -> Connection:
    """A connection of its own, whose statements may take that many seconds.

    Raises:
        psycopg2.OperationalError: the warehouse is away, or refuses the role.
    """
    options = f"-c statement_timeout={seconds}s -c idle_in_transaction_session_timeout={EXPORT_SECONDS}s"
    parameters = warehouse.settings(role) | {
        "application_name": "analytics serve", "connect_timeout": CONNECT_SECONDS, "options": options,
    }  # fmt: skip
    connection: Connection = psycopg2.connect(**parameters)
    return connection


@contextmanager
def told() -> Iterator[None]:
    """Errors of the driver become problems that say nothing of SQL.

    Raises:
        Problem: 503 where the warehouse is away, 504 where it took too long, 422 where a value fits no
        column.
    """
    try:
        yield
    except psycopg2.errors.QueryCanceled as error:
        raise Problem(504, "the answer took too long; ask for less, by a filter or a shorter time") from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        logger.warning("the warehouse is away: %s", str(error).strip())
        raise unavailable(AWAY) from error
    except psycopg2.DataError as error:
        raise Problem(422, "a value does not fit the column that it is compared with") from error
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn) as error:
        logger.warning("a table is being rebuilt: %s", str(error).strip())
        raise unavailable("a table is just being built; ask again") from error


class Database:
    """A pool of the reader's connections, shared by the server's threads."""

    def __init__(self, role: warehouse.Role = "reader", connections: int = CONNECTIONS) -> None:
        self.role: warehouse.Role = role
        self._idle: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(connections):
            self._idle.put(None)  # opened when first used

    def rows(self, sql: str | Composable, parameters: Parameters = ()) -> Rows:
        """The rows of one statement. A connection that had died meanwhile is replaced once.

        Raises:
            Problem: see `told`.
        """
        with told():
            try:
                return self._rows(sql, parameters)
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                if isinstance(error, psycopg2.errors.QueryCanceled):
                    raise
                return self._rows(sql, parameters)

    def close(self) -> None:
        """Close what is idle."""
        with suppress(queue.Empty):
            while True:
                connection = self._idle.get_nowait()
                if connection is not None:
                    connection.close()

    def _rows(self, sql: str | Composable, parameters: Parameters) -> Rows:
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = self._idle.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            raise unavailable("the server is busy; ask again in a moment") from None
        try:
            if connection is None or connection.closed:
                connection = connect(self.role)
                connection.set_session(readonly=self.role == "reader", autocommit=True)
            yield connection
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if connection is not None and not isinstance(error, psycopg2.errors.QueryCanceled):
                connection.close()
                self._discard()
            raise
        finally:
            self._idle.put(None if connection is None or connection.closed else connection)

    def _discard(self) -> None:
        """Where one connection has died the idle ones have too."""
        kept = 0
        with suppress(queue.Empty):
            while True:
                if (connection := self._idle.get_nowait()) is not None:
                    connection.close()
                kept += 1
        for _ in range(kept):
            self._idle.put(None)


@contextmanager
def moment() -> Iterator[Connection]:
    """A connection of its own that sees one moment, for answers that are made bit by bit.

    Raises:
        Problem: see `told`.
    """
    with told():
        connection = connect("reader", EXPORT_SECONDS)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        yield connection
    finally:
        connection.close()
