"""Ideal cycle times, wall displays, and indexes for what reports ask for by time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = postgresql.TIMESTAMP(timezone=True)
INDEXES = {
    "ix_parameter_value_name_recorded_at": ("parameter_value", ["name", "recorded_at"]),
    "ix_inspection_result_name_entered_at": ("inspection_result", ["name", "entered_at"]),
    "ix_production_order_due_at": ("production_order", ["due_at"]),
    "ix_work_order_actual_end": ("work_order", ["actual_end"]),
    "ix_operation_started_at": ("operation", ["started_at"]),
    "ix_deviation_opened_at": ("deviation", ["opened_at"]),
}


def upgrade() -> None:
    op.add_column("route_operation", sa.Column("ideal_cycle_seconds", sa.Numeric(), nullable=True))
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    # Reports are only ever appended, in the order of time: a few pages' bounds are enough.
    op.create_index(
        "ix_production_report_reported_at", "production_report", ["reported_at"], postgresql_using="brin",
        postgresql_with={"pages_per_range": "8"},
    )  # fmt: skip
    op.create_table(
        "wall_display",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
        sa.UniqueConstraint("command_id"),
    )
    grant = f"GRANT SELECT, INSERT, UPDATE ON wall_display TO {APP_ROLE}"
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {grant}; END IF; END $$"
        )
    )


def downgrade() -> None:
    op.drop_table("wall_display")
    op.drop_index("ix_production_report_reported_at", table_name="production_report")
    for name, (table, _) in reversed(INDEXES.items()):
        op.drop_index(name, table_name=table)
    op.drop_column("route_operation", "ideal_cycle_seconds")
