"""Serial numbers: the pieces of a lot, registered once.

What is known of a piece is the lot that it belongs to. Which of a lot's pieces went where is not in the record, so the
trace of a serial number is the trace of its lot.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from db.queries.trace import LOTS, made_quantity
from db.tables import SerialNumber, core
from domain.base import Message
from domain.errors import AdapterRefused, Blocker
from domain.quantities import plain

SYSTEM: Final = "record"
SERIALS: Final = core(SerialNumber)
COUNTED: Final = frozenset({"pcs", "pc", "ea"})
"""Units in which one is one piece: a lot of these has no more serial numbers than pieces."""


class Registered(Message):
    """The serial numbers that a command registered. `work_order` is none of a received lot."""

    lot: str
    material: str
    work_order: str | None
    serials: tuple[str, ...]


def find(connection: Connection, serial: str) -> Row[Any] | None:
    """The row of a serial number."""
    return connection.execute(select(SERIALS).where(SERIALS.c.serial == serial)).one_or_none()


def count(connection: Connection, lot: str) -> int:
    """How many pieces of a lot have a number of their own."""
    return connection.execute(select(func.count()).select_from(SERIALS).where(SERIALS.c.lot == lot)).scalar_one()


def page(connection: Connection, lot: str, part: str, limit: int) -> list[dict[str, Any]]:
    """The pieces of a lot whose number holds a text, by number, as `document` has them."""
    statement = select(SERIALS).where(SERIALS.c.lot == lot)
    if part:
        statement = statement.where(SERIALS.c.serial.contains(part, autoescape=True))
    return [document(row) for row in connection.execute(statement.order_by(SERIALS.c.serial).limit(limit))]


def document(row: Row[Any]) -> dict[str, Any]:
    """A piece as it is told: `serial`, `lot`, `material`, `registeredBy`, `registeredAt`."""
    return {
        "serial": row.serial, "lot": row.lot, "material": row.material, "registeredBy": row.registered_by,
        "registeredAt": row.registered_at,
    }  # fmt: skip


def register(engine: Engine, lot: str, serials: Sequence[str], *, key: str, actor: str, at: datetime) -> Registered:
    """Register serial numbers of a lot under a key: the same key has one effect and one answer.

    Refuses, with a blocker for each thing: UNKNOWN_LOT, SERIAL_TAKEN, MORE_SERIALS_THAN_PIECES; KEY_REUSED.
    """
    request = Request("registerSerials", f"lot/{lot}", key, actor, at, {"serials": sorted(serials)})
    return answer_once(
        engine, SYSTEM, COMMAND_OUTCOMES, request, Registered, lambda c: _register(c, request, lot, sorted(serials))
    )


def _register(connection: Connection, request: Request, lot: str, serials: Sequence[str]) -> Done[Registered]:
    have = select(func.count()).select_from(SERIALS).where(SERIALS.c.lot == LOTS.c.number).scalar_subquery()
    # Behind the lock of the lot (`answer_once`): nobody registers pieces of it at the same time.
    row = connection.execute(
        select(LOTS, made_quantity().scalar_subquery().label("made"), have.label("have")).where(LOTS.c.number == lot)
    ).one_or_none()
    if row is None:
        blocker = Blocker(
            code="UNKNOWN_LOT", entity="lot", id=lot, found="no such lot", required="a lot of the record",
            who_can_fix="warehouseKeeper",
        )  # fmt: skip
        raise AdapterRefused("UNKNOWN_LOT", f"there is no lot {lot}", (blocker,))
    rows = [
        {
            "serial": serial, "lot": lot, "material": row.material, "work_order": row.work_order,
            "registered_by": request.actor, "registered_at": request.at, "command_id": request.key,
        }
        for serial in serials
    ]  # fmt: skip
    statement = insert(SERIALS).values(rows).on_conflict_do_nothing().returning(SERIALS.c.serial)
    written = set(connection.execute(statement).scalars())
    blockers = [*_taken(connection, set(serials) - written), *_too_many(row, len(written))]
    if blockers:
        detail = "; ".join(f"{blocker.id}: {blocker.found}" for blocker in blockers[:5])
        raise AdapterRefused(blockers[0].code, detail, tuple(blockers))
    answer = Registered(lot=lot, material=row.material, work_order=row.work_order, serials=tuple(serials))
    told = {"serials": list(serials), "material": row.material, "workOrder": row.work_order}
    return Done(answer, [request.audit("lot.serialsRegistered", told)])


def _taken(connection: Connection, serials: set[str]) -> list[Blocker]:
    if not serials:
        return []
    rows = connection.execute(select(SERIALS).where(SERIALS.c.serial.in_(serials)).order_by(SERIALS.c.serial))
    return [
        Blocker(
            code="SERIAL_TAKEN", entity="serial-number", id=row.serial, found=f"a piece of lot {row.lot}",
            required="a serial number that no piece has", who_can_fix="supervisor",
        )
        for row in rows
    ]  # fmt: skip


def _too_many(lot: Row[Any], new: int) -> list[Blocker]:
    made: Decimal = lot.made
    if lot.unit not in COUNTED or lot.have + new <= made:
        return []
    found = f"{lot.have + new} serial numbers, {plain(made)} {lot.unit}"
    required = f"at most {plain(made)}: report the pieces first"
    return [
        Blocker(
            code="MORE_SERIALS_THAN_PIECES", entity="lot", id=lot.number, found=found, required=required,
            who_can_fix="operator",
        )
    ]  # fmt: skip
