"""Returns of unused material: beside the procedure of the work order, for as long as its order lives."""

from temporalio import workflow

from activities import stubs
from domain import material_events as m
from domain.process import MaterialReturn
from domain.return_states import MaterialReturnEvent
from domain.rules.common import SYSTEM
from domain.rules.line_side import move_return, return_request
from domain.states import OrderState
from workflows import policies
from workflows.neighbours import NeighbourRefused
from workflows.one_by_one import OneByOne

_WORKED_ON = (OrderState.RELEASED, OrderState.IN_PROGRESS, OrderState.COMPLETED)


class ReturnProcedure(OneByOne[MaterialReturn]):
    """Asks the warehouse for every return of one work order, one after the other."""

    def _next(self) -> MaterialReturn | None:
        return self._next_formerly() if self._process.state in _WORKED_ON else None

    def _next_formerly(self) -> MaterialReturn | None:
        return next(iter(self._work_order.open_returns()), None)

    async def _serve(self, own: MaterialReturn) -> None:
        """One return. An answer that comes during a cancellation is noted too: the material has moved."""
        request = return_request(own.number)
        pending = self._process.pending.get(request)
        ask = stubs.ReturnRequest(
            key=f"{self._number}/return/{pending.command_id if pending else own.number}",
            actor=pending.actor if pending else SYSTEM,
            work_order=self._number,
            lines=own.lines,
        )
        try:
            answer = await self._neighbours.ask(
                "warehouse",
                request,
                lambda: workflow.execute_activity(stubs.return_materials, ask, **policies.ASK_NEIGHBOUR),
            )
        except NeighbourRefused as refused:
            blockers = refused.reasons("material return", own.number)
            moved = move_return(self._work_order, own, MaterialReturnEvent.REFUSE)
            self._journal.note(moved, answers=request, blockers=blockers)
            return
        moved = move_return(self._work_order, own, MaterialReturnEvent.CONFIRM)
        returned = m.MaterialsReturned(work_order=self._number, number=own.number, lines=answer.lines)
        self._journal.note(moved, returned, answers=request)
