"""What can be done now: from the same tables that judge the commands."""

from typing import Final

from domain import commands as c
from domain.process import Process, WorkOrder
from domain.record_states import BATCH_RECORD, BatchRecordEvent
from domain.rework_states import InProcessInspectionState, ReworkState
from domain.rules.charging import may_stage, possible_at
from domain.rules.line_side import line_stock
from domain.rules.material_balance import also_possible
from domain.rules.order_changes import instead
from domain.rules.print_checks import asks_for_checks
from domain.rules.record_review import record_open
from domain.rules.recovery import possible_recoveries
from domain.rules.starting import waits_for_verifier
from domain.states import (
    INSPECTION,
    OPERATION,
    ORDER,
    PICK_LIST,
    PUT_AWAY,
    WORK_ORDER,
    InspectionEvent,
    OperationEvent,
    OperationState,
    OrderEvent,
    OrderState,
    PickListEvent,
    PutAwayEvent,
    WorkOrderEvent,
    WorkOrderState,
)
from domain.tasks import MOST, Task

ORDER_COMMANDS: Final = {
    OrderEvent.SUBMIT: "submitOrder",
    OrderEvent.APPROVE: "approveOrder",
    OrderEvent.REJECT: "rejectOrder",
    OrderEvent.RELEASE: "releaseOrder",
    OrderEvent.HOLD: "holdOrder",
    OrderEvent.RESUME: "resumeOrder",
    OrderEvent.CANCEL: "cancelOrder",
    OrderEvent.CLOSE: "closeOrder",
}
WORK_ORDER_COMMANDS: Final = {
    WorkOrderEvent.DISPATCH: "dispatchWorkOrder",
    WorkOrderEvent.START: "startWorkOrder",
    WorkOrderEvent.PAUSE: "pauseWorkOrder",
    WorkOrderEvent.RESUME: "resumeWorkOrder",
}
OPERATION_COMMANDS: Final = {
    OperationEvent.START: "startOperation",
    OperationEvent.PAUSE: "pauseOperation",
    OperationEvent.RESUME: "resumeOperation",
    OperationEvent.RELEASE_HOLD: "releaseOperationHold",
    OperationEvent.COMPLETE: "completeOperation",
}
REWORK_COMMANDS: Final = {
    ReworkState.PROPOSED: ("approveRework", "rejectRework"),
    ReworkState.APPROVED: ("startRework",),
    ReworkState.RUNNING: ("reportRework",),
}
RECORD_COMMANDS: Final = {
    BatchRecordEvent.REVIEW: ("reviewBatchRecord",),
    BatchRecordEvent.APPROVE: ("approveBatchRecord",),
    BatchRecordEvent.RETURN: ("returnBatchRecord",),
    BatchRecordEvent.RESUBMIT: ("resubmitBatchRecord",),
}
_WORKED_ON = (OrderState.RELEASED, OrderState.IN_PROGRESS)
_ROLES: Final = {command.kind_name(): ", ".join(command.roles) for command in c.COMMANDS}
_NOT_AWAITED: Final = frozenset(
    {
        "cancelOrder", "holdOrder", "rejectOrder", "retryNow", "pauseWorkOrder", "pauseOperation", "returnBatchRecord",
        "rejectRework", "requestRecovery", "rejectRecovery", "changeOrder", "requestOrderChange", "rejectOrderChange",
        "withdrawOrderChange",
    }
)  # fmt: skip
_NOT_AWAITED_YET: Final = _NOT_AWAITED | {"returnMaterials"}
"""While operations run material lies at the line; afterwards the order waits for it to be returned."""


def possible_commands(process: Process, command: c.Command | None = None) -> tuple[str, ...]:
    """The kinds of command that the state machines allow now, for what `command` was about and what is above it."""
    if isinstance(command, c.OperationCommand):
        return possible_for(process, command.work_order, command.operation)
    return possible_for(process, command.work_order if isinstance(command, c.WorkOrderCommand) else None)


def possible_for(process: Process, work_order: str | None = None, operation: str | None = None) -> tuple[str, ...]:
    """The kinds of command that are possible now for an order, one of its work orders, or one operation of that."""
    names = [ORDER_COMMANDS[event] for event in ORDER.possible(process.state) if event in ORDER_COMMANDS]
    if (process.lot_holds or process.open_change() is not None) and "resumeOrder" in names:
        # The release of the hold, or the decision about the change, does it.
        names.remove("resumeOrder")
    names += instead(process)
    if process.waiting:
        names.append("retryNow")
    if process.open_deviations() and not process.specification.policy.deviation_process:
        names.append("decideDeviation")
    if (own := process.work_orders.get(work_order or "")) is not None:
        names += [*_of_work_order(process, own), *also_possible(process, own, operation)]
        if operation in own.operations:
            names += _of_operation(process, own, operation)
    return tuple(names)


def _of_work_order(process: Process, work_order: WorkOrder) -> list[str]:
    names: list[str] = []
    if process.state in _WORKED_ON:
        possible = WORK_ORDER.possible(work_order.state)
        names += [WORK_ORDER_COMMANDS[event] for event in possible if event in WORK_ORDER_COMMANDS]
        names += _of_documents(process, work_order)
        names += _of_reports(work_order)
        names += possible_recoveries(process, work_order)
        names += ["stageContainers"] if may_stage(process, work_order) else []
    if work_order.record_state is not None:
        names += [
            kind for event in BATCH_RECORD.possible(work_order.record_state) for kind in RECORD_COMMANDS.get(event, ())
        ]
    if process.state in (*_WORKED_ON, OrderState.COMPLETED) and any(
        s.rest > 0 for s in line_stock(process, work_order)
    ):
        names.append("returnMaterials")
    if work_order.state == WorkOrderState.COMPLETED and process.state in (*_WORKED_ON, OrderState.COMPLETED):
        if work_order.certified_by is None and process.specification.policy.certification:
            names += [] if record_open(process, work_order) else ["certifyBatch"]
        elif work_order.release_requested_by is None and process.specification.policy.production_release:
            names.append("releaseBatch")
    return names


def _of_reports(work_order: WorkOrder) -> list[str]:
    """In-process inspections, reworks and over-reports that wait for somebody."""
    names: list[str] = []
    if any(own.state == InProcessInspectionState.OPEN for own in work_order.in_process_inspections.values()):
        names.append("decideInProcessInspection")
    states = {own.state for own in work_order.reworks.values()}
    names += [kind for state, kinds in REWORK_COMMANDS.items() if state in states for kind in kinds]
    if work_order.over_reports:
        names.append("decideOverReport")
    return names


def _of_documents(process: Process, work_order: WorkOrder) -> list[str]:
    names: list[str] = []
    if (pick_list := work_order.pick_list) is not None:
        commands = {
            PickListEvent.APPROVE: "approvePickList",
            PickListEvent.ISSUE: "issuePickList",
            PickListEvent.FIND_SHORT: "allocateMaterials",
        }
        names += [commands[event] for event in PICK_LIST.possible(pick_list.state) if event in commands]
    if (inspection := work_order.inspection) is not None:
        possible = INSPECTION.possible(inspection.state)
        if InspectionEvent.ENTER_RESULTS in possible:
            names.append("enterInspectionResults")
        if InspectionEvent.REJECT in possible:
            names.append("decideInspection")
    if (put_away := work_order.put_away) is not None and PutAwayEvent.MOVE in PUT_AWAY.possible(put_away.state):
        names.append("putAway")
    return names


def _of_operation(process: Process, work_order: WorkOrder, code: str) -> list[str]:
    if process.state not in _WORKED_ON or work_order.state not in (WorkOrderState.READY, WorkOrderState.RUNNING):
        return []
    operation = work_order.operations[code]
    names = [OPERATION_COMMANDS[event] for event in OPERATION.possible(operation.state) if event in OPERATION_COMMANDS]
    if process.specification.policy.deviation_process:
        # The decision comes from the deviation's own process.
        names = [name for name in names if name != OPERATION_COMMANDS[OperationEvent.RELEASE_HOLD]]
    if operation.state == OperationState.COMPLETED and process.specification.policy.operations_may_reopen:
        names.append("startOperation")
    if operation.state == OperationState.RUNNING:
        names += ["reportProduction", "recordParameters", *possible_at(process, work_order, code)]
        names += ["checkPrint"] if asks_for_checks(process, work_order, code) else []
    if operation.unchecked:
        names.append("checkParameters")
    if waits_for_verifier(process, work_order, code):
        names.append("verifyOperation")
    return names


def waits_for(process: Process) -> list[tuple[str, str, str]]:
    """What the order waits for: (what, who can do it, which command does it), most important first."""
    waits: list[tuple[str, str, str]] = [
        (f"{w.neighbour}: attempt {w.attempt}, {w.last_error}", ", ".join(c.RetryNow.roles), "retryNow")
        for w in process.waiting.values()
    ]
    order_kinds = [name for name in possible_commands(process) if name not in _NOT_AWAITED]
    # Until everything else is done a close would be refused: only then it is waited for.
    own_waits = [(process.specification.number, _ROLES[name], name) for name in order_kinds]
    last = [wait for wait in own_waits if wait[2] == "closeOrder"]
    waits += [wait for wait in own_waits if wait not in last]
    for work_order in process.work_orders.values():
        not_awaited = _NOT_AWAITED if work_order.state == WorkOrderState.COMPLETED else _NOT_AWAITED_YET
        kinds = [name for name in _of_work_order(process, work_order) if name not in not_awaited]
        waits += [(work_order.number, _ROLES[name], name) for name in kinds]
        for code in work_order.operations:
            own = [name for name in _of_operation(process, work_order, code) if name not in _NOT_AWAITED]
            waits += [(f"{work_order.number}/{code}", _ROLES[name], name) for name in own]
    return waits or last


def tasks(process: Process) -> tuple[Task, ...]:
    """The same for lists, at most `MOST`; what runs by itself needs nobody."""
    return tuple(
        Task(what=what, command=command, roles=tuple(who.split(", ")))
        for what, who, command in waits_for(process)[:MOST]
    )
