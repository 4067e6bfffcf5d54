"""Maintenance orders: repairs, preventive maintenance and calibrations, each led by a process of its own (SM-9)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from api.commands import MAINTENANCE, perform
from api.deps import Reading, Who
from api.errors import not_found
from api.openapi import of_command
from api.routing import Router
from api.shapes import CommandBody, Identifier, LongText, ReasonedBody, Time
from db.projection.cases import CASES
from db.queries import cases, targets
from db.queries.equipment import inside
from domain import maintenance_commands as mc
from domain.commands import Command
from domain.maintenance import Part
from domain.quantities import Exact

router = Router(prefix="/maintenance-orders", tags=["equipment"])
Document = dict[str, Any]


class ScheduleBody(CommandBody):
    """Who does it, and when."""

    assignee: Identifier
    planned_at: Time


class WorkBody(CommandBody):
    """What was done, with which parts, in how many hours; a major repair or change asks for a new qualification."""

    work: LongText
    parts: tuple[Part, ...] = Field(default=(), max_length=200)
    hours: Annotated[Exact, Field(ge=0, le=100_000)]
    major: bool


@router.get("")
def listed(
    reading: Reading,
    who: Who,
    equipment: Identifier | None = None,
    state: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Document:
    """Maintenance orders, newest first; `interrupted` are the batches that a fault may have touched."""
    found = cases.page(
        reading,
        limit,
        inside(who.scope.plants, CASES.c.equipment),
        kind=cases.MAINTENANCE,
        equipment=equipment,
        state=state,
    )
    return {"maintenanceOrders": found}


@router.get("/{maintenance_id}")
def one(maintenance_id: UUID, reading: Reading) -> Document:
    """A maintenance order with everything that has happened to it, oldest first."""
    target = targets.find(reading, MAINTENANCE, maintenance_id)
    found = None if target is None else cases.detail(reading, target.order_number)
    if found is None:
        raise not_found("maintenance order", maintenance_id)
    return found


def _add(path: str, kind: type[Command], shape: type[CommandBody]) -> None:
    """One command of a maintenance order: `shape` is what its body holds."""

    async def command(maintenance_id: UUID, body: CommandBody, who: Who) -> Response:
        return await perform(who, kind, MAINTENANCE, maintenance_id, body)

    command.__annotations__["body"] = shape
    place = f"/{{maintenance_id}}/{path}"
    router.add_api_route(place, command, methods=["POST"], name=f"maintenance-{path}", **of_command(kind))


_COMMANDS: tuple[tuple[str, type[Command], type[CommandBody]], ...] = (
    ("approve", mc.ApproveMaintenance, CommandBody),
    ("schedule", mc.ScheduleMaintenance, ScheduleBody),
    ("begin", mc.BeginMaintenance, CommandBody),
    ("report-work", mc.ReportMaintenanceWork, WorkBody),
    ("verify", mc.VerifyMaintenance, CommandBody),
    ("verify-as-quality", mc.VerifyMaintenanceAsQuality, CommandBody),
    ("close", mc.CloseMaintenance, CommandBody),
    ("cancel", mc.CancelMaintenance, ReasonedBody),
)
for _path, _kind, _shape in _COMMANDS:
    _add(_path, _kind, _shape)
