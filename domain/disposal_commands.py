"""Signed commands about nonconforming stock."""

from typing import Annotated, Literal

from pydantic import Field

from domain.command_base import Command
from domain.quantities import Exact


class MoveRejectedStock(Command):
    """Rejected stock goes to another place of the rejected zone."""

    kind: Literal["moveRejectedStock"] = "moveRejectedStock"
    lot: str
    quantity: Annotated[Exact, Field(gt=0)]
    from_place: str
    to_place: str


class DecideDestruction(Command):
    """A lot is to be destroyed."""

    kind: Literal["decideDestruction"] = "decideDestruction"
    lot: str


class DestroyLot(Command):
    """A lot was destroyed, before a witness."""

    kind: Literal["destroyLot"] = "destroyLot"
    lot: str
    destruction: str
    how: str
