"""How a watch goes on: it looks, rests, and looks again, also when the record was not there."""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)


async def look_again(look: Callable[[], object], what: str, seconds: float) -> None:
    """Look, in a thread, every so many seconds until cancelled. `what` is watched, for the log."""
    while True:
        try:
            await asyncio.to_thread(look)
        except SQLAlchemyError as error:
            log.warning("%s cannot be watched: %s", what, type(error).__name__)
        await asyncio.sleep(seconds)
