"""The clock of the database server, where there is no other: the record's times and the API's must agree."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from adapters.clock.port import ReferenceUnreachable


@dataclass(frozen=True)
class RecordClock:
    """The clock of the machine that PostgreSQL runs on."""

    engine: Engine

    @property
    def name(self) -> str:
        """What people call it."""
        return "the database server"

    def ahead(self) -> float:
        """Our clock minus theirs, by the middle of the question. Raises `ReferenceUnreachable`."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                sent = datetime.now(UTC)
                theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
                received = datetime.now(UTC)
        except SQLAlchemyError as error:
            raise ReferenceUnreachable(f"{self.name}: {type(error).__name__}") from None
        return (sent + (received - sent) / 2 - theirs).total_seconds()
