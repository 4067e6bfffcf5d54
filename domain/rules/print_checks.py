"""Lot and expiry on the packs: looked at before anything counts, and again at the set interval (CN 209, EB-09)."""

from datetime import datetime, timedelta

from domain import packaging_events as k
from domain.commands import CheckPrint
from domain.errors import Blocker
from domain.process import Operation, Process, WorkOrder
from domain.rules.common import Events, find_work_order, move_operation, running_operation
from domain.rules.order_deviations import deviation
from domain.specification import OperationSpecification, WorkOrderSpecification
from domain.states import OperationEvent

PRINT_MISMATCH = "PRINT_MISMATCH"


def asks_for_checks(process: Process, work_order: WorkOrder, code: str) -> bool:
    """Whether the packs of an operation are looked at."""
    own = process.specification.work_order(work_order.number).operation(code)
    return own is not None and own.print_check_seconds is not None


def check_print(process: Process, command: CheckPrint) -> Events:
    """What is on the pack is kept as it was read; if it is not the batch's, a deviation holds the operation."""
    work_order, operation, specification = running_operation(process, command)
    _, own = find_work_order(process, command.work_order)
    expected = (own.output_lot, expected_expiry(work_order, own))
    read = (command.lot_text.strip(), command.expiry_text.strip())
    checked = k.PrintChecked(
        work_order=work_order.number, operation=operation.code, number=operation.print_checks + 1, lot_text=read[0],
        expiry_text=read[1], expected_lot=expected[0], expected_expiry=expected[1], matches=read == expected,
        late=_is_over(operation, specification, command.received_at),
    )  # fmt: skip
    if checked.matches:
        return (checked,)
    detail = f"{operation.code}: lot {read[0]}, expiry {read[1] or 'none'} on the pack"
    wanted = f"lot {expected[0]}, expiry {expected[1] or 'none'} of the batch"
    opened = deviation(process, PRINT_MISMATCH, f"{detail}; {wanted}", work_order.number, operation.code)
    return (checked, opened, move_operation(work_order, operation, OperationEvent.HOLD))


def expected_expiry(work_order: WorkOrder, specification: WorkOrderSpecification) -> str:
    """The last day of the batch's shelf life, from the day (UTC) that it was begun; empty without a shelf life."""
    if work_order.started_at is None or specification.shelf_life_days is None:
        return ""
    return (work_order.started_at.date() + timedelta(days=specification.shelf_life_days)).isoformat()


def _is_over(operation: Operation, specification: OperationSpecification, at: datetime) -> bool:
    last, interval = operation.print_checked_at, specification.print_check_seconds
    return last is not None and interval is not None and at - last > timedelta(seconds=interval)


def print_unchecked(
    work_order: WorkOrder, operation: Operation, specification: OperationSpecification, at: datetime
) -> list[Blocker]:
    """A blocker when the packs were never looked at, or too long ago: nothing is reported or completed before."""
    interval = specification.print_check_seconds
    if interval is None:
        return []
    last = operation.print_checked_at
    if last is not None and not _is_over(operation, specification, at):
        return []
    code, found = ("PRINT_CHECK_MISSING", "no check") if last is None else ("PRINT_CHECK_DUE", last.isoformat())
    return [
        Blocker(
            code=code, entity="operation", id=f"{work_order.number}/{operation.code}", found=found,
            required=f"lot and expiry on a pack, checked at the start and every {interval} s", who_can_fix="operator",
        )
    ]  # fmt: skip
