"""Registering items, what people do to them, and what time does to them.

Every function runs inside one transaction; those with a `request` inside that of `db.once.answer_once`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from adapters.equipment_register import doubtful, requests
from adapters.equipment_register.port import ClassAnswer, FaultAnswer, ItemAnswer
from db import audit
from db import register as rows
from db.once import Done, Request
from db.queries import policies
from db.queries.alarms import raise_alarm_once
from db.register import ITEMS, By
from db.tables import Deviation, Workstation, core
from domain import equipment_acts as acts
from domain import equipment_gate as gate
from domain.equipment import EquipmentClass, Item, ItemKind, stamp
from domain.equipment_states import (
    AVAILABILITY,
    CALIBRATION,
    AvailabilityEvent,
    Calibration,
    CalibrationEvent,
    Cleaning,
)
from domain.errors import AdapterRefused, Blocker, Refused
from domain.maintenance import MaintenanceCause
from domain.rules.common import SYSTEM

DEVIATIONS: Final = core(Deviation)
WORKSTATIONS: Final = core(Workstation)
JOB_ABORTED: Final = "JOB_ABORTED"


def define_class(connection: Connection, request: Request, of: EquipmentClass) -> Done[ClassAnswer]:
    """Write a class; one of this code is changed."""
    values = of.model_dump(mode="python")
    connection.execute(upsert(rows.CLASSES).values(values).on_conflict_do_update(index_elements=["code"], set_=values))
    entry = request.audit("equipment-class.defined", of.model_dump(mode="json", by_alias=True))
    return Done(ClassAnswer(code=of.code), [entry])


def register(connection: Connection, request: Request, item: Item, calibrated: bool) -> Done[ItemAnswer]:
    """A new item. One that never needs calibration says so from the start."""
    if found := _unknown(connection, item):
        raise AdapterRefused("ITEM_REFUSED", f"{item.code} is not registered", tuple(found))
    if not calibrated:
        state = CALIBRATION.advance(item.calibration, CalibrationEvent.EXEMPT)
        item = item.model_copy(update={"calibration": state})
    rows.add(connection, item, By("register", request.actor, request.at))
    new = {name: value for name, value in item.model_dump(mode="json", by_alias=True).items() if value is not None}
    entry = request.audit(f"{item.kind}.registered", new, entity=f"{item.kind}/{item.code}")
    return Done(_answer(item), [entry])


def _unknown(connection: Connection, item: Item) -> list[Blocker]:
    def blocker(code: str, found: str, required: str) -> Blocker:
        return Blocker(
            code=code, entity=item.kind, id=item.code, found=found, required=required, who_can_fix="processEngineer"
        )

    found: list[Blocker] = []
    if rows.read(connection, [item.code]):
        found.append(blocker("ITEM_KNOWN", "registered already", "a code that nothing has"))
    if item.equipment_class not in rows.classes(connection):
        found.append(blocker("UNKNOWN_CLASS", item.equipment_class, "a class of the register"))
    if item.room and not any(room.kind == ItemKind.ROOM for room in rows.read(connection, [item.room])):
        found.append(blocker("UNKNOWN_ROOM", item.room, "a room of the register"))
    stations = select(WORKSTATIONS.c.code).where(WORKSTATIONS.c.code == item.workstation)
    if item.workstation and connection.execute(stations).scalar_one_or_none() is None:
        found.append(blocker("UNKNOWN_WORKSTATION", item.workstation, "a workstation of the master data"))
    return found


def act(connection: Connection, request: Request, code: str, asked: acts.Act, reason: str | None) -> Done[ItemAnswer]:
    """Do something to an item, and to what is cleaned with it. What time has changed meanwhile is written first."""
    items = rows.read(connection, [code, *_cleaned_with(connection, code, asked)], lock=True)
    if all(item.code != code for item in items):
        raise AdapterRefused("UNKNOWN_ITEM", f"there is no equipment or room {code}")
    if isinstance(asked, acts.VerifyCleaning):
        items = [item for item in items if item.code == code or item.cleaning == Cleaning.CLEANING]
    actor = acts.Actor(person=request.actor, at=request.at, reason=reason)
    changes, entries = _performed(connection, items, asked, actor)
    by = By(asked.kind, request.actor, request.at, reason)
    for before, after in changes:
        rows.change(connection, before, after, by)
        old, changed = rows.difference(before, after)
        new = asked.model_dump(mode="json", by_alias=True, exclude={"kind"}) | _axes(after) | changed
        name = f"{after.kind}/{after.code}"
        entries.append(request.audit(f"{after.kind}.{asked.kind}", new, entity=name, reason=reason, old=old))
    before, after = next(change for change in changes if change[1].code == code)
    answer = _answer(after)
    if after.calibration == Calibration.OUT_OF_TOLERANCE and isinstance(asked, acts.PerformCalibration):
        batches = doubtful.batches(connection, code, request.at)
        found = f"{code} found out of tolerance, certificate {asked.certificate}; last good {before.certificate}; "
        found += f"batches since then: {', '.join(batches) or 'none'}"
        number, entry = _deviation(connection, code, "OUT_OF_TOLERANCE", found, request.actor, request.at)
        answer, entries = answer.model_copy(update={"deviations": (number,), "batches": batches}), [*entries, entry]
    if isinstance(asked, acts.ReportFault | acts.RequestMaintenance):
        cause = MaintenanceCause.FAULT if isinstance(asked, acts.ReportFault) else MaintenanceCause.REQUEST
        number, entry = requests.write(connection, after, cause, reason or "", request.actor, request.at)
        answer, entries = answer.model_copy(update={"maintenance_order": number}), [*entries, entry]
    return Done(answer, entries)


def fail_at(
    connection: Connection, request: Request, workstation: str, detail: str, order_number: str | None = None
) -> Done[FaultAnswer]:
    """A machine says that it has failed: all equipment of its station that is not down already."""
    items = [
        item
        for item in rows.read(connection, rows.station(connection, workstation), lock=True)
        if item.kind == ItemKind.EQUIPMENT and AVAILABILITY.allows(item.availability, AvailabilityEvent.FAIL)
    ]
    actor = acts.Actor(person=request.actor, at=request.at, reason=detail)
    changes, entries = _performed(connection, items, acts.ReportFault(), actor)
    numbers: list[str] = []
    for before, after in changes:
        rows.change(connection, before, after, By("reportFault", request.actor, request.at, detail))
        name = f"{after.kind}/{after.code}"
        entries.append(request.audit(f"{after.kind}.reportFault", _axes(after), entity=name, reason=detail))
        number, entry = requests.write(
            connection, after, MaintenanceCause.FAULT, detail, request.actor, request.at
        )  # fmt: skip
        numbers.append(number)
        entries.append(entry)
    _call_somebody(connection, request, workstation, detail, order_number, numbers)
    return Done(FaultAnswer(maintenance_orders=tuple(numbers)), entries)


def _call_somebody(
    connection: Connection, request: Request, workstation: str, detail: str, order_number: str | None,
    numbers: Sequence[str],
) -> None:  # fmt: skip
    nothing = f"look at {workstation}, where no equipment is registered or all of it is down already"
    first = f"repair it by {', '.join(numbers)}" if numbers else nothing
    said = f"{detail}. Next: {first}; decide the deviation; then report by hand what was made"
    subject = f"workstation/{workstation}"
    raise_alarm_once(connection, JOB_ABORTED, said, request.at, f"{JOB_ABORTED}/{request.key}", subject, order_number)


def _performed(
    connection: Connection, items: Sequence[Item], asked: acts.Act, actor: acts.Actor
) -> tuple[list[tuple[Item, Item]], list[audit.Entry]]:
    """(Before, after) of every item and what time had changed of it; one that refuses refuses all."""
    known, found = rows.classes(connection), list[Blocker]()
    changes: list[tuple[Item, Item]] = []
    entries: list[audit.Entry] = []
    for item in items:
        of = known[item.equipment_class]
        now, expired = _expired(connection, item, of, actor.at)
        entries += expired
        try:
            changes.append((now, acts.perform(now, of, asked, actor)))
        except Refused as refused:
            found += refused.blockers
    if found:
        raise AdapterRefused("ACT_REFUSED", str(Refused(tuple(found))), tuple(found))
    return changes, entries


def _cleaned_with(connection: Connection, code: str, asked: acts.Act) -> list[str]:
    if isinstance(asked, acts.StartCleaning | acts.VerifyCleaning) and asked.with_equipment:
        return rows.in_room(connection, code)
    return []


def due(connection: Connection, at: datetime) -> list[str]:
    """Codes of the items that time may have changed by `at`; the rule decides when they are locked."""
    known = rows.classes(connection)
    statement = select(ITEMS).where(
        or_(
            ITEMS.c.clean_until <= at, ITEMS.c.dirty_until <= at, ITEMS.c.calibration_due_at.is_not(None),
            ITEMS.c.qualified_until <= at, ITEMS.c.maintenance_due_at.is_not(None),
        )
    )  # fmt: skip
    items = [rows.item_of(row) for row in connection.execute(statement.order_by(ITEMS.c.code))]
    return [item.code for item in items if gate.expire(item, known[item.equipment_class], at) != item]


def expire(connection: Connection, code: str, at: datetime) -> None:
    """Write what time has done to one item, once."""
    (item,) = rows.read(connection, [code], lock=True)
    _, entries = _expired(connection, item, rows.classes(connection)[item.equipment_class], at)
    audit.append(connection, entries)


def next_look(connection: Connection, at: datetime) -> datetime | None:
    """When the clock has to look again."""
    known = rows.classes(connection)
    items = [rows.item_of(row) for row in connection.execute(select(ITEMS).where(ITEMS.c.qualification != "retired"))]
    return gate.next_look([(item, known[item.equipment_class]) for item in items], at)


def _expired(connection: Connection, before: Item, of: EquipmentClass, at: datetime) -> tuple[Item, list[audit.Entry]]:
    after = gate.expire(before, of, at)
    if after == before:
        return before, []
    rows.change(connection, before, after, By("expire", SYSTEM, at))
    old, new = _axes(before), _axes(after)
    changed = {name: value for name, value in new.items() if old[name] != value}
    entity = f"{after.kind}/{after.code}"
    entries = [audit.Entry(at, SYSTEM, f"{after.kind}.expired", entity, {name: old[name] for name in changed}, changed)]
    if after.cleaning == Cleaning.DIRTY_HOLD_EXCEEDED != before.cleaning and before.dirty_until is not None:
        found = f"{after.code} was to be cleaned before {stamp(before.dirty_until)}, after batch {before.last_batch}"
        entries.append(_deviation(connection, after.code, "DIRTY_HOLD_EXCEEDED", found, SYSTEM, at)[1])
    for cause, due_at, detail in gate.planned_work(before, after):
        entries.append(requests.write(connection, after, cause, detail, SYSTEM, at, due_at)[1])
    return _with_order(connection, after), entries


def _with_order(connection: Connection, item: Item) -> Item:
    """The item with the maintenance order that leads it by now."""
    statement = select(ITEMS.c.maintenance_order).where(ITEMS.c.code == item.code)
    return item.model_copy(update={"maintenance_order": connection.execute(statement).scalar_one()})


def _deviation(
    connection: Connection, equipment: str, code: str, detail: str, actor: str, at: datetime
) -> tuple[str, audit.Entry]:
    """Open a deviation of an item, numbered by the item; its row is locked by the caller."""
    prefix = f"{equipment}-ED"
    made = connection.execute(
        select(func.count()).where(func.starts_with(DEVIATIONS.c.number, prefix), DEVIATIONS.c.order_number.is_(None))
    ).scalar_one()
    number = f"{prefix}{made + 1}"
    row = {
        "number": number, "code": code, "detail": detail, "equipment": equipment, "state": "open", "opened_by": actor,
        "opened_at": at, "has_process": policies.deviation_rules(connection) is not None,
    }  # fmt: skip
    connection.execute(insert(DEVIATIONS).values(row))
    new = {"code": code, "detail": detail, "equipment": equipment, "state": "open"}
    return number, audit.Entry(at, actor, "deviation.opened", f"deviation/{number}", None, new)


def _axes(item: Item) -> dict[str, str]:
    return {axis: str(getattr(item, axis)) for axis in rows.AXES}


def _answer(item: Item) -> ItemAnswer:
    return ItemAnswer(code=item.code, **_axes(item))
