"""A quantity of a lot that is reserved for a line of a pick list."""

from domain.base import Message
from domain.quantities import Exact


class Allocation(Message):
    """A quantity of one lot at one place, reserved for one line of a pick list."""

    line: int
    material: str
    lot: str
    place: str
    quantity: Exact
    unit: str
