"""The facts of one order, in order."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from db.tables import OrderFact, core
from domain.events import Fact

FACTS = core(OrderFact)


def since(connection: Connection, order_number: str, revision: int) -> list[Fact]:
    """What was recorded after a revision."""
    statement = (
        select(FACTS.c.body)
        .where(FACTS.c.order_number == order_number, FACTS.c.revision > revision)
        .order_by(FACTS.c.revision)
    )
    return [Fact.model_validate(body) for body in connection.execute(statement).scalars()]


def until(connection: Connection, order_number: str, moment: datetime) -> list[Fact]:
    """What had happened up to a moment.

    Times of facts need not rise with their revision (a command has the time at which it was received), so everything
    up to the last revision of that time is taken: a fold has no gaps.
    """
    last = (
        select(func.max(FACTS.c.revision))
        .where(FACTS.c.order_number == order_number, FACTS.c.at <= moment)
        .scalar_subquery()
    )
    statement = (
        select(FACTS.c.body)
        .where(FACTS.c.order_number == order_number, FACTS.c.revision <= last)
        .order_by(FACTS.c.revision)
    )
    return [Fact.model_validate(body) for body in connection.execute(statement).scalars()]


def page(connection: Connection, order_number: str, after: int, limit: int) -> list[Fact]:
    """Facts after a revision, at most `limit`."""
    statement = (
        select(FACTS.c.body)
        .where(FACTS.c.order_number == order_number, FACTS.c.revision > after)
        .order_by(FACTS.c.revision)
        .limit(limit)
    )
    return [Fact.model_validate(body) for body in connection.execute(statement).scalars()]
