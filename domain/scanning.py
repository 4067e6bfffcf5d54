"""What a scanned code turned out to be. The API asks the record before it sends; the order compares it with what it
expects.

A code is a GS1 element string (with or without symbology identifier), the name that the audit trail has for a thing
(`operation/PO-1-01/MIX`, `lot/API-1`, `person/olu`), or its bare number.
"""

from datetime import date
from enum import StrEnum

from domain.base import Message


class ScanKind(StrEnum):
    """What can be scanned. `unreadable` is a damaged or contradictory code, `unknown` one that nothing has."""

    LOT = "lot"
    CONTAINER = "container"
    ORDER = "productionOrder"
    WORK_ORDER = "workOrder"
    OPERATION = "operation"
    EQUIPMENT = "equipment"
    LOCATION = "location"
    MATERIAL = "material"
    PERSON = "person"
    DEVICE = "device"
    WORKSTATION = "workstation"
    PICK_LIST = "pickList"
    PUT_AWAY = "putAway"
    INSPECTION = "inspection"
    IN_PROCESS_INSPECTION = "inProcessInspection"
    REWORK = "rework"
    REPORT = "productionReport"
    CASE = "case"
    PLAN_LINE = "planLine"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


class Scanned(Message):
    """One code and what it is. `text` is what the scanner sent, or what was typed; `id` the number of the thing.

    Of a lot or container: `material`, `lot`, quality `status` and `expires_on` as the record had them at the scan; of
    a container and an operation the `work_order`; of a container the `batch` that it was dispensed for.
    """

    text: str
    kind: ScanKind
    id: str = ""
    material: str = ""
    lot: str = ""
    status: str = ""
    expires_on: date | None = None
    work_order: str = ""
    batch: str = ""
    operation: str = ""
    work_centre: str = ""
    detail: str = ""
    """Why it cannot be read."""

    @property
    def words(self) -> str:
        """The scan in words, for a blocker: `lot API-2 of API`."""
        match self.kind:
            case ScanKind.LOT:
                return f"lot {self.id} of {self.material or 'no known material'}"
            case ScanKind.CONTAINER:
                return f"container {self.id} (lot {self.lot} of {self.material}) for batch {self.batch}"
            case ScanKind.OPERATION:
                return f"operation {self.work_order}/{self.operation}"
            case ScanKind.UNREADABLE:
                return f"a code that cannot be read: {self.detail}"
            case ScanKind.UNKNOWN:
                return f"{self.text[:80]!r}, which nothing has"
            case _:
                return f"{self.kind} {self.id}"


def printable(text: str) -> str:
    """A code as it can be shown: FNC1 and other control characters written out."""
    return "".join(character if character.isprintable() else f"<{ord(character):02X}>" for character in text)
