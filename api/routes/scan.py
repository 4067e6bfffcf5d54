"""One address for every code that can be scanned: what it is, and where it leads."""

from typing import Annotated, Any

from fastapi import Query
from starlette.concurrency import run_in_threadpool

from api import scan_answers
from api.deps import Who
from api.routing import Router

router = Router(tags=["scans"])
Code = Annotated[str, Query(min_length=1, max_length=500, description="what the scanner sent, or what was typed")]


@router.get("/scan")
async def scan(code: Code, who: Who, language: scan_answers.Language = "en") -> dict[str, Any]:
    """What a scanned code is, and where it leads.

    A code is a GS1 element string (with or without symbology identifier; FNC1 as U+001D), a name such as
    `operation/PO-1-01/MIX`, `work-order/…`, `production-order/…`, `lot/…`, `container/…`, `equipment/…`, `place/…`,
    `material/…`, `person/…`, `device/…`, or the bare number of one of these, of a workstation, badge, serial number,
    pick list, put-away, inspection, rework, production report, quality case or plan line. `kind` says what it is;
    `unknown` when nothing has it, `unreadable` (with `detail`) when it is damaged. `links` are the addresses that it
    leads to. An operation comes with its instructions as they were frozen into its order. `also` lists what else has
    the same number. What lies outside the caller's plants and lines is refused.
    """
    return await run_in_threadpool(scan_answers.answer, who, code, language)
