"""Master batch records: their versions, a form to write a draft, two signatures, what changed, what uses one."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.errors import Problem
from api.roles import Role
from api.ui import refusals
from api.ui.actions import Form, problem_of
from api.ui.calls import call, read
from api.ui.direct import may_act, step_of
from api.ui.forms import body_of
from api.ui.pictures import uploaded
from api.ui.record_form import at_the_place, content_of, faults_at, rows
from api.ui.shell import PageRoute, context, flash, may, page, refused
from db.queries import master_batch_records as records
from db.queries import master_screens as tables
from db.session import reading
from domain.master_batch_record import MasterBatchRecordBody
from domain.master_record_states import MasterBatchRecordState as State
from domain.rules.master_batch_record import ROLE_OF

router = APIRouter(prefix="/ui/master/records", route_class=PageRoute, include_in_schema=False)
USED: Final = 50
ACTS: Final[Mapping[str, str]] = {
    "submit": "submitRecord", "approve": "approveRecord", "reject": "rejectRecord",
    "makeEffective": "makeRecordEffective", "withdraw": "withdrawRecord",
}  # fmt: skip
"""Event of the state machine → act of `api.ui.direct`."""
LIVE: Final = "master-batch-record"


@router.get("")
async def listed(
    request: Request,
    product: Annotated[str, Query(max_length=80)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Versions by product."""
    known = state if state in set(State) else None
    found = await read(request, "/master-batch-records", product=product or None, state=known, limit=1000)
    return page(
        request, "records.html", records=found["masterBatchRecords"], product=product, state=state, live=LIVE,
        states=list(State), products=await run_in_threadpool(_products, request),
        more=found["next"] is not None,
    )  # fmt: skip


def _products(request: Request) -> list[tuple[str, str]]:
    with reading(request.app.state.services.engine) as connection:
        return tables.products(connection)


@router.get("/new")
async def new(
    request: Request,
    product: Annotated[str, Query(max_length=80)] = "",
    copy: UUID | None = None,
) -> Response:
    """A new version: of a product, or as a copy of another version."""
    if copy is not None:
        found = await read(request, f"/master-batch-records/{copy}")
        draft = {"product": found["product"], "content": found["content"], "basis": found["version"]}
        return await _form(request, draft)
    if not product:
        return page(request, "record_new.html", products=await run_in_threadpool(_products, request))
    bom, route = await run_in_threadpool(_effective, request, product)
    content = {"billOfMaterialVersion": bom, "routeVersion": route or ""}
    return await _form(request, {"product": product, "content": content})


def _effective(request: Request, product: str) -> tuple[str | None, str | None]:
    with reading(request.app.state.services.engine) as connection:
        return tables.effective_versions(connection, product, datetime.now(UTC))


@router.get("/{record_id}")
async def one(record_id: UUID, request: Request) -> Response:
    """One version: what it says, who signed it, what may be done with it, what is made by it."""
    found = await read(request, f"/master-batch-records/{record_id}")
    faults = []
    if found["state"] in (State.DRAFT, State.IN_REVIEW):
        faults = (await read(request, f"/master-batch-records/{record_id}/validation"))["faults"]

    def used() -> list[dict[str, Any]]:
        with reading(request.app.state.services.engine) as connection:
            return tables.orders_by_record(connection, found["product"], found["version"], USED)

    versions = await read(request, "/master-batch-records", product=found["product"], limit=1000)
    others = [own for own in versions["masterBatchRecords"] if own["id"] != found["id"]]
    return page(
        request, "record.html", record=found, content=found["content"], faults=faults, others=others,
        at=faults_at(faults, f"{found['product']}/{found['version']}"), used=await run_in_threadpool(used),
        most_used=USED, acts=_acts(request, found), may_act=lambda name: may_act(request, name), live=LIVE,
        may_write=may(request, "writeMasterBatchRecord"),
        heads=[(str(head), role) for head, role in ROLE_OF.items()],
    )  # fmt: skip


def _acts(request: Request, found: Mapping[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """What the person may do now: the act, its address, what goes along. A head who has signed is asked no more."""
    signing = {head: role for head, role in ROLE_OF.items() if head in found["stillNeeded"]}
    is_head = any(role in request.state.session.roles for role in signing.values())
    acts = []
    for event in found["possible"]:
        name = ACTS.get(event, "")
        if not name or not may_act(request, name) or (name == "approveRecord" and not is_head):
            continue
        given = {"contentHash": found["contentHash"]} if name == "approveRecord" else {}
        acts.append((name, f"/master-batch-records/{found['id']}/{step_of(name)}", given))
    return acts


@router.get("/{record_id}/export")
async def export(record_id: UUID, request: Request) -> Response:
    """The version as a file that another system can take."""
    found = await read(request, f"/master-batch-records/{record_id}/export")
    headers = {"content-disposition": f'attachment; filename="{_file_name(found)}.json"'}
    return JSONResponse(found, headers=headers)


@router.get("/{record_id}/export-batchml")
async def export_batchml(record_id: UUID, request: Request) -> Response:
    """The version as a BatchML file, for systems that do not know our own form."""
    found = await read(request, f"/master-batch-records/{record_id}")
    answer = await call(request, "GET", f"/master-batch-records/{record_id}/export-batchml")
    if not answer.accepted:
        return refused(request, problem_of(answer))
    headers = {"content-disposition": f'attachment; filename="{_file_name(found)}.xml"'}
    return Response(answer.body, media_type="application/xml", headers=headers)


def _file_name(found: Mapping[str, Any]) -> str:
    return "".join(char if char.isalnum() or char in "-." else "_" for char in f"{found['product']}-{found['version']}")


@router.get("/{record_id}/compare/{other_id}")
async def compare(record_id: UUID, other_id: UUID, request: Request) -> Response:
    """Two versions side by side."""
    found = await read(request, f"/master-batch-records/{record_id}/differences/{other_id}")
    return page(
        request, "record_compare.html", before=found["before"], after=found["after"], changes=found["differences"]
    )


@router.get("/{record_id}/edit")
async def edit(record_id: UUID, request: Request) -> Response:
    """A draft as a form. What is no draft is refused here already: it is never edited."""
    found = await read(request, f"/master-batch-records/{record_id}")
    if found["state"] != State.DRAFT:
        raise Problem(409, "VERSION_LOCKED", f"{found['product']}/{found['version']} is {found['state']}")
    faults = await read(request, f"/master-batch-records/{record_id}/validation")
    return await _form(request, dict(found), faults=faults["faults"])


async def _form(
    request: Request, draft: dict[str, Any], *, faults: Any = (), errors: Mapping[str, str] | None = None,
    problem: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    content = draft["content"]
    operations, lines, names = await run_in_threadpool(_recipe, request, draft["product"], content)
    return page(
        request, "record_edit.html", int(problem["status"]) if problem else 200, draft=draft, names=names,
        content=rows(content, operations, lines), errors=errors or {}, problem=problem,
        at=faults_at(faults, f"{draft['product']}/{draft.get('version', '')}"), faults=faults,
    )  # fmt: skip


def _why(request: Request, problem: Mapping[str, Any]) -> str:
    """What is wrong with one thing, in the person's language: found and required."""
    t = context(request)["t"]
    words = [
        f"{refusals.text(t, own['found'])} → {refusals.text(t, own['required'])}" for own in problem.get("blockers", ())
    ]
    return "; ".join(words) or t.of("code", problem["code"])


def _recipe(
    request: Request, product: str, content: Mapping[str, Any]
) -> tuple[list[str], dict[int, str], dict[str, list[Any]]]:
    """Operations and lines that the named versions have, and the versions there are."""
    try:
        named = MasterBatchRecordBody.model_validate(
            {name: content.get(name) or None for name in ("billOfMaterialVersion", "routeVersion")}
        )
    except ValidationError:
        named = None
    with reading(request.app.state.services.engine) as connection:
        there = tables.versions(connection, product)
        found = records.recipe(connection, product, named)[0] if named is not None else None
    operations = [own.code for own in found.operations] if found is not None else []
    return operations, dict(found.lines) if found is not None else {}, there


@router.post("/import")
async def take(request: Request, form: Form) -> Response:
    """An exported version, with its pictures, as a draft here; under another version if one is given."""
    chosen = form.get("file")
    content = b""
    if isinstance(chosen, UploadFile):
        content = await chosen.read()
        await chosen.close()
    is_xml = content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    try:
        document = content.decode("utf-8-sig") if is_xml else json.loads(content)
    except ValueError:
        raise Problem(422, "INVALID_REQUEST", "the file is no exported master batch record") from None
    body = {"commandId": form.get("commandId"), "document": document, "version": str(form.get("version") or "") or None}
    answer = await call(request, "POST", f"/master-batch-records/import{'-batchml' if is_xml else ''}", body)
    if not answer.accepted:
        return refused(request, problem_of(answer))
    t = context(request)["t"]
    response = RedirectResponse(f"/ui/master/records/{answer.document['id']}", 303)
    flash(response, "good", t("said.done", what=f"{answer.document['product']} / {answer.document['version']}"))
    return response


@router.post("/save")
async def save(request: Request, form: Form) -> Response:
    """Write a new version or a draft's new content. What is wrong is said at its place, and nothing is lost."""
    if not may(request, "writeMasterBatchRecord"):
        raise Problem(403, "NOT_AUTHORISED", f"only a {Role.PROCESS_ENGINEER} writes master batch records")
    fields, unfit = await uploaded(request, form)
    body = body_of(fields, ZoneInfo(request.app.state.services.settings.time_zone))
    identity = body.pop("recordId", None)
    filled = body.get("content") or {}
    content, places = content_of(filled)
    if unfit is not None:
        draft = body | {"content": filled, "id": identity, "contentHash": body.get("basedOn")}
        return await _form(request, draft, errors={unfit["field"]: _why(request, unfit)}, problem=unfit)
    path = "/master-batch-records" + (f"/{UUID(identity)}" if identity else "")
    answer = await call(request, "PUT" if identity else "POST", path, body | {"content": content})
    if not answer.accepted:
        problem = problem_of(answer)
        if problem["status"] != 422:
            return refused(request, problem)
        draft = body | {"content": filled, "id": identity, "contentHash": body.get("basedOn")}
        errors = at_the_place(problem.get("fields", ()), places)
        return await _form(request, draft, errors=errors, problem=problem)
    t = context(request)["t"]
    response = RedirectResponse(f"/ui/master/records/{answer.document['id']}", 303)
    flash(response, "good", t("said.done", what=f"{answer.document['product']} / {answer.document['version']}"))
    return response
