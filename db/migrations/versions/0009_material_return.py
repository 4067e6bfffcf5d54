"""Returns of issued material that was not consumed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TABLE = "material_return"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("work_order", sa.String(), sa.ForeignKey("work_order.number"), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), sa.ForeignKey("lot.number"), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", "position"),
        sa.CheckConstraint("quantity > 0", name="a_return_returns_something"),
    )
    for column in ("work_order", "lot", "state"):
        op.create_index(f"ix_{TABLE}_{column}", TABLE, [column])
    grant = f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO {APP_ROLE}"
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {grant}; END IF; END $$"
        )
    )


def downgrade() -> None:
    op.drop_table(TABLE)
