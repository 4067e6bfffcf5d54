"""Rules of the production order itself: submit, approve, reject, release, hold, resume, cancel, close."""

from domain import events as e
from domain.commands import (
    ApproveOrder,
    CancelOrder,
    CloseOrder,
    DecideDeviation,
    HoldOrder,
    RejectOrder,
    ReleaseOrder,
    ResumeOrder,
    RetryNow,
    SubmitOrder,
)
from domain.errors import Blocker, Refused
from domain.process import Process, WorkOrder
from domain.record_states import BatchRecordState
from domain.rules.common import Events, check, move_order, order_blocker, reason_missing, refuse, same_person
from domain.rules.line_side import material_on_line
from domain.rules.lot_holds import held_by_lots
from domain.rules.material_balance import balance_open
from domain.rules.order_changes import held_by_change, lapsed_change
from domain.rules.order_deviations import led_elsewhere
from domain.states import (
    InspectionState,
    LotStatus,
    OperationState,
    OrderEvent,
    PutAwayState,
    WorkOrderEvent,
    WorkOrderState,
)


def submit_order(process: Process, command: SubmitOrder) -> Events:
    moved = move_order(process, OrderEvent.SUBMIT)
    specification = process.specification
    blockers: list[Blocker] = []
    if specification.quantity <= 0:
        found = format(specification.quantity, "f")
        blockers.append(order_blocker(process, "QUANTITY_NOT_POSITIVE", found, "more than 0", "planner"))
    if specification.policy.complete_to_submit:
        blockers += specification.gaps
    check(blockers)
    return (moved,)


def approve_order(process: Process, command: ApproveOrder) -> Events:
    moved = move_order(process, OrderEvent.APPROVE)
    policy, number = process.specification.policy, process.specification.number
    blockers: list[Blocker] = []
    if policy.approver_differs_from_creator:
        creator = process.specification.created_by
        blockers += same_person(command.actor, creator, "production order", number, "approve", "made the order")
        if process.submitted_by != creator:
            blockers += same_person(
                command.actor, process.submitted_by, "production order", number, "approve", "submitted the order"
            )
    if command.actor in process.approvals:
        blockers += same_person(command.actor, command.actor, "production order", number, "approve", "already approved")
    check(blockers)
    given = e.OrderApprovalGiven(number=len(process.approvals) + 1)
    return (given, moved) if given.number >= policy.approvals else (given,)


def reject_order(process: Process, command: RejectOrder) -> Events:
    moved = move_order(process, OrderEvent.REJECT)
    check(reason_missing(command.reason, "production order", process.specification.number))
    return (moved,)


def release_order(process: Process, command: ReleaseOrder) -> Events:
    moved = move_order(process, OrderEvent.RELEASE)
    check(list(process.specification.gaps))
    return (moved,)


def hold_order(process: Process, command: HoldOrder) -> Events:
    moved = move_order(process, OrderEvent.HOLD)
    check(reason_missing(command.reason, "production order", process.specification.number))
    return (moved,)


def resume_order(process: Process, command: ResumeOrder) -> Events:
    moved = move_order(process, OrderEvent.RESUME)
    check(held_by_lots(process) + held_by_change(process))
    return (moved,)


def cancel_order(process: Process, command: CancelOrder) -> Events:
    moved = move_order(process, OrderEvent.CANCEL)
    blockers = reason_missing(command.reason, "production order", process.specification.number)
    consumed = [number for number, work_order in process.work_orders.items() if work_order.consumed_at]
    if consumed and command.disposition is None:
        blockers.append(
            Blocker(
                code="DISPOSITION_MISSING",
                entity="work order",
                id=", ".join(consumed),
                found="material was consumed",
                required="a decision: keepAsLot or scrap",
                who_can_fix="supervisor",
            )
        )
    check(blockers)
    return (*lapsed_change(process), moved.model_copy(update={"disposition": command.disposition}))


def close_order(process: Process, command: CloseOrder) -> Events:
    try:
        moved = move_order(process, OrderEvent.CLOSE)
    except Refused as refused:
        raise refuse(*refused.blockers, *_open_rework(process), possible=refused.possible) from None
    blockers = [
        order_blocker(process, "DEVIATION_OPEN", number, "a decision of quality", "qaReviewer")
        for number in process.open_deviations()
    ]
    blockers += held_by_lots(process)
    for work_order in process.work_orders.values():
        blockers += _open_documents(process, work_order)
    check(blockers)
    closed = tuple(
        e.WorkOrderMoved(
            work_order=work_order.number,
            event=WorkOrderEvent.CLOSE,
            origin=work_order.state,
            target=WorkOrderState.CLOSED,
        )
        for work_order in process.work_orders.values()
    )
    return (*closed, moved)


def _open_rework(process: Process) -> list[Blocker]:
    """What keeps the work orders from their end, and so the order from its own."""
    return [
        order_blocker(process, "REWORK_OPEN", number, "decided, reworked and inspected again", "qcAnalyst")
        for work_order in process.work_orders.values()
        for number in work_order.open_rework()
    ]


def retry_now(process: Process, command: RetryNow) -> Events:
    if not process.waiting:
        found = "no neighbour is waited for"
        check([order_blocker(process, "NOTHING_TO_RETRY", found, "a neighbour that does not answer", "")])
    return (e.RetryRequested(),)


def decide_deviation(process: Process, command: DecideDeviation) -> Events:
    """Close a deviation; one that holds an operation is decided with the operation's hold, one that is OOS not here."""
    holders = [
        f"{work_order.number}/{operation.code}"
        for work_order in process.work_orders.values()
        for operation in work_order.operations.values()
        if command.deviation in operation.open_deviations and operation.state == OperationState.HELD
    ]
    blockers: list[Blocker] = []
    if process.deviations.get(command.deviation) != "open":
        found = process.deviations.get(command.deviation, "no such deviation")
        blockers.append(order_blocker(process, "DEVIATION_NOT_OPEN", f"{command.deviation}: {found}", "open", ""))
    if holders:
        found = f"{command.deviation} holds {', '.join(holders)}"
        blockers.append(order_blocker(process, "OPERATION_HELD", found, "releaseOperationHold", "qaReviewer"))
    blockers += led_elsewhere(process, (command.deviation,))
    blockers += reason_missing(command.decision, "deviation", command.deviation)
    check(blockers)
    return (e.DeviationDecided(number=command.deviation, decision=command.decision),)


def _open_documents(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """What of a completed work order still keeps its order open."""
    blockers: list[Blocker] = []

    def missing(code: str, found: str, required: str, who_can_fix: str) -> None:
        blockers.append(
            Blocker(
                code=code, entity="work order", id=work_order.number, found=found, required=required,
                who_can_fix=who_can_fix,
            )
        )  # fmt: skip

    inspection, put_away = work_order.inspection, work_order.put_away
    if inspection is not None and inspection.state not in (InspectionState.ACCEPTED, InspectionState.REJECTED):
        missing("INSPECTION_OPEN", inspection.state, "accepted or rejected", "qcAnalyst")
    if put_away is not None and put_away.state not in (PutAwayState.DONE, PutAwayState.CANCELLED):
        missing("PUT_AWAY_OPEN", put_away.state, "done", "warehouseKeeper")
    policy, is_final = process.specification.policy, process.specification.work_order(work_order.number).feeds is None
    rejected = work_order.lot_status == LotStatus.REJECTED
    if is_final and not rejected and policy.certification and work_order.certified_by is None:
        missing("NOT_CERTIFIED", "no certification", "certification by the qualified person", "qualifiedPerson")
    if is_final and not rejected and policy.production_release and work_order.lot_status != LotStatus.RELEASED:
        missing("NOT_RELEASED", str(work_order.lot_status), "production release", "supervisor")
    if policy.batch_record_review and work_order.record_state != BatchRecordState.ARCHIVED:
        found = str(work_order.record_state or "no record")
        missing("RECORD_NOT_ARCHIVED", found, "an approved batch record; archiving follows by itself", "qaReviewer")
    return blockers + material_on_line(process, work_order) + balance_open(process, work_order)
