"""Holds of lots in the record: what is written when one is signed, and what its own process then finds out.

Functions that take a connection run inside the transaction of `db.once.answer_once`. Lots are locked in the order of
their numbers (see `adapters.inventory.ledger`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, collate, func, insert, select, update

from adapters.inventory import ledger
from adapters.quality import records
from db import audit
from db.once import Request
from db.queries import lot_holds as holds
from db.rows import insert_rows
from db.tables import ProductionOrder, WorkOrder, core
from domain.errors import AdapterRefused, Blocker
from domain.hold_states import LOT_HOLD, LotHoldEvent, LotHoldState
from domain.states import LOT, LotEvent, LotStatus

_HOLDABLE: Final = (LotStatus.QUARANTINE, LotStatus.RELEASED, LotStatus.ON_HOLD)
_OVER: Final = ("closed", "cancelled", "aborted")
WORK_ORDERS, ORDERS = core(WorkOrder), core(ProductionOrder)
Entries = list[audit.Entry]


def refuse(code: str, entity: str, identity: str, found: str, required: str, who: str = "qaReviewer") -> AdapterRefused:
    """A refusal with one blocker."""
    blocker = Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix=who)
    return AdapterRefused(code, f"{found}; needed: {required}", (blocker,))


def lock_lots(connection: Connection, lots: Sequence[str]) -> list[Row[Any]]:
    """Lock lots in the order of their numbers."""
    statement = select(ledger.LOTS).where(ledger.LOTS.c.number.in_(lots)).order_by(collate(ledger.LOTS.c.number, "C"))
    return list(connection.execute(statement.with_for_update(key_share=True)).all())


def next_number(connection: Connection, lot: str) -> str:
    """The number of the lot's next hold; the caller holds the lot's lock."""
    made = connection.execute(select(func.count()).where(holds.HOLDS.c.lot == lot)).scalar_one()
    return f"{lot}-H{made + 1}"


def place(
    connection: Connection, request: Request, reach: holds.Reach, lot: str, signature: str, *,
    downstream: bool, recall: str | None = None, reason: str,
) -> tuple[str, Entries]:  # fmt: skip
    """Write a hold and stop its lots; those that a running order makes are stopped by that order.

    Refuses LOT_NOT_HOLDABLE for a lot whose status is an end already.
    """
    locked = {row.number: row for row in lock_lots(connection, reach.lots)}
    own = locked[lot]
    if own.status not in _HOLDABLE and recall is None:
        required = f"a lot that is {', '.join(_HOLDABLE)}"
        raise refuse("LOT_NOT_HOLDABLE", "lot", lot, own.status, required)
    number = next_number(connection, lot)
    connection.execute(
        insert(holds.HOLDS).values(
            number=number, lot=lot, reason=reason, downstream=downstream, recall=recall, state=LotHoldState.STOPPING,
            placed_by=request.actor, placed_at=request.at, signature_id=signature, command_id=request.key,
            shown=reach.as_document(),
        )
    )  # fmt: skip
    owners = _owners(connection, reach.lots)
    entries: Entries = []
    rows: list[dict[str, Any]] = []
    for row in locked.values():
        owner = owners.get(row.number)
        held_from = None
        if owner is None:
            held_from, told = stop(connection, request, row, number, is_recall=recall is not None)
            entries += told
        rows.append({"hold": number, "lot": row.number, "owner": owner, "held_from": held_from, "state": "held"})
    insert_rows(connection, holds.HELD_LOTS, rows)
    records.write_transition(connection, request, "lot hold", number, "place", None, LotHoldState.STOPPING, reason)
    news = {"hold": number, "reason": reason, "downstream": downstream, "recall": recall, "signature": signature}
    news |= {"state": LotHoldState.STOPPING, "shown": reach.as_document()}
    news["heldLots"] = [{"lot": own["lot"], "owner": own["owner"], "state": own["state"]} for own in rows]
    entries.append(request.audit("lot-hold.place", news, entity=f"lot/{lot}", reason=reason))
    return number, entries


def stop(
    connection: Connection, request: Request, row: Row[Any], hold: str, *, is_recall: bool
) -> tuple[str | None, Entries]:
    """Stop a lot that no running order makes: (the status that it was taken from, audit entries)."""
    status = LotStatus(row.status)
    event = LotEvent.RECALL if is_recall and LOT.allows(status, LotEvent.RECALL) else LotEvent.HOLD
    if status == LotStatus.RECALLED or not LOT.allows(status, event):
        return None, []
    target = LOT.advance(status, event)
    records.move_lot(connection, request, row.number, [(event, status, target)], hold)
    news = {"from": status, "status": target, "why": hold}
    entry = request.audit(f"lot.{event}", news, entity=f"lot/{row.number}")
    return (status if event == LotEvent.HOLD else None), [entry]


def _owners(connection: Connection, lots: Sequence[str]) -> dict[str, str]:
    """Lot → the running order that makes it."""
    statement = (
        select(WORK_ORDERS.c.output_lot, ORDERS.c.number)
        .join(ORDERS, ORDERS.c.number == WORK_ORDERS.c.order_number)
        .where(WORK_ORDERS.c.output_lot.in_(lots), ORDERS.c.state.not_in(_OVER))
    )
    return {row.output_lot: row.number for row in connection.execute(statement)}


def lock_hold(connection: Connection, number: str) -> Row[Any] | None:
    """A hold, locked; none if there is none of that number."""
    statement = select(holds.HOLDS).where(holds.HOLDS.c.number == number).with_for_update()
    return connection.execute(statement).one_or_none()


def release(connection: Connection, request: Request, number: str, lot: str, reason: str, signature: str) -> Entries:
    """Let the lots go that nothing else stops; the orders follow, told by the hold's own process.

    Refuses UNKNOWN_HOLD and INVALID_TRANSITION, which names the orders that have not answered yet.
    """
    row = lock_hold(connection, number)
    if row is None or row.lot != lot:
        raise refuse("UNKNOWN_HOLD", "lot hold", number, f"no hold {number} of lot {lot}", "a hold of this lot")
    state = LotHoldState(row.state)
    if not LOT_HOLD.allows(state, LotHoldEvent.RELEASE):
        found = holds.detail(connection, number)
        waits = ", ".join(found["progress"]["waitsFor"]) if found else ""
        raise refuse("INVALID_TRANSITION", "lot hold", number, f"{state} {waits}".strip(), "a hold that is held")
    target = LOT_HOLD.advance(state, LotHoldEvent.RELEASE)
    values = {
        "state": target, "released_by": request.actor, "released_at": request.at, "release_reason": reason,
        "release_signature_id": signature,
    }  # fmt: skip
    connection.execute(update(holds.HOLDS).where(holds.HOLDS.c.number == number).values(**values))
    records.write_transition(connection, request, "lot hold", number, LotHoldEvent.RELEASE, state, target, reason)
    own = select(holds.HELD_LOTS.c.lot).where(holds.HELD_LOTS.c.hold == number, holds.HELD_LOTS.c.owner.is_(None))
    entries: Entries = []
    for locked in lock_lots(connection, connection.execute(own).scalars().all()):
        entries += free(connection, request, locked, number)
    news = {"hold": number, "signature": signature, "state": target, "heldLots": LotHoldState.RELEASED}
    entry = request.audit("lot-hold.release", news, entity=f"lot/{lot}", reason=reason, old={"state": state})
    return [*entries, entry]


def free(connection: Connection, request: Request, row: Row[Any], hold: str) -> Entries:
    """Let a lot go that this hold stops, or pass it on to what else stops it."""
    mine = (holds.HELD_LOTS.c.hold == hold) & (holds.HELD_LOTS.c.lot == row.number)
    held_from = connection.execute(select(holds.HELD_LOTS.c.held_from).where(mine)).scalar_one()
    connection.execute(update(holds.HELD_LOTS).where(mine).values(state="released"))
    if held_from is None or row.status != LotStatus.ON_HOLD:
        return []
    if heirs := holds.others(connection, row.number, hold):
        hand_over(connection, heirs[0], row.number, held_from)
        return []
    if open_deviations(connection, row.number):
        return []
    event = LotEvent.RELEASE_HOLD if held_from == LotStatus.RELEASED else LotEvent.RETURN_TO_QUARANTINE
    target = LOT.advance(LotStatus.ON_HOLD, event)
    records.move_lot(connection, request, row.number, [(event, LotStatus.ON_HOLD, target)], hold)
    news = {"from": LotStatus.ON_HOLD, "status": target, "why": hold}
    return [request.audit(f"lot.{event}", news, entity=f"lot/{row.number}")]


def hand_over(connection: Connection, hold: str, lot: str, held_from: str) -> None:
    """From now on this hold is what keeps the lot from its earlier status."""
    own = (holds.HELD_LOTS.c.hold == hold) & (holds.HELD_LOTS.c.lot == lot) & holds.HELD_LOTS.c.held_from.is_(None)
    connection.execute(update(holds.HELD_LOTS).where(own).values(held_from=held_from))


def open_deviations(connection: Connection, lot: str) -> list[str]:
    """Numbers of the open deviations about a lot."""
    own = records.DEVIATIONS
    statement = select(own.c.number).where(own.c.lot == lot, own.c.state == "open").order_by(own.c.number)
    return list(connection.execute(statement).scalars())


def move(connection: Connection, row: Row[Any], event: LotHoldEvent, actor: str, at: datetime) -> audit.Entry:
    """A step of the hold itself, with its audit entry."""
    target = LOT_HOLD.advance(LotHoldState(row.state), event)
    connection.execute(update(holds.HOLDS).where(holds.HOLDS.c.number == row.number).values(state=target))
    request = Request(kind="lotHold", subject=f"lot/{row.lot}", key="", actor=actor, at=at, content={})
    records.write_transition(connection, request, "lot hold", row.number, event, row.state, target)
    new = {"hold": row.number, "state": str(target)}
    return audit.Entry(at, actor, f"lot-hold.{event}", f"lot/{row.lot}", {"state": row.state}, new)
