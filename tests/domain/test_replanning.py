"""Split and reduce on the desk: what the rules say of pieces that are on their way."""

from decimal import Decimal

import pytest

from domain import commands as c
from domain import planning_events as p
from domain.errors import Refused
from domain.policy import OverReport
from domain.quantities import plain
from domain.rules.replanning import replanning_possible
from domain.specification import MaterialLine, OrderSpecification
from tests.desk import DISCRETE, GMP, Desk, tablet_order

WHY = "the press is down"


def pressing(specification: OrderSpecification, *reports: tuple[int, int]) -> Desk:
    """An order whose press operation runs, with these reports (good, scrap)."""
    desk = Desk(specification)
    desk.do(c.SubmitOrder, "pia")
    desk.do(c.ReleaseOrder, "sam")
    desk.do(c.DispatchWorkOrder, "sam")
    desk.allocated()
    desk.issued()
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    for good, scrap in reports:
        reason = "dust" if scrap else None
        desk.do(c.ReportProduction, "olu", operation="COMPRESS", good=good, scrap=scrap, scrap_reason=reason)
    return desk


def codes(desk: Desk, kind: type[c.Command], **fields: object) -> list[str]:
    """What a command is refused for."""
    with pytest.raises(Refused) as refused:
        desk.do(kind, "sam", **fields)
    return [blocker.code for blocker in refused.value.blockers]


@pytest.mark.accepts("A13")
def test_the_lowest_quantity_is_what_one_operation_reported_good_or_not() -> None:
    desk = pressing(tablet_order(DISCRETE), (600, 10), (90, 0))
    assert codes(desk, c.ReduceQuantity, quantity=Decimal(699), reason=WHY) == ["BELOW_REPORTED"]
    fact = desk.do(c.ReduceQuantity, "sam", reason=WHY)
    (event,) = fact.events
    assert isinstance(event, p.QuantityReduced)
    assert [plain(found) for found in (event.origin, event.target, event.rest.quantity)] == ["1000", "700", "300"]
    own = desk.process.specification
    assert own.quantity == own.work_order(desk.work_order).quantity == 700
    assert own.work_order(desk.work_order).materials == tablet_order(DISCRETE).work_orders[0].materials
    assert codes(desk, c.ReportProduction, operation="COMPRESS", good=1) == ["OVER_REPORT"]
    assert codes(desk, c.ReduceQuantity, reason=WHY) == ["NOT_A_REDUCTION"]
    assert replanning_possible(desk.process) == ()


@pytest.mark.accepts("A13")
def test_a_report_that_waits_to_be_allowed_is_decided_first() -> None:
    policy = DISCRETE.model_copy(update={"over_report": OverReport.APPROVE})
    desk = pressing(tablet_order(policy), (600, 0), (500, 0))
    assert codes(desk, c.ReduceQuantity, reason=WHY) == ["OVER_REPORT_OPEN"]
    number = next(iter(desk.process.work_orders[desk.work_order].over_reports))
    desk.do(c.DecideOverReport, "sam", over_report=number, accept=False, reason=WHY)
    desk.do(c.ReduceQuantity, "sam", reason=WHY)
    assert desk.process.specification.quantity == 600


def test_a_machine_at_work_ends_its_job_first() -> None:
    desk = pressing(tablet_order(DISCRETE), (600, 0))
    operation = desk.process.work_orders[desk.work_order].operations["COMPRESS"]
    operation.job, operation.job_state = "J", "started"
    assert codes(desk, c.ReduceQuantity, reason=WHY) == ["MACHINE_RUNNING"]


@pytest.mark.accepts("A7")
def test_a_sub_assembly_on_its_way_is_not_cut_down_with_its_order() -> None:
    """Its quantity is that of the bill of material, loss included; what it makes is for the whole order."""
    order = tablet_order(DISCRETE)
    own = order.work_orders[0]
    feeding = own.model_copy(
        update={"number": "PO-1-02", "material": "GRANULE", "output_lot": "G", "feeds": own.number}
    )
    line = MaterialLine(line=3, material="GRANULE", quantity=Decimal(1000), unit="pcs", operation="DISPENSE")
    own = own.model_copy(update={"materials": (*own.materials, line)})
    # On the desk nothing keeps the upper work order waiting, as the procedure does.
    desk = pressing(order.model_copy(update={"work_orders": (own, feeding)}), (600, 0))
    assert codes(desk, c.ReduceQuantity, reason=WHY) == ["SUB_ASSEMBLY_OPEN"]
    assert desk.process.specification.quantity == 1000


@pytest.mark.accepts("A6")
def test_a_held_or_ended_order_is_not_cut_down() -> None:
    desk = pressing(tablet_order(DISCRETE), (600, 0))
    desk.do(c.HoldOrder, "sam", reason=WHY)
    assert codes(desk, c.ReduceQuantity, reason=WHY) == ["ORDER_ON_HOLD"]
    assert "INVALID_TRANSITION" in codes(
        desk, c.SplitOrder, parts=(c.PlanPart(quantity=1), c.PlanPart(quantity=999)), reason=WHY
    )


def test_the_approvals_of_a_split_order_are_void_and_named() -> None:
    desk = Desk(tablet_order(GMP))
    desk.do(c.SubmitOrder, "pia")
    desk.do(c.ApproveOrder, "sam")
    fact = desk.do(
        c.SplitOrder, "pia", parts=(c.PlanPart(quantity=1), c.PlanPart(quantity=999)), reason="two deliveries"
    )
    split = fact.events[0]
    assert isinstance(split, p.OrderSplit)
    assert (split.voided_approvals, desk.process.approvals, desk.state) == (("sam",), (), "cancelled")
    assert [type(event).__name__ for event in fact.events[1:]][:1] == ["OrderMoved"]
