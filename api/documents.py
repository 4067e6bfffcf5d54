"""What people see of an order: documents made from its folded state."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from api.history import Folded
from domain.base import uuid_for
from domain.process import (
    InProcessInspection,
    Inspection,
    MaterialReturn,
    OverReport,
    Process,
    PutAwayOrder,
    Recovery,
    Rework,
    Unchecked,
    WorkOrder,
)
from domain.quantities import plain
from domain.rules.line_side import LineStock, line_stock
from domain.rules.material_balance import balance_documents
from domain.rules.order_changes import instead
from domain.rules.possible import waits_for
from domain.rules.replanning import replanning_possible
from domain.rules.starting import hold_time_ends, waits_for_verifier
from domain.specification import OperationSpecification, WorkOrderSpecification

Document = dict[str, Any]


def order_id(number: str) -> UUID:
    """The uuid of an order."""
    return uuid_for("production-order", number)


def work_order_id(number: str) -> UUID:
    """The uuid of a work order."""
    return uuid_for("work-order", number)


def order(folded: Folded, deviations: int, links: Document | None = None, signed: Sequence[Document] = ()) -> Document:
    """One order with its work orders. Quantities are those of the work orders that make the product itself.

    `links` say what the order was planned from and what was planned anew of it; `signed` are the signatures under what
    the order had accepted, up to the revision that it stands at.
    """
    process = folded.process
    specification = process.specification
    finals = [own.number for own in specification.work_orders if own.feeds is None]
    reported = [process.work_orders[number].reported() for number in finals]
    return {
        "id": str(order_id(specification.number)),
        "number": specification.number,
        "state": process.state,
        "revision": process.revision,
        "planLine": specification.plan_line,
        "plant": specification.plant,
        "product": specification.product,
        "productName": specification.product_name,
        "quantity": plain(specification.quantity),
        "unit": specification.unit,
        "policy": {"code": specification.policy.code, "version": specification.policy.version},
        "goodQuantity": plain(sum((process.work_orders[number].produced for number in finals), Decimal(0))),
        "scrapQuantity": plain(sum((scrap for _, scrap, _ in reported), Decimal(0))),
        "reviewBoardQuantity": plain(sum((held for _, _, held in reported), Decimal(0))),
        "createdBy": specification.created_by,
        "createdAt": _time(process.created_at),
        "startAt": _time(specification.start_at),
        "dueAt": _time(specification.due_at),
        "actualStart": _time(folded.started_at),
        "actualEnd": _time(folded.ended_at),
        **_approval(process),
        "deviations": deviations,
        "openDeviations": process.open_deviations(),
        "gaps": [gap.model_dump(mode="json", by_alias=True) for gap in specification.gaps],
        "waitsFor": [{"what": what, "who": who, "command": command} for what, who, command in waits_for(process)],
        "waiting": [waiting.model_dump(mode="json", by_alias=True) for waiting in process.waiting.values()],
        "replanning": list(replanning_possible(process)),
        **(links or {}),
        "signatures": list(signed),
        "workOrders": [work_order(folded, own.number) for own in specification.work_orders],
    }


def _approval(process: Process) -> Document:
    """The way to the approval, what was changed since, and what can be changed now."""
    return {
        "approvals": list(process.approvals),
        "approvalsNeeded": process.specification.policy.approvals,
        "decisions": [decision.model_dump(mode="json", by_alias=True) for decision in process.decisions],
        "changing": list(instead(process)),
        "changeRequests": change_requests(process),
    }


def change_requests(process: Process) -> list[Document]:
    """The change requests of an order, oldest first."""
    return [own.model_dump(mode="json", by_alias=True) for own in process.changes.values()]


def signed_entities(process: Process) -> list[str]:
    """What the signatures of an order are about, as the audit trail calls it."""
    return [f"production-order/{process.specification.number}", *(f"work-order/{own}" for own in process.work_orders)]


def work_order(folded: Folded, number: str) -> Document:
    """One work order with its operations and documents."""
    process = folded.process
    own, specification = process.work_order(number)
    return {
        "id": str(work_order_id(number)),
        "number": number,
        "orderNumber": process.specification.number,
        "orderId": str(order_id(process.specification.number)),
        "state": own.state,
        "material": specification.material,
        "quantity": plain(specification.quantity),
        "unit": specification.unit,
        "feeds": specification.feeds,
        "outputLot": specification.output_lot,
        "lotStatus": own.lot_status,
        "certifiedBy": own.certified_by,
        "batchRecord": _batch_record(own),
        "operations": [
            _operation(process, own, operation, specification.quantity) for operation in specification.operations
        ],
        "record": _record(specification),
        "materials": _materials(specification),
        "pickList": _pick_list(process, own),
        "inspection": _inspection(own.inspection, specification),
        "putAway": _put_away(own.put_away),
        "inProcessInspections": [_dump(found) for found in own.in_process_inspections.values()],
        "dosageForm": specification.dosage_form,
        "reworks": [_rework(found, specification) for found in own.reworks.values()],
        "recoveries": [_recovery(found, own) for found in own.recoveries.values()],
        "recoveryStages": [one.code for one in specification.operations if one.recovery_allowed],
        "returns": [_dump(found) for found in own.returns.values()],
        "overReports": [_over_report(found) for found in own.over_reports.values()],
        "inputLots": _input_lots(folded, number),
    }


def _rework(found: Rework, specification: WorkOrderSpecification) -> Document:
    """`lot` is where the pieces came from, `ownLot` what they are while they are reworked and tested."""
    operation = specification.operation(found.operation)
    lot = found.parent_lot or specification.output_lot
    return _dump(found) | {"lot": lot, "isForbidden": operation is not None and operation.rework_forbidden}


def _recovery(found: Recovery, own: WorkOrder) -> Document:
    """`isRunning`: the operation at which the material is introduced runs."""
    return found.model_dump(mode="json", by_alias=True) | {
        "isRunning": own.operations[found.operation].state == "running"
    }


def _operation(process: Process, own: WorkOrder, specification: OperationSpecification, quantity: Decimal) -> Document:
    operation = own.operations[specification.code]
    return {
        "code": specification.code,
        "sequence": specification.sequence,
        "name": specification.name,
        "workstation": specification.workstation,
        "equipment": specification.equipment,
        "predecessors": list(specification.predecessors),
        "quantity": plain(quantity),
        "countsPieces": specification.counts_pieces,
        "state": operation.state,
        "good": plain(operation.good),
        "scrap": plain(operation.scrap),
        "reviewBoard": plain(operation.review_board),
        "sampled": plain(operation.sampled),
        "printCheckSeconds": specification.print_check_seconds,
        "printCheckedAt": _time(operation.print_checked_at),
        "reports": operation.reports,
        "startedBy": operation.started_by,
        "startedAt": _time(operation.started_at),
        "netSeconds": operation.net_seconds,
        "runningSince": _time(operation.running_since),
        "openDeviations": list(operation.open_deviations),
        "job": operation.job,
        "jobState": operation.job_state,
        "recorded": dict(operation.recorded),
        "unchecked": {number: _of_value(value) for number, value in operation.unchecked.items()},
        "completedBy": list(operation.completed_by),
        "verifiedBy": operation.verified_by,
        "waitsForVerifier": waits_for_verifier(process, own, specification.code),
        "holdTimeEnds": _time(hold_time_ends(operation, specification)),
        "parameters": [value.model_dump(mode="json", by_alias=True) for value in specification.parameters],
    }


def _batch_record(own: WorkOrder) -> Document:
    return {"state": own.record_state, "reviewedBy": own.record_reviewed_by, "approvedBy": own.record_approved_by}


def _of_value(value: Unchecked) -> Document:
    return {"name": value.name, "enteredBy": value.entered_by}


def _record(specification: WorkOrderSpecification) -> Document | None:
    """The version of the master batch record that the batch is made by."""
    return None if specification.record is None else specification.record.model_dump(mode="json", by_alias=True)


def instructions(own: WorkOrderSpecification, operation: OperationSpecification, language: str) -> Document:
    """What people read at an operation, in one language, as it was frozen into the order."""
    return {
        "workOrder": own.number,
        "operation": operation.code,
        "name": operation.name,
        "record": _record(own),
        "language": language,
        "instructions": [{"number": one.number, "text": one.text.get(language, "")} for one in operation.instructions],
        "expectedValues": [value.model_dump(mode="json", by_alias=True) for value in operation.parameters],
        "equipmentClass": operation.equipment_class,
        "room": operation.room,
        "clearance": list(operation.clearance),
        "training": operation.training,
        "verified": operation.verified,
        "longestWaitSeconds": operation.longest_wait_seconds,
    }


def _materials(specification: WorkOrderSpecification) -> list[Document]:
    return [line.model_dump(mode="json", by_alias=True) for line in specification.materials]


def _pick_list(process: Process, own: WorkOrder) -> Document | None:
    found = own.pick_list
    if found is None:
        return None
    return {
        "id": str(uuid_for("pick-list", found.number)),
        "number": found.number,
        "state": found.state,
        "createdBy": found.created_by,
        "approvedBy": found.approved_by,
        "lines": [line.model_dump(mode="json", by_alias=True) for line in found.allocations],
        "short": [line.model_dump(mode="json", by_alias=True) for line in found.short],
        "lineSide": [_line_stock(stock) for stock in line_stock(process, own)],
    }


def _line_stock(stock: LineStock) -> Document:
    quantities = {
        "issued": stock.issued, "consumed": stock.consumed, "returned": stock.returned, "scrapped": stock.scrapped,
        "returning": stock.returning, "atLine": stock.at_line, "sampled": stock.sampled,
        "difference": stock.difference, "rest": stock.rest,
    }  # fmt: skip
    known = {"line": stock.line, "material": stock.material, "lot": stock.lot, "unit": stock.unit}
    return {**known, "operation": stock.operation, **{name: plain(value) for name, value in quantities.items()}}


def material_balance(process: Process, number: str) -> Document:
    """What was issued to a work order and what became of it (MT-09): by line and lot, and by material and stage.

    issued = consumed + returned + sampled + scrapped + difference + what still lies at the line.
    """
    own = process.work_orders[number]
    lines = line_stock(process, own)
    return {
        "workOrder": number,
        "state": own.state,
        "balanced": all(stock.at_line == 0 for stock in lines),
        "lines": [_line_stock(stock) for stock in lines],
        "materials": balance_documents(process, own),
    }


def _inspection(found: Inspection | None, specification: WorkOrderSpecification) -> Document | None:
    if found is None:
        return None
    return {
        "number": found.number,
        "state": found.state,
        "enteredBy": found.entered_by,
        "decidedBy": found.decided_by,
        "failed": list(found.failed),
        "characteristics": [value.model_dump(mode="json", by_alias=True) for value in specification.inspection],
    }


def _put_away(found: PutAwayOrder | None) -> Document | None:
    if found is None:
        return None
    return {
        "id": str(uuid_for("put-away", found.number)),
        "number": found.number,
        "state": found.state,
        "place": found.place,
        "quantity": None if found.quantity is None else plain(found.quantity),
    }


def _dump(found: InProcessInspection | Rework | MaterialReturn) -> Document:
    return found.model_dump(mode="json", by_alias=True)


def _over_report(found: OverReport) -> Document:
    report = found.report
    return {
        "number": found.number, "operation": report.operation, "good": plain(report.good), "scrap": plain(report.scrap),
        "overBy": plain(found.over_by), "reportedBy": report.actor,
    }  # fmt: skip


def _input_lots(folded: Folded, number: str) -> list[Document]:
    """Consumed lots; before consumption the allocated ones are on the pick list."""
    summed: dict[tuple[str, str], Decimal] = {}
    for line in folded.consumed.get(number, ()):
        summed[line.lot, line.unit] = summed.get((line.lot, line.unit), Decimal(0)) + line.quantity
    return [{"lot": lot, "quantity": plain(quantity), "unit": unit} for (lot, unit), quantity in summed.items()]


def pick_list(process: Process, number: str) -> Document:
    """The pick list of a work order, with what it belongs to."""
    own, specification = process.work_order(number)
    return (_pick_list(process, own) or {}) | {
        "workOrder": number,
        "workOrderId": str(work_order_id(number)),
        "orderNumber": process.specification.number,
        "needs": _materials(specification),
    }


def _time(value: Any) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")
