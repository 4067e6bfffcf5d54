"""One order under fire: a poisoned command, what is no command, too much at once, an activity that never works."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from temporalio.service import RPCError

import domain.rules.judge
import workflows.journal
from adapters.inventory.postgres import PostgresInventory
from domain import commands as c
from domain.commands import Command
from domain.process import Process
from tests.plant import Order, Plant, Refusal, pauses

MANY = 1_000


async def test_a_command_on_which_a_rule_fails_is_refused_alone(
    bare_plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = domain.rules.judge.judge

    def poisoned(process: Process, command: Command) -> Any:
        if command.reason == "poison":
            raise ZeroDivisionError
        return judge(process, command)

    monkeypatch.setattr(workflows.journal, "judge", poisoned)
    # As in a plant: the sandbox's modules are loaded once for a process, before or after this patch.
    monkeypatch.setattr(bare_plant, "settings", replace(bare_plant.settings, sandbox=False))
    async with bare_plant.working():
        order = await bare_plant.order()
        with pytest.raises(Refusal) as refused:
            await order.do(c.SubmitOrder, "pia", reason="poison")
        assert refused.value.codes == ["RULE_FAILED"]
        assert order.state() == "draft"
        await order.do(c.SubmitOrder, "pia")


async def test_what_is_no_command_or_is_too_large_never_blocks_the_order(bare_plant: Plant) -> None:
    async with bare_plant.working():
        order = await bare_plant.order()
        await order.handle.signal("command", {"kind": "makeCoffee"})
        await order.handle.signal("command", "not even an object")
        with pytest.raises(RPCError):
            await order.send(order.command(c.SubmitOrder, "pia", reason="x" * 2_200_000))
        await order.do(c.SubmitOrder, "pia")
        assert (await order.process()).state == "submitted"


async def test_a_thousand_commands_at_once_are_judged_each_once_in_order(bare_plant: Plant) -> None:
    async with bare_plant.working():
        order = await (await bare_plant.order()).released()
        before = (await order.process()).revision
        commands = [
            order.command(c.HoldOrder if number % 2 == 0 else c.ResumeOrder, "sam", reason="a noise")
            for number in range(MANY)
        ]
        for start in range(0, MANY, 50):
            await asyncio.gather(*(order.send(one) for one in commands[start : start + 50]))
        await until_answered(order, MANY, 420)
        rows = bare_plant.rows(
            "SELECT revision, command_id FROM order_fact WHERE order_number = :n AND revision > :r ORDER BY revision",
            n=order.number, r=before,
        )  # fmt: skip
    given = [row.command_id for row in rows if row.command_id is not None]
    assert sorted(given) == sorted(one.command_id for one in commands)
    assert [row.revision for row in rows] == list(range(before + 1, before + 1 + len(rows)))


async def until_answered(order: Order, many: int, seconds: float) -> None:
    """Wait until that many commands of hold and resume have their verdict."""
    statement = """
        SELECT count(*) FROM order_fact
        WHERE order_number = :n AND body->>'commandKind' IN ('holdOrder', 'resumeOrder')
        """
    for pause in pauses(seconds, first=0.2):
        if (await asyncio.to_thread(order.plant.rows, statement, n=order.number))[0][0] >= many:
            return
        await asyncio.sleep(pause)
    raise AssertionError("not every command has its verdict")


class Broken(PostgresInventory):
    """A warehouse with an error of its own, each time."""

    def allocate(self, *_: Any, **__: Any) -> Any:
        """Never works."""
        raise ZeroDivisionError("the warehouse has a bug")


async def test_an_activity_that_always_fails_is_shown_and_the_order_still_obeys(bare_plant: Plant) -> None:
    async with bare_plant.working(inventory=Broken(bare_plant.engine)):
        order = await (await bare_plant.order()).released()
        await order.do(c.DispatchWorkOrder, "sam")
        for pause in pauses(60):
            waiting = list((await order.process()).waiting.values())
            if waiting and waiting[0].attempt >= 2:
                break
            await asyncio.sleep(pause)
        (shown,) = waiting
        assert shown.neighbour == "warehouse"
        assert "the warehouse has a bug" in shown.last_error
        await order.do(c.HoldOrder, "sam", reason="nobody knows why")
        await order.do(c.ResumeOrder, "sam")
    # A release without the bug: the order goes on where it stood.
    for lot, material in (("RB-API", "API"), ("RB-LAC", "LAC")):
        await bare_plant.stock(lot, material, "100")
    async with bare_plant.working():
        await order.do(c.RetryNow, "sam")
        await order.until("pick_list", "allocated")
