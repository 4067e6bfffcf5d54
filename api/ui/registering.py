"""Forms of what is registered once and changed now and then: endpoints, outside systems, devices at workstations."""

from typing import Any

from fastapi import Request, Response

from api.errors import Problem, not_found
from api.routing import Router
from api.ui.calls import read
from api.ui.shell import PageRoute, may, page
from domain.devices import DeviceKind
from domain.outbound import MessageFormat

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)


def _only(request: Request, action: str) -> None:
    if not may(request, action):
        raise Problem(403, "NOT_AUTHORISED", f"your role may not {action}")


def _one(rows: list[dict[str, Any]], key: str, value: str, kind: str) -> dict[str, Any]:
    """The row of that key; an empty one for a new one."""
    if not value:
        return {}
    found = next((row for row in rows if row[key] == value), None)
    if found is None:
        raise not_found(kind, value)
    return found


@router.get("/interfaces/endpoints/new")
async def new_endpoint(request: Request) -> Response:
    """The form of a new endpoint."""
    return await endpoint("", request)


@router.get("/interfaces/endpoints/{code}")
async def endpoint(code: str, request: Request) -> Response:
    """The form of an endpoint, with what it says now."""
    _only(request, "manageInterfaces")
    found = (await read(request, "/integration/endpoints"))["endpoints"]
    return page(
        request, "endpoint.html", own=_one(found, "code", code, "endpoint"), formats=[str(own) for own in MessageFormat]
    )


@router.get("/interfaces/systems/new")
async def new_system(request: Request) -> Response:
    """The form of a new outside system."""
    return await system("", request)


@router.get("/interfaces/systems/{account}")
async def system(account: str, request: Request) -> Response:
    """The form of an outside system, with what it says now."""
    _only(request, "manageInterfaces")
    found = await read(request, "/integration/systems")
    people = await read(request, "/users")
    machines = [own["id"] for own in people if "integration" in own["roles"]]
    return page(
        request, "system.html", own=_one(found["systems"], "account", account, "system"), kinds=found["kinds"],
        machines=machines,
    )  # fmt: skip


@router.get("/devices")
async def devices(request: Request) -> Response:
    """Terminals and scanners, and the workstations that each is registered for."""
    found = (await read(request, "/devices"))["devices"]
    return page(request, "devices.html", devices=found, live="device", may_write=may(request, "registerDevice"))


@router.get("/devices/new")
async def new_device(request: Request) -> Response:
    """The form of a new device."""
    return await device("", request)


@router.get("/devices/{code}")
async def device(code: str, request: Request) -> Response:
    """The form of a device, with what it says now."""
    _only(request, "registerDevice")
    found = (await read(request, "/devices", limit=1000))["devices"]
    return page(request, "device.html", own=_one(found, "code", code, "device"), kinds=[str(own) for own in DeviceKind])
