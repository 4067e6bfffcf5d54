"""Looks at the conditions of maintenance and proposes what is due; a person decides what becomes of it (A22)."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from adapters.alarms.looking import look_again
from db.queries import conditions

LOOK_SECONDS: Final = 30.0


class ConditionWatch:
    """Looks until it is cancelled. Any number may run: of each condition one proposal is open."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def run(self) -> None:
        """Look twice a minute."""
        await look_again(self.look, "conditions of maintenance", LOOK_SECONDS)

    def look(self) -> list[str]:
        """Propose what is due now; the numbers of the new proposals."""
        with self._engine.begin() as connection:
            return conditions.propose_due(connection, datetime.now(UTC))
