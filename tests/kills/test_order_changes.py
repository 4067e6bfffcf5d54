"""A change of an order whose worker dies with the commit: applied once, signed once, and the order goes on."""

from decimal import Decimal
from pathlib import Path

import pytest

from domain import commands as c
from tests.desk import GMP
from tests.kills.test_between_commit_and_answer import (
    assert_all_died,
    assert_nothing_doubled,
    dying_workers,
    haunted,
)
from tests.plant import Plant

__all__ = ["haunted"]

pytestmark = pytest.mark.timeout(600)
CONTROLLED = GMP.model_copy(update={"code": "controlled", "controlled_changes": True})
WRITE = ("record.write/local",)
WHY = "the customer wants fewer"


@pytest.mark.accepts("B3", "PO-03", "PO-10")
async def test_a_change_whose_worker_dies_with_the_commit_is_applied_once(haunted: Plant, tmp_path: Path) -> None:
    async with dying_workers(haunted, None, tmp_path / "before"):
        order = await haunted.order(CONTROLLED)
        await order.do(c.SubmitOrder, "pia")
        await order.do(c.ApproveOrder, "sam")
    change = order.command(c.ChangeOrder, "pia", quantity=Decimal(900), reason=WHY)
    async with dying_workers(haunted, None, tmp_path / "change", *WRITE):
        await order.send(change)
        await order.send(change)
        assert (await order.verdict(change.command_id, seconds=90)).accepted
    assert_all_died(tmp_path / "change", *WRITE)
    assert order.state() == "submitted"

    async with dying_workers(haunted, None, tmp_path / "between"):
        await order.do(c.ApproveOrder, "sam")
        await order.do(c.ReleaseOrder, "sam")
        await order.do(c.RequestOrderChange, "pia", quantity=Decimal(800), reason=WHY)
    assert order.state() == "held"
    approval = order.command(c.ApproveOrderChange, "max", change=f"{order.number}-C1")
    async with dying_workers(haunted, None, tmp_path / "approval", *WRITE):
        await order.send(approval)
        await order.send(approval)
        assert (await order.verdict(approval.command_id, seconds=90)).accepted
    assert_all_died(tmp_path / "approval", *WRITE)
    assert order.state() == "released"
    (row,) = haunted.rows("SELECT quantity FROM production_order WHERE number = :n", n=order.number)
    (made,) = haunted.rows("SELECT quantity FROM work_order WHERE order_number = :n", n=order.number)
    assert (row.quantity, made.quantity) == (800, 800)
    told = haunted.rows(
        "SELECT old, new FROM audit_row WHERE entity = :e AND action = 'production-order.changed' ORDER BY seq",
        e=f"production-order/{order.number}",
    )
    assert [(own.old["quantity"], own.new["quantity"]) for own in told] == [("1000", "900"), ("900", "800")]
    assert_nothing_doubled(haunted)
