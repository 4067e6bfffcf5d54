"""The database that the tests of this folder share; each makes its own lots and orders in it."""

from collections.abc import Iterator

import pytest

from tests.db.database import Database, fresh_database


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """A migrated database with places."""
    with fresh_database() as made:
        yield made
