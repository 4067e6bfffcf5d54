"""One deviation, or one out-of-specification result, from its opening to the decision of quality."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities import stubs
from domain import quality_cases as k
from domain.case_commands import AnyDeviationCommand
from domain.case_folding import Case
from domain.case_states import DeviationState, OutOfSpecificationState
from domain.commands import NoteDeviation
from domain.rules.common import SYSTEM
from domain.start import CarriedDeviation, StartCapa, StartDeviation
from workflows import policies
from workflows.capa import CapaWorkflow
from workflows.case_journal import CaseJournal, CaseLife, passes

_FIRST = (
    DeviationState.OPEN, DeviationState.REOPENED, OutOfSpecificationState.DETECTED, OutOfSpecificationState.REOPENED,
)  # fmt: skip


@workflow.defn(name="Deviation")
class DeviationWorkflow:
    """Leads a case through its commands and deadlines, and tells its order or the keeper of its lot what came of it."""

    @workflow.init
    def __init__(self, start: StartDeviation) -> None:
        carried = start.carried
        case = carried.case if carried else k.begun(start.specification)
        assert isinstance(case, k.DeviationCase)
        self._journal = CaseJournal(case, carried.inbox if carried else (), carried.seen if carried else ())
        if carried is None:
            own = start.specification
            raised = k.DeviationRaised(specification=own)
            self._journal.note_first(raised, own.opened_by, start.command_id, own.opened_at)

    @workflow.run
    async def run(self, start: StartDeviation) -> str:
        life = CaseLife(self._journal)
        goes_on = await life.run(
            self._is_done, self._remind(), self._watch_closing(), self._tell(), life.start_actions(self._start_action)
        )
        if goes_on:
            inbox: tuple[AnyDeviationCommand, ...] = tuple(self._journal.inbox)  # type: ignore[arg-type]
            carried = CarriedDeviation(case=self._case, seen=tuple(self._journal.seen), inbox=inbox)
            workflow.continue_as_new(start.model_copy(update={"carried": carried}))
        return self._case.state

    @workflow.signal
    def command(self, command: AnyDeviationCommand) -> None:
        """Take a command into the inbox; the verdict comes to the record."""
        self._journal.receive(command)

    @workflow.query
    def case(self) -> k.DeviationCase:
        """The case as it is now."""
        return self._case

    @property
    def _case(self) -> k.DeviationCase:
        return self._journal.state

    def _is_done(self) -> bool:
        return not self._case.to_tell and "asked" not in self._case.capas.values()

    # Deadlines ---------------------------------------------------------------------------------------------------

    async def _remind(self) -> None:
        """A case that nobody takes up within the shift is reminded of, then escalated; again after a reopening."""
        rules = self._case.specification.rules
        while True:
            await workflow.wait_condition(lambda: self._case.state in _FIRST and not self._case.escalated)
            is_first = not self._case.reminded
            seconds = rules.classification_seconds if is_first else rules.escalation_seconds
            begun = workflow.now()
            if is_first and self._case.state in (DeviationState.OPEN, OutOfSpecificationState.DETECTED):
                begun = self._case.specification.opened_at
            deadline = begun + timedelta(seconds=seconds)
            if await passes(lambda: self._case.state not in _FIRST, deadline, "classification"):
                self._journal.note(k.DeadlineMissed(step="reminder" if is_first else "escalation"))

    async def _watch_closing(self) -> None:
        """A case that is open for too long is flagged."""
        own = self._case.specification
        if self._case.overdue:
            return
        deadline = own.opened_at + timedelta(seconds=own.rules.closing_seconds)
        if await passes(lambda: self._case.is_over, deadline, "closing"):
            self._journal.note(k.DeadlineMissed(step="closing"))

    # Who has to know ---------------------------------------------------------------------------------------------

    async def _tell(self) -> None:
        """Tell each decision, in order, when it stands in the record. Its key makes a second telling harmless."""
        while True:
            await workflow.wait_condition(lambda: bool(self._case.to_tell) and self._journal.is_written)
            told = self._case.to_tell[0]
            answer = await self._told_to_order(told)
            if answer == "over":
                answer = await self._told_to_keeper(told)
            self._journal.note(k.SubjectTold(message=told.key, answer=answer))

    async def _told_to_order(self, told: k.Told) -> str:
        """`told`, or `over` when no order runs that has to know."""
        number = self._case.specification.order_number
        if number is None:
            return "over"
        news = NoteDeviation(
            command_id=told.key,
            actor=SYSTEM,
            received_at=workflow.now(),
            deviation=self._case.number,
            standing=told.standing,
            decision=told.decision,
            disposition=told.disposition,
            decided_by=told.decided_by,
        )
        order = workflow.get_external_workflow_handle(policies.workflow_id(number))
        try:
            await order.signal("command", news)
        except FailureError:
            return "over"
        return "told"

    async def _told_to_keeper(self, told: k.Told) -> str:
        """The status of a lot that no running order keeps, after the decision; nothing to do for a retest."""
        lot = self._case.specification.lot
        if lot is None or told.standing == "retest":
            return "nobody"
        request = stubs.SettleLotRequest(
            key=f"{told.key}/lot",
            deviation=self._case.number,
            lot=lot,
            standing=told.standing,
            disposition=told.disposition,
        )
        try:
            return await workflow.execute_activity(stubs.settle_lot, request, **policies.SETTLE_LOT)
        except FailureError as error:
            return f"refused: {error.cause or error}"[:500]

    async def _start_action(self, case: Case, number: str) -> object:
        """The corrective action lives on when this case is over."""
        own = case.specification
        asked = k.CapaSpecification(
            number=number,
            source=f"deviation/{case.number}",
            action=case.capa_actions[number],
            opened_by=SYSTEM,
            opened_at=workflow.now(),
            rules=own.rules,
        )
        return await workflow.start_child_workflow(
            CapaWorkflow.run,
            StartCapa(specification=asked, command_id=f"open/{number}"),
            id=policies.capa_id(number),
            **policies.OWN_LIFE,
        )
