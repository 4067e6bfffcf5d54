"""Registering terminals and scanners: each command once, the newest registration counts."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert

from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from db.tables import Device, Workstation, core
from domain.base import Message
from domain.devices import DeviceKind
from domain.errors import AdapterRefused, Blocker

SYSTEM: Final = "record"
DEVICES, STATIONS = core(Device), core(Workstation)


class RegisteredDevice(Message):
    """A device, and the workstations that it is registered for from now on. One that is not active is nowhere."""

    code: str
    name: str
    kind: DeviceKind
    work_centres: tuple[str, ...]
    is_active: bool = True


def register(engine: Engine, device: RegisteredDevice, *, key: str, actor: str, at: datetime) -> RegisteredDevice:
    """Register a device, or change what it is registered for. Refuses UNKNOWN_WORKSTATION for each, KEY_REUSED."""
    request = Request("registerDevice", f"device/{device.code}", key, actor, at, {"device": device})
    return answer_once(
        engine, SYSTEM, COMMAND_OUTCOMES, request, RegisteredDevice, lambda c: _register(c, request, device)
    )


def _register(connection: Connection, request: Request, device: RegisteredDevice) -> Done[RegisteredDevice]:
    known = set(connection.execute(select(STATIONS.c.code).where(STATIONS.c.code.in_(device.work_centres))).scalars())
    blockers = tuple(
        Blocker(
            code="UNKNOWN_WORKSTATION", entity="device", id=device.code, found=centre,
            required="a workstation of the master data", who_can_fix="processEngineer",
        )
        for centre in device.work_centres
        if centre not in known
    )  # fmt: skip
    if blockers:
        raise AdapterRefused("UNKNOWN_WORKSTATION", f"{device.code} is not registered", blockers)
    values = device.model_dump(mode="json") | {"registered_by": request.actor, "registered_at": request.at}
    connection.execute(insert(DEVICES).values(values).on_conflict_do_update(index_elements=["code"], set_=values))
    return Done(device, [request.audit("device.registered", device.model_dump(mode="json", by_alias=True))])
