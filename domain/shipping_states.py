"""The state machine of a shipment. Source: TR-08 and SM-13 of the GMP requirements."""

from enum import StrEnum
from typing import Final

from domain.states import StateMachine


class ShipmentState(StrEnum):
    """A quantity of one batch on its way to one consignee."""

    PREPARED = "prepared"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"


class ShipmentEvent(StrEnum):
    """What can happen to a shipment."""

    SHIP = "ship"
    CANCEL = "cancel"
    BLOCK = "block"


_S, _SE = ShipmentState, ShipmentEvent
SHIPMENT: Final = StateMachine(
    "shipment",
    _S.PREPARED,
    {
        (_S.PREPARED, _SE.SHIP): _S.SHIPPED,
        (_S.PREPARED, _SE.CANCEL): _S.CANCELLED,
        # A recall or a rejection stops what has not left; its stock is free again.
        (_S.PREPARED, _SE.BLOCK): _S.BLOCKED,
        (_S.BLOCKED, _SE.CANCEL): _S.CANCELLED,
    },
    {},
)

MACHINES: Final[tuple[StateMachine[StrEnum, StrEnum], ...]] = (SHIPMENT,)  # type: ignore[assignment]
