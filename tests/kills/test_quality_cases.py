"""kill -9 between commit and answer, for everything that quality cases do."""

import asyncio
from pathlib import Path

import pytest

from domain import commands as c
from tests.cases import Led, of_order, opened, out_of_limit
from tests.kills.test_between_commit_and_answer import (
    OF_CASES,
    assert_all_died,
    assert_nothing_doubled,
    dying_workers,
    haunted,
)
from tests.plant import Plant

__all__ = ["haunted"]


@pytest.mark.timeout(240)
@pytest.mark.accepts("QL-06", "RC-04", "PO-10")
async def test_a_deviation_and_its_order_survive_a_kill_after_every_effect(haunted: Plant, tmp_path: Path) -> None:
    """The order starts its deviation, hears of the decision, goes on; a lot is freed; each once."""
    await asyncio.to_thread(haunted.on_hold, "API-9", "API")
    async with dying_workers(haunted, None, tmp_path / "marks", "record.write", *OF_CASES):
        order = await out_of_limit(haunted)
        deviation = await of_order(order)
        of_lot = await opened(haunted, lot="API-9")
        await asyncio.gather(deviation.closed(capa=True), of_lot.closed())
        action = Led(haunted, f"{deviation.number}-C1", "capa")
        await action.until("draft")
        await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=(_good_weight(),))
        await order.do(c.CompleteOperation, "olu", operation="COMPRESS")
    assert_all_died(tmp_path / "marks", "record.write", *OF_CASES)
    told = haunted.rows(
        "SELECT 1 FROM order_fact WHERE order_number = :n AND body ->> 'commandKind' = 'noteDeviation'", n=order.number
    )
    assert len(told) == 1
    assert haunted.rows("SELECT status FROM lot WHERE number = 'API-9'")[0][0] == "released"
    freed = haunted.rows("SELECT 1 FROM state_transition WHERE entity_id = 'API-9' AND event = 'releaseHold'")
    assert len(freed) == 1
    for number in (deviation.number, of_lot.number, action.number):
        facts = haunted.rows("SELECT revision FROM case_fact WHERE case_number = :n ORDER BY 1", n=number)
        assert [row.revision for row in facts] == list(range(1, len(facts) + 1))
    assert_nothing_doubled(haunted)


def _good_weight() -> c.Measurement:
    return c.Measurement(name="weight", text="113", unit="mg")
