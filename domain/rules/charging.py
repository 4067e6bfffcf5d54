"""Rules of staging and charging: all containers of a batch together, the complete set, and nothing else (MT-05, MT-08).

Charging is the moment at which weighed material becomes part of the batch. What is not weighed is identified here,
where the policy asks for scans, and consumed when its operation is completed.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from domain import events as e
from domain import weighing_events as w
from domain.container_states import IN_PLACE, ContainerEvent, ContainerState
from domain.errors import Blocker
from domain.process import Container, Operation, Process, WorkOrder
from domain.rules.common import Events, check, find_work_order, running_operation, work_order_runs
from domain.rules.line_side import line_stock
from domain.rules.scans import blocker, entry_blockers, not_scanned, typed_codes, wrong_lots
from domain.rules.weighing import containers_of, move_container, unweighed, weighed_lines
from domain.scanning import ScanKind, Scanned
from domain.states import LotStatus
from domain.weighing_commands import ChargeMaterials, StageContainers


def stage_containers(process: Process, command: StageContainers) -> Events:
    """Put all containers of the batch together: the set is complete, and nothing else is among it."""
    work_order, _ = find_work_order(process, command.work_order)
    lines = weighed_lines(process, work_order.number)
    expected = [own for own in containers_of(work_order, lines) if own.state != ContainerState.CHARGED]
    found = work_order_runs(process, work_order) + unweighed(process, work_order, lines)
    found += entry_blockers(process, command, "work order", work_order.number)
    found += _foreign(command.scans, [own.number for own in expected], work_order.number)
    check(found + _missing(command.scans, expected, f"staged at {command.place}"))
    if not expected:
        required = "containers that are weighed and not charged"
        check([blocker("NO_CONTAINER", "work order", work_order.number, "none", required)])
    moved = [
        move_container(work_order, own, ContainerEvent.STAGE, place=command.place)
        for own in expected
        if own.state == ContainerState.WEIGHED
    ]
    return (*moved, *typed_codes(process, command))


def charge_materials(process: Process, command: ChargeMaterials) -> Events:
    """Put the material of an operation in, all of it at once: the containers' content becomes part of the batch."""
    work_order, operation, _ = running_operation(process, command)
    identity = f"{work_order.number}/{operation.code}"
    lines = weighed_lines(process, work_order.number, operation.code)
    containers = [own for own in containers_of(work_order, lines) if own.state in IN_PLACE]
    lots = lots_to_scan(process, work_order, operation)
    found = entry_blockers(process, command, "operation", identity) + unweighed(process, work_order, lines)
    found += _foreign(command.scans, [own.number for own in containers], identity, lots)
    found += _missing(command.scans, containers, f"charged at {identity}")
    found += [
        not_scanned("lot", lot, f"lot {lot} of {material}")
        for lot, material in lots.items()
        if not any(scan.kind == ScanKind.LOT and scan.id == lot for scan in command.scans)
    ]
    found += _not_staged(containers) + _not_usable(command.scans, command.received_at.date())
    if not containers and not lots:
        required = "material that is not charged yet"
        found.append(blocker("NOTHING_TO_CHARGE", "operation", identity, "nothing", required))
    check(found)
    charged = w.MaterialsCharged(
        work_order=work_order.number, operation=operation.code, containers=tuple(own.number for own in containers),
        lots=tuple(lots),
    )  # fmt: skip
    moved = [move_container(work_order, own, ContainerEvent.CHARGE) for own in containers]
    return (charged, *moved, *_consumed(process, work_order, operation, containers), *typed_codes(process, command))


def _consumed(process: Process, work_order: WorkOrder, operation: Operation, containers: Sequence[Container]) -> Events:
    if not containers:
        return ()
    lines = tuple(
        e.Consumption(
            line=own.line, material=own.material, lot=own.lot, quantity=own.net, unit=own.unit, container=own.number
        )
        for own in containers
    )
    lot = process.specification.work_order(work_order.number).output_lot
    return (e.MaterialsConsumed(work_order=work_order.number, operation=operation.code, output_lot=lot, lines=lines),)


def lots_to_scan(process: Process, work_order: WorkOrder, operation: Operation) -> dict[str, str]:
    """Lots at the line for the operation's lines that are not weighed and not yet identified: lot → material."""
    if not process.specification.policy.scan_required:
        return {}
    weighed = {line.line for line in weighed_lines(process, work_order.number)}
    return {
        own.lot: own.material
        for own in line_stock(process, work_order)
        if own.operation == operation.code and own.line not in weighed and own.rest > 0
        and own.lot not in operation.charged_lots
    }  # fmt: skip


def uncharged(process: Process, work_order: WorkOrder, operation: Operation) -> list[Blocker]:
    """What of an operation's material was not weighed, charged or identified: it cannot be completed before."""
    identity = f"{work_order.number}/{operation.code}"
    lines = weighed_lines(process, work_order.number, operation.code)
    found = unweighed(process, work_order, lines)
    found += [
        blocker("NOT_CHARGED", "container", own.number, own.state, f"charged at {identity}")
        for own in containers_of(work_order, lines)
        if own.state != ContainerState.CHARGED
    ]
    return found + [
        blocker("NOT_CHARGED", "lot", lot, "at the line, not scanned", f"charged at {identity}")
        for lot in lots_to_scan(process, work_order, operation)
    ]


def _foreign(
    scans: Iterable[Scanned], containers: Sequence[str], identity: str, lots: dict[str, str] | None = None
) -> list[Blocker]:
    """A blocker for every scan that is none of the containers and none of the lots."""
    found: list[Blocker] = []
    for scan in scans:
        if scan.kind == ScanKind.UNREADABLE or (scan.kind == ScanKind.CONTAINER and scan.id in containers):
            continue
        if scan.kind == ScanKind.LOT and lots:
            found += wrong_lots([scan], lots)
            continue
        named = f"container {', '.join(containers) or 'none'} of {identity}"
        found.append(blocker("WRONG_CONTAINER", "scan", scan.id or scan.text[:80], scan.words, named))
    return found


def _missing(scans: Iterable[Scanned], containers: Iterable[Container], what: str) -> list[Blocker]:
    there = {scan.id for scan in scans if scan.kind == ScanKind.CONTAINER}
    return [
        blocker("CONTAINER_MISSING", "container", own.number,
                f"not scanned; {own.net} {own.unit} of {own.material}, lot {own.lot}", f"to be {what} with the others")
        for own in containers
        if own.number not in there
    ]  # fmt: skip


def _not_staged(containers: Iterable[Container]) -> list[Blocker]:
    return [
        blocker("NOT_STAGED", "container", own.number, own.state, "staged with all containers of the batch")
        for own in containers
        if own.state != ContainerState.STAGED
    ]


def _not_usable(scans: Iterable[Scanned], today: date) -> list[Blocker]:
    """Quality may have stopped a lot after it was issued or weighed (MT-01)."""
    found: dict[str, Blocker] = {}
    for scan in scans:
        expired = scan.expires_on is not None and scan.expires_on < today
        if scan.kind not in (ScanKind.LOT, ScanKind.CONTAINER) or not scan.lot:
            continue
        if scan.status != LotStatus.RELEASED or expired:
            state = f"{scan.status or 'unknown'}, expires {scan.expires_on or 'never'}"
            required = f"released, not past its expiry on {today}"
            found[scan.lot] = blocker("LOT_NOT_USABLE", "lot", scan.lot, state, required, "qaReviewer")
    return list(found.values())


def possible_at(process: Process, work_order: WorkOrder, code: str) -> list[str]:
    """What of weighing and charging is possible at a running operation now."""
    operation = work_order.operations[code]
    lines = weighed_lines(process, work_order.number)
    names = ["weighMaterial"] if unweighed(process, work_order, lines) else []
    own = containers_of(work_order, weighed_lines(process, work_order.number, code))
    is_staged = any(container.state == ContainerState.STAGED for container in own)
    return names + (["chargeMaterials"] if is_staged or lots_to_scan(process, work_order, operation) else [])


def may_stage(process: Process, work_order: WorkOrder) -> bool:
    """Whether all is weighed and not all of it is staged."""
    lines = weighed_lines(process, work_order.number)
    waits = any(own.state == ContainerState.WEIGHED for own in containers_of(work_order, lines))
    return waits and not unweighed(process, work_order, lines)
