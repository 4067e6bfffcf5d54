"""Which driver belongs to which workstation: read from master data, built when first needed.

A value `env:NAME` in a workstation's connection is taken from the environment, so that no secret stands in the record.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine, select

from adapters.equipment.job_control import JobControlEquipment
from adapters.equipment.manual import ManualStation
from adapters.equipment.opcua import OpcUaEndpoint, OpcUaEquipment
from adapters.equipment.port import Equipment
from adapters.equipment.scale import OpcUaScale
from db.tables import Workstation, core
from domain.errors import AdapterRefused, AdapterUnreachable
from domain.machine_states import StateProfile

WORKSTATIONS = core(Workstation)


class Stations:
    """The machines of the plant. One driver per workstation, kept until `close`."""

    def __init__(self, engine: Engine, environment: Mapping[str, str] | None = None) -> None:
        self._engine = engine
        self._environment = os.environ if environment is None else environment
        self._drivers: dict[str, Equipment] = {}
        self._scales: dict[str, OpcUaScale] = {}

    async def at(self, workstation: str) -> Equipment:
        """The driver of a workstation; `AdapterRefused` when there is no such workstation."""
        if workstation not in self._drivers:
            connection = await asyncio.to_thread(self._connection, workstation)
            # A driver belongs to the loop that it was made in.
            self._drivers.setdefault(workstation, _driver(workstation, connection))
        return self._drivers[workstation]

    async def scale_at(self, workstation: str) -> OpcUaScale:
        """The connected scale of a workstation. Refuses SCALE_NOT_CONNECTED."""
        if workstation not in self._scales:
            connection = await asyncio.to_thread(self._connection, workstation)
            if "url" not in connection:
                raise AdapterRefused("SCALE_NOT_CONNECTED", f"{workstation} has no connected scale: type the weight")
            self._scales.setdefault(workstation, OpcUaScale(_endpoint(connection)))
        return self._scales[workstation]

    async def batch_name(self, workstation: str, lot: str) -> str:
        """The lot's number as the machine knows it: without the prefix that the connection names."""
        connection = await asyncio.to_thread(self._connection, workstation)
        return lot.removeprefix(connection.get("batchPrefix", ""))

    async def close(self) -> None:
        """Close every connection."""
        for driver in self._drivers.values():
            await driver.close()
        for scale in self._scales.values():
            await scale.close()
        self._drivers.clear()
        self._scales.clear()

    def _connection(self, workstation: str) -> dict[str, str]:
        with self._engine.begin() as connection:
            statement = select(WORKSTATIONS.c.connection).where(WORKSTATIONS.c.code == workstation)
            row = connection.execute(statement).one_or_none()
        if row is None:
            raise AdapterRefused("UNKNOWN_WORKSTATION", f"there is no workstation {workstation}")
        return {name: self._resolved(workstation, value) for name, value in (row.connection or {}).items()}

    def _resolved(self, workstation: str, value: str) -> str:
        if not value.startswith("env:"):
            return value
        name = value.removeprefix("env:")
        if name not in self._environment:
            raise AdapterUnreachable(workstation, f"{name} is not set in the gateway's environment")
        return self._environment[name]


def _driver(workstation: str, connection: Mapping[str, str]) -> Equipment:
    if "url" not in connection:
        return ManualStation(workstation)
    profile = connection.get("stateProfile", StateProfile.OPC_30050)
    if profile not in [str(own) for own in StateProfile]:
        known = ", ".join(StateProfile)
        raise AdapterRefused("UNKNOWN_STATE_PROFILE", f"{workstation} speaks {profile}; known are {known}")
    endpoint = _endpoint(connection)
    match connection.get("protocol", "methods"):
        case "methods":
            return OpcUaEquipment(endpoint, StateProfile(profile))
        case "jobControl":
            journal = connection.get("journal") == "methods"
            return JobControlEquipment(endpoint, StateProfile(profile), journal=journal)
        case other:
            known = "methods, jobControl"
            raise AdapterRefused("UNKNOWN_PROTOCOL", f"{workstation} speaks {other}; known are {known}")


def _endpoint(connection: Mapping[str, str]) -> OpcUaEndpoint:
    return OpcUaEndpoint(
        url=connection["url"],
        user=connection.get("user", "mes"),
        password=connection.get("password", ""),
        identity=Path(connection.get("identity", "")),
    )
