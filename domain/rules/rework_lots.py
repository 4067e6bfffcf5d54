"""What may be reworked how, and the lots and tests of what is: CN 132 to 135, QL-11 of the GMP requirements.

Where the policy says so, reworked pieces are a lot of their own from the start of the rework until they have passed
every test that quality set for them; then the good ones go back into the lot that they came from.
"""

from domain.batch_rework import forbidden
from domain.commands import ApproveRework, DecideInProcessInspection, Disposition
from domain.errors import Blocker
from domain.process import InProcessInspection, Process, Rework, WorkOrder
from domain.quality_events import JudgedValue, ReworkMoved
from domain.rules.measurements import judge_values
from domain.rules.recovery import approval_gaps

TEST_FAILED = "REWORK_OUT_OF_SPECIFICATION"
"""The deviation of a result outside its limits."""


def not_permitted(process: Process, work_order: WorkOrder, rework: Rework, command: ApproveRework) -> list[Blocker]:
    """What the product and the stage do not permit, and what the approval leaves open where the policy wants it."""
    specification = process.specification.work_order(work_order.number)
    operation = specification.operation(rework.operation)
    operations = () if operation is None else (operation,)
    blockers = forbidden(specification, operations, command.rework_method)
    if not process.specification.policy.rework_lots:
        return blockers
    required = "the tests that reworked pieces have to pass beside the ordinary inspection"
    return blockers + approval_gaps("rework", rework.number, command.procedure, command.tests, required=required)


def own_lot(process: Process, work_order: WorkOrder, rework: Rework) -> str | None:
    """The number of the lot that a rework makes when it starts: `<lot>-W1`; none where pieces stay in their lot."""
    if not process.specification.policy.rework_lots:
        return None
    return f"{process.specification.work_order(work_order.number).output_lot}-{rework.number.rpartition('-')[2]}"


def test_results(
    inspection: InProcessInspection, command: DecideInProcessInspection
) -> tuple[tuple[JudgedValue, ...], list[Blocker]]:
    """The judged results of the tests that quality set, and a blocker for each that is missing."""
    results = judge_values(inspection.number, inspection.tests, command.values)
    entered = {result.name for result in results}
    missing = [
        Blocker(
            code="RESULT_MISSING", entity="in-process inspection", id=inspection.number,
            found=f"no result for {test.name}", required=f"a result within {test.limits}", who_can_fix="qcAnalyst",
        )
        for test in inspection.tests
        if test.name not in entered
    ]  # fmt: skip
    return results, missing


def words(results: tuple[JudgedValue, ...]) -> str:
    """The results outside their limits, for people."""
    return ", ".join(f"{own.name} {own.text} {own.unit}".strip() for own in results if not own.within_limits)


def kept(process: Process, rework: Rework, moved: ReworkMoved) -> ReworkMoved:
    """A cancelled rework's move: its lot's pieces are scrapped, or kept as the lot that they are."""
    if rework.own_lot is None or moved.origin not in ("running", "reported"):
        return moved
    left = rework.good if moved.origin == "reported" else rework.quantity
    if process.disposition == Disposition.SCRAP:
        return moved.model_copy(update={"scrap": left})
    return moved.model_copy(update={"kept": left})
