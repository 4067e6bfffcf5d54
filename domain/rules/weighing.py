"""Rules of weighing and dispensing (MT-06, MT-07): what may be weighed, what is needed, whether a weight is good."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from domain import events as e
from domain import weighing_events as w
from domain.container_states import CONTAINER, HOLDING, ContainerEvent
from domain.errors import Blocker
from domain.process import Container, Process, WorkOrder
from domain.quantities import NotAPlainDecimal, exact, plain, total
from domain.rules.common import Events, check, invalid_transition, reason_missing, refuse, running_operation
from domain.rules.line_side import line_stock
from domain.rules.scans import blocker, entry_blockers, not_scanned, typed_codes, wrong_lots
from domain.scanning import ScanKind
from domain.specification import MaterialLine
from domain.states import TransitionRefused
from domain.weighing import (
    Potency,
    Range,
    ScaleReading,
    Strength,
    Weighing,
    WeighingRequest,
    equivalent,
    needed,
    strength,
)
from domain.weighing_commands import VoidContainer, WeighMaterial


def weighed_lines(process: Process, work_order: str, operation: str | None = None) -> list[MaterialLine]:
    """The weighed lines of a work order, or those that one operation uses."""
    order = process.specification
    lines = order.work_order(work_order).materials
    return [line for line in lines if order.is_weighed(line) and operation in (None, line.operation)]


def containers_of(work_order: WorkOrder, lines: Iterable[MaterialLine]) -> list[Container]:
    """The containers that count for these lines, in the order in which they were weighed."""
    numbers = {line.line for line in lines}
    return [own for own in work_order.containers.values() if own.line in numbers and own.state in HOLDING]


def dispense_request(number: str) -> str:
    """Under what a container's weighing is pending."""
    return f"{number}/dispense"


def void_request(number: str) -> str:
    """Under what the emptying of a container is pending."""
    return f"{number}/undispense"


# Asking --------------------------------------------------------------------------------------------------------------


def weigh_material(process: Process, command: WeighMaterial) -> Events:
    """Ask for a weighing. Scale and warehouse are asked next; all that stands in the way then is named together."""
    work_order, operation, _ = running_operation(process, command)
    identity = f"{work_order.number}/{command.line}"
    lines = {line.line: line for line in weighed_lines(process, work_order.number)}
    line = lines.get(command.line)
    if line is None:
        names = ", ".join(str(number) for number in lines) or "none"
        raise refuse(blocker("NOT_WEIGHED", "material line", identity, f"line {command.line}", f"one of {names}"))
    at_line = {own.lot: own.material for own in line_stock(process, work_order) if own.line == line.line}
    found = entry_blockers(process, command, "material line", identity) + wrong_lots(command.scans, at_line)
    lots = [scan.id for scan in command.scans if scan.kind == ScanKind.LOT and scan.id in at_line]
    if not found and len(set(lots)) != 1:
        what = f"one lot of {line.material} at the line: {', '.join(at_line) or 'none is issued'}"
        found.append(not_scanned("material line", identity, what))
    check(found + _entered(command, line, identity))
    number = f"{work_order.number}-K{len(work_order.containers) + 1}"
    request = WeighingRequest(
        line=line.line, material=line.material, lot=lots[0], unit=command.unit, operation=operation.code,
        scale=command.scale, tare=command.tare, gross=command.gross, more_follows=command.more_follows,
        results=command.results, second_person=command.second_signer,
    )  # fmt: skip
    return (
        w.WeighingAsked(work_order=work_order.number, number=number, request=request),
        e.VerdictPending(
            request=dispense_request(number), command_id=command.command_id, command=command.kind, actor=command.actor
        ),
        *typed_codes(process, command),
    )


def _entered(command: WeighMaterial, line: MaterialLine, identity: str) -> list[Blocker]:
    found: list[Blocker] = []
    if command.unit != line.unit:
        found.append(blocker("UNIT_MISMATCH", "material line", identity, command.unit, line.unit))
    if command.is_read:
        return found
    for name, text in (("tare", command.tare), ("gross", command.gross)):
        try:
            exact(text or "")
        except NotAPlainDecimal:
            required = "a plain decimal such as 12.500"
            found.append(blocker("NOT_A_NUMBER", "material line", f"{identity}/{name}", text or "nothing", required))
    if command.second_signer is None:
        found.append(
            blocker("SECOND_PERSON_REQUIRED", "material line", identity, "a weight that one person has read",
                    "a second person who signs beside, or a connected scale", "another person")
        )  # fmt: skip
    return found


# Judging -------------------------------------------------------------------------------------------------------------


class Open(NamedTuple):
    """What a line still needs of a lot: the theoretical quantity, the range for the scale, the lot's strength."""

    theoretical: Decimal
    range: Range
    strength: Strength | None
    blockers: tuple[Blocker, ...] = ()


def open_quantity(process: Process, work_order: WorkOrder, request: WeighingRequest) -> Open:
    """What is still to be weighed for a line, of the lot of a request."""
    line = next(own for own in weighed_lines(process, work_order.number) if own.line == request.line)
    there = total(own.equivalent for own in containers_of(work_order, [line]))
    theoretical, tolerance = line.quantity - there, line.weighing_tolerance or Decimal(0)
    if not line.assay:
        return Open(theoretical, needed(theoretical, tolerance, None), None)
    results = {} if request.results is None else request.results.values
    texts = [results.get(line.assay), results.get(line.water, "0" if not line.water else None)]
    known = strength(texts[0] or "", texts[1] or "")
    if known is not None:
        return Open(theoretical, needed(theoretical, tolerance, known), known)
    wanted = ", ".join(name for name in (line.assay, line.water) if name)
    missing = blocker(
        "POTENCY_UNKNOWN", "lot", request.lot, f"results of an accepted inspection: {results or 'none'}",
        f"{wanted} in percent", "qcAnalyst",
    )  # fmt: skip
    return Open(theoretical, needed(theoretical, tolerance, None), None, (missing,))


def judged(process: Process, work_order: WorkOrder, number: str) -> Weighing:
    """The weighing that was asked for under that number, when it is good; else `Refused` with all that it is not."""
    own = work_order.containers[number]
    request, reading = own.request, own.reading
    is_open = open_quantity(process, work_order, request)
    found = list(is_open.blockers)
    if reading is not None:
        unusable = _of_reading(request, reading)
        if unusable:
            check([*found, *unusable])
    tare_text, gross_text = (request.tare, request.gross) if reading is None else (reading.tare, reading.gross)
    assert tare_text is not None
    assert gross_text is not None
    try:
        tare, gross = exact(tare_text), exact(gross_text)
    except NotAPlainDecimal as error:
        check([*found, blocker("READING_UNUSABLE", "equipment", request.scale, str(error), "plain decimals")])
        raise
    net = gross - tare
    if not found:
        found += _out_of_range(work_order, request, net, is_open.range)
    found += _too_much(process, work_order, request, net)
    check(found)
    of = is_open.strength
    results = request.results
    potency = None if of is None or results is None else _potency(process, work_order, request, is_open)
    low, high = is_open.range.low, is_open.range.high
    return Weighing(
        **request.model_dump(exclude={"tare", "gross", "results"}), number=number, potency=potency,
        weighed_from="person" if reading is None else "scale", read_at=None if reading is None else reading.read_at,
        tare_text=tare_text, gross_text=gross_text, tare=tare, gross=gross, net=net, target=is_open.range.target,
        low=low, high=high, equivalent=equivalent(net, of),
    )  # fmt: skip


def _potency(process: Process, work_order: WorkOrder, request: WeighingRequest, is_open: Open) -> Potency:
    line = next(own for own in weighed_lines(process, work_order.number) if own.line == request.line)
    assert request.results is not None
    values = request.results.values
    return Potency(
        theoretical=is_open.theoretical, assay=values[line.assay], water=values.get(line.water, "0"),
        inspection=request.results.inspection, result=is_open.range.target,
    )  # fmt: skip


def _of_reading(request: WeighingRequest, reading: ScaleReading) -> list[Blocker]:
    found: list[Blocker] = []
    if not (reading.is_stable and reading.is_good):
        state = f"{reading.gross or 'nothing'}, {'not stable' if reading.is_good else 'not of good quality'}"
        return [blocker("READING_UNUSABLE", "equipment", request.scale, state, "a stable value of good quality")]
    if reading.unit != request.unit:
        found.append(blocker("UNIT_MISMATCH", "equipment", request.scale, reading.unit, request.unit))
    return found


def _out_of_range(work_order: WorkOrder, request: WeighingRequest, net: Decimal, of: Range) -> list[Blocker]:
    """A weight above the range is never good; one below only when more follows."""
    if 0 < net <= of.high and (net >= of.low or request.more_follows):
        return []
    identity = f"{work_order.number}/{request.line} {request.material}"
    needs = f"more than 0, at most {plain(of.high)} {request.unit}" if request.more_follows else of.words(request.unit)
    found = f"{plain(net)} {request.unit} net of lot {request.lot}"
    return [blocker("WEIGHING_OUT_OF_TOLERANCE", "material line", identity, found, needs)]


def _too_much(process: Process, work_order: WorkOrder, request: WeighingRequest, net: Decimal) -> list[Blocker]:
    for own in line_stock(process, work_order):
        if (own.line, own.lot) == (request.line, request.lot) and net > own.rest:
            found = f"{plain(net)} {own.unit} weighed; {own.story}"
            required = f"at most {plain(own.rest)} {own.unit}, or another lot"
            return [blocker("MORE_THAN_ON_LINE", "lot", own.lot, found, required, "warehouseKeeper")]
    return []


# Containers ----------------------------------------------------------------------------------------------------------


def move_container(
    work_order: WorkOrder, own: Container, event: ContainerEvent, place: str | None = None, reason: str | None = None
) -> w.ContainerMoved:
    """The container's move by `event`, or the refusal that names what is possible."""
    try:
        target = CONTAINER.advance(own.state, event)
    except TransitionRefused as refused:
        raise refuse(invalid_transition("container", own.number, refused), possible=refused.possible) from None
    return w.ContainerMoved(
        work_order=work_order.number, number=own.number, event=event, origin=own.state, target=target, place=place,
        reason=reason,
    )  # fmt: skip


def void_container(process: Process, command: VoidContainer) -> Events:
    """Empty a container that is not charged: the warehouse takes its content back to the line."""
    work_order = process.work_orders.get(command.work_order)
    own = None if work_order is None else work_order.containers.get(command.container)
    if work_order is None or own is None:
        known = "none" if work_order is None else ", ".join(work_order.containers) or "none"
        raise refuse(blocker("UNKNOWN_CONTAINER", "container", command.container, "no such container", known))
    moved = move_container(work_order, own, ContainerEvent.VOID, reason=command.reason)
    check(reason_missing(command.reason, "container", own.number))
    return (
        moved,
        e.VerdictPending(
            request=void_request(own.number), command_id=command.command_id, command=command.kind, actor=command.actor
        ),
    )


def cancelled_containers(work_order: WorkOrder) -> Events:
    """What voids everything that was weighed and is not charged, when an order is cancelled."""
    return tuple(
        move_container(work_order, own, ContainerEvent.CANCEL)
        for own in work_order.containers.values()
        if CONTAINER.allows(own.state, ContainerEvent.CANCEL)
    )


def unweighed(process: Process, work_order: WorkOrder, lines: Iterable[MaterialLine]) -> list[Blocker]:
    """A blocker for every line whose containers do not make up what is needed."""
    found: list[Blocker] = []
    for line in lines:
        there = total(own.equivalent for own in containers_of(work_order, [line]))
        tolerance = line.weighing_tolerance or Decimal(0)
        if not line.quantity - tolerance <= there <= line.quantity + tolerance:
            identity = f"{work_order.number}/{line.line} {line.material}"
            words = needed(line.quantity, tolerance, None).words(line.unit)
            state = f"{plain(there)} {line.unit} weighed"
            found.append(blocker("WEIGHING_MISSING", "material line", identity, state, words))
    return found
