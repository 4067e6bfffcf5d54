"""A scale that is read over OPC UA: tare, gross and unit of one moment, with the quality that the server gives them.

Nodes of our namespace: `Scale.Tare` and `Scale.Gross` (text, as the scale shows them), `Scale.Unit`, `Scale.IsStable`.
"""

from datetime import UTC, datetime
from typing import Any, Final

from asyncua import ua

from adapters.equipment.opcua_link import Link, OpcUaEndpoint
from domain.weighing import ScaleReading

NODES: Final = ("Scale.Tare", "Scale.Gross", "Scale.Unit", "Scale.IsStable")


class OpcUaScale:
    """One scale. Make it inside a running event loop; it connects at the first call and stays until `close`."""

    def __init__(self, endpoint: OpcUaEndpoint) -> None:
        self._url = endpoint.url
        self._link = Link(endpoint)

    async def read(self) -> ScaleReading:
        """What the scale shows now; a value of bad quality may be empty. Raises `AdapterRefused`, `AdapterUnreachable`.

        A bad value is an answer: asking again at once would give the same one, and a person stands beside.
        """
        found = await self._link.read(NODES)
        tare, gross, unit, is_stable = (None if value.Value is None else value.Value.Value for value in found)
        is_complete = None not in (tare, gross, unit, is_stable)
        return ScaleReading(
            tare=str(tare or ""), gross=str(gross or ""), unit=str(unit or ""), read_at=_time(found[1]),
            is_stable=bool(is_stable), is_good=is_complete and all(_is_good(value) for value in found),
        )  # fmt: skip

    async def close(self) -> None:
        """Let go of the connection."""
        await self._link.close()


def _is_good(value: ua.DataValue) -> bool:
    status: Any = value.StatusCode
    return status is None or bool(status.is_good())


def _time(value: ua.DataValue) -> datetime:
    at = value.SourceTimestamp or value.ServerTimestamp or datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
