"""The projector: facts of an order become rows of the record."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.stubs import CaseFactBatch, FactBatch
from db.projection import RecordContradictionFound, write_case_facts, write_facts, write_new_facts
from db.queries.alarms import raise_alarm_once
from db.tables import Alarm, core
from domain.events import Fact
from domain.quality_cases import CaseFact

_NOT_TAKEN: Final = (IntegrityError, DataError, ProgrammingError)


class RecordActivities:
    """Writes to the record; one call is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @activity.defn(name="record.write")
    def write_record(self, batch: FactBatch) -> int:
        """Write facts to the record; the answer is the highest revision that stands there."""

        def new(connection: Connection) -> int:
            return write_new_facts(connection, batch.facts, batch.tasks)

        def again(connection: Connection) -> int:
            return write_facts(connection, batch.facts, batch.tasks)

        return self._written(batch.facts, new, again)

    @activity.defn(name="record.write-case")
    def write_case(self, batch: CaseFactBatch) -> int:
        """Write facts of a quality case to the record; the answer is the highest revision that stands there."""
        return self._written(batch.facts, lambda connection: write_case_facts(connection, batch.facts))

    def _written(
        self,
        facts: Sequence[Fact | CaseFact],
        write: Callable[[Connection], int],
        again: Callable[[Connection], int] | None = None,
    ) -> int:
        """Write in one transaction; where it breaks a constraint, `again` in another one, which looks first.

        Facts that were written by an attempt whose answer was lost break one of many: which, PostgreSQL does not say.
        """
        try:
            try:
                with self._engine.begin() as connection:
                    return write(connection)
            except IntegrityError:
                if again is None:
                    raise
            with self._engine.begin() as connection:
                return again(connection)
        except RecordContradictionFound as found:
            self._raise_alarm(found)
            # As a local activity this fails the workflow task, which is repeated by the next release; as a normal
            # one it is tried again until somebody has mended the record.
            raise ApplicationError(
                str(found), type="RecordContradiction", non_retryable=activity.info().is_local
            ) from found
        except Exception as error:
            if not isinstance(error, SQLAlchemyError) or isinstance(error, _NOT_TAKEN):
                self._call(facts, error)
            raise  # tried again; a record that is down is no alarm of ours: everybody who needs it says so

    def _call(self, facts: Sequence[Fact | CaseFact], error: Exception) -> None:
        """A fact that the record does not take is tried for ever: somebody has to know of it."""
        first = facts[0]
        number = first.order_number if isinstance(first, Fact) else first.case_number
        detail = f"{number}, from revision {first.revision}: {type(error).__name__}: {str(error)[:300]}"
        with self._engine.begin() as connection:
            raise_alarm_once(
                connection, "PROJECTION_FAILED", detail, datetime.now(UTC), f"projection/{number}/{first.revision}",
                None, number if isinstance(first, Fact) else None,
            )  # fmt: skip

    def _raise_alarm(self, found: RecordContradictionFound) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                upsert(core(Alarm))
                .values(
                    at=datetime.now(UTC),
                    code="RECORD_CONTRADICTION",
                    detail=str(found),
                    order_number=found.order_number,
                    key=f"contradiction/{found.order_number}/{found.revision}",
                )
                .on_conflict_do_nothing()
            )
