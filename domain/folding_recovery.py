"""How recovered material changes the state of an order. Importing this registers it."""

from domain import recovery_events as v
from domain.applying import apply
from domain.events import Fact
from domain.process import Process, Recovery
from domain.recovery_states import RecoveryState
from domain.specification import Characteristic


@apply.register
def _(event: v.RecoveryMoved, process: Process, fact: Fact) -> None:
    work_order = process.work_orders[event.work_order]
    if event.origin is None:
        work_order.recoveries[event.recovery] = Recovery(
            number=event.recovery, operation=event.operation, lot=event.lot, lot_status=event.lot_status,
            quantity=event.quantity, unit=event.unit, requested_by=fact.actor, reason=fact.reason or "",
        )  # fmt: skip
        return
    own = work_order.recoveries[event.recovery]
    own.state = event.target
    match event.target:
        case RecoveryState.APPROVED if event.origin == RecoveryState.REQUESTED:
            own.decided_by, own.procedure, own.tests = fact.actor, event.procedure, event.tests
            own.assessment = fact.reason or ""
            _inspect(process, event.work_order, more=event.tests)
        case RecoveryState.REJECTED:
            own.decided_by = fact.actor
            _inspect(process, event.work_order, less=own.tests)
        case RecoveryState.INTRODUCING:
            own.introduced_by = fact.actor
        case RecoveryState.INTRODUCED:
            if event.operation not in work_order.consumed_at:
                work_order.consumed_at = (*work_order.consumed_at, event.operation)


def _inspect(
    process: Process, number: str, more: tuple[Characteristic, ...] = (), less: tuple[Characteristic, ...] = ()
) -> None:
    """The batch is inspected by more characteristics than its plan has, or not any more."""
    specification = process.specification
    gone = {test.name for test in less}
    work_orders = tuple(
        own.model_copy(update={"inspection": (*(one for one in own.inspection if one.name not in gone), *more)})
        if own.number == number
        else own
        for own in specification.work_orders
    )
    process.specification = specification.model_copy(update={"work_orders": work_orders})
