"""A worker with nothing to do. `python -m benchmarks.floor_worker ADDRESS NAMESPACE QUEUE`."""

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from workflows.runtime import build_id, connect, workflow_runner


@activity.defn(name="floor.nothing")
def nothing(number: int) -> int:
    """Do nothing."""
    return number


@workflow.defn(name="floor-empty")
class EmptyWorkflow:
    """Waits for its signals, one local activity for each."""

    def __init__(self) -> None:
        self._came: list[int] = []

    @workflow.run
    async def run(self, signals: int) -> int:
        """End when all have come."""
        for number in range(signals):
            await workflow.wait_condition(lambda number=number: len(self._came) > number)  # type: ignore[misc]
            await workflow.execute_local_activity(
                nothing, self._came[number], start_to_close_timeout=timedelta(seconds=10)
            )
        return signals

    @workflow.signal
    def go(self, number: int) -> None:
        """One more."""
        self._came.append(number)


async def run(address: str, namespace: str, queue: str) -> None:
    """Work until a signal to stop, with the runner that orders have."""
    client = await connect(address, namespace)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[EmptyWorkflow],
        activities=[nothing],
        activity_executor=ThreadPoolExecutor(4),
        workflow_runner=workflow_runner(),
        deployment_config=WorkerDeploymentConfig(
            version=WorkerDeploymentVersion("mes-floor", build_id()), use_worker_versioning=False
        ),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    )
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with worker:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:4]))
    # The SDK's threads can abort the interpreter on its way out.
    os._exit(0)
