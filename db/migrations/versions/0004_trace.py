"""Serial numbers of lots, and the indexes that a trace by person, operation, station, parameter or time goes by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
INDEXES = (
    ("ix_operation_code", "operation", ["code"]),
    ("ix_operation_started_by", "operation", ["started_by"]),
    ("ix_production_report_operator", "production_report", ["operator"]),
    ("ix_production_report_worker", "production_report", ["worker"]),
    ("ix_production_report_workstation", "production_report", ["workstation"]),
    ("ix_parameter_value_name", "parameter_value", ["name", "value"]),
    ("ix_stock_move_actor", "stock_move", ["actor"]),
    ("ix_lot_link_work_order", "lot_link", ["work_order", "operation"]),
)
# Append-only rows lie in the order of time: the bounds of every eight pages cost next to nothing to keep.
BY_TIME = (("stock_move", "moved_at"), ("lot_link", "linked_at"))


def upgrade() -> None:
    op.create_table(
        "serial_number",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("work_order", sa.String(), nullable=True),
        sa.Column("registered_by", sa.String(), nullable=False),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["lot"], ["lot.number"]),
        sa.PrimaryKeyConstraint("serial"),
    )
    op.create_index("ix_serial_number_lot", "serial_number", ["lot"])
    op.execute(
        sa.text(
            "CREATE TRIGGER serial_number_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON serial_number "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT ON serial_number TO {APP_ROLE}';
            END $$
            """
        )
    )
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    for table, column in BY_TIME:
        name = f"ix_{table}_{column}"
        op.create_index(name, table, [column], postgresql_using="brin", postgresql_with={"pages_per_range": "8"})


def downgrade() -> None:
    for table, column in BY_TIME:
        op.drop_index(f"ix_{table}_{column}", table)
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
    op.drop_table("serial_number")
