"""Line clearances, training records, and whether an operation could start now."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from adapters.equipment_register.port import ClearanceForm
from api import equipment
from api.commands import WORK_ORDER
from api.deps import Caller, Reading, Who, only
from api.errors import not_found
from api.history import Folded
from api.routes.work_orders import read
from api.routing import Router
from api.security import Role, now
from api.shapes import Body, CommandBody, Identifier, Text, Time
from db.queries import equipment as tables
from db.queries.marking import marked
from domain.equipment_gate import ClearanceItem
from domain.rules.start_gate import need_of, obstacles

router = Router(tags=["equipment"])
Document = dict[str, Any]
Doer = Annotated[Caller, Depends(only("recordLineClearance", "line-clearance", Role.OPERATOR, Role.SUPERVISOR))]
Checker = Annotated[
    Caller, Depends(only("checkLineClearance", "line-clearance", Role.OPERATOR, Role.SUPERVISOR, Role.QA_REVIEWER))
]
Trainer = Annotated[
    Caller,
    Depends(only("registerTraining", "training", Role.SUPERVISOR, Role.QA_REVIEWER, Role.QUALITY_MANAGER)),
]


class ItemBody(Body):
    """One thing that was checked."""

    item: Text
    passed: bool
    remark: Annotated[str, Query(max_length=200)] = ""


class ClearanceBody(CommandBody):
    """A line clearance (CN 201): room, product, batch, operation, and each item with its result."""

    room: Identifier
    product: Identifier
    batch: Identifier
    operation: Identifier
    items: Annotated[tuple[ItemBody, ...], Query(min_length=1, max_length=200)]


class CheckBody(CommandBody):
    """The checker's word; a no needs a reason."""

    accept: bool


class TrainingBody(CommandBody):
    """Who holds which qualification, until when."""

    person: Identifier
    qualification: Identifier
    valid_until: Time


@router.post("/line-clearances")
async def record_clearance(body: ClearanceBody, who: Doer) -> Document:
    """Record a line clearance; it counts when another person has checked it."""
    form = ClearanceForm(
        room=body.room, product=body.product, batch=body.batch, operation=body.operation,
        items=tuple(ClearanceItem(**item.model_dump()) for item in body.items),
    )  # fmt: skip
    register = who.services.equipment
    return await equipment.write(
        who, body, "recordLineClearance", f"room/{body.room}",
        lambda key: register.record_clearance(form, key=key, actor=who.id),
    )  # fmt: skip


@router.post("/line-clearances/{number}/check")
async def check_clearance(number: Identifier, body: CheckBody, who: Checker) -> Document:
    """Check a line clearance, by another person than who did it."""
    register = who.services.equipment
    return await equipment.write(
        who, body, "checkLineClearance", f"line-clearance/{number}",
        lambda key: register.check_clearance(number, body.accept, key=key, actor=who.id, reason=body.reason),
    )  # fmt: skip


@router.get("/line-clearances")
def clearances(
    reading: Reading,
    batch: Identifier | None = None,
    room: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Document:
    """Line clearances of a batch or a room, newest first."""
    return {"lineClearances": marked(reading, tables.clearances(reading, batch, room, limit))}


@router.post("/training-records")
async def register_training(body: TrainingBody, who: Trainer) -> Document:
    """Register or renew a training; the newest record counts."""
    register = who.services.equipment
    return await equipment.write(
        who, body, "registerTraining", f"user/{body.person}",
        lambda key: register.register_training(
            body.person, body.qualification, body.valid_until, key=key, actor=who.id
        ),
    )  # fmt: skip


@router.get("/training-records")
def trainings(
    reading: Reading, person: Identifier | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> Document:
    """Training records of a person or of everybody, newest first."""
    return {"trainingRecords": tables.trainings(reading, person, limit)}


@router.get("/mes/work-orders/{work_order_id}/operations/{code}/readiness")
def readiness(work_order_id: UUID, code: Identifier, who: Who, person: Identifier | None = None) -> Document:
    """Whether a person (who asks, if nobody is named) could start the operation now: everything in the way at once.

    Nothing is changed. Without `startGate` in the order's policy only the order itself is asked.
    """

    def looked_at(folded: Folded, number: str) -> Document:
        process = folded.process
        if code not in process.work_orders[number].operations:
            raise not_found("operation", code)
        return {
            "workOrder": number,
            "gate": process.specification.policy.start_gate,
            "need": need_of(process, number, code, person or who.id),
            "blockers": obstacles(process, number, code, now()),
        }

    found = read(who.services, WORK_ORDER, work_order_id, looked_at)
    blockers = list(found["blockers"])
    if found["gate"]:
        blockers += who.services.equipment.check(found["need"])
    return {
        "workOrder": found["workOrder"],
        "operation": code,
        "person": person or who.id,
        "startGate": found["gate"],
        "ready": not blockers,
        "blockers": [blocker.model_dump(mode="json", by_alias=True) for blocker in blockers],
    }
