"""Badges and PINs: another person takes over a shared terminal; a terminal that was locked can be opened again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("user_account", sa.Column("badge", sa.String(), nullable=True))
    op.create_unique_constraint("user_account_badge_key", "user_account", ["badge"])
    op.add_column("user_account", sa.Column("pin_hash", sa.String(), nullable=True))
    op.add_column(
        "user_account", sa.Column("pin_failed_attempts", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("user_account", sa.Column("pin_locked_at", TIME, nullable=True))
    op.add_column("user_session", sa.Column("locked_at", TIME, nullable=True))
    op.add_column("user_session", sa.Column("by_pin", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.alter_column("user_account", "pin_failed_attempts", server_default=None)
    op.alter_column("user_session", "by_pin", server_default=None)


def downgrade() -> None:
    for column in ("by_pin", "locked_at"):
        op.drop_column("user_session", column)
    for column in ("pin_locked_at", "pin_failed_attempts", "pin_hash", "badge"):
        op.drop_column("user_account", column)
