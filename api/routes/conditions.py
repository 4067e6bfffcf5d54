"""Maintenance by condition: when it is proposed, what is proposed, and what people made of it (A22)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from adapters.equipment_register import requests as maintenance
from api.cases_door import opening
from api.clock import now
from api.deps import Caller, Reading, Who, only
from api.direct_acts import act
from api.errors import Problem, refused
from api.routing import Router
from api.shapes import CommandBody, Identifier, ReasonedBody
from db import audit, register
from db.once import Request
from db.queries import conditions as tables
from db.queries import scopes
from db.session import reading as reading_of
from domain.base import Message, uuid_for
from domain.equipment_states import Availability
from domain.maintenance import MaintenanceCause
from domain.maintenance_conditions import ConditionKind, Direction, MaintenanceCondition, judged

router = Router(tags=["maintenance"])
Planner = Annotated[Caller, Depends(only("planMaintenance", "maintenance-condition"))]
Decider = Annotated[Caller, Depends(only("decideMaintenanceProposal", "maintenance-proposal"))]


class ConditionBody(CommandBody):
    """When to propose: `limit` hours or pieces since the last maintenance, or where the line of `tag` must not come."""

    code: Annotated[str, Field(min_length=3, max_length=60, pattern=r"^[A-Z][A-Z0-9-]*$")]
    equipment: Identifier
    kind: ConditionKind
    limit: Annotated[Decimal, Field(max_digits=30, decimal_places=12)]
    tag: Annotated[str, Field(max_length=80)] = ""
    direction: Direction = Direction.ABOVE
    window: Annotated[int, Field(ge=5, le=200)] = 10
    ahead: Annotated[int, Field(ge=0, le=100)] = 5
    is_active: bool = True


class DismissBody(ReasonedBody):
    """Why not, and for how many days the condition is quiet."""

    quiet_days: Annotated[int, Field(ge=1, le=365)] = 7


class Defined(Message):
    """A condition that was written."""

    code: str


class Decided(Message):
    """What became of a proposal; the maintenance order that an acceptance has requested."""

    number: str
    state: str
    maintenance_order: str | None = None


@router.get("/maintenance-conditions")
def conditions(reading: Reading, who: Who, equipment: Identifier | None = None) -> dict[str, Any]:
    """Conditions by code, each with how it stands (`now`: value, slope per job, number of jobs, whether it is due)."""
    found = tables.conditions(reading, equipment, who.scope.plants)
    return {
        "conditions": [tables.shown(own, judged(own, tables.jobs_since_maintenance(reading, own))) for own in found]
    }


@router.post("/maintenance-conditions")
def define(body: ConditionBody, who: Planner) -> dict[str, Any]:
    """Write a condition, or change the one of that code. It proposes, and never begins maintenance by itself."""
    own = MaintenanceCondition(**body.model_dump(include=set(tables.FIELDS)))
    _inside(who, own)
    told = own.model_dump(mode="json", by_alias=True)
    request = Request("defineCondition", f"maintenance-condition/{own.code}", body.command_id, who.id, now(), told)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[Defined, Sequence[audit.Entry]]:
        if not register.read(connection, [own.equipment]):
            raise refused("UNKNOWN_ITEM", "equipment", own.equipment, "no such equipment", "an item of the register")
        if own.kind is ConditionKind.TREND and not own.tag:
            raise refused("TAG_MISSING", "maintenance condition", own.code, "no tag", "the value whose trend is meant")
        before = next((one for one in tables.conditions(connection, None) if one.code == own.code), None)
        if before is not None and before.equipment != own.equipment:
            raise refused(
                "CONDITION_OF_ANOTHER", "maintenance condition", own.code, before.equipment, "a code of its own"
            )
        tables.define(connection, own, request.actor, request.at)
        old = None if before is None else before.model_dump(mode="json", by_alias=True)
        return Defined(code=own.code), [request.audit("maintenance-condition.set", told, old=old, reason=body.reason)]

    return act(who, request, Defined, work).model_dump(mode="json", by_alias=True)


@router.get("/maintenance-proposals")
def proposals(
    reading: Reading,
    who: Who,
    equipment: Identifier | None = None,
    state: Literal["open", "accepted", "dismissed"] | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Proposals, newest first, with what was found and what a person decided."""
    return {"proposals": tables.proposals(reading, equipment, state, limit, who.scope.plants)}


@router.post("/maintenance-proposals/{proposal}/accept")
async def accept(proposal: Identifier, body: CommandBody, who: Decider) -> dict[str, Any]:
    """Request the maintenance order that was proposed: the usual one, which people approve, plan and do."""
    request = Request("acceptProposal", f"maintenance-proposal/{proposal}", body.command_id, who.id, now(), {})

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[Decided, Sequence[audit.Entry]]:
        row = _open(connection, proposal)
        (item,) = register.read(connection, [row.equipment], lock=True)
        if item.availability == Availability.OUT_OF_SERVICE:
            raise refused("INVALID_TRANSITION", "equipment", item.code, item.availability, "equipment in service")
        detail = f"proposal {proposal}: {row.finding['kind']} {row.finding['tag']}".strip()
        said = f"{detail} {row.finding['value']}, limit {row.finding['limit']}"
        number, requested = maintenance.write(
            connection, item, MaintenanceCause.REQUEST, said, request.actor, request.at
        )
        tables.decide(connection, proposal, state="accepted", decided_by=request.actor, decided_at=request.at,
                      reason=body.reason, maintenance_order=number)  # fmt: skip
        told = {"state": "accepted", "decidedAt": request.at.isoformat(), "maintenanceOrder": number}
        entry = request.audit("maintenance.accepted", told, old={"state": "open"}, reason=body.reason)
        return Decided(number=proposal, state="accepted", maintenance_order=number), [requested, entry]

    answer = await run_in_threadpool(act, who, request, Decided, work)
    assert answer.maintenance_order is not None
    with suppress(Problem):  # what could not be begun now is begun later, from what was written
        await who.services.outcomes.ask(opening(answer.maintenance_order), who.services.cases.begin_unstarted)
    identity = str(uuid_for("maintenance", answer.maintenance_order))
    return answer.model_dump(mode="json", by_alias=True) | {"maintenanceOrderId": identity}


@router.post("/maintenance-proposals/{proposal}/dismiss")
def dismiss(proposal: Identifier, body: DismissBody, who: Decider) -> dict[str, Any]:
    """Nothing is done now; the condition proposes again when it is still due after the quiet days."""
    request = Request(
        "dismissProposal", f"maintenance-proposal/{proposal}", body.command_id, who.id, now(),
        {"quietDays": body.quiet_days, "reason": body.reason},
    )  # fmt: skip

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[Decided, Sequence[audit.Entry]]:
        _open(connection, proposal)
        until = request.at + timedelta(days=body.quiet_days)
        tables.decide(connection, proposal, state="dismissed", decided_by=request.actor, decided_at=request.at,
                      reason=body.reason, quiet_until=until)  # fmt: skip
        told = {"state": "dismissed", "decidedAt": request.at.isoformat(), "quietUntil": until.isoformat()}
        entry = request.audit("maintenance.dismissed", told, old={"state": "open"}, reason=body.reason)
        return Decided(number=proposal, state="dismissed"), [entry]

    return act(who, request, Decided, work).model_dump(mode="json", by_alias=True)


def _inside(who: Caller, own: MaintenanceCondition) -> None:
    """Refuse equipment of another plant: it stands in the body, where the gate does not look."""
    with reading_of(who.services.engine) as connection:
        place = scopes.of_equipment(connection, own.equipment)
    if place is not None:
        who.scope.refuse_outside(who, f"equipment/{own.equipment}", place, who.id)


def _open(connection: Connection, number: str) -> Any:
    row = tables.proposal(connection, number)
    if row is None:
        raise refused("UNKNOWN_PROPOSAL", "maintenance proposal", number, "no such proposal", "a proposal")
    if row.state != "open":
        found = f"{row.state} by {row.decided_by}"
        raise refused("INVALID_TRANSITION", "maintenance proposal", number, found, "an open proposal")
    return row
