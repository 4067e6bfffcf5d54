"""A process that is lost begins again from the record and goes on where the record ends, at every stage."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from adapters.inventory.postgres import PostgresInventory
from api.orders_door import Orders
from api.resuming import Processes, Standing
from db.queries.open_lives import start_of_order
from domain import commands as c
from domain.case_commands import ClassifyDeviation, VoidDeviation
from domain.errors import AdapterUnreachable
from domain.quality_cases import Classification
from domain.states import OrderState
from tests.cases import LED, Led
from tests.plant import Order, Plant, pauses
from workflows.policies import workflow_id
from workflows.production_order import PHASE, ProductionOrderWorkflow

pytestmark = [pytest.mark.accepts("RC-03"), pytest.mark.usefixtures("plant")]


def processes(plant: Plant) -> Processes:
    return Processes(Orders(plant.settings, plant.task_queue), plant.engine, plant.task_queue)


async def standing(plant: Plant, *numbers: str) -> dict[str, str]:
    """Number → how its process stands, of these."""
    found = await processes(plant).standing()
    return {one.life.number: one.process for one in found if one.life.number in numbers}


async def lost(plant: Plant, *processes_of: Any) -> None:
    """Their processes are gone, as if Temporal's state had been lost."""
    for own in processes_of:
        await own.handle.terminate(reason="the disk")


async def begun_again(plant: Plant, *numbers: str) -> list[Standing]:
    """The missing ones of these, begun again."""
    own = processes(plant)
    missing = [one for one in await own.standing() if one.is_missing and one.life.number in numbers]
    await own.begin(missing)
    return missing


async def lost_and_begun(order: Order) -> None:
    """The order's process is lost between two steps and comes back with the same state."""
    before = await order.process()
    await until_recorded(order, before.revision)
    await lost(order.plant, order)
    assert (await standing(order.plant, order.number))[order.number] == "terminated"
    await begun_again(order.plant, order.number)
    after = await order.process()
    assert after.model_dump() == before.model_dump()


async def until_recorded(order: Order, revision: int) -> None:
    """Wait until the record has the order's last fact."""
    statement = "SELECT max(revision) FROM order_fact WHERE order_number = :n"
    for pause in pauses(60):
        if (await asyncio.to_thread(order.plant.rows, statement, n=order.number))[0][0] >= revision:
            return
        await asyncio.sleep(pause)
    raise AssertionError(f"{order.number} is not recorded up to {revision}")


async def test_an_order_whose_process_is_lost_after_every_step_is_closed_all_the_same(plant: Plant) -> None:
    for lot, material in (("RS-API", "API"), ("RS-LAC", "LAC")):
        await plant.stock(lot, material, "100")
    order = await plant.order()
    steps: list[tuple[type[c.Command], str, dict[str, Any], tuple[str, str] | None]] = [
        (c.SubmitOrder, "pia", {}, None),
        (c.ApproveOrder, "sam", {}, None),
        (c.ReleaseOrder, "sam", {}, None),
        (c.DispatchWorkOrder, "sam", {}, ("pick_list", "allocated")),
        (c.ApprovePickList, "wil", {}, None),
        (c.IssuePickList, "wil", {}, ("work_order", "ready")),
    ]
    for kind, by, fields, then in steps:
        await order.do(kind, by, **fields)
        if then is not None:
            await order.until(*then)
        await lost_and_begun(order)
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    await lost_and_begun(order)
    values = (c.Measurement(name="weight", text="113", unit="mg"),)
    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    await order.do(c.ReportProduction, "olu", operation="COMPRESS", good=990, scrap=10, scrap_reason="dust")
    await order.do(c.CompleteOperation, "olu", operation="COMPRESS")
    await order.operation("COAT", good=980, scrap=10)
    await order.until("inspection", "created")
    await lost_and_begun(order)
    await order.tested()
    await order.put_into_quarantine()
    await lost_and_begun(order)
    assert (await order.finished()).state() == "closed"
    revisions = [row[0] for row in plant.rows(
        "SELECT revision FROM order_fact WHERE order_number = :n ORDER BY revision", n=order.number
    )]  # fmt: skip
    assert revisions == list(range(1, len(revisions) + 1))
    told = plant.rows("SELECT new FROM audit_row WHERE action = 'process.resumed' AND entity = :e",
                      e=f"production-order/{order.number}")  # fmt: skip
    assert len(told) == 9
    assert order.number not in await standing(plant, order.number)


async def test_the_same_command_is_not_judged_again_and_operations_finds_the_order(plant: Plant) -> None:
    order = await plant.order()
    command = order.command(c.SubmitOrder, "pia")
    await order.send(command)
    await order.verdict(command.command_id)
    await lost_and_begun(order)
    await order.send(command)
    await order.do(c.ApproveOrder, "sam")
    asked = plant.rows("SELECT count(*) FROM order_fact WHERE order_number = :n AND command_id = :c",
                       n=order.number, c=command.command_id)  # fmt: skip
    assert asked == [(1,)]
    described = await order.handle.describe()
    assert described.typed_search_attributes[PHASE] in ("submitted", "approved")
    # One that runs is left alone.
    run = described.run_id
    runs = [one for one in await processes(plant).standing() if one.life.number == order.number]
    await processes(plant).begin(runs)
    assert (await order.handle.describe()).run_id == run


async def test_a_hold_that_waits_in_the_inbox_is_judged_before_a_return_is_asked_for(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lot, material in (("RU-API", "API"), ("RU-LAC", "LAC")):
        await plant.stock(lot, material, "100")
    order = await (await plant.order()).picked()
    lot = plant.rows("SELECT lot FROM stock_move WHERE work_order = :w AND kind = 'issue'", w=order.work_order)[0].lot
    line = 1 if lot.endswith("API") else 2
    lines = (c.ReturnedQuantity(line=line, lot=lot, quantity=Decimal("0.5"), unit="kg"),)
    asked = order.command(c.ReturnMaterials, "wil", lines=lines, reason="too much issued")
    with monkeypatch.context() as away:
        away.setattr(PostgresInventory, "return_materials", _unreachable)
        await order.send(asked)
        await until_waiting(order)
        await until_recorded(order, (await order.process()).revision)
        await lost(plant, order)
    with plant.engine.connect() as connection:
        start = start_of_order(connection, order.number)
    assert start.carried is not None
    held = order.command(c.HoldOrder, "sam", reason="a complaint")
    start = start.model_copy(update={"carried": start.carried.model_copy(update={"inbox": (held,)})})
    await plant.client.start_workflow(
        ProductionOrderWorkflow.run, start, id=workflow_id(order.number), task_queue=plant.task_queue
    )
    assert (await order.verdict(held.command_id)).accepted
    assert (await order.process()).state == OrderState.HELD
    assert await asked_of_the_warehouse(order) == []
    await order.do(c.ResumeOrder, "sam")
    assert (await order.verdict(asked.command_id)).accepted
    assert await asked_of_the_warehouse(order) == ["inventory.return-materials"]


def _unreachable(*_: Any, **__: Any) -> None:
    raise AdapterUnreachable("inventory", "the line is cut")


async def asked_of_the_warehouse(order: Order) -> list[str]:
    """The activities of the warehouse that the order's run has asked for."""
    history = await order.handle.fetch_history()
    names = [event.activity_task_scheduled_event_attributes.activity_type.name for event in history.events]
    return [name for name in names if name.startswith("inventory.")]


async def until_waiting(order: Order) -> None:
    for pause in pauses(60):
        if (await order.process()).waiting:
            return
        await asyncio.sleep(pause)
    raise AssertionError(f"{order.number} waits for nobody")


async def test_what_a_deviation_decided_reaches_an_order_that_had_lost_it(plant: Plant) -> None:
    for lot, material in (("RT-API", "API"), ("RT-LAC", "LAC")):
        await plant.stock(lot, material, "100")
    order = await (await plant.order(LED)).picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    values = (c.Measurement(name="weight", text="130", unit="mg"),)
    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    (number,) = (await order.process()).led_deviations
    case = Led(plant, number)
    await until_case(plant, number)
    await until_recorded(order, (await order.process()).revision)

    # Both are lost. The deviation begins first: it is led again, and not begun a second time by its order.
    await lost(plant, order, case)
    begun = await begun_again(plant, order.number, number)
    assert [one.life.kind for one in begun] == ["deviation", "production-order"]
    await case.do(ClassifyDeviation, "rae", classification=Classification.MINOR, impact="this batch alone")
    facts = plant.rows("SELECT count(*) FROM case_fact WHERE case_number = :n AND revision = 1", n=number)
    assert facts == [(1,)]

    # It is voided while its order has no process; what it told lay in an inbox that nobody has any more.
    await lost(plant, order)
    await case.do(VoidDeviation, "rae", reason="the balance was not level")
    await case.handle.result()
    with plant.engine.connect() as connection:
        start = start_of_order(connection, order.number)
    assert start.carried is not None
    assert [said.kind_name() for said in start.carried.inbox] == ["noteDeviation"]
    await begun_again(plant, order.number)
    process = await until_decided(order, number)
    assert process.deviations[number] != "open"


async def until_case(plant: Plant, number: str) -> None:
    for pause in pauses(60):
        if await asyncio.to_thread(plant.rows, "SELECT 1 FROM quality_case WHERE number = :n", n=number):
            return
        await asyncio.sleep(pause)
    raise AssertionError(f"{number} is not recorded")


async def until_decided(order: Order, number: str) -> Any:
    for pause in pauses(60):
        process = await order.process()
        if process.deviations[number] != "open":
            return process
        await asyncio.sleep(pause)
    raise AssertionError(f"{order.number} does not know what became of {number}")
