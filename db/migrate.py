"""Bring a database to another schema: `upgrade` and `downgrade` run the Alembic migrations with the owner's login."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(owner_url: str) -> Config:
    """The Alembic configuration for a psycopg URL."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = owner_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return config


def revisions() -> tuple[str, ...]:
    """The schema revisions that this release knows, oldest first."""
    scripts = ScriptDirectory.from_config(configuration(""))
    return tuple(reversed([script.revision for script in scripts.walk_revisions()]))


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Apply what is missing; a database that is up to date is left alone."""
    command.upgrade(configuration(owner_url), revision)


def downgrade(owner_url: str, revision: str = "base", *, lose_data: bool = False) -> None:
    """Take migrations back, newest first, in one transaction.

    Raises `domain.errors.Refused` with a DATA_WOULD_BE_LOST for everything that would be gone; then nothing was
    changed. `lose_data` takes it back all the same.
    """
    config = configuration(owner_url)
    config.attributes |= {"downwards": True, "lose_data": lose_data}
    command.downgrade(config, revision)
