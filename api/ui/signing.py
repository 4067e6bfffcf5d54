"""Electronic signatures: those of a record, and whether each one is still about what was signed."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.errors import not_found
from api.routing import Router
from api.ui.calls import call, read
from api.ui.shell import PageRoute, page
from db.queries import signatures
from db.session import reading

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
KINDS: Final = ("production-order", "work-order", "deviation", "capa", "lot", "inspection", "master-batch-record")
Document = dict[str, Any]


@router.get("/signatures")
async def listed(request: Request, record: Annotated[str, Query(max_length=160)] = "") -> Response:
    """The signatures of everything that has this number: `PO-1` or `production-order/PO-1`."""
    text = record.strip()
    names = [text] if "/" in text and text.partition("/")[0] in KINDS else [f"{kind}/{text}" for kind in KINDS]
    found: list[Document] = []
    for name in names if text else ():
        answer = await call(request, "GET", "/signatures", query={"entity": name})
        if answer.accepted:
            found += answer.document["signatures"]
    return page(request, "signatures.html", found=found, record=text, live="")


@router.get("/signatures/{signature_id}")
async def one(signature_id: UUID, request: Request) -> Response:
    """One signature: what was signed, and the verdict: its hash is computed again from the record."""
    verdict = await read(request, f"/signatures/{signature_id}/verification")

    def find() -> tuple[Document, Document]:
        with reading(request.app.state.services.engine) as connection:
            row = signatures.find(connection, signature_id)
            if row is None:
                raise not_found("signature", signature_id)
            return signatures.document(row), dict(row.content or {})

    own, content = await run_in_threadpool(find)
    return page(request, "signature.html", signature=own, content=content, verdict=verdict, live="")
