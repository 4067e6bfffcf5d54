"""What is stuck, and whether everything that the plant's software runs on is well."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from api.errors import Problem
from api.orders_door import RPC, OrderGone, reached
from api.queues import queues
from api.roles import Role
from api.routing import Router
from api.scopes import Scope
from api.ui.calls import call
from api.ui.shell import PageRoute, page
from db.queries import stuck
from db.session import reading
from workflows.policies import EQUIPMENT_QUEUE, workflow_id

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 200
ALARMS: Final = 50
ROLES: Final = (Role.SUPERVISOR, Role.MAINTENANCE, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Process:
    """The workflow of an order as the engine knows it; `status` is empty when it knows none."""

    identity: str
    status: str = ""
    run: str = ""
    events: int = 0


async def process(client: Client, order_number: str) -> Process:
    """What the engine holds of an order. Raises 503 when it cannot be reached."""
    identity = workflow_id(order_number)
    try:
        found = await reached(client.get_workflow_handle(identity).describe(rpc_timeout=RPC))
    except OrderGone:
        return Process(identity)
    return Process(identity, found.status.name.lower() if found.status else "", found.run_id, found.history_length)


@router.get("/operations")
async def operations(request: Request, order: Annotated[str, Query(max_length=80)] = "") -> Response:
    """The page of those who keep the system going; `order`: an administrator looks for its workflow."""
    session = request.state.session
    if not {str(role) for role in ROLES} & set(session.roles):
        raise Problem(403, "NOT_AUTHORISED", f"this page is for {', '.join(ROLES)}")
    having = request.app.state.services
    inside = Scope(session.plants, session.lines).orders()

    def rows() -> dict[str, Any]:
        with reading(having.engine) as connection:
            return {
                "stuck": stuck.orders(connection, inside, SHOWN), "alarms": stuck.alarms(connection, inside, ALARMS),
                "versions": stuck.versions(connection),
            }  # fmt: skip

    try:
        found = await run_in_threadpool(rows)
    except SQLAlchemyError:
        found = {"stuck": [], "alarms": [], "versions": {}}
    ready = (await call(request, "GET", "/readyz")).document
    is_administrator = str(Role.ADMINISTRATOR) in session.roles
    engine = await _engine(request, order.strip() if is_administrator else "")
    return page(
        request, "operations.html", ready=ready, live="*", most_alarms=ALARMS,
        listener=request.app.state.changes.listening.is_set(), workflow_id=workflow_id,
        is_administrator=is_administrator, order=order, process=engine["process"],
        stuck=found["stuck"], alarms=found["alarms"],
        queues=engine["queues"], namespace=engine["namespace"],
        versions={"millwright": _own_version(), **found["versions"], **engine["versions"]},
    )  # fmt: skip


async def _engine(request: Request, order: str) -> dict[str, Any]:
    """Queues and version of the engine, and the process of an order; `queues` is none when it cannot be asked."""
    orders = request.app.state.services.orders
    try:
        client = await orders.client()
        found = await queues(client, (orders.task_queue, EQUIPMENT_QUEUE))
        known = await process(client, order) if order else None
        about = await reached(client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=RPC))
    except (Problem, OrderGone):
        return {"queues": None, "versions": {}, "namespace": "", "process": None}
    return {
        "queues": found, "versions": {"temporal": about.server_version}, "namespace": client.namespace,
        "process": known,
    }  # fmt: skip


def _own_version() -> str:
    try:
        return version("millwright")
    except PackageNotFoundError:
        return ""
