"""What a projection has in hand: the fact that an event belongs to, and the batch that collects its rows."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Generic, TypeVar

from db import tables as t
from db.audit import Entry
from db.projection.batch import Batch
from domain import events as e
from domain.facts import Decision

TRANSITIONS = t.core(t.StateTransition)
AnyFact = TypeVar("AnyFact", bound=Decision)


@dataclass(frozen=True)
class Writing(Generic[AnyFact]):
    """The fact that an event belongs to, and the batch that collects the rows."""

    fact: AnyFact
    batch: Batch
    position: int

    @property
    def order_number(self) -> str | None:
        """The order whose life the fact is a part of."""
        return None

    def audit(self, action: str, entity: str, *, old: dict[str, Any] | None = None, new: dict[str, Any]) -> None:
        """One audit row: who did what to what."""
        fact = self.fact
        signed = {"signature": fact.signature_id} if fact.signature_id else {}
        self.batch.entries.append(
            Entry(
                fact.at, fact.actor, action, entity, old, {**new, **signed}, fact.reason, fact.command_id,
                fact.source or None,
            )
        )  # fmt: skip

    def transition(
        self, entity: str, identity: str, event: str, origin: str | None, target: str, **news: str | None
    ) -> None:
        """One step of an object's life, with its audit row, that tells `news` too."""
        fact = self.fact
        self.batch.insert(
            TRANSITIONS, entity=entity, entity_id=identity, event=event, from_state=origin, to_state=target,
            actor=fact.actor, reason=fact.reason, at=fact.at, order_number=self.order_number, revision=fact.revision,
        )  # fmt: skip
        old = None if origin is None else {"state": origin}
        told = {name: value for name, value in news.items() if value is not None}
        self.audit(f"{entity}.{event}", f"{entity}/{identity}", old=old, new={"state": str(target), **told})


class Context(Writing[e.Fact]):
    """The fact of an order."""

    @property
    def order_number(self) -> str:
        """The order's number."""
        return self.fact.order_number

    @property
    def key(self) -> str:
        """A key for an effect of this event, the same however often the fact is written."""
        return f"{self.fact.order_number}:{self.fact.revision}:{self.position}"


@singledispatch
def project(event: object, context: Context) -> None:
    """Collect the rows of one event."""
    raise NotImplementedError(f"no projection for {type(event).__name__}")
