"""The ways of orders and cases that came after release 0.2.0, and every command that no earlier history has."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text

from adapters.equipment.stations import Stations
from domain import case_commands as cc
from domain import commands as c
from domain import maintenance_commands as mc
from domain.evidence import Evidence, Instrument, MeasuredWith, Reagent
from domain.material_commands import SamplePurpose
from domain.planning_commands import PlanPart
from domain.policy import OverReport
from domain.specification import (
    ApprovedRecovery,
    Characteristic,
    OperationSpecification,
    OrderSpecification,
    WorkOrderSpecification,
)
from tests.cases import LED, Led, asked_for, of_order, opened, out_of_specification, until_decided
from tests.contracts.equipment.support import SHORT, PressProcess
from tests.desk import GMP, tablet_order
from tests.domain.recovering import EARLIER, IMPURITY, permitted
from tests.line import Line
from tests.plant import Order, Plant
from tests.workflows.test_jobs_given_up import Hall, pressing, told
from tests.workflows.test_jobs_given_up import until_held as until_given_up
from tests.workflows.test_maintenance import requested
from worker import build_gateway

REVIEWED = GMP.model_copy(update={"code": "reviewed", "batch_record_review": True})
CONTROLLED = GMP.model_copy(update={"code": "controlled", "controlled_changes": True})
WHY = "the customer wants fewer"


def changed(
    order: OrderSpecification,
    operations: Callable[[OperationSpecification], dict[str, Any]] = lambda _: {},
    **work_order: Any,
) -> OrderSpecification:
    """The same order with other fields of its work order and of its operations."""
    (own,) = order.work_orders
    steps = tuple(operation.model_copy(update=operations(operation)) for operation in own.operations)
    made: WorkOrderSpecification = own.model_copy(update={"operations": steps, **work_order})
    return order.model_copy(update={"work_orders": (made,)})


async def begun(plant: Plant, specification: OrderSpecification) -> Order:
    """An order of that specification."""
    order = Order(plant, specification)
    await order.start()
    return order


def rejected_lot(plant: Plant, lot: str) -> None:
    """A hundred tablets of an earlier batch that lie among the rejected goods."""
    with plant.engine.begin() as connection:
        for statement in (
            "INSERT INTO lot (number, material, unit, status, origin, created_at) "
            "VALUES (:l, 'TAB', 'pcs', 'rejected', 'produced', now())",
            "INSERT INTO stock_move (key, lot, from_place, to_place, quantity, unit, kind, actor, moved_at) "
            "VALUES (:l, :l, 'PROCESS', 'REJECTED', 100, 'pcs', 'rejected', 'wil', now())",
            "INSERT INTO stock_balance (lot, place, on_hand, reserved) VALUES (:l, 'REJECTED', 100, 0)",
        ):
            connection.execute(text(statement), {"l": lot})


# What came since 0.2.0 --------------------------------------------------------------------------------------------


async def recovered(plant: Plant) -> Order:
    """One recovery is introduced, another one rejected."""
    await asyncio.to_thread(rejected_lot, plant, "TAB-RECOVERED")
    order = await (await begun(plant, permitted(number=plant.next_number()))).picked()
    asked = {"operation": "COMPRESS", "lot": "TAB-RECOVERED", "quantity": Decimal(40), "known": EARLIER}
    for _ in range(2):
        await order.do(c.RequestRecovery, "olu", **asked, reason="chipped only")
    approved = {"procedure": "SOP-RC-02", "tests": (IMPURITY,), "reason": "risk assessed, RA-31"}
    await order.do(c.ApproveRecovery, "max", recovery=f"{order.work_order}-V1", **approved)
    await order.do(c.RejectRecovery, "max", recovery=f"{order.work_order}-V2", reason="one is enough")
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    await order.do(c.IntroduceRecovery, "olu", recovery=f"{order.work_order}-V1")
    return await until_introduced(order, f"{order.work_order}-V1")


async def until_introduced(order: Order, recovery: str) -> Order:
    for _ in range(1500):
        if (await order.process()).work_orders[order.work_order].recoveries[recovery].state == "introduced":
            return order
        await asyncio.sleep(0.02)
    raise AssertionError(f"{recovery} is not introduced")


async def batch_made_of_a_rejected_one(plant: Plant) -> Order:
    """The order of an approved rework of a whole batch: its lot is what it begins with."""
    await asyncio.to_thread(rejected_lot, plant, "TAB-REJECTED")
    approved = ApprovedRecovery(
        batch_rework="TAB-REJECTED-RW1", operation="COMPRESS", lot="TAB-REJECTED", lot_status="rejected",
        quantity=Decimal(100), unit="pcs", procedure="SOP-RW-01", tests=(IMPURITY,), requested_by="sam",
        approved_by="max", reason="chipped", assessment="RA-40",
    )  # fmt: skip
    order = await begun(plant, changed(tablet_order(GMP, plant.next_number(), 100), recoveries=(approved,)))
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    (recovery,) = (await order.process()).work_orders[order.work_order].recoveries
    await order.do(c.IntroduceRecovery, "olu", recovery=recovery)
    return await until_introduced(order, recovery)


async def changed_by_requests(plant: Plant) -> Order:
    """Changed before its release; then one request is approved, one rejected, one withdrawn."""
    order = await plant.order(CONTROLLED)
    await order.do(c.SubmitOrder, "pia")
    await order.do(c.ApproveOrder, "sam")
    await order.do(c.ChangeOrder, "pia", quantity=Decimal(900), reason=WHY)
    await order.do(c.ApproveOrder, "sam")
    await order.do(c.ReleaseOrder, "sam")
    decisions: Sequence[tuple[type[c.Command], str]] = (
        (c.ApproveOrderChange, "max"), (c.RejectOrderChange, "sam"), (c.WithdrawOrderChange, "pia"),
    )  # fmt: skip
    for number, (kind, by) in enumerate(decisions, start=1):
        await order.do(c.RequestOrderChange, "pia", quantity=Decimal(800 - number), reason=WHY)
        await order.do(kind, by, change=f"{order.number}-C{number}", reason="decided")
    await order.do(c.DispatchWorkOrder, "sam")
    return await order.until("pick_list", "allocated")


async def machine_gave_up_its_job(plant: Plant) -> Order:
    """A machine that nobody registered gives up a job between load and start (patch 2026-11-job-given-up)."""
    with TemporaryDirectory() as folder:
        press = PressProcess(Path(folder))
        await press.start()
        hall: Stations = Hall(plant, press)
        try:
            async with build_gateway(plant.client, plant.engine, hall):
                order = await pressing(plant, "NOT-IN-THE-REGISTER", SHORT)
                await until_given_up(order)
                await told(plant, order)
                await order.do(c.ReleaseOperationHold, "rae", operation="COMPRESS", reason="nothing was pressed yet")
        finally:
            await hall.close()
            await press.kill()
    return order


async def made_of_fixed_lots(plant: Plant) -> Order:
    """The plan line named the lot, with a reason."""
    specification = tablet_order(GMP, plant.next_number())
    (own,) = specification.work_orders
    first, *rest = own.materials
    fixed = first.model_copy(update={"fixed_lots": ("API-2",)})
    return await (await begun(plant, changed(specification, materials=(fixed, *rest)))).picked()


async def result_with_evidence(plant: Plant) -> Order:
    """A result says with which instrument, method and reagents it was measured."""
    specification = tablet_order(GMP, plant.next_number())
    asks = (Evidence.INSTRUMENT, Evidence.METHOD, Evidence.REAGENTS)
    dissolution = Characteristic(name="dissolution", unit="%", low=Decimal(80), required=True, evidence=asks)
    order = await (await begun(plant, changed(specification, inspection=(dissolution,)))).executed()
    known = MeasuredWith(
        instrument=Instrument(code="HPLC-1", calibration="calibrated", certificate="C-9"), method="HPLC-7",
        method_version="2", reagents=(Reagent(lot="STD-1", material="STD", status="released"),),
    )  # fmt: skip
    value = c.Measurement(
        name="dissolution", text="92.5", unit="%", instrument="HPLC-1", method="HPLC-7", method_version="2",
        reagents=("STD-1",), measured_with=known,
    )  # fmt: skip
    await order.do(c.EnterInspectionResults, "ana", values=(value,))
    await order.do(c.DecideInspection, "ben", accept=True)
    return await order.put_into_quarantine()


async def counted_sampled_and_printed(plant: Plant) -> Order:
    """What lies at the line is counted, samples are taken, packs are looked at before anything counts."""
    specification = changed(
        tablet_order(GMP, plant.next_number()),
        lambda own: {"print_check_seconds": 1800} if own.code == "COAT" else {},
        shelf_life_days=730,
    )
    order = await (await begun(plant, specification)).picked()
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    of_line = {"operation": "DISPENSE", "line": 1, "lot": "API-1"}
    await order.do(c.TakeSample, "ana", quantity=Decimal("0.1"), unit="kg", **of_line)
    there = c.LineQuantity(line=1, lot="API-1", quantity=Decimal("4.8"), unit="kg")
    await order.do(c.CountMaterials, "wil", lines=(there,), reason="the bag was torn")
    await order.do(c.CompleteOperation, "olu", operation="DISPENSE")
    await order.operation("COMPRESS", good=990, scrap=10, weight="113")
    await order.do(c.StartOperation, "olu", operation="COAT")
    begun_at = (await order.process()).work_orders[order.work_order].started_at
    assert begun_at is not None
    expiry: date = begun_at.date() + timedelta(days=730)
    await order.do(c.CheckPrint, "olu", operation="COAT", lot_text=order.lot, expiry_text=expiry.isoformat())
    await order.do(c.ReportProduction, "olu", operation="COAT", good=980, scrap=10, scrap_reason="dust")
    retained = {"quantity": Decimal(20), "unit": "pcs", "purpose": SamplePurpose.RETAINED}
    await order.do(c.TakeSample, "ana", operation="COAT", **retained)
    return order


# What no earlier history has --------------------------------------------------------------------------------------


async def checked_corrected_and_verified(plant: Plant) -> Order:
    """Typed values with a second person, a correction, a remark, a verified operation, a pause, a counter-report."""
    weight = Characteristic(name="weight", unit="mg", low=Decimal(108), required=True, second_check=True)
    specification = changed(
        tablet_order(GMP, plant.next_number()),
        lambda own: {"parameters": (weight,), "verified": True} if own.code == "COMPRESS" else {},
    )
    order = await (await begun(plant, specification)).picked()
    await order.operation("DISPENSE")
    press = {"operation": "COMPRESS"}
    await order.do(c.StartOperation, "olu", **press)
    await order.do(c.PauseOperation, "olu", **press, reason="shift change")
    await order.do(c.ResumeOperation, "ole", **press)
    values = (c.Measurement(name="weight", text="113", unit="mg"),)
    await order.do(c.RecordParameters, "olu", **press, values=values)
    await order.do(c.CheckParameters, "ana", **press, numbers=("V1",))
    correction = {"number": "V1", "name": "weight", "text": "113.5", "old_text": "113", "corrections": 0}
    await order.do(c.CorrectParameter, "olu", **press, **correction, reason="misread the display")
    await order.do(c.CheckParameters, "ana", **press, numbers=("V1",))
    await order.do(c.CommentOperation, "olu", **press, text="a bag was torn")
    reported = await order.do(c.ReportProduction, "olu", **press, good=900)
    wrong = {"report_number": reported.result["reportNumber"], "good": 900, "scrap": 0, "review_board": 0}
    await order.do(c.ReverseReport, "sam", **press, **wrong, is_rework=False, reason="counted twice")
    await order.do(c.ReportProduction, "olu", **press, good=1000)
    await order.do(c.CompleteOperation, "olu", **press)
    await order.do(c.VerifyOperation, "ana", **press)
    return order


async def record_returned_and_explained(plant: Plant) -> Order:
    """A remark is an exception of the record: it comes back, is explained, and passes."""
    order = await (await plant.order(REVIEWED)).executed()
    await order.do(c.CommentOperation, "olu", operation="COAT", text="a bag was torn")
    await order.tested()
    await order.put_into_quarantine()
    await order.do(c.ReturnBatchRecord, "sam", fields=("COAT",), reason="look again")
    await order.do(c.ResubmitBatchRecord, "olu")
    await order.explained()
    return await order.finished()


async def rejected(plant: Plant) -> Order:
    order = await plant.order()
    await order.do(c.SubmitOrder, "pia")
    await order.do(c.RejectOrder, "sam", reason="no such customer")
    return order


async def split(plant: Plant) -> Order:
    order = await plant.order()
    plant.plan_line(order)
    parts = (PlanPart(quantity=Decimal(250)), PlanPart(quantity=Decimal(750)))
    await order.do(c.SplitOrder, "pia", parts=parts, reason="two deliveries")
    return await order.until("order", "cancelled")


async def reduced(plant: Plant) -> Order:
    order = await plant.order()
    plant.plan_line(order)
    await order.picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    await order.do(c.ReportProduction, "olu", operation="COMPRESS", good=700)
    await order.do(c.ReduceQuantity, "sam", reason="the press is needed")
    return order


async def short_of_material(plant: Plant) -> Order:
    """A shortage, asked again in vain, then the material comes; nobody is waited for, so nothing is retried."""
    order = await plant.order(api="50000")
    await order.released()
    await order.do(c.DispatchWorkOrder, "sam")
    await order.until("pick_list", "short")
    for kind, by in ((c.AllocateMaterials, "wil"), (c.RetryNow, "sam")):
        refused = order.command(kind, by)
        await order.send(refused)
        assert not (await order.verdict(refused.command_id)).accepted
    await plant.stock("API-MUCH", "API", "90000")
    await order.do(c.AllocateMaterials, "wil")
    await order.until("pick_list", "allocated")
    await order.do(c.CancelOrder, "sam", reason="only a trial")
    return await order.until("order", "cancelled")


async def held_pieces_and_too_many(plant: Plant) -> Order:
    """The review board's pieces are decided, a report above the quantity is refused by a person, rework rejected."""
    policy = GMP.model_copy(update={"code": "watched", "over_report": OverReport.APPROVE})
    order = await (await plant.order(policy, inspected="COMPRESS")).picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    reported = await order.do(c.ReportProduction, "olu", operation="COMPRESS", good=98, review_board=2)
    inspection = reported.result["inspection"]
    failed = {"inspection": inspection, "failed": 5, "defect": "chipped"}
    found = await order.do(c.DecideInProcessInspection, "ana", **failed)
    await order.do(c.RejectRework, "max", rework=found.result["rework"], reason="not worth it")
    for deviation in (await order.process()).open_deviations():
        await order.do(c.DecideDeviation, "rae", deviation=deviation, decision="scrapped")
    await order.do(c.ReportProduction, "olu", operation="COMPRESS", good=2000)
    (over,) = (await order.process()).work_orders[order.work_order].over_reports
    await order.do(c.DecideOverReport, "sam", over_report=over, accept=False, reason="a typing error")
    return order


async def opened_by_hand_and_void(plant: Plant) -> Led:
    return (await void_deviation(plant))[1]


async def order_with_a_deviation_opened_by_hand(plant: Plant) -> Order:
    return (await void_deviation(plant))[0]


async def void_deviation(plant: Plant) -> tuple[Order, Led]:
    order = await (await plant.order(LED)).picked()
    await order.do(c.OpenDeviation, "olu", code="SPILL", detail="granulate on the floor")
    deviation = await of_order(order)
    await deviation.do(cc.VoidDeviation, "rae", reason="it was another room")
    await deviation.handle.result()
    await until_decided(order)
    return order, deviation


async def sent_back_and_reopened(plant: Plant) -> Led:
    """The conclusion is sent back; what was closed is opened again."""
    case = await (await opened(plant)).proposed()
    await case.do(cc.SendBackConclusion, "rae", reason="the root cause is a guess")
    again = {"root_cause": "the sieve", "disposition": "accept", "needs_capa": False, "report": "report 18"}
    await case.do(cc.ProposeConclusion, "ida", **again)
    await case.do(cc.ApproveDeviation, "rae")
    await case.do(cc.ApproveDeviationAsQualityManager, "max")
    await case.do(cc.CloseDeviation, "rae")
    reopen = case.command(cc.ReopenDeviation, "rae", reason="seen again")
    await case.handle.signal("command", reopen)
    await case.verdict(reopen.command_id)
    return case


async def laboratory_error_and_retest(plant: Plant) -> Led:
    order = await out_of_specification(plant)
    result = await of_order(order)
    await result.do(cc.InvestigateLaboratory, "ben")
    await result.do(cc.ProveLaboratoryError, "rae", finding="the medium had pH 7.2")
    await result.do(cc.AuthoriseRetest, "rae")
    await order.until("inspection", "created")
    return result


async def capa_extended(plant: Plant) -> Led:
    action = await (await asked_for(plant)).planned(timedelta(days=2), timedelta(days=30))
    due_at = datetime.now(UTC) + timedelta(days=9)
    await action.do(cc.ExtendCapa, "rae", due_at=due_at, reason="the part is late")
    return action


async def maintenance_cancelled(plant: Plant) -> Led:
    line = await asyncio.to_thread(lambda: Line(plant.engine).ready())
    repair = await requested(plant, line)
    await repair.do(mc.CancelMaintenance, "sam", reason="done with the next one")
    await repair.handle.result()
    return repair


NEWER_PATHS: dict[str, Callable[[Plant], Awaitable[Order | Led]]] = {
    path.__name__: path
    for path in (
        recovered, batch_made_of_a_rejected_one, changed_by_requests, machine_gave_up_its_job, made_of_fixed_lots,
        result_with_evidence, counted_sampled_and_printed, checked_corrected_and_verified,
        record_returned_and_explained, rejected, split, reduced, short_of_material, held_pieces_and_too_many,
        opened_by_hand_and_void, order_with_a_deviation_opened_by_hand, sent_back_and_reopened,
        laboratory_error_and_retest, capa_extended, maintenance_cancelled,
    )
}  # fmt: skip
