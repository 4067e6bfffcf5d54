"""What the record says of the processes that should run: open orders and quality cases, and what each begins with.

A process that is begun from here goes on where the record ends: the state is the fold of the facts, the same that a run
hands to the next one. Commands that Temporal had taken and nobody had judged are not in the record; their senders send
them again. Only what processes tell each other would be lost for good, so it is made again from the facts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, or_, select

from db.projection.cases import CASES
from db.queries import cases, facts
from db.tables import CaseFactRow, OrderFact, ProductionOrder, core
from domain.case_folding import Case, fold_case
from domain.commands import AnyCommand, NoteDeviation, NoteFault
from domain.events import OrderCreated
from domain.folding import fold
from domain.maintenance import MaintenanceCase, News
from domain.process import Process, created
from domain.quality_cases import CapaCase, CaseFact, DeviationCase, Told
from domain.rules.common import SYSTEM
from domain.signed_lives import begin
from domain.start import (
    Carried,
    CarriedCapa,
    CarriedDeviation,
    CarriedMaintenance,
    StartCapa,
    StartDeviation,
    StartMaintenanceOrder,
    StartOrder,
)
from domain.states import ORDER, OrderState

ORDERS: Final = core(ProductionOrder)
FACTS, CASE_FACTS = core(OrderFact), core(CaseFactRow)
ORDER_KIND: Final = "production-order"
SEEN: Final = 1000
"""As many command ids as a process keeps."""
CaseStart = StartDeviation | StartCapa | StartMaintenanceOrder


@dataclass(frozen=True)
class OpenLife:
    """An order or a quality case that is not over. `kind`/`number` is the id of its process, too."""

    kind: str
    number: str
    state: str

    @property
    def process(self) -> str:
        """The workflow id."""
        return f"{self.kind}/{self.number}"


def open_lives(connection: Connection) -> list[OpenLife]:
    """Everything that should have a process: cases first, because orders begin those that they miss."""
    over = [str(state) for state in OrderState if ORDER.is_final(state)]
    is_telling = func.coalesce(func.jsonb_array_length(CASES.c.body["toTell"]), 0) > 0
    of_cases = select(CASES.c.kind, CASES.c.number, CASES.c.state).where(or_(~CASES.c.is_over, is_telling))
    of_orders = select(ORDERS.c.number, ORDERS.c.state).where(ORDERS.c.state.not_in(over))
    found = [
        OpenLife(_kind(row.kind), row.number, row.state)
        for row in connection.execute(of_cases.order_by(CASES.c.number))
    ]
    return found + [
        OpenLife(ORDER_KIND, row.number, row.state)
        for row in connection.execute(of_orders.order_by(ORDERS.c.number))
    ]  # fmt: skip


def _kind(kind: str) -> str:
    """A result out of specification is led by the process of a deviation."""
    return kind if kind in ("capa", "maintenance") else "deviation"


def start_of_order(connection: Connection, number: str) -> StartOrder:
    """What the process of an order begins with, to go on where the record ends. Raises LookupError without facts."""
    known = facts.since(connection, number, 0)
    process: Process | None = None
    for fact in known:
        if process is None:
            process = next((created(e.specification) for e in fact.events if isinstance(e, OrderCreated)), None)
        if process is not None:
            fold(process, fact)
    if process is None:
        raise LookupError(f"the record has no facts of {number}")
    seen = tuple(fact.command_id for fact in known if fact.command_id is not None)
    first = known[0]
    carried = Carried(process=process, seen=seen[-SEEN:], inbox=tuple(_untold(connection, process, set(seen))))
    return StartOrder(
        specification=process.specification, command_id=first.command_id or f"create/{number}", received_at=first.at,
        carried=carried,
    )  # fmt: skip


def start_of_case(connection: Connection, number: str) -> CaseStart:
    """The same for a quality case."""
    case = cases.find(connection, number)
    if case is None:
        raise LookupError(f"the record has no case {number}")
    ids = select(CASE_FACTS.c.command_id).where(
        CASE_FACTS.c.case_number == number, CASE_FACTS.c.command_id.is_not(None)
    )
    seen = tuple(connection.execute(ids.order_by(CASE_FACTS.c.revision)).scalars())[-SEEN:]
    command_id = f"open/{number}"
    match case:
        case DeviationCase():
            return StartDeviation(
                specification=case.specification, command_id=command_id,
                carried=CarriedDeviation(case=case, seen=seen),
            )  # fmt: skip
        case CapaCase():
            return StartCapa(
                specification=case.specification, command_id=command_id, carried=CarriedCapa(case=case, seen=seen)
            )
        case MaintenanceCase():
            return StartMaintenanceOrder(
                specification=case.specification, command_id=command_id,
                carried=CarriedMaintenance(case=case, seen=seen),
            )  # fmt: skip


# What other processes have told ------------------------------------------------------------------------------------


def _untold(connection: Connection, process: Process, seen: set[str]) -> Iterator[AnyCommand]:
    """What cases have told the order and the order has not judged: it lay in the inbox of the process that is gone."""
    number = process.specification.number
    interrupting = CASES.c.body.contains({"specification": {"interrupted": [{"orderNumber": number}]}})
    numbers = select(CASES.c.number).where(or_(CASES.c.order_number == number, interrupting))
    for own in connection.execute(numbers.order_by(CASES.c.opened_at, CASES.c.number)).scalars():
        for said in _told(cases.facts(connection, own), number):
            if said.command_id not in seen:
                yield said


def _told(known: Iterable[CaseFact], order: str) -> Iterator[AnyCommand]:
    case: Case | None = None
    said: set[str] = set()
    for fact in known:
        if case is None:
            life = begin(fact)
            case = None if life is None or isinstance(life, Process) else life
        if case is None:
            continue
        fold_case(case, fact)
        if isinstance(case, DeviationCase | MaintenanceCase):
            for news in case.to_tell:
                is_for_it = isinstance(news, Told) or news.interrupted.order_number == order
                if is_for_it and news.key not in said:
                    said.add(news.key)
                    yield _said(case, news, fact.at)


def _said(case: DeviationCase | MaintenanceCase, news: Told | News, at: datetime) -> AnyCommand:
    if isinstance(case, DeviationCase):
        assert isinstance(news, Told)
        return NoteDeviation(
            command_id=news.key, actor=SYSTEM, received_at=at, deviation=case.number, standing=news.standing,
            decision=news.decision, disposition=news.disposition, decided_by=news.decided_by,
        )  # fmt: skip
    assert isinstance(news, News)
    what = news.interrupted
    return NoteFault(
        command_id=news.key, actor=SYSTEM, received_at=at, work_order=what.work_order, operation=what.operation,
        maintenance_order=case.number, equipment=case.specification.equipment, standing=news.standing,
        detail=case.specification.detail,
    )  # fmt: skip
