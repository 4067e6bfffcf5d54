"""The line clearances that wait for another person are found without reading the others."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

NAME = "ix_line_clearance_unchecked"
TABLE = "line_clearance"


def upgrade() -> None:
    op.create_index(NAME, TABLE, ["performed_at", "number"], postgresql_where=sa.text("checked_by IS NULL"))


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
