"""Why the lots of a plan line were chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plan_line", sa.Column("fixed_lots_reason", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("plan_line", "fixed_lots_reason")
