"""A worker that kills itself with SIGKILL between the commit of an activity and its answer, once per activity.

`python -m tests.kills.deadly_worker QUEUE MARKS NAME[@N] …`: for each NAME the N-th call (default the first) of that
activity is the last thing that this process does. A mark in the folder MARKS keeps the next process from doing it.
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
    def __init__(self, following: ActivityInboundInterceptor, marks: Path, doomed: dict[str, int]) -> None:
        super().__init__(following)
        self._marks, self._doomed = marks, doomed
        self._calls: dict[str, int] = {}

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        name = activity.info().activity_type
        answer = await super().execute_activity(input)
        self._calls[name] = self._calls.get(name, 0) + 1
        mark = self._marks / name
        if name in self._doomed and self._calls[name] >= self._doomed[name] and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


class Deadly(ClientInterceptor, Interceptor):
    """Puts the killer around every activity of the workers that a client serves."""

    def __init__(self, marks: Path, doomed: dict[str, int]) -> None:
        self._marks, self._doomed = marks, doomed

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Killer(next, self._marks, self._doomed)


async def run(queue: str, marks: Path, doomed: dict[str, int]) -> None:
    """Work until killed."""
    settings = configuration.from_environment()
    engine = engine_for(settings.database_url, pool_size=8)
    client = await connect(settings.temporal_address, interceptors=[Deadly(marks, doomed)])
    orders = worker.build_worker(client, engine, settings, task_queue=queue)
    gateway = worker.build_gateway(client, engine, Stations(engine))
    (marks / "ready").touch()
    await asyncio.gather(orders.run(), gateway.run())


if __name__ == "__main__":
    doomed = {name: int(count or 1) for name, _, count in (argument.partition("@") for argument in sys.argv[3:])}
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), doomed))
