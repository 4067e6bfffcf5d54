"""Material that waits between two operations: a durable timer notices when it has waited too long (MT-12)."""

import asyncio
import builtins
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

from domain.process import Operation
from domain.rules.starting import hold_time_deviation, hold_time_ends
from domain.specification import OperationSpecification
from domain.states import OperationState
from workflows.journal import Journal


class HoldTimes:
    """Watches the waiting times of one work order. They run on while the order is on hold: material ages anyhow."""

    def __init__(self, number: str, journal: Journal, is_ending: Callable[[], bool]) -> None:
        self._number, self._journal, self._is_ending = number, journal, is_ending

    def watch(self) -> list[asyncio.Task[None]]:
        """One task for each operation that has a limit; each ends when its operation has begun, or the order ends."""
        operations = self._journal.process.specification.work_order(self._number).operations
        limited = (own for own in operations if own.longest_wait_seconds is not None)
        return [asyncio.create_task(self._watch(own)) for own in limited]

    def _operation(self, code: str) -> Operation:
        return self._journal.process.work_orders[self._number].operations[code]

    async def _watch(self, specification: OperationSpecification) -> None:
        code = specification.code

        def is_over() -> bool:
            return self._is_ending() or self._operation(code).state not in (
                OperationState.PENDING, OperationState.READY,
            )  # fmt: skip

        await workflow.wait_condition(lambda: is_over() or self._operation(code).ready_at is not None)
        ends = hold_time_ends(self._operation(code), specification)
        if ends is None or is_over():
            return
        # One microsecond later: at the limit itself the material may still be used.
        pause = max(ends - workflow.now(), timedelta(0)) + timedelta(microseconds=1)
        try:
            await workflow.wait_condition(is_over, timeout=pause, timeout_summary=f"{code}: hold time")
        except builtins.TimeoutError:
            found = hold_time_deviation(self._journal.process, self._number, specification)
            if found:
                self._journal.note(*found)
