"""Signatures keep what was signed; ceremonies, scopes, second factors, password history, keys of machine accounts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

APP_ROLE = "mes_app"
TIME = postgresql.TIMESTAMP(timezone=True)
JSON = postgresql.JSONB(none_as_null=True)
ACCOUNT: dict[str, Any] = {
    "plants": JSON,
    "lines": JSON,
    "password_changed_at": TIME,
    "password_expires_at": TIME,
    "totp_secret": sa.String(),
    "totp_confirmed_at": TIME,
    "totp_last_counter": sa.BigInteger(),
}
SIGNATURE: dict[str, Any] = {
    "time_zone": sa.String(),
    "local_offset": sa.String(),
    "content": JSON,
    "entity_revision": sa.Integer(),
    "terminal_session_user": sa.String(),
    "has_second_factor": sa.Boolean(),
    "request_id": sa.Uuid(),
}


def upgrade() -> None:
    for name, kind in ACCOUNT.items():
        op.add_column("user_account", sa.Column(name, kind, nullable=True))
    op.add_column("user_session", sa.Column("signed_at", TIME, nullable=True))
    op.add_column("signature", sa.Column("part", sa.String(), nullable=False, server_default="signer"))
    for name, kind in SIGNATURE.items():
        op.add_column("signature", sa.Column(name, kind, nullable=True))
    op.drop_constraint("signature_command_id_key", "signature")
    op.create_unique_constraint("signature_command_id_part_key", "signature", ["command_id", "part"])
    _requests()
    op.create_table(
        "password_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_password_history_user_id", "password_history", ["user_id"])
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("routes", JSON, nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_index("ix_api_key_user_id", "api_key", ["user_id"])
    _grant()


def _requests() -> None:
    op.create_table(
        "signature_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("command_kind", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("entity_revision", sa.Integer(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["requested_by"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name in ("requested_by", "command_id", "entity"):
        op.create_index(f"ix_signature_request_{name}", "signature_request", [name])
    op.create_index(
        "ix_signature_request_open", "signature_request", ["expires_at"],
        postgresql_where=sa.text("state = 'requested'"),
    )  # fmt: skip


def _grant() -> None:
    op.execute(
        sa.text(
            f"""
            DO $$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN RETURN; END IF;
                EXECUTE 'GRANT SELECT, INSERT, UPDATE ON signature_request, api_key TO {APP_ROLE}';
                EXECUTE 'GRANT SELECT, INSERT ON password_history TO {APP_ROLE}';
            END $$
            """
        )
    )


def downgrade() -> None:
    op.drop_table("api_key")
    op.drop_table("password_history")
    op.drop_table("signature_request")
    # A command has one signature there. What is gone by this the check of losses names.
    op.execute(sa.text("ALTER TABLE signature DISABLE TRIGGER signature_is_append_only"))
    op.execute(sa.text("DELETE FROM signature WHERE part <> 'signer'"))
    op.execute(sa.text("ALTER TABLE signature ENABLE TRIGGER signature_is_append_only"))
    op.drop_constraint("signature_command_id_part_key", "signature")
    op.create_unique_constraint("signature_command_id_key", "signature", ["command_id"])
    for name in reversed(SIGNATURE):
        op.drop_column("signature", name)
    op.drop_column("signature", "part")
    op.drop_column("user_session", "signed_at")
    for name in reversed(ACCOUNT):
        op.drop_column("user_account", name)
