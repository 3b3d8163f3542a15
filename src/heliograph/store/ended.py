"""Messages that ended long ago: found, and forgotten with everything that belongs to them.

Whatever is still needed keeps its message: something that happened since, an event that a webhook is still to be told,
an id or receipt of its carrier that is young. What forgotten messages had cost stays, as one sum for each account, so
that the books can be checked for ever.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, not_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import AccountId, MessageId, first_at
from heliograph.core.states import Charge, MessageState
from heliograph.store.hops.notify import DeliveryState
from heliograph.store.schema import (
    account,
    attempt,
    delivery,
    event,
    forgotten,
    message,
    outbox,
    receipt_map,
    submission,
    submission_media,
)

MessageKey = tuple[AccountId, MessageId]
ReceiptKey = tuple[int, str]

_SPAN = 2_000 << 12
"""Above its submission's id, in ids: messages are numbered with it, and 64 ids are a millisecond."""


class ReceiptPage(NamedTuple):
    """What a page of the receipt map holds of old messages.

    old: rows that may go. kept: messages whose rows are young. place: where to go on, None at the end.
    """

    old: list[ReceiptKey]
    kept: list[MessageKey]
    place: ReceiptKey | None


def _has_ended(before_ms: int) -> ColumnElement[bool]:
    """Nothing is left to do for a message, nothing is held for it, and nothing happened to it since a time."""
    since = exists().where(
        event.c.account_id == message.c.account_id, event.c.message_id == message.c.id, event.c.at_ms >= before_ms
    )
    return and_(message.c.state >= MessageState.DELIVERED, message.c.charge != Charge.HELD, not_(since))


async def receipts(
    connection: AsyncConnection, after: ReceiptKey, *, before_ms: int, young_ms: int, most: int
) -> ReceiptPage:
    """A page of the receipt map behind a place. before_ms: of ended messages; young_ms: since when rows are young."""
    key = (receipt_map.c.carrier_id, receipt_map.c.match_key)
    of_message = and_(message.c.account_id == receipt_map.c.account_id, message.c.id == receipt_map.c.message_id)
    looked = (
        await connection.execute(
            select(*key, receipt_map.c.account_id, receipt_map.c.message_id, receipt_map.c.at_ms, _has_ended(before_ms))
            .join(message, of_message, isouter=True)
            .where(tuple_(*key) > tuple_(*after))
            .order_by(*key)
            .limit(most)
        )
    ).all()
    page = ReceiptPage([], [], (looked[-1][0], looked[-1][1]) if len(looked) == most else None)
    for carrier_id, match_key, account_id, message_id, at_ms, has_ended in looked:
        if message_id is not None and message_id < first_at(before_ms):
            if at_ms >= young_ms:
                page.kept.append((account_id, message_id))
            elif has_ended:
                page.old.append((carrier_id, match_key))
    return page


async def forget_receipts(connection: AsyncConnection, keys: Sequence[ReceiptKey], *, young_ms: int) -> None:
    """Forget rows of the receipt map, unless they have become young meanwhile."""
    key = (receipt_map.c.carrier_id, receipt_map.c.match_key)
    await connection.execute(delete(receipt_map).where(tuple_(*key).in_(keys), receipt_map.c.at_ms < young_ms))


async def untold(connection: AsyncConnection, *, before_ms: int, most: int) -> list[MessageKey]:
    """Up to `most` old messages of which a webhook is still to be told."""
    wanted = select(outbox.c.account_id, outbox.c.message_id).where(outbox.c.message_id < first_at(before_ms))
    return [(AccountId(row[0]), MessageId(row[1])) for row in await connection.execute(wanted.distinct().limit(most))]


async def delivering_since(connection: AsyncConnection) -> dict[AccountId, int | None]:
    """Every account, with the time of its oldest delivery that has no end, if there is one."""
    oldest = (
        select(delivery.c.account_id, func.min(delivery.c.created_at_ms).label("at_ms"))
        .where(delivery.c.state == DeliveryState.PENDING)
        .group_by(delivery.c.account_id)
        .subquery()
    )
    wanted = select(account.c.id, oldest.c.at_ms).join(oldest, oldest.c.account_id == account.c.id, isouter=True)
    return {AccountId(row[0]): row[1] for row in await connection.execute(wanted)}


async def page(
    connection: AsyncConnection, account_id: AccountId, after: MessageId, *, before_ms: int, most: int
) -> list[MessageId]:
    """Messages of an account, behind an id, that ended before a time."""
    wanted = (
        select(message.c.id)
        .where(
            message.c.account_id == account_id,
            message.c.id > after,
            message.c.id < first_at(before_ms),
            _has_ended(before_ms),
        )
        .order_by(message.c.id)
        .limit(most)
    )
    return list(await connection.scalars(wanted))


async def forget(
    connection: AsyncConnection, account_id: AccountId, ids: Collection[MessageId], *, before_ms: int
) -> int:
    """Forget those of these messages that have still ended before a time, and what they had cost is kept; how many."""
    found = (
        await connection.execute(
            select(message.c.id, message.c.submission_id, message.c.charge, message.c.price).where(
                message.c.account_id == account_id, message.c.id.in_(ids), _has_ended(before_ms)
            )
        )
    ).all()
    if not found:
        return 0
    gone = [row.id for row in found]
    for table in (attempt, event):
        await connection.execute(delete(table).where(table.c.account_id == account_id, table.c.message_id.in_(gone)))
    await connection.execute(delete(message).where(message.c.account_id == account_id, message.c.id.in_(gone)))
    await _forget_submissions(connection, account_id, {row.submission_id for row in found})
    captured = sum(row.price for row in found if row.charge == Charge.CAPTURED)
    await _remember(connection, account_id, captured=captured, messages=len(found))
    return len(found)


async def _forget_submissions(connection: AsyncConnection, account_id: AccountId, ids: Collection[int]) -> None:
    """Forget those of these submissions that have no messages left."""
    left = set(
        await connection.scalars(
            select(message.c.submission_id).where(
                message.c.account_id == account_id,
                message.c.id > min(ids),
                message.c.id < max(ids) + _SPAN,
                message.c.submission_id.in_(ids),
            )
        )
    )
    empty = [each for each in ids if each not in left]
    for table, column in ((submission, submission.c.id), (submission_media, submission_media.c.submission_id)):
        await connection.execute(delete(table).where(table.c.account_id == account_id, column.in_(empty)))


async def _remember(connection: AsyncConnection, account_id: AccountId, *, captured: int, messages: int) -> None:
    added = await connection.execute(
        update(forgotten)
        .where(forgotten.c.account_id == account_id)
        .values(captured=forgotten.c.captured + captured, messages=forgotten.c.messages + messages)
    )
    if not added.rowcount:
        await connection.execute(insert(forgotten).values(account_id=account_id, captured=captured, messages=messages))
