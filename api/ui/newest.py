"""Where an act leads to that makes a record of its own: the newest one of a lot."""

from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api.ui.calls import read


async def to_newest(request: Request, lot: str, path: str) -> Response:
    """To the page of the lot's newest record (`/quality/holds` → `/ui/holds/…`); to the lot where there is none."""
    name = path.rpartition("/")[2]
    found = (await read(request, path, lot=lot, limit=1))[name]
    own = f"/ui/{name}/{quote(found[0]['number'], safe='')}" if found else f"/ui/lots/{quote(lot, safe='')}"
    return RedirectResponse(own, 303)
