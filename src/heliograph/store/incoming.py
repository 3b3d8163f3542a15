"""Incoming messages as people look at them and have them told again, their files, and the long ones that wait."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.assembly import Place
from heliograph.core.events import MediaLink
from heliograph.core.ids import AccountId, CarrierId, MessageId, WebhookId
from heliograph.core.messages import Channel
from heliograph.core.states import MessageState
from heliograph.store.schema import incoming, incoming_media, joining, media, outbox


class IncomingView(NamedTuple):
    """A message from a handset. account_id 0: nobody's. told: to how many webhooks. missing: segments that never came.

    files: what came with it; their addresses are not made.
    """

    account_id: AccountId
    incoming_id: MessageId
    carrier_id: CarrierId
    channel: Channel
    sender: str
    recipient: str
    text: str
    missing: int
    told: int
    received_at_ms: int
    files: tuple[MediaLink, ...] = ()


class Page(NamedTuple):
    """Some messages, and where to go on; None at the end."""

    messages: list[IncomingView]
    go_on: MessageId | None


_COLUMNS = [
    incoming.c[name]
    for name in (
        "account_id",
        "id",
        "carrier_id",
        "channel",
        "sender",
        "recipient",
        "text",
        "missing",
        "told",
        "received_at_ms",
    )
]


async def page(
    connection: AsyncConnection,
    account_id: AccountId,
    *,
    below: MessageId | None,
    number: str | None,
    is_untold: bool = False,
    stretch: int,
) -> Page:
    """Look at up to `stretch` messages of an account below an id, newest first, and show those to a number.

    is_untold: only those that no webhook was told of.
    """
    conditions = [incoming.c.account_id == account_id]
    if below is not None:
        conditions.append(incoming.c.id < below)
    ids = select(incoming.c.id).where(*conditions).order_by(incoming.c.id.desc())
    last: MessageId | None = await connection.scalar(ids.offset(stretch - 1).limit(1))
    wanted = select(*_COLUMNS).where(*conditions, incoming.c.id >= (last or 0)).order_by(incoming.c.id.desc())
    if number is not None:
        wanted = wanted.where(incoming.c.recipient == number)
    if is_untold:
        wanted = wanted.where(incoming.c.told == 0)
    return Page(await _views(connection, (await connection.execute(wanted)).all()), last)


async def numbered(
    connection: AsyncConnection, incoming_id: MessageId, *, among: Sequence[AccountId]
) -> IncomingView | None:
    """The message with an id, if one of these accounts has it."""
    wanted = select(*_COLUMNS).where(incoming.c.account_id.in_(among), incoming.c.id == incoming_id)
    found = await _views(connection, (await connection.execute(wanted)).all())
    return found[0] if found else None


async def _views(connection: AsyncConnection, found: Sequence[Row[Any]]) -> list[IncomingView]:
    files = await media_of(connection, [(row.account_id, row.id) for row in found])
    return [
        IncomingView._make((*row, files.get((row.account_id, row.id), ())))._replace(channel=Channel(row.channel))
        for row in found
    ]


async def media_of(
    connection: AsyncConnection, keys: Iterable[tuple[int, int]]
) -> Mapping[tuple[int, int], tuple[MediaLink, ...]]:
    """The files of messages, by account and id; messages without any are left out. Their addresses are not made yet."""
    wanted = list(keys)
    if not wanted:
        return {}
    table = incoming_media.c
    found = await connection.execute(
        select(table.account_id, table.incoming_id, media.c.content_type, media.c.octets, table.digest)
        .join(media, media.c.digest == table.digest)
        .where(tuple_(table.account_id, table.incoming_id).in_(wanted))
        .order_by(table.account_id, table.incoming_id, table.position)
    )
    files: dict[tuple[int, int], tuple[MediaLink, ...]] = {}
    for account_id, incoming_id, content_type, octets, digest in found:
        place = (account_id, incoming_id)
        files[place] = (*files.get(place, ()), MediaLink("", content_type, octets, digest))
    return files


async def tell(
    connection: AsyncConnection, message: IncomingView, webhook_ids: Sequence[WebhookId], *, now_ms: int
) -> None:
    """Leave a message for webhooks to be told (again); it has been told to that many more."""
    same_event = and_(
        outbox.c.account_id == message.account_id,
        outbox.c.message_id == message.incoming_id,
        outbox.c.state == MessageState.RECEIVED,
    )
    waiting = set(await connection.scalars(select(outbox.c.webhook_id).where(same_event)))
    rows = [
        {
            "webhook_id": webhook_id,
            "account_id": message.account_id,
            "message_id": message.incoming_id,
            "state": MessageState.RECEIVED,
            "at_ms": now_ms,
        }
        for webhook_id in webhook_ids
        if webhook_id not in waiting
    ]
    if rows:
        await connection.execute(insert(outbox), rows)
    same = and_(incoming.c.account_id == message.account_id, incoming.c.id == message.incoming_id)
    await connection.execute(update(incoming).where(same).values(told=incoming.c.told + len(webhook_ids)))


async def joining_page(connection: AsyncConnection, *, before_ms: int, most: int) -> list[tuple[int, Place]]:
    """Up to `most` long messages with segments missing whose first one came before a time, the oldest first."""
    wanted = select(joining).where(joining.c.first_at_ms < before_ms).order_by(joining.c.first_at_ms).limit(most)
    return [(first_at_ms, Place(*place)) for first_at_ms, *place in await connection.execute(wanted)]
