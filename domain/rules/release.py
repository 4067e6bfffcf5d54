"""Rules from the last operation to the shipping shelf: inspection, put-away, certification, production release."""

from domain import events as e
from domain.commands import CertifyBatch, DecideInspection, EnterInspectionResults, PutAway, ReleaseBatch
from domain.errors import Blocker
from domain.process import Process, WorkOrder
from domain.quantities import plain
from domain.rules.common import (
    Events,
    check,
    find_work_order,
    inspection_of,
    lot_moved,
    move_inspection,
    move_put_away,
    order_is_worked_on,
    same_person,
)
from domain.rules.line_side import material_on_line
from domain.rules.lot_holds import held_by_lots
from domain.rules.material_balance import balance_open
from domain.rules.measurements import judge_values
from domain.rules.order_deviations import OUT_OF_SPECIFICATION, STOPPED, deviation, failed, lot_on_hold, result_open
from domain.rules.record_review import certification_request, record_open
from domain.rules.scans import put_away_blockers, typed_codes
from domain.states import (
    InspectionEvent,
    InspectionState,
    LotEvent,
    LotStatus,
    OrderState,
    PutAwayEvent,
    WorkOrderState,
)


def inspection_request(work_order: str) -> str:
    """The name and key under which quality is asked for the inspection of what a work order makes."""
    return f"{work_order}/inspection"


def put_away_request(work_order: str) -> str:
    """The name under which the warehouse is asked to take the finished quantity."""
    return f"{work_order}/put-away"


def release_request(work_order: str) -> str:
    """The name under which the warehouse is asked to move the released lot to saleable stock."""
    return f"{work_order}/release"


def enter_inspection_results(process: Process, command: EnterInspectionResults) -> Events:
    """Store all results at once; one outside its specification blocks the batch (QL-04)."""
    work_order, specification = find_work_order(process, command.work_order)
    inspection = inspection_of(work_order)
    if inspection.state == InspectionState.OUT_OF_SPECIFICATION:
        check(result_open(process, work_order))
    move_inspection(work_order, InspectionEvent.ENTER_RESULTS)  # are results possible now at all?
    results = judge_values(inspection.number, specification.inspection, command.values)
    entered = {result.name for result in results}
    check(
        [
            Blocker(
                code="RESULT_MISSING",
                entity="inspection",
                id=inspection.number,
                found=f"no result for {characteristic.name}",
                required=f"a result within {characteristic.limits}",
                who_can_fix="qcAnalyst",
            )
            for characteristic in specification.inspection
            if characteristic.required and characteristic.name not in entered
        ]
    )
    outside = [result for result in results if not result.within_limits]
    if not outside:
        return (move_inspection(work_order, InspectionEvent.ENTER_RESULTS, results),)
    names = ", ".join(f"{result.name} {result.text} {result.unit}".strip() for result in outside)
    opened = deviation(process, OUT_OF_SPECIFICATION, names, work_order.number)
    moved = move_inspection(work_order, InspectionEvent.FIND_OUT_OF_SPECIFICATION, results)
    return (moved, *failed(process, work_order, (opened,)))


def decide_inspection(process: Process, command: DecideInspection) -> Events:
    work_order, specification = find_work_order(process, command.work_order)
    if command.accept:
        check(result_open(process, work_order))
    moved = move_inspection(work_order, InspectionEvent.ACCEPT if command.accept else InspectionEvent.REJECT)
    inspection = inspection_of(work_order)
    if process.specification.policy.results_reviewed_by_second_person:
        check(
            same_person(
                command.actor, inspection.entered_by, "inspection", inspection.number, "decide", "entered the results"
            )
        )
    if command.accept:
        return (moved,)
    decided = tuple(
        e.DeviationDecided(number=number, decision="batch rejected")
        for number in process.open_deviations()
        if number not in process.led_deviations
    )
    return (moved, *decided, lot_moved(work_order, specification.output_lot, LotEvent.REJECT, LotStatus.REJECTED))


def put_away(process: Process, command: PutAway) -> Events:
    work_order, specification = find_work_order(process, command.work_order)
    is_held = work_order.lot_status in (LotStatus.ON_HOLD, LotStatus.RECALLED)
    on_hold = lot_on_hold(process, work_order) if is_held else []
    check(order_is_worked_on(process) + on_hold)
    moved = move_put_away(work_order, specification.output_lot, PutAwayEvent.MOVE, command.place)
    good = work_order.produced
    quantity = good if command.quantity is None else command.quantity
    found = put_away_blockers(process, command, specification.output_lot, specification.material)
    if quantity > good:
        found.append(
            Blocker(
                code="MORE_THAN_GOOD",
                entity="work order",
                id=work_order.number,
                found=plain(quantity),
                required=f"at most {plain(good)} reported good",
                who_can_fix="warehouseKeeper",
            )
        )
    check(found)
    pending = e.VerdictPending(
        request=put_away_request(work_order.number),
        command_id=command.command_id,
        command=command.kind,
        actor=command.actor,
    )
    return (moved.model_copy(update={"quantity": quantity}), pending, *typed_codes(process, command))


def certify_batch(process: Process, command: CertifyBatch) -> Events:
    """The qualified person's certification: everything that stands in its way is listed at once (QL-10).

    Where batches have records the record itself is asked too, after this.
    """
    work_order, specification = find_work_order(process, command.work_order)
    blockers = _before_release(process, work_order)
    if certification_request(work_order.number) in process.pending:
        blockers.append(_blocker(work_order, "ALREADY_ASKED", "a certification is being judged", "its verdict"))
    if work_order.certified_by is not None:
        blockers.append(
            _blocker(work_order, "ALREADY_CERTIFIED", f"certified by {work_order.certified_by}", "no certification")
        )
    check(blockers)
    if process.specification.policy.batch_record_review:
        return (
            e.VerdictPending(
                request=certification_request(work_order.number), command_id=command.command_id, command=command.kind,
                actor=command.actor,
            ),
        )  # fmt: skip
    return (e.BatchCertified(work_order=work_order.number, lot=specification.output_lot),)


def release_batch(process: Process, command: ReleaseBatch) -> Events:
    """Production release, by another person than the one who certified; the lot then moves to saleable stock."""
    work_order, specification = find_work_order(process, command.work_order)
    blockers = _before_release(process, work_order)
    policy = process.specification.policy
    if policy.certification and work_order.certified_by is None:
        blockers.append(
            _blocker(work_order, "NOT_CERTIFIED", "no certification", "certification first", "qualifiedPerson")
        )
    blockers += same_person(
        command.actor, work_order.certified_by, "work order", work_order.number, "release", "certified the batch"
    )
    if work_order.lot_status == LotStatus.RELEASED or release_request(work_order.number) in process.pending:
        blockers.append(_blocker(work_order, "ALREADY_RELEASED", str(work_order.lot_status), "a lot in quarantine"))
    check(blockers)
    return (
        e.BatchReleaseRequested(work_order=work_order.number, lot=specification.output_lot, place=command.place),
        e.VerdictPending(
            request=release_request(work_order.number),
            command_id=command.command_id,
            command=command.kind,
            actor=command.actor,
        ),
    )


def _before_release(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """What certification and production release both need."""
    blockers: list[Blocker] = []
    if work_order.state != WorkOrderState.COMPLETED:
        blockers.append(_blocker(work_order, "WORK_ORDER_NOT_COMPLETED", work_order.state, "completed", "operator"))
    inspection = work_order.inspection
    if inspection is not None and inspection.state != InspectionState.ACCEPTED:
        blockers.append(_blocker(work_order, "INSPECTION_OPEN", inspection.state, "accepted", "qcAnalyst"))
    if work_order.lot_status in STOPPED:
        blockers.append(_blocker(work_order, "LOT_NOT_USABLE", work_order.lot_status, "quarantine", "qaReviewer"))
    if process.state not in (OrderState.IN_PROGRESS, OrderState.COMPLETED):
        blockers.append(_blocker(work_order, "ORDER_NOT_OPEN", process.state, "inProgress or completed", "supervisor"))
    blockers += [
        _blocker(work_order, "DEVIATION_OPEN", number, "a decision of quality", "qaReviewer")
        for number in process.open_deviations()
    ]
    blockers += held_by_lots(process)
    blockers += record_open(process, work_order) + material_on_line(process, work_order)
    return blockers + balance_open(process, work_order)


def _blocker(work_order: WorkOrder, code: str, found: str, required: str, who_can_fix: str = "") -> Blocker:
    return Blocker(
        code=code, entity="work order", id=work_order.number, found=found, required=required, who_can_fix=who_can_fix
    )
