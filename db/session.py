"""Connections to the record. One engine per process; a transaction is one `with engine.begin()`."""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, exc

POOL_SECONDS: Final = 10.0
FRESH_SECONDS: Final = 5.0
"""A connection that was given back no longer ago is asked only when its socket says that something happened to it."""


def engine_for(
    url: str,
    *,
    pool_size: int = 10,
    application: str = "millwright",
    longest_transaction_seconds: int | None = None,
) -> Engine:
    """An engine for a psycopg URL (`postgresql://…`). Times are UTC, statements are cut off after 30 seconds.

    With `longest_transaction_seconds` the server ends whatever takes longer, commit included (PostgreSQL 17 and later).
    """
    options = "-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=15000"
    if longest_transaction_seconds is not None:
        options += f" -c transaction_timeout={longest_transaction_seconds * 1000}"
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        # The one that was used last knows the statements already.
        pool_use_lifo=True,
        # Who gets no connection in so long is told; a terminal does not hang for half a minute.
        pool_timeout=POOL_SECONDS,
        connect_args={"application_name": application, "options": options},
    )
    event.listen(engine, "checkin", _note_return)
    event.listen(engine, "checkout", _check_alive)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection on which every statement is a transaction of its own: a read has nothing to begin or to end.

    Statements see what they would see inside a transaction (READ COMMITTED): all that was committed when each began.
    """
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def _note_return(_: Any, record: Any) -> None:
    record.info["returned"] = time.monotonic()


def _check_alive(connection: psycopg.Connection[Any], record: Any, _: Any) -> None:
    """Before a pooled connection is used: is its server still there? If not, the pool is emptied and a new one made.

    A server that ends, or ends a session, closes the socket, and that shows here without asking it. What does not
    show (a network that swallows everything) is found by asking; a connection in use every few seconds is not asked.
    """
    returned = record.info.get("returned")
    if returned is None:  # just made
        return
    try:
        if time.monotonic() - returned < FRESH_SECONDS and not _something_came(connection):
            return
        connection.autocommit = True
        connection.execute("")
        connection.autocommit = False
    except psycopg.Error as error:
        raise exc.InvalidatePoolError from error


def _something_came(connection: psycopg.Connection[Any]) -> bool:
    """Whether the socket of an idle connection has something to read: its end, or a word of the server."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))
