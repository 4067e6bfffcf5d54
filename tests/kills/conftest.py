"""What the folder shares: the process that its workers are forked from, and how soon a dead one is taken for dead."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from tests.kills.nursery import NURSERY


@pytest.fixture(scope="session", autouse=True)
def _nursery() -> Iterator[None]:
    """It is started by the first test that needs a worker that dies, and ended here."""
    yield
    NURSERY.close()


@pytest.fixture(scope="module", autouse=True)
def _soon_taken_for_dead() -> Iterator[None]:
    """An order waits two seconds for a worker that died over a step of its workflow, not a plant's ten."""
    started = Client.start_workflow

    async def start_workflow(client: Client, *arguments: Any, **more: Any) -> Any:
        return await started(client, *arguments, **({"task_timeout": timedelta(seconds=2)} | more))

    with pytest.MonkeyPatch.context() as here:
        here.setattr(Client, "start_workflow", start_workflow)
        yield
