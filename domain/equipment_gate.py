"""The gate before an operation starts: what of equipment, room, line, person and material stands in the way.

`blockers` names everything at once and changes nothing. `occupy`, `free` and `expire` change one item.
Sources: EQ-01 … EQ-06, EB-06, AC-09, PO-08 of the GMP requirements.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.base import Message
from domain.equipment import (
    CleaningLevel,
    EquipmentClass,
    Item,
    ItemKind,
    Maintenance,
    after,
    maintenance_soon_at,
    not_qualified,
    occupant,
    stamp,
)  # fmt: skip
from domain.equipment_states import (
    AVAILABILITY,
    CALIBRATION,
    CLEANING,
    QUALIFICATION,
    Availability,
    AvailabilityEvent,
    Calibration,
    CalibrationEvent,
    Cleaning,
    CleaningEvent,
    Qualification,
    QualificationEvent,
)
from domain.errors import Blocker
from domain.maintenance import MaintenanceCause


class StartNeed(Message):
    """What an operation needs before it starts. `person` is who starts it; `lots` were issued for it."""

    work_order: str
    operation: str
    workstation: str
    product: str
    batch: str
    person: str
    equipment_class: str = ""
    room: str = ""
    clearance: tuple[str, ...] = ()
    training: str = ""
    lots: tuple[str, ...] = ()


class ClearanceItem(Message):
    """One thing that was checked, and whether it was as it should be."""

    item: str
    passed: bool
    remark: str = ""


class Clearance(Message):
    """A line clearance: who checked what, who confirmed it, until when it holds."""

    number: str
    room: str
    batch: str
    operation: str
    items: tuple[ClearanceItem, ...]
    performed_at: datetime
    checked_by: str | None = None
    accepted: bool | None = None
    valid_until: datetime | None = None


class Training(Message):
    """A person holds a qualification until then (exclusive)."""

    person: str
    qualification: str
    valid_until: datetime


class Situation(Message):
    """What the register knows about one start: the station's equipment, its rooms, papers, lots."""

    items: tuple[Item, ...]
    rooms: tuple[Item, ...] = ()
    classes: dict[str, EquipmentClass] = {}
    clearances: tuple[Clearance, ...] = ()
    training: Training | None = None
    lots: dict[str, str] = {}
    """Lot number → quality status."""


def blockers(need: StartNeed, situation: Situation, at: datetime) -> list[Blocker]:
    """Everything that stands in the way of a start at this moment; empty when nothing does."""
    found = _station(need, situation)
    for item in (*situation.items, *situation.rooms):
        found += _axes(need, item, situation.classes.get(item.equipment_class), at)
    if need.clearance:
        found += _clearance(need, situation, at)
    if need.training:
        found += _training(need, situation.training, at)
    return found + _lots(need, situation.lots)


def _station(need: StartNeed, situation: Situation) -> list[Blocker]:
    found: list[Blocker] = []
    classes = {item.equipment_class for item in situation.items}
    if not situation.items or (need.equipment_class and need.equipment_class not in classes):
        required = f"equipment of class {need.equipment_class}" if need.equipment_class else "equipment in service"
        found.append(
            _blocker("EQUIPMENT_NOT_REGISTERED", "workstation", need.workstation, ", ".join(sorted(classes)) or "none",
                     required, "processEngineer")
        )  # fmt: skip
    rooms = {room.code for room in situation.rooms}
    if need.room and need.room not in rooms:
        found.append(
            _blocker("WRONG_ROOM", "workstation", need.workstation, f"in {', '.join(sorted(rooms)) or 'no room'}",
                     f"equipment in room {need.room}", "processEngineer")
        )  # fmt: skip
    return found


def _axes(need: StartNeed, item: Item, of: EquipmentClass | None, at: datetime) -> list[Blocker]:
    return [
        *not_qualified(item, at),
        *calibration_blockers(item, at),
        *_availability(need, item),
        *(() if item.batch is not None else _cleaning(need, item, of, at)),
    ]


def calibration_blockers(item: Item, at: datetime) -> list[Blocker]:
    """A blocker for an item that has to be calibrated and is not, or not any more."""
    if item.calibration == Calibration.NOT_REQUIRED:
        return []
    is_over = item.calibration_due_at is None or at >= item.calibration_due_at
    if item.calibration in (Calibration.CALIBRATED, Calibration.DUE_SOON) and not is_over:
        return []
    due = "" if item.calibration_due_at is None else f", due {stamp(item.calibration_due_at)}"
    found = f"{item.calibration}{due}, last certificate {item.certificate or 'none'}"
    return [
        _blocker("CALIBRATION_EXPIRED", item.kind, item.code, found, "a valid calibration, reviewed", "metrology")
    ]  # fmt: skip


def _availability(need: StartNeed, item: Item) -> list[Blocker]:
    found: list[Blocker] = []
    if item.availability in (Availability.DOWN, Availability.UNDER_MAINTENANCE, Availability.OUT_OF_SERVICE):
        found.append(_blocker("DOWN", item.kind, item.code, item.availability, "available", "maintenance"))
    if item.availability == Availability.RESERVED and item.reserved_for != need.batch:
        reserved = f"reserved for batch {item.reserved_for}"
        found.append(_blocker("EQUIPMENT_RESERVED", item.kind, item.code, reserved, "no reservation", "supervisor"))
    if item.batch is None:
        return found
    # A room takes all operations of its batch at once; a machine one operation at a time.
    is_ours = item.batch == need.batch and (item.kind == ItemKind.ROOM or _same_operation(need, item))
    return found if is_ours else [*found, occupant(item, f"free for batch {need.batch}")]


def _same_operation(need: StartNeed, item: Item) -> bool:
    return (item.work_order, item.operation_code) == (need.work_order, need.operation)


def _cleaning(need: StartNeed, item: Item, of: EquipmentClass | None, at: datetime) -> list[Blocker]:
    goes_on = item.last_batch == need.batch
    if item.cleaning == Cleaning.TO_BE_CLEANED and goes_on:
        return []
    if item.cleaning != Cleaning.CLEAN:
        before = "" if item.last_batch is None else f" after batch {item.last_batch} ({item.last_product})"
        return [_not_clean(item, f"{item.cleaning}{before}", "clean")]
    if item.clean_until is not None and at >= item.clean_until:
        return [_not_clean(item, f"clean until {stamp(item.clean_until)}", "clean")]
    if item.cleaning_level == CleaningLevel.MINOR and item.last_product != need.product:
        return [_not_clean(item, f"minor cleaning after {item.last_product}", f"full cleaning before {need.product}")]
    if of is not None and not goes_on and (campaign := _campaign(item, of, at)) is not None:
        return [_not_clean(item, campaign, "full cleaning")]
    return []


def _campaign(item: Item, of: EquipmentClass, at: datetime) -> str | None:
    if of.campaign_batches is not None and item.batches_since_full >= of.campaign_batches:
        return f"{item.batches_since_full} batches since the last full cleaning, at most {of.campaign_batches}"
    ends = None if item.fully_cleaned_at is None else after(item.fully_cleaned_at, of.campaign_seconds)
    if ends is not None and item.batches_since_full > 0 and at >= ends:
        return f"the campaign ended {stamp(ends)}"
    return None


def _not_clean(item: Item, found: str, required: str) -> Blocker:
    return _blocker("NOT_CLEAN", item.kind, item.code, found, required, "operator")


def _clearance(need: StartNeed, situation: Situation, at: datetime) -> list[Blocker]:
    rooms = situation.rooms or situation.items
    place = need.room or (rooms[0].code if rooms else need.workstation)
    room = next((room for room in rooms if room.code == place), None)
    left = None if room is None else room.freed_at
    previous = "no earlier batch" if room is None or room.last_batch is None else f"previous batch {room.last_batch}"
    own = [paper for paper in situation.clearances if (paper.batch, paper.operation) == (need.batch, need.operation)]
    newest = max((paper for paper in own if paper.room == place), key=lambda paper: paper.performed_at, default=None)
    if newest is None:
        elsewhere = sorted({paper.room for paper in own})
        state, missing = f"a clearance of {', '.join(elsewhere)}" if elsewhere else "no clearance", need.clearance
    else:
        state, missing = _of_paper(need, newest, left, at)
    if not state:
        return []
    found = f"{state}; {previous}; missing: {', '.join(missing) or 'nothing'}"
    return [
        _blocker("CLEARANCE_MISSING", "room", place, found,
                 f"a clearance of {place} for batch {need.batch}, operation {need.operation}, done and checked",
                 "operator")
    ]  # fmt: skip


def _of_paper(need: StartNeed, paper: Clearance, left: datetime | None, at: datetime) -> tuple[str, tuple[str, ...]]:
    """What is wrong with a clearance, empty when nothing is; and the items that it does not show as passed."""
    passed = {own.item for own in paper.items if own.passed}
    missing = tuple(item for item in need.clearance if item not in passed)
    if left is not None and paper.performed_at < left:
        return f"{paper.number} was done before {stamp(left)}", need.clearance
    if paper.checked_by is None:
        return f"{paper.number} is not checked", missing
    if not paper.accepted:
        return f"{paper.number} was not accepted", missing or need.clearance
    if paper.valid_until is not None and at >= paper.valid_until:
        return f"{paper.number} was valid until {stamp(paper.valid_until)}", need.clearance
    return (f"{paper.number} is not complete", missing) if missing else ("", ())


def _training(need: StartNeed, training: Training | None, at: datetime) -> list[Blocker]:
    if training is not None and at < training.valid_until:
        return []
    found = "no record" if training is None else f"expired {stamp(training.valid_until)}"
    return [
        _blocker("TRAINING_MISSING", "user", need.person, f"{need.training}: {found}", f"valid {need.training}",
                 "qaReviewer")
    ]  # fmt: skip


def _lots(need: StartNeed, lots: dict[str, str]) -> list[Blocker]:
    return [
        _blocker("LOT_NOT_RELEASED", "lot", lot, lots.get(lot, "unknown"), "released", "qcAnalyst")
        for lot in dict.fromkeys(need.lots)
        if lots.get(lot) != "released"
    ]


def scale_blockers(code: str, item: Item | None, workstation: str | None, at: datetime) -> list[Blocker]:
    """Everything that stands in the way of weighing on a scale at this moment (MT-06, AC-10).

    A scale is always calibrated: one that never had to be cannot weigh. With a `workstation` it has to stand there.
    """
    required = f"a scale that is registered for {workstation}" if workstation else "a registered scale"
    if item is None or item.kind != ItemKind.EQUIPMENT:
        name = "DEVICE_NOT_ALLOWED" if workstation else "EQUIPMENT_NOT_REGISTERED"
        return [_blocker(name, "equipment", code, "an unknown scale", required, "processEngineer")]
    found = not_qualified(item, at) + calibration_blockers(item, at)
    if item.calibration == Calibration.NOT_REQUIRED:
        state = "never calibrated: registered as not needing it"
        found.append(_blocker("CALIBRATION_EXPIRED", item.kind, code, state, "a valid calibration", "metrology"))
    if item.availability in (Availability.DOWN, Availability.UNDER_MAINTENANCE, Availability.OUT_OF_SERVICE):
        found.append(_blocker("DOWN", item.kind, code, item.availability, "available", "maintenance"))
    if workstation is not None and item.workstation != workstation:
        at_place = f"registered for {item.workstation or 'no workstation'}"
        found.append(_blocker("DEVICE_NOT_ALLOWED", item.kind, code, at_place, required, "processEngineer"))
    return found


def _blocker(code: str, entity: str, identity: str, found: str, required: str, who: str) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who)


# What happens to an item -------------------------------------------------------------------------------------------


def occupy(item: Item, need: StartNeed, at: datetime) -> Item:
    """The item with the batch in it. Call it after `blockers` found nothing."""
    if item.batch is not None:
        return item  # the room of a batch that has begun another operation in it
    begins = item.last_batch != need.batch or item.cleaning == Cleaning.CLEAN
    return item.model_copy(
        update={
            "availability": AVAILABILITY.advance(item.availability, AvailabilityEvent.OCCUPY),
            "cleaning": CLEANING.advance(item.cleaning, CleaningEvent.OCCUPY),
            "reserved_for": None,
            "batch": need.batch,
            "product": need.product,
            "work_order": need.work_order,
            "operation_code": None if item.kind == ItemKind.ROOM else need.operation,
            "occupied_since": at,
            "clean_until": None,
            "dirty_until": None,
            "batches_since_full": item.batches_since_full + begins,
        }
    )


def free(item: Item, of: EquipmentClass, at: datetime) -> Item:
    """The item after its batch: to be cleaned, and its time to wait for that has begun."""
    availability = item.availability
    if availability == Availability.IN_USE:  # what broke down stays down
        availability = AVAILABILITY.advance(availability, AvailabilityEvent.FREE)
    return item.model_copy(
        update={
            "availability": availability,
            "cleaning": CLEANING.advance(item.cleaning, CleaningEvent.FREE),
            "dirty_until": after(at, of.dirty_hold_seconds),
            "last_batch": item.batch,
            "last_product": item.product,
            "freed_at": at,
            "batch": None,
            "product": None,
            "work_order": None,
            "operation_code": None,
            "occupied_since": None,
        }
    )


def expire(item: Item, of: EquipmentClass, at: datetime) -> Item:
    """The item with everything that time alone has changed by `at`; asking again changes nothing."""
    changes: dict[str, object] = {}
    if item.cleaning == Cleaning.CLEAN and _passed(item.clean_until, at):
        changes["cleaning"] = CLEANING.advance(item.cleaning, CleaningEvent.EXPIRE)
    if item.cleaning == Cleaning.TO_BE_CLEANED and _passed(item.dirty_until, at):
        changes["cleaning"] = CLEANING.advance(item.cleaning, CleaningEvent.EXCEED_DIRTY_HOLD)
    if item.calibration in (Calibration.CALIBRATED, Calibration.DUE_SOON) and _passed(item.calibration_due_at, at):
        changes["calibration"] = CALIBRATION.advance(item.calibration, CalibrationEvent.FALL_OVERDUE)
    elif item.calibration == Calibration.CALIBRATED and _passed(due_soon_at(item, of), at):
        changes["calibration"] = CALIBRATION.advance(item.calibration, CalibrationEvent.FALL_DUE_SOON)
    if item.qualification == Qualification.QUALIFIED and _passed(item.qualified_until, at):
        changes["qualification"] = QUALIFICATION.advance(item.qualification, QualificationEvent.FALL_DUE)
    if item.maintenance in (Maintenance.PLANNED, Maintenance.DUE_SOON) and _passed(item.maintenance_due_at, at):
        changes["maintenance"] = Maintenance.OVERDUE
    elif item.maintenance == Maintenance.PLANNED and _passed(maintenance_soon_at(item), at):
        changes["maintenance"] = Maintenance.DUE_SOON
    return item.model_copy(update=changes) if changes else item


def planned_work(before: Item, after: Item) -> Iterable[tuple[MaintenanceCause, datetime | None, str]]:
    """What time alone has made due by the change: cause, due date and words of each maintenance order (EQ-12)."""
    soon = (Maintenance.DUE_SOON, Maintenance.OVERDUE)
    if before.maintenance == Maintenance.PLANNED and after.maintenance in soon:
        yield MaintenanceCause.PREVENTIVE, after.maintenance_due_at, "preventive maintenance"
    late = (Calibration.DUE_SOON, Calibration.OVERDUE)
    if before.calibration == Calibration.CALIBRATED and after.calibration in late:
        yield MaintenanceCause.CALIBRATION, after.calibration_due_at, f"calibration, last {after.certificate}"


def deadlines(item: Item, of: EquipmentClass) -> Iterable[datetime]:
    """The moments at which time alone changes the item as it is now."""
    if item.cleaning == Cleaning.CLEAN and item.clean_until is not None:
        yield item.clean_until
    if item.cleaning == Cleaning.TO_BE_CLEANED and item.dirty_until is not None:
        yield item.dirty_until
    if item.calibration == Calibration.CALIBRATED and (soon := due_soon_at(item, of)) is not None:
        yield soon
    if item.calibration == Calibration.DUE_SOON and item.calibration_due_at is not None:
        yield item.calibration_due_at
    if item.qualification == Qualification.QUALIFIED and item.qualified_until is not None:
        yield item.qualified_until
    if item.maintenance == Maintenance.PLANNED and (soon := maintenance_soon_at(item)) is not None:
        yield soon
    if item.maintenance == Maintenance.DUE_SOON and item.maintenance_due_at is not None:
        yield item.maintenance_due_at


def due_soon_at(item: Item, of: EquipmentClass) -> datetime | None:
    """From when on a calibration is due soon."""
    if item.calibration_due_at is None:
        return None
    return item.calibration_due_at - timedelta(seconds=of.calibration_warning_seconds)


def next_look(items: Sequence[tuple[Item, EquipmentClass]], at: datetime) -> datetime | None:
    """When the clock has to look again; none when time changes nothing.

    The next known deadline, or the shortest hold from now: whatever becomes clean or dirty after this look cannot be
    over before that, so the clock is never late even if nobody tells it that something happened.
    """
    known = [moment for item, of in items for moment in deadlines(item, of)]
    holds = [seconds for _, of in items for seconds in (of.clean_hold_seconds, of.dirty_hold_seconds) if seconds]
    if holds:
        known.append(at + timedelta(seconds=min(holds)))
    return min(known, default=None)


def _passed(moment: datetime | None, at: datetime) -> bool:
    return moment is not None and at >= moment
