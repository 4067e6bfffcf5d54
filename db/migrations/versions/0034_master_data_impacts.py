"""Changes of master data that running orders do not have: one task for each order."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TABLE = "master_data_impact"
_TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("number", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("change", "kind", "subject", "version")),
        sa.Column("order_number", sa.String(), sa.ForeignKey("production_order.number"), nullable=False),
        sa.Column("made_by", sa.String(), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("owner", "state", "raised_by")),
        sa.Column("raised_at", _TIME, nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("decision", "reason", "decided_by")),
        sa.Column("decided_at", _TIME, nullable=True),
        sa.Column("command_id", sa.String(), nullable=True),
        sa.UniqueConstraint("change", "order_number"),
        sa.UniqueConstraint("command_id"),
    )
    op.create_index("ix_master_data_impact_order_number", TABLE, ["order_number"])
    op.create_index("ix_master_data_impact_open", TABLE, ["owner"], postgresql_where=sa.text("state = 'open'"))
    grant = f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO {APP_ROLE}"
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {grant}; END IF; END $$"
        )
    )


def downgrade() -> None:
    op.drop_table(TABLE)
