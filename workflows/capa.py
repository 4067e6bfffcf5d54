"""One corrective and preventive action, from its plan to the proof, months later, that it works."""

from datetime import datetime

from temporalio import workflow

from domain import quality_cases as k
from domain.case_commands import AnyCapaCommand
from domain.case_folding import Case
from domain.case_states import CapaEvent, CapaState
from domain.rules.capas import is_late, move_capa
from domain.rules.common import SYSTEM
from domain.start import CarriedCapa, StartCapa
from workflows import policies
from workflows.case_journal import CaseJournal, CaseLife, passes


@workflow.defn(name="Capa")
class CapaWorkflow:
    """Leads an action through its commands; the calendar sets the overdue flag and calls the effectiveness check."""

    @workflow.init
    def __init__(self, start: StartCapa) -> None:
        carried = start.carried
        case = carried.case if carried else k.begun(start.specification)
        assert isinstance(case, k.CapaCase)
        self._journal = CaseJournal(case, carried.inbox if carried else (), carried.seen if carried else ())
        if carried is None:
            own = start.specification
            raised = k.CapaRaised(specification=own)
            self._journal.note_first(raised, own.opened_by, start.command_id, own.opened_at)

    @workflow.run
    async def run(self, start: StartCapa) -> str:
        life = CaseLife(self._journal)
        goes_on = await life.run(
            self._is_done, self._flag_overdue(), self._call_check(), life.start_actions(self._start_next_cycle)
        )
        if goes_on:
            inbox: tuple[AnyCapaCommand, ...] = tuple(self._journal.inbox)  # type: ignore[arg-type]
            carried = CarriedCapa(case=self._case, seen=tuple(self._journal.seen), inbox=inbox)
            workflow.continue_as_new(start.model_copy(update={"carried": carried}))
        return self._case.state

    @workflow.signal
    def command(self, command: AnyCapaCommand) -> None:
        """Take a command into the inbox; the verdict comes to the record."""
        self._journal.receive(command)

    @workflow.query
    def case(self) -> k.CapaCase:
        """The case as it is now."""
        return self._case

    @property
    def _case(self) -> k.CapaCase:
        return self._journal.state

    def _is_done(self) -> bool:
        return "asked" not in self._case.capas.values()

    async def _flag_overdue(self) -> None:
        """The flag comes with the due date, and goes with an extension or when the action is done."""
        while True:
            await workflow.wait_condition(lambda: self._case.due_at is not None and is_late(self._case))
            assert self._case.due_at is not None
            if await self._has_passed(self._case.due_at):
                self._journal.note(k.DeadlineMissed(step="closing"))

    async def _has_passed(self, due_at: datetime) -> bool:
        """Wait for a due date; False when the action is done or extended before it."""
        return await passes(lambda: self._case.due_at != due_at or not is_late(self._case), due_at, "due date")

    async def _call_check(self) -> None:
        """On the planned day, never before."""
        while True:
            await workflow.wait_condition(lambda: self._case.state == CapaState.IMPLEMENTED)
            check_at = self._case.check_at
            assert check_at is not None
            if await passes(lambda: self._case.state != CapaState.IMPLEMENTED, check_at, "effectiveness check"):
                self._journal.note(move_capa(self._case, CapaEvent.FALL_DUE_FOR_CHECK))

    async def _start_next_cycle(self, case: Case, number: str) -> object:
        """What did not work is planned anew, as an action of its own that names this one."""
        own = self._case.specification
        asked = own.model_copy(
            update={
                "number": number,
                "action": case.capa_actions[number],
                "opened_by": SYSTEM,
                "opened_at": workflow.now(),
                "previous": own.number,
                "cycle": own.cycle + 1,
            }
        )
        return await workflow.start_child_workflow(
            CapaWorkflow.run,
            StartCapa(specification=asked, command_id=f"open/{number}"),
            id=policies.capa_id(number),
            **policies.OWN_LIFE,
        )
