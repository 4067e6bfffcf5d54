"""How the events of the batch record change the state of an order. Importing this registers them."""

from domain import events as e
from domain import identification_events as i
from domain import record_events as r
from domain.applying import apply
from domain.process import Process, Unchecked
from domain.record_states import BatchRecordEvent, BatchRecordState


@apply.register
def _(event: r.ParametersChecked, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    for value in event.values:
        operation.unchecked.pop(value.number, None)


@apply.register
def _(event: r.ParameterCorrected, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    operation.corrections[event.number] = event.version - 1
    operation.recorded[event.value.name] = event.value.within_limits
    operation.unchecked.pop(event.number, None)
    if event.needs_check:
        operation.unchecked[event.number] = Unchecked(name=event.value.name, entered_by=fact.actor)
    if event.reopens_verification:
        operation.verified_by = None


@apply.register
def _(event: r.OperationVerified, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].operations[event.operation].verified_by = fact.actor


@apply.register
def _(event: r.OperationCommented, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].operations[event.operation].comments += 1


@apply.register
def _(event: r.BatchRecordMoved, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    work_order.record_state = event.target
    if event.event == BatchRecordEvent.REVIEW:
        work_order.record_reviewed_by = fact.actor
    if event.target == BatchRecordState.IN_REVIEW:
        work_order.record_reviewed_by = None
    if event.event == BatchRecordEvent.APPROVE:
        work_order.record_approved_by = fact.actor


@apply.register
def _(event: r.ExceptionJustified, process: Process, fact: e.Fact) -> None:
    """The record holds the explanation; the order itself does not need it."""


@apply.register
def _(event: i.LotsChosen, process: Process, fact: e.Fact) -> None:
    pick_list = process.work_orders[event.work_order].pick_list
    assert pick_list is not None
    pick_list.choice = event if event.choice else None


@apply.register
def _(event: i.AllocationReplaced, process: Process, fact: e.Fact) -> None:
    pick_list = process.work_orders[event.work_order].pick_list
    assert pick_list is not None
    pick_list.allocations = event.allocations


@apply.register
def _(event: i.FefoOverridden, process: Process, fact: e.Fact) -> None:
    """The record holds it; it is an exception of the batch."""


@apply.register
def _(event: i.CodeTyped, process: Process, fact: e.Fact) -> None:
    """The record holds it; it is an exception of the batch."""
