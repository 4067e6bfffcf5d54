"""One maintenance order, from its request to the verification that the equipment may be used again (SM-9)."""

from collections.abc import Iterable

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, WorkflowAlreadyStartedError

from activities import stubs
from domain import maintenance as m
from domain import quality_cases as k
from domain.commands import NoteFault
from domain.errors import Blocker
from domain.maintenance_commands import AnyMaintenanceCommand
from domain.rules import maintenance as rules
from domain.rules.common import SYSTEM
from domain.start import CarriedMaintenance, StartMaintenanceOrder
from workflows import policies
from workflows.case_journal import CaseJournal, CaseLife, passes
from workflows.neighbours import refusal_of


class MaintenanceJournal(CaseJournal[m.MaintenanceCase]):
    """The journal of an order some of whose commands have their verdict only when the register has answered."""

    def is_pending(self, events: tuple[object, ...]) -> bool:
        """See `Verdicts.is_pending`."""
        return any(isinstance(event, m.RegisterAsked) for event in events)

    def answer(self, asked: m.RegisterAsked, *events: m.MaintenanceEvents, blockers: Iterable[Blocker] = ()) -> None:
        """The verdict on the command that asked the register."""
        answered = m.RegisterAnswered(command_id=asked.command_id)
        fact = self.fact(self.state, (*events, answered), actor=asked.actor, at=workflow.now(), command=None)
        outcome = self._outcome(fact, asked.command_id, blockers, self.possible(self.state), {})
        told = {"outcome": outcome, "command_id": asked.command_id, "command_kind": asked.command}
        self.outbox.append((fact.model_copy(update=told), False))


@workflow.defn(name="Maintenance")
class MaintenanceWorkflow:
    """Leads a maintenance order through its commands, asks the register, and tells the orders that it interrupts."""

    @workflow.init
    def __init__(self, start: StartMaintenanceOrder) -> None:
        carried = start.carried
        case = carried.case if carried else k.begun(start.specification)
        assert isinstance(case, m.MaintenanceCase)
        self._journal = MaintenanceJournal(case, carried.inbox if carried else (), carried.seen if carried else ())
        if carried is None:
            own = start.specification
            self._journal.note_first(
                m.MaintenanceRaised(specification=own), own.opened_by, start.command_id, own.opened_at
            )  # fmt: skip

    @workflow.run
    async def run(self, start: StartMaintenanceOrder) -> str:
        life = CaseLife(self._journal)
        goes_on = await life.run(self._is_done, self._tell(), self._ask_register(), self._watch_due_date())
        if goes_on:
            inbox: tuple[AnyMaintenanceCommand, ...] = tuple(self._journal.inbox)  # type: ignore[arg-type]
            carried = CarriedMaintenance(case=self._case, seen=tuple(self._journal.seen), inbox=inbox)
            workflow.continue_as_new(start.model_copy(update={"carried": carried}))
        return self._case.state

    @workflow.signal
    def command(self, command: AnyMaintenanceCommand) -> None:
        """Take a command into the inbox; the verdict comes to the record."""
        self._journal.receive(command)

    @workflow.query
    def case(self) -> m.MaintenanceCase:
        """The order as it is now."""
        return self._case

    @property
    def _case(self) -> m.MaintenanceCase:
        return self._journal.state

    def _is_done(self) -> bool:
        return not self._case.to_tell and self._case.asked is None

    async def _watch_due_date(self) -> None:
        """A plan that is not begun on its day is flagged."""
        due_at = self._case.specification.due_at
        if due_at is None or self._case.overdue:
            return
        if await passes(lambda: self._case.state not in _NOT_BEGUN, due_at, "due date"):
            self._journal.note(k.DeadlineMissed(step="closing"))

    async def _ask_register(self) -> None:
        """Ask for what a command wants to do to the equipment; the command has its verdict with the answer."""
        own = self._case.specification
        while True:
            await workflow.wait_condition(lambda: self._case.asked is not None and self._journal.is_written)
            asked = self._case.asked
            assert asked is not None
            request = stubs.MaintainRequest(
                key=f"{own.number}/{asked.command_id}",
                actor=asked.actor,
                order=own.number,
                equipment=own.equipment,
                act=asked.act,
                is_planned=own.cause == m.MaintenanceCause.PREVENTIVE,
            )
            try:
                await workflow.execute_activity(stubs.maintain, request, **policies.SETTLE_LOT)
            except ActivityError as error:
                refused = refusal_of(error)
                if refused is None:
                    raise
                self._journal.answer(asked, blockers=refused.reasons("equipment", own.equipment))
                continue
            self._journal.answer(asked, *rules.agreed(self._case))

    async def _tell(self) -> None:
        """Tell each interrupted order, when it stands in the record. Its key makes a second telling harmless."""
        while True:
            await workflow.wait_condition(lambda: bool(self._case.to_tell) and self._journal.is_written)
            news = self._case.to_tell[0]
            self._journal.note(m.OrderTold(message=news.key, answer=await self._told(news)))

    async def _told(self, news: m.News) -> str:
        own, what = self._case.specification, news.interrupted
        command = NoteFault(
            command_id=news.key,
            actor=SYSTEM,
            received_at=workflow.now(),
            work_order=what.work_order,
            operation=what.operation,
            maintenance_order=own.number,
            equipment=own.equipment,
            standing=news.standing,
            detail=own.detail,
        )
        order = workflow.get_external_workflow_handle(policies.workflow_id(what.order_number))
        try:
            await order.signal("command", command)
        except FailureError:
            return "over"
        return "told"


_NOT_BEGUN = (m.MaintenanceState.REQUESTED, m.MaintenanceState.APPROVED, m.MaintenanceState.SCHEDULED)


async def begin(specifications: Iterable[m.MaintenanceSpecification]) -> None:
    """Begin the processes of maintenance orders that were requested; each lives on its own, and begins once."""
    for own in specifications:
        start = StartMaintenanceOrder(specification=own, command_id=f"open/{own.number}")
        try:
            await workflow.start_child_workflow(
                MaintenanceWorkflow.run, start, id=policies.maintenance_id(own.number), **policies.OWN_LIFE
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("maintenance order %s runs already", own.number)
