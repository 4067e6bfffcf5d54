"""Where the warehouse keeps its answers: table `inventory_request`."""

from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from db.once import Request, Stored
from db.tables import InventoryRequest, core

_TABLE: Final = core(InventoryRequest)


class InventoryRequests:
    """The `Store` of the warehouse."""

    def recall(self, connection: Connection, key: str) -> Stored | None:
        """The answer that was given under the key."""
        statement = select(_TABLE.c.request_hash, _TABLE.c.answer).where(_TABLE.c.key == key)
        row = connection.execute(statement).one_or_none()
        return None if row is None else Stored(row.request_hash, row.answer)

    def remember(self, connection: Connection, request: Request, answer: dict[str, Any]) -> bool:
        """Keep an answer; false if something else was kept under the key in the meantime."""
        statement = insert(_TABLE).values(
            key=request.key, request_hash=request.digest, answer=answer, asked_at=request.at
        )
        written = connection.execute(statement.on_conflict_do_nothing().returning(_TABLE.c.key))
        return written.one_or_none() is not None
