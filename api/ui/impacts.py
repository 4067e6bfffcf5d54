"""Orders that run by master data that have changed, and what is stale or there twice in the master data."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Query, Request, Response

from api.routing import Router
from api.ui.calls import read
from api.ui.direct import may_act
from api.ui.shell import PageRoute, page

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
ACTS: Final = {"keep": "keepOrderAsMade", "hold": "holdForChange", "reissue": "reissueOrder"}
"""Decision → act of `api.ui.direct`."""
SHOWS: Final = ("mine", "open", "decided")
LIVE: Final = "impact,production-order"


@router.get("/impacts")
async def impacts(request: Request, show: Annotated[str, Query(max_length=20)] = "open") -> Response:
    """Tasks of changed master data: all open ones, those of my own orders, or what was decided."""
    show = show if show in SHOWS else "open"
    asked = {"state": "decided" if show == "decided" else "open"}
    if show == "mine":
        asked["owner"] = request.state.session.user_id
    found = await read(request, "/master-data-impacts", **asked)
    return page(
        request, "impacts.html", impacts=[own | {"link": change_link(own)} for own in found["impacts"]], show=show,
        shows=SHOWS, acts=ACTS, may_act=lambda name: may_act(request, name), live=LIVE,
    )  # fmt: skip


def change_link(own: Mapping[str, Any]) -> str:
    """Where the changed master data are shown."""
    subject = quote(own["subject"])
    match own["kind"]:
        case "policy":
            return f"/ui/master/policies/{subject}"
        case "master-batch-record":
            return f"/ui/master/records?product={subject}"
        case _:
            return f"/ui/master/materials/{subject}"


@router.get("/master/quality")
async def quality(request: Request, code: Annotated[str, Query(max_length=60)] = "") -> Response:
    """What is stale, incomplete or there twice, with what to do about it."""
    found = await read(request, "/master-data/quality")
    shown = [own | {"link": _link(own)} for own in found["findings"] if code in ("", own["code"])]
    return page(
        request, "master_quality.html", findings=shown, counts=found["counts"], code=code,
        months=found["reviewMonths"], days=found["staleDays"], live="master-batch-record,material,route,equipment",
    )  # fmt: skip


def _link(own: Mapping[str, Any]) -> str:
    """The screen where a finding is mended."""
    subject = quote(own["id"].partition("/")[0])
    match own["entity"]:
        case "equipment":
            return f"/ui/equipment/{subject}"
        case "master batch record":
            return f"/ui/master/records?product={subject}"
        case _:
            return f"/ui/master/materials/{subject}"
