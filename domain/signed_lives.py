"""Whatever judges signed commands, an order or a quality case: how its facts are folded, what its signer is shown."""

from collections.abc import Mapping

from domain.base import Message
from domain.case_folding import fold_case
from domain.events import Fact, OrderCreated
from domain.folding import fold
from domain.maintenance import MaintenanceCase, MaintenanceRaised
from domain.process import Process, created
from domain.quality_cases import CapaCase, CapaRaised, CaseFact, DeviationCase, DeviationRaised, begun
from domain.quantities import plain
from domain.signing import Shown, listed, shown

Life = Process | DeviationCase | CapaCase | MaintenanceCase
LifeFact = Fact | CaseFact


def begin(fact: LifeFact) -> Life | None:
    """What the first fact makes; None for a fact that is no beginning."""
    event: Message
    for event in fact.events:
        match event:
            case OrderCreated():
                return created(event.specification)
            case DeviationRaised() | CapaRaised() | MaintenanceRaised():
                return begun(event.specification)
    return None


def fold_into(life: Life, fact: LifeFact) -> None:
    """Apply a fact to the life that it belongs to."""
    if isinstance(life, Process) and isinstance(fact, Fact):
        fold(life, fact)
    elif not isinstance(life, Process) and isinstance(fact, CaseFact):
        fold_case(life, fact)
    else:
        raise TypeError(f"{type(fact).__name__} does not belong to {type(life).__name__}")


def number_of(life: Life) -> str:
    """The number of the order or case."""
    return life.specification.number


def shown_of(life: Life, kind: str, work_order: str | None, operation: str | None) -> Shown:
    """What the signer of a command sees; see `domain.signing.shown`, whose promise about forms holds here, too."""
    if isinstance(life, Process):
        return shown(life, kind, work_order, operation)
    if isinstance(life, MaintenanceCase):
        return _of_maintenance(life)
    return _of_deviation(life) if isinstance(life, DeviationCase) else _of_capa(life)


def _of_deviation(case: DeviationCase) -> Shown:
    own = case.specification
    return {
        "deviation": own.number,
        "code": own.code,
        "detail": own.detail,
        "productionOrder": own.order_number or "",
        "workOrder": own.work_order or "",
        "operation": own.operation or "",
        "lot": own.lot or "",
        "equipment": own.equipment or "",
        "deviationState": case.state,
        "classification": case.classification or "",
        "impact": case.impact,
        "affected": listed(case.affected),
        "owner": case.owner or "",
        "findings": _pairs(case.findings),
        "rootCause": case.root_cause,
        "disposition": case.disposition or "",
        "needsCapa": "yes" if case.needs_capa else "no",
        "report": case.report,
        "approvals": _pairs({str(function): person for function, person in case.approvals.items()}),
    }


def _of_capa(case: CapaCase) -> Shown:
    own = case.specification
    return {
        "capa": own.number,
        "source": own.source,
        "cycle": str(own.cycle),
        "capaState": case.state,
        "action": case.action,
        "owner": case.owner or "",
        "dueAt": "" if case.due_at is None else case.due_at.isoformat(),
        "checkAt": "" if case.check_at is None else case.check_at.isoformat(),
        "approvedBy": case.approved_by or "",
        "implementedBy": case.implemented_by or "",
        "evidence": _pairs(case.evidence),
    }


def _of_maintenance(case: MaintenanceCase) -> Shown:
    own, work = case.specification, case.work
    return {
        "maintenanceOrder": own.number,
        "equipment": own.equipment,
        "cause": own.cause,
        "detail": own.detail,
        "maintenanceState": case.state,
        "owner": case.owner or "",
        "plannedAt": "" if case.planned_at is None else case.planned_at.isoformat(),
        "work": "" if work is None else work.work,
        "major": "" if work is None else "yes" if work.major else "no",
        "parts": "" if work is None else listed(f"{plain(p.quantity)} {p.unit} {p.code}" for p in work.parts),
        "workedBy": case.worked_by or "",
        "verifications": _pairs({str(function): person for function, person in case.verifications.items()}),
    }


def _pairs(values: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in values.items())
