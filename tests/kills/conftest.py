"""What the folder shares: the process that its workers are forked from."""

from collections.abc import Iterator

import pytest

from tests.kills.nursery import NURSERY


@pytest.fixture(scope="session", autouse=True)
def _nursery() -> Iterator[None]:
    """It is started by the first test that needs a worker that dies, and ended here."""
    yield
    NURSERY.close()
