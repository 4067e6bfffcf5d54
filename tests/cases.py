"""The words of quality assurance: what people do to deviations and corrective actions, on the real system.

rae and max are quality assurance and the quality manager, ida owns investigations and actions, ana tests.
"""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy

from db.queries import cases
from domain import case_commands as cc
from domain import commands as c
from domain import quality_cases as k
from domain.case_folding import Case
from domain.events import Outcome
from domain.start import StartCapa, StartDeviation
from tests.desk import GMP
from tests.plant import Order, Plant, Refusal
from workflows.capa import CapaWorkflow
from workflows.deviation import DeviationWorkflow

LED = GMP.model_copy(update={"deviation_process": True})
"""The GMP policy of the tests, with processes for its deviations."""
_numbers = itertools.count(1)


class Led:
    """One quality case and what people do to it; `kind` is deviation or capa."""

    def __init__(self, plant: Plant, number: str, kind: str = "deviation") -> None:
        self.plant, self.number, self.kind = plant, number, kind
        self._ids = itertools.count(1)

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The case's workflow."""
        return self.plant.client.get_workflow_handle(f"{self.kind}/{self.number}")

    def command(self, kind: type[c.Command], by: str, **fields: Any) -> c.Command:
        """A command with a new id, as a desk would make it."""
        fields.setdefault("command_id", f"{self.number}/k{next(self._ids)}")
        fields.setdefault("received_at", datetime.now(UTC))
        return kind(actor=by, **fields)

    async def do(self, kind: type[c.Command], by: str, **fields: Any) -> Outcome:
        """Send and wait for the verdict of the record; raises `Refusal`."""
        command = self.command(kind, by, **fields)
        await self.handle.signal("command", command)
        outcome = await self.verdict(command.command_id)
        if not outcome.accepted:
            raise Refusal(outcome)
        return outcome

    async def verdict(self, command_id: str, seconds: float = 30) -> Outcome:
        """The verdict of the record on a command."""
        for _ in range(int(seconds / 0.01)):
            rows = await asyncio.to_thread(
                self.plant.rows, "SELECT body FROM command_outcome WHERE command_id = :c", c=command_id
            )
            if rows:
                return Outcome.model_validate(rows[0][0])
            await asyncio.sleep(0.01)
        raise AssertionError(f"no verdict on {command_id} within {seconds} s")

    def recorded(self) -> Any:
        """The case as it stands in the record: a deviation or a corrective action."""
        with self.plant.engine.begin() as connection:
            found: Case | None = cases.find(connection, self.number)
        return found

    async def until(self, state: str, seconds: float = 30) -> "Led":
        """Wait until the case is recorded in that state."""
        found: Any = None
        for _ in range(int(seconds / 0.02)):
            found = await asyncio.to_thread(self.recorded)
            if found is not None and found.state == state:
                return self
            await asyncio.sleep(0.02)
        raise AssertionError(f"{self.number} is {found and found.state}, not {state}, after {seconds} s")

    # The procedure in words --------------------------------------------------------------------------------------

    async def investigated(self, classification: str = "major") -> "Led":
        """Classified by rae, given to ida."""
        await self.do(
            cc.ClassifyDeviation, "rae", classification=classification, impact="this batch alone", affected=()
        )
        await self.do(cc.AssignDeviation, "rae", owner="ida")
        return self

    async def proposed(self, classification: str = "major", disposition: str = "accept", capa: bool = False) -> "Led":
        """Investigated, with ida's proposal."""
        await self.investigated(classification)
        await self.do(
            cc.ProposeConclusion, "ida", root_cause="the scale was dirty", disposition=disposition, needs_capa=capa,
            report="report 17",
        )  # fmt: skip
        return self

    async def approved(self, **proposal: Any) -> "Led":
        """Proposed, approved by rae and by max."""
        await self.proposed(**proposal)
        await self.do(cc.ApproveDeviation, "rae")
        await self.do(cc.ApproveDeviationAsQualityManager, "max")
        return self

    async def closed(self, **proposal: Any) -> "Led":
        """Approved, closed by rae, and everybody knows."""
        await self.approved(**proposal)
        await self.do(cc.CloseDeviation, "rae")
        await self.handle.result()
        return self

    async def planned(self, due_in: timedelta, check_in: timedelta) -> "Led":
        """A corrective action with a plan of rae's, to be done by ida, approved by rae."""
        now = datetime.now(UTC)
        await self.do(
            cc.PlanCapa, "rae", action="clean the scale every shift", owner="ida", due_at=now + due_in,
            check_at=now + check_in,
        )  # fmt: skip
        await self.do(cc.ApproveCapa, "rae")
        return self

    async def implemented(self, due_in: timedelta, check_in: timedelta) -> "Led":
        """Planned, done by ida."""
        await self.planned(due_in, check_in)
        await self.do(cc.StartCapa, "ida")
        await self.do(cc.ImplementCapa, "ida", evidence="procedure 12, version 3, trained")
        return self


def a_lot_deviation(number: str = "", *, out_of_specification: bool = False, **more: Any) -> k.DeviationSpecification:
    """A deviation that ana opens about a lot."""
    fields: dict[str, Any] = {
        "number": number or f"LOT-{next(_numbers)}-QD1", "code": "DAMAGED", "detail": "a torn sack", "lot": "LOT-9",
        "opened_by": "ana", "opened_at": datetime.now(UTC), "out_of_specification": out_of_specification,
    }  # fmt: skip
    return k.DeviationSpecification(**{**fields, **more})


async def opened(plant: Plant, **about: Any) -> Led:
    """A deviation of no order, with its process."""
    specification = a_lot_deviation(number=f"{plant.next_number()}-QD1", **about)
    await plant.client.start_workflow(
        DeviationWorkflow.run,
        StartDeviation(specification=specification, command_id=f"open/{specification.number}"),
        id=f"deviation/{specification.number}",
        task_queue=plant.task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
    )
    case = Led(plant, specification.number)
    await case.verdict(f"open/{specification.number}")
    return case


async def asked_for(plant: Plant) -> Led:
    """A corrective action, as a draft."""
    number = f"{plant.next_number()}-C1"
    specification = k.CapaSpecification(
        number=number, source="audit 7", action="clean the scale", opened_by="rae", opened_at=datetime.now(UTC)
    )
    await plant.client.start_workflow(
        CapaWorkflow.run,
        StartCapa(specification=specification, command_id=f"open/{number}"),
        id=f"capa/{number}",
        task_queue=plant.task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
    )
    case = Led(plant, number, "capa")
    await case.verdict(f"open/{number}")
    return case


async def of_order(order: Order, number: int = 1) -> Led:
    """The order's deviation of that number, when its process has begun."""
    case = Led(order.plant, f"{order.number}-D{number}")
    await case.verdict(f"open/{case.number}")
    return case


async def out_of_limit(plant: Plant, weight: str = "130.5") -> Order:
    """An order whose tablets are too heavy: the operation is held, the lot is on hold."""
    order = await (await plant.order(LED)).picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    values = (c.Measurement(name="weight", text=weight, unit="mg"),)
    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    return order


async def out_of_specification(plant: Plant, dissolution: str = "70.0") -> Order:
    """An order whose tablets do not dissolve: the result stands, the lot is on hold."""
    order = await (await plant.order(LED)).executed()
    values = (c.Measurement(name="dissolution", text=dissolution, unit="%"),)
    await order.do(c.EnterInspectionResults, "ana", values=values)
    return order


async def until_decided(order: Order) -> None:
    """Wait until the order has heard of the decisions of all its deviations."""
    for _ in range(500):
        if not (await order.process()).open_deviations():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{order.number} waits for {(await order.process()).open_deviations()}")
