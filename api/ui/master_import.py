"""Master data from a sheet: every bad cell in a table, what would change before anything does, all of it or nothing."""

from typing import Annotated, Any, get_args

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from api.master_data_file import Kind, columns
from api.routing import Router
from api.ui.actions import Form, problem_of
from api.ui.calls import File, call
from api.ui.said import flat
from api.ui.shell import PageRoute, context, flash, page, refused

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
CSV = "text/csv; charset=utf-8"
SHOWN = 200


@router.get("/master/import")
async def import_form(request: Request, kind: Kind = "materials") -> Response:
    """Where a kind and a file are chosen."""
    return _page(request, kind)


def _page(request: Request, kind: Kind, status: int = 200, **more: Any) -> Response:
    having: dict[str, Any] = {"problem": None, "changes": None, "name": "", "csv": ""}
    return page(
        request, "master_import.html", status, kind=kind, kinds=get_args(Kind), columns=columns(kind), shown=SHOWN,
        **having | more,
    )  # fmt: skip


@router.post("/master/import")
async def import_file(request: Request, form: Form) -> Response:
    """Look at a file first (`csv` is empty), or take what was looked at."""
    kind: Kind = next((own for own in get_args(Kind) if own == form.get("kind")), "materials")
    chosen, kept = form.get("file"), str(form.get("csv") or "")
    name = str(form.get("name") or "")
    content = kept.encode()
    if isinstance(chosen, UploadFile) and chosen.filename:
        content, name = await chosen.read(), chosen.filename
        await chosen.close()
    query = {"kind": kind, "preview": None if kept else "true"}
    answer = await call(request, "POST", "/master-data/import-file", content, query, content_type=CSV)
    if not answer.accepted:
        problem = problem_of(answer)
        if problem["code"] != "MASTER_DATA_FILE_REFUSED":
            return refused(request, problem)
        return _page(request, kind, 422, problem=problem, name=name)
    if kept:
        response = RedirectResponse("/ui/master", 303)
        count = sum(answer.document["changed"].values())
        flash(response, "good", context(request)["t"]("master.imported", count=count))
        return response
    changes = [own | {"fields": _fields(own)} for own in answer.document["changes"]]
    return _page(request, kind, changes=changes, name=name, csv=content.decode("utf-8-sig"))


def _fields(change: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(field, before, after) of what differs."""
    old, new = flat(change["old"]), flat(change["new"])
    return [(name, old.get(name, ""), value) for name, value in new.items() if old.get(name, "") != value]


@router.get("/master/import/template")
async def template(request: Request, kind: Kind, separator: Annotated[str, Query(max_length=10)] = "comma") -> Response:
    """The heading of a sheet, to be filled in."""
    query = {"kind": kind, "separator": separator}
    return File(request, "/master-data/import-file/template", query, lambda no: refused(request, problem_of(no)))
