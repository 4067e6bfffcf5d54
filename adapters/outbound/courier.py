"""The courier: brings the messages of the outbox to their endpoints. Any number may run; each takes what is due.

One task for each endpoint that has something to be told, so that a slow receiver keeps nobody else waiting. A kill at
any moment loses nothing: the claim stands in the record before the message is sent, and the same id is sent again.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from adapters.outbound import formats
from adapters.outbound.port import Receiver
from db import outbox
from db.outbox import Claimed
from db.queries import performance
from db.session import reading
from domain.b2mml import RESPONSE_STATE, operations_performance
from domain.errors import AdapterRefused, AdapterUnknown, AdapterUnreachable
from domain.outbound import Endpoint, MessageFormat, back_off

log = logging.getLogger(__name__)
LOOK_SECONDS: Final = 1.0


class Courier:
    """Delivers until it is cancelled."""

    def __init__(self, engine: Engine, receiver: Receiver) -> None:
        self._engine, self._receiver = engine, receiver
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look every second; what is due is delivered at once."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def look(self) -> None:
        """Begin with every endpoint that has something due."""
        try:
            endpoints = await asyncio.to_thread(self._due)
        except SQLAlchemyError as error:
            log.warning("the outbox cannot be read: %s", type(error).__name__)
            return
        for endpoint in endpoints:
            running = self._running.get(endpoint.code)
            if running is None or running.done():
                self._running[endpoint.code] = asyncio.create_task(self._serve(endpoint), name=endpoint.code)

    def _due(self) -> list[Endpoint]:
        with reading(self._engine) as connection:
            return outbox.due(connection)

    async def _serve(self, endpoint: Endpoint) -> None:
        """Everything that is due for an endpoint, one after the other; as many as it bears in a minute."""
        for _ in range(endpoint.per_minute or 100):
            try:
                if not await self.deliver_next(endpoint):
                    return
            except SQLAlchemyError as error:
                log.warning("the outbox of %s cannot be served: %s", endpoint.code, type(error).__name__)
                return

    async def deliver_next(self, endpoint: Endpoint) -> bool:
        """Try the next message once; False when there is none, or the endpoint should be left alone for now."""
        message, content = await asyncio.to_thread(self._claim, endpoint)
        if message is None:
            return False
        try:
            await self._receiver.send(endpoint, message.id, content)
        except AdapterRefused as no:
            await asyncio.to_thread(self._park, message, endpoint, str(no))
            return True
        except (AdapterUnreachable, AdapterUnknown) as error:
            await asyncio.to_thread(self._failed, message, endpoint, str(error))
            return False
        await self.between()
        await asyncio.to_thread(self._delivered, message)
        return True

    async def between(self) -> None:
        """The receiver has the message, and the record does not know it yet. Tests die here."""

    def _claim(self, endpoint: Endpoint) -> tuple[Claimed | None, dict[str, Any]]:
        with self._engine.begin() as connection:
            message = outbox.claim(connection, endpoint, back_off(1))
            if message is None:
                return None, {}
            if message.content is not None:
                return message, message.content
            content = self._content(connection, endpoint, message)
            outbox.freeze(connection, message.id, content)
            return message, content

    def _content(self, connection: Any, endpoint: Endpoint, message: Claimed) -> dict[str, Any]:
        match endpoint.format:
            case MessageFormat.WECOM:
                return formats.wecom(message)
            case MessageFormat.DINGTALK:
                return formats.dingtalk(message)
            case MessageFormat.OPERATIONS_PERFORMANCE:
                kind, _, number = message.subject.partition("/")
                made = performance.of_order(connection, number) if kind == "production-order" else None
                if made is not None:
                    # The lots are those of the first attempt; the state is the one that the fact tells of.
                    told = str((message.data.get("new") or {}).get("state"))
                    made = replace(made, state=told if told in RESPONSE_STATE else made.state)
                    return operations_performance(made, message.id, message.created_at)
        return formats.event(message)

    def _delivered(self, message: Claimed) -> None:
        with self._engine.begin() as connection:
            outbox.delivered(connection, message.id)

    def _failed(self, message: Claimed, endpoint: Endpoint, error: str) -> None:
        with self._engine.begin() as connection:
            if message.attempts >= endpoint.attempts:
                outbox.park(connection, message, endpoint, error, datetime.now(UTC))
            else:
                outbox.failed(connection, message.id, error, back_off(message.attempts))

    def _park(self, message: Claimed, endpoint: Endpoint, error: str) -> None:
        with self._engine.begin() as connection:
            outbox.park(connection, message, endpoint, error, datetime.now(UTC))
