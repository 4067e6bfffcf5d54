"""Opening quality cases by hand: the number from the record, once for a command id, then the process."""

import json
from typing import Any
from uuid import UUID

from fastapi.responses import JSONResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.cases_door import opening
from api.commands import CAPA, DEVIATION, ORDER, later, perform, perform_while_it_runs
from api.deps import Caller
from api.errors import not_found
from api.neighbours import once
from api.orders_door import OrderGone
from api.security import now
from api.shapes import CommandBody
from db.once import COMMAND_OUTCOMES, Done, Request, answer_once
from db.queries import cases, outcomes, policies, targets
from db.queries import quality as tables
from domain.base import Message, uuid_for
from domain.commands import OpenDeviation
from domain.quality_cases import CapaSpecification, CaseRules
from domain.states import ORDER as ORDER_MACHINE
from domain.states import OrderState


class Numbered(Message):
    """The number that a case was given, and when."""

    number: str
    at: str


def capa_number(who: Caller, command_id: str, source: str, action: str) -> str:
    """The number of a corrective action: the same for the same command id."""

    def ask(key: str) -> Numbered:
        request = Request(
            kind="openCapa", subject="capa/new", key=key, actor=who.id, at=now(),
            content={"source": source, "action": action},
        )  # fmt: skip

        def work(connection: Connection) -> Done[Numbered]:
            number = cases.next_capa(connection)
            entry = request.audit("capa.numbered", {"number": number, "source": source}, entity=f"capa/{number}")
            return Done(Numbered(number=number, at=request.at.isoformat()), [entry])

        return answer_once(who.services.engine, "quality", COMMAND_OUTCOMES, request, Numbered, work)

    return once(command_id, ask).number


async def begin_capa(who: Caller, command_id: str, number: str, source: str, action: str) -> JSONResponse:
    """Begin the process of a corrective action: 200 when it stands in the record, else 202."""
    rules = await run_in_threadpool(_rules, who)
    specification = CapaSpecification(
        number=number, source=source, action=action, opened_by=who.id, opened_at=now(), rules=rules
    )
    outcome = await who.services.outcomes.ask(opening(number), lambda: who.services.cases.start_capa(specification))
    if outcome is None:
        return later(command_id)
    return JSONResponse({"commandId": command_id, "number": number, "id": str(uuid_for(CAPA, number))})


def _rules(who: Caller) -> CaseRules:
    with who.services.engine.connect() as connection:
        return policies.deviation_rules(connection) or CaseRules()


async def open_deviation(
    who: Caller, body: CommandBody, order_id: UUID | None, lot: str | None, equipment: str | None, what: OpenDeviation
) -> Response:
    """Open a deviation: by the order's own process where it leads its deviations, else in the record, and begin it."""
    order_number, is_led_by_order = await run_in_threadpool(_subject, who, body, order_id, lot, equipment)
    if is_led_by_order and order_id is not None:
        about = "".join(f"{kind} {name}: " for kind, name in (("lot", lot), ("equipment", equipment)) if name)
        said = {"code": what.code, "detail": about + what.detail}
        try:
            return _noted(await perform_while_it_runs(who, OpenDeviation, ORDER, order_id, body, **said))
        except OrderGone:
            # Over since we looked: it has judged this command before, or the deviation is one for the record.
            order_number, is_led_by_order = await run_in_threadpool(_subject, who, body, order_id, lot, equipment)
            if is_led_by_order:
                return _noted(await perform(who, OpenDeviation, ORDER, order_id, body, **said))
    quality = who.services.quality
    opened = await run_in_threadpool(
        once,
        body.command_id,
        lambda key: quality.open_deviation(
            what.code, what.detail, lot, order_number, key=key, actor=who.id, equipment=equipment
        ),
    )
    if opened.has_process:
        await who.services.outcomes.ask(opening(opened.number), who.services.cases.begin_unstarted)
    return _opened(body.command_id, opened.number, has_process=opened.has_process)


def _noted(answer: JSONResponse) -> JSONResponse:
    """The verdict of an order, as this door tells it."""
    if answer.status_code != 200:
        return answer
    verdict = json.loads(bytes(answer.body))
    return _opened(verdict["commandId"], verdict["result"]["deviation"], has_process=True)


def _opened(command_id: str, number: str, *, has_process: bool) -> JSONResponse:
    body: dict[str, Any] = {"commandId": command_id, "number": number, "hasProcess": has_process}
    if has_process:
        body["id"] = str(uuid_for(DEVIATION, number))
    return JSONResponse(body)


def _subject(
    who: Caller, body: CommandBody, order_id: UUID | None, lot: str | None, equipment: str | None
) -> tuple[str | None, bool]:
    """The order's number, and whether the command is one for its process. 404 for what does not exist.

    It is, where the process runs and leads its deviations; and where it has judged this very command before it ended:
    a copy that comes later gets the same answer.
    """
    with who.services.engine.connect() as connection:
        if lot is not None and tables.material_of(connection, lot) is None:
            raise not_found("lot", lot)
        if equipment is not None and not tables.workstation_exists(connection, equipment):
            raise not_found("workstation", equipment)
        if order_id is None:
            return None, False
        target = targets.find(connection, ORDER, order_id)
        if target is None:
            raise not_found("production order", order_id)
        who.scope.check(who, target, body, who.id)
        before = outcomes.earlier(connection, body.command_id)
        if before is not None and before.order_number == target.order_number:
            return target.order_number, True
        state = OrderState(targets.state(connection, target) or OrderState.DRAFT)
        is_over = ORDER_MACHINE.is_final(state) or state == OrderState.CANCELLING
        is_led = policies.leads_deviations(connection, target.order_number)
        return target.order_number, is_led and not is_over
