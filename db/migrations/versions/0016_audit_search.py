"""The audit trail is searched by record, person, type and time: an index for each, in the order of time."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OLD = ("actor", "at", "entity")


def upgrade() -> None:
    for column in OLD:
        op.drop_index(f"ix_audit_row_{column}", table_name="audit_row")
    op.create_index("ix_audit_row_at", "audit_row", ["at", "seq"])
    op.create_index("ix_audit_row_actor", "audit_row", ["actor", "at", "seq"])
    for column in ("entity", "action"):
        op.create_index(
            f"ix_audit_row_{column}",
            "audit_row",
            [column, "at", "seq"],
            postgresql_ops={column: "text_pattern_ops"},
        )


def downgrade() -> None:
    op.drop_index("ix_audit_row_action", table_name="audit_row")
    for column in OLD:
        op.drop_index(f"ix_audit_row_{column}", table_name="audit_row")
        op.create_index(f"ix_audit_row_{column}", "audit_row", [column])
