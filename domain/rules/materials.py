"""Rules of dispatch and pick: which material, from which lots, who lets it out of the warehouse."""

from collections.abc import Iterable

from domain import events as e
from domain import identification_events as i
from domain.commands import AllocateMaterials, ApprovePickList, ChooseLots, DispatchWorkOrder, IssuePickList
from domain.errors import Blocker
from domain.process import Process, WorkOrder
from domain.rules.common import (
    REASON_LENGTH,
    Events,
    check,
    find_work_order,
    move_pick_list,
    move_work_order,
    order_is_worked_on,
    reason_missing,
    same_person,
)
from domain.rules.scans import issue_blockers, typed_codes
from domain.specification import MaterialLine, OrderSpecification
from domain.states import PickListEvent, PickListState, WorkOrderEvent
from domain.weighing import brought


def allocation_request(work_order: str) -> str:
    """The name under which the warehouse is asked to reserve the lots of a work order."""
    return f"{work_order}/allocate"


def issue_request(work_order: str) -> str:
    """The name under which the warehouse is asked to issue the reserved lots."""
    return f"{work_order}/issue"


def to_bring(order: OrderSpecification, work_order: str) -> tuple[MaterialLine, ...]:
    """The lines of a work order with what the warehouse shall bring: more than needed where a weak lot needs more."""
    return tuple(
        line.model_copy(update={"quantity": brought(line.quantity, line.reserve_percent)})
        if order.is_weighed(line) and line.reserve_percent is not None
        else line
        for line in order.work_order(work_order).materials
    )


def dispatch_work_order(process: Process, command: DispatchWorkOrder) -> Events:
    work_order, specification = find_work_order(process, command.work_order)
    check(order_is_worked_on(process))
    moved = move_work_order(work_order, WorkOrderEvent.DISPATCH)
    if not specification.materials:
        return (moved,)
    pick_list = e.PickListMoved(work_order=work_order.number, event=None, origin=None, target=PickListState.CREATED)
    return (moved, pick_list)


def allocate_materials(process: Process, command: AllocateMaterials) -> Events:
    """Ask the warehouse for lots again: after a shortage, or because a reserved lot was stopped."""
    work_order, _ = find_work_order(process, command.work_order)
    check(order_is_worked_on(process))
    move_pick_list(work_order, PickListEvent.FIND_SHORT)  # is a new allocation possible in this state at all?
    return (_pending(process, work_order, allocation_request(work_order.number), command),)


def choose_lots(process: Process, command: ChooseLots) -> Events:
    """Ask the warehouse for other lots than those that expire first; never without a reason (MT-02)."""
    work_order, specification = find_work_order(process, command.work_order)
    check(order_is_worked_on(process))
    state = None if work_order.pick_list is None else work_order.pick_list.state
    lines = {line.line: line.material for line in specification.materials}
    identity = f"{work_order.number}-P"
    found = [
        Blocker(code="UNKNOWN_LINE", entity="pick list", id=identity, found=f"line {own.line}",
                required=f"one of {', '.join(map(str, lines))}")
        for own in command.choice
        if own.line not in lines
    ]  # fmt: skip
    if state not in (PickListState.ALLOCATED, PickListState.APPROVED):
        found.append(
            Blocker(code="INVALID_TRANSITION", entity="pick list", id=identity, found=state or "no pick list",
                    required="allocated or approved")
        )  # fmt: skip
    if reason_missing(command.reason, "pick list", identity):
        chosen = "; ".join(f"line {own.line}: {', '.join(own.lots)}" for own in command.choice)
        found.append(
            Blocker(code="FEFO_OVERRIDE_REASON", entity="pick list", id=identity, found=f"{chosen}, without a reason",
                    required=f"a reason of at least {REASON_LENGTH} characters, or the lots that expire first",
                    who_can_fix="supervisor")
        )  # fmt: skip
    check(found)
    chosen_now = i.LotsChosen(work_order=work_order.number, choice=command.choice, reason=command.reason or "")
    return (_pending(process, work_order, allocation_request(work_order.number), command), chosen_now)


def overridden(
    work_order: str, choice: i.LotsChosen, proposed: Iterable[e.Allocation], taken: Iterable[e.Allocation]
) -> Events:
    """The event of lots that are not those that expire first; nothing when the choice was the same."""
    first, own = _lots_of(proposed), _lots_of(taken)
    lines = tuple(
        i.OverriddenLine(line=line, material=material, proposed=first.get((line, material), ()), taken=lots)
        for (line, material), lots in own.items()
        if any(chosen.line == line for chosen in choice.choice) and set(lots) != set(first.get((line, material), ()))
    )
    return (i.FefoOverridden(work_order=work_order, lines=lines, reason=choice.reason),) if lines else ()


def _lots_of(allocations: Iterable[e.Allocation]) -> dict[tuple[int, str], tuple[str, ...]]:
    found: dict[tuple[int, str], tuple[str, ...]] = {}
    for own in allocations:
        known = found.get((own.line, own.material), ())
        found[own.line, own.material] = known if own.lot in known else (*known, own.lot)
    return found


def approve_pick_list(process: Process, command: ApprovePickList) -> Events:
    work_order, _ = find_work_order(process, command.work_order)
    check(order_is_worked_on(process))
    moved = move_pick_list(work_order, PickListEvent.APPROVE)
    if process.specification.policy.pick_list_approver_differs and work_order.pick_list is not None:
        pick_list = work_order.pick_list
        check(
            same_person(
                command.actor, pick_list.created_by, "pick list", pick_list.number, "approve", "made the pick list"
            )
        )
    return (moved,)


def issue_pick_list(process: Process, command: IssuePickList) -> Events:
    work_order, _ = find_work_order(process, command.work_order)
    check(order_is_worked_on(process))
    moved = move_pick_list(work_order, PickListEvent.ISSUE)
    check(issue_blockers(process, work_order, command))
    pending = _pending(process, work_order, issue_request(work_order.number), command)
    return (moved, pending, *typed_codes(process, command))


def _pending(
    process: Process, work_order: WorkOrder, request: str, command: AllocateMaterials | IssuePickList | ChooseLots
) -> e.VerdictPending:
    if request in process.pending:
        earlier = process.pending[request]
        check(
            [
                Blocker(
                    code="IN_PROGRESS",
                    entity="work order",
                    id=work_order.number,
                    found=f"{earlier.actor} already asked for {earlier.command}",
                    required="the answer of the warehouse",
                )
            ]
        )
    return e.VerdictPending(request=request, command_id=command.command_id, command=command.kind, actor=command.actor)
