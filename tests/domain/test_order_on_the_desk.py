"""One order's whole life under two policies, told with the rules alone."""

from decimal import Decimal

import pytest

from domain import commands as c
from domain import events as e
from domain.errors import Refused
from domain.folding import fold
from domain.process import created
from domain.states import OrderState, WorkOrderState
from tests.desk import DISCRETE, Desk, tablet_order


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [blocker.code for blocker in refused.value.blockers]


def released(desk: Desk) -> Desk:
    desk.do(c.SubmitOrder, "pia")
    desk.do(c.ApproveOrder, "sam")
    desk.do(c.ReleaseOrder, "sam")
    return desk


def picked(desk: Desk) -> Desk:
    released(desk).do(c.DispatchWorkOrder, "sam")
    desk.allocated()
    desk.do(c.ApprovePickList, "wil")
    desk.do(c.IssuePickList, "wil")
    desk.issued()
    return desk


def executed(desk: Desk) -> Desk:
    picked(desk)
    for operation in ("DISPENSE", "COMPRESS", "COAT"):
        desk.do(c.StartOperation, "olu", operation=operation)
        if operation == "COMPRESS":
            values = (c.Measurement(name="weight", text="113", unit="mg"),)
            desk.do(c.RecordParameters, "olu", operation=operation, values=values)
        if operation != "DISPENSE":
            desk.do(
                c.ReportProduction,
                "olu",
                operation=operation,
                good=Decimal(990),
                scrap=Decimal(10),
                scrap_reason="dust",
            )
        desk.do(c.CompleteOperation, "olu", operation=operation)
    return desk


def inspected(desk: Desk) -> Desk:
    executed(desk).inspection_requested()
    desk.do(c.EnterInspectionResults, "ana", values=(c.Measurement(name="dissolution", text="92.5", unit="%"),))
    desk.do(c.DecideInspection, "ben", accept=True)
    return desk


def test_a_tablet_batch_goes_from_approval_to_close() -> None:
    desk = inspected(Desk(tablet_order()))
    desk.do(c.PutAway, "wil", place="QUARANTINE")
    desk.stored()
    assert desk.state == OrderState.COMPLETED
    desk.do(c.CertifyBatch, "quinn")
    desk.do(c.ReleaseBatch, "sam", place="FINISHED")
    work_order = desk.process.work_orders[desk.work_order]
    desk._append("sam", (e.LotMoved(work_order=work_order.number, lot="LOT-PO-1", event="release", origin="quarantine",
                                    target="released"), e.VerdictGiven(request="PO-1-01/release")))  # fmt: skip
    desk.do(c.CloseOrder, "sam")
    assert desk.state == OrderState.CLOSED


def test_a_job_shop_order_needs_no_ceremony() -> None:
    desk = Desk(tablet_order(DISCRETE))
    desk.do(c.SubmitOrder, "pia")
    assert desk.process.state == OrderState.APPROVED
    desk.do(c.ReleaseOrder, "pia")
    desk.do(c.DispatchWorkOrder, "pia")
    desk.allocated()
    desk.issued()
    assert desk.process.work_orders[desk.work_order].state == WorkOrderState.READY


def test_material_is_consumed_by_the_operation_that_uses_it() -> None:
    desk = executed(Desk(tablet_order()))
    consumed = [event for fact in desk.facts for event in fact.events if isinstance(event, e.MaterialsConsumed)]
    assert [(event.operation, [line.lot for line in event.lines]) for event in consumed] == [
        ("DISPENSE", ["API-1", "LAC-1"])
    ]


@pytest.mark.accepts("A13", "PO-07")
def test_a_report_that_passes_the_order_is_refused_and_names_the_rest() -> None:
    desk = picked(Desk(tablet_order(quantity=100)))
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    desk.do(c.ReportProduction, "olu", operation="DISPENSE", good=95, scrap=5, scrap_reason="dust")
    with pytest.raises(Refused) as refused:
        desk.do(c.ReportProduction, "olu", operation="DISPENSE", good=96, scrap=5, scrap_reason="dust")
    (blocker,) = refused.value.blockers
    assert (blocker.code, blocker.required) == ("OVER_REPORT", "at most 0 more of 100 ordered")


@pytest.mark.accepts("AC-03")
def test_nobody_approves_the_own_order() -> None:
    desk = Desk(tablet_order())
    desk.do(c.SubmitOrder, "pia")
    with pytest.raises(Refused) as refused:
        desk.do(c.ApproveOrder, "pia")
    assert codes(refused) == ["SEPARATION_OF_DUTIES"]
    desk.do(c.ApproveOrder, "sam")


@pytest.mark.accepts("PO-06")
def test_an_operation_waits_for_its_predecessors_and_names_them() -> None:
    desk = picked(Desk(tablet_order()))
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    with pytest.raises(Refused) as refused:
        desk.do(c.StartOperation, "olu", operation="COAT")
    assert codes(refused) == ["SEQUENCE"]
    assert refused.value.blockers[0].found == "COMPRESS (pending)"


@pytest.mark.accepts("EB-04")
@pytest.mark.parametrize(
    ("text", "is_held"), [("108", False), ("107.999", True), ("113", False), ("118", False), ("118.0001", True)]
)
def test_a_value_outside_its_limits_is_kept_and_holds_the_operation(text: str, is_held: bool) -> None:
    desk = picked(Desk(tablet_order()))
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    fact = desk.do(c.RecordParameters, "olu", operation="COMPRESS", values=(c.Measurement(name="weight", text=text),))
    assert any(isinstance(event, e.ParametersRecorded) and event.values[0].text == text for event in fact.events)
    assert (desk.process.work_orders[desk.work_order].operations["COMPRESS"].state == "held") is is_held
    if is_held:
        with pytest.raises(Refused) as refused:
            desk.do(c.CompleteOperation, "olu", operation="COMPRESS")
        assert "OPERATION_NOT_RUNNING" in codes(refused)
        desk.do(c.ReleaseOperationHold, "qa", operation="COMPRESS", reason="checked, scale noise")
        desk.do(c.CompleteOperation, "olu", operation="COMPRESS")


@pytest.mark.accepts("A18")
def test_an_order_is_not_closed_while_something_is_open() -> None:
    desk = inspected(Desk(tablet_order()))
    desk.do(c.PutAway, "wil", place="QUARANTINE")
    desk.stored()
    with pytest.raises(Refused) as refused:
        desk.do(c.CloseOrder, "sam")
    assert codes(refused) == ["NOT_CERTIFIED", "NOT_RELEASED"]


@pytest.mark.accepts("QL-04")
def test_an_out_of_specification_result_is_not_tested_away() -> None:
    desk = executed(Desk(tablet_order()))
    desk.inspection_requested()
    desk.do(c.EnterInspectionResults, "ana", values=(c.Measurement(name="dissolution", text="79.9"),))
    with pytest.raises(Refused):
        desk.do(c.EnterInspectionResults, "ana", values=(c.Measurement(name="dissolution", text="92"),))
    with pytest.raises(Refused):
        desk.do(c.DecideInspection, "ben", accept=True)
    desk.do(c.DecideInspection, "ben", accept=False)
    assert desk.process.work_orders[desk.work_order].lot_status == "rejected"


def test_cancelling_after_consumption_needs_a_decision() -> None:
    desk = executed(Desk(tablet_order()))
    with pytest.raises(Refused) as refused:
        desk.do(c.CancelOrder, "sam", reason="customer withdrew")
    assert codes(refused) == ["DISPOSITION_MISSING"]
    desk.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
    assert desk.process.state == OrderState.CANCELLING


def test_cancelling_before_dispatch_ends_the_order_at_once() -> None:
    desk = released(Desk(tablet_order()))
    desk.do(c.CancelOrder, "pia", reason="planned twice")
    assert desk.process.state == OrderState.CANCELLED


@pytest.mark.accepts("E3")
def test_the_recorded_facts_fold_to_the_same_order() -> None:
    desk = inspected(Desk(tablet_order()))
    folded = created(desk.process.specification)
    for fact in desk.facts:
        fold(folded, e.Fact.model_validate_json(fact.model_dump_json(by_alias=True)))
    assert folded == desk.process
