"""Orders folded from their recorded facts: as they stand in the record, and as they stood at any moment.

The newest state of open orders that were looked at lately is kept and only the facts since are folded. The
document that people see is made from the fold alone, so that one of now and one of then differ by nothing but time.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from db.queries import facts
from domain import events as e
from domain.folding import fold
from domain.process import Process, created
from domain.states import ORDER

KEPT = 128
"""Orders whose newest state is kept: a large one takes most of a megabyte."""


@dataclass
class Folded:
    """An order's state, with what its work orders consumed, and when it began and ended."""

    process: Process
    consumed: dict[str, list[e.Consumption]] = field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None

    def add(self, fact: e.Fact) -> None:
        """Fold one more fact."""
        for event in fact.events:
            match event:
                case e.MaterialsConsumed():
                    self.consumed.setdefault(event.work_order, []).extend(event.lines)
                case e.OrderMoved(target="inProgress") if self.started_at is None:
                    self.started_at = fact.at
                case e.OrderMoved(target="completed" | "cancelled" | "aborted"):
                    self.ended_at = fact.at
                case _:
                    pass
        fold(self.process, fact)


class Histories:
    """Folded orders. `current` may be asked from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[threading.Lock, list[Folded]]] = OrderedDict()

    @contextmanager
    def current(self, connection: Connection, number: str) -> Iterator[Folded | None]:
        """The order as it stands in the record; nobody else changes it inside the `with`. None if unknown."""
        with self._lock:
            lock, kept = self._kept.setdefault(number, (threading.Lock(), []))
            self._kept.move_to_end(number)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        with lock:
            known = kept[0] if kept else None
            folded = _fold(known, facts.since(connection, number, known.process.revision if known else 0))
            is_open = folded is not None and not ORDER.is_final(folded.process.state)
            kept[:] = [folded] if folded is not None and is_open else []
            yield folded


def at(connection: Connection, number: str, moment: datetime) -> Folded | None:
    """The order as it stood at a moment; None if it did not exist then."""
    return _fold(None, facts.until(connection, number, moment))


def _fold(known: Folded | None, news: list[e.Fact]) -> Folded | None:
    for fact in news:
        if known is None:
            known = _begun(fact)
        if known is not None:
            known.add(fact)
    return known


def _begun(fact: e.Fact) -> Folded | None:
    for event in fact.events:
        if isinstance(event, e.OrderCreated):
            return Folded(created(event.specification))
    return None
