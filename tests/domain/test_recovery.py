"""Material of an earlier batch in a later one: by product, stage, state of the lot, and the head of quality (QL-11)."""

from decimal import Decimal
from typing import Any

import pytest

from domain import commands as c
from domain.errors import Refused
from domain.events import VerdictGiven
from domain.process import Recovery
from domain.recovery_states import RecoveryEvent, RecoveryState
from domain.rules.recovery import introduce_request, move_recovery
from domain.states import OrderState
from tests.desk import DISCRETE, GMP, Desk
from tests.domain.recovering import EARLIER, IMPURITY, permitted

BY_THE_BOOK: dict[str, Any] = {"procedure": "SOP-RC-02", "tests": (IMPURITY,), "reason": "risk assessed, RA-31"}
ASKED: dict[str, Any] = {
    "operation": "COMPRESS", "lot": "LOT-PO-0", "quantity": Decimal(50), "known": EARLIER, "reason": "chipped only",
}  # fmt: skip
NUMBER = "PO-1-01-V1"


def begun(policy: Any = GMP, allowed: tuple[str, ...] = ("COMPRESS",)) -> Desk:
    """An order whose master batch record permits recovery at some operations; its first operation runs."""
    desk = Desk(permitted(policy, allowed))
    kinds = ((c.SubmitOrder, "pia"), (c.ApproveOrder, "sam"), (c.ReleaseOrder, "sam"))
    for kind, who in kinds if policy is GMP else (kinds[0], kinds[2]):
        desk.do(kind, who)
    desk.do(c.DispatchWorkOrder, "sam")
    desk.allocated()
    if policy is GMP:
        desk.do(c.ApprovePickList, "wil")
        desk.do(c.IssuePickList, "wes")
    desk.issued()
    desk.do(c.StartWorkOrder, "olu")
    desk.do(c.StartOperation, "olu", operation="DISPENSE")
    return desk


def refusals(desk: Desk, kind: type[c.Command], who: str, **how: Any) -> dict[str, str]:
    """Code → what was found; nothing has changed."""
    before = desk.process.model_copy(deep=True)
    with pytest.raises(Refused) as refused:
        desk.do(kind, who, **how)
    assert desk.process == before
    return {blocker.code: blocker.found for blocker in refused.value.blockers}


def recovery(desk: Desk) -> Recovery:
    return desk.process.work_orders["PO-1-01"].recoveries[NUMBER]


def introduced(desk: Desk) -> None:
    """The warehouse has brought the material."""
    own = desk.process.work_orders["PO-1-01"]
    moved = move_recovery(desk.process, own, recovery(desk), RecoveryEvent.CONFIRM)
    desk._append("system", (moved, VerdictGiven(request=introduce_request(NUMBER))))


@pytest.mark.accepts("QL-11")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"operation": "COAT"}, "RECOVERY_FORBIDDEN"),
        ({"known": None}, "UNKNOWN_LOT"),
        ({"known": EARLIER.model_copy(update={"material": "PILL"})}, "NOT_RECOVERABLE"),
        ({"known": EARLIER.model_copy(update={"order_number": None})}, "NOT_RECOVERABLE"),
        ({"known": EARLIER.model_copy(update={"order_number": "PO-1"})}, "NOT_RECOVERABLE"),
        ({"known": EARLIER.model_copy(update={"status": "onHold"})}, "LOT_NOT_USABLE"),
        ({"known": EARLIER.model_copy(update={"is_expired": True})}, "LOT_NOT_USABLE"),
        ({"reason": ""}, "REASON_REQUIRED"),
    ],
)
def test_product_stage_and_lot_have_to_permit_it(changes: dict[str, Any], code: str) -> None:
    assert set(refusals(begun(), c.RequestRecovery, "olu", **(ASKED | changes))) == {code}


@pytest.mark.accepts("QL-11")
def test_everything_in_the_way_is_named_at_once() -> None:
    wrong = EARLIER.model_copy(update={"material": "PILL", "status": "recalled"})
    found = refusals(begun(allowed=()), c.RequestRecovery, "olu", **(ASKED | {"known": wrong, "reason": ""}))
    assert set(found) == {"RECOVERY_FORBIDDEN", "NOT_RECOVERABLE", "LOT_NOT_USABLE", "REASON_REQUIRED"}
    assert "version 7" in found["RECOVERY_FORBIDDEN"]


@pytest.mark.accepts("QL-11")
def test_the_approval_needs_another_person_a_procedure_tests_and_an_assessment() -> None:
    desk = begun()
    desk.do(c.RequestRecovery, "olu", **ASKED)
    assert recovery(desk).state == RecoveryState.REQUESTED
    bare = refusals(desk, c.ApproveRecovery, "olu", recovery=NUMBER)
    assert set(bare) == {"SEPARATION_OF_DUTIES", "REASON_REQUIRED", "PROCEDURE_MISSING", "ADDITIONAL_TESTS_MISSING"}
    twice = BY_THE_BOOK | {"tests": (IMPURITY.model_copy(update={"name": "dissolution"}),)}
    assert set(refusals(desk, c.ApproveRecovery, "max", recovery=NUMBER, **twice)) == {"DUPLICATE"}
    assert set(refusals(desk, c.ApproveRecovery, "max", recovery="V9", **BY_THE_BOOK)) == {"UNKNOWN_RECOVERY"}
    assert set(refusals(desk, c.IntroduceRecovery, "olu", recovery=NUMBER)) == {"INVALID_TRANSITION"}
    desk.do(c.ApproveRecovery, "max", recovery=NUMBER, **BY_THE_BOOK)
    (order,) = desk.process.specification.work_orders
    assert [(one.name, one.required) for one in order.inspection] == [("dissolution", True), ("impurity B", True)]


@pytest.mark.accepts("QL-11")
def test_a_plant_that_does_not_inspect_cannot_force_additional_tests() -> None:
    desk = begun(DISCRETE)
    desk.do(c.RequestRecovery, "olu", **ASKED)
    assert set(refusals(desk, c.ApproveRecovery, "max", recovery=NUMBER, **BY_THE_BOOK)) == {"NO_INSPECTION"}


@pytest.mark.accepts("QL-11")
def test_it_is_introduced_at_its_operation_which_does_not_end_without_it() -> None:
    desk = begun()
    desk.do(c.RequestRecovery, "olu", **ASKED)
    desk.do(c.ApproveRecovery, "max", recovery=NUMBER, **BY_THE_BOOK)
    assert set(refusals(desk, c.IntroduceRecovery, "olu", recovery=NUMBER)) == {"OPERATION_NOT_RUNNING"}
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    desk.do(c.StartOperation, "olu", operation="COMPRESS")
    desk.do(c.RecordParameters, "olu", operation="COMPRESS", values=(c.Measurement(name="weight", text="113"),))
    desk.do(c.ReportProduction, "olu", operation="COMPRESS", good=Decimal(990))
    assert set(refusals(desk, c.CompleteOperation, "olu", operation="COMPRESS")) == {"RECOVERY_OPEN"}
    desk.do(c.IntroduceRecovery, "olu", recovery=NUMBER)
    assert set(refusals(desk, c.RejectRecovery, "max", recovery=NUMBER, reason="too late")) == {"INVALID_TRANSITION"}
    introduced(desk)
    assert (recovery(desk).state, recovery(desk).introduced_by) == (RecoveryState.INTRODUCED, "olu")
    desk.do(c.CompleteOperation, "olu", operation="COMPRESS")
    late = refusals(desk, c.RequestRecovery, "olu", **ASKED)
    assert set(late) == {"OPERATION_OVER"}


@pytest.mark.accepts("QL-11")
def test_what_was_approved_can_be_rejected_until_it_is_in_and_its_tests_go_with_it() -> None:
    desk = begun()
    desk.do(c.RequestRecovery, "olu", **ASKED)
    desk.do(c.ApproveRecovery, "max", recovery=NUMBER, **BY_THE_BOOK)
    desk.do(c.RejectRecovery, "max", recovery=NUMBER, reason="a complaint came in")
    (order,) = desk.process.specification.work_orders
    assert [one.name for one in order.inspection] == ["dissolution"]
    desk.do(c.CompleteOperation, "olu", operation="DISPENSE")
    assert desk.process.state == OrderState.IN_PROGRESS
