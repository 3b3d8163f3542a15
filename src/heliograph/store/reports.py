"""What an account sees of its messages in both directions, in one list."""

from sqlalchemy import Select, func, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import AccountId, MessageId, id_from_uid
from heliograph.core.listing import Listing
from heliograph.core.messages import Report
from heliograph.core.states import MessageState
from heliograph.store.schema import account, incoming, message, submission

MOST = 100_000
"""Messages that are counted, and how far back a list can be read."""

_AT_ONCE = 500

_SENT = select(
    message.c.id, submission.c.sender, message.c.recipient, submission.c.text, message.c.state, message.c.price
).join(submission, (submission.c.account_id == message.c.account_id) & (submission.c.id == message.c.submission_id))
_CAME = select(
    incoming.c.id,
    incoming.c.sender,
    incoming.c.recipient,
    incoming.c.text,
    literal(int(MessageState.RECEIVED)).label("state"),
    literal(0).label("price"),
)


async def find(connection: AsyncConnection, account_id: AccountId, *, message_id: MessageId) -> Report | None:
    """One message of an account."""
    found = await _read(connection, account_id, [message_id])
    return found[0] if found else None


async def page(connection: AsyncConnection, account_id: AccountId, *, start: int, most: int) -> Listing[Report]:
    """Up to `most` messages of an account behind the `start` newest ones."""
    total = await _count(connection, account_id)
    if start >= total:
        return Listing([], total)
    newest = [
        select(table.c.id).where(table.c.account_id == account_id).order_by(table.c.id.desc()).limit(start + most)
        for table in (message, incoming)
    ]
    both = union_all(*(select(each.subquery()) for each in newest)).subquery()
    ids = list(await connection.scalars(select(both.c.id).order_by(both.c.id.desc()).offset(start).limit(most)))
    return Listing(await _read(connection, account_id, ids), total)


async def _count(connection: AsyncConnection, account_id: AccountId) -> int:
    total = 0
    for table in (message, incoming):
        some = select(literal(1)).select_from(table).where(table.c.account_id == account_id).limit(MOST).subquery()
        total += await connection.scalar(select(func.count()).select_from(some)) or 0
    return min(total, MOST)


async def _read(connection: AsyncConnection, account_id: AccountId, ids: list[MessageId]) -> list[Report]:
    """Messages by their ids, newest first."""
    found: list[Report] = []
    for table, wanted in ((message, _SENT), (incoming, _CAME)):
        own: Select[tuple[object, ...]] = wanted.where(table.c.account_id == account_id, table.c.id.in_(ids))
        found += [
            Report(
                row.id, row.sender.removeprefix("+"), row.recipient.removeprefix("+"), row.text,
                MessageState(row.state), row.price,
            )
            for row in await connection.execute(own)
        ]  # fmt: skip
    return sorted(found, key=lambda report: report.message_id, reverse=True)


async def shown_as(connection: AsyncConnection, uid: str, *, came: bool = False) -> tuple[AccountId, MessageId] | None:
    """The message that was shown to its account under a uid, or the incoming one (came); None when there is none.

    Every account reads another id in it. They are looked up together, by their keys.
    """
    marks = (await connection.execute(select(account.c.id, account.c.mark))).all()
    named = [(row.id, identifier) for row in marks if (identifier := id_from_uid(uid, row.mark)) is not None]
    table = incoming if came else message
    key = (table.c.account_id, table.c.id)
    for start in range(0, len(named), _AT_ONCE):
        wanted = select(*key).where(tuple_(*key).in_(named[start : start + _AT_ONCE]))
        found = (await connection.execute(wanted)).first()
        if found is not None:
            return AccountId(found[0]), MessageId(found[1])
    return None
