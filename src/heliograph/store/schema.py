"""Every table, once, for both engines. Times are milliseconds since 1970 UTC, money micro-credits.

Tables of one account's data carry the account first in their keys, so that a larger installation can be
partitioned by account. `message` has no index on a column that changes; what must be found by something else
stands in a narrow table of its own (`ready`, `receipt_map`, `doubt`, `outbox`) as insert and delete.
Columns hold the numbers of the enums in `core`.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()


def _key(name: str, kind: type[BigInteger] | type[Text] | type[Integer] = BigInteger) -> Column[Any]:
    return Column(name, kind, primary_key=True, nullable=False, autoincrement=False)


def _has(name: str, kind: type[TypeEngine[Any]], *, default: str | None = None) -> Column[Any]:
    return Column(name, kind, nullable=False, server_default=default)


def _narrow(name: str, *columns: Column[Any] | Index, days_of: str | None = None) -> Table:
    """A table that lives in its primary key (on SQLite without a second copy of it).

    days_of: the id by which PostgreSQL keeps each day apart (`store/postgres/days.py`).
    """
    by_day = None if days_of is None else f"range ({days_of})"
    return Table(name, metadata, *columns, sqlite_with_rowid=False, postgresql_partition_by=by_day)


# What the operator sets up -------------------------------------------------------------------------------------

meta = Table("meta", metadata, _key("name", Text), _has("value", BigInteger))
"""`revision` counts changes of the tables in this part: running servers reload when it moves."""

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("user", Text, nullable=False, unique=True),
    _has("mark", Text),
    _has("is_suspended", Boolean, default="0"),
    Column("sender", Text),
    _has("senders", JSON, default="[]"),
    Column("rate_limit", Integer),
    _has("time_zone", Text, default="UTC"),
    _has("has_agreed", Boolean, default="1"),
    _has("channels", JSON, default="[1, 2, 3]"),
    _has("settings", JSON, default="{}"),
    _has("created_at_ms", BigInteger),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, primary_key=True),
    _has("account_id", Integer),
    _has("digest", Text),
    _has("created_at_ms", BigInteger),
    Column("revoked_at_ms", BigInteger),
)

number = Table(
    "number",
    metadata,
    _key("msisdn", Text),
    _has("account_id", Integer),
    _has("sms", Boolean, default="1"),
    _has("mms", Boolean, default="1"),
    _has("voice", Boolean, default="0"),
    Column("webhook", Text),
    Column("campaign", Text),
    _has("created_at_ms", BigInteger),
    Index("number_account", "account_id", "campaign"),
)
"""msisdn: in E.164 form, or the bare digits of a short code. webhook, campaign: names, spelt as there."""

campaign = Table(
    "campaign",
    metadata,
    _key("account_id", Integer),
    _key("tcr", Text),
    _has("brand", Text),
    _has("is_approved", Boolean, default="0"),
    _has("created_at_ms", BigInteger),
)

carrier = Table(
    "carrier",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _has("url", Text),
    _has("channels", JSON),
    _has("window", Integer, default="10"),
    _has("sessions", Integer, default="1"),
    _has("throughput", Integer, default="0"),
    _has("policy", Integer, default="1"),
    _has("is_draining", Boolean, default="0"),
    _has("settings", JSON, default="{}"),
    _has("created_at_ms", BigInteger),
    sqlite_autoincrement=True,  # receipts of a removed carrier must never be taken for those of a new one
)

route = Table(
    "route",
    metadata,
    Column("id", Integer, primary_key=True),
    _has("carrier_id", Integer),
    _has("channel", Integer, default="1"),
    _has("prefix", Text, default=""),
    _has("priority", Integer, default="0"),
    _has("cost", BigInteger, default="0"),
)

rate = Table(
    "rate",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer),
    _has("channel", Integer, default="1"),
    _has("prefix", Text, default=""),
    _has("price", BigInteger),
    UniqueConstraint("account_id", "channel", "prefix"),
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", Integer, primary_key=True),
    _has("account_id", Integer),
    _has("dialect", Text),
    _has("kind", Integer),
    _has("url", Text),
    _has("secret", Text),
    _has("is_active", Boolean, default="1"),
    Column("note", Text),
    Column("name", Text),
    _has("settings", JSON, default="{}"),
    Column("failing_since_ms", BigInteger),
    _has("created_at_ms", BigInteger),
    _has("modified_at_ms", BigInteger, default="0"),
    sqlite_autoincrement=True,  # a deleted webhook's id is never given to another
)

# Money ---------------------------------------------------------------------------------------------------------

balance = _narrow(
    "balance",
    _key("account_id", Integer),
    _has("available", BigInteger, default="0"),
    _has("held", BigInteger, default="0"),
    _has("captured", BigInteger, default="0"),
)

posting = _narrow(
    "posting",
    _key("account_id", Integer),
    _key("at_ms"),
    _key("kind", Integer),
    _has("amount", BigInteger),
)
"""What moved, by account, time and kind; movements of one millisecond are added up."""

# Contacts ------------------------------------------------------------------------------------------------------

contact_group = Table(
    "contact_group",
    metadata,
    _key("account_id", Integer),
    _key("id"),
    _has("name", Text),
    _has("contacts", Integer, default="0"),
    _has("last_id", BigInteger, default="0"),
    _has("created_at_ms", BigInteger),
    _has("modified_at_ms", BigInteger),
    UniqueConstraint("account_id", "name"),
    sqlite_with_rowid=False,
)
"""contacts: how many there are. last_id: of the contact that was added last; whoever adds some changes it first."""

removed_group = _narrow("removed_group", _key("account_id", Integer), _key("id"))
"""Groups that are gone, for as long as contacts of theirs may be left."""

contact = Table(
    "contact",
    metadata,
    _key("account_id", Integer),
    _key("group_id"),
    _key("id"),
    _has("msisdn", Text),
    _has("first_name", Text, default=""),
    _has("last_name", Text, default=""),
    _has("fields", JSON, default="{}"),
    _has("created_at_ms", BigInteger),
    _has("modified_at_ms", BigInteger),
    UniqueConstraint("account_id", "group_id", "msisdn"),
    sqlite_with_rowid=False,
)
"""Those whose group is gone (`removed_group`) are nobody's, and are removed bit by bit."""

broadcast = Table(
    "broadcast",
    metadata,
    _key("account_id", Integer),
    _key("id"),
    _has("name", Text),
    _has("dialect", Text),
    _has("channel", Integer),
    Column("sender", Text),
    _has("text", Text),
    _has("traits", JSON, default="{}"),
    _has("media_urls", JSON, default="[]"),
    _has("groups", JSON),
    _has("send_at_ms", BigInteger, default="0"),
    _has("state", Integer),
    _has("group_number", Integer, default="0"),
    _has("contact_id", BigInteger, default="0"),
    _has("accepted", Integer, default="0"),
    _has("refused", Integer, default="0"),
    _has("reason", Integer, default="0"),
    _has("created_at_ms", BigInteger),
    Column("ended_at_ms", BigInteger),
    Index("broadcast_state", "state"),
    sqlite_with_rowid=False,
)
"""group_number, contact_id: the place behind which the next contacts are expanded; it moves with their messages."""

# Messages ------------------------------------------------------------------------------------------------------

owner = Table(
    "owner",
    metadata,
    Column("id", Integer, primary_key=True),
    _has("node", Integer),
    _has("started_at_ms", BigInteger),
    _has("beat_at_ms", BigInteger),
    _has("low_water_id", BigInteger, default="0"),
    _has("is_worker", Boolean, default="1"),
    _has("sessions", JSON, default="[]"),
)
"""The processes that hold leases. Below `low_water_id` an owner has nothing unfinished in memory.

beat_at_ms: 0 when it was found dead and is being recovered. is_worker: whether it may hold slots. sessions: those that
are bound.
"""

carrier_slot = _narrow("carrier_slot", _key("carrier_id", Integer), _key("slot", Integer), _has("owner", Integer))
"""Sessions of carriers that are taken by processes, where several share the store; what has no row is free."""

rate_level = _narrow("rate_level", _key("account_id", Integer), _has("level", BigInteger), _has("at_ms", BigInteger))
"""What is left of an account's requests a minute, in millionths, where several processes count them."""

last_commit = _narrow("last_commit", _key("connection"), _has("number", BigInteger), _has("at_ms", BigInteger))
"""How many transactions a hot connection to a PostgreSQL server has committed, for when a commit gets no answer."""

submission = _narrow(
    "submission",
    _key("account_id", Integer),
    _key("id"),
    _has("dialect", Text),
    _has("channel", Integer),
    _has("sender", Text),
    _has("text", Text),
    Column("traits", Text),
    days_of="id",
)
"""traits: a JSON object of what few bodies have (`store.traits`)."""

idempotency = _narrow(
    "idempotency",
    _key("account_id", Integer),
    _key("name", Text),
    _has("body_digest", Text),
    _has("answer", Text),
    _has("available", BigInteger),
    _has("at_ms", BigInteger),
)

message = _narrow(
    "message",
    _key("account_id", Integer),
    _key("id"),
    _has("submission_id", BigInteger),
    _has("recipient", Text),
    _has("state", Integer),
    _has("segments", Integer),
    _has("accepted", Integer, default="0"),
    _has("delivered", Integer, default="0"),
    _has("charge", Integer),
    _has("attempts", Integer, default="0"),
    _has("carrier_id", Integer),
    _has("reason", Integer, default="0"),
    _has("price", BigInteger),
    Column("reference", Text),
    _has("expires_at_ms", BigInteger),
    _has("owner", Integer, default="0"),
    Column("session", BigInteger),
    Column("marked_at_ms", BigInteger),
    days_of="id",
)

forgotten = _narrow(
    "forgotten",
    _key("account_id", Integer),
    _has("messages", BigInteger, default="0"),
    _has("captured", BigInteger, default="0"),
)
"""Messages that were forgotten after their time: how many, and what they had cost together."""

ready = _narrow(
    "ready",
    _key("due_at_ms"),
    _key("account_id", Integer),
    _key("message_id"),
    _has("carrier_id", Integer, default="0"),
)
"""Queued messages that no process holds in memory: scheduled, deferred, overflowing, recovered, for other processes.

carrier_id: which process takes them. On PostgreSQL there is an index on it and the time.
"""

attempt = _narrow(
    "attempt",
    _key("account_id", Integer),
    _key("message_id"),
    _key("segment", Integer),
    _key("at_ms"),
    _key("outcome", Integer),
    _has("carrier_id", Integer),
    Column("session", BigInteger),
    Column("carrier_message_id", Text),
    Column("status", Text),
    days_of="message_id",
)

event = _narrow(
    "event",
    _key("account_id", Integer),
    _key("message_id"),
    _key("at_ms"),
    _key("state", Integer),
    _has("reason", Integer, default="0"),
    Column("detail", Text),
    days_of="message_id",
)

receipt_map = _narrow(
    "receipt_map",
    _key("carrier_id", Integer),
    _key("match_key", Text),
    Column("account_id", Integer),
    Column("message_id", BigInteger),
    Column("segment", Integer),
    Column("state", Integer),
    Column("error", Text),
    Column("addresses", Text),
    _has("at_ms", BigInteger),
    _has("is_settled", Boolean, default="0"),
)
"""Whichever of answer and receipt comes first leaves the row that the other finds; settled rows are tombstones."""

doubt = _narrow(
    "doubt",
    _key("carrier_id", Integer),
    _key("recipient", Text),
    _key("account_id", Integer),
    _key("message_id"),
    _key("segment", Integer),
    _has("sender", Text),
    _has("marked_at_ms", BigInteger),
)
"""Segments of held messages, for the receipt that may still settle them."""

incoming = _narrow(
    "incoming",
    _key("account_id", Integer),
    _key("id"),
    _has("carrier_id", Integer),
    _has("channel", Integer, default="1"),
    _has("sender", Text),
    _has("recipient", Text),
    _has("encoding", Integer),
    _has("body", LargeBinary),
    _has("text", Text),
    _has("missing", Integer, default="0"),
    _has("told", Integer, default="0"),
    _has("received_at_ms", BigInteger),
)
"""Messages from handsets, whole. account_id 0: nobody's. missing: segments that never came.

told: how many webhooks were to hear of it.
"""

incoming_segment = _narrow(
    "incoming_segment",
    _key("carrier_id", Integer),
    _key("sender", Text),
    _key("recipient", Text),
    _key("reference", Integer),
    _key("first_at_ms"),
    _key("number", Integer),
    _has("total", Integer),
    _has("encoding", Integer),
    _has("body", LargeBinary),
    _has("incoming_id", BigInteger, default="0"),
    _has("session", BigInteger),
    _has("received_at_ms", BigInteger),
    _has("repeated_at_ms", BigInteger, default="0"),
    Index("incoming_segment_age", "received_at_ms"),
)
"""Segments from handsets; those whose message is whole are tombstones against repetitions.

reference: a wide one is counted from 65536; -1 has none and is a whole message. first_at_ms: of the first segment to
come, as references are used again. incoming_id: the message they became, 0 while it is incomplete.
"""

joining = _narrow(
    "joining",
    _key("first_at_ms"),
    _key("carrier_id", Integer),
    _key("sender", Text),
    _key("recipient", Text),
    _key("reference", Integer),
)
"""Long messages of which segments are missing, by when their first one came."""

conversation = _narrow(
    "conversation",
    _key("sender", Text),
    _key("recipient", Text),
    _has("account_id", Integer),
    _has("at_ms", BigInteger),
)
"""Who wrote last to a handset from a sender that is no account's own: replies to it are theirs."""

# Media ---------------------------------------------------------------------------------------------------------

media = _narrow(
    "media",
    _key("digest", Text),
    _has("content_type", Text),
    _has("octets", BigInteger),
    _has("stored_at_ms", BigInteger),
)
"""Files in the media store, by the SHA-256 of what they hold."""

submission_media = _narrow(
    "submission_media",
    _key("account_id", Integer),
    _key("submission_id"),
    _key("position", Integer),
    _has("url", Text),
    Column("digest", Text),
    Index("submission_media_digest", "digest"),
)
"""Files that go with a submission. digest: None while the file has not been fetched."""

incoming_media = _narrow(
    "incoming_media",
    _key("account_id", Integer),
    _key("incoming_id"),
    _key("position", Integer),
    _has("digest", Text),
    Index("incoming_media_digest", "digest"),
)

secret = _narrow("secret", _key("name", Text), _has("value", Text))
"""Keys of this installation that no person chooses, such as the one that signs links to media."""

bookmark = _narrow("bookmark", _key("carrier_id", Integer), _has("value", Text))
"""How far a carrier was read that is asked for what came in."""

# Telling -------------------------------------------------------------------------------------------------------

outbox = _narrow(
    "outbox",
    _key("webhook_id", Integer),
    _key("account_id", Integer),
    _key("message_id"),
    _key("state", Integer),
    _has("at_ms", BigInteger),
)

delivery = Table(
    "delivery",
    metadata,
    _key("id"),
    _has("webhook_id", Integer),
    _has("account_id", Integer),
    _has("kind", Integer),
    _has("events", Integer),
    _has("body", LargeBinary),
    _has("state", Integer),
    _has("attempts", Integer, default="0"),
    _has("next_at_ms", BigInteger),
    Column("status", Integer),
    Column("note", Text),
    _has("created_at_ms", BigInteger),
    Column("settled_at_ms", BigInteger),
    _has("owner", Integer, default="0"),
    Index("delivery_due", "state", "webhook_id", "next_at_ms"),
)
"""owner: the process that calls, 0 for any."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    _has("at_ms", BigInteger),
    _has("actor", Text),
    _has("action", Text),
    _has("subject", Text),
    _has("detail", JSON, default="{}"),
)
"""What people changed, and who."""
