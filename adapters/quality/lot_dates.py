"""What a date alone does to lots: due for retest, with the inspection that decides it; expired.

The day of the retest is the first one on which the lot may not be used; the day of expiry is the last one on which it
may (MT-01). Lots that a running order makes are left to it.
"""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, and_, exists, or_, select

from adapters.inventory import ledger
from adapters.quality import inspecting, records
from adapters.quality.port import InspectionTicket, LotAnswer
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once, reached
from db.tables import ProductionOrder, WorkOrder, core
from domain.errors import AdapterRefused
from domain.rules.common import SYSTEM
from domain.states import LOT, LotEvent, LotStatus

_LOTS, _WORK_ORDERS, _ORDERS = ledger.LOTS, core(WorkOrder), core(ProductionOrder)
_EXPIRES: Final = (LotStatus.QUARANTINE, LotStatus.RELEASED, LotStatus.RETEST_DUE)
_AT_ONCE: Final = 500


class PostgresLotDates:
    """The lots' dates in the record. `time_zone` is the plant's: it says when a day begins."""

    def __init__(self, engine: Engine, time_zone: tzinfo) -> None:
        self._engine, self._time_zone = engine, time_zone

    def expire(self, at: datetime) -> datetime | None:
        """Write what time has changed, each lot in a transaction of its own; when to look again, if ever.

        As long as a lot has a date to come somebody looks every day: whatever happens to a lot, no date is missed.
        """
        today = at.astimezone(self._time_zone).date()
        refused = 0
        with reached(self._engine, "record") as connection:
            due = connection.execute(select(_LOTS.c.number).where(_is_due(today)).limit(_AT_ONCE)).scalars().all()
        for number in due:
            try:
                self._change(number, at, today)
            except AdapterRefused:
                refused += 1  # an open result out of specification: its case decides
        if len(due) == _AT_ONCE and refused < len(due):
            return at
        with reached(self._engine, "record") as connection:
            dated = or_(_LOTS.c.expires_on.is_not(None), _LOTS.c.retest_on.is_not(None))
            watched = and_(dated, _LOTS.c.status.in_((*_EXPIRES, LotStatus.ON_HOLD)))
            has_any = connection.execute(select(exists().where(watched))).scalar_one()
        return datetime.combine(today + timedelta(days=1), time(), self._time_zone) if has_any else None

    def _change(self, number: str, at: datetime, today: date) -> None:
        request = Request("lotDate", f"lot/{number}", f"lot-date/{number}/{today}", SYSTEM, at, {"day": today})
        answer_once(
            self._engine, "record", COMMAND_OUTCOMES, request, LotAnswer,
            lambda connection: _changed(connection, request, number, today),
        )  # fmt: skip


def _is_due(today: date) -> Any:
    expired = and_(_LOTS.c.status.in_(_EXPIRES), _LOTS.c.expires_on < today)
    retest = and_(_LOTS.c.status == LotStatus.RELEASED, _LOTS.c.retest_on <= today)
    made_now = exists().where(
        _WORK_ORDERS.c.number == _LOTS.c.work_order, _ORDERS.c.number == _WORK_ORDERS.c.order_number,
        _ORDERS.c.state.not_in(("closed", "cancelled", "aborted")),
    )  # fmt: skip
    return and_(or_(expired, retest), ~made_now)


def _changed(connection: Connection, request: Request, number: str, today: date) -> Done[LotAnswer]:
    """One lot, looked at again behind its lock."""
    row = ledger.lock_lot(connection, number)
    event = _event(row, today)
    if event is None:
        return Done(LotAnswer(lot=number, lot_status=LotStatus(row.status)), final=False)
    status = LotStatus(row.status)
    target = LOT.advance(status, event)
    records.move_lot(connection, request, number, [(event, status, target)], None)
    news = {"from": status, "status": target, "expiresOn": row.expires_on, "retestOn": row.retest_on}
    entries = [request.audit(f"lot.{event}", news)]
    if event == LotEvent.FALL_DUE_FOR_RETEST:
        asked: Done[InspectionTicket] = inspecting.request_inspection(
            connection, request, number, row.material, None, None
        )
        entries += asked.entries
    return Done(LotAnswer(lot=number, lot_status=target), entries)


def _event(row: Row[Any], today: date) -> LotEvent | None:
    if row.status in _EXPIRES and row.expires_on is not None and row.expires_on < today:
        return LotEvent.EXPIRE
    if row.status == LotStatus.RELEASED and row.retest_on is not None and row.retest_on <= today:
        return LotEvent.FALL_DUE_FOR_RETEST
    return None
