"""Recovered material, reworks of whole batches, what a result was measured with, withdrawn change requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"


def upgrade() -> None:
    op.create_table(
        "recovery",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("work_order", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("operation", "lot", "lot_status")),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("unit", "state")),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("assessment", "procedure")),
        sa.Column("tests", postgresql.JSONB(), nullable=True),
        sa.Column("introduced_by", sa.String(), nullable=True),
        sa.Column("introduced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("batch_rework", sa.String(), nullable=True),
    )
    for name in ("work_order", "lot", "state"):
        op.create_index(f"ix_recovery_{name}", "recovery", [name])
    op.create_table(
        "batch_rework",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("lot", sa.String(), sa.ForeignKey("lot.number"), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("unit", "operation", "method", "reason", "state", "proposed_by")
        ),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("procedure", sa.String(), nullable=True),
        sa.Column("tests", postgresql.JSONB(), nullable=True),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("assessment", "decided_by")),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("signature", "plan_line")),
    )
    for name in ("lot", "state"):
        op.create_index(f"ix_batch_rework_{name}", "batch_rework", [name])
    op.add_column("inspection_plan", sa.Column("evidence", postgresql.JSONB(), nullable=True))
    op.add_column("inspection_result", sa.Column("measured_with", postgresql.JSONB(), nullable=True))
    op.add_column("inspection", sa.Column("release_record", postgresql.JSONB(), nullable=True))
    op.add_column("plan_line", sa.Column("rework", postgresql.JSONB(), nullable=True))
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT, UPDATE ON recovery, batch_rework TO {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    op.drop_column("inspection", "release_record")
    op.drop_column("inspection_result", "measured_with")
    op.drop_column("inspection_plan", "evidence")
    op.drop_column("plan_line", "rework")
    op.drop_table("batch_rework")
    op.drop_table("recovery")
