"""Rules of changing an order: directly before its release, by a signed change request after it (B3, PO-03)."""

from decimal import Decimal
from typing import Final

from domain import change_events as ch
from domain.change_commands import (
    ApproveOrderChange,
    ChangeOrder,
    RejectOrderChange,
    RequestOrderChange,
    WithdrawOrderChange,
)
from domain.change_states import ORDER_CHANGE, ChangeRequest, FieldChange, OrderChangeEvent
from domain.errors import Blocker
from domain.folding_changes import is_untouched, put
from domain.order_fields import DATES, FIELDS, are_in_order
from domain.process import Process
from domain.rules.common import Events, check, move_order, reason_missing, refuse, same_person
from domain.rules.replanning import cannot_shrink, final_work_order
from domain.states import ORDER, OrderEvent, OrderState

UNDER_WAY: Final = (OrderState.RELEASED, OrderState.IN_PROGRESS)
CHANGE_REQUEST_REQUIRED: Final = "CHANGE_REQUEST_REQUIRED"


def is_under_way(process: Process) -> bool:
    """Whether the order is released and not over, on hold or not."""
    return process.state in UNDER_WAY or (process.state == OrderState.HELD and process.remembered in UNDER_WAY)


def is_changeable(process: Process) -> bool:
    """Whether fields of the order can be changed without a request, for all that its state says."""
    return process.state in (OrderState.DRAFT, OrderState.APPROVED) or is_under_way(process)


def change_order(process: Process, command: ChangeOrder) -> Events:
    """Change a draft; change an approved order, whose approvals are void then; change what nobody controls."""
    changes = _changes(process, command)
    relevant = _relevant(process, changes)
    blockers = [] if is_changeable(process) else [_not_now(process)]
    if is_under_way(process):
        blockers += controlled(process, relevant) + _open_request(process)
    blockers += reason_missing(command.reason, "production order", process.specification.number)
    blockers += _unfit(process, changes)
    if blockers:
        raise refuse(*blockers, possible=instead(process))
    if process.state == OrderState.APPROVED and relevant:
        voided = _changed(process, changes, voided=process.approvals)
        return (voided, move_order(process, OrderEvent.CHANGE))
    return (_changed(process, changes),)


def request_order_change(process: Process, command: RequestOrderChange) -> Events:
    """The order waits for the decision: nothing of it goes on by what may not be so any more."""
    changes = _changes(process, command)
    blockers = [] if is_under_way(process) else [_not_now(process)]
    blockers += _open_request(process)
    blockers += reason_missing(command.reason, "production order", process.specification.number)
    blockers += _unfit(process, changes)
    if blockers:
        raise refuse(*blockers, possible=instead(process))
    stops = ORDER.allows(process.state, OrderEvent.HOLD)
    number = f"{process.specification.number}-C{len(process.changes) + 1}"
    requested = ch.OrderChangeRequested(change=number, changes=changes, stops=stops)
    return (requested, move_order(process, OrderEvent.HOLD)) if stops else (requested,)


def approve_order_change(process: Process, command: ApproveOrderChange) -> Events:
    """Somebody else has signed: the change is applied, and judged again by what is so now."""
    own = _open(process, command.change)
    blockers = same_person(command.actor, own.requested_by, "order change", own.number, "approve", "asked for it")
    check(blockers + _stale(process, own) + _unfit(process, own.changes))
    applied = _changed(process, own.changes, change=own.number)
    return (_moved(own, OrderChangeEvent.APPROVE), applied, *_resumed(process))


def reject_order_change(process: Process, command: RejectOrderChange) -> Events:
    """The order stays as it was."""
    own = _open(process, command.change)
    check(reason_missing(command.reason, "order change", own.number))
    return (_moved(own, OrderChangeEvent.REJECT), *_resumed(process))


def withdraw_order_change(process: Process, command: WithdrawOrderChange) -> Events:
    """Whoever asked takes it back, before anybody has decided; nobody else does."""
    own = _open(process, command.change)
    if command.actor != own.requested_by:
        required = f"{own.requested_by}, who asked for it; others reject it"
        raise refuse(_blocker(process, "NOT_THE_REQUESTER", command.actor, required, own.requested_by))
    return (_moved(own, OrderChangeEvent.WITHDRAW), *_resumed(process))


def lapsed_change(process: Process) -> Events:
    """What becomes of an open request when its order ends."""
    own = process.open_change()
    return () if own is None else (_moved(own, OrderChangeEvent.LAPSE),)


def held_by_change(process: Process) -> list[Blocker]:
    """A blocker while a change request is undecided: nobody resumes the order by hand."""
    return _open_request(process)


def controlled(process: Process, fields: list[str]) -> list[Blocker]:
    """A blocker for fields of a released order that its policy lets nobody change directly; it names the way."""
    if not fields or not process.specification.policy.controlled_changes or not is_under_way(process):
        return []
    found = f"{', '.join(fields)} of an order that is {process.state}"
    required = "a change request (requestOrderChange), approved by signature of another person"
    return [_blocker(process, CHANGE_REQUEST_REQUIRED, found, required, "planner")]


def instead(process: Process) -> tuple[str, ...]:
    """The commands about the order's fields that its state allows."""
    names: list[str] = []
    policy = process.specification.policy
    if process.open_change() is not None:
        names += ["approveOrderChange", "rejectOrderChange", "withdrawOrderChange"]
    elif is_under_way(process):
        names += ["requestOrderChange"] if policy.controlled_changes else []
    is_all_controlled = is_under_way(process) and policy.controlled_changes and set(FIELDS) <= set(policy.gmp_relevant)
    if is_changeable(process) and process.open_change() is None and not is_all_controlled:
        names.append("changeOrder")
    return tuple(names)


def _changes(process: Process, command: ChangeOrder | RequestOrderChange) -> tuple[FieldChange, ...]:
    """The fields that are asked for and are not so already."""
    found: list[FieldChange] = []
    for field in FIELDS.values():
        if (wanted := getattr(command, field.attribute)) is None:
            continue
        before, after = field.text(getattr(process.specification, field.attribute)), field.text(wanted)
        if getattr(process.specification, field.attribute) != wanted:
            found.append(FieldChange(field=field.name, before=before, after=after))
    return tuple(found)


def _changed(
    process: Process, changes: tuple[FieldChange, ...], change: str | None = None, voided: tuple[str, ...] = ()
) -> ch.OrderChanged:
    """The event of these changes, with what the work orders make after them."""
    after = put(process, changes)
    quantities = tuple(
        ch.NewQuantity(number=own.number, quantity=own.quantity)
        for own in after.work_orders
        if own.quantity != process.specification.work_order(own.number).quantity
    )
    return ch.OrderChanged(changes=changes, change=change, voided_approvals=voided, work_orders=quantities)


def _relevant(process: Process, changes: tuple[FieldChange, ...]) -> list[str]:
    return [own.field for own in changes if own.field in process.specification.policy.gmp_relevant]


def _unfit(process: Process, changes: tuple[FieldChange, ...]) -> list[Blocker]:
    """What is wrong with the new values themselves."""
    if not changes:
        return [_blocker(process, "NOTHING_CHANGED", "every field is so already", "another value", "planner")]
    specification, blockers = put(process, changes), _quantity(process, changes)
    dates = [own for own in changes if own.field in ("dueAt", "startAt")]
    if dates and not are_in_order(specification):
        found = f"start {specification.start_at}, due {specification.due_at}"
        blockers.append(_blocker(process, DATES, found, "a start before the order is due", "planner"))
    return blockers


def _quantity(process: Process, changes: tuple[FieldChange, ...]) -> list[Blocker]:
    """Once something was taken for the order it can only become smaller, and not than what was reported."""
    own = next((own for own in changes if own.field == "quantity"), None)
    if own is None or is_untouched(process):
        return []
    target, work_order = Decimal(own.after), final_work_order(process)
    if target > process.specification.quantity:
        found = f"{own.before} → {own.after}, and {work_order.number} is {work_order.state}"
        required = "a quantity that is not larger: material was picked for this one; more is a plan line of its own"
        return [_blocker(process, "MATERIAL_PICKED", found, required, "planner")]
    return cannot_shrink(process, target)


def _stale(process: Process, own: ChangeRequest) -> list[Blocker]:
    now = {name: field.text(getattr(process.specification, field.attribute)) for name, field in FIELDS.items()}
    return [
        _blocker(process, "CHANGE_STALE", f"{one.field} is {now[one.field]}", f"{one.before}, as shown", "planner")
        for one in own.changes
        if now[one.field] != one.before
    ]


def _open(process: Process, number: str) -> ChangeRequest:
    own = process.changes.get(number)
    if own is None:
        known = ", ".join(process.changes) or "none"
        raise refuse(_blocker(process, "UNKNOWN_CHANGE", number, f"one of: {known}", "planner"))
    if own is not process.open_change():
        required = "a change request that nobody has decided"
        raise refuse(_blocker(process, "CHANGE_NOT_OPEN", f"{number} is {own.state}", required, ""))
    return own


def _open_request(process: Process) -> list[Blocker]:
    own = process.open_change()
    if own is None:
        return []
    found = f"{own.number} by {own.requested_by}: {own.reason}"
    return [_blocker(process, "CHANGE_REQUEST_OPEN", found, "its approval or rejection", "supervisor, qualityManager")]


def _moved(own: ChangeRequest, event: OrderChangeEvent) -> ch.OrderChangeMoved:
    target = ORDER_CHANGE.advance(own.state, event)
    return ch.OrderChangeMoved(change=own.number, event=event, origin=own.state, target=target)


def _resumed(process: Process) -> Events:
    """The order goes on, unless a person stopped it before or a hold of a lot stops it."""
    if process.state == OrderState.HELD and process.held_for_change and not process.lot_holds:
        return (move_order(process, OrderEvent.RESUME),)
    return ()


def _not_now(process: Process) -> Blocker:
    ways = {
        OrderState.SUBMITTED: "its rejection, which makes it a draft, or its approval",
        OrderState.HELD: "its resumption",
    }
    required = ways.get(process.state, "a draft, approved, released or running order")
    return _blocker(process, "INVALID_TRANSITION", process.state, required, "supervisor")


def _blocker(process: Process, code: str, found: str, required: str, who_can_fix: str) -> Blocker:
    return Blocker(
        code=code, entity="production order", id=process.specification.number, found=found, required=required,
        who_can_fix=who_can_fix,
    )  # fmt: skip
