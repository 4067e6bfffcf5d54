"""How many alarms nobody has acknowledged, for the badge in everybody's navigation: counted when an alarm changes."""

import asyncio
import logging
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.ui.live import Changes
from db.queries import alarms
from db.session import reading

log = logging.getLogger("api.ui")
AGAIN_SECONDS: Final = 60.0
"""It is counted anew so often besides: what was said while nobody listened is not missed for long."""


class Bell:
    """The number for this process. `run` has to run as a task."""

    def __init__(self, engine: Engine, changes: Changes) -> None:
        self._engine, self._changes = engine, changes
        self.open: dict[str, int] = {}

    @property
    def total(self) -> int:
        """Alarms that nobody has acknowledged."""
        return sum(self.open.values())

    @property
    def is_critical(self) -> bool:
        """Whether one of them is critical."""
        return self.open.get("critical", 0) > 0

    async def run(self) -> None:
        """Count for as long as the process lives."""
        with self._changes.listen(frozenset({"alarm"})) as listener:
            while True:
                listener.changed.clear()
                try:
                    self.open = await run_in_threadpool(self._count)
                except SQLAlchemyError as error:
                    log.warning("alarms cannot be counted: %s", type(error).__name__)
                try:
                    async with asyncio.timeout(AGAIN_SECONDS):
                        await listener.changed.wait()
                except TimeoutError:
                    continue

    def _count(self) -> dict[str, int]:
        with reading(self._engine) as connection:
            return alarms.open_count(connection, ())
