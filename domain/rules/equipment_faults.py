"""Equipment that fails under a running operation (EQ-07, SM-2): the operation is held until it is repaired and decided.

The fault is a deviation of the operation, so that quality decides what it means for the batch. The operation goes on
when both are over: the maintenance order has verified the repair, and the deviation is decided.
"""

from domain.commands import NoteFault
from domain.equipment_events import EquipmentFaultNoted
from domain.errors import Blocker
from domain.process import Operation, Process
from domain.rules.common import SYSTEM, Events, check, find_operation, find_work_order, move_operation
from domain.rules.order_deviations import deviation, failed
from domain.states import ORDER, OperationEvent, OperationState, OrderState

EQUIPMENT_FAULT = "EQUIPMENT_FAULT"
_OVER = (OperationState.COMPLETED, OperationState.CLOSED, OperationState.CANCELLED, OperationState.ABORTED)


def note_fault(process: Process, command: NoteFault) -> Events:
    """What a maintenance order tells: the equipment has failed, or may be used again."""
    operation, _ = find_operation(process, command.work_order, command.operation)
    work_order, _ = find_work_order(process, command.work_order)
    check(_not_from_a_process(command) + _order_is_over(process))
    noted = EquipmentFaultNoted(
        work_order=command.work_order,
        operation=command.operation,
        maintenance_order=command.maintenance_order,
        equipment=command.equipment,
        standing=command.standing,
    )
    if command.standing == "repaired":
        if not _waits_for_this_alone(operation, command.maintenance_order):
            return (noted,)
        return (noted, move_operation(work_order, operation, OperationEvent.RELEASE_HOLD))
    detail = f"{command.equipment} failed: {command.detail}; {command.maintenance_order}"
    opened = deviation(process, EQUIPMENT_FAULT, detail, command.work_order, command.operation)
    holds = operation.state == OperationState.RUNNING
    held = (move_operation(work_order, operation, OperationEvent.HOLD),) if holds else ()
    if operation.state in _OVER:
        return (*failed(process, work_order, (opened,)),)
    return (noted, *failed(process, work_order, (opened,)), *held)


def given_up(process: Process, work_order: str, operation: str, workstation: str, detail: str) -> Events:
    """A machine has ended a job by itself, and no maintenance order leads its repair: a deviation holds the operation.

    The job is not begun again by itself: what the machine made is reported by hand once the deviation is decided.
    """
    own, found = process.work_orders[work_order], process.work_orders[work_order].operations[operation]
    said = f"{workstation} has given up its job: {detail}; look at it, then report by hand what was made"
    opened = deviation(process, EQUIPMENT_FAULT, said, work_order, operation)
    holds = found.state == OperationState.RUNNING
    held = (move_operation(own, found, OperationEvent.HOLD),) if holds else ()
    return (*failed(process, own, (opened,)), *held)


def _not_from_a_process(command: NoteFault) -> list[Blocker]:
    if command.actor == SYSTEM:
        return []
    return [
        Blocker(
            code="NOT_A_PERSON", entity="maintenance order", id=command.maintenance_order, found=command.actor,
            required="the maintenance order's own process",
        )
    ]  # fmt: skip


def _order_is_over(process: Process) -> list[Blocker]:
    if process.state != OrderState.CANCELLING and not ORDER.is_final(process.state):
        return []
    return [
        Blocker(
            code="ORDER_NOT_OPEN", entity="production order", id=process.specification.number, found=process.state,
            required="an order that is not over",
        )
    ]  # fmt: skip


def _waits_for_this_alone(operation: Operation, maintenance_order: str) -> bool:
    return (
        operation.state == OperationState.HELD
        and operation.faults == (maintenance_order,)
        and not operation.open_deviations
    )


def equipment_down(work_order: str, operation: Operation) -> list[Blocker]:
    """A blocker for each piece of equipment that failed under an operation and is not verified again."""
    return [
        Blocker(
            code="EQUIPMENT_DOWN", entity="operation", id=f"{work_order}/{operation.code}",
            found=f"maintenance order {number} is open", required="its equipment repaired and verified",
            who_can_fix="maintenance",
        )
        for number in operation.faults
    ]  # fmt: skip
