"""Style sheet, scripts and icon: read once, kept packed. Pages themselves are not packed: they carry a form's token."""

import gzip
import mimetypes
from functools import lru_cache

from fastapi import Request, Response

from api.routing import Router
from api.ui.shell import content_of

router = Router(prefix="/ui", include_in_schema=False)


@lru_cache(maxsize=64)
def _content(name: str) -> tuple[bytes, bytes, str] | None:
    """A file as it is, packed, and what it is; None when there is none of that name."""
    try:
        content = content_of(name)
    except (OSError, ValueError):
        return None
    return content, gzip.compress(content, 9, mtime=0), mimetypes.guess_type(name)[0] or "application/octet-stream"


@router.get("/static/{name}")
def file(name: str, request: Request) -> Response:
    """One file. Its address holds a hash of its content, so a browser never asks twice."""
    found = _content(name)
    if found is None:
        return Response("", 404, {"cache-control": "no-store"})
    plain, packed, kind = found
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=kind, headers={"content-encoding": "gzip", "vary": "accept-encoding"})
    return Response(plain, media_type=kind)
