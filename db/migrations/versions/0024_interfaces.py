"""Neighbours: messages that go out and come in, alarms that somebody has to acknowledge, and gaps of machines.

Whatever changes writes its audit row in the same transaction. So one trigger over the audit trail is the outbox: what
an endpoint has subscribed to cannot be forgotten by any writer, and is not sent when the transaction is rolled back.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = postgresql.TIMESTAMP(timezone=True)
JSON = postgresql.JSONB(none_as_null=True)
TABLES = ("outbound_endpoint", "outbound_message", "inbound_system", "inbound_message", "alarm_rule",
          "watch_position", "equipment_gap")  # fmt: skip
KEPT = ("outbound_message", "inbound_message", "equipment_gap", "alarm_rule")
ALARM_COLUMNS = ("severity", "subject", "escalate_seconds", "escalate_at", "escalations", "acknowledged_by",
                 "acknowledged_at", "acknowledgement")  # fmt: skip

MATCHES = r"""
CREATE FUNCTION is_subscribed(topics text, topic text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT topic NOT LIKE 'message.%' AND topic NOT LIKE 'auth.%' AND EXISTS (
        SELECT FROM unnest(string_to_array(topics, ',')) AS pattern
        WHERE topic LIKE replace(replace(pattern, '_', '\_'), '*', '%')
    )
$$
"""
# Messages about messages would never end; log-ins and keys are nobody's business outside.
GOES_OUT = r"""
CREATE FUNCTION audit_row_goes_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbound_message (id, endpoint, topic, subject, data, state, attempts, created_at, next_attempt_at)
    SELECT e.code || '-' || w.seq || '-' || left(w.hash, 12), e.code, w.action, w.entity,
        jsonb_build_object('actor', w.actor, 'at', w.at, 'old', w.old, 'new', w.new, 'reason', w.reason),
        'pending', 0, now(), now()
    FROM written w JOIN outbound_endpoint e ON e.is_active AND is_subscribed(e.topics, w.action)
    WHERE w.entity NOT LIKE 'user/%'
    ORDER BY w.seq, e.code
    ON CONFLICT DO NOTHING;
    INSERT INTO alarm (at, code, detail, order_number, key, subject)
    SELECT w.at, r.code, r.name || ': ' || w.entity || coalesce(', ' || w.reason, ''),
        CASE WHEN w.entity LIKE 'production-order/%' THEN split_part(w.entity, '/', 2)
            ELSE (SELECT o.order_number FROM work_order o WHERE o.number = split_part(w.entity, '/', 2)) END,
        'rule/' || r.code || '/' || w.seq || '-' || left(w.hash, 12), w.entity
    FROM written w JOIN alarm_rule r ON r.is_active AND r.topic IS NOT NULL AND is_subscribed(r.topic, w.action)
    WHERE w.action NOT LIKE 'alarm.%'
    ORDER BY w.seq, r.code
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
ALARM_BEGINS = """
CREATE FUNCTION alarm_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE rule alarm_rule%ROWTYPE;
BEGIN
    SELECT * INTO rule FROM alarm_rule WHERE code = NEW.code AND is_active;
    NEW.severity := coalesce(NEW.severity, rule.severity, 'warning');
    NEW.escalate_seconds := coalesce(NEW.escalate_seconds, rule.escalate_seconds, 900);
    IF NEW.escalate_at IS NULL AND NEW.escalate_seconds > 0 THEN
        NEW.escalate_at := now() + make_interval(secs => NEW.escalate_seconds);
    END IF;
    RETURN NEW;
END $$
"""
ALARM_GOES_OUT = """
CREATE FUNCTION alarm_goes_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbound_message (id, endpoint, topic, subject, data, state, attempts, created_at, next_attempt_at)
    SELECT e.code || '-alarm-' || NEW.id || '-' || left(md5(NEW.key), 12), e.code, 'alarm.raised', 'alarm/' || NEW.id,
        jsonb_build_object('actor', 'system', 'at', NEW.at, 'new', jsonb_build_object('code', NEW.code,
            'detail', NEW.detail, 'severity', NEW.severity, 'orderNumber', NEW.order_number, 'subject', NEW.subject)),
        'pending', 0, now(), now()
    FROM outbound_endpoint e WHERE e.is_active AND is_subscribed(e.topics, 'alarm.raised')
    ORDER BY e.code
    ON CONFLICT DO NOTHING;
    PERFORM pg_notify('mes_changed', 'alarm/' || NEW.id);
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    _outbound()
    _inbound()
    _alarms()
    op.create_table(
        "equipment_gap",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.Column("after_sequence", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("job", "since"),
    )
    op.create_table(
        "watch_position",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    for function in (MATCHES, GOES_OUT, ALARM_BEGINS, ALARM_GOES_OUT):
        op.execute(sa.text(function))
    for trigger in (
        "audit_row_is_sent AFTER INSERT ON audit_row REFERENCING NEW TABLE AS written "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_row_goes_out()",
        "alarm_is_set BEFORE INSERT ON alarm FOR EACH ROW EXECUTE FUNCTION alarm_begins()",
        "alarm_is_sent AFTER INSERT ON alarm FOR EACH ROW EXECUTE FUNCTION alarm_goes_out()",
        *(f"{table}_is_kept BEFORE DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
          for table in KEPT),
    ):  # fmt: skip
        op.execute(sa.text(f"CREATE TRIGGER {trigger}"))
    grants = "\n".join(f"EXECUTE 'GRANT SELECT, INSERT, UPDATE ON {table} TO {APP_ROLE}';" for table in TABLES)
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


def _outbound() -> None:
    op.create_table(
        "outbound_endpoint",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("topics", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("timeout_seconds", sa.Integer(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "outbound_message",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("content", JSON, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=False),
        sa.Column("last_attempt_at", TIME, nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("delivered_at", TIME, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["endpoint"], ["outbound_endpoint.code"]),
        sa.PrimaryKeyConstraint("id"),
    )
    open_messages = sa.text("state IN ('pending', 'parked')")
    op.create_index(
        "ix_outbound_message_due", "outbound_message", ["endpoint", "position"], postgresql_where=open_messages
    )
    op.create_index(
        "ix_outbound_message_subject", "outbound_message", ["endpoint", "subject", "position"],
        postgresql_where=open_messages,
    )  # fmt: skip
    op.create_index("ix_outbound_message_position", "outbound_message", ["position"])
    op.create_index("ix_outbound_message_attempt", "outbound_message", ["endpoint", "last_attempt_at"])


def _inbound() -> None:
    op.create_table(
        "inbound_system",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kinds", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "inbound_message",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("checksum", sa.String(), nullable=False),
        sa.Column("claimed_checksum", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("blockers", JSON, nullable=False),
        sa.Column("effect", JSON, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("source", "kind", "message_id", "checksum", "claimed_checksum"),
    )
    op.create_index(
        "ix_inbound_message_accepted", "inbound_message", ["source", "message_id"], unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    )  # fmt: skip
    op.create_index(
        "ix_inbound_message_quarantined", "inbound_message", ["number"],
        postgresql_where=sa.text("state = 'quarantined'"),
    )  # fmt: skip


def _alarms() -> None:
    op.create_table(
        "alarm_rule",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=True),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("escalate_seconds", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    for column in (
        sa.Column("severity", sa.String(), nullable=False, server_default="warning"),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("escalate_seconds", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("escalate_at", TIME, nullable=True),
        sa.Column("escalations", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("acknowledged_at", TIME, nullable=True),
        sa.Column("acknowledgement", sa.String(), nullable=True),
    ):
        op.add_column("alarm", column)
    # From here on the trigger says how bad an alarm is and when it escalates.
    for name in ("severity", "escalate_seconds"):
        op.alter_column("alarm", name, server_default=None)
    op.create_index(
        "ix_alarm_open", "alarm", ["escalate_at"], postgresql_where=sa.text("acknowledged_at IS NULL")
    )  # fmt: skip


def downgrade() -> None:
    for table, trigger in (
        ("audit_row", "audit_row_is_sent"), ("alarm", "alarm_is_set"), ("alarm", "alarm_is_sent"),
        *((table, f"{table}_is_kept") for table in KEPT),
    ):  # fmt: skip
        op.execute(sa.text(f"DROP TRIGGER {trigger} ON {table}"))
    for function in ("audit_row_goes_out()", "alarm_begins()", "alarm_goes_out()", "is_subscribed(text, text)"):
        op.execute(sa.text(f"DROP FUNCTION {function}"))
    op.drop_index("ix_alarm_open", table_name="alarm")
    for column in reversed(ALARM_COLUMNS):
        op.drop_column("alarm", column)
    for table in ("outbound_message", "outbound_endpoint", "inbound_message", "inbound_system", "alarm_rule",
                  "watch_position", "equipment_gap"):  # fmt: skip
        op.drop_table(table)
