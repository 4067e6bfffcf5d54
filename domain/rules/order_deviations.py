"""An order and its deviations, where each deviation has a process of its own (policy `deviation_process`).

The order opens a deviation and starts its process; it stays held, or its lot on hold, until that process says how it
was decided. Without the policy a deviation is an event of the order alone, decided by one command.
"""

from domain import events as e
from domain.commands import NoteDeviation, OpenDeviation
from domain.errors import Blocker
from domain.process import Operation, Process, WorkOrder
from domain.quality_cases import CaseDisposition, DeviationSpecification, rules_of
from domain.rules.common import (
    SYSTEM,
    Events,
    check,
    lot_moved,
    move_inspection,
    move_operation,
    next_deviation,
    refuse,
)
from domain.states import (
    LOT,
    ORDER,
    InspectionEvent,
    InspectionState,
    LotEvent,
    LotStatus,
    OperationEvent,
    OperationState,
    OrderState,
)

OUT_OF_SPECIFICATION = "OUT_OF_SPECIFICATION"
STOPPED = (LotStatus.ON_HOLD, LotStatus.REJECTED, LotStatus.RECALLED)
"""Nothing is done with a lot of these statuses until quality has decided."""


def specification_of(process: Process, number: str) -> DeviationSpecification:
    """What the process of one of the order's deviations begins with."""
    led = process.led_deviations[number]
    return DeviationSpecification(
        number=number,
        code=led.opened.code,
        detail=led.opened.detail,
        out_of_specification=led.opened.code == OUT_OF_SPECIFICATION,
        order_number=process.specification.number,
        work_order=led.opened.work_order,
        operation=led.opened.operation,
        lot=led.opened.lot,
        opened_by=led.opened_by,
        opened_at=led.opened_at,
        rules=rules_of(process.specification.policy),
    )


def deviation(
    process: Process, code: str, detail: str, work_order: str | None, operation: str | None = None, offset: int = 0
) -> e.DeviationOpened:
    """A new deviation of the order; `offset` counts those that one fact opens before it."""
    return e.DeviationOpened(
        number=next_deviation(process, offset),
        work_order=work_order,
        operation=operation,
        code=code,
        detail=detail,
        has_process=process.specification.policy.deviation_process,
    )


def failed(process: Process, work_order: WorkOrder, opened: tuple[e.DeviationOpened, ...]) -> Events:
    """Deviations of a failing measurement: the lot that it was made on is on hold in the same fact (D2)."""
    if not opened or not process.specification.policy.deviation_process or work_order.lot_status is None:
        return opened
    lot = process.specification.work_order(work_order.number).output_lot
    named = tuple(one.model_copy(update={"lot": lot}) for one in opened)
    return (*named, *_hold(work_order, lot))


def _hold(work_order: WorkOrder, lot: str) -> Events:
    if work_order.lot_status is None or not LOT.allows(work_order.lot_status, LotEvent.HOLD):
        return ()
    return (lot_moved(work_order, lot, LotEvent.HOLD, LotStatus.ON_HOLD),)


def lot_on_hold(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """A blocker if a deviation stops the work order's lot: nothing is done with it until quality has decided."""
    if work_order.lot_status not in STOPPED:
        return []
    lot = process.specification.work_order(work_order.number).output_lot
    holding = ", ".join(lots_held_by(process, work_order, lot)) or "quality"
    return [
        Blocker(
            code="LOT_ON_HOLD", entity="lot", id=lot,
            found=f"{work_order.lot_status} by {holding}", required="a lot that nothing holds",
            who_can_fix="qaReviewer",
        )
    ]  # fmt: skip


def _holding(process: Process, work_order: WorkOrder) -> list[str]:
    return [
        number
        for number in process.open_deviations()
        if (led := process.led_deviations.get(number)) is not None
        and led.opened.work_order == work_order.number
        and led.opened.lot is not None
    ]


def lots_held_by(process: Process, work_order: WorkOrder, lot: str) -> list[str]:
    """Numbers of the deviations and the holds that stop the lot of a work order."""
    return _holding(process, work_order) + [own.hold for own in process.lot_holds.values() if lot in own.makes]


def freed_lot(work_order: WorkOrder, lot: str) -> e.LotMoved:
    """A lot on hold goes back to where it was held."""
    back = LotEvent.RELEASE_HOLD if work_order.held_from == LotStatus.RELEASED else LotEvent.RETURN_TO_QUARANTINE
    return lot_moved(work_order, lot, back, LOT.advance(LotStatus.ON_HOLD, back))


def led_elsewhere(process: Process, numbers: tuple[str, ...]) -> list[Blocker]:
    """A blocker for each of the deviations that only its own process can decide."""
    return [
        Blocker(
            code="DEVIATION_UNDER_INVESTIGATION", entity="deviation", id=number,
            found="a process of its own leads this deviation",
            required="its decision there: classified, investigated, approved and closed", who_can_fix="qaReviewer",
        )
        for number in numbers
        if number in process.led_deviations and process.deviations.get(number) == "open"
    ]  # fmt: skip


def result_open(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """A blocker for each result out of specification that is not decided, naming the result (QL-04)."""
    return [
        Blocker(
            code="OOS_OPEN", entity="inspection", id=work_order.inspection.number if work_order.inspection else "",
            found=f"{process.led_deviations[number].opened.detail}: {number} is open",
            required="a decided case; another test only after a proven error of the laboratory",
            who_can_fix="qaReviewer",
        )
        for number in _open_results(process, work_order)
    ]  # fmt: skip


def _open_results(process: Process, work_order: WorkOrder) -> list[str]:
    holding = _holding(process, work_order)
    return [number for number in holding if process.led_deviations[number].opened.code == OUT_OF_SPECIFICATION]


def open_deviation(process: Process, command: OpenDeviation) -> Events:
    """By hand, about the order as a whole: certification and close wait for its decision."""
    number, blockers = process.specification.number, []
    if not process.specification.policy.deviation_process:
        found = "deviations of this order have no process of their own"
        blockers.append(_order_blocker(number, "DEVIATION_PROCESS_OFF", found, "a policy with deviationProcess"))
    if process.state == OrderState.CANCELLING or ORDER.is_final(process.state):
        blockers.append(_order_blocker(number, "ORDER_NOT_OPEN", process.state, "an order that is not over"))
    check(blockers)
    return (deviation(process, command.code, command.detail, None),)


def _order_blocker(number: str, code: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity="production order", id=number, found=found, required=required)


def note_deviation(process: Process, command: NoteDeviation) -> Events:
    """What follows for the order from what the deviation's own process has come to."""
    led, standing = process.led_deviations.get(command.deviation), process.deviations.get(command.deviation)
    expected = "decided before" if command.standing == "reopened" else "open"
    is_expected = standing is not None and (standing == "open") == (expected == "open")
    number = process.specification.number
    if command.actor != SYSTEM:
        raise refuse(_order_blocker(number, "NOT_A_PERSON", command.actor, "the deviation's own process"))
    if led is None or not is_expected:
        found = f"{command.deviation}: {standing or 'no such deviation'}"
        raise refuse(_order_blocker(number, "DEVIATION_NOT_OPEN", found, expected))
    work_order = process.work_orders[led.opened.work_order] if led.opened.work_order is not None else None
    match command.standing:
        case "retest" if work_order is not None:
            return (move_inspection(work_order, InspectionEvent.AUTHORISE_RETEST),)
        case "reopened":
            holds = _hold(work_order, led.opened.lot) if work_order is not None and led.opened.lot is not None else ()
            return (e.DeviationReopened(number=command.deviation), *holds)
    decided = e.DeviationDecided(number=command.deviation, decision=command.decision, decided_by=command.decided_by)
    if work_order is None:
        return (decided,)
    return (decided, *_freed(process, work_order, command), *_of_lot(process, work_order, command))


def _freed(process: Process, work_order: WorkOrder, command: NoteDeviation) -> Events:
    """Operations that nothing else holds go on, unless the batch is rejected."""
    if command.disposition == CaseDisposition.REJECT:
        return ()
    return tuple(
        move_operation(work_order, operation, OperationEvent.RELEASE_HOLD)
        for operation in work_order.operations.values()
        if operation.state == OperationState.HELD and _is_last(operation, command.deviation) and not operation.faults
    )


def _is_last(operation: Operation, number: str) -> bool:
    return operation.open_deviations == (number,)


def _of_lot(process: Process, work_order: WorkOrder, command: NoteDeviation) -> Events:
    """The lot goes back to where it was held, or is rejected; a result that is not confirmed is set aside."""
    led = process.led_deviations[command.deviation]
    if led.opened.lot is None:
        return ()
    is_result = led.opened.code == OUT_OF_SPECIFICATION and command.disposition == CaseDisposition.ACCEPT
    aside: Events = ()
    if is_result and _open_results(process, work_order) == [command.deviation] and _failed_inspection(work_order):
        aside = (move_inspection(work_order, InspectionEvent.SET_ASIDE),)
    if work_order.lot_status is None:
        return aside
    if command.disposition == CaseDisposition.REJECT:
        if not LOT.allows(work_order.lot_status, LotEvent.REJECT):
            return aside
        return (*aside, lot_moved(work_order, led.opened.lot, LotEvent.REJECT, LotStatus.REJECTED))
    held_by = lots_held_by(process, work_order, led.opened.lot)
    if work_order.lot_status != LotStatus.ON_HOLD or held_by != [command.deviation]:
        return aside
    return (*aside, freed_lot(work_order, led.opened.lot))


def _failed_inspection(work_order: WorkOrder) -> bool:
    return work_order.inspection is not None and work_order.inspection.state == InspectionState.OUT_OF_SPECIFICATION
