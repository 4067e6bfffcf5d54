"""Materials and workstations as they are, in the fields of the entries that change them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from api.master_data_document import ApprovedSupplierEntry
from db.queries import master_data as tables
from domain.specification import Equipment

Values = dict[str, Any]


def as_known(connection: Connection, kind: str, codes: Sequence[str]) -> dict[str, Values]:
    """Of `materials` or `workstations`: code → the fields of their entries."""
    if kind == "materials":
        rows = tables.by_key(connection, tables.MATERIALS, codes, "code")
        return {row.code: _material(row) for row in rows}
    able: dict[str, list[str]] = defaultdict(list)
    for row in tables.by_key(connection, tables.CAPABILITIES, codes, "workstation"):
        able[row.workstation].append(row.capability)
    return {
        row.code: {
            "name": row.name, "line": row.line, "equipment": Equipment(row.equipment), "connection": row.connection,
            "is_active": row.is_active, "capabilities": tuple(able[row.code]),
        }
        for row in tables.by_key(connection, tables.STATIONS, codes, "code")
    }  # fmt: skip


def _material(row: Row[Any]) -> Values:
    found = {name: value for name, value in row._mapping.items() if name not in ("uuid", "code")}
    listed = found["approved_suppliers"]
    suppliers = None if listed is None else tuple(ApprovedSupplierEntry.model_validate(own) for own in listed)
    return found | {"approved_suppliers": suppliers}
