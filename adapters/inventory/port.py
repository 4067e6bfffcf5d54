"""What we ask of a warehouse, whichever it is.

Every write carries a `key`: the same key with the same content gives the same answer and has one effect; other
content under a used key is `AdapterRefused("KEY_REUSED")`. Quantities are exact decimals in the unit that stands
beside them. Every method may raise `AdapterRefused`, `AdapterUnreachable` and `AdapterUnknown` and nothing else.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

from domain.base import Message
from domain.events import Allocation, ShortLine
from domain.material_commands import ChosenLots
from domain.material_events import ReturnedLine, ReturnLine
from domain.quantities import Exact
from domain.states import LotStatus


class MaterialNeed(Message):
    """One line of a pick list. With `fixed_lots` only these are taken, in this order; else first expired first out."""

    line: int
    material: str
    quantity: Exact
    unit: str
    fixed_lots: tuple[str, ...] = ()


class AllocationAnswer(Message):
    """What was reserved, or, if any line is short, nothing and every short line."""

    allocations: tuple[Allocation, ...] = ()
    short: tuple[ShortLine, ...] = ()
    proposed: tuple[Allocation, ...] = ()
    """What first expired first out would have taken at the same moment, when lots were chosen."""


class IssueAnswer(Message):
    """How many stock moves brought the reserved lots to the line; 0 if all were there already."""

    moves: int


class GiveBackAnswer(Message):
    """How many reservations were freed, and how many stock moves brought unused material back."""

    freed: int
    returned: int


class ReturnAnswer(Message):
    """Where the returned quantities went; a line whose lot was issued from several places may have several parts."""

    lines: tuple[ReturnedLine, ...]


class MoveAnswer(Message):
    """What was moved of one lot: the number of stock moves and their total quantity."""

    lot: str
    moves: int
    quantity: Exact
    unit: str


class ReceiptAnswer(Message):
    """A delivery was booked; `lot_status` is the lot's quality status after it."""

    lot: str
    material: str
    quantity: Exact
    unit: str
    place: str
    lot_status: LotStatus


class Inventory(Protocol):
    """A warehouse: stock by lot and place, reservations, moves."""

    def coverage(self, work_order: str, needs: Sequence[MaterialNeed]) -> tuple[ShortLine, ...]:
        """What the warehouse has for every line, short or not, without reserving anything.

        What this work order has reserved counts as available to it.
        """
        ...

    def allocate(
        self,
        work_order: str,
        needs: Sequence[MaterialNeed],
        *,
        key: str,
        actor: str,
        chosen: Sequence[ChosenLots] = (),
    ) -> AllocationAnswer:
        """Reserve all lines or nothing. What the work order had reserved before is freed first.

        Lots that were `chosen` for a line are taken before those that expire first. If one of them may not be used, or
        a line is short then, that is refused (LOT_NOT_USABLE, SHORT), and what was reserved stays reserved.

        A short answer is not kept under the key: asked again later, the same key can succeed.
        Refuses DUPLICATE_LINE, NOTHING_NEEDED (a quantity that is not positive) and UNIT_MISMATCH.
        """
        ...

    def issue(self, work_order: str, *, key: str, actor: str) -> IssueAnswer:
        """Move all that is reserved to the line.

        Refuses LOT_NOT_USABLE, with a blocker for every lot that is no longer released or has expired, and
        NOTHING_RESERVED when the work order never reserved anything. Then nothing is changed.
        """
        ...

    def give_back(self, work_order: str, *, key: str, actor: str) -> GiveBackAnswer:
        """Compensation: free what is reserved, move what was issued and not consumed back to where it came from.

        A lot that may not lie there any more goes where `return_materials` would bring it. Harmless when there is
        nothing to give back, also for an unknown work order.
        """
        ...

    def return_materials(self, work_order: str, lines: Sequence[ReturnLine], *, key: str, actor: str) -> ReturnAnswer:
        """Move unused material from the line back to the place it was issued from, or out as scrap; all or nothing.

        A lot that is no longer released, or has expired, goes to a place of a zone that fits it: quarantine, or
        rejected. Refuses, with a blocker for every lot, UNKNOWN_LOT, UNIT_MISMATCH, NOT_ON_LINE (less is at the line
        for this work order) and NO_PLACE (no place fits the lot's status).
        """
        ...

    def dispense(self, work_order: str, lot: str, quantity: Exact, unit: str, *, key: str, actor: str) -> MoveAnswer:
        """Move a net weight of a lot from the line into a dispensed container.

        Refuses UNKNOWN_LOT, UNIT_MISMATCH, LOT_NOT_USABLE and NOT_ON_LINE (less is at the line for this work order).
        """
        ...

    def undispense(self, work_order: str, lot: str, quantity: Exact, unit: str, *, key: str, actor: str) -> MoveAnswer:
        """Empty a dispensed container back to the line. Refuses UNKNOWN_LOT, UNIT_MISMATCH and NOT_DISPENSED."""
        ...

    def introduce(self, work_order: str, lot: str, quantity: Exact, unit: str, *, key: str, actor: str) -> MoveAnswer:
        """Bring a quantity of a lot to the line that quality has approved for a batch, also of a rejected one.

        Refuses UNKNOWN_LOT, UNIT_MISMATCH, LOT_NOT_USABLE (on hold, recalled, expired, destroyed) and NOT_ENOUGH
        (less is free, or it lies at a line).
        """
        ...

    def put_away(
        self, work_order: str, lot: str, quantity: Exact, unit: str, place: str, *, key: str, actor: str
    ) -> MoveAnswer:
        """Move a finished quantity from the line to a place whose zone fits the lot's status.

        Refuses UNKNOWN_LOT, UNKNOWN_PLACE, UNIT_MISMATCH, ZONE_MISMATCH (its blocker names the open gate),
        NOT_ON_LINE.
        """
        ...

    def release_to_stock(self, work_order: str, lot: str, place: str, *, key: str, actor: str) -> MoveAnswer:
        """Production release: the lot becomes released, and all of it in quarantine moves to a released place.

        Refuses UNKNOWN_LOT, UNKNOWN_PLACE, ZONE_MISMATCH, LOT_NOT_USABLE (held, rejected, …).
        """
        ...

    def scrap(self, work_order: str, lot: str, *, key: str, actor: str) -> MoveAnswer:
        """Everything of the lot on the line and in quarantine is scrapped. Refuses UNKNOWN_LOT."""
        ...

    def receive(
        self,
        lot: str,
        material: str,
        quantity: Exact,
        unit: str,
        place: str = "RECEIVING",
        supplier: str | None = None,
        expires_on: date | None = None,
        *,
        key: str,
        actor: str,
        supplier_lot: str | None = None,
        retest_on: date | None = None,
    ) -> ReceiptAnswer:
        """Goods receipt into quarantine; a further delivery of a known lot adds to it, the earlier expiry counts.

        `supplier_lot` is the number that it came with, `retest_on` the day from which it has to be tested again.

        Refuses UNKNOWN_MATERIAL, UNKNOWN_PLACE, ZONE_MISMATCH, UNIT_MISMATCH, NOTHING_DELIVERED, LOT_MISMATCH
        (another material or unit, or made here) and LOT_NOT_USABLE (rejected, destroyed, …).
        """
        ...

    def find(self, key: str) -> dict[str, Any] | None:
        """The answer that was given under the key, as JSON; none if nothing happened under it."""
        ...
