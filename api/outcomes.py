"""The verdicts, as they arrive in the record: one LISTEN per process wakes whoever waits.

A notification is only a hint to look into the table: when the connection breaks, everybody looks after the
reconnect, and once more when the waiting time is over, so that no verdict is missed.
"""

import asyncio
import json
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from api import metrics
from api.listening import notifications
from db.queries import outcomes as record
from domain.events import Outcome

log = logging.getLogger("api.outcomes")

CHANNEL: Final = "mes_outcome"
VERDICT_SECONDS: Final = 2.0


class Outcomes:
    """Waits for verdicts and for new revisions of orders. `run` has to run as a task."""

    def __init__(self, database_url: str, engine: Engine) -> None:
        self._url, self._engine = database_url, engine
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.listening = asyncio.Event()

    # Waiting -----------------------------------------------------------------------------------------------------

    async def ask(self, command_id: str, send: Callable[[], Awaitable[None]]) -> Outcome | None:
        """Send, and wait up to 2 s for the verdict on this command id; None when it has not come yet."""
        begun = time.perf_counter()
        with self._waiting(f"c/{command_id}") as changed:
            await send()
            found = await self._verdict(command_id, changed, VERDICT_SECONDS)
        metrics.judged(None if found is None else found.accepted, time.perf_counter() - begun)
        return found

    async def wait(self, command_id: str, seconds: float) -> Outcome | None:
        """The verdict on a command id that was sent before."""
        with self._waiting(f"c/{command_id}") as changed:
            found = await self._read(command_id)
            return found if found is not None else await self._verdict(command_id, changed, seconds)

    async def _verdict(self, command_id: str, changed: asyncio.Event, seconds: float) -> Outcome | None:
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            left = deadline - asyncio.get_running_loop().time()
            is_over = left <= 0 or not await _set_within(changed, left)
            changed.clear()
            found = await self._read(command_id)
            if found is not None or is_over:
                return found

    async def _read(self, command_id: str) -> Outcome | None:
        return await run_in_threadpool(record.read, self._engine, command_id)

    async def newer(self, order_number: str, revision: int, seconds: float) -> None:
        """Return when the order's recorded revision is above `revision`, or after `seconds`."""
        deadline = asyncio.get_running_loop().time() + seconds
        with self._waiting(f"o/{order_number}") as changed:
            while True:
                changed.clear()
                if await run_in_threadpool(record.revision, self._engine, order_number) > revision:
                    return
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0 or not await _set_within(changed, left):
                    return

    @contextmanager
    def _waiting(self, key: str) -> Iterator[asyncio.Event]:
        changed = asyncio.Event()
        self._waiters[key].add(changed)
        try:
            yield changed
        finally:
            self._waiters[key].discard(changed)
            if not self._waiters[key]:
                del self._waiters[key]

    # Listening ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Listen for as long as the process lives; a broken connection is made again."""
        async for payload in notifications(self._url, CHANNEL, self.listening, application="millwright-outcomes"):
            if payload is None:
                self._wake_all()  # what was notified while nobody listened stands in the table
            else:
                self.wake(payload)

    def wake(self, payload: str) -> None:
        """Wake those whom a notification `{"o": order, "r": revision, "c": [command ids]}` is about."""
        try:
            told = json.loads(payload)
            keys = [f"o/{told.get('o')}", *(f"c/{command_id}" for command_id in told.get("c", ()))]
        except (ValueError, AttributeError, TypeError):
            log.warning("a notification that is none of ours")
            self._wake_all()
            return
        for key in keys:
            for changed in self._waiters.get(key, ()):
                changed.set()

    def _wake_all(self) -> None:
        for waiters in self._waiters.values():
            for changed in waiters:
                changed.set()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
            return True
    return False
