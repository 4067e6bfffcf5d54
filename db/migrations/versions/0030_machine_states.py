"""The changes of machines' own states, append-only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TABLE = "machine_state_change"
TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("workstation", sa.String(), nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("previous", sa.String(), nullable=True),
        sa.Column("finding", sa.String(), nullable=True),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("stored_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("workstation", "journal", "sequence"),
    )
    op.create_index("ix_machine_state_change_at", TABLE, ["workstation", "at"])
    op.execute(
        sa.text(
            f"CREATE TRIGGER {TABLE}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    grant = f"GRANT SELECT, INSERT ON {TABLE} TO {APP_ROLE}"
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {grant}; END IF; END $$"
        )
    )


def downgrade() -> None:
    op.drop_table(TABLE)
