"""Inbox, outbox and verdicts of one durable life: what makes its workflow safe to kill at any moment.

An order (`workflows/journal.py`) and a quality case (`workflows/case_journal.py`) differ in state, rules and facts; how
a command is taken, judged and answered is the same and stands here.

Commands come as signals into a bounded inbox. They are judged one at a time, on a copy of the state, and every
verdict is appended as a fact to an ordered outbox, which the projector writes to the record.

Which facts may be written by a local activity? Only verdicts on commands. A local activity commits before the server
knows that this workflow task is done; if the worker dies in between, the task is repeated, perhaps together with
signals that came later. Signals keep their order, so the same verdicts come out again. But the SDK runs signals before
the answers of activities and timers of the same task, so a fact that follows from such an answer could come out behind
a verdict that it stood before. Those facts are written by a normal activity, which starts only when the task is done.
"""

import asyncio
import copy
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.base import Holder
from domain.commands import Command
from domain.errors import Blocker, Refused
from domain.facts import CommandRefused, Decision, Outcome
from domain.rules.common import SYSTEM

INBOX_LIMIT = 2000
"""More waiting commands than this means that somebody floods the process; the rest is refused, not lost silently."""
SEEN_LIMIT = 1000
"""Command ids that are kept; an older one is answered by the record before it is ever signalled."""
FACTS_AT_ONCE = 50

State = TypeVar("State", bound=Holder)
AnyFact = TypeVar("AnyFact", bound=Decision)


class Verdicts(ABC, Generic[State, AnyFact]):
    """State, inbox and outbox of one life. A subclass says what is judged by which rules and written where."""

    def __init__(self, state: State, inbox: Iterable[Command], seen: Iterable[str]) -> None:
        self.state = state
        self.inbox: deque[Command] = deque(inbox)
        self.outbox: deque[tuple[AnyFact, bool]] = deque()
        self.seen: dict[str, None] = dict.fromkeys(seen)
        self.writing = False

    # What a subclass says ----------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def number(self) -> str:
        """The number of whose life it is."""

    @abstractmethod
    def judge(self, state: State, command: Command) -> tuple[Any, ...]:
        """The events of an accepted command, or `Refused`."""

    @abstractmethod
    def possible(self, state: State, command: Command | None = None) -> tuple[str, ...]:
        """The kinds of command that are possible now."""

    @abstractmethod
    def make_fact(self, state: State, events: tuple[Any, ...], **about: Any) -> AnyFact:
        """Apply events and all that follows by itself to `state`, and make the fact that tells of it."""

    @abstractmethod
    async def send(self, facts: tuple[AnyFact, ...], at_once: bool) -> None:
        """Write facts to the record, by a local activity when `at_once`."""

    def entity(self, command: Command) -> str:
        """What a refused command was about."""
        return self.number

    def is_pending(self, events: tuple[Any, ...]) -> bool:
        """Whether the verdict comes later, from a neighbour."""
        return False

    def result(self, events: tuple[Any, ...]) -> dict[str, str]:
        """The numbers of what a command made, for its sender."""
        return {}

    # Commands ----------------------------------------------------------------------------------------------------

    def receive(self, command: Command) -> None:
        """Put a command into the inbox; one that was seen before has its answer in the record already."""
        if command.command_id in self.seen:
            return
        if len(self.inbox) >= INBOX_LIMIT:
            # Its sender hears of it, and the record says so.
            blocker = Blocker(
                code="INBOX_FULL", entity="command", id=command.command_id, found=f"{len(self.inbox)} commands wait",
                required="fewer commands at once: send a new one later", who_can_fix="administrator",
            )  # fmt: skip
            self.remember(command.command_id)
            self._refuse(command, (blocker,))
            return
        self.remember(command.command_id)
        self.inbox.append(command)

    def remember(self, command_id: str) -> None:
        """Take this id as seen."""
        self.seen[command_id] = None
        if len(self.seen) > SEEN_LIMIT:
            del self.seen[next(iter(self.seen))]

    async def take_commands(self) -> None:
        """Judge the commands of the inbox, one at a time, for as long as the process lives."""
        while True:
            await workflow.wait_condition(lambda: bool(self.inbox))
            while self.inbox:
                self.take(self.inbox.popleft())

    def take(self, command: Command) -> None:
        """Judge one command and append the verdict. A bug in a rule refuses this command and no other."""
        try:
            trial = copy.deepcopy(self.state)
            events = self.judge(trial, command)
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

    def _accept(self, trial: State, command: Command, events: tuple[Any, ...]) -> None:
        fact = self.fact(trial, events, actor=command.actor, at=command.received_at, command=command)
        if not self.is_pending(events):
            outcome = self._outcome(fact, command.command_id, (), self.possible(trial, command), self.result(events))
            fact = fact.model_copy(update={"outcome": outcome})
        self.state = trial
        self.outbox.append((fact, True))

    def _refuse(self, command: Command, blockers: tuple[Blocker, ...]) -> None:
        possible = self.possible(self.state, command)
        event = CommandRefused(
            command=command.kind_name(), entity=self.entity(command), blockers=blockers, possible=possible
        )
        fact = self.fact(self.state, (event,), actor=command.actor, at=command.received_at, command=command)
        outcome = self._outcome(fact, command.command_id, blockers, possible, {})
        self.outbox.append((fact.model_copy(update={"outcome": outcome}), True))

    def _outcome(
        self,
        fact: AnyFact,
        command_id: str,
        blockers: Iterable[Blocker],
        possible: tuple[str, ...],
        result: dict[str, str],
    ) -> Outcome:
        against = tuple(blockers)
        return Outcome(
            command_id=command_id,
            accepted=not against,
            order_number=self.number,
            revision=fact.revision,
            blockers=against,
            possible=possible,
            result=result,
        )

    # The procedure's own decisions -------------------------------------------------------------------------------

    def note(self, *events: Any) -> None:
        """Append what the procedure found."""
        fact = self.fact(self.state, events, actor=SYSTEM, at=workflow.now(), command=None)
        self.outbox.append((fact, False))

    def note_first(self, event: Any, actor: str, command_id: str, received_at: datetime) -> None:
        """The first fact of a life: it exists, with everything frozen that it needs."""
        fact = self.fact(self.state, (event,), actor=actor, at=received_at, command=None)
        outcome = self._outcome(fact, command_id, (), (), {})
        self.remember(command_id)
        self.outbox.append((fact.model_copy(update={"outcome": outcome, "command_id": command_id}), True))

    def fact(
        self, state: State, events: tuple[Any, ...], *, actor: str, at: datetime, command: Command | None
    ) -> AnyFact:
        """The fact of these events; `state` is changed by them."""
        return self.make_fact(
            state,
            events,
            at=at,
            actor=actor,
            command_id=command.command_id if command else None,
            command_kind=command.kind_name() if command else None,
            reason=command.reason if command else None,
            signature_id=command.signature_id if command else None,
            source=command.source if command else "",
        )

    # The projector -----------------------------------------------------------------------------------------------

    async def write_facts(self) -> None:
        """Bring the outbox to the record, in order, in batches, for as long as the process lives."""
        while True:
            await workflow.wait_condition(lambda: bool(self.outbox))
            self.writing = True
            at_once = self.outbox[0][1]
            facts: list[AnyFact] = []
            while self.outbox and self.outbox[0][1] == at_once and len(facts) < FACTS_AT_ONCE:
                facts.append(self.outbox.popleft()[0])
            try:
                await self.send(tuple(facts), at_once)
            except FailureError as error:
                # Not a failure of the process: this task is repeated until a release judges as the record says. A
                # normal activity's error is wrapped once, a local one's is not, and either would fail the process.
                raise RecordContradiction(str(error.cause or error)) from error
            self.writing = False

    @property
    def is_written(self) -> bool:
        """All facts so far stand in the record."""
        return not self.outbox and not self.writing

    @property
    def is_quiet(self) -> bool:
        """Nothing to judge and nothing to write."""
        return not self.inbox and self.is_written


class RecordContradiction(RuntimeError):
    """The record holds another fact under this revision: the code that judges now is not the code that judged."""


def raise_failure(*tasks: asyncio.Task[None]) -> None:
    """An error in inbox or outbox is an error of the workflow task, never a silent stop."""
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error
