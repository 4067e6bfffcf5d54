"""Alembic's entry: connects as the owner and runs the migrations in one transaction."""

from alembic import context
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel

import db.tables  # noqa: F401  (fills the metadata)

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    # Two processes that start at once must not migrate at once.
    connection.exec_driver_sql("SELECT pg_advisory_lock(724001)")
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
