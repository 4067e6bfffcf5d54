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
    "parameter_check",
    "operation_verification",
    "operation_comment",
    "exception_explanation",
    "archived_record",
    "archived_print",
    "copied_audit_row",
    "inspection_result",
    "signature",
    "equipment_reading",
    "machine_state_change",
    "risk_model",
    "given_number",
    "serial_number",
    "plan_line_link",
    "equipment_log_entry",
    "training_record",
    "shipment_return",
    "recall_entry",
    "maintenance_request",
    "report_file",
    "epcis_discard",
    "epcis_document",
    "epcis_event",
    "epcis_item",
    "epcis_rejection",
    "epcis_retry",
    "picture",
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
    strength: str | None = None
    dosage_form: str | None = None
    """What form of medicine it is, such as film-coated tablet; none: it is none."""
    approved_suppliers: list[dict[str, Any]] | None = _json()
    """Who may deliver it, each with the last day of the approval or none; null: nobody is asked (MD-06)."""


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
    ideal_cycle_seconds: Decimal | None = _number(nullable=True)
    """What one piece takes when nothing is lost (ISO 22400: planned run time per item); for OEE alone."""


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


class PictureFile(SQLModel, table=True):
    """A picture of an instruction: the bytes that its SHA-256 names, stored once, never changed."""

    __tablename__ = "picture"
    __table_args__ = (
        CheckConstraint(
            "sha256 = encode(sha256(content), 'hex') AND size = octet_length(content)", name="a_picture_is_what_it_says"
        ),
    )
    sha256: str = Field(primary_key=True)
    media_type: str
    width: int
    height: int
    size: int
    content: bytes
    added_by: str
    added_at: datetime = _time()


class MasterBatchRecord(SQLModel, table=True):
    """One version of how a product is made, in words and limits; `body` is a `MasterBatchRecordBody`.

    In force from `effective_from` until `effective_until`. `content_hash` is of everything that its signatures bind:
    product, version, change control, reason and body. `authors` wrote it, `approvals` are the signatures under it.
    """

    __tablename__ = "master_batch_record"
    __table_args__ = (
        UniqueConstraint("product", "version"),
        Index(
            "one_effective_master_batch_record", "product", unique=True, postgresql_where=text("state = 'effective'")
        ),
    )
    id: UUID = Field(primary_key=True)
    product: str = Field(foreign_key="material.code")
    version: str
    state: str = Field(index=True)
    body: dict[str, Any] = _json(nullable=False)
    content_hash: str
    change_control: str
    reason_for_change: str
    authors: list[str] = _json(nullable=False)
    approvals: list[dict[str, Any]] = _json(nullable=False)
    effective_from: datetime | None = _time(nullable=True)
    effective_until: datetime | None = _time(nullable=True)
    created_at: datetime = _time()


class ConfigurationChange(SQLModel, table=True):
    """A change of configuration (B19): `body` is the whole new content of `subject`, `base` what `base_version` says.

    `content_hash` is of everything that the approval binds. `authors` wrote it; `steps` are `ConfigurationStep`s.
    """

    __tablename__ = "configuration_change"
    __table_args__ = (
        Index(
            "one_published_change_of_a_version", "kind", "subject", "base_version", unique=True,
            postgresql_where=text("state = 'published'"),
        ),
    )  # fmt: skip
    id: UUID = Field(primary_key=True)
    number: str = Field(unique=True)
    kind: str
    subject: str
    base_version: int
    base: dict[str, Any] = _json(nullable=False)
    state: str = Field(index=True)
    body: dict[str, Any] = _json(nullable=False)
    content_hash: str
    change_control: str
    reason_for_change: str
    authors: list[str] = _json(nullable=False)
    steps: list[dict[str, Any]] = _json(nullable=False)
    created_at: datetime = _time()


class InspectionPlan(SQLModel, table=True):
    """What is measured on a material: on receipt for a bought one, before put-away for a made one.

    Every change of a material's plan gives it the next `version`.
    """

    __tablename__ = "inspection_plan"
    material: str = Field(foreign_key="material.code", primary_key=True)
    name: str = Field(primary_key=True)
    position: int
    unit: str = ""
    low: Decimal | None = _number(nullable=True)
    high: Decimal | None = _number(nullable=True)
    is_required: bool = False
    method: str = Field(default="", sa_column_kwargs={"server_default": ""})
    sample_size: str = Field(default="", sa_column_kwargs={"server_default": ""})
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    evidence: list[str] | None = _json()
    """What a result has to say beside its value."""


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


OUTSIDE_PLACES: Final = frozenset({"SUPPLIER", "PROCESS", "SCRAP", "CUSTOMER", "SAMPLE", "DIFFERENCE"})
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


class DisplayName(SQLModel, table=True):
    """What people read instead of a code of master data, in each language; records keep the code.

    `name` is the kind and the code: `operation/COAT`.
    """

    __tablename__ = "display_name"
    name: str = Field(primary_key=True)
    kind: str
    code: str
    english: str
    chinese: str


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
    plants: list[str] | None = _json()
    """Where the person may act and what lists show; None: everywhere."""
    lines: list[str] | None = _json()
    password_changed_at: datetime | None = _time(nullable=True)
    password_expires_at: datetime | None = _time(nullable=True)
    """Set when somebody else chose the password: its owner has to choose another one."""
    totp_secret: str | None = None
    """The shared secret of the one-time codes, sealed."""
    totp_confirmed_at: datetime | None = _time(nullable=True)
    totp_last_counter: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    """Codes up to this one were used: none counts twice."""
    badge: str | None = Field(default=None, unique=True)
    """What the person's card says when it is scanned."""
    pin_hash: str | None = None
    """Argon2id of the PIN that takes over a terminal; it signs nothing."""
    pin_failed_attempts: int = 0
    pin_locked_at: datetime | None = _time(nullable=True)


class PasswordHistory(SQLModel, table=True):
    """Hashes of the passwords that somebody had: the last ones are not taken again."""

    __tablename__ = "password_history"
    id: int = _row_id()
    user_id: str = Field(foreign_key="user_account.id", index=True)
    password_hash: str
    set_at: datetime = _time()


class ApiKey(SQLModel, table=True):
    """A key by which a machine account is known. Only its SHA-256 is stored; `routes` None: all that its roles may."""

    __tablename__ = "api_key"
    id: UUID = Field(primary_key=True)
    user_id: str = Field(foreign_key="user_account.id", index=True)
    name: str
    key_hash: str = Field(unique=True)
    routes: list[str] | None = _json()
    created_by: str
    created_at: datetime = _time()
    expires_at: datetime | None = _time(nullable=True)
    revoked_at: datetime | None = _time(nullable=True)


class UserSession(SQLModel, table=True):
    """A login. Only the SHA-256 of the bearer token is stored."""

    __tablename__ = "user_session"
    token_hash: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="user_account.id", index=True)
    created_at: datetime = _time()
    last_seen_at: datetime = _time()
    expires_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)
    signed_at: datetime | None = _time(nullable=True)
    """When both components of a signature were given in this session; None again after another person signed here."""
    locked_at: datetime | None = _time(nullable=True)
    """When its terminal was locked: the session has ended, and somebody with badge and PIN may go on there."""
    by_pin: bool = False
    """Opened by badge and PIN; it ends when the session that opened the terminal by a password would have ended."""


class Signature(SQLModel, table=True):
    """An electronic signature: who, when, what it means, and the hash of exactly what was signed.

    `part` is signer, or second for the second person, who signs in the session of `terminal_session_user`. `content`
    is what was signed; signatures from before it was kept have none.
    """

    __table_args__ = (UniqueConstraint("command_id", "part"),)
    id: UUID = Field(primary_key=True)
    command_id: str
    part: str = Field(default="signer", sa_column_kwargs={"server_default": "signer"})
    signer: str = Field(foreign_key="user_account.id", index=True)
    full_name: str
    meaning: str
    entity: str = Field(index=True)
    content_hash: str
    signed_at: datetime = _time()
    time_zone: str | None = None
    local_offset: str | None = None
    content: dict[str, Any] | None = _json()
    entity_revision: int | None = None
    terminal_session_user: str | None = None
    has_second_factor: bool | None = None
    request_id: UUID | None = None


class SignatureRequest(SQLModel, table=True):
    """A signature ceremony (SM-15): what was shown to whom, and what became of it."""

    __tablename__ = "signature_request"
    __table_args__ = (Index("ix_signature_request_open", "expires_at", postgresql_where=text("state = 'requested'")),)
    id: UUID = Field(primary_key=True)
    state: str
    requested_by: str = Field(foreign_key="user_account.id", index=True)
    command_id: str = Field(index=True)
    command_kind: str
    entity: str = Field(index=True)
    meaning: str
    content: dict[str, Any] = _json(nullable=False)
    content_hash: str
    entity_revision: int
    requested_at: datetime = _time()
    expires_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)
    failure: str | None = None


class WallDisplay(SQLModel, table=True):
    """A screen on a wall that shows an area and nothing else, without a person behind it. Only the SHA-256 of the
    token in its address is stored. `kind` is plant or line, `area` its code; `command_id` makes it once."""

    __tablename__ = "wall_display"
    id: UUID = Field(primary_key=True)
    kind: str
    area: str
    name: str
    token_hash: str = Field(unique=True)
    command_id: str = Field(unique=True)
    created_by: str = Field(foreign_key="user_account.id")
    created_at: datetime = _time()
    revoked_by: str | None = None
    revoked_at: datetime | None = _time(nullable=True)


class SavedView(SQLModel, table=True):
    """A report as somebody asks for it: `address` is its question without the days, `days` how many of them.

    `is_shared`: everybody may open it who works in one of the plants and lines that its owner was limited to (null: no
    limit); what they see of it is what their own account may see.
    """

    __tablename__ = "saved_view"
    id: UUID = Field(primary_key=True)
    name: str
    address: str
    days: int
    owner: str = Field(foreign_key="user_account.id", index=True)
    is_shared: bool
    plants: list[str] | None = _json()
    lines: list[str] | None = _json()
    created_at: datetime = _time()
    removed_at: datetime | None = _time(nullable=True)


class ReportSchedule(SQLModel, table=True):
    """A report that is made by itself: daily, weekly or monthly at a time of the plant's clock, of the time before.

    It shows what `plants` and `lines` (null: no limit) allow; `recipients` are people who may see that.
    """

    __tablename__ = "report_schedule"
    id: UUID = Field(primary_key=True)
    name: str
    report: str
    product: str
    rhythm: str
    at: str
    language: str
    recipients: list[str] = _json(nullable=False)
    plants: list[str] | None = _json()
    lines: list[str] | None = _json()
    created_by: str = Field(foreign_key="user_account.id")
    created_at: datetime = _time()
    next_due_at: datetime | None = _time(nullable=True, index=True)
    stopped_at: datetime | None = _time(nullable=True)


class ScheduledReport(SQLModel, table=True):
    """A report that was made because it was due: once for each schedule and due time. Its file never changes."""

    __tablename__ = "scheduled_report"
    __table_args__ = (UniqueConstraint("schedule", "due_at", name="a_report_is_made_once"),)
    id: UUID = Field(primary_key=True)
    schedule: UUID = Field(foreign_key="report_schedule.id")
    due_at: datetime = _time()
    first: date
    last: date
    state: str = Field(index=True)
    sha256: str
    made_at: datetime = _time()
    reviewed_by: str | None = None
    reviewed_at: datetime | None = _time(nullable=True)
    distributed_by: str | None = None
    distributed_at: datetime | None = _time(nullable=True)
    archived_by: str | None = None
    archived_at: datetime | None = _time(nullable=True)


class ReportFile(SQLModel, table=True):
    """The content of a scheduled report, as it was made."""

    __tablename__ = "report_file"
    report: UUID = Field(foreign_key="scheduled_report.id", primary_key=True)
    name: str
    content: bytes


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
    fixed_lots_reason: str | None = None
    start_at: datetime | None = _time(nullable=True)
    created_by: str
    created_at: datetime = _time()
    rework: dict[str, Any] | None = _json()
    """The whole batch that its order reworks, as quality approved it."""


class PlanLineLink(SQLModel, table=True):
    """A plan line that was made of another one: a part of a split, a backorder, or the rest of a reduced order.

    `part` counts what was made of one line in one way; so a line has one backorder and is split once.
    """

    __tablename__ = "plan_line_link"
    __table_args__ = (
        UniqueConstraint("parent", "kind", "part"),
        CheckConstraint("quantity > 0", name="a_link_has_a_quantity"),
        CheckConstraint("parent <> child", name="no_line_is_its_own_parent"),
    )
    child: str = Field(foreign_key="plan_line.reference", primary_key=True)
    parent: str = Field(foreign_key="plan_line.reference", index=True)
    kind: str
    part: int
    quantity: Decimal = _number()
    unit: str
    reason: str | None = None
    command_id: str = Field(index=True)
    created_by: str
    created_at: datetime = _time()


OPEN_ORDER: Final = "state NOT IN ('closed', 'cancelled', 'aborted')"


class ProductionOrder(SQLModel, table=True):
    """The recorded state of one production order, folded from its facts. `tasks`: what it waits for, see
    `domain.tasks.Task`; `changed_at`: the time of its last fact."""

    __tablename__ = "production_order"
    __table_args__ = (Index("ix_production_order_open", "number", postgresql_where=text(OPEN_ORDER)),)
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
    due_at: datetime | None = _time(nullable=True, index=True)
    actual_start: datetime | None = _time(nullable=True)
    actual_end: datetime | None = _time(nullable=True)
    revision: int
    waiting: list[dict[str, Any]] | None = _json()
    tasks: list[dict[str, Any]] | None = _json()
    changed_at: datetime | None = _time(nullable=True, index=True)


class MasterDataImpact(SQLModel, table=True):
    """A change of master data for one order that runs by the old: what its owner decided, or that nobody has yet.

    `change` is the audit trail's name of what counts now, `made_by` the version that the order keeps, if it is known.
    """

    __tablename__ = "master_data_impact"
    __table_args__ = (
        UniqueConstraint("change", "order_number"),
        Index("ix_master_data_impact_open", "owner", postgresql_where=text("state = 'open'")),
    )
    number: str = Field(primary_key=True)
    change: str
    kind: str
    subject: str
    version: str
    order_number: str = Field(foreign_key="production_order.number", index=True)
    made_by: str | None = None
    owner: str
    state: str
    raised_by: str
    raised_at: datetime = _time()
    decision: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)
    command_id: str | None = Field(default=None, unique=True)


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
    actual_end: datetime | None = _time(nullable=True, index=True)
    record_version: str | None = None
    """Of the master batch record that it is made by. Every confirmation keeps a copy of it (`db.rows`, MD-01)."""


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
    sampled: Decimal = _number(default=Decimal(0))
    started_by: str | None = Field(default=None, index=True)
    started_at: datetime | None = _time(nullable=True, index=True)
    ended_at: datetime | None = _time(nullable=True)
    record_version: str | None = None


class ProductionReport(SQLModel, table=True):
    """Pieces and hours, as reported. A mistake is corrected by a counter-report."""

    __tablename__ = "production_report"
    __table_args__ = (_by_time("production_report", "reported_at"),)
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
    record_version: str | None = None
    """The report that this one takes back, with its quantities negative."""


class ParameterValue(SQLModel, table=True):
    """A value measured at an operation, with the text that was entered.

    `number` (`V1`, `V2`, … per operation) names the value, `version` counts its corrections from 1: a correction is
    another row, and the first value stays. `measured_at` is what the sender said, `recorded_at` the server's time.
    """

    __tablename__ = "parameter_value"
    __table_args__ = (
        Index("ix_parameter_value_operation", "work_order", "operation", "name"),
        Index("ix_parameter_value_name", "name", "value"),
        Index("ix_parameter_value_name_recorded_at", "name", "recorded_at"),
        UniqueConstraint("work_order", "operation", "number", "version", name="a_value_has_one_text_per_version"),
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
    number: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    reason: str | None = None
    measured_at: datetime | None = _time(nullable=True)
    is_late: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    record_version: str | None = None
    is_typed: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})
    is_warning: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class ParameterCheck(SQLModel, table=True):
    """A second person has compared a typed value, as it was in this version, with its source."""

    __tablename__ = "parameter_check"
    work_order: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    number: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    checked_by: str
    checked_at: datetime = _time()
    record_version: str | None = None


class OperationVerification(SQLModel, table=True):
    """A second person has confirmed an operation; a correction after it asks for another one."""

    __tablename__ = "operation_verification"
    __table_args__ = (Index("ix_operation_verification", "work_order", "operation"),)
    id: int = _row_id()
    work_order: str
    operation: str
    done_by: list[str] = _json(nullable=False)
    verified_by: str
    verified_at: datetime = _time()
    record_version: str | None = None


class OperationComment(SQLModel, table=True):
    """A remark in the batch record."""

    __tablename__ = "operation_comment"
    work_order: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    text: str
    written_by: str
    written_at: datetime = _time()


class BatchRecordRow(SQLModel, table=True):
    """The record of one batch: its way through review. `content_hash` is what quality approved, at that revision."""

    __tablename__ = "batch_record"
    work_order: str = Field(foreign_key="work_order.number", primary_key=True)
    lot: str = Field(unique=True)
    state: str = Field(index=True)
    issued_at: datetime = _time()
    reviewed_by: str | None = None
    reviewed_at: datetime | None = _time(nullable=True)
    approved_by: str | None = None
    approved_at: datetime | None = _time(nullable=True)
    content_hash: str | None = None
    content_revision: int | None = None
    archived_at: datetime | None = _time(nullable=True)


class ExceptionExplanation(SQLModel, table=True):
    """Why an exception of a batch record is no reason to stop; the last one of an exception counts."""

    __tablename__ = "exception_explanation"
    __table_args__ = (Index("ix_exception_explanation_work_order", "work_order", "exception"),)
    id: int = _row_id()
    work_order: str
    exception: str
    type: str
    detail: str
    text: str
    explained_by: str
    explained_at: datetime = _time()


class ArchivedRecord(SQLModel, table=True):
    """A batch record as it was put away, whole. `document_hash` is SHA-256 over its canonical JSON."""

    __tablename__ = "archived_record"
    work_order: str = Field(primary_key=True)
    lot: str = Field(unique=True)
    document: dict[str, Any] = _json(nullable=False)
    document_hash: str
    content_hash: str
    archived_at: datetime = _time()
    retain_until: date


class ArchivedPrint(SQLModel, table=True):
    """An archived record on paper: the file as it was made once, for people, in one language."""

    __tablename__ = "archived_print"
    work_order: str = Field(foreign_key="archived_record.work_order", primary_key=True)
    language: str = Field(primary_key=True)
    pdf: bytes
    sha256: str
    is_sealed: bool
    made_at: datetime = _time()


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
    supplier_lot: str | None = Field(default=None, index=True)
    retest_on: date | None = None
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
        Index("ix_lot_link_container", "container", postgresql_where=text("container IS NOT NULL")),
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
    container: str | None = None
    """The dispensed container that it came in."""


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
    release_record: dict[str, Any] | None = _json()
    """Of a received lot: checks of the supplier's report and the packaging, the conclusion, the signature (CN 229)."""


class InspectionResult(SQLModel, table=True):
    """A result, with the text that was entered. A second result for one lot is another row, never an overwrite."""

    __tablename__ = "inspection_result"
    __table_args__ = (Index("ix_inspection_result_name_entered_at", "name", "entered_at"),)
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
    measured_with: dict[str, Any] | None = _json()
    """Instrument with its calibration, method, lots of reagents and standards."""


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
    lot: str | None = None
    tests: list[dict[str, Any]] | None = _json()
    """What quality wants to know of reworked pieces."""
    test_results: list[dict[str, Any]] | None = _json()


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
    own_lot: str | None = Field(default=None, index=True)
    """The lot of the reworked pieces; `lot` is its parent."""
    method: str | None = None
    procedure: str | None = None
    tests: list[dict[str, Any]] | None = _json()


class RecoveryRow(SQLModel, table=True):
    """Material of an earlier batch that was asked for, approved, and put into a batch (CN 133)."""

    __tablename__ = "recovery"
    number: str = Field(primary_key=True)
    work_order: str = Field(index=True)
    operation: str
    lot: str = Field(index=True)
    lot_status: str
    """What it was when it was asked for."""
    quantity: Decimal = _number()
    unit: str
    state: str = Field(index=True)
    reason: str | None = None
    requested_by: str
    requested_at: datetime = _time()
    decided_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)
    assessment: str | None = None
    procedure: str | None = None
    tests: list[dict[str, Any]] | None = _json()
    introduced_by: str | None = None
    introduced_at: datetime | None = _time(nullable=True)
    batch_rework: str | None = None


class BatchReworkRow(SQLModel, table=True):
    """A whole rejected batch that somebody wants to rework, and what the head of quality decided (CN 132)."""

    __tablename__ = "batch_rework"
    number: str = Field(primary_key=True)
    lot: str = Field(foreign_key="lot.number", index=True)
    quantity: Decimal = _number()
    unit: str
    operation: str
    """From which on the approved steps are done again."""
    method: str
    reason: str
    state: str = Field(index=True)
    proposed_by: str
    proposed_at: datetime = _time()
    procedure: str | None = None
    tests: list[dict[str, Any]] | None = _json()
    assessment: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)
    signature: str | None = None
    plan_line: str | None = None
    """Whose order reworks it."""


class PrintCheckRow(SQLModel, table=True):
    """What stood on a pack when somebody looked, and what should stand there."""

    __tablename__ = "print_check"
    work_order: str = Field(foreign_key="work_order.number", primary_key=True)
    operation: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    lot_text: str
    expiry_text: str
    expected_lot: str
    expected_expiry: str
    matches: bool
    is_late: bool
    checked_by: str
    checked_at: datetime = _time()


class MaterialReturnRow(SQLModel, table=True):
    """One line of a return: issued material that goes back unused, or to scrap (`disposition`)."""

    __tablename__ = "material_return"
    __table_args__ = (CheckConstraint("quantity > 0", name="a_return_returns_something"),)
    number: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    work_order: str = Field(foreign_key="work_order.number", index=True)
    line: int
    material: str
    lot: str = Field(foreign_key="lot.number", index=True)
    quantity: Decimal = _number()
    unit: str
    disposition: str
    reason: str
    state: str = Field(index=True)
    asked_by: str
    asked_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)


class DispensedContainer(SQLModel, table=True):
    """A container that material of a lot was weighed into: what the scale said, what was needed, where it is now.

    `potency` holds the inputs of the calculation, when the target makes up for a lot's potency.
    """

    __tablename__ = "dispensed_container"
    __table_args__ = (
        CheckConstraint("net > 0", name="a_container_holds_something"),
        CheckConstraint("gross - tare = net", name="net_is_gross_less_tare"),
    )
    number: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    work_order: str = Field(foreign_key="work_order.number", index=True)
    operation: str
    line: int
    material: str
    lot: str = Field(foreign_key="lot.number", index=True)
    unit: str
    state: str = Field(index=True)
    scale: str
    certificate: str | None = None
    calibration_due_at: datetime | None = _time(nullable=True)
    source: str
    read_at: datetime | None = _time(nullable=True)
    tare_text: str
    gross_text: str
    tare: Decimal = _number()
    gross: Decimal = _number()
    net: Decimal = _number()
    target: Decimal = _number()
    low: Decimal = _number()
    high: Decimal = _number()
    potency: dict[str, Any] | None = _json()
    weighed_by: str
    weighed_at: datetime = _time()
    verified_by: str | None = None
    place: str | None = None
    staged_by: str | None = None
    staged_at: datetime | None = _time(nullable=True)
    charged_by: str | None = None
    charged_at: datetime | None = _time(nullable=True)
    voided_by: str | None = None
    void_reason: str | None = None


class Device(SQLModel, table=True):
    """A terminal or scanner, and the workstations that it is registered for."""

    code: str = Field(primary_key=True)
    name: str
    kind: str
    work_centres: list[str] = _json(nullable=False)
    is_active: bool = True
    registered_by: str
    registered_at: datetime = _time()


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
    opened_at: datetime = _time(index=True)
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


# Holds, shipments, recalls -----------------------------------------------------------------------------------------


class LotHoldRow(SQLModel, table=True):
    """A signed hold of a lot; `shown` is what its signer saw, `recall` the recall that it belongs to."""

    __tablename__ = "lot_hold"
    number: str = Field(primary_key=True)
    lot: str = Field(index=True)
    reason: str
    downstream: bool
    recall: str | None = Field(default=None, index=True)
    state: str = Field(index=True)
    placed_by: str
    placed_at: datetime = _time()
    signature_id: str
    command_id: str = Field(unique=True)
    shown: dict[str, Any] = _json(nullable=False)
    released_by: str | None = None
    released_at: datetime | None = _time(nullable=True)
    release_reason: str | None = None
    release_signature_id: str | None = None


class LotHoldLot(SQLModel, table=True):
    """A lot that a hold is about. `owner` is the running order that makes it and moves it; `held_from` the status that
    this hold took it from (none: it was stopped already)."""

    __tablename__ = "lot_hold_lot"
    hold: str = Field(foreign_key="lot_hold.number", primary_key=True)
    lot: str = Field(primary_key=True, index=True)
    owner: str | None = None
    held_from: str | None = None
    state: str


class LotHoldOrder(SQLModel, table=True):
    """An order that uses a held lot, and what it has answered."""

    __tablename__ = "lot_hold_order"
    hold: str = Field(foreign_key="lot_hold.number", primary_key=True)
    order_number: str = Field(primary_key=True, index=True)
    lots: list[str] = _json(nullable=False)
    makes: list[str] = _json(nullable=False)
    state: str
    asked_at: datetime = _time()
    answered_at: datetime | None = _time(nullable=True)
    detail: str | None = None


class Shipment(SQLModel, table=True):
    """A quantity of one batch for one consignee (CN 295): prepared, then shipped, cancelled or blocked."""

    __table_args__ = (CheckConstraint("quantity > 0", name="a_shipment_ships_something"),)
    number: str = Field(primary_key=True)
    lot: str = Field(foreign_key="lot.number", index=True)
    product: str
    product_name: str
    strength: str
    quantity: Decimal = _number()
    unit: str
    place: str
    consignee: str = Field(index=True)
    address: str
    contact: str
    transport: str
    state: str = Field(index=True)
    expires_on: date | None = None
    retain_until: date
    prepared_by: str
    prepared_at: datetime = _time()
    ended_by: str | None = None
    ended_at: datetime | None = _time(nullable=True)
    detail: str | None = None


class ShipmentReturn(SQLModel, table=True):
    """What came back of a shipment."""

    __tablename__ = "shipment_return"
    __table_args__ = (CheckConstraint("quantity > 0", name="a_return_brings_something_back"),)
    key: str = Field(primary_key=True)
    shipment: str = Field(foreign_key="shipment.number", index=True)
    quantity: Decimal = _number()
    place: str
    reason: str
    returned_by: str
    returned_at: datetime = _time()


class Destruction(SQLModel, table=True):
    """A lot is destroyed: decided by the quality manager, done by one person before another one (CN 131)."""

    number: str = Field(primary_key=True)
    lot: str = Field(foreign_key="lot.number", index=True)
    reason: str
    state: str
    decided_by: str
    decided_at: datetime = _time()
    decision_signature: str
    quantity: Decimal | None = _number(nullable=True)
    unit: str | None = None
    how: str | None = None
    destroyed_by: str | None = None
    witnessed_by: str | None = None
    destroyed_at: datetime | None = _time(nullable=True)
    signature: str | None = None
    witness: str | None = None


class RecallRow(SQLModel, table=True):
    """A recall, or a mock of one: what it starts from, its frozen report, and what was done (SM-13)."""

    __tablename__ = "recall"
    number: str = Field(primary_key=True)
    is_mock: bool
    lot: str | None = None
    supplier_lot: str | None = None
    reason: str
    state: str = Field(index=True)
    opened_by: str
    opened_at: datetime = _time()
    scope: dict[str, Any] | None = _json()
    scope_hash: str | None = None
    scoped_by: str | None = None
    scoped_at: datetime | None = _time(nullable=True)
    approved_by: str | None = None
    approved_at: datetime | None = _time(nullable=True)
    signature_id: str | None = None
    execution: dict[str, Any] | None = _json()
    executed_by: str | None = None
    executed_at: datetime | None = _time(nullable=True)
    hold: str | None = None
    reconciliation: dict[str, Any] | None = _json()
    reconciled_by: str | None = None
    reconciled_at: datetime | None = _time(nullable=True)
    effectiveness: dict[str, Any] | None = _json()
    closed_by: str | None = None
    closed_at: datetime | None = _time(nullable=True)


class RecallEntry(SQLModel, table=True):
    """Something that was done with a customer: `told`, or `accounted` for a quantity of a shipment."""

    __tablename__ = "recall_entry"
    id: int = _row_id()
    recall: str = Field(foreign_key="recall.number", index=True)
    kind: str
    shipment: str | None = None
    consignee: str
    quantity: Decimal | None = _number(nullable=True)
    note: str
    actor: str
    at: datetime = _time()
    command_id: str = Field(unique=True)


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


class EquipmentGap(SQLModel, table=True):
    """A time in which a job's machine could not be reached. `missing` readings of its journal never came; none while
    the machine is not back: then nobody knows."""

    __tablename__ = "equipment_gap"
    job: str = Field(primary_key=True)
    since: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), primary_key=True))
    until: datetime | None = _time(nullable=True)
    after_sequence: int
    missing: int | None = None
    cause: str


class MachineStateChange(SQLModel, table=True):
    """One change of a machine's own state, as it said it: `number` in its `profile`; `state` is its name by PackML,
    none where the profile has no such number. `finding` says what is wrong with the step, if anything is."""

    __tablename__ = "machine_state_change"
    __table_args__ = (Index("ix_machine_state_change_at", "workstation", "at"),)
    workstation: str = Field(primary_key=True)
    journal: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    at: datetime = _time()
    profile: str
    number: int
    state: str | None = None
    previous: str | None = None
    finding: str | None = None
    job: str
    """The job during which it was read."""
    stored_at: datetime = _time()


# Equipment register ----------------------------------------------------------------------------------------------


class EquipmentClassRow(SQLModel, table=True):
    """What all equipment of one kind has in common. Times in seconds; none means without limit."""

    __tablename__ = "equipment_class"
    code: str = Field(primary_key=True)
    name: str
    clean_hold_seconds: int | None = None
    dirty_hold_seconds: int | None = None
    campaign_batches: int | None = None
    campaign_seconds: int | None = None
    calibration_warning_seconds: int = 0
    clearance_valid_seconds: int | None = None


class EquipmentItem(SQLModel, table=True):
    """One piece of equipment or one room with its four axes (see `domain.equipment.Item`)."""

    __tablename__ = "equipment_item"
    __table_args__ = (
        CheckConstraint("(batch IS NULL) = (work_order IS NULL)", name="a_batch_is_there_by_a_work_order"),
        CheckConstraint("(batch IS NULL) = (cleaning <> 'inUse')", name="what_holds_a_batch_is_in_use"),
        Index("ix_equipment_item_occupied", "work_order", postgresql_where=text("work_order IS NOT NULL")),
    )
    code: str = Field(primary_key=True)
    uuid: UUID = Field(unique=True)
    name: str
    kind: str
    equipment_class: str = Field(foreign_key="equipment_class.code")
    workstation: str = Field(default="", index=True)
    room: str = Field(default="", index=True)
    line: str = ""
    plant: str = ""
    qualification: str
    qualified_until: datetime | None = _time(nullable=True)
    calibration: str
    calibration_due_at: datetime | None = _time(nullable=True)
    certificate: str | None = None
    calibrated_by: str | None = None
    next_certificate: str | None = None
    next_calibration_due_at: datetime | None = _time(nullable=True)
    cleaning: str
    cleaning_level: str | None = None
    cleaned_by: str | None = None
    clean_until: datetime | None = _time(nullable=True)
    dirty_until: datetime | None = _time(nullable=True)
    fully_cleaned_at: datetime | None = _time(nullable=True)
    batches_since_full: int = 0
    availability: str
    reserved_for: str | None = None
    batch: str | None = None
    product: str | None = None
    work_order: str | None = None
    operation_code: str | None = None
    occupied_since: datetime | None = _time(nullable=True)
    last_batch: str | None = None
    last_product: str | None = None
    freed_at: datetime | None = _time(nullable=True)
    maintenance_interval_seconds: int | None = None
    maintenance_ahead_seconds: int = 0
    maintenance_due_at: datetime | None = _time(nullable=True)
    maintenance: str = "notPlanned"
    maintenance_order: str | None = None


class MaintenanceRequest(SQLModel, table=True):
    """A maintenance order as it was requested. Its process begins from this, once; what became of it is its case."""

    __tablename__ = "maintenance_request"
    number: str = Field(primary_key=True)
    equipment: str = Field(foreign_key="equipment_item.code", index=True)
    cause: str
    specification: dict[str, Any] = _json(nullable=False)
    requested_at: datetime = _time()


class MaintenanceConditionRow(SQLModel, table=True):
    """When to propose maintenance of a machine (see `domain.maintenance_conditions`)."""

    __tablename__ = "maintenance_condition"
    code: str = Field(primary_key=True)
    equipment: str = Field(foreign_key="equipment_item.code", index=True)
    kind: str
    limit: Decimal = _number()
    tag: str
    direction: str
    window: int
    ahead: int
    is_active: bool
    set_by: str
    set_at: datetime = _time()


class MaintenanceProposal(SQLModel, table=True):
    """Maintenance that a condition has proposed: open, accepted (then with its maintenance order), or dismissed."""

    __tablename__ = "maintenance_proposal"
    __table_args__ = (
        Index("one_open_proposal_of_a_condition", "condition", unique=True, postgresql_where=text("state = 'open'")),
    )
    number: str = Field(primary_key=True)
    condition: str = Field(foreign_key="maintenance_condition.code")
    equipment: str = Field(foreign_key="equipment_item.code", index=True)
    finding: dict[str, Any] = _json(nullable=False)
    state: str
    proposed_at: datetime = _time()
    decided_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)
    reason: str | None = None
    quiet_until: datetime | None = _time(nullable=True)
    maintenance_order: str | None = None


class RiskModel(SQLModel, table=True):
    """A version of a model of risk, with how well it did on batches that it had not seen."""

    __tablename__ = "risk_model"
    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    document: dict[str, Any] = _json(nullable=False)
    trained_by: str
    trained_at: datetime = _time()


class EquipmentLogEntry(SQLModel, table=True):
    """What an item did from then on, until its next entry: so intervals have no gaps and never overlap (EQ-05)."""

    __tablename__ = "equipment_log_entry"
    __table_args__ = (Index("ix_equipment_log_entry_batch", "batch", postgresql_where=text("batch IS NOT NULL")),)
    equipment: str = Field(foreign_key="equipment_item.code", primary_key=True)
    sequence: int = Field(primary_key=True)
    started_at: datetime = _time()
    activity: str
    product: str | None = None
    batch: str | None = None
    work_order: str | None = None
    operation: str | None = None
    person: str
    detail: str | None = None


class LineClearance(SQLModel, table=True):
    """A line clearance of a room for one operation of one batch (CN 201), done by one person, checked by another."""

    __tablename__ = "line_clearance"
    __table_args__ = (
        Index("ix_line_clearance_batch", "batch", "operation"),
        Index("ix_line_clearance_unchecked", "performed_at", "number", postgresql_where=text("checked_by IS NULL")),
    )
    number: str = Field(primary_key=True)
    room: str = Field(foreign_key="equipment_item.code", index=True)
    product: str
    batch: str
    operation: str
    previous_batch: str | None = None
    items: list[dict[str, Any]] = _json(nullable=False)
    performed_by: str
    performed_at: datetime = _time()
    checked_by: str | None = None
    checked_at: datetime | None = _time(nullable=True)
    accepted: bool | None = None
    valid_until: datetime | None = _time(nullable=True)


class TrainingRecord(SQLModel, table=True):
    """A person holds a qualification until then. A renewal is another row; the newest counts."""

    __tablename__ = "training_record"
    __table_args__ = (Index("ix_training_record_person", "person", "qualification", "id"),)
    id: int = _row_id()
    person: str = Field(foreign_key="user_account.id")
    qualification: str
    valid_until: datetime = _time()
    registered_by: str
    registered_at: datetime = _time()
    command_id: str = Field(unique=True)


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
    # One index for each thing that is searched by, in the order in which the trail is shown. Those of text take `LIKE`.
    __table_args__ = (
        Index("ix_audit_row_at", "at", "seq"),
        Index("ix_audit_row_actor", "actor", "at", "seq"),
        Index("ix_audit_row_entity", "entity", "at", "seq", postgresql_ops={"entity": "text_pattern_ops"}),
        Index("ix_audit_row_action", "action", "at", "seq", postgresql_ops={"action": "text_pattern_ops"}),
    )
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = _time()
    actor: str
    action: str
    entity: str
    old: dict[str, Any] | None = _json()
    new: dict[str, Any] | None = _json()
    reason: str | None = None
    command_id: str | None = Field(default=None, index=True)
    source: str | None = None
    hash: str = Field(sa_column=Column(String(64), nullable=False))


class CopiedAuditRow(SQLModel, table=True):
    """A row of another system's audit trail, which came with an imported batch record.

    It is no part of this system's chain: `previous_hash` is what stood before it there, and `hash` follows from both.
    """

    __tablename__ = "copied_audit_row"
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = _time()
    actor: str
    action: str
    entity: str
    old: dict[str, Any] | None = _json()
    new: dict[str, Any] | None = _json()
    reason: str | None = None
    command_id: str | None = None
    source: str | None = None
    previous_hash: str = Field(sa_column=Column(String(64), nullable=False))
    hash: str = Field(sa_column=Column(String(64), nullable=False))


class AuditHead(SQLModel, table=True):
    """The end of the chain: one row, locked by whoever appends."""

    __tablename__ = "audit_head"
    id: int = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str = Field(sa_column=Column(String(64), nullable=False))


class Alarm(SQLModel, table=True):
    """Something that a person has to look at: a contradiction in the record, a rule that was hit, a lost machine.

    `severity` (info, warning, critical) and when it escalates come from the rule of its code, by a trigger, unless
    they are given. `subject` is the record that it is about.
    """

    # The optional ones are set by the trigger, so a plain INSERT need not name them.
    id: int = _row_id()
    at: datetime = _time()
    code: str
    detail: str
    order_number: str | None = Field(default=None, index=True)
    key: str = Field(unique=True)
    severity: str
    subject: str | None = None
    escalate_seconds: int
    escalate_at: datetime | None = _time(nullable=True)
    escalations: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = _time(nullable=True)
    acknowledgement: str | None = None


class AlarmRule(SQLModel, table=True):
    """How bad alarms of a code are and when they escalate. With a `topic` (an act of the audit trail, `*` stands for
    anything, several with commas) the rule also raises them. 0 seconds: it never escalates."""

    __tablename__ = "alarm_rule"
    code: str = Field(primary_key=True)
    name: str
    topic: str | None = None
    severity: str
    escalate_seconds: int
    is_active: bool
    set_by: str
    set_at: datetime = _time()


# Neighbours ------------------------------------------------------------------------------------------------------


class OutboundEndpoint(SQLModel, table=True):
    """Where messages go. `topics`: acts of the audit trail, with commas between them. Secrets are never stored."""

    __tablename__ = "outbound_endpoint"
    code: str = Field(primary_key=True)
    name: str
    format: str
    url: str
    topics: str
    attempts: int
    timeout_seconds: int
    per_minute: int | None = None
    is_active: bool
    set_by: str
    set_at: datetime = _time()


class OutboundMessage(SQLModel, table=True):
    """One message to one endpoint, written by a trigger in the transaction of the fact that it tells of.

    `content` is what was sent at the first attempt and is sent at every other. `state` is pending, delivered, parked
    or discarded.
    """

    __tablename__ = "outbound_message"
    id: str = Field(primary_key=True)
    position: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    endpoint: str = Field(foreign_key="outbound_endpoint.code")
    topic: str
    subject: str
    data: dict[str, Any] = _json(nullable=False)
    content: dict[str, Any] | None = _json()
    state: str
    attempts: int
    created_at: datetime = _time()
    next_attempt_at: datetime = _time()
    last_attempt_at: datetime | None = _time(nullable=True)
    last_error: str | None = None
    delivered_at: datetime | None = _time(nullable=True)
    decided_by: str | None = None
    reason: str | None = None


class InboundSystem(SQLModel, table=True):
    """An outside system whose messages are taken: a machine account, and the kinds of message it may
    send. `policy`: under which the orders of its schedules are made."""

    __tablename__ = "inbound_system"
    account: str = Field(foreign_key="user_account.id", primary_key=True)
    name: str
    kinds: str
    policy: str | None = None
    is_active: bool
    set_by: str
    set_at: datetime = _time()


class InboundMessage(SQLModel, table=True):
    """One message that came in, as it came: accepted with its effect, quarantined with its reasons, or discarded."""

    __tablename__ = "inbound_message"
    __table_args__ = (
        UniqueConstraint("source", "kind", "message_id", "checksum", "claimed_checksum"),
        Index(
            "ix_inbound_message_accepted", "source", "message_id", unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
    )  # fmt: skip
    number: int = _row_id()
    source: str
    kind: str
    message_id: str
    checksum: str
    claimed_checksum: str
    body: str
    received_at: datetime = _time()
    state: str
    blockers: list[dict[str, Any]] = _json(nullable=False)
    effect: dict[str, Any] | None = _json()
    decided_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)
    reason: str | None = None


class EpcisDocument(SQLModel, table=True):
    """A document of events that somebody else wrote, as it came; `sha256` is of its bytes. `source` is who gave it."""

    __tablename__ = "epcis_document"
    sha256: str = Field(primary_key=True)
    source: str
    body: str
    received_by: str
    received_at: datetime = _time()


class EpcisEvent(SQLModel, table=True):
    """An event of another system, as it was received; it never changes our own stock. `site` and `plant`: whose it is.

    `content_hash` is of what it says, without when a repository recorded it.
    """

    __tablename__ = "epcis_event"
    event_id: str = Field(primary_key=True)
    document: str = Field(foreign_key="epcis_document.sha256", index=True)
    position: int
    kind: str
    step: str
    site: str | None = None
    plant: str
    happened_at: datetime = _time(index=True)
    content: dict[str, Any] = _json(nullable=False)
    content_hash: str


class EpcisItem(SQLModel, table=True):
    """One lot, piece or unit that an event is about, under the one spelling of its identifier.

    `role` is input, output, returned, object, parent or child. What a `transformation` took in went into what it gave.
    """

    __tablename__ = "epcis_item"
    __table_args__ = (
        Index("ix_epcis_item_epc", "epc", "role"),
        Index("ix_epcis_item_transformation", "transformation", "role"),
        Index("ix_epcis_item_lot", "lot", "material"),
    )
    id: int = _row_id()
    event_id: str = Field(foreign_key="epcis_event.event_id", index=True)
    transformation: str | None = None
    role: str
    epc: str
    gtin: str | None = None
    material: str | None = None
    lot: str | None = None
    quantity: Decimal | None = _number(nullable=True)
    unit: str
    happened_at: datetime = _time()


class EpcisRejection(SQLModel, table=True):
    """An event that was not taken, or a document that is none, with everything that is against it: the quarantine.

    `position` is null for the document itself. The same event in the same document is put aside once for one reason.
    """

    __tablename__ = "epcis_rejection"
    __table_args__ = (UniqueConstraint("document", "position", "code", postgresql_nulls_not_distinct=True),)
    id: int = _row_id()
    document: str = Field(foreign_key="epcis_document.sha256", index=True)
    position: int | None = None
    event_id: str | None = Field(default=None, index=True)
    code: str
    blockers: list[dict[str, Any]] = _json(nullable=False)
    content: str
    rejected_at: datetime = _time()


class EpcisRetry(SQLModel, table=True):
    """What was put aside, tried again by a person and taken: once."""

    __tablename__ = "epcis_retry"
    rejection: int = Field(sa_type=BigInteger, foreign_key="epcis_rejection.id", primary_key=True)
    retried_by: str
    retried_at: datetime = _time()
    reason: str


class EpcisDiscard(SQLModel, table=True):
    """What was put aside and has no effect, now or later: a person's decision, once."""

    __tablename__ = "epcis_discard"
    rejection: int = Field(sa_type=BigInteger, foreign_key="epcis_rejection.id", primary_key=True)
    discarded_by: str
    discarded_at: datetime = _time()
    reason: str


class WatchPosition(SQLModel, table=True):
    """How far something that watches the record has looked."""

    __tablename__ = "watch_position"
    name: str = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, nullable=False))


def core(model: type[SQLModel]) -> Table:
    """The SQLAlchemy Core table of a model: statements over it skip the ORM's unit of work (a quarter of the CPU)."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]
