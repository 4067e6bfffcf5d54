"""The gate before operations start: asks the equipment register, and starts or refuses by its answer."""

import asyncio
from collections.abc import Callable

from temporalio import workflow

from activities import stubs
from domain.errors import Blocker, Refused
from domain.rules.operations import started
from domain.rules.start_gate import need_of, obstacles, occupation_moved, occupation_request
from domain.states import OrderState
from workflows import policies
from workflows.journal import Journal
from workflows.neighbours import NeighbourRefused, Neighbours, OrderIsEnding
from workflows.one_by_one import OneByOne


def begin_gate(
    number: str, journal: Journal, neighbours: Neighbours, is_ending: Callable[[], bool]
) -> list[asyncio.Task[None]]:
    """Where the policy has a gate, starts are answered at every stage: one task, or none."""
    if not journal.process.specification.policy.start_gate:
        return []
    return [asyncio.create_task(StartGate(number, journal, neighbours, is_ending).run())]


class StartGate(OneByOne[str]):
    """Serves the starts that people ask for at one work order, for as long as the order lives.

    It also answers while the work order is not ready: the order's own obstacles and the register's come back together.
    """

    def _next(self) -> str | None:
        """The first operation of the route whose start is asked for."""
        for code in self._process.work_orders[self._number].operations:
            if occupation_request(self._number, code) in self._process.pending:
                return code
        return None

    async def _serve(self, code: str) -> None:
        request = occupation_request(self._number, code)
        pending = self._process.pending[request]
        in_the_way = obstacles(self._process, self._number, code, workflow.now())
        ask = stubs.OccupyRequest(
            # Another command is another try: its key is the command that asked.
            key=f"{request}/{pending.command_id}",
            actor=pending.actor,
            work_order=self._number,
            need=need_of(self._process, self._number, code, pending.actor),
            only_check=bool(in_the_way),
        )
        try:
            answer = await self._neighbours.ask(
                "equipment register",
                request,
                lambda: workflow.execute_activity(stubs.occupy, ask, **policies.ASK_NEIGHBOUR),
            )
        except NeighbourRefused as refused:
            self._stop_if_cancelling()
            in_the_way += refused.reasons("operation", ask.key)
            self._refuse(code, in_the_way, "refused")
            return
        self._stop_if_cancelling()
        if in_the_way:
            self._refuse(code, in_the_way, "refused")
        else:
            self._start(code, answer.equipment)

    def _start(self, code: str, equipment: tuple[str, ...]) -> None:
        """The order may have been held meanwhile: then what was occupied is freed again."""
        try:
            events = started(self._process, self._number, code, workflow.now())
        except Refused as refused:
            self._refuse(code, list(refused.blockers), "freed")
            return
        occupied = occupation_moved(self._process, self._number, code, "occupied", equipment)
        self._journal.note(*events, occupied, answers=occupation_request(self._number, code))

    def _refuse(self, code: str, blockers: list[Blocker], target: str) -> None:
        moved = occupation_moved(self._process, self._number, code, target)
        self._journal.note(moved, answers=occupation_request(self._number, code), blockers=blockers)

    def _stop_if_cancelling(self) -> None:
        """An answer that comes while the order is being cancelled is not noted: voiding the operation frees it."""
        if self._process.state == OrderState.CANCELLING:
            raise OrderIsEnding
