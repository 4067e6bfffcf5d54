"""What people do to equipment and rooms: qualify, calibrate, clean, report a fault, repair, retire, reserve.

One small message and one rule for each. Who acts as the second person is never who acted first (SM-6).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from domain.base import Message
from domain.equipment import (
    CleaningLevel,
    EquipmentClass,
    Item,
    ItemKind,
    Maintenance,
    advance,
    after,
    not_qualified,
    occupied,
    stamp,
)
from domain.equipment_states import (
    AVAILABILITY,
    CALIBRATION,
    CLEANING,
    QUALIFICATION,
    AvailabilityEvent,
    CalibrationEvent,
    CleaningEvent,
    Qualification,
    QualificationEvent,
)
from domain.errors import Blocker
from domain.rules.common import check, reason_missing, same_person


class Qualify(Message):
    """Quality has shown that it does what it has to; for ever when no `valid_until` is given."""

    kind: Literal["qualify"] = "qualify"
    valid_until: datetime | None = None


class PerformCalibration(Message):
    """Metrology has calibrated. Found out of tolerance, what it measured before is in doubt: a deviation opens."""

    kind: Literal["performCalibration"] = "performCalibration"
    certificate: str
    due_at: datetime
    found_within_tolerance: bool


class ReviewCalibration(Message):
    """The second person's word on a calibration."""

    kind: Literal["reviewCalibration"] = "reviewCalibration"
    accept: bool


class StartCleaning(Message):
    """Somebody cleans it. Of a room: `with_equipment` together with what stands in it, as one piece of work."""

    kind: Literal["startCleaning"] = "startCleaning"
    level: CleaningLevel
    with_equipment: bool = False


class VerifyCleaning(Message):
    """Another person has looked: clean, or not. Of a room: `with_equipment` all of it that is being cleaned, too."""

    kind: Literal["verifyCleaning"] = "verifyCleaning"
    accept: bool
    with_equipment: bool = False


class ReportFault(Message):
    """It does not work; the reason says what is wrong."""

    kind: Literal["reportFault"] = "reportFault"


class RequestMaintenance(Message):
    """Something has to be done about it, and it still works; the reason says what."""

    kind: Literal["requestMaintenance"] = "requestMaintenance"


class PlanMaintenance(Message):
    """Preventive maintenance: the first time, how long after each the next, how long before it an order is made.

    Durations in seconds. Without an interval there is no plan any more.
    """

    kind: Literal["planMaintenance"] = "planMaintenance"
    interval_seconds: int | None = None
    ahead_seconds: int = 0
    first_due_at: datetime | None = None


class StartMaintenance(Message):
    """Somebody repairs or maintains it. `order` is the maintenance order that asks; none: a person does it directly."""

    kind: Literal["startMaintenance"] = "startMaintenance"
    order: str = ""


class DemandRequalification(Message):
    """A maintenance order has done a major repair or change: a new qualification comes before the next use (EQ-06)."""

    kind: Literal["demandRequalification"] = "demandRequalification"
    order: str


class ReturnToService(Message):
    """Repaired. A `major` repair or change asks for a new qualification before the next use (EQ-06).

    A maintenance `order` gives back only what is qualified; one of a plan (`is_planned`) sets the next due date.
    """

    kind: Literal["returnToService"] = "returnToService"
    major: bool
    order: str = ""
    is_planned: bool = False


class Retire(Message):
    """Never used again."""

    kind: Literal["retire"] = "retire"


class Reserve(Message):
    """Kept for one batch."""

    kind: Literal["reserve"] = "reserve"
    batch: str


class CancelReservation(Message):
    """Free for any batch again."""

    kind: Literal["cancelReservation"] = "cancelReservation"


Act: TypeAlias = Annotated[
    Qualify
    | PerformCalibration
    | ReviewCalibration
    | StartCleaning
    | VerifyCleaning
    | ReportFault
    | RequestMaintenance
    | PlanMaintenance
    | StartMaintenance
    | DemandRequalification
    | ReturnToService
    | Retire
    | Reserve
    | CancelReservation,
    Field(discriminator="kind"),
]


class Actor(Message):
    """Who acts, when, and why."""

    person: str
    at: datetime
    reason: str | None = None


def perform(item: Item, of: EquipmentClass, act: Act, actor: Actor) -> Item:
    """The item after an act. Raises `Refused` with every blocker; nothing is changed then."""
    found: list[Blocker] = []
    changes = _RULES[type(act)](item, of, act, actor, found)
    check(found)
    return item.model_copy(update=changes)


Changes = dict[str, Any]


def _qualify(item: Item, of: EquipmentClass, act: Qualify, actor: Actor, found: list[Blocker]) -> Changes:
    found += _in_the_future(item, act.valid_until, actor.at)
    state = advance(item, QUALIFICATION, item.qualification, QualificationEvent.QUALIFY, found)
    return {"qualification": state, "qualified_until": act.valid_until}


def _perform_calibration(
    item: Item, of: EquipmentClass, act: PerformCalibration, actor: Actor, found: list[Blocker]
) -> Changes:
    found += occupied(item)
    if not act.found_within_tolerance:
        state = advance(item, CALIBRATION, item.calibration, CalibrationEvent.FIND_OUT_OF_TOLERANCE, found)
        return {"calibration": state}
    found += _in_the_future(item, act.due_at, actor.at)
    return {
        "calibration": advance(item, CALIBRATION, item.calibration, CalibrationEvent.PERFORM, found),
        "calibrated_by": actor.person,
        "next_certificate": act.certificate,
        "next_calibration_due_at": act.due_at,
    }


def _review_calibration(
    item: Item, of: EquipmentClass, act: ReviewCalibration, actor: Actor, found: list[Blocker]
) -> Changes:
    event = CalibrationEvent.ACCEPT if act.accept else CalibrationEvent.REJECT
    state = advance(item, CALIBRATION, item.calibration, event, found)
    found += same_person(actor.person, item.calibrated_by, item.kind, item.code, "review the calibration", "calibrated")
    if not act.accept:
        found += reason_missing(actor.reason, item.kind, item.code)
    changes: Changes = {
        "calibration": state,
        "calibrated_by": None,
        "next_certificate": None,
        "next_calibration_due_at": None,
    }
    if act.accept:
        found += _in_the_future(item, item.next_calibration_due_at, actor.at)
        changes |= {"certificate": item.next_certificate, "calibration_due_at": item.next_calibration_due_at}
    return changes


def _start_cleaning(item: Item, of: EquipmentClass, act: StartCleaning, actor: Actor, found: list[Blocker]) -> Changes:
    found += occupied(item)
    return {
        "cleaning": advance(item, CLEANING, item.cleaning, CleaningEvent.START_CLEANING, found),
        "cleaned_by": actor.person,
        "cleaning_level": act.level,
        "clean_until": None,
        "dirty_until": None,
    }


def _verify_cleaning(
    item: Item, of: EquipmentClass, act: VerifyCleaning, actor: Actor, found: list[Blocker]
) -> Changes:
    event = CleaningEvent.VERIFY if act.accept else CleaningEvent.FIND_DIRTY
    state = advance(item, CLEANING, item.cleaning, event, found)
    found += same_person(actor.person, item.cleaned_by, item.kind, item.code, "verify the cleaning", "cleaned")
    if not act.accept:
        found += reason_missing(actor.reason, item.kind, item.code)
        return {"cleaning": state, "cleaned_by": None, "dirty_until": after(actor.at, of.dirty_hold_seconds)}
    changes: Changes = {
        "cleaning": state,
        "cleaned_by": None,
        "clean_until": after(actor.at, of.clean_hold_seconds),
    }
    if item.cleaning_level == CleaningLevel.FULL:
        changes |= {"fully_cleaned_at": actor.at, "batches_since_full": 0}
    return changes


def _report_fault(item: Item, of: EquipmentClass, act: ReportFault, actor: Actor, found: list[Blocker]) -> Changes:
    found += reason_missing(actor.reason, item.kind, item.code)
    state = advance(item, AVAILABILITY, item.availability, AvailabilityEvent.FAIL, found)
    return {"availability": state, "reserved_for": None}


def _start_maintenance(
    item: Item, of: EquipmentClass, act: StartMaintenance, actor: Actor, found: list[Blocker]
) -> Changes:
    found += _led_by_an_order(item, act.order)
    return {"availability": advance(item, AVAILABILITY, item.availability, AvailabilityEvent.START_MAINTENANCE, found)}


def _led_by_an_order(item: Item, order: str) -> list[Blocker]:
    """A blocker when a maintenance order leads the item and a person acts past it."""
    if order or item.maintenance_order is None:
        return []
    return [
        Blocker(
            code="MAINTENANCE_ORDER_OPEN", entity=item.kind, id=item.code, found=item.maintenance_order,
            required="its own steps: approved, scheduled, begun, done, verified", who_can_fix="maintenance",
        )
    ]  # fmt: skip


def _demand_requalification(
    item: Item, of: EquipmentClass, act: DemandRequalification, actor: Actor, found: list[Blocker]
) -> Changes:
    if item.qualification != Qualification.QUALIFIED:
        return {}  # not qualified anyway
    return {"qualification": QUALIFICATION.advance(item.qualification, QualificationEvent.FALL_DUE)}


def _request_maintenance(
    item: Item, of: EquipmentClass, act: RequestMaintenance, actor: Actor, found: list[Blocker]
) -> Changes:
    found += reason_missing(actor.reason, item.kind, item.code)
    return {}


def _plan_maintenance(
    item: Item, of: EquipmentClass, act: PlanMaintenance, actor: Actor, found: list[Blocker]
) -> Changes:
    if act.interval_seconds is None:
        return {
            "maintenance_interval_seconds": None,
            "maintenance_due_at": None,
            "maintenance": Maintenance.NOT_PLANNED,
        }
    due = act.first_due_at or after(actor.at, act.interval_seconds)
    found += _in_the_future(item, due, actor.at)
    return {
        "maintenance_interval_seconds": act.interval_seconds,
        "maintenance_ahead_seconds": act.ahead_seconds,
        "maintenance_due_at": due,
        "maintenance": Maintenance.PLANNED,
    }


def _return_to_service(
    item: Item, of: EquipmentClass, act: ReturnToService, actor: Actor, found: list[Blocker]
) -> Changes:
    found += reason_missing(actor.reason, item.kind, item.code) + _led_by_an_order(item, act.order)
    if act.order:
        found += not_qualified(item, actor.at)
    state = advance(item, AVAILABILITY, item.availability, AvailabilityEvent.RETURN_TO_SERVICE, found)
    if item.batch is not None and not found:
        state = AVAILABILITY.advance(state, AvailabilityEvent.OCCUPY)
    changes: Changes = {"availability": state}
    if act.major and item.qualification == Qualification.QUALIFIED:
        changes["qualification"] = QUALIFICATION.advance(item.qualification, QualificationEvent.FALL_DUE)
    if act.order == item.maintenance_order:
        changes["maintenance_order"] = None
    if act.is_planned and item.maintenance_interval_seconds is not None:
        changes["maintenance_due_at"] = after(actor.at, item.maintenance_interval_seconds)
        changes["maintenance"] = Maintenance.PLANNED
    return changes


def _retire(item: Item, of: EquipmentClass, act: Retire, actor: Actor, found: list[Blocker]) -> Changes:
    found += reason_missing(actor.reason, item.kind, item.code) + occupied(item)
    return {
        "qualification": advance(item, QUALIFICATION, item.qualification, QualificationEvent.RETIRE, found),
        "availability": advance(item, AVAILABILITY, item.availability, AvailabilityEvent.TAKE_OUT_OF_SERVICE, found),
        "reserved_for": None,
    }


def _reserve(item: Item, of: EquipmentClass, act: Reserve, actor: Actor, found: list[Blocker]) -> Changes:
    state = advance(item, AVAILABILITY, item.availability, AvailabilityEvent.RESERVE, found)
    if item.kind == ItemKind.ROOM:
        found.append(
            Blocker(code="NOT_RESERVABLE", entity=item.kind, id=item.code, found="a room", required="equipment")
        )
    return {"availability": state, "reserved_for": act.batch}


def _cancel_reservation(
    item: Item, of: EquipmentClass, act: CancelReservation, actor: Actor, found: list[Blocker]
) -> Changes:
    state = advance(item, AVAILABILITY, item.availability, AvailabilityEvent.CANCEL_RESERVATION, found)
    return {"availability": state, "reserved_for": None}


_Rule: TypeAlias = Callable[[Item, EquipmentClass, Any, Actor, list[Blocker]], Changes]
_RULES: Final[dict[type[Message], _Rule]] = {
    Qualify: _qualify,
    PerformCalibration: _perform_calibration,
    ReviewCalibration: _review_calibration,
    StartCleaning: _start_cleaning,
    VerifyCleaning: _verify_cleaning,
    ReportFault: _report_fault,
    StartMaintenance: _start_maintenance,
    DemandRequalification: _demand_requalification,
    RequestMaintenance: _request_maintenance,
    PlanMaintenance: _plan_maintenance,
    ReturnToService: _return_to_service,
    Retire: _retire,
    Reserve: _reserve,
    CancelReservation: _cancel_reservation,
}


def _in_the_future(item: Item, until: datetime | None, at: datetime) -> list[Blocker]:
    if until is None or until > at:
        return []
    return [
        Blocker(
            code="DATE_PASSED",
            entity=item.kind,
            id=item.code,
            found=stamp(until),
            required=f"a time after {stamp(at)}",
        )
    ]
