"""Equipment and rooms: their four axes, their labels and logs, and what people do to them."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Query

from api import equipment
from api.deps import Caller, Reading, Who, only
from api.errors import not_found
from api.routing import Router
from api.security import Role, now
from api.shapes import MAX_INT, CommandBody, Identifier, ReasonedBody, Text, Time
from db import machine_states as states
from db.queries import equipment as tables
from db.queries.marking import marked
from domain import equipment_acts as acts
from domain.equipment import CleaningLevel, EquipmentClass, Item, ItemKind, label

router = Router(tags=["equipment"])
Document = dict[str, Any]
Seconds = Annotated[int, Query(ge=1, le=MAX_INT)]
MayBeEmpty = Annotated[str, Query(max_length=80)]


def _may(action: str, *roles: Role) -> Any:
    return Depends(only(action, "equipment", *roles))


Engineer = Annotated[Caller, _may("registerEquipment", Role.PROCESS_ENGINEER)]
Quality = Annotated[Caller, _may("qualifyEquipment", Role.QUALITY_MANAGER)]
Metrology = Annotated[Caller, _may("calibrateEquipment", Role.METROLOGY)]
CalibrationReviewer = Annotated[Caller, _may("reviewCalibration", Role.METROLOGY, Role.QA_REVIEWER)]
Cleaner = Annotated[Caller, _may("cleanEquipment", Role.OPERATOR)]
CleaningVerifier = Annotated[Caller, _may("verifyCleaning", Role.OPERATOR, Role.SUPERVISOR, Role.QA_REVIEWER)]
Finder = Annotated[
    Caller, _may("reportFault", Role.OPERATOR, Role.SUPERVISOR, Role.MAINTENANCE, Role.METROLOGY, Role.INTEGRATION)
]
Mechanic = Annotated[Caller, _may("maintainEquipment", Role.MAINTENANCE)]
MaintenancePlanner = Annotated[Caller, _may("planMaintenance", Role.PROCESS_ENGINEER, Role.MAINTENANCE)]
Planner = Annotated[Caller, _may("reserveEquipment", Role.PLANNER, Role.SUPERVISOR)]


class ClassBody(CommandBody):
    """What all equipment of a class has in common; times in seconds, none means without limit."""

    code: Identifier
    name: Text
    clean_hold_seconds: Seconds | None = None
    dirty_hold_seconds: Seconds | None = None
    campaign_batches: Annotated[int, Query(ge=1, le=10_000)] | None = None
    campaign_seconds: Seconds | None = None
    calibration_warning_seconds: Annotated[int, Query(ge=0, le=MAX_INT)] = 0
    clearance_valid_seconds: Seconds | None = None


class ItemBody(CommandBody):
    """A new piece of equipment or room; `calibrated` says whether it has to be calibrated at all."""

    code: Identifier
    name: Text
    kind: ItemKind = ItemKind.EQUIPMENT
    equipment_class: Identifier
    workstation: MayBeEmpty = ""
    room: MayBeEmpty = ""
    line: MayBeEmpty = ""
    plant: MayBeEmpty = ""
    calibrated: bool = True


class QualifyBody(CommandBody):
    """Qualified, until then if a time is given."""

    valid_until: Time | None = None


class CalibrateBody(CommandBody):
    """A calibration: its certificate, when the next one is due, and how the instrument was found."""

    certificate: Text
    due_at: Time
    found_within_tolerance: bool


class AcceptBody(CommandBody):
    """The second person's word; a no needs a reason."""

    accept: bool


class VerifyBody(AcceptBody):
    """The second person's word on a cleaning; of a room `withEquipment` also on what was cleaned in it."""

    with_equipment: bool = False


class CleanBody(CommandBody):
    """How thoroughly: minor before the same product, full before any. A room may be cleaned with what stands in it."""

    level: CleaningLevel
    with_equipment: bool = False


class ReturnBody(ReasonedBody):
    """What was done; a major repair or change asks for a new qualification."""

    major: bool


class PlanBody(CommandBody):
    """Preventive maintenance: how long from one to the next, how long before it an order is made; seconds.

    Without an interval there is no plan any more.
    """

    interval_seconds: Seconds | None = None
    ahead_seconds: Annotated[int, Query(ge=0, le=MAX_INT)] = 0
    first_due_at: Time | None = None


class ReserveBody(CommandBody):
    """For which batch."""

    batch: Identifier


@router.get("/equipment-classes")
def classes(reading: Reading) -> Document:
    """All classes by code; times in seconds, none is without limit."""
    found = [EquipmentClass.model_validate(dict(row._mapping)) for row in tables.classes(reading)]
    return {"classes": [own.model_dump(mode="json", by_alias=True) for own in found]}


@router.post("/equipment-classes")
async def define_class(body: ClassBody, who: Engineer) -> Document:
    """Define a class of equipment, or change it."""
    of = EquipmentClass(**body.model_dump(exclude={"command_id", "reason", "signature"}))
    register = who.services.equipment
    return await equipment.write(
        who, body, "defineEquipmentClass", f"equipment-class/{of.code}",
        lambda key: register.define_class(of, key=key, actor=who.id),
    )  # fmt: skip


@router.post("/equipment")
async def register(body: ItemBody, who: Engineer) -> Document:
    """Register equipment or a room: not qualified, not calibrated and to be cleaned, until people say otherwise."""
    item = Item(**body.model_dump(exclude={"command_id", "reason", "signature", "calibrated"}))
    having = who.services.equipment
    return await equipment.write(
        who, body, "registerEquipment", f"equipment/{item.code}",
        lambda key: having.register(item, calibrated=body.calibrated, key=key, actor=who.id),
    )  # fmt: skip


@router.get("/equipment")
def listed(
    reading: Reading,
    who: Who,
    kind: ItemKind | None = None,
    room: Identifier | None = None,
    workstation: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    after: Identifier | None = None,
) -> Document:
    """Equipment and rooms of the caller's plants by code, with axes and label; `next` is `after` of the next page."""
    found = tables.items(reading, after, limit, who.scope.plants, kind=kind, room=room, workstation=workstation)
    return {
        "equipment": marked(reading, [_shown(item) for item in found]),
        "next": found[-1].code if len(found) == limit else None,
    }


@router.get("/equipment/{code}")
def one(code: Identifier, reading: Reading) -> Document:
    """One item with what its status label says: contents with product and batch, or until when it is clean."""
    item = tables.item(reading, code)
    if item is None:
        raise not_found("equipment", code)
    shown: Document = marked(reading, _shown(item))
    return shown


def _shown(item: Item) -> Document:
    return item.model_dump(mode="json", by_alias=True) | {
        "label": label(item, now()).model_dump(mode="json", by_alias=True)
    }


@router.get("/equipment/{code}/log")
def log(
    code: Identifier,
    reading: Reading,
    after: Annotated[int, Query(ge=0, le=MAX_INT)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Document:
    """The log of an item: use, cleaning, calibration, maintenance, fault; in order, without gaps, never edited."""
    if tables.item(reading, code) is None:
        raise not_found("equipment", code)
    found = tables.log(reading, code, after, limit)
    return {
        "equipment": code,
        "entries": marked(reading, found),
        "next": found[-1]["sequence"] if len(found) == limit else None,
    }


@router.get("/equipment/{code}/machine-states")
def machine_states(
    code: Identifier,
    reading: Reading,
    since: Time | None = None,
    until: Time | None = None,
    flagged: bool = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Document:
    """What the machine at this item's workstation said of its own state, newest first; the last 24 hours by default.

    `state` is the PackML name of `number` in `profile`, none where the profile has no such number. `finding` is
    `impossibleJump` (the standard has no such step from `previous`), `unknownState` or `changesMissing` (the machine's
    journal lost what came before); `flagged=true` gives only those.
    """
    item = tables.item(reading, code)
    if item is None:
        raise not_found("equipment", code)
    end = until or now()
    begin = since or end - timedelta(hours=24)
    found = states.changes_of(reading, item.workstation, begin, end, limit, flagged) if item.workstation else []
    return {"equipment": code, "workstation": item.workstation, "changes": [states.document(row) for row in found]}


@router.post("/equipment/{code}/qualify")
async def qualify(code: Identifier, body: QualifyBody, who: Quality) -> Document:
    """Qualify, for the first time or again."""
    return await equipment.perform(who, code, body, acts.Qualify(valid_until=body.valid_until))


@router.post("/equipment/{code}/calibrate")
async def calibrate(code: Identifier, body: CalibrateBody, who: Metrology) -> Document:
    """Calibrate; it counts when another person has reviewed it. Found out of tolerance it opens a deviation."""
    act = acts.PerformCalibration(
        certificate=body.certificate, due_at=body.due_at, found_within_tolerance=body.found_within_tolerance
    )
    return await equipment.request(who, code, body, act)


@router.post("/equipment/{code}/review-calibration")
async def review_calibration(code: Identifier, body: AcceptBody, who: CalibrationReviewer) -> Document:
    """Review a calibration, by another person than who did it."""
    return await equipment.perform(who, code, body, acts.ReviewCalibration(accept=body.accept))


@router.post("/equipment/{code}/clean")
async def clean(code: Identifier, body: CleanBody, who: Cleaner) -> Document:
    """Clean; it counts when another person has verified it."""
    return await equipment.perform(
        who, code, body, acts.StartCleaning(level=body.level, with_equipment=body.with_equipment)
    )


@router.post("/equipment/{code}/verify-cleaning")
async def verify_cleaning(code: Identifier, body: VerifyBody, who: CleaningVerifier) -> Document:
    """Verify a cleaning, by another person than who cleaned: its clean hold time begins."""
    act = acts.VerifyCleaning(accept=body.accept, with_equipment=body.with_equipment)
    return await equipment.perform(who, code, body, act)


@router.post("/equipment/{code}/report-fault")
async def report_fault(code: Identifier, body: ReasonedBody, who: Finder) -> Document:
    """Report a fault: down until repaired and verified; its maintenance order holds what runs on it."""
    return await equipment.request(who, code, body, acts.ReportFault())


@router.post("/equipment/{code}/request-maintenance")
async def request_maintenance(code: Identifier, body: ReasonedBody, who: Finder) -> Document:
    """Ask for maintenance of something that still works: a maintenance order."""
    return await equipment.request(who, code, body, acts.RequestMaintenance())


@router.post("/equipment/{code}/plan-maintenance")
async def plan_maintenance(code: Identifier, body: PlanBody, who: MaintenancePlanner) -> Document:
    """Plan preventive maintenance: orders are made ahead of their due date by themselves."""
    act = acts.PlanMaintenance(
        interval_seconds=body.interval_seconds, ahead_seconds=body.ahead_seconds, first_due_at=body.first_due_at
    )
    return await equipment.perform(who, code, body, act)


@router.post("/equipment/{code}/start-maintenance")
async def start_maintenance(code: Identifier, body: CommandBody, who: Mechanic) -> Document:
    """Begin a repair or planned maintenance."""
    return await equipment.perform(who, code, body, acts.StartMaintenance())


@router.post("/equipment/{code}/return-to-service")
async def return_to_service(code: Identifier, body: ReturnBody, who: Mechanic) -> Document:
    """Give it back after a repair; after a major one it has to be qualified again."""
    return await equipment.perform(who, code, body, acts.ReturnToService(major=body.major))


@router.post("/equipment/{code}/retire")
async def retire(code: Identifier, body: ReasonedBody, who: Quality) -> Document:
    """Take it out of service for ever."""
    return await equipment.perform(who, code, body, acts.Retire())


@router.post("/equipment/{code}/reserve")
async def reserve(code: Identifier, body: ReserveBody, who: Planner) -> Document:
    """Keep it for one batch."""
    return await equipment.perform(who, code, body, acts.Reserve(batch=body.batch))


@router.post("/equipment/{code}/cancel-reservation")
async def cancel_reservation(code: Identifier, body: CommandBody, who: Planner) -> Document:
    """Let any batch have it again."""
    return await equipment.perform(who, code, body, acts.CancelReservation())
