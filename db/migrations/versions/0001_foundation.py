"""Every table of the foundation: master data, people, orders, stock, genealogy, quality, machines, audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(op.f("ix_alarm_order_number"), "alarm", ["order_number"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_row",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("old", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("new", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("command_id", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(op.f("ix_audit_row_actor"), "audit_row", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_row_at"), "audit_row", ["at"], unique=False)
    op.create_index(op.f("ix_audit_row_command_id"), "audit_row", ["command_id"], unique=False)
    op.create_index(op.f("ix_audit_row_entity"), "audit_row", ["entity"], unique=False)
    op.create_table(
        "command_outcome",
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("command_id"),
    )
    op.create_index(op.f("ix_command_outcome_order_number"), "command_outcome", ["order_number"], unique=False)
    op.create_table(
        "deviation",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=True),
        sa.Column("work_order", sa.String(), nullable=True),
        sa.Column("operation", sa.String(), nullable=True),
        sa.Column("lot", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(op.f("ix_deviation_lot"), "deviation", ["lot"], unique=False)
    op.create_index(op.f("ix_deviation_order_number"), "deviation", ["order_number"], unique=False)
    op.create_index(op.f("ix_deviation_state"), "deviation", ["state"], unique=False)
    op.create_table(
        "equipment_reading",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("source_time", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("quality", sa.String(), nullable=False),
        sa.Column("values", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("job", "sequence"),
    )
    op.create_table(
        "equipment_run",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("workstation", sa.String(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("good", sa.Numeric(), nullable=True),
        sa.Column("waste", sa.Numeric(), nullable=True),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index(op.f("ix_equipment_run_batch"), "equipment_run", ["batch"], unique=False)
    op.create_index(op.f("ix_equipment_run_work_order"), "equipment_run", ["work_order"], unique=False)
    op.create_index(op.f("ix_equipment_run_workstation"), "equipment_run", ["workstation"], unique=False)
    op.create_table(
        "inspection",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("characteristics", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index(op.f("ix_inspection_lot"), "inspection", ["lot"], unique=False)
    op.create_index(op.f("ix_inspection_state"), "inspection", ["state"], unique=False)
    op.create_index(op.f("ix_inspection_work_order"), "inspection", ["work_order"], unique=False)
    op.create_table(
        "inventory_request",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "material",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("shelf_life_days", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("code"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index(op.f("ix_material_kind"), "material", ["kind"], unique=False)
    op.create_table(
        "number_series",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "order_fact",
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("command_id", sa.String(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("order_number", "revision"),
    )
    op.create_index(op.f("ix_order_fact_command_id"), "order_fact", ["command_id"], unique=False)
    op.create_table(
        "parameter_value",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("low", sa.Numeric(), nullable=True),
        sa.Column("high", sa.Numeric(), nullable=True),
        sa.Column("within_limits", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_parameter_value_operation", "parameter_value", ["work_order", "operation", "name"], unique=False
    )
    op.create_table(
        "place",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "plan_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("batch_number", sa.String(), nullable=True),
        sa.Column("fixed_lots", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name="a_plan_line_wants_something"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("batch_number"),
        sa.UniqueConstraint("order_number"),
        sa.UniqueConstraint("reference"),
    )
    op.create_table(
        "plant_policy",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("code", "version"),
    )
    op.create_table(
        "production_order",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("plan_line", sa.String(), nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("actual_start", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("actual_end", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("waiting", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("plan_line"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index(op.f("ix_production_order_created_at"), "production_order", ["created_at"], unique=False)
    op.create_index(op.f("ix_production_order_product"), "production_order", ["product"], unique=False)
    op.create_index(op.f("ix_production_order_state"), "production_order", ["state"], unique=False)
    op.create_table(
        "production_report",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("good", sa.Numeric(), nullable=False),
        sa.Column("scrap", sa.Numeric(), nullable=False),
        sa.Column("scrap_reason", sa.String(), nullable=True),
        sa.Column("review_board", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("is_rework", sa.Boolean(), nullable=False),
        sa.Column("report_type", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("workstation", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("labour_seconds", sa.Integer(), nullable=True),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("over_by", sa.Numeric(), nullable=False),
        sa.Column("reported_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("command_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(op.f("ix_production_report_work_order"), "production_report", ["work_order"], unique=False)
    op.create_table(
        "state_transition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("entity_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("order_number", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_state_transition_entity", "state_transition", ["entity", "entity_id"], unique=False)
    op.create_index(op.f("ix_state_transition_order_number"), "state_transition", ["order_number"], unique=False)
    op.create_table(
        "user_account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("roles", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_person", sa.Boolean(), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "workstation",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("equipment", sa.String(), nullable=False),
        sa.Column("connection", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("code"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_table(
        "bill_of_material",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("base_quantity", sa.Numeric(), nullable=False),
        sa.Column("effective_from", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product"],
            ["material.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("product", "version"),
    )
    op.create_index(op.f("ix_bill_of_material_product"), "bill_of_material", ["product"], unique=False)
    op.create_table(
        "inspection_plan",
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("low", sa.Numeric(), nullable=True),
        sa.Column("high", sa.Numeric(), nullable=True),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["material"],
            ["material.code"],
        ),
        sa.PrimaryKeyConstraint("material", "name"),
    )
    op.create_table(
        "inspection_result",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("inspection", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("low", sa.Numeric(), nullable=True),
        sa.Column("high", sa.Numeric(), nullable=True),
        sa.Column("within_limits", sa.Boolean(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("entered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection"],
            ["inspection.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_inspection_result_inspection"), "inspection_result", ["inspection"], unique=False)
    op.create_table(
        "lot",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=True),
        sa.Column("supplier", sa.String(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["material"],
            ["material.code"],
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(op.f("ix_lot_material"), "lot", ["material"], unique=False)
    op.create_index(op.f("ix_lot_status"), "lot", ["status"], unique=False)
    op.create_index(op.f("ix_lot_work_order"), "lot", ["work_order"], unique=False)
    op.create_table(
        "route",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("effective_from", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product"],
            ["material.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("product", "version"),
    )
    op.create_index(op.f("ix_route_product"), "route", ["product"], unique=False)
    op.create_table(
        "signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("signer", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("signed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["signer"],
            ["user_account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("command_id"),
    )
    op.create_index(op.f("ix_signature_entity"), "signature", ["entity"], unique=False)
    op.create_index(op.f("ix_signature_signer"), "signature", ["signer"], unique=False)
    op.create_table(
        "user_session",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)
    op.create_table(
        "work_order",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("output_lot", sa.String(), nullable=False),
        sa.Column("feeds", sa.String(), nullable=True),
        sa.Column("actual_start", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("actual_end", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_number"],
            ["production_order.number"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("output_lot"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index(op.f("ix_work_order_material"), "work_order", ["material"], unique=False)
    op.create_index(op.f("ix_work_order_order_number"), "work_order", ["order_number"], unique=False)
    op.create_index(op.f("ix_work_order_state"), "work_order", ["state"], unique=False)
    op.create_table(
        "workstation_capability",
        sa.Column("workstation", sa.String(), nullable=False),
        sa.Column("capability", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workstation"],
            ["workstation.code"],
        ),
        sa.PrimaryKeyConstraint("workstation", "capability"),
    )
    op.create_index(
        op.f("ix_workstation_capability_capability"), "workstation_capability", ["capability"], unique=False
    )
    op.create_table(
        "bill_of_material_line",
        sa.Column("bill_of_material", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("loss_percent", sa.Numeric(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_of_material"],
            ["bill_of_material.id"],
        ),
        sa.ForeignKeyConstraint(
            ["material"],
            ["material.code"],
        ),
        sa.PrimaryKeyConstraint("bill_of_material", "line"),
    )
    op.create_index(op.f("ix_bill_of_material_line_material"), "bill_of_material_line", ["material"], unique=False)
    op.create_table(
        "lot_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("input_lot", sa.String(), nullable=False),
        sa.Column("output_lot", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("linked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["input_lot"],
            ["lot.number"],
        ),
        sa.ForeignKeyConstraint(
            ["output_lot"],
            ["lot.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_lot_link_input", "lot_link", ["input_lot", "output_lot"], unique=False)
    op.create_index("ix_lot_link_output", "lot_link", ["output_lot", "input_lot"], unique=False)
    op.create_table(
        "operation",
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("workstation", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("good", sa.Numeric(), nullable=False),
        sa.Column("scrap", sa.Numeric(), nullable=False),
        sa.Column("review_board", sa.Numeric(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=True),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["work_order"],
            ["work_order.number"],
        ),
        sa.PrimaryKeyConstraint("work_order", "code"),
    )
    op.create_index(op.f("ix_operation_workstation"), "operation", ["workstation"], unique=False)
    op.create_table(
        "operation_parameter",
        sa.Column("route", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("low", sa.Numeric(), nullable=True),
        sa.Column("high", sa.Numeric(), nullable=True),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("is_critical", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["route"],
            ["route.id"],
        ),
        sa.PrimaryKeyConstraint("route", "operation", "name"),
    )
    op.create_table(
        "pick_list",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("lines", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("short", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["work_order"],
            ["work_order.number"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("uuid"),
        sa.UniqueConstraint("work_order"),
    )
    op.create_index(op.f("ix_pick_list_state"), "pick_list", ["state"], unique=False)
    op.create_table(
        "put_away",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        sa.ForeignKeyConstraint(
            ["work_order"],
            ["work_order.number"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("uuid"),
        sa.UniqueConstraint("work_order"),
    )
    op.create_table(
        "reservation",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lot"],
            ["lot.number"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_reservation_lot"), "reservation", ["lot"], unique=False)
    op.create_index("ix_reservation_work_order", "reservation", ["work_order", "state"], unique=False)
    op.create_table(
        "route_operation",
        sa.Column("route", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("capability", sa.String(), nullable=False),
        sa.Column("predecessors", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("counts_pieces", sa.Boolean(), nullable=False),
        sa.Column("is_output", sa.Boolean(), nullable=False),
        sa.Column("recipe", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["route"],
            ["route.id"],
        ),
        sa.PrimaryKeyConstraint("route", "code"),
    )
    op.create_table(
        "stock_balance",
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("on_hand", sa.Numeric(), nullable=False),
        sa.Column("reserved", sa.Numeric(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name="stock_is_never_negative"),
        sa.CheckConstraint("reserved <= on_hand", name="nothing_is_reserved_twice"),
        sa.CheckConstraint("reserved >= 0", name="reservations_are_never_negative"),
        sa.ForeignKeyConstraint(
            ["lot"],
            ["lot.number"],
        ),
        sa.ForeignKeyConstraint(
            ["place"],
            ["place.code"],
        ),
        sa.PrimaryKeyConstraint("lot", "place"),
    )
    op.create_table(
        "stock_move",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("from_place", sa.String(), nullable=False),
        sa.Column("to_place", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("moved_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("from_place <> to_place", name="a_move_goes_somewhere"),
        sa.CheckConstraint("quantity > 0", name="a_move_moves_something"),
        sa.ForeignKeyConstraint(
            ["from_place"],
            ["place.code"],
        ),
        sa.ForeignKeyConstraint(
            ["lot"],
            ["lot.number"],
        ),
        sa.ForeignKeyConstraint(
            ["to_place"],
            ["place.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(op.f("ix_stock_move_lot"), "stock_move", ["lot"], unique=False)
    op.create_index(op.f("ix_stock_move_work_order"), "stock_move", ["work_order"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_stock_move_work_order"), table_name="stock_move")
    op.drop_index(op.f("ix_stock_move_lot"), table_name="stock_move")
    op.drop_table("stock_move")
    op.drop_table("stock_balance")
    op.drop_table("route_operation")
    op.drop_index("ix_reservation_work_order", table_name="reservation")
    op.drop_index(op.f("ix_reservation_lot"), table_name="reservation")
    op.drop_table("reservation")
    op.drop_table("put_away")
    op.drop_index(op.f("ix_pick_list_state"), table_name="pick_list")
    op.drop_table("pick_list")
    op.drop_table("operation_parameter")
    op.drop_index(op.f("ix_operation_workstation"), table_name="operation")
    op.drop_table("operation")
    op.drop_index("ix_lot_link_output", table_name="lot_link")
    op.drop_index("ix_lot_link_input", table_name="lot_link")
    op.drop_table("lot_link")
    op.drop_index(op.f("ix_bill_of_material_line_material"), table_name="bill_of_material_line")
    op.drop_table("bill_of_material_line")
    op.drop_index(op.f("ix_workstation_capability_capability"), table_name="workstation_capability")
    op.drop_table("workstation_capability")
    op.drop_index(op.f("ix_work_order_state"), table_name="work_order")
    op.drop_index(op.f("ix_work_order_order_number"), table_name="work_order")
    op.drop_index(op.f("ix_work_order_material"), table_name="work_order")
    op.drop_table("work_order")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_index(op.f("ix_signature_signer"), table_name="signature")
    op.drop_index(op.f("ix_signature_entity"), table_name="signature")
    op.drop_table("signature")
    op.drop_index(op.f("ix_route_product"), table_name="route")
    op.drop_table("route")
    op.drop_index(op.f("ix_lot_work_order"), table_name="lot")
    op.drop_index(op.f("ix_lot_status"), table_name="lot")
    op.drop_index(op.f("ix_lot_material"), table_name="lot")
    op.drop_table("lot")
    op.drop_index(op.f("ix_inspection_result_inspection"), table_name="inspection_result")
    op.drop_table("inspection_result")
    op.drop_table("inspection_plan")
    op.drop_index(op.f("ix_bill_of_material_product"), table_name="bill_of_material")
    op.drop_table("bill_of_material")
    op.drop_table("workstation")
    op.drop_table("user_account")
    op.drop_index(op.f("ix_state_transition_order_number"), table_name="state_transition")
    op.drop_index("ix_state_transition_entity", table_name="state_transition")
    op.drop_table("state_transition")
    op.drop_index(op.f("ix_production_report_work_order"), table_name="production_report")
    op.drop_table("production_report")
    op.drop_index(op.f("ix_production_order_state"), table_name="production_order")
    op.drop_index(op.f("ix_production_order_product"), table_name="production_order")
    op.drop_index(op.f("ix_production_order_created_at"), table_name="production_order")
    op.drop_table("production_order")
    op.drop_table("plant_policy")
    op.drop_table("plan_line")
    op.drop_table("place")
    op.drop_index("ix_parameter_value_operation", table_name="parameter_value")
    op.drop_table("parameter_value")
    op.drop_index(op.f("ix_order_fact_command_id"), table_name="order_fact")
    op.drop_table("order_fact")
    op.drop_table("number_series")
    op.drop_index(op.f("ix_material_kind"), table_name="material")
    op.drop_table("material")
    op.drop_table("inventory_request")
    op.drop_index(op.f("ix_inspection_work_order"), table_name="inspection")
    op.drop_index(op.f("ix_inspection_state"), table_name="inspection")
    op.drop_index(op.f("ix_inspection_lot"), table_name="inspection")
    op.drop_table("inspection")
    op.drop_index(op.f("ix_equipment_run_workstation"), table_name="equipment_run")
    op.drop_index(op.f("ix_equipment_run_work_order"), table_name="equipment_run")
    op.drop_index(op.f("ix_equipment_run_batch"), table_name="equipment_run")
    op.drop_table("equipment_run")
    op.drop_table("equipment_reading")
    op.drop_index(op.f("ix_deviation_state"), table_name="deviation")
    op.drop_index(op.f("ix_deviation_order_number"), table_name="deviation")
    op.drop_index(op.f("ix_deviation_lot"), table_name="deviation")
    op.drop_table("deviation")
    op.drop_index(op.f("ix_command_outcome_order_number"), table_name="command_outcome")
    op.drop_table("command_outcome")
    op.drop_index(op.f("ix_audit_row_entity"), table_name="audit_row")
    op.drop_index(op.f("ix_audit_row_command_id"), table_name="audit_row")
    op.drop_index(op.f("ix_audit_row_at"), table_name="audit_row")
    op.drop_index(op.f("ix_audit_row_actor"), table_name="audit_row")
    op.drop_table("audit_row")
    op.drop_table("audit_head")
    op.drop_index(op.f("ix_alarm_order_number"), table_name="alarm")
    op.drop_table("alarm")
