"""A worker with nothing to do. `python -m benchmarks.floor_worker ADDRESS NAMESPACE QUEUE`."""

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from benchmarks.empty_workflow import EmptyWorkflow, nothing
from workflows.runtime import build_id, connect, workflow_runner


async def run(address: str, namespace: str, queue: str) -> None:
    """Work until a signal to stop, with the runner that orders have."""
    client = await connect(address, namespace)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[EmptyWorkflow],
        activities=[nothing],
        activity_executor=ThreadPoolExecutor(4),
        workflow_runner=workflow_runner(sandbox=False),
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
