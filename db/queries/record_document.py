"""The batch record as one document, read from PostgreSQL alone (RC-02): what was made, from what, how, by whom.

`content` is what quality approves: its SHA-256 is stored with the approval, and can be computed again at any time.
Everything in it stands still once the record is sealed; signatures and release come after it and stand beside it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Connection, select

from db.audit import canonical
from db.queries import batch_record, containers, facts, print_checks
from db.queries.record_cases import case_steps
from db.queries.record_sources import (
    connection_gaps,
    consumed_lots,
    inspection_results,
    machine_gaps,
    record_signatures,
    refused_signatures,
)
from db.queries.reports import of_operations
from db.queries.written import plain_if_any, stamp
from db.tables import WorkOrder, core
from domain import events as e
from domain.exceptions import RecordException, judged, of_facts
from domain.folding import fold
from domain.process import Inspection, Process, created
from domain.quantities import plain, rounded
from domain.record_events import BatchRecordMoved
from domain.record_states import BatchRecordEvent
from domain.rules.batch_record import stage_balance, stage_yield
from domain.rules.material_balance import balance_documents
from domain.specification import OperationSpecification
from domain.states import OperationState
from domain.weighing_events import MaterialsCharged, MaterialWeighed

WORK_ORDERS: Final = core(WorkOrder)
Document = dict[str, Any]


@dataclass(frozen=True)
class BatchRecord:
    """The record of one batch: `content` as it stood at `revision` of its order, and what stands beside it."""

    work_order: str
    revision: int
    content: Document
    exceptions: tuple[RecordException, ...]
    review: Document
    release: Document
    signatures: list[Document]
    cases: list[Document]
    """How each led deviation came to its decision."""
    needed_materials: tuple[str, ...]
    """Those of the bill of material that was frozen with the order."""

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the canonical JSON of the content."""
        return hashlib.sha256(canonical(self.content).encode()).hexdigest()

    def document(self) -> Document:
        """Everything, for people and for export."""
        return {
            **self.content, "revision": self.revision, "contentHash": self.content_hash, "review": self.review,
            "release": self.release, "signatures": self.signatures,
            "cases": self.cases,
            "exceptions": [show(own) for own in self.exceptions],
        }  # fmt: skip


def show(own: RecordException) -> Document:
    """An exception as people see it."""
    return own.model_dump(mode="json", by_alias=True) | {"isOpen": own.is_open}


class NoSuchRecord(LookupError):
    """There is no work order of that number, or nothing was recorded of its order up to that revision."""


def read(connection: Connection, work_order: str, revision: int | None = None) -> BatchRecord:
    """The record of a work order's batch, at a revision of its order or as it is now.

    A number of statements that does not depend on operations, values or lots (13; 14 where something was weighed).
    Raises `NoSuchRecord`.
    """
    statement = select(WORK_ORDERS.c.order_number).where(WORK_ORDERS.c.number == work_order)
    number = connection.execute(statement).scalar_one_or_none()
    if number is None:
        raise NoSuchRecord(work_order)
    known = facts.since(connection, number, 0)
    sealed_at = revision if revision is not None else _approved_revision(known, work_order)
    then = [fact for fact in known if sealed_at is None or fact.revision <= sealed_at]
    if not then:
        raise NoSuchRecord(f"{work_order} at revision {revision}")
    process = _folded(then)
    outside = (
        *refused_signatures(connection, number, work_order), *machine_gaps(connection, work_order),
        *connection_gaps(connection, work_order),
    )  # fmt: skip
    own = of_facts(process.specification, work_order, then)
    content = _content(connection, process, work_order, then)
    content["exceptions"] = [show(found) for found in judged(own, then)]
    everything = (*of_facts(process.specification, work_order, known), *outside)
    return BatchRecord(
        work_order=work_order,
        revision=then[-1].revision,
        content=content,
        exceptions=judged(sorted(everything, key=lambda found: found.at), known),
        review=_review(known, work_order),
        release=_release(known, work_order),
        signatures=record_signatures(connection, number, work_order),
        cases=case_steps(connection, number, work_order),
        needed_materials=_needed(process, work_order),
    )


def _needed(process: Process, number: str) -> tuple[str, ...]:
    lines = process.specification.work_order(number).materials
    return tuple(dict.fromkeys(line.material for line in lines if line.quantity > 0))


def _approved_revision(known: list[e.Fact], work_order: str) -> int | None:
    """Up to which revision of the order quality has approved; none when it has not."""
    for fact in reversed(known):
        for event in fact.events:
            if not isinstance(event, BatchRecordMoved) or event.work_order != work_order:
                continue
            if event.event == BatchRecordEvent.APPROVE:
                return event.content_revision
    return None


def _folded(known: list[e.Fact]) -> Process:
    (first,) = (event for event in known[0].events if isinstance(event, e.OrderCreated))
    process = created(first.specification)
    for fact in known:
        fold(process, fact)
    return process


# Content -------------------------------------------------------------------------------------------------------------


def _content(connection: Connection, process: Process, number: str, then: list[e.Fact]) -> Document:
    order = process.specification
    own, specification = process.work_order(number)
    times = _times(then, number)
    values, reports = batch_record.values(connection, number), of_operations(connection, number)
    verifications, comments = batch_record.verifications(connection, number), batch_record.comments(connection, number)
    stages = [
        _stage(process, number, operation, times)
        | {
            "values": _of(values, operation.code), "reports": _of(reports, operation.code),
            "verifications": _of(verifications, operation.code), "comments": _of(comments, operation.code),
        }
        for operation in specification.operations
    ]  # fmt: skip
    return {
        "batch": specification.output_lot, "workOrder": number, "orderNumber": order.number, "plant": order.plant,
        "product": specification.material, "productName": order.product_name if specification.feeds is None else "",
        "quantity": plain(specification.quantity), "unit": specification.unit,
        "masterBatchRecord": None if specification.record is None else _dump(specification.record),
        "billOfMaterialVersion": order.bill_of_material_version, "routeVersion": order.route_version,
        "policy": {"code": order.policy.code, "version": order.policy.version},
        "createdBy": order.created_by, "approvedBy": list(process.approvals),
        "startedAt": times.get(("workOrder", "start")), "endedAt": times.get(("workOrder", "operationsCompleted")),
        "goodQuantity": plain(own.produced),
        "materials": consumed_lots(connection, number, {line.line: line for line in specification.materials}),
        "operations": stages,
        "inspection": _inspected(connection, own.inspection),
        "inProcessInspections": [_short(found, _OF_LOTS) for found in own.in_process_inspections.values()],
        "reworks": [
            _short(found, _OF_LOTS | {"parentLot": specification.output_lot}) for found in own.reworks.values()
        ],
        "deviations": _deviations(then, number),
    } | _beside(connection, process, number, then)  # fmt: skip


def _beside(connection: Connection, process: Process, number: str, then: list[e.Fact]) -> Document:
    """What only some records have; the others say nothing of it: so their hash is what it always was."""
    recoveries = [_dump(own) for own in process.work_orders[number].recoveries.values()]
    found = _weighed(connection, then, number) | _balanced(connection, process, number)
    return found | ({"recoveries": recoveries} if recoveries else {})


def _inspected(connection: Connection, own: Inspection | None) -> Document | None:
    if own is None:
        return None
    return {
        "number": own.number, "state": own.state, "enteredBy": own.entered_by, "decidedBy": own.decided_by,
        "results": inspection_results(connection, own.number),
    }  # fmt: skip


def _weighed(connection: Connection, then: list[e.Fact], number: str) -> Document:
    """Containers and charges. A batch that has none says nothing: so its hash is what it always was."""
    charges = [
        {
            "operation": event.operation, "containers": list(event.containers), "lots": list(event.lots),
            "chargedBy": fact.actor, "chargedAt": stamp(fact.at),
        }
        for fact in then
        for event in fact.events
        if isinstance(event, MaterialsCharged) and event.work_order == number
    ]  # fmt: skip
    if not charges and not any(isinstance(event, MaterialWeighed) for fact in then for event in fact.events):
        return {}
    return {"containers": containers.of_work_order(connection, number), "charges": charges}


def _balanced(connection: Connection, process: Process, number: str) -> Document:
    """Balance of materials and checks of prints, where they say something that records of earlier releases did not."""
    own, specification = process.work_order(number)
    found: Document = {}
    has_limits = any(line.printed or line.balance_limit_percent is not None for line in specification.materials)
    used = () if own.pick_list is None else own.pick_list.used.values()
    if has_limits or any(one.sampled or one.difference for one in used):
        found["materialBalance"] = balance_documents(process, own)
    if any(operation.print_checks for operation in own.operations.values()):
        found["printChecks"] = print_checks.of_work_order(connection, number)
    return found


def _stage(
    process: Process, number: str, specification: OperationSpecification, times: dict[tuple[str, str], str]
) -> Document:
    """One operation: what was to be done, where, who did it when, what came out."""
    own = process.work_orders[number]
    operation = own.operations[specification.code]
    balance = stage_balance(process, own, operation)
    counts = specification.counts_pieces and operation.state in (OperationState.COMPLETED, OperationState.CLOSED)
    return {
        "code": specification.code, "sequence": specification.sequence, "name": specification.name,
        "workstation": specification.workstation, "equipmentClass": specification.equipment_class,
        "room": specification.room, "instructions": [_dump(line) for line in specification.instructions],
        "parameters": [_dump(value) for value in specification.parameters], "state": operation.state,
        "startedBy": operation.started_by, "completedBy": list(operation.completed_by),
        "verifiedBy": operation.verified_by, "isVerified": specification.verified,
        "countsPieces": specification.counts_pieces,
        "startedAt": times.get((specification.code, "start")), "endedAt": times.get((specification.code, "complete")),
        "netSeconds": operation.net_seconds, "good": plain(operation.good), "scrap": plain(operation.scrap),
        "reviewBoard": plain(operation.review_board), "job": operation.job, "jobState": operation.job_state,
        "yieldPercent": _percent(stage_yield(process, own, operation)) if counts else None,
        "balancePercent": _percent(balance) if counts and balance is not None else None,
        "yieldLimits": [plain_if_any(specification.yield_low_percent), plain_if_any(specification.yield_high_percent)],
    } | ({"sampled": plain(operation.sampled)} if operation.sampled else {})  # fmt: skip


def _times(then: list[e.Fact], number: str) -> dict[tuple[str, str], str]:
    """(operation code or `workOrder`, event) → when it happened last; a start when it happened first."""
    times: dict[tuple[str, str], str] = {}
    for fact in then:
        for event in fact.events:
            if isinstance(event, e.OperationMoved | e.WorkOrderMoved) and event.work_order == number:
                key = (getattr(event, "operation", "workOrder"), str(event.event))
                if event.event != "start" or key not in times:
                    times[key] = stamp(fact.at)
    return times


def _deviations(then: list[e.Fact], number: str) -> list[Document]:
    found: dict[str, Document] = {}
    for fact in then:
        for event in fact.events:
            if isinstance(event, e.DeviationOpened) and event.work_order == number:
                found[event.number] = {
                    "number": event.number, "operation": event.operation, "code": event.code, "detail": event.detail,
                    "openedBy": fact.actor, "openedAt": stamp(fact.at), "decision": None,
                }  # fmt: skip
            elif isinstance(event, e.DeviationDecided) and event.number in found:
                by = event.decided_by or fact.actor
                decided = {"decision": event.decision, "decidedBy": by, "decidedAt": stamp(fact.at)}
                found[event.number] |= decided
            elif isinstance(event, e.DeviationReopened) and event.number in found:
                found[event.number] |= {"decision": None, "decidedBy": None, "decidedAt": None}
    return list(found.values())


# Beside the content --------------------------------------------------------------------------------------------------


def _review(known: list[e.Fact], number: str) -> Document:
    """The record's way through review, oldest first, and its state now."""
    steps: list[Document] = []
    for fact in known:
        for event in fact.events:
            if isinstance(event, BatchRecordMoved) and event.work_order == number:
                steps.append(
                    {
                        "event": event.event or "issue", "state": event.target, "at": stamp(fact.at),
                        "by": fact.actor, "reason": fact.reason, "fields": list(event.fields),
                        "contentHash": event.content_hash or None,
                    }
                )  # fmt: skip
    return {"state": steps[-1]["state"] if steps else None, "steps": steps}


def _release(known: list[e.Fact], number: str) -> Document:
    found: Document = {"certifiedBy": None, "certifiedAt": None, "releasedBy": None, "releasedAt": None, "status": None}
    for fact in known:
        for event in fact.events:
            if getattr(event, "work_order", None) != number:
                continue
            match event:
                case e.BatchCertified():
                    found |= {"certifiedBy": fact.actor, "certifiedAt": stamp(fact.at)}
                case e.BatchReleaseRequested():
                    found |= {"releasedBy": fact.actor}
                case e.LotMoved():
                    found |= {"status": str(event.target), "releasedAt": stamp(fact.at)}
    return found


def _of(rows: Iterable[Document], code: str) -> list[Document]:
    return [{name: value for name, value in row.items() if name != "operation"}
            for row in rows if row["operation"] == code]  # fmt: skip


def _dump(message: Any) -> Document:
    found: Document = message.model_dump(mode="json", by_alias=True)
    return found


_OF_LOTS: Final[Document] = {
    "lot": None, "tests": [], "testResults": [], "parentLot": "", "parentRework": None, "ownLot": None, "method": None,
    "procedure": "",
}  # fmt: skip
"""What only reworks with lots of their own say. Others say nothing of it: so the hash of a record stays what it was."""


def _short(message: Any, unsaid: Document) -> Document:
    """Without the fields that say nothing."""
    return {
        name: value
        for name, value in _dump(message).items()
        if name not in unsaid or value not in (unsaid[name], _OF_LOTS.get(name))
    }


def _percent(value: Decimal) -> str:
    return plain(rounded(value, 2))
