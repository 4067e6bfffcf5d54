"""Exceptions of the plant in one inbox: deviations, out-of-specification results, corrective actions; and each one."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.clock import now
from api.errors import not_found
from api.routing import Router
from api.scopes import Scope
from api.ui.ask import KINDS, route_of
from api.ui.calls import Unanswered, call
from api.ui.severity import RANK
from api.ui.shell import PageRoute, page, roles_of
from db.queries import cases, quality
from db.queries.record_people import names
from db.queries.scopes import CASES
from db.session import reading
from domain.base import uuid_for
from wording.values import moment

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 200
KINDS_SHOWN: Final = ("deviation", "outOfSpecification", "capa")
LINES: Final = {
    "deviation": ("open", "classified", "investigation", "proposed", "qaApproved", "closed"),
    "outOfSpecification": ("detected", "laboratoryPhase1", "phase2", "confirmed", "closed"),
    "capa": ("draft", "approved", "inProgress", "implemented", "effectivenessCheck", "closedEffective"),
}  # fmt: skip
"""The usual way of each kind of case; a state beside it is shown in the place of the one it stands for."""
_BESIDE: Final = {
    "reopened": 0, "voided": -1, "laboratoryErrorProven": 2, "retest": 2, "notConfirmed": 3, "ineffective": -1,
}  # fmt: skip
_ASIDE: Final = frozenset({"voidDeviation", "reopenDeviation", "sendBackConclusion", "extendCapa"})
_OF_OWNER: Final = frozenset({"proposeConclusion", "concludeOutOfSpecification", "startCapa", "implementCapa"})
_EMPTY: Final = dict.fromkeys(("orderNumber", "lot", "equipment", "source", "dueAt", "owner"))
"""What not every kind of case has."""
Document = dict[str, Any]


def kind_of(case: Mapping[str, Any]) -> str:
    """deviation, outOfSpecification or capa."""
    if case["kind"] == "capa":
        return "capa"
    return "outOfSpecification" if case.get("outOfSpecification") else "deviation"


@router.get("/exceptions")
async def listed(
    request: Request,
    kind: Annotated[str, Query(max_length=20)] = "",
    show: Annotated[str, Query(max_length=20)] = "",
    order: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """The inbox: overdue ones first, then the worst, then the oldest. `show`: open, mine or all."""
    every = await run_in_threadpool(_cases, request, order.strip(), show)
    counts = {name: sum(1 for one in every if one["what"] == name) for name in KINDS_SHOWN}
    found = [one for one in every if kind in ("", one["what"])]
    return page(
        request, "exceptions.html", cases=found, counts=counts, kind=kind, show=show, order=order.strip(),
        kinds=KINDS_SHOWN, overdue=sum(1 for one in every if one["overdue"]), total=len(every), shown=SHOWN,
        live="deviation,capa,production-order",
    )  # fmt: skip


def _cases(request: Request, order: str, show: str) -> list[Document]:
    session = request.state.session
    inside = [*Scope(session.plants, session.lines).orders(CASES.c.order_number), CASES.c.kind != "maintenance"]
    if show != "all":
        inside = [*inside, CASES.c.is_over.is_(False)]
    if order:
        inside = [*inside, CASES.c.order_number == order]
    with reading(request.app.state.services.engine) as connection:
        found = [_of_case(own) for own in cases.page(connection, SHOWN, inside)]
        found += _simple(request, connection, order, show)
        people = names(connection, {"own": found, "ownersBy": [own["owner"] for own in found if own["owner"]]})
    mine = [own for own in found if show != "mine" or _is_mine(own, session)]
    return sorted((own | {"people": people} for own in mine), key=_first)


def _of_case(own: Document) -> Document:
    specific = own.get("dueAt")
    return _EMPTY | own | {
        "what": kind_of(own), "severity": own.get("classification") or "", "address": own["id"],
        "overdue": own["overdue"] or (specific is not None and not own.get("implementedBy") and _is_past(specific)),
        "asks": _in_order(own),
    }  # fmt: skip


def _is_past(value: str) -> bool:
    at = moment(value)
    return at is not None and at < now()


def _simple(request: Request, connection: Any, order: str, show: str) -> Iterable[Document]:
    """Deviations of plants whose deviations have no process of their own: one decision of quality."""
    session = request.state.session
    inside = [*Scope(session.plants, session.lines).orders(quality.DEVIATIONS.c.order_number)]
    inside.append(quality.DEVIATIONS.c.has_process.is_(False))
    if show != "all":
        inside.append(quality.DEVIATIONS.c.state == "open")
    found = quality.deviations(connection, order or None, None, SHOWN, inside)
    held = quality.held(connection, [(own["workOrder"], own["operation"]) for own in found])
    for own in found:
        yield simple(own, is_held=(own["workOrder"], own["operation"]) in held)


def simple(own: Document, *, is_held: bool) -> Document:
    """A deviation without a process, as a case is shown. One that holds an operation is decided by its release."""
    asks = ["releaseOperationHold"] if is_held else ["decideDeviation"]
    return _EMPTY | own | {
        "kind": "deviation", "what": "outOfSpecification" if own["code"] == "OUT_OF_SPECIFICATION" else "deviation",
        "severity": "", "address": own["number"], "overdue": False, "owner": None,
        "asks": asks if own["state"] == "open" and own["orderNumber"] else [],
    }  # fmt: skip


def _is_mine(own: Mapping[str, Any], session: Any) -> bool:
    """Whether the person has to do something about it: by role, or as its owner."""
    for name in own["asks"]:
        is_owners = name in _OF_OWNER and own["owner"] is not None
        if own["owner"] == session.user_id if is_owners else not roles_of(name).isdisjoint(session.roles):
            return True
    return False


def _first(own: Mapping[str, Any]) -> tuple[bool, int, datetime]:
    return not own["overdue"], RANK[own["severity"]], moment(own["openedAt"]) or now()


@router.get("/exceptions/{address}")
async def one(address: str, request: Request) -> Response:
    """One case: how it stands, what has happened, what can be done now and by whom."""
    try:
        identity = UUID(address)
    except ValueError:
        return await _plain(request, address)
    answer = await call(request, "GET", f"/quality/deviations/{identity}")
    if answer.status == 404:
        capa = await call(request, "GET", f"/quality/capas/{identity}")
        answer = answer if capa.status == 404 else capa
    if not answer.accepted:
        raise Unanswered(answer)
    own = _of_case(answer.document)
    people = await run_in_threadpool(_people, request, own)
    acts = [(name, path_of(own, name), sorted(roles_of(name)), _owner_of(own, name)) for name in _in_order(own)]
    return page(
        request, "case.html", case=own, line=_line(own["what"], own["state"]), acts=acts, people=people,
        capa_ids={number: str(uuid_for("capa", number)) for number in own.get("capas", {})},
        order_id=_order_id(own), live=own["number"], source_id=_source_id(own),
    )  # fmt: skip


def _in_order(own: Mapping[str, Any]) -> list[str]:
    """What is possible, what the case waits for first: an action without an owner has to be planned."""
    is_unplanned = own["kind"] == "capa" and own["owner"] is None
    return sorted(own["possible"], key=lambda name: (name in _ASIDE, is_unplanned and name != "planCapa"))


def _people(request: Request, own: Document) -> dict[str, str]:
    owners = {"ownerBy": own.get("owner"), "approvedBy": list((own.get("approvals") or {}).values())}
    assigned = [
        event["owner"] for fact in own.get("history", ()) for event in fact["events"] if event.get("owner")
    ]  # fmt: skip
    with reading(request.app.state.services.engine) as connection:
        return names(connection, {"own": own, "more": owners, "assignedBy": assigned})


def path_of(own: Mapping[str, Any], command: str) -> str:
    """Where a command about a case goes."""
    kind = "capa_id" if own["kind"] == "capa" else "deviation_id"
    return route_of(command).format(**{kind: own["id"]}) if command in KINDS else ""


def _owner_of(own: Mapping[str, Any], command: str) -> str | None:
    return own.get("owner") if command in _OF_OWNER else None


def _order_id(own: Mapping[str, Any]) -> str:
    number = own.get("orderNumber")
    return str(uuid_for("production-order", number)) if number else ""


def _source_id(own: Mapping[str, Any]) -> str:
    """A corrective action that comes out of a deviation names it."""
    source = str(own.get("source") or "")
    return str(uuid_for("deviation", source)) if "-D" in source or "-QD" in source else ""


def _line(what: str, state: str) -> list[tuple[str, str]]:
    """(state, past, now or later) of a case's way; where it left the usual way, the state that it has stands there."""
    way = list(LINES[what])
    if state not in way:
        place = _BESIDE.get(state, 0)
        way[place] = state
    at = way.index(state)
    is_over = at == len(way) - 1
    return [(name, "past" if place < at or is_over else "now" if place == at else "") for place, name in enumerate(way)]


async def _plain(request: Request, number: str) -> Response:
    """A deviation that one decision closes: of its order, or of the operation that it holds."""

    def find() -> tuple[Document, dict[str, str]] | None:
        session = request.state.session
        column = quality.DEVIATIONS.c
        inside = [*Scope(session.plants, session.lines).orders(column.order_number), column.number == number]
        with reading(request.app.state.services.engine) as connection:
            rows = quality.deviations(connection, None, None, 1, inside)
            if not rows:
                return None
            held = quality.held(connection, [(rows[0]["workOrder"], rows[0]["operation"])])
            return simple(rows[0], is_held=bool(held)), names(connection, rows[0])

    found = await run_in_threadpool(find)
    if found is None:
        raise not_found("deviation", number)
    own, people = found
    order_id = _order_id(own)
    return page(
        request, "deviation.html", case=own, people=people, order_id=order_id, live=own["orderNumber"] or number,
        work_order_id=str(uuid_for("work-order", own["workOrder"])) if own["workOrder"] else "",
    )  # fmt: skip
