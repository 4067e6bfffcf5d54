"""Archived records on paper; rows of another system's audit trail that came with an imported record."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
APPEND_ONLY = ("archived_print", "copied_audit_row")
_TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "archived_print",
        sa.Column("work_order", sa.String(), sa.ForeignKey("archived_record.work_order"), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("is_sealed", sa.Boolean(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("work_order", "language"),
    )
    op.create_table(
        "copied_audit_row",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("actor", "action", "entity")),
        *(sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=True) for name in ("old", "new")),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("reason", "command_id", "source")),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    for table in APPEND_ONLY:
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        )
        _grant(f"GRANT SELECT, INSERT ON {table} TO {APP_ROLE}")


def _grant(statement: str) -> None:
    """Rights of the application's role, where the database has such a role."""
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') "
            f"THEN {statement}; END IF; END $$"
        )
    )


def downgrade() -> None:
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
