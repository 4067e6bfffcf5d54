"""The journal of one quality case, and the frame that its workflow runs in."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities import stubs
from domain.case_folding import Case, fold_case
from domain.commands import Command
from domain.maintenance import MaintenanceCase
from domain.quality_cases import CapaCase, CaseFact, DeviationCase
from domain.quality_cases import CapaStarted as CapaHasStarted
from domain.rules.judge_case import judge_case, possible_in_case
from workflows import policies
from workflows.verdicts import Verdicts, raise_failure

CaseKind = TypeVar("CaseKind", DeviationCase, CapaCase, MaintenanceCase)


class CaseJournal(Verdicts[CaseKind, CaseFact]):
    """State, inbox and outbox of one quality case."""

    @property
    def number(self) -> str:
        """The case's number."""
        return self.state.number

    def judge(self, state: CaseKind, command: Command) -> tuple[Any, ...]:
        """See `Verdicts.judge`."""
        return judge_case(state, command)

    def possible(self, state: CaseKind, command: Command | None = None) -> tuple[str, ...]:
        """See `Verdicts.possible`."""
        return possible_in_case(state)

    def make_fact(self, state: CaseKind, events: tuple[Any, ...], **about: Any) -> CaseFact:
        """See `Verdicts.make_fact`. Nothing follows by itself: the rules of cases say all of it."""
        fact = CaseFact(case_number=state.number, revision=state.revision + 1, events=events, **about)
        fold_case(state, fact)
        return fact

    async def send(self, facts: tuple[CaseFact, ...], at_once: bool) -> None:
        """See `Verdicts.send`."""
        batch = stubs.CaseFactBatch(case_number=self.number, facts=facts)
        if at_once:
            await workflow.execute_local_activity(stubs.write_case, batch, **policies.WRITE_RECORD_AT_ONCE)
        else:
            await workflow.execute_activity(stubs.write_case, batch, **policies.WRITE_RECORD)


class CaseLife:
    """Runs the duties of a case beside its inbox and outbox, until it is over or a new run is due."""

    def __init__(self, journal: CaseJournal[Any]) -> None:
        self._journal = journal

    async def run(self, is_done: Callable[[], bool], *duties: Coroutine[Any, Any, None]) -> bool:
        """Live; true when a new run has to go on. `is_done` says whether a case that is over has nothing left to do."""
        journal = self._journal
        helpers = [
            asyncio.create_task(duty) for duty in (journal.take_commands(), journal.write_facts(), *duties)
        ]  # fmt: skip

        def has_failed() -> bool:
            return any(task.done() and not task.cancelled() and task.exception() is not None for task in helpers)

        def may_end() -> bool:
            if not journal.is_quiet:
                return False
            return (journal.state.is_over and is_done()) or (
                is_done() and workflow.info().is_continue_as_new_suggested()
            )

        await workflow.wait_condition(lambda: may_end() or has_failed())
        raise_failure(*helpers)
        for task in helpers:
            task.cancel()
        return not journal.state.is_over

    async def start_actions(self, start: Callable[[Case, str], Awaitable[object]]) -> None:
        """Begin the process of each corrective action that follows, once, for as long as the case lives."""
        journal = self._journal

        def asked() -> list[str]:
            return [number for number, standing in journal.state.capas.items() if standing == "asked"]

        while True:
            await workflow.wait_condition(lambda: bool(asked()) and journal.is_written)
            for number in asked():
                try:
                    await start(journal.state, number)
                except WorkflowAlreadyStartedError:
                    workflow.logger.info("corrective action %s runs already", number)
                journal.note(CapaHasStarted(capa=number))


async def passes(is_decided: Callable[[], bool], deadline: datetime, summary: str) -> bool:
    """Wait for a deadline; False when `is_decided` comes true before it."""
    try:
        await workflow.wait_condition(
            is_decided, timeout=max(deadline - workflow.now(), timedelta(0)), timeout_summary=summary
        )
    except TimeoutError:
        return True
    return False
