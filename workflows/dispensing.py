"""Weighing, beside the procedure of the work order: each weighing is answered in the order in which it was asked for.

Read the connected scale if nobody has, ask the register whether the scale may be used, judge the weight, have the
warehouse move it into the container. Everything that stands in the way of one weighing is named together.
"""

import asyncio
from collections.abc import Callable

from temporalio import workflow

from activities import stubs
from domain import weighing_events as w
from domain.container_states import ContainerEvent, ContainerState
from domain.errors import Blocker, Refused
from domain.process import Container
from domain.rules.common import SYSTEM
from domain.rules.weighing import dispense_request, judged, move_container, void_request
from domain.states import OrderState
from domain.weighing import Weighing
from workflows import policies
from workflows.journal import Journal
from workflows.neighbours import NeighbourRefused, Neighbours, OrderIsEnding
from workflows.one_by_one import OneByOne

_WAITING = (ContainerState.ASKED, ContainerState.VOIDING)
_WORKED_ON = (OrderState.RELEASED, OrderState.IN_PROGRESS)


def begin_dispensing(
    number: str, journal: Journal, neighbours: Neighbours, is_ending: Callable[[], bool]
) -> list[asyncio.Task[None]]:
    """Where the policy weighs: one task, or none."""
    if not journal.process.specification.policy.weighing:
        return []
    return [asyncio.create_task(Dispensing(number, journal, neighbours, is_ending).run())]


class Dispensing(OneByOne[Container]):
    """Serves the weighings of one work order, for as long as its order lives."""

    def _next(self) -> Container | None:
        if self._process.state not in _WORKED_ON:
            return None
        return next((own for own in self._work_order.containers.values() if own.state in _WAITING), None)

    async def _serve(self, own: Container) -> None:
        await (self._weigh(own) if own.state == ContainerState.ASKED else self._empty(own))

    async def _weigh(self, own: Container) -> None:
        request = dispense_request(own.number)
        try:
            await self._read(own)
            scale = await self._check(own)
        except NeighbourRefused as refused:
            self._refuse(own, refused.reasons("equipment", own.request.scale))
            return
        weighing, in_the_way = self._judge(own)
        in_the_way = (*scale.blockers, *in_the_way)
        if in_the_way or weighing is None:
            self._refuse(own, in_the_way)
            return
        ask = self._dispense(own, weighing, "dispense")
        try:
            await self._neighbours.ask(
                "warehouse",
                request,
                lambda: workflow.execute_activity(stubs.dispense, ask, **policies.ASK_NEIGHBOUR),
            )
        except NeighbourRefused as refused:
            self._refuse(own, refused.reasons("lot", own.lot))
            return
        # Once the material is in the container, that is noted, also when the order is being cancelled meanwhile.
        known = {"certificate": scale.certificate, "calibration_due_at": scale.calibration_due_at}
        weighed = w.MaterialWeighed(work_order=self._number, weighing=weighing.model_copy(update=known))
        self._journal.note(weighed, answers=request)

    async def _read(self, own: Container) -> None:
        """What the scale showed is noted first: a weighing that is asked for again is judged by the same reading."""
        if own.request.tare is not None or own.reading is not None:
            return
        ask = self._scale(own)
        reading = await self._neighbours.ask(
            own.request.scale,
            f"{own.number}/read",
            lambda: workflow.execute_activity(stubs.read_scale, ask, **policies.READ_SCALE),
        )
        self._journal.note(w.ScaleRead(work_order=self._number, number=own.number, reading=reading))

    async def _check(self, own: Container) -> stubs.ScaleAnswer:
        ask = self._scale(own)
        return await self._neighbours.ask(
            "equipment register",
            f"{own.number}/scale",
            lambda: workflow.execute_activity(stubs.check_scale, ask, **policies.ASK_NEIGHBOUR),
        )

    def _scale(self, own: Container) -> stubs.ScaleRequest:
        _, operation = self._process.operation(self._number, own.request.operation)
        is_bound = self._process.specification.policy.registered_devices
        return stubs.ScaleRequest(scale=own.request.scale, workstation=operation.workstation, is_bound=is_bound)

    def _judge(self, own: Container) -> tuple[Weighing | None, tuple[Blocker, ...]]:
        try:
            return judged(self._process, self._work_order, own.number), ()
        except Refused as refused:
            return None, refused.blockers

    def _dispense(self, own: Container, weighing: Weighing, step: str) -> stubs.DispenseRequest:
        pending = self._process.pending.get(f"{own.number}/{step}")
        return stubs.DispenseRequest(
            key=f"{own.number}/{step}",
            actor=pending.actor if pending else SYSTEM,
            work_order=self._number,
            lot=own.lot,
            quantity=weighing.net,
            unit=own.unit,
        )

    async def _empty(self, own: Container) -> None:
        request = void_request(own.number)
        pending = self._process.pending.get(request)
        ask = stubs.DispenseRequest(
            # Another command is another try: the one before may have been refused.
            key=f"{request}/{pending.command_id if pending else ''}",
            actor=pending.actor if pending else SYSTEM,
            work_order=self._number,
            lot=own.lot,
            quantity=own.net,
            unit=own.unit,
        )
        try:
            await self._neighbours.ask(
                "warehouse",
                request,
                lambda: workflow.execute_activity(stubs.undispense, ask, **policies.ASK_NEIGHBOUR),
            )
        except NeighbourRefused as refused:
            moved = move_container(self._work_order, own, ContainerEvent.REFUSE_VOID)
            self._journal.note(moved, answers=request, blockers=refused.reasons("container", own.number))
            return
        self._journal.note(move_container(self._work_order, own, ContainerEvent.CONFIRM_VOID), answers=request)

    def _refuse(self, own: Container, blockers: tuple[Blocker, ...]) -> None:
        if self._process.state == OrderState.CANCELLING:
            raise OrderIsEnding
        moved = move_container(self._work_order, own, ContainerEvent.REFUSE)
        self._journal.note(moved, answers=dispense_request(own.number), blockers=blockers)
