"""What people read instead of a code of master data, in each language."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TABLE = "display_name"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("english", sa.String(), nullable=False),
        sa.Column("chinese", sa.String(), nullable=False),
    )
    grant = f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO {APP_ROLE}"
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {grant}; END IF; END $$"
        )
    )


def downgrade() -> None:
    op.drop_table(TABLE)
