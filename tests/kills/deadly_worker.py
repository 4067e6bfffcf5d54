"""A worker that kills itself with SIGKILL between the commit of an activity and its answer, once per activity.

The first call of each activity NAME is the last thing that this process does; a local activity has `/local` behind its
name. With `before:NAME` it dies before it has done anything. A mark in the folder MARKS keeps the next process from
doing it again, so that a dozen processes one after the other die one death each. They come from `nursery.py`.

These workers notice a dead one sooner than a plant's do (`hurry`), and run without the sandbox, which would load
time-outs of its own: what it finds in the same workflows, `tests/workflows` find.
"""

import asyncio
import dataclasses
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

import settings as configuration
import worker
from adapters.equipment.stations import Stations
from db.session import engine_for
from workflows import policies
from workflows.runtime import connect

_HERE = {
    "start_to_close_timeout": {
        timedelta(seconds=10): timedelta(seconds=2),
        timedelta(seconds=30): timedelta(seconds=4),
    },
    "heartbeat_timeout": {timedelta(seconds=10): timedelta(seconds=4), timedelta(seconds=6): timedelta(seconds=3)},
}
"""A plant's limit → the one here."""


def hurry() -> None:
    """The six to thirty seconds after which a plant takes an activity's worker for dead are two to four here.

    Tests would sleep so long. A worker that was only slow is asked again beside itself, which every effect has to bear.
    """
    for options in (
        policies.WRITE_RECORD, policies.ASK_NEIGHBOUR, policies.ARCHIVE_RECORD, policies.WATCH_EQUIPMENT,
        policies.MAKE_REPORTS, policies.SETTLE_LOT, policies.HOLD_LOT, policies.RUN_JOB, policies.ABORT_JOB,
        policies.READ_SCALE,
    ):  # fmt: skip
        for limit, shorter in _HERE.items():
            if options.get(limit) in shorter:
                options[limit] = shorter[options[limit]]
    policies.OWN_LIFE["task_timeout"] = timedelta(seconds=2)  # as tests/kills/conftest.py has it for all others


class _Killer(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, marks: Path, doomed: frozenset[str]) -> None:
        super().__init__(following)
        self._marks, self._doomed = marks, doomed

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        name = f"{info.activity_type}/local" if info.is_local else info.activity_type
        self._die_at(f"before:{name}")
        answer = await super().execute_activity(input)
        self._die_at(name)
        return answer

    def _die_at(self, name: str) -> None:
        if name not in self._doomed:
            return
        mark = self._marks / name.replace("/", ".")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class Deadly(ClientInterceptor, Interceptor):
    """Puts the killer around every activity of the workers that a client serves."""

    def __init__(self, marks: Path, doomed: frozenset[str]) -> None:
        self._marks, self._doomed = marks, doomed

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Killer(next, self._marks, self._doomed)


async def run(queue: str, marks: Path, doomed: frozenset[str]) -> None:
    """Work until killed."""
    hurry()
    settings = dataclasses.replace(configuration.from_environment(), sandbox=False)
    engine = engine_for(settings.database_url, pool_size=8)
    client = await connect(settings.temporal_address, interceptors=[Deadly(marks, doomed)])
    orders = worker.build_worker(client, engine, settings, task_queue=queue)
    gateway = worker.build_gateway(client, engine, Stations(engine))
    await asyncio.gather(orders.run(), gateway.run())
