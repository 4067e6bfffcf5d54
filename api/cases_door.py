"""The door to the workflows of quality cases: begin one, send it a command, begin a closed one again.

A deviation that no order leads is written first and then begun. Should this process die in between, `run` begins it
later, from any API process: the workflow's id is the deviation's number, so it is begun once.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.types import MethodAsyncSingleParam

from api.errors import Problem
from api.orders_door import RPC, OrderGone, Orders, reached
from db.queries import cases
from db.queries.targets import Target
from db.session import reading
from domain.case_commands import ReopenDeviation
from domain.case_states import DeviationState
from domain.commands import Command
from domain.maintenance import MaintenanceSpecification
from domain.quality_cases import CapaSpecification, DeviationCase, DeviationSpecification
from domain.start import CarriedDeviation, StartCapa, StartDeviation, StartMaintenanceOrder
from workflows import policies
from workflows.capa import CapaWorkflow
from workflows.deviation import DeviationWorkflow
from workflows.maintenance import MaintenanceWorkflow

log = logging.getLogger("api.cases")
Start = TypeVar("Start", StartDeviation, StartCapa, StartMaintenanceOrder)

LOOK_EVERY_SECONDS: Final = 30.0
_ONCE: Final[dict[str, Any]] = {
    "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
    "id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE,
    "rpc_timeout": RPC,
}


def opening(number: str) -> str:
    """The command id under which the record answers that a case has begun."""
    return f"open/{number}"


class Cases:
    """The workflows of deviations and corrective actions on one Temporal server."""

    def __init__(self, orders: Orders, engine: Engine, task_queue: str) -> None:
        self._orders, self._engine, self._task_queue = orders, engine, task_queue

    async def send(self, target: Target, command: Command) -> None:
        """Send a command to whatever decides about the target. Raises `OrderGone` when its workflow does not run."""
        if not target.is_case:
            await self._orders.signal(policies.workflow_id(target.order_number), command)
            return
        try:
            await self._orders.signal(target.entity, command)
        except OrderGone:
            if not isinstance(command, ReopenDeviation):
                raise
            await self._begin_again(target, command)

    async def start_deviation(self, specification: DeviationSpecification) -> None:
        """Begin a deviation; the one that runs, or ran, already is left as it is."""
        start = StartDeviation(specification=specification, command_id=opening(specification.number))
        await self._begin(DeviationWorkflow.run, start, policies.deviation_id(specification.number))

    async def start_capa(self, specification: CapaSpecification) -> None:
        """Begin a corrective action; the one that runs, or ran, already is left as it is."""
        start = StartCapa(specification=specification, command_id=opening(specification.number))
        await self._begin(CapaWorkflow.run, start, policies.capa_id(specification.number))

    async def start_maintenance(self, specification: MaintenanceSpecification) -> None:
        """Begin a maintenance order; the one that runs, or ran, already is left as it is."""
        start = StartMaintenanceOrder(specification=specification, command_id=opening(specification.number))
        await self._begin(MaintenanceWorkflow.run, start, policies.maintenance_id(specification.number))

    async def _begin(self, run: MethodAsyncSingleParam[Any, Start, Any], start: Start, identity: str) -> None:
        client = await self._orders.client()
        with suppress(WorkflowAlreadyStartedError):
            await reached(client.start_workflow(run, start, id=identity, task_queue=self._task_queue, **_ONCE))

    async def _begin_again(self, target: Target, command: ReopenDeviation) -> None:
        """A closed deviation goes on as it stood in the record. The command comes with the start, or not at all."""
        case = await run_in_threadpool(self._case, target.order_number)
        if not isinstance(case, DeviationCase) or case.state != DeviationState.CLOSED:
            raise OrderGone
        start = StartDeviation(
            specification=case.specification,
            command_id=opening(case.number),
            carried=CarriedDeviation(case=case),
        )
        client = await self._orders.client()
        await reached(
            client.start_workflow(
                DeviationWorkflow.run,
                start,
                id=policies.deviation_id(case.number),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal="command",
                start_signal_args=[command],
                rpc_timeout=RPC,
            )
        )

    def _case(self, number: str) -> object:
        with self._engine.connect() as connection:
            return cases.find(connection, number)

    # What was written and not begun ------------------------------------------------------------------------------

    async def begin_unstarted(self) -> None:
        """Begin every deviation and maintenance order that is written and has no process yet."""
        deviations, orders = await run_in_threadpool(self._unstarted)
        for specification in deviations:
            await self.start_deviation(specification)
        for order in orders:
            await self.start_maintenance(order)

    def _unstarted(self) -> tuple[list[DeviationSpecification], list[MaintenanceSpecification]]:
        with reading(self._engine) as connection:
            return cases.unstarted(connection), cases.unstarted_maintenance(connection)

    async def run(self) -> None:
        """Look for unstarted deviations for as long as the process lives: at its start, and now and then."""
        while True:
            try:
                await self.begin_unstarted()
            except (Problem, SQLAlchemyError) as error:
                log.warning("deviations could not be begun: %s", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_SECONDS)
