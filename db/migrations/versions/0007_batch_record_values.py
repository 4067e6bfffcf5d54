"""Values have numbers, corrections, second checks; operations have verifications and remarks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
APPEND_ONLY = (
    "parameter_check",
    "operation_verification",
    "operation_comment",
    "exception_explanation",
    "archived_record",
)
_TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("parameter_value", sa.Column("number", sa.String(), nullable=True))
    op.add_column("parameter_value", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("parameter_value", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("parameter_value", sa.Column("measured_at", _TIME, nullable=True))
    for column, usual in (("is_late", "false"), ("is_typed", "true"), ("is_warning", "false")):
        new: sa.Column[bool] = sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.text(usual))
        op.add_column("parameter_value", new)
    op.create_unique_constraint(
        "a_value_has_one_text_per_version", "parameter_value", ["work_order", "operation", "number", "version"]
    )
    op.create_table(
        "parameter_check",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("work_order", "operation", "number")),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("checked_by", sa.String(), nullable=False),
        sa.Column("checked_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("work_order", "operation", "number", "version"),
    )
    op.create_table(
        "operation_verification",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("done_by", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("verified_by", sa.String(), nullable=False),
        sa.Column("verified_at", _TIME, nullable=False),
    )
    op.create_index("ix_operation_verification", "operation_verification", ["work_order", "operation"])
    op.create_table(
        "operation_comment",
        sa.Column("work_order", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("written_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("work_order", "operation", "number"),
    )
    _records()
    for table in APPEND_ONLY:
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        )
        _grant(f"GRANT SELECT, INSERT ON {table} TO {APP_ROLE}")
    _grant(f"GRANT SELECT, INSERT, UPDATE ON batch_record TO {APP_ROLE}")


def _grant(statement: str) -> None:
    """Rights of the application's role, where the database has such a role."""
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') "
            f"THEN {statement}; END IF; END $$"
        )
    )


def _records() -> None:
    """The record as a whole, what was said of its exceptions, the archive."""
    op.create_table(
        "batch_record",
        sa.Column("work_order", sa.String(), sa.ForeignKey("work_order.number"), primary_key=True),
        sa.Column("lot", sa.String(), nullable=False, unique=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("issued_at", _TIME, nullable=False),
        sa.Column("reviewed_by", sa.String(), nullable=True),
        sa.Column("reviewed_at", _TIME, nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", _TIME, nullable=True),
        sa.Column("content_hash", sa.String(), nullable=True),
        sa.Column("content_revision", sa.Integer(), nullable=True),
        sa.Column("archived_at", _TIME, nullable=True),
    )
    op.create_index("ix_batch_record_state", "batch_record", ["state"])
    op.create_table(
        "exception_explanation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("work_order", "exception", "type", "detail", "text", "explained_by")
        ),
        sa.Column("explained_at", _TIME, nullable=False),
    )
    op.create_index("ix_exception_explanation_work_order", "exception_explanation", ["work_order", "exception"])
    op.create_table(
        "archived_record",
        sa.Column("work_order", sa.String(), primary_key=True),
        sa.Column("lot", sa.String(), nullable=False, unique=True),
        sa.Column("document", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("document_hash", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("archived_at", _TIME, nullable=False),
        sa.Column("retain_until", sa.Date(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("batch_record")
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
    op.drop_constraint("a_value_has_one_text_per_version", "parameter_value")
    for column in ("is_warning", "is_typed", "is_late", "measured_at", "reason", "version", "number"):
        op.drop_column("parameter_value", column)
