"""Asking a neighbour: a warehouse, a laboratory, a machine. It may answer, refuse, or not be there.

A neighbour that is not there is asked again for ever, and everybody can see it: what is waited for, which attempt,
since when, what the last error was. A person with the right role may have it asked again at once.
"""

import builtins
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError

from domain import events as e
from domain.errors import Blocker
from workflows import policies
from workflows.journal import Journal

Answer = TypeVar("Answer")


class NeighbourRefused(Exception):
    """The neighbour says no; `blockers` say why."""

    def __init__(self, code: str, detail: str, blockers: tuple[Blocker, ...]) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.blockers = code, detail, blockers

    def reasons(self, entity: str, identity: str) -> tuple[Blocker, ...]:
        """What stands in the way: the neighbour's own blockers, or one that says what it said."""
        said = Blocker(code=self.code, entity=entity, id=identity, found=self.detail, required="a yes")
        return self.blockers or (said,)


class OrderIsEnding(Exception):
    """The order is being cancelled, or continues in a new run: the procedure stops where it is."""


class Neighbours:
    """The order's way to its neighbours."""

    def __init__(self, journal: Journal, is_ending: Callable[[], bool]) -> None:
        self._journal = journal
        self._is_ending = is_ending
        self.in_flight = 0

    async def ask(self, neighbour: str, request: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Call until there is an answer. Raises `NeighbourRefused`, or `OrderIsEnding` between two attempts."""
        earlier = self._journal.process.waiting.get(request)
        since: datetime = earlier.since if earlier else workflow.now()
        attempt = earlier.attempt if earlier else 0
        while True:
            attempt += 1
            # The record stands before the neighbour acts on it: a lot that was released is released there too.
            await workflow.wait_condition(lambda: self._journal.is_written)
            try:
                answer = await self._call(call)
            except ActivityError as error:
                if isinstance(error.cause, CancelledError):
                    raise OrderIsEnding from None
                refusal = refusal_of(error)
                if refusal is not None:
                    self._answered(neighbour, request, attempt)
                    raise refusal from None
                await self._wait(neighbour, request, attempt, since, _last_error(error))
            else:
                self._answered(neighbour, request, attempt)
                return answer

    async def _call(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        self.in_flight += 1
        try:
            return await call()
        finally:
            self.in_flight -= 1

    def _answered(self, neighbour: str, request: str, attempts: int) -> None:
        if request in self._journal.process.waiting:
            self._journal.note(e.NeighbourAnswered(neighbour=neighbour, request=request, attempts=attempts))

    async def _wait(self, neighbour: str, request: str, attempt: int, since: datetime, last_error: str) -> None:
        """Say what is waited for, then wait for the back-off or for a person who wants it now."""
        pause = policies.back_off(attempt)
        self._journal.note(
            e.NeighbourWaiting(
                neighbour=neighbour,
                request=request,
                attempt=attempt,
                since=since,
                next_attempt_at=workflow.now() + pause,
                last_error=last_error[:500],
            )
        )
        retries = self._journal.process.retries_requested

        def is_asked_for() -> bool:
            return self._is_ending() or self._journal.process.retries_requested != retries

        try:
            await workflow.wait_condition(is_asked_for, timeout=pause, timeout_summary=f"ask {neighbour} again")
        except builtins.TimeoutError:
            return
        if self._is_ending():
            raise OrderIsEnding


def refusal_of(error: ActivityError) -> NeighbourRefused | None:
    """The refusal behind an activity's error; none when it was no answer at all."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or not cause.non_retryable:
        return None
    blockers = tuple(Blocker.model_validate(detail) for detail in (cause.details[0] if cause.details else ()))
    return NeighbourRefused(cause.type or "REFUSED", cause.message, blockers)


def _last_error(error: ActivityError) -> str:
    match error.cause:
        case ApplicationError() as cause:
            return cause.message
        case TimeoutError():
            return "no answer in time"
        case None:
            return "no answer"
        case cause:
            return str(cause)
