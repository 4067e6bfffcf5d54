"""Rules of what lies at the line: issued material is consumed, returned or scrapped, and nothing of it gets lost.

By default an operation consumes what is left of its lines when it is done. More than is needed is issued as a rule, so
less than the bill of material asks for is no reason to stop: what was really used stands in the genealogy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain import events as e
from domain import material_events as m
from domain.commands import LineQuantity, ReturnedQuantity, ReturnMaterials
from domain.container_states import IN_PLACE
from domain.errors import Blocker
from domain.process import MaterialReturn, Operation, PickList, Process, Used, WorkOrder
from domain.quantities import plain
from domain.return_states import MATERIAL_RETURN, MaterialReturnEvent, MaterialReturnState
from domain.rules.common import Events, check, find_work_order, invalid_transition, reason_missing, refuse
from domain.states import OrderState, PickListState, TransitionRefused

_NOTHING: Final = Decimal(0)
_UNUSED: Final = Used()
_TAKES_RETURNS = (OrderState.RELEASED, OrderState.IN_PROGRESS, OrderState.COMPLETED)


@dataclass(frozen=True)
class LineStock:
    """One lot of one line: what was issued of it and what became of that, in `unit`.

    issued = consumed + returned + sampled + scrapped + difference + at the line. `returning` is at the line too, but
    asked back.
    """

    line: int
    material: str
    lot: str
    unit: str
    operation: str
    issued: Decimal
    consumed: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    scrapped: Decimal = Decimal(0)
    returning: Decimal = Decimal(0)
    dispensed: Decimal = Decimal(0)
    """In containers that are not charged."""
    sampled: Decimal = Decimal(0)
    difference: Decimal = Decimal(0)
    """What a count has not found there; below zero it has found more."""

    @property
    def at_line(self) -> Decimal:
        """What lies at the line."""
        return self.issued - self.consumed - self.returned - self.scrapped - self.sampled - self.difference

    @property
    def rest(self) -> Decimal:
        """What may still be weighed, consumed or given back."""
        return self.at_line - self.returning - self.dispensed

    @property
    def story(self) -> str:
        """The figures in words, for a blocker: `5 kg issued, 4 consumed, 1 returned`."""
        parts = {
            "consumed": self.consumed, "returned": self.returned, "scrapped": self.scrapped,
            "being returned": self.returning, "in containers": self.dispensed, "sampled": self.sampled,
            "difference": self.difference,
        }  # fmt: skip
        found = [f"{plain(quantity)} {what}" for what, quantity in parts.items() if quantity]
        return ", ".join([f"{plain(self.issued)} {self.unit} issued", *found])


def line_stock(process: Process, work_order: WorkOrder) -> tuple[LineStock, ...]:
    """What was issued to a work order, by line and lot; nothing before the issue and after a cancellation."""
    pick_list = work_order.pick_list
    if pick_list is None or pick_list.state != PickListState.ISSUED:
        return ()
    operations = {line.line: line.operation for line in process.specification.work_order(work_order.number).materials}
    first: dict[tuple[int, str], e.Allocation] = {}
    issued: dict[tuple[int, str], Decimal] = {}
    for allocation in pick_list.allocations:
        key = (allocation.line, allocation.lot)
        first.setdefault(key, allocation)
        issued[key] = issued.get(key, _NOTHING) + allocation.quantity
    silent = _silent(work_order, pick_list, operations, issued)
    returning, dispensed = _returning(work_order), _dispensed(work_order)
    found: list[LineStock] = []
    for key, own in first.items():
        operation, used = operations.get(own.line, ""), pick_list.used.get(f"{own.line}/{own.lot}", _UNUSED)
        found.append(
            LineStock(
                own.line, own.material, own.lot, own.unit, operation, issued[key],
                consumed=issued[key] if operation in silent else used.consumed, returned=used.returned,
                scrapped=used.scrapped, returning=returning.get(key, _NOTHING), dispensed=dispensed.get(key, _NOTHING),
                sampled=used.sampled, difference=used.difference,
            )
        )  # fmt: skip
    return tuple(found)


def _silent(
    work_order: WorkOrder, pick_list: PickList, operations: Mapping[int, str], issued: Iterable[tuple[int, str]]
) -> set[str]:
    """Operations that consumed before orders kept account of it: they consumed everything."""
    told = {operations.get(line, "") for line, lot in issued if f"{line}/{lot}" in pick_list.used}
    return set(work_order.consumed_at) - told


def _returning(work_order: WorkOrder) -> dict[tuple[int, str], Decimal]:
    total: dict[tuple[int, str], Decimal] = {}
    for own in work_order.open_returns():
        for line in own.lines:
            total[line.line, line.lot] = total.get((line.line, line.lot), Decimal(0)) + line.quantity
    return total


def _dispensed(work_order: WorkOrder) -> dict[tuple[int, str], Decimal]:
    found: dict[tuple[int, str], Decimal] = {}
    for own in work_order.containers.values():
        if own.state in IN_PLACE:
            found[own.line, own.lot] = found.get((own.line, own.lot), Decimal(0)) + own.net
    return found


def material_on_line(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """A blocker for every lot that still lies at the line: a batch is not over before all is accounted for (MT-09)."""
    return [
        Blocker(
            code="MATERIAL_ON_LINE",
            entity="lot",
            id=own.lot,
            found=f"{plain(own.at_line)} {own.unit} at the line for {work_order.number}, line {own.line}: {own.story}",
            required="everything consumed, returned or scrapped",
            who_can_fix="warehouseKeeper",
        )
        for own in line_stock(process, work_order)
        if own.at_line > 0
    ]


# Consumption ---------------------------------------------------------------------------------------------------------


def consumption_blockers(
    process: Process, work_order: WorkOrder, operation: Operation, stated: tuple[LineQuantity, ...] | None
) -> list[Blocker]:
    """What stands in the way of a stated consumption; what was used of printed material has to be stated (EB-09)."""
    unstated = _unstated(process, work_order, operation, stated)
    if not stated:
        return unstated
    own = [stock for stock in line_stock(process, work_order) if stock.operation == operation.code]
    weighed = _weighed(process, work_order)
    found = [
        _lot_blocker("CONSUMPTION_IS_WEIGHED", line.lot, f"line {line.line} stated", "nothing: its containers say it")
        for line in stated
        if line.line in weighed
    ]
    return unstated + found + _judged(stated, own, f"used at {operation.code}")


def _unstated(
    process: Process, work_order: WorkOrder, operation: Operation, stated: tuple[LineQuantity, ...] | None
) -> list[Blocker]:
    """A blocker for each lot of printed material that lies at the line and of which nobody says how much was used."""
    specification = process.specification.work_order(work_order.number)
    printed = {line.line for line in specification.materials if line.printed}
    named = {(line.line, line.lot) for line in stated or ()}
    if not printed:
        return []
    return [
        _lot_blocker(
            "CONSUMPTION_NOT_STATED", own.lot, f"line {own.line}, printed material: {own.story}",
            "how many of them were used, as counted",
        )
        for own in line_stock(process, work_order)
        if own.line in printed
        and own.operation == operation.code
        and own.rest > 0
        and (own.line, own.lot) not in named
    ]  # fmt: skip


def _weighed(process: Process, work_order: WorkOrder) -> set[int]:
    """Lines whose material is consumed by charging its containers."""
    order = process.specification
    return {line.line for line in order.work_order(work_order.number).materials if order.is_weighed(line)}


def consumption(
    process: Process, work_order: WorkOrder, operation: Operation, stated: tuple[LineQuantity, ...] | None
) -> Events:
    """What becomes part of the batch when the operation is done: what is stated, else all that is left.

    What is weighed became part of it when it was charged.
    """
    weighed = _weighed(process, work_order)
    # An operation that charged has consumed before it is done for the first time.
    is_done_again = bool(operation.completed_by) if weighed else operation.code in work_order.consumed_at
    if work_order.pick_list is None or (stated is None and is_done_again):
        return ()
    stock = line_stock(process, work_order)
    own = {(s.line, s.lot): s for s in stock if s.operation == operation.code and s.line not in weighed}
    left = {key: stock.rest for key, stock in own.items()} if stated is None else _summed(stated)
    consumed: list[e.Consumption] = []
    for a in work_order.pick_list.allocations:
        quantity = min(a.quantity, left.get((a.line, a.lot), Decimal(0)))
        if quantity <= 0 or (a.line, a.lot) not in own:
            continue
        left[a.line, a.lot] -= quantity
        consumed.append(e.Consumption(line=a.line, material=a.material, lot=a.lot, quantity=quantity, unit=a.unit))
    if not consumed:
        return ()
    lot = process.specification.work_order(work_order.number).output_lot
    return (
        e.MaterialsConsumed(
            work_order=work_order.number, operation=operation.code, output_lot=lot, lines=tuple(consumed)
        ),
    )


def _summed(lines: Iterable[LineQuantity]) -> dict[tuple[int, str], Decimal]:
    total: dict[tuple[int, str], Decimal] = {}
    for line in lines:
        total[line.line, line.lot] = total.get((line.line, line.lot), Decimal(0)) + line.quantity
    return total


def not_on_line(lines: tuple[LineQuantity, ...], stock: Iterable[LineStock], *, most: bool = False) -> list[Blocker]:
    """A blocker for each lot that was not issued, or in another unit; with `most` also for more than lies there."""
    found = _judged(lines, stock, "issued")
    return found if most else [blocker for blocker in found if blocker.code != "MORE_THAN_ON_LINE"]


def may_move_at_line(process: Process, work_order: WorkOrder) -> list[Blocker]:
    """What stands in the way of anything being done with material at the line: no issue, or an order that rests."""
    return _order_takes_returns(process) + _not_issued(work_order)


def _judged(lines: tuple[LineQuantity, ...], stock: Iterable[LineStock], what: str) -> list[Blocker]:
    """Every line against what is at the line: the lot, the unit, and the sum of each lot's quantities."""
    known = {(own.line, own.lot): own for own in stock}
    names = ", ".join(f"line {line} {lot}" for line, lot in known) or "none"
    blockers: list[Blocker] = []
    for line in dict.fromkeys((line.line, line.lot, line.unit) for line in lines):
        number, lot, unit = line
        own = known.get((number, lot))
        if own is None:
            found = f"line {number} {lot}"
            blockers.append(_lot_blocker("LOT_NOT_ON_PICK_LIST", lot, found, f"a lot that is {what}: {names}"))
        elif unit != own.unit:
            blockers.append(_lot_blocker("UNIT_MISMATCH", lot, f"{unit} for line {number}", own.unit))
    for key, quantity in _summed(line for line in lines if _fits(line, known)).items():
        own = known[key]
        if quantity > own.rest:
            found = f"{plain(quantity)} {own.unit} of line {own.line}; {own.story}"
            required = f"at most {plain(own.rest)} {own.unit}"
            blockers.append(_lot_blocker("MORE_THAN_ON_LINE", own.lot, found, required))
    return blockers


def _fits(line: LineQuantity, known: dict[tuple[int, str], LineStock]) -> bool:
    own = known.get((line.line, line.lot))
    return own is not None and own.unit == line.unit


def _lot_blocker(code: str, lot: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity="lot", id=lot, found=found, required=required, who_can_fix="operator")


# Returns -------------------------------------------------------------------------------------------------------------


def return_materials(process: Process, command: ReturnMaterials) -> Events:
    """Ask the warehouse to take back what is not consumed. From here on it cannot be consumed any more."""
    work_order, _ = find_work_order(process, command.work_order)
    number = f"{work_order.number}-R{len(work_order.returns) + 1}"
    not_issued = _not_issued(work_order)
    blockers = _order_takes_returns(process) + not_issued
    if not not_issued:
        blockers += _judged(command.lines, line_stock(process, work_order), "issued")
    blockers += [
        blocker
        for line in command.lines
        for blocker in reason_missing(line.reason or command.reason, "lot", line.lot)
    ]  # fmt: skip
    check(blockers)
    materials = {own.line: own.material for own in line_stock(process, work_order)}
    asked = m.ReturnMoved(
        work_order=work_order.number,
        number=number,
        event=None,
        origin=None,
        target=MaterialReturnState.REQUESTED,
        lines=tuple(_return_line(line, materials[line.line], command.reason) for line in command.lines),
    )
    pending = e.VerdictPending(
        request=return_request(number), command_id=command.command_id, command=command.kind, actor=command.actor
    )
    return (asked, pending)


def return_request(number: str) -> str:
    """The name under which the warehouse is asked to take a return."""
    return f"{number}/return"


def move_return(work_order: WorkOrder, own: MaterialReturn, event: MaterialReturnEvent) -> m.ReturnMoved:
    """The return's move by `event`, or the refusal that names what is possible."""
    try:
        target = MATERIAL_RETURN.advance(own.state, event)
    except TransitionRefused as refused:
        blocker = invalid_transition("material return", own.number, refused)
        raise refuse(blocker, possible=refused.possible) from None
    return m.ReturnMoved(work_order=work_order.number, number=own.number, event=event, origin=own.state, target=target)


def cancelled_returns(work_order: WorkOrder) -> Events:
    """What voids all returns that the warehouse has not answered."""
    return tuple(move_return(work_order, own, MaterialReturnEvent.CANCEL) for own in work_order.open_returns())


def _return_line(line: ReturnedQuantity, material: str, reason: str | None) -> m.ReturnLine:
    return m.ReturnLine(
        line=line.line,
        material=material,
        lot=line.lot,
        quantity=line.quantity,
        unit=line.unit,
        disposition=line.disposition,
        reason=line.reason or reason or "",
    )


def _order_takes_returns(process: Process) -> list[Blocker]:
    if process.state in _TAKES_RETURNS:
        return []
    return [
        Blocker(
            code="ORDER_ON_HOLD" if process.state == OrderState.HELD else "ORDER_NOT_OPEN",
            entity="production order",
            id=process.specification.number,
            found=process.state,
            required=" or ".join(_TAKES_RETURNS),
            who_can_fix="supervisor",
        )
    ]


def _not_issued(work_order: WorkOrder) -> list[Blocker]:
    pick_list = work_order.pick_list
    if pick_list is not None and pick_list.state == PickListState.ISSUED:
        return []
    return [
        Blocker(
            code="NOT_ISSUED",
            entity="work order" if pick_list is None else "pick list",
            id=work_order.number if pick_list is None else pick_list.number,
            found="no pick list" if pick_list is None else pick_list.state,
            required="material that was issued to the line",
            who_can_fix="warehouseKeeper",
        )
    ]
