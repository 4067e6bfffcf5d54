"""Pictures of instructions: uploaded by who writes the instructions, shown to who may read them.

A picture is asked for by what shows it, so that whoever may not see that does not see the picture. Its bytes travel
once: a browser keeps them and asks with their hash whether it still may show them (304).
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Path, Request, Response
from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool

from api import documents, pictures
from api.commands import WORK_ORDER
from api.deps import Caller, Reading, With, only
from api.errors import not_found
from api.history import Folded
from api.routes.work_orders import read
from api.routing import Router
from api.shapes import Identifier
from db.queries import master_batch_records as records
from db.queries import pictures as tables

router = Router(tags=["master batch records"])
Document = dict[str, Any]
Writer = Annotated[Caller, Depends(only("writeMasterBatchRecord", "picture"))]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the picture")]
FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/png", "image/jpeg")},
        "description": "The picture as it was uploaded.",
    },
    304: {"description": "The picture that If-None-Match names."},
}
_SENT: Final = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "application/octet-stream")
        },
    }
}


@router.post("/master-batch-records/pictures", openapi_extra=_SENT)
async def upload(request: Request, who: Writer) -> Document:
    """Store a PNG or JPEG of at most 1 MiB, to be named by an instruction of a draft.

    The body is the file itself; what it is called is not asked. Its SHA-256 is the key: sent again, it is there.
    409 PICTURE_NOT_TAKEN, PICTURE_TOO_LARGE.
    """
    content = await request.body()
    return await run_in_threadpool(pictures.upload, who, content)


@router.get("/master-batch-records/pictures/{digest}", response_class=Response, responses=FILE)
def of_a_draft(digest: Digest, request: Request, reading: Reading, _: Writer) -> Response:
    """Any picture, for who writes instructions: one that was just uploaded stands in no version yet."""
    return _served(request, reading, digest)


@router.get("/master-batch-records/{record_id}/pictures/{digest}", response_class=Response, responses=FILE)
def of_a_version(record_id: UUID, digest: Digest, request: Request, reading: Reading) -> Response:
    """A picture that this version of a master batch record shows."""
    row = records.find(reading, record_id)
    if row is None:
        raise not_found("master batch record", record_id)
    return _served(request, reading, digest, tables.named(row.body.get("operations", ())))


@router.get(
    "/mes/work-orders/{work_order_id}/operations/{code}/pictures/{digest}", response_class=Response, responses=FILE
)
def of_an_operation(
    work_order_id: UUID, code: Identifier, digest: Digest, request: Request, having: With, reading: Reading
) -> Response:
    """A picture that the instructions of an operation show, as they were frozen into the order."""

    def shown(folded: Folded, number: str) -> frozenset[str]:
        _, specification = folded.process.work_order(number)
        operation = specification.operation(code)
        if operation is None:
            raise not_found("operation", f"{number}/{code}")
        return documents.pictures(operation)

    return _served(request, reading, digest, read(having, WORK_ORDER, work_order_id, shown))


def _served(request: Request, reading: Connection, digest: str, shown: Iterable[str] | None = None) -> Response:
    """The picture, when it is one of those that are shown. `no-cache`: kept, and asked about before it is shown."""
    found: Row[Any] | None = tables.find(reading, digest) if shown is None or digest in shown else None
    if found is None:
        raise not_found("picture", digest[:12])
    headers = {
        "etag": f'"{digest}"', "cache-control": "private, no-cache", "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox", "cross-origin-resource-policy": "same-origin",
    }  # fmt: skip
    if f'"{digest}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)
