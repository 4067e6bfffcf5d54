"""Commands about holds of lots: what quality signs, and what the hold's own process then asks of each order."""

from typing import Annotated, Literal

from pydantic import Field

from domain.command_base import Command, OrderCommand
from domain.quantities import Exact


class HoldLot(Command):
    """Stop a lot and every order that uses it. `lots`, `orders` and `shipped` are what the signer was shown."""

    kind: Literal["holdLot"] = "holdLot"
    lot: str
    downstream: bool = False
    lots: int
    orders: int
    shipped: Annotated[Exact, Field(ge=0)]


class ReleaseLotHold(Command):
    """Let go what a hold has stopped."""

    kind: Literal["releaseLotHold"] = "releaseLotHold"
    lot: str
    hold: str


class PlaceLotHold(OrderCommand):
    """An order that uses held lots stops. `makes` are the held ones among the lots that it makes itself."""

    kind: Literal["placeLotHold"] = "placeLotHold"
    hold: str
    lots: tuple[str, ...]
    makes: tuple[str, ...] = ()
    placed_by: str
    is_recall: bool = False
    """Lots of the order's own are recalled instead of held."""


class LiftLotHold(OrderCommand):
    """A hold is over: the order goes on, if nothing else stops it."""

    kind: Literal["liftLotHold"] = "liftLotHold"
    hold: str
    lifted_by: str
