"""Approved material of an earlier batch: the warehouse brings it, beside the procedure of the work order."""

import asyncio
from collections.abc import Callable

from temporalio import workflow

from activities import stubs
from domain.process import Recovery
from domain.recovery_states import RecoveryEvent, RecoveryState
from domain.rules.common import SYSTEM
from domain.rules.recovery import introduce_request, move_recovery
from domain.states import OrderState
from workflows import policies
from workflows.journal import Journal
from workflows.neighbours import NeighbourRefused, Neighbours, OrderIsEnding
from workflows.one_by_one import OneByOne


def begin_recovering(
    number: str, journal: Journal, neighbours: Neighbours, is_ending: Callable[[], bool]
) -> list[asyncio.Task[None]]:
    """Where material can be recovered at all: one task, or none."""
    own = journal.process.specification.work_order(number)
    if not own.recoveries and not any(operation.recovery_allowed for operation in own.operations):
        return []
    return [asyncio.create_task(Recovering(number, journal, neighbours, is_ending).run())]


class Recovering(OneByOne[Recovery]):
    """Serves the recoveries of one work order, for as long as its order lives."""

    def _next(self) -> Recovery | None:
        if self._process.state != OrderState.IN_PROGRESS:
            return None
        recoveries = self._work_order.recoveries.values()
        return next((own for own in recoveries if own.state == RecoveryState.INTRODUCING), None)

    async def _serve(self, own: Recovery) -> None:
        """Material that came is part of the batch, also when the order is being cancelled meanwhile."""
        request = introduce_request(own.number)
        pending = self._process.pending.get(request)
        ask = stubs.IntroduceRequest(
            # Another command is another try: the one before may have been refused.
            key=f"{request}/{pending.command_id if pending else ''}",
            actor=pending.actor if pending else SYSTEM,
            work_order=self._number,
            lot=own.lot,
            quantity=own.quantity,
            unit=own.unit,
        )
        try:
            await self._neighbours.ask(
                "warehouse", request, lambda: workflow.execute_activity(stubs.introduce, ask, **policies.ASK_NEIGHBOUR)
            )
        except NeighbourRefused as refused:
            if self._process.state == OrderState.CANCELLING:
                raise OrderIsEnding from None
            moved = move_recovery(self._process, self._work_order, own, RecoveryEvent.REFUSE)
            self._journal.note(moved, answers=request, blockers=refused.reasons("lot", own.lot))
            return
        moved = move_recovery(self._process, self._work_order, own, RecoveryEvent.CONFIRM)
        self._journal.note(moved, answers=request)
