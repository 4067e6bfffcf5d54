"""Something is not as it should be: a deviation of an order, reported from wherever somebody stands."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Query, Request, Response
from starlette.datastructures import FormData

from api.routing import Router
from api.ui.actions import Form, do, safe_back
from api.ui.calls import read
from api.ui.shell import PageRoute, page

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

KINDS: Final = (
    "EQUIPMENT_FAULT", "MATERIAL_DEFECT", "PRODUCT_DEFECT", "PROCEDURE_NOT_FOLLOWED", "CONTAMINATION",
    "LABEL_OR_DOCUMENT", "ENVIRONMENT", "OTHER",
)  # fmt: skip
"""What people choose from; it becomes the code of the deviation."""


@router.get("/problem")
async def problem(
    request: Request, order: UUID, what: Annotated[str, Query(max_length=200)] = "", back: str = "/ui/"
) -> Response:
    """The dialog. `what`: the work order or operation that it is about."""
    document = await read(request, f"/mes/orders/{order}")
    return page(
        request, "problem.html", order=document, what=what, back=safe_back(back), kinds=KINDS,
        runs=document["state"] in ("released", "inProgress"),
    )  # fmt: skip


@router.post("/problem")
async def report(request: Request, form: Form) -> Response:
    """Open the deviation: what it is about goes before the words of the person."""
    fields = [(name, value) for name, value in form.multi_items() if name != "what"]
    what = str(form.get("what") or "").strip()
    told = [(name, f"{what}: {value}" if name == "detail" and what else value) for name, value in fields]
    return await do("quality/deviations", request, FormData(told))
