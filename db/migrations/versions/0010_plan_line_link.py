"""Plan lines that were made of others: parts of a split, a backorder, the rest of a reduced order."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"


def upgrade() -> None:
    op.create_table(
        "plan_line_link",
        sa.Column("child", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name="a_link_has_a_quantity"),
        sa.CheckConstraint("parent <> child", name="no_line_is_its_own_parent"),
        sa.ForeignKeyConstraint(["child"], ["plan_line.reference"]),
        sa.ForeignKeyConstraint(["parent"], ["plan_line.reference"]),
        sa.PrimaryKeyConstraint("child"),
        sa.UniqueConstraint("parent", "kind", "part"),
    )
    op.create_index("ix_plan_line_link_parent", "plan_line_link", ["parent"])
    op.create_index("ix_plan_line_link_command_id", "plan_line_link", ["command_id"])
    op.execute(
        sa.text(
            "CREATE TRIGGER plan_line_link_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_line_link "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT ON plan_line_link TO {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    op.execute(sa.text("DROP TRIGGER plan_line_link_is_append_only ON plan_line_link"))
    op.drop_table("plan_line_link")
