"""A worker dies when the warehouse has brought recovered material: it comes once, and is in the batch once."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from domain import commands as c
from tests.domain.recovering import EARLIER, IMPURITY, permitted
from tests.kills.test_between_commit_and_answer import (
    OF_RECOVERY,
    assert_all_died,
    assert_nothing_doubled,
    dying_workers,
    haunted,
)
from tests.plant import Order, Plant

__all__ = ["haunted"]

pytestmark = pytest.mark.timeout(600)


def rejected_lot(plant: Plant) -> None:
    """A hundred tablets of an earlier batch that lie among the rejected goods."""
    with plant.engine.begin() as connection:
        for statement in (
            "INSERT INTO lot (number, material, unit, status, origin, created_at) "
            "VALUES ('TAB-EARLIER', 'TAB', 'pcs', 'rejected', 'produced', now())",
            "INSERT INTO stock_move (key, lot, from_place, to_place, quantity, unit, kind, actor, moved_at) "
            "VALUES ('earlier', 'TAB-EARLIER', 'PROCESS', 'REJECTED', 100, 'pcs', 'rejected', 'wil', now())",
            "INSERT INTO stock_balance (lot, place, on_hand, reserved) VALUES ('TAB-EARLIER', 'REJECTED', 100, 0)",
        ):
            connection.execute(text(statement))


@pytest.mark.accepts("QL-11", "A11", "AT-08", "PO-10")
async def test_recovered_material_comes_once_although_it_kills_its_worker(haunted: Plant, tmp_path: Path) -> None:
    await asyncio.to_thread(rejected_lot, haunted)
    order = Order(haunted, permitted(number=haunted.next_number()))
    async with dying_workers(haunted, None, tmp_path / "marks", *OF_RECOVERY):
        await order.start()
        await order.picked()
        asked = {"operation": "COMPRESS", "lot": "TAB-EARLIER", "quantity": Decimal(40), "known": EARLIER}
        await order.do(c.RequestRecovery, "olu", **asked, reason="chipped only")
        number = f"{order.work_order}-V1"
        approved = {"procedure": "SOP-RC-02", "tests": (IMPURITY,), "reason": "risk assessed, RA-31"}
        await order.do(c.ApproveRecovery, "max", recovery=number, **approved)
        await order.operation("DISPENSE")
        await order.do(c.StartOperation, "olu", operation="COMPRESS")
        introduce = order.command(c.IntroduceRecovery, "olu", recovery=number)
        await order.send(introduce)
        await order.send(introduce)
        assert (await order.verdict(introduce.command_id)).accepted
    assert_all_died(tmp_path / "marks", *OF_RECOVERY)
    moves = haunted.rows(
        "SELECT kind, quantity FROM stock_move WHERE work_order = :w AND lot = 'TAB-EARLIER' ORDER BY id",
        w=order.work_order,
    )
    assert [tuple(move) for move in moves] == [("introduce", Decimal(40)), ("consume", Decimal(40))]
    links = haunted.rows(
        "SELECT quantity FROM lot_link WHERE input_lot = 'TAB-EARLIER' AND output_lot = :l", l=order.lot
    )
    assert [link.quantity for link in links] == [Decimal(40)]
    assert haunted.balance("TAB-EARLIER") == {"REJECTED": (Decimal(60), Decimal(0))}
    assert_nothing_doubled(haunted)
