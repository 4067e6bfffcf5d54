"""The record: every table of the product, as SQLModel classes.

Who writes what: the projector (`db/projection`) writes everything that an order's workflow decided; the adapters of
warehouse and quality write stock, lots and inspections of received material; the API writes only what no process
owns (master-data drafts, users, sessions, signatures, plan lines). Append-only tables are listed in `APPEND_ONLY`:
grants and a trigger keep everybody from changing them.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlmodel import Field, SQLModel

APPEND_ONLY: Final = (
    "audit_row",
    "order_fact",
    "case_fact",
    "command_outcome",
    "state_transition",
    "stock_move",
    "lot_link",
    "production_report",
    "parameter_value",
    "inspection_result",
    "signature",
    "equipment_reading",
    "given_number",
    "serial_number",
)


def _time(nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(TIMESTAMP(timezone=True), nullable=nullable, index=index))


def _by_time(table: str, column: str) -> Index:
    """For time ranges over an append-only table: rows lie in the order of time, so a few pages' bounds are enough."""
    return Index(f"ix_{table}_{column}", column, postgresql_using="brin", postgresql_with={"pages_per_range": "8"})


def _number(nullable: bool = False, default: Decimal | None = None) -> Any:
    return Field(default=default, sa_column=Column(Numeric, nullable=nullable))


def _json(nullable: bool = True) -> Any:
    return Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=nullable))


def _row_id() -> Any:
    return Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))


# Master data -----------------------------------------------------------------------------------------------------


class Material(SQLModel, table=True):
    """Something that is bought, made or sold. `kind` is raw, semiFinished or finished; `gtin` has 14 digits."""

    code: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    name: str
    kind: str = Field(index=True)
    unit: str
    is_active: bool = True
    shelf_life_days: int | None = None
    gtin: str | None = Field(default=None, unique=True)


class BillOfMaterial(SQLModel, table=True):
    """One version of what a product is made of; `base_quantity` of the product in its unit."""

    __tablename__ = "bill_of_material"
    __table_args__ = (UniqueConstraint("product", "version"),)
    id: UUID = Field(primary_key=True)
    product: str = Field(foreign_key="material.code", index=True)
    version: str
    state: str
    base_quantity: Decimal = _number()
    effective_from: datetime = _time()


class BillOfMaterialLine(SQLModel, table=True):
    """One component; `loss_percent` is added on top of `quantity`. `operation` is the route operation that uses it."""

    __tablename__ = "bill_of_material_line"
    bill_of_material: UUID = Field(foreign_key="bill_of_material.id", primary_key=True)
    line: int = Field(primary_key=True)
    material: str = Field(foreign_key="material.code", index=True)
    quantity: Decimal = _number()
    unit: str
    loss_percent: Decimal = _number(default=Decimal(0))
    operation: str


class Route(SQLModel, table=True):
    """One version of how a product is made."""

    __table_args__ = (UniqueConstraint("product", "version"),)
    id: UUID = Field(primary_key=True)
    product: str = Field(foreign_key="material.code", index=True)
    version: str
    state: str
    effective_from: datetime = _time()


class RouteOperation(SQLModel, table=True):
    """One operation of a route; `predecessors` are codes of the same route, `recipe` goes to the machine."""

    __tablename__ = "route_operation"
    route: UUID = Field(foreign_key="route.id", primary_key=True)
    code: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    sequence: int
    name: str
    capability: str
    predecessors: list[str] = _json(nullable=False)
    counts_pieces: bool = True
    is_output: bool = False
    recipe: dict[str, str] | None = _json()
    inspection_rule: str = Field(default="none", sa_column_kwargs={"server_default": "none"})
    """Which reports are inspected while the order runs: none, first, every."""


class OperationParameter(SQLModel, table=True):
    """A value that is recorded at an operation, with its limits in `unit`."""

    __tablename__ = "operation_parameter"
    route: UUID = Field(foreign_key="route.id", primary_key=True)
    operation: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    position: int
    unit: str = ""
    low: Decimal | None = _number(nullable=True)
    high: Decimal | None = _number(nullable=True)
    is_required: bool = False
    is_critical: bool = False


class InspectionPlan(SQLModel, table=True):
    """What is measured on a material: on receipt for a bought one, before put-away for a made one."""

    __tablename__ = "inspection_plan"
    material: str = Field(foreign_key="material.code", primary_key=True)
    name: str = Field(primary_key=True)
    position: int
    unit: str = ""
    low: Decimal | None = _number(nullable=True)
    high: Decimal | None = _number(nullable=True)
    is_required: bool = False


class Workstation(SQLModel, table=True):
    """Where an operation is done; `equipment` is manual or opcua, `connection` says how its machine is reached."""

    code: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    name: str
    line: str = ""
    is_active: bool = True
    equipment: str = "manual"
    connection: dict[str, str] | None = _json()


class WorkstationCapability(SQLModel, table=True):
    """A workstation can do operations of this capability."""

    __tablename__ = "workstation_capability"
    workstation: str = Field(foreign_key="workstation.code", primary_key=True)
    capability: str = Field(primary_key=True, index=True)


class PlantPolicy(SQLModel, table=True):
    """One version of what a plant asks for; the highest version counts for new orders."""

    __tablename__ = "plant_policy"
    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    body: dict[str, Any] = _json(nullable=False)


OUTSIDE_PLACES: Final = frozenset({"SUPPLIER", "PROCESS", "SCRAP"})
"""Material comes from there or goes there; no balance is kept of it. Everybody who moves stock asks this one list."""


class Place(SQLModel, table=True):
    """A place of stock. `zone` is released, quarantine, rejected, line or outside (suppliers, the process itself)."""

    code: str = Field(primary_key=True)
    name: str
    zone: str


class NumberSeries(SQLModel, table=True):
    """The last number given out of a series."""

    __tablename__ = "number_series"
    code: str = Field(primary_key=True)
    last: int = Field(sa_column=Column(BigInteger, nullable=False))


class NumberPattern(SQLModel, table=True):
    """How a plant writes the lot numbers of a kind of material; the highest version counts for new numbers."""

    __tablename__ = "number_pattern"
    plant: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    pattern: str


class GivenNumber(SQLModel, table=True):
    """A lot number that was given out, for ever: by which pattern, or by none when the caller wrote one himself."""

    __tablename__ = "given_number"
    number: str = Field(primary_key=True)
    plant: str | None = None
    kind: str | None = None
    version: int | None = None
    given_by: str
    given_at: datetime = _time()


# People ----------------------------------------------------------------------------------------------------------


class UserAccount(SQLModel, table=True):
    """A person. Never deleted, only disabled; `password_hash` is Argon2id."""

    __tablename__ = "user_account"
    id: str = Field(primary_key=True)
    full_name: str
    password_hash: str
    roles: list[str] = _json(nullable=False)
    is_active: bool = True
    is_person: bool = True
    failed_attempts: int = 0
    locked_at: datetime | None = _time(nullable=True)
    created_at: datetime = _time()


class UserSession(SQLModel, table=True):
    """A login. Only the SHA-256 of the bearer token is stored."""

    __tablename__ = "user_session"
    token_hash: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="user_account.id", index=True)
    created_at: datetime = _time()
    last_seen_at: datetime = _time()
    expires_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)


class Signature(SQLModel, table=True):
    """An electronic signature: who, when, what it means, and the hash of exactly what was signed."""

    id: UUID = Field(primary_key=True)
    command_id: str = Field(unique=True)
    signer: str = Field(foreign_key="user_account.id", index=True)
    full_name: str
    meaning: str
    entity: str = Field(index=True)
    content_hash: str
    signed_at: datetime = _time()


# Planning and orders ---------------------------------------------------------------------------------------------


class PlanLine(SQLModel, table=True):
    """What planning wants made. `order_number` is given at import, so one line can only ever make one order."""

    __tablename__ = "plan_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="a_plan_line_wants_something"),)
    id: UUID = Field(primary_key=True)
    reference: str = Field(unique=True)
    order_number: str = Field(unique=True)
    product: str
    quantity: Decimal = _number()
    unit: str
    policy: str
    plant: str
    due_at: datetime | None = _time(nullable=True)
    batch_number: str | None = Field(default=None, unique=True)
    fixed_lots: dict[str, list[str]] | None = _json()
    created_by: str
    created_at: datetime = _time()


class ProductionOrder(SQLModel, table=True):
    """The recorded state of one production order, folded from its facts."""

    __tablename__ = "production_order"
    number: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    plan_line: str = Field(unique=True)
    plant: str
    product: str = Field(index=True)
    quantity: Decimal = _number()
    unit: str
    policy: str
    state: str = Field(index=True)
    created_by: str
    created_at: datetime = _time(index=True)
    due_at: datetime | None = _time(nullable=True)
    actual_start: datetime | None = _time(nullable=True)
    actual_end: datetime | None = _time(nullable=True)
    revision: int
    waiting: list[dict[str, Any]] | None = _json()


class WorkOrder(SQLModel, table=True):
    """The recorded state of one work order and its batch."""

    __tablename__ = "work_order"
    number: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    order_number: str = Field(foreign_key="production_order.number", index=True)
    material: str = Field(index=True)
    quantity: Decimal = _number()
    unit: str
    state: str = Field(index=True)
    output_lot: str = Field(unique=True)
    feeds: str | None = None
    actual_start: datetime | None = _time(nullable=True)
    actual_end: datetime | None = _time(nullable=True)


OPEN_OPERATION: Final = "state IN ('pending', 'ready', 'running', 'paused', 'held')"
"""SQL: the operation has still to be done."""


class OperationRow(SQLModel, table=True):
    """The recorded state of one operation."""

    __tablename__ = "operation"
    # The load of a station is asked for with every new order; closed orders pile up and do not count.
    __table_args__ = (Index("ix_operation_open", "workstation", postgresql_where=text(OPEN_OPERATION)),)
    work_order: str = Field(foreign_key="work_order.number", primary_key=True)
    code: str = Field(primary_key=True, index=True)
    sequence: int
    name: str
    workstation: str = Field(index=True)
    state: str
    good: Decimal = _number(default=Decimal(0))
    scrap: Decimal = _number(default=Decimal(0))
    review_board: Decimal = _number(default=Decimal(0))
    started_by: str | None = Field(default=None, index=True)
    started_at: datetime | None = _time(nullable=True)
    ended_at: datetime | None = _time(nullable=True)


class ProductionReport(SQLModel, table=True):
    """Pieces and hours, as reported. A mistake is corrected by a counter-report."""

    __tablename__ = "production_report"
    number: str = Field(primary_key=True)
    work_order: str = Field(index=True)
    operation: str
    good: Decimal = _number()
    scrap: Decimal = _number()
    scrap_reason: str | None = None
    review_board: Decimal = _number()
    unit: str
    is_rework: bool
    report_type: str
    source: str
    workstation: str = Field(index=True)
    worker: str | None = Field(default=None, index=True)
    operator: str = Field(index=True)
    labour_seconds: int | None = None
    started_at: datetime | None = _time(nullable=True)
    ended_at: datetime | None = _time(nullable=True)
    over_by: Decimal = _number()
    reported_at: datetime = _time()
    command_id: str | None = None
    reverses: str | None = Field(default=None, unique=True)
    """The report that this one takes back, with its quantities negative."""


class ParameterValue(SQLModel, table=True):
    """A value measured at an operation, with the text that was entered."""

    __tablename__ = "parameter_value"
    __table_args__ = (
        Index("ix_parameter_value_operation", "work_order", "operation", "name"),
        Index("ix_parameter_value_name", "name", "value"),
    )
    id: int = _row_id()
    work_order: str
    operation: str
    name: str
    text: str
    value: Decimal | None = _number(nullable=True)
    unit: str
    low: Decimal | None = _number(nullable=True)
    high: Decimal | None = _number(nullable=True)
    within_limits: bool
    recorded_by: str
    recorded_at: datetime = _time()


class PickListRow(SQLModel, table=True):
    """A pick list. `lines` are its allocations, `short` what the warehouse lacked."""

    __tablename__ = "pick_list"
    number: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    work_order: str = Field(foreign_key="work_order.number", unique=True)
    state: str = Field(index=True)
    created_by: str
    created_at: datetime = _time()
    approved_by: str | None = None
    lines: list[dict[str, Any]] | None = _json()
    short: list[dict[str, Any]] | None = _json()


class PutAwayRow(SQLModel, table=True):
    """A put-away order."""

    __tablename__ = "put_away"
    number: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    work_order: str = Field(foreign_key="work_order.number", unique=True)
    lot: str
    state: str
    place: str | None = None
    quantity: Decimal | None = _number(nullable=True)


# Lots, stock, genealogy ------------------------------------------------------------------------------------------


class Lot(SQLModel, table=True):
    """A lot with its quality status. `origin` is received or produced."""

    number: str = Field(primary_key=True)
    material: str = Field(foreign_key="material.code", index=True)
    unit: str
    status: str = Field(index=True)
    origin: str
    work_order: str | None = Field(default=None, index=True)
    supplier: str | None = None
    expires_on: date | None = None
    created_at: datetime = _time()


class StockMove(SQLModel, table=True):
    """Material went from one place to another. Never changed: a mistake is moved back. `key` makes it once."""

    __tablename__ = "stock_move"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="a_move_moves_something"),
        CheckConstraint("from_place <> to_place", name="a_move_goes_somewhere"),
        _by_time("stock_move", "moved_at"),
    )
    id: int = _row_id()
    key: str = Field(unique=True)
    lot: str = Field(foreign_key="lot.number", index=True)
    from_place: str = Field(foreign_key="place.code")
    to_place: str = Field(foreign_key="place.code")
    quantity: Decimal = _number()
    unit: str
    kind: str
    work_order: str | None = Field(default=None, index=True)
    actor: str = Field(index=True)
    moved_at: datetime = _time()


class StockBalance(SQLModel, table=True):
    """What of a lot lies at a place. Kept in step with the moves by the same transaction."""

    __tablename__ = "stock_balance"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", name="stock_is_never_negative"),
        CheckConstraint("reserved >= 0", name="reservations_are_never_negative"),
        CheckConstraint("reserved <= on_hand", name="nothing_is_reserved_twice"),
        Index("ix_stock_balance_place", "place", postgresql_where=text("on_hand > 0")),
    )
    lot: str = Field(foreign_key="lot.number", primary_key=True)
    place: str = Field(foreign_key="place.code", primary_key=True)
    on_hand: Decimal = _number()
    reserved: Decimal = _number(default=Decimal(0))


class Reservation(SQLModel, table=True):
    """A quantity of a lot that a work order has reserved. `state` is reserved, issued or freed."""

    __table_args__ = (Index("ix_reservation_work_order", "work_order", "state"),)
    key: str = Field(primary_key=True)
    work_order: str
    line: int
    material: str
    lot: str = Field(foreign_key="lot.number", index=True)
    place: str
    quantity: Decimal = _number()
    unit: str
    state: str


class InventoryRequest(SQLModel, table=True):
    """What the warehouse was asked under a key, and what it answered: the same key gets the same answer."""

    __tablename__ = "inventory_request"
    key: str = Field(primary_key=True)
    request_hash: str
    answer: dict[str, Any] = _json(nullable=False)
    asked_at: datetime = _time()


class LotLink(SQLModel, table=True):
    """A quantity of an input lot went into an output lot. Written with the move that caused it."""

    __tablename__ = "lot_link"
    __table_args__ = (
        Index("ix_lot_link_input", "input_lot", "output_lot"),
        Index("ix_lot_link_output", "output_lot", "input_lot"),
        Index("ix_lot_link_work_order", "work_order", "operation"),
        _by_time("lot_link", "linked_at"),
    )
    id: int = _row_id()
    key: str = Field(unique=True)
    input_lot: str = Field(foreign_key="lot.number")
    output_lot: str = Field(foreign_key="lot.number")
    quantity: Decimal = _number()
    unit: str
    work_order: str
    operation: str
    linked_at: datetime = _time()


class SerialNumber(SQLModel, table=True):
    """A piece of a lot with a number of its own. One serial is one piece of the plant, whatever it is made of.

    `material` and `work_order` (none of a received lot) are the lot's, as they were when the piece got its number.
    """

    __tablename__ = "serial_number"
    serial: str = Field(primary_key=True)
    lot: str = Field(foreign_key="lot.number", index=True)
    material: str
    work_order: str | None = None
    registered_by: str
    registered_at: datetime = _time()
    command_id: str


# Quality ---------------------------------------------------------------------------------------------------------


class InspectionRow(SQLModel, table=True):
    """An inspection of a lot: of a received one, or of the one that a work order makes."""

    __tablename__ = "inspection"
    number: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    lot: str = Field(index=True)
    material: str
    work_order: str | None = Field(default=None, index=True)
    state: str = Field(index=True)
    characteristics: list[dict[str, Any]] = _json(nullable=False)
    requested_at: datetime = _time()
    entered_by: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)


class InspectionResult(SQLModel, table=True):
    """A result, with the text that was entered. A second result for one lot is another row, never an overwrite."""

    __tablename__ = "inspection_result"
    id: int = _row_id()
    inspection: str = Field(foreign_key="inspection.number", index=True)
    name: str
    text: str
    value: Decimal | None = _number(nullable=True)
    unit: str
    low: Decimal | None = _number(nullable=True)
    high: Decimal | None = _number(nullable=True)
    within_limits: bool
    entered_by: str
    entered_at: datetime = _time()


class InProcessInspectionRow(SQLModel, table=True):
    """The inspection of the pieces of one report, or of reworked ones."""

    __tablename__ = "in_process_inspection"
    number: str = Field(primary_key=True)
    work_order: str = Field(index=True)
    operation: str
    report_number: str = Field(index=True)
    rework: str | None = None
    quantity: Decimal = _number()
    unit: str
    state: str = Field(index=True)
    failed: Decimal = _number(default=Decimal(0))
    defect: str | None = None
    opened_at: datetime = _time()
    decided_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)


class ReworkRow(SQLModel, table=True):
    """Nonconforming pieces of a lot on their way back to good, or to scrap."""

    __tablename__ = "rework"
    number: str = Field(primary_key=True)
    work_order: str = Field(index=True)
    operation: str
    report_number: str
    inspection: str
    lot: str = Field(index=True)
    quantity: Decimal = _number()
    unit: str
    state: str = Field(index=True)
    good: Decimal = _number(default=Decimal(0))
    scrap: Decimal = _number(default=Decimal(0))
    proposed_by: str
    proposed_at: datetime = _time()
    approved_by: str | None = None
    done_by: str | None = None


class Deviation(SQLModel, table=True):
    """Something that is not as it should be. `state` is open or closed.

    With `has_process` it is led by a workflow of its own: table quality_case has its state and everything else.
    """

    number: str = Field(primary_key=True)
    order_number: str | None = Field(default=None, index=True)
    work_order: str | None = None
    operation: str | None = None
    lot: str | None = Field(default=None, index=True)
    equipment: str | None = Field(default=None, index=True)
    code: str
    detail: str
    state: str = Field(index=True)
    has_process: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))
    decision: str | None = None
    opened_by: str
    opened_at: datetime = _time()
    decided_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)


class QualityCaseRow(SQLModel, table=True):
    """A deviation or a corrective action with a process of its own, as it stands: `body` is the fold of its facts."""

    __tablename__ = "quality_case"
    number: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    kind: str = Field(index=True)
    state: str = Field(index=True)
    is_over: bool = Field(index=True)
    owner: str | None = Field(default=None, index=True)
    order_number: str | None = Field(default=None, index=True)
    lot: str | None = Field(default=None, index=True)
    equipment: str | None = Field(default=None, index=True)
    source: str | None = Field(default=None, index=True)
    opened_by: str
    opened_at: datetime = _time()
    revision: int
    body: dict[str, Any] = _json(nullable=False)


# Machines --------------------------------------------------------------------------------------------------------


class EquipmentRun(SQLModel, table=True):
    """A job on a machine, bound to its batch: the only link between readings and batch."""

    __tablename__ = "equipment_run"
    job: str = Field(primary_key=True)
    workstation: str = Field(index=True)
    work_order: str = Field(index=True)
    operation: str
    batch: str = Field(index=True)
    state: str
    good: Decimal | None = _number(nullable=True)
    waste: Decimal | None = _number(nullable=True)
    started_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)


class EquipmentReading(SQLModel, table=True):
    """One reading of a machine during a run; `source_time` is the machine's, `quality` good, uncertain or bad."""

    __tablename__ = "equipment_reading"
    job: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    source_time: datetime = _time()
    quality: str
    values: dict[str, str] = _json(nullable=False)


# History, audit, answers -----------------------------------------------------------------------------------------


class OrderFact(SQLModel, table=True):
    """One decision of an order's workflow. A second content under the same key is refused by the projector."""

    __tablename__ = "order_fact"
    order_number: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    at: datetime = _time()
    actor: str
    command_id: str | None = Field(default=None, index=True)
    content_hash: str
    body: dict[str, Any] = _json(nullable=False)


class CaseFactRow(SQLModel, table=True):
    """One decision of a quality case's workflow; as `order_fact` for orders."""

    __tablename__ = "case_fact"
    case_number: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    at: datetime = _time()
    actor: str
    command_id: str | None = Field(default=None, index=True)
    content_hash: str
    body: dict[str, Any] = _json(nullable=False)


class CommandOutcome(SQLModel, table=True):
    """The verdict on a command, for whoever sent it, as often as it is asked for."""

    __tablename__ = "command_outcome"
    command_id: str = Field(primary_key=True)
    order_number: str = Field(index=True)
    revision: int
    accepted: bool
    body: dict[str, Any] = _json(nullable=False)
    at: datetime = _time()


class StateTransition(SQLModel, table=True):
    """One step of one object's life."""

    __tablename__ = "state_transition"
    __table_args__ = (Index("ix_state_transition_entity", "entity", "entity_id"),)
    id: int = _row_id()
    entity: str
    entity_id: str
    event: str
    from_state: str | None
    to_state: str
    actor: str
    reason: str | None
    at: datetime = _time()
    order_number: str | None = Field(default=None, index=True)
    revision: int | None = None


class AuditRow(SQLModel, table=True):
    """Who did what to what, when, from where, why; chained by hash to the row before."""

    __tablename__ = "audit_row"
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = _time(index=True)
    actor: str = Field(index=True)
    action: str
    entity: str = Field(index=True)
    old: dict[str, Any] | None = _json()
    new: dict[str, Any] | None = _json()
    reason: str | None = None
    command_id: str | None = Field(default=None, index=True)
    source: str | None = None
    hash: str = Field(sa_column=Column(String(64), nullable=False))


class AuditHead(SQLModel, table=True):
    """The end of the chain: one row, locked by whoever appends."""

    __tablename__ = "audit_head"
    id: int = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str = Field(sa_column=Column(String(64), nullable=False))


class Alarm(SQLModel, table=True):
    """Something that a person has to look at: a contradiction in the record, a bug in a rule."""

    id: int = _row_id()
    at: datetime = _time()
    code: str
    detail: str
    order_number: str | None = Field(default=None, index=True)
    key: str = Field(unique=True)


def core(model: type[SQLModel]) -> Table:
    """The SQLAlchemy Core table of a model: statements over it skip the ORM's unit of work (a quarter of the CPU)."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]
