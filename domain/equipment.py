"""A piece of equipment or a room: its four axes, what it holds, and what people do to it.

Every act is a pure function: the item before, the item after, or `Refused` with everything that stands in the way.
Times are UTC; an instant that is due belongs to the time after it: what is due at noon may not be used at noon.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from domain.base import Message
from domain.equipment_states import (
    AVAILABILITY,
    CALIBRATION,
    CLEANING,
    QUALIFICATION,
    Availability,
    Calibration,
    Cleaning,
    Qualification,
)
from domain.errors import Blocker
from domain.rules.common import invalid_transition
from domain.states import StateMachine, TransitionRefused


class ItemKind(StrEnum):
    """What stands in the register. A room has the same axes and the same log as what stands in it."""

    EQUIPMENT = "equipment"
    ROOM = "room"


class CleaningLevel(StrEnum):
    """How thoroughly it was cleaned: for the same product again, or for any product (EQ-04)."""

    MINOR = "minor"
    FULL = "full"


class Maintenance(StrEnum):
    """How its preventive maintenance stands. Being overdue is a warning; it does not close the gate."""

    NOT_PLANNED = "notPlanned"
    PLANNED = "planned"
    DUE_SOON = "dueSoon"
    OVERDUE = "overdue"


class EquipmentClass(Message):
    """What all equipment of one kind has in common. Times in seconds; none means without limit.

    `clean_hold_seconds` is how long clean stays clean, `dirty_hold_seconds` how long dirt may wait (EQ-03); a campaign
    is `campaign_batches` batches or `campaign_seconds` of one product between two full cleanings (EQ-04).
    `clearance_valid_seconds` is how long a line clearance of a room of this class holds (EB-06).
    """

    code: str
    name: str
    clean_hold_seconds: int | None = None
    dirty_hold_seconds: int | None = None
    campaign_batches: int | None = None
    campaign_seconds: int | None = None
    calibration_warning_seconds: int = 0
    clearance_valid_seconds: int | None = None


class Item(Message):
    """One piece of equipment, or one room, as it is now.

    `batch`, `product`, `work_order` and `operation_code` say what occupies it; `last_batch` and `last_product` what
    did before, until `freed_at`. `cleaned_by` and `calibrated_by` did what waits for a second person.
    """

    code: str
    name: str
    kind: ItemKind = ItemKind.EQUIPMENT
    equipment_class: str
    workstation: str = ""
    room: str = ""
    line: str = ""
    plant: str = ""
    """Whose it is; without a plant it belongs to everybody."""
    qualification: Qualification = QUALIFICATION.initial
    qualified_until: datetime | None = None
    calibration: Calibration = CALIBRATION.initial
    calibration_due_at: datetime | None = None
    certificate: str | None = None
    calibrated_by: str | None = None
    next_certificate: str | None = None
    next_calibration_due_at: datetime | None = None
    cleaning: Cleaning = CLEANING.initial
    cleaning_level: CleaningLevel | None = None
    cleaned_by: str | None = None
    clean_until: datetime | None = None
    dirty_until: datetime | None = None
    fully_cleaned_at: datetime | None = None
    batches_since_full: int = 0
    availability: Availability = AVAILABILITY.initial
    reserved_for: str | None = None
    batch: str | None = None
    product: str | None = None
    work_order: str | None = None
    operation_code: str | None = None
    occupied_since: datetime | None = None
    last_batch: str | None = None
    last_product: str | None = None
    freed_at: datetime | None = None
    maintenance_interval_seconds: int | None = None
    """Its preventive maintenance: how long after the last one the next is due, and how long before an order is made."""
    maintenance_ahead_seconds: int = 0
    maintenance_due_at: datetime | None = None
    maintenance: Maintenance = Maintenance.NOT_PLANNED
    maintenance_order: str | None = None
    """The maintenance order that leads it: nobody else begins or ends work on it."""


class Activity(StrEnum):
    """What the log says an item was doing. It follows from the axes: the log and the state cannot disagree."""

    IDLE = "idle"
    USE = "use"
    CLEAN = "clean"
    CALIBRATE = "calibrate"
    MAINTAIN = "maintain"
    FAULT = "fault"
    OUT_OF_SERVICE = "outOfService"


def activity(item: Item) -> Activity:
    """What an item is doing now; a fault during use is a fault."""
    match item.availability:
        case Availability.OUT_OF_SERVICE:
            return Activity.OUT_OF_SERVICE
        case Availability.DOWN:
            return Activity.FAULT
        case Availability.UNDER_MAINTENANCE:
            return Activity.MAINTAIN
    if item.batch is not None:
        return Activity.USE
    if item.cleaning == Cleaning.CLEANING:
        return Activity.CLEAN
    if item.calibration == Calibration.PERFORMED:
        return Activity.CALIBRATE
    return Activity.IDLE


class Label(Message):
    """The status label that hangs on it (CN 87): what it holds, or until when it is clean."""

    code: str
    status: str
    product: str | None = None
    batch: str | None = None
    previous_product: str | None = None
    previous_batch: str | None = None
    clean_until: datetime | None = None
    calibration_due_at: datetime | None = None


def label(item: Item, at: datetime) -> Label:
    """The label at a moment. Nothing is called clean after its time, whether the clock has come by or not."""
    status = str(item.cleaning)
    if item.cleaning == Cleaning.CLEAN and item.clean_until is not None and at >= item.clean_until:
        status = str(Cleaning.CLEAN_EXPIRED)
    if item.availability in (Availability.DOWN, Availability.UNDER_MAINTENANCE, Availability.OUT_OF_SERVICE):
        status = str(item.availability)
    is_clean = status == Cleaning.CLEAN
    return Label(
        code=item.code,
        status=status,
        product=item.product,
        batch=item.batch,
        previous_product=None if is_clean else item.last_product,
        previous_batch=None if is_clean else item.last_batch,
        clean_until=item.clean_until if is_clean else None,
        calibration_due_at=item.calibration_due_at,
    )


S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def advance(item: Item, machine: StateMachine[S, E], state: S, event: E, found: list[Blocker]) -> S:
    """The axis after the event; where the table has no such step, a blocker is added and the axis stays."""
    try:
        return machine.advance(state, event)
    except TransitionRefused as refused:
        found.append(invalid_transition(machine.name, item.code, refused))
        return state


def after(at: datetime, seconds: int | None) -> datetime | None:
    """The moment so many seconds later; none without a limit."""
    return None if seconds is None else at + timedelta(seconds=seconds)


def maintenance_soon_at(item: Item) -> datetime | None:
    """From when on its preventive maintenance is due soon, and has an order (EQ-12)."""
    if item.maintenance_due_at is None:
        return None
    return item.maintenance_due_at - timedelta(seconds=item.maintenance_ahead_seconds)


def not_qualified(item: Item, at: datetime) -> list[Blocker]:
    """A blocker when it was not shown, or not lately, that it does what it has to."""
    is_over = item.qualified_until is not None and at >= item.qualified_until
    if item.qualification == Qualification.QUALIFIED and not is_over:
        return []
    until = "" if item.qualified_until is None else f", valid until {stamp(item.qualified_until)}"
    return [
        Blocker(
            code="EQUIPMENT_NOT_QUALIFIED", entity=item.kind, id=item.code, found=f"{item.qualification}{until}",
            required="qualified", who_can_fix="qualityManager",
        )
    ]  # fmt: skip


def occupied(item: Item) -> list[Blocker]:
    """A blocker when a batch is in it: nobody cleans, calibrates or repairs around a batch."""
    if item.batch is None:
        return []
    return [occupant(item, "an item without a batch")]


def occupant(item: Item, required: str) -> Blocker:
    """The blocker that names the batch in an item, and since when."""
    is_room = item.kind == ItemKind.ROOM
    since = "" if item.occupied_since is None else f" since {stamp(item.occupied_since)}"
    return Blocker(
        code="ROOM_OCCUPIED" if is_room else "EQUIPMENT_IN_USE",
        entity=item.kind,
        id=item.code,
        found=f"batch {item.batch} ({item.product}){since}",
        required=required,
        who_can_fix="operator",
    )


def stamp(at: datetime) -> str:
    """A time as people read it in a blocker: ISO 8601 in UTC, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
