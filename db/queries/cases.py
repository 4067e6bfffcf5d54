"""Quality cases: how they stand, what has happened to them, what waits for whom, which have not begun yet."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from db.projection.cases import CASE, CASES
from db.queries import facts as order_facts
from db.queries import policies, targets
from db.queries.plan_lines import counted
from db.tables import CaseFactRow, Deviation, MaintenanceRequest, core
from domain.case_folding import Case
from domain.maintenance import MaintenanceSpecification
from domain.quality_cases import CaseFact, CaseRules, DeviationSpecification
from domain.rules.judge_case import case_waits_for, possible_in_case
from domain.rules.order_deviations import OUT_OF_SPECIFICATION
from domain.signed_lives import LifeFact

DEVIATIONS: Final = core(Deviation)
FACTS: Final = core(CaseFactRow)
REQUESTS: Final = core(MaintenanceRequest)
MAINTENANCE: Final = "maintenance"
FILTERS: Final = ("kind", "state", "owner", "order_number", "lot", "equipment", "source")


def find(connection: Connection, number: str) -> Case | None:
    """A case as it stands in the record."""
    body = connection.execute(select(CASES.c.body).where(CASES.c.number == number)).scalar_one_or_none()
    return None if body is None else CASE.validate_python(body)


def page(
    connection: Connection, limit: int, inside: Sequence[ColumnElement[bool]] = (), **filters: str | None
) -> list[dict[str, Any]]:
    """Cases that are `inside`, newest first, by any of FILTERS."""
    statement = select(CASES.c.uuid, CASES.c.kind, CASES.c.body).order_by(CASES.c.opened_at.desc(), CASES.c.number)
    statement = statement.where(*inside)
    if filters.get("kind") is None:
        statement = statement.where(CASES.c.kind != MAINTENANCE)  # a list of its own
    for name in FILTERS:
        if (wanted := filters.get(name)) is not None:
            statement = statement.where(CASES.c[name] == wanted)
    return [shown(row) for row in connection.execute(statement.limit(limit))]


def shown(row: Row[Any, Any, Any]) -> dict[str, Any]:
    """A case for its readers: the fold of its facts, its id, what is possible now."""
    case = CASE.validate_python(row.body)
    own = dict(row.body)
    for internal in ("toTell", "capaActions", "asked"):
        own.pop(internal, None)
    specification = own.pop("specification")
    specification.pop("rules", None)
    return {
        "id": str(row.uuid), **specification, **own, "kind": row.kind, "possible": list(possible_in_case(case)),
    }  # fmt: skip


def detail(connection: Connection, number: str) -> dict[str, Any] | None:
    """One case with everything that has happened to it, oldest first. Two statements."""
    row = connection.execute(select(CASES.c.uuid, CASES.c.kind, CASES.c.body).where(CASES.c.number == number)).first()
    if row is None:
        return None
    facts = select(FACTS.c.body).where(FACTS.c.case_number == number).order_by(FACTS.c.revision)
    return shown(row) | {"history": list(connection.execute(facts).scalars())}


def facts_of(connection: Connection, entity: str, number: str) -> Sequence[LifeFact]:
    """The facts of the order or the case, as `entity` says, in order."""
    return facts(connection, number) if targets.is_case(entity) else order_facts.since(connection, number, 0)


def facts(connection: Connection, number: str) -> list[CaseFact]:
    """The facts of a case, in order."""
    statement = select(FACTS.c.body).where(FACTS.c.case_number == number).order_by(FACTS.c.revision)
    return [CaseFact.model_validate(body) for body in connection.execute(statement).scalars()]


def waiting(
    connection: Connection, roles: Sequence[str], person: str | None, limit: int,
    inside: Sequence[ColumnElement[bool]] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """What open cases wait for, oldest first; only what these roles, or this person, can do, when a person is given."""
    statement = select(CASES.c.uuid, CASES.c.kind, CASES.c.body).where(~CASES.c.is_over).order_by(CASES.c.opened_at)
    statement = statement.where(*inside)
    found: list[dict[str, Any]] = []
    for row in connection.execute(statement):
        case = CASE.validate_python(row.body)
        for command, may, owner in case_waits_for(case):
            if person is not None and (set(may).isdisjoint(roles) or owner not in (None, person)):
                continue
            found.append(
                {
                    "number": case.number, "id": str(row.uuid), "kind": row.kind, "state": case.state,
                    "command": command, "roles": list(may), "person": owner, "overdue": case.overdue,
                    "openedAt": case.specification.opened_at.isoformat(),
                }
            )  # fmt: skip
    return found[:limit]


def unstarted(connection: Connection) -> list[DeviationSpecification]:
    """Deviations that have to be led by a process and have none yet, without those that an order's process begins."""
    rules = policies.deviation_rules(connection) or CaseRules()
    statement = (
        select(DEVIATIONS)
        .join(CASES, CASES.c.number == DEVIATIONS.c.number, isouter=True)
        .where(DEVIATIONS.c.has_process, CASES.c.number.is_(None))
        .where(
            or_(
                DEVIATIONS.c.order_number.is_(None),
                func.starts_with(DEVIATIONS.c.number, DEVIATIONS.c.order_number + "-QD"),
            )
        )
        .order_by(DEVIATIONS.c.opened_at)
    )
    return [
        DeviationSpecification(
            number=row.number, code=row.code, detail=row.detail, order_number=row.order_number, lot=row.lot,
            equipment=row.equipment, opened_by=row.opened_by, opened_at=row.opened_at, rules=rules,
            out_of_specification=row.code == OUT_OF_SPECIFICATION,
        )
        for row in connection.execute(statement)
    ]  # fmt: skip


def unstarted_maintenance(connection: Connection, limit: int = 100) -> list[MaintenanceSpecification]:
    """Maintenance orders that were requested and have no process yet, oldest first."""
    statement = (
        select(REQUESTS.c.specification)
        .join(CASES, CASES.c.number == REQUESTS.c.number, isouter=True)
        .where(CASES.c.number.is_(None))
        .order_by(REQUESTS.c.requested_at)
        .limit(limit)
    )
    return [MaintenanceSpecification.model_validate(own) for own in connection.execute(statement).scalars()]


def next_capa(connection: Connection) -> str:
    """The next number of a corrective action that comes out of no deviation. A number that is not used is a gap."""
    return f"CAPA-{counted(connection, 'capa', 1):05d}"
