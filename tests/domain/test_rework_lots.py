"""Who may have what reworked how, by product and stage; reworked pieces as a lot of their own (QL-11)."""

from decimal import Decimal
from typing import Any

import pytest

from domain import commands as c
from domain.errors import Refused
from domain.record_commands import Measurement
from domain.rework_states import ReworkState
from domain.specification import Characteristic, RecordVersion, ReworkMethod
from domain.states import OperationState
from tests.desk import GMP, Desk, tablet_order

STRICT = GMP.model_copy(update={"rework_lots": True})
FRIABILITY = Characteristic(name="friability", unit="%", high=Decimal("0.8"))
REWORK = "PO-1-01-W1"
BY_THE_BOOK: dict[str, Any] = {"procedure": "SOP-RW-07", "tests": (FRIABILITY,), "reason": "no risk, see RA-12"}


def failing(policy: Any = STRICT, dosage_form: str = "", forbidden: tuple[str, ...] = (), at: str = "COAT") -> Desk:
    """An order whose coated (or compressed) tablets have failed: five wait for a decision about their rework."""
    order = tablet_order(policy, inspected=at)
    (own,) = order.work_orders
    operations = tuple(
        op.model_copy(update={"rework_forbidden": op.code in forbidden}) for op in own.operations
    )  # fmt: skip
    record = RecordVersion(product="TAB", version="7", content_hash="0" * 64)
    own = own.model_copy(update={"operations": operations, "dosage_form": dosage_form, "record": record})
    desk = Desk(order.model_copy(update={"work_orders": (own,)}))
    for kind, who in ((c.SubmitOrder, "pia"), (c.ApproveOrder, "sam"), (c.ReleaseOrder, "sam")):
        desk.do(kind, who)
    desk.do(c.DispatchWorkOrder, "sam")
    desk.allocated()
    desk.do(c.ApprovePickList, "wil")
    desk.do(c.IssuePickList, "wes")
    desk.issued()
    desk.do(c.StartWorkOrder, "olu")
    codes = [op.code for op in operations]
    for code in codes[: codes.index(at) + 1]:
        desk.do(c.StartOperation, "olu", operation=code)
        if code == "COMPRESS":
            values = (Measurement(name="weight", text="113"),)
            desk.do(c.RecordParameters, "olu", operation=code, values=values)
        if code != "DISPENSE":
            desk.do(c.ReportProduction, "olu", operation=code, good=Decimal(990), scrap=Decimal(0))
        desk.do(c.CompleteOperation, "olu", operation=code)
    desk.do(c.DecideInProcessInspection, "ana", inspection="PO-1-01-Q1", failed=Decimal(5), defect="crack")
    assert desk.process.work_orders["PO-1-01"].reworks[REWORK].state == ReworkState.PROPOSED
    return desk


def refusals(desk: Desk, **how: Any) -> dict[str, str]:
    """Code → what was found, of an approval that is refused; nothing has changed."""
    before = desk.process.model_copy(deep=True)
    with pytest.raises(Refused) as refused:
        desk.do(c.ApproveRework, "max", rework=REWORK, **how)
    assert desk.process == before
    return {blocker.code: blocker.found for blocker in refused.value.blockers}


@pytest.mark.accepts("QL-11")
@pytest.mark.parametrize("at", ["COMPRESS", "COAT"])
@pytest.mark.parametrize("method", list(ReworkMethod))
@pytest.mark.parametrize("forbidden", [True, False])
@pytest.mark.parametrize("dosage_form", ["film-coated tablet", ""])
def test_product_and_stage_permit_a_rework_or_not(
    at: str, method: ReworkMethod, forbidden: bool, dosage_form: str
) -> None:
    desk = failing(dosage_form=dosage_form, forbidden=(at,) if forbidden else (), at=at)
    expected = {"REWORK_FORBIDDEN"} if forbidden else set()
    if dosage_form and method == ReworkMethod.REPROCESS:
        expected.add("REPROCESS_FORBIDDEN")
    if expected:
        found = refusals(desk, rework_method=method, **BY_THE_BOOK)
        assert set(found) == expected
        assert found.get("REPROCESS_FORBIDDEN", dosage_form).endswith(dosage_form)
        assert "(version 7)" in found.get("REWORK_FORBIDDEN", "(version 7)")
        return
    desk.do(c.ApproveRework, "max", rework=REWORK, rework_method=method, **BY_THE_BOOK)
    assert desk.process.work_orders["PO-1-01"].reworks[REWORK].state == ReworkState.APPROVED


@pytest.mark.accepts("QL-11")
def test_only_the_quality_manager_approves_and_says_by_what_and_which_tests() -> None:
    assert c.ApproveRework.roles == c.RejectRework.roles == ("qualityManager",)
    desk = failing()
    with pytest.raises(Refused) as early:
        desk.do(c.StartRework, "olu", rework=REWORK)
    assert early.value.blockers[0].code == "INVALID_TRANSITION"
    assert set(refusals(desk)) == {"PROCEDURE_MISSING", "ADDITIONAL_TESTS_MISSING"}
    twice = (FRIABILITY, FRIABILITY)
    assert set(refusals(desk, procedure="SOP-RW-07", tests=twice)) == {"DUPLICATE"}
    with pytest.raises(Refused) as same:
        desk.do(c.ApproveRework, "ana", rework=REWORK, **BY_THE_BOOK)
    assert [blocker.code for blocker in same.value.blockers] == ["SEPARATION_OF_DUTIES"]


@pytest.mark.accepts("QL-11")
def test_a_reworked_lot_comes_back_when_it_has_passed_every_test() -> None:
    desk = failing()
    own = desk.process.work_orders["PO-1-01"]
    assert own.produced == 985
    desk.do(c.ApproveRework, "max", rework=REWORK, **BY_THE_BOOK)
    desk.do(c.StartRework, "olu", rework=REWORK)
    desk.do(c.ReportRework, "olu", rework=REWORK, good=Decimal(4), scrap=Decimal(1))
    own = desk.process.work_orders["PO-1-01"]
    rework, inspection = own.reworks[REWORK], own.in_process_inspections["PO-1-01-Q2"]
    assert (rework.parent_lot, rework.own_lot) == ("LOT-PO-1", "LOT-PO-1-W1")
    assert (inspection.lot, [test.name for test in inspection.tests]) == ("LOT-PO-1-W1", ["friability"])
    with pytest.raises(Refused) as missing:
        desk.do(c.DecideInProcessInspection, "ana", inspection="PO-1-01-Q2")
    assert [(one.code, one.found) for one in missing.value.blockers] == [
        ("RESULT_MISSING", "no result for friability")
    ]  # fmt: skip
    good = (Measurement(name="friability", text="0.80", unit="%"),)
    desk.do(c.DecideInProcessInspection, "ana", inspection="PO-1-01-Q2", values=good)
    own = desk.process.work_orders["PO-1-01"]
    assert (str(own.produced), str(own.operations["COAT"].scrap)) == ("989", "1")
    assert own.reworks[REWORK].state == ReworkState.COMPLETED
    assert own.operations["COAT"].state == OperationState.COMPLETED
    assert desk.process.open_deviations() == []


@pytest.mark.accepts("QL-11", "QL-07")
def test_a_result_outside_its_limits_passes_no_piece_and_opens_a_deviation() -> None:
    desk = failing()
    desk.do(c.ApproveRework, "max", rework=REWORK, **BY_THE_BOOK)
    desk.do(c.StartRework, "olu", rework=REWORK)
    desk.do(c.ReportRework, "olu", rework=REWORK, good=Decimal(5), scrap=Decimal(0))
    bad = (Measurement(name="friability", text="0.81", unit="%"),)
    desk.do(c.DecideInProcessInspection, "ana", inspection="PO-1-01-Q2", values=bad)
    own = desk.process.work_orders["PO-1-01"]
    inspection, again = own.in_process_inspections["PO-1-01-Q2"], own.reworks["PO-1-01-W2"]
    assert (str(inspection.state), str(inspection.failed), inspection.defect) == ("failed", "5", "friability 0.81 %")
    assert [(one.text, one.within_limits) for one in inspection.test_results] == [("0.81", False)]
    # What failed again is a rework of the reworked lot.
    assert (again.parent_lot, again.parent_rework, str(again.quantity)) == ("LOT-PO-1-W1", REWORK, "5")
    assert (str(own.produced), desk.process.open_deviations()) == ("985", ["PO-1-D1"])
    desk.do(c.RejectRework, "max", rework="PO-1-01-W2", reason="twice is enough")
    assert desk.process.work_orders["PO-1-01"].operations["COAT"].scrap == 5


@pytest.mark.accepts("QL-11")
def test_a_job_shop_reworks_pieces_in_their_lot() -> None:
    desk = failing(GMP)
    desk.do(c.ApproveRework, "max", rework=REWORK)
    desk.do(c.StartRework, "olu", rework=REWORK)
    assert desk.process.work_orders["PO-1-01"].reworks[REWORK].own_lot is None
