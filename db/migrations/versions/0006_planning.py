"""Operations of routes get a uuid of their own; the load of stations is found without the operations that are over."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Frozen here as `domain.base.uuid_for` was at this revision.
NAMESPACE = uuid.UUID("6d1c3f0e-6f0b-5d6e-9a57-3a1f1f1d9b10")
OPEN_OPERATION = "state IN ('pending', 'ready', 'running', 'paused', 'held')"


def upgrade() -> None:
    op.add_column("route_operation", sa.Column("uuid", sa.Uuid(), nullable=True))
    connection = op.get_bind()
    query = "SELECT o.route, o.code, r.product, r.version FROM route_operation o JOIN route r ON r.id = o.route"
    known = [
        {
            "own_route": row.route,
            "own_code": row.code,
            "uuid": uuid.uuid5(NAMESPACE, f"route-operation/{row.product}/{row.version}/{row.code}"),
        }
        for row in connection.execute(sa.text(query))
    ]
    if known:
        change = "UPDATE route_operation SET uuid = :uuid WHERE route = :own_route AND code = :own_code"
        connection.execute(sa.text(change), known)
    op.alter_column("route_operation", "uuid", nullable=False)
    op.create_unique_constraint("route_operation_uuid_key", "route_operation", ["uuid"])
    op.create_index("ix_operation_open", "operation", ["workstation"], postgresql_where=sa.text(OPEN_OPERATION))


def downgrade() -> None:
    op.drop_index("ix_operation_open", table_name="operation")
    op.drop_constraint("route_operation_uuid_key", "route_operation")
    op.drop_column("route_operation", "uuid")
