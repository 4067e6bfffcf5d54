"""Bring a database to the current schema: `upgrade` runs the Alembic migrations with the owner's login."""

from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(owner_url: str) -> Config:
    """The Alembic configuration for a psycopg URL."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = owner_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return config


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Apply what is missing; a database that is up to date is left alone."""
    command.upgrade(configuration(owner_url), revision)


def downgrade(owner_url: str, revision: str = "base") -> None:
    """Take migrations back, newest first."""
    command.downgrade(configuration(owner_url), revision)
