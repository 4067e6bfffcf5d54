"""First expired first out, and what it takes to take another lot: a reason, authority, and it stands in the record."""

from datetime import date
from decimal import Decimal

import pytest

from db.queries import record_document
from domain import commands as c
from tests.booth import WEIGHING
from tests.plant import Order, Plant, Refusal

GMP = WEIGHING.model_copy(update={"code": "choosing", "weighing": False})
WHY = "the customer wants one origin"


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-EARLY", "API", "100", date(2030, 1, 1))
    await plant.stock("API-LATE", "API", "100", date(2031, 1, 1))
    await plant.stock("API-SMALL", "API", "1", date(2032, 1, 1))
    await plant.stock("LAC-1", "LAC", "10000")


async def choose(order: Order, *lots: str, reason: str | None = WHY, line: int = 1) -> None:
    """Sam chooses."""
    await order.do(c.ChooseLots, "sam", choice=(c.ChosenLots(line=line, lots=lots),), reason=reason)


def reserved(order: Order) -> dict[str, Decimal]:
    """What is reserved for the work order, by lot."""
    statement = (
        "SELECT lot, sum(quantity) AS n FROM reservation WHERE work_order = :w AND state = 'reserved' GROUP BY 1"
    )
    return {row.lot: row.n for row in order.plant.rows(statement, w=order.work_order)}


def exceptions(order: Order) -> list[str]:
    """What the batch record says about forced things."""
    with order.plant.engine.connect() as connection:
        record = record_document.read(connection, order.work_order)
    return [own.detail for own in record.exceptions if own.type == "forcedOrVoided"]


@pytest.mark.accepts("MT-02")
async def test_another_lot_needs_a_reason_and_is_an_exception(plant: Plant) -> None:
    order = await (await plant.order(GMP)).allocated()
    proposal = {"API-EARLY": Decimal("5.0"), "LAC-1": Decimal("95.0")}
    assert reserved(order) == proposal
    for reason in (None, "", "why"):
        with pytest.raises(Refusal) as no_reason:
            await choose(order, "API-LATE", reason=reason)
        assert no_reason.value.blocker.code == "FEFO_OVERRIDE_REASON"
        assert no_reason.value.blocker.found == "line 1: API-LATE, without a reason"
    with pytest.raises(Refusal) as unknown:
        await choose(order, "API-LATE", line=9)
    assert (unknown.value.blocker.code, unknown.value.blocker.required) == ("UNKNOWN_LINE", "one of 1, 2")
    with pytest.raises(Refusal) as unusable:
        await choose(order, "LAC-1")
    assert (unusable.value.blocker.code, unusable.value.blocker.id) == ("LOT_NOT_USABLE", "LAC-1")
    assert reserved(order) == proposal
    await choose(order, "API-EARLY")
    assert exceptions(order) == []
    await choose(order, "API-SMALL", "API-LATE")
    assert reserved(order) == {"API-SMALL": Decimal(1), "API-LATE": Decimal("4.0"), "LAC-1": Decimal("95.0")}
    said = f"lots chosen: API-SMALL, API-LATE of API, where API-EARLY expires first ({WHY})"
    assert exceptions(order) == [said]
    await order.do(c.ApprovePickList, "wil")
    await choose(order, "API-LATE")
    assert order.document("pick_list") == "allocated"  # what was approved is approved again
    await order.do(c.ApprovePickList, "wil")
    await order.do(c.IssuePickList, "wil")
    await order.until("work_order", "ready")
    assert plant.balance("API-EARLY")["RAW"] == (Decimal(100), Decimal(0))
    with pytest.raises(Refusal) as too_late:
        await choose(order, "API-EARLY")
    assert too_late.value.blocker.code == "INVALID_TRANSITION"
    assert len(exceptions(order)) == 2
    (row,) = plant.rows("SELECT lines FROM pick_list WHERE work_order = :w", w=order.work_order)
    assert {line["lot"] for line in row.lines} == {"API-LATE", "LAC-1"}


@pytest.mark.accepts("MT-02")
def test_only_who_has_the_authority_chooses() -> None:
    assert c.ChooseLots.roles == ("supervisor",)
