"""Wherever an order is stopped, the warehouse is as it must be: a property, tried at stages and in states of chance."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
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


def used(line: int, lot: str, quantity: str, **more: object) -> dict[str, object]:
    """A quantity of an issued lot."""
    return {"line": line, "lot": lot, "quantity": quantity, "unit": "kg", **more}


def give_back(*lines: dict[str, object]) -> tuple[Step, Step]:
    """Some of what was issued goes back: it is asked for, and answered. Between the two, it may be on its way."""
    returned = tuple(c.ReturnedQuantity.model_validate(line) for line in lines)

    async def asked(order: Order) -> None:
        await order.send(order.command(c.ReturnMaterials, "wil", lines=returned, reason="too much issued"))

    async def answered(order: Order) -> None:
        last = f"{order.number}/c{order.given}"
        assert (await order.verdict(last)).accepted

    return asked, answered


TO_THE_LINE: tuple[Step, ...] = (
    ask(c.SubmitOrder, "pia"),
    ask(c.ApproveOrder, "sam"),
    ask(c.ReleaseOrder, "sam"),
    ask(c.DispatchWorkOrder, "sam"),
    until("pick_list", "allocated"),
    ask(c.ApprovePickList, "wil"),
    ask(c.IssuePickList, "wil"),
    until("work_order", "ready"),
)
DISPENSED: tuple[Step, ...] = (
    ask(c.StartOperation, "olu", operation="DISPENSE"),
    ask(c.CompleteOperation, "olu", operation="DISPENSE"),
)
TO_THE_SHELF: tuple[Step, ...] = (
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
STATED = tuple(c.LineQuantity.model_validate(own) for own in (used(1, "API-1", "4.2"), used(2, "LAC-1", "90")))
LIVES: dict[str, tuple[Step, ...]] = {
    "all is consumed": (*TO_THE_LINE, *DISPENSED, *TO_THE_SHELF),
    "some is returned": (
        *TO_THE_LINE,
        *give_back(used(1, "API-1", "0.5"), used(2, "LAC-1", "5", disposition="scrap")),
        *give_back(used(2, "LAC-1", "10")),
        *DISPENSED,
        *TO_THE_SHELF,
    ),
    "some is left": (
        *TO_THE_LINE,
        ask(c.StartOperation, "olu", operation="DISPENSE"),
        *give_back(used(2, "LAC-1", "1")),
        ask(c.CompleteOperation, "olu", operation="DISPENSE", consumed=STATED),
        *give_back(used(1, "API-1", "0.3"), used(2, "LAC-1", "1.5")),
        *TO_THE_SHELF,
        *give_back(used(1, "API-1", "0.5", disposition="scrap"), used(2, "LAC-1", "2.5")),
    ),
}
CONSUMED = {"all is consumed": ("5.0", "95.0"), "some is returned": ("4.5", "80.0"), "some is left": ("4.2", "90")}
"""What the batch consumes of API-1 and LAC-1, if it comes so far."""
HELD = ask(c.HoldOrder, "sam", reason="a question")
PAUSED = ask(c.PauseWorkOrder, "olu", reason="a break")


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


@pytest.mark.timeout(600)
@pytest.mark.accepts("A19", "PO-09")
@settings(
    max_examples=45,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    stage=st.sampled_from(sorted(LIVES)).flatmap(
        lambda life: st.tuples(st.just(life), st.integers(0, len(LIVES[life])))
    ),
    disposition=st.sampled_from(c.Disposition),
    before=st.sampled_from(["", "held", "paused"]),
)
@example(stage=("some is returned", len(TO_THE_LINE) + 1), disposition=c.Disposition.SCRAP, before="")
@example(stage=("some is left", len(LIVES["some is left"]) - 1), disposition=c.Disposition.KEEP_AS_LOT, before="")
async def test_a_cancelled_order_leaves_the_warehouse_as_it_must_be(
    plant: Plant, stage: tuple[str, int], disposition: c.Disposition, before: str
) -> None:
    order = await plant.order()
    raw = {lot: total(plant, lot) for lot in ("API-1", "LAC-1")}
    life, steps = stage
    for step in LIVES[life][:steps]:
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
    scrapped = moved(plant, order, "scrap")
    for lot, quantity in raw.items():
        gone = consumed.get(lot, Decimal(0)) + scrapped.get(lot, Decimal(0))
        assert plant.balance(lot) == {"RAW": (quantity - gone, Decimal(0))}
    assert consumed in ({}, dict(zip(raw, map(Decimal, CONSUMED[life]), strict=True)))
    links = "SELECT input_lot AS lot, sum(quantity) AS q FROM lot_link WHERE output_lot = :l GROUP BY 1"
    assert {row.lot: row.q for row in plant.rows(links, l=order.lot)} == consumed
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
    returns = plant.rows("SELECT state FROM material_return WHERE work_order = :w", w=order.work_order)
    assert {row.state for row in returns} <= {"returned", "cancelled"}
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
