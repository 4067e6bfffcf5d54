"""Rules of planning anew: split an order that is not released, cut a running one down, make up for what is missing.

Nothing is lost and nothing is doubled: the parts of a split sum exactly to the order, and what a reduction takes from
an order is exactly what its new plan line asks for (A7, A13).
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final

from domain import planning_events as p
from domain.commands import PlanPart, ReduceQuantity, SplitOrder
from domain.errors import Blocker
from domain.process import Process, WorkOrder
from domain.quantities import difference, plain, total
from domain.rules.common import (
    Events,
    check,
    move_order,
    order_blocker,
    order_is_worked_on,
    over_reports_open,
    reason_missing,
    refuse,
)
from domain.states import ORDER, LotStatus, OrderEvent, OrderState, WorkOrderState

SPLITTABLE: Final = (OrderState.DRAFT, OrderState.SUBMITTED, OrderState.APPROVED)
"""Nothing was taken and nothing made: the order can end, and its quantity be planned anew."""
ENDED: Final = (OrderState.COMPLETED, OrderState.CLOSED, OrderState.CANCELLED, OrderState.ABORTED)
"""What these orders have made is all that they will ever make."""
USELESS: Final = (LotStatus.REJECTED, LotStatus.DESTROYED)
"""Good pieces of such a lot are good for nobody."""
_REDUCIBLE = (WorkOrderState.RUNNING, WorkOrderState.PAUSED)
_MADE = (WorkOrderState.COMPLETED, WorkOrderState.CLOSED)


def final_work_order(process: Process) -> WorkOrder:
    """The work order that makes the product itself."""
    number = next(own.number for own in process.specification.work_orders if own.feeds is None)
    return process.work_orders[number]


def split_order(process: Process, command: SplitOrder) -> Events:
    """Cancel the order before its release and plan its quantity anew in parts: one fact, one transaction.

    An approval is for the quantity that was approved: it does not pass to the parts (PO-03).
    """
    specification = process.specification
    blockers: list[Blocker] = []
    if process.state not in SPLITTABLE:
        blockers.append(
            order_blocker(process, "INVALID_TRANSITION", process.state, _instead_of_split(process), "planner")
        )
    if any(own.recoveries for own in specification.work_orders):
        found, required = "it reworks one rejected batch", "an order of a plan; this one is one batch"
        blockers.append(order_blocker(process, "ONE_BATCH", found, required, "planner"))
    blockers += reason_missing(command.reason, "production order", specification.number)
    blockers += parts_blockers(command.parts, specification.quantity, "production order", specification.number)
    if blockers:
        raise refuse(*blockers, possible=ORDER.possible(process.state))
    split = p.OrderSplit(
        plan_line=specification.plan_line,
        parts=command.parts,
        unit=specification.unit,
        voided_approvals=process.approvals,
    )
    return (split, move_order(process, OrderEvent.CANCEL))


def _instead_of_split(process: Process) -> str:
    """What can be done with an order that cannot be split, in words."""
    before = "an order that is not released"
    if process.state in ENDED:
        return f"{before}; of an order that ended short a backorder can be made"
    return f"{before}; a running order can be cut down with reduceQuantity"


def parts_blockers(parts: Sequence[PlanPart], whole: Decimal, entity: str, identity: str) -> list[Blocker]:
    """A blocker if the parts do not sum exactly to the whole."""
    found = total(part.quantity for part in parts)
    if found == whole:
        return []
    written = " + ".join(plain(part.quantity) for part in parts)
    return [
        Blocker(
            code="PARTS_DO_NOT_SUM",
            entity=entity,
            id=identity,
            found=f"{written} = {plain(found)}",
            required=f"parts that sum to {plain(whole)}",
            who_can_fix="planner",
        )
    ]


def reduce_quantity(process: Process, command: ReduceQuantity) -> Events:
    """Cut the work order of the product down, at the lowest to what was reported at any of its operations.

    What sub-assemblies make for it stays as it is: they are made and put away before it is picked. What was issued
    for it stays with it, and is consumed or given back as for any order that ends short.
    """
    specification, work_order = process.specification, final_work_order(process)
    origin, floor = specification.quantity, _reported(work_order)
    target = floor if command.quantity is None else command.quantity
    blockers = reduction_controlled(process) + order_is_worked_on(process) + _in_the_way(process, work_order)
    blockers += reason_missing(command.reason, "production order", specification.number)
    if target <= 0:
        found, required = "nothing was reported", "a quantity, or cancelOrder when nothing is to be made"
        blockers.append(order_blocker(process, "NOTHING_MADE", found, required, "supervisor"))
    elif target < floor:
        blockers.append(_below_reported(process, work_order, target))
    elif target >= origin:
        found = f"{plain(target)} of {plain(origin)} ordered"
        blockers.append(order_blocker(process, "NOT_A_REDUCTION", found, f"less than {plain(origin)}", "supervisor"))
    check(blockers)
    return (
        p.QuantityReduced(
            work_order=work_order.number,
            plan_line=specification.plan_line,
            origin=origin,
            target=target,
            rest=PlanPart(quantity=difference(origin, target), due_at=command.due_at),
            unit=specification.unit,
        ),
    )


def reduction_controlled(process: Process) -> list[Blocker]:
    """A blocker where the quantity of a released order is changed by a signed change request alone (B3)."""
    policy = process.specification.policy
    if not policy.controlled_changes or "quantity" not in policy.gmp_relevant:
        return []
    required = "a change request (requestOrderChange), approved by signature of another person"
    return [order_blocker(process, "CHANGE_REQUEST_REQUIRED", f"quantity of an order that is {process.state}", required,
                     "planner")]  # fmt: skip


def cannot_shrink(process: Process, target: Decimal) -> list[Blocker]:
    """What stands in the way of making `target`, which is less than is ordered, of an order that was dispatched."""
    work_order = final_work_order(process)
    blockers = _in_the_way(process, work_order)
    if target < _reported(work_order):
        blockers.append(_below_reported(process, work_order, target))
    return blockers


def _in_the_way(process: Process, work_order: WorkOrder) -> list[Blocker]:
    return _not_running(work_order) + _sub_assemblies(process) + _in_flight(work_order)


def _below_reported(process: Process, work_order: WorkOrder, target: Decimal) -> Blocker:
    floor = plain(_reported(work_order))
    found = f"{plain(target)} wanted, {floor} reported at {_most_reported(work_order)}"
    required = f"at least {floor}: what was reported, good or not"
    return order_blocker(process, "BELOW_REPORTED", found, required, "supervisor")


def _reported(work_order: WorkOrder) -> Decimal:
    """What the rule of over-reports compares with the ordered quantity: everything reported at one operation."""
    return max((operation.reported for operation in work_order.operations.values()), default=Decimal(0))


def _most_reported(work_order: WorkOrder) -> str:
    return max(work_order.operations.values(), key=lambda operation: operation.reported).code


def _not_running(work_order: WorkOrder) -> list[Blocker]:
    if work_order.state in _REDUCIBLE:
        return []
    is_before = work_order.state in (WorkOrderState.PENDING, WorkOrderState.DISPATCHED, WorkOrderState.READY)
    instead = "cancelOrder and plan it anew" if is_before else "let it end short and make a backorder"
    return [
        Blocker(
            code="WORK_ORDER_NOT_RUNNING",
            entity="work order",
            id=work_order.number,
            found=work_order.state,
            required=f"running or paused; else {instead}",
            who_can_fix="supervisor",
        )
    ]


def _sub_assemblies(process: Process) -> list[Blocker]:
    """A sub-assembly on its way was sized by the quantity of the order: it cannot be cut down with it."""
    final = final_work_order(process).number
    return [
        Blocker(
            code="SUB_ASSEMBLY_OPEN",
            entity="work order",
            id=number,
            found=f"{own.state}: it makes {plain(process.specification.work_order(number).quantity)} for {final}",
            required="completed",
            who_can_fix="operator",
        )
        for number, own in process.work_orders.items()
        if number != final and own.state not in _MADE
    ]


def _in_flight(work_order: WorkOrder) -> list[Blocker]:
    """Pieces that are not reported yet but will be: at a machine, or in a report that waits to be allowed."""
    machines = [
        Blocker(
            code="MACHINE_RUNNING",
            entity="operation",
            id=f"{work_order.number}/{operation.code}",
            found=f"job {operation.job} runs",
            required="the end of the machine's job",
            who_can_fix="operator",
        )
        for operation in work_order.operations.values()
        if operation.job_state == "started"
    ]
    return machines + over_reports_open(work_order)


def usable(process: Process, lot_status: str | None) -> Decimal:
    """The good pieces of the order that are of use to somebody. `lot_status` is that of its lot, none without one."""
    return Decimal(0) if lot_status in USELESS else final_work_order(process).produced


def backorder_blockers(
    process: Process, good: Decimal, backorders: Collection[str], parts: Collection[str]
) -> list[Blocker]:
    """What stands in the way of a backorder. `backorders` and `parts` are references of plan lines made before."""
    blockers: list[Blocker] = []
    ordered = process.specification.quantity
    if process.state not in ENDED:
        required = f"one of {', '.join(ENDED)}; what a running order will not make is taken off with reduceQuantity"
        blockers.append(order_blocker(process, "ORDER_NOT_ENDED", process.state, required, "supervisor"))
    if backorders:
        found = f"plan line {', '.join(backorders)}"
        blockers.append(order_blocker(process, "BACKORDER_EXISTS", found, "an order without a backorder", ""))
    if parts:
        found = f"split into plan lines {', '.join(parts)}"
        blockers.append(order_blocker(process, "ALREADY_SPLIT", found, "an order that was not split", ""))
    if process.state in ENDED and good >= ordered:
        found = f"{plain(good)} good of {plain(ordered)} ordered"
        blockers.append(order_blocker(process, "NOTHING_MISSING", found, "less good than ordered", ""))
    return blockers


def replanning_possible(process: Process) -> tuple[str, ...]:
    """Commands of this module that the order's state allows. They are no steps of the state machine's own."""
    names: list[str] = []
    if process.state in SPLITTABLE:
        names.append("splitOrder")
    if process.state in (OrderState.RELEASED, OrderState.IN_PROGRESS):
        work_order = final_work_order(process)
        is_free = work_order.state in _REDUCIBLE and not reduction_controlled(process)
        if is_free and _reported(work_order) < process.specification.quantity:
            names.append("reduceQuantity")
    if process.state in (OrderState.COMPLETED, OrderState.CLOSED, OrderState.ABORTED, OrderState.CANCELLED):
        names.append("makeBackorder")
    return tuple(names)
