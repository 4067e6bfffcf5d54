"""Entries of a master data document as rows, and rows as JSON: how what is sent and what is stored are compared."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Row

from domain.base import uuid_for
from domain.quantities import plain

Values = dict[str, Any]


def columns(entry: BaseModel, *without: str) -> Values:
    """The columns of an entry."""
    return entry.model_dump(exclude=set(without), mode="python")


def material(entry: BaseModel) -> Values:
    """A material as it is stored."""
    row = columns(entry, "approved_suppliers")
    said = entry.model_dump(include={"approved_suppliers"}, mode="json", by_alias=True)
    return row | {"uuid": uuid_for("material", row["code"]), "approved_suppliers": said["approvedSuppliers"]}


def limits(entry: Any, position: int) -> Values:
    """A measured value with its limits as it is stored."""
    return {
        "name": entry.name, "position": position, "unit": entry.unit, "low": entry.low, "high": entry.high,
        "is_required": entry.required,
    }  # fmt: skip


def comparable(entry: Any) -> Values:
    """The content of a version, as it is stored: what may not change under its name."""
    if hasattr(entry, "lines"):
        lines = sorted((columns(line) for line in entry.lines), key=lambda line: int(line["line"]))
        return {"base_quantity": entry.base_quantity, "lines": lines}
    operations = [columns(own, "parameters") | {"predecessors": list(own.predecessors)} for own in entry.operations]
    parameters = [
        limits(value, position) | {"operation": own.code, "is_critical": value.critical}
        for own in entry.operations
        for position, value in enumerate(own.parameters)
    ]
    return {"operations": sorted(operations, key=code), "parameters": sorted(parameters, key=parameter)}


def policy(entry: BaseModel) -> Values:
    """A policy as it is stored."""
    return entry.model_dump(mode="json", by_alias=True)


def code(row: Values) -> str:
    """Sorts operations."""
    return str(row["code"])


def parameter(row: Values) -> tuple[str, int]:
    """Sorts parameters."""
    return str(row["operation"]), int(row["position"])


def position(row: Row[Any]) -> int:
    """Sorts characteristics."""
    return int(row.position)


def line(row: Row[Any]) -> int:
    """Sorts lines."""
    return int(row.line)


def without(row: Row[Any], *columns: str) -> Values:
    """A row without some of its columns."""
    return {name: value for name, value in row._mapping.items() if name not in columns}


def grouped(rows: Iterable[Row[Any]], column: str) -> dict[Any, list[Row[Any]]]:
    """Rows by the value of a column."""
    found: dict[Any, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row._mapping[column], []).append(row)
    return found


def differs(row: Row[Any], values: Values) -> bool:
    """Whether a row holds another value than those."""
    return any(as_json(row._mapping[name]) != as_json(value) for name, value in values.items())


def as_json(value: Any) -> Any:
    """A value as JSON data; a quantity without superfluous zeros, so that 1.0 is 1."""
    match value:
        case Decimal():
            return plain(value.normalize())
        case dict():
            return {key: as_json(item) for key, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
