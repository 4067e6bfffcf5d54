"""Maintenance: plans of equipment, what leads it, and the requests that maintenance orders begin from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = postgresql.TIMESTAMP(timezone=True)
REQUESTS = "maintenance_request"
COLUMNS = ("maintenance_interval_seconds", "maintenance_ahead_seconds", "maintenance_due_at", "maintenance",
           "maintenance_order")  # fmt: skip


def upgrade() -> None:
    op.add_column("equipment_item", sa.Column("maintenance_interval_seconds", sa.Integer(), nullable=True))
    op.add_column(
        "equipment_item", sa.Column("maintenance_ahead_seconds", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("equipment_item", sa.Column("maintenance_due_at", TIME, nullable=True))
    op.add_column("equipment_item", sa.Column("maintenance", sa.String(), nullable=False, server_default="notPlanned"))
    op.add_column("equipment_item", sa.Column("maintenance_order", sa.String(), nullable=True))
    for column in ("maintenance_ahead_seconds", "maintenance"):
        op.alter_column("equipment_item", column, server_default=None)
    op.create_table(
        REQUESTS,
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("equipment", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("specification", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["equipment"], ["equipment_item.code"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_maintenance_request_equipment", REQUESTS, ["equipment"])
    op.execute(
        sa.text(
            f"CREATE TRIGGER {REQUESTS}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {REQUESTS} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT ON {REQUESTS} TO {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    op.execute(sa.text(f"DROP TRIGGER {REQUESTS}_is_append_only ON {REQUESTS}"))
    op.drop_table(REQUESTS)
    for column in COLUMNS:
        op.drop_column("equipment_item", column)
