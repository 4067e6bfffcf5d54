"""Rows and moves of samples, counts and checks of prints. Importing this registers them."""

from decimal import Decimal

from sqlalchemy import Connection

from db import tables as t
from db.audit import Entry
from db.own_places import DIFFERENCE, SAMPLE, ensure
from db.projection.events import OPERATIONS, Context, project
from domain import material_events as m
from domain import packaging_events as k
from domain.quantities import plain

PRINT_CHECKS = t.core(t.PrintCheckRow)


@project.register
def _(event: m.SampleTaken, context: Context) -> None:
    fact, batch = context.fact, context.batch
    if event.line is None:
        key = {"work_order": event.work_order, "code": event.operation}
        batch.add(OPERATIONS, key, good=-event.quantity, sampled=event.quantity)
    moves = []
    if event.is_stock:
        _make(context, SAMPLE)
        moves = [_moved(event.lot, "LINE", SAMPLE, event.quantity, event.unit)]
        batch.move(
            key=f"sample:{context.key}", lot=event.lot, from_place="LINE", to_place=SAMPLE, quantity=event.quantity,
            unit=event.unit, kind="sample", work_order=event.work_order, actor=fact.actor, moved_at=fact.at,
        )  # fmt: skip
    new = event.model_dump(mode="json", by_alias=True, exclude={"kind", "work_order", "operation", "is_stock"})
    context.audit("operation.sample", f"operation/{event.work_order}/{event.operation}", new=new | {"moves": moves})


@project.register
def _(event: m.MaterialsCounted, context: Context) -> None:
    fact, batch = context.fact, context.batch
    if any(line.difference != 0 for line in event.lines):
        _make(context, DIFFERENCE)
    moves = []
    for index, line in enumerate(event.lines):
        if line.difference == 0:
            continue
        way = ("LINE", DIFFERENCE) if line.difference > 0 else (DIFFERENCE, "LINE")
        moves.append(_moved(line.lot, *way, abs(line.difference), line.unit))
        batch.move(
            key=f"difference:{context.key}:{index}", lot=line.lot, from_place=way[0], to_place=way[1],
            quantity=abs(line.difference), unit=line.unit, kind="difference", work_order=event.work_order,
            actor=fact.actor, moved_at=fact.at,
        )  # fmt: skip
    lines = [line.model_dump(mode="json", by_alias=True) for line in event.lines]
    outside = [own.model_dump(mode="json", by_alias=True) for own in event.outside]
    new = {"lines": lines, "moves": moves} | ({"outside": outside} if outside else {})
    context.audit("work-order.count", f"work-order/{event.work_order}", new=new)


def _moved(lot: str, from_place: str, to_place: str, quantity: Decimal, unit: str) -> dict[str, str]:
    """A move of stock as it is told outside: an outside warehouse books the same."""
    return {"lot": lot, "from": from_place, "to": to_place, "quantity": plain(quantity), "unit": unit}


def _make(context: Context, place: str) -> None:
    """The place is there before anything is moved to it."""

    def work(connection: Connection) -> list[Entry]:
        ensure(connection, place)
        return []

    context.batch.then(work)


@project.register
def _(event: k.PrintChecked, context: Context) -> None:
    fact = context.fact
    context.batch.insert(
        PRINT_CHECKS, work_order=event.work_order, operation=event.operation, number=event.number,
        lot_text=event.lot_text, expiry_text=event.expiry_text, expected_lot=event.expected_lot,
        expected_expiry=event.expected_expiry, matches=event.matches, is_late=event.late, checked_by=fact.actor,
        checked_at=fact.at,
    )  # fmt: skip
    new = event.model_dump(mode="json", by_alias=True, exclude={"kind", "work_order", "operation"})
    context.audit("operation.checkPrint", f"operation/{event.work_order}/{event.operation}", new=new)
