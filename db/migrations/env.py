"""Alembic's entry: connects as the owner and runs the migrations in one transaction.

Downwards the transaction is kept only when nothing is lost by it, or when `lose_data` was asked for.
"""

from alembic import context
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel

import db.tables  # noqa: F401  (fills the metadata)
from db import loss

attributes = context.config.attributes
engine = create_engine(attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    # Two processes that start at once must not migrate at once.
    connection.exec_driver_sql("SELECT pg_advisory_lock(724001)")
    guarded = attributes.get("downwards", False) and not attributes.get("lose_data", False)
    ignored = loss.made_again(revision.module for revision in context.script.walk_revisions())
    if guarded:
        loss.hold(connection)
        before = loss.content(connection, ignored)
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()
    if guarded:
        loss.refuse_loss(before, loss.content(connection, ignored))
    connection.commit()
engine.dispose()
