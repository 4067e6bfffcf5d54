"""What maintenance orders and failed machines ask of the equipment register; `activities.stubs` gives the names on."""

from typing import Literal

from temporalio import activity

from domain.base import Message
from domain.maintenance import MaintenanceSpecification


class MaintainRequest(Message):
    """What a maintenance order does to its equipment. `key` has one effect."""

    key: str
    actor: str
    order: str
    equipment: str
    act: Literal["startMaintenance", "demandRequalification", "returnToService"]
    is_planned: bool = False


class FaultRequest(Message):
    """A machine has failed while it had a job. `key` has one effect."""

    key: str
    workstation: str
    detail: str
    order_number: str | None = None


class FaultBegins(Message):
    """The maintenance orders that have no process yet, the machine's own among them.

    `orders` are those of this fault: none where the register knows no equipment at the workstation, or it was down.
    """

    begin: tuple[MaintenanceSpecification, ...] = ()
    orders: tuple[str, ...] = ()


@activity.defn(name="equipment-register.maintain")
def maintain(request: MaintainRequest) -> None:
    """Begin or end maintenance of equipment, or take its qualification back, as its maintenance order says."""
    raise NotImplementedError


@activity.defn(name="equipment-register.report-fault")
def report_fault(request: FaultRequest) -> FaultBegins:
    """A machine has failed: its equipment is down."""
    raise NotImplementedError
