"""Plant policies: the newest version counts for new orders, the frozen one for orders that exist."""

from collections.abc import Collection, Iterator
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


def versions(connection: Connection, code: str) -> list[Policy]:
    """All versions of a policy, oldest first."""
    statement = select(POLICIES.c.body).where(POLICIES.c.code == code).order_by(POLICIES.c.version)
    return [Policy.model_validate(body) for body in connection.execute(statement).scalars()]


def deviation_rules(connection: Connection) -> CaseRules | None:
    """What policy says about deviations of no order: the first by code of those in force that give them a process.

    None if no policy does: then a deviation is a line that quality decides.
    """
    found = next((policy for policy in _in_force(connection) if policy.deviation_process), None)
    return None if found is None else rules_of(found)


def of_other_acts(connection: Connection) -> Policy | None:
    """What policy says about the signatures of acts that no order judges: the first by code of those in force that
    speak of them (`signs_other_acts`); None if none does."""
    return next((policy for policy in _in_force(connection) if policy.signs_other_acts), None)


def _in_force(connection: Connection) -> Iterator[Policy]:
    """The newest version of every policy, by code."""
    statement = (
        select(POLICIES.c.body).ext(distinct_on(POLICIES.c.code)).order_by(POLICIES.c.code, POLICIES.c.version.desc())
    )
    for body in connection.execute(statement).scalars():
        yield Policy.model_validate(body)


def frozen(connection: Connection, order_number: str) -> Policy | None:
    """The policy that was frozen into the order; None while the order's first fact is not recorded."""
    found = _value(connection, FACTS, FACTS.c.order_number == order_number, "$.events[*].specification.policy")
    return None if found is None else Policy.model_validate(found)


def frozen_rules(connection: Connection, case_number: str) -> CaseRules | None:
    """The rules that were frozen into a quality case; None while the case's first fact is not recorded."""
    of_case = CASE_FACTS.c.case_number == case_number
    found = _value(connection, CASE_FACTS, of_case, "$.events[*].specification.rules")
    return None if found is None else CaseRules.model_validate(found)


def leads_deviations(connection: Connection, order_number: str) -> bool:
    """Whether the policy frozen into an order gives its deviations a process of their own."""
    policy = frozen(connection, order_number)
    return policy is not None and policy.deviation_process


def _value(connection: Connection, facts: Table, condition: ColumnElement[bool], path: str) -> Any:
    statement = select(func.jsonb_path_query_first(facts.c.body, cast(path, JSONPATH)))
    return connection.execute(statement.where(condition, facts.c.revision == 1)).scalar_one_or_none()
