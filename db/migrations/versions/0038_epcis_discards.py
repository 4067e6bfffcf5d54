"""What of the quarantine of events was discarded by a person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TABLE = "epcis_discard"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("rejection", sa.BigInteger(), nullable=False),
        sa.Column("discarded_by", sa.String(), nullable=False),
        sa.Column("discarded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
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
