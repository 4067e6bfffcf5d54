"""Events of other systems (EPCIS 2.0), as they were received, and those that were not taken."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = postgresql.TIMESTAMP(timezone=True)
JSON = postgresql.JSONB(none_as_null=True)
TABLES = ("epcis_document", "epcis_event", "epcis_item", "epcis_rejection")


def upgrade() -> None:
    op.create_table(
        "epcis_document",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("received_by", sa.String(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "epcis_event",
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("happened_at", TIME, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["document"], ["epcis_document.sha256"]),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index("ix_epcis_event_document", "epcis_event", ["document"])
    op.create_index("ix_epcis_event_happened_at", "epcis_event", ["happened_at"])
    op.create_table(
        "epcis_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("transformation", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("epc", sa.String(), nullable=False),
        sa.Column("gtin", sa.String(), nullable=True),
        sa.Column("material", sa.String(), nullable=True),
        sa.Column("lot", sa.String(), nullable=True),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("happened_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["epcis_event.event_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_epcis_item_event_id", "epcis_item", ["event_id"])
    op.create_index("ix_epcis_item_epc", "epcis_item", ["epc", "role"])
    op.create_index("ix_epcis_item_transformation", "epcis_item", ["transformation", "role"])
    op.create_index("ix_epcis_item_lot", "epcis_item", ["lot", "material"])
    op.create_table(
        "epcis_rejection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("blockers", JSON, nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("rejected_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["document"], ["epcis_document.sha256"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("document", "position", "code", postgresql_nulls_not_distinct=True),
    )
    op.create_index("ix_epcis_rejection_document", "epcis_rejection", ["document"])
    op.create_index("ix_epcis_rejection_event_id", "epcis_rejection", ["event_id"])
    for table in TABLES:
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        )
    grants = "\n".join(f"EXECUTE 'GRANT SELECT, INSERT ON {table} TO {APP_ROLE}';" for table in TABLES)
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                {grants}
            END $$
            """
        )
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
