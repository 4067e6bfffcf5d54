"""Changes of configuration: what is asked for, the steps that it went through."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TABLE = "configuration_change"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("base", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("change_control", sa.String(), nullable=False),
        sa.Column("reason_for_change", sa.String(), nullable=False),
        sa.Column("authors", postgresql.JSONB(), nullable=False),
        sa.Column("steps", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_configuration_change_state", TABLE, ["state"])
    # However many publish at once: one change makes the next version of its subject.
    op.create_index(
        "one_published_change_of_a_version", TABLE, ["kind", "subject", "base_version"], unique=True,
        postgresql_where=sa.text("state = 'published'"),
    )  # fmt: skip
    grant = f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO {APP_ROLE}"
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {grant}; END IF; END $$"
        )
    )


def downgrade() -> None:
    op.drop_table(TABLE)
