"""A courier that kills itself with SIGKILL when the receiver has its first message, and the record does not know it.

`python -m tests.kills.deadly_courier ENDPOINT`
"""

import asyncio
import os
import signal
import sys

from adapters.outbound.courier import Courier
from adapters.outbound.http import HttpReceiver
from db import outbox
from db.session import engine_for


class Deadly(Courier):
    """Dies between delivery and mark."""

    async def between(self) -> None:
        """The receiver has it."""
        os.kill(os.getpid(), signal.SIGKILL)


async def run(code: str) -> None:
    """Deliver until killed."""
    engine = engine_for(os.environ["DATABASE_URL"], pool_size=2)
    with engine.begin() as connection:
        (endpoint,) = [own for own in outbox.due(connection) if own.code == code]
    await Deadly(engine, HttpReceiver()).deliver_next(endpoint)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
