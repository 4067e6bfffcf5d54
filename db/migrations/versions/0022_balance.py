"""Lots and tests of reworks, dosage forms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ADDED = {
    "material": ("dosage_form",),
    "in_process_inspection": ("lot", "tests", "test_results"),
    "rework": ("own_lot", "method", "procedure", "tests"),
}
_LISTS = ("tests", "test_results")


def upgrade() -> None:
    for table, names in ADDED.items():
        for name in names:
            kind = postgresql.JSONB() if name in _LISTS else sa.String()
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_index("ix_rework_own_lot", "rework", ["own_lot"])


def downgrade() -> None:
    op.drop_index("ix_rework_own_lot", "rework")
    for table, names in ADDED.items():
        for name in names:
            op.drop_column(table, name)
