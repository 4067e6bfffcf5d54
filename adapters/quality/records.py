"""The rows of inspections and deviations: how they are numbered, read, moved and written."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from adapters.inventory import ledger
from db.once import Request
from db.queries.structure import planned
from db.rows import insert_rows
from db.tables import (
    Deviation,
    InspectionPlan,
    InspectionResult,
    InspectionRow,
    StateTransition,
    core,
)
from domain.base import uuid_for
from domain.errors import AdapterRefused, Blocker
from domain.events import JudgedValue
from domain.evidence import evidence_of
from domain.specification import Characteristic
from domain.states import InspectionEvent, InspectionState, LotEvent, LotStatus

INSPECTIONS: Final = core(InspectionRow)
RESULTS: Final = core(InspectionResult)
DEVIATIONS: Final = core(Deviation)
PLANS: Final = core(InspectionPlan)
TRANSITIONS: Final = core(StateTransition)


def plan_of(connection: Connection, material: str) -> tuple[Characteristic, ...]:
    """What is measured on a material, in the plan's order; empty if there is no plan."""
    rows = connection.execute(select(PLANS).where(PLANS.c.material == material).order_by(PLANS.c.position))
    return tuple(planned(row) for row in rows)


def next_inspection(connection: Connection, lot: str) -> str:
    """The next inspection number of a lot; the caller holds the lot's lock."""
    made = connection.execute(select(func.count()).where(INSPECTIONS.c.lot == lot)).scalar_one()
    return f"{lot}-I{made + 1}"


def lock_inspection(connection: Connection, number: str) -> Row[Any] | None:
    """Lock an inspection; none if there is none of this number."""
    return connection.execute(
        select(INSPECTIONS).where(INSPECTIONS.c.number == number).with_for_update(key_share=True)
    ).one_or_none()


def own_inspection(connection: Connection, number: str) -> Row[Any]:
    """Lock an inspection of a received lot. Refuses UNKNOWN_INSPECTION, and OWNED_BY_ORDER with the way to go."""
    row = lock_inspection(connection, number)
    if row is None:
        raise AdapterRefused("UNKNOWN_INSPECTION", f"there is no inspection {number}")
    if row.work_order is not None:
        route = f"/api/v1/mes/work-orders/{uuid_for('work-order', row.work_order)}/inspection"
        blocker = Blocker(
            code="OWNED_BY_ORDER", entity="inspection", id=number, found=f"inspection of work order {row.work_order}",
            required=f"POST {route}/results or {route}/decision", who_can_fix="qcAnalyst",
        )  # fmt: skip
        raise AdapterRefused("OWNED_BY_ORDER", f"results and decision go to {route}", (blocker,))
    return row


def move_inspection(
    connection: Connection,
    request: Request,
    row: Row[Any],
    event: InspectionEvent,
    target: InspectionState,
    reason: str | None = None,
    **values: object,
) -> None:
    """Write the new state of an inspection and its transition."""
    statement = update(INSPECTIONS).where(INSPECTIONS.c.number == row.number).values(state=target, **values)
    connection.execute(statement)
    write_transition(connection, request, "inspection", row.number, event, row.state, target, reason)


def move_lot(
    connection: Connection,
    request: Request,
    lot: str,
    steps: Sequence[tuple[LotEvent, LotStatus, LotStatus]],
    reason: str | None,
) -> None:
    """Write a lot's new status and a transition for every step (event, from, to) on the way."""
    if not steps:
        return
    statement = update(ledger.LOTS).where(ledger.LOTS.c.number == lot).values(status=steps[-1][2])
    connection.execute(statement)
    for event, origin, target in steps:
        write_transition(connection, request, "lot", lot, event, origin, target, reason)


def write_transition(
    connection: Connection,
    request: Request,
    entity: str,
    entity_id: str,
    event: str,
    origin: str | None,
    target: str,
    reason: str | None = None,
) -> None:
    """One step of one object's life."""
    row = {
        "entity": entity, "entity_id": entity_id, "event": event, "from_state": origin, "to_state": target,
        "actor": request.actor, "reason": reason, "at": request.at,
    }  # fmt: skip
    connection.execute(insert(TRANSITIONS).values(row))


def write_results(connection: Connection, request: Request, number: str, results: Iterable[JudgedValue]) -> None:
    """Store results; what was stored before stays."""
    rows = [
        {
            "inspection": number, "name": judged.name, "text": judged.text, "value": judged.value,
            "unit": judged.unit, "low": judged.low, "high": judged.high, "within_limits": judged.within_limits,
            "entered_by": request.actor, "entered_at": request.at, "measured_with": evidence_of(judged),
        }
        for judged in results
    ]  # fmt: skip
    insert_rows(connection, RESULTS, rows)


def disagreements(connection: Connection, row: Row[Any], results: Sequence[JudgedValue]) -> list[str]:
    """In words, every value that differs from one that another inspection of the same lot found."""
    statement = (
        select(RESULTS.c.inspection, RESULTS.c.name, RESULTS.c.text, RESULTS.c.value)
        .join(INSPECTIONS, INSPECTIONS.c.number == RESULTS.c.inspection)
        .where(INSPECTIONS.c.lot == row.lot, INSPECTIONS.c.number != row.number)
        .order_by(RESULTS.c.id)
    )
    new = {judged.name: judged for judged in results}
    return [
        f"{old.name}: {old.text} in {old.inspection}, {new[old.name].text} in {row.number}"
        for old in connection.execute(statement)
        if old.name in new and old.value != new[old.name].value
    ]


def write_deviation(
    connection: Connection,
    request: Request,
    code: str,
    detail: str,
    lot: str | None,
    order_number: str | None,
    *,
    equipment: str | None = None,
    has_process: bool = False,
) -> str:
    """Open a deviation and give its number.

    An order's process numbers its own deviations `{order}-D1`, …; these are `-QD1`, … and never meet them.
    """
    prefix = f"{order_number or lot or equipment}-QD"
    # Two inspections of one lot, or an inspection and a person, may open one at the same moment.
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(prefix, 0))))
    same = func.starts_with(DEVIATIONS.c.number, prefix)
    if order_number or lot:
        subject = DEVIATIONS.c.order_number == order_number if order_number else DEVIATIONS.c.lot == lot
    else:
        subject = DEVIATIONS.c.equipment == equipment
    made = connection.execute(select(func.count()).where(subject, same)).scalar_one()
    number = f"{prefix}{made + 1}"
    row = {
        "number": number, "order_number": order_number, "lot": lot, "code": code, "detail": detail, "state": "open",
        "equipment": equipment, "has_process": has_process, "opened_by": request.actor, "opened_at": request.at,
    }  # fmt: skip
    connection.execute(insert(DEVIATIONS).values(row))
    return number


def close_deviations(connection: Connection, request: Request, lot: str, decision: str) -> list[str]:
    """Close what is open on a received lot and has no process of its own; gives the numbers."""
    statement = (
        update(DEVIATIONS)
        .where(DEVIATIONS.c.lot == lot, DEVIATIONS.c.order_number.is_(None), DEVIATIONS.c.state == "open")
        .where(~DEVIATIONS.c.has_process)
        .values(state="closed", decision=decision, decided_by=request.actor, decided_at=request.at)
        .returning(DEVIATIONS.c.number)
    )
    return sorted(connection.execute(statement).scalars())
