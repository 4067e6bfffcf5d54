"""Review by exception: which happenings of a batch are not normal, so that a reviewer reads these and not everything.

The types follow the list of 16 in GMP reference values §14, with our own additions. An exception comes from a fact of
the order, or from outside of it (a failed signature, a gap in a machine's data). Its id never changes.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from domain import events as e
from domain import identification_events as i
from domain import packaging_events as k
from domain import quality_events as q
from domain import record_events as r
from domain import recovery_events as v
from domain.base import Message
from domain.errors import Blocker
from domain.quantities import plain
from domain.recovery_states import RecoveryState
from domain.specification import Equipment, OrderSpecification
from domain.states import OperationEvent


class ExceptionType(StrEnum):
    """What kind of thing was not normal."""

    EQUIPMENT_NOT_READY = "equipmentNotReady"
    MATERIAL_NOT_USABLE = "materialNotUsable"
    MATERIAL_NOT_SPECIFIED = "materialNotSpecified"
    PARAMETER_OUT_OF_LIMITS = "parameterOutOfLimits"
    CHARGE_OUT_OF_LIMITS = "chargeOutOfLimits"
    HOLD_TIME_EXCEEDED = "holdTimeExceeded"
    IN_PROCESS_TEST_FAILED = "inProcessTestFailed"
    EQUIPMENT_MALFUNCTION = "equipmentMalfunction"
    MANUAL_INSTEAD_OF_AUTOMATIC = "manualInsteadOfAutomatic"
    FORCED_OR_VOIDED = "forcedOrVoided"
    STEP_CHANGED = "stepChanged"
    OUT_OF_SPECIFICATION = "outOfSpecification"
    DEVIATION = "deviation"
    COMMUNICATION_FAILURE = "communicationFailure"
    COMMENT = "comment"
    ABORTED = "aborted"
    LATE_ENTRY = "lateEntry"
    CORRECTED_VALUE = "correctedValue"
    SAME_PERSON = "samePerson"
    REFUSED_SIGNATURE = "refusedSignature"
    DATA_GAP = "dataGap"
    RECOVERED_MATERIAL = "recoveredMaterial"


class RecordException(Message):
    """One thing that the review has to look at. It is open until its deviation is decided, or somebody explains it."""

    id: str
    type: ExceptionType
    at: datetime
    actor: str
    detail: str
    operation: str | None = None
    deviation: str | None = None
    decided_by: str | None = None
    decision: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still has to be explained, or its deviation decided."""
        return self.decision is None


OF_DEVIATION: Final = {
    "OUT_OF_LIMIT": ExceptionType.PARAMETER_OUT_OF_LIMITS,
    "OUT_OF_SPECIFICATION": ExceptionType.OUT_OF_SPECIFICATION,
    "HOLD_TIME_EXCEEDED": ExceptionType.HOLD_TIME_EXCEEDED,
    "BALANCE_OUT_OF_LIMIT": ExceptionType.CHARGE_OUT_OF_LIMITS,
    "MATERIAL_BALANCE_OUT_OF_LIMIT": ExceptionType.CHARGE_OUT_OF_LIMITS,
    "RECONCILIATION_OUT_OF_LIMIT": ExceptionType.CHARGE_OUT_OF_LIMITS,
    "YIELD_OUT_OF_LIMIT": ExceptionType.CHARGE_OUT_OF_LIMITS,
    "REWORK_OUT_OF_SPECIFICATION": ExceptionType.OUT_OF_SPECIFICATION,
    "MACHINE_REPORT_REFUSED": ExceptionType.EQUIPMENT_MALFUNCTION,
    "EQUIPMENT_FAULT": ExceptionType.EQUIPMENT_MALFUNCTION,
}
"""A deviation of another code is an exception of its own kind."""

OF_REFUSAL: Final = {
    **dict.fromkeys(
        (
            "EQUIPMENT_NOT_REGISTERED", "EQUIPMENT_NOT_QUALIFIED", "CALIBRATION_EXPIRED", "NOT_CLEAN", "DOWN",
            "EQUIPMENT_RESERVED", "EQUIPMENT_IN_USE", "WRONG_ROOM", "ROOM_OCCUPIED", "CLEARANCE_MISSING",
            "TRAINING_MISSING", "DEVICE_NOT_ALLOWED",
        ),
        ExceptionType.EQUIPMENT_NOT_READY,
    ),
    **dict.fromkeys(("LOT_NOT_USABLE", "LOT_NOT_RELEASED", "LOT_EXPIRED"), ExceptionType.MATERIAL_NOT_USABLE),
    **dict.fromkeys(
        ("WRONG_MATERIAL", "WRONG_LOT", "WRONG_CONTAINER", "WRONG_OPERATION", "WRONG_EQUIPMENT", "WRONG_LOCATION"),
        ExceptionType.MATERIAL_NOT_SPECIFIED,
    ),
    "WEIGHING_OUT_OF_TOLERANCE": ExceptionType.CHARGE_OUT_OF_LIMITS,
    "SEPARATION_OF_DUTIES": ExceptionType.SAME_PERSON,
}  # fmt: skip
"""Blockers that say more than "not now": the attempt itself has to be looked at."""

AFTER_THE_RECORD: Final = ("reviewBatchRecord", "approveBatchRecord", "certifyBatch", "releaseBatch", "closeOrder")
"""Refusals of these are part of the review itself; only one person on both sides is something to look at."""

_Found = dict[str, Any]


def of_facts(
    specification: OrderSpecification, work_order: str, facts: Iterable[e.Fact]
) -> tuple[RecordException, ...]:
    """The exceptions of one work order among the facts of its order, in their order, without their explanations."""
    return tuple(
        RecordException(id=f"{fact.revision}-{index}", at=fact.at, actor=fact.actor, **found)
        for fact in facts
        for index, found in enumerate(_of_fact(specification, work_order, fact))
    )


def judged(found: Iterable[RecordException], facts: Iterable[e.Fact]) -> tuple[RecordException, ...]:
    """The same exceptions with what was said of them: the decision of their deviation, or an explanation."""
    decisions: dict[str, tuple[str, str]] = {}
    for fact in facts:
        for event in fact.events:
            match event:
                case e.DeviationDecided():
                    decisions[f"deviation/{event.number}"] = (event.decided_by or fact.actor, event.decision)
                case e.DeviationReopened():
                    decisions.pop(f"deviation/{event.number}", None)
                case r.ExceptionJustified():
                    decisions[event.exception] = (fact.actor, event.text)
    return tuple(_judged(own, decisions) for own in found)


def _judged(own: RecordException, decisions: dict[str, tuple[str, str]]) -> RecordException:
    key = f"deviation/{own.deviation}" if own.deviation else own.id
    if key not in decisions:
        return own
    actor, text = decisions[key]
    return own.model_copy(update={"decided_by": actor, "decision": text})


def _of_fact(specification: OrderSpecification, work_order: str, fact: e.Fact) -> Iterator[_Found]:
    for event in fact.events:
        if isinstance(event, e.CommandRefused):
            yield from _of_refusal(specification, work_order, event.command, event.blockers)
        elif isinstance(event, e.VerdictGiven) and fact.outcome is not None and not fact.outcome.accepted:
            command = fact.command_kind or "command"
            yield from _of_refusal(specification, work_order, command, fact.outcome.blockers)
        elif getattr(event, "work_order", None) == work_order or _is_about(event, work_order):
            yield from _of_event(specification, work_order, event)


def _is_about(event: e.Event, work_order: str) -> bool:
    return isinstance(event, e.NeighbourWaiting) and event.request.startswith(f"{work_order}/")


def _of_refusal(
    specification: OrderSpecification, work_order: str, command: str, blockers: tuple[Blocker, ...]
) -> Iterator[_Found]:
    """One exception per type: a start that is refused for five reasons of one kind is one attempt."""
    types: dict[ExceptionType, list[Blocker]] = {}
    for blocker in blockers:
        kind = OF_REFUSAL.get(blocker.code)
        if command in AFTER_THE_RECORD and kind != ExceptionType.SAME_PERSON:
            continue
        if kind is not None and _concerns(specification, work_order, blocker.id):
            types.setdefault(kind, []).append(blocker)
    for kind, found in types.items():
        words = "; ".join(f"{blocker.code} {blocker.id}: {blocker.found}" for blocker in found)
        yield {"type": kind, "detail": f"{command} refused: {words}"}


def _concerns(specification: OrderSpecification, work_order: str, identity: str) -> bool:
    """Whether an object belongs to this work order; what belongs to none counts for the one that makes the product."""
    named = [own.number for own in specification.work_orders if own.number in identity]
    if named:
        return work_order in named
    return specification.work_order(work_order).feeds is None


def _of_event(specification: OrderSpecification, work_order: str, event: e.Event) -> Iterator[_Found]:
    """What one event of the work order has that is not normal."""
    kind = ExceptionType
    match event:
        case e.DeviationOpened():
            yield _found(OF_DEVIATION.get(event.code, kind.DEVIATION), event.detail, event) | {
                "deviation": event.number
            }
        case e.NeighbourWaiting(attempt=1):
            yield _found(kind.COMMUNICATION_FAILURE, f"{event.neighbour} did not answer: {event.last_error}", event)
        case e.EquipmentJobMoved(target="refused" | "aborted"):
            yield _found(kind.EQUIPMENT_MALFUNCTION, f"job {event.job} {event.target}: {event.detail}", event)
        case q.InProcessInspectionMoved() if event.failed > 0:
            detail = f"{event.inspection}: {plain(event.failed)} {event.unit} failed, {event.defect}"
            yield _found(kind.IN_PROCESS_TEST_FAILED, detail, event)
        case e.OperationMoved(event=OperationEvent.ABORT):
            yield _found(kind.ABORTED, f"{event.operation} aborted", event)
        case e.OperationMoved(event=OperationEvent.REOPEN):
            yield _found(kind.STEP_CHANGED, f"{event.operation} opened again", event)
        case q.ReportReversed():
            yield _found(kind.FORCED_OR_VOIDED, f"{event.reverses} taken back by {event.report_number}", event)
        case q.OverReportDecided(accept=True):
            detail = f"{event.number}, reported by {event.reported_by}, allowed beyond the ordered quantity"
            yield _found(kind.FORCED_OR_VOIDED, detail, event)
        case e.ProductionReported(source="person"):
            own = specification.work_order(work_order).operation(event.operation)
            if own is not None and own.equipment == Equipment.OPC_UA:
                detail = f"{event.report_number} was typed; the machine of {event.workstation} did not report it"
                yield _found(kind.MANUAL_INSTEAD_OF_AUTOMATIC, detail, event)
        case _:
            yield from _of_entry(event)


def _of_entry(event: e.Event) -> Iterator[_Found]:
    """What people wrote late, again, or beside the lines."""
    match event:
        case e.ParametersRecorded(is_late=True):
            names = ", ".join(value.name for value in event.values)
            yield _found(ExceptionType.LATE_ENTRY, f"{names}: measured {event.measured_at}", event)
        case v.RecoveryMoved(target=RecoveryState.INTRODUCED):
            what = f"{plain(event.quantity)} {event.unit} of lot {event.lot} ({event.lot_status})"
            yield _found(ExceptionType.RECOVERED_MATERIAL, f"{event.recovery}: {what} introduced", event)
        case k.PrintChecked(late=True):
            yield _found(ExceptionType.LATE_ENTRY, f"print check {event.number} came after its interval", event)
        case r.ParameterCorrected():
            detail = f"{event.value.name} {event.number}: {event.old_text} → {event.value.text} {event.value.unit}"
            yield _found(ExceptionType.CORRECTED_VALUE, detail.strip(), event)
        case r.OperationCommented():
            yield _found(ExceptionType.COMMENT, event.text, event)
        case i.FefoOverridden():
            lines = "; ".join(
                f"{', '.join(own.taken)} of {own.material}, where {', '.join(own.proposed) or 'none'} expires first"
                for own in event.lines
            )
            yield _found(ExceptionType.FORCED_OR_VOIDED, f"lots chosen: {lines} ({event.reason})", event)
        case i.CodeTyped():
            codes = ", ".join(event.codes)
            detail = f"{event.command}: {codes} typed, not scanned ({event.reason}); beside: {event.second_person}"
            yield _found(ExceptionType.MANUAL_INSTEAD_OF_AUTOMATIC, detail, event)


def _found(kind: ExceptionType, detail: str, event: e.Event) -> _Found:
    return {"type": kind, "detail": detail, "operation": getattr(event, "operation", None)}
