"""Every state of order and work order against every command, over the API; the state machines say what is expected."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from domain.rules.possible import ORDER_COMMANDS, WORK_ORDER_COMMANDS
from domain.states import ORDER, WORK_ORDER, OrderEvent, OrderState, WorkOrderEvent, WorkOrderState
from tests.api.company import Company
from tests.api.words import at_stage, do, receive, until

pytestmark = pytest.mark.usefixtures("working")

WHO = {
    "submit": "pia", "approve": "sam", "reject": "sam", "release": "sam", "hold": "sam", "resume": "sam",
    "cancel": "sam", "close": "sam", "start": "olu", "pause": "olu", "complete": "olu",
    "dispatch": "sam", "start-execution": "olu",
}  # fmt: skip
ORDER_PATHS = {
    "submit": OrderEvent.SUBMIT, "approve": OrderEvent.APPROVE, "reject": OrderEvent.REJECT,
    "release": OrderEvent.RELEASE, "start": OrderEvent.START, "hold": OrderEvent.HOLD, "resume": OrderEvent.RESUME,
    "complete": OrderEvent.COMPLETE, "close": OrderEvent.CLOSE, "cancel": OrderEvent.CANCEL, "pause": None,
}  # fmt: skip
WORK_ORDER_PATHS = {
    "dispatch": WorkOrderEvent.DISPATCH, "start-execution": WorkOrderEvent.START, "pause": WorkOrderEvent.PAUSE,
    "resume": WorkOrderEvent.RESUME, "complete": WorkOrderEvent.OPERATIONS_COMPLETED, "cancel": WorkOrderEvent.CANCEL,
    "close": WorkOrderEvent.CLOSE, "hold": None,
    "submit": None, "approve": None, "reject": None, "release": None,
}  # fmt: skip
NOBODY_ASKS = {OrderEvent.START, OrderEvent.COMPLETE, None}
"""An order starts and completes with its work orders; only a work order is paused."""
WORKED_ON = (OrderState.RELEASED, OrderState.IN_PROGRESS)


@dataclass
class Pair:
    """An order and its only work order, in the state that is looked at."""

    order: str
    work_order: str

    async def states(self, company: Company) -> tuple[str, str]:
        """How both stand in the record."""
        found = (await (await company.desk("sam")).get(f"/mes/orders/{self.order}")).json()
        return found["state"], found["workOrders"][0]["state"]


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-STATES", "100000")


async def brought_to(company: Company, state: str) -> Pair:
    """A pair whose order, or whose work order, is in `state`."""
    reason = {"reason": "the test wants it"}
    stage = {
        "pending": "draft", "inProgress": "running", "held": "running", "paused": "running", "cancelled": "released",
        "aborted": "inspecting",
    }.get(state, state)  # fmt: skip
    pair = Pair(*await at_stage(company, stage))
    match state:
        case "held":
            await do(company, "sam", f"/mes/orders/{pair.order}/hold", **reason)
        case "paused":
            await do(company, "olu", f"/mes/work-orders/{pair.work_order}/pause", **reason)
        case "cancelled":
            await do(company, "sam", f"/mes/orders/{pair.order}/cancel", **reason)
        case "aborted":
            await do(company, "sam", f"/mes/orders/{pair.order}/cancel", disposition="scrap", **reason)
            await until(company, pair.order, lambda o: o["state"] == "aborted")
    return pair


async def ask(company: Company, path: str, command: str) -> httpx.Response:
    """The command, with everything it needs."""
    more = {"disposition": "scrap"} if command == "cancel" and "orders" in path and "work" not in path else {}
    return await (await company.desk(WHO[command])).command(f"{path}/{command}", reason="the test wants it", **more)


def must_be_refused(answer: httpx.Response, state: str, possible: set[str], kinds: set[str]) -> None:
    """409 with the state that was found; of `kinds`, exactly the `possible` ones are offered."""
    body = answer.json()
    assert answer.status_code == 409, answer.text
    assert body["code"] in ("INVALID_TRANSITION", "ORDER_NOT_RELEASED"), answer.text
    assert state in [blocker["found"] for blocker in body["blockers"]], answer.text
    assert set(body["possible"]) & kinds == possible, answer.text


# A cancelling order is on its way by itself: nobody can hold it there, and the rules' own tests look at it.
ORDER_STATES = [state for state in OrderState if state != OrderState.CANCELLING]


@pytest.mark.accepts("A6")
@pytest.mark.parametrize("state", ORDER_STATES)
async def test_every_command_to_an_order(company: Company, engine: Engine, state: OrderState) -> None:
    pair = await brought_to(company, state)
    possible = {ORDER_COMMANDS[event] for event in ORDER.possible(state) if event in ORDER_COMMANDS}
    allowed = {
        path: event
        for path, event in ORDER_PATHS.items()
        if event is not None and event not in NOBODY_ASKS and ORDER.allows(state, event)
    }
    before = await pair.states(company)
    assert before[0] == state
    for command in ORDER_PATHS.keys() - allowed.keys():
        answer = await ask(company, f"/mes/orders/{pair.order}", command)
        must_be_refused(answer, state, possible, set(ORDER_COMMANDS.values()))
    assert await pair.states(company) == before

    async def accept(command: str, event: OrderEvent) -> None:
        own = await brought_to(company, state)
        answer = await ask(company, f"/mes/orders/{own.order}", command)
        assert answer.status_code == 200, answer.text
        target = ORDER.transitions.get((state, event)) or OrderState.IN_PROGRESS
        assert _steps(engine, "production order", own.order, event) == [(state, target)]

    await asyncio.gather(*(accept(command, event) for command, event in allowed.items()))


@pytest.mark.accepts("A6")
@pytest.mark.parametrize("state", list(WorkOrderState))
async def test_every_command_to_a_work_order(company: Company, engine: Engine, state: WorkOrderState) -> None:
    pair = await brought_to(company, "released" if state == WorkOrderState.PENDING else state)
    before = await pair.states(company)
    assert before[1] == state
    is_worked_on = before[0] in WORKED_ON
    can = [event for event in WORK_ORDER.possible(state) if event in WORK_ORDER_COMMANDS and is_worked_on]
    possible = {WORK_ORDER_COMMANDS[event] for event in can}
    allowed = {path: event for path, event in WORK_ORDER_PATHS.items() if event in can}
    for command in WORK_ORDER_PATHS.keys() - allowed.keys():
        answer = await ask(company, f"/mes/work-orders/{pair.work_order}", command)
        found = state if is_worked_on else before[0]
        must_be_refused(answer, found, possible, set(WORK_ORDER_COMMANDS.values()))
    assert await pair.states(company) == before
    for command, event in allowed.items():
        answer = await ask(company, f"/mes/work-orders/{pair.work_order}", command)
        assert answer.status_code == 200, answer.text
        assert event is not None
        assert _steps(engine, "work order", pair.work_order, event)[-1] == (state, WORK_ORDER.advance(state, event))


def _steps(engine: Engine, entity: str, identity: str, event: Any) -> list[tuple[str, str]]:
    """What the history says about an event of an object: from which state to which."""
    table = "production_order" if entity == "production order" else "work_order"
    statement = text(
        f"SELECT s.from_state, s.to_state FROM state_transition s JOIN {table} o ON o.number = s.entity_id "
        "WHERE o.uuid = :uuid AND s.event = :event ORDER BY s.id"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement, {"uuid": identity, "event": event})]
