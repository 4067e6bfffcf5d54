"""One order on the real servers: approval to close, refusals on the way, the record beside the workflow."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from db.audit import verify
from domain import commands as c
from domain.events import Fact
from domain.folding import fold
from domain.process import created
from domain.states import OrderState
from tests.desk import DISCRETE
from tests.plant import Order, Plant, Refusal


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


async def folded(order: Order) -> object:
    rows = await asyncio.to_thread(
        order.plant.rows, "SELECT body FROM order_fact WHERE order_number = :n ORDER BY revision", n=order.number
    )
    process = created(order.specification)
    for (body,) in rows:
        fold(process, Fact.model_validate(body))
    return process


@pytest.mark.accepts("PO-11", "A18")
async def test_an_order_lives_from_approval_to_close(plant: Plant) -> None:
    order = await (await plant.order()).closed()
    assert order.state() == "closed"
    assert plant.balance(order.lot) == {"FINISHED": (Decimal(980), Decimal(0))}
    process = await order.process()
    assert process.state == OrderState.CLOSED
    assert await folded(order) == process
    times = plant.rows("SELECT actual_start, actual_end FROM production_order WHERE number = :n", n=order.number)[0]
    assert times[0] < times[1]


@pytest.mark.accepts("TR-01")
async def test_what_went_in_stands_in_the_genealogy_once(plant: Plant) -> None:
    order = await (await plant.order()).executed()
    links = plant.rows("SELECT input_lot, quantity FROM lot_link WHERE output_lot = :lot ORDER BY 1", lot=order.lot)
    assert [tuple(link) for link in links] == [("API-1", Decimal("5.0")), ("LAC-1", Decimal("95.0"))]


@pytest.mark.accepts("E2", "PO-10")
async def test_the_same_command_sent_five_times_has_one_effect_and_one_answer(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    report = order.command(c.ReportProduction, "olu", operation="DISPENSE", good=Decimal(100))
    for _ in range(5):
        await order.send(report)
    answers = {(await order.verdict(report.command_id)).model_dump_json() for _ in range(5)}
    await order.do(c.CompleteOperation, "olu", operation="DISPENSE")
    reports = plant.rows("SELECT count(*) FROM production_report WHERE work_order = :w", w=order.work_order)
    assert (len(answers), reports[0][0]) == (1, 1)


@pytest.mark.accepts("A13")
async def test_of_two_parallel_reports_of_sixty_for_a_hundred_one_is_accepted(plant: Plant) -> None:
    order = await (await plant.order(quantity=100)).picked()
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    reports = [order.command(c.ReportProduction, by, operation="DISPENSE", good=Decimal(60)) for by in ("olu", "ole")]
    await asyncio.gather(*(order.send(report) for report in reports))
    verdicts = [await order.verdict(report.command_id) for report in reports]
    assert sorted(verdict.accepted for verdict in verdicts) == [False, True]
    (refused,) = (verdict for verdict in verdicts if not verdict.accepted)
    assert refused.blockers[0].required == "at most 40 more of 100 ordered"


async def test_a_refusal_leaves_one_audit_row_and_nothing_else(plant: Plant) -> None:
    order = await plant.order()
    before = (await order.process()).model_copy(update={"revision": 0})
    with pytest.raises(Refusal) as refusal:
        await order.do(c.ReleaseOrder, "sam")
    assert refusal.value.codes == ["INVALID_TRANSITION"]
    assert refusal.value.outcome.possible == ("submitOrder", "cancelOrder", "changeOrder")
    assert (await order.process()).model_copy(update={"revision": 0}) == before
    rows = plant.rows("SELECT action FROM audit_row WHERE command_id = :c", c=refusal.value.outcome.command_id)
    assert [row.action for row in rows] == ["command.refused"]


@pytest.mark.accepts("A12")
async def test_a_pause_needs_a_reason_and_is_left_out_of_the_net_time(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    with pytest.raises(Refusal) as refusal:
        await order.do(c.PauseWorkOrder, "olu")
    assert refusal.value.codes == ["REASON_REQUIRED"]
    await order.do(c.PauseWorkOrder, "olu", reason="shift change")
    assert (await order.process()).work_orders[order.work_order].operations["DISPENSE"].running_since is None
    await order.do(c.ResumeWorkOrder, "ole")
    await order.do(c.CompleteOperation, "ole", operation="DISPENSE")
    operation = (await order.process()).work_orders[order.work_order].operations["DISPENSE"]
    assert operation.net_seconds < timedelta(seconds=30).total_seconds()


@pytest.mark.accepts("A10", "MT-03")
async def test_a_shortage_names_the_line_and_the_order_goes_on_when_stock_comes(plant: Plant) -> None:
    order = await plant.order(quantity=1000, api="5000")
    await order.released()
    await order.do(c.DispatchWorkOrder, "sam")
    await order.until("pick_list", "short")
    with pytest.raises(Refusal) as refusal:
        await order.do(c.AllocateMaterials, "wil")
    assert refusal.value.codes == ["SHORT"]
    assert "5000" in refusal.value.blocker.required
    await plant.stock("API-2", "API", "9000")
    await order.do(c.AllocateMaterials, "wil")
    await order.until("pick_list", "allocated")
    await order.do(c.CancelOrder, "sam", reason="only a trial")
    await order.until("order", "cancelled")


@pytest.mark.accepts("A11")
async def test_who_made_the_pick_list_does_not_approve_it(plant: Plant) -> None:
    order = await (await plant.order()).allocated()
    with pytest.raises(Refusal) as refusal:
        await order.do(c.ApprovePickList, "sam")
    assert refusal.value.codes == ["SEPARATION_OF_DUTIES"]
    await order.do(c.ApprovePickList, "wil")


@pytest.mark.accepts("MT-01")
async def test_a_lot_that_is_held_after_the_approval_is_not_issued(plant: Plant) -> None:
    order = await (await plant.order()).allocated()
    await order.do(c.ApprovePickList, "wil")
    with plant.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE lot SET status = 'onHold' WHERE number = 'API-1'")
    try:
        with pytest.raises(Refusal) as refusal:
            await order.do(c.IssuePickList, "wil")
        assert refusal.value.codes == ["LOT_NOT_USABLE"]
        assert "API-1" in refusal.value.blocker.id
    finally:
        with plant.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE lot SET status = 'released' WHERE number = 'API-1'")
    await order.do(c.IssuePickList, "wil")
    await order.until("work_order", "ready")


@pytest.mark.accepts("A11")
async def test_material_is_issued_once_and_the_work_order_goes_on_by_itself(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    with pytest.raises(Refusal):
        await order.do(c.IssuePickList, "wil")
    moves = plant.rows("SELECT lot FROM stock_move WHERE work_order = :w AND to_place = 'LINE'", w=order.work_order)
    assert sorted(move.lot for move in moves) == ["API-1", "LAC-1"]


async def test_a_held_order_takes_no_work_and_resumes_where_it_was(plant: Plant) -> None:
    order = await (await plant.order()).picked()
    await order.do(c.HoldOrder, "qa", reason="question about the API lot")
    with pytest.raises(Refusal) as refusal:
        await order.do(c.StartOperation, "olu", operation="DISPENSE")
    assert "ORDER_ON_HOLD" in refusal.value.codes
    assert "resumeOrder" in refusal.value.outcome.possible
    await order.do(c.ResumeOrder, "qa")
    await order.do(c.StartOperation, "olu", operation="DISPENSE")


async def test_a_job_shop_order_runs_without_ceremony(plant: Plant) -> None:
    order = await plant.order(DISCRETE)
    await order.do(c.SubmitOrder, "pia")
    await order.do(c.ReleaseOrder, "pia")
    await order.do(c.DispatchWorkOrder, "pia")
    await order.until("work_order", "ready")
    await order.operation("DISPENSE")
    await order.operation("COMPRESS", weight="113")
    await order.operation("COAT", good=1000)
    await order.until("order", "completed")
    await order.do(c.CloseOrder, "pia")
    assert plant.balance(order.lot) == {"FINISHED": (Decimal(1000), Decimal(0))}


@pytest.mark.accepts("E8")
async def test_an_order_continues_in_a_new_run_and_loses_nothing(plant: Plant) -> None:
    """The server suggests a new run after 300 events; three people go on sending meanwhile."""
    order = await (await plant.order(quantity=100_000)).picked()
    first = (await order.handle.describe()).run_id
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    sent: list[c.Command] = []

    async def three_more() -> None:
        batch = [
            order.command(c.ReportProduction, by, operation="DISPENSE", good=Decimal(1)) for by in ("olu", "ole", "ona")
        ]
        sent.extend(batch)
        await asyncio.gather(*(order.send(report) for report in batch))
        await asyncio.sleep(0.03)

    # A busy server takes many commands in one step: how many make 300 events is not known beforehand.
    while (await order.handle.describe()).run_id == first:
        assert len(sent) < 1000
        await three_more()
    for _ in range(10):
        await three_more()
    verdicts = [await order.verdict(report.command_id) for report in sent]
    assert all(verdict.accepted for verdict in verdicts)
    await order.send(sent[0])  # an old command in a new run
    await order.do(c.CompleteOperation, "olu", operation="DISPENSE")
    assert (await order.process()).work_orders[order.work_order].operations["DISPENSE"].good == len(sent)
    revisions = plant.rows("SELECT revision FROM order_fact WHERE order_number = :n ORDER BY 1", n=order.number)
    assert [row.revision for row in revisions] == list(range(1, len(revisions) + 1))


async def test_the_audit_trail_of_all_this_is_unbroken(plant: Plant) -> None:
    with plant.engine.begin() as connection:
        verdict = verify(connection)
    assert verdict.broken_at is None, verdict.detail
    assert verdict.rows > 100
