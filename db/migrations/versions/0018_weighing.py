"""Dispensed containers, registered devices, and the container that an input came in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"


def _time(name: str, nullable: bool = True) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, nullable: bool = True) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, sa.String(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "dispensed_container",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("work_order", sa.String(), sa.ForeignKey("work_order.number"), nullable=False),
        _text("operation", nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        _text("material", nullable=False),
        sa.Column("lot", sa.String(), sa.ForeignKey("lot.number"), nullable=False),
        *(_text(name, nullable=False) for name in ("unit", "state", "scale")),
        _text("certificate"),
        _time("calibration_due_at"),
        _text("source", nullable=False),
        _time("read_at"),
        *(_text(name, nullable=False) for name in ("tare_text", "gross_text")),
        *(sa.Column(name, sa.Numeric(), nullable=False) for name in ("tare", "gross", "net", "target", "low", "high")),
        sa.Column("potency", postgresql.JSONB(), nullable=True),
        _text("weighed_by", nullable=False),
        _time("weighed_at", nullable=False),
        *(_text(name) for name in ("verified_by", "place", "staged_by")),
        _time("staged_at"),
        _text("charged_by"),
        _time("charged_at"),
        *(_text(name) for name in ("voided_by", "void_reason")),
        sa.CheckConstraint("net > 0", name="a_container_holds_something"),
        sa.CheckConstraint("gross - tare = net", name="net_is_gross_less_tare"),
    )
    for column in ("work_order", "lot", "state"):
        op.create_index(f"ix_dispensed_container_{column}", "dispensed_container", [column])
    op.create_table(
        "device",
        sa.Column("code", sa.String(), primary_key=True),
        *(_text(name, nullable=False) for name in ("name", "kind")),
        sa.Column("work_centres", postgresql.JSONB(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        _text("registered_by", nullable=False),
        _time("registered_at", nullable=False),
    )
    op.add_column("lot_link", _text("container"))
    there_is_one = sa.text("container IS NOT NULL")
    op.create_index("ix_lot_link_container", "lot_link", ["container"], postgresql_where=there_is_one)
    for table in ("dispensed_container", "device"):
        grant = f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APP_ROLE}"
        op.execute(
            sa.text(
                f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') "
                f"THEN {grant}; END IF; END $$"
            )
        )


def downgrade() -> None:
    op.drop_index("ix_lot_link_container", "lot_link")
    op.drop_column("lot_link", "container")
    op.drop_table("device")
    op.drop_table("dispensed_container")
