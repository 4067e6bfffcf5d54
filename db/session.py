"""Connections to the record. One engine per process; a transaction is one `with engine.begin()`."""

from sqlalchemy import Engine, create_engine


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
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"application_name": application, "options": options},
    )
