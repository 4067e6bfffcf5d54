"""Plant policies: the newest version counts for new orders, the frozen one for orders that exist."""

from collections.abc import Collection

from sqlalchemy import Connection, cast, func, select
from sqlalchemy.dialects.postgresql import JSONPATH, distinct_on

from db.tables import OrderFact, PlantPolicy, ProductionOrder, core
from domain.policy import Policy

POLICIES = core(PlantPolicy)
FACTS = core(OrderFact)
ORDERS = core(ProductionOrder)


def newest(connection: Connection, codes: Collection[str]) -> dict[str, Policy]:
    """The newest version of each of the policies that there are. One statement."""
    statement = (
        select(POLICIES.c.code, POLICIES.c.body)
        .ext(distinct_on(POLICIES.c.code))
        .where(POLICIES.c.code.in_(codes))
        .order_by(POLICIES.c.code, POLICIES.c.version.desc())
    )
    return {row.code: Policy.model_validate(row.body) for row in connection.execute(statement)}


def versions(connection: Connection, code: str) -> list[Policy]:
    """All versions of a policy, oldest first."""
    statement = select(POLICIES.c.body).where(POLICIES.c.code == code).order_by(POLICIES.c.version)
    return [Policy.model_validate(body) for body in connection.execute(statement).scalars()]


def frozen(connection: Connection, order_number: str) -> Policy | None:
    """The policy that was frozen into the order; None while the order's first fact is not recorded."""
    path = cast("$.events[*].specification.policy", JSONPATH)
    statement = select(func.jsonb_path_query_first(FACTS.c.body, path)).where(
        FACTS.c.order_number == order_number, FACTS.c.revision == 1
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None or row[0] is None else Policy.model_validate(row[0])
