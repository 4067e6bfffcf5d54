"""The warehouse: pick lists of work orders, receipts, lots, stock."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from adapters.inventory.ledger import RECEIVING
from adapters.inventory.movements import ZONES
from adapters.inventory.port import MaterialNeed
from api import documents, receipts
from api.commands import PICK_LIST, WORK_ORDER, perform
from api.deps import Caller, Reading, Who, With, only
from api.errors import not_found
from api.history import Folded
from api.openapi import LATER, of_command
from api.receipts import Delivery, Numbering
from api.routes.work_orders import read
from api.routing import Router
from api.shapes import MAX_INT, Body, Code, CommandBody, Identifier, Positive, ScanBody, Text
from db.queries import proposals as proposals_of
from db.queries import reports, signatures, stock
from db.queries.marking import MARK, NONCONFORMING, marked
from db.session import reading
from db.tables import OUTSIDE_PLACES
from domain import commands as c
from domain.quantities import plain
from domain.states import PickListState, PutAwayState
from workflows.equipment_clock import EquipmentClockWorkflow

router = Router(prefix="/wms", tags=["warehouse"])
Keeper = Annotated[Caller, Depends(only("receive", "lot"))]


NOT_FOR_PUT_AWAY = (*OUTSIDE_PLACES, RECEIVING)
"""Deliveries come in at receiving: what is made here never goes there."""


class ReceiptBody(CommandBody):
    """A delivery of one lot.

    Without a `lot` it gets the next number of the plant's pattern for raw material, dated today (UTC). `plant` may be
    left out where only one plant has such a pattern; `line` and `process` are needed where the pattern writes them.
    """

    lot: Identifier | None = None
    material: Identifier
    quantity: Positive
    unit: Annotated[str, Query(min_length=1, max_length=40)]
    place: Identifier = "RECEIVING"
    supplier: Text | None = None
    expires_on: date | None = None
    supplier_lot: Identifier | None = None
    retest_on: date | None = None
    plant: Identifier | None = None
    line: Code | None = None
    process: Code | None = None


class FromReportBody(ScanBody):
    """Which report, where to, how much (everything good when it is not given)."""

    report_number: Identifier
    place: Identifier
    quantity: Positive | None = None


class ReturnLineBody(Body):
    """A quantity of an issued lot that goes back unused, or to scrap. `reason` defaults to that of the return."""

    line: Annotated[int, Field(ge=0, le=MAX_INT)]
    lot: Identifier
    quantity: Positive
    unit: Annotated[str, Field(min_length=1, max_length=40)]
    disposition: c.ReturnDisposition = c.ReturnDisposition.TO_STOCK
    reason: Annotated[str, Field(max_length=1000)] | None = None


class ReturnBody(CommandBody):
    """What goes back from the line."""

    lines: tuple[ReturnLineBody, ...] = Field(min_length=1, max_length=200)


class ChosenBody(Body):
    """Lots to be taken first for a line, in this order."""

    line: Annotated[int, Field(ge=0, le=MAX_INT)]
    lots: tuple[Identifier, ...] = Field(min_length=1, max_length=50)


class ChooseBody(CommandBody):
    """Lots instead of those that expire first."""

    choice: tuple[ChosenBody, ...] = Field(min_length=1, max_length=200)


@router.get("/outbound-orders/{pick_list_id}")
def pick_list(pick_list_id: UUID, having: With) -> dict[str, Any]:
    """One pick list."""
    return read(having, PICK_LIST, pick_list_id, lambda folded, number: documents.pick_list(folded.process, number))


@router.get("/outbound-orders/{pick_list_id}/inventory-validation")
def inventory_validation(pick_list_id: UUID, having: With) -> dict[str, Any]:
    """What the warehouse has for every line: required, available, held, expired, reserved elsewhere, short.

    What this pick list has reserved is available to it. Once it is issued, nothing is short.
    """

    def needs(folded: Folded, number: str) -> dict[str, Any]:
        own, specification = folded.process.work_order(number)
        return {
            "number": number,
            "state": own.pick_list.state if own.pick_list else None,
            "needs": [MaterialNeed(**line.model_dump(exclude={"operation"})) for line in specification.materials],
        }

    found = read(having, PICK_LIST, pick_list_id, needs)
    # What was issued has left the warehouse: the shelves say nothing about it any more.
    issued = found["state"] == PickListState.ISSUED
    lines = having.inventory.coverage(found["number"], found["needs"])
    short = [Decimal(0) if issued else max(line.required - line.available, Decimal(0)) for line in lines]
    return {
        "workOrder": found["number"],
        "state": found["state"],
        "covered": not any(short),
        "lines": [
            line.model_dump(mode="json", by_alias=True) | {"short": plain(missing)}
            for line, missing in zip(lines, short, strict=True)
        ],
    }


def _plain(path: str, kind: type[c.Command]) -> None:
    async def command(pick_list_id: UUID, body: CommandBody, who: Who) -> Response:
        return await perform(who, kind, PICK_LIST, pick_list_id, body)

    router.add_api_route(
        f"/outbound-orders/{{pick_list_id}}/{path}", command, methods=["POST"], name=path, **of_command(kind)
    )


for _path, _kind in (
    ("preallocate-inventory", c.AllocateMaterials),
    ("approve", c.ApprovePickList),
):
    _plain(_path, _kind)


@router.post("/outbound-orders/{pick_list_id}/choose-lots", responses=LATER)
async def choose_lots(pick_list_id: UUID, body: ChooseBody, who: Who) -> Response:
    """Take other lots than those that expire first, for a reason; what they do not cover is taken as proposed.

    Command `chooseLots`, for: supervisor. An exception of the batch record.
    """
    return await perform(who, c.ChooseLots, PICK_LIST, pick_list_id, body)


@router.post("/outbound-orders/{pick_list_id}/execute", responses=LATER)
async def execute(pick_list_id: UUID, body: ScanBody, who: Who) -> Response:
    """Hand the reserved lots to the line; every one of them among the `scans`, where the policy asks for it.

    Command `issuePickList`, for: warehouseKeeper.
    """
    return await perform(who, c.IssuePickList, PICK_LIST, pick_list_id, body)


@router.post("/outbound-orders/{pick_list_id}/return", responses=LATER)
async def return_materials(pick_list_id: UUID, body: ReturnBody, who: Who) -> Response:
    """Give back what was issued and is not consumed: to the place it came from, to quarantine if its lot was stopped.

    Command `returnMaterials`, for: warehouseKeeper, operator.
    """
    return await perform(who, c.ReturnMaterials, PICK_LIST, pick_list_id, body)


@router.post("/inbound-orders/from-production-report", responses=LATER)
async def from_report(body: FromReportBody, who: Who) -> Response:
    """Bring what was reported into the warehouse: the put-away of the report's work order."""
    work_order_id = await run_in_threadpool(_work_order_of, who, body.report_number)
    return await perform(who, c.PutAway, WORK_ORDER, work_order_id, body)


@router.get("/put-away-orders/{put_away_id}/proposals")
def proposals(put_away_id: UUID, reading: Reading, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> dict[str, Any]:
    """Places whose zone fits the lot's status, best first, each with its reason.

    SAME_LOT: some of the lot lies there; SAME_MATERIAL: another lot of the material does; PLANT_POLICY: the plant's
    policy names it; EMPTY: nothing lies there; ZONE_FITS: other materials do. A put-away that is over gets none.
    Quantities are in `unit`. 404 when there is no such put-away order.
    """
    found = proposals_of.put_away(reading, put_away_id)
    if found is None:
        raise not_found("put-away order", put_away_id)
    zones = ZONES[found.status]
    is_stopped = found.status in NONCONFORMING
    is_open = found.state not in (PutAwayState.DONE, PutAwayState.CANCELLED)
    places = proposals_of.places(reading, found, zones, NOT_FOR_PUT_AWAY, limit) if is_open else ()
    return {
        "id": str(put_away_id), "number": found.number, "state": found.state, "lot": found.lot,
        "lotStatus": found.status, MARK: is_stopped, "material": found.material, "unit": found.unit,
        "zones": list(zones),
        "proposals": [
            {
                "place": row.code, "name": row.name, "zone": row.zone,
                "reason": proposals_of.REASONS[row.reason],
                "lotOnHand": plain(row.of_lot or Decimal(0)), "materialOnHand": plain(row.of_material or Decimal(0)),
            }
            for row in places
        ],
    }  # fmt: skip


def _work_order_of(who: Caller, report_number: str) -> UUID:
    with reading(who.services.engine) as connection:
        number = reports.work_order_of(connection, report_number)
    if number is None:
        raise not_found("production report", report_number)
    return documents.work_order_id(number)


@router.post("/receipts")
async def receive(body: ReceiptBody, who: Keeper) -> dict[str, Any]:
    """Goods receipt into quarantine, with the inspection that the material's plan asks for.

    Without a `lot` the answer has `lotNumber`, as `generate-batch-no` answers it: the same command, the same number.
    """
    answer = await run_in_threadpool(_receive, body, who)
    if body.expires_on is not None or body.retest_on is not None:
        await who.services.orders.tell_clock(EquipmentClockWorkflow)  # there is a date to look at
    return answer


def _receive(body: ReceiptBody, who: Caller) -> dict[str, Any]:
    delivery = Delivery(
        body.lot, body.material, body.quantity, body.unit, body.place, body.supplier, body.expires_on,
        body.supplier_lot, body.retest_on,
    )  # fmt: skip
    return receipts.receive(who, body.command_id, delivery, Numbering(body.plant, body.line, body.process))


@router.get("/lots/{lot}")
def lot(lot: Identifier, reading: Reading) -> dict[str, Any]:
    """One lot with its status, where it lies, and the signatures under what made it."""
    found = stock.lot(reading, lot)
    if found is None:
        raise not_found("lot", lot)
    signed = [] if found["workOrder"] is None else signatures.of_batch(reading, found["workOrder"])
    shown: dict[str, Any] = marked(reading, found | {"signatures": signed})
    return shown


@router.get("/stock")
def listed(
    reading: Reading,
    lot: Identifier | None = None,
    material: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """What lies where."""
    return {"stock": marked(reading, stock.balances(reading, lot, material, limit))}
