"""Holds of lots with the orders that they stop; shipments; recalls; retest dates; destruction."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = sa.DateTime(timezone=True)
CHANGED = ("lot_hold", "lot_hold_lot", "lot_hold_order", "shipment")
APPEND_ONLY = ("shipment_return",)


def _text(name: str, *more: object, nullable: bool = False) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, sa.String(), *more, nullable=nullable)  # type: ignore[arg-type]


def _time(name: str, nullable: bool = False) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, TIME, nullable=nullable)


def upgrade() -> None:
    op.add_column("material", sa.Column("strength", sa.String(), nullable=True))
    _holds()
    _shipments()
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


def _grant(statement: str) -> None:
    """Rights of the application's role, where the database has such a role."""
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') "
            f"THEN {statement}; END IF; END $$"
        )
    )


def downgrade() -> None:
    for table in ("shipment_return", "shipment", "lot_hold_order", "lot_hold_lot", "lot_hold"):
        op.drop_table(table)
    op.drop_column("material", "strength")
