"""The words of the plant: tests tell the story, this file says it to the real system.

A `Plant` has stock, people and a worker. An `Order` is moved by what people do; a refusal comes back as `Refusal`.
People: pia plans, sam supervises, wil and wes keep the warehouse, olu and ole operate, ana and ben test, quinn is the
qualified person, qa reviews.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, delete, insert, select, text
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from adapters.inventory.postgres import PostgresInventory
from db import tables as t
from db.queries import record_document
from domain import commands as c
from domain.base import uuid_for
from domain.errors import Blocker
from domain.events import Outcome
from domain.exceptions import RecordException
from domain.policy import Policy
from domain.process import Process
from domain.specification import OrderSpecification
from domain.start import StartOrder
from settings import Settings
from tests.desk import GMP, tablet_order
from worker import build_worker
from workflows import policies
from workflows.production_order import ProductionOrderWorkflow, search_attributes

PLACES = (
    ("SUPPLIER", "outside"), ("PROCESS", "outside"), ("SCRAP", "outside"), ("RECEIVING", "quarantine"),
    ("RAW", "released"), ("LINE", "line"), ("QUARANTINE", "quarantine"), ("FINISHED", "released"),
    ("REJECTED", "rejected"),
)  # fmt: skip
MATERIALS = (("API", "raw", "kg"), ("LAC", "raw", "kg"), ("TAB", "finished", "pcs"))
_numbers = itertools.count(1)


class Refusal(Exception):
    """The order said no."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("; ".join(f"{b.code} {b.id}: {b.found} / {b.required}" for b in outcome.blockers))
        self.outcome = outcome

    @property
    def codes(self) -> list[str]:
        """The codes of everything that stands in the way."""
        return [blocker.code for blocker in self.outcome.blockers]

    @property
    def blocker(self) -> Blocker:
        """The only thing that stands in the way."""
        (blocker,) = self.outcome.blockers
        return blocker


def pauses(seconds: float, first: float = 0.01) -> Iterator[float]:
    """Pauses between looks whether something has happened, so many seconds in all: short at first, then 0.2 s."""
    waited, pause = 0.0, first
    while waited < seconds:
        yield pause
        waited += pause
        pause = min(pause * 1.25, 0.2)


class Plant:
    """Stock, record and workers of one plant."""

    def __init__(self, client: Client, engine: Engine, settings: Settings, task_queue: str) -> None:
        self.client, self.engine, self.settings, self.task_queue = client, engine, settings, task_queue
        self.inventory = PostgresInventory(engine)
        self.task_timeout: timedelta | None = None
        """After which Temporal takes a worker for dead that has a workflow task of an order; None: ten seconds."""
        self.rests_after_seconds = settings.rest_after_seconds
        """How long an order that begins now is left alone until it waits on in a new run."""

    def set_up(self) -> None:
        """Places and materials, as master data would bring them."""
        with self.engine.begin() as connection:
            places = [{"code": code, "name": code, "zone": zone} for code, zone in PLACES]
            connection.execute(insert(t.core(t.Place)), places)
            connection.execute(
                insert(t.core(t.Material)),
                [
                    {"code": code, "uuid": uuid_for("material", code), "name": code, "kind": kind, "unit": unit,
                     "is_active": True}
                    for code, kind, unit in MATERIALS
                ],
            )  # fmt: skip

    @asynccontextmanager
    async def working(self, **adapters: Any) -> AsyncIterator[None]:
        """A worker serves the plant."""
        worker = build_worker(self.client, self.engine, self.settings, task_queue=self.task_queue, **adapters)
        async with worker:
            yield

    async def stock(self, lot: str, material: str, quantity: str, expires_on: date | None = None) -> None:
        """A released lot lies in the raw material store."""
        await asyncio.to_thread(self._stock, lot, material, Decimal(quantity), expires_on)

    def _stock(self, lot: str, material: str, quantity: Decimal, expires_on: date | None) -> None:
        self.inventory.receive(
            lot, material, quantity, "kg", supplier="Supplier", expires_on=expires_on, key=f"in/{lot}", actor="wil"
        )
        self.inventory.release_to_stock("receipt", lot, "RAW", key=f"release/{lot}", actor="ana")

    def on_hold(self, lot: str, material: str) -> None:
        """A released lot that quality has stopped."""
        self._stock(lot, material, Decimal(10), None)
        self.rows("UPDATE lot SET status = 'onHold' WHERE number = :l RETURNING 1", l=lot)
        step = {"e": "lot", "l": lot, "at": datetime.now(UTC)}
        self.rows(
            "INSERT INTO state_transition (entity, entity_id, event, from_state, to_state, actor, at) "
            "VALUES (:e, :l, 'hold', 'released', 'onHold', 'rae', :at) RETURNING 1",
            **step,
        )

    def workstation(self, code: str, connection: dict[str, str]) -> None:
        """A workstation with a machine; a second call changes how it is reached."""
        table = t.core(t.Workstation)
        row = {"uuid": uuid_for("workstation", code), "name": code, "is_active": True, "equipment": "opcua"}
        with self.engine.begin() as database:
            database.execute(delete(table).where(table.c.code == code))
            database.execute(insert(table), {**row, "code": code, "connection": connection})

    def next_number(self) -> str:
        """An order number that nobody else uses."""
        return f"PO-{self.task_queue}-{next(_numbers)}"

    async def order(self, policy: Policy = GMP, quantity: int = 1000, **changes: Any) -> "Order":
        """A new order of tablets, as a draft."""
        specification = tablet_order(policy, self.next_number(), quantity, **changes)
        order = Order(self, specification)
        await order.start()
        return order

    def plan_line(self, order: "Order") -> None:
        """The plan line of an order, as planning would have brought it."""
        own = order.specification
        row = {
            "id": uuid_for("plan-line", own.plan_line), "reference": own.plan_line, "order_number": own.number,
            "product": own.product, "quantity": own.quantity, "unit": own.unit, "policy": own.policy.code,
            "plant": own.plant, "created_by": own.created_by, "created_at": datetime.now(UTC),
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(insert(t.core(t.PlanLine)), [row])

    def balance(self, lot: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Place → (on hand, reserved) of a lot, where there is any."""
        balances = t.core(t.StockBalance)
        with self.engine.begin() as connection:
            rows = connection.execute(select(balances).where(balances.c.lot == lot)).all()
        return {row.place: (row.on_hand, row.reserved) for row in rows if row.on_hand or row.reserved}

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Rows of the record."""
        with self.engine.begin() as connection:
            return list(connection.execute(text(statement), values).all())


class Order:
    """One production order and what people do to it."""

    def __init__(self, plant: Plant, specification: OrderSpecification) -> None:
        self.plant, self.specification = plant, specification
        self.number = specification.number
        self.work_order = specification.work_orders[0].number if specification.work_orders else ""
        self.lot = specification.work_orders[0].output_lot if specification.work_orders else ""
        self.given = 0
        """How many commands people have given."""

    @property
    def handle(self) -> WorkflowHandle[ProductionOrderWorkflow, Any]:
        """The order's workflow."""
        return self.plant.client.get_workflow_handle_for(ProductionOrderWorkflow.run, policies.workflow_id(self.number))

    async def start(self) -> None:
        """Planning makes the order."""
        start = StartOrder(
            specification=self.specification, command_id=f"create/{self.number}", received_at=datetime.now(UTC),
            rests_after_seconds=self.plant.rests_after_seconds,
        )  # fmt: skip
        await self.plant.client.start_workflow(
            ProductionOrderWorkflow.run, start, id=policies.workflow_id(self.number),
            task_queue=self.plant.task_queue, task_timeout=self.plant.task_timeout,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=search_attributes(self.specification),
        )  # fmt: skip
        await self.verdict(f"create/{self.number}")

    def command(self, kind: type[c.Command], by: str, **fields: Any) -> c.Command:
        """A command with a new id, as a terminal would make it."""
        if issubclass(kind, c.WorkOrderCommand):
            fields.setdefault("work_order", self.work_order)
        self.given += 1
        fields.setdefault("command_id", f"{self.number}/c{self.given}")
        return kind(actor=by, received_at=datetime.now(UTC), **fields)

    async def send(self, command: c.Command) -> None:
        """Send without waiting for the verdict."""
        await self.handle.signal("command", command)

    async def do(self, kind: type[c.Command], by: str, **fields: Any) -> Outcome:
        """Send and wait for the verdict of the record; raises `Refusal`."""
        command = self.command(kind, by, **fields)
        await self.send(command)
        outcome = await self.verdict(command.command_id)
        if not outcome.accepted:
            raise Refusal(outcome)
        return outcome

    async def verdict(self, command_id: str, seconds: float = 120) -> Outcome:
        """The verdict of the record on a command."""
        for pause in pauses(seconds):
            if (outcome := await asyncio.to_thread(self.recorded, command_id)) is not None:
                return outcome
            await asyncio.sleep(pause)
        raise AssertionError(f"no verdict on {command_id} within {seconds} s")

    def recorded(self, command_id: str) -> Outcome | None:
        """The verdict, if it stands in the record."""
        outcomes = t.core(t.CommandOutcome)
        with self.plant.engine.begin() as connection:
            statement = select(outcomes.c.body).where(outcomes.c.command_id == command_id)
            body = connection.execute(statement).scalar()
        return None if body is None else Outcome.model_validate(body)

    async def process(self) -> Process:
        """The order as its workflow sees it now."""
        return await self.handle.query(ProductionOrderWorkflow.process)

    def state(self) -> str:
        """The order's recorded state."""
        return str(self.plant.rows("SELECT state FROM production_order WHERE number = :n", n=self.number)[0][0])

    def work_order_state(self) -> str:
        """The work order's recorded state."""
        return str(self.plant.rows("SELECT state FROM work_order WHERE number = :n", n=self.work_order)[0][0])

    def document(self, table: str) -> str | None:
        """The recorded state of a document of the work order: pick_list, inspection or put_away."""
        rows = self.plant.rows(f"SELECT state FROM {table} WHERE work_order = :n", n=self.work_order)
        return str(rows[0][0]) if rows else None

    async def until(self, what: str, state: str, seconds: float = 90) -> "Order":
        """Wait until order, work_order, pick_list, inspection or put_away is recorded in that state."""
        found: str | None = None
        for pause in pauses(seconds):
            found = await asyncio.to_thread(self._state_of, what)
            if found == state:
                return self
            await asyncio.sleep(pause)
        raise AssertionError(f"{what} of {self.number} is {found}, not {state}, after {seconds} s")

    def _state_of(self, what: str) -> str | None:
        match what:
            case "order":
                return self.state()
            case "work_order":
                return self.work_order_state()
            case _:
                return self.document(what)

    async def until_job(self, operation: str, state: str, seconds: float = 90) -> "Order":
        """Wait until the machine's job of an operation is started, ended, refused or aborted."""
        found: str | None = None
        for pause in pauses(seconds, first=0.1):
            # The question may have gone to a worker that died meanwhile: then nothing was seen.
            with suppress(RPCError):
                found = (await self.process()).work_orders[self.work_order].operations[operation].job_state
            if found == state:
                return self
            await asyncio.sleep(pause)
        raise AssertionError(f"the job of {operation} of {self.number} is {found}, not {state}, after {seconds} s")

    # The procedure in words --------------------------------------------------------------------------------------

    async def released(self) -> "Order":
        """Submitted by pia, approved and released by sam."""
        await self.do(c.SubmitOrder, "pia")
        await self.do(c.ApproveOrder, "sam")
        await self.do(c.ReleaseOrder, "sam")
        return self

    async def allocated(self) -> "Order":
        """Released, dispatched by sam, lots reserved."""
        return await (await self.released()).reserved()

    async def reserved(self) -> "Order":
        """Dispatched by sam, lots reserved."""
        await self.do(c.DispatchWorkOrder, "sam")
        return await self.until("pick_list", "allocated")

    async def picked(self) -> "Order":
        """Allocated, approved and issued by wil."""
        return await (await self.allocated()).issued()

    async def issued(self) -> "Order":
        """The pick list approved and issued by wil."""
        await self.do(c.ApprovePickList, "wil")
        await self.do(c.IssuePickList, "wil")
        return await self.until("work_order", "ready")

    async def operation(self, code: str, good: int | None = None, scrap: int = 0, weight: str | None = None) -> "Order":
        """One operation by olu: start, values, report, complete."""
        await self.do(c.StartOperation, "olu", operation=code)
        if weight is not None:
            values = (c.Measurement(name="weight", text=weight, unit="mg"),)
            await self.do(c.RecordParameters, "olu", operation=code, values=values)
        if good is not None:
            reason = "dust" if scrap else None
            await self.do(c.ReportProduction, "olu", operation=code, good=good, scrap=scrap, scrap_reason=reason)
        await self.do(c.CompleteOperation, "olu", operation=code)
        return self

    async def executed(self) -> "Order":
        """Picked, and all operations done: 980 of 1000 good."""
        return await (await self.picked()).made()

    async def made(self) -> "Order":
        """All operations done: 980 of 1000 good."""
        await self.operation("DISPENSE")
        await self.operation("COMPRESS", good=990, scrap=10, weight="113")
        await self.operation("COAT", good=980, scrap=10)
        return await self.until("inspection", "created")

    async def inspected(self) -> "Order":
        """Executed, tested by ana, accepted by ben."""
        return await (await self.executed()).tested()

    async def tested(self) -> "Order":
        """The inspection's results by ana, accepted by ben."""
        values = (c.Measurement(name="dissolution", text="92.5", unit="%"),)
        await self.do(c.EnterInspectionResults, "ana", values=values)
        await self.do(c.DecideInspection, "ben", accept=True)
        return self

    async def stored(self) -> "Order":
        """Inspected and put away into quarantine by wil."""
        return await (await self.inspected()).put_into_quarantine()

    async def put_into_quarantine(self) -> "Order":
        """Put away by wil."""
        await self.do(c.PutAway, "wil", place="QUARANTINE")
        return await self.until("work_order", "completed")

    async def closed(self) -> "Order":
        """Stored, certified by quinn, released by sam, closed by sam."""
        await self.stored()
        return await self.finished()

    async def passed(self, kind: type[c.Command], by: str) -> None:
        """A step of the review; what has to be explained before it, such as a neighbour that was away, rae explains."""
        for _ in range(5):
            try:
                await self.do(kind, by)
                return
            except Refusal as refusal:
                if set(refusal.codes) != {"EXCEPTION_OPEN"}:
                    raise
            await self.explained()
        raise AssertionError(f"{kind.__name__}: there is always another exception")

    async def explained(self) -> None:
        """Rae has an explanation for everything that the review asks about."""
        for own in await asyncio.to_thread(self.exceptions):
            if own.is_open and own.deviation is None:
                said = {"exception": own.id, "type": own.type, "detail": own.detail, "reason": "looked at"}
                await self.do(c.JustifyException, "rae", **said)

    def exceptions(self) -> tuple[RecordException, ...]:
        """What the review of the batch record has to look at."""
        with self.plant.engine.connect() as connection:
            return record_document.read(connection, self.work_order).exceptions

    async def finished(self) -> "Order":
        """Its record reviewed where the policy asks for it, certified by quinn, released by sam, closed by sam."""
        has_record = self.specification.policy.batch_record_review
        if has_record:
            await self.do(c.ReviewBatchRecord, "sam")
            await self.passed(c.ApproveBatchRecord, "rae")
        await self.passed(c.CertifyBatch, "quinn")
        await self.do(c.ReleaseBatch, "sam", place="FINISHED")
        if has_record:
            await self.until("batch_record", "archived", seconds=60)
        await self.do(c.CloseOrder, "sam")
        await self.handle.result()
        return self
