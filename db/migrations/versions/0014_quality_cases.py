"""Deviations and corrective actions with a process of their own: their facts, and how they stand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("deviation", sa.Column("equipment", sa.String(), nullable=True))
    op.add_column("deviation", sa.Column("has_process", sa.Boolean(), nullable=False, server_default="false"))
    op.create_index("ix_deviation_equipment", "deviation", ["equipment"])
    op.create_table(
        "case_fact",
        sa.Column("case_number", sa.String(), primary_key=True),
        sa.Column("revision", sa.Integer(), primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("command_id", sa.String(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
    )
    op.create_index("ix_case_fact_command_id", "case_fact", ["command_id"])
    op.create_table(
        "quality_case",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("order_number", sa.String(), nullable=True),
        sa.Column("lot", sa.String(), nullable=True),
        sa.Column("equipment", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
    )
    for column in ("kind", "state", "is_over", "owner", "order_number", "lot", "equipment", "source"):
        op.create_index(f"ix_quality_case_{column}", "quality_case", [column])
    op.execute(
        sa.text(
            "CREATE TRIGGER case_fact_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_fact "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    for grant in (
        f"GRANT SELECT, INSERT ON case_fact TO {APP_ROLE}",
        f"GRANT SELECT, INSERT, UPDATE ON quality_case TO {APP_ROLE}",
    ):
        op.execute(
            sa.text(
                f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') "
                f"THEN {grant}; END IF; END $$"
            )
        )


def downgrade() -> None:
    op.drop_table("quality_case")
    op.drop_table("case_fact")
    op.drop_index("ix_deviation_equipment", table_name="deviation")
    op.drop_column("deviation", "has_process")
    op.drop_column("deviation", "equipment")
