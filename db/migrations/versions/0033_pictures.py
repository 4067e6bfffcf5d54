"""Pictures of instructions, stored under the hash of what is in them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TABLE = "picture"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("sha256", sa.String(), primary_key=True),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        # Nobody stores something under the name of something else, whoever writes.
        sa.CheckConstraint(
            "sha256 = encode(sha256(content), 'hex') AND size = octet_length(content)", "a_picture_is_what_it_says"
        ),
    )
    # Pictures are packed already: to try again costs time and saves nothing.
    op.execute(sa.text(f"ALTER TABLE {TABLE} ALTER COLUMN content SET STORAGE EXTERNAL"))
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
