"""Terminals and scanners, and the workstations that each of them is registered for."""

from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from api.deps import Caller, Reading, only
from api.neighbours import once
from api.routing import Router
from api.security import now
from api.shapes import CommandBody, Identifier, Text
from db import devices
from db.devices import RegisteredDevice
from db.queries import devices as tables
from domain.devices import DeviceKind

router = Router(tags=["devices"])
Engineer = Annotated[Caller, Depends(only("registerDevice", "device"))]


class DeviceBody(CommandBody):
    """A device. One that is known is changed; one that is not active is refused everywhere."""

    code: Identifier
    name: Text
    kind: DeviceKind
    work_centres: tuple[Identifier, ...] = Field(default=(), max_length=100)
    is_active: bool = True


@router.get("/devices")
def listed(reading: Reading, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> dict[str, Any]:
    """All devices, by code."""
    return {"devices": tables.listed(reading, limit)}


@router.post("/devices")
def register(body: DeviceBody, who: Engineer) -> dict[str, Any]:
    """Register a terminal or scanner for workstations. Scales are registered as equipment: they are calibrated.

    409 UNKNOWN_WORKSTATION names every work centre that is none.
    """
    device = RegisteredDevice(**body.model_dump(include=set(RegisteredDevice.model_fields)))
    found = once(
        body.command_id, lambda key: devices.register(who.services.engine, device, key=key, actor=who.id, at=now())
    )
    return found.model_dump(mode="json", by_alias=True)
