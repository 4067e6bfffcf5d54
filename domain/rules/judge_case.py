"""Which rule judges which command to a quality case, and what can be done now, from the same tables."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from domain import case_commands as cc
from domain import maintenance_commands as mc
from domain.case_folding import Case
from domain.case_states import (
    CAPA,
    DEVIATION,
    OUT_OF_SPECIFICATION,
    CapaEvent,
    CapaState,
    DeviationEvent,
    DeviationState,
    OutOfSpecificationEvent,
    OutOfSpecificationState,
)
from domain.commands import Command
from domain.maintenance import MaintenanceCase
from domain.quality_cases import Approval, CapaCase, DeviationCase
from domain.rules import capas, deviations, maintenance
from domain.rules.deviations import CaseEvents, needed_approvals

CASE_RULES: Final[dict[type[Command], Callable[[Any, Any], CaseEvents | maintenance.Events]]] = {
    cc.ClassifyDeviation: deviations.classify,
    cc.AssignDeviation: deviations.assign,
    cc.ProposeConclusion: deviations.propose,
    cc.SendBackConclusion: deviations.send_back,
    cc.ApproveDeviation: deviations.approve,
    cc.ApproveDeviationAsQualityManager: deviations.approve_as_quality_manager,
    cc.CloseDeviation: deviations.close,
    cc.ReopenDeviation: deviations.reopen,
    cc.VoidDeviation: deviations.void,
    cc.InvestigateLaboratory: deviations.investigate_laboratory,
    cc.ProveLaboratoryError: deviations.prove_laboratory_error,
    cc.AuthoriseRetest: deviations.authorise_retest,
    cc.BeginPhaseTwo: deviations.begin_phase_two,
    cc.ConcludeOutOfSpecification: deviations.conclude,
    cc.PlanCapa: capas.plan,
    cc.ApproveCapa: capas.approve,
    cc.StartCapa: capas.start,
    cc.ImplementCapa: capas.implement,
    cc.ExtendCapa: capas.extend,
    cc.DecideCapaEffectiveness: capas.decide_effectiveness,
    mc.ApproveMaintenance: maintenance.approve,
    mc.ScheduleMaintenance: maintenance.schedule,
    mc.BeginMaintenance: maintenance.begin,
    mc.ReportMaintenanceWork: maintenance.report_work,
    mc.VerifyMaintenance: maintenance.verify,
    mc.VerifyMaintenanceAsQuality: maintenance.verify_as_quality,
    mc.CloseMaintenance: maintenance.close,
    mc.CancelMaintenance: maintenance.cancel,
}
_DEVIATION: Final = {
    DeviationEvent.CLASSIFY: "classifyDeviation",
    DeviationEvent.ASSIGN: "assignDeviation",
    DeviationEvent.PROPOSE: "proposeConclusion",
    DeviationEvent.SEND_BACK: "sendBackConclusion",
    DeviationEvent.CLOSE: "closeDeviation",
    DeviationEvent.REOPEN: "reopenDeviation",
    DeviationEvent.VOID: "voidDeviation",
}
_OUT_OF_SPECIFICATION: Final = {
    OutOfSpecificationEvent.INVESTIGATE_LABORATORY: "investigateLaboratory",
    OutOfSpecificationEvent.PROVE_LABORATORY_ERROR: "proveLaboratoryError",
    OutOfSpecificationEvent.AUTHORISE_RETEST: "authoriseRetest",
    OutOfSpecificationEvent.BEGIN_PHASE_2: "beginPhaseTwo",
    OutOfSpecificationEvent.CONFIRM: "concludeOutOfSpecification",
    OutOfSpecificationEvent.NOT_CONFIRM: "concludeOutOfSpecification",
    OutOfSpecificationEvent.CLOSE: "closeDeviation",
    OutOfSpecificationEvent.REOPEN: "reopenDeviation",
}
_CAPA: Final = {
    CapaEvent.APPROVE: "approveCapa",
    CapaEvent.START: "startCapa",
    CapaEvent.IMPLEMENT: "implementCapa",
    CapaEvent.CLOSE_EFFECTIVE: "decideCapaEffectiveness",
    CapaEvent.FIND_INEFFECTIVE: "decideCapaEffectiveness",
}
_APPROVALS: Final = {
    Approval.QUALITY_ASSURANCE: "approveDeviation",
    Approval.QUALITY_MANAGER: "approveDeviationAsQualityManager",
}
_BY_OWNER: Final = {"proposeConclusion", "concludeOutOfSpecification", "startCapa", "implementCapa"}
_ASIDE: Final = {"voidDeviation", "reopenDeviation", "sendBackConclusion", "extendCapa", "cancelMaintenance"}
"""What can be done, but is not what a case waits for."""
_ROLES: Final = {command.kind_name(): command.roles for command in (*cc.CASE_COMMANDS, *mc.MAINTENANCE_COMMANDS)}


def judge_case(case: Case, command: Command) -> CaseEvents | maintenance.Events:
    """The events of an accepted command. Raises `Refused` with every blocker; `case` is not changed."""
    return CASE_RULES[type(command)](case, command)


def possible_in_case(case: Case) -> tuple[str, ...]:
    """The kinds of command that are possible now."""
    if isinstance(case, MaintenanceCase):
        return maintenance.possible(case)
    if isinstance(case, CapaCase):
        names = [_CAPA[event] for event in CAPA.possible(case.state) if event in _CAPA]
        names += ["planCapa"] if case.state == CapaState.DRAFT else []
        names += ["extendCapa"] if case.state in (CapaState.APPROVED, CapaState.IN_PROGRESS) else []
        return _once(names)
    if case.specification.out_of_specification:
        state = OutOfSpecificationState(case.state)
        return _once(_OUT_OF_SPECIFICATION[event] for event in OUT_OF_SPECIFICATION.possible(state))
    return _once(_of_deviation(case))


def _of_deviation(case: DeviationCase) -> Iterable[str]:
    for event in DEVIATION.possible(DeviationState(case.state)):
        if event == DeviationEvent.APPROVE:
            yield from (_APPROVALS[one] for one in needed_approvals(case) if one not in case.approvals)
        else:
            yield _DEVIATION[event]


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def case_waits_for(case: Case) -> list[tuple[str, tuple[str, ...], str | None]]:
    """What a case waits for: (command, roles of which one is enough, the person if only one may)."""
    waiting = [name for name in possible_in_case(case) if name not in _ASIDE and not case.is_over]
    if isinstance(case, CapaCase) and case.state == CapaState.DRAFT:
        waiting = ["planCapa"] if case.owner is None else ["approveCapa"]
    return [(name, _ROLES[name], case.owner if name in _BY_OWNER else None) for name in waiting]
