"""The product quality review of a product and a year, as tables and as files."""

from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import product_review
from api.clock import now
from api.routing import Router
from api.scopes import Scope
from api.ui.shell import PageRoute, context, page
from db.queries import reporting
from db.session import reading
from domain.product_review import ProductReview
from reporting.tables import Column, Table, as_csv

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)

BATCHES = (
    Column("lot", "field.lot"), Column("workOrder", "entity.work-order"), Column("state", "field.state", group="state"),
    Column("lotStatus", "pqr.lot_status", group="lot"), Column("endedAt", "pqr.ended"),
    Column("quantity", "field.quantity"), Column("good", "reports.good"), Column("scrap", "tasks.scrap"),
    Column("unit", "field.unit"), Column("yieldPercent", "pqr.yield"),
)  # fmt: skip
PARAMETERS = (
    Column("operation", "field.operation"), Column("name", "inspect.characteristic"), Column("unit", "field.unit"),
    Column("low", "field.low"), Column("high", "field.high"), Column("count", "pqr.count"),
    Column("mean", "pqr.mean"), Column("smallest", "pqr.smallest"), Column("largest", "pqr.largest"),
    Column("outside", "pqr.outside"), Column("overall", "pqr.overall"), Column("cpk", "pqr.cpk"),
    Column("ppk", "pqr.ppk"),
)  # fmt: skip
DEVIATIONS = (
    Column("code", "pqr.code", group="code"), Column("count", "pqr.count"), Column("open", "pqr.open"),
)  # fmt: skip
Product = Annotated[str, Query(max_length=80)]
Year = Annotated[int | None, Query(ge=2000, le=2200)]


async def _read(request: Request, product: str, year: int | None) -> tuple[ProductReview | None, list[str], int]:
    session, services = request.state.session, request.app.state.services
    scope, wanted = Scope(session.plants, session.lines), year or now().year

    def work() -> tuple[ProductReview | None, list[str], int]:
        with reading(services.engine) as connection:
            products = reporting.products(connection, scope.orders())
            chosen = product or (products[0] if products else "")
            zone = services.settings.time_zone
            found = product_review.of_year(connection, chosen, wanted, zone, scope) if chosen else None
            return found, products, wanted

    return await run_in_threadpool(work)


@router.get("/product-review")
async def review(request: Request, product: Product = "", year: Year = None) -> Response:
    """The figures of a year: batches with their yields, deviations by code, parameters with their capability."""
    found, products, wanted = await _read(request, product, year)
    shown = None if found is None else product_review.document(found)
    chosen = found.product if found is not None else product
    return page(
        request, "product_review.html", found=shown, products=products, product=chosen, year=wanted,
        years=range(now().year, now().year - 6, -1), live="work-order,deviation",
    )  # fmt: skip


@router.get("/product-review.csv")
async def file(
    request: Request, part: Literal["batches", "parameters", "deviations"], product: Product = "", year: Year = None
) -> Response:
    """One of its tables as a file, with exact values."""
    found, _, wanted = await _read(request, product, year)
    shown: dict[str, Any] = {} if found is None else product_review.document(found)
    columns = {"batches": BATCHES, "parameters": PARAMETERS, "deviations": DEVIATIONS}[part]
    rows = shown.get("deviations", {}).get("byCode", []) if part == "deviations" else shown.get(part, [])
    name = f"product-quality-review-{part}-{wanted}.csv"
    content = as_csv(Table(columns, rows), context(request)["t"])
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
