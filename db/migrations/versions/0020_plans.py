"""Planned start, inspection plans with method, sample and version, approved suppliers, versions at confirmations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


CONFIRMATIONS = (
    "work_order", "operation", "production_report", "parameter_value", "parameter_check", "operation_verification",
)  # fmt: skip


def upgrade() -> None:
    for table in CONFIRMATIONS:
        op.add_column(table, sa.Column("record_version", sa.String(), nullable=True))
    op.add_column("plan_line", sa.Column("start_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    for name in ("method", "sample_size"):
        op.add_column("inspection_plan", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("material", sa.Column("approved_suppliers", postgresql.JSONB(), nullable=True))
    op.add_column("inspection_plan", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    for table in CONFIRMATIONS:
        op.drop_column(table, "record_version")
    op.drop_column("material", "approved_suppliers")
    for name in ("version", "sample_size", "method"):
        op.drop_column("inspection_plan", name)
    op.drop_column("plan_line", "start_at")
