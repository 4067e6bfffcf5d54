"""What has happened to the containers that material is weighed into."""

from typing import Literal

from domain.base import Message
from domain.container_states import ContainerEvent, ContainerState
from domain.weighing import ScaleReading, Weighing, WeighingRequest


class WeighingAsked(Message):
    """A weighing was asked for; `number` is that of the container, should it be good."""

    kind: Literal["weighingAsked"] = "weighingAsked"
    work_order: str
    number: str
    request: WeighingRequest


class ScaleRead(Message):
    """The connected scale was read for a weighing, whether it is good or not."""

    kind: Literal["scaleRead"] = "scaleRead"
    work_order: str
    number: str
    reading: ScaleReading


class MaterialWeighed(Message):
    """A good weighing: the container is filled, and the lot is less by its net weight."""

    kind: Literal["materialWeighed"] = "materialWeighed"
    work_order: str
    weighing: Weighing


class ContainerMoved(Message):
    """A container was refused, staged at `place`, charged, or voided."""

    kind: Literal["containerMoved"] = "containerMoved"
    work_order: str
    number: str
    event: ContainerEvent
    origin: ContainerState
    target: ContainerState
    place: str | None = None
    reason: str | None = None


class MaterialsCharged(Message):
    """What was put in at an operation was identified: the complete set of containers, and lots that are not weighed."""

    kind: Literal["materialsCharged"] = "materialsCharged"
    work_order: str
    operation: str
    containers: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
