"""What holds of lots do to orders. The hold's own rows are written by its process. Importing this registers it."""

from db.projection.events import Context, project
from domain import hold_events as h


@project.register
def _(event: h.LotHoldPlaced, context: Context) -> None:
    new = {"hold": event.hold, "lots": list(event.lots), "placedBy": event.placed_by, "stops": event.stops}
    context.audit("production-order.lotHold", f"production-order/{context.fact.order_number}", new=new)


@project.register
def _(event: h.LotHoldLifted, context: Context) -> None:
    new = {"hold": event.hold, "liftedBy": event.lifted_by, "resumes": event.resumes}
    context.audit("production-order.lotHoldLifted", f"production-order/{context.fact.order_number}", new=new)
