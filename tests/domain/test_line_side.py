"""What lies at the line: consumed, returned or scrapped, and nothing of it gets lost. Told with the rules alone."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain import commands as c
from domain import events as e
from domain import material_events as m
from domain.errors import Refused
from domain.events import Allocation
from domain.process import Process, WorkOrder
from domain.rules.line_side import LineStock, line_stock
from domain.rules.possible import possible_for, waits_for
from tests.desk import Desk, tablet_order
from tests.domain.test_order_on_the_desk import codes, picked, released


def back(lot: str, quantity: str, unit: str = "kg", **more: object) -> c.ReturnedQuantity:
    """A quantity of API-1 (line 1) or LAC-1 (line 2) that goes back."""
    fields = {"line": 1 if lot.startswith("API") else 2, "lot": lot, "quantity": quantity, "unit": unit, **more}
    return c.ReturnedQuantity.model_validate(fields)


def used(lot: str, quantity: str, unit: str = "kg", line: int | None = None) -> c.LineQuantity:
    """A quantity that an operation used."""
    return c.LineQuantity(
        line=line or (1 if lot.startswith("API") else 2), lot=lot, quantity=Decimal(quantity), unit=unit
    )


def returns(desk: Desk, *lines: c.ReturnedQuantity, by: str = "wil", reason: str | None = "too much issued") -> e.Fact:
    return desk.do(c.ReturnMaterials, by, lines=lines, reason=reason)


def at_line(desk: Desk) -> dict[str, LineStock]:
    return {own.lot: own for own in line_stock(desk.process, desk.process.work_orders[desk.work_order])}


def dispensed(desk: Desk, consumed: tuple[c.LineQuantity, ...] | None = None) -> dict[str, str]:
    """DISPENSE is done; what it consumed by lot."""
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    fact = desk.do(c.CompleteOperation, "olu", operation="DISPENSE", consumed=consumed)
    events = [event for event in fact.events if isinstance(event, e.MaterialsConsumed)]
    return {line.lot: str(line.quantity) for event in events for line in event.lines}


def the_rest_of_the_batch(desk: Desk) -> None:
    """From COMPRESS to the put-away."""
    for operation in ("COMPRESS", "COAT"):
        desk.do(c.StartOperation, "olu", operation=operation)
        if operation == "COMPRESS":
            values = (c.Measurement(name="weight", text="113", unit="mg"),)
            desk.do(c.RecordParameters, "olu", operation=operation, values=values)
        desk.do(c.ReportProduction, "olu", operation=operation, good=Decimal(990))
        desk.do(c.CompleteOperation, "olu", operation=operation)
    desk.inspection_requested()
    desk.do(c.EnterInspectionResults, "ana", values=(c.Measurement(name="dissolution", text="92.5", unit="%"),))
    desk.do(c.DecideInspection, "ben", accept=True)
    desk.do(c.PutAway, "wil", place="QUARANTINE")
    desk.stored()


@pytest.mark.accepts("MT-09")
def test_what_is_returned_is_not_consumed() -> None:
    desk = picked(Desk(tablet_order()))
    assert "returnMaterials" in possible_for(desk.process, desk.work_order)
    assert all(command != "returnMaterials" for _, _, command in waits_for(desk.process))
    returns(desk, back("API-1", "0.8"), back("LAC-1", "15"))
    desk.returned()
    # Less than the bill of material asks for is no reason to stop: what was used stands in the record.
    assert dispensed(desk) == {"API-1": "4.2", "LAC-1": "80.0"}
    api = at_line(desk)["API-1"]
    assert [str(q) for q in (api.issued, api.consumed, api.returned, api.at_line)] == ["5.0", "4.2", "0.8", "0.0"]
    assert "returnMaterials" not in possible_for(desk.process, desk.work_order)


def test_what_is_on_its_way_back_can_be_neither_consumed_nor_returned_again() -> None:
    desk = picked(Desk(tablet_order()))
    returns(desk, back("API-1", "2"))
    with pytest.raises(Refused) as refused:
        returns(desk, back("API-1", "3.5"))
    assert refused.value.blockers[0].found == "3.5 kg of line 1; 5.0 kg issued, 2 being returned"
    assert dispensed(desk) == {"API-1": "3.0", "LAC-1": "95.0"}
    desk.return_refused()
    # The warehouse did not take it: it lies there, and the batch is not over before somebody has cared for it.
    assert at_line(desk)["API-1"].at_line == 2
    the_rest_of_the_batch(desk)
    with pytest.raises(Refused) as refused:
        desk.do(c.CertifyBatch, "quinn")
    (blocker,) = refused.value.blockers
    assert (blocker.code, blocker.id, blocker.who_can_fix) == ("MATERIAL_ON_LINE", "API-1", "warehouseKeeper")
    assert blocker.found == "2.0 kg at the line for PO-1-01, line 1: 5.0 kg issued, 3.0 consumed"
    assert (desk.work_order, "warehouseKeeper, operator", "returnMaterials") in waits_for(desk.process)
    with pytest.raises(Refused) as refused:
        desk.do(c.CloseOrder, "sam")
    assert codes(refused) == ["NOT_CERTIFIED", "NOT_RELEASED", "MATERIAL_ON_LINE"]
    returns(desk, back("API-1", "2.0", disposition="scrap"), reason="fell on the floor")
    with pytest.raises(Refused) as refused:  # it is still there until the warehouse has taken it
        desk.do(c.CertifyBatch, "quinn")
    assert refused.value.blockers[0].found.endswith("5.0 kg issued, 3.0 consumed, 2.0 being returned")
    desk.returned()
    assert at_line(desk)["API-1"].scrapped == 2
    desk.do(c.CertifyBatch, "quinn")


@pytest.mark.accepts("MT-09")
def test_an_operation_may_say_what_it_really_used() -> None:
    desk = picked(Desk(tablet_order()))
    assert dispensed(desk, (used("API-1", "4.75"), used("LAC-1", "0"))) == {"API-1": "4.75"}
    assert {lot: own.at_line for lot, own in at_line(desk).items()} == {"API-1": Decimal("0.25"), "LAC-1": 95}
    returns(desk, back("API-1", "0.25"), back("LAC-1", "95"), by="olu")
    fact = desk.returned()
    (returned,) = [event for event in fact.events if isinstance(event, m.MaterialsReturned)]
    assert [(line.lot, str(line.quantity), line.place) for line in returned.lines] == [
        ("API-1", "0.25", "RAW"), ("LAC-1", "95", "RAW"),
    ]  # fmt: skip
    the_rest_of_the_batch(desk)
    desk.do(c.CertifyBatch, "quinn")


def test_nothing_used_is_a_statement_too() -> None:
    desk = picked(Desk(tablet_order()))
    assert dispensed(desk, ()) == {}
    assert desk.process.work_orders[desk.work_order].consumed_at == ()
    # Nothing was consumed: a cancellation needs no decision about it.
    desk.do(c.CancelOrder, "sam", reason="customer withdrew")


def test_a_wrong_statement_is_refused_with_everything_that_is_wrong() -> None:
    desk = picked(Desk(tablet_order()))
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    stated = (used("API-1", "3"), used("API-1", "2.1"), used("LAC-1", "1", unit="g"), used("LAC-9", "1"))
    with pytest.raises(Refused) as refused:
        desk.do(c.CompleteOperation, "olu", operation="DISPENSE", consumed=stated)
    found = {blocker.code: blocker for blocker in refused.value.blockers}
    assert sorted(found) == ["LOT_NOT_ON_PICK_LIST", "MORE_THAN_ON_LINE", "UNIT_MISMATCH"]
    assert found["MORE_THAN_ON_LINE"].found == "5.1 kg of line 1; 5.0 kg issued"
    assert found["LOT_NOT_ON_PICK_LIST"].required == "a lot that is used at DISPENSE: line 1 API-1, line 2 LAC-1"
    assert (found["UNIT_MISMATCH"].found, found["UNIT_MISMATCH"].required) == ("g for line 2", "kg")
    dispensed_by_default = desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    assert any(isinstance(event, e.MaterialsConsumed) for event in dispensed_by_default.events)
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    values = (c.Measurement(name="weight", text="113", unit="mg"),)
    desk.do(c.RecordParameters, "olu", operation="COMPRESS", values=values)
    with pytest.raises(Refused) as refused:
        desk.do(c.CompleteOperation, "olu", operation="COMPRESS", consumed=(used("API-1", "1"),))
    assert refused.value.blockers[0].required == "a lot that is used at COMPRESS: none"


def test_a_wrong_return_is_refused_with_everything_that_is_wrong() -> None:
    desk = picked(Desk(tablet_order()))
    lines = (
        back("API-1", "5.1"), back("LAC-1", "1", unit="g"), back("LAC-7", "1"),
        back("LAC-1", "1", reason="not needed today"),
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        returns(desk, *lines, reason="no")
    assert codes(refused) == [
        "UNIT_MISMATCH", "LOT_NOT_ON_PICK_LIST", "MORE_THAN_ON_LINE",
        "REASON_REQUIRED", "REASON_REQUIRED", "REASON_REQUIRED",
    ]  # fmt: skip
    assert [blocker.id for blocker in refused.value.blockers[3:]] == ["API-1", "LAC-1", "LAC-7"]
    assert desk.process.work_orders[desk.work_order].returns == {}


def test_only_what_was_issued_comes_back_and_only_while_the_order_is_worked_on() -> None:
    desk = released(Desk(tablet_order()))
    with pytest.raises(Refused) as refused:
        returns(desk, back("API-1", "1"))
    assert [(b.code, b.found) for b in refused.value.blockers] == [("NOT_ISSUED", "no pick list")]
    desk.do(c.DispatchWorkOrder, "sam")
    desk.allocated()
    desk.do(c.HoldOrder, "sam", reason="question about a lot")
    with pytest.raises(Refused) as refused:
        returns(desk, back("API-1", "1"), reason=None)
    assert codes(refused) == ["ORDER_ON_HOLD", "NOT_ISSUED", "REASON_REQUIRED"]
    for quantity in ("0", "-1"):
        with pytest.raises(ValidationError):
            back("API-1", quantity)


def test_one_lot_from_two_places_is_one_lot() -> None:
    desk = released(Desk(tablet_order()))
    desk.do(c.DispatchWorkOrder, "sam")
    halves = {"line": 1, "material": "API", "lot": "API-1", "unit": "kg"}
    desk.allocated(
        Allocation(**halves, place="R-1", quantity=Decimal(2)), Allocation(**halves, place="RAW", quantity=Decimal(3))
    )
    desk.do(c.ApprovePickList, "wil")
    desk.do(c.IssuePickList, "wil")
    desk.issued()
    assert at_line(desk)["API-1"].issued == 5
    returns(desk, back("API-1", "2.5"))
    desk.returned()
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    fact = desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    (consumed,) = [event for event in fact.events if isinstance(event, e.MaterialsConsumed)]
    assert [str(line.quantity) for line in consumed.lines] == ["2", "0.5"]


def test_an_order_of_an_older_release_has_nothing_at_the_line() -> None:
    """It was carried over from a release that did not keep account: what an operation consumed, it consumed whole."""
    desk = picked(Desk(tablet_order()))
    dispensed(desk)
    older = desk.process.model_dump(by_alias=True)
    for own in older["workOrders"].values():
        del own["returns"], own["pickList"]["used"]
    desk.process = Process.model_validate(older)
    assert isinstance(desk.process.work_orders[desk.work_order], WorkOrder)
    assert [own.at_line for own in at_line(desk).values()] == [0, 0]
    the_rest_of_the_batch(desk)
    desk.do(c.CertifyBatch, "quinn")
