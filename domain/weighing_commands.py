"""What is asked about weighed material: to weigh it, to stage and charge its containers, to empty one."""

from typing import ClassVar, Literal

from domain.command_base import VERIFIED, OperationCommand, ScanningCommand, WorkOrderCommand
from domain.policy import Policy
from domain.scanning import ScanKind
from domain.weighing import LotResults


class WeighMaterial(ScanningCommand, OperationCommand):
    """Weigh material of one line of the pick list into a new container. The lot is what was scanned.

    `operation` is where it is weighed. With `tare` and `gross` a person has read the scale, and a second one signs;
    without them the connected scale of the workstation is read. `more_follows`: the line takes further containers.
    """

    is_bound_to_device: ClassVar = True
    scanned_first: ClassVar = (ScanKind.LOT,)
    kind: Literal["weighMaterial"] = "weighMaterial"
    line: int
    scale: str
    unit: str
    tare: str | None = None
    gross: str | None = None
    more_follows: bool = False
    results: LotResults | None = None
    """What the laboratory found in the lot; the record says it, not the sender."""
    roles: ClassVar = ("operator", "warehouseKeeper")

    @property
    def is_read(self) -> bool:
        """Whether the connected scale is read."""
        return self.tare is None and self.gross is None

    def second_meaning_under(self, policy: Policy) -> str | None:
        """As for every command with scans; and `verified` for a weight that a person has read (MT-06)."""
        asked = super().second_meaning_under(policy)
        return VERIFIED if asked is None and policy.weighing and not self.is_read else asked


class StageContainers(ScanningCommand, WorkOrderCommand):
    """Put all containers of the batch together at a place."""

    scanned_first: ClassVar = (ScanKind.CONTAINER,)
    kind: Literal["stageContainers"] = "stageContainers"
    place: str
    roles: ClassVar = ("operator", "warehouseKeeper")


class ChargeMaterials(ScanningCommand, OperationCommand):
    """Put the material of an operation in: the complete set of its containers, and its lots that are not weighed."""

    is_bound_to_device: ClassVar = True
    scanned_first: ClassVar = (ScanKind.CONTAINER, ScanKind.LOT)
    kind: Literal["chargeMaterials"] = "chargeMaterials"
    roles: ClassVar = ("operator",)


class VoidContainer(WorkOrderCommand):
    """Empty a container that is not charged: what is in it lies at the line again."""

    kind: Literal["voidContainer"] = "voidContainer"
    container: str
    roles: ClassVar = ("supervisor",)
