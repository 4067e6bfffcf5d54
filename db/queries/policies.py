"""Plant policies: the newest version counts for new orders, the frozen one for orders that exist."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, cast, func, select
from sqlalchemy.dialects.postgresql import JSONPATH, distinct_on

from db.tables import CaseFactRow, OrderFact, PlantPolicy, core
from domain.policy import Policy
from domain.quality_cases import CaseRules, rules_of

POLICIES = core(PlantPolicy)
FACTS = core(OrderFact)
CASE_FACTS = core(CaseFactRow)


def newest(connection: Connection, codes: Collection[str]) -> dict[str, Policy]:
    """The newest version of each of the policies that there are. One statement."""
    statement = (
        select(POLICIES.c.code, POLICIES.c.body)
        .ext(distinct_on(POLICIES.c.code))
        .where(POLICIES.c.code.in_(codes))
        .order_by(POLICIES.c.code, POLICIES.c.version.desc())
    )
    return {row.code: Policy.model_validate(row.body) for row in connection.execute(statement)}


def deviation_rules(connection: Connection) -> CaseRules | None:
    """What policy says about deviations of no order: the first by code of those in force that give them a process.

    None if no policy does: then a deviation is a line that quality decides.
    """
    statement = (
        select(POLICIES.c.body).ext(distinct_on(POLICIES.c.code)).order_by(POLICIES.c.code, POLICIES.c.version.desc())
    )
    for body in connection.execute(statement).scalars():
        policy = Policy.model_validate(body)
        if policy.deviation_process:
            return rules_of(policy)
    return None


def frozen_signatures(connection: Connection, number: str) -> dict[str, str] | None:
    """Command kind → meaning, as frozen into an order or a quality case; None while its first fact is not recorded."""
    of_order = "$.events[*].specification.policy.signatures"
    found = _first(connection, FACTS, FACTS.c.order_number == number, of_order)
    if found is not None:
        return found
    of_case = "$.events[*].specification.rules.signatures"
    return _first(connection, CASE_FACTS, CASE_FACTS.c.case_number == number, of_case)


def leads_deviations(connection: Connection, order_number: str) -> bool:
    """Whether the policy frozen into an order gives its deviations a process of their own."""
    path = "$.events[*].specification.policy.deviationProcess"
    return bool(_value(connection, FACTS, FACTS.c.order_number == order_number, path))


def _first(connection: Connection, facts: Table, condition: ColumnElement[bool], path: str) -> dict[str, str] | None:
    found = _value(connection, facts, condition, path)
    return None if found is None else {str(kind): str(meaning) for kind, meaning in found.items()}


def _value(connection: Connection, facts: Table, condition: ColumnElement[bool], path: str) -> Any:
    statement = select(func.jsonb_path_query_first(facts.c.body, cast(path, JSONPATH)))
    return connection.execute(statement.where(condition, facts.c.revision == 1)).scalar_one_or_none()
