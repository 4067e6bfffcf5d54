"""Facts of a quality case become rows: its own row is the fold of its facts, each event leaves history and audit."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from db import audit
from db.projection.batch import Batch
from db.projection.events import DEVIATIONS, Writing
from db.projection.writer import Stream, write
from db.tables import CaseFactRow, QualityCaseRow, core
from domain import quality_cases as k
from domain.base import uuid_for
from domain.case_folding import Case, fold_case
from domain.facts import CommandRefused
from domain.maintenance import MaintenanceMoved, MaintenanceRaised, MaintenanceSpecification

CASES: Final = core(QualityCaseRow)
CASE: Final[TypeAdapter[Case]] = TypeAdapter(k.QualityCase)


class CaseContext(Writing[k.CaseFact]):
    """The fact of a case, and which kind of case it is."""

    kind: str = "deviation"

    @property
    def entity(self) -> str:
        """What the audit trail calls the case."""
        return f"{self.kind}/{self.fact.case_number}"


class MaintenanceContext(CaseContext):
    """The fact of a maintenance order."""

    kind = "maintenance"


class CapaContext(CaseContext):
    """The fact of a corrective action."""

    kind = "capa"


CONTEXTS: Final[dict[str, type[CaseContext]]] = {
    "deviation": CaseContext,
    "capa": CapaContext,
    "maintenance": MaintenanceContext,
}


def write_case_facts(connection: Connection, facts: tuple[k.CaseFact, ...]) -> int:
    """Write facts of one case; see `db.projection.writer.write`."""
    return write(connection, CASE_STREAM, facts)


def _apply(connection: Connection, facts: Sequence[k.CaseFact], last: audit.Last) -> None:
    number = facts[0].case_number
    body = connection.execute(
        select(CASES.c.body).where(CASES.c.number == number).with_for_update()
    ).scalar_one_or_none()  # fmt: skip
    case = CASE.validate_python(body) if body is not None else _begun(facts[0])
    batch = Batch()
    context = CONTEXTS[case.kind]
    for fact in facts:
        fold_case(case, fact)
        for position, event in enumerate(fact.events):
            project_case(event, context(fact, batch, position))
    batch.wrote(CASES, number=number, **_write_row(connection, case))
    if isinstance(case, k.DeviationCase):
        batch.wrote(DEVIATIONS, number=number, **_write_deviation(connection, case, facts[-1]))
    batch.flush(connection, last)


def _begun(fact: k.CaseFact) -> Case:
    for event in fact.events:
        if isinstance(event, k.DeviationRaised | k.CapaRaised | MaintenanceRaised):
            return k.begun(event.specification)
    raise ValueError(f"{fact.case_number}: the first fact does not say what the case is about")


def _write_row(connection: Connection, case: Case) -> dict[str, Any]:
    own = case.specification
    subject = _subject(own)
    kind = "outOfSpecification" if isinstance(own, k.DeviationSpecification) and own.out_of_specification else case.kind
    changing = {
        "state": case.state, "is_over": case.is_over, "owner": case.owner, "revision": case.revision,
        "body": case.model_dump(mode="json", by_alias=True),
    }  # fmt: skip
    fixed = {
        "number": case.number, "uuid": uuid_for(case.kind, case.number), "kind": kind, "opened_by": own.opened_by,
        "opened_at": own.opened_at, **subject,
    }  # fmt: skip
    connection.execute(
        upsert(CASES).values(**fixed, **changing).on_conflict_do_update(index_elements=["number"], set_=changing)
    )
    began = fixed if case.revision == 1 else {}
    return {name: value for name, value in (began | changing).items() if name != "number"}


def _subject(own: k.DeviationSpecification | k.CapaSpecification | MaintenanceSpecification) -> dict[str, Any]:
    """What the case is about."""
    match own:
        case k.CapaSpecification():
            return {"source": own.source}
        case MaintenanceSpecification():
            return {"equipment": own.equipment, "source": own.cause}
        case _:
            return {"order_number": own.order_number, "lot": own.lot, "equipment": own.equipment}


def _write_deviation(connection: Connection, case: k.DeviationCase, fact: k.CaseFact) -> dict[str, Any]:
    """The deviation's line in the list of all deviations, with a process or without."""
    values: dict[str, Any] = {"state": "closed" if case.is_over else "open", "decided_by": case.decided_by}
    values["decision"] = (case.root_cause or fact.reason or "void") if case.is_over else None
    values["decided_at"] = fact.at if case.is_over else None
    connection.execute(update(DEVIATIONS).where(DEVIATIONS.c.number == case.number).values(values))
    return values


@singledispatch
def project_case(event: object, context: CaseContext) -> None:
    """Most events are told by the audit trail and by the case's own row."""
    new = event.model_dump(mode="json", by_alias=True, exclude={"kind"})  # type: ignore[attr-defined]
    context.audit(f"{context.kind}.{event.kind}", context.entity, new=new)  # type: ignore[attr-defined]


@project_case.register(k.DeviationRaised)
@project_case.register(k.CapaRaised)
@project_case.register(MaintenanceRaised)
def _(event: k.DeviationRaised | k.CapaRaised | MaintenanceRaised, context: CaseContext) -> None:
    first = k.begun(event.specification).state
    context.transition(context.kind, context.fact.case_number, "open", None, first)


@project_case.register(k.DeviationMoved)
@project_case.register(k.OutOfSpecificationMoved)
@project_case.register(k.CapaMoved)
@project_case.register(MaintenanceMoved)
def _(
    event: k.DeviationMoved | k.OutOfSpecificationMoved | k.CapaMoved | MaintenanceMoved, context: CaseContext
) -> None:
    context.transition(context.kind, context.fact.case_number, event.event, event.origin, event.target)


@project_case.register
def _(event: CommandRefused, context: CaseContext) -> None:
    blockers = [blocker.model_dump(mode="json", by_alias=True) for blocker in event.blockers]
    context.audit("command.refused", context.entity, new={"command": event.command, "blockers": blockers})


CASE_STREAM: Final = Stream(core(CaseFactRow), "case_number", _apply)
