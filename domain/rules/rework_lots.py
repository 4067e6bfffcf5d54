"""What may be reworked how, and the lots and tests of what is: CN 132 to 135, QL-11 of the GMP requirements.

Where the policy says so, reworked pieces are a lot of their own from the start of the rework until they have passed
every test that quality set for them; then the good ones go back into the lot that they came from.
"""

from domain.commands import ApproveRework, DecideInProcessInspection, Disposition
from domain.errors import Blocker
from domain.process import InProcessInspection, Process, Rework, WorkOrder
from domain.quality_events import JudgedValue, ReworkMoved
from domain.rules.measurements import judge_values
from domain.specification import ReworkMethod

TEST_FAILED = "REWORK_OUT_OF_SPECIFICATION"
"""The deviation of a result outside its limits."""


def not_permitted(process: Process, work_order: WorkOrder, rework: Rework, command: ApproveRework) -> list[Blocker]:
    """What the product and the stage do not permit, and what the approval leaves open where the policy wants it."""
    specification = process.specification.work_order(work_order.number)
    operation = specification.operation(rework.operation)
    blockers: list[Blocker] = []
    if command.rework_method == ReworkMethod.REPROCESS and specification.dosage_form:
        found = f"another process for a {specification.dosage_form}"
        required = "a rework by the approved steps, or scrap: a dosage form is never reprocessed"
        blockers.append(_blocker("REPROCESS_FORBIDDEN", "material", specification.material, found, required))
    if operation is not None and operation.rework_forbidden:
        version = "no version" if specification.record is None else f"version {specification.record.version}"
        blockers.append(
            _blocker(
                "REWORK_FORBIDDEN", "operation", f"{specification.material}/{rework.operation}",
                f"the master batch record ({version}) permits no rework of what this operation makes",
                "a stage at which rework is permitted, or scrap",
            )
        )  # fmt: skip
    if not process.specification.policy.rework_lots:
        return blockers
    if not command.procedure.strip():
        blockers.append(
            _blocker("PROCEDURE_MISSING", "rework", rework.number, "no procedure", "the approved procedure it follows")
        )
    if not command.tests:
        required = "the tests that reworked pieces have to pass beside the ordinary inspection"
        blockers.append(_blocker("ADDITIONAL_TESTS_MISSING", "rework", rework.number, "no test", required))
    names = [test.name for test in command.tests]
    twice = sorted({name for name in names if names.count(name) > 1})
    blockers += [_blocker("DUPLICATE", "rework", f"{rework.number}/{name}", "set twice", "once") for name in twice]
    return blockers


def _blocker(code: str, entity: str, identity: str, found: str, required: str) -> Blocker:
    return Blocker(
        code=code, entity=entity, id=identity, found=found, required=required, who_can_fix="qualityManager"
    )  # fmt: skip


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
