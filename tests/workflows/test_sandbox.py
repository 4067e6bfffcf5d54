"""The sandbox refuses what gives another answer the next time, also in orders that share its modules."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from tests.workflows.impure import ORDERS, REFUSED, Impure
from workflows.runtime import workflow_runner
from workflows.sandbox import importer

Ask: TypeAlias = Callable[[str], Awaitable[int | None]]
FORBIDDEN = ("clock", "chance", "file", "thread")


@pytest.fixture
async def ask(client: Client) -> AsyncIterator[Ask]:
    """Starts an order that does one deed; None when it was refused."""
    queue = f"sandbox-{uuid.uuid4().hex[:6]}"

    async def asked(deed: str) -> int | None:
        try:
            return await client.execute_workflow(Impure.run, deed, id=uuid.uuid4().hex, task_queue=queue)
        except WorkflowFailureError as failed:
            if isinstance(failed.cause, ApplicationError) and failed.cause.type == REFUSED:
                return None
            raise

    async with Worker(client, task_queue=queue, workflows=[Impure], workflow_runner=workflow_runner()):
        yield asked


async def test_clock_chance_files_and_threads_are_refused_in_every_order(ask: Ask) -> None:
    for deed in FORBIDDEN * 2:
        assert await ask(deed) is None, deed


def test_a_step_that_ends_in_one_thread_does_not_free_another() -> None:
    """Both share the modules, and the one that ends says so: the other one is still watched."""
    shared = importer("tests.workflows.impure", ()).restriction_context
    shared.is_runtime = True

    def other() -> bool:
        before = shared.is_runtime
        shared.is_runtime = True
        shared.is_runtime = False
        return before

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(other).result() is False
    assert shared.is_runtime is True
    shared.is_runtime = False


async def test_modules_are_loaded_once_and_are_not_those_of_the_process(ask: Ask) -> None:
    counts = [await ask("nothing") for _ in range(3)]
    assert counts[0] is not None
    assert counts[1:] == [counts[0] + 1, counts[0] + 2]
    assert ORDERS == []
