"""Lots and tests of reworks, dosage forms, samples, differences, checks of prints."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ADDED = {
    "material": ("dosage_form",),
    "in_process_inspection": ("lot", "tests", "test_results"),
    "rework": ("own_lot", "method", "procedure", "tests"),
}
_LISTS = ("tests", "test_results")
APP_ROLE = "mes_app"


def upgrade() -> None:
    for table, names in ADDED.items():
        for name in names:
            kind = postgresql.JSONB() if name in _LISTS else sa.String()
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_index("ix_rework_own_lot", "rework", ["own_lot"])
    op.add_column("operation", sa.Column("sampled", sa.Numeric(), nullable=False, server_default="0"))
    op.create_table(
        "print_check",
        sa.Column("work_order", sa.String(), sa.ForeignKey("work_order.number"), primary_key=True),
        sa.Column("operation", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("lot_text", "expiry_text", "expected_lot", "expected_expiry", "checked_by")
        ),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("matches", "is_late")),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(
        sa.text(
            "CREATE TRIGGER print_check_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON print_check "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT ON print_check TO {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    op.execute(sa.text("DROP TRIGGER print_check_is_append_only ON print_check"))
    op.drop_table("print_check")
    op.drop_column("operation", "sampled")
    op.drop_index("ix_rework_own_lot", "rework")
    for table, names in ADDED.items():
        for name in names:
            op.drop_column(table, name)
