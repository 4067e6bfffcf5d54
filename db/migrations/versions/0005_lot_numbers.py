"""Patterns of lot numbers, the numbers that were given, the GTIN of a material, and what lies at a place."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"


def upgrade() -> None:
    op.add_column("material", sa.Column("gtin", sa.String(), nullable=True))
    op.create_unique_constraint("material_gtin_key", "material", ["gtin"])
    op.create_index("ix_stock_balance_place", "stock_balance", ["place"], postgresql_where=sa.text("on_hand > 0"))
    op.create_table(
        "number_pattern",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "kind", "version"),
    )
    op.create_table(
        "given_number",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("plant", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("given_by", sa.String(), nullable=False),
        sa.Column("given_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.execute(
        sa.text(
            "CREATE TRIGGER given_number_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON given_number "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT ON number_pattern, given_number TO {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    op.execute(sa.text("DROP TRIGGER given_number_is_append_only ON given_number"))
    op.drop_table("given_number")
    op.drop_table("number_pattern")
    op.drop_index("ix_stock_balance_place", "stock_balance")
    op.drop_constraint("material_gtin_key", "material")
    op.drop_column("material", "gtin")
