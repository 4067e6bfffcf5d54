"""The inbox, the outbox and the state of one order: what makes its workflow safe to kill at any moment.

Commands come as signals into a bounded inbox. They are judged one at a time, on a copy of the state, and every
verdict is appended as a fact to an ordered outbox, which the projector writes to the record.

Which facts may be written by a local activity? Only verdicts on commands. A local activity commits before the server
knows that this workflow task is done; if the worker dies in between, the task is repeated, perhaps together with
signals that came later. Signals keep their order, so the same verdicts come out again. But the SDK runs signals before
the answers of activities and timers of the same task, so a fact that follows from such an answer could come out behind
a verdict that it stood before. Those facts are written by a normal activity, which starts only when the task is done.
"""

import copy
from collections import deque
from collections.abc import Iterable
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities import stubs
from domain import commands as c
from domain import events as e
from domain import planning_events as p
from domain import quality_events as q
from domain.errors import Blocker, Refused
from domain.folding import fold
from domain.process import Process, created
from domain.quantities import plain
from domain.rules.common import SYSTEM
from domain.rules.consequences import consequences
from domain.rules.judge import judge
from domain.rules.possible import possible_commands
from domain.specification import OrderSpecification
from domain.start import Carried
from workflows import policies

INBOX_LIMIT = 2000
"""More waiting commands than this means that somebody floods the order; the rest is refused, not lost silently."""
SEEN_LIMIT = 1000
"""Command ids that are kept; an older one is answered by the record before it is ever signalled."""


class Journal:
    """State, inbox and outbox of one order."""

    def __init__(self, specification: OrderSpecification, carried: Carried | None) -> None:
        self.process: Process = carried.process if carried else created(specification)
        self.inbox: deque[c.Command] = deque(carried.inbox if carried else ())
        self.outbox: deque[tuple[e.Fact, bool]] = deque()
        self.seen: dict[str, None] = dict.fromkeys(carried.seen if carried else ())
        self.writing = False

    # Commands ----------------------------------------------------------------------------------------------------

    def receive(self, command: c.Command) -> None:
        """Put a command into the inbox; one that was seen before has its answer in the record already."""
        if command.command_id in self.seen:
            return
        if len(self.inbox) >= INBOX_LIMIT:
            workflow.logger.error("inbox full, command %s dropped", command.command_id)
            return
        self._remember(command.command_id)
        self.inbox.append(command)

    def _remember(self, command_id: str) -> None:
        self.seen[command_id] = None
        if len(self.seen) > SEEN_LIMIT:
            del self.seen[next(iter(self.seen))]

    async def take_commands(self) -> None:
        """Judge the commands of the inbox, one at a time, for as long as the order lives."""
        while True:
            await workflow.wait_condition(lambda: bool(self.inbox))
            while self.inbox:
                self.take(self.inbox.popleft())

    def take(self, command: c.Command) -> None:
        """Judge one command and append the verdict. A bug in a rule refuses this command and no other."""
        try:
            trial = copy.deepcopy(self.process)
            events = judge(trial, command)
            self._accept(trial, command, events)
        except Refused as refused:
            self._refuse(command, refused.blockers)
        except Exception:
            workflow.logger.exception("rule failed for command %s", command.command_id)
            blocker = Blocker(
                code="RULE_FAILED",
                entity="command",
                id=command.command_id,
                found="an error in the rules of this software",
                required="a corrected release; an alarm was raised",
                who_can_fix="administrator",
            )
            self._refuse(command, (blocker,))

    def _accept(self, trial: Process, command: c.Command, events: tuple[e.Event, ...]) -> None:
        is_pending = any(isinstance(event, e.VerdictPending) for event in events)
        fact = self._fact(trial, events, actor=command.actor, at=command.received_at, command=command)
        if not is_pending:
            outcome = self._outcome(trial, command, _result(events))
            fact = fact.model_copy(update={"outcome": outcome})
        self.process = trial
        self.outbox.append((fact, True))

    def _outcome(self, process: Process, command: c.Command, result: dict[str, str]) -> e.Outcome:
        return e.Outcome(
            command_id=command.command_id,
            accepted=True,
            order_number=process.specification.number,
            revision=process.revision,
            possible=possible_commands(process, command),
            result=result,
        )

    def _refuse(self, command: c.Command, blockers: tuple[Blocker, ...]) -> None:
        entity = getattr(command, "operation", None) or getattr(command, "work_order", None)
        possible = possible_commands(self.process, command)
        event = e.CommandRefused(
            command=command.kind_name(),
            entity=entity or self.process.specification.number,
            blockers=blockers,
            possible=possible,
        )
        fact = self._fact(self.process, (event,), actor=command.actor, at=command.received_at, command=command)
        outcome = e.Outcome(
            command_id=command.command_id,
            accepted=False,
            order_number=fact.order_number,
            revision=fact.revision,
            blockers=blockers,
            possible=possible,
        )
        self.outbox.append((fact.model_copy(update={"outcome": outcome}), True))

    # The procedure's own decisions -------------------------------------------------------------------------------

    def note(self, *events: e.Event, answers: str | None = None, blockers: Iterable[Blocker] = ()) -> None:
        """Append what the procedure found. `answers` names the request whose pending command gets its verdict."""
        pending = self.process.pending.get(answers) if answers else None
        if pending is not None and answers is not None:
            events = (*events, e.VerdictGiven(request=answers))
        actor = pending.actor if pending else SYSTEM
        fact = self._fact(self.process, events, actor=actor, at=workflow.now(), command=None)
        if pending is not None:
            outcome = e.Outcome(
                command_id=pending.command_id,
                accepted=not tuple(blockers),
                order_number=fact.order_number,
                revision=fact.revision,
                blockers=tuple(blockers),
                possible=possible_commands(self.process),
            )
            fact = fact.model_copy(
                update={"outcome": outcome, "command_id": pending.command_id, "command_kind": pending.command}
            )
        self.outbox.append((fact, False))

    def _fact(
        self,
        process: Process,
        events: tuple[e.Event, ...],
        *,
        actor: str,
        at: datetime,
        command: c.Command | None,
    ) -> e.Fact:
        """Apply events and all that follows by itself to `process`, and make the fact that tells of it."""
        fact = e.Fact(
            order_number=process.specification.number,
            revision=process.revision + 1,
            at=at,
            actor=actor,
            command_id=command.command_id if command else None,
            command_kind=command.kind_name() if command else None,
            reason=command.reason if command else None,
            signature_id=command.signature_id if command else None,
            source=command.source if command else "",
            events=events,
        )
        fold(process, fact)
        while follows := consequences(process):
            fold(process, fact.model_copy(update={"events": follows}))
            events = (*events, *follows)
        return fact.model_copy(update={"events": events})

    def note_creation(self, command_id: str, received_at: datetime) -> None:
        """The first fact of an order: it exists, with everything frozen that it needs."""
        specification = self.process.specification
        event = e.OrderCreated(specification=specification)
        fact = self._fact(self.process, (event,), actor=specification.created_by, at=received_at, command=None)
        outcome = e.Outcome(
            command_id=command_id, accepted=True, order_number=specification.number, revision=fact.revision
        )
        self._remember(command_id)
        self.outbox.append((fact.model_copy(update={"outcome": outcome, "command_id": command_id}), True))

    # The projector -----------------------------------------------------------------------------------------------

    async def write_facts(self) -> None:
        """Bring the outbox to the record, in order, in batches, for as long as the order lives."""
        while True:
            await workflow.wait_condition(lambda: bool(self.outbox))
            self.writing = True
            at_once = self.outbox[0][1]
            facts: list[e.Fact] = []
            while self.outbox and self.outbox[0][1] == at_once and len(facts) < 50:
                facts.append(self.outbox.popleft()[0])
            await self._write(tuple(facts), at_once)
            self.writing = False

    async def _write(self, facts: tuple[e.Fact, ...], at_once: bool) -> None:
        batch = stubs.FactBatch(order_number=self.process.specification.number, facts=facts)
        try:
            if at_once:
                await workflow.execute_local_activity(stubs.write_record, batch, **policies.WRITE_RECORD_AT_ONCE)
            else:
                await workflow.execute_activity(stubs.write_record, batch, **policies.WRITE_RECORD)
        except FailureError as error:
            # Not a failure of the order: this task is repeated until a release judges as the record says. A normal
            # activity's error is wrapped once, a local one's is not, and either would fail the order if let through.
            raise RecordContradiction(str(error.cause or error)) from error

    @property
    def is_written(self) -> bool:
        """All facts so far stand in the record."""
        return not self.outbox and not self.writing

    @property
    def is_quiet(self) -> bool:
        """Nothing to judge and nothing to write."""
        return not self.inbox and self.is_written

    def carry(self) -> Carried:
        """What a new run of this order needs."""
        return Carried(process=self.process, seen=tuple(self.seen), inbox=tuple(self.inbox))


class RecordContradiction(RuntimeError):
    """The record holds another fact under this revision: the code that judges now is not the code that judged."""


def _result(events: tuple[e.Event, ...]) -> dict[str, str]:
    """The numbers of what a command made, for its sender."""
    result: dict[str, str] = {}
    for event in events:
        match event:
            case e.ProductionReported() | q.ReportReversed():
                result.setdefault("reportNumber", event.report_number)
            case q.OverReportAsked():
                result["overReport"] = event.number
            case q.InProcessInspectionMoved(origin=None):
                result["inspection"] = event.inspection
            case q.ReworkMoved(origin=None):
                result["rework"] = event.rework
            case p.OrderSplit():
                result["parts"] = ", ".join(plain(part.quantity) for part in event.parts)
            case p.QuantityReduced():
                result |= {"quantity": plain(event.target), "rest": plain(event.rest.quantity)}
    return result
