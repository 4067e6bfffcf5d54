"""In-process inspections, rework, counter-reports."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"


def upgrade() -> None:
    op.add_column("route_operation", sa.Column("inspection_rule", sa.String(), nullable=False, server_default="none"))
    op.add_column("production_report", sa.Column("reverses", sa.String(), nullable=True))
    op.create_unique_constraint("production_report_reverses_key", "production_report", ["reverses"])
    op.create_table(
        "in_process_inspection",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("report_number", sa.String(), nullable=False),
        sa.Column("rework", sa.String(), nullable=True),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("failed", sa.Numeric(), nullable=False),
        sa.Column("defect", sa.String(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
    )
    for column in ("work_order", "report_number", "state"):
        op.create_index(f"ix_in_process_inspection_{column}", "in_process_inspection", [column])
    op.create_table(
        "rework",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("report_number", sa.String(), nullable=False),
        sa.Column("inspection", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("good", sa.Numeric(), nullable=False),
        sa.Column("scrap", sa.Numeric(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
    )
    for column in ("work_order", "lot", "state"):
        op.create_index(f"ix_rework_{column}", "rework", [column])
    for table in ("in_process_inspection", "rework"):
        grant = f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APP_ROLE}"
        op.execute(
            sa.text(
                f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') "
                f"THEN {grant}; END IF; END $$"
            )
        )


def downgrade() -> None:
    op.drop_table("rework")
    op.drop_table("in_process_inspection")
    op.drop_constraint("production_report_reverses_key", "production_report")
    op.drop_column("production_report", "reverses")
    op.drop_column("route_operation", "inspection_rule")
