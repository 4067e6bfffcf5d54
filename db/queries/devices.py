"""The register of devices: terminals and scanners, and where each may be used."""

from typing import Any

from sqlalchemy import Connection, select

from db.queries.written import stamp
from db.tables import Device, core
from domain.devices import DeviceUsed

DEVICES = core(Device)
Document = dict[str, Any]


def used(connection: Connection, code: str) -> DeviceUsed:
    """A device as a command names it; one that is not in service is as unknown as one that was never registered."""
    statement = select(DEVICES.c.work_centres).where(DEVICES.c.code == code, DEVICES.c.is_active)
    row = connection.execute(statement).one_or_none()
    return DeviceUsed(code=code, work_centres=None if row is None else tuple(row.work_centres))


def listed(connection: Connection, limit: int) -> list[Document]:
    """All devices, by code."""
    return [
        {
            "code": row.code, "name": row.name, "kind": row.kind, "workCentres": row.work_centres,
            "isActive": row.is_active, "registeredBy": row.registered_by, "registeredAt": stamp(row.registered_at),
        }
        for row in connection.execute(select(DEVICES).order_by(DEVICES.c.code).limit(limit))
    ]  # fmt: skip
