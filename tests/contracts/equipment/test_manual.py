"""A station without a machine says so to every call."""

from collections.abc import Awaitable, Callable

import pytest

from adapters.equipment.manual import ManualStation
from adapters.equipment.port import AdapterRefused, Equipment, Refusal
from tests.contracts.equipment.support import spec

CALLS: list[Callable[[Equipment], Awaitable[object]]] = [
    lambda station: station.load_job(spec()),
    lambda station: station.start_job("j"),
    lambda station: station.pause_job("j"),
    lambda station: station.resume_job("j"),
    lambda station: station.abort_job("j"),
    lambda station: station.get_job("j"),
    lambda station: station.readings("j", 0),
]


@pytest.mark.parametrize("call", CALLS)
async def test_every_call_is_refused(call: Callable[[Equipment], Awaitable[object]]) -> None:
    station = ManualStation("Packing table 2")
    assert station.capabilities == frozenset()
    with pytest.raises(AdapterRefused, match="Packing table 2") as no:
        await call(station)
    assert no.value.code == Refusal.MANUAL_STATION
    await station.close()
