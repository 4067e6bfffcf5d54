"""For the console: what an order waits for, when it changed last, and a word to every screen when anything changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("production_order", sa.Column("tasks", JSONB(), nullable=True))
    op.add_column("production_order", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    # Boards ask for what is not over; orders that are pile up and do not count.
    op.create_index(
        "ix_production_order_open", "production_order", ["number"],
        postgresql_where=sa.text("state NOT IN ('closed', 'cancelled', 'aborted')"),
    )  # fmt: skip
    op.create_index("ix_production_order_changed_at", "production_order", ["changed_at"])
    # Whatever changes writes its audit row in the same transaction: so this one trigger tells of every change.
    op.execute(
        sa.text(
            """
            CREATE FUNCTION tell_of_change() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE said text;
            BEGIN
                SELECT string_agg(DISTINCT entity, ' ') INTO said FROM written
                WHERE entity NOT LIKE 'user/%' AND action NOT LIKE 'auth.%' AND action NOT LIKE 'signature.%';
                IF said IS NOT NULL THEN
                    PERFORM pg_notify('mes_changed', CASE WHEN length(said) < 2000 THEN said ELSE '*' END);
                END IF;
                RETURN NULL;
            END $$
            """
        )
    )
    op.execute(
        sa.text(
            "CREATE TRIGGER audit_row_tells AFTER INSERT ON audit_row REFERENCING NEW TABLE AS written "
            "FOR EACH STATEMENT EXECUTE FUNCTION tell_of_change()"
        )
    )


def downgrade() -> None:
    op.execute(sa.text("DROP TRIGGER audit_row_tells ON audit_row"))
    op.execute(sa.text("DROP FUNCTION tell_of_change()"))
    op.drop_index("ix_production_order_changed_at", table_name="production_order")
    op.drop_index("ix_production_order_open", table_name="production_order")
    op.drop_column("production_order", "changed_at")
    op.drop_column("production_order", "tasks")
