"""Maintenance by condition with its proposals, and models of risk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
CONDITIONS, PROPOSALS, MODELS = "maintenance_condition", "maintenance_proposal", "risk_model"
TIME = postgresql.TIMESTAMP(timezone=True)
JSON = postgresql.JSONB(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        CONDITIONS,
        sa.Column("code", sa.String(), primary_key=True),
        sa.Column("equipment", sa.String(), sa.ForeignKey("equipment_item.code"), nullable=False, index=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("limit", sa.Numeric(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("ahead", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
    )
    op.create_table(
        PROPOSALS,
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("condition", sa.String(), sa.ForeignKey(f"{CONDITIONS}.code"), nullable=False),
        sa.Column("equipment", sa.String(), sa.ForeignKey("equipment_item.code"), nullable=False, index=True),
        sa.Column("finding", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("quiet_until", TIME, nullable=True),
        sa.Column("maintenance_order", sa.String(), nullable=True),
    )
    # However many look at once: one open proposal of a condition.
    op.create_index("one_open_proposal_of_a_condition", PROPOSALS, ["condition"], unique=True,
                    postgresql_where=sa.text("state = 'open'"))  # fmt: skip
    op.create_table(
        MODELS,
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("trained_by", sa.String(), nullable=False),
        sa.Column("trained_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("code", "version"),
    )
    for table, what in ((CONDITIONS, "DELETE"), (PROPOSALS, "DELETE"), (MODELS, "UPDATE OR DELETE")):
        name = "is_append_only" if table == MODELS else "is_kept"
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_{name} BEFORE {what} OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        )
    grants = "".join(
        f"GRANT SELECT, INSERT{'' if table == MODELS else ', UPDATE'} ON {table} TO {APP_ROLE}; "
        for table in (CONDITIONS, PROPOSALS, MODELS)
    )
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {grants} END IF; END $$"
        )
    )


def downgrade() -> None:
    for table in (MODELS, PROPOSALS, CONDITIONS):
        op.drop_table(table)
