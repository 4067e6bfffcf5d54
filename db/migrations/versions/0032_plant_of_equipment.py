"""Equipment belongs to a plant; what is there already belongs to everybody, as before."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("equipment_item", sa.Column("plant", sa.String(), nullable=False, server_default=""))
    op.alter_column("equipment_item", "plant", server_default=None)


def downgrade() -> None:
    op.drop_column("equipment_item", "plant")
