"""What an order says about the equipment and rooms that its operations occupy."""

from typing import Literal

from domain.base import Message


class EquipmentFaultNoted(Message):
    """Equipment at which an operation was running has failed, or is repaired and verified (EQ-07).

    `maintenance_order` leads the repair; until it is over the operation does not go on.
    """

    kind: Literal["equipmentFaultNoted"] = "equipmentFaultNoted"
    work_order: str
    operation: str
    maintenance_order: str
    equipment: str
    standing: Literal["failed", "repaired"]


class EquipmentOccupationMoved(Message):
    """An operation asks the equipment register for its workstation, occupies it, or frees it.

    `equipment` are the codes that were occupied, rooms included. Freeing is written to the register with this fact.
    """

    kind: Literal["equipmentOccupationMoved"] = "equipmentOccupationMoved"
    work_order: str
    operation: str
    workstation: str
    target: Literal["asked", "occupied", "refused", "freed"]
    equipment: tuple[str, ...] = ()
