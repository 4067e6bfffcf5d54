"""Genealogy: where lots came from and where they went."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator
from sqlalchemy import Connection

from api.deps import Reading
from api.errors import not_found
from api.shapes import Identifier, Time, storable
from db.queries import master_data, stock
from db.queries.trace import Direction, LotUnknown, batch_summary, trace, validate_batch
from domain.quantities import plain

router = APIRouter(prefix="/mes/traceabilities", tags=["traces"])
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
    direction: Literal["forward", "backward", "both"] = "both",
    since: Since = None,
    until: Since = None,
) -> Document:
    """The trace of a lot, all levels."""
    try:
        return trace(reading, lot, direction, since, until).as_document()
    except LotUnknown:
        raise not_found("lot", lot) from None


@router.get("/forward-trace/{product_id}")
def forward(product_id: Identifier, reading: Reading, since: Since = None, until: Since = None) -> Document:
    """Where the lots of a product went; `product_id` is the product's uuid or code, or the number of one lot."""
    return _of_product(reading, product_id, "forward", since, until)


@router.get("/backward-trace/{product_id}")
def backward(product_id: Identifier, reading: Reading, since: Since = None, until: Since = None) -> Document:
    """What the lots of a product were made from; `product_id` as in forward-trace."""
    return _of_product(reading, product_id, "backward", since, until)


def _of_product(reading: Connection, product: str, direction: Direction, since: Since, until: Since) -> Document:
    lots = stock.lots_of(reading, _code(reading, product), MOST_LOTS + 1)
    if not lots:
        return of_lot(product, reading, direction, since, until)
    nodes: dict[str, Document] = {}
    edges: dict[tuple[str, ...], Document] = {}
    for lot in lots[:MOST_LOTS]:
        found = trace(reading, lot, direction, since, until).as_document()
        nodes |= {node["lot"]: node for node in found["nodes"]}
        edges |= {(edge["from"], edge["to"], edge["workOrder"], edge["unit"]): edge for edge in found["edges"]}
    return {
        "product": product,
        "direction": direction,
        "lots": lots[:MOST_LOTS],
        "complete": len(lots) <= MOST_LOTS,
        "nodes": [nodes[lot] for lot in sorted(nodes)],
        "edges": [edges[key] for key in sorted(edges)],
    }


def _code(reading: Connection, product: str) -> str:
    try:
        identity = UUID(product)
    except ValueError:
        return product
    return master_data.code_of(reading, identity) or product


@router.get("/batch/{batch_no}")
def of_batch(batch_no: Identifier, reading: Reading, since: Since = None, until: Since = None) -> Document:
    """The trace of a batch in both directions."""
    return of_lot(batch_no, reading, "both", since, until)


@router.get("/serial/{serial_no}")
def of_serial(serial_no: Identifier, reading: Reading, since: Since = None, until: Since = None) -> Document:
    """The trace of a single piece: a piece with a serial number is a lot of one."""
    return of_lot(serial_no, reading, "both", since, until)


@router.get("/batch/{batch_no}/summary")
def summary(batch_no: Identifier, reading: Reading) -> Document:
    """A batch on one page."""
    try:
        found = batch_summary(reading, batch_no)
    except LotUnknown:
        raise not_found("lot", batch_no) from None
    return {
        "lot": found.lot, "material": found.material, "unit": found.unit, "status": found.status,
        "origin": found.origin, "quantity": plain(found.quantity), "onHand": plain(found.on_hand),
        "workOrder": found.work_order, "orderNumber": found.order_number, "orderState": found.order_state,
        "usedIn": found.used_in, "deviations": found.deviations,
        "inputs": [
            {"workOrder": row.work_order, "lot": row.lot, "material": row.material, "quantity": plain(row.quantity),
             "unit": row.unit}
            for row in found.inputs
        ],
    }  # fmt: skip


@router.get("/batch/{batch_no}/validate/{product_id}")
def validate(batch_no: Identifier, product_id: Identifier, reading: Reading) -> Document:
    """Whether a batch is what it is said to be; `reasons` say why not."""
    found = validate_batch(reading, batch_no, _code(reading, product_id))
    return {"batchNo": batch_no, "valid": found.valid, "reasons": list(found.reasons)}
