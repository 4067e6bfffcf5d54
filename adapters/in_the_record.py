"""What the neighbours that are built in share: each request is answered once, under its key, in the record."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine

from db.once import COMMAND_OUTCOMES, Answer, Done, Request, Store, answer_once, find


def utc_now() -> datetime:
    """The server's time."""
    return datetime.now(UTC)


class InTheRecord:
    """A neighbour in our own PostgreSQL. A subclass says what it is called, and where its answers are kept."""

    _system: ClassVar[str]
    """What it is called when it cannot be reached."""
    _store: ClassVar[Store] = COMMAND_OUTCOMES

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._now = engine, now

    def find(self, key: str) -> dict[str, Any] | None:
        """The answer that was given under the key, as JSON; none if nothing happened under it."""
        return find(self._engine, self._system, self._store, key)

    def _request(self, kind: str, subject: str, key: str, actor: str, **content: object) -> Request:
        return Request(kind=kind, subject=subject, key=key, actor=actor, at=self._now(), content=content)

    def _once(self, request: Request, model: type[Answer], work: Callable[[Connection], Done[Answer]]) -> Answer:
        return answer_once(self._engine, self._system, self._store, request, model, work)
