"""The answer to a scan: what the code is, where it leads, and, of an operation, what is to be done there."""

from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection

from api import documents
from api.commands import WORK_ORDER
from api.deps import Caller
from api.errors import Problem
from api.shapes import storable
from db.queries import scans, scopes
from db.session import reading
from domain.base import uuid_for
from domain.pictures import Language as Language
from domain.scanning import ScanKind, Scanned, printable

Document = dict[str, Any]
K = ScanKind
_LOT_KINDS: Final = (K.LOT, K.CONTAINER)
_OF_WORK_ORDER: Final = (
    *_LOT_KINDS, K.WORK_ORDER, K.PICK_LIST, K.PUT_AWAY, K.INSPECTION, K.IN_PROCESS_INSPECTION, K.REWORK, K.REPORT,
)  # fmt: skip


def answer(who: Caller, code: str, language: Language) -> Document:
    """What the code is and where it leads. Raises 403 OUT_OF_SCOPE, audited, and 422 for what cannot be looked up."""
    if not storable(code):
        raise Problem(422, "INVALID_REQUEST", "the code holds a character that cannot be stored")
    with reading(who.services.engine) as connection:
        known = scans.all_of(connection, code)
        for found in known:
            _check_scope(connection, who, found)
    return {
        **_shown(known[0]), "links": _links(known[0]), **_more(who, known[0], language),
        "also": [_shown(found) | {"links": _links(found)} for found in known[1:]],
    }  # fmt: skip


def _check_scope(connection: Connection, who: Caller, found: Scanned) -> None:
    if who.scope.is_everywhere:
        return
    place = None
    if found.kind == K.ORDER:
        place = scopes.of_order(connection, found.id)
    elif found.kind in _OF_WORK_ORDER and found.work_order:
        place = scopes.of_work_order(connection, found.work_order)
    elif found.kind == K.OPERATION and (target := who.services.target(WORK_ORDER, _work_order(found))) is not None:
        place = scopes.of_order(connection, target.order_number, found.work_order, found.operation)
    if place is not None:
        who.scope.refuse_outside(who, f"{found.kind}/{found.id}", place, who.id)


def _shown(found: Scanned) -> Document:
    names = {"text", "status", "expires_on"}
    said = found.model_dump(mode="json", by_alias=True, exclude=names, exclude_defaults=True)
    of_lot = {"status": found.status or None, "expiresOn": found.expires_on and found.expires_on.isoformat()}
    return {"code": printable(found.text), **said} | (of_lot if found.kind in _LOT_KINDS else {})


def _links(found: Scanned) -> Document:
    """Addresses below the prefix of the API."""
    number = quote(found.id, safe="")
    match found.kind:
        case K.ORDER:
            return {"order": f"/mes/orders/{documents.order_id(found.id)}"}
        case K.WORK_ORDER:
            return {"workOrder": f"/mes/work-orders/{_work_order(found)}"}
        case K.OPERATION:
            own = f"/mes/work-orders/{_work_order(found)}"
            at = f"{own}/operations/{quote(found.operation, safe='')}"
            return {"workOrder": own, "instructions": f"{at}/instructions", "start": f"{at}/start"}
        case K.LOT:
            return {"lot": f"/wms/lots/{number}", "label": f"/wms/lots/{number}/label"}
        case K.CONTAINER:
            own = f"/wms/containers/{number}"
            return {
                "container": own, "label": f"{own}/label", "lot": f"/wms/lots/{quote(found.lot, safe='')}",
                "workOrder": f"/mes/work-orders/{_work_order(found)}",
            }  # fmt: skip
        case K.EQUIPMENT:
            return {"equipment": f"/equipment/{number}"}
        case K.PICK_LIST | K.PUT_AWAY | K.IN_PROCESS_INSPECTION | K.REWORK | K.REPORT:
            return {"workOrder": f"/mes/work-orders/{_work_order(found)}"}
        case K.INSPECTION:
            return {"inspection": f"/quality/inspections/{number}"}
        case K.LOCATION | K.MATERIAL:
            return {"stock": f"/wms/stock?material={number}"} if found.kind == K.MATERIAL else {}
        case _:
            return {}


def _work_order(found: Scanned) -> Any:
    return uuid_for("work-order", found.work_order)


def _more(who: Caller, found: Scanned, language: Language) -> Document:
    """Of an operation: its instructions, from the order's own copy of the master batch record (B6)."""
    if found.kind != K.OPERATION:
        return {}
    target = who.services.target(WORK_ORDER, _work_order(found))
    if target is None:
        return {}
    with (
        reading(who.services.engine) as connection,
        who.services.histories.current(connection, target.order_number) as folded,
    ):
        if folded is None:
            return {}
        own, specification = folded.process.operation(found.work_order, found.operation)
        work_order = folded.process.specification.work_order(found.work_order)
        return {"state": own.state, "instructions": documents.instructions(work_order, specification, language)}
