"""One question about the genealogy, by any combination of filters; and the serial numbers of a lot."""

from collections import Counter
from collections.abc import Iterator
from datetime import time
from functools import lru_cache
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from fastapi import Depends, Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from api.deps import Caller, Reading, only
from api.errors import Problem
from api.neighbours import once
from api.routing import Router
from api.security import now
from api.shapes import Body, CommandBody, Identifier, Text, Time
from api.trace_scope import Looking, documents_inside, lots_inside, traced
from db import serials
from db.queries.trace import Direction
from db.queries.trace_graph import Filters, Shift, known, material_code, seeds
from domain.errors import Blocker
from domain.quantities import Exact

router = Router(prefix="/mes/traceabilities", tags=["traces"])
Registering = Annotated[
    Caller,
    Depends(only("registerSerials", "lot")),
]
ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
WAYS: Final[dict[str, Direction]] = {"upstream": "backward", "downstream": "forward", "both": "both"}


class GraphQuery(Body):
    """What is asked for. Any other name is refused: a filter that is misspelt must not widen the answer."""

    model_config = ConfigDict(extra="forbid")
    batch: Identifier | None = Field(None, description="number of a lot")
    operation: Identifier | None = Field(None, description="code of an operation")
    material: Identifier | None = Field(None, description="code or uuid of a material")
    person: Identifier | None = Field(None, description="user id, or the worker of a report")
    equipment: Identifier | None = Field(None, description="code of a workstation")
    parameter: Text | None = Field(None, description="name of a parameter of an operation")
    low: Exact | None = Field(None, description="lowest value of the parameter, included, in the parameter's unit")
    high: Exact | None = Field(None, description="highest value of the parameter, included")
    shift_start: ClockTime | None = Field(None, description="HH:MM on the plant's clock, included")
    shift_end: ClockTime | None = Field(None, description="HH:MM, not included; before shiftStart: the next day")
    time_zone: Identifier = Field("UTC", description="IANA name of the plant's time zone, for the shift")
    from_: Time | None = Field(None, alias="from", description="something happened to the seed from then on (included)")
    to: Time | None = Field(None, description="… and before then (not included)")
    direction: Literal["upstream", "downstream", "both"] = "both"
    since: Time | None = Field(None, description="walk only links from then on (included)")
    until: Time | None = Field(None, description="walk only links before then (not included)")
    limit: Annotated[int, Field(ge=1, le=10_000, description="the most seeds that are walked from")] = 1000


@router.get("/graph")
def graph(asked: Annotated[GraphQuery, Query()], reading: Reading, who: Looking) -> dict[str, Any]:
    """The lots that match all filters (`seeds`), and what they were made from, went into, or both.

    A seed is a lot of which one event (an operation, a report, a value, a machine's run, a move, a consumption)
    satisfies all filters at once. `complete` is false when there are more seeds than `limit`. Edges are net of returns.
    """
    _check_shape(asked)
    filters = _filters(reading, asked)
    _check_names(filters, known(reading, filters))
    found = seeds(reading, filters, asked.limit + 1)
    lots = lots_inside(reading, who, found[: asked.limit])
    around = traced(reading, who, lots, WAYS[asked.direction], asked.since, asked.until)
    echo = asked.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"direction", "limit"})
    return {
        "filters": echo, "direction": asked.direction, "seeds": lots, "complete": len(found) <= asked.limit,
        **documents_inside(reading, who, around),
    }  # fmt: skip


def _filters(reading: Connection, asked: GraphQuery) -> Filters:
    shift = None
    if asked.shift_start is not None and asked.shift_end is not None:
        bounds = (time.fromisoformat(asked.shift_start), time.fromisoformat(asked.shift_end))
        shift = Shift(*bounds, asked.time_zone)
    return Filters(
        batch=asked.batch, operation=asked.operation, person=asked.person, workstation=asked.equipment,
        material=None if asked.material is None else material_code(reading, asked.material),
        parameter=asked.parameter, low=asked.low, high=asked.high, shift=shift, start=asked.from_, end=asked.to,
    )  # fmt: skip


def _check_shape(asked: GraphQuery) -> None:
    """422 that names everything in the question that contradicts itself."""
    fields = [
        {"field": f"query.{field}", "problem": problem, "kind": "value_error"} for field, problem in _flaws(asked)
    ]
    if fields:
        detail = "; ".join(f"{field['field']}: {field['problem']}" for field in fields)
        raise Problem(422, "INVALID_REQUEST", detail, fields=fields)


def _flaws(asked: GraphQuery) -> Iterator[tuple[str, str]]:
    filters = (
        asked.batch, asked.operation, asked.material, asked.person, asked.equipment, asked.parameter,
        asked.low, asked.high, asked.shift_start, asked.shift_end, asked.from_, asked.to,
    )  # fmt: skip
    if all(value is None for value in filters):
        yield "batch", "at least one filter is needed: the whole plant is not a question"
    if asked.parameter is None and (asked.low, asked.high) != (None, None):
        yield "parameter", "low and high need the name of a parameter"
    if asked.low is not None and asked.high is not None and asked.low > asked.high:
        yield "high", "high is below low"
    if (asked.shift_start is None) != (asked.shift_end is None):
        yield "shiftEnd" if asked.shift_end is None else "shiftStart", "a shift needs both shiftStart and shiftEnd"
    elif asked.shift_start is not None and asked.shift_start == asked.shift_end:
        yield "shiftEnd", "a shift ends at another time than it starts; leave both out for the whole day"
    if asked.time_zone not in _zones():
        yield "timeZone", "not the name of a time zone, such as Europe/Ljubljana"
    for first, last, name in ((asked.from_, asked.to, "to"), (asked.since, asked.until, "until")):
        if first is not None and last is not None and last <= first:
            yield name, "the time range is empty: it ends before it starts"


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_names(filters: Filters, there: dict[str, bool]) -> None:
    """404 that names everything that the record does not know."""
    values = {
        "batch": filters.batch, "operation": filters.operation, "material": filters.material,
        "person": filters.person, "equipment": filters.workstation, "parameter": filters.parameter,
    }  # fmt: skip
    missing = [(name, str(values[name])) for name, found in there.items() if not found]
    if missing:
        blockers = [
            Blocker(code=f"UNKNOWN_{name.upper()}", entity=name, id=value, found="nothing", required="a known name")
            for name, value in missing
        ]
        detail = "; ".join(f"there is no {name} {value}" for name, value in missing)
        raise Problem(404, "NOT_FOUND", detail, blockers=blockers)


# GS1 General Specifications: a serial number, AI (21), is 1 to 20 characters of the GS1 AI encodable character set 82.
Serial = Annotated[str, Field(pattern=r"^[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}$")]


class SerialsBody(CommandBody):
    """Serial numbers of the pieces of a lot."""

    lot: Identifier
    serials: Annotated[tuple[Serial, ...], Field(min_length=1, max_length=1000)]


@router.post("/serials")
def register(body: SerialsBody, who: Registering) -> dict[str, Any]:
    """Register serial numbers of a lot, all of them or none, once. They are GS1 AI (21): 1 to 20 characters.

    409 UNKNOWN_LOT, SERIAL_TAKEN (a piece has it already), MORE_SERIALS_THAN_PIECES (of a lot counted in pieces).
    """
    twice = sorted(serial for serial, times in Counter(body.serials).items() if times > 1)
    if twice:
        field = {"field": "body.serials", "problem": f"named twice: {', '.join(twice)}", "kind": "value_error"}
        raise Problem(422, "INVALID_REQUEST", f"body.serials: {field['problem']}", fields=[field])
    found = once(
        body.command_id,
        lambda key: serials.register(who.services.engine, body.lot, body.serials, key=key, actor=who.id, at=now()),
    )
    return found.model_dump(mode="json", by_alias=True) | {"commandId": body.command_id}
