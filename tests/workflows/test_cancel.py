"""Cancel works at every stage, and leaves the stock as if the order had never been."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from domain import commands as c
from tests.plant import Order, Plant

Stage = Callable[[Order], Awaitable[Order]]


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


async def draft(order: Order) -> Order:
    return order


BEFORE_CONSUMPTION: dict[str, Stage] = {
    "draft": draft,
    "released": Order.released,
    "allocated": Order.allocated,
    "picked": Order.picked,
}


@pytest.mark.accepts("A19", "PO-09")
@pytest.mark.parametrize("stage", BEFORE_CONSUMPTION)
async def test_before_anything_is_consumed_the_stock_is_as_before(plant: Plant, stage: str) -> None:
    before = [plant.balance(lot) for lot in ("API-1", "LAC-1")]
    order = await BEFORE_CONSUMPTION[stage](await plant.order())
    await order.do(c.CancelOrder, "sam", reason="customer withdrew")
    await order.until("order", "cancelled")
    assert [plant.balance(lot) for lot in ("API-1", "LAC-1")] == before
    assert (
        plant.rows("SELECT 1 FROM reservation WHERE work_order = :w AND state = 'reserved'", w=order.work_order) == []
    )
    assert order.document("pick_list") in (None, "cancelled")
    assert await order.handle.result() == "cancelled"


@pytest.mark.accepts("A19")
@pytest.mark.parametrize(("disposition", "status"), [("scrap", "rejected"), ("keepAsLot", "onHold")])
async def test_consumed_material_is_scrapped_or_kept_by_decision(plant: Plant, disposition: str, status: str) -> None:
    order = await (await plant.order()).executed()
    await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition(disposition))
    await order.until("order", "aborted")
    kept = {"LINE": (Decimal(980), Decimal(0))} if disposition == "keepAsLot" else {}
    assert plant.balance(order.lot) == kept
    assert plant.rows("SELECT status FROM lot WHERE number = :l", l=order.lot)[0][0] == status
    assert order.document("inspection") == "cancelled"
    assert plant.balance("API-1").get("LINE") is None
