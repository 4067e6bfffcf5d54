"""Received lots and deviations that have a process of their own.

A failing result stops its lot at once; another test waits for a proven error of the laboratory; what the deviation's
process decides frees the lot or rejects it. Every function runs inside the transaction of `db.once.answer_once`.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from adapters.inventory import ledger
from adapters.quality import lot_holds, records
from adapters.quality.port import LotAnswer
from db import audit, segregation
from db.once import Done, Request
from db.queries import lot_holds as holds
from db.queries import policies
from db.tables import QualityCaseRow, core
from domain.case_states import OutOfSpecificationState
from domain.errors import AdapterRefused, Blocker
from domain.quality_cases import CaseDisposition
from domain.rules.order_deviations import OUT_OF_SPECIFICATION
from domain.states import INSPECTION, LOT, InspectionEvent, InspectionState, LotEvent, LotStatus

CASES: Final = core(QualityCaseRow)
Step = tuple[LotEvent, LotStatus, LotStatus]


def is_led(connection: Connection) -> bool:
    """Whether deviations of received lots have a process: as soon as one policy in force asks for it."""
    return policies.deviation_rules(connection) is not None


def hold(connection: Connection, request: Request, lot: Row[Any]) -> list[audit.Entry]:
    """Stop a lot, if it can be stopped; the audit entry of it."""
    status = LotStatus(lot.status)
    if not LOT.allows(status, LotEvent.HOLD):
        return []
    return _step(connection, request, lot.number, (LotEvent.HOLD, status, LOT.advance(status, LotEvent.HOLD)), "held")


def _step(connection: Connection, request: Request, lot: str, step: Step, why: str) -> list[audit.Entry]:
    records.move_lot(connection, request, lot, [step], None)
    news = {"from": step[1], "status": step[2], "why": why}
    return [request.audit(f"lot.{step[0]}", news, entity=f"lot/{lot}", old={"status": step[1]})]


def open_results(connection: Connection, lot: str) -> Sequence[Row[Any, Any, Any]]:
    """Open out-of-specification results of a lot: number, detail, state of the case (none if it has not begun)."""
    deviations = records.DEVIATIONS
    statement = (
        select(deviations.c.number, deviations.c.detail, CASES.c.state)
        .join(CASES, CASES.c.number == deviations.c.number, isouter=True)
        .where(deviations.c.lot == lot, deviations.c.has_process, deviations.c.state == "open")
        .where(deviations.c.code == OUT_OF_SPECIFICATION)
        .order_by(deviations.c.number)
    )
    return connection.execute(statement).all()


def is_retest(connection: Connection, lot: str) -> bool:
    """Whether the laboratory's error is proven and a retest authorised, for every open result of the lot."""
    found = open_results(connection, lot)
    return bool(found) and all(row.state == OutOfSpecificationState.RETEST for row in found)


def check_retest(connection: Connection, lot: str) -> None:
    """Refuse OOS_OPEN, naming each result, unless there is none or a retest is authorised (QL-04)."""
    waiting = [row for row in open_results(connection, lot) if row.state != OutOfSpecificationState.RETEST]
    _refuse(lot, waiting, "a retest that was authorised after a proven error of the laboratory")


def check_accept(connection: Connection, lot: str) -> None:
    """Refuse OOS_OPEN, naming each result, as long as one of the lot is not decided (QL-04)."""
    _refuse(lot, open_results(connection, lot), "a decided case")


def _refuse(lot: str, found: Sequence[Row[Any, Any, Any]], required: str) -> None:
    if found:
        blockers = tuple(
            Blocker(
                code="OOS_OPEN", entity="lot", id=lot, found=f"{row.detail}: {row.number} is open", required=required,
                who_can_fix="qaReviewer",
            )
            for row in found
        )  # fmt: skip
        raise AdapterRefused("OOS_OPEN", f"lot {lot} has results out of specification", blockers)


def settle_lot(
    connection: Connection,
    request: Request,
    number: str,
    deviation: str,
    standing: str,
    disposition: CaseDisposition | None,
) -> Done[LotAnswer]:
    """Do what the deviation's process decided; a lot that another open deviation holds stays where it is."""
    lot = ledger.lock_lot(connection, number)
    status = LotStatus(lot.status)
    entries: list[audit.Entry] = []
    if standing == "reopened":
        entries += hold(connection, request, lot)
    elif disposition == CaseDisposition.REJECT:
        if status == LotStatus.RELEASED:  # stopped first: nothing goes from saleable to rejected in one step
            entries += hold(connection, request, lot)
            status = LotStatus.ON_HOLD
        if LOT.allows(status, LotEvent.REJECT):
            step = (LotEvent.REJECT, status, LOT.advance(status, LotEvent.REJECT))
            entries += _step(connection, request, number, step, deviation)
            entries += segregation.segregate(connection, number, request.key, request.actor, request.at)[1]
    elif status == LotStatus.ON_HOLD and not _held_by_another(connection, number, deviation):
        held_from = _held_from(connection, number)
        if heirs := holds.others(connection, number):  # a signed hold stops it, too: now that alone does
            lot_holds.hand_over(connection, heirs[0], number, held_from or LotStatus.QUARANTINE)
        else:
            released = held_from == LotStatus.RELEASED
            event = LotEvent.RELEASE_HOLD if released else LotEvent.RETURN_TO_QUARANTINE
            entries += _step(connection, request, number, (event, status, LOT.advance(status, event)), deviation)
    if standing == "decided" and disposition == CaseDisposition.ACCEPT:
        entries += _set_aside(connection, request, number)
    now = connection.execute(select(ledger.LOTS.c.status).where(ledger.LOTS.c.number == number)).scalar_one()
    return Done(LotAnswer(lot=number, lot_status=LotStatus(now)), entries)


def _held_by_another(connection: Connection, lot: str, deviation: str) -> bool:
    found = select(records.DEVIATIONS.c.number).where(
        records.DEVIATIONS.c.lot == lot, records.DEVIATIONS.c.state == "open",
        records.DEVIATIONS.c.has_process, records.DEVIATIONS.c.number != deviation,
    )  # fmt: skip
    return connection.execute(found.limit(1)).first() is not None


def _held_from(connection: Connection, lot: str) -> str | None:
    steps = records.TRANSITIONS
    statement = (
        select(steps.c.from_state)
        .where(steps.c.entity == "lot", steps.c.entity_id == lot, steps.c.event == LotEvent.HOLD)
        .order_by(steps.c.id.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def _set_aside(connection: Connection, request: Request, lot: str) -> list[audit.Entry]:
    """An inspection whose result was not confirmed is decided; one that was tested again gives way to the new one."""
    if open_results(connection, lot):
        return []
    entries: list[audit.Entry] = []
    own = records.INSPECTIONS
    rows = connection.execute(
        select(own).where(own.c.lot == lot, own.c.work_order.is_(None)).order_by(own.c.requested_at, own.c.number)
    ).all()
    for row in rows:
        if row.state != InspectionState.OUT_OF_SPECIFICATION:
            continue
        event = InspectionEvent.SET_ASIDE if row is rows[-1] else InspectionEvent.CANCEL
        target = INSPECTION.advance(InspectionState(row.state), event)
        records.move_inspection(connection, request, row, event, target)
        entity, old = f"inspection/{row.number}", {"state": row.state}
        entries.append(request.audit(f"inspection.{event}", {"state": target}, entity=entity, old=old))
    return entries
