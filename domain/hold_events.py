"""What a hold of lots has done to an order that uses one of them."""

from typing import Literal

from domain.base import Message


class LotHoldPlaced(Message):
    """The order uses held lots. `stops`: it was stopped by this hold, and not before by something else."""

    kind: Literal["lotHoldPlaced"] = "lotHoldPlaced"
    hold: str
    lots: tuple[str, ...]
    makes: tuple[str, ...] = ()
    placed_by: str
    stops: bool


class LotHoldLifted(Message):
    """The hold is over. `resumes`: it was the last one, and nothing else stops the order."""

    kind: Literal["lotHoldLifted"] = "lotHoldLifted"
    hold: str
    lifted_by: str
    resumes: bool
