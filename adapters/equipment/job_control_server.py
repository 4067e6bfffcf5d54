"""The press's second face: OPC 10031-4 Job Control, with the OPC Foundation's own node set."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.server import Server

from adapters.equipment import job_control_names as names
from adapters.equipment import press_job_orders as orders
from adapters.equipment.job_orders import JobMethod, ReturnStatus
from adapters.equipment.press_model import FORGOTTEN, Press

NODE_SET: Final = Path(__file__).with_name("nodesets") / "isa95_job_control_v2.xml"
Do = Callable[[Callable[[datetime], Any]], Any]
_WHOLE_ORDER: Final = frozenset({JobMethod.STORE, JobMethod.STORE_AND_START, JobMethod.UPDATE})


@dataclass
class JobControlFace:
    """Receiver and provider of one press. `do` carries out a change and answers once it is on the disk; `show` brings
    every variable of the press to what is so now."""

    press: Press
    clock: Callable[[], datetime]
    do: Do
    show: Callable[[], Awaitable[None]]
    _list: Node | None = None
    _shown: list[tuple[str, int, str]] = field(default_factory=list)

    async def add(self, server: Server) -> None:
        """Load the node set and add one job order receiver and one job response provider."""
        await server.import_xml(str(NODE_SET))
        await server.load_data_type_definitions()
        index = await server.get_namespace_index(names.NAMESPACE)
        receiver = await self._object(server, index, "JobOrderReceiver", names.RECEIVER_TYPE)
        provider = await self._object(server, index, "JobResponseProvider", names.PROVIDER_TYPE)
        for method in JobMethod:
            call = self._whole(method) if method in _WHOLE_ORDER else self._by_id(method)
            server.link_method(await receiver.get_child(f"{index}:{method}"), call)
        for name, call in (("ID", self._response), ("State", self._responses)):
            found = await provider.get_child(f"{index}:RequestJobResponseByJobOrder{name}")
            server.link_method(found, call)
        self._list = await receiver.get_child(f"{index}:JobOrderList")

    async def refresh(self) -> None:
        """Let the press begin what it may begin, and show the list of job orders as it is now."""
        now = self.clock()
        self.do(lambda at: orders.advance(self.press, at))
        known = [job for job in self.press.jobs.values() if FORGOTTEN not in job.job_id]
        found = [(job, orders.state_of(self.press, job.job_id, now)) for job in known]
        shown = [(job.job_id, int(state or 0), repr(job.spec)) for job, state in found]
        if self._list is None or shown == self._shown:
            return
        entries = [
            names.order_and_state(names.job_order(job.spec) if job.spec else names.empty_order(job.job_id), state)
            for job, state in found
            if state is not None
        ]
        await self._list.write_value(ua.Variant(entries, ua.VariantType.ExtensionObject, is_array=True))
        self._shown = shown

    async def _object(self, server: Server, index: int, name: str, kind: int) -> Node:
        node = ua.NodeId(ua.String(name), ua.Int16(index))
        made: Node = await server.nodes.objects.add_object(
            node, f"{index}:{name}", objecttype=ua.NodeId(ua.Int32(kind), ua.Int16(index))
        )
        return made

    def _whole(self, method: JobMethod) -> Any:
        async def call(_parent: ua.NodeId, order: ua.Variant, _comment: ua.Variant) -> list[ua.Variant]:
            job_id, spec = order.Value.JobOrderID, names.spec_of(order.Value)

            def change(now: datetime) -> ReturnStatus:
                if not job_id:
                    return ReturnStatus.INVALID_REQUEST
                if method is JobMethod.UPDATE:
                    return orders.update(self.press, job_id, spec, now)
                return orders.store(self.press, job_id, spec, now, start=method is JobMethod.STORE_AND_START)

            return await self._answered(change)

        return call

    def _by_id(self, method: JobMethod) -> Any:
        async def call(_parent: ua.NodeId, job_id: ua.Variant, _comment: ua.Variant) -> list[ua.Variant]:
            return await self._answered(lambda now: orders.ask(self.press, method, job_id.Value, now))

        return call

    async def _answered(self, change: Callable[[datetime], ReturnStatus]) -> list[ua.Variant]:
        status: ReturnStatus = self.do(change)
        await self.show()
        return [_status(status)]

    async def _response(self, _parent: ua.NodeId, job_id: ua.Variant) -> list[ua.Variant]:
        now = self.clock()
        state = orders.state_of(self.press, job_id.Value, now)
        if state is None:
            return [_structure(names.empty_response()), _status(ReturnStatus.UNKNOWN_JOB_ORDER_ID)]
        view, spec = self.press.view(job_id.Value, now), self.press.jobs[job_id.Value].spec
        return [_structure(names.response(view, state, spec)), _status(ReturnStatus.NO_ERROR)]

    async def _responses(self, _parent: ua.NodeId, wanted: ua.Variant) -> list[ua.Variant]:
        now, numbers = self.clock(), {own.StateNumber for own in wanted.Value or []}
        found = []
        for job in self.press.jobs.values():
            state = orders.state_of(self.press, job.job_id, now)
            if state is not None and int(state) in numbers and FORGOTTEN not in job.job_id:
                found.append(names.response(self.press.view(job.job_id, now), state, job.spec))
        return [
            ua.Variant(found, ua.VariantType.ExtensionObject, is_array=True),
            _status(ReturnStatus.NO_ERROR if numbers else ReturnStatus.INVALID_REQUEST),
        ]


def _status(status: ReturnStatus) -> ua.Variant:
    return ua.Variant(int(status), ua.VariantType.UInt64)


def _structure(value: Any) -> ua.Variant:
    return ua.Variant(value, ua.VariantType.ExtensionObject)
