"""Energy: what orders used at machines with a meter, told with what is not known (A22)."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from api.clock import now
from api.deps import Reading, Who, With
from api.errors import not_found
from api.routing import Router
from api.shapes import Time
from db.queries import energy as tables

router = Router(tags=["energy"])


@router.get("/mes/orders/{order_id}/energy")
def of_order(order_id: UUID, reading: Reading, having: With) -> dict[str, Any]:
    """Kilowatt hours of an order and of each job, between the first and the last good reading of its meter.

    `kilowattHours` is null where there is no meter or fewer than two good readings: unknown, never 0. With
    `setBacks` it is what was used at least. `isComplete`: every job was told from its first reading to its last.
    """
    target = having.target("production-order", order_id)
    if target is None:
        raise not_found("production-order", str(order_id))
    return tables.of_order(reading, target.order_number)


@router.get("/reports/energy")
def by_order(
    reading: Reading,
    who: Who,
    since: Time | None = None,
    until: Time | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """The same of every order in the caller's scope that had a job in that time (30 days by default), newest first.

    `kilowattHoursPerThousand` is per thousand good pieces that the machine counted, where both are known.
    """
    end = until or now()
    begin = since or end - timedelta(days=30)
    return {"orders": tables.by_order(reading, begin, end, who.scope.orders(), limit)}
