"""Rules of corrective and preventive actions (SM-8, QL-08)."""

from datetime import datetime

from domain import case_commands as cc
from domain import quality_cases as k
from domain.case_states import CAPA, CapaEvent, CapaState
from domain.errors import Blocker
from domain.quality_cases import CapaCase
from domain.rules.common import check, invalid_transition, reason_missing, refuse, same_person
from domain.rules.deviations import CaseEvents
from domain.states import TransitionRefused


def move_capa(case: CapaCase, event: CapaEvent) -> k.CapaMoved:
    """The action's move by `event`, or the refusal that names what is possible."""
    try:
        target = CAPA.advance(case.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("capa", case.number, refused), possible=refused.possible) from None
    return k.CapaMoved(event=event, origin=case.state, target=target)


def _blocker(case: CapaCase, code: str, found: str, required: str, who_can_fix: str = "") -> Blocker:
    return Blocker(code=code, entity="capa", id=case.number, found=found, required=required, who_can_fix=who_can_fix)


def _the_owner(case: CapaCase, actor: str) -> list[Blocker]:
    if actor == case.owner:
        return []
    return [_blocker(case, "NOT_THE_OWNER", actor, f"its owner, {case.owner}", case.owner or "")]


def _dates(case: CapaCase, now: datetime, due_at: datetime, check_at: datetime) -> list[Blocker]:
    blockers: list[Blocker] = []
    if due_at <= now:
        blockers.append(_blocker(case, "DATE_IN_THE_PAST", due_at.isoformat(), "a due date to come"))
    if check_at <= due_at:
        found = f"check {check_at.isoformat()}, due {due_at.isoformat()}"
        blockers.append(_blocker(case, "CHECK_BEFORE_DUE_DATE", found, "a check after the due date"))
    return blockers


def plan(case: CapaCase, command: cc.PlanCapa) -> CaseEvents:
    """Action, owner and dates, as long as it is a draft; the last plan counts."""
    blockers = _dates(case, command.received_at, command.due_at, command.check_at)
    if case.state != CapaState.DRAFT:
        blockers.insert(0, _blocker(case, "NOT_A_DRAFT", case.state, "a draft; afterwards extendCapa", "qaReviewer"))
    for code, text in (("ACTION_MISSING", command.action), ("OWNER_MISSING", command.owner)):
        if not text.strip():
            blockers.append(_blocker(case, code, "nothing", "what is done, and who sees to it"))
    check(blockers)
    return (
        k.CapaPlanned(
            action=command.action, owner=command.owner, due_at=command.due_at, check_at=command.check_at
        ),
    )  # fmt: skip


def approve(case: CapaCase, command: cc.ApproveCapa) -> CaseEvents:
    moved = move_capa(case, CapaEvent.APPROVE)
    blockers = same_person(command.actor, case.owner, "capa", case.number, "approve", "owns the action")
    if case.owner is None:
        required = "action, owner, due date and date of the check"
        blockers.append(_blocker(case, "CAPA_NOT_PLANNED", "no plan", required, "qaReviewer"))
    check(blockers)
    return (moved,)


def start(case: CapaCase, command: cc.StartCapa) -> CaseEvents:
    moved = move_capa(case, CapaEvent.START)
    check(_the_owner(case, command.actor))
    return (moved,)


def implement(case: CapaCase, command: cc.ImplementCapa) -> CaseEvents:
    moved = move_capa(case, CapaEvent.IMPLEMENT)
    blockers = _the_owner(case, command.actor)
    if not command.evidence.strip():
        blockers.append(_blocker(case, "EVIDENCE_MISSING", "nothing", "what shows that it is done", case.owner or ""))
    check(blockers)
    return (k.EvidenceGiven(about="implementation", evidence=command.evidence), moved)


def extend(case: CapaCase, command: cc.ExtendCapa) -> CaseEvents:
    """A later due date, by quality and with a reason. The check goes back by as much, unless a day is named."""
    blockers = reason_missing(command.reason, "capa", case.number)
    due_at, check_at = case.due_at, case.check_at
    if due_at is None or check_at is None or case.state not in (CapaState.APPROVED, CapaState.IN_PROGRESS):
        check([_blocker(case, "NOTHING_TO_EXTEND", case.state, "approved or inProgress", "qaReviewer"), *blockers])
        return ()
    check_then = command.check_at or check_at + (command.due_at - due_at)
    if command.due_at <= due_at:
        found = f"{command.due_at.isoformat()}, now {due_at.isoformat()}"
        blockers.append(_blocker(case, "NOT_LATER", found, "a later due date"))
    check(blockers + _dates(case, command.received_at, command.due_at, check_then))
    return (k.DueDateExtended(due_at=command.due_at, check_at=check_then),)


def decide_effectiveness(case: CapaCase, command: cc.DecideCapaEffectiveness) -> CaseEvents:
    """After the day of the check: the action is closed as effective, or its next cycle begins."""
    if case.state == CapaState.IMPLEMENTED and case.check_at is not None:
        found = f"the check is planned for {case.check_at.date().isoformat()}"
        required = f"{case.check_at.isoformat()} or later"
        check([_blocker(case, "CHECK_NOT_DUE", found, required, "nobody before that day")])
    moved = move_capa(case, CapaEvent.CLOSE_EFFECTIVE if command.effective else CapaEvent.FIND_INEFFECTIVE)
    blockers = same_person(command.actor, case.owner, "capa", case.number, "judge the effect", "owns the action")
    if not command.evidence.strip():
        blockers.append(_blocker(case, "EVIDENCE_MISSING", "nothing", "what the check has shown", "qaReviewer"))
    check(blockers)
    evidence = k.EvidenceGiven(about="effectiveness", evidence=command.evidence)
    if command.effective:
        return (evidence, moved)
    return (evidence, moved, k.CapaFollows(capa=_next_cycle(case), action=case.action))


def _next_cycle(case: CapaCase) -> str:
    cycle = case.specification.cycle
    return f"{case.number.removesuffix(f'.{cycle}') if cycle > 1 else case.number}.{cycle + 1}"


def check_is_due(case: CapaCase, now: datetime) -> bool:
    """Whether the day of the effectiveness check has come."""
    return case.state == CapaState.IMPLEMENTED and case.check_at is not None and case.check_at <= now


def is_late(case: CapaCase) -> bool:
    """Whether passing the due date would make it overdue: it is not done yet, and nobody was told so before."""
    return not case.overdue and case.state in (CapaState.DRAFT, CapaState.APPROVED, CapaState.IN_PROGRESS)
