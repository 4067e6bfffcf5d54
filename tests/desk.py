"""An order on a desk: its rules without server, database or clock. For tests in microseconds.

`Desk.do` judges one command as the workflow would, with all that follows from it, and gives the fact that the workflow
would write. What neighbours answer is told with `allocated`, `issued`, `inspected`, `stored`.
"""

import copy
import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain import commands as c
from domain import events as e
from domain import material_events as m
from domain.folding import fold
from domain.policy import Policy
from domain.process import MaterialReturn, Process, WorkOrder, created
from domain.return_states import MaterialReturnEvent
from domain.rules.common import SYSTEM, move_pick_list, move_put_away
from domain.rules.consequences import consequences
from domain.rules.judge import judge
from domain.rules.line_side import move_return, return_request
from domain.specification import (
    Characteristic,
    Equipment,
    InspectionRule,
    MaterialLine,
    OperationSpecification,
    OrderSpecification,
    WorkOrderSpecification,
)
from domain.states import PickListEvent, PutAwayEvent

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)

GMP = Policy(code="gmp")
DISCRETE = Policy(
    code="discrete",
    approvals=0,
    pick_list_approval=False,
    issue_automatically=True,
    inspect_before_put_away=False,
    put_away_by_person=False,
    put_away_place="FINISHED",
    certification=False,
    production_release=False,
)


def tablet_order(
    policy: Policy = GMP,
    number: str = "PO-1",
    quantity: int = 1000,
    *,
    api: str = "5.0",
    press: str | None = None,
    lot: str = "",
    inspected: str = "",
) -> OrderSpecification:
    """An order of tablets: dispense, compress, coat; two materials; a release test on dissolution.

    `api` is the quantity of the active ingredient in kg; `press` names a workstation whose machine compresses,
    `lot` the lot that is made, `inspected` an operation whose every report is inspected.
    """
    weight = Characteristic(name="weight", unit="mg", low=Decimal(108), high=Decimal(118), required=True)
    work_order = WorkOrderSpecification(
        number=f"{number}-01",
        material="TAB",
        quantity=Decimal(quantity),
        unit="pcs",
        output_lot=lot or f"LOT-{number}",
        materials=(
            MaterialLine(line=1, material="API", quantity=Decimal(api), unit="kg", operation="DISPENSE"),
            MaterialLine(line=2, material="LAC", quantity=Decimal("95.0"), unit="kg", operation="DISPENSE"),
        ),
        operations=(
            OperationSpecification(
                sequence=10, code="DISPENSE", name="Weigh and dispense", workstation="W1", counts_pieces=False
            ),
            OperationSpecification(
                sequence=20, code="COMPRESS", name="Compress", workstation=press or "P1",
                equipment=Equipment.MANUAL if press is None else Equipment.OPC_UA, predecessors=("DISPENSE",),
                parameters=(weight,),
            ),
            OperationSpecification(
                sequence=30, code="COAT", name="Coat", workstation="C1", predecessors=("COMPRESS",), is_output=True
            ),
        ),
        inspection=(Characteristic(name="dissolution", unit="%", low=Decimal(80), high=Decimal(110), required=True),),
    )  # fmt: skip
    rules = {
        "operations": tuple(
            own.model_copy(update={"inspection_rule": InspectionRule.EVERY}) if own.code == inspected else own
            for own in work_order.operations
        )
    }
    work_order = work_order.model_copy(update=rules)
    fields: dict[str, Any] = {
        "number": number, "plan_line": f"plan-{number}", "plant": "P1", "product": "TAB", "product_name": "Tablet",
        "quantity": Decimal(quantity), "unit": "pcs", "policy": policy, "created_by": "pia",
        "bill_of_material_version": "1", "route_version": "1", "work_orders": (work_order,),
    }  # fmt: skip
    return OrderSpecification(**fields)


class Desk:
    """One order's process with the words to move it."""

    def __init__(self, specification: OrderSpecification) -> None:
        self.process: Process = created(specification)
        self.facts: list[e.Fact] = []
        self._ids = itertools.count(1)
        self.now = START
        self._append(SYSTEM, (e.OrderCreated(specification=specification),))

    @property
    def work_order(self) -> str:
        """The number of the order's only (or first) work order."""
        return next(iter(self.process.work_orders))

    @property
    def state(self) -> str:
        """The order's state."""
        return str(self.process.state)

    def command(self, kind: type[c.Command], by: str, **fields: Any) -> c.Command:
        """A command of that kind with the usual fields filled in."""
        if issubclass(kind, c.WorkOrderCommand):
            fields.setdefault("work_order", self.work_order)
        return kind(command_id=f"c{next(self._ids)}", actor=by, received_at=self.now, **fields)

    def do(self, kind: type[c.Command], by: str, **fields: Any) -> e.Fact:
        """Judge a command; raises `Refused`."""
        command = self.command(kind, by, **fields)
        trial = copy.deepcopy(self.process)
        events = judge(trial, command)
        self.process = trial
        return self._append(by, events)

    def _append(self, actor: str, events: tuple[e.Event, ...]) -> e.Fact:
        self.now += timedelta(minutes=1)
        number = self.process.specification.number
        fact = e.Fact(order_number=number, revision=self.process.revision + 1, at=self.now, actor=actor, events=events)
        fold(self.process, fact)
        while follows := consequences(self.process):
            fold(self.process, fact.model_copy(update={"events": follows}))
            events = (*events, *follows)
        fact = fact.model_copy(update={"events": events})
        self.facts.append(fact)
        return fact

    # What neighbours answer --------------------------------------------------------------------------------------

    def allocated(self, *allocations: e.Allocation) -> e.Fact:
        """The warehouse has reserved these lots, or one lot per material."""
        work_order, specification = self.process.work_order(self.work_order)
        allocations = allocations or tuple(
            e.Allocation(
                line=line.line, material=line.material, lot=f"{line.material}-1", place="RAW",
                quantity=line.quantity, unit=line.unit,
            )
            for line in specification.materials
        )  # fmt: skip
        return self._append(SYSTEM, (move_pick_list(work_order, PickListEvent.ALLOCATE, allocations),))

    def issued(self) -> e.Fact:
        """The warehouse has brought the material to the line."""
        work_order, _ = self.process.work_order(self.work_order)
        return self._append(SYSTEM, (move_pick_list(work_order, PickListEvent.CONFIRM_ISSUE), *self._answer("issue")))

    def inspection_requested(self) -> e.Fact:
        """Quality has made the inspection order."""
        specification = self.process.specification.work_order(self.work_order)
        event = e.InspectionRequested(
            work_order=self.work_order, inspection=f"{specification.output_lot}-I1",
            characteristics=specification.inspection,
        )  # fmt: skip
        return self._append(SYSTEM, (event,))

    def stored(self) -> e.Fact:
        """The warehouse has taken the finished quantity."""
        work_order, specification = self.process.work_order(self.work_order)
        moved = move_put_away(work_order, specification.output_lot, PutAwayEvent.CONFIRM)
        return self._append(SYSTEM, (moved, *self._answer("put-away")))

    def returned(self) -> e.Fact:
        """The warehouse has taken the oldest open return back: to the raw store, or to scrap."""
        work_order, own = self._open_return()
        lines = tuple(
            m.ReturnedLine(
                **line.model_dump(exclude={"reason"}), place="RAW" if line.disposition == "toStock" else "SCRAP"
            )
            for line in own.lines
        )
        confirmed = move_return(work_order, own, MaterialReturnEvent.CONFIRM)
        returned = m.MaterialsReturned(work_order=self.work_order, number=own.number, lines=lines)
        return self._append(SYSTEM, (confirmed, returned, e.VerdictGiven(request=return_request(own.number))))

    def return_refused(self) -> e.Fact:
        """The warehouse has refused the oldest open return."""
        work_order, own = self._open_return()
        refused = move_return(work_order, own, MaterialReturnEvent.REFUSE)
        return self._append(SYSTEM, (refused, e.VerdictGiven(request=return_request(own.number))))

    def _open_return(self) -> tuple[WorkOrder, MaterialReturn]:
        work_order = self.process.work_orders[self.work_order]
        return work_order, work_order.open_returns()[0]

    def _answer(self, step: str) -> tuple[e.Event, ...]:
        request = f"{self.work_order}/{step}"
        return (e.VerdictGiven(request=request),) if request in self.process.pending else ()
