"""The start of an operation, where the policy has a gate before it (EQ-01, EB-06, AC-09, PO-08).

Without a gate the order decides alone. With one the equipment register is asked: the order's own obstacles and the
register's come back together, so that nobody mends one thing only to learn of the next.
"""

from datetime import datetime

from domain import events as e
from domain.commands import StartOperation
from domain.equipment_events import EquipmentOccupationMoved
from domain.equipment_gate import StartNeed
from domain.errors import Blocker, Refused
from domain.process import Process, WorkOrder
from domain.quantities import plain
from domain.rules.common import Events, check, find_operation, find_work_order
from domain.rules.operations import started
from domain.rules.scans import all_at_once, start_blockers, typed_codes
from domain.states import OPERATION, OperationEvent, OperationState, PickListState, WorkOrderState

_ENDED = (OperationState.COMPLETED, OperationState.CLOSED, OperationState.CANCELLED, OperationState.ABORTED)
_VOID = (OperationState.CANCELLED, OperationState.ABORTED)


def occupation_request(work_order: str, operation: str) -> str:
    """Under what an operation's question to the equipment register is pending."""
    return f"{work_order}/{operation}/occupy"


def start_operation(process: Process, command: StartOperation) -> Events:
    """Start the operation; where the policy has a gate, ask the equipment register first.

    A wrong scan is refused together with what the order itself has in the way, and the register is not asked.
    """
    number, code = command.work_order, command.operation
    wrong = start_blockers(process, command)
    if wrong or not process.specification.policy.start_gate:
        begun = all_at_once(wrong, lambda: started(process, number, code, command.received_at))
        return (*begun, *typed_codes(process, command))
    operation, _ = find_operation(process, number, code)
    request = occupation_request(number, code)
    if (earlier := process.pending.get(request)) is not None:
        found = f"{earlier.actor} already asked for {earlier.command}"
        check([_blocker("IN_PROGRESS", "operation", f"{number}/{code}", found, "the answer of the register", "")])
    may_reopen = operation.state == OperationState.COMPLETED and process.specification.policy.operations_may_reopen
    may_start = operation.state == OperationState.PENDING or OPERATION.allows(operation.state, OperationEvent.START)
    if not (may_start or may_reopen):
        return started(process, number, code, command.received_at)
    return (
        occupation_moved(process, number, code, "asked"),
        e.VerdictPending(request=request, command_id=command.command_id, command=command.kind, actor=command.actor),
        *typed_codes(process, command),
    )


def obstacles(process: Process, number: str, code: str, at: datetime) -> list[Blocker]:
    """What of the order itself stands in the way of a start now: its states, the sequence, material not issued."""
    found: list[Blocker] = []
    try:
        started(process, number, code, at)
    except Refused as refused:
        found += refused.blockers
    work_order, _ = find_work_order(process, number)
    return found + _not_issued(process, work_order, code)


def _not_issued(process: Process, work_order: WorkOrder, code: str) -> list[Blocker]:
    if work_order.state not in (WorkOrderState.PENDING, WorkOrderState.DISPATCHED):
        return []
    pick_list = work_order.pick_list
    if pick_list is not None and pick_list.state == PickListState.ISSUED:
        return []
    state = "no pick list" if pick_list is None else f"pick list {pick_list.number} is {pick_list.state}"
    return [
        _blocker("MATERIAL_NOT_ISSUED", "material", line.material, state,
                 f"{plain(line.quantity)} {line.unit} issued to the line", "warehouseKeeper")
        for line in process.specification.work_order(work_order.number).materials
        if line.operation == code
    ]  # fmt: skip


def need_of(process: Process, number: str, code: str, person: str) -> StartNeed:
    """What an operation needs before a person may start it."""
    _, operation = find_operation(process, number, code)
    work_order, specification = find_work_order(process, number)
    lines = {line.line for line in specification.materials if line.operation == code}
    allocated = () if work_order.pick_list is None else work_order.pick_list.allocations
    return StartNeed(
        work_order=number,
        operation=code,
        workstation=operation.workstation,
        product=specification.material,
        batch=specification.output_lot,
        person=person,
        equipment_class=operation.equipment_class,
        room=operation.room,
        clearance=operation.clearance,
        training=operation.training,
        lots=tuple(dict.fromkeys(own.lot for own in allocated if own.line in lines)),
    )


def occupation_moved(
    process: Process, number: str, code: str, target: str, equipment: tuple[str, ...] = ()
) -> EquipmentOccupationMoved:
    """The event that says how far an operation has got with its workstation."""
    _, operation = find_operation(process, number, code)
    return EquipmentOccupationMoved.model_validate(
        {
            "work_order": number,
            "operation": code,
            "workstation": operation.workstation,
            "target": target,
            "equipment": equipment,
        }
    )


def freed(process: Process) -> Events:
    """What is occupied by operations that have ended is freed. One that asked and was voided may occupy it unknown."""
    return tuple(
        occupation_moved(process, work_order.number, operation.code, "freed")
        for work_order in process.work_orders.values()
        for operation in work_order.operations.values()
        if (operation.occupation == "occupied" and operation.state in _ENDED)
        or (operation.occupation == "asked" and operation.state in _VOID)
    )


def _blocker(code: str, entity: str, identity: str, found: str, required: str, who: str) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who)
