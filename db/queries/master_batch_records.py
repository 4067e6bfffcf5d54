"""Master batch records: versions, what is in force, and the recipe that a version stands on."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on

from db import audit
from db.queries import pictures, structure
from db.queries.master_data import BOM_LINES, BOMS, MATERIALS, PARAMETERS, ROUTE_OPERATIONS, ROUTES
from db.tables import MasterBatchRecord, Signature, StateTransition, core
from domain.master_batch_record import MasterBatchRecordBody
from domain.master_record_states import MasterBatchRecordState as State
from domain.rules.master_batch_record import ROLE_OF
from domain.rules.record_faults import Recipe, RecipeOperation
from domain.specification import Characteristic, RecordVersion

RECORDS = core(MasterBatchRecord)
TRANSITIONS, SIGNATURES = core(StateTransition), core(Signature)
Values = dict[str, Any]
_EVER: Final = (State.EFFECTIVE, State.SUPERSEDED, State.WITHDRAWN)
_SIGNED: Final = (State.APPROVED, State.EFFECTIVE, State.SUPERSEDED)


def content_hash(product: str, version: str, change_control: str, reason: str, body: Values) -> str:
    """SHA-256 over the canonical JSON of everything that the signatures under a version bind."""
    content = {
        "product": product, "version": version, "changeControl": change_control, "reasonForChange": reason,
        "body": body,
    }  # fmt: skip
    return hashlib.sha256(audit.canonical(content).encode()).hexdigest()


_SIGNED_BY: Final = (
    select(func.count(SIGNATURES.c.signer.distinct()))
    .where(
        SIGNATURES.c.entity == "master-batch-record/" + RECORDS.c.product + "/" + RECORDS.c.version,
        SIGNATURES.c.content["command"]["contentHash"].astext == RECORDS.c.content_hash,
    )
    .correlate(RECORDS)
    .scalar_subquery()
    .label("signed_by")
)
"""How many people have signed this content; signatures are never changed."""


def is_intact(row: Row[Any]) -> bool:
    """Whether the content of a version is the one that was hashed and, once it was approved, that two people signed."""
    content = (row.product, row.version, row.change_control, row.reason_for_change, row.body)
    signed = row.signed_by >= len(ROLE_OF) or row.state not in _SIGNED
    return signed and content_hash(*content) == row.content_hash


def _in_force(moment: datetime) -> ColumnElement[bool]:
    """Those that were in force at that moment; a version that has ended since counts for the time before."""
    return (
        RECORDS.c.state.in_(_EVER)
        & (RECORDS.c.effective_from <= moment)
        & or_(RECORDS.c.effective_until.is_(None), RECORDS.c.effective_until > moment)
    )


# One version -----------------------------------------------------------------------------------------------------


def find(connection: Connection, identity: UUID, *, lock: bool = False) -> Row[Any] | None:
    """The version of that uuid."""
    statement = select(RECORDS, _SIGNED_BY).where(RECORDS.c.id == identity)
    return connection.execute(statement.with_for_update(of=RECORDS) if lock else statement).one_or_none()


def add(connection: Connection, row: Values) -> None:
    """A new version."""
    connection.execute(insert(RECORDS).values(row))


def change(connection: Connection, identity: UUID, **values: Any) -> None:
    """Change columns of one version."""
    connection.execute(update(RECORDS).where(RECORDS.c.id == identity).values(values))


def note_transition(connection: Connection, **values: Any) -> None:
    """One step of a version's life, for the history of states."""
    connection.execute(insert(TRANSITIONS).values(entity="master-batch-record", **values))


def effective(connection: Connection, product: str) -> Row[Any] | None:
    """The version of the product that is effective or will be on its day; there is never more than one."""
    statement = select(RECORDS).where(RECORDS.c.product == product, RECORDS.c.state == State.EFFECTIVE)
    return connection.execute(statement.with_for_update()).one_or_none()


def ended_at(connection: Connection, product: str, moment: datetime) -> Row[Any] | None:
    """The superseded version of the product that ends at exactly that moment."""
    statement = select(RECORDS).where(
        RECORDS.c.product == product, RECORDS.c.state == State.SUPERSEDED, RECORDS.c.effective_until == moment
    )
    return connection.execute(statement.with_for_update()).one_or_none()


def is_material(connection: Connection, code: str) -> bool:
    """Whether there is a material of that code."""
    return connection.execute(select(MATERIALS.c.code).where(MATERIALS.c.code == code)).one_or_none() is not None


def page(
    connection: Connection, product: str | None, state: State | None, limit: int, after: UUID | None
) -> list[Row[Any]]:
    """Versions by product and version, without their bodies."""
    columns = [column for column in RECORDS.c if column.name != "body"]
    statement = select(*columns).order_by(RECORDS.c.product, RECORDS.c.version).limit(limit)
    if product is not None:
        statement = statement.where(RECORDS.c.product == product)
    if state is not None:
        statement = statement.where(RECORDS.c.state == state)
    if after is not None:
        last = select(RECORDS.c.product, RECORDS.c.version).where(RECORDS.c.id == after).subquery()
        statement = statement.join(last, tuple_(RECORDS.c.product, RECORDS.c.version) > tuple_(*last.c))
    return list(connection.execute(statement))


# What it stands on -----------------------------------------------------------------------------------------------


def recipe(connection: Connection, product: str, body: MasterBatchRecordBody) -> tuple[Recipe, datetime | None]:
    """The recipe that a body names, and from when on all of it counts. Six statements at most."""
    route = _version(connection, ROUTES, product, body.route_version)
    bom = _version(connection, BOMS, product, body.bill_of_material_version)
    statement = select(BOM_LINES).where(BOM_LINES.c.bill_of_material == (None if bom is None else bom.id))
    found = Recipe(
        route_state=None if route is None else route.state,
        bill_of_material_state=None if bom is None else bom.state,
        operations=() if route is None else _operations(connection, route.id),
        lines={row.line: row.material for row in connection.execute(statement)},
        pictures=pictures.sizes(connection, body.pictures),
    )
    return found, max((row.effective_from for row in (route, bom) if row is not None), default=None)


def _version(connection: Connection, table: Any, product: str, version: str | None) -> Row[Any] | None:
    if version is None:
        return None
    statement = select(table.c.id, table.c.state, table.c.effective_from)
    return connection.execute(
        statement.where(table.c.product == product, table.c.version == version)
    ).one_or_none()  # fmt: skip


def _operations(connection: Connection, route: UUID) -> tuple[RecipeOperation, ...]:
    parameters: dict[str, tuple[Characteristic, ...]] = {}
    values = select(PARAMETERS).where(PARAMETERS.c.route == route).order_by(PARAMETERS.c.position)
    for row in connection.execute(values):
        own = structure.characteristic(row, critical=row.is_critical)
        parameters[row.operation] = (*parameters.get(row.operation, ()), own)
    statement = select(ROUTE_OPERATIONS).where(ROUTE_OPERATIONS.c.route == route)
    return tuple(
        RecipeOperation(
            row.code, tuple(row.predecessors), row.counts_pieces, row.is_output, parameters.get(row.code, ())
        )
        for row in connection.execute(statement.order_by(ROUTE_OPERATIONS.c.sequence, ROUTE_OPERATIONS.c.code))
    )


# What orders are made by -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Nearest:
    """The version of a product that is in force, or else the newest one that there is."""

    record: RecordVersion
    state: str
    effective_from: datetime | None
    is_in_force: bool
    is_intact: bool
    body: MasterBatchRecordBody


def nearest(connection: Connection, products: Collection[str], moment: datetime) -> dict[str, Nearest]:
    """Product → its version in force at that moment, or else its newest. One statement."""
    in_force = _in_force(moment).label("in_force")
    statement = (
        select(RECORDS, _SIGNED_BY, in_force)
        .ext(distinct_on(RECORDS.c.product))
        .where(RECORDS.c.product.in_(products))
        # NULL, of a version without a date, sorts before true.
        .order_by(RECORDS.c.product, in_force.desc().nulls_last(), RECORDS.c.created_at.desc(), RECORDS.c.version)
    )
    return {row.product: _nearest(row) for row in connection.execute(statement)}


def _nearest(row: Row[Any]) -> Nearest:
    return Nearest(
        RecordVersion(product=row.product, version=row.version, content_hash=row.content_hash), row.state,
        row.effective_from, bool(row.in_force), is_intact(row), MasterBatchRecordBody.model_validate(row.body),
    )  # fmt: skip
