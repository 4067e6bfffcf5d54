"""Material of an earlier batch, as the state of an order knows it."""

from domain.base import Holder
from domain.quantities import Exact
from domain.recovery_states import RecoveryState
from domain.specification import Characteristic, WorkOrderSpecification


class Recovery(Holder):
    """Material of an earlier batch on its way into this one. `lot_status` is what it was when it was asked for."""

    number: str
    operation: str
    lot: str
    lot_status: str
    quantity: Exact
    unit: str
    requested_by: str
    reason: str = ""
    state: RecoveryState = RecoveryState.REQUESTED
    decided_by: str | None = None
    assessment: str = ""
    """Of the risk, by who approved it."""
    procedure: str = ""
    tests: tuple[Characteristic, ...] = ()
    introduced_by: str | None = None
    batch_rework: str | None = None
    """The rework of a whole batch that the order is made for."""


def approved_before(work_order: WorkOrderSpecification) -> dict[str, Recovery]:
    """What quality approved before there was an order."""
    return {
        (number := f"{work_order.number}-V{index}"): Recovery(
            number=number,
            state=RecoveryState.APPROVED,
            decided_by=own.approved_by,
            **own.model_dump(exclude={"approved_by", "tests"}),
            tests=own.tests,
        )
        for index, own in enumerate(work_order.recoveries, 1)
    }
