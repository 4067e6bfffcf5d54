"""Equipment over OPC UA: our job verbs as method calls on the machine."""

from collections.abc import Sequence
from typing import Any

from asyncua import ua

from adapters.equipment import opcua_names as names
from adapters.equipment.opcua_link import Link, OpcUaEndpoint
from adapters.equipment.port import (
    ALL_CAPABILITIES,
    AdapterRefused,
    AdapterUnknown,
    AdapterUnreachable,
    Capability,
    JobSpec,
    JobView,
    Reading,
    Refusal,
    StateChange,
)
from domain.machine_states import StateProfile

__all__ = ["OpcUaEndpoint", "OpcUaEquipment"]

_PAGE = 500


class OpcUaEquipment:
    """An `Equipment` behind an OPC UA server.

    Make it inside a running event loop; it connects at the first call and keeps the connection until `close`. A call
    waits at most `call_timeout` for a connection and as long again for the answer.
    """

    def __init__(self, endpoint: OpcUaEndpoint, profile: StateProfile = StateProfile.OPC_30050) -> None:
        self._url = endpoint.url
        self._profile = profile
        self._link = Link(endpoint)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Everything: the press takes jobs and keeps a journal."""
        return ALL_CAPABILITIES

    async def load_job(self, job: JobSpec) -> JobView:
        """Give the machine a job; see `Equipment.load_job`."""
        content = ua.Variant(job.model_dump_json(by_alias=True), ua.VariantType.String)
        return await self._verb(names.Method.LOAD, job.job_id, content)

    async def start_job(self, job_id: str) -> JobView:
        """Start a loaded job; see `Equipment.start_job`."""
        return await self._verb(names.Method.START, job_id, _string(job_id))

    async def pause_job(self, job_id: str) -> JobView:
        """Halt a running job; see `Equipment.pause_job`."""
        return await self._verb(names.Method.PAUSE, job_id, _string(job_id))

    async def resume_job(self, job_id: str) -> JobView:
        """Let a paused job go on; see `Equipment.resume_job`."""
        return await self._verb(names.Method.RESUME, job_id, _string(job_id))

    async def abort_job(self, job_id: str) -> JobView:
        """End a job for good; see `Equipment.abort_job`."""
        return await self._verb(names.Method.ABORT, job_id, _string(job_id))

    async def get_job(self, job_id: str) -> JobView | None:
        """How the job stands; see `Equipment.get_job`."""
        results = await self._link.call(names.Method.GET, [_string(job_id)], changes=False)
        _check(results)
        try:
            return names.view_from(job_id, results)
        except ValueError as error:
            raise AdapterUnreachable(self._url, f"{names.Method.GET}: {error}") from error

    async def readings(self, job_id: str, after: int) -> Sequence[Reading]:
        """Every reading above `after`, read page by page from the journal; see `Equipment.readings`."""
        found: list[Reading] = []
        while True:
            page = await self._page(job_id, found[-1].sequence if found else after)
            found += page
            if len(page) < _PAGE:
                return found

    async def machine_states(self, journal: str, after: int) -> Sequence[StateChange]:
        """Every change of state after that, page by page; see `Equipment.machine_states`."""
        found: list[StateChange] = []
        while True:
            last = (found[-1].journal, found[-1].sequence) if found else (journal, after)
            page = await self._states(*last)
            found += page
            if len(page) < _PAGE:
                return found

    async def close(self) -> None:
        """Let go of the connection; the machine goes on."""
        await self._link.close()

    async def _verb(self, method: names.Method, job_id: str, argument: ua.Variant) -> JobView:
        results = await self._link.call(method, [argument], changes=True)
        _check(results)
        try:
            view = names.view_from(job_id, results)
        except ValueError as error:
            raise AdapterUnknown(self._url, f"{method}: {error}") from error
        if view is None:
            raise AdapterUnknown(self._url, f"{method} was answered without a state")
        return view

    async def _page(self, job_id: str, after: int) -> list[Reading]:
        number = ua.VariantType.UInt32
        asked = [_string(job_id), ua.Variant(max(after, 0), number), ua.Variant(_PAGE, number)]
        results = await self._link.call(names.Method.READINGS, asked, changes=False)
        _check(results)
        try:
            return names.readings_from(results)
        except ValueError as error:
            raise AdapterUnreachable(self._url, f"{names.Method.READINGS}: {error}") from error

    async def _states(self, journal: str, after: int) -> list[StateChange]:
        number = ua.VariantType.UInt32
        asked = [_string(journal), ua.Variant(max(after, 0), number), ua.Variant(_PAGE, number)]
        try:
            results = await self._link.call(names.Method.STATES, asked, changes=False)
        except AdapterRefused as refused:
            if refused.code == Refusal.NOT_SUPPORTED:  # a machine that shows its state, and keeps no list of it
                return []
            raise
        try:
            return names.states_from(results, self._profile)
        except ValueError as error:
            raise AdapterUnreachable(self._url, f"{names.Method.STATES}: {error}") from error


def _check(results: Sequence[Any]) -> None:
    refusal, detail = results[:2]
    if refusal:
        raise AdapterRefused(refusal, detail or "")


def _string(text: str) -> ua.Variant:
    return ua.Variant(text, ua.VariantType.String)
