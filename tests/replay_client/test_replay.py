"""Real batches and real shop-floor reports through the whole system."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from plants.jobshop.source import read as read_jobs
from plants.tablets import master_batch_record
from replay.client import Plant
from replay.jobshop import replay_jobshop
from replay.people import OPERATOR_2, PLANNER, REVIEWER, Person
from replay.progress import Progress
from replay.tablets import replay_tablets
from tests.replay_client.conftest import Factory

PLANTS = Path(__file__).parent.parent.parent / "plants"
TABLETS = PLANTS / "tablets" / "sample"
REPORTS = PLANTS / "jobshop" / "sample" / "reports.csv"


async def test_real_batches_are_made_from_exactly_their_lots_and_closed(
    client_factory: Factory, people: dict[str, Person]
) -> None:
    seen: list[Progress] = []
    report = await replay_tablets(
        client_factory, people, TABLETS, batches={1, 38, 60, 124}, concurrency=4, watcher=seen.append
    )
    assert report.refusals == ()
    assert [order.state for order in report.orders] == ["closed"] * 4
    made = {order.finished_lot: order for order in report.orders}
    assert {lot.lot for lot in made["FCT-124"].input_lots} == {"API-1-10", "SMCC-3", "LAC-1", "STA-3"}
    assert (made["FCT-1"].good_quantity, made["FCT-1"].scrap_quantity) == (Decimal(227273), Decimal(5101))
    assert made["FCT-38"].deviations == 1  # two batch sizes
    assert made["FCT-124"].deviations == 3  # both yields and the balance: outside the limits that the data give
    assert [made[lot].deviations for lot in ("FCT-1", "FCT-60")] == [0, 0]
    assert seen[-1].done == seen[-1].total == 4
    async with Plant(client_factory, people) as plant:
        found = await plant.get(REVIEWER, "/quality/deviations", lot="API-1-10")
        traced = await plant.get(PLANNER, "/mes/traceabilities/lots/API-1-10", direction="forward")
    assert [deviation["code"] for deviation in found["deviations"]] == ["RESULTS_DISAGREE"]
    assert {"FCT-60", "FCT-124"} <= {node["lot"] for node in traced["nodes"]}


async def test_a_replay_that_is_done_again_changes_nothing(client_factory: Factory, people: dict[str, Person]) -> None:
    first = await replay_tablets(client_factory, people, TABLETS, batches={2})
    before = await _stock(client_factory, people)
    second = await replay_tablets(client_factory, people, TABLETS, batches={2})
    assert second.orders == first.orders
    assert second.refusals == first.refusals == ()
    assert await _stock(client_factory, people) == before


async def test_every_start_was_ready_and_every_check_was_anothers(
    client_factory: Factory, people: dict[str, Person], engine: Engine
) -> None:
    """Nobody was refused, two people stand behind each cleaning, clearance and check, and the rooms are clean again."""
    report = await replay_tablets(client_factory, people, TABLETS, batches={2})
    assert [(order.state, order.deviations) for order in report.orders] == [("closed", 0)]
    with engine.connect() as connection:

        def rows(query: str) -> list[tuple[str, ...]]:
            return [tuple(row) for row in connection.execute(text(query))]

        refused = rows(
            "SELECT command_id FROM audit_row WHERE action = 'command.refused' AND entity LIKE '%TAB-00002%'"
        )
        assert refused == []
        clearances = rows("SELECT operation, performed_by, checked_by FROM line_clearance WHERE batch = 'FCT-2'")
        dirty = rows("SELECT code FROM equipment_item WHERE last_batch IS NOT NULL AND cleaning <> 'clean'")
        used = rows(
            "SELECT DISTINCT i.equipment_class FROM equipment_log_entry l JOIN equipment_item i "
            "ON i.code = l.equipment WHERE l.batch = 'FCT-2' AND l.activity = 'use'"
        )
        verified = rows("SELECT operation, verified_by FROM operation_verification WHERE work_order LIKE '%TAB-00002%'")
    assert {operation for operation, _, _ in clearances} == {"DISPENSE", "BLEND", "COMPRESS", "COAT"}
    assert all(doer != checker is not None for _, doer, checker in clearances)
    assert dirty == []
    assert {of for (of,) in used} == {*master_batch_record.EQUIPMENT.values(), "production room"}
    assert {(operation, by) for operation, by in verified} == {("DISPENSE", OPERATOR_2), ("BLEND", OPERATOR_2)}
    async with Plant(client_factory, people) as plant:
        order = await plant.order(PLANNER, "TAB-00002")
        assert order is not None
        path = f"/mes/work-orders/{order['workOrders'][0]['id']}/batch-record/exceptions"
        assert (await plant.get(REVIEWER, path))["exceptions"] == []


async def test_a_batch_that_fails_its_release_test_is_rejected_and_its_order_closed(
    client_factory: Factory, people: dict[str, Person], tmp_path: Path
) -> None:
    """As a row of another month might: the result is investigated and confirmed, nothing of it is ever saleable."""
    header, *rows = (TABLETS / "laboratory.csv").read_text(encoding="utf-8").splitlines()
    columns = header.split(";")
    cells = dict(zip(columns, next(row for row in rows if row.startswith("2;")).split(";"), strict=True))
    failing = {**cells, "batch": "7002", "dissolution_min": "31.0", "tbl_max_weight": "400"}
    (tmp_path / "laboratory.csv").write_text("\n".join([header, ";".join(failing.values())]), encoding="utf-8")
    report = await replay_tablets(client_factory, people, tmp_path)
    assert report.refusals == ()
    assert [(order.state, order.deviations) for order in report.orders] == [("closed", 2)]
    async with Plant(client_factory, people) as plant:
        stock = (await plant.get(PLANNER, "/wms/stock", lot="FCT-7002"))["stock"]
    assert {(balance["place"], balance["status"]) for balance in stock} == {("REJECTED", "rejected")}


async def _stock(client_factory: Factory, people: dict[str, Person]) -> Any:
    async with Plant(client_factory, people) as plant:
        return (await plant.get(PLANNER, "/wms/stock", limit=1000))["stock"]


@pytest.mark.parametrize("concurrency", [3])
async def test_every_shop_floor_report_is_taken_and_the_totals_are_those_of_the_file(
    client_factory: Factory, people: dict[str, Person], concurrency: int
) -> None:
    report = await replay_jobshop(client_factory, people, REPORTS, concurrency=concurrency)
    jobs = read_jobs(REPORTS).jobs
    assert report.refusals == ()
    assert [order.state for order in report.orders] == ["closed"] * len(jobs)
    assert [order.good_quantity for order in report.orders] == [sum(r.good for r in job.reports) for job in jobs]
    assert [order.scrap_quantity for order in report.orders] == [sum(r.scrap for r in job.reports) for job in jobs]


async def test_pieces_for_the_review_board_are_decided_before_the_order_is_closed(
    client_factory: Factory, people: dict[str, Person], tmp_path: Path
) -> None:
    header = REPORTS.read_text(encoding="utf-8").splitlines()[0]
    times = "2012/01/29 14:24:00,2012/01/29 15:00:00"
    rows = (
        f"CaseM,Plug,10,Turning,Machine 5,ID1,{times},D,8,0,2,",
        f"CaseM,Plug,10,Packing,Packing,ID2,{times},D,18,0,0,",
    )
    file = tmp_path / "reports.csv"
    file.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    report = await replay_jobshop(client_factory, people, file)
    (order,) = report.orders
    assert report.refusals == ()
    assert (order.state, order.deviations, order.good_quantity) == ("closed", 1, Decimal(26))
