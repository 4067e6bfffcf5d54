"""Machines and rooms: how each of them stands, what it did, what may be done to it now; its papers and people."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool

from api.errors import not_found
from api.routing import Router
from api.scopes import Scope
from api.ui.ask import people
from api.ui.calls import read
from api.ui.direct import may_act, step_of
from api.ui.shell import PageRoute, context, page
from api.ui.svg import timeline
from api.ui.svg.timeline import Piece
from api.ui.ways_out import Place
from db import machine_states
from db.queries import equipment as tables
from db.queries import waiting
from db.session import reading
from domain.equipment import Item
from domain.equipment_states import (
    AVAILABILITY,
    CALIBRATION,
    CLEANING,
    QUALIFICATION,
    AvailabilityEvent,
    CalibrationEvent,
    CleaningEvent,
    QualificationEvent,
)
from wording.texts import Words
from wording.values import Clock

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 300
AXES: Final = ("availability", "cleaning", "calibration", "qualification")
DAYS: Final = (1, 7, 30)
ACTIVITIES: Final = ("use", "clean", "calibrate", "maintain", "fault", "idle", "outOfService")
CLEARANCE_ROWS: Final = 8
JOBS: Final = 20
STATES_SHOWN: Final = 60
STATES_READ: Final = 2000
_BAND: Final = {
    "execute": "use", "starting": "use", "unholding": "use", "unsuspending": "use", "completing": "use",
    "idle": "idle", "complete": "idle", "resetting": "idle", "suspended": "idle", "suspending": "idle",
    "held": "maintain", "holding": "maintain", "aborting": "fault", "aborted": "fault",
}  # fmt: skip
"""State of a machine → the colour of its piece; what is not named is out of service."""
LIVE: Final = "equipment,room,line-clearance"


def possible(item: Item) -> list[str]:
    """The acts (names of `api.ui.direct.ACTS`) that the four axes allow now, the likeliest first."""
    machines = (
        (CLEANING.possible(item.cleaning), {
            CleaningEvent.VERIFY: "verifyCleaning", CleaningEvent.START_CLEANING: "clean"}),
        (CALIBRATION.possible(item.calibration), {
            CalibrationEvent.ACCEPT: "reviewCalibration", CalibrationEvent.PERFORM: "calibrate"}),
        (AVAILABILITY.possible(item.availability), {
            AvailabilityEvent.RETURN_TO_SERVICE: "returnToService",
            AvailabilityEvent.START_MAINTENANCE: "startMaintenance", AvailabilityEvent.FAIL: "reportFault",
            AvailabilityEvent.RESERVE: "reserve", AvailabilityEvent.CANCEL_RESERVATION: "cancelReservation"}),
        (QUALIFICATION.possible(item.qualification), {
            QualificationEvent.QUALIFY: "qualify", QualificationEvent.RETIRE: "retire"}),
    )  # fmt: skip
    found = [name for events, names in machines for event, name in names.items() if event in events]
    # Nobody cleans, calibrates or keeps a batch out of what holds one; a room is not reserved.
    barred = {"clean", "calibrate"} if item.batch is not None else set()
    if item.maintenance_order is not None:  # which leads it, step by step
        barred |= {"startMaintenance", "returnToService"}
    if item.kind == "room":
        barred.add("reserve")
    of_room = {"clean": "cleanRoom", "verifyCleaning": "verifyRoom"} if item.kind == "room" else {}
    return [of_room.get(name, name) for name in found if name not in barred]


def dues(item: Item, at: datetime) -> list[tuple[str, datetime, bool]]:
    """What falls due when, and whether it has; the first due first."""
    named = (
        ("cleanUntil", item.clean_until), ("dirtyUntil", item.dirty_until),
        ("calibrationDueAt", item.calibration_due_at), ("qualifiedUntil", item.qualified_until),
    )  # fmt: skip
    return sorted(((name, due, due <= at) for name, due in named if due is not None), key=lambda one: one[1])


def pieces(rows: Iterable[Row[Any]], t: Words) -> list[Piece]:
    """Entries of the log as pieces of a band."""
    return [Piece(row.started_at, row.ended_at, row.activity, _told(row, t)) for row in rows]


def _told(row: Row[Any], t: Words) -> str:
    said = (t.of("activity", row.activity), row.batch, row.operation, row.person, row.detail)
    return " · ".join(part for part in said if part)


def _clock(request: Request) -> Clock:
    return Clock(request.app.state.services.settings.time_zone)


@router.get("/equipment")
async def listed(
    request: Request,
    kind: Annotated[str, Query(max_length=20)] = "",
    show: Annotated[str, Query(max_length=20)] = "",
    find: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Every machine and room; `show=attention`: those that somebody has to look at."""
    clock = _clock(request)
    end = clock.now()
    start = end - timedelta(hours=24)
    engine = request.app.state.services.engine

    def rows() -> tuple[list[Item], dict[str, list[Row[Any]]], list[Row[Any]]]:
        with reading(engine) as connection:
            found = tables.items(connection, None, SHOWN, request.state.session.plants, kind=kind or None)
            return (
                found, tables.activities(connection, [own.code for own in found], start), tables.classes(connection)
            )  # fmt: skip

    items, logs, classes = await run_in_threadpool(rows)
    wanted = find.strip().lower()
    shown = [
        own
        for own in items
        if wanted in f"{own.code} {own.name} {own.room} {own.line} {own.workstation} {own.batch or ''}".lower()
        and (show != "attention" or needs_somebody(own, end))
    ]
    t = context(request)["t"]
    bands = {
        own.code: timeline.band(
            pieces(logs[own.code], t), start, end, t("equipment.band", name=own.name, hours=24), height=14
        )
        for own in shown
    }  # fmt: skip
    return page(
        request, "equipment.html", items=shown, bands=bands, kind=kind, show=show, find=find, axes=AXES, live=LIVE,
        dues={own.code: dues(own, end) for own in shown}, may_act=lambda name: may_act(request, name),
        activities=ACTIVITIES, attention=sum(needs_somebody(own, end) for own in items), classes=classes,
        total=len(items),
    )  # fmt: skip


_WELL: Final = frozenset({"available", "inUse", "reserved", "clean", "calibrated", "notRequired", "qualified"})


def needs_somebody(item: Item, at: datetime) -> bool:
    """Whether something about it is due, waits for a second person, or is not as it should be."""
    states = (item.availability, item.cleaning, item.calibration, item.qualification)
    if item.availability == "outOfService":
        return False
    return any(str(state) not in _WELL for state in states) or any(past for _, _, past in dues(item, at))


@router.get("/equipment/{code}")
async def one(code: str, request: Request, days: Annotated[int, Query(ge=1, le=30)] = 1) -> Response:
    """One machine or room."""
    clock = _clock(request)
    end = clock.now().astimezone(clock.zone)
    start = end - timedelta(days=days)
    engine, plants = request.app.state.services.engine, request.state.session.plants

    def rows() -> tuple[Item | None, list[Row[Any]], list[Item], list[dict[str, Any]]]:
        with reading(engine) as connection:
            found = tables.item(connection, code)
            if found and plants is not None and found.plant and found.plant not in plants:
                found = None
            log = tables.activities(connection, [code], start)[code]
            inside = tables.items(connection, None, SHOWN, plants, room=code) if found and found.kind == "room" else []
            papers = tables.clearances(connection, None, code, 10) if found and found.kind == "room" else []
            return found, log, inside, papers

    item, log, inside, papers = await run_in_threadpool(rows)
    if item is None:
        raise not_found("equipment", code)
    jobs = await run_in_threadpool(_jobs, request, item)
    changes = await run_in_threadpool(_machine_states, request, item, start, end)
    t = context(request)["t"]
    drawn = timeline.timeline(
        pieces(log, t), start, end, t("equipment.band", name=item.name, hours=days * 24)
    )  # fmt: skip
    return page(
        request, "machine.html", item=item, drawn=drawn, days=days, ranges=DAYS, log=list(reversed(log))[:60],
        axes=AXES, dues=dues(item, end), live=f"{item.code},line-clearance", activities=ACTIVITIES,
        inside=inside, papers=papers, jobs=jobs, acts=_acts(request, item),
        may_act=lambda name: may_act(request, name), spent=_spent(log, start, end),
        flagged=sum(own.finding is not None for own in changes), changes=_flagged_first(changes)[:STATES_SHOWN],
        machine_band=_machine_band(changes, start, end, t("machine.band", name=item.name, hours=days * 24), t),
    )  # fmt: skip


def _jobs(request: Request, item: Item) -> list[dict[str, Any]]:
    """The operations that stand at the workstation of a machine, of orders that the person may see."""
    if not item.workstation:
        return []
    session = request.state.session
    inside = Scope(session.plants, session.lines).orders()
    with reading(request.app.state.services.engine) as connection:
        here = waiting.OPERATIONS.c.workstation == item.workstation
        return waiting.operations(connection, [*inside, here], limit=JOBS)


def _machine_states(request: Request, item: Item, start: datetime, end: datetime) -> list[Row[Any]]:
    """What the machine said of itself between two times, with the state that it came with; the oldest first."""
    if not item.workstation:
        return []
    with reading(request.app.state.services.engine) as connection:
        found = machine_states.changes_of(connection, item.workstation, start, end, STATES_READ)[::-1]
        before = machine_states.state_before(connection, item.workstation, start)
    return found if before is None else [before, *found]


def _flagged_first(changes: Sequence[Row[Any]]) -> list[Row[Any]]:
    """The newest first, and before them all that somebody should look at."""
    newest = list(reversed(changes))
    return [own for own in newest if own.finding] + [own for own in newest if not own.finding]


def _machine_band(changes: Sequence[Row[Any]], start: datetime, end: datetime, label: str, t: Words) -> str:
    return timeline.band(_state_pieces(changes, t), start, end, label) if changes else ""


def _state_pieces(changes: Sequence[Row[Any]], t: Words) -> list[Piece]:
    """States as pieces of a band; what is flagged is red, whatever the state is."""
    ends = [*(own.at for own in changes[1:]), None]
    return [
        Piece(own.at, end, "fault" if own.finding else _BAND.get(own.state, "outOfService"), _state_told(own, t))
        for own, end in zip(changes, ends, strict=True)
    ]


def _state_told(row: Row[Any], t: Words) -> str:
    name = t.of("machineState", row.state) if row.state else f"{row.profile} {row.number}"
    return f"{name} · {t.of('machineFinding', row.finding)}" if row.finding else name


def _acts(request: Request, item: Item) -> list[tuple[str, str]]:
    """What the person may do to it now: the act, and the address of it."""
    return [(name, f"/equipment/{item.code}/{step_of(name)}") for name in possible(item) if may_act(request, name)]


def _spent(log: Sequence[Row[Any]], start: datetime, end: datetime) -> dict[str, float]:
    """Activity → its share of the time between two times, in percent; the largest first."""
    spent: dict[str, float] = {}
    for row in log:
        seconds = (min(row.ended_at or end, end) - max(row.started_at, start)).total_seconds()
        spent[row.activity] = spent.get(row.activity, 0.0) + max(0.0, seconds)
    whole = (end - start).total_seconds()
    shares = {name: 100 * seconds / whole for name, seconds in spent.items()}
    return dict(sorted(shares.items(), key=lambda one: -one[1]))


@router.get("/line-clearances")
async def clearances(
    request: Request,
    room: Annotated[str, Query(max_length=80)] = "",
    batch: Annotated[str, Query(max_length=80)] = "",
    product: Annotated[str, Query(max_length=80)] = "",
    operation: Annotated[str, Query(max_length=80)] = "",
    work_order: UUID | None = None,
) -> Response:
    """Line clearances, newest first, and the form of a new one; the parameters fill it in.

    With a work order the form asks for what its operation requires, as it was frozen into the order.
    """
    required = await _required(request, work_order, operation)
    found = await read(
        request, "/line-clearances", batch=batch or None, room=room if room and not batch else None, limit=100
    )
    rooms = await read(request, "/equipment", kind="room", limit=1000)
    return page(
        request, "clearances.html", papers=found["lineClearances"], room=room, batch=batch, product=product,
        operation=operation, live="line-clearance",
        rooms=[(own["code"], f"{own['name']} ({own['code']})") for own in rooms["equipment"]],
        may_act=lambda name: may_act(request, name), required=required,
        rows=len(required) + 2 if required else CLEARANCE_ROWS,
    )  # fmt: skip


async def _required(request: Request, work_order: UUID | None, operation: str) -> list[str]:
    if work_order is None or not operation:
        return []
    told = await read(request, f"/mes/work-orders/{work_order}/operations/{quote(operation, safe='')}/instructions")
    items: list[str] = told["clearance"]
    return items


@router.get("/training")
async def training(request: Request, person: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Who may do what until when; newest records first."""
    found = await read(request, "/training-records", person=person or None, limit=500)
    known = await run_in_threadpool(people, request)
    newest: set[tuple[str, str]] = set()
    for own in found["trainingRecords"]:
        key = (own["person"], own["qualification"])
        own["counts"] = key not in newest
        newest.add(key)
    return page(
        request, "training.html", records=found["trainingRecords"], person=person, people=known, names=dict(known),
        may_act=lambda name: may_act(request, name), live="user",
    )  # fmt: skip


@router.get("/readiness/{work_order_id}/{code}")
async def readiness(
    work_order_id: UUID, code: str, request: Request, person: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """Whether an operation could start now, by whom, and everything that stands in its way."""
    path = f"/mes/work-orders/{work_order_id}/operations/{code}/readiness"
    found = await read(request, path, person=person or None)
    document = await read(request, f"/mes/work-orders/{work_order_id}")
    operation = next((own for own in document["operations"] if own["code"] == code), None)
    return page(
        request, "readiness.html", found=found, document=document, operation=operation, work_order_id=work_order_id,
        place=Place(str(work_order_id), code, document["outputLot"] or "", document["material"]),
        people=await run_in_threadpool(people, request), person=found["person"],
        live=f"{document['orderNumber']},{LIVE}",
        may_act=lambda name: may_act(request, name),
    )  # fmt: skip
