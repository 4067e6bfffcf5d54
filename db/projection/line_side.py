"""Rows of returns. The moves are the warehouse's own. Importing this registers them."""

from db import tables as t
from db.projection.events import Context, project
from domain import material_events as m

RETURNS = t.core(t.MaterialReturnRow)


@project.register
def _(event: m.ReturnMoved, context: Context) -> None:
    fact, batch = context.fact, context.batch
    if event.origin is None:
        for position, line in enumerate(event.lines, start=1):
            batch.insert(
                RETURNS, number=event.number, position=position, work_order=event.work_order, line=line.line,
                material=line.material, lot=line.lot, quantity=line.quantity, unit=line.unit,
                disposition=str(line.disposition), reason=line.reason, state=str(event.target), asked_by=fact.actor,
                asked_at=fact.at,
            )  # fmt: skip
    else:
        batch.update(RETURNS, {"number": event.number}, state=str(event.target), ended_at=fact.at)
    context.transition("material return", event.number, event.event or "request", event.origin, event.target)


@project.register
def _(event: m.MaterialsReturned, context: Context) -> None:
    lines = [line.model_dump(mode="json", by_alias=True) for line in event.lines]
    context.audit("pick-list.return", f"pick-list/{event.work_order}-P", new={"return": event.number, "lines": lines})
