"""What the process of a hold asks the record: whom it has to tell, who has answered, and that it is done.

Every method may be called again: it writes what is new and reads the rest.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.quality import lot_holds
from db import audit
from db.once import OUTCOMES, Request, reached
from db.queries import lot_holds as holds
from db.tables import LotHoldOrder, core
from domain.base import Message
from domain.hold_states import LotHoldEvent, LotHoldState, OrderUnderHold
from domain.rules.common import SYSTEM

_ROWS: Final = core(LotHoldOrder)
_LOOK_SECONDS, _PATIENCE_SECONDS = 0.05, 2.0


class ToTell(Message):
    """An order that has to hear of a hold, with all that its command says."""

    order_number: str
    lots: tuple[str, ...]
    makes: tuple[str, ...]
    placed_by: str
    reason: str
    is_recall: bool


def key_of(hold: str, step: str, order_number: str) -> str:
    """The id of the command that an order is told of a hold with."""
    return f"{hold}/{step}/{order_number}"


class PostgresHoldProcess:
    """Holds of lots in the record, for their own processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find_users(self, hold: str) -> tuple[ToTell, ...]:
        """The orders that have to be stopped and have not answered; the ones found for the first time are written."""
        with reached(self._engine, "record") as connection:
            row = lot_holds.lock_hold(connection, hold)
            if row is None or row.state != LotHoldState.STOPPING:
                return ()
            own = select(holds.HELD_LOTS.c.lot).where(holds.HELD_LOTS.c.hold == hold)
            lots = list(connection.execute(own).scalars())
            at = datetime.now(UTC)
            new = [
                {
                    "hold": hold, "order_number": user.order_number, "lots": user.lots, "makes": user.makes,
                    "state": OrderUnderHold.ASKED, "asked_at": at,
                }
                for user in holds.users(connection, lots)
            ]  # fmt: skip
            if new:
                written = insert(_ROWS).values(new).on_conflict_do_nothing().returning(_ROWS.c.order_number)
                first = set(connection.execute(written).scalars())
                audit.append(connection, [_asked(row.lot, own, at) for own in new if own["order_number"] in first])
            return self._to_tell(connection, row, OrderUnderHold.ASKED)

    def find_stopped(self, hold: str) -> tuple[ToTell, ...]:
        """The orders that this hold has stopped and that have to hear of its end."""
        with reached(self._engine, "record") as connection:
            row = lot_holds.lock_hold(connection, hold)
            if row is None or row.state != LotHoldState.RELEASING:
                return ()
            return self._to_tell(connection, row, OrderUnderHold.STOPPED)

    def _to_tell(self, connection: Connection, row: Row[Any], state: OrderUnderHold) -> tuple[ToTell, ...]:
        rows = select(_ROWS).where(_ROWS.c.hold == row.number, _ROWS.c.state == state).order_by(_ROWS.c.order_number)
        is_stop = state == OrderUnderHold.ASKED
        return tuple(
            ToTell(
                order_number=own.order_number, lots=tuple(own.lots), makes=tuple(own.makes),
                placed_by=row.placed_by if is_stop else row.released_by, is_recall=row.recall is not None,
                reason=row.reason if is_stop else row.release_reason,
            )
            for own in connection.execute(rows)
        )  # fmt: skip

    def read_answers(self, hold: str, step: str, asked: Sequence[str], over: Sequence[str]) -> tuple[str, ...]:
        """Write what orders have answered; those that have not, after a short wait for them. `over` run no more."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while True:
            with reached(self._engine, "record") as connection:
                waits = self._answers(connection, hold, step, asked, over)
            if not waits or time.monotonic() > ends:
                return waits
            time.sleep(_LOOK_SECONDS)

    def _answers(
        self, connection: Connection, hold: str, step: str, asked: Sequence[str], over: Sequence[str]
    ) -> tuple[str, ...]:
        keys = {key_of(hold, step, number): number for number in asked}
        rows = connection.execute(
            select(OUTCOMES.c.command_id, OUTCOMES.c.accepted, OUTCOMES.c.body).where(OUTCOMES.c.command_id.in_(keys))
        ).all()
        known: dict[str, tuple[OrderUnderHold, str | None]] = {}
        for row in rows:
            known[keys[row.command_id]] = _standing(step, row.accepted, row.body)
        for number in over:
            known.setdefault(number, (OrderUnderHold.OVER, "no process of the order runs"))
        waiting = OrderUnderHold.ASKED if step == "stop" else OrderUnderHold.STOPPED
        entries: list[audit.Entry] = []
        for number, (state, detail) in sorted(known.items()):
            own = (_ROWS.c.hold == hold) & (_ROWS.c.order_number == number) & (_ROWS.c.state == waiting)
            at = datetime.now(UTC)
            values = {"state": state, "answered_at": at, "detail": detail}
            changed = update(_ROWS).where(own).values(**values).returning(_ROWS.c.makes)
            found = connection.execute(changed).one_or_none()
            if found is None:  # written already
                continue
            new = {"hold": hold, "state": str(state), "detail": detail}
            entity = f"production-order/{number}"
            entries.append(audit.Entry(at, SYSTEM, "lot-hold.answer", entity, {"state": str(waiting)}, new))
            if found.makes and state == OrderUnderHold.OVER:
                entries += _settle(connection, hold, step, found.makes)
        audit.append(connection, entries)
        return tuple(number for number in asked if number not in known)

    def finish(self, hold: str, step: str) -> str:
        """All orders have answered: the hold is held, or released. Its state then."""
        event = LotHoldEvent.CONFIRM_STOP if step == "stop" else LotHoldEvent.CONFIRM_RELEASE
        expected = LotHoldState.STOPPING if step == "stop" else LotHoldState.RELEASING
        with reached(self._engine, "record") as connection:
            row = lot_holds.lock_hold(connection, hold)
            assert row is not None, "a hold is never deleted"
            if row.state == expected:
                if step != "stop":
                    own = holds.HELD_LOTS.c.hold == hold
                    connection.execute(update(holds.HELD_LOTS).where(own).values(state="released"))
                audit.append(connection, [lot_holds.move(connection, row, event, SYSTEM, datetime.now(UTC))])
            found = connection.execute(select(holds.HOLDS.c.state).where(holds.HOLDS.c.number == hold)).scalar_one()
            return str(found)


def _asked(lot: str, own: dict[str, Any], at: datetime) -> audit.Entry:
    """An order hears of a hold for the first time."""
    new = {"hold": own["hold"], "lot": lot, "lots": list(own["lots"]), "makes": list(own["makes"])}
    new["state"] = str(own["state"])
    return audit.Entry(at, SYSTEM, "lot-hold.ask", f"production-order/{own['order_number']}", None, new)


def _standing(step: str, accepted: bool, body: dict[str, Any]) -> tuple[OrderUnderHold, str | None]:
    if not accepted:
        codes = ", ".join(f"{one['code']}: {one['found']}" for one in body.get("blockers", ()))
        is_over = any(one["code"] == "ORDER_NOT_OPEN" for one in body.get("blockers", ()))
        return (OrderUnderHold.OVER if is_over else OrderUnderHold.REFUSED), codes
    if step == "stop":
        return OrderUnderHold.STOPPED, None
    resumes = body.get("result", {}).get("resumes") != "no"
    return (OrderUnderHold.RESUMED, None) if resumes else (OrderUnderHold.STAYS_STOPPED, "something else stops it")


def _settle(connection: Connection, hold: str, step: str, lots: Sequence[str]) -> list[audit.Entry]:
    """Lots whose order ended before it could stop them, or let them go."""
    row = connection.execute(select(holds.HOLDS).where(holds.HOLDS.c.number == hold)).one()
    request = Request(
        kind="lotHold", subject=f"lot/{row.lot}", key=f"{hold}/{step}", actor=SYSTEM, at=datetime.now(UTC), content={}
    )
    entries: list[audit.Entry] = []
    for locked in lot_holds.lock_lots(connection, lots):
        own = (holds.HELD_LOTS.c.hold == hold) & (holds.HELD_LOTS.c.lot == locked.number)
        if step != "stop":
            entries += lot_holds.free(connection, request, locked, hold)
            continue
        held_from, told = lot_holds.stop(connection, request, locked, hold, is_recall=row.recall is not None)
        connection.execute(update(holds.HELD_LOTS).where(own).values(owner=None, held_from=held_from))
        entries += told
    return entries
