"""Plant policies: the newest version counts for new orders, the frozen one for orders that exist."""

from sqlalchemy import Connection, cast, func, select
from sqlalchemy.dialects.postgresql import JSONPATH

from db.tables import OrderFact, PlantPolicy, ProductionOrder, core
from domain.policy import Policy

POLICIES = core(PlantPolicy)
FACTS = core(OrderFact)
ORDERS = core(ProductionOrder)


def newest(connection: Connection, code: str) -> Policy | None:
    """The newest version of a plant's policy."""
    statement = select(POLICIES.c.body).where(POLICIES.c.code == code).order_by(POLICIES.c.version.desc()).limit(1)
    body = connection.execute(statement).scalar_one_or_none()
    return None if body is None else Policy.model_validate(body)


def frozen_signatures(connection: Connection, order_number: str) -> dict[str, str] | None:
    """Command kind → meaning, as frozen into the order; None while the order's first fact is not recorded."""
    path = cast("$.events[*].specification.policy.signatures", JSONPATH)
    statement = select(func.jsonb_path_query_first(FACTS.c.body, path)).where(
        FACTS.c.order_number == order_number, FACTS.c.revision == 1
    )
    row = connection.execute(statement).one_or_none()
    if row is not None and row[0] is not None:
        return {str(kind): str(meaning) for kind, meaning in row[0].items()}
    return None
