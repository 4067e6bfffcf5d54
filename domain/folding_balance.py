"""How samples, counts and checks of prints change the state of an order. Importing this registers them."""

from domain import events as e
from domain import material_events as m
from domain import packaging_events as k
from domain.applying import apply
from domain.process import Process


@apply.register
def _(event: m.SampleTaken, process: Process, fact: e.Fact) -> None:
    work_order = process.work_orders[event.work_order]
    if event.line is not None:
        assert work_order.pick_list is not None
        work_order.pick_list.use(event.line, event.lot).sampled += event.quantity
        return
    operation = work_order.operations[event.operation]
    operation.good -= event.quantity
    operation.sampled += event.quantity
    if event.is_stock:
        work_order.produced -= event.quantity


@apply.register
def _(event: m.MaterialsCounted, process: Process, fact: e.Fact) -> None:
    pick_list = process.work_orders[event.work_order].pick_list
    assert pick_list is not None
    for line in event.lines:
        pick_list.use(line.line, line.lot).difference += line.difference
    for own in event.outside:
        pick_list.outside[f"{own.operation}/{own.material}"] = own.deviation


@apply.register
def _(event: k.PrintChecked, process: Process, fact: e.Fact) -> None:
    operation = process.work_orders[event.work_order].operations[event.operation]
    operation.print_checks, operation.print_checked_at = event.number, fact.at
