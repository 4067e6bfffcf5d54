"""Events of lots: take them along for other plants, look at theirs before they are taken, and what was put aside."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile

from api.ui.actions import Form, problem_of
from api.ui.calls import call, read
from api.ui.direct import may_act
from api.ui.shell import PageRoute, page, refused
from settings import DEFAULT_SITE

router = APIRouter(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN = 100


@router.get("/interfaces/events")
async def events(request: Request, epc: Annotated[str, Query(max_length=2000)] = "") -> Response:
    """Export and import; with `epc` what others have told of one lot."""
    return await _page(request, epc)


async def _page(request: Request, epc: str = "", status: int = 200, **more: Any) -> Response:
    having: dict[str, Any] = {"preview": None, "taken": None, "document": "", "source": ""}
    documents = (await read(request, "/epcis/documents", limit=SHOWN))["documents"]
    aside = (await read(request, "/epcis/quarantine", limit=SHOWN))["quarantined"]
    told = (await read(request, "/epcis/imported-events", epc=epc, limit=SHOWN))["events"] if epc else []
    site = request.app.state.services.settings.site
    return page(
        request, "exchange.html", status, documents=documents, aside=aside, told=told, epc=epc, shown=SHOWN, live="",
        unnamed=site if site == DEFAULT_SITE else "", may_act=lambda name: may_act(request, name),
        here="/ui/interfaces/events", **having | more,
    )  # fmt: skip


@router.post("/interfaces/events")
async def take(request: Request, form: Form) -> Response:
    """Look at a document first (`document` is empty), or take the one that was looked at."""
    chosen, kept = form.get("file"), str(form.get("document") or "")
    source = str(form.get("source") or "").strip()[:80]
    content = kept.encode()
    if isinstance(chosen, UploadFile) and chosen.filename:
        content, source = await chosen.read(), source or chosen.filename[:80]
        await chosen.close()
    query = {"source": source or "?", "preview": None if kept else "true"}
    answer = await call(request, "POST", "/epcis/capture", content, query)
    if not answer.accepted:
        return refused(request, problem_of(answer))
    found = answer.document
    if kept:
        return await _page(request, taken=found)
    return await _page(request, preview=found, document=content.decode("utf-8", "replace"), source=source)


@router.get("/interfaces/events/export")
async def export(
    request: Request, lot: Annotated[str, Query(max_length=80)] = "", direction: str = "backward"
) -> Response:
    """The document of a lot, as a file."""
    answer = await call(request, "GET", "/epcis/events", query={"lot": lot.strip(), "direction": direction})
    if not answer.accepted:
        return refused(request, problem_of(answer))
    name = quote(f"epcis-{lot.strip()}.jsonld", safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(answer.body, media_type="application/ld+json", headers=headers)
