"""Master data: import, products with their structure, routes, stations."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy import Row
from starlette.concurrency import run_in_threadpool

from api import master_data, master_data_file
from api.deps import Caller, Reading, Who, only
from api.errors import Problem, not_found
from api.master_data_document import MasterDataDocument
from api.master_data_file import Kind
from api.master_data_known import as_known
from api.routing import Router
from api.shapes import MAX_INT, Identifier
from db.queries import master_data as tables
from db.queries import policies, structure
from db.queries.structure import Part, RouteVersion
from domain.differences import differences
from domain.errors import Refused
from domain.quantities import plain

router = Router(tags=["master data"])
Engineer = Annotated[Caller, Depends(only("importMasterData", "master-data"))]
Document = dict[str, Any]
MOST_LINES, MOST_LEVELS = 20_000, 100


@router.post("/master-data/import")
def import_document(document: MasterDataDocument, who: Engineer) -> Document:
    """Write a document: all of it or nothing. The answer counts what is new or changed."""
    return {"changed": master_data.import_document(who, document)}


@router.get("/master-data/import-file/template", response_class=Response)
def sheet_template(kind: Kind, _: Who, separator: Literal["comma", "semicolon"] = "comma") -> Response:
    """The heading of a sheet, to be filled in."""
    content = master_data_file.template(kind, ";" if separator == "semicolon" else ",")
    headers = {"content-disposition": f'attachment; filename="{kind}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/master-data/import-file")
async def import_file(request: Request, who: Engineer, kind: Kind, preview: bool = False) -> Document:
    """A sheet of one kind as CSV: all of it or nothing. With `preview` nothing is written: what would change.

    422 MASTER_DATA_FILE_REFUSED lists every bad cell under `rows` (line, column, code, found, required).
    """
    content = await request.body()
    return await run_in_threadpool(_import_file, who, kind, content, preview)


def _import_file(who: Caller, kind: Kind, content: bytes, preview: bool) -> Document:
    sheet = master_data_file.read(kind, content)
    wrong = sheet.faults
    if not wrong:
        with who.services.engine.connect() as connection:
            document = master_data_file.completed(sheet, partial(as_known, connection))
        try:
            if preview:
                return {"changes": master_data.preview(who, document)}
            return {"changed": master_data.import_document(who, document)}
        except Refused as refused:
            wrong = tuple(master_data_file.of_blocker(sheet, blocker) for blocker in refused.blockers)
    raise Problem(
        422, "MASTER_DATA_FILE_REFUSED", f"{len(wrong)} cells or rows are wrong: nothing was imported",
        blockers=[master_data_file.blocker(fault) for fault in wrong], rows=[fault.shown() for fault in wrong],
    )  # fmt: skip


@router.get("/master-data/materials")
def materials(
    reading: Reading,
    prefix: Annotated[str, Query(max_length=80)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    after: Identifier | None = None,
) -> Document:
    """Materials by code."""
    found = [_material(row) for row in tables.materials(reading, prefix, limit, after)]
    return {"materials": found, "next": found[-1]["code"] if len(found) == limit else None}


@router.get("/master-data/policies/{code}")
def policy_versions(code: Identifier, reading: Reading) -> Document:
    """All versions of a policy, oldest first; the highest one counts for new orders."""
    return {"code": code, "versions": list(_policies(reading, code).values())}


@router.get("/master-data/policies/{code}/differences")
def policy_differences(
    code: Identifier,
    reading: Reading,
    before: Annotated[int, Query(ge=1, le=MAX_INT)],
    after: Annotated[int, Query(ge=1, le=MAX_INT)],
) -> Document:
    """What changes from one version of a policy to another: `{path, change, before, after}` for every place."""
    known = _policies(reading, code)
    for version in (before, after):
        if version not in known:
            raise not_found("policy", f"{code}/{version}")
    found = differences(known[before], known[after])
    return {"code": code, "differences": [own.model_dump(mode="json", by_alias=True) for own in found]}


def _policies(reading: Reading, code: str) -> dict[int, Document]:
    found = policies.versions(reading, code)
    if not found:
        raise not_found("policy", code)
    return {policy.version: policy.model_dump(mode="json", by_alias=True) for policy in found}


@router.get("/product/grouped")
def grouped(reading: Reading) -> list[Document]:
    """How many products there are of each kind."""
    return [dict(row._mapping) for row in tables.grouped(reading)]


@router.get("/product/by-category/{prefix}")
def by_category(
    prefix: Identifier,
    reading: Reading,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    after: Identifier | None = None,
) -> Document:
    """Products whose code begins with `prefix`."""
    return materials(reading, prefix, limit, after)


@router.get("/product/{product_id}/bom")
def bom(product_id: UUID, reading: Reading) -> Document:
    """What a product is made of, all levels down. Three statements, however deep."""
    code = tables.code_of(reading, product_id)
    if code is None:
        raise not_found("product", product_id)
    return _Tree(structure.parts(reading, [code], datetime.now(UTC))).bom(code)


@dataclass
class _Tree:
    """Writes a structure out. The same sub-assembly in many places is written in each of them: that has an end."""

    parts: dict[str, Part]
    lines: int = 0

    def bom(self, code: str, above: tuple[str, ...] = ()) -> Document:
        part, path = self.parts[code], (*above, code)
        self.lines += len(part.lines)
        if self.lines > MOST_LINES or len(path) > MOST_LEVELS:
            detail = f"{path[0]} has more than {MOST_LINES} lines or {MOST_LEVELS} levels; ask for its sub-assemblies"
            raise Problem(409, "STRUCTURE_TOO_LARGE", detail)
        return {
            "product": code, "id": str(part.uuid), "name": part.name, "unit": part.unit, "version": part.version,
            "baseQuantity": plain(part.base_quantity), "lines": [self._line(line, path) for line in part.lines],
        }  # fmt: skip

    def _line(self, line: Row[Any], path: tuple[str, ...]) -> Document:
        own = self.parts[line.material]
        # A loop cannot be saved; a reader must not fall into one that came in by other ways.
        made = own.version is not None and line.material not in path
        return {
            "line": line.line, "material": line.material, "name": own.name, "kind": own.kind, "version": own.version,
            "quantity": plain(line.quantity), "unit": line.unit, "lossPercent": plain(line.loss_percent),
            "operation": line.operation, "isActive": own.is_active,
            "bom": self.bom(line.material, path) if made else None,
        }  # fmt: skip


@router.get("/process/routes/tree")
def route_tree(reading: Reading) -> list[Document]:
    """All effective routes with their operations in order."""
    moment = datetime.now(UTC)
    found = structure.routes(reading, tables.routed_products(reading, moment), moment)
    return [_route(product, route) for product, route in found.items()]


@router.get("/process/routes/by-product/{product_id}")
def route_of(product_id: UUID, reading: Reading) -> Document:
    """The effective route of a product."""
    code = tables.code_of(reading, product_id)
    route = structure.routes(reading, [code], datetime.now(UTC)).get(code) if code is not None else None
    if code is None or route is None:
        raise not_found("route of product", product_id)
    return _route(code, route)


def _route(product: str, route: RouteVersion) -> Document:
    operations = [
        {
            "id": str(row.uuid),
            "code": row.code,
            "sequence": row.sequence,
            "name": row.name,
            "capability": row.capability,
            "predecessors": row.predecessors,
            "countsPieces": row.counts_pieces,
            "isOutput": row.is_output,
            "inspectionRule": row.inspection_rule,
            "idealCycleSeconds": None if row.ideal_cycle_seconds is None else plain(row.ideal_cycle_seconds),
            "parameters": [
                value.model_dump(mode="json", by_alias=True) for value in route.parameters.get(row.code, ())
            ],
        }
        for row in route.operations
    ]
    return {"product": product, "version": route.version, "operations": operations}


@router.get("/process/operations/{operation}/workstations")
def workstations(operation: Identifier, reading: Reading) -> list[Document]:
    """The active stations that can do an operation of a route (its uuid), or a kind of operation (its capability)."""
    capability: str | None = operation
    try:
        identity = UUID(operation)
    except ValueError:
        pass
    else:
        capability = tables.capability_of(reading, identity)
    if capability is None:
        raise not_found("operation", operation)
    return [
        {"id": str(row.uuid), "code": row.code, "name": row.name, "line": row.line, "equipment": row.equipment}
        for row in tables.stations_for(reading, capability)
    ]


def _material(row: Row[Any]) -> Document:
    return {
        "id": str(row.uuid), "code": row.code, "name": row.name, "kind": row.kind, "unit": row.unit,
        "isActive": row.is_active, "shelfLifeDays": row.shelf_life_days, "gtin": row.gtin,
        "strength": row.strength, "dosageForm": row.dosage_form, "approvedSuppliers": row.approved_suppliers,
    }  # fmt: skip
