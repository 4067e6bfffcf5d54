"""Wherever an order is stopped, the warehouse is as it must be: a property, tried at stages and in states of chance."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from db.audit import verify
from domain import commands as c
from tests.plant import Order, Plant

Step = Callable[[Order], Awaitable[object]]
WEIGHT = (c.Measurement(name="weight", text="113", unit="mg"),)
DISSOLUTION = (c.Measurement(name="dissolution", text="92.5", unit="%"),)


def ask(kind: type[c.Command], by: str, **fields: object) -> Step:
    """One command that is accepted."""
    return lambda order: order.do(kind, by, **fields)


def until(what: str, state: str) -> Step:
    """A neighbour's answer. Left out, the order is cancelled while the neighbour works."""
    return lambda order: order.until(what, state)


LIFE: tuple[Step, ...] = (
    ask(c.SubmitOrder, "pia"),
    ask(c.ApproveOrder, "sam"),
    ask(c.ReleaseOrder, "sam"),
    ask(c.DispatchWorkOrder, "sam"),
    until("pick_list", "allocated"),
    ask(c.ApprovePickList, "wil"),
    ask(c.IssuePickList, "wil"),
    until("work_order", "ready"),
    ask(c.StartOperation, "olu", operation="DISPENSE"),
    ask(c.CompleteOperation, "olu", operation="DISPENSE"),
    ask(c.StartOperation, "olu", operation="COMPRESS"),
    ask(c.ReportProduction, "olu", operation="COMPRESS", good=400, scrap=5, scrap_reason="dust"),
    ask(c.RecordParameters, "olu", operation="COMPRESS", values=WEIGHT),
    ask(c.ReportProduction, "olu", operation="COMPRESS", good=590, scrap=5, scrap_reason="dust"),
    ask(c.CompleteOperation, "olu", operation="COMPRESS"),
    ask(c.StartOperation, "olu", operation="COAT"),
    ask(c.ReportProduction, "olu", operation="COAT", good=300),
    ask(c.ReportProduction, "olu", operation="COAT", good=680, scrap=10, scrap_reason="dust"),
    ask(c.CompleteOperation, "olu", operation="COAT"),
    until("inspection", "created"),
    ask(c.EnterInspectionResults, "ana", values=DISSOLUTION),
    ask(c.DecideInspection, "ben", accept=True),
    until("put_away", "created"),
)
HELD = ask(c.HoldOrder, "sam", reason="a question")
PAUSED = ask(c.PauseWorkOrder, "olu", reason="a break")


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


@pytest.mark.timeout(600)
@pytest.mark.accepts("A19", "PO-09")
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.integers(0, len(LIFE)),
    disposition=st.sampled_from(c.Disposition),
    before=st.sampled_from(["", "held", "paused"]),
)
async def test_a_cancelled_order_leaves_the_warehouse_as_it_must_be(
    plant: Plant, steps: int, disposition: c.Disposition, before: str
) -> None:
    order = await plant.order()
    raw = {lot: total(plant, lot) for lot in ("API-1", "LAC-1")}
    for step in LIFE[:steps]:
        await step(order)
    process = await order.process()
    if before == "held" and process.state in ("approved", "released", "inProgress"):
        await HELD(order)
    if before == "paused" and process.work_orders[order.work_order].state == "running":
        await PAUSED(order)
    await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=disposition)
    ended = await order.handle.result()

    consumed = moved(plant, order, "consume")
    assert ended == ("aborted" if consumed else "cancelled")
    for lot, quantity in raw.items():
        gone = consumed.get(lot, Decimal(0))
        assert plant.balance(lot) == {"RAW": (quantity - gone, Decimal(0))}
    assert consumed in ({}, {"API-1": Decimal("5"), "LAC-1": Decimal("95")})
    made_lot_is_decided(plant, order, disposition)
    papers_are_void(plant, order)
    with plant.engine.begin() as connection:
        assert verify(connection).broken_at is None


def total(plant: Plant, lot: str) -> Decimal:
    """What is on hand of a lot, everywhere."""
    return sum((on_hand for on_hand, _ in plant.balance(lot).values()), Decimal(0))


def moved(plant: Plant, order: Order, kind: str) -> dict[str, Decimal]:
    """Lot → quantity that was moved for the order's work order in this way."""
    statement = "SELECT lot, sum(quantity) AS q FROM stock_move WHERE work_order = :w AND kind = :k GROUP BY lot"
    return {row.lot: row.q for row in plant.rows(statement, w=order.work_order, k=kind)}


def made_lot_is_decided(plant: Plant, order: Order, disposition: c.Disposition) -> None:
    """What was made is gone, or kept and on hold: never saleable."""
    made = moved(plant, order, "produce").get(order.lot, Decimal(0))
    status = [row[0] for row in plant.rows("SELECT status FROM lot WHERE number = :l", l=order.lot)]
    if disposition == c.Disposition.SCRAP:
        assert plant.balance(order.lot) == {}
        assert status in ([], ["rejected"])
    else:
        assert plant.balance(order.lot) == ({"LINE": (made, Decimal(0))} if made else {})
        assert status in ([], ["onHold"], ["rejected"])


def papers_are_void(plant: Plant, order: Order) -> None:
    """No reservation, no document that waits for somebody, no operation that goes on; each has its reason."""
    reserved = "SELECT 1 FROM reservation WHERE work_order = :w AND state = 'reserved'"
    assert plant.rows(reserved, w=order.work_order) == []
    assert order.work_order_state() in ("cancelled", "aborted")
    assert order.document("pick_list") in (None, "cancelled", "issued")
    assert order.document("inspection") in (None, "cancelled", "accepted")
    assert order.document("put_away") in (None, "cancelled")
    operations = plant.rows("SELECT state FROM operation WHERE work_order = :w", w=order.work_order)
    assert {row.state for row in operations} <= {"cancelled", "aborted"}
    reasons = plant.rows(
        "SELECT reason FROM state_transition WHERE order_number = :n AND to_state = 'cancelling'", n=order.number
    )
    assert [row.reason for row in reasons] == ["customer withdrew"]
