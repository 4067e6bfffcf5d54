"""What somebody sees who opens the address of something that there is not: what was not found, and where to look.

An address that lacks something of what its page needs, or says it wrongly, is told what it is.
"""

from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from api.errors import Problem, not_found
from api.ui.nav import ITEMS, Item

ENTITIES: Final = {
    "work_order_id": "work order", "order_id": "production order", "record_id": "master batch record",
    "other_id": "master batch record", "plan_id": "plan line", "maintenance_id": "maintenance order",
    "change_id": "configuration change", "signature_id": "signature", "report_id": "scheduled report",
    "message_id": "message", "number": "message", "digest": "picture",
}  # fmt: skip
"""What a part of an address is the identity of, where only an id of the right shape is taken."""


def of_address(error: RequestValidationError) -> Problem | None:
    """404 for an address that names something by an id that nothing can have; None when the address is not at fault."""
    for found in error.errors():
        where, name = (*found["loc"], "", "")[:2]
        if where == "path":
            return not_found(ENTITIES.get(str(name), "object"), str(found["input"])[:80])
    return None


def ways(request: Request) -> tuple[Item | None, str]:
    """Where somebody can look: the list that the address belongs to, and the search for what it names."""
    path = request.url.path
    listed = next((item for item in ITEMS if item.key != "home" and path.startswith(f"{item.href}/")), None)
    named = next((str(own) for own in request.path_params.values() if own), "")
    return listed, f"/ui/scan?{urlencode({'code': named[:300]})}" if named else ""


def is_missing(request: Request, problem: dict[str, Any]) -> bool:
    """Whether a page was asked for that shows something that there is not."""
    return request.method == "GET" and problem.get("code") == "NOT_FOUND"


def lacking(request: Request, problem: dict[str, Any]) -> list[dict[str, str]]:
    """What of its address a page needs and did not get, or cannot read: `name`, and the fault as the API tells it."""
    faults = problem.get("fields", ()) if request.method == "GET" else ()
    return [
        {**fault, "name": str(fault["field"]).partition(".")[2]}
        for fault in faults
        if str(fault["field"]).startswith("query.")
    ]
