"""What the jobs of orders used: counters among the readings of machines whose workstation names a meter (A22).

A workstation's connection says which value counts energy: `energyTag`, with `energyUnit` (Wh, kWh, MWh, MJ) and, for a
counter that begins again, `energyRollsOverAt`. A job at a station without a meter used an unknown amount, not none.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, func, select

from db.queries.written import stamp, stamp_if_any
from db.tables import EquipmentGap, EquipmentReading, EquipmentRun, ProductionOrder, WorkOrder, Workstation, core
from domain.energy import PER_KILOWATT_HOUR, Consumption, Count, Meter, consumed
from domain.quantities import plain, rounded

RUNS, READINGS, GAPS = core(EquipmentRun), core(EquipmentReading), core(EquipmentGap)
STATIONS, WORK_ORDERS, ORDERS = core(Workstation), core(WorkOrder), core(ProductionOrder)
PLACES: Final = 3
Document = dict[str, Any]


def meter_of(connection: Mapping[str, str] | None) -> Meter | None:
    """The meter that a workstation's connection names; none without one, or where its unit or range is not known."""
    own = connection or {}
    if "energyTag" not in own or own.get("energyUnit", "kWh") not in PER_KILOWATT_HOUR:
        return None
    end = own.get("energyRollsOverAt")
    try:
        rolls_over_at = None if end is None else Decimal(end)
    except InvalidOperation:
        return None
    return Meter(tag=own["energyTag"], unit=own.get("energyUnit", "kWh"), rolls_over_at=rolls_over_at)


def of_work_orders(connection: Connection, work_orders: Iterable[str]) -> list[Document]:
    """Every job of these work orders with what it used, in the order in which they began."""
    numbers = list(work_orders)
    statement = (
        select(RUNS, STATIONS.c.connection)
        .outerjoin(STATIONS, STATIONS.c.code == RUNS.c.workstation)
        .where(RUNS.c.work_order.in_(numbers))
        .order_by(RUNS.c.started_at, RUNS.c.job)
    )
    runs = connection.execute(statement).all()
    meters = {row.job: meter_of(row.connection) for row in runs}
    tags = {job: meter.tag for job, meter in meters.items() if meter is not None}
    counts, open_gaps = _counts(connection, tags), _open_gaps(connection, tags)
    return [_job(row, meters[row.job], counts.get(row.job, []), row.job in open_gaps) for row in runs]


def of_order(connection: Connection, order_number: str) -> Document:
    """What an order used: the sum of its jobs, and which of them cannot be told. None with no meter read at all."""
    own = select(WORK_ORDERS.c.number).where(WORK_ORDERS.c.order_number == order_number)
    jobs = of_work_orders(connection, connection.execute(own).scalars())
    return {"orderNumber": order_number, **total(jobs), "jobs": jobs}


def total(jobs: Iterable[Document]) -> Document:
    """The sum of jobs; `isComplete` says that every one of them was told completely."""
    rows = list(jobs)
    told = [Decimal(own["kilowattHours"]) for own in rows if own["kilowattHours"] is not None]
    return {
        "kilowattHours": plain(sum(told, Decimal(0))) if told else None,
        "isComplete": bool(rows) and all(own["isComplete"] for own in rows),
        "jobsWithoutAnswer": len(rows) - len(told),
    }


def _counts(connection: Connection, tags: Mapping[str, str]) -> dict[str, list[Count]]:
    statement = (
        select(READINGS.c.job, READINGS.c.sequence, READINGS.c.quality, READINGS.c["values"].label("found"))
        .where(READINGS.c.job.in_(tags))
        .order_by(READINGS.c.job, READINGS.c.sequence)
    )
    found: dict[str, list[Count]] = defaultdict(list)
    for row in connection.execute(statement):
        text = row.found.get(tags[row.job]) if row.quality == "good" else None
        found[row.job].append(Count(sequence=row.sequence, value=_number(text)))
    return found


def _number(text: str | None) -> Decimal | None:
    try:
        value = None if text is None else Decimal(text)
    except InvalidOperation:
        return None
    return value if value is None or (value.is_finite() and value >= 0) else None


def _open_gaps(connection: Connection, tags: Mapping[str, str]) -> set[str]:
    """Jobs whose machine was not reached again: nobody knows what came after."""
    statement = select(GAPS.c.job, func.count()).where(GAPS.c.job.in_(tags), GAPS.c.until.is_(None))
    return {row.job for row in connection.execute(statement.group_by(GAPS.c.job))}


def _job(row: Row[Any], meter: Meter | None, counts: list[Count], is_gone: bool) -> Document:
    found: Consumption | None = None if meter is None else consumed(counts, meter)
    shown: Document = {
        "job": row.job, "workOrder": row.work_order, "operation": row.operation, "workstation": row.workstation,
        "batch": row.batch, "startedAt": stamp(row.started_at), "endedAt": stamp_if_any(row.ended_at),
        "hasMeter": meter is not None, "kilowattHours": None, "isComplete": False,
        "good": None if row.good is None else plain(row.good),
    }  # fmt: skip
    if found is None or meter is None:
        return shown
    hours = found.kilowatt_hours
    return shown | {
        "kilowattHours": None if hours is None else plain(rounded(hours, PLACES)),
        "isComplete": found.is_complete and not is_gone and row.state == "ended",
        "meter": meter.tag, "readings": found.readings, "setBacks": found.set_backs, "rollOvers": found.roll_overs,
        "unread": found.unread, "unreadAtEnds": found.unread_at_ends,
    }  # fmt: skip


def by_order(
    connection: Connection, begin: datetime, end: datetime, inside: Sequence[ColumnElement[bool]], limit: int
) -> list[Document]:
    """Orders with a job that began between two times, newest first, with what each used."""
    newest = func.max(RUNS.c.started_at).label("newest")
    statement = (
        select(ORDERS.c.number, ORDERS.c.uuid, ORDERS.c.product, ORDERS.c.plant, newest)
        .join(WORK_ORDERS, WORK_ORDERS.c.order_number == ORDERS.c.number)
        .join(RUNS, RUNS.c.work_order == WORK_ORDERS.c.number)
        .where(RUNS.c.started_at >= begin, RUNS.c.started_at <= end, *inside)
        .group_by(ORDERS.c.number, ORDERS.c.uuid, ORDERS.c.product, ORDERS.c.plant)
        .order_by(newest.desc(), ORDERS.c.number)
        .limit(limit)
    )
    orders = connection.execute(statement).all()
    numbers = [row.number for row in orders]
    own = select(WORK_ORDERS.c.number, WORK_ORDERS.c.order_number).where(WORK_ORDERS.c.order_number.in_(numbers))
    owners: dict[str, str] = {row.number: row.order_number for row in connection.execute(own)}
    jobs: dict[str, list[Document]] = defaultdict(list)
    for job in of_work_orders(connection, owners):
        jobs[owners[job["workOrder"]]].append(job)
    return [
        {"orderNumber": row.number, "orderId": str(row.uuid), "product": row.product, "plant": row.plant}
        | total(jobs[row.number])
        | {"kilowattHoursPerThousand": _per_thousand(jobs[row.number]), "jobs": jobs[row.number]}
        for row in orders
    ]


def _per_thousand(jobs: list[Document]) -> str | None:
    """What a thousand good pieces took; only of jobs that tell both, and none when one does not."""
    if not jobs or not all(own["isComplete"] and own["good"] is not None for own in jobs):
        return None
    good = sum((Decimal(own["good"]) for own in jobs), Decimal(0))
    hours = sum((Decimal(own["kilowattHours"]) for own in jobs), Decimal(0))
    return plain(rounded(hours / good * 1000, PLACES)) if good > 0 else None
