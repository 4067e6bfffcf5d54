"""A worker that kills itself with SIGKILL between the commit of an activity and its answer, once per activity.

`python -m tests.kills.deadly_worker QUEUE MARKS NAME…`: the first call of each activity NAME is the last thing that
a worker does; a local activity has `/local` behind its name. A mark in the folder MARKS keeps the next worker from
doing it again, so that a dozen of them one after the other die one death each.

The process itself never works. Each worker is a fork of it: everything is imported then, and nothing is open yet.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

import settings as configuration
import worker
from adapters.equipment.stations import Stations
from db.session import engine_for
from workflows.runtime import connect


class _Killer(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, marks: Path, doomed: frozenset[str]) -> None:
        super().__init__(following)
        self._marks, self._doomed = marks, doomed

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        name = f"{info.activity_type}/local" if info.is_local else info.activity_type
        answer = await super().execute_activity(input)
        if name in self._doomed:
            mark = self._marks / name.replace("/", ".")
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return answer


class Deadly(ClientInterceptor, Interceptor):
    """Puts the killer around every activity of the workers that a client serves."""

    def __init__(self, marks: Path, doomed: frozenset[str]) -> None:
        self._marks, self._doomed = marks, doomed

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Killer(next, self._marks, self._doomed)


async def run(queue: str, marks: Path, doomed: frozenset[str]) -> None:
    """Work until killed."""
    settings = configuration.from_environment()
    engine = engine_for(settings.database_url, pool_size=8)
    client = await connect(settings.temporal_address, interceptors=[Deadly(marks, doomed)])
    orders = worker.build_worker(client, engine, settings, task_queue=queue)
    gateway = worker.build_gateway(client, engine, Stations(engine))
    await asyncio.gather(orders.run(), gateway.run())


def main(queue: str, marks: Path, doomed: frozenset[str]) -> None:
    """One worker after the other, each when the one before has died, until the group of processes is killed."""
    while True:
        worker_process = os.fork()
        if not worker_process:
            asyncio.run(run(queue, marks, doomed))
        os.waitpid(worker_process, 0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), frozenset(sys.argv[3:]))
