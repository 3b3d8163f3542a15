"""What people changed, and the searches that prove that the books and the messages agree.

Each search reads one account or one narrow table, and returns the ids that do not fit: none in a sound store. What is
missing in a table that may be as long is found with `except`: both engines do that in one pass, whatever they expect.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, case, exists, func, insert, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.assembly import PATIENCE_MS
from heliograph.core.ids import AccountId
from heliograph.core.ledger import Balance, PostingKind, post
from heliograph.core.states import Charge, MessageState
from heliograph.store.schema import (
    audit,
    balance,
    doubt,
    event,
    forgotten,
    incoming,
    incoming_media,
    incoming_segment,
    joining,
    media,
    message,
    outbox,
    owner,
    posting,
    ready,
    receipt_map,
    submission,
)

Search = Select[Any] | CompoundSelect[Any]
Searches = dict[str, Search]

_S = MessageState
MOST = 20
"""Ids that one search names: enough to see what they have in common."""
_MARGIN_MS = 3_600_000
"""How much later than it should a message that waits for segments may be delivered: servers rest, too."""


async def note(
    connection: AsyncConnection,
    *,
    actor: str,
    action: str,
    subject: str,
    now_ms: int,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Keep who changed what. detail: the new values, no secrets among them."""
    await connection.execute(
        insert(audit).values(at_ms=now_ms, actor=actor, action=action, subject=subject, detail=dict(detail or {}))
    )


class Books(NamedTuple):
    """One account's balance as it is kept, as its postings make it, and as its messages make it, forgotten ones too."""

    kept: Balance
    posted: Balance
    held: int
    captured: int


async def books_of(connection: AsyncConnection, account_id: AccountId) -> Books:
    """Add up an account's postings and the prices of its messages."""
    row = (
        await connection.execute(
            select(balance.c.available, balance.c.held, balance.c.captured).where(balance.c.account_id == account_id)
        )
    ).first()
    posted = Balance()
    sums = (
        select(posting.c.kind, func.sum(posting.c.amount))
        .where(posting.c.account_id == account_id)
        .group_by(posting.c.kind)
    )
    for kind, amount in await connection.execute(sums):
        posted = post(posted, PostingKind(kind), int(amount))
    prices = select(
        *(
            func.coalesce(func.sum(case((message.c.charge == charge, message.c.price), else_=0)), 0)
            for charge in (Charge.HELD, Charge.CAPTURED)
        )
    ).where(message.c.account_id == account_id)
    held, captured = (await connection.execute(prices)).one()
    before = await connection.scalar(select(forgotten.c.captured).where(forgotten.c.account_id == account_id)) or 0
    return Books(Balance(*row) if row else Balance(), posted, int(held), int(captured) + before)


def _misfits() -> dict[str, ColumnElement[bool]]:
    """What no message may be, by the words that say so, as far as the message tells or its key finds."""
    state, charge = message.c.state, message.c.charge
    knows_owner = message.c.owner.in_(select(owner.c.id))
    behind = exists().where(owner.c.id == message.c.owner, owner.c.low_water_id > message.c.id)
    told = exists().where(
        event.c.account_id == message.c.account_id, event.c.message_id == message.c.id, event.c.state == state
    )
    in_doubt = exists().where(
        doubt.c.carrier_id == message.c.carrier_id,
        doubt.c.recipient == message.c.recipient,
        doubt.c.account_id == message.c.account_id,
        doubt.c.message_id == message.c.id,
    )
    has_submission = exists().where(
        submission.c.account_id == message.c.account_id, submission.c.id == message.c.submission_id
    )
    return {
        "ended and still hold credits": and_(state >= _S.DELIVERED, charge == Charge.HELD),
        "reached the carrier and were not charged": and_(
            state.in_([_S.SUBMITTED, _S.DELIVERED]), charge != Charge.CAPTURED
        ),
        "are on their way without credits held": and_(state < _S.DELIVERED, charge == Charge.RELEASED),
        "count more segments than they have": or_(
            message.c.accepted > message.c.segments, message.c.delivered > message.c.segments
        ),
        "belong to a process that never was (lost)": and_(
            state.in_([_S.SCHEDULED, _S.QUEUED, _S.SUBMITTING]), message.c.owner != 0, not_(knows_owner)
        ),
        "are scheduled and in somebody's memory": and_(state == _S.SCHEDULED, message.c.owner != 0),
        "are being submitted by nobody (lost)": and_(state == _S.SUBMITTING, message.c.owner == 0),
        "are below the mark where their process looks after a restart (lost)": and_(
            state.in_([_S.QUEUED, _S.SUBMITTING]), behind
        ),
        "are held with no segment in doubt": and_(state == _S.HELD, not_(in_doubt)),
        "entered their state without an event": and_(
            or_(state >= _S.DELIVERED, state.in_([_S.SUBMITTED, _S.HELD])), not_(told)
        ),
        "have no submission": not_(has_submission),
    }


def searches_of(account_id: AccountId) -> Searches:
    """What must not be found among the messages of an account, by the words that say so: ids of messages."""
    theirs = select(message.c.id).where(message.c.account_id == account_id)
    waiting = theirs.where(message.c.state.in_([_S.SCHEDULED, _S.QUEUED]), message.c.owner == 0)
    in_ready = select(ready.c.message_id).where(ready.c.account_id == account_id)
    return {
        **{words: theirs.where(condition) for words, condition in _misfits().items()},
        "wait and are in nobody's queue (lost)": waiting.except_(in_ready),
    }


async def found(connection: AsyncConnection, wanted: Search) -> list[Any]:
    """What a search finds: up to `MOST` ids."""
    return list(await connection.scalars(wanted.limit(MOST)))


def _has_message(table: Any) -> ColumnElement[bool]:
    return exists().where(message.c.account_id == table.c.account_id, message.c.id == table.c.message_id)


def _incoming_searches(now_ms: int) -> Searches:
    """What must not be found in the tables of incoming messages."""
    here, waiting = incoming_segment.c, joining.c
    waits_here = exists().where(
        waiting.first_at_ms == here.first_at_ms,
        waiting.carrier_id == here.carrier_id,
        waiting.sender == here.sender,
        waiting.recipient == here.recipient,
        waiting.reference == here.reference,
    )
    is_open = exists().where(
        here.carrier_id == waiting.carrier_id,
        here.sender == waiting.sender,
        here.recipient == waiting.recipient,
        here.reference == waiting.reference,
        here.first_at_ms == waiting.first_at_ms,
        here.incoming_id == 0,
    )
    told_of = exists().where(incoming.c.account_id == outbox.c.account_id, incoming.c.id == outbox.c.message_id)
    owns_file = exists().where(
        incoming.c.account_id == incoming_media.c.account_id, incoming.c.id == incoming_media.c.incoming_id
    )
    return {
        "outbox rows tell of incoming messages that are not there": select(outbox.c.message_id).where(
            outbox.c.state == _S.RECEIVED, not_(told_of)
        ),
        "segments of incoming messages are waited for by nobody (lost)": select(here.sender).where(
            here.incoming_id == 0, not_(waits_here)
        ),
        "incoming messages wait for segments and have none": select(waiting.sender).where(not_(is_open)),
        "incoming messages wait too long for their segments": select(waiting.sender).where(
            waiting.first_at_ms < now_ms - PATIENCE_MS - _MARGIN_MS
        ),
        "segments became incoming messages that are not there (lost)": select(here.incoming_id)
        .where(here.incoming_id != 0)
        .except_(select(incoming.c.id)),
        "files belong to incoming messages that are not there": select(incoming_media.c.incoming_id).where(
            not_(owns_file)
        ),
        "files of incoming messages are not in the media store (lost)": select(incoming_media.c.incoming_id).where(
            not_(exists().where(media.c.digest == incoming_media.c.digest))
        ),
    }


def searches_beside(now_ms: int) -> Searches:
    """What must not be found in the narrow tables: rows about nothing, or that should have been dealt with."""
    return {
        **_incoming_searches(now_ms),
        "outbox rows tell of messages that are not there": select(outbox.c.message_id).where(
            outbox.c.state != _S.RECEIVED, not_(_has_message(outbox))
        ),
        "rows of the ready table are of messages that are not there": select(ready.c.message_id).where(
            not_(_has_message(ready))
        ),
        "carrier ids in the receipt map belong to messages that are not there": select(receipt_map.c.match_key).where(
            receipt_map.c.message_id.is_not(None), not_(_has_message(receipt_map))
        ),
        "receipts found their message and were not settled": select(receipt_map.c.match_key).where(
            receipt_map.c.message_id.is_not(None), receipt_map.c.state.is_not(None), not_(receipt_map.c.is_settled)
        ),
    }
