"""How the events of weighing change the state of an order. Importing this registers them."""

from domain import events as e
from domain import weighing_events as w
from domain.applying import apply
from domain.container_states import ContainerState
from domain.process import Container, Process


@apply.register
def _(event: w.WeighingAsked, process: Process, fact: e.Fact) -> None:
    own = Container(number=event.number, request=event.request)
    process.work_orders[event.work_order].containers[event.number] = own


@apply.register
def _(event: w.ScaleRead, process: Process, fact: e.Fact) -> None:
    process.work_orders[event.work_order].containers[event.number].reading = event.reading


@apply.register
def _(event: w.MaterialWeighed, process: Process, fact: e.Fact) -> None:
    own = process.work_orders[event.work_order].containers[event.weighing.number]
    own.state, own.net, own.equivalent = ContainerState.WEIGHED, event.weighing.net, event.weighing.equivalent


@apply.register
def _(event: w.ContainerMoved, process: Process, fact: e.Fact) -> None:
    own = process.work_orders[event.work_order].containers[event.number]
    own.state, own.place = event.target, event.place or own.place


@apply.register
def _(event: w.MaterialsCharged, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    operation.charged_lots = tuple(dict.fromkeys((*operation.charged_lots, *event.lots)))
