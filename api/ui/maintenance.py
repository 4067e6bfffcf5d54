"""Maintenance orders: what has failed or falls due, how far its repair is, and the next step of whoever's it is."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from api.routing import Router
from api.ui.ask import route_of
from api.ui.calls import read
from api.ui.shell import PageRoute, page, roles_of

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
LINE: Final = ("requested", "approved", "scheduled", "inProgress", "workDone", "verified", "closed")
"""The usual way; `requalifying` stands in the place of `workDone`."""
OVER: Final = frozenset({"closed", "cancelled"})
ASIDE: Final = "cancelMaintenance"


@router.get("/maintenance")
async def listed(
    request: Request,
    equipment: Annotated[str, Query(max_length=80)] = "",
    show: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Orders, newest first; `show`: all, else those that are not over."""
    found = await read(request, "/maintenance-orders", equipment=equipment or None)
    orders = [own for own in found["maintenanceOrders"] if show == "all" or own["state"] not in OVER]
    return page(request, "maintenance_orders.html", orders=orders, equipment=equipment, show=show, live="maintenance")


@router.get("/maintenance/{maintenance_id}")
async def one(maintenance_id: UUID, request: Request) -> Response:
    """One order: its state line, what was done with which parts, its history, and what can be done now."""
    order = await read(request, f"/maintenance-orders/{maintenance_id}")
    now = "workDone" if order["state"] == "requalifying" else order["state"]
    return page(
        request, "maintenance_order.html", order=order, live="maintenance", line=LINE,
        at=LINE.index(now) if now in LINE else -1, acts=_acts(order, maintenance_id), aside=ASIDE,
    )  # fmt: skip


def _acts(order: dict[str, Any], identity: UUID) -> list[tuple[str, str, list[str]]]:
    """(command, address, roles) of what is possible now; giving it up stands last."""
    names = sorted(order["possible"], key=lambda name: name == ASIDE)
    return [(name, route_of(name).format(maintenance_id=identity), sorted(roles_of(name))) for name in names]
