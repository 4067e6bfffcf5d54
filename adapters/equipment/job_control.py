"""Equipment that takes job orders by OPC 10031-4 (ISA-95 Job Control 2.0), whoever made it."""

from collections.abc import Sequence
from typing import Any, Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node

from adapters.equipment import job_control_names as names
from adapters.equipment.job_orders import JobMethod, JobOrderState, ReturnStatus
from adapters.equipment.opcua import OpcUaEndpoint, OpcUaEquipment
from adapters.equipment.opcua_link import Generation, Link
from adapters.equipment.port import (
    ALL_CAPABILITIES,
    AdapterRefused,
    AdapterUnknown,
    AdapterUnreachable,
    Capability,
    JobSpec,
    JobState,
    JobView,
    Reading,
    Refusal,
    StateChange,
)
from domain.machine_states import StateProfile

_DEPTH: Final = 4
_LOADED: Final = set[int]()
"""Indices of the standard's namespace for which its types are known in this process."""
_OF_JOURNAL: Final = frozenset({Capability.JOURNAL, Capability.STATES})
_RESPONSE: Final = "RequestJobResponseByJobOrderID"
_COMMENT: Final = ua.Variant([], ua.VariantType.LocalizedText, is_array=True)
_REFUSED: Final = {
    JobMethod.PAUSE: Refusal.NOT_RUNNING,
    JobMethod.RESUME: Refusal.NOT_PAUSED,
}


class JobControlEquipment:
    """An `Equipment` behind the standard's job order receiver and job response provider.

    Each verb first looks how the job order stands where the standard would call a repetition an error, so that the
    same again is harmless. A machine whose answer was lost is asked by job id. The standard has no journal of readings:
    `journal` says that the server has ours beside it.
    """

    def __init__(
        self, endpoint: OpcUaEndpoint, profile: StateProfile = StateProfile.OPC_30050, *, journal: bool = False
    ) -> None:
        self._url = endpoint.url
        self._link = Link(endpoint, names.NAMESPACE, _found)
        self._journal = OpcUaEquipment(endpoint, profile) if journal else None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All of a job; readings and states only with a journal."""
        return ALL_CAPABILITIES if self._journal is not None else ALL_CAPABILITIES - _OF_JOURNAL

    async def load_job(self, job: JobSpec) -> JobView:
        """Store the job order; see `Equipment.load_job`."""
        status = await self._store(job)
        if status.is_good:
            return await self._view(job.job_id, JobMethod.STORE)
        stored, state = await self._stored(job.job_id)
        if stored is None:
            code = Refusal.UNKNOWN_BATCH if status == ReturnStatus.UNABLE_TO_ACCEPT else Refusal.INVALID_JOB
            raise AdapterRefused(code, f"{job.job_id} is not stored: {status!r}")
        spec = names.spec_of(stored)
        if spec is None and state is JobOrderState.ABORTED:
            raise AdapterRefused(Refusal.JOB_ABORTED, f"{job.job_id} was aborted before it was loaded")
        if spec != job:
            raise AdapterRefused(Refusal.JOB_ID_TAKEN, f"{job.job_id} is stored with other content")
        return await self._view(job.job_id, JobMethod.STORE)

    async def start_job(self, job_id: str) -> JobView:
        """Allow the job order to start; see `Equipment.start_job`.

        A machine that does not begin because another job holds it has its leave taken back: nobody starts it later.
        """
        status = await self._call(JobMethod.START, job_id)
        view = await self._view(job_id, JobMethod.START)
        if view.state is JobState.ABORTED:
            raise AdapterRefused(Refusal.JOB_ABORTED, f"{job_id} was aborted")
        if view.state is not JobState.LOADED:
            return view
        if not status.is_good and status != ReturnStatus.INVALID_STATUS:
            raise AdapterRefused(Refusal.INVALID_JOB, f"{job_id} is not started: {status!r}")
        await self._call(JobMethod.REVOKE_START, job_id)
        view = await self._view(job_id, JobMethod.REVOKE_START)
        if view.state is not JobState.LOADED:  # it began in between
            return view
        raise AdapterRefused(Refusal.MACHINE_BUSY, f"{job_id} waits: the machine is held by another job")

    async def pause_job(self, job_id: str) -> JobView:
        """Interrupt a running job order; see `Equipment.pause_job`."""
        return await self._moved(JobMethod.PAUSE, job_id, JobState.PAUSED)

    async def resume_job(self, job_id: str) -> JobView:
        """Let an interrupted job order go on; see `Equipment.resume_job`."""
        return await self._moved(JobMethod.RESUME, job_id, JobState.RUNNING)

    async def abort_job(self, job_id: str) -> JobView:
        """Abort a job order; see `Equipment.abort_job`.

        An id that the machine does not know is taken by an empty job order first: the standard aborts only what is
        stored, and a load still on its way must not start afterwards.
        """
        status = await self._call(JobMethod.ABORT, job_id)
        if status == ReturnStatus.UNKNOWN_JOB_ORDER_ID:
            empty = ua.Variant(names.empty_order(job_id), ua.VariantType.ExtensionObject)
            await self._status(JobMethod.STORE, empty)
            status = await self._call(JobMethod.ABORT, job_id)
        view = await self._view(job_id, JobMethod.ABORT)
        if view.state not in (JobState.ABORTED, JobState.ENDED):
            raise AdapterRefused(Refusal.INVALID_JOB, f"{job_id} is not aborted: {status!r}")
        return view

    async def get_job(self, job_id: str) -> JobView | None:
        """How the job order stands; see `Equipment.get_job`."""
        asked = ua.Variant(job_id, ua.VariantType.String)
        found, number = await self._link.call_at(_provider, _RESPONSE, [asked], changes=False)
        status = ReturnStatus(number)
        if status == ReturnStatus.UNKNOWN_JOB_ORDER_ID:
            return None
        if not status.is_good:
            raise AdapterUnreachable(self._url, f"{_RESPONSE}: {status!r}")
        try:
            return names.view_of(found)
        except ValueError as error:
            raise AdapterUnreachable(self._url, f"{_RESPONSE}: {error}") from error

    async def readings(self, job_id: str, after: int) -> Sequence[Reading]:
        """From the journal beside it, or none; see `Equipment.readings`."""
        return [] if self._journal is None else await self._journal.readings(job_id, after)

    async def machine_states(self, journal: str, after: int) -> Sequence[StateChange]:
        """From the journal beside it, or none; see `Equipment.machine_states`."""
        return [] if self._journal is None else await self._journal.machine_states(journal, after)

    async def close(self) -> None:
        """Let go of the connection; the machine goes on."""
        await self._link.close()
        if self._journal is not None:
            await self._journal.close()

    async def _moved(self, method: JobMethod, job_id: str, target: JobState) -> JobView:
        status = await self._call(method, job_id)
        if status == ReturnStatus.UNKNOWN_JOB_ORDER_ID:
            raise AdapterRefused(Refusal.UNKNOWN_JOB, f"the machine does not know {job_id}")
        view = await self._view(job_id, method)
        if not status.is_good and view.state is not target:
            raise AdapterRefused(_REFUSED[method], f"{job_id} is {view.state}: {status!r}")
        return view

    async def _view(self, job_id: str, method: JobMethod) -> JobView:
        """How it stands after a method. The method was answered: no answer here is a question without one."""
        view = await self.get_job(job_id)
        if view is None:
            raise AdapterRefused(Refusal.UNKNOWN_JOB, f"the machine does not know {job_id} ({method})")
        return view

    async def _store(self, job: JobSpec) -> ReturnStatus:
        # The types exist once the server was connected, so the connection comes first.
        await self._link.ready()
        return await self._status(JobMethod.STORE, ua.Variant(names.job_order(job), ua.VariantType.ExtensionObject))

    async def _stored(self, job_id: str) -> tuple[Any, JobOrderState | None]:
        """The job order with that id as the machine keeps it, and its state."""
        entries = await self._link.read_at(lambda own: own.more["JobOrderList"])
        for entry in entries or []:
            if entry.JobOrder.JobOrderID == job_id:
                return entry.JobOrder, names.state_number(entry)
        return None, None

    async def _call(self, method: JobMethod, job_id: str) -> ReturnStatus:
        return await self._status(method, ua.Variant(job_id, ua.VariantType.String))

    async def _status(self, method: JobMethod, argument: ua.Variant) -> ReturnStatus:
        results = await self._link.call_at(
            lambda own: (own.more["receiver"], own.more[method]), method, [argument, _COMMENT], changes=True
        )
        try:
            return ReturnStatus(results[0])
        except (ValueError, IndexError) as error:
            raise AdapterUnknown(self._url, f"{method} was answered with {results}") from error


def _provider(own: Generation) -> tuple[ua.NodeId, ua.NodeId]:
    return own.more["provider"], own.more[_RESPONSE]


async def _found(client: Client, index: int) -> dict[str, ua.NodeId]:
    """The nodes of the first receiver and of the first provider on a server, wherever its maker has put them."""
    if index not in _LOADED:  # the library keeps types for the whole process, by their node ids
        await client.load_data_type_definitions()
        _LOADED.add(index)
    types = {(index, names.RECEIVER_TYPE): "receiver", (index, names.PROVIDER_TYPE): "provider"}
    found: dict[str, ua.NodeId] = {}
    level = [client.nodes.objects]
    for _ in range(_DEPTH):
        below: list[Node] = []
        for one in [own for node in level for own in await node.get_children_descriptions()]:
            node = client.get_node(_plain(one.NodeId))
            if one.NodeClass is not ua.NodeClass.Object or node == client.nodes.server:
                continue
            below.append(node)
            kind = types.get((one.TypeDefinition.NamespaceIndex, one.TypeDefinition.Identifier))
            if kind is not None:
                found.setdefault(kind, node.nodeid)
        if len(found) == len(types):
            break
        level = below
    if len(found) < len(types):
        raise AdapterRefused(Refusal.NOT_SUPPORTED, "the server has no job order receiver with a response provider")
    for name in ("receiver", "provider"):
        for one in await client.get_node(found[name]).get_children_descriptions():
            if one.BrowseName.NamespaceIndex == index and one.BrowseName.Name:
                found[one.BrowseName.Name] = _plain(one.NodeId)
    return found


def _plain(found: ua.NodeId) -> ua.NodeId:
    """A node id of this server, without what an expanded one has beside it."""
    return ua.NodeId(found.Identifier, found.NamespaceIndex)
