"""Processes that should run and do not: found by comparing the record with Temporal, begun again from the record.

For the day on which Temporal's state is lost, or comes back from another moment than the record. What has happened
stands in the record, so a process goes on from there; what it keeps besides (commands that nobody had judged yet) is
sent again by whoever waits for an answer.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine
from starlette.concurrency import run_in_threadpool
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from api.clock import now
from api.orders_door import Orders, reached
from db import audit
from db.queries.open_lives import ORDER_KIND, CaseStart, OpenLife, open_lives, start_of_case, start_of_order
from db.session import reading
from domain.rules.common import SYSTEM
from domain.start import StartCapa, StartDeviation, StartOrder
from workflows.capa import CapaWorkflow
from workflows.deviation import DeviationWorkflow
from workflows.maintenance import MaintenanceWorkflow
from workflows.policies import TASK_QUEUE
from workflows.production_order import ProductionOrderWorkflow, search_attributes

AT_ONCE: Final = 16
_AGAIN: Final[dict[str, Any]] = {
    "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
    "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
}


@dataclass(frozen=True)
class Standing:
    """An open order or case, and how its process stands: `running`, `missing`, or the state in which it ended."""

    life: OpenLife
    process: str

    @property
    def is_missing(self) -> bool:
        """Whether nothing leads it."""
        return self.process != "running"


class Processes:
    """The processes that the record of one system asks for. A system of its own: no API has to run."""

    def __init__(self, orders: Orders, engine: Engine, task_queue: str = TASK_QUEUE) -> None:
        self._orders, self._engine, self._task_queue = orders, engine, task_queue

    async def standing(self) -> list[Standing]:
        """Every open order and case with its process, cases first. Raises 503 when Temporal does not answer."""
        lives = await run_in_threadpool(self._open)
        client, gate = await self._orders.client(), asyncio.Semaphore(AT_ONCE)

        async def look(life: OpenLife) -> Standing:
            async with gate:
                return Standing(life, await reached(_status(client, life.process)))

        return list(await asyncio.gather(*(look(life) for life in lives)))

    async def begin(self, missing: Sequence[Standing]) -> None:
        """Begin what is missing, cases before orders; what runs meanwhile is left as it is. Each is audited."""
        for one in missing:
            start = await run_in_threadpool(self._start_of, one.life)
            await reached(self._started(one.life, start))
            await run_in_threadpool(self._note, one)

    async def end(self, life: OpenLife) -> None:
        """End a process that knows something else than the record. No worker may run: it would write meanwhile."""
        handle = (await self._orders.client()).get_workflow_handle(life.process)
        await reached(handle.terminate(reason="begun again from the record"))

    def _open(self) -> list[OpenLife]:
        with reading(self._engine) as connection:
            return open_lives(connection)

    def _start_of(self, life: OpenLife) -> StartOrder | CaseStart:
        with reading(self._engine) as connection:
            return _start(connection, life)

    async def _started(self, life: OpenLife, start: StartOrder | CaseStart) -> None:
        client = await self._orders.client()
        begun: Awaitable[Any]
        own: dict[str, Any] = {"id": life.process, "task_queue": self._task_queue, **_AGAIN}
        match start:
            case StartOrder():
                assert start.carried is not None
                specification = start.specification
                begun = client.start_workflow(
                    ProductionOrderWorkflow.run,
                    start.model_copy(update={"rests_after_seconds": self._orders.rest_after_seconds}),
                    search_attributes=search_attributes(specification, start.carried.process.state),
                    static_summary=f"{specification.number} {specification.product_name}"[:190],
                    **own,
                )
            case StartDeviation():
                begun = client.start_workflow(DeviationWorkflow.run, start, **own)
            case StartCapa():
                begun = client.start_workflow(CapaWorkflow.run, start, **own)
            case _:
                begun = client.start_workflow(MaintenanceWorkflow.run, start, **own)
        await begun

    def _note(self, one: Standing) -> None:
        life = one.life
        with self._engine.begin() as connection:
            new = {"state": life.state, "process": one.process}
            audit.append(connection, [audit.Entry(now(), SYSTEM, "process.resumed", life.process, new=new)])


def _start(connection: Connection, life: OpenLife) -> StartOrder | CaseStart:
    is_order = life.kind == ORDER_KIND
    return start_of_order(connection, life.number) if is_order else start_of_case(connection, life.number)


async def _status(client: Client, process: str) -> str:
    try:
        description = await client.get_workflow_handle(process).describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return "missing"
        raise
    status = description.status
    if status == WorkflowExecutionStatus.RUNNING:
        return "running"
    return "missing" if status is None else status.name.lower()
