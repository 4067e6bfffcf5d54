"""Rows of recovered material, and its way into the batch. Importing this registers them."""

from typing import Any

from db.projection.approved import RECOVERIES, listed
from db.projection.events import LINKS, Context, project
from domain import recovery_events as v
from domain.quantities import plain
from domain.recovery_states import RecoveryState


@project.register
def _(event: v.RecoveryMoved, context: Context) -> None:
    fact, batch = context.fact, context.batch
    if event.origin is None:
        batch.insert(
            RECOVERIES, number=event.recovery, work_order=event.work_order, operation=event.operation, lot=event.lot,
            lot_status=event.lot_status, quantity=event.quantity, unit=event.unit, state=str(event.target),
            reason=fact.reason, requested_by=fact.actor, requested_at=fact.at,
        )  # fmt: skip
    else:
        values: dict[str, Any] = {"state": str(event.target)}
        match event.target:
            case RecoveryState.APPROVED if event.origin == RecoveryState.REQUESTED:
                values |= {"decided_by": fact.actor, "decided_at": fact.at, "assessment": fact.reason}
                values |= {"procedure": event.procedure, "tests": listed(event.tests)}
            case RecoveryState.REJECTED:
                values |= {"decided_by": fact.actor, "decided_at": fact.at, "assessment": fact.reason}
            case RecoveryState.INTRODUCING:
                values |= {"introduced_by": fact.actor}
            case RecoveryState.INTRODUCED:
                values |= {"introduced_at": fact.at}
                _into_the_batch(event, context)
        batch.update(RECOVERIES, {"number": event.recovery}, **values)
    context.transition("recovery", event.recovery, event.event or "request", event.origin, event.target)


def _into_the_batch(event: v.RecoveryMoved, context: Context) -> None:
    fact, batch = context.fact, context.batch
    batch.move(
        key=f"consume:{context.key}", lot=event.lot, from_place="LINE", to_place="PROCESS", quantity=event.quantity,
        unit=event.unit, kind="consume", work_order=event.work_order, actor=fact.actor, moved_at=fact.at,
    )  # fmt: skip
    batch.insert(
        LINKS, key=f"{context.key}:recovery", input_lot=event.lot, output_lot=event.output_lot, quantity=event.quantity,
        unit=event.unit, work_order=event.work_order, operation=event.operation, linked_at=fact.at,
    )  # fmt: skip
    inputs = [{"lot": event.lot, "quantity": plain(event.quantity), "unit": event.unit}]
    new = {"operation": event.operation, "inputs": inputs, "recovery": event.recovery}
    context.audit("lot.consume", f"lot/{event.output_lot}", new=new)
