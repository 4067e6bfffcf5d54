"""Material balance per material and stage, samples, counts; printed packaging material; prints on packs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.errors import Refused
from domain.exceptions import ExceptionType, of_facts
from domain.rules.batch_record import stage_balance, stage_yield
from domain.rules.line_side import line_stock
from domain.rules.material_balance import Balance, balances
from domain.specification import MaterialLine
from domain.states import OperationState
from tests.desk import START, Desk, tablet_order
from tests.domain.test_line_side import back, returns, the_rest_of_the_batch, used
from tests.domain.test_order_on_the_desk import picked

CARTON = MaterialLine(line=3, material="CARTON", quantity=Decimal(10500), unit="pcs", operation="COAT", printed=True)


def desk_with(
    *, api_limit: str | None = "2", printed: MaterialLine | None = None, seconds: int | None = None, api: str = "100"
) -> Desk:
    """An issued order of which the API has a limit of its own; with `printed` COAT packs, looked at every `seconds`."""
    order = tablet_order(api=api)
    (own,) = order.work_orders
    limit = None if api_limit is None else Decimal(api_limit)
    lines = tuple(
        line.model_copy(update={"balance_limit_percent": limit}) if line.material == "API" else line
        for line in own.materials
    )
    operations = tuple(
        op.model_copy(update={"print_check_seconds": seconds}) if op.code == "COAT" else op for op in own.operations
    )
    update: dict[str, Any] = {
        "materials": (*lines, printed) if printed else lines, "operations": operations, "shelf_life_days": 730,
    }  # fmt: skip
    return picked(Desk(order.model_copy(update={"work_orders": (own.model_copy(update=update),)})))


def balance_of(desk: Desk, material: str) -> Balance:
    """The balance of a material."""
    own = desk.process.work_orders[desk.work_order]
    return next(found for found in balances(desk.process, own) if found.material == material)


def count(desk: Desk, *lines: c.LineQuantity, reason: str | None = "looked everywhere") -> e.Fact:
    return desk.do(c.CountMaterials, "wil", lines=lines, reason=reason)


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [blocker.code for blocker in refused.value.blockers]


@pytest.mark.accepts("B15", "MT-09", "QL-07")
def test_three_of_a_hundred_missing_are_beyond_two_percent() -> None:
    desk = desk_with()
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    stated = (used("API-1", "94"), used("LAC-1", "95"))
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE", consumed=stated)
    returns(desk, back("API-1", "3", disposition="scrap"), reason="fell on the floor")
    desk.returned()
    the_rest_of_the_batch(desk)
    with pytest.raises(Refused) as refused:
        desk.do(c.CertifyBatch, "quinn")
    assert codes(refused) == ["MATERIAL_ON_LINE"]
    with pytest.raises(Refused) as refused:
        count(desk, used("API-1", "0"), reason=None)
    assert codes(refused) == ["REASON_REQUIRED"]
    fact = count(desk, used("API-1", "0"))
    (opened,) = (event for event in fact.events if isinstance(event, e.DeviationOpened))
    story = "100 kg issued = 94 consumed + 3 scrapped + 3 difference (97.000 % accounted for)"
    assert (opened.code, opened.detail) == (
        "MATERIAL_BALANCE_OUT_OF_LIMIT", f"API at DISPENSE: {story}, limit ± 2 %",
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        desk.do(c.CertifyBatch, "quinn")
    assert codes(refused) == ["DEVIATION_OPEN", "MATERIAL_BALANCE_OUT_OF_LIMIT"]
    named = refused.value.blockers[1]
    assert (named.id, named.found) == ("API", f"at DISPENSE: {story}")
    assert named.required == f"at most ± 2 % of what was issued, or the decision of {opened.number}"
    found = of_facts(desk.process.specification, desk.work_order, desk.facts)
    assert [(own.type, own.deviation) for own in found] == [(ExceptionType.CHARGE_OUT_OF_LIMITS, opened.number)]
    desk.do(c.DecideDeviation, "rae", deviation=opened.number, decision="residue in the bag, weighed empty")
    desk.do(c.CertifyBatch, "quinn")


@pytest.mark.accepts("MT-09")
@pytest.mark.parametrize(("counted", "opens"), [("2", False), ("1.999", True), ("6", False), ("6.001", True)])
def test_at_the_limit_is_within_it_either_way(counted: str, opens: bool) -> None:
    desk = desk_with()
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE", consumed=(used("API-1", "96"), used("LAC-1", "95")))
    count(desk, used("API-1", counted))  # 4 should lie there
    assert bool(desk.process.open_deviations()) == opens
    assert balance_of(desk, "API").at_line == Decimal(counted)


@pytest.mark.accepts("MT-09")
def test_a_limit_of_the_record_counts_where_the_material_has_none() -> None:
    desk = desk_with(api_limit=None)
    (own,) = desk.process.specification.work_orders
    assert balance_of(desk, "API").limit is None
    count(desk, used("API-1", "10"))
    assert desk.process.open_deviations() == []  # nobody has set a limit: it is shown and not judged
    own = own.model_copy(update={"balance_limit_percent": Decimal(3)})
    specification = desk.process.specification.model_copy(update={"work_orders": (own,)})
    desk.process.specification = specification
    assert (str(balance_of(desk, "API").limit), balance_of(desk, "API").is_outside) == ("3", True)


@pytest.mark.accepts("MT-09")
def test_samples_are_accounted_for_in_both_balances() -> None:
    desk = desk_with()
    with pytest.raises(Refused) as refused:
        desk.do(c.TakeSample, "ana", operation="DISPENSE", quantity=Decimal(101), unit="kg", line=1, lot="API-1")
    assert codes(refused) == ["MORE_THAN_ON_LINE"]
    desk.do(c.TakeSample, "ana", operation="DISPENSE", quantity=Decimal("0.5"), unit="kg", line=1, lot="API-1")
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    api = balance_of(desk, "API")
    assert [str(one) for one in (api.consumed, api.sampled, api.difference)] == ["99.5", "0.5", "0"]
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    desk.do(c.RecordParameters, "olu", operation="COMPRESS", values=(c.Measurement(name="weight", text="113"),))
    desk.do(c.ReportProduction, "olu", operation="COMPRESS", good=Decimal(990), scrap=Decimal(10), scrap_reason="dust")
    with pytest.raises(Refused) as refused:
        desk.do(c.TakeSample, "ana", operation="COMPRESS", quantity=Decimal(991), unit="pcs")
    assert codes(refused) == ["MORE_THAN_GOOD"]
    desk.do(c.TakeSample, "ana", operation="COMPRESS", quantity=Decimal(20), unit="pcs")
    own = desk.process.work_orders[desk.work_order]
    press = own.operations["COMPRESS"]
    assert (str(press.good), str(press.sampled), str(press.reported)) == ("970", "20", "1000")
    # The same pieces cannot be reported again, and nothing is missing.
    assert stage_balance(desk.process, own, press) == 100
    assert stage_yield(desk.process, own, press) == 97
    with pytest.raises(Refused) as refused:
        desk.do(c.ReportProduction, "olu", operation="COMPRESS", good=Decimal(20))
    assert codes(refused) == ["OVER_REPORT"]


@pytest.mark.accepts("MT-09")
def test_a_tablet_batch_balances_as_the_reference_values_say() -> None:
    """Output, samples and collected loss over what came in: 97.6 + 0.4 + 1.5 of 99.8."""
    found = Balance(
        operation="PRESS", material="MIX", unit="kg", issued=Decimal("99.8"), consumed=Decimal("97.6"),
        returned=Decimal(0), sampled=Decimal("0.4"), scrapped=Decimal("1.5"), difference=Decimal("0.3"),
        at_line=Decimal(0), limit=Decimal(2),
    )  # fmt: skip
    assert found.accounted is not None
    assert (round(found.accounted, 4), found.is_outside) == (Decimal("99.6994"), False)


steps = st.lists(
    st.tuples(st.sampled_from(["sample", "return", "scrap", "count"]), st.integers(0, 40)), max_size=8
)  # fmt: skip


@pytest.mark.accepts("MT-09")
@settings(deadline=None, max_examples=60)
@given(steps, st.integers(0, 100))
def test_nothing_of_what_was_issued_is_ever_unaccounted(done: list[tuple[str, int]], consumed: int) -> None:
    desk = desk_with()
    for what, amount in done:
        rest = next(own.rest for own in line_stock(desk.process, desk.process.work_orders[desk.work_order]))
        if what == "count":
            count(desk, used("API-1", str(amount)))
        elif 0 < amount <= rest:
            if what == "sample":
                desk.do(
                    c.TakeSample, "ana", operation="DISPENSE", quantity=Decimal(amount), unit="kg", line=1, lot="API-1"
                )
            else:
                disposition = "scrap" if what == "scrap" else "toStock"
                returns(desk, back("API-1", str(amount), disposition=disposition))
                desk.returned()
    rest = next(own.rest for own in line_stock(desk.process, desk.process.work_orders[desk.work_order]))
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    stated = (used("API-1", str(min(Decimal(consumed), rest))), used("LAC-1", "95"))
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE", consumed=stated)
    api = balance_of(desk, "API")
    parts = api.consumed + api.returned + api.sampled + api.scrapped + api.difference + api.at_line
    assert (api.issued, min(api.at_line, api.sampled, api.scrapped, api.returned) >= 0) == (parts, True)
    # Every count that left the balance beyond its limit has a deviation; within it nobody is stopped.
    assert api.is_outside == (abs(api.difference) > 2)
    if api.is_outside:
        assert desk.process.open_deviations()


# Printed packaging material -------------------------------------------------------------------------------------------


def packing(limit: str, seconds: int | None = None) -> Desk:
    """Cartons are at the line of COAT, which runs."""
    desk = desk_with(printed=CARTON.model_copy(update={"balance_limit_percent": Decimal(limit)}), seconds=seconds)
    for operation in ("DISPENSE", "COMPRESS"):
        desk.do(c.StartOperation, "olu", operation=operation)
        if operation == "COMPRESS":
            desk.do(c.RecordParameters, "olu", operation=operation, values=(c.Measurement(name="weight", text="113"),))
            desk.do(c.ReportProduction, "olu", operation=operation, good=Decimal(1000))
        desk.do(c.CompleteOperation, "olu", operation=operation)
    desk.do(c.StartOperation, "olu", operation="COAT")
    return desk


def cartons(quantity: str) -> c.LineQuantity:
    return used("CARTON-1", quantity, unit="pcs", line=3)


@pytest.mark.accepts("EB-09", "QL-10")
@pytest.mark.parametrize(
    ("consumed", "limit", "percent", "opens"),
    [("10012", "0.02", "100.000", False), ("10010", "0.02", "99.981", False), ("10010", "0.019", "99.981", True),
     ("10009", "0.02", "99.971", True)],
)  # fmt: skip
def test_printed_cartons_are_reconciled_piece_by_piece(consumed: str, limit: str, percent: str, opens: bool) -> None:
    """10500 issued: used, 415 coded ones destroyed, 43 damaged, 25 returned uncoded, 5 for the record."""
    desk = packing(limit)
    desk.do(c.ReportProduction, "olu", operation="COAT", good=Decimal(1000))
    with pytest.raises(Refused) as refused:
        desk.do(c.CompleteOperation, "olu", operation="COAT")
    assert codes(refused) == ["CONSUMPTION_NOT_STATED"]
    desk.do(c.TakeSample, "ana", operation="COAT", quantity=Decimal(5), unit="pcs", line=3, lot="CARTON-1")
    desk.do(c.CompleteOperation, "olu", operation="COAT", consumed=(cartons(consumed),))
    for quantity, disposition, why in (
        ("415", "scrap", "coded"),
        ("43", "scrap", "damaged"),
        ("25", "toStock", "uncoded"),
    ):
        line = {"line": 3, "lot": "CARTON-1", "quantity": quantity, "unit": "pcs", "disposition": disposition}
        returns(desk, c.ReturnedQuantity.model_validate(line), reason=f"{why} cartons")
        desk.returned()
    count(desk, cartons("0"))
    found = balance_of(desk, "CARTON")
    assert (f"{found.accounted:.3f}", found.is_outside) == (percent, opens)
    desk.inspection_requested()
    desk.do(c.EnterInspectionResults, "ana", values=(c.Measurement(name="dissolution", text="92.5", unit="%"),))
    desk.do(c.DecideInspection, "ben", accept=True)
    desk.do(c.PutAway, "wil", place="QUARANTINE")
    desk.stored()
    if not opens:
        desk.do(c.CertifyBatch, "quinn")
        return
    with pytest.raises(Refused) as refused:
        desk.do(c.CertifyBatch, "quinn")
    assert codes(refused) == ["DEVIATION_OPEN", "RECONCILIATION_OUT_OF_LIMIT"]
    missing = Decimal(10012) - Decimal(consumed)
    assert f"{missing} difference ({percent} % accounted for)" in refused.value.blockers[1].found
    with pytest.raises(Refused) as refused:
        desk.do(c.CloseOrder, "sam")
    assert "RECONCILIATION_OUT_OF_LIMIT" in codes(refused)


@pytest.mark.accepts("EB-09")
def test_packs_are_looked_at_before_anything_counts_and_at_intervals() -> None:
    desk = packing("1", seconds=1800)
    with pytest.raises(Refused) as refused:
        desk.do(c.ReportProduction, "olu", operation="COAT", good=Decimal(100))
    assert codes(refused) == ["PRINT_CHECK_MISSING"]
    expiry = (START.date() + timedelta(days=730)).isoformat()
    desk.do(c.CheckPrint, "olu", operation="COAT", lot_text="LOT-PO-1", expiry_text=expiry)
    desk.do(c.ReportProduction, "olu", operation="COAT", good=Decimal(100))
    desk.now += timedelta(minutes=31)
    with pytest.raises(Refused) as refused:
        desk.do(c.ReportProduction, "olu", operation="COAT", good=Decimal(100))
    assert codes(refused) == ["PRINT_CHECK_DUE"]
    desk.do(c.CheckPrint, "olu", operation="COAT", lot_text="LOT-PO-1", expiry_text=expiry)
    desk.do(c.ReportProduction, "olu", operation="COAT", good=Decimal(100))
    late = of_facts(desk.process.specification, desk.work_order, desk.facts)
    assert [(own.type, own.detail) for own in late] == [
        (ExceptionType.LATE_ENTRY, "print check 2 came after its interval")
    ]  # fmt: skip


@pytest.mark.accepts("EB-09", "QL-07")
@pytest.mark.parametrize(("lot", "days"), [("LOT-PO-2", 730), ("LOT-PO-1", 731)])
def test_a_wrong_print_is_kept_and_holds_the_line(lot: str, days: int) -> None:
    desk = packing("1", seconds=1800)
    expiry = (START.date() + timedelta(days=days)).isoformat()
    desk.do(c.CheckPrint, "olu", operation="COAT", lot_text=lot, expiry_text=expiry)
    own = desk.process.work_orders[desk.work_order].operations["COAT"]
    assert (own.state, len(own.open_deviations)) == (OperationState.HELD, 1)
    (opened,) = (event for event in desk.facts[-1].events if isinstance(event, e.DeviationOpened))
    assert (opened.code, lot in opened.detail, expiry in opened.detail) == ("PRINT_MISMATCH", True, True)
