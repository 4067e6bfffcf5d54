"""Rules of deviations and out-of-specification results (SM-7, QL-04, QL-06).

A rule reads the case and answers with events, or raises `Refused`. Who owns a case neither approves nor closes it;
who measured a result does not decide that the laboratory was wrong.
"""

from domain import case_commands as cc
from domain import quality_cases as k
from domain.case_states import (
    DEVIATION,
    OUT_OF_SPECIFICATION,
    DeviationEvent,
    DeviationState,
    OutOfSpecificationEvent,
    OutOfSpecificationState,
)
from domain.errors import Blocker
from domain.quality_cases import Approval, CaseDisposition, Classification, DeviationCase
from domain.rules.common import check, invalid_transition, reason_missing, refuse, same_person
from domain.states import TransitionRefused

CaseEvents = tuple[k.CaseEvent, ...]
Moved = k.DeviationMoved | k.OutOfSpecificationMoved


def move_deviation(case: DeviationCase, event: DeviationEvent) -> Moved:
    """The case's move by `event`, or the refusal that names what is possible.

    Closing, reopening and voiding are events of both kinds of case; all others are of deviations alone.
    """
    if case.specification.out_of_specification:
        return move_out_of_specification(case, _of_both(case, event))
    state = DeviationState(case.state)
    try:
        target = DEVIATION.advance(state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("deviation", case.number, refused), possible=refused.possible) from None
    return k.DeviationMoved(event=event, origin=state, target=target)


def _of_both(case: DeviationCase, event: DeviationEvent) -> OutOfSpecificationEvent:
    both = {one.value: one for one in OutOfSpecificationEvent}
    if event.value not in both:
        raise refuse(_not_this_kind(case, "a deviation that is no out-of-specification result"))
    return both[event.value]


def move_out_of_specification(case: DeviationCase, event: OutOfSpecificationEvent) -> k.OutOfSpecificationMoved:
    """The case's move by `event`, or the refusal that names what is possible."""
    if not case.specification.out_of_specification:
        raise refuse(_not_this_kind(case, "an out-of-specification result"))
    state = OutOfSpecificationState(case.state)
    try:
        target = OUT_OF_SPECIFICATION.advance(state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("deviation", case.number, refused), possible=refused.possible) from None
    return k.OutOfSpecificationMoved(event=event, origin=state, target=target)


def _not_this_kind(case: DeviationCase, required: str) -> Blocker:
    kind = "an out-of-specification result" if case.specification.out_of_specification else "a deviation"
    return _blocker(case, "WRONG_KIND_OF_CASE", kind, required)


def _blocker(case: DeviationCase, code: str, found: str, required: str, who_can_fix: str = "") -> Blocker:
    return Blocker(
        code=code, entity="deviation", id=case.number, found=found, required=required, who_can_fix=who_can_fix
    )


def _words(case: DeviationCase, text: str, code: str, what: str, who: str) -> list[Blocker]:
    """A blocker if a text that has to say something says nothing."""
    return [] if text.strip() else [_blocker(case, code, "nothing", what, who)]


def _not_the_owner(case: DeviationCase, actor: str, act: str) -> list[Blocker]:
    return same_person(actor, case.owner, "deviation", case.number, act, "owns the deviation")


def _the_owner(case: DeviationCase, actor: str) -> list[Blocker]:
    if case.owner in (None, actor):
        return []
    return [_blocker(case, "NOT_THE_OWNER", actor, f"its owner, {case.owner}", case.owner or "")]


# Deviations ------------------------------------------------------------------------------------------------------


def classify(case: DeviationCase, command: cc.ClassifyDeviation) -> CaseEvents:
    moved = move_deviation(case, DeviationEvent.CLASSIFY)
    check(_words(case, command.impact, "IMPACT_MISSING", "the impact on this and other batches and lots", "qaReviewer"))
    classified = k.DeviationClassified(
        classification=command.classification, impact=command.impact, affected=command.affected
    )
    return (classified, moved)


def assign(case: DeviationCase, command: cc.AssignDeviation) -> CaseEvents:
    moved = move_deviation(case, DeviationEvent.ASSIGN)
    check(_words(case, command.owner, "OWNER_MISSING", "a person", "qaReviewer"))
    return (k.OwnerAssigned(owner=command.owner), moved)


def propose(case: DeviationCase, command: cc.ProposeConclusion) -> CaseEvents:
    """The owner's proposal; a major or critical deviation needs an investigation report (QL-06)."""
    moved = move_deviation(case, DeviationEvent.PROPOSE)
    blockers = _the_owner(case, command.actor)
    blockers += _words(case, command.root_cause, "ROOT_CAUSE_MISSING", "a root cause", case.owner or "")
    if case.classification != Classification.MINOR:
        blockers += _words(case, command.report, "REPORT_MISSING", "an investigation report", case.owner or "")
    check(blockers)
    return (_proposed(command), moved)


def _proposed(command: cc.ProposeConclusion | cc.ConcludeOutOfSpecification) -> k.ConclusionProposed:
    return k.ConclusionProposed(
        root_cause=command.root_cause, disposition=command.disposition, needs_capa=command.needs_capa,
        report=command.report,
    )  # fmt: skip


def send_back(case: DeviationCase, command: cc.SendBackConclusion) -> CaseEvents:
    moved = move_deviation(case, DeviationEvent.SEND_BACK)
    check(reason_missing(command.reason, "deviation", case.number))
    return (moved,)


def approve(case: DeviationCase, command: cc.ApproveDeviation) -> CaseEvents:
    return _approve(case, command, Approval.QUALITY_ASSURANCE)


def approve_as_quality_manager(case: DeviationCase, command: cc.ApproveDeviationAsQualityManager) -> CaseEvents:
    return _approve(case, command, Approval.QUALITY_MANAGER)


def needed_approvals(case: DeviationCase) -> tuple[Approval, ...]:
    """In which functions somebody has to approve, by the classification."""
    if case.classification == Classification.MINOR:
        return (Approval.QUALITY_ASSURANCE,)
    return (Approval.QUALITY_ASSURANCE, Approval.QUALITY_MANAGER)


def _approve(
    case: DeviationCase, command: cc.ApproveDeviation | cc.ApproveDeviationAsQualityManager, function: Approval
) -> CaseEvents:
    moved = move_deviation(case, DeviationEvent.APPROVE)
    blockers = _not_the_owner(case, command.actor, "approve")
    if function not in needed_approvals(case):
        found = f"a {case.classification} deviation"
        blockers.append(_blocker(case, "APPROVAL_NOT_NEEDED", found, "a major or critical one", "qaReviewer"))
    if function in case.approvals:
        found = f"approved by {case.approvals[function]}"
        blockers.append(_blocker(case, "ALREADY_APPROVED", found, "an approval that is missing"))
    for other, person in case.approvals.items():
        if other != function:
            blockers += same_person(command.actor, person, "deviation", case.number, "approve", f"approved as {other}")
    check(blockers)
    approved = k.CaseApproved(function=function)
    if any(needed not in case.approvals and needed != function for needed in needed_approvals(case)):
        return (approved,)
    return (approved, moved, *_capa(case, case.needs_capa, case.root_cause))


def _capa(case: DeviationCase, is_needed: bool, root_cause: str) -> CaseEvents:
    """The corrective action that follows, where there is none yet."""
    if not is_needed:
        return ()
    return (k.CapaFollows(capa=f"{case.number}-C{len(case.capas) + 1}", action=f"against: {root_cause}"),)


# Both kinds ------------------------------------------------------------------------------------------------------


def close(case: DeviationCase, command: cc.CloseDeviation) -> CaseEvents:
    moved = move_deviation(case, DeviationEvent.CLOSE)
    check(_not_the_owner(case, command.actor, "close"))
    capa = _capa(case, case.needs_capa and case.specification.out_of_specification, case.root_cause)
    return (moved, *capa)


def reopen(case: DeviationCase, command: cc.ReopenDeviation) -> CaseEvents:
    moved = move_deviation(case, DeviationEvent.REOPEN)
    check(reason_missing(command.reason, "deviation", case.number))
    return (moved,)


def void(case: DeviationCase, command: cc.VoidDeviation) -> CaseEvents:
    """Only with a reason, and not by who owns it; the record stays."""
    moved = move_deviation(case, DeviationEvent.VOID)
    check(
        reason_missing(command.reason, "deviation", case.number) + _not_the_owner(case, command.actor, "void")
    )  # fmt: skip
    return (moved,)


# Out-of-specification results ------------------------------------------------------------------------------------


def _not_the_analyst(case: DeviationCase, actor: str, act: str) -> list[Blocker]:
    found = "entered the result"
    return same_person(actor, case.specification.opened_by, "deviation", case.number, act, found)


def investigate_laboratory(case: DeviationCase, command: cc.InvestigateLaboratory) -> CaseEvents:
    moved = move_out_of_specification(case, OutOfSpecificationEvent.INVESTIGATE_LABORATORY)
    return (k.OwnerAssigned(owner=command.actor), moved)


def prove_laboratory_error(case: DeviationCase, command: cc.ProveLaboratoryError) -> CaseEvents:
    """Another person than the analyst says what went wrong in the laboratory."""
    moved = move_out_of_specification(case, OutOfSpecificationEvent.PROVE_LABORATORY_ERROR)
    check(
        _words(case, command.finding, "FINDING_MISSING", "the error, and what proves it", "qaReviewer")
        + _not_the_analyst(case, command.actor, "prove an error")
    )
    return (k.FindingRecorded(phase="laboratoryPhase1", finding=command.finding), moved)


def authorise_retest(case: DeviationCase, command: cc.AuthoriseRetest) -> CaseEvents:
    moved = move_out_of_specification(case, OutOfSpecificationEvent.AUTHORISE_RETEST)
    check(_not_the_analyst(case, command.actor, "authorise a retest"))
    return (moved,)


def begin_phase_two(case: DeviationCase, command: cc.BeginPhaseTwo) -> CaseEvents:
    moved = move_out_of_specification(case, OutOfSpecificationEvent.BEGIN_PHASE_2)
    check(_words(case, command.finding, "FINDING_MISSING", "what the laboratory phase looked at", case.owner or ""))
    return (k.FindingRecorded(phase="laboratoryPhase1", finding=command.finding), moved)


def conclude(case: DeviationCase, command: cc.ConcludeOutOfSpecification) -> CaseEvents:
    """Confirmed: the result stands, the lot is rejected or reworked. Not confirmed: the result is set aside."""
    event = OutOfSpecificationEvent.CONFIRM if command.confirmed else OutOfSpecificationEvent.NOT_CONFIRM
    moved = move_out_of_specification(case, event)
    blockers = _the_owner(case, command.actor)
    blockers += _words(case, command.root_cause, "ROOT_CAUSE_MISSING", "a root cause", case.owner or "")
    blockers += _words(case, command.report, "REPORT_MISSING", "an investigation report", case.owner or "")
    if command.confirmed == (command.disposition == CaseDisposition.ACCEPT):
        required = "reject or rework for a confirmed result, accept for one that is not"
        blockers.append(_blocker(case, "DISPOSITION_CONTRADICTS", command.disposition, required, case.owner or ""))
    check(blockers)
    return (_proposed(command), moved)
