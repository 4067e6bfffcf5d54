"""What has happened to material of an earlier batch on its way into this one."""

from typing import Literal

from domain.base import Message
from domain.quantities import Exact
from domain.recovery_states import RecoveryEvent, RecoveryState
from domain.specification import Characteristic


class RecoveryMoved(Message):
    """A recovery was requested (`event` is none), or went on. `quantity` is in `unit` of `lot`.

    `tests` and `procedure` come with the approval; `output_lot` is the batch that the material becomes part of.
    """

    kind: Literal["recoveryMoved"] = "recoveryMoved"
    work_order: str
    operation: str
    recovery: str
    lot: str
    lot_status: str
    quantity: Exact
    unit: str
    output_lot: str
    event: RecoveryEvent | None
    origin: RecoveryState | None
    target: RecoveryState
    procedure: str = ""
    tests: tuple[Characteristic, ...] = ()
