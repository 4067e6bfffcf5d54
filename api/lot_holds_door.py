"""The door to the processes of holds: begin one, tell it of its release.

A hold is written first and then begun. Should this process die in between, `run` goes on from any API process: the
workflow's id is the hold's number.
"""

import asyncio
import logging
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.errors import Problem
from api.orders_door import RPC, Orders, reached
from db.queries import lot_holds
from db.session import reading
from domain.hold_states import LotHoldState
from domain.start import StartLotHold
from workflows import policies
from workflows.lot_hold import RELEASE, LotHoldWorkflow

log = logging.getLogger("api.holds")

LOOK_EVERY_SECONDS: Final = 10.0


class LotHolds:
    """The workflows of holds on one Temporal server."""

    def __init__(self, orders: Orders, engine: Engine, task_queue: str) -> None:
        self._orders, self._engine, self._task_queue = orders, engine, task_queue

    async def begin(self, number: str) -> None:
        """Stop the orders of a hold; one that is at work already is left as it is."""
        await self._start(number)

    async def release(self, number: str) -> None:
        """Let the orders of a hold go on; harmless when it was told before."""
        await self._start(number, start_signal=RELEASE)

    async def _start(self, number: str, **more: Any) -> None:
        client = await self._orders.client()
        try:
            await reached(
                client.start_workflow(
                    LotHoldWorkflow.run,
                    StartLotHold(hold=number),
                    id=policies.lot_hold_id(number),
                    task_queue=self._task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    rpc_timeout=RPC,
                    **more,
                )
            )
        except WorkflowAlreadyStartedError:
            return

    async def go_on(self) -> None:
        """Whatever is written and not done: its process is begun, or told."""
        for number, state in await run_in_threadpool(self._unfinished):
            await (self.begin if state == LotHoldState.STOPPING else self.release)(number)

    def _unfinished(self) -> list[tuple[str, str]]:
        with reading(self._engine) as connection:
            return lot_holds.unfinished(connection)

    async def run(self) -> None:
        """Look for unfinished holds for as long as the process lives."""
        while True:
            try:
                await self.go_on()
            except (Problem, SQLAlchemyError) as error:
                log.warning("holds could not be told: %s", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_SECONDS)
