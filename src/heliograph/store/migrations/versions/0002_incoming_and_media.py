"""Incoming messages have an account and are joined from segments; media; webhooks with names; a narrower outbox.

Revision 0002, of 2026-11-27.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change and add tables. What came in before belongs to nobody yet."""
    op.add_column("account", sa.Column("channels", sa.JSON(), nullable=False, server_default="[1, 2, 3]"))
    op.add_column("webhook", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("webhook", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("webhook", sa.Column("modified_at_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("number_account", "number", ["account_id", "campaign"])
    op.drop_column("outbox", "recipient")
    op.drop_column("outbox", "reference")
    _incoming()
    _conversations()
    _media()
    _forgotten()


def _forgotten() -> None:
    op.create_table(
        "forgotten",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("captured", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("account_id"),
        sqlite_with_rowid=False,
    )


def _incoming() -> None:
    op.rename_table("incoming", "incoming_before")
    op.create_table(
        "incoming",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("carrier_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("told", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "insert into incoming(account_id, id, carrier_id, sender, recipient, encoding, body, text, received_at_ms) "
        "select 0, id, carrier_id, sender, recipient, encoding, body, text, received_at_ms from incoming_before"
    )
    op.drop_table("incoming_before")
    op.create_table(
        "incoming_segment",
        sa.Column("carrier_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sender", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("recipient", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("encoding", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("incoming_id", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("session", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("repeated_at_ms", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("carrier_id", "sender", "recipient", "reference", "first_at_ms", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("incoming_segment_age", "incoming_segment", ["received_at_ms"])
    op.create_table(
        "joining",
        sa.Column("first_at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("carrier_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sender", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("recipient", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("first_at_ms", "carrier_id", "sender", "recipient", "reference"),
        sqlite_with_rowid=False,
    )


def _conversations() -> None:
    op.create_table(
        "conversation",
        sa.Column("sender", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("recipient", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "recipient"),
        sqlite_with_rowid=False,
    )


def _media() -> None:
    op.create_table(
        "media",
        sa.Column("digest", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("stored_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "submission_media",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "submission_id", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index("submission_media_digest", "submission_media", ["digest"])
    op.create_table(
        "incoming_media",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("incoming_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "incoming_id", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index("incoming_media_digest", "incoming_media", ["digest"])
    op.create_table(
        "secret",
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
