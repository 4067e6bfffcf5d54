"""How the deviations of a batch were led to their decision: each step with its person, for the batch record."""

from typing import Any, Final

from sqlalchemy import Connection, Select, or_, select

from db.queries.written import stamp
from db.tables import CaseFactRow, Deviation, core
from domain import quality_cases as k

DEVIATIONS, FACTS = core(Deviation), core(CaseFactRow)
Document = dict[str, Any]
_SAID: Final = ("classification", "impact", "owner", "finding", "root_cause", "disposition", "report")
"""What people write, in the order in which it is read."""


def own_cases(order_number: str, work_order: str) -> Select[tuple[str]]:
    """The numbers of the deviations of a work order and of its order as a whole."""
    return select(DEVIATIONS.c.number).where(
        DEVIATIONS.c.order_number == order_number,
        or_(DEVIATIONS.c.work_order == work_order, DEVIATIONS.c.work_order.is_(None)),
    )


def case_steps(connection: Connection, order_number: str, work_order: str) -> list[Document]:
    """Each led deviation with what people did about it, oldest first; what was refused is no step. One statement."""
    statement = (
        select(FACTS.c.case_number, FACTS.c.body)
        .where(FACTS.c.case_number.in_(own_cases(order_number, work_order)))
        .order_by(FACTS.c.case_number, FACTS.c.revision)
    )
    found: dict[str, Document] = {}
    for number, body in connection.execute(statement):
        fact = k.CaseFact.model_validate(body)
        own = found.setdefault(number, {"number": number, "steps": []})
        if fact.command_kind and fact.outcome is not None and fact.outcome.accepted:
            own["steps"].append(
                {
                    "step": fact.command_kind, "by": fact.actor, "at": stamp(fact.at), "said": _said(fact),
                    "reason": fact.reason,
                }
            )  # fmt: skip
    return [own for own in found.values() if own["steps"]]


def _said(fact: k.CaseFact) -> list[str]:
    return [
        str(text) for event in fact.events for name in _SAID if (text := getattr(event, name, None))
    ]  # fmt: skip
