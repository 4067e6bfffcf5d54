"""The equipment register: classes, equipment and rooms with four axes, their log, line clearances, training."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = postgresql.TIMESTAMP(timezone=True)
CHANGED = ("equipment_class", "equipment_item", "line_clearance")
APPEND_ONLY = ("equipment_log_entry", "training_record")


def upgrade() -> None:
    op.create_table(
        "equipment_class",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("clean_hold_seconds", sa.Integer(), nullable=True),
        sa.Column("dirty_hold_seconds", sa.Integer(), nullable=True),
        sa.Column("campaign_batches", sa.Integer(), nullable=True),
        sa.Column("campaign_seconds", sa.Integer(), nullable=True),
        sa.Column("calibration_warning_seconds", sa.Integer(), nullable=False),
        sa.Column("clearance_valid_seconds", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "equipment_item",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("equipment_class", sa.String(), nullable=False),
        sa.Column("workstation", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("qualification", sa.String(), nullable=False),
        sa.Column("qualified_until", TIME, nullable=True),
        sa.Column("calibration", sa.String(), nullable=False),
        sa.Column("calibration_due_at", TIME, nullable=True),
        sa.Column("certificate", sa.String(), nullable=True),
        sa.Column("calibrated_by", sa.String(), nullable=True),
        sa.Column("next_certificate", sa.String(), nullable=True),
        sa.Column("next_calibration_due_at", TIME, nullable=True),
        sa.Column("cleaning", sa.String(), nullable=False),
        sa.Column("cleaning_level", sa.String(), nullable=True),
        sa.Column("cleaned_by", sa.String(), nullable=True),
        sa.Column("clean_until", TIME, nullable=True),
        sa.Column("dirty_until", TIME, nullable=True),
        sa.Column("fully_cleaned_at", TIME, nullable=True),
        sa.Column("batches_since_full", sa.Integer(), nullable=False),
        sa.Column("availability", sa.String(), nullable=False),
        sa.Column("reserved_for", sa.String(), nullable=True),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("product", sa.String(), nullable=True),
        sa.Column("work_order", sa.String(), nullable=True),
        sa.Column("operation_code", sa.String(), nullable=True),
        sa.Column("occupied_since", TIME, nullable=True),
        sa.Column("last_batch", sa.String(), nullable=True),
        sa.Column("last_product", sa.String(), nullable=True),
        sa.Column("freed_at", TIME, nullable=True),
        sa.CheckConstraint("(batch IS NULL) = (cleaning <> 'inUse')", name="what_holds_a_batch_is_in_use"),
        sa.CheckConstraint("(batch IS NULL) = (work_order IS NULL)", name="a_batch_is_there_by_a_work_order"),
        sa.ForeignKeyConstraint(["equipment_class"], ["equipment_class.code"]),
        sa.PrimaryKeyConstraint("code"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index(
        "ix_equipment_item_occupied",
        "equipment_item",
        ["work_order"],
        postgresql_where=sa.text("work_order IS NOT NULL"),
    )
    op.create_index("ix_equipment_item_room", "equipment_item", ["room"])
    op.create_index("ix_equipment_item_workstation", "equipment_item", ["workstation"])
    op.create_table(
        "equipment_log_entry",
        sa.Column("equipment", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("activity", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=True),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("work_order", sa.String(), nullable=True),
        sa.Column("operation", sa.String(), nullable=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["equipment"], ["equipment_item.code"]),
        sa.PrimaryKeyConstraint("equipment", "sequence"),
    )
    op.create_index(
        "ix_equipment_log_entry_batch", "equipment_log_entry", ["batch"], postgresql_where=sa.text("batch IS NOT NULL")
    )
    op.create_table(
        "line_clearance",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("previous_batch", sa.String(), nullable=True),
        sa.Column("items", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("performed_by", sa.String(), nullable=False),
        sa.Column("performed_at", TIME, nullable=False),
        sa.Column("checked_by", sa.String(), nullable=True),
        sa.Column("checked_at", TIME, nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("valid_until", TIME, nullable=True),
        sa.ForeignKeyConstraint(["room"], ["equipment_item.code"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_line_clearance_batch", "line_clearance", ["batch", "operation"])
    op.create_index("ix_line_clearance_room", "line_clearance", ["room"])
    op.create_table(
        "training_record",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("qualification", sa.String(), nullable=False),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("registered_by", sa.String(), nullable=False),
        sa.Column("registered_at", TIME, nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("command_id"),
    )
    op.create_index("ix_training_record_person", "training_record", ["person", "qualification", "id"])
    for table in APPEND_ONLY:
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        )
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT ON {", ".join(APPEND_ONLY)} TO {APP_ROLE}';
                EXECUTE 'GRANT SELECT, INSERT, UPDATE ON {", ".join(CHANGED)} TO {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    for table in APPEND_ONLY:
        op.execute(sa.text(f"DROP TRIGGER {table}_is_append_only ON {table}"))
    for table in ("training_record", "line_clearance", "equipment_log_entry", "equipment_item", "equipment_class"):
        op.drop_table(table)
