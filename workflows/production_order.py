"""One production order, from its creation to its end, as one durable process."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain import events as e
from domain.commands import AnyCommand
from domain.process import Process
from domain.rules.order_deviations import specification_of
from domain.specification import OrderSpecification
from domain.start import StartDeviation, StartOrder
from domain.states import ORDER, OrderState
from workflows import policies
from workflows.compensation import compensate
from workflows.deviation import DeviationWorkflow
from workflows.journal import Journal
from workflows.line_side import ReturnProcedure
from workflows.neighbours import Neighbours, OrderIsEnding
from workflows.verdicts import raise_failure
from workflows.work_order import WorkOrderProcedure

PHASE = SearchAttributeKey.for_keyword("MesPhase")
PRODUCT = SearchAttributeKey.for_keyword("MesProduct")
DUE_AT = SearchAttributeKey.for_datetime("MesDueAt")


def search_attributes(specification: OrderSpecification, phase: OrderState = OrderState.DRAFT) -> TypedSearchAttributes:
    """What operations can look orders up by, from the start on."""
    pairs: list[SearchAttributePair[str] | SearchAttributePair[datetime]] = [
        SearchAttributePair(PHASE, phase),
        SearchAttributePair(PRODUCT, specification.product),
    ]
    if specification.due_at is not None:
        pairs.append(SearchAttributePair(DUE_AT, specification.due_at))
    return TypedSearchAttributes(pairs)


@workflow.defn(name="ProductionOrder")
class ProductionOrderWorkflow:
    """Submit → approve → release → its work orders by dependency → complete → close, or cancel at any stage."""

    @workflow.init
    def __init__(self, start: StartOrder) -> None:
        # Commands can arrive before the first line of `run`: everything that they touch is built here.
        self._journal = Journal(start.specification, start.carried)
        self._neighbours = Neighbours(self._journal, self._is_ending)
        self._continues = False
        self._rests = False
        self._started: set[str] = set()
        self._shown = start.carried.process.state if start.carried else OrderState.DRAFT
        self._shown_due = self._due_at()
        if start.carried is None:
            self._journal.note_creation(start.command_id, start.received_at)

    @workflow.run
    async def run(self, start: StartOrder) -> OrderState:
        inbox = asyncio.create_task(self._journal.take_commands())
        outbox = asyncio.create_task(self._journal.write_facts())
        approval = asyncio.create_task(self._remind_of_approval())
        phase = asyncio.create_task(self._show_phase())
        deviations = asyncio.create_task(self._start_deviations())
        rest = asyncio.create_task(self._go_to_rest(start.rests_after_seconds))
        work_orders = [asyncio.create_task(self._work_order(number)) for number in self._process.work_orders]
        # Until the order ends: what is left at the line may be returned when the work order is long done.
        work_orders += [asyncio.create_task(self._returns(number)) for number in self._process.work_orders]

        helpers = (inbox, outbox, phase)
        await self._until_it_ends(*helpers)
        approval.cancel()
        rest.cancel()
        for work_order in work_orders:
            await work_order
        if self._process.state == OrderState.CANCELLING:
            await self._compensate()
        await self._until_written(*helpers)
        await workflow.wait_condition(lambda: deviations.done() or not self._unstarted())
        raise_failure(deviations)
        deviations.cancel()
        for task in helpers:
            task.cancel()
        if self._continues:
            workflow.continue_as_new(start.model_copy(update={"carried": self._journal.carry()}))
        return self._process.state

    @workflow.signal
    def command(self, command: AnyCommand) -> None:
        """Take a command into the inbox; the verdict comes to the record."""
        self._journal.receive(command)

    @workflow.query
    def process(self) -> Process:
        """The order as it is now."""
        return self._process

    @property
    def _process(self) -> Process:
        return self._journal.process

    def _is_ending(self) -> bool:
        state = self._process.state
        return self._continues or state == OrderState.CANCELLING or ORDER.is_final(state)

    async def _work_order(self, number: str) -> None:
        await WorkOrderProcedure(number, self._journal, self._neighbours, self._is_ending).run()

    async def _returns(self, number: str) -> None:
        await ReturnProcedure(number, self._journal, self._neighbours, self._is_ending).run()

    def _unstarted(self) -> list[str]:
        """Open deviations whose own process this run has not begun. An earlier run may have: then it runs already."""
        return [
            number
            for number in self._process.led_deviations
            if number not in self._started and self._process.deviations[number] == "open"
        ]

    async def _start_deviations(self) -> None:
        """Begin the process of each deviation, once: its id is the deviation's number, it outlives this order."""
        while True:
            await workflow.wait_condition(lambda: bool(self._unstarted()) and self._journal.is_written)
            for number in self._unstarted():
                specification = specification_of(self._process, number)
                try:
                    await workflow.start_child_workflow(
                        DeviationWorkflow.run,
                        StartDeviation(specification=specification, command_id=f"open/{number}"),
                        id=policies.deviation_id(number),
                        **policies.OWN_LIFE,
                    )
                except WorkflowAlreadyStartedError:
                    workflow.logger.info("deviation %s has its process already", number)
                self._started.add(number)

    async def _compensate(self) -> None:
        """Give everything back. A long wait for a neighbour goes on in a new run: each step may be repeated."""
        neighbours = Neighbours(self._journal, lambda: workflow.info().is_continue_as_new_suggested())
        try:
            await compensate(self._journal, neighbours)
        except OrderIsEnding:
            self._continues = True

    @property
    def _is_idle(self) -> bool:
        return self._journal.is_quiet and self._neighbours.in_flight == 0 and not self._unstarted()

    async def _go_to_rest(self, seconds: int | None) -> None:
        """An order that nobody touches waits on in a new run: its few events are read back at once when a worker dies.

        One timer for a run, whatever happens meanwhile: a step is not made dearer by it.
        """
        if seconds is None:
            return
        while not self._rests:
            await workflow.wait_condition(lambda: self._is_worth_a_rest and self._is_idle)
            revision = self._process.revision
            await workflow.sleep(seconds * workflow.random().uniform(1, policies.REST_SPREAD), summary="rest")
            self._rests = self._is_idle and self._process.revision == revision

    @property
    def _is_worth_a_rest(self) -> bool:
        is_released = self._process.state == OrderState.RELEASED
        least = policies.WORTH_A_REST_RELEASED if is_released else policies.WORTH_A_REST
        return workflow.info().get_current_history_length() >= least

    async def _until_it_ends(self, *helpers: asyncio.Task[None]) -> None:
        """Wait for the order's last state, for a cancellation, or for a quiet moment to begin a new run."""

        def is_over() -> bool:
            state = self._process.state
            if ORDER.is_final(state) or state == OrderState.CANCELLING or any(task.done() for task in helpers):
                return True
            return self._is_idle and (self._rests or workflow.info().is_continue_as_new_suggested())

        await workflow.wait_condition(is_over)
        raise_failure(*helpers)
        self._continues = not ORDER.is_final(self._process.state) and self._process.state != OrderState.CANCELLING

    async def _until_written(self, *helpers: asyncio.Task[None]) -> None:
        await workflow.wait_condition(lambda: self._journal.is_quiet or any(task.done() for task in helpers))
        raise_failure(*helpers)

    async def _remind_of_approval(self) -> None:
        """An approval that is not given in time is reminded of, then escalated; the clock starts at each submission."""
        policy = self._process.specification.policy
        reminder = timedelta(seconds=policy.approval_deadline_seconds)
        escalation = reminder + timedelta(seconds=policy.approval_escalation_seconds)
        while True:
            # An approved order that is changed is submitted again.
            await workflow.wait_condition(lambda: self._process.state == OrderState.SUBMITTED)
            submitted_at = self._process.submitted_at
            assert submitted_at is not None
            if not self._process.approval_reminded:
                if await self._is_submitted_still(submitted_at, submitted_at + reminder):
                    self._journal.note(e.ApprovalOverdue(step="reminder"))
            elif not self._process.approval_escalated:
                if await self._is_submitted_still(submitted_at, submitted_at + escalation):
                    self._journal.note(e.ApprovalOverdue(step="escalation"))
            else:
                await workflow.wait_condition(lambda: self._process.state != OrderState.SUBMITTED)

    async def _is_submitted_still(self, submitted_at: datetime, deadline: datetime) -> bool:
        """Wait for the deadline; False when the order was decided or submitted anew before it."""

        def is_decided() -> bool:
            return self._process.state != OrderState.SUBMITTED or self._process.submitted_at != submitted_at

        try:
            await workflow.wait_condition(
                is_decided, timeout=max(deadline - workflow.now(), timedelta(0)), timeout_summary="approval deadline"
            )
        except TimeoutError:
            return True
        return False

    async def _show_phase(self) -> None:
        """Keep the order's phase where operations look: search attribute and details."""
        while True:
            await workflow.wait_condition(
                lambda: self._process.state != self._shown or self._due_at() != self._shown_due
            )
            if self._process.state != self._shown:
                self._shown = self._process.state
                workflow.upsert_search_attributes([PHASE.value_set(self._shown)])
            if (due_at := self._due_at()) is not None and due_at != self._shown_due:
                self._shown_due = due_at
                workflow.upsert_search_attributes([DUE_AT.value_set(due_at)])

    def _due_at(self) -> datetime | None:
        return self._process.specification.due_at
