"""How many alarms nobody has acknowledged, for the badge in everybody's navigation: counted when an alarm changes."""

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from api.ui.live import Changes
from db.queries import alarms
from db.session import reading


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
        await self._changes.follow(frozenset({"alarm"}), self._read, "alarms")

    async def _read(self) -> None:
        self.open = await run_in_threadpool(self._count)

    def _count(self) -> dict[str, int]:
        with reading(self._engine) as connection:
            return alarms.open_count(connection, ())
