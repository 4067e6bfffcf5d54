"""Master data to look at: materials with their structure, route, inspection plan and use; policies and versions."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.errors import not_found
from api.routing import Router
from api.ui.calls import call, read
from api.ui.shell import PageRoute, page
from db.queries import master_batch_records as records
from db.queries import master_screens as tables
from db.session import reading

router = Router(prefix="/ui", route_class=PageRoute, include_in_schema=False)
SHOWN: Final = 200
KINDS: Final = ("raw", "semiFinished", "finished")


@router.get("/master")
async def materials(
    request: Request,
    find: Annotated[str, Query(max_length=80)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Materials, and policies, and inspection plans."""

    def rows() -> tuple[Any, ...]:
        with reading(request.app.state.services.engine) as connection:
            return tables.materials(connection, find.strip(), kind, SHOWN + 1), tables.plans(connection)

    found, plans = await run_in_threadpool(rows)
    return page(
        request, "master.html", materials=found[:SHOWN], more=len(found) > SHOWN, find=find, kind=kind, kinds=KINDS,
        plans={row.material: row.characteristics for row in plans}, shown=SHOWN,
    )  # fmt: skip


@router.get("/master/materials/{code}")
async def material(code: str, request: Request) -> Response:
    """One material: what it is made of, how, what is measured, where it is used."""

    def rows() -> dict[str, Any]:
        with reading(request.app.state.services.engine) as connection:
            return {
                "material": tables.material(connection, code), "versions": tables.versions(connection, code),
                "plan": tables.inspection_plan(connection, code), "used": tables.used_in(connection, code),
                "records": records.page(connection, code, None, 100, None),
            }  # fmt: skip

    found = await run_in_threadpool(rows)
    if found["material"] is None:
        raise not_found("material", code)
    identity = found["material"].uuid
    structure = await call(request, "GET", f"/product/{identity}/bom")
    route = await call(request, "GET", f"/process/routes/by-product/{identity}")
    return page(
        request, "material.html", live="master-batch-record", now=datetime.now(UTC),
        structure=structure.document if structure.accepted else None,
        too_large=structure.status == 409,
        route=route.document if route.accepted else None, **found,
    )  # fmt: skip


@router.get("/master/policies")
async def policies(request: Request) -> Response:
    """What plants ask for."""

    def rows() -> Any:
        with reading(request.app.state.services.engine) as connection:
            return tables.policies(connection)

    return page(request, "policies.html", policies=await run_in_threadpool(rows))


@router.get("/master/policies/{code}")
async def policy(
    code: str,
    request: Request,
    before: Annotated[int | None, Query(ge=1, le=10**9)] = None,
    after: Annotated[int | None, Query(ge=1, le=10**9)] = None,
) -> Response:
    """One policy: its newest version, and what changed between two of them."""
    found = await read(request, f"/master-data/policies/{code}")
    versions = [own["version"] for own in found["versions"]]
    newest = found["versions"][-1]
    one = before or (versions[-2] if len(versions) > 1 else versions[-1])
    other = after or versions[-1]
    changes = None
    if one != other:
        changes = await read(request, f"/master-data/policies/{code}/differences", before=one, after=other)
    return page(
        request, "policy.html", code=code, versions=versions, newest=newest, before=one, after=other,
        changes=changes["differences"] if changes else [],
    )  # fmt: skip
