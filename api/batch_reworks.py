"""The rework of a whole rejected batch: proposed for what is there of it, approved by signature, then a plan line."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, insert, update

from adapters.inventory import ledger, planning
from db import audit
from db.once import Request
from db.queries import batch_reworks, plan_lines
from db.queries.batch_reworks import REWORKS
from db.queries.specification import load_specification
from domain.base import uuid_for
from domain.batch_rework import BATCH_REWORK, BatchReworkEvent, BatchReworkState, not_permitted
from domain.errors import Blocker
from domain.quantities import plain
from domain.rules.common import check, same_person
from domain.rules.recovery import approval_gaps
from domain.specification import ApprovedRecovery, Characteristic, WorkOrderSpecification
from domain.states import LotStatus

Entries = list[audit.Entry]
_ZONES: Final = (planning.REJECTED, planning.QUARANTINE)


@dataclass(frozen=True)
class _Line:
    """What a plan line of the product would say; enough to see how it is made today."""

    order_number: str
    reference: str
    product: str
    quantity: Decimal
    unit: str
    policy: str
    plant: str
    batch_number: str
    fixed_lots: None = None
    start_at: None = None
    due_at: None = None
    rework: None = None


def propose(
    connection: Connection, request: Request, lot: str, operation: str, method: str, reason: str
) -> tuple[str, Entries]:
    """A proposal for all that lies of the lot. Refused with everything that does not permit it."""
    row = ledger.lock_lot(connection, lot)
    origin = batch_reworks.origin(connection, lot)
    stock = [own for own in ledger.lock_stock_of(connection, lot, ledger.REJECTED_STOCK) if own.zone in _ZONES]
    quantity = sum((own.free for own in stock), Decimal(0))
    known = batch_reworks.of_lot(connection, lot)
    blockers = _lot_permits(connection, row, origin, quantity)
    blockers += [
        _blocker("REWORK_OPEN", own.number, own.state, "its decision first")
        for own in known
        if own.state == BatchReworkState.PROPOSED
    ]
    if origin is not None:
        blockers += not_permitted(_made(connection, row, origin, request.at), lot, operation, method)
    check(blockers)
    number = f"{lot}-RW{len(known) + 1}"
    values = {
        "number": number, "lot": lot, "quantity": quantity, "unit": row.unit, "operation": operation, "method": method,
        "reason": reason, "state": BatchReworkState.PROPOSED, "proposed_by": request.actor, "proposed_at": request.at,
    }  # fmt: skip
    connection.execute(insert(REWORKS).values(**values))
    new = {
        "rework": number, "quantity": plain(quantity), "unit": row.unit, "operation": operation, "method": method,
        "reason": reason, "state": str(BatchReworkState.PROPOSED), "lot": lot,
    }  # fmt: skip
    return number, [request.audit("lot.reworkProposed", new, entity=f"lot/{lot}", reason=reason)]


def approve(
    connection: Connection, request: Request, lot: str, number: str, procedure: str,
    tests: tuple[Characteristic, ...], assessment: str, signature: str,
) -> tuple[str, Entries]:  # fmt: skip
    """The decision of the head of quality, and the plan line whose order reworks the batch: its reference."""
    row = ledger.lock_lot(connection, lot)
    own = _open(connection, lot, number)
    origin = batch_reworks.origin(connection, lot)
    assert origin is not None, "it was proposed for what was made here"
    made = _made(connection, row, origin, request.at)
    blockers = same_person(request.actor, own.proposed_by, "batch rework", number, "approve", "proposed it")
    blockers += _lot_permits(connection, row, origin, own.quantity)
    blockers += not_permitted(made, lot, own.operation, own.method)
    blockers += approval_gaps("batch rework", number, procedure, tests, made.inspection)
    check(blockers)
    frozen = ApprovedRecovery(
        batch_rework=number, operation=own.operation, lot=lot, lot_status=row.status, quantity=own.quantity,
        unit=own.unit, procedure=procedure.strip(),
        tests=tuple(test.model_copy(update={"required": True}) for test in tests), requested_by=own.proposed_by,
        approved_by=request.actor, reason=own.reason, assessment=assessment,
    )  # fmt: skip
    line = _plan(connection, frozen, row, origin, request)
    values = {
        "state": BATCH_REWORK.advance(BatchReworkState(own.state), BatchReworkEvent.APPROVE),
        "procedure": frozen.procedure, "tests": [test.model_dump(mode="json", by_alias=True) for test in frozen.tests],
        "assessment": assessment, "decided_by": request.actor, "decided_at": request.at, "signature": signature,
        "plan_line": line.reference,
    }  # fmt: skip
    connection.execute(update(REWORKS).where(REWORKS.c.number == number).values(**values))
    told = {name: str(values[name]) for name in ("state", "procedure", "assessment", "signature", "plan_line")}
    new = {"rework": number, "tests": values["tests"], **told, "planLine": line.reference}
    new.pop("plan_line")
    planned = {"orderNumber": line.order_number, "product": line.product, "quantity": plain(line.quantity),
               "unit": line.unit, "policy": line.policy, "plant": line.plant, "batchNumber": line.batch_number,
               "rework": line.rework}  # fmt: skip
    return str(line.reference), [
        request.audit("lot.reworkApproved", new, entity=f"lot/{lot}", old={"state": own.state}, reason=assessment),
        request.audit("plan-line.created", planned, entity=f"plan-line/{line.reference}", reason=assessment),
    ]


def reject(connection: Connection, request: Request, lot: str, number: str, reason: str) -> Entries:
    """The batch is not reworked, for a reason."""
    ledger.lock_lot(connection, lot)
    own = _open(connection, lot, number)
    check(same_person(request.actor, own.proposed_by, "batch rework", number, "reject", "proposed it"))
    state = BATCH_REWORK.advance(BatchReworkState(own.state), BatchReworkEvent.REJECT)
    values = {"state": state, "assessment": reason, "decided_by": request.actor, "decided_at": request.at}
    connection.execute(update(REWORKS).where(REWORKS.c.number == number).values(**values))
    new = {"rework": number, "state": str(state), "assessment": reason}
    return [request.audit("lot.reworkRejected", new, entity=f"lot/{lot}", old={"state": own.state}, reason=reason)]


def _plan(
    connection: Connection, frozen: ApprovedRecovery, row: Row[Any], origin: Row[Any], request: Request
) -> Row[Any]:
    """The plan line of the rework order; its batch number is the number of the rework, so it makes a lot of its own."""
    plan_lines.lock(connection)
    (order_number,) = plan_lines.free_numbers(connection, plan_lines.ORDER_PATTERN, request.at, 1)
    reference = frozen.batch_rework
    values = {
        "id": uuid_for("plan-line", reference), "reference": reference, "order_number": order_number,
        "product": row.material, "quantity": frozen.quantity, "unit": frozen.unit, "policy": origin.policy,
        "plant": origin.plant, "batch_number": reference, "created_by": request.actor, "created_at": request.at,
        "rework": frozen.model_dump(mode="json", by_alias=True),
    }  # fmt: skip
    (line,) = plan_lines.add(connection, [values])
    return line


def _made(connection: Connection, row: Row[Any], origin: Row[Any], at: datetime) -> WorkOrderSpecification:
    """How the product of the lot is made today, with its master batch record where the policy asks for one."""
    line = _Line(
        order_number=row.number, reference=row.number, product=row.material, quantity=Decimal(1), unit=row.unit,
        policy=origin.policy, plant=origin.plant, batch_number=row.number,
    )  # fmt: skip
    specification = load_specification(connection, cast(Row[Any], line), "system", at)
    return next(own for own in specification.work_orders if own.feeds is None)


def _lot_permits(connection: Connection, row: Row[Any], origin: Row[Any] | None, quantity: Decimal) -> list[Blocker]:
    blockers: list[Blocker] = []
    if origin is None:
        blockers.append(_blocker("NOT_REWORKABLE", row.number, "not made here", "a batch of this plant"))
    if row.status != LotStatus.REJECTED:
        blockers.append(_blocker("NOT_REJECTED", row.number, row.status, "a rejected lot"))
    if quantity <= 0:
        blockers.append(_blocker("NOT_ENOUGH", row.number, "nothing free in stock", "stock of the lot"))
    if batch_reworks.is_to_be_destroyed(connection, row.number):
        blockers.append(_blocker("DESTRUCTION_DECIDED", row.number, "its destruction is decided", "no such decision"))
    return blockers


def _open(connection: Connection, lot: str, number: str) -> Row[Any]:
    known = batch_reworks.of_lot(connection, lot)
    own = next((one for one in known if one.number == number), None)
    if own is None or own.state != BatchReworkState.PROPOSED:
        found = number if own is None else f"{number} is {own.state}"
        open_ones = [one.number for one in known if one.state == BatchReworkState.PROPOSED]
        check([_blocker("NO_OPEN_PROPOSAL", lot, found, f"one of: {', '.join(open_ones) or 'none'}")])
    assert own is not None
    return own


def _blocker(code: str, identity: str, found: str, required: str) -> Blocker:
    return Blocker(
        code=code, entity="lot", id=identity, found=found, required=required, who_can_fix="qualityManager"
    )  # fmt: skip
