"""The only door to the orders' workflows: start one, send it a command, ask it how it stands."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, TypeVar

from temporalio.client import Client, Interceptor, WorkflowQueryFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.errors import Problem
from api.security import now
from domain.commands import Command
from domain.process import Process
from domain.specification import OrderSpecification
from domain.start import StartOrder
from settings import Settings
from workflows.encryption import data_converter
from workflows.equipment_clock import EquipmentClockWorkflow
from workflows.policies import TASK_QUEUE, workflow_id
from workflows.production_order import ProductionOrderWorkflow, search_attributes
from workflows.report_clock import ReportClockWorkflow
from workflows.runtime import tell_clock, temporal_tls

T = TypeVar("T")
RPC: Final = timedelta(seconds=2)
PATIENCE_SECONDS: Final = 6.0
"""The longest that a caller waits for the engine, with the time to connect and the client's own retries."""


class OrderGone(Exception):
    """No workflow runs for this order or case: it is over, or it never began."""


def unavailable() -> Problem:
    """503: the engine cannot be reached."""
    detail = "the process engine cannot be reached; send again with the same commandId: it has one effect"
    return Problem(503, "ENGINE_UNAVAILABLE", detail)


class Orders:
    """The orders' workflows on one Temporal server. The connection is made at the first call."""

    def __init__(
        self, settings: Settings, task_queue: str = TASK_QUEUE, interceptors: Sequence[Interceptor] = ()
    ) -> None:
        self.task_queue, self.rest_after_seconds = task_queue, settings.rest_after_seconds
        self._address, self._namespace = settings.temporal_address, settings.temporal_namespace
        self._payload_keys, self._tls = settings.payload_keys, settings.temporal_tls
        self._interceptors = interceptors
        self._connected: Client | None = None

    async def client(self) -> Client:
        """The connection, made at the first call."""
        if self._connected is None:
            self._connected = await Client.connect(
                self._address,
                namespace=self._namespace,
                data_converter=data_converter(self._payload_keys),
                tls=temporal_tls(self._tls),
                interceptors=self._interceptors,
                lazy=True,
            )
        return self._connected

    async def start(self, specification: OrderSpecification) -> None:
        """Start the workflow of an order; the one that runs, or ran, already is left as it is."""
        client = await self.client()
        start = StartOrder(
            specification=specification, command_id=f"create/{specification.number}", received_at=now(),
            rests_after_seconds=self.rest_after_seconds,
        )  # fmt: skip
        try:
            await reached(
                client.start_workflow(
                    ProductionOrderWorkflow.run,
                    start,
                    id=workflow_id(specification.number),
                    task_queue=self.task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    search_attributes=search_attributes(specification),
                    static_summary=f"{specification.number} {specification.product_name}"[:190],
                    rpc_timeout=RPC,
                )
            )
        except WorkflowAlreadyStartedError:
            return

    async def signal(self, process: str, command: Command) -> None:
        """Send a command to the process of that workflow id. Raises `OrderGone` when it does not run."""
        handle = (await self.client()).get_workflow_handle(process)
        await reached(handle.signal("command", command, rpc_timeout=RPC))

    async def tell_clock(self, clock: type[EquipmentClockWorkflow] | type[ReportClockWorkflow]) -> None:
        """The register, or a schedule, was changed: its clock looks now. One that cannot be told looks by itself, in
        time (equipment) or within the hour (reports)."""
        client = await self.client()
        with suppress(Problem, OrderGone):
            await reached(tell_clock(client, clock, self.task_queue, RPC))

    async def process(self, number: str) -> Process:
        """The order as its workflow holds it now. Raises `OrderGone`, or 503 when no worker answers within 2 s."""
        handle = (await self.client()).get_workflow_handle(workflow_id(number))
        return await reached(handle.query(ProductionOrderWorkflow.process, rpc_timeout=RPC))

    async def is_reachable(self) -> bool:
        """Whether the server answers."""
        client = await self.client()
        try:
            return await reached(client.service_client.check_health(timeout=RPC))
        except (Problem, OrderGone):
            return False


async def reached(call: Awaitable[T]) -> T:
    """The answer of the server; every way in which it can be away becomes 503."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await call
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise OrderGone from None
        raise unavailable() from error
    except (TimeoutError, WorkflowQueryFailedError, ConnectionError) as error:
        raise unavailable() from error
    except RuntimeError as error:  # a lazy client that cannot connect
        raise unavailable() from error
