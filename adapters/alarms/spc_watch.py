"""Watches the control charts of critical parameters: a signal at a new value is an alarm, once, within seconds (KP-06).

How far it has looked stands in the record, as a number of the audit trail: its rows are numbered in the order in which
their transactions ended, so nothing is missed and nothing is looked at twice. An alarm's key names value and rule.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from adapters.alarms.looking import look_again
from db.queries import spc as tables
from db.queries.alarms import raise_alarm_once
from db.queries.spc import Asked, Sample
from db.session import reading
from db.tables import AuditRow, OrderFact, ParameterValue, WatchPosition, WorkOrder, core
from domain import spc
from domain.spc_rules import Signal

VALUES: Final = core(ParameterValue)
POSITIONS: Final = core(WatchPosition)
WORK_ORDERS: Final = core(WorkOrder)
FACTS: Final = core(OrderFact)
AUDIT: Final = core(AuditRow)
NAME: Final = "spc"
CODE: Final = "SPC_SIGNAL"
LOOK_SECONDS: Final = 1.0
MOST: Final = 500
"""Rows of the audit trail that are read in one look."""
ACTS: Final = ("operation.record", "operation.correct")
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Series:
    """What one chart is of."""

    product: str
    operation: str
    name: str


class SpcWatch:
    """Looks until it is cancelled. Any number may run: the position is locked while one looks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def run(self) -> None:
        """Look every second."""
        await look_again(self.look, "control charts", LOOK_SECONDS)

    def look(self) -> int:
        """Look at what is new; the answer is the number of new alarms."""
        with reading(self._engine) as connection:
            if not _is_something_new(connection):
                return 0
        with self._engine.begin() as connection:
            position = self._locked(connection)
            statement = select(AUDIT.c.seq, AUDIT.c.action, AUDIT.c.entity, AUDIT.c.new).where(AUDIT.c.seq > position)
            rows: list[Any] = list(connection.execute(statement.order_by(AUDIT.c.seq).limit(MOST)))
            if not rows:
                return 0
            new = _new(connection, [row for row in rows if row.action in ACTS])
            raised = sum(_raised(connection, series, numbers) for series, numbers in new.items())
            connection.execute(POSITIONS.update().where(POSITIONS.c.name == NAME).values(position=rows[-1].seq))
        return raised

    @staticmethod
    def _locked(connection: Connection) -> int:
        """How far was looked. At the very first look everything that is there already is taken as seen."""
        start = select(func.coalesce(func.max(AUDIT.c.seq), 0)).scalar_subquery()
        connection.execute(insert(POSITIONS).values(name=NAME, position=start).on_conflict_do_nothing())
        own = select(POSITIONS.c.position).where(POSITIONS.c.name == NAME).with_for_update()
        return int(connection.execute(own).scalar_one())


def _is_something_new(connection: Connection) -> bool:
    """Whether the trail goes on behind the position, or nobody has ever looked. Asked every second: no transaction."""
    position = connection.execute(select(POSITIONS.c.position).where(POSITIONS.c.name == NAME)).scalar_one_or_none()
    if position is None:
        return True
    return connection.execute(select(AUDIT.c.seq).where(AUDIT.c.seq > position).limit(1)).first() is not None


def _new(connection: Connection, rows: Sequence[Row[Any]]) -> dict[Series, set[tuple[str, str]]]:
    """The critical parameters with new values: which values, by work order and number."""
    found: dict[Series, set[tuple[str, str]]] = defaultdict(set)
    critical: dict[str, set[tuple[str, str, str]]] = {}
    for row in rows:
        _, work_order, operation, *number = row.entity.split("/")
        numbers = number or [str(own.get("number")) for own in (row.new or {}).get("parameterValue", ())]
        statement = (
            select(VALUES.c.name, VALUES.c.number, WORK_ORDERS.c.material, WORK_ORDERS.c.order_number)
            .join(WORK_ORDERS, WORK_ORDERS.c.number == VALUES.c.work_order)
            .where(VALUES.c.work_order == work_order, VALUES.c.operation == operation, VALUES.c.number.in_(numbers))
        )
        for value in connection.execute(statement).all():
            if value.order_number not in critical:
                critical[value.order_number] = _critical(connection, value.order_number)
            if (work_order, operation, value.name) in critical[value.order_number]:
                found[Series(value.material, operation, value.name)].add((work_order, value.number))
    return found


def _critical(connection: Connection, order_number: str) -> set[tuple[str, str, str]]:
    """(work order, operation, parameter) of an order whose frozen specification calls the parameter critical."""
    first = select(FACTS.c.body).where(FACTS.c.order_number == order_number).order_by(FACTS.c.revision).limit(1)
    body: Any = connection.execute(first).scalar_one_or_none() or {}
    events = body.get("events") or [{}]
    specification: dict[str, Any] = events[0].get("specification") or {}
    return {
        (work_order["number"], operation["code"], parameter["name"])
        for work_order in specification.get("workOrders", ())
        for operation in work_order.get("operations", ())
        for parameter in operation.get("parameters", ())
        if parameter.get("critical")
    }


def _raised(connection: Connection, series: Series, new: set[tuple[str, str]]) -> int:
    """Alarms for the signals at new values of one chart."""
    asked = Asked("parameter", series.name, series.product, _EARLIEST, _LATEST)
    samples = [own for own in tables.samples(connection, asked) if own.operation == series.operation]
    if len(samples) < 2 or len({own.unit for own in samples}) > 1:
        return 0
    study = spc.individuals([float(own.value) for own in samples])
    found = [own for own in study.signals if (samples[own.at].work_order, samples[own.at].number) in new]
    return sum(_alarm(connection, series, signal, samples[signal.at]) for signal in found)


def _alarm(connection: Connection, series: Series, signal: Signal, sample: Sample) -> bool:
    at = datetime.now(UTC)
    detail = (
        f"{series.product} {series.operation} {series.name}: rule {signal.rule} at {sample.value} {sample.unit}, "
        f"batch {sample.lot}, {len(signal.points)} points"
    )
    key = json.dumps([CODE, sample.work_order, sample.operation, series.name, sample.number, signal.chart, signal.rule])
    subject = f"operation/{sample.work_order}/{sample.operation}"
    return raise_alarm_once(connection, CODE, detail, at, key, subject, sample.order_number)
