"""How plants write their lot numbers: patterns with their versions, the next number, what a number says."""

import uuid
from itertools import groupby
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool

from api.clock import now
from api.routing import Router
from api.ui.actions import Form, problem_of
from api.ui.calls import call
from api.ui.forms import body_of
from api.ui.shell import PageRoute, context, flash, page, refused
from db.queries import numbers
from db.session import reading
from domain.numbering import compile_pattern

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
HERE: Final = "/ui/master/numbers"
KINDS: Final = ("raw", "semiFinished", "finished")
Document = dict[str, Any]


@router.get("/master/numbers")
async def patterns(
    request: Request,
    number: Annotated[str, Query(max_length=80)] = "",
    plant: Annotated[str, Query(max_length=80)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Every pattern; what `number` says by them; the form of the next version of a `plant` and `kind`."""
    found = await run_in_threadpool(_patterns, request)
    asked = number.strip()
    said = await call(request, "GET", "/mes/traceabilities/parse-batch-no", query={"number": asked}) if asked else None
    newest = next((one for one in found if (one["plant"], one["kind"]) == (plant, kind)), None)
    return page(
        request, "number_patterns.html", patterns=found, number=asked, live="", kinds=KINDS, plant=plant, kind=kind,
        says=said.document if said is not None and said.accepted else None,
        problem=problem_of(said) if said is not None and not said.accepted else None,
        newest=newest, version=newest["version"] + 1 if newest else 1, command_id=uuid.uuid4().hex,
        plants=sorted({one["plant"] for one in found}), parts={name for one in found for name in one["parts"]},
    )  # fmt: skip


def _patterns(request: Request) -> list[Document]:
    """Of each plant and kind what counts, with the versions before it."""
    with reading(request.app.state.services.engine) as connection:
        rows, given = numbers.patterns(connection), numbers.given_counts(connection)
    return [
        _shown(list(versions), given)
        for _, versions in groupby(rows, key=lambda row: (row.plant, row.kind))
    ]  # fmt: skip


def _shown(versions: list[Row[Any]], given: dict[tuple[str, str, int], int]) -> Document:
    newest, *before = versions
    pattern = compile_pattern(newest.pattern)
    return {
        "plant": newest.plant, "kind": newest.kind, "version": newest.version, "pattern": newest.pattern,
        "parts": pattern.parts, "example": pattern.example(now().date()), "given": given.get(tuple(newest[:3]), 0),
        "before": [
            {"version": row.version, "pattern": row.pattern, "given": given.get(tuple(row[:3]), 0)} for row in before
        ],
    }  # fmt: skip


@router.post("/master/numbers/next")
async def next_number(request: Request, form: Form) -> Response:
    """Give the next number of a pattern, `of`: plant and kind. It is on record and never given again."""
    fields = [(name, str(value)) for name, value in form.multi_items() if name != "of"]
    body = body_of(fields, ZoneInfo(request.app.state.services.settings.time_zone))
    plant, _, kind = str(form.get("of") or "").rpartition("/")
    answer = await call(request, "POST", "/mes/traceabilities/generate-batch-no", body | {"plant": plant, "kind": kind})
    if not answer.accepted:
        return refused(request, problem_of(answer))
    given = answer.document["batchNo"]
    response = RedirectResponse(HERE, 303)
    flash(response, "good", context(request)["t"]("numbers.given", number=given))
    return response
