"""How each event changes a quality case. `apply_to_case` is the only place that changes one."""

from functools import singledispatch
from typing import Any

from domain import maintenance as m
from domain import quality_cases as k
from domain.case_states import CapaState, DeviationState, OutOfSpecificationState
from domain.facts import CommandRefused

Case = k.DeviationCase | k.CapaCase | m.MaintenanceCase


def fold_case(case: Case, fact: k.CaseFact) -> None:
    """Apply all events of a fact, in order."""
    for event in fact.events:
        apply_to_case(event, case, fact)
    case.revision = fact.revision


@singledispatch
def apply_to_case(event: object, case: Any, fact: k.CaseFact) -> None:
    """Change `case` as `event` says. Every kind of event has its own implementation below."""
    raise NotImplementedError(f"no rule for {type(event).__name__}")


@apply_to_case.register(k.DeviationRaised)
@apply_to_case.register(k.CapaRaised)
@apply_to_case.register(CommandRefused)
def _(event: object, case: Case, fact: k.CaseFact) -> None:
    """The case was made with its specification; a refused command changes nothing."""


@apply_to_case.register(k.DeviationMoved)
@apply_to_case.register(k.OutOfSpecificationMoved)
def _(event: k.DeviationMoved | k.OutOfSpecificationMoved, case: k.DeviationCase, fact: k.CaseFact) -> None:
    case.state = event.target
    match event.target:
        case DeviationState.INVESTIGATION | DeviationState.PROPOSED:
            case.approvals = {}
        case DeviationState.CLOSED | OutOfSpecificationState.CLOSED:
            case.decided_by = fact.actor
            _tell(case, fact, "decided", case.root_cause, case.disposition)
        case DeviationState.VOIDED:
            case.decided_by = fact.actor
            _tell(case, fact, "voided", fact.reason or "", k.CaseDisposition.ACCEPT)
        case DeviationState.REOPENED | OutOfSpecificationState.REOPENED:
            case.decided_by, case.approvals = None, {}
            case.classification = case.disposition = None
            case.reminded = case.escalated = False
            _tell(case, fact, "reopened", fact.reason or "", None)
        case OutOfSpecificationState.RETEST:
            _tell(case, fact, "retest", "", None)


def _tell(
    case: k.DeviationCase, fact: k.CaseFact, standing: Any, decision: str, disposition: k.CaseDisposition | None
) -> None:
    """The subject of the case has to know; the key is the same however often it is told."""
    told = k.Told(
        key=f"{case.number}/{fact.revision}", standing=standing, decision=decision, disposition=disposition,
        decided_by=fact.actor,
    )  # fmt: skip
    case.to_tell = (*case.to_tell, told)


@apply_to_case.register
def _(event: k.DeviationClassified, case: k.DeviationCase, fact: k.CaseFact) -> None:
    case.classification, case.classified_by = event.classification, fact.actor
    case.impact, case.affected = event.impact, event.affected


@apply_to_case.register
def _(event: k.OwnerAssigned, case: k.DeviationCase, fact: k.CaseFact) -> None:
    case.owner = event.owner


@apply_to_case.register
def _(event: k.FindingRecorded, case: k.DeviationCase, fact: k.CaseFact) -> None:
    case.findings = {**case.findings, event.phase: event.finding}


@apply_to_case.register
def _(event: k.ConclusionProposed, case: k.DeviationCase, fact: k.CaseFact) -> None:
    case.root_cause, case.disposition = event.root_cause, event.disposition
    case.needs_capa, case.report = event.needs_capa, event.report


@apply_to_case.register
def _(event: k.CaseApproved, case: k.DeviationCase, fact: k.CaseFact) -> None:
    case.approvals = {**case.approvals, event.function: fact.actor}


@apply_to_case.register
def _(event: k.CapaFollows, case: Case, fact: k.CaseFact) -> None:
    case.capas = {**case.capas, event.capa: "asked"}
    case.capa_actions = {**case.capa_actions, event.capa: event.action}


@apply_to_case.register
def _(event: k.CapaStarted, case: Case, fact: k.CaseFact) -> None:
    case.capas = {**case.capas, event.capa: "started"}


@apply_to_case.register
def _(event: k.SubjectTold, case: k.DeviationCase, fact: k.CaseFact) -> None:
    case.to_tell = tuple(told for told in case.to_tell if told.key != event.message)


@apply_to_case.register
def _(event: k.DeadlineMissed, case: Case, fact: k.CaseFact) -> None:
    if event.step == "closing":
        case.overdue = True
    elif isinstance(case, k.DeviationCase):
        case.reminded = True
        case.escalated = case.escalated or event.step == "escalation"


@apply_to_case.register
def _(event: k.CapaMoved, case: k.CapaCase, fact: k.CaseFact) -> None:
    case.state = event.target
    match event.target:
        case CapaState.APPROVED:
            case.approved_by = fact.actor
        case CapaState.IMPLEMENTED:
            case.implemented_by, case.overdue = fact.actor, False


@apply_to_case.register
def _(event: k.CapaPlanned, case: k.CapaCase, fact: k.CaseFact) -> None:
    case.action, case.owner = event.action, event.owner
    case.due_at, case.check_at = event.due_at, event.check_at
    case.overdue = False


@apply_to_case.register
def _(event: k.EvidenceGiven, case: k.CapaCase, fact: k.CaseFact) -> None:
    case.evidence = {**case.evidence, event.about: event.evidence}


@apply_to_case.register
def _(event: k.DueDateExtended, case: k.CapaCase, fact: k.CaseFact) -> None:
    case.due_at, case.check_at, case.overdue = event.due_at, event.check_at, False


# Maintenance orders --------------------------------------------------------------------------------------------------


@apply_to_case.register
def _(event: m.MaintenanceRaised, case: m.MaintenanceCase, fact: k.CaseFact) -> None:
    _news(case, fact, "failed")


@apply_to_case.register
def _(event: m.MaintenanceMoved, case: m.MaintenanceCase, fact: k.CaseFact) -> None:
    case.state = event.target
    match event.target:
        case m.MaintenanceState.APPROVED:
            case.approved_by = fact.actor
        case m.MaintenanceState.VERIFIED:
            _news(case, fact, "repaired")


def _news(case: m.MaintenanceCase, fact: k.CaseFact, standing: Any) -> None:
    """Every interrupted order has to know; the key is the same however often it is told."""
    case.to_tell = (
        *case.to_tell,
        *(
            m.News(key=f"{case.number}/{fact.revision}/{own.work_order}/{own.operation}", standing=standing,
                   interrupted=own)
            for own in case.specification.interrupted
        ),
    )  # fmt: skip


@apply_to_case.register
def _(event: m.MaintenanceScheduled, case: m.MaintenanceCase, fact: k.CaseFact) -> None:
    case.owner, case.planned_at = event.assignee, event.planned_at


@apply_to_case.register
def _(event: m.MaintenanceWorkReported, case: m.MaintenanceCase, fact: k.CaseFact) -> None:
    case.work, case.worked_by = event, fact.actor


@apply_to_case.register
def _(event: m.MaintenanceVerified, case: m.MaintenanceCase, fact: k.CaseFact) -> None:
    case.verifications = {**case.verifications, event.function: fact.actor}


@apply_to_case.register
def _(event: m.RegisterAsked, case: m.MaintenanceCase, fact: k.CaseFact) -> None:
    case.asked = event


@apply_to_case.register
def _(event: m.RegisterAnswered, case: m.MaintenanceCase, fact: k.CaseFact) -> None:
    case.asked = None


@apply_to_case.register
def _(event: m.OrderTold, case: m.MaintenanceCase, fact: k.CaseFact) -> None:
    case.to_tell = tuple(news for news in case.to_tell if news.key != event.message)
