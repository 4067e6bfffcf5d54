"""Shipments: who got how much of which batch, when and how; and what came back."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import Field
from sqlalchemy import Connection

from adapters.inventory import shipping
from adapters.inventory.shipping import Wanted
from api.deps import Caller, Reading, only
from api.direct_acts import act
from api.errors import not_found
from api.routing import Router
from api.security import now
from api.shapes import CommandBody, Identifier, LongText, Positive, ReasonedBody, Text
from db.once import Request
from db.queries import shipments as tables
from db.queries.marking import marked
from domain.base import Message
from domain.shipping_states import ShipmentState

router = Router(prefix="/wms/shipments", tags=["shipments"])
Shipper = Annotated[Caller, Depends(only("shipGoods", "shipment"))]
Taker = Annotated[Caller, Depends(only("takeBackGoods", "shipment"))]


class ShipmentBody(CommandBody):
    """What is sent to whom. Product, name and strength are those of the lot's material."""

    lot: Identifier
    quantity: Positive
    unit: Annotated[str, Field(min_length=1, max_length=40)]
    place: Identifier
    consignee: Text
    address: LongText
    contact: Text
    transport: Text


class TakeBackBody(ReasonedBody):
    """What comes back of a shipment, and where it is put: a place in quarantine."""

    quantity: Positive
    place: Identifier


class ShipmentAnswer(Message):
    """The number of a shipment, and how it stood when this was answered."""

    shipment: str
    state: ShipmentState


def _request(who: Caller, kind: str, subject: str, body: CommandBody) -> Request:
    content = body.model_dump(exclude={"command_id", "signature", "second"})
    return Request(kind, subject, body.command_id, who.id, now(), content)


def _today(who: Caller) -> date:
    """Which day it is in the plant: a lot may be used on the day of its expiry, and not after it."""
    return now().astimezone(ZoneInfo(who.services.settings.time_zone)).date()


def _shown(answer: ShipmentAnswer, body: CommandBody) -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id, "accepted": True}


@router.post("")
def prepare(body: ShipmentBody, who: Shipper) -> dict[str, Any]:
    """Prepare a shipment: its stock is reserved. Refused with everything that stands in the way."""
    request = _request(who, "prepareShipment", f"lot/{body.lot}", body)
    fields = body.model_dump(exclude=set(CommandBody.model_fields))
    wanted = Wanted(**fields | {"quantity": Decimal(body.quantity)})

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[ShipmentAnswer, shipping.Entries]:
        number, entries = shipping.prepare(connection, request, wanted, _today(who))
        return ShipmentAnswer(shipment=number, state=ShipmentState.PREPARED), entries

    return _shown(act(who, request, ShipmentAnswer, work), body)


@router.post("/{shipment}/dispatch")
def dispatch(shipment: Identifier, body: CommandBody, who: Shipper) -> dict[str, Any]:
    """The goods leave. Refused when the lot was stopped since the shipment was prepared."""
    request = _request(who, "dispatchShipment", f"shipment/{shipment}", body)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[ShipmentAnswer, shipping.Entries]:
        entries = shipping.ship(connection, request, shipment, _today(who))
        return ShipmentAnswer(shipment=shipment, state=ShipmentState.SHIPPED), entries

    return _shown(act(who, request, ShipmentAnswer, work), body)


@router.post("/{shipment}/cancel")
def cancel(shipment: Identifier, body: ReasonedBody, who: Shipper) -> dict[str, Any]:
    """The goods stay: what was reserved for them is free."""
    request = _request(who, "cancelShipment", f"shipment/{shipment}", body)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[ShipmentAnswer, shipping.Entries]:
        entries = shipping.cancel(connection, request, shipment, body.reason)
        return ShipmentAnswer(shipment=shipment, state=ShipmentState.CANCELLED), entries

    return _shown(act(who, request, ShipmentAnswer, work), body)


@router.post("/{shipment}/take-back")
def take_back(shipment: Identifier, body: TakeBackBody, who: Taker) -> dict[str, Any]:
    """A part of what was shipped comes back, into quarantine."""
    request = _request(who, "takeBackShipment", f"shipment/{shipment}", body)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[ShipmentAnswer, shipping.Entries]:
        quantity = Decimal(body.quantity)
        entries = shipping.take_back(connection, request, shipment, quantity, body.place, body.reason)
        return ShipmentAnswer(shipment=shipment, state=ShipmentState.SHIPPED), entries

    return _shown(act(who, request, ShipmentAnswer, work), body)


@router.get("")
def listed(
    reading: Reading,
    lot: Identifier | None = None,
    consignee: Text | None = None,
    state: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """Shipments, newest first."""
    lots = None if lot is None else [lot]
    found = tables.page(reading, lots=lots, consignee=consignee, state=state, limit=limit)
    return {"shipments": marked(reading, found)}


@router.get("/{shipment}")
def detail(shipment: Identifier, reading: Reading) -> dict[str, Any]:
    """One shipment."""
    found: list[dict[str, Any]] = marked(reading, tables.page(reading, number=shipment))
    if not found:
        raise not_found("shipment", shipment)
    return found[0]
