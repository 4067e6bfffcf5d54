"""The warehouse on our own PostgreSQL: the built-in implementation of `Inventory`."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Final

from sqlalchemy import Engine

from adapters.in_the_record import InTheRecord, utc_now
from adapters.inventory import dispensing, introducing, movements, picking, returning
from adapters.inventory.port import (
    AllocationAnswer,
    GiveBackAnswer,
    IssueAnswer,
    MaterialNeed,
    MoveAnswer,
    ReceiptAnswer,
    ReturnAnswer,
)
from adapters.inventory.requests import InventoryRequests
from db.once import reached
from domain.events import ShortLine
from domain.material_commands import ChosenLots
from domain.material_events import ReturnLine
from domain.states import LotStatus

SYSTEM: Final = "inventory"
ANSWERS: Final = InventoryRequests()


class PostgresInventory(InTheRecord):
    """Stock, reservations and moves in the record. `time_zone` is the plant's: it says which day it is for expiry."""

    _system = SYSTEM
    _store = ANSWERS

    def __init__(self, engine: Engine, *, time_zone: tzinfo = UTC, now: Callable[[], datetime] = utc_now) -> None:
        super().__init__(engine, now=now)
        self._time_zone = time_zone

    def coverage(self, work_order: str, needs: Sequence[MaterialNeed]) -> tuple[ShortLine, ...]:
        """See `Inventory.coverage`."""
        with reached(self._engine, SYSTEM) as connection:
            return picking.coverage(connection, work_order, needs, self._today(self._now()))

    def allocate(
        self,
        work_order: str,
        needs: Sequence[MaterialNeed],
        *,
        key: str,
        actor: str,
        chosen: Sequence[ChosenLots] = (),
    ) -> AllocationAnswer:
        """See `Inventory.allocate`."""
        # Without a choice the request is what it always was: the digest under an older key stays the same.
        more = {"chosen": list(chosen)} if chosen else {}
        request = self._request("allocate", f"work-order/{work_order}", key, actor, needs=list(needs), **more)
        today = self._today(request.at)
        first = {own.line: own.lots for own in chosen}
        return self._once(
            request, AllocationAnswer, lambda c: picking.allocate(c, request, work_order, needs, today, first)
        )

    def issue(self, work_order: str, *, key: str, actor: str) -> IssueAnswer:
        """See `Inventory.issue`."""
        request = self._request("issue", f"work-order/{work_order}", key, actor)
        today = self._today(request.at)
        return self._once(request, IssueAnswer, lambda c: picking.issue(c, request, work_order, today))

    def give_back(self, work_order: str, *, key: str, actor: str) -> GiveBackAnswer:
        """See `Inventory.give_back`."""
        request = self._request("giveBack", f"work-order/{work_order}", key, actor)
        today = self._today(request.at)
        return self._once(request, GiveBackAnswer, lambda c: returning.give_back(c, request, work_order, today))

    def return_materials(self, work_order: str, lines: Sequence[ReturnLine], *, key: str, actor: str) -> ReturnAnswer:
        """See `Inventory.return_materials`."""
        request = self._request("returnMaterials", f"work-order/{work_order}", key, actor, lines=list(lines))
        today = self._today(request.at)
        return self._once(
            request, ReturnAnswer, lambda c: returning.return_materials(c, request, work_order, lines, today)
        )

    def dispense(self, work_order: str, lot: str, quantity: Decimal, unit: str, *, key: str, actor: str) -> MoveAnswer:
        """See `Inventory.dispense`."""
        subject = f"work-order/{work_order}"
        request = self._request("dispense", subject, key, actor, lot=lot, quantity=quantity, unit=unit)
        today = self._today(request.at)
        return self._once(
            request, MoveAnswer, lambda c: dispensing.dispense(c, request, work_order, lot, quantity, unit, today)
        )

    def undispense(
        self, work_order: str, lot: str, quantity: Decimal, unit: str, *, key: str, actor: str
    ) -> MoveAnswer:
        """See `Inventory.undispense`."""
        subject = f"work-order/{work_order}"
        request = self._request("undispense", subject, key, actor, lot=lot, quantity=quantity, unit=unit)
        return self._once(
            request, MoveAnswer, lambda c: dispensing.undispense(c, request, work_order, lot, quantity, unit)
        )

    def introduce(self, work_order: str, lot: str, quantity: Decimal, unit: str, *, key: str, actor: str) -> MoveAnswer:
        """See `Inventory.introduce`."""
        subject = f"work-order/{work_order}"
        request = self._request("introduce", subject, key, actor, lot=lot, quantity=quantity, unit=unit)
        today = self._today(request.at)
        return self._once(
            request, MoveAnswer, lambda c: introducing.introduce(c, request, work_order, lot, quantity, unit, today)
        )

    def put_away(
        self, work_order: str, lot: str, quantity: Decimal, unit: str, place: str, *, key: str, actor: str
    ) -> MoveAnswer:
        """See `Inventory.put_away`."""
        request = self._request(
            "putAway", f"lot/{lot}", key, actor, workOrder=work_order, quantity=quantity, unit=unit, place=place
        )
        return self._once(
            request, MoveAnswer, lambda c: movements.put_away(c, request, lot, quantity, unit, place, work_order)
        )

    def release_to_stock(self, work_order: str, lot: str, place: str, *, key: str, actor: str) -> MoveAnswer:
        """See `Inventory.release_to_stock`."""
        request = self._request("release", f"lot/{lot}", key, actor, workOrder=work_order, place=place)
        return self._once(request, MoveAnswer, lambda c: movements.release_to_stock(c, request, lot, place, work_order))

    def scrap(self, work_order: str, lot: str, *, key: str, actor: str) -> MoveAnswer:
        """See `Inventory.scrap`."""
        request = self._request("scrap", f"lot/{lot}", key, actor, workOrder=work_order)
        return self._once(request, MoveAnswer, lambda c: movements.scrap(c, request, lot, work_order))

    def receive(
        self,
        lot: str,
        material: str,
        quantity: Decimal,
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
        """See `Inventory.receive`."""
        delivery = ReceiptAnswer(
            lot=lot, material=material, quantity=quantity, unit=unit, place=place, lot_status=LotStatus.QUARANTINE
        )
        request = self._request(
            "receive", f"lot/{lot}", key, actor, delivery=delivery, supplier=supplier, expiresOn=expires_on,
            # Fields that came later are content only when they say something: older keys stay what they were.
            **{} if supplier_lot is None else {"supplierLot": supplier_lot},
            **{} if retest_on is None else {"retestOn": retest_on},
        )  # fmt: skip
        told = movements.Told(supplier, expires_on, supplier_lot, retest_on)
        today = self._today(request.at)
        return self._once(request, ReceiptAnswer, lambda c: movements.receive(c, request, delivery, told, today))

    def _today(self, at: datetime) -> date:
        return at.astimezone(self._time_zone).date()
