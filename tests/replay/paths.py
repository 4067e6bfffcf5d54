"""Every kind of way that an order or a case can take: what is recorded once per release, see `test_replay`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

from domain import case_commands as cc
from domain import commands as c
from domain import maintenance as m
from domain import maintenance_commands as mc
from tests.booth import booth
from tests.cases import Led, asked_for, of_order, opened, out_of_limit, until_decided
from tests.desk import DISCRETE, GMP
from tests.plant import Order, Plant
from tests.workflows.test_maintenance import begun, failed, pressing, until_held

REVIEWED = GMP.model_copy(update={"code": "reviewed", "batch_record_review": True})


async def closed(plant: Plant) -> Order:
    return await (await plant.order()).closed()


async def cancelled_after_the_pick(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    await order.do(c.CancelOrder, "sam", reason="customer withdrew")
    return await order.until("order", "cancelled")


async def aborted_and_scrapped(plant: Plant) -> Order:
    order = await (await plant.order()).executed()
    await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
    return await order.until("order", "aborted")


async def held_paused_and_refused(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    await order.do(c.HoldOrder, "qa", reason="question about a lot")
    for kind in (c.StartWorkOrder, c.CloseOrder):
        command = order.command(kind, "olu")
        await order.send(command)
        await order.verdict(command.command_id)
    await order.do(c.ResumeOrder, "qa")
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    await order.do(c.PauseWorkOrder, "olu", reason="shift change")
    await order.do(c.ResumeWorkOrder, "ole")
    return order


async def out_of_limit_and_decided(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    values = (c.Measurement(name="weight", text="130.5", unit="mg"),)
    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    await order.do(c.ReleaseOperationHold, "qa", operation="COMPRESS", reason="scale was dirty")
    return order


async def returned_and_partly_consumed(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    back = c.ReturnedQuantity(line=1, lot="API-1", quantity=Decimal("0.5"), unit="kg")
    await order.do(c.ReturnMaterials, "wil", lines=(back,), reason="too much issued")
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    used = c.LineQuantity(line=1, lot="API-1", quantity=Decimal("4.2"), unit="kg")
    await order.do(c.CompleteOperation, "olu", operation="DISPENSE", consumed=(used,))
    await order.do(
        c.ReturnMaterials, "olu", lines=(back.model_copy(update={"quantity": Decimal("0.3")}),), reason="left over"
    )
    return order


async def job_shop(plant: Plant) -> Order:
    order = await plant.order(DISCRETE)
    await order.do(c.SubmitOrder, "pia")
    await order.do(c.ReleaseOrder, "pia")
    await order.do(c.DispatchWorkOrder, "pia")
    return await order.until("work_order", "ready")


async def deviation_closed(plant: Plant) -> Led:
    deviation = await of_order(await out_of_limit(plant))
    return await deviation.closed(capa=True)


async def order_with_a_led_deviation(plant: Plant) -> Order:
    order = await out_of_limit(plant)
    await (await of_order(order)).closed()
    await until_decided(order)
    await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
    return await order.until("order", "aborted")


async def result_confirmed_and_lot_settled(plant: Plant) -> Led:
    await asyncio.to_thread(plant.on_hold, "API-H", "API")
    result = await opened(plant, out_of_specification=True, lot="API-H")
    await result.do(cc.InvestigateLaboratory, "ben")
    await result.do(cc.BeginPhaseTwo, "ben", finding="no error in the laboratory")
    conclusion = {"root_cause": "wet", "needs_capa": False, "report": "report 1", "disposition": "reject"}
    await result.do(cc.ConcludeOutOfSpecification, "ben", confirmed=True, **conclusion)
    await result.do(cc.CloseDeviation, "rae")
    await result.handle.result()
    return result


async def capa_ineffective(plant: Plant) -> Led:
    action = await (await asked_for(plant)).implemented(timedelta(seconds=2), timedelta(seconds=3))
    await action.until("effectivenessCheck")
    await action.do(cc.DecideCapaEffectiveness, "rae", effective=False, evidence="it happened again")
    await action.handle.result()
    return action


async def reviewed_and_archived(plant: Plant) -> Order:
    return await (await plant.order(REVIEWED)).closed()


async def reworked_and_inspected_again(plant: Plant) -> Order:
    order = await (await plant.order(inspected="COMPRESS")).picked()
    await order.operation("DISPENSE")
    await order.do(c.StartOperation, "olu", operation="COMPRESS")
    reported = await order.do(c.ReportProduction, "olu", operation="COMPRESS", good=98, scrap=2, scrap_reason="dust")
    inspection = reported.result["inspection"]
    failed = await order.do(c.DecideInProcessInspection, "ana", inspection=inspection, failed=5, defect="chipped")
    rework = failed.result["rework"]
    await order.do(c.ApproveRework, "sam", rework=rework)
    await order.do(c.StartRework, "olu", rework=rework)
    again = await order.do(c.ReportRework, "olu", rework=rework, good=4, scrap=1)
    await order.do(c.DecideInProcessInspection, "ana", inspection=again.result["inspection"], failed=0)
    return order


async def lots_chosen_and_chosen_again(plant: Plant) -> Order:
    order = await (await plant.order(REVIEWED)).allocated()
    for lots in (("API-2",), ("API-1", "API-2")):
        choice = (c.ChosenLots(line=1, lots=lots),)
        await order.do(c.ChooseLots, "sam", choice=choice, reason="the customer wants this origin")
    await order.do(c.ApprovePickList, "wil")
    await order.do(c.IssuePickList, "wil")
    return await order.until("work_order", "ready")


async def weighed_staged_and_charged(plant: Plant) -> Order:
    at = await booth(plant)
    first = await at.weigh("61.0", more_follows=True)
    void = await at.weigh("41.0")
    await at.order.do(c.VoidContainer, "sam", container=void, reason="a torn bag")
    both = tuple(at.scanned(number) for number in (first, await at.weigh("41.0")))
    await at.order.do(c.StageContainers, "wil", place="BOOTH-1", scans=both)
    await at.order.do(c.ChargeMaterials, "olu", operation="DISPENSE", scans=both)
    await at.order.do(c.CompleteOperation, "olu", operation="DISPENSE")
    return at.order


async def weighed_and_cancelled(plant: Plant) -> Order:
    at = await booth(plant)
    await at.weigh("61.0", more_follows=True)
    await at.order.do(c.CancelOrder, "sam", reason="customer withdrew")
    return await at.order.until("order", "cancelled")


async def held_by_two_lots_and_let_go(plant: Plant) -> Order:
    order = await (await plant.order()).picked()
    for hold, lot in (("H-1", "API-1"), ("H-2", "LAC-1")):
        await order.do(c.PlaceLotHold, "system", hold=hold, lots=(lot,), placed_by="rae", reason="supplier's notice")
    for hold in ("H-2", "H-1"):
        await order.do(c.LiftLotHold, "system", hold=hold, lifted_by="rae", reason="tested again")
    await order.do(c.StartOperation, "olu", operation="DISPENSE")
    return order


async def order_whose_machine_failed(plant: Plant) -> Order:
    return (await machine_that_failed(plant))[0]


async def machine_failed_and_was_repaired(plant: Plant) -> Led:
    return (await machine_that_failed(plant))[1]


async def machine_that_failed(plant: Plant) -> tuple[Order, Led]:
    """An order behind the gates of its equipment, and the maintenance order of the press that failed under it."""
    order, line = await pressing(plant)
    repair = await failed(plant, line)
    await until_held(order, repair.number)
    await begun(repair)
    parts = (m.Part(code="BRG-6204", description="bearing", quantity=Decimal(2)),)
    done = {"work": "both bearings", "parts": parts, "hours": Decimal(3), "major": True}
    await repair.do(mc.ReportMaintenanceWork, "mia", **done)
    await repair.do(mc.VerifyMaintenance, "sam")
    await asyncio.to_thread(line.qualified)
    await repair.do(mc.VerifyMaintenanceAsQuality, "rae")
    await until_held(order)
    await order.do(c.ReleaseOperationHold, "rae", operation="COMPRESS", reason="nothing is wrong with the tablets")
    await repair.do(mc.CloseMaintenance, "sam")
    await repair.handle.result()
    return order, repair


PATHS: dict[str, Callable[[Plant], Awaitable[Order | Led]]] = {
    path.__name__: path
    for path in (
        closed, cancelled_after_the_pick, aborted_and_scrapped, held_paused_and_refused, out_of_limit_and_decided,
        job_shop, returned_and_partly_consumed, deviation_closed, order_with_a_led_deviation,
        result_confirmed_and_lot_settled, capa_ineffective, reviewed_and_archived, reworked_and_inspected_again,
        lots_chosen_and_chosen_again, weighed_staged_and_charged, weighed_and_cancelled, held_by_two_lots_and_let_go,
        order_whose_machine_failed, machine_failed_and_was_repaired,
    )
}  # fmt: skip
