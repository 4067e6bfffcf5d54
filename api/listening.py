"""LISTEN for as long as the process lives: a broken connection is made again."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

import psycopg

log = logging.getLogger("api.listening")

_KEEPALIVE: Final[dict[str, Any]] = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}


async def notifications(
    database_url: str, channel: str, listening: asyncio.Event, *, application: str
) -> AsyncIterator[str | None]:
    """Payloads of a channel, for ever; None after every (re)connect: what was said meanwhile nobody has heard.

    `listening` is set while somebody listens; `application` is what the connection is called on the server.
    """
    failures = 0
    while True:
        try:
            async with aclosing(_connected(database_url, channel, listening, application)) as heard:
                async for payload in heard:
                    failures = 0
                    yield payload
        except (psycopg.Error, OSError) as error:
            log.warning("listener of %s lost its connection: %s", channel, type(error).__name__)
        listening.clear()
        failures += 1
        await asyncio.sleep(min(0.1 * 2**failures, 5.0) * random.uniform(0.5, 1.0))


async def _connected(database_url: str, channel: str, listening: asyncio.Event, application: str) -> Any:
    connection = await psycopg.AsyncConnection.connect(
        database_url, autocommit=True, connect_timeout=5, application_name=application, **_KEEPALIVE
    )
    async with connection:
        await connection.execute(f"LISTEN {channel}")
        listening.set()
        yield None
        async for notification in connection.notifies():
            yield notification.payload
