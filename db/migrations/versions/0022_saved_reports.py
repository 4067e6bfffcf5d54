"""Saved views of reports, reports that are made by themselves, and what was made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = postgresql.TIMESTAMP(timezone=True)
JSON = postgresql.JSONB(none_as_null=True)
CHANGED, KEPT = ("saved_view", "report_schedule", "scheduled_report"), "report_file"


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("plants", JSON, nullable=True),
        sa.Column("lines", JSON, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_saved_view_owner", "saved_view", ["owner"])
    op.create_table(
        "report_schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("rhythm", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("recipients", JSON, nullable=False),
        sa.Column("plants", JSON, nullable=True),
        sa.Column("lines", JSON, nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("next_due_at", TIME, nullable=True),
        sa.Column("stopped_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_report_schedule_next_due_at", "report_schedule", ["next_due_at"])
    op.create_table(
        "scheduled_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule", sa.Uuid(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        *(
            column
            for step in ("reviewed", "distributed", "archived")
            for column in (sa.Column(f"{step}_by", sa.String()), sa.Column(f"{step}_at", TIME))
        ),
        sa.ForeignKeyConstraint(["schedule"], ["report_schedule.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("schedule", "due_at", name="a_report_is_made_once"),
    )
    op.create_index("ix_scheduled_report_state", "scheduled_report", ["state"])
    op.create_table(
        KEPT,
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["scheduled_report.id"]),
        sa.PrimaryKeyConstraint("report"),
    )
    op.execute(
        sa.text(
            f"CREATE TRIGGER {KEPT}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {KEPT} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )
    grants = [f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APP_ROLE}" for table in CHANGED]
    grants.append(f"GRANT SELECT, INSERT ON {KEPT} TO {APP_ROLE}")
    done = "; ".join(grants)
    op.execute(
        sa.text(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN {done}; END IF; END $$"
        )
    )


def downgrade() -> None:
    op.execute(sa.text(f"DROP TRIGGER {KEPT}_is_append_only ON {KEPT}"))
    for table in (KEPT, *reversed(CHANGED)):
        op.drop_table(table)
