"""Genealogy: where lots came from and where they went.

`since` (included) and `until` (not included) limit a trace to what was consumed in that time.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator
from sqlalchemy import Connection

from api.deps import Caller, Reading
from api.errors import not_found
from api.routing import Router
from api.shapes import Identifier, Time, storable
from api.trace_scope import Looking, documents_inside, lots_inside, traced
from db import serials
from db.queries import master_data, stock
from db.queries.marking import marked
from db.queries.trace import Direction, LotUnknown, Trace
from db.queries.trace_across import Across
from db.queries.trace_batch import BatchSummary, batch_summary, validate_batch
from domain.quantities import plain

router = Router(prefix="/mes/traceabilities", tags=["traces"])
Document = dict[str, Any]
MOST_LOTS = 200


def _storable(value: str) -> str:
    if not storable(value):
        raise ValueError("a text holds a character that cannot be stored")
    return value


LotNumber = Annotated[str, AfterValidator(_storable)]
Since = Annotated[Time | None, Query()]


@router.get("/lots/{lot:path}")
def of_lot(
    lot: LotNumber,
    reading: Reading,
    who: Looking,
    direction: Literal["forward", "backward", "both"] = "both",
    since: Since = None,
    until: Since = None,
) -> Document:
    """The trace of a lot, all levels."""
    return _of_lot(reading, who, lot, direction, since, until)


def _of_lot(reading: Connection, who: Caller, lot: str, direction: Direction, since: Since, until: Since) -> Document:
    found = traced(reading, who, (lot,), direction, since, until)
    if all(node.lot != lot for node in found.nodes):
        raise not_found("lot", lot)
    return _head(found, lot, direction) | documents_inside(reading, who, found)


def _head(found: Across, lot: str, direction: Direction) -> Document:
    return Trace(lot, direction, found.nodes, found.edges).head()


@router.get("/forward-trace/{product_id}")
def forward(
    product_id: Identifier, reading: Reading, who: Looking, since: Since = None, until: Since = None
) -> Document:
    """Where the lots of a product went; `product_id` is the product's uuid or code, or the number of one lot."""
    return _of_product(reading, who, product_id, "forward", since, until)


@router.get("/backward-trace/{product_id}")
def backward(
    product_id: Identifier, reading: Reading, who: Looking, since: Since = None, until: Since = None
) -> Document:
    """What the lots of a product were made from; `product_id` as in forward-trace."""
    return _of_product(reading, who, product_id, "backward", since, until)


def _of_product(
    reading: Connection, who: Caller, product: str, direction: Direction, since: Since, until: Since
) -> Document:
    code = _code(reading, product)
    lots = stock.lots_of(reading, code, MOST_LOTS + 1)
    if not lots and not master_data.by_key(reading, master_data.MATERIALS, [code], "code"):
        return _of_lot(reading, who, product, direction, since, until)
    walked = lots_inside(reading, who, lots[:MOST_LOTS])
    found = traced(reading, who, walked, direction, since, until)
    return {
        "product": product,
        "direction": direction,
        "lots": walked,
        "complete": len(lots) <= MOST_LOTS,
        **documents_inside(reading, who, found),
    }


def _code(reading: Connection, product: str) -> str:
    try:
        identity = UUID(product)
    except ValueError:
        return product
    return master_data.code_of(reading, identity) or product


@router.get("/batch/{batch_no}")
def of_batch(
    batch_no: Identifier, reading: Reading, who: Looking, since: Since = None, until: Since = None
) -> Document:
    """The trace of a batch in both directions."""
    return _of_lot(reading, who, batch_no, "both", since, until)


@router.get("/serial/{serial_no:path}")
def of_serial(
    serial_no: Identifier, reading: Reading, who: Looking, since: Since = None, until: Since = None
) -> Document:
    """The trace of a piece: of the lot that its serial number was registered for, in both directions.

    Which of a lot's pieces went where is not in the record. A number that is no serial number but one of a lot is
    traced as that lot: a lot of one piece.
    """
    piece = serials.find(reading, serial_no)
    lot = serial_no if piece is None else piece.lot
    around = traced(reading, who, (lot,), "both", since, until)
    if all(node.lot != lot for node in around.nodes):
        raise not_found("serial number", serial_no)
    found = _head(around, lot, "both") | documents_inside(reading, who, around)
    known = {} if piece is None else {"registeredBy": piece.registered_by, "registeredAt": piece.registered_at}
    (own,) = (node for node in found["nodes"] if node["lot"] == lot)
    return {"serialNo": serial_no, "material": own["material"], **known, **found}


@router.get("/batch/{batch_no}/summary")
def summary(batch_no: Identifier, reading: Reading, who: Looking, since: Since = None, until: Since = None) -> Document:
    """A batch on one page.

    With a time range, `quantity`, `inputs`, `usedIn`, `deviations` and `serials` are those of that time and `onHand` is
    what was left at its end. The states are those of now.
    """
    try:
        found = batch_summary(reading, batch_no, since, until)
    except LotUnknown:
        raise not_found("lot", batch_no) from None
    inside = set(lots_inside(reading, who, [row.lot for row in found.inputs]))
    shown: Document = marked(reading, _page(found, inside))
    return shown


def _page(found: BatchSummary, inside: set[str]) -> Document:
    return {
        "lot": found.lot, "material": found.material, "unit": found.unit, "status": found.status,
        "origin": found.origin, "quantity": plain(found.quantity), "onHand": plain(found.on_hand),
        "workOrder": found.work_order, "orderNumber": found.order_number, "orderState": found.order_state,
        "usedIn": found.used_in, "deviations": found.deviations, "serials": found.serials,
        "inputs": [
            {"workOrder": row.work_order, "lot": row.lot, "material": row.material, "quantity": plain(row.quantity),
             "unit": row.unit}
            for row in found.inputs
            if row.lot in inside
        ],
    }  # fmt: skip


@router.get("/batch/{batch_no}/validate/{product_id}")
def validate(
    batch_no: Identifier,
    product_id: Identifier,
    reading: Reading,
    who: Looking,
    since: Since = None,
    until: Since = None,
) -> Document:
    """Whether a batch is what it is said to be; `reasons` say why not. A time range compares what is of that time."""
    found = validate_batch(reading, batch_no, _code(reading, product_id), since, until)
    return {"batchNo": batch_no, "valid": found.valid, "reasons": list(found.reasons)}
