"""What planners and operators do in the tests of planning anew."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from api.security import now
from db.queries import plan_lines
from tests.api.company import Company
from tests.api.words import do, go_on_to, until

WHY = "the press is down"


def own_numbers(engine: Engine, after: int) -> None:
    """The order numbers that the system gives begin here: modules have a database each, but share one engine."""
    series = plan_lines.dated(plan_lines.ORDER_PATTERN, now())
    with engine.begin() as connection:
        plan_lines.counted(connection, series, after)


async def order_of(company: Company, order: str, **query: Any) -> dict[str, Any]:
    """The order's document."""
    answer = await (await company.desk("pia")).get(f"/mes/orders/{order}", **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def line_of(company: Company, line: str) -> dict[str, Any]:
    """The plan line's document, with its family."""
    answer = await (await company.desk("pia")).get(f"/mes/plan-lines/{line}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refused(company: Company, who: str, path: str, **body: Any) -> dict[str, dict[str, str]]:
    """The blockers of a refusal, by code."""
    answer = await (await company.desk(who)).command(path, **body)
    assert answer.status_code == 409, answer.text
    return {blocker["code"]: blocker for blocker in answer.json()["blockers"]}


def audited(engine: Engine, action: str, entity: str) -> list[Any]:
    """Audit rows, oldest first."""
    query = text("SELECT * FROM audit_row WHERE action = :action AND entity = :entity ORDER BY seq")
    with engine.connect() as connection:
        return list(connection.execute(query, {"action": action, "entity": entity}))


def balanced(family: dict[str, Any]) -> bool:
    """Whether the account of a family is even."""
    sides = ("planned", "surplus"), ("open", "underDecision", "good", "lost")
    left, right = (sum(Decimal(family[name]) for name in names) for names in sides)
    return left == right


def parts(*quantities: str) -> list[dict[str, str]]:
    """Parts of a split."""
    return [{"quantity": quantity} for quantity in quantities]


async def press(company: Company, work_order: str, *, good: str, scrap: str = "0", complete: bool = True) -> None:
    """The press operation, reported once."""
    path = f"/mes/work-orders/{work_order}/operations"
    await do(company, "olu", f"{path}/MIX/start")
    await do(company, "olu", f"{path}/MIX/complete")
    await do(company, "olu", f"{path}/PRESS/start")
    await report(company, work_order, good, scrap)
    if complete:
        await end_press(company, work_order)


async def end_press(company: Company, work_order: str) -> None:
    """The press operation ends."""
    path = f"/mes/work-orders/{work_order}/operations/PRESS"
    await do(company, "olu", f"{path}/parameters", values=[{"name": "weight", "text": "113", "unit": "mg"}])
    await do(company, "olu", f"{path}/complete")


async def report(company: Company, work_order: str, good: str, scrap: str = "0") -> None:
    """A report of the press operation."""
    body = {"workOrderId": work_order, "operation": "PRESS", "good": good, "scrap": scrap, "scrapReason": "dust"}
    await do(company, "olu", "/mes/production-reports/report", **body)


async def finish(company: Company, order: str, work_order: str) -> None:
    """From the inspection to the end."""
    await until(company, order, lambda o: (o["workOrders"][0]["inspection"] or {}).get("state") == "created")
    await go_on_to(company, "puttingAway", order, work_order)
    await go_on_to(company, "completed", order, work_order)
