"""Goods receipts: a delivery of one lot, under the number that it came with or under one of the plant's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from adapters.inventory.movements import check_delivery
from adapters.inventory.port import ReceiptAnswer
from api import lot_numbers
from api.deps import Caller
from api.errors import Problem, refused
from api.lot_numbers import LotNumber
from api.neighbours import once
from api.security import now
from api.signatures import reused
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from db.queries import numbers
from db.session import reading
from domain.errors import Blocker
from domain.numbering import Parts
from domain.states import LotStatus

KIND: Final = "raw"
"""What a supplier delivers is numbered as raw material, whatever becomes of it here."""


@dataclass(frozen=True)
class Delivery:
    """What came, and where it was put. Without a `lot` the plant's pattern makes its number."""

    lot: str | None
    material: str
    quantity: Decimal
    unit: str
    place: str
    supplier: str | None
    expires_on: date | None
    supplier_lot: str | None = None
    retest_on: date | None = None


@dataclass(frozen=True)
class Numbering:
    """What the number of a new lot is made of: whose pattern, and the parts that it may ask for."""

    plant: str | None
    line: str | None
    process: str | None


def receive(who: Caller, command_id: str, delivery: Delivery, numbering: Numbering) -> dict[str, Any]:
    """Book a delivery into quarantine and ask for its inspection; the same command has one effect and one answer.

    Refuses what `Inventory.receive` does, and for a number of its own 409 NO_PATTERN, PLANT_NEEDED, SERIES_EXHAUSTED
    and 422 PARTS_REFUSED; then nothing was booked, and no number was given.
    """
    warehouse, quality = who.services.inventory, who.services.quality
    if delivery.lot is not None:
        _check_unused(who, delivery.lot)
    given = None if delivery.lot is not None else _number(who, command_id, delivery, numbering)
    lot = delivery.lot if given is None else given.batch_no
    assert lot is not None
    received = once(
        command_id,
        lambda key: warehouse.receive(
            lot, delivery.material, delivery.quantity, delivery.unit, delivery.place, delivery.supplier,
            delivery.expires_on, key=key, actor=who.id, supplier_lot=delivery.supplier_lot,
            retest_on=delivery.retest_on,
        ),
    )  # fmt: skip
    # A crash in between is healed by sending the same command again: each request has a key of its own.
    ticket = once(
        f"{command_id}/inspection",
        lambda key: quality.request_inspection(lot, delivery.material, None, None, key=key, actor=who.id),
    )
    inspection = ticket.model_dump(mode="json", by_alias=True)
    answer = received.model_dump(mode="json", by_alias=True) | {"commandId": command_id, "inspection": inspection}
    return answer if given is None else answer | {"lotNumber": given.model_dump(mode="json", by_alias=True)}


def _check_unused(who: Caller, lot: str) -> None:
    """What was planned to be made here keeps its number for ever, also when it was cancelled (PO-05)."""
    with reading(who.services.engine) as connection:
        kept = numbers.planned_as(connection, lot)
    if kept is not None:
        raise refused("BATCH_NO_USED", "lot", lot, f"the number of {kept}", "a number of its own", "warehouseKeeper")


def _number(who: Caller, command_id: str, delivery: Delivery, numbering: Numbering) -> LotNumber:
    """The lot number of this command: given once, and only to a delivery that a new lot can take."""
    is_used = who.services.inventory.find(command_id) is not None

    def work(connection: Connection) -> Done[LotNumber]:
        if is_used:
            # The delivery under this command came with a number of its own.
            raise reused(command_id)
        today = now().astimezone(ZoneInfo(who.services.settings.time_zone)).date()
        check_delivery(connection, _booked(delivery), delivery.supplier, today)
        parts = Parts(1, None, numbering.line, numbering.process)
        pattern = _pattern(connection, numbering.plant)
        (number,), entries = lot_numbers.by_pattern(connection, who, pattern, parts, command_id=command_id)
        return Done(number, entries)

    def ask(_: str) -> LotNumber:
        key = f"{command_id}/lot"
        later = ("supplier_lot", "retest_on")
        said = {name: own for name, own in vars(delivery).items() if name not in later or own is not None}
        content = said | vars(numbering)
        request = Request("numberReceipt", f"receipt/{command_id}", key, who.id, now(), content)
        return answer_once(who.services.engine, "record", COMMAND_OUTCOMES, request, LotNumber, work)

    return once(command_id, ask)


def _booked(delivery: Delivery) -> ReceiptAnswer:
    return ReceiptAnswer(
        lot="", material=delivery.material, quantity=delivery.quantity, unit=delivery.unit, place=delivery.place,
        lot_status=LotStatus.QUARANTINE,
    )  # fmt: skip


def _pattern(connection: Connection, plant: str | None) -> Row[Any]:
    """The plant's newest pattern for what is delivered; without a plant, that of the only plant that has one."""
    if plant is not None:
        return lot_numbers.newest(connection, plant, KIND)
    newest: Mapping[str, Row[Any]] = {row.plant: row for row in reversed(numbers.patterns(connection, kind=KIND))}
    if not newest:
        raise refused("NO_PATTERN", "number pattern", KIND, "none", "a pattern, or a lot number", "processEngineer")
    if len(newest) > 1:
        found = f"patterns of {', '.join(sorted(newest))}"
        blocker = Blocker(
            code="PLANT_NEEDED", entity="number pattern", id=KIND, found=found, required="the plant, or a lot number",
            who_can_fix="warehouseKeeper",
        )  # fmt: skip
        raise Problem(422, "PLANT_NEEDED", f"{found}: name the plant", blockers=(blocker,))
    return next(iter(newest.values()))
