"""A simulated scale behind OPC UA: what lies on it is what was put on it. For tests, training and demonstrations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from asyncua import ua
from asyncua.common.node import Node
from asyncua.ua.status_codes import StatusCodes

from adapters.equipment import opcua_names as names
from adapters.equipment.pki import Identity
from adapters.equipment.press_server import secured


@dataclass
class ScaleServer:
    """A scale that listens on 127.0.0.1."""

    _nodes: dict[str, Node] = field(default_factory=dict)

    @asynccontextmanager
    async def serving(self, port: int, identity: Identity, user: str, password: str) -> AsyncIterator["ScaleServer"]:
        """Listen until the end of the block. Raises `OSError` if the port is taken."""
        server = await secured(port, identity, user, password, "scale")
        index = await server.register_namespace(names.NAMESPACE)
        scale = await server.nodes.objects.add_object(names.node_id("Scale", index), f"{index}:Scale")
        for name, value in (("Tare", "0"), ("Gross", "0"), ("Unit", "kg"), ("IsStable", True)):
            path = names.node_id(f"Scale.{name}", index)
            self._nodes[name] = await scale.add_variable(path, f"{index}:{name}", value)
        async with server:
            yield self

    async def put(self, tare: str, gross: str, unit: str = "kg", *, stable: bool = True, good: bool = True) -> None:
        """Put something on it."""
        code = ua.StatusCode() if good else ua.StatusCode(ua.UInt32(StatusCodes.BadSensorFailure))
        for name, value in (("Tare", tare), ("Gross", gross), ("Unit", unit), ("IsStable", stable)):
            await self._nodes[name].write_value(ua.DataValue(ua.Variant(value), StatusCode=code))
