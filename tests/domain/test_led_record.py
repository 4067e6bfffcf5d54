"""Deviations of the batch record with a process of their own: opened and decided there, seen in the review."""

from datetime import timedelta
from decimal import Decimal

import pytest

from domain import commands as c
from domain import events as e
from domain.exceptions import RecordException, judged, of_facts
from domain.quality_cases import CaseDisposition, rules_of, signing_policy
from domain.rules.order_deviations import specification_of
from domain.rules.starting import hold_time_deviation
from domain.states import LotStatus
from tests.desk import Desk
from tests.domain.test_batch_record import (
    SIGNED,
    characteristic,
    compressing,
    dispensed,
    gmp_order,
    measure,
    refusal,
)

LED = SIGNED.model_copy(update={"deviation_process": True})


def told(desk: Desk, standing: str, disposition: CaseDisposition | None = CaseDisposition.ACCEPT) -> None:
    """The deviation's own process says how it stands."""
    fields = {"deviation": "PO-1-D1", "standing": standing, "decision": "study S-12", "disposition": disposition}
    desk.do(c.NoteDeviation, "system", **fields)


def exceptions(desk: Desk) -> list[RecordException]:
    """What the review has to look at."""
    found = of_facts(desk.process.specification, desk.work_order, desk.facts)
    return [own for own in judged(found, desk.facts) if own.deviation is not None]


@pytest.mark.accepts("EB-08", "QL-06")
def test_the_review_sees_what_the_process_of_a_deviation_decided_and_that_it_was_reopened() -> None:
    desk = compressing(gmp_order(LED, parameters=(characteristic(),)))
    measure(desk, "olu", "78")
    desk.do(
        c.CorrectParameter, "olu", operation="COMPRESS", number="V1", name="weight", text="81.2", old_text="78",
        seen_text="78", corrections=0, reason="read the wrong scale",
    )  # fmt: skip
    assert [(own.deviation, own.is_open) for own in exceptions(desk)] == [("PO-1-D1", True)]
    assert specification_of(desk.process, "PO-1-D1").lot == desk.process.specification.work_orders[0].output_lot
    assert desk.process.work_orders[desk.work_order].lot_status == LotStatus.ON_HOLD
    assert refusal(desk, c.DecideDeviation, "rae", deviation="PO-1-D1", decision="as it is") == [
        "OPERATION_HELD", "DEVIATION_UNDER_INVESTIGATION",
    ]  # fmt: skip
    told(desk, "decided")
    assert [(own.decision, own.is_open) for own in exceptions(desk)] == [("study S-12", False)]
    assert desk.process.work_orders[desk.work_order].lot_status == LotStatus.QUARANTINE
    told(desk, "reopened", None)
    assert [own.is_open for own in exceptions(desk)] == [True]


@pytest.mark.accepts("MT-12", "QL-06")
@pytest.mark.parametrize(
    ("disposition", "codes"), [(CaseDisposition.ACCEPT, []), (CaseDisposition.REJECT, ["LOT_ON_HOLD"])]
)
def test_material_past_its_hold_time_is_used_only_if_its_process_says_so(
    disposition: CaseDisposition, codes: list[str]
) -> None:
    order = gmp_order(LED, longest_wait_seconds=3600)
    desk = dispensed(order)
    desk.now += timedelta(hours=2)
    (specification,) = (own for own in order.work_orders[0].operations if own.code == "COMPRESS")
    opened = hold_time_deviation(desk.process, desk.work_order, specification)
    assert isinstance(opened[0], e.DeviationOpened)
    assert opened[0].has_process
    desk._append("system", opened)
    assert refusal(desk, c.StartOperation, "olu", operation="COMPRESS") == ["LOT_ON_HOLD", "DEVIATION_OPEN"]
    told(desk, "decided", disposition)
    if codes:
        assert refusal(desk, c.StartOperation, "olu", operation="COMPRESS") == codes
    else:
        desk.do(c.StartOperation, "olu", operation="COMPRESS")


@pytest.mark.accepts("QL-07", "QL-06")
def test_a_balance_beyond_its_limit_has_a_process_and_does_not_stop_the_next_step() -> None:
    desk = compressing(gmp_order(LED, balance="2", parameters=()))
    desk.do(
        c.ReportProduction, "olu", operation="COMPRESS", good=Decimal(900), scrap=Decimal(30), scrap_reason="dust"
    )  # fmt: skip
    desk.do(c.CompleteOperation, "olu", operation="COMPRESS")
    assert list(desk.process.led_deviations) == ["PO-1-D1"]
    desk.do(c.StartOperation, "olu", operation="COAT")


@pytest.mark.accepts("ES-05")
def test_a_case_is_signed_as_the_policy_says_that_it_was_opened_under() -> None:
    policy = LED.model_copy(
        update={"signature_shows_content": True, "signature_strict": False, "second_factor": ("approved",),
                "second_signatures": {"closeDeviation": "witnessed"}}
    )  # fmt: skip
    of_case = signing_policy(rules_of(policy))
    for name in ("signatures", "second_signatures", "signature_shows_content", "signature_strict", "second_factor"):
        assert getattr(of_case, name) == getattr(policy, name), name
