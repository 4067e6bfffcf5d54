"""How changes of its fields and of its quantity change the state of an order. Importing this registers them."""

from decimal import Decimal

from domain import change_events as ch
from domain import events as e
from domain import planning_events as p
from domain.applying import apply
from domain.change_states import ChangeRequest, FieldChange, OrderChangeState
from domain.deciding import decided, voided
from domain.order_fields import FIELDS
from domain.process import Process
from domain.quantities import difference, total
from domain.specification import OrderSpecification
from domain.states import WorkOrderState


def is_untouched(process: Process) -> bool:
    """Whether no work order is dispatched: nothing was taken for the order."""
    return all(own.state == WorkOrderState.PENDING for own in process.work_orders.values())


def put(process: Process, changes: tuple[FieldChange, ...]) -> OrderSpecification:
    """What the order is to make with the changed fields."""
    specification = process.specification
    for own in changes:
        specification = FIELDS[own.field].put(specification, own.after, is_untouched(process))
    return specification


@apply.register
def _(event: ch.OrderChanged, process: Process, fact: e.Fact) -> None:
    process.specification = put(process, event.changes)
    for own in event.changes:
        if own.field == "quantity":
            more = difference(Decimal(own.after), Decimal(own.before))
            process.quantity_changed = total((process.quantity_changed, more))
    if event.change is None:
        decided(process, fact, "changed", event.changes)
    if event.voided_approvals:
        process.approvals = ()
        voided(process, fact)


@apply.register
def _(event: ch.OrderChangeRequested, process: Process, fact: e.Fact) -> None:
    process.changes[event.change] = ChangeRequest(
        number=event.change, changes=event.changes, reason=fact.reason or "", requested_by=fact.actor,
        requested_at=fact.at,
    )  # fmt: skip
    process.held_for_change = event.stops or process.held_for_lots


@apply.register
def _(event: ch.OrderChangeMoved, process: Process, fact: e.Fact) -> None:
    own = process.changes[event.change]
    own.state = event.target
    if event.target != OrderChangeState.LAPSED:
        own.decided_by, own.decided_at, own.comment = fact.actor, fact.at, fact.reason or ""
    if process.lot_holds:
        # What stops the order now is a hold of a lot alone: it goes on with the release of that.
        process.held_for_lots = process.held_for_lots or process.held_for_change
    process.held_for_change = False


@apply.register
def _(event: p.OrderSplit, process: Process, fact: e.Fact) -> None:
    process.approvals = ()
    voided(process, fact)


@apply.register
def _(event: p.QuantityReduced, process: Process, fact: e.Fact) -> None:
    """Master data stay frozen; how much is made of it is the plan's, and every rule reads it from here."""
    specification = process.specification
    work_orders = tuple(
        own.model_copy(update={"quantity": event.target}) if own.number == event.work_order else own
        for own in specification.work_orders
    )
    process.specification = specification.model_copy(update={"quantity": event.target, "work_orders": work_orders})
