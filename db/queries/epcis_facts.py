"""What happened to lots, read from the record for an export: receipts, transformations, packing, shipping, decisions.

Nothing but append-only rows and what never changes of the others is read, so the same rows give the same events.
A transformation is what a work order did for one output lot; what it consumed and made at the same moment is one
happening. What was booked as consumed and came back is one of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, String, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from db.queries.trace import LINKS, LOTS, MOVES, during
from db.tables import (
    Material,
    ProductionOrder,
    SerialNumber,
    Shipment,
    ShipmentReturn,
    StateTransition,
    WorkOrder,
    core,
)
from domain.epcis import lot_class, piece, private
from domain.epcis_events import STATUS, Amount, Happening, party

MATERIALS, ORDERS, WORK_ORDERS = core(Material), core(ProductionOrder), core(WorkOrder)
SHIPMENTS, RETURNS, SERIALS, TRANSITIONS = (
    core(Shipment),
    core(ShipmentReturn),
    core(SerialNumber),
    core(StateTransition),
)
PROCESS: Final = "PROCESS"
MADE: Final = ("produce", "rework")
"""The kinds of moves out of the process that make something; a `return` had been made before."""


class LotIdentity(NamedTuple):
    """A lot as others know it. `code` is the supplier's lot number where it has one: GS1 knows a lot by its maker."""

    number: str
    material: str
    gtin: str | None
    code: str
    origin: str
    plant: str | None
    epc: str


class Asked(NamedTuple):
    """What is exported: what happened to these lots (None: to all), and in this time. `shipped`: shipments of these
    alone; None: of all of the lots."""

    lots: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    shipped: Collection[str] | None = None


def moved(connection: Connection, since: datetime | None, until: datetime | None) -> list[str]:
    """The lots that were moved in a time."""
    statement = select(MOVES.c.lot).distinct().where(*during(MOVES.c.moved_at, since, until)).order_by(MOVES.c.lot)
    return list(connection.execute(statement).scalars())


def identities(connection: Connection, site: str, lots: Collection[str]) -> dict[str, LotIdentity]:
    """How others know the lots."""
    statement = (
        select(
            LOTS.c.number, LOTS.c.material, MATERIALS.c.gtin, LOTS.c.supplier_lot, LOTS.c.origin, ORDERS.c.plant
        )
        .join(MATERIALS, MATERIALS.c.code == LOTS.c.material)
        .outerjoin(WORK_ORDERS, WORK_ORDERS.c.number == LOTS.c.work_order)
        .outerjoin(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(LOTS.c.number == any_(bindparam("lots", list(lots), ARRAY(String))))
    )  # fmt: skip
    found = {}
    for row in connection.execute(statement):
        code = row.supplier_lot or row.number if row.origin == "received" else row.number
        epc = lot_class(site, row.material, row.gtin, code)
        found[row.number] = LotIdentity(row.number, row.material, row.gtin, code, row.origin, row.plant, epc)
    return found


class Record:
    """The record as one export reads it; the happenings of one answer are sorted by time and key."""

    def __init__(self, connection: Connection, site: str, asked: Asked) -> None:
        self.connection, self.site, self.asked = connection, site, asked
        self._known: dict[str, LotIdentity] = {}

    def happenings(self) -> list[Happening]:
        """All that is asked for."""
        found = [
            *self._transformations(), *self._moves(), *self._shipments(), *self._come_back(), *self._serials(),
            *self._decisions(),
        ]  # fmt: skip
        return sorted(found, key=lambda own: (own.at, own.kind, own.key))

    def _rows(self, statement: Any, at: Any, lot: Any) -> Sequence[Any]:
        conditions: list[ColumnElement[bool]] = during(at, self.asked.since, self.asked.until)
        if self.asked.lots is not None:
            conditions.append(lot == any_(bindparam("lots", list(self.asked.lots), ARRAY(String))))
        return list(self.connection.execute(statement.where(*conditions)))

    def _know(self, lots: Collection[str]) -> None:
        new = set(lots) - self._known.keys()
        if new:
            self._known |= identities(self.connection, self.site, new)

    def _amount(self, lot: str, quantity: Decimal | None, unit: str) -> Amount:
        return Amount(self._known[lot].epc, quantity, unit)

    def _plant(self, lot: str) -> str:
        return self._known[lot].plant or self.site

    def _transformations(self) -> Iterator[Happening]:
        links = self._rows(select(LINKS), LINKS.c.linked_at, LINKS.c.output_lot)
        made = [
            row
            for row in self._rows(
                select(MOVES).where(MOVES.c.from_place == PROCESS, MOVES.c.kind.in_(MADE)),
                MOVES.c.moved_at,
                MOVES.c.lot,
            )
            if row.work_order is not None
        ]
        self._know({lot for row in links for lot in (row.input_lot, row.output_lot)} | {row.lot for row in made})
        orders = self._orders({row.work_order for row in (*links, *made)})
        inputs: dict[tuple[str, str, datetime], list[Any]] = defaultdict(list)
        outputs: dict[tuple[str, str, datetime], list[Any]] = defaultdict(list)
        for link in links:
            if link.quantity > 0:
                inputs[link.work_order, link.output_lot, link.linked_at].append(link)
            else:
                yield self._given_back(link, orders)
        for move in made:
            outputs[move.work_order, move.lot, move.moved_at].append(move)
        for key in inputs.keys() | outputs.keys():
            yield self._transformation(key, inputs[key], outputs[key], orders)

    def _transformation(
        self, key: tuple[str, str, datetime], inputs: Sequence[Any], outputs: Sequence[Any], orders: Mapping[str, str]
    ) -> Happening:
        work_order, lot, at = key
        identity = private("transformation", self.site, work_order, lot)
        return Happening(
            "transform", f"{work_order}/{lot}/{at.timestamp()}", at, self._plant(lot),
            amounts=_summed(self._amount(row.input_lot, row.quantity, row.unit) for row in inputs),
            outputs=_summed(self._amount(row.lot, row.quantity, row.unit) for row in outputs),
            transformation=identity, transactions=self._transactions(work_order, orders),
        )  # fmt: skip

    def _given_back(self, link: Any, orders: Mapping[str, str]) -> Happening:
        return Happening(
            "giveBack", link.key, link.linked_at, self._plant(link.output_lot),
            amounts=[self._amount(link.input_lot, -link.quantity, link.unit)],
            transformation=private("transformation", self.site, link.work_order, link.output_lot),
            transactions=self._transactions(link.work_order, orders),
        )  # fmt: skip

    def _orders(self, work_orders: Collection[str]) -> dict[str, str]:
        statement = select(WORK_ORDERS.c.number, WORK_ORDERS.c.order_number).where(
            WORK_ORDERS.c.number == any_(bindparam("work_orders", list(work_orders), ARRAY(String)))
        )
        return {row.number: row.order_number for row in self.connection.execute(statement)}

    def _transactions(self, work_order: str, orders: Mapping[str, str]) -> list[tuple[str, str]]:
        return [("prodorder", private("order", self.site, orders.get(work_order, work_order)))]

    def _moves(self) -> Iterator[Happening]:
        """What came from a supplier, what was destroyed, and what a counter-report took back."""
        kinds = {"receipt": "receive", "destroy": "destroy", "reverse": "reverse"}
        own = select(MOVES, LOTS.c.supplier).join(LOTS, LOTS.c.number == MOVES.c.lot).where(MOVES.c.kind.in_(kinds))
        rows = self._rows(own, MOVES.c.moved_at, MOVES.c.lot)
        self._know({row.lot for row in rows})
        for row in rows:
            known, kind = self._known[row.lot], kinds[row.kind]
            is_receipt = kind == "receive"
            yield Happening(
                kind, row.key, row.moved_at, self._plant(row.lot),
                amounts=[self._amount(row.lot, row.quantity, row.unit)],
                giver=party(self.site, row.supplier) if is_receipt and row.supplier else None,
                taker=private("site", self.site) if is_receipt else None,
                more={"ownLot": row.lot} if is_receipt and known.code != row.lot else {},
            )  # fmt: skip

    def _shipments(self) -> Iterator[Happening]:
        steps = {"pack": SHIPMENTS.c.prepared_at, "ship": SHIPMENTS.c.ended_at, "unpack": SHIPMENTS.c.ended_at}
        ended = {"ship": "shipped", "unpack": "cancelled"}
        for kind, at in steps.items():
            own = select(SHIPMENTS, at.label("at"))
            if kind in ended:
                own = own.where(SHIPMENTS.c.state == ended[kind], SHIPMENTS.c.ended_at.is_not(None))
            if self.asked.shipped is not None:
                own = own.where(SHIPMENTS.c.lot.in_(list(self.asked.shipped)))
            rows = self._rows(own, at, SHIPMENTS.c.lot)
            self._know({row.lot for row in rows})
            yield from (self._shipment(kind, row) for row in rows)

    def _shipment(self, kind: str, row: Any) -> Happening:
        leaves = kind == "ship"
        return Happening(
            kind, row.number, row.at, self._plant(row.lot), amounts=[self._amount(row.lot, row.quantity, row.unit)],
            parent=None if leaves else private("unit", self.site, row.number),
            transactions=[("desadv", private("shipment", self.site, row.number))],
            giver=private("site", self.site) if leaves else None,
            taker=party(self.site, row.consignee) if leaves else None,
        )  # fmt: skip

    def _come_back(self) -> Iterator[Happening]:
        own = select(RETURNS, SHIPMENTS.c.lot, SHIPMENTS.c.unit, SHIPMENTS.c.consignee).join(
            SHIPMENTS, SHIPMENTS.c.number == RETURNS.c.shipment
        )
        if self.asked.shipped is not None:
            own = own.where(SHIPMENTS.c.lot.in_(list(self.asked.shipped)))
        rows = self._rows(own, RETURNS.c.returned_at, SHIPMENTS.c.lot)
        self._know({row.lot for row in rows})
        for row in rows:
            yield Happening(
                "comeBack", row.key, row.returned_at, self._plant(row.lot),
                amounts=[self._amount(row.lot, row.quantity, row.unit)],
                transactions=[("rma", private("shipment", self.site, row.shipment))],
                giver=party(self.site, row.consignee), taker=private("site", self.site),
            )  # fmt: skip

    def _serials(self) -> Iterator[Happening]:
        rows = self._rows(select(SERIALS).order_by(SERIALS.c.serial), SERIALS.c.registered_at, SERIALS.c.lot)
        self._know({row.lot for row in rows})
        together: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in rows:
            together[row.command_id, row.lot].append(row)
        for (command, lot), own in together.items():
            gtin = self._known[lot].gtin
            yield Happening(
                "commission", f"{command}/{lot}", own[0].registered_at, self._plant(lot),
                pieces=[piece(self.site, gtin, row.serial) for row in own], lot=lot,
            )  # fmt: skip

    def _decisions(self) -> Iterator[Happening]:
        own = select(TRANSITIONS).where(TRANSITIONS.c.entity == "lot", TRANSITIONS.c.event.in_(STATUS))
        rows = self._rows(own, TRANSITIONS.c.at, TRANSITIONS.c.entity_id)
        self._know({row.entity_id for row in rows})
        for row in rows:
            if row.entity_id in self._known:
                yield Happening(
                    row.event, f"{row.entity_id}/{row.id}", row.at, self._plant(row.entity_id),
                    amounts=[self._amount(row.entity_id, None, "")],
                )  # fmt: skip


def _summed(amounts: Iterator[Amount]) -> list[Amount]:
    """One amount for each class and unit, sorted."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for amount in amounts:
        sums[amount.epc, amount.unit] += amount.quantity or 0
    return [Amount(epc, quantity, unit) for (epc, unit), quantity in sorted(sums.items())]
