"""Holds of lots with the orders that they stop; shipments; recalls; retest dates; destruction."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = sa.DateTime(timezone=True)
CHANGED = ("lot_hold", "lot_hold_lot", "lot_hold_order", "shipment", "recall", "destruction")
APPEND_ONLY = ("shipment_return", "recall_entry")


def _text(name: str, *more: object, nullable: bool = False) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, sa.String(), *more, nullable=nullable)  # type: ignore[arg-type]


def _time(name: str, nullable: bool = False) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, TIME, nullable=nullable)


def upgrade() -> None:
    op.add_column("material", sa.Column("strength", sa.String(), nullable=True))
    op.add_column("lot", sa.Column("supplier_lot", sa.String(), nullable=True))
    op.add_column("lot", sa.Column("retest_on", sa.Date(), nullable=True))
    op.create_index("ix_lot_supplier_lot", "lot", ["supplier_lot"])
    _holds()
    _shipments()
    _recalls()
    _destructions()
    for table in APPEND_ONLY:
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        )
        _grant(f"GRANT SELECT, INSERT ON {table} TO {APP_ROLE}")
    # A shipment is kept for as long as its batch may be asked for (TR-08): nobody deletes one by mistake.
    op.execute(
        sa.text(
            "CREATE TRIGGER shipment_is_kept BEFORE DELETE OR TRUNCATE ON shipment "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    for table in CHANGED:
        _grant(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APP_ROLE}")


def _holds() -> None:
    op.create_table(
        "lot_hold",
        sa.Column("number", sa.String(), primary_key=True),
        _text("lot"),
        _text("reason"),
        sa.Column("downstream", sa.Boolean(), nullable=False),
        _text("recall", nullable=True),
        _text("state"),
        _text("placed_by"),
        _time("placed_at"),
        _text("signature_id"),
        sa.Column("command_id", sa.String(), nullable=False, unique=True),
        sa.Column("shown", JSONB(), nullable=False),
        _text("released_by", nullable=True),
        _time("released_at", nullable=True),
        _text("release_reason", nullable=True),
        _text("release_signature_id", nullable=True),
    )
    op.create_table(
        "lot_hold_lot",
        sa.Column("hold", sa.String(), sa.ForeignKey("lot_hold.number"), primary_key=True),
        sa.Column("lot", sa.String(), primary_key=True),
        _text("owner", nullable=True),
        _text("held_from", nullable=True),
        _text("state"),
    )
    op.create_table(
        "lot_hold_order",
        sa.Column("hold", sa.String(), sa.ForeignKey("lot_hold.number"), primary_key=True),
        sa.Column("order_number", sa.String(), primary_key=True),
        sa.Column("lots", JSONB(), nullable=False),
        sa.Column("makes", JSONB(), nullable=False),
        _text("state"),
        _time("asked_at"),
        _time("answered_at", nullable=True),
        _text("detail", nullable=True),
    )
    for table, column in (("lot_hold", "lot"), ("lot_hold", "state"), ("lot_hold", "recall"), ("lot_hold_lot", "lot"),
                          ("lot_hold_order", "order_number")):  # fmt: skip
        op.create_index(f"ix_{table}_{column}", table, [column])


def _shipments() -> None:
    op.create_table(
        "shipment",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("lot", sa.String(), sa.ForeignKey("lot.number"), nullable=False),
        *(_text(name) for name in ("product", "product_name", "strength")),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        *(_text(name) for name in ("unit", "place", "consignee", "address", "contact", "transport", "state")),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("retain_until", sa.Date(), nullable=False),
        _text("prepared_by"),
        _time("prepared_at"),
        _text("ended_by", nullable=True),
        _time("ended_at", nullable=True),
        _text("detail", nullable=True),
        sa.CheckConstraint("quantity > 0", name="a_shipment_ships_something"),
    )
    op.create_table(
        "shipment_return",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("shipment", sa.String(), sa.ForeignKey("shipment.number"), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        _text("place"),
        _text("reason"),
        _text("returned_by"),
        _time("returned_at"),
        sa.CheckConstraint("quantity > 0", name="a_return_brings_something_back"),
    )
    for table, column in (("shipment", "lot"), ("shipment", "state"), ("shipment", "consignee"),
                          ("shipment_return", "shipment")):  # fmt: skip
        op.create_index(f"ix_{table}_{column}", table, [column])


def _recalls() -> None:
    op.create_table(
        "recall",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("is_mock", sa.Boolean(), nullable=False),
        _text("lot", nullable=True),
        _text("supplier_lot", nullable=True),
        _text("reason"),
        _text("state"),
        _text("opened_by"),
        _time("opened_at"),
        sa.Column("scope", JSONB(), nullable=True),
        _text("scope_hash", nullable=True),
        _text("scoped_by", nullable=True),
        _time("scoped_at", nullable=True),
        _text("approved_by", nullable=True),
        _time("approved_at", nullable=True),
        _text("signature_id", nullable=True),
        sa.Column("execution", JSONB(), nullable=True),
        _text("executed_by", nullable=True),
        _time("executed_at", nullable=True),
        _text("hold", nullable=True),
        sa.Column("reconciliation", JSONB(), nullable=True),
        _text("reconciled_by", nullable=True),
        _time("reconciled_at", nullable=True),
        sa.Column("effectiveness", JSONB(), nullable=True),
        _text("closed_by", nullable=True),
        _time("closed_at", nullable=True),
    )
    op.create_table(
        "recall_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("recall", sa.String(), sa.ForeignKey("recall.number"), nullable=False),
        _text("kind"),
        _text("shipment", nullable=True),
        _text("consignee"),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        _text("note"),
        _text("actor"),
        _time("at"),
        sa.Column("command_id", sa.String(), nullable=False, unique=True),
    )
    op.create_index("ix_recall_state", "recall", ["state"])
    op.create_index("ix_recall_entry_recall", "recall_entry", ["recall"])


def _destructions() -> None:
    op.create_table(
        "destruction",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("lot", sa.String(), sa.ForeignKey("lot.number"), nullable=False),
        _text("reason"),
        _text("state"),
        _text("decided_by"),
        _time("decided_at"),
        _text("decision_signature"),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        *(_text(name, nullable=True) for name in ("unit", "how", "destroyed_by", "witnessed_by")),
        _time("destroyed_at", nullable=True),
        *(_text(name, nullable=True) for name in ("signature", "witness")),
    )
    op.create_index("ix_destruction_lot", "destruction", ["lot"])


def _grant(statement: str) -> None:
    """Rights of the application's role, where the database has such a role."""
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') "
            f"THEN {statement}; END IF; END $$"
        )
    )


def downgrade() -> None:
    for table in (
        "destruction",
        "recall_entry",
        "recall",
        "shipment_return",
        "shipment",
        "lot_hold_order",
        "lot_hold_lot",
        "lot_hold",
    ):
        op.drop_table(table)
    op.drop_index("ix_lot_supplier_lot", table_name="lot")
    op.drop_column("lot", "retest_on")
    op.drop_column("lot", "supplier_lot")
    op.drop_column("material", "strength")
