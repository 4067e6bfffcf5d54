"""The form of any command: made from the command itself, so that a new one has a form as soon as it has a route."""

import types
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final, Union, get_args, get_origin

from fastapi import FastAPI, Query, Request, Response
from sqlalchemy import select

from api.errors import Problem
from api.gate import PREFIX
from api.permissions import COMMAND_ROUTES
from api.routing import Router
from api.ui.actions import action, safe_back
from api.ui.language import language_of
from api.ui.shell import PageRoute, page
from db.session import reading
from db.tables import Place, UserAccount, core
from domain import case_commands as cc
from domain import commands as c
from domain import maintenance_commands as mc
from wording.texts import Words

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

KINDS: Final = {kind.kind_name(): kind for kind in (*c.COMMANDS, *cc.CASE_COMMANDS, *mc.MAINTENANCE_COMMANDS)}
_BASE: Final = frozenset(c.Command.model_fields) | {"kind", "work_order", "operation", "scans", "typed"}
_LONG: Final = frozenset(
    {"impact", "report", "evidence", "finding", "root_cause", "text", "decision", "action", "detail"}
)
REASONED: Final = frozenset(
    {
        "rejectOrder", "holdOrder", "cancelOrder", "pauseWorkOrder", "pauseOperation", "correctParameter",
        "reverseReport", "returnBatchRecord", "rejectRework", "reopenDeviation", "voidDeviation",
        "sendBackConclusion", "extendCapa", "reduceQuantity", "splitOrder", "justifyException", "returnMaterials",
        "voidContainer", "chooseLots", "changeOrder", "requestOrderChange", "rejectOrderChange",
        "rejectRecovery", "requestRecovery",
    }
)  # fmt: skip
"""Commands that are refused without a reason; with others it may be given."""
PLACES: Final = {"putAway": ("quarantine", "released"), "releaseBatch": ("released",)}
"""Zones of the places that are proposed."""


@dataclass(frozen=True)
class Field:
    """One field of a form. `name` as `api.ui.forms` reads it; `kind`: text, area, number, time, list, bool, choice."""

    name: str
    label: str
    kind: str
    required: bool
    options: tuple[str, ...] = ()
    value: str = ""


@lru_cache(maxsize=128)
def fields_of(command: str) -> tuple[Field, ...]:
    """The fields that a person fills in; those that are given with the address of the form are left out later."""
    return tuple(_fields(KINDS[command]))


def _fields(kind: type[c.Command]) -> Iterator[Field]:
    for name, info in kind.model_fields.items():
        if name in _BASE:
            continue
        alias = info.alias or name
        typ, is_optional = _bare(info.annotation)
        field = _field(alias, name, typ, required=info.is_required() and not is_optional)
        if field is not None:
            yield field


def _bare(annotation: Any) -> tuple[Any, bool]:
    """A type without `| None` and what annotates it."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        own = [part for part in get_args(annotation) if part is not type(None)]
        return _bare(own[0])[0], True
    return annotation, False


def _field(alias: str, name: str, typ: Any, *, required: bool) -> Field | None:
    label = f"field.{alias}"
    if typ is bool:
        return Field(f"{alias}:bool", label, "bool", required)
    if typ is int:
        return Field(f"{alias}:int", label, "number", required)
    if typ is Decimal:
        return Field(f"{alias}:number", label, "number", required)
    if typ is datetime:
        return Field(f"{alias}:time", label, "time", required)
    if isinstance(typ, type) and issubclass(typ, StrEnum):
        return Field(alias, label, "choice", required, tuple(str(one) for one in typ))
    if get_origin(typ) is tuple and get_args(typ)[0] is str:
        return Field(f"{alias}:list", label, "list", required)
    if typ is str:
        return Field(alias, label, "area" if name in _LONG else "text", required)
    return None


def body_of_route(app: FastAPI, command: str) -> tuple[frozenset[str], frozenset[str]]:
    """What the route of a command takes, and what of it is required; the address gives the rest."""
    document = app.openapi()
    body = document["paths"][PREFIX + route_of(command)]["post"]["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in body:
        body = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    return frozenset(body.get("properties", ())), frozenset(body.get("required", ()))


@router.get("/ask/{command}")
def ask(
    command: str, request: Request, path: Annotated[str, Query(max_length=300)], back: str = "/ui/", title: str = ""
) -> Response:
    """The form of a command about the object of `path`. Further parameters fill fields in, and are not shown."""
    if command not in KINDS or action(path)[0] != command:
        raise Problem(404, "NOT_FOUND", f"{path} is no address of {command}")
    given = {name: value for name, value in request.query_params.items() if name not in ("path", "back", "title")}
    taken, required = body_of_route(request.app, command)
    known = {name.partition(":")[0] for name in given}
    asked = [one for one in fields_of(command) if (name := one.name.partition(":")[0]) in taken and name not in known]
    needs_reason = command in REASONED or "reason" in required or given.get("accept:bool") == "false"
    return page(
        request, "ask.html", command=command, action=path, back=safe_back(back), given=given, asked=asked, title=title,
        needs_reason=needs_reason, command_id=uuid.uuid4().hex,
        places=_places(request, command),
        people=people(request) if any(one.name == "owner" for one in asked) else [],
    )  # fmt: skip


def _places(request: Request, command: str) -> list[tuple[str, str]]:
    zones = PLACES.get(command)
    return [] if zones is None else places_in(request, zones)


def places_in(request: Request, zones: Sequence[str]) -> list[tuple[str, str]]:
    """The places of some zones, for a list to choose from: (code, name with its zone)."""
    language = language_of(request)
    t, named = Words(language), request.app.state.named.of(language)
    places = core(Place)
    with reading(request.app.state.services.engine) as connection:
        rows = connection.execute(select(places).where(places.c.zone.in_(zones)).order_by(places.c.zone, places.c.code))
        return [(row.code, f"{named('place', row.code, row.name)} ({t.of('zone', row.zone)})") for row in rows]


def people(request: Request) -> Sequence[tuple[str, str]]:
    """Everybody who works here, for a list to choose from: (id, name)."""
    users = core(UserAccount)
    with reading(request.app.state.services.engine) as connection:
        rows = connection.execute(
            select(users.c.id, users.c.full_name)
            .where(users.c.is_active, users.c.is_person)
            .order_by(users.c.full_name)
        )
        return [(row.id, f"{row.full_name} ({row.id})") for row in rows]


@lru_cache(maxsize=128)
def route_of(command: str) -> str:
    """The address of a command, with its placeholders. Raises KeyError when it has none."""
    for route, kind in COMMAND_ROUTES.items():
        if kind.kind_name() == command:
            return route
    raise KeyError(command)
