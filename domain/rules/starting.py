"""What an operation needs of the order before it may start: predecessors, signatures, second persons, hold time."""

from datetime import datetime, timedelta

from domain.errors import Blocker
from domain.events import HOLD_TIME_EXCEEDED
from domain.process import Operation, Process, WorkOrder
from domain.rules.common import Events
from domain.rules.order_deviations import deviation, failed
from domain.specification import OperationSpecification
from domain.states import OperationState


def not_startable(
    process: Process,
    work_order: WorkOrder,
    operation: Operation,
    specification: OperationSpecification,
    at: datetime,
) -> list[Blocker]:
    """Everything of the order itself that stands in the way of a start, at once."""
    blockers = _sequence(work_order, operation, specification)
    blockers += _unsigned(process, work_order, specification)
    blockers += [
        verifier_missing(work_order, work_order.operations[code])
        for code in specification.predecessors
        if waits_for_verifier(process, work_order, code)
    ]
    return blockers + _hold_time(work_order, operation, specification, at)


def _sequence(work_order: WorkOrder, operation: Operation, specification: OperationSpecification) -> list[Blocker]:
    if operation.state != OperationState.PENDING:
        return []
    missing = [
        f"{code} ({work_order.operations[code].state})"
        for code in specification.predecessors
        if work_order.operations[code].state != OperationState.COMPLETED
    ]
    return [
        Blocker(
            code="SEQUENCE",
            entity="operation",
            id=f"{work_order.number}/{operation.code}",
            found=", ".join(missing) or operation.state,
            required="completed predecessors",
            who_can_fix="operator",
        )
    ]


def _unsigned(process: Process, work_order: WorkOrder, specification: OperationSpecification) -> list[Blocker]:
    """A step is recorded and signed before the next dependent one begins (EB-03)."""
    meaning = process.specification.policy.signatures.get("completeOperation")
    if meaning is None:
        return []
    return [
        Blocker(
            code="STEP_UNSIGNED",
            entity="operation",
            id=f"{work_order.number}/{code}",
            found=work_order.operations[code].state,
            required=f"completed, with the signature of its doer ({meaning})",
            who_can_fix="operator",
        )
        for code in specification.predecessors
        if work_order.operations[code].state != OperationState.COMPLETED
    ]


def waits_for_verifier(process: Process, work_order: WorkOrder, code: str) -> bool:
    """Whether the operation is done and a second person still has to confirm it."""
    own, specification = process.operation(work_order.number, code)
    return specification.verified and own.state == OperationState.COMPLETED and own.verified_by is None


def verifier_missing(work_order: WorkOrder, operation: Operation) -> Blocker:
    """The blocker for an operation that nobody has verified."""
    return Blocker(
        code="VERIFIER_MISSING",
        entity="operation",
        id=f"{work_order.number}/{operation.code}",
        found=f"done by {', '.join(operation.done_by)}, verified by nobody",
        required="the confirmation of another person",
        who_can_fix="operator",
    )


def hold_time_ends(operation: Operation, specification: OperationSpecification) -> datetime | None:
    """When the material has waited for this operation too long (MT-12); none when no limit is set or none runs."""
    if specification.longest_wait_seconds is None or operation.ready_at is None:
        return None
    return operation.ready_at + timedelta(seconds=specification.longest_wait_seconds)


def _hold_time(
    work_order: WorkOrder, operation: Operation, specification: OperationSpecification, at: datetime
) -> list[Blocker]:
    """Material past its hold time is not used before quality has decided."""
    ends = hold_time_ends(operation, specification)
    if ends is None or operation.state != OperationState.READY:
        return []
    identity = f"{work_order.number}/{operation.code}"
    if operation.open_deviations:
        found = f"{', '.join(operation.open_deviations)} is not decided"
        return [Blocker(code="DEVIATION_OPEN", entity="operation", id=identity, found=found,
                        required="a decision of quality", who_can_fix="qaReviewer")]  # fmt: skip
    if at <= ends or operation.hold_time_exceeded:
        return []
    waited = int((at - ends).total_seconds()) + (specification.longest_wait_seconds or 0)
    return [
        Blocker(
            code=HOLD_TIME_EXCEEDED,
            entity="operation",
            id=identity,
            found=f"{waited} s since the operation before",
            required=f"at most {specification.longest_wait_seconds} s",
            who_can_fix="qaReviewer",
        )
    ]


def hold_time_deviation(process: Process, work_order: str, specification: OperationSpecification) -> Events:
    """The deviation of material that has waited too long; nothing when the operation has begun or it was opened."""
    operation = process.work_orders[work_order].operations[specification.code]
    if operation.state != OperationState.READY or operation.hold_time_exceeded:
        return ()
    detail = f"not started within {specification.longest_wait_seconds} s of the operation before"
    opened = deviation(process, HOLD_TIME_EXCEEDED, detail, work_order, specification.code)
    return failed(process, process.work_orders[work_order], (opened,))
