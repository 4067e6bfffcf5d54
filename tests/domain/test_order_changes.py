"""Changes of an order on the desk: what voids an approval, what needs a request, how holds add up."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from domain import change_events as ch
from domain import commands as c
from domain.errors import Blocker, Refused
from domain.folding import fold
from domain.policy import Policy
from domain.process import created
from domain.quantities import plain
from domain.rules.common import SYSTEM
from domain.rules.possible import possible_for, waits_for
from domain.specification import OrderSpecification
from domain.start import Carried
from tests.desk import DISCRETE, GMP, Desk, tablet_order

WHY = "the customer wants fewer"
CONTROLLED = GMP.model_copy(update={"code": "controlled", "controlled_changes": True})
HEADS = GMP.model_copy(update={"code": "heads", "approvals": 2})
JUNE = datetime.fromisoformat("2027-06-01T00:00:00+00:00")
MAY = datetime.fromisoformat("2027-05-01T00:00:00+00:00")


def released(policy: Policy = CONTROLLED, **more: object) -> Desk:
    """An order that is released."""
    desk = Desk(tablet_order(policy, **more))  # type: ignore[arg-type]
    desk.do(c.SubmitOrder, "pia")
    desk.do(c.ApproveOrder, "sam")
    desk.do(c.ReleaseOrder, "sam")
    return desk


def dispatched(policy: Policy = CONTROLLED) -> Desk:
    """An order whose work order runs, with 600 + 10 pieces reported."""
    desk = released(policy)
    desk.do(c.DispatchWorkOrder, "sam")
    desk.allocated()
    desk.do(c.ApprovePickList, "wil")
    desk.do(c.IssuePickList, "wil")
    desk.issued()
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    desk.do(c.ReportProduction, "olu", operation="COMPRESS", good=600, scrap=10, scrap_reason="dust")
    return desk


def refused(desk: Desk, kind: type[c.Command], by: str = "pia", **fields: Any) -> dict[str, Blocker]:
    """What a command is refused for; it has changed nothing."""
    before = desk.process.model_dump()
    with pytest.raises(Refused) as found:
        desk.do(kind, by, **fields)
    assert desk.process.model_dump() == before
    return {blocker.code: blocker for blocker in found.value.blockers}


def folded(desk: Desk) -> None:
    """The recorded facts fold to the order as it is, also when a run carries it over."""
    process = created(tablet_order(desk.process.specification.policy))
    for fact in desk.facts:
        fold(process, type(fact).model_validate_json(fact.model_dump_json(by_alias=True)))
    assert process == desk.process
    carried = Carried(process=desk.process).model_dump_json(by_alias=True)
    assert Carried.model_validate_json(carried).process == desk.process


@pytest.mark.accepts("PO-03")
def test_a_relevant_change_after_the_approval_voids_it() -> None:
    desk = Desk(tablet_order(HEADS))
    desk.do(c.SubmitOrder, "pia")
    desk.do(c.ApproveOrder, "sam")
    assert list(refused(desk, c.ChangeOrder, quantity=Decimal(900), reason=WHY)) == ["INVALID_TRANSITION"]
    desk.do(c.ApproveOrder, "sue")
    desk.do(c.ChangeOrder, "pia", start_at=MAY, reason="the line is free earlier")
    assert (desk.state, desk.process.approvals) == ("approved", ("sam", "sue"))
    assert refused(desk, c.ChangeOrder, quantity=Decimal(900)).keys() == {"REASON_REQUIRED"}
    desk.do(c.ChangeOrder, "pia", quantity=Decimal(900), reason=WHY)
    assert (desk.state, desk.process.approvals, desk.process.submitted_by) == ("submitted", (), "pia")
    assert "INVALID_TRANSITION" in refused(desk, c.ReleaseOrder, "sam")
    acts = [(own.act, own.by, own.void_by, own.void_reason) for own in desk.process.decisions]
    assert acts == [
        ("submitted", "pia", None, ""), ("approved", "sam", "pia", ""), ("approved", "sue", "pia", ""),
        ("changed", "pia", None, ""), ("changed", "pia", None, ""),
    ]  # fmt: skip
    desk.do(c.ApproveOrder, "sam")
    assert desk.do(c.ApproveOrder, "sue").events[-1].model_dump()["target"] == "approved"
    own = desk.process.specification.work_orders[0]
    assert [plain(line.quantity) for line in own.materials] == ["4.5", "85.5"]
    assert {own.quantity, desk.process.specification.quantity} == {Decimal(900)}
    folded(desk)


@pytest.mark.accepts("PO-02")
def test_an_edited_date_closes_the_gap_of_the_plan() -> None:
    gap = Blocker(code="DATES_OUT_OF_ORDER", entity="plan line", id="p")
    specification = tablet_order().model_copy(update={"due_at": MAY, "start_at": MAY, "gaps": (gap,)})
    desk = Desk(specification)
    late: dict[str, Any] = {"start_at": MAY.replace(year=2028), "reason": WHY}
    assert refused(desk, c.ChangeOrder, **late).keys() == {"DATES_OUT_OF_ORDER"}
    assert refused(desk, c.ChangeOrder, due_at=MAY, reason=WHY).keys() == {"NOTHING_CHANGED"}
    desk.do(c.ChangeOrder, "pia", due_at=MAY.replace(year=2028), reason=WHY)
    assert desk.process.specification.gaps == ()


@pytest.mark.accepts("B3")
def test_a_released_order_is_changed_by_request_alone() -> None:
    desk = released()
    found = refused(desk, c.ChangeOrder, quantity=Decimal(900), reason=WHY)
    assert "requestOrderChange" in found["CHANGE_REQUEST_REQUIRED"].required
    desk.do(c.ChangeOrder, "pia", start_at=MAY, reason="not a relevant field")
    desk.do(c.RequestOrderChange, "pia", quantity=Decimal(1200), due_at=JUNE, reason=WHY)
    assert (desk.state, desk.process.held_for_change) == ("held", True)
    assert desk.process.specification.quantity == 1000
    assert "ORDER_ON_HOLD" in refused(desk, c.DispatchWorkOrder, "sam")
    for kind, by in ((c.ResumeOrder, "sam"), (c.RequestOrderChange, "pia"), (c.ChangeOrder, "pia")):
        fields: dict[str, Any] = {} if kind is c.ResumeOrder else {"due_at": MAY, "reason": WHY}
        assert "CHANGE_REQUEST_OPEN" in refused(desk, kind, by, **fields)
    assert refused(desk, c.ApproveOrderChange, change="PO-1-C9").keys() == {"UNKNOWN_CHANGE"}
    assert refused(desk, c.ApproveOrderChange, "pia", change="PO-1-C1").keys() == {"SEPARATION_OF_DUTIES"}
    assert ("PO-1", "supervisor, qualityManager", "approveOrderChange") in waits_for(desk.process)
    fact = desk.do(c.ApproveOrderChange, "max", change="PO-1-C1")
    assert [event.kind for event in fact.events][:3] == ["orderChangeMoved", "orderChanged", "orderMoved"]
    own = desk.process.specification
    assert (desk.state, own.quantity, own.due_at) == ("released", Decimal(1200), JUNE)
    assert [plain(line.quantity) for line in own.work_orders[0].materials] == ["6", "114"]
    assert refused(desk, c.ApproveOrderChange, "sam", change="PO-1-C1").keys() == {"CHANGE_NOT_OPEN"}
    assert desk.process.quantity_changed == 200
    folded(desk)


@pytest.mark.accepts("B3")
def test_a_rejected_request_leaves_the_order_as_it_was() -> None:
    desk = dispatched()
    before = desk.process.specification
    desk.do(c.RequestOrderChange, "pia", quantity=Decimal(800), reason=WHY)
    assert "REASON_REQUIRED" in refused(desk, c.RejectOrderChange, "sam", change="PO-1-C1")
    desk.do(c.RejectOrderChange, "sam", change="PO-1-C1", reason="too late for that")
    assert (desk.state, desk.process.specification) == ("inProgress", before)
    assert desk.process.changes["PO-1-C1"].comment == ""
    desk.do(c.RequestOrderChange, "pia", quantity=Decimal(800), reason=WHY)
    desk.do(c.CancelOrder, "sam", reason="no need any more", disposition="scrap")
    assert (desk.state, desk.process.changes["PO-1-C2"].state) == ("cancelling", "lapsed")
    folded(desk)


@pytest.mark.accepts("B3", "A13")
def test_a_running_order_only_becomes_smaller_and_not_than_what_was_reported() -> None:
    desk = dispatched()
    ask = {"reason": WHY}
    assert refused(desk, c.ReduceQuantity, "sam", **ask).keys() == {"CHANGE_REQUEST_REQUIRED"}
    more = refused(desk, c.RequestOrderChange, quantity=Decimal(1001), **ask)
    assert "material was picked" in more["MATERIAL_PICKED"].required
    less = refused(desk, c.RequestOrderChange, quantity=Decimal(609), **ask)
    assert less["BELOW_REPORTED"].found == "609 wanted, 610 reported at COMPRESS"
    desk.do(c.RequestOrderChange, "pia", quantity=Decimal(610), **ask)
    desk.do(c.ApproveOrderChange, "sam", change="PO-1-C1")
    own = desk.process.specification.work_orders[0]
    assert own.quantity == 610
    assert [plain(line.quantity) for line in own.materials] == ["5.0", "95.0"]
    assert "OVER_REPORT" in refused(desk, c.ReportProduction, "olu", operation="COMPRESS", good=1)


@pytest.mark.accepts("B3")
def test_a_hold_of_a_person_stays_when_the_request_is_decided() -> None:
    desk = released()
    desk.do(c.HoldOrder, "qa", reason="question about a lot")
    desk.do(c.RequestOrderChange, "pia", due_at=MAY, reason=WHY)
    assert "resumeOrder" not in possible_for(desk.process)
    desk.do(c.ApproveOrderChange, "sam", change="PO-1-C1")
    assert desk.state == "held"
    desk.do(c.ResumeOrder, "qa")
    assert desk.state == "released"


@pytest.mark.accepts("B3", "D3")
@pytest.mark.parametrize("first", ["lot", "change"])
@pytest.mark.parametrize("last", ["lot", "change"])
def test_an_order_goes_on_when_neither_a_lot_nor_a_change_stops_it(first: str, last: str) -> None:
    desk = released()
    stop = {
        "lot": lambda: desk.do(c.PlaceLotHold, SYSTEM, hold="H-1", lots=("API-1",), placed_by="rae"),
        "change": lambda: desk.do(c.RequestOrderChange, "pia", due_at=MAY, reason=WHY),
    }
    free = {
        "lot": lambda: desk.do(c.LiftLotHold, SYSTEM, hold="H-1", lifted_by="rae"),
        "change": lambda: desk.do(c.ApproveOrderChange, "sam", change="PO-1-C1"),
    }
    for own in sorted(stop, key=lambda name: name != first):
        stop[own]()
    for own in sorted(free, key=lambda name: name == last):
        assert desk.state == "held"
        free[own]()
    assert desk.state == "released"
    folded(desk)


@pytest.mark.accepts("B3")
def test_where_nothing_is_controlled_a_released_order_is_changed_directly() -> None:
    desk = Desk(tablet_order(DISCRETE))
    desk.do(c.SubmitOrder, "pia")
    desk.do(c.ReleaseOrder, "pia")
    desk.do(c.ChangeOrder, "pia", quantity=Decimal(500), due_at=MAY, reason=WHY)
    assert (desk.state, desk.process.specification.quantity) == ("released", Decimal(500))
    assert [type(event) for event in desk.facts[-1].events] == [ch.OrderChanged]


def test_sub_assemblies_follow_the_order_while_nothing_was_taken() -> None:
    one = tablet_order(CONTROLLED)
    (final,) = one.work_orders
    part = final.model_copy(
        update={"number": "PO-1-02", "output_lot": "P", "feeds": "PO-1-01", "quantity": Decimal("2000.5")}
    )
    desk = Desk(OrderSpecification(**(dict(one) | {"work_orders": (final, part)})))
    desk.do(c.ChangeOrder, "pia", quantity=Decimal(100), reason=WHY)
    assert [plain(own.quantity) for own in desk.process.specification.work_orders] == ["100", "200.05"]
    (event,) = desk.facts[-1].events
    assert isinstance(event, ch.OrderChanged)
    assert [(own.number, plain(own.quantity)) for own in event.work_orders] == [
        ("PO-1-01", "100"),
        ("PO-1-02", "200.05"),
    ]
