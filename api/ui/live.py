"""What tells open pages that something has changed: one LISTEN per process, one WebSocket per page.

No business data goes over the socket: a page that is told asks for its own fragment again, through the same checks as
at first.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from fastapi import WebSocket, WebSocketDisconnect
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.errors import Problem
from api.listening import notifications
from api.routing import Router

log = logging.getLogger("api.ui")
router = Router(prefix="/ui")

CHANNEL: Final = "mes_changed"
SESSION_SECONDS: Final = 30.0
"""How often the session behind an open socket is looked at."""
PAUSE_SECONDS: Final = 0.2
"""Changes that come in so short a time are told once."""
AGAIN_SECONDS: Final = 60.0
"""What is followed is read anew so often besides: what was said while nobody listened is not missed for long."""
KEPT: Final = 200
"""So many things that pages show alike are kept at the most."""
T = TypeVar("T")


@dataclass(eq=False)
class Listener:
    """An open page: `topics` are kinds (`work-order`) and numbers (`PO-1`); none: everything."""

    topics: frozenset[str]
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def is_about(self, entity: str) -> bool:
        """Whether a change of this entity (`operation/PO-1-01/MIX`) is of interest."""
        kind, _, identity = entity.partition("/")
        return not self.topics or kind in self.topics or any(identity.startswith(topic) for topic in self.topics)


class Changes:
    """Who listens in this process, and how often anything has changed. `run` has to run as a task."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._listeners: set[Listener] = set()
        self._kept: dict[Any, tuple[int, asyncio.Future[Any]]] = {}
        self.sequence = 0
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Listen for as long as the process lives."""
        async for payload in notifications(self._url, CHANNEL, self.listening, application="millwright-changes"):
            self.tell(payload)

    def tell(self, payload: str | None) -> None:
        """Something has changed: entities with a blank between them; None or `*`: anything."""
        self.sequence += 1
        entities = None if payload in (None, "*") else str(payload).split()
        for listener in self._listeners:
            if entities is None or any(listener.is_about(entity) for entity in entities):
                listener.changed.set()

    @contextmanager
    def listen(self, topics: frozenset[str]) -> Iterator[Listener]:
        """Be told, inside the `with`."""
        listener = Listener(topics)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def follow(self, topics: frozenset[str], read: Callable[[], Awaitable[None]], what: str) -> None:
        """Read something now, at every change of these topics and once a minute, for as long as the process lives."""
        with self.listen(topics) as listener:
            while True:
                listener.changed.clear()
                try:
                    await read()
                except SQLAlchemyError as error:
                    log.warning("%s cannot be read: %s", what, type(error).__name__)
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_SECONDS):
                        await listener.changed.wait()

    async def once(self, key: Any, make: Callable[[], Awaitable[T]]) -> T:
        """What many pages show alike, made by the first that asks after a change; those that ask meanwhile wait for it.

        While nobody listens nothing is kept: a change might not be heard of. What cannot be made is tried again by the
        next that asks.
        """
        known = self._kept.get(key)
        if known is None or known[0] != self.sequence or _is_lost(known[1]) or not self.listening.is_set():
            if len(self._kept) > KEPT:
                self._kept.clear()
            known = self._kept[key] = (self.sequence, asyncio.ensure_future(make()))
        found: T = await asyncio.shield(known[1])
        return found


def _is_lost(made: "asyncio.Future[Any]") -> bool:
    return made.done() and (made.cancelled() or made.exception() is not None)


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Tell a page that it is out of date. The session is looked at again and again; when it has ended, so does this."""
    origin = urlsplit(socket.headers.get("origin", ""))
    if origin.netloc != socket.headers.get("host"):
        await socket.close(4403, "another site")
        return
    topics = frozenset(part for part in socket.query_params.get("topics", "").split(",") if part)
    await serve(socket, topics, _is_open)


async def serve(socket: WebSocket, topics: frozenset[str], is_open: Callable[[WebSocket], Awaitable[bool]]) -> None:
    """Tell an open page of changes until it goes, or until `is_open` says that it may not listen any more."""
    await socket.accept()
    changes: Changes = socket.app.state.changes
    heard = asyncio.create_task(_until_gone(socket))
    try:
        with changes.listen(topics) as listener:
            await _tell(socket, listener, heard, is_open)
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        heard.cancel()
        with suppress(asyncio.CancelledError):
            await heard


async def _until_gone(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()


async def _tell(
    socket: WebSocket, listener: Listener, heard: "asyncio.Task[None]", is_open: Callable[[WebSocket], Awaitable[bool]]
) -> None:
    changes: Changes = socket.app.state.changes
    await socket.send_json(["hello", changes.sequence])
    while True:
        told = asyncio.create_task(listener.changed.wait())
        try:
            await asyncio.wait((told, heard), timeout=SESSION_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
        if heard.done():
            return
        if listener.changed.is_set():
            await asyncio.sleep(PAUSE_SECONDS)
            listener.changed.clear()
            await socket.send_json(["changed", changes.sequence])
        elif not await is_open(socket):
            await socket.close(4401, "the session has ended")
            return


async def _is_open(socket: WebSocket) -> bool:
    sessions, token = socket.app.state.services.sessions, socket.state.token
    try:
        await run_in_threadpool(sessions.find, token, touch=False)
    except Problem:
        return False
    return True
