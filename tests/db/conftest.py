"""The database that the tests of this folder share; each makes its own lots and orders in it."""

from collections.abc import Iterator

import pytest

from system.addresses import Addresses
from tests.db.database import Database, fresh_database


@pytest.fixture(scope="session")
def database(servers: Addresses, template: str) -> Iterator[Database]:
    """A migrated database with places."""
    with fresh_database(servers.database_owner_url, servers.database_url, template) as made:
        yield made
