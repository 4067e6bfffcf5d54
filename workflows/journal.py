"""The inbox, the outbox and the state of one order. How commands become verdicts stands in `workflows/verdicts.py`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from temporalio import workflow

from activities import stubs
from domain import change_events as ch
from domain import events as e
from domain import hold_events as h
from domain import planning_events as p
from domain import quality_events as q
from domain import recovery_events as v
from domain import weighing_events as w
from domain.commands import Command
from domain.errors import Blocker
from domain.folding import fold
from domain.process import Process, created
from domain.quantities import plain
from domain.rules.consequences import consequences
from domain.rules.judge import judge
from domain.rules.possible import possible_commands, tasks
from domain.specification import OrderSpecification
from domain.start import Carried
from workflows import policies
from workflows.verdicts import Verdicts


class Journal(Verdicts[Process, e.Fact]):
    """State, inbox and outbox of one order."""

    def __init__(self, specification: OrderSpecification, carried: Carried | None) -> None:
        process = carried.process if carried else created(specification)
        super().__init__(process, carried.inbox if carried else (), carried.seen if carried else ())

    @property
    def process(self) -> Process:
        """The order as it is now."""
        return self.state

    @property
    def number(self) -> str:
        """The order's number."""
        return self.process.specification.number

    def judge(self, state: Process, command: Command) -> tuple[e.Event, ...]:
        """See `Verdicts.judge`."""
        return judge(state, command)

    def possible(self, state: Process, command: Command | None = None) -> tuple[str, ...]:
        """See `Verdicts.possible`."""
        return possible_commands(state, command)

    def entity(self, command: Command) -> str:
        """The operation or work order that a command was about; else the order."""
        return getattr(command, "operation", None) or getattr(command, "work_order", None) or self.number

    def is_pending(self, events: tuple[e.Event, ...]) -> bool:
        """See `Verdicts.is_pending`."""
        return any(isinstance(event, e.VerdictPending) for event in events)

    def result(self, events: tuple[e.Event, ...]) -> dict[str, str]:
        """See `Verdicts.result`."""
        return _result(events)

    def note(self, *events: e.Event, answers: str | None = None, blockers: Iterable[Blocker] = ()) -> None:
        """Append what the procedure found. `answers` names the request whose pending command gets its verdict."""
        pending = self.process.pending.get(answers) if answers else None
        if pending is None or answers is None:
            super().note(*events)
            return
        events = (*events, e.VerdictGiven(request=answers))
        fact = self.fact(self.process, events, actor=pending.actor, at=workflow.now(), command=None)
        possible = possible_commands(self.process)
        outcome = self._outcome(fact, pending.command_id, blockers, possible, _weighed(events))
        told = {"outcome": outcome, "command_id": pending.command_id, "command_kind": pending.command}
        self.outbox.append((fact.model_copy(update=told), False))

    def make_fact(self, state: Process, events: tuple[e.Event, ...], **about: Any) -> e.Fact:
        """See `Verdicts.make_fact`."""
        fact = e.Fact(
            order_number=state.specification.number, revision=state.revision + 1, events=events, **about
        )  # fmt: skip
        fold(state, fact)
        while follows := consequences(state):
            fold(state, fact.model_copy(update={"events": follows}))
            events = (*events, *follows)
        return fact.model_copy(update={"events": events})

    def note_creation(self, command_id: str, received_at: datetime) -> None:
        """The first fact of an order: it exists, with everything frozen that it needs."""
        specification = self.process.specification
        created_now = e.OrderCreated(specification=specification)
        self.note_first(created_now, specification.created_by, command_id, received_at)

    async def send(self, facts: tuple[e.Fact, ...], at_once: bool) -> None:
        """See `Verdicts.send`."""
        batch = stubs.FactBatch(order_number=self.number, facts=facts, tasks=tasks(self.process))
        if at_once:
            await workflow.execute_local_activity(stubs.write_record, batch, **policies.WRITE_RECORD_AT_ONCE)
        else:
            await workflow.execute_activity(stubs.write_record, batch, **policies.WRITE_RECORD)

    def carry(self) -> Carried:
        """What a new run of this order needs."""
        inbox: Any = tuple(self.inbox)  # commands of orders alone come in here
        return Carried(process=self.process, seen=tuple(self.seen), inbox=inbox)


def _result(events: tuple[e.Event, ...]) -> dict[str, str]:
    """The numbers of what a command made, for its sender."""
    result: dict[str, str] = {}
    for event in events:
        match event:
            case e.ProductionReported() | q.ReportReversed():
                result.setdefault("reportNumber", event.report_number)
            case e.DeviationOpened(has_process=True):
                result.setdefault("deviation", event.number)
            case h.LotHoldLifted():
                result["resumes"] = "yes" if event.resumes else "no"
            case q.OverReportAsked():
                result["overReport"] = event.number
            case q.InProcessInspectionMoved(origin=None):
                result["inspection"] = event.inspection
            case q.ReworkMoved(origin=None):
                result["rework"] = event.rework
            case v.RecoveryMoved(origin=None):
                result["recovery"] = event.recovery
            case ch.OrderChangeRequested():
                result["change"] = event.change
            case p.OrderSplit():
                result["parts"] = ", ".join(plain(part.quantity) for part in event.parts)
            case p.QuantityReduced():
                result |= {"quantity": plain(event.target), "rest": plain(event.rest.quantity)}
    return result


def _weighed(events: tuple[e.Event, ...]) -> dict[str, str]:
    """The container that a weighing has filled, for the person who waits for it."""
    found = next((event.weighing for event in events if isinstance(event, w.MaterialWeighed)), None)
    return {} if found is None else {"container": found.number, "net": plain(found.net)}
