"""Direct writes that happen once: one key, one effect, one answer, as often as it is asked for.

`answer_once` runs one piece of work in one transaction: it locks subject and key (so that two requests about one
work order or lot come one after the other), looks the key up, does the work, stores the answer under the key and
appends to the audit trail last. Where answers are kept is a `Store`; `COMMAND_OUTCOMES` keeps them in table
`command_outcome`, so the API answers the same command id with the same answer.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.sql.functions import FunctionElement

from db import audit
from db.tables import CommandOutcome, core
from domain.base import Message
from domain.errors import AdapterRefused, AdapterUnknown, AdapterUnreachable
from domain.events import Outcome
from domain.quantities import plain

OUTCOMES: Final = core(CommandOutcome)
Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True)
class Request:
    """What is asked. `subject` is what it is about (`lot/…`, `work-order/…`); `content` all that decides the answer.

    Who asks is not part of the content: somebody else who sends the same request again gets the same answer.
    """

    kind: str
    subject: str
    key: str
    actor: str
    at: datetime
    content: Mapping[str, object]

    @property
    def digest(self) -> str:
        """SHA-256 over kind, subject and content; `1` and `1.0` are the same quantity."""
        content = {"kind": self.kind, "subject": self.subject, "content": _stable(self.content)}
        return hashlib.sha256(audit.canonical(content).encode()).hexdigest()

    def audit(
        self,
        action: str,
        new: Mapping[str, object],
        *,
        entity: str = "",
        reason: str | None = None,
        old: Mapping[str, object] | None = None,
    ) -> audit.Entry:
        """An audit entry about this request, by default on its subject."""
        body = {name: _stable(value) for name, value in new.items()}
        before = None if old is None else {name: _stable(value) for name, value in old.items()}
        return audit.Entry(self.at, self.actor, action, entity or self.subject, before, body, reason, self.key)


@dataclass(frozen=True)
class Done(Generic[Answer]):
    """What the work came to. An answer that is not `final` is not kept: the same key may be asked again later."""

    answer: Answer
    entries: Sequence[audit.Entry] = field(default=())
    final: bool = True


class Stored(NamedTuple):
    """An earlier answer: the digest of its request, and the answer as JSON."""

    digest: str
    answer: dict[str, Any]


class Store(Protocol):
    """Where answers are kept."""

    def recall(self, connection: Connection, key: str) -> Stored | None:
        """The answer that was given under the key."""
        ...

    def remember(self, connection: Connection, request: Request, answer: dict[str, Any]) -> bool:
        """Keep an answer; false if something else was kept under the key in the meantime."""
        ...


class CommandOutcomes:
    """Answers in table `command_outcome`: `order_number` is the subject, `revision` 0, the body an `Outcome`."""

    def recall(self, connection: Connection, key: str) -> Stored | None:
        """The answer under a command id. One that an order's workflow gave has no digest: it matches no request."""
        row = connection.execute(select(OUTCOMES.c.body).where(OUTCOMES.c.command_id == key)).one_or_none()
        return None if row is None else Stored(row.body.get("requestHash", ""), row.body.get("answer", {}))

    def remember(self, connection: Connection, request: Request, answer: dict[str, Any]) -> bool:
        """Keep an answer as an accepted outcome; its text fields are the outcome's `result`."""
        result = {name: value for name, value in answer.items() if isinstance(value, str)}
        outcome = Outcome(
            command_id=request.key, accepted=True, order_number=request.subject, revision=0, result=result
        )
        body = outcome.model_dump(mode="json", by_alias=True) | {"requestHash": request.digest, "answer": answer}
        row = {"command_id": request.key, "order_number": request.subject, "revision": 0, "accepted": True}
        statement = insert(OUTCOMES).values(**row, body=body, at=request.at).on_conflict_do_nothing()
        return connection.execute(statement.returning(OUTCOMES.c.command_id)).one_or_none() is not None


COMMAND_OUTCOMES: Final = CommandOutcomes()


def answer_once(
    engine: Engine,
    system: str,
    store: Store,
    request: Request,
    model: type[Answer],
    work: Callable[[Connection], Done[Answer]],
) -> Answer:
    """Do `work` in one transaction if the key is new, else give the answer of the first time.

    Raises `AdapterRefused("KEY_REUSED")` when the key was used for something else, and what `reached` raises.
    """
    with reached(engine, system) as connection:
        # Behind the subject's lock requests about one thing come one by one; the key's lock is for two subjects that
        # are asked under one key. Everybody takes the subject first.
        connection.execute(select(_lock(request.subject), _lock(f"key/{request.key}")))
        stored = store.recall(connection, request.key)
        if stored is not None:
            if stored.digest != request.digest:
                raise _reused(request)
            return model.model_validate(stored.answer)
        done = work(connection)
        # An order's projector writes outcomes too, and takes no lock of ours.
        if done.final and not store.remember(connection, request, done.answer.model_dump(mode="json", by_alias=True)):
            raise _reused(request)
        audit.append(connection, done.entries)
    return done.answer


def find(engine: Engine, system: str, store: Store, key: str) -> dict[str, Any] | None:
    """The answer that was given under the key, as JSON; none if nothing happened under it."""
    with reached(engine, system) as connection:
        stored = store.recall(connection, key)
    return None if stored is None else stored.answer


@contextmanager
def reached(engine: Engine, system: str) -> Iterator[Connection]:
    """One transaction whose failures are the three of `domain.errors`.

    Before the commit nothing happened: `AdapterUnreachable`. A failure of the commit itself may hide a success:
    `AdapterUnknown`. What the record's constraints refuse is `AdapterRefused("RECORD_REFUSED")`.
    """
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise AdapterUnreachable(system, _reason(error)) from error
    with connection:
        transaction = connection.begin()
        try:
            yield connection
        except (IntegrityError, DataError) as error:
            transaction.rollback()
            raise AdapterRefused("RECORD_REFUSED", _reason(error)) from error
        except SQLAlchemyError as error:
            # Closing the connection rolls back, also when the server is gone.
            raise AdapterUnreachable(system, _reason(error)) from error
        try:
            transaction.commit()
        except SQLAlchemyError as error:
            raise AdapterUnknown(system, _reason(error)) from error


def _lock(name: str) -> FunctionElement[Any]:
    return func.pg_advisory_xact_lock(func.hashtextextended(name, 0))


def _reason(error: SQLAlchemyError) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n")[0]


def _reused(request: Request) -> AdapterRefused:
    return AdapterRefused("KEY_REUSED", f"key {request.key} was already used for another request")


def _stable(value: object) -> Any:
    """A value as JSON that does not depend on how a quantity was written."""
    match value:
        case Decimal():
            return plain(value.normalize())
        case BaseModel():
            return _stable(dict(value))
        case Mapping():
            return {str(name): _stable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_stable(inner) for inner in value]
        case date():
            return value.isoformat()
        case _:
            return value
