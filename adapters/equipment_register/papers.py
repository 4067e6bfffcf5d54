"""Line clearances and training records.

Every function with a `request` runs inside the transaction that `db.once.answer_once` opened.
"""

from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from adapters.equipment_register.port import ClearanceAnswer, ClearanceForm, TrainingAnswer
from db import register as rows
from db.once import Done, Request
from db.tables import LineClearance, TrainingRecord, UserAccount, core
from domain.equipment import Item, ItemKind, after, occupant
from domain.equipment_gate import Clearance, Training
from domain.errors import AdapterRefused, Blocker
from domain.rules.common import reason_missing, same_person

CLEARANCES: Final = core(LineClearance)
TRAININGS: Final = core(TrainingRecord)
PEOPLE: Final = core(UserAccount)


def clearances(connection: Connection, batch: str, operation: str) -> tuple[Clearance, ...]:
    """All clearances that were written for an operation of a batch, in whatever room."""
    statement = select(CLEARANCES).where(CLEARANCES.c.batch == batch, CLEARANCES.c.operation == operation)
    return tuple(Clearance.model_validate(dict(row._mapping)) for row in connection.execute(statement))


def training(connection: Connection, person: str, qualification: str) -> Training | None:
    """The newest record of a person's qualification."""
    statement = (
        select(TRAININGS)
        .where(TRAININGS.c.person == person, TRAININGS.c.qualification == qualification)
        .order_by(TRAININGS.c.id.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Training.model_validate(dict(row._mapping))


def record_clearance(connection: Connection, request: Request, form: ClearanceForm) -> Done[ClearanceAnswer]:
    """The doer's part. The previous batch is what the room says, not what somebody remembers."""
    room = _room(connection, form.room)
    if room.batch is not None and room.batch != form.batch:
        raise AdapterRefused(
            "ROOM_OCCUPIED", f"{room.batch} is in {room.code}", (occupant(room, "a room without another batch"),)
        )
    made = connection.execute(select(func.count()).where(CLEARANCES.c.room == form.room)).scalar_one()
    number = f"{form.room}-LC{made + 1}"
    content = form.model_dump(mode="json", by_alias=True)
    row = {
        "number": number, "room": form.room, "product": form.product, "batch": form.batch,
        "operation": form.operation, "previous_batch": room.last_batch, "items": content["items"],
        "performed_by": request.actor, "performed_at": request.at,
    }  # fmt: skip
    connection.execute(insert(CLEARANCES).values(row))
    entry = request.audit(
        "line-clearance.performed", content | {"previousBatch": room.last_batch}, entity=f"line-clearance/{number}"
    )
    return Done(ClearanceAnswer(number=number), [entry])


def _room(connection: Connection, code: str) -> Item:
    found = [room for room in rows.read(connection, [code], lock=True) if room.kind == ItemKind.ROOM]
    if not found:
        raise AdapterRefused("UNKNOWN_ROOM", f"there is no room {code}")
    return found[0]


def check_clearance(
    connection: Connection, request: Request, number: str, accept: bool, reason: str | None
) -> Done[ClearanceAnswer]:
    """The checker's part: another person, and nothing that failed is accepted."""
    statement = select(CLEARANCES).where(CLEARANCES.c.number == number).with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise AdapterRefused("UNKNOWN_CLEARANCE", f"there is no line clearance {number}")
    paper, entity = Clearance.model_validate(dict(row._mapping)), "line clearance"
    found = same_person(request.actor, row.performed_by, entity, number, "check", "did the clearance")
    if row.checked_by is not None:
        found.append(_fault("ALREADY_CHECKED", number, f"checked by {row.checked_by}", "a new clearance"))
    failed = [own.item for own in paper.items if not own.passed]
    if accept and failed:
        found.append(_fault("CLEARANCE_ITEM_FAILED", number, ", ".join(failed), "every item passed"))
    if not accept:
        found += reason_missing(reason, entity, number)
    if found:
        raise AdapterRefused("CLEARANCE_REFUSED", f"{number} is not checked", tuple(found))
    (room,) = rows.read(connection, [row.room])
    of = rows.classes(connection)[room.equipment_class]
    until = after(request.at, of.clearance_valid_seconds) if accept else None
    values = {"checked_by": request.actor, "checked_at": request.at, "accepted": accept, "valid_until": until}
    connection.execute(update(CLEARANCES).where(CLEARANCES.c.number == number).values(values))
    entry = request.audit("line-clearance.checked", {"accepted": accept, "validUntil": until}, reason=reason)
    return Done(ClearanceAnswer(number=number, is_cleared=accept, valid_until=until), [entry])


def _fault(code: str, number: str, found: str, required: str) -> Blocker:
    return Blocker(
        code=code, entity="line clearance", id=number, found=found, required=required, who_can_fix="operator"
    )


def register_training(connection: Connection, request: Request, asked: TrainingAnswer) -> Done[TrainingAnswer]:
    """A new record; nobody vouches for himself."""
    known = connection.execute(select(PEOPLE.c.id).where(PEOPLE.c.id == asked.person)).scalar_one_or_none()
    if known is None:
        raise AdapterRefused("UNKNOWN_PERSON", f"there is no user {asked.person}")
    if own := same_person(request.actor, asked.person, "user", asked.person, "register the training", "was trained"):
        raise AdapterRefused("SEPARATION_OF_DUTIES", own[0].found, tuple(own))
    row = {
        "person": asked.person, "qualification": asked.qualification, "valid_until": asked.valid_until,
        "registered_by": request.actor, "registered_at": request.at, "command_id": request.key,
    }  # fmt: skip
    connection.execute(insert(TRAININGS).values(row))
    entry = request.audit("training.registered", asked.model_dump(mode="json", by_alias=True))
    return Done(asked, [entry])
