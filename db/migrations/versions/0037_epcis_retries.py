"""What of the quarantine of events was tried again and taken."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TABLE = "epcis_retry"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("rejection", sa.BigInteger(), nullable=False),
        sa.Column("retried_by", sa.String(), nullable=False),
        sa.Column("retried_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["rejection"], ["epcis_rejection.id"]),
        sa.PrimaryKeyConstraint("rejection"),
    )
    op.execute(
        sa.text(
            f"CREATE TRIGGER {TABLE}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT ON {TABLE} TO {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    op.drop_table(TABLE)
