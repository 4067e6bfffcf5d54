"""Recalls: the scope of one (all affected lots, stock, orders, shipments, customers), and how it stands."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, String, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.queries import shipments
from db.queries.trace import closure
from db.tables import Lot, Material, RecallEntry, RecallRow, core
from domain.quantities import plain
from domain.rules.recall_balance import LotBalance, Sent, by_unit, of_shipments, percentages

RECALLS: Final = core(RecallRow)
ENTRIES: Final = core(RecallEntry)
LOTS, MATERIALS = core(Lot), core(Material)
MOST_SHIPMENTS: Final = 1_000_000
Document = dict[str, Any]
_NAMES: Final = {
    "in_stock": "inStock", "with_customers": "withCustomers", "used": "used", "scrapped": "scrapped",
    "unexplained": "unexplained", "returned": "returned", "accounted": "accounted", "missing": "missing",
}  # fmt: skip

# Outside places have no balance: what went there, less what came back from there.
_BALANCES: Final = text("""
    SELECT l.number AS lot, l.unit,
        coalesce(sum(m.quantity) FILTER (WHERE f.zone = 'outside' AND m.kind <> 'return'), 0) AS made,
        coalesce((SELECT sum(on_hand) FROM stock_balance b WHERE b.lot = l.number), 0) AS in_stock,
        coalesce(sum(m.quantity) FILTER (WHERE m.to_place = 'CUSTOMER'), 0)
            - coalesce(sum(m.quantity) FILTER (WHERE m.from_place = 'CUSTOMER'), 0) AS with_customers,
        coalesce(sum(m.quantity) FILTER (WHERE m.to_place = 'PROCESS'), 0)
            - coalesce(sum(m.quantity) FILTER (WHERE m.from_place = 'PROCESS' AND m.kind = 'return'), 0) AS used,
        coalesce(sum(m.quantity) FILTER (WHERE m.to_place IN ('SCRAP', 'SUPPLIER')), 0)
            - coalesce(sum(m.quantity) FILTER (WHERE m.from_place = 'SCRAP'), 0) AS scrapped
    FROM lot l LEFT JOIN stock_move m ON m.lot = l.number LEFT JOIN place f ON f.code = m.from_place
    WHERE l.number = ANY(:lots) GROUP BY l.number ORDER BY l.number
    """).bindparams(bindparam("lots", type_=ARRAY(String)))
_STOCK: Final = text("""
    SELECT b.lot, b.place, p.zone, b.on_hand, b.reserved, l.unit FROM stock_balance b JOIN lot l ON l.number = b.lot
    JOIN place p ON p.code = b.place WHERE b.lot = ANY(:lots) AND b.on_hand > 0 ORDER BY b.lot, b.place
    """).bindparams(bindparam("lots", type_=ARRAY(String)))
_ORDERS: Final = text("""
    SELECT o.number, o.state, o.product, array_agg(DISTINCT used.lot ORDER BY used.lot) AS lots FROM (
        SELECT work_order, lot FROM reservation WHERE lot = ANY(:lots) AND state IN ('reserved', 'issued')
        UNION SELECT work_order, input_lot FROM lot_link WHERE input_lot = ANY(:lots)
        UNION SELECT work_order, number FROM lot WHERE number = ANY(:lots) AND work_order IS NOT NULL
    ) AS used JOIN work_order w ON w.number = used.work_order JOIN production_order o ON o.number = w.order_number
    GROUP BY o.number, o.state, o.product ORDER BY o.number
    """).bindparams(bindparam("lots", type_=ARRAY(String)))


def starts(connection: Connection, lot: str | None, supplier_lot: str | None) -> list[str]:
    """The lots that a recall starts from: one lot, or every lot that came under a supplier's number."""
    if lot is not None:
        statement = select(LOTS.c.number).where(LOTS.c.number == lot)
    else:
        statement = select(LOTS.c.number).where(LOTS.c.supplier_lot == supplier_lot)
    return list(connection.execute(statement.order_by(LOTS.c.number)).scalars())


def scope(connection: Connection, lots: Sequence[str]) -> Document:
    """Everything that these lots reach, as it is now: what the report of a recall freezes."""
    nodes, edges = closure(connection, lots, "forward")
    affected = [node.lot for node in nodes]
    balances = [LotBalance(**row._mapping) for row in connection.execute(_BALANCES, {"lots": affected})]
    of_lot = {own.lot: own for own in balances}
    sent = shipments.page(connection, lots=affected, limit=MOST_SHIPMENTS)
    return {
        "start": list(lots),
        "lots": [
            {"lot": node.lot, "material": node.material, "status": node.status} | _balance(of_lot[node.lot])
            for node in nodes
        ],
        "links": len(edges),
        "stock": [
            {
                "lot": row.lot, "place": row.place, "zone": row.zone, "onHand": plain(row.on_hand),
                "reserved": plain(row.reserved), "unit": row.unit,
            }
            for row in connection.execute(_STOCK, {"lots": affected})
        ],
        "orders": [
            {"orderNumber": row.number, "state": row.state, "product": row.product, "lots": list(row.lots)}
            for row in connection.execute(_ORDERS, {"lots": affected})
        ],
        "shipments": [_sent(own) for own in sent if own["state"] == "shipped"],
        "inFlight": [_sent(own) for own in sent if own["state"] == "prepared"],
        "customers": _customers(sent),
        "totals": {unit: _shares(parts) for unit, parts in sorted(by_unit(balances).items())},
    }  # fmt: skip


def _balance(own: LotBalance) -> Document:
    parts = {"made": own.made, "inStock": own.in_stock, "withCustomers": own.with_customers, "used": own.used,
             "scrapped": own.scrapped, "unexplained": own.unexplained}  # fmt: skip
    return {"unit": own.unit} | {name: plain(part) for name, part in parts.items()}


def _shares(parts: dict[str, Decimal]) -> Document:
    shares = percentages(parts)
    found = {_NAMES[name]: {"quantity": plain(part), "percent": plain(shares[name])} for name, part in parts.items()}
    total = sum(parts.values(), Decimal(0))
    return found | {"total": {"quantity": plain(total), "percent": plain(sum(shares.values(), Decimal(0)))}}


def _sent(own: Document) -> Document:
    names = (
        "number",
        "batch",
        "product",
        "strength",
        "quantity",
        "unit",
        "consignee",
        "address",
        "contact",
        "returned",
    )
    return {name: own[name] for name in names} | {"shippedAt": own["shippedAt"] and own["shippedAt"].isoformat()}


def _customers(sent: Sequence[Document]) -> list[Document]:
    """Who has to be told: each consignee with address, contact and what is out with them."""
    found: dict[tuple[str, str, str], dict[str, Decimal]] = {}
    for own in sent:
        if own["state"] == "shipped":
            units = found.setdefault((own["consignee"], own["address"], own["contact"]), {})
            out = Decimal(own["quantity"]) - Decimal(own["returned"])
            units[own["unit"]] = units.get(own["unit"], Decimal(0)) + out
    return [
        {"consignee": consignee, "address": address, "contact": contact,
         "quantities": [{"quantity": plain(quantity), "unit": unit} for unit, quantity in sorted(units.items())]}
        for (consignee, address, contact), units in sorted(found.items())
    ]  # fmt: skip


# How a recall stands ---------------------------------------------------------------------------------------------


def entries(connection: Connection, number: str) -> list[Document]:
    """What was done with customers, oldest first."""
    statement = select(ENTRIES).where(ENTRIES.c.recall == number).order_by(ENTRIES.c.id)
    return [
        {
            "kind": row.kind, "shipment": row.shipment, "consignee": row.consignee,
            "quantity": None if row.quantity is None else plain(row.quantity), "note": row.note, "by": row.actor,
            "at": row.at,
        }
        for row in connection.execute(statement)
    ]  # fmt: skip


def sent_of(connection: Connection, number: str, lots: Sequence[str]) -> list[tuple[Document, Sent]]:
    """The shipments of the affected lots, each with what came back and what was accounted for."""
    accounted = {
        row.shipment: row.quantity
        for row in connection.execute(
            select(ENTRIES.c.shipment, func.sum(ENTRIES.c.quantity).label("quantity"))
            .where(ENTRIES.c.recall == number, ENTRIES.c.kind == "accounted")
            .group_by(ENTRIES.c.shipment)
        )
    }
    found = shipments.page(connection, lots=lots, state="shipped", limit=MOST_SHIPMENTS)
    return [
        (
            own,
            Sent(
                shipment=own["number"], unit=own["unit"], shipped=Decimal(own["quantity"]),
                returned=Decimal(own["returned"]), accounted=accounted.get(own["number"], Decimal(0)),
            ),
        )
        for own in found
    ]  # fmt: skip


def reconciliation(connection: Connection, number: str, lots: Sequence[str]) -> Document:
    """Shipped = returned + accounted + missing, of each shipment and in sum (100 %)."""
    sent = sent_of(connection, number, lots)
    told = {own["consignee"] for own in entries(connection, number) if own["kind"] == "told"}
    return {
        "shipments": [
            {
                "shipment": own.shipment, "batch": row["batch"], "consignee": row["consignee"], "unit": own.unit,
                "shipped": plain(own.shipped), "returned": plain(own.returned), "accounted": plain(own.accounted),
                "missing": plain(own.missing),
            }
            for row, own in sent
        ],
        "totals": {unit: _shares(parts) for unit, parts in sorted(of_shipments([own for _, own in sent]).items())},
        "notTold": sorted({row["consignee"] for row, _ in sent} - told),
    }  # fmt: skip


def detail(connection: Connection, number: str) -> Document | None:
    """A recall with its frozen report, what was done, and how the quantities stand."""
    row = connection.execute(select(RECALLS).where(RECALLS.c.number == number)).one_or_none()
    if row is None:
        return None
    kept = row.reconciliation
    if kept is None and row.execution is not None:
        kept = reconciliation(connection, number, row.execution["lots"])
    return head(row) | {
        "scope": row.scope, "execution": row.execution, "entries": entries(connection, number), "reconciliation": kept,
    }  # fmt: skip


def head(row: Any) -> Document:
    """A recall without its long parts."""
    return {
        "number": row.number, "isMock": row.is_mock, "lot": row.lot, "supplierLot": row.supplier_lot,
        "reason": row.reason, "state": row.state, "openedBy": row.opened_by, "openedAt": row.opened_at,
        "scopedBy": row.scoped_by, "scopedAt": row.scoped_at, "scopeHash": row.scope_hash,
        "approvedBy": row.approved_by, "approvedAt": row.approved_at, "signature": row.signature_id,
        "executedBy": row.executed_by, "executedAt": row.executed_at, "hold": row.hold,
        "reconciledBy": row.reconciled_by, "reconciledAt": row.reconciled_at, "closedBy": row.closed_by,
        "closedAt": row.closed_at, "effectiveness": row.effectiveness,
    }  # fmt: skip


def page(connection: Connection, limit: int) -> list[Document]:
    """Recalls, newest first."""
    statement = select(RECALLS).order_by(RECALLS.c.opened_at.desc(), RECALLS.c.number).limit(limit)
    return [head(row) for row in connection.execute(statement)]
