"""What the API looks after by itself: the head of the audit trail outside the database, and the server's clock."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from adapters.clock.port import ReferenceClock, ReferenceUnreachable
from adapters.clock.record import RecordClock
from adapters.clock.sntp import PORT, Sntp
from api.clock import now
from db import audit
from db.audit_heads import Heads, HeadsUnreadable
from db.queries.alarms import raise_alarm
from settings import Settings

log = logging.getLogger("api")
LIMIT_SECONDS: Final = 2.0
"""AT-07: a clock that differs by more raises an alarm."""


def publish(engine: Engine, heads: Heads) -> None:
    """Write the head of the audit trail outside the database. What keeps it from that is an alarm."""
    try:
        with engine.connect() as connection:
            heads.publish(connection, now())
    except (OSError, HeadsUnreadable) as error:
        log.error("the head of the audit trail is not published: %s", error)
        with engine.begin() as connection:
            raise_alarm(connection, "AUDIT_HEAD_NOT_PUBLISHED", str(error), now())


@dataclass
class ClockWatch:
    """Compares the clocks. One alarm when they begin to differ, or when the reference is gone; not one each time."""

    engine: Engine
    reference: ReferenceClock
    clock: Callable[[], datetime] = now
    _last: str = "ok"

    def look(self) -> float | None:
        """By how much the server's clock is ahead; None when the reference did not answer."""
        try:
            ahead = self.reference.ahead()
        except ReferenceUnreachable as error:
            self._becomes("unreachable", "CLOCK_NOT_CHECKED", str(error), {})
            return None
        off = f"{abs(ahead):.3f} s {'ahead of' if ahead > 0 else 'behind'} {self.reference.name}"
        differs = abs(ahead) > LIMIT_SECONDS
        detail = f"the server's clock is {off}; at most {LIMIT_SECONDS:g} s are allowed"
        self._becomes("differs" if differs else "ok", "CLOCK_DIFFERS", detail, {"aheadSeconds": f"{ahead:.3f}"})
        return ahead

    def _becomes(self, state: str, code: str, detail: str, new: dict[str, str]) -> None:
        if state == self._last:
            return
        was, self._last = self._last, state
        action = {"differs": "clock.differs", "unreachable": "clock.notChecked", "ok": "clock.agrees"}[state]
        entry = audit.Entry(
            self.clock(), "system", action, "clock/server", {"state": was},
            {"state": state, "reference": self.reference.name, **new}, detail, source="api",
        )  # fmt: skip
        with self.engine.begin() as connection:
            if state != "ok":
                raise_alarm(connection, code, detail, self.clock())
            audit.append(connection, [entry])


def reference_of(settings: Settings, engine: Engine) -> ReferenceClock | None:
    """The clock that the settings name."""
    if settings.clock_reference == "record":
        return RecordClock(engine)
    parts = urlsplit(settings.clock_reference)
    return Sntp(parts.hostname, parts.port or PORT) if parts.hostname else None


async def watch(settings: Settings, engine: Engine) -> None:
    """Publish and compare until cancelled."""
    jobs: list[tuple[Callable[[], object], int]] = []
    if settings.audit_heads is not None:
        heads = Heads(settings.audit_heads)
        jobs.append((lambda: publish(engine, heads), settings.audit_head_seconds))
    reference = reference_of(settings, engine)
    if reference is not None:
        jobs.append((ClockWatch(engine, reference).look, settings.clock_check_seconds))
    await asyncio.gather(*(_again_and_again(job, seconds) for job, seconds in jobs))


async def _again_and_again(job: Callable[[], object], seconds: int) -> None:
    while True:
        try:
            await run_in_threadpool(job)
        except SQLAlchemyError as error:
            log.warning("the record cannot be looked after: %s", type(error).__name__)
        await asyncio.sleep(seconds)


def at_stop(settings: Settings, engine: Engine) -> None:
    """The last head, when the process ends."""
    if settings.audit_heads is None:
        return
    try:
        publish(engine, Heads(settings.audit_heads))
    except SQLAlchemyError as error:
        log.warning("the last head of the audit trail is not published: %s", type(error).__name__)
