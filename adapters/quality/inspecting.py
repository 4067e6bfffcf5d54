"""Inspections of received lots, from the request to the decision.

Every function runs inside the transaction that `db.once.answer_once` opened.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from adapters.inventory import ledger, movements
from adapters.quality import cases, records
from adapters.quality.port import (
    CancelAnswer,
    DecisionAnswer,
    InspectionTicket,
    ResultsAnswer,
)
from db import audit
from db.once import Done, Request
from db.queries.evidence import with_evidence
from domain.base import uuid_for
from domain.commands import Measurement
from domain.errors import AdapterRefused, Blocker, Refused
from domain.events import JudgedValue
from domain.evidence import RELEASE_RECORD_REQUIRED, ReleaseRecord, release_blockers
from domain.rules.common import invalid_transition, same_person
from domain.rules.measurements import judge_values
from domain.specification import Characteristic
from domain.states import (
    INSPECTION,
    LOT,
    InspectionEvent,
    InspectionState,
    LotEvent,
    LotStatus,
    TransitionRefused,
)

REQUESTED: Final = "requested"
"""Of an order's inspection that the order does not know yet. Not a state of the machine: nobody acts on it."""
_LOT_REJECTED: Final = "lot rejected"
"""The decision on a deviation that ends with its lot."""


def request_inspection(
    connection: Connection,
    request: Request,
    lot: str,
    material: str,
    work_order: str | None,
    characteristics: Sequence[Characteristic] | None,
) -> Done[InspectionTicket]:
    """Write a new inspection. The lot of a work order may not be in the record yet, a received one is."""
    if work_order is None:
        _check_lot(connection, lot, material)
        cases.check_retest(connection, lot)
    asked = records.plan_of(connection, material) if characteristics is None else tuple(characteristics)
    number = records.next_inspection(connection, lot)
    # The order opens its own inspection for results when it knows of it; till then nobody should try.
    state = str(INSPECTION.initial) if work_order is None else REQUESTED
    row = {
        "number": number, "uuid": uuid_for("inspection", number), "lot": lot, "material": material,
        "work_order": work_order, "state": state, "requested_at": request.at,
        "characteristics": [one.model_dump(mode="json", by_alias=True) for one in asked],
    }  # fmt: skip
    connection.execute(insert(records.INSPECTIONS).values(row))
    records.write_transition(connection, request, "inspection", number, "request", None, state)
    news = {
        "lot": lot, "material": material, "workOrder": work_order, "state": state,
        "characteristics": row["characteristics"],
    }  # fmt: skip
    entry = request.audit("inspection.requested", news, entity=f"inspection/{number}")
    return Done(InspectionTicket(number=number, characteristics=asked), [entry])


def _check_lot(connection: Connection, lot: str, material: str) -> None:
    statement = select(ledger.LOTS.c.material).where(ledger.LOTS.c.number == lot)
    found = connection.execute(statement).scalar_one_or_none()
    if found is None:
        raise AdapterRefused("UNKNOWN_LOT", f"there is no lot {lot}")
    if found != material:
        blocker = Blocker(code="LOT_MISMATCH", entity="lot", id=lot, found=found, required=material)
        raise AdapterRefused("LOT_MISMATCH", f"lot {lot} is {found}, not {material}", (blocker,))


def enter_results(
    connection: Connection, request: Request, number: str, values: Sequence[Measurement]
) -> Done[ResultsAnswer]:
    """Judge and store; what is out of specification or disagrees with an earlier result opens a deviation."""
    row = records.own_inspection(connection, number)
    lot = ledger.lock_lot(connection, row.lot)
    is_led, is_retest = cases.is_led(connection), cases.is_retest(connection, row.lot)
    if row.state == InspectionState.OUT_OF_SPECIFICATION:
        cases.check_accept(connection, row.lot)
    target = _advance(row, InspectionEvent.ENTER_RESULTS)
    results = _judged(row, with_evidence(connection, values, request.at))
    event = InspectionEvent.ENTER_RESULTS
    failed = [judged for judged in results if not judged.within_limits]
    if failed:
        event = InspectionEvent.FIND_OUT_OF_SPECIFICATION
        target = _advance(row, event)
    records.move_inspection(connection, request, row, event, target, entered_by=request.actor)
    found: list[tuple[str, str]] = []
    if failed:
        names = ", ".join(f"{judged.name} {judged.text} {judged.unit}".strip() for judged in failed)
        found.append(("OUT_OF_SPECIFICATION", names))
    # A retest differs from what the laboratory got wrong: that is what its case is about.
    if (differing := records.disagreements(connection, row, results)) and not is_retest:
        found.append(("RESULTS_DISAGREE", "; ".join(differing)))
    records.write_results(connection, request, number, results)
    opened = [_open(connection, request, code, detail, row.lot, is_led) for code, detail in found]
    held = cases.hold(connection, request, lot) if failed and is_led else []
    entered = [judged.model_dump(mode="json", by_alias=True) for judged in results]
    entry = request.audit("inspection.resultsEntered", {"state": target, "results": entered}, old={"state": row.state})
    deviations = tuple(deviation for deviation, _ in opened)
    answer = ResultsAnswer(number=number, state=target, results=results, deviations=deviations)
    return Done(answer, [entry, *held, *(deviation_entry for _, deviation_entry in opened)])


def _open(
    connection: Connection, request: Request, code: str, detail: str, lot: str, is_led: bool
) -> tuple[str, audit.Entry]:
    number = records.write_deviation(connection, request, code, detail, lot, None, has_process=is_led)
    news = {"code": code, "detail": detail, "lot": lot, "state": "open", "hasProcess": is_led}
    return number, request.audit("deviation.opened", news, entity=f"deviation/{number}")


def _judged(row: Row[Any], values: Sequence[Measurement]) -> tuple[JudgedValue, ...]:
    characteristics = [Characteristic.model_validate(one) for one in row.characteristics]
    blockers: list[Blocker] = []
    results: tuple[JudgedValue, ...] = ()
    try:
        results = judge_values(row.number, characteristics, values)
    except Refused as refused:
        blockers += refused.blockers
    counts = Counter(value.name for value in values)
    blockers += [
        _blocker(row, "DUPLICATE_RESULT", f"{count} results for {name}", "one result")
        for name, count in counts.items()
        if count > 1
    ]
    blockers += [
        _blocker(row, "RESULT_MISSING", f"no result for {one.name}", f"a result within {one.limits}")
        for one in characteristics
        if one.required and one.name not in counts
    ]
    if blockers:
        raise AdapterRefused("RESULTS_REFUSED", f"results of {row.number} are not stored", tuple(blockers))
    return results


def decide(
    connection: Connection,
    request: Request,
    number: str,
    accept: bool,
    reason: str | None,
    retest_on: date | None = None,
    release: ReleaseRecord | None = None,
) -> Done[DecisionAnswer]:
    """Release or reject a received lot, and move it accordingly; with a record where its plan asks for one."""
    row = records.own_inspection(connection, number)
    _check_release(row, accept, release)
    if accept:
        cases.check_accept(connection, row.lot)
    event = InspectionEvent.ACCEPT if accept else InspectionEvent.REJECT
    target = _advance(row, event)
    separated = same_person(request.actor, row.entered_by, "inspection", number, "decide", "entered the results")
    if separated:
        raise AdapterRefused("SEPARATION_OF_DUTIES", separated[0].found, tuple(separated))
    lot = ledger.lock_lot(connection, row.lot)
    steps = _lot_steps(lot, accept=accept)
    status = steps[-1][2] if steps else LotStatus(lot.status)
    kept = None if release is None else release.model_dump(mode="json", by_alias=True)
    values = {"decided_by": request.actor, "decided_at": request.at} | ({"release_record": kept} if kept else {})
    records.move_inspection(connection, request, row, event, target, reason, **values)
    records.move_lot(connection, request, lot.number, steps, reason)
    _note_retest(connection, lot.number, steps, retest_on)
    blocked: list[audit.Entry] = []
    moves = movements.settle(connection, request, lot, blocked, accepted=accept)
    closed = [] if accept else records.close_deviations(connection, request, lot.number, _LOT_REJECTED)
    answer = DecisionAnswer(number=number, state=target, lot=lot.number, lot_status=status, moves=len(moves))
    told = {"state": target} | ({"releaseRecord": kept} if kept else {})
    decided = request.audit("inspection.decided", told, reason=reason, old={"state": row.state})
    moved = [{"from": m.source, "to": m.target, "quantity": m.quantity, "unit": m.unit} for m in moves]
    news = {"from": lot.status, "status": status, "moves": moved, "closedDeviations": closed}
    return Done(
        answer, [*blocked, decided, _lot_entry(request, lot, news, reason, accept=accept), *_ended(request, closed)]
    )


def _ended(request: Request, closed: Sequence[str]) -> list[audit.Entry]:
    """The deviations that end with their lot."""
    return [
        request.audit(
            "deviation.close", {"state": "closed", "decision": _LOT_REJECTED}, entity=f"deviation/{deviation}",
            old={"state": "open"},
        )
        for deviation in closed
    ]  # fmt: skip


def _check_release(row: Row[Any], accept: bool, release: ReleaseRecord | None) -> None:
    """Refuse a decision without the record that the plan asks for, or with one that lacks something (CN 229)."""
    asked = any("releaseRecord" in one.get("evidence", ()) for one in row.characteristics)
    if release is not None:
        blockers = release_blockers(row.number, accept, release)
        if blockers:
            raise AdapterRefused(blockers[0].code, f"the record of {row.number} is not complete", tuple(blockers))
    elif asked:
        required = "a signed material release record (decideMaterialRelease)"
        blocker = _blocker(row, RELEASE_RECORD_REQUIRED, "a decision alone", required)
        raise AdapterRefused(RELEASE_RECORD_REQUIRED, f"{row.number} needs a release record", (blocker,))


def _lot_entry(
    request: Request, lot: Row[Any], news: dict[str, Any], reason: str | None, *, accept: bool
) -> audit.Entry:
    """What the decision made of the lot."""
    act = f"lot.{'accepted' if accept else 'rejected'}"
    return request.audit(act, news, entity=f"lot/{lot.number}", reason=reason, old={"status": lot.status})


def _note_retest(
    connection: Connection, lot: str, steps: Sequence[tuple[LotEvent, LotStatus, LotStatus]], retest_on: date | None
) -> None:
    """A lot that has passed its retest gets the day of the next one, or none."""
    if any(event == LotEvent.PASS_RETEST for event, _, _ in steps):
        own = ledger.LOTS.c.number == lot
        connection.execute(update(ledger.LOTS).where(own).values(retest_on=retest_on))


def _lot_steps(lot: Row[Any], *, accept: bool) -> list[tuple[LotEvent, LotStatus, LotStatus]]:
    """The way from the lot's status to released or rejected, by the steps that its state machine has."""
    status = LotStatus(lot.status)
    goal = LotStatus.RELEASED if accept else LotStatus.REJECTED
    if status == goal:
        return []
    event = LotEvent.RELEASE if accept else LotEvent.REJECT
    if accept and status == LotStatus.RETEST_DUE:
        event = LotEvent.PASS_RETEST
    steps: list[tuple[LotEvent, LotStatus, LotStatus]] = []
    if not accept and status == LotStatus.RELEASED:
        # A later delivery of a released lot fails: the lot is stopped, then rejected.
        steps.append((LotEvent.HOLD, status, LOT.advance(status, LotEvent.HOLD)))
        status = steps[-1][2]
    try:
        steps.append((event, status, LOT.advance(status, event)))
    except TransitionRefused as refused:
        raise _invalid("lot", lot.number, refused) from None
    return steps


def cancel_inspection(connection: Connection, request: Request, number: str) -> Done[CancelAnswer]:
    """Cancel what is open; leave alone what is decided, cancelled or unknown."""
    row = records.lock_inspection(connection, number)
    if row is None:
        return Done(CancelAnswer(number=number, state=None))
    state = INSPECTION.initial if row.state == REQUESTED else InspectionState(row.state)
    if not INSPECTION.allows(state, InspectionEvent.CANCEL):
        return Done(CancelAnswer(number=number, state=state))
    target = INSPECTION.advance(state, InspectionEvent.CANCEL)
    records.move_inspection(connection, request, row, InspectionEvent.CANCEL, target)
    answer = CancelAnswer(number=number, state=target)
    return Done(answer, [request.audit("inspection.cancelled", {"from": state, "state": target})])


def _advance(row: Row[Any], event: InspectionEvent) -> InspectionState:
    try:
        return INSPECTION.advance(InspectionState(row.state), event)
    except TransitionRefused as refused:
        raise _invalid("inspection", row.number, refused) from None


def _invalid(entity: str, identity: str, refused: TransitionRefused) -> AdapterRefused:
    return AdapterRefused("INVALID_TRANSITION", str(refused), (invalid_transition(entity, identity, refused),))


def _blocker(row: Row[Any], code: str, found: str, required: str) -> Blocker:
    return Blocker(
        code=code, entity="inspection", id=row.number, found=found, required=required, who_can_fix="qcAnalyst"
    )
