"""Review by exception: each kind of thing that is not normal is listed, and a normal batch lists nothing."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain import quality_events as q
from domain import record_events as r
from domain.errors import Blocker
from domain.exceptions import ExceptionType as T
from domain.exceptions import judged, of_facts
from domain.rules.record_content import missing_items
from domain.rules.retention import retain_until
from domain.states import OperationEvent, OperationState
from tests.desk import GMP, START, Desk, tablet_order
from tests.domain.test_order_on_the_desk import inspected

W = "PO-1-01"
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def refused(code: str, command: str = "startOperation") -> e.CommandRefused:
    """A command that was refused for one reason."""
    blocker = Blocker(code=code, entity="operation", id=f"{W}/COMPRESS", found="as it is", required="as it should be")
    return e.CommandRefused(command=command, entity="COMPRESS", blockers=(blocker,), possible=())


def value(text: str) -> e.JudgedValue:
    """A weight."""
    return e.JudgedValue(name="weight", text=text, unit="mg", value=Decimal(text), within_limits=True)


def deviation(code: str) -> e.DeviationOpened:
    """A deviation of the compression."""
    return e.DeviationOpened(number="PO-1-D1", work_order=W, operation="COMPRESS", code=code, detail="as found")


def at_compress(kind: Callable[..., Any], **fields: Any) -> Any:
    """An event of the compression."""
    return kind(work_order=W, operation="COMPRESS", **fields)


INJECTED: list[tuple[T, Any]] = [
    (T.EQUIPMENT_NOT_READY, refused("CALIBRATION_EXPIRED")),
    (T.MATERIAL_NOT_USABLE, refused("LOT_NOT_USABLE", "issuePickList")),
    (T.MATERIAL_NOT_SPECIFIED, refused("WRONG_LOT")),
    (T.PARAMETER_OUT_OF_LIMITS, deviation("OUT_OF_LIMIT")),
    (T.CHARGE_OUT_OF_LIMITS, refused("WEIGHING_OUT_OF_TOLERANCE")),
    (T.HOLD_TIME_EXCEEDED, deviation("HOLD_TIME_EXCEEDED")),
    (
        T.IN_PROCESS_TEST_FAILED,
        at_compress(
            q.InProcessInspectionMoved, inspection="Q1", report_number="R1", event="fail", origin="open",
            target="failed", quantity=Decimal(10), unit="pcs", is_output=False, failed=Decimal(2), defect="chipped",
        ),
    ),
    (
        T.EQUIPMENT_MALFUNCTION,
        at_compress(e.EquipmentJobMoved, job="J", workstation="P1", batch="L", target="aborted", detail="jam"),
    ),
    (
        T.MANUAL_INSTEAD_OF_AUTOMATIC,
        at_compress(
            e.ProductionReported, report_number="R9", good=Decimal(1), scrap=Decimal(0), review_board=Decimal(0),
            unit="pcs", is_rework=False, is_output=False, report_type="production", source="person",
            workstation="PRESS-1",
        ),
    ),
    (T.FORCED_OR_VOIDED, q.OverReportDecided(work_order=W, number="O1", accept=True, reported_by="olu")),
    (
        T.STEP_CHANGED,
        at_compress(
            e.OperationMoved, event=OperationEvent.REOPEN, origin=OperationState.COMPLETED,
            target=OperationState.RUNNING,
        ),
    ),
    (T.OUT_OF_SPECIFICATION, deviation("OUT_OF_SPECIFICATION")),
    (T.DEVIATION, deviation("BROKEN_SEAL")),
    (
        T.COMMUNICATION_FAILURE,
        e.NeighbourWaiting(neighbour="warehouse", request=f"{W}/issue", attempt=1, since=AT, next_attempt_at=AT,
                           last_error="no answer"),
    ),
    (T.COMMENT, at_compress(r.OperationCommented, number=1, text="die 7 was polished")),
    (
        T.ABORTED,
        at_compress(
            e.OperationMoved, event=OperationEvent.ABORT, origin=OperationState.RUNNING,
            target=OperationState.ABORTED,
        ),
    ),
    (
        T.LATE_ENTRY,
        at_compress(e.ParametersRecorded, values=(value("113"),), first=1, measured_at=AT, is_late=True),
    ),
    (
        T.CORRECTED_VALUE,
        at_compress(r.ParameterCorrected, number="V1", version=2, old_text="112", value=value("113")),
    ),
    (T.SAME_PERSON, refused("SEPARATION_OF_DUTIES", "verifyOperation")),
]  # fmt: skip


def fact(revision: int, *events: Any) -> e.Fact:
    """A fact with these events."""
    return e.Fact(order_number="PO-1", revision=revision, at=AT + timedelta(minutes=revision), actor="olu",
                  events=events)  # fmt: skip


@pytest.mark.accepts("EB-07", "B12")
def test_a_normal_batch_has_no_exception() -> None:
    desk = inspected(Desk(tablet_order()))
    assert of_facts(desk.process.specification, W, desk.facts) == ()


@pytest.mark.accepts("EB-07", "B12")
@pytest.mark.parametrize(("kind", "event"), INJECTED, ids=[kind for kind, _ in INJECTED])
def test_each_exception_is_the_only_one_listed(kind: T, event: Any) -> None:
    order = tablet_order(press="PRESS-1")
    (found,) = of_facts(order, W, [fact(9, event)])
    assert (found.id, found.type, found.is_open, found.actor) == ("9-0", kind, True, "olu")
    assert found.detail


@pytest.mark.accepts("EB-07")
def test_one_of_each_is_exactly_one_of_each() -> None:
    order = tablet_order(press="PRESS-1")
    facts = [fact(revision, event) for revision, (_, event) in enumerate(INJECTED, start=1)]
    found = of_facts(order, W, facts)
    assert [own.type for own in found] == [kind for kind, _ in INJECTED]
    assert len({own.id for own in found}) == len(found)


@pytest.mark.accepts("EB-07")
def test_an_exception_is_closed_by_its_deviation_or_by_an_explanation() -> None:
    order = tablet_order()
    facts = [
        fact(1, deviation("OUT_OF_LIMIT")),
        fact(2, at_compress(r.OperationCommented, number=1, text="torn bag")),
        fact(3, e.DeviationDecided(number="PO-1-D1", decision="sorted")),
    ]
    found = judged(of_facts(order, W, facts), facts)
    assert [(own.is_open, own.decision) for own in found] == [(False, "sorted"), (True, None)]
    explained = r.ExceptionJustified(work_order=W, exception="2-0", type="comment", detail="torn bag", text="harmless")
    facts.append(fact(4, explained))
    found = judged(of_facts(order, W, facts), facts)
    assert [own.decision for own in found] == ["sorted", "harmless"]


def test_a_double_tap_is_nothing_to_review() -> None:
    assert of_facts(tablet_order(), W, [fact(1, refused("INVALID_TRANSITION"))]) == ()


def test_a_refused_certificate_is_part_of_the_review_and_not_of_the_record() -> None:
    facts = [
        fact(1, refused("LOT_NOT_USABLE", "certifyBatch")),
        fact(2, refused("SEPARATION_OF_DUTIES", "certifyBatch")),
    ]
    assert [own.type for own in of_facts(tablet_order(), W, facts)] == [T.SAME_PERSON]


def content() -> dict[str, Any]:
    """A whole record in small."""
    return {
        "workOrder": W, "product": "TAB", "batch": "LOT-1", "startedAt": "t", "endedAt": "t", "routeVersion": "1",
        "materials": [{"material": "API"}],
        "operations": [
            {
                "code": "COMPRESS", "startedAt": "t", "endedAt": "t", "startedBy": "olu", "completedBy": ["olu"],
                "workstation": "P1", "isVerified": True, "verifiedBy": "ana", "values": [{"name": "weight"}],
                "parameters": [{"name": "weight", "required": True}, {"name": "remark", "required": False}],
                "countsPieces": True, "yieldPercent": "99.00", "balancePercent": "100.00",
            }
        ],
        "inspection": {"results": [{}], "enteredBy": "ana", "decidedBy": "ben"},
    }  # fmt: skip


def _without(name: str, found: dict[str, Any]) -> None:
    found["operations"][0][name] = None


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "product": lambda found: found.update(product=""),
    "batch": lambda found: found.update(batch=None),
    "startedAt": lambda found: found.update(startedAt=None),
    "endedAt": lambda found: found.update(endedAt=None),
    "routeVersion": lambda found: found.update(routeVersion=""),
    "materials/API": lambda found: found.update(materials=[]),
    **{
        f"operations/COMPRESS/{name}": partial(_without, name)
        for name in ("startedAt", "endedAt", "startedBy", "completedBy", "workstation", "verifiedBy", "yieldPercent")
    },
    "operations/COMPRESS/parameters/weight": lambda found: found["operations"][0].update(values=[]),
    "inspection": lambda found: found["inspection"].update(results=[]),
}


@pytest.mark.accepts("EB-02")
@pytest.mark.parametrize("field", BROKEN)
def test_a_record_that_misses_one_item_names_it(field: str) -> None:
    found = content()
    assert missing_items(found, ("API",)) == ()
    BROKEN[field](found)
    (blocker,) = missing_items(found, ("API",))
    assert (blocker.code, blocker.id) == ("RECORD_INCOMPLETE", f"{W}/{field}")


@pytest.mark.accepts("RC-01")
@pytest.mark.parametrize(
    ("certified", "expires", "until"),
    [
        (date(2026, 12, 1), date(2028, 11, 21), date(2031, 12, 1)),
        (date(2026, 12, 1), date(2031, 11, 21), date(2032, 11, 21)),
        (date(2028, 2, 29), date(2030, 2, 28), date(2033, 2, 28)),
        (date(2024, 2, 29), date(2028, 2, 29), date(2029, 2, 28)),
    ],
)
def test_a_record_is_kept_for_the_longest_of_its_times(certified: date, expires: date, until: date) -> None:
    assert retain_until(certified, expires) == until
    assert retain_until(certified, None, configured=date(2099, 1, 1)) == date(2099, 1, 1)


@pytest.mark.accepts("EB-01", "EB-08")
def test_a_batch_gets_one_record_and_a_plant_without_records_gets_none() -> None:
    policy = GMP.model_copy(update={"batch_record_review": True})
    for asked, issued in ((policy, 1), (GMP, 0)):
        desk = inspected(Desk(tablet_order(asked)))
        moved = [event for fact in desk.facts for event in fact.events if isinstance(event, r.BatchRecordMoved)]
        assert len([event for event in moved if event.origin is None]) == issued
    assert desk.now > START
    with pytest.raises(Exception, match="NO_BATCH_RECORD"):
        desk.do(c.ReviewBatchRecord, "sam")
