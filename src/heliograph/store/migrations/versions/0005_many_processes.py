"""What several processes on one store need: slots of carriers, whose deliveries are, which carrier waits for what.

Revision 0005, of 2026-11-28.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add tables and columns; rows that wait already learn which carrier they wait for."""
    op.add_column("owner", sa.Column("is_worker", sa.Boolean(), nullable=False, server_default="1"))
    op.add_column("owner", sa.Column("sessions", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("delivery", sa.Column("owner", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("ready", sa.Column("carrier_id", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "update ready set carrier_id = coalesce((select m.carrier_id from message m"
        " where m.account_id = ready.account_id and m.id = ready.message_id), 0)"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ready_carrier", "ready", ["carrier_id", "due_at_ms"])
    op.create_table(
        "carrier_slot",
        sa.Column("carrier_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("carrier_id", "slot"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rate_level",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
        sqlite_with_rowid=False,
    )
