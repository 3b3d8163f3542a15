"""What the sweeps look for: messages long past their validity, and receipts without a message."""

from typing import NamedTuple

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import AccountId, CarrierId, MessageId, first_at
from heliograph.core.receipts import Receipt
from heliograph.core.states import MessageState
from heliograph.store.schema import account, doubt, message, receipt_map


class Cursor(NamedTuple):
    """How far a sweep has come: everything up to this id of this account has been looked at."""

    account_id: int
    message_id: int


START = Cursor(0, 0)


class Overdue(NamedTuple):
    """A message that should have come to an end."""

    account_id: AccountId
    message_id: MessageId
    carrier_id: CarrierId


async def page(
    connection: AsyncConnection, cursor: Cursor, *, before_ms: int, most: int
) -> tuple[list[Overdue], Cursor]:
    """Messages behind the cursor that were valid until before a time and have no end; and the new cursor.

    An empty page means that the sweep is through; its cursor starts again at the first account.
    """
    open_states = (MessageState.SUBMITTED, MessageState.HELD)
    accounts = list(
        await connection.scalars(select(account.c.id).where(account.c.id >= cursor.account_id).order_by(account.c.id))
    )
    for account_id in accounts:
        above = cursor.message_id if account_id == cursor.account_id else 0
        wanted = (
            select(message.c.account_id, message.c.id, message.c.carrier_id)
            .where(
                message.c.account_id == account_id,
                message.c.id > above,
                message.c.id < first_at(before_ms),
                message.c.state.in_(open_states),
                message.c.expires_at_ms < before_ms,
            )
            .order_by(message.c.id)
            .limit(most)
        )
        found = [Overdue(*row) for row in await connection.execute(wanted)]
        if found:
            return found, Cursor(account_id, found[-1].message_id)
    return [], START


async def strays(
    connection: AsyncConnection, after: tuple[int, str], *, most: int
) -> list[tuple[CarrierId, Receipt, int]]:
    """A page of receipts that wait for a message, of carriers that have messages in doubt, behind a place."""
    key = (receipt_map.c.carrier_id, receipt_map.c.match_key)
    doubted = select(doubt.c.carrier_id).distinct()
    wanted = (
        select(receipt_map)
        .where(
            receipt_map.c.carrier_id.in_(doubted),
            receipt_map.c.message_id.is_(None),
            receipt_map.c.state.is_not(None),
            tuple_(*key) > tuple_(*after),
        )
        .order_by(*key)
        .limit(most)
    )
    found = []
    for row in await connection.execute(wanted):
        first, _, second = (row.addresses or "").partition("\n")
        receipt = Receipt(row.match_key, MessageState(row.state), (first, second), row.error or "")
        found.append((CarrierId(row.carrier_id), receipt, row.at_ms))
    return found


async def prune_receipts(
    connection: AsyncConnection, after: tuple[int, str], *, before_ms: int, unanswered_before_ms: int, most: int
) -> tuple[int, str] | None:
    """Forget a page of settled and stray receipts, and of ids that no receipt came for, each older than its time.

    Returns where to go on, None at the end.
    """
    key = (receipt_map.c.carrier_id, receipt_map.c.match_key)
    looked = (
        await connection.execute(
            select(*key, receipt_map.c.at_ms, receipt_map.c.is_settled, receipt_map.c.message_id)
            .where(tuple_(*key) > tuple_(*after))
            .order_by(*key)
            .limit(most)
        )
    ).all()
    old = [
        (row[0], row[1])
        for row in looked
        if row.at_ms < (before_ms if row.is_settled or row.message_id is None else unanswered_before_ms)
    ]
    if old:
        await connection.execute(receipt_map.delete().where(tuple_(*key).in_(old)))
    return (looked[-1][0], looked[-1][1]) if len(looked) == most else None
