"""Contacts, groups and broadcasts; what few submissions have beside their text.

Revision 0003, of 2026-11-28.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add tables and a column that is empty in all rows there are."""
    op.add_column("submission", sa.Column("traits", sa.Text(), nullable=True))
    _contacts()
    _broadcasts()


def _contacts() -> None:
    op.create_table(
        "contact_group",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contacts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_id", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("modified_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.UniqueConstraint("account_id", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "removed_group",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("msisdn", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False, server_default=""),
        sa.Column("last_name", sa.Text(), nullable=False, server_default=""),
        sa.Column("fields", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("modified_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "group_id", "id"),
        sa.UniqueConstraint("account_id", "group_id", "msisdn"),
        sqlite_with_rowid=False,
    )


def _broadcasts() -> None:
    op.create_table(
        "broadcast",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("channel", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("traits", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("media_urls", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("send_at_ms", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("group_number", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("contact_id", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("accepted", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("refused", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reason", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("broadcast_state", "broadcast", ["state"])
