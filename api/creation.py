"""From a plan line to a running order, once, however often and by how many it is asked for."""

from typing import Any
from uuid import UUID

from fastapi.responses import JSONResponse
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool

from api import order_lots
from api.deps import Caller
from api.documents import order_id, work_order_id
from api.errors import not_found
from api.gate import PREFIX
from api.permissions import DIRECT
from api.replanning import audit_refusal, split_already
from db import audit
from db.queries import plan_lines
from db.queries.specification import load_specification
from db.session import reading
from domain.errors import Refused
from domain.rules.common import check
from domain.specification import OrderSpecification


async def from_plan(who: Caller, plan_id: UUID) -> JSONResponse:
    """200 with the order, 202 when it is started but not in the record yet."""
    known, specification = await run_in_threadpool(_prepare, who, plan_id)
    if specification is None:
        return JSONResponse(known)
    command_id = f"create/{specification.number}"
    outcome = await who.services.outcomes.ask(command_id, lambda: who.services.orders.start(specification))
    recorded = await run_in_threadpool(_recorded, who, specification.number)
    if recorded is not None:
        return JSONResponse(recorded)
    numbers = [work_order.number for work_order in specification.work_orders]
    body = _shown(specification.number, "draft", numbers)
    url = f"{PREFIX}/commands/{command_id}"
    return JSONResponse(body | {"outcomeUrl": url}, 202 if outcome is None else 200, {"Location": url})


def _prepare(who: Caller, plan_id: UUID) -> tuple[dict[str, Any], OrderSpecification | None]:
    with reading(who.services.engine) as connection:
        line: Row[Any] | None = plan_lines.find(connection, plan_id)
    if line is None:
        raise not_found("plan line", plan_id)
    who.may("createOrder", f"plan-line/{line.reference}", DIRECT["createOrder"])
    known = _recorded(who, line.order_number)
    if known is not None:
        return known, None
    try:
        return {}, _frozen(who, plan_id)
    except Refused as refused:
        audit_refusal(who, "createOrder", f"plan-line/{line.reference}", refused)
        raise


def _frozen(who: Caller, plan_id: UUID) -> OrderSpecification:
    """What the order of a line will be; from the commit on the line stands for its order."""
    with who.services.engine.begin() as connection:
        entries: list[audit.Entry] = []

        def give(line: Row[Any]) -> str:
            number, said = order_lots.of_line(connection, who, line)
            entries.extend(said)
            new = {"batchNumber": number, "isGiven": True}
            entries.append(who.entry("plan-line.numbered", f"plan-line/{line.reference}", new=new))
            return number

        line = plan_lines.with_batch_number(connection, plan_id, give)
        # The line is locked: from here on it is not split any more.
        check(split_already(connection, line.reference))
        specification = load_specification(connection, line, who.id)
        specification, said = order_lots.of_components(connection, who, specification)
        audit.append(connection, [*entries, *said])
        return specification


def _recorded(who: Caller, number: str) -> dict[str, Any] | None:
    with reading(who.services.engine) as connection:
        found = plan_lines.made(connection, number)
    return None if found is None else _shown(number, *found)


def _shown(number: str, state: str, work_orders: list[str]) -> dict[str, Any]:
    return {
        "id": str(order_id(number)),
        "number": number,
        "state": state,
        "workOrders": [{"id": str(work_order_id(own)), "number": own} for own in work_orders],
    }
