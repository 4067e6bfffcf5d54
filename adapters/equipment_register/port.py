"""What we ask of the equipment register: may this operation start here and now, and then it may not elsewhere.

Every write carries a `key`, as in `adapters.inventory.port`: the same key has one effect and one answer. Every method
may raise `AdapterRefused` (with all blockers), `AdapterUnreachable` and `AdapterUnknown` and nothing else.

Occupied items are freed by the record itself, in the transaction that records the end of the operation (ADR 0014).
"""

from datetime import datetime
from typing import Any, Protocol

from domain.base import Message
from domain.equipment import EquipmentClass, Item
from domain.equipment_acts import Act
from domain.equipment_gate import ClearanceItem, StartNeed
from domain.errors import Blocker
from domain.maintenance import MaintenanceSpecification


class OccupyAnswer(Message):
    """What an operation occupies now: equipment and rooms, by code."""

    equipment: tuple[str, ...]


class ScaleAnswer(Message):
    """What stands in the way of weighing on a scale now, and the certificate of its calibration."""

    blockers: tuple[Blocker, ...] = ()
    certificate: str | None = None
    calibration_due_at: datetime | None = None


class ItemAnswer(Message):
    """An item after something was done to it; `deviations` are those that were opened by it."""

    code: str
    qualification: str
    calibration: str
    cleaning: str
    availability: str
    maintenance: str = "notPlanned"
    deviations: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    """Those that are in doubt: measured since the last good calibration with what was found out of tolerance."""
    maintenance_order: str | None = None
    """The maintenance order that was requested by it."""


class FaultAnswer(Message):
    """The maintenance orders that a machine's fault has requested."""

    maintenance_orders: tuple[str, ...] = ()


class ClassAnswer(Message):
    """The code of a class of equipment."""

    code: str


class ClearanceAnswer(Message):
    """A line clearance; `is_cleared` is none until the second person has checked it."""

    number: str
    is_cleared: bool | None = None
    valid_until: datetime | None = None


class TrainingAnswer(Message):
    """A qualification of a person, from now on valid until then."""

    person: str
    qualification: str
    valid_until: datetime


class ClearanceForm(Message):
    """A line clearance as the person at the line writes it."""

    room: str
    product: str
    batch: str
    operation: str
    items: tuple[ClearanceItem, ...]


class EquipmentRegister(Protocol):
    """Equipment and rooms on four axes, line clearances and training."""

    def occupy(self, need: StartNeed, *, key: str, actor: str) -> OccupyAnswer:
        """Occupy the workstation's equipment and rooms for an operation, or refuse with everything in the way.

        Refuses START_REFUSED; its blockers are those of `domain.equipment_gate.blockers`. Of two that ask for one line
        at once exactly one gets it.
        """
        ...

    def check(self, need: StartNeed) -> list[Blocker]:
        """What `occupy` would refuse now; changes nothing."""
        ...

    def check_scale(self, scale: str, workstation: str | None) -> ScaleAnswer:
        """What stands in the way of weighing on a scale now; changes nothing.

        With a `workstation` it has to stand there. The blockers are those of `domain.equipment_gate.scale_blockers`.
        """
        ...

    def expire(self, at: datetime) -> datetime | None:
        """Write what time alone has changed by `at`; the answer is when to look again, none when never.

        Asking twice changes nothing the second time. A dirty hold that is exceeded opens a deviation.
        """
        ...

    def define_class(self, of: EquipmentClass, *, key: str, actor: str) -> ClassAnswer:
        """Write what all equipment of a class has in common; one that is known is changed."""
        ...

    def register(self, item: Item, *, calibrated: bool, key: str, actor: str) -> ItemAnswer:
        """A new item, unqualified, uncalibrated (`calibrated` says whether it ever needs to be) and to be cleaned.

        Refuses ITEM_KNOWN, UNKNOWN_CLASS, UNKNOWN_ROOM and UNKNOWN_WORKSTATION.
        """
        ...

    def act(self, code: str, act: Act, *, key: str, actor: str, reason: str | None = None) -> ItemAnswer:
        """Do something to an item (`domain.equipment_acts`). Refuses ACT_REFUSED with every blocker, UNKNOWN_ITEM."""
        ...

    def report_fault_at(
        self, workstation: str, detail: str, *, key: str, actor: str, order_number: str | None = None
    ) -> FaultAnswer:
        """A machine has failed: the equipment of its workstation is down, with a maintenance order. None known: none.

        Down already, it stays as it is. Either way the alarm JOB_ABORTED calls somebody and says what to do next.
        """
        ...

    def unstarted(self) -> list[MaintenanceSpecification]:
        """Maintenance orders that were requested and have no process yet."""
        ...

    def record_clearance(self, form: ClearanceForm, *, key: str, actor: str) -> ClearanceAnswer:
        """The doer's line clearance. Refuses UNKNOWN_ROOM and ROOM_OCCUPIED (by another batch)."""
        ...

    def check_clearance(
        self, number: str, accept: bool, *, key: str, actor: str, reason: str | None = None
    ) -> ClearanceAnswer:
        """The checker's word. Refuses UNKNOWN_CLEARANCE, and CLEARANCE_REFUSED with every blocker."""
        ...

    def register_training(
        self, person: str, qualification: str, valid_until: datetime, *, key: str, actor: str
    ) -> TrainingAnswer:
        """A person holds a qualification until then; the newest record counts. Refuses UNKNOWN_PERSON, own training."""
        ...

    def find(self, key: str) -> dict[str, Any] | None:
        """The answer that was given under the key, as JSON; none if nothing happened under it."""
        ...
