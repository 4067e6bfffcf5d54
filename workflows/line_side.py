"""Returns of unused material: beside the procedure of the work order, for as long as its order lives."""

from collections.abc import Callable

from temporalio import workflow

from activities import stubs
from domain import material_events as m
from domain.process import MaterialReturn, WorkOrder
from domain.return_states import MaterialReturnEvent
from domain.rules.common import SYSTEM
from domain.rules.line_side import move_return, return_request
from domain.states import OrderState
from workflows import policies
from workflows.journal import Journal
from workflows.neighbours import NeighbourRefused, Neighbours, OrderIsEnding

_WORKED_ON = (OrderState.RELEASED, OrderState.IN_PROGRESS, OrderState.COMPLETED)


class ReturnProcedure:
    """Asks the warehouse for every return of one work order, one after the other."""

    def __init__(self, number: str, journal: Journal, neighbours: Neighbours, is_ending: Callable[[], bool]) -> None:
        self._number = number
        self._journal = journal
        self._neighbours = neighbours
        self._is_ending = is_ending

    async def run(self) -> None:
        """The procedure. It ends, without an error, when the order is ending."""
        try:
            while True:
                await workflow.wait_condition(lambda: self._is_ending() or self._has_work())
                if self._is_ending():
                    return
                await self._ask(self._work_order.open_returns()[0])
        except OrderIsEnding:
            return

    @property
    def _work_order(self) -> WorkOrder:
        return self._journal.process.work_orders[self._number]

    def _has_work(self) -> bool:
        return self._journal.process.state in _WORKED_ON and bool(self._work_order.open_returns())

    async def _ask(self, own: MaterialReturn) -> None:
        """One return. An answer that comes during a cancellation is noted too: the material has moved."""
        request = return_request(own.number)
        pending = self._journal.process.pending.get(request)
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
