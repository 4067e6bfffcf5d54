"""Rules of maintenance orders (SM-9, EQ-06, EQ-07).

What changes the equipment itself is asked of its register; the command has its verdict when the register has answered.
Who did the work does not verify it, and the two who verify are two people.
"""

from typing import Final

from domain import maintenance as m
from domain import maintenance_commands as mc
from domain.case_commands import CaseCommand
from domain.errors import Blocker
from domain.maintenance import MaintenanceCase, MaintenanceEvent, MaintenanceState, Verification
from domain.rules.common import check, invalid_transition, reason_missing, refuse, same_person
from domain.states import TransitionRefused

Events = tuple[m.MaintenanceEvents, ...]
ENTITY: Final = "maintenance order"


def move(case: MaintenanceCase, event: MaintenanceEvent) -> m.MaintenanceMoved:
    """The order's move by `event`, or the refusal that names what is possible."""
    try:
        target = m.MAINTENANCE.advance(case.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition(ENTITY, case.number, refused), possible=refused.possible) from None
    return m.MaintenanceMoved(event=event, origin=case.state, target=target)


def _blocker(case: MaintenanceCase, code: str, found: str, required: str, who_can_fix: str = "") -> Blocker:
    return Blocker(code=code, entity=ENTITY, id=case.number, found=found, required=required, who_can_fix=who_can_fix)


def _not_asked(case: MaintenanceCase) -> list[Blocker]:
    if case.asked is None:
        return []
    found = f"{case.asked.actor} already asked for {case.asked.command}"
    return [_blocker(case, "IN_PROGRESS", found, "the answer of the equipment register")]


def approve(case: MaintenanceCase, command: mc.ApproveMaintenance) -> Events:
    moved = move(case, MaintenanceEvent.APPROVE)
    requester = case.specification.opened_by
    check(same_person(command.actor, requester, ENTITY, case.number, "approve", "requested it"))
    return (moved,)


def schedule(case: MaintenanceCase, command: mc.ScheduleMaintenance) -> Events:
    moved = move(case, MaintenanceEvent.SCHEDULE)
    blockers = _not_asked(case)
    if not command.assignee.strip():
        blockers.append(_blocker(case, "ASSIGNEE_MISSING", "nobody", "who does it"))
    check(blockers)
    return (m.MaintenanceScheduled(assignee=command.assignee, planned_at=command.planned_at), moved)


def begin(case: MaintenanceCase, command: mc.BeginMaintenance) -> Events:
    move(case, MaintenanceEvent.BEGIN)
    check(_not_asked(case))
    return (_asked(command, "startMaintenance"),)


def report_work(case: MaintenanceCase, command: mc.ReportMaintenanceWork) -> Events:
    """The work with its parts. After major work the register takes back the qualification first."""
    moved = move(case, MaintenanceEvent.FINISH_MAJOR_WORK if command.major else MaintenanceEvent.FINISH_WORK)
    blockers = _not_asked(case)
    if not command.work.strip():
        blockers.append(_blocker(case, "WORK_MISSING", "nothing", "what was done", "maintenance"))
    if command.hours < 0:
        blockers.append(_blocker(case, "HOURS_NEGATIVE", str(command.hours), "working time in hours"))
    blockers += [
        _blocker(case, "PART_QUANTITY", f"{part.quantity} of {part.code}", "more than nothing")
        for part in command.parts
        if part.quantity <= 0
    ]
    check(blockers)
    work = m.MaintenanceWorkReported(
        work=command.work.strip(), parts=command.parts, hours=command.hours, major=command.major
    )
    if command.major:
        return (_asked(command, "demandRequalification", work=work),)
    return (work, moved)


def verify(case: MaintenanceCase, command: mc.VerifyMaintenance) -> Events:
    return _verify(case, command, Verification.PRODUCTION)


def verify_as_quality(case: MaintenanceCase, command: mc.VerifyMaintenanceAsQuality) -> Events:
    return _verify(case, command, Verification.QUALITY_ASSURANCE)


def needed_verifications(case: MaintenanceCase) -> tuple[Verification, ...]:
    """In which functions somebody has to verify."""
    if case.specification.product_contact:
        return (Verification.PRODUCTION, Verification.QUALITY_ASSURANCE)
    return (Verification.PRODUCTION,)


def _verify(
    case: MaintenanceCase, command: mc.VerifyMaintenance | mc.VerifyMaintenanceAsQuality, function: Verification
) -> Events:
    move(case, MaintenanceEvent.VERIFY)
    blockers = _not_asked(case) + same_person(
        command.actor, case.worked_by, ENTITY, case.number, "verify", "did the work"
    )
    if function not in needed_verifications(case):
        blockers.append(_blocker(case, "VERIFICATION_NOT_NEEDED", "no product contact", "equipment with contact"))
    if function in case.verifications:
        found = f"verified by {case.verifications[function]}"
        blockers.append(_blocker(case, "ALREADY_VERIFIED", found, "a verification that is missing"))
    for other, person in case.verifications.items():
        if other != function:
            blockers += same_person(command.actor, person, ENTITY, case.number, "verify", f"verified for {other}")
    check(blockers)
    if any(needed not in case.verifications and needed != function for needed in needed_verifications(case)):
        return (m.MaintenanceVerified(function=function),)
    return (_asked(command, "returnToService", verification=function),)


def _asked(command: CaseCommand, act: str, **more: object) -> m.RegisterAsked:
    return m.RegisterAsked.model_validate(
        {"command_id": command.command_id, "command": command.kind_name(), "actor": command.actor, "act": act, **more}
    )


def agreed(case: MaintenanceCase) -> Events:
    """What follows when the register has done what was asked of it."""
    asked = case.asked
    assert asked is not None
    match asked.act:
        case "startMaintenance":
            return (move(case, MaintenanceEvent.BEGIN),)
        case "demandRequalification":
            assert asked.work is not None
            return (asked.work, move(case, MaintenanceEvent.FINISH_MAJOR_WORK))
        case "returnToService":
            assert asked.verification is not None
            return (m.MaintenanceVerified(function=asked.verification), move(case, MaintenanceEvent.VERIFY))


def close(case: MaintenanceCase, command: mc.CloseMaintenance) -> Events:
    return (move(case, MaintenanceEvent.CLOSE),)


def cancel(case: MaintenanceCase, command: mc.CancelMaintenance) -> Events:
    """Only what has not begun. A fault is not cancelled away: its equipment is down until it was repaired."""
    moved = move(case, MaintenanceEvent.CANCEL)
    blockers = _not_asked(case) + reason_missing(command.reason, ENTITY, case.number)
    if case.specification.cause == m.MaintenanceCause.FAULT:
        found = f"{case.specification.equipment} is down"
        blockers.append(_blocker(case, "FAULT_NOT_REPAIRED", found, "its repair and verification", "maintenance"))
    check(blockers)
    return (moved,)


POSSIBLE: Final = {
    MaintenanceState.REQUESTED: ("approveMaintenance", "cancelMaintenance"),
    MaintenanceState.APPROVED: ("scheduleMaintenance", "cancelMaintenance"),
    MaintenanceState.SCHEDULED: ("scheduleMaintenance", "beginMaintenance", "cancelMaintenance"),
    MaintenanceState.IN_PROGRESS: ("reportMaintenanceWork",),
    MaintenanceState.VERIFIED: ("closeMaintenance",),
}


def possible(case: MaintenanceCase) -> tuple[str, ...]:
    """The kinds of command that are possible now."""
    if case.state in (MaintenanceState.WORK_DONE, MaintenanceState.REQUALIFYING):
        names = {
            Verification.PRODUCTION: "verifyMaintenance",
            Verification.QUALITY_ASSURANCE: "verifyMaintenanceAsQuality",
        }
        return tuple(names[one] for one in needed_verifications(case) if one not in case.verifications)
    return POSSIBLE.get(case.state, ())
