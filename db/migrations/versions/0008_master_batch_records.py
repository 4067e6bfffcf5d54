"""Master batch records: versions of how a product is made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"


def upgrade() -> None:
    op.create_table(
        "master_batch_record",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("product", sa.String(), sa.ForeignKey("material.code"), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("change_control", sa.String(), nullable=False),
        sa.Column("reason_for_change", sa.String(), nullable=False),
        sa.Column("authors", postgresql.JSONB(), nullable=False),
        sa.Column("approvals", postgresql.JSONB(), nullable=False),
        sa.Column("effective_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("effective_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.UniqueConstraint("product", "version"),
    )
    op.create_index("ix_master_batch_record_state", "master_batch_record", ["state"])
    op.create_index(
        "one_effective_master_batch_record", "master_batch_record", ["product"], unique=True,
        postgresql_where=sa.text("state = 'effective'"),
    )  # fmt: skip
    grant = f"GRANT SELECT, INSERT, UPDATE ON master_batch_record TO {APP_ROLE}"
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {grant}; END IF; END $$"
        )
    )


def downgrade() -> None:
    op.drop_table("master_batch_record")
