"""What is written into the batch record: values, second checks, corrections, verification, hold times, yields."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain import record_events as r
from domain.errors import Refused
from domain.policy import Policy
from domain.rules.starting import hold_time_deviation
from domain.specification import Characteristic, OrderSpecification
from tests.desk import GMP, Desk, tablet_order
from tests.domain.test_order_on_the_desk import picked

SIGNED = GMP.model_copy(update={"signatures": {"completeOperation": "performed"}, "late_entry_seconds": 1800})


def gmp_order(policy: Policy = SIGNED, *, balance: str | None = None, **compress: Any) -> OrderSpecification:
    """An order whose compression has what a master batch record adds to it."""
    order = tablet_order(policy)
    (own,) = order.work_orders
    operations = tuple(
        operation.model_copy(update=compress) if operation.code == "COMPRESS" else operation
        for operation in own.operations
    )
    limit = None if balance is None else Decimal(balance)
    changed = own.model_copy(update={"operations": operations, "balance_limit_percent": limit})
    return order.model_copy(update={"work_orders": (changed,)})


def characteristic(**more: Any) -> Characteristic:
    """The tablet weight with action limits of 75 … 80 and what else is wanted."""
    return Characteristic(name="weight", unit="mg", low=Decimal(75), high=Decimal(80), required=True, **more)


def compressing(order: OrderSpecification) -> Desk:
    """The order with its compression running, started by olu."""
    desk = dispensed(order)
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    return desk


def dispensed(order: OrderSpecification) -> Desk:
    """The order with its dispensing done by olu."""
    desk = picked(Desk(order))
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    return desk


def measure(desk: Desk, by: str, text: str, **more: Any) -> e.Fact:
    """Record the weight."""
    values = (c.Measurement(name="weight", text=text, unit="mg"),)
    return desk.do(c.RecordParameters, by, operation="COMPRESS", values=values, **more)


def refusal(desk: Desk, kind: type[c.Command], by: str, **fields: Any) -> list[str]:
    """The codes of the blockers of a command that is refused."""
    with pytest.raises(Refused) as refused:
        desk.do(kind, by, **fields)
    return [blocker.code for blocker in refused.value.blockers]


@pytest.mark.accepts("EB-04", "AT-10", "B7")
@pytest.mark.parametrize(
    ("text", "within", "warning"),
    [
        ("74.999", False, False), ("75", True, True), ("75.999", True, True), ("76", True, False), ("78", True, False),
        ("79", True, False), ("79.001", True, True), ("80", True, True), ("80.001", False, False),
        ("81.2", False, False),
    ],
)  # fmt: skip
def test_a_value_is_judged_at_its_limits_and_never_refused_for_being_bad(
    text: str, within: bool, warning: bool
) -> None:
    weight = characteristic(warning_low=Decimal(76), warning_high=Decimal(79))
    desk = compressing(gmp_order(parameters=(weight,)))
    fact = measure(desk, "olu", text)
    (recorded,) = [event for event in fact.events if isinstance(event, e.ParametersRecorded)]
    (value,) = recorded.values
    assert (value.text, value.within_limits, value.is_warning) == (text, within, warning)
    opened = [event.code for event in fact.events if isinstance(event, e.DeviationOpened)]
    operation = desk.process.work_orders[desk.work_order].operations["COMPRESS"]
    assert (opened, operation.state) == (([], "running") if within else (["OUT_OF_LIMIT"], "held"))


@pytest.mark.accepts("AT-11")
def test_a_typed_critical_value_needs_another_person() -> None:
    desk = compressing(gmp_order(parameters=(characteristic(second_check=True),)))
    measure(desk, "olu", "78")
    assert refusal(desk, c.CompleteOperation, "olu", operation="COMPRESS") == ["SECOND_CHECK_MISSING"]
    check = {"operation": "COMPRESS", "numbers": ("V1",)}
    assert refusal(desk, c.CheckParameters, "olu", **check) == ["SEPARATION_OF_DUTIES"]
    fact = desk.do(c.CheckParameters, "ana", **check)
    (checked,) = [event for event in fact.events if isinstance(event, r.ParametersChecked)]
    assert [(value.number, value.version, value.name) for value in checked.values] == [("V1", 1, "weight")]
    assert refusal(desk, c.CheckParameters, "ana", **check) == ["NOTHING_TO_CHECK"]
    desk.do(c.CompleteOperation, "olu", operation="COMPRESS")


@pytest.mark.accepts("AT-11")
def test_a_value_from_a_machine_account_needs_no_second_person() -> None:
    desk = compressing(gmp_order(parameters=(characteristic(second_check=True),)))
    measure(desk, "lims", "78", is_typed=False)
    desk.do(c.CompleteOperation, "olu", operation="COMPRESS")


@pytest.mark.accepts("AT-05", "AT-06", "B10")
def test_a_correction_stands_beside_the_first_value_and_is_checked_again() -> None:
    desk = compressing(gmp_order(parameters=(characteristic(second_check=True),), verified=True))
    measure(desk, "olu", "78")
    desk.do(c.CheckParameters, "ana", operation="COMPRESS", numbers=("V1",))
    correct = {"operation": "COMPRESS", "number": "V1", "text": "78.5", "name": "weight", "old_text": "78"}
    assert refusal(desk, c.CorrectParameter, "olu", corrections=0, **correct) == ["REASON_REQUIRED"]
    assert refusal(desk, c.CorrectParameter, "olu", corrections=0, reason="    ", **correct) == ["REASON_REQUIRED"]
    fact = desk.do(c.CorrectParameter, "olu", corrections=0, reason="misread the display", **correct)
    (corrected,) = [event for event in fact.events if isinstance(event, r.ParameterCorrected)]
    assert (corrected.version, corrected.old_text, corrected.value.text) == (2, "78", "78.5")
    assert refusal(desk, c.CorrectParameter, "olu", corrections=0, reason="misread the display", **correct) == [
        "CONTENT_CHANGED"
    ]
    assert refusal(desk, c.CompleteOperation, "olu", operation="COMPRESS") == ["SECOND_CHECK_MISSING"]
    desk.do(c.CheckParameters, "ana", operation="COMPRESS", numbers=("V1",))
    desk.do(c.CompleteOperation, "olu", operation="COMPRESS")
    desk.do(c.VerifyOperation, "ana", operation="COMPRESS")
    again = {**correct, "text": "79", "old_text": "78.5", "reason": "wrong line of the print-out"}
    desk.do(c.CorrectParameter, "olu", corrections=1, **again)
    operation = desk.process.work_orders[desk.work_order].operations["COMPRESS"]
    assert operation.verified_by is None, "what is corrected after its verification has to be verified again"


@pytest.mark.accepts("EB-04", "QL-07")
def test_a_correction_out_of_limits_is_a_deviation_too() -> None:
    desk = compressing(gmp_order(parameters=(characteristic(),)))
    measure(desk, "olu", "78")
    fact = desk.do(
        c.CorrectParameter, "olu", operation="COMPRESS", number="V1", text="81", name="weight", old_text="78",
        corrections=0, reason="misread the display",
    )  # fmt: skip
    assert [event.code for event in fact.events if isinstance(event, e.DeviationOpened)] == ["OUT_OF_LIMIT"]
    assert desk.process.work_orders[desk.work_order].operations["COMPRESS"].state == "held"


@pytest.mark.accepts("AT-07")
def test_a_late_entry_is_marked_and_needs_a_reason_and_no_time_is_to_come() -> None:
    desk = compressing(gmp_order(parameters=(characteristic(),)))
    at_limit = measure(desk, "olu", "78", measured_at=desk.now - timedelta(minutes=30))
    late = {"measured_at": desk.now - timedelta(minutes=30, seconds=1)}
    values = (c.Measurement(name="weight", text="78", unit="mg"),)
    ask = {"operation": "COMPRESS", "values": values}
    assert refusal(desk, c.RecordParameters, "olu", **ask, **late) == ["REASON_REQUIRED"]
    marked = measure(desk, "olu", "78", reason="terminal was down", **late)
    kinds = [[event.is_late for event in fact.events if isinstance(event, e.ParametersRecorded)]
             for fact in (at_limit, marked)]  # fmt: skip
    assert kinds == [[False], [True]]
    to_come = {"measured_at": desk.now + timedelta(minutes=3)}
    assert refusal(desk, c.RecordParameters, "olu", **ask, **to_come) == ["TIME_TO_COME"]


@pytest.mark.accepts("EB-05", "AC-03")
def test_a_step_with_a_verifier_waits_for_another_person() -> None:
    desk = compressing(gmp_order(parameters=(characteristic(),), verified=True))
    measure(desk, "olu", "78")
    desk.do(c.CompleteOperation, "ole", operation="COMPRESS")
    assert "VERIFIER_MISSING" in refusal(desk, c.StartOperation, "olu", operation="COAT")
    for doer in ("olu", "ole"):
        assert refusal(desk, c.VerifyOperation, doer, operation="COMPRESS") == ["SEPARATION_OF_DUTIES"]
    fact = desk.do(c.VerifyOperation, "ana", operation="COMPRESS")
    assert fact.events[0] == r.OperationVerified(
        work_order=desk.work_order, operation="COMPRESS", done_by=("olu", "ole")
    )
    assert refusal(desk, c.VerifyOperation, "ben", operation="COMPRESS") == ["NOTHING_TO_VERIFY"]
    desk.do(c.StartOperation, "olu", operation="COAT")


@pytest.mark.accepts("EB-03", "PO-06")
def test_the_next_step_needs_the_signature_of_the_one_before() -> None:
    desk = compressing(gmp_order())
    assert refusal(desk, c.StartOperation, "olu", operation="COAT") == ["SEQUENCE", "STEP_UNSIGNED"]


@pytest.mark.accepts("MT-12", "QL-07")
def test_material_past_its_hold_time_waits_for_quality() -> None:
    order = gmp_order(longest_wait_seconds=3600)
    desk = dispensed(order)
    operation = desk.process.work_orders[desk.work_order].operations["COMPRESS"]
    assert operation.ready_at is not None
    limit = operation.ready_at + timedelta(hours=1)
    desk.now = limit
    in_time = desk.command(c.StartOperation, "olu", operation="COMPRESS")
    desk.now = limit + timedelta(seconds=1)
    assert refusal(desk, c.StartOperation, "olu", operation="COMPRESS") == ["HOLD_TIME_EXCEEDED"]
    (specification,) = (own for own in order.work_orders[0].operations if own.code == "COMPRESS")
    (opened,) = hold_time_deviation(desk.process, desk.work_order, specification)
    desk._append("system", (opened,))
    assert hold_time_deviation(desk.process, desk.work_order, specification) == ()
    assert refusal(desk, c.StartOperation, "olu", operation="COMPRESS") == ["DEVIATION_OPEN"]
    desk.do(c.DecideDeviation, "rae", deviation="PO-1-D1", decision="stable for 4 h, study S-12", reason="see S-12")
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    assert in_time.received_at == limit


@pytest.mark.accepts("MT-12")
def test_at_the_limit_itself_the_material_is_used() -> None:
    desk = dispensed(gmp_order(longest_wait_seconds=3600))
    operation = desk.process.work_orders[desk.work_order].operations["COMPRESS"]
    assert operation.ready_at is not None
    desk.now = operation.ready_at + timedelta(hours=1)
    desk.do(c.StartOperation, "olu", operation="COMPRESS")


@pytest.mark.accepts("B15", "MT-09", "QL-07")
@pytest.mark.parametrize(
    ("good", "scrap", "codes"),
    [("940", "30", ["BALANCE_OUT_OF_LIMIT"]), ("950", "30", []), ("980", "20", []), ("1010", "10", []),
     ("1015", "6", ["BALANCE_OUT_OF_LIMIT"]), ("900", "80", ["YIELD_OUT_OF_LIMIT"])],
)  # fmt: skip
def test_a_balance_beyond_its_limit_is_a_deviation(good: str, scrap: str, codes: list[str]) -> None:
    generous = SIGNED.model_copy(update={"over_report_tolerance_percent": Decimal(5)})
    desk = compressing(gmp_order(generous, balance="2", yield_low_percent=Decimal("93"), parameters=()))
    desk.do(c.ReportProduction, "olu", operation="COMPRESS", good=good, scrap=scrap, scrap_reason="dust")
    fact = desk.do(c.CompleteOperation, "olu", operation="COMPRESS")
    opened = [event for event in fact.events if isinstance(event, e.DeviationOpened)]
    assert [event.code for event in opened] == codes
    if good == "940":
        assert "-3.00 % of 1000 differ, limit ± 2 %" in opened[0].detail


@pytest.mark.accepts("EB-08")
def test_the_record_of_an_operation_that_has_not_begun_is_not_written() -> None:
    desk = dispensed(gmp_order())
    assert refusal(desk, c.CommentOperation, "olu", operation="COAT", text="clean") == ["OPERATION_NOT_BEGUN"]
    desk.do(c.CommentOperation, "olu", operation="DISPENSE", text="bag 3 was torn, material double-bagged")
    assert desk.process.work_orders[desk.work_order].operations["DISPENSE"].comments == 1
