"""Holds of lots over the API: what is shown and signed, what they reach, what keeps a lot from going on."""

import asyncio

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from api.errors import Problem
from tests.api.company import PASSWORD, Company
from tests.api.holding import held, let_go, previewed, until_hold
from tests.api.words import at_stage, do, go_on_to, receive

pytestmark = pytest.mark.usefixtures("working")


def status(engine: Engine, lot: str) -> str:
    """A lot's quality status."""
    with engine.connect() as connection:
        return str(connection.execute(text("SELECT status FROM lot WHERE number = :lot"), {"lot": lot}).scalar_one())


async def _made(company: Company, order: str) -> str:
    found = (await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()
    return str(found["workOrders"][0]["outputLot"])


async def _state(company: Company, order: str) -> str:
    return str((await (await company.desk("sam")).get(f"/mes/orders/{order}")).json()["state"])


@pytest.mark.accepts("D3")
async def test_what_was_made_of_a_lot_is_shown_and_stopped_too(company: Company, engine: Engine) -> None:
    """One order is closed, one completed, one runs: the lots of all three stop, and come back as they were."""
    await receive(company, "API-DOWN", "15")
    made = {stage: (await at_stage(company, stage))[0] for stage in ("closed", "completed", "puttingAway")}
    lots = {stage: await _made(company, order) for stage, order in made.items()}
    was = {stage: status(engine, lot) for stage, lot in lots.items()}
    assert was == {"closed": "released", "completed": "released", "puttingAway": "released"}
    shown = await previewed(company, "API-DOWN", downstream=True)
    assert (shown["lotCount"], shown["orderCount"], shown["shipped"]) == (4, 2, "0")
    assert (await previewed(company, "API-DOWN"))["lotCount"] == 1

    hold = await held(company, "API-DOWN", downstream=True)
    found = await until_hold(company, hold, "held")
    assert {own["lot"]: own["status"] for own in found["lots"]} == dict.fromkeys(["API-DOWN", *lots.values()], "onHold")
    assert await _state(company, made["completed"]) == "completed"
    close = await (await company.desk("sam")).command(f"/mes/orders/{made['completed']}/close")
    assert (close.status_code, close.json()["code"]) == (409, "LOT_ON_HOLD")
    work_order = (await (await company.desk("sam")).get(f"/mes/orders/{made['puttingAway']}")).json()["workOrders"][0]
    put_away = await (await company.desk("wil")).command(
        f"/mes/work-orders/{work_order['id']}/put-away", place="FINISHED"
    )
    assert put_away.status_code == 409

    await let_go(company, "API-DOWN", hold)
    await until_hold(company, hold, "released")
    assert {stage: status(engine, lot) for stage, lot in lots.items()} == was
    await do(company, "sam", f"/mes/orders/{made['completed']}/close")


@pytest.mark.accepts("D3")
async def test_an_order_under_two_holds_goes_on_after_the_second(company: Company, engine: Engine) -> None:
    await receive(company, "API-TWO", "5")
    order, work_order = await at_stage(company, "ready")
    first, second = await held(company, "API-TWO"), await held(company, "API-TWO", reason="metal was found")
    await until_hold(company, first, "held")
    await until_hold(company, second, "held")
    await let_go(company, "API-TWO", first)
    over = await until_hold(company, first, "released")
    assert [own["state"] for own in over["orders"]] == ["staysStopped"]
    assert (await _state(company, order), status(engine, "API-TWO")) == ("held", "onHold")
    await let_go(company, "API-TWO", second)
    await until_hold(company, second, "released")
    assert (await _state(company, order), status(engine, "API-TWO")) == ("released", "released")
    await go_on_to(company, "running", order, work_order)


async def test_a_hold_binds_what_its_signer_was_shown(company: Company, engine: Engine) -> None:
    await receive(company, "API-SEEN", "5")
    shown = await previewed(company, "API-SEEN")
    await at_stage(company, "dispatched")
    body = {"reason": "glass was found", "lots": shown["lotCount"], "orders": shown["orderCount"], "shipped": "0"}
    desk = await company.desk("rae")
    answer = await desk.command("/quality/lots/API-SEEN/hold", signed=PASSWORD, **body)
    assert (answer.status_code, answer.json()["code"]) == (409, "CONTENT_CHANGED")
    assert "1 running orders" in answer.json()["blockers"][0]["found"]
    unsigned = await desk.command("/quality/lots/API-SEEN/hold", **body | {"orders": 1})
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "REAUTH_REQUIRED")
    assert status(engine, "API-SEEN") == "released"
    hold = await held(company, "API-SEEN")
    signature = (await until_hold(company, hold, "held"))["signature"]
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM signature WHERE id = :id"), {"id": signature}).one()
    assert (row.signer, row.meaning, row.entity) == ("rae", "approved", "lot/API-SEEN")
    assert row.content["command"] | {"lots": 1, "orders": 1, "shipped": "0"} == row.content["command"]


async def test_a_hold_is_sent_twice_and_placed_once_and_refusals_change_nothing(
    company: Company, engine: Engine
) -> None:
    await receive(company, "API-ONCE", "5")
    desk = await company.desk("rae")
    body = {"reason": "glass was found", "lots": 1, "orders": 0, "shipped": "0", "commandId": "hold/once"}
    answers = [await desk.command("/quality/lots/API-ONCE/hold", signed=PASSWORD, **body) for _ in range(2)]
    assert [answer.json() for answer in answers] == [answers[0].json()] * 2
    hold = answers[0].json()["hold"]
    await until_hold(company, hold, "held")
    other = await desk.command("/quality/lots/API-ONCE/release-hold", signed=PASSWORD, reason="no glass", hold="X-H1")
    assert (other.status_code, other.json()["code"]) == (409, "UNKNOWN_HOLD")
    await let_go(company, "API-ONCE", hold)
    await until_hold(company, hold, "released")
    again = await desk.command("/quality/lots/API-ONCE/release-hold", signed=PASSWORD, reason="no glass", hold=hold)
    assert (again.status_code, again.json()["code"]) == (409, "INVALID_TRANSITION")
    listed = (await desk.get("/quality/holds", lot="API-ONCE")).json()["holds"]
    assert [own["number"] for own in listed] == [hold]
    missing = await desk.get("/quality/holds/NOWHERE")
    assert missing.status_code == 404


async def test_a_hold_that_was_written_and_not_begun_is_begun_by_any_api_process(
    company: Company, engine: Engine, app: FastAPI
) -> None:
    """The API process died between the record and the engine; several others find it."""
    await receive(company, "API-LATE", "5")
    order, _ = await at_stage(company, "dispatched", fixedLots={"API": ["API-LATE"]})
    doors = app.state.services.lot_holds
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(doors), "begin", _dies)
        hold = await held(company, "API-LATE")
    assert await _state(company, order) == "released"
    await asyncio.gather(*(doors.go_on() for _ in range(3)))
    await until_hold(company, hold, "held")
    assert await _state(company, order) == "held"
    placed = text("SELECT count(*) FROM audit_row WHERE action = 'production-order.lotHold' AND new ->> 'hold' = :hold")
    with engine.connect() as connection:
        assert connection.execute(placed, {"hold": hold}).scalar_one() == 1


async def _dies(self: object, number: str) -> None:
    raise Problem(503, "ENGINE_UNAVAILABLE", "the process is gone")
