"""A worker dies after each step of a weighing: the lot is less by the weight once, and the container is there once."""

from decimal import Decimal
from pathlib import Path

import pytest

from domain import commands as c
from tests.booth import booth, listening_scale
from tests.kills.test_between_commit_and_answer import (
    OF_WEIGHING,
    assert_all_died,
    assert_nothing_doubled,
    dying_workers,
    haunted,
)
from tests.plant import Plant

__all__ = ["haunted"]

pytestmark = pytest.mark.timeout(600)


@pytest.mark.accepts("B11", "AT-08", "PO-10")
async def test_a_lot_is_less_by_a_weight_once_although_every_step_kills_its_worker(
    haunted: Plant, tmp_path: Path
) -> None:
    async with (
        listening_scale(tmp_path / "pki") as (server, reached),
        dying_workers(haunted, None, tmp_path / "marks", *OF_WEIGHING),
    ):
        at = await booth(haunted)
        haunted.workstation(at.line.station, reached)
        await server.put("1.000", "101.200")
        first = await at.weigh(None, None)
        assert at.lots == {"RAW": Decimal(890), "LINE": Decimal("9.800"), "DISPENSED": Decimal("100.200")}
        await at.order.do(c.VoidContainer, "sam", container=first, reason="a torn bag")
        assert at.lots == {"RAW": Decimal(890), "LINE": Decimal(110), "DISPENSED": Decimal(0)}
        second = await at.weigh("101.0")
        await at.order.do(c.StageContainers, "wil", place="BOOTH-1", scans=(at.scanned(second),))
        await at.order.do(c.ChargeMaterials, "olu", operation="DISPENSE", scans=(at.scanned(second),))
    assert_all_died(tmp_path / "marks", *OF_WEIGHING)
    moves = haunted.rows(
        "SELECT kind, quantity FROM stock_move WHERE work_order = :w AND lot = 'API-1' ORDER BY id",
        w=at.order.work_order,
    )
    assert [tuple(move) for move in moves] == [
        ("issue", Decimal(110)), ("dispense", Decimal("100.200")), ("undispense", Decimal("100.200")),
        ("dispense", Decimal("100.0")), ("consume", Decimal("100.0")),
    ]  # fmt: skip
    containers = haunted.rows("SELECT number, state, net FROM dispensed_container ORDER BY number")
    assert [tuple(row) for row in containers] == [
        (first, "voided", Decimal("100.200")), (second, "charged", Decimal("100.0")),
    ]  # fmt: skip
    assert_nothing_doubled(haunted)
