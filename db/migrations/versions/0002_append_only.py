"""What was written stays written: grants of the application's role, and triggers that stop everybody else.

The list of append-only tables is frozen here as it was at this revision.

Taken back, it leaves the record closed to the application: without the triggers nobody but the owner gets in.
The head of an audit trail that has rows stays, so that the chain goes on after the next upgrade.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
MADE_AGAIN = {"audit_head": "seq = 0"}
"""Rows that the upgrade makes: to take them back loses nothing."""
APPEND_ONLY = (
    "audit_row",
    "order_fact",
    "command_outcome",
    "state_transition",
    "stock_move",
    "lot_link",
    "production_report",
    "parameter_value",
    "inspection_result",
    "signature",
    "equipment_reading",
)


def upgrade() -> None:
    head = "INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, repeat('0', 64)) ON CONFLICT (id) DO NOTHING"
    op.execute(sa.text(head))
    op.execute(
        sa.text(
            """
            CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% is append-only: % is not possible', TG_TABLE_NAME, TG_OP
                    USING ERRCODE = 'insufficient_privilege';
            END $$
            """
        )
    )
    for table in APPEND_ONLY:
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        )
    _grant()


def _grant() -> None:
    """Rights of the application's role, where the database has such a role (an outside server may use one login)."""
    grants = [
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
        f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {APP_ROLE}",
        f"REVOKE ALL ON alembic_version FROM {APP_ROLE}",
        f"GRANT SELECT ON alembic_version TO {APP_ROLE}",
    ]
    body = "\n".join(f"EXECUTE '{grant}';" for grant in grants)
    protected = ", ".join(f"'{table}'" for table in (*APPEND_ONLY, "alembic_version"))
    op.execute(
        sa.text(
            f"""
            DO $$
            DECLARE name text;
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                {body}
                FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
                    AND tablename NOT IN ({protected})
                LOOP
                    EXECUTE format('GRANT UPDATE, DELETE ON %I TO {APP_ROLE}', name);
                END LOOP;
                EXECUTE 'REVOKE DELETE ON audit_head FROM {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    for table in APPEND_ONLY:
        op.execute(sa.text(f"DROP TRIGGER {table}_is_append_only ON {table}"))
    op.execute(sa.text("DROP FUNCTION refuse_change()"))
    op.execute(sa.text("DELETE FROM audit_head WHERE seq = 0"))
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {APP_ROLE}';
                EXECUTE 'REVOKE ALL ON SCHEMA public FROM {APP_ROLE}';
            END $$
            """
        )
    )
