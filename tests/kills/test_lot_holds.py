"""A hold of one lot that twenty orders use, while workers are killed with SIGKILL (ACCEPTANCE D3)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from temporalio.client import Client

from settings import Settings
from tests.api.company import Company
from tests.api.conftest import app, called, company, database, settings, staffed, task_queue
from tests.api.holding import held, let_go, until_hold
from tests.api.words import at_stage, do, receive, until
from tests.kills.test_between_commit_and_answer import OF_HOLDS, assert_all_died, dying_workers
from tests.plant import Plant

__all__ = ["app", "called", "company", "database", "settings", "staffed", "task_queue"]

pytestmark = pytest.mark.timeout(300)
_STAGES = ("dispatched", "ready", "running", "inspecting")


@pytest.fixture
async def mortal(
    client: Client, engine: Engine, settings: Settings, task_queue: str, tmp_path: Path, app: FastAPI
) -> AsyncIterator[Path]:
    """Workers that die once each after what they did for the hold; a new one comes after each."""
    plant = Plant(client, engine, settings, task_queue)
    async with dying_workers(plant, None, tmp_path / "marks", *OF_HOLDS):
        yield tmp_path / "marks"


def _facts(engine: Engine, kind: str) -> list[Any]:
    with engine.connect() as connection:
        return list(
            connection.execute(
                text(
                    "SELECT order_number, actor, body ->> 'reason' AS reason, event FROM order_fact, "
                    "jsonb_array_elements(body -> 'events') AS event WHERE event ->> 'kind' = :kind ORDER BY 1"
                ),
                {"kind": kind},
            )
        )


async def _states(company: Company, orders: list[str]) -> list[str]:
    desk = await company.desk("sam")
    return [(await desk.get(f"/mes/orders/{order}")).json()["state"] for order in orders]


@pytest.mark.accepts("D3")
async def test_a_hold_stops_all_twenty_orders_and_its_release_lets_exactly_those_go_on(
    company: Company, engine: Engine, mortal: Path
) -> None:
    await receive(company, "API-OTHER", "5")
    bystander, _ = await at_stage(company, "running")
    await receive(company, "API-D3", "1000")
    # Four at a time, one of each stage: the workers that serve them come and go.
    made = [pair for _ in range(5) for pair in await asyncio.gather(*(at_stage(company, stage) for stage in _STAGES))]
    orders = [order for order, _ in made]
    stopped_by_sam, _ = await at_stage(company, "ready")
    await do(company, "sam", f"/mes/orders/{stopped_by_sam}/hold", reason="the room is wet")
    before = await _states(company, orders)
    assert set(before) == {"released", "inProgress"}

    hold = await held(company, "API-D3")
    found = await until_hold(company, hold, "held")
    assert await _states(company, orders) == ["held"] * 20
    assert await _states(company, [bystander, stopped_by_sam]) == ["inProgress", "held"]
    assert (found["progress"]["orders"], found["progress"]["waitsFor"]) == (21, [])
    assert {own["state"] for own in found["orders"]} == {"stopped"}
    placed = await asyncio.to_thread(_facts, engine, "lotHoldPlaced")
    assert [row.order_number for row in placed] == sorted(own["orderNumber"] for own in found["orders"])
    for row in placed:
        assert (row.event["lots"], row.event["placedBy"], row.reason) == (["API-D3"], "rae", "glass was found")
    await _refused_while_held(company, made[2])

    await let_go(company, "API-D3", hold)
    over = await until_hold(company, hold, "released")
    assert await _states(company, orders) == before
    assert await _states(company, [bystander, stopped_by_sam]) == ["inProgress", "held"]
    answers = [own["state"] for own in over["orders"]]
    assert (answers.count("resumed"), answers.count("staysStopped")) == (20, 1)
    assert len(await asyncio.to_thread(_facts, engine, "lotHoldLifted")) == 21
    await do(company, "sam", f"/mes/orders/{stopped_by_sam}/resume")
    assert_all_died(mortal, *OF_HOLDS)


async def _refused_while_held(company: Company, running: tuple[str, str]) -> None:
    """No step of a stopped order, no way around the hold, and nobody new gets the lot."""
    order, work_order = running
    start = await (await company.desk("olu")).command(f"/mes/work-orders/{work_order}/operations/MIX/start")
    assert (start.status_code, start.json()["code"]) == (409, "ORDER_ON_HOLD")
    resume = await (await company.desk("sam")).command(f"/mes/orders/{order}/resume")
    assert (resume.status_code, resume.json()["code"]) == (409, "LOT_ON_HOLD")
    assert "glass was found" in resume.json()["blockers"][0]["found"]
    late, late_work_order = await at_stage(company, "released")
    await do(company, "sam", f"/mes/work-orders/{late_work_order}/dispatch")
    shown = await until(company, late, lambda o: (o["workOrders"][0]["pickList"] or {}).get("state") == "short")
    assert shown["state"] in ("released", "inProgress")
