"""How far carriers were read that are asked for what came in.

Revision 0004, of 2026-11-28.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add an empty table."""
    op.create_table(
        "bookmark",
        sa.Column("carrier_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("carrier_id"),
        sqlite_with_rowid=False,
    )
