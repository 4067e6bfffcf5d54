"""Rules of scanning: what was scanned is what is expected, or the refusal names both (B6, MT-05).

Where the policy asks for scans a code may be typed only with a reason and a second person, and that is an exception of
the batch record. Where it does not, nothing has to be scanned; what is scanned is compared all the same.
"""

from collections.abc import Callable, Iterable

from domain import identification_events as i
from domain.command_base import ScanningCommand
from domain.commands import IssuePickList, PutAway, StartOperation
from domain.errors import Blocker, Refused
from domain.process import Process, WorkOrder
from domain.rules.common import Events, check, find_operation, reason_missing
from domain.scanning import ScanKind, Scanned


def all_at_once(found: list[Blocker], rule: Callable[[], Events]) -> Events:
    """What the rule answers; when anything was found before, or the rule refuses, all of it is refused together."""
    try:
        events = rule()
    except Refused as refused:
        raise Refused((*found, *refused.blockers), refused.possible) from None
    check(found)
    return events


def blocker(code: str, entity: str, identity: str, found: str, required: str, who: str = "operator") -> Blocker:
    """A blocker about a scan."""
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who)


def entry_blockers(process: Process, command: ScanningCommand, entity: str, identity: str) -> list[Blocker]:
    """What is wrong with how the codes came in: typed without reason or second person, damaged, known to nobody."""
    found = [unreadable(scan) for scan in command.scans if scan.kind == ScanKind.UNREADABLE]
    if not process.specification.policy.scan_required or not command.typed:
        return found
    found += reason_missing(command.reason, entity, identity)
    if command.second_signer is None:
        found.append(
            blocker("SECOND_PERSON_REQUIRED", entity, identity, "codes that were typed, by one person",
                    "a scan, or a second person who signs beside the one who types", "another person")
        )  # fmt: skip
    return found


def typed_codes(process: Process, command: ScanningCommand) -> Events:
    """The event of codes that were typed where they had to be scanned."""
    if not (process.specification.policy.scan_required and command.typed and command.scans):
        return ()
    content = command.model_dump(include={"work_order", "operation"})
    return (
        i.CodeTyped(
            **content, command=command.kind_name(), codes=tuple(scan.text for scan in command.scans),
            reason=command.reason or "", second_person=command.second_signer or "",
        ),
    )  # fmt: skip


def unreadable(scan: Scanned) -> Blocker:
    """The blocker for a damaged code."""
    return blocker("SCAN_UNREADABLE", "scan", scan.text[:80], scan.words, "a code that can be read; print a new label")


def not_scanned(entity: str, identity: str, what: str) -> Blocker:
    """The blocker for something that has to be scanned and was not."""
    return blocker("SCAN_MISSING", entity, identity, "not scanned", f"the scan of {what}")


# Starting ------------------------------------------------------------------------------------------------------------


def start_blockers(process: Process, command: StartOperation) -> list[Blocker]:
    """Whether the operation that is started is the one whose barcode was scanned, at its own workstation."""
    _, specification = find_operation(process, command.work_order, command.operation)
    identity = f"{command.work_order}/{command.operation}"
    found = entry_blockers(process, command, "operation", identity)
    right = [scan for scan in command.scans if _is_operation(scan, command)]
    for scan in command.scans:
        if scan in right or scan.kind == ScanKind.UNREADABLE:
            continue
        if scan.kind == ScanKind.EQUIPMENT:
            if scan.work_centre != specification.workstation:
                at = f"{scan.words} at {scan.work_centre or 'no workstation'}"
                required = f"equipment at {specification.workstation}"
                found.append(blocker("WRONG_EQUIPMENT", "operation", identity, at, required))
            continue
        found.append(blocker("WRONG_OPERATION", "operation", identity, scan.words, f"operation {identity}"))
    if process.specification.policy.scan_required and not right and not found:
        found.append(not_scanned("operation", identity, f"operation {identity}"))
    return found


def _is_operation(scan: Scanned, command: StartOperation) -> bool:
    is_it = (scan.work_order, scan.operation) == (command.work_order, command.operation)
    return scan.kind == ScanKind.OPERATION and is_it


# Picking -------------------------------------------------------------------------------------------------------------


def issue_blockers(process: Process, work_order: WorkOrder, command: IssuePickList) -> list[Blocker]:
    """Whether the lots that are handed out are those that are reserved; every one of them was scanned."""
    allocations = () if work_order.pick_list is None else work_order.pick_list.allocations
    expected = {allocation.lot: allocation.material for allocation in allocations}
    entity, identity = "pick list", f"{work_order.number}-P"
    found = entry_blockers(process, command, entity, identity)
    found += wrong_lots(command.scans, expected)
    if process.specification.policy.scan_required:
        scanned = {scan.id for scan in command.scans if scan.kind == ScanKind.LOT}
        found += [
            not_scanned("lot", lot, f"lot {lot} of {material}") for lot, material in expected.items()
            if lot not in scanned
        ]  # fmt: skip
    return found


def wrong_lots(scans: Iterable[Scanned], expected: dict[str, str]) -> list[Blocker]:
    """A blocker for every scan that is none of the expected lots (lot → material); damaged codes are named elsewhere.

    WRONG_CONTAINER for a container of whatever batch, WRONG_LOT for another lot of an expected material, else
    WRONG_MATERIAL.
    """
    found: list[Blocker] = []
    for scan in scans:
        if scan.kind == ScanKind.UNREADABLE or (scan.kind == ScanKind.LOT and scan.id in expected):
            continue
        same = [lot for lot, material in expected.items() if material == scan.material]
        named = ", ".join(f"{lot} of {expected[lot]}" for lot in same or expected) or "nothing"
        code = "WRONG_LOT" if same else "WRONG_MATERIAL"
        if scan.kind == ScanKind.CONTAINER:
            code = "WRONG_CONTAINER"
        found.append(blocker(code, "scan", scan.id or scan.text[:80], scan.words, f"lot {named}"))
    return found


# Putting away --------------------------------------------------------------------------------------------------------


def put_away_blockers(process: Process, command: PutAway, lot: str, material: str) -> list[Blocker]:
    """Whether lot and location that were scanned are those of the put-away (MT-11)."""
    entity, identity = "put-away", f"{command.work_order}-A"
    found = entry_blockers(process, command, entity, identity)
    places = [scan for scan in command.scans if scan.kind == ScanKind.LOCATION]
    others = [scan for scan in command.scans if scan.kind != ScanKind.LOCATION]
    found += wrong_lots(others, {lot: material})
    found += [
        blocker("WRONG_LOCATION", "scan", scan.id, scan.words, f"location {command.place}", "warehouseKeeper")
        for scan in places
        if scan.id != command.place
    ]
    if process.specification.policy.scan_required:
        if not others:
            found.append(not_scanned("lot", lot, f"lot {lot} of {material}"))
        if not places:
            found.append(not_scanned("location", command.place, f"location {command.place}"))
    return found
