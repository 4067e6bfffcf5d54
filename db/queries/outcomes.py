"""Verdicts on commands, and the revision of an order."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, Table, bindparam, select, true

from db.session import reading
from db.tables import CaseFactRow, CommandOutcome, OrderFact, ProductionOrder, core
from domain.events import Outcome

OUTCOMES = core(CommandOutcome)
FACTS, CASE_FACTS = core(OrderFact), core(CaseFactRow)
ORDERS = core(ProductionOrder)


@dataclass(frozen=True)
class Earlier:
    """What the record knows of a command id: which order or case it was for, which kind (if such a one judged it), and
    the verdict, if there is one already."""

    order_number: str
    kind: str | None
    outcome: Outcome | None


def read(engine: Engine, command_id: str) -> Outcome | None:
    """The verdict on a command."""
    with reading(engine) as connection:
        body = body_of(connection, command_id)
    return None if body is None else Outcome.model_validate(body)


def body_of(connection: Connection, command_id: str) -> dict[str, Any] | None:
    """The verdict on a command as it is stored: an outcome, for a direct write with its whole answer."""
    body = connection.execute(_VERDICT, {"of_command": command_id}).scalar_one_or_none()
    return None if body is None else dict(body)


def earlier(connection: Connection, command_id: str) -> Earlier | None:
    """What is known of a command id; None if it was never used."""
    row = connection.execute(_EARLIER, {"of_command": command_id}).first()
    if row is None:
        return None
    outcome = None if row.body is None else Outcome.model_validate(row.body)
    number = row.order_number or (outcome.order_number if outcome is not None else "")
    return Earlier(number, row.kind, outcome)


def _judged(facts: Table, number: str) -> Select[tuple[str, str]]:
    return (
        select(facts.c[number].label("order_number"), facts.c.body["commandKind"].astext.label("kind"))
        .where(facts.c.command_id == _OF_COMMAND)
        .order_by(facts.c.revision)
        .limit(1)
    )


def _earlier() -> Select[tuple[dict[str, Any], str, str]]:
    fact = _judged(FACTS, "order_number").union_all(_judged(CASE_FACTS, "case_number")).subquery()
    verdict = select(OUTCOMES.c.body).where(OUTCOMES.c.command_id == _OF_COMMAND).subquery()
    both = verdict.join(fact, true(), full=True)
    return select(verdict.c.body, fact.c.order_number, fact.c.kind).select_from(both)


_OF_COMMAND: Final = bindparam("of_command", type_=OUTCOMES.c.command_id.type)
_EARLIER: Final = _earlier()
_VERDICT: Final = select(OUTCOMES.c.body).where(OUTCOMES.c.command_id == _OF_COMMAND)
_REVISION: Final = select(ORDERS.c.revision).where(
    ORDERS.c.number == bindparam("of_number", type_=ORDERS.c.number.type)
)
"""Asked for every command, so made once: making the first takes longer than running it."""


def revision(engine: Engine, order_number: str) -> int:
    """The recorded revision of an order; -1 if it is not recorded."""
    with reading(engine) as connection:
        found = connection.execute(_REVISION, {"of_number": order_number}).scalar_one_or_none()
    return -1 if found is None else int(found)
