"""A product's definition, its bill of material and its route, as the content of a configuration change (ADR 37).

Whoever asks for a change gives the parts that shall be other, each whole and under a new version; what is not given
stays. Both parts count from the same moment, because the lines of one name operations of the other.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ConfigDict
from sqlalchemy import Connection

from api import master_data
from api import master_data_values as v
from api.deps import Caller
from api.master_data_document import BomContent, BomEntry, MasterDataDocument, RouteContent, RouteEntry, faults
from api.shapes import Body, Identifier
from db.queries import master_data as tables
from db.queries import product_definitions
from domain.errors import Blocker, Refused

Values = dict[str, Any]
PARTS: Final = {
    "billOfMaterial": ("bill of material", "bill_of_material", tables.BOMS),
    "route": ("route", "route", tables.ROUTES),
}
"""Part → what it is called, its field, where its versions are."""


class ProductDefinition(Body):
    """What a product is made of, and how. None: there is none."""

    model_config = ConfigDict(extra="forbid")
    product: Identifier
    bill_of_material: BomContent | None = None
    route: RouteContent | None = None


def whole(product: str, base: Mapping[str, Any], content: Mapping[str, Any]) -> Values:
    """The definition as it shall be: what `content` does not say is as in `base`. Raises pydantic's ValidationError."""
    given = {name: value for name, value in content.items() if value is not None}
    found = ProductDefinition.model_validate({**base, **given, "product": product})
    return found.model_dump(mode="json", by_alias=True)


def document(base: Mapping[str, Any], body: Mapping[str, Any]) -> MasterDataDocument:
    """The versions that a definition makes effective: those that are not in `base` already."""
    own, product = ProductDefinition.model_validate(body), str(body["product"])
    fresh = _fresh(base, body)
    made: Values = {}
    if own.bill_of_material is not None and "billOfMaterial" in fresh:
        made["bills_of_material"] = (BomEntry(product=product, **dict(own.bill_of_material)),)
    if own.route is not None and "route" in fresh:
        made["routes"] = (RouteEntry(product=product, **dict(own.route)),)
    return MasterDataDocument(**made)


def check(connection: Connection, who: Caller, base: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
    """Raise `Refused` with everything that keeps a definition from being used: all of it at once."""
    made = document(base, body)
    found = [*faults(made), *master_data.unfit(connection, made), *_versions(connection, base, body)]
    found += _operations(connection, ProductDefinition.model_validate(body))
    if not found:
        found += master_data.would_refuse(connection, who, made, at)
    if found:
        raise Refused(tuple(found))


def _fresh(base: Mapping[str, Any], body: Mapping[str, Any]) -> list[str]:
    """The parts that are under another version than the one that counts."""
    return [
        name for name in PARTS
        if body[name] is not None and body[name]["version"] != (base[name] or {}).get("version")
    ]  # fmt: skip


def _versions(connection: Connection, base: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Blocker]:
    """New content has a new version: one that is there counts already, or did. A draft may become effective."""
    product, fresh = str(body["product"]), _fresh(base, body)
    before, after = (ProductDefinition.model_validate(own) for own in (base, body))
    for name, (entity, attribute, table) in PARTS.items():
        if body[name] is None:
            continue
        version = body[name]["version"]
        if name in fresh:
            rows = tables.by_key(connection, table, [(product, version)], "product", "version")
            for state in (row.state for row in rows if row.state != "draft"):
                required = "a version that is not there"
                yield _blocker("VERSION_EXISTS", entity, f"{product}/{version}", state, required)
        elif v.comparable(getattr(before, attribute)) != v.comparable(getattr(after, attribute)):
            required = "a new version: orders were made by this one"
            yield _blocker("VERSION_LOCKED", entity, f"{product}/{version}", "another content", required)
    if before == after:
        yield _blocker("VERSION_EXISTS", "product", product, "nothing is new", "a version that is not there")


def _operations(connection: Connection, own: ProductDefinition) -> Iterator[Blocker]:
    """Every component goes into an operation of the route, and a station of the plant can do every operation."""
    operations = () if own.route is None else own.route.operations
    known = {operation.code for operation in operations}
    for line in () if own.bill_of_material is None else own.bill_of_material.lines:
        if line.operation not in known:
            key = f"{own.product}/{line.line}"
            yield _blocker("UNKNOWN_OPERATION", "bill of material", key, line.operation, "an operation of the route")
    able = product_definitions.can_be_done(connection)
    for operation in operations:
        if operation.capability not in able:
            key, found = f"{own.product}/{operation.code}", f"no active station for {operation.capability}"
            required = f"a station that can do {operation.name}"
            yield _blocker("NO_WORKSTATION", "operation", key, found, required)


def _blocker(code: str, entity: str, identity: str, found: str, required: str) -> Blocker:
    return Blocker(code=code, entity=entity, id=identity, found=found, required=required, who_can_fix="processEngineer")
