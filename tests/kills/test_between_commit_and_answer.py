"""kill -9 between commit and answer, for every activity: each order goes on, and each effect is there once."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from temporalio.client import Client

from activities import stubs
from adapters.equipment.opcua import OpcUaEquipment
from adapters.equipment.port import JobState
from db.audit import verify
from domain import commands as c
from domain.equipment_acts import Qualify
from domain.equipment_states import Qualification
from settings import Settings
from system.addresses import Addresses
from tests.conftest import Database
from tests.contracts.equipment.support import LONG, PASSWORD, SHORT, SHORT_GOOD, SHORT_WASTE, PressProcess
from tests.desk import GMP, tablet_order
from tests.kills.nursery import NURSERY, Born
from tests.line import Line, on_line
from tests.plant import Order, Plant
from workflows.equipment_clock import EquipmentClockWorkflow
from workflows.runtime import tell_clock

pytestmark = pytest.mark.timeout(600)

ON_THE_WAY = (
    "record.write", "record.write/local", "inventory.allocate", "inventory.issue", "quality.request-inspection",
    "inventory.put-away", "inventory.release-to-stock", "equipment.run-job", "record.check", "record.archive",
    "inventory.return-materials",
)  # fmt: skip
BEFORE_A_START = ("equipment-register.occupy", "equipment-register.expire")
OF_WEIGHING = (
    "equipment.read-scale", "equipment-register.check-scale", "inventory.dispense", "inventory.undispense",
)  # fmt: skip
"""These die in `tests/kills/test_weighing.py`."""
OF_RECOVERY = ("inventory.introduce",)
"""This dies in `tests/kills/test_recovery.py`."""
OF_MAINTENANCE = ("equipment-register.report-fault", "equipment-register.maintain")
"""These die in `tests/kills/test_maintenance.py`."""
OF_HOLDS = ("lot-hold.find-orders", "lot-hold.read-answers", "lot-hold.finish")
"""These die in `tests/kills/test_lot_holds.py`."""
OF_REPORTS = ("reports.make-due",)
"""This dies in `tests/kills/test_reports.py`."""
OF_ALARMS = ("alarms.escalate",)
"""This dies in `tests/kills/test_alarms.py`."""
OF_CASES = ("record.write-case", "record.write-case/local", "quality.settle-lot")
ON_THE_WAY_BACK = ("equipment.abort-job", "inventory.give-back", "quality.cancel-inspection", "inventory.scrap")
HALF_A_KILOGRAM = c.ReturnedQuantity(line=1, lot="API-1", quantity=Decimal("0.5"), unit="kg")


REVIEWED = GMP.model_copy(update={"code": "reviewed", "batch_record_review": True})


@pytest.fixture
async def press(tmp_path: Path) -> AsyncIterator[PressProcess]:
    """The simulated tablet press."""
    process = PressProcess(tmp_path / "press")
    process.folder.mkdir()
    await process.start()
    yield process
    await process.kill()


@pytest.fixture(scope="module")
async def haunted(servers: Addresses, database: Database, engine: Engine, client: Client) -> Plant:
    """A plant without a worker of its own: the workers of these tests are processes that die."""
    settings = Settings(database_url=database.app_url, database_owner_url="", temporal_address=servers.temporal_address)
    # Every module has a database of its own, but they share one Temporal: an order that another module left in the
    # middle of its life must not be gone on with here.
    plant = Plant(client, engine, settings, task_queue=f"haunted-{uuid.uuid4().hex[:6]}")
    await asyncio.to_thread(plant.set_up)
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")
    return plant


def connection_to(press: PressProcess) -> dict[str, str]:
    """How a workstation reaches the press."""
    endpoint = press.endpoint()
    return {"url": endpoint.url, "identity": str(endpoint.identity), "password": "env:PRESS_PASSWORD"}


async def doomed_worker(plant: Plant, marks: Path, *doomed: str) -> Born:
    """A worker that lives until it does one of these activities, those that have a mark left out."""
    environment = {
        **os.environ,
        "DATABASE_URL": plant.settings.database_url,
        "TEMPORAL_ADDRESS": plant.settings.temporal_address,
        "PRESS_PASSWORD": PASSWORD,
    }
    await asyncio.to_thread(NURSERY.ready)
    return NURSERY.worker(environment, plant.task_queue, str(marks), *doomed)


@asynccontextmanager
async def dying_workers(plant: Plant, press: PressProcess | None, marks: Path, *doomed: str) -> AsyncIterator[None]:
    """One worker after the other, each new one when the one before has killed itself."""
    await asyncio.to_thread(marks.mkdir)
    if press is not None:
        plant.workstation("PRESS-1", connection_to(press))
    current: list[Born] = []

    async def keep() -> None:
        while True:
            process = await doomed_worker(plant, marks, *doomed)
            current[:] = [process]
            await process.wait()

    keeper = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        for process in current:
            if process.returncode is None:
                process.kill()
            await process.wait()


def assert_all_died(marks: Path, *doomed: str) -> None:
    """Each of the activities has killed its worker: the test has seen what it is about."""
    assert {mark.name for mark in marks.iterdir()} == {name.replace("/", ".") for name in doomed}


def assert_nothing_doubled(plant: Plant, alarms: Sequence[str] = ()) -> None:
    """No command is answered or noted twice, no other alarm than these, and the audit chain is whole."""
    noted = plant.rows(
        "SELECT command_id FROM order_fact WHERE command_id IS NOT NULL AND body ->> 'outcome' IS NOT NULL "
        "GROUP BY command_id HAVING count(*) > 1"
    )
    assert noted == []
    answered = plant.rows(
        "SELECT command_id FROM case_fact WHERE command_id IS NOT NULL AND body ->> 'outcome' IS NOT NULL "
        "GROUP BY command_id HAVING count(*) > 1"
    )
    assert answered == []
    assert [row.code for row in plant.rows("SELECT code, detail FROM alarm")] == list(alarms)
    with plant.engine.begin() as connection:
        assert verify(connection).broken_at is None


async def made_by_hand(plant: Plant) -> Order:
    """A whole order; a tenth of its API comes back unused."""
    order = await (await plant.order(REVIEWED)).picked()
    await order.do(c.ReturnMaterials, "wil", lines=(HALF_A_KILOGRAM,), reason="too much issued")
    await order.operation("DISPENSE")
    await order.operation("COMPRESS", good=990, scrap=10, weight="113")
    await order.operation("COAT", good=980, scrap=10)
    await order.until("inspection", "created")
    await order.tested()
    await order.put_into_quarantine()
    return await order.finished()


async def made_on_the_press(plant: Plant) -> Order:
    """A whole order whose tablets are counted by the press."""
    order = await plant.order(press="PRESS-1", lot=SHORT, quantity=SHORT_GOOD + SHORT_WASTE)
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    await order.until_job("COMPRESS", "ended", seconds=60)
    values = (c.Measurement(name="weight", text="113", unit="mg"),)
    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    await order.do(c.CompleteOperation, "olu", operation="COMPRESS")
    await order.operation("COAT", good=SHORT_GOOD)
    await order.until("inspection", "created")
    await order.tested()
    await order.put_into_quarantine()
    return await order.finished()


@pytest.mark.accepts("A11", "AT-08", "RC-04", "PO-10")
async def test_orders_survive_a_kill_after_every_effect(haunted: Plant, press: PressProcess, tmp_path: Path) -> None:
    async with dying_workers(haunted, press, tmp_path / "marks", *ON_THE_WAY):
        by_hand, by_press = await asyncio.gather(made_by_hand(haunted), made_on_the_press(haunted))
    assert_all_died(tmp_path / "marks", *ON_THE_WAY)
    assert haunted.balance(by_hand.lot) == {"FINISHED": (Decimal(980), Decimal(0))}
    assert haunted.balance(by_press.lot) == {"FINISHED": (Decimal(SHORT_GOOD), Decimal(0))}
    for order in (by_hand, by_press):
        moves = haunted.rows(
            "SELECT kind, count(*) AS n FROM stock_move WHERE work_order = :w GROUP BY kind", w=order.work_order
        )
        once = {"produce": 1, "putAway": 1, "release": 1}
        returned = {"return": 1} if order is by_hand else {}
        assert {move.kind: move.n for move in moves} == {"issue": 2, "consume": 2, **once, **returned}
        links = haunted.rows("SELECT quantity FROM lot_link WHERE output_lot = :l ORDER BY 1", l=order.lot)
        assert [link.quantity for link in links] == [Decimal("4.5" if order is by_hand else "5.0"), Decimal("95.0")]
        inspections = haunted.rows("SELECT 1 FROM inspection WHERE work_order = :w", w=order.work_order)
        reports = haunted.rows("SELECT 1 FROM production_report WHERE work_order = :w", w=order.work_order)
        assert (len(links), len(inspections), len(reports)) == (2, 1, 2)
    assert len(haunted.rows("SELECT 1 FROM archived_record WHERE work_order = :w", w=by_hand.work_order)) == 1
    prints = haunted.rows("SELECT language FROM archived_print WHERE work_order = :w", w=by_hand.work_order)
    assert sorted(row.language for row in prints) == ["en", "zh"]
    assert_nothing_doubled(haunted)


@pytest.mark.accepts("A19")
async def test_a_compensation_goes_on_after_a_kill_at_each_step(
    haunted: Plant, press: PressProcess, tmp_path: Path
) -> None:
    before = haunted.balance("API-1")["RAW"][0]
    async with dying_workers(haunted, press, tmp_path / "marks", *ON_THE_WAY_BACK):
        by_hand, by_press = await asyncio.gather((await haunted.order()).executed(), running_on_the_press(haunted))
        await by_press.do(c.CancelOrder, "sam", reason="wrong punch", disposition=c.Disposition.SCRAP)
        await by_press.until_job("COMPRESS", "aborted")
        await by_hand.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
        await by_hand.until("order", "aborted", seconds=90)
        await by_press.until("order", "aborted", seconds=90)
    assert_all_died(tmp_path / "marks", *ON_THE_WAY_BACK)
    assert haunted.balance(by_hand.lot) == haunted.balance(by_press.lot) == {}
    # What both have consumed is gone by decision; nothing else is missing.
    assert haunted.balance("API-1") == {"RAW": (before - Decimal("10.0"), Decimal(0))}
    scrapped = haunted.rows("SELECT 1 FROM stock_move WHERE lot = :l AND to_place = 'SCRAP'", l=by_hand.lot)
    assert len(scrapped) == 1
    assert await job_on(press, f"{by_press.work_order}/COMPRESS") == JobState.ABORTED
    assert_nothing_doubled(haunted)


@pytest.mark.accepts("A19", "A11")
async def test_a_return_that_nobody_heard_of_counts_in_the_cancellation(haunted: Plant, tmp_path: Path) -> None:
    """The material is back, the worker is dead before it could say so, and the order is cancelled at that moment."""
    before = haunted.balance("API-1")
    async with dying_workers(haunted, None, tmp_path / "marks", "inventory.return-materials", "inventory.give-back"):
        order = await (await haunted.order()).picked()
        asked = order.command(c.ReturnMaterials, "wil", lines=(HALF_A_KILOGRAM,), reason="too much issued")
        await order.send(asked)
        await until_marked(tmp_path / "marks" / "inventory.return-materials")
        await order.do(c.CancelOrder, "sam", reason="customer withdrew")
        await order.until("order", "cancelled", seconds=90)
        await order.verdict(asked.command_id)
    assert haunted.balance("API-1") == before
    moves = "SELECT quantity FROM stock_move WHERE work_order = :w AND kind = 'return' AND lot = 'API-1' ORDER BY 1"
    assert [row.quantity for row in haunted.rows(moves, w=order.work_order)] == [Decimal("0.5"), Decimal("4.5")]
    papers = haunted.rows("SELECT state FROM material_return WHERE work_order = :w", w=order.work_order)
    assert [paper.state for paper in papers] in (["cancelled"], ["returned"])
    assert_nothing_doubled(haunted)


async def until_marked(mark: Path, seconds: float = 30) -> None:
    """Wait until a worker has died its death."""
    for _ in range(int(seconds / 0.05)):
        if await asyncio.to_thread(mark.exists):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"no worker died at {mark.name} within {seconds} s")


@pytest.mark.accepts("A5", "PO-10")
async def test_a_split_whose_worker_dies_with_the_commit_makes_its_parts_once(
    haunted: Plant, press: PressProcess, tmp_path: Path
) -> None:
    """The order's end and the plan lines of its parts are one transaction: there is no moment with only one of them."""
    doomed = ("record.write/local",)
    parts = tuple(c.PlanPart(quantity=quantity) for quantity in ("250.5", "749.5"))
    async with dying_workers(haunted, press, tmp_path / "before"):
        order = await haunted.order()
        haunted.plan_line(order)
    async with dying_workers(haunted, press, tmp_path / "marks", *doomed):
        split = order.command(c.SplitOrder, "pia", parts=parts, reason="two deliveries")
        await order.send(split)
        await order.send(split)
        assert (await order.verdict(split.command_id, seconds=90)).accepted
        assert await order.handle.result() == "cancelled"
    assert_all_died(tmp_path / "marks", *doomed)
    links = haunted.rows(
        "SELECT l.quantity, k.part, k.command_id FROM plan_line l JOIN plan_line_link k ON k.child = l.reference "
        "WHERE k.parent = :p ORDER BY k.part",
        p=order.specification.plan_line,
    )
    assert [tuple(link) for link in links] == [
        (Decimal("250.5"), 1, split.command_id), (Decimal("749.5"), 2, split.command_id),
    ]  # fmt: skip
    assert_nothing_doubled(haunted)


@pytest.mark.accepts("A11", "EQ-03", "EQ-05")
async def test_a_line_is_taken_once_and_its_dates_pass_once(haunted: Plant, tmp_path: Path) -> None:
    line = await asyncio.to_thread(lambda: Line(haunted.engine).ready())
    policy = GMP.model_copy(update={"code": "gated", "start_gate": True})
    order = Order(haunted, on_line(tablet_order(policy, haunted.next_number()), line, "DISPENSE"))
    late = await asyncio.to_thread(lambda: Line(haunted.engine))
    await asyncio.to_thread(late.do, Qualify(valid_until=late.clock() + timedelta(seconds=0.2)), "max")
    async with dying_workers(haunted, None, tmp_path / "marks", *BEFORE_A_START):
        await order.start()
        await order.picked()
        await tell_clock(haunted.client, EquipmentClockWorkflow, haunted.task_queue)
        await order.operation("DISPENSE")
        for _ in range(1200):
            if late.item().qualification == Qualification.REQUALIFICATION_DUE:
                break
            await asyncio.sleep(0.1)
    assert_all_died(tmp_path / "marks", *BEFORE_A_START)
    assert late.item().qualification == Qualification.REQUALIFICATION_DUE
    expired = haunted.rows("SELECT 1 FROM audit_row WHERE action = 'equipment.expired'")
    assert len(expired) == 1
    assert [entry.activity for entry in line.log()][-2:] == ["use", "idle"]
    assert [entry.activity for entry in line.log()].count("use") == 1
    assert_nothing_doubled(haunted)


async def running_on_the_press(plant: Plant) -> Order:
    """An order whose tablets are being pressed, for some seconds."""
    order = await plant.order(press="PRESS-1", lot=LONG)
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    return await order.until_job("COMPRESS", "started")


async def job_on(press: PressProcess, job: str) -> JobState:
    """How the press itself sees a job."""
    driver = OpcUaEquipment(press.endpoint())
    try:
        view = await driver.get_job(job)
    finally:
        await driver.close()
    assert view is not None
    return view.state


def test_no_activity_is_left_out() -> None:
    """A new activity has to be killed here too."""
    names = {
        getattr(function, "__temporal_activity_definition").name
        for function in vars(stubs).values()
        if hasattr(function, "__temporal_activity_definition")
    }
    kills = (
        *ON_THE_WAY,
        *BEFORE_A_START,
        *OF_WEIGHING,
        *OF_RECOVERY,
        *OF_MAINTENANCE,
        *OF_HOLDS,
        *OF_REPORTS,
        *OF_ALARMS,
        *OF_CASES,
        *ON_THE_WAY_BACK,
    )
    assert names == {name.removesuffix("/local") for name in kills}
