"""What notify takes up from the store: events an earlier process left, deliveries that are due, webhooks that fail."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.events import Event, MediaLink, Reply, Told
from heliograph.core.ids import WebhookId
from heliograph.core.states import MessageState
from heliograph.store import meta
from heliograph.store.hops.notify import DeliveryState
from heliograph.store.incoming import media_of
from heliograph.store.schema import delivery, event, incoming, message, outbox, submission, webhook


class Due(NamedTuple):
    """A delivery to be tried again."""

    delivery_id: int
    body: bytes
    attempts: int


Place = tuple[int, int, int, int]
"""Webhook, account, message and state: the key of the outbox."""

_KEY = (outbox.c.webhook_id, outbox.c.account_id, outbox.c.message_id, outbox.c.state)
_EVENTS: Select[Any] = (
    select(
        outbox, message.c.recipient, message.c.reference, submission.c.sender, message.c.submission_id, event.c.detail
    )
    .join(message, and_(message.c.account_id == outbox.c.account_id, message.c.id == outbox.c.message_id))
    .join(submission, and_(submission.c.account_id == message.c.account_id, submission.c.id == message.c.submission_id))
    .join(
        event,
        and_(
            event.c.account_id == outbox.c.account_id,
            event.c.message_id == outbox.c.message_id,
            event.c.at_ms == outbox.c.at_ms,
            event.c.state == outbox.c.state,
        ),
        isouter=True,
    )
    .where(outbox.c.state != MessageState.RECEIVED)
)
_REPLIES: Select[Any] = (
    select(outbox, incoming.c.sender, incoming.c.recipient, incoming.c.text, incoming.c.received_at_ms)
    .join(incoming, and_(incoming.c.account_id == outbox.c.account_id, incoming.c.id == outbox.c.message_id))
    .where(outbox.c.state == MessageState.RECEIVED)
)


async def outbox_page(
    connection: AsyncConnection, after: Place | None, *, before_ms: int | None = None, most: int
) -> list[Told]:
    """A page of what stands in the outbox (since before a time), in the order of its key."""

    async def page_of(wanted: Select[Any]) -> Sequence[Row[Any]]:
        if before_ms is not None:
            wanted = wanted.where(outbox.c.at_ms < before_ms)
        if after is not None:
            wanted = wanted.where(tuple_(*_KEY) > tuple_(*after))
        found: Sequence[Row[Any]] = (await connection.execute(wanted.order_by(*_KEY).limit(most))).all()
        return found

    events = [Told(WebhookId(row.webhook_id), _event_from(row)) for row in await page_of(_EVENTS)]
    replies = await page_of(_REPLIES)
    files = await media_of(connection, [(row.account_id, row.message_id) for row in replies])
    came = [Told(WebhookId(row.webhook_id), _reply_from(row, files)) for row in replies]
    return sorted([*events, *came], key=lambda each: (each.webhook_id, *each.event[:3]))[:most]


def _event_from(row: Row[Any]) -> Event:
    return Event(
        row.account_id,
        row.message_id,
        MessageState(row.state),
        row.at_ms,
        row.recipient,
        row.reference,
        row.sender,
        row.submission_id,
        row.detail,
    )


def _reply_from(row: Row[Any], files: Mapping[tuple[int, int], tuple[MediaLink, ...]]) -> Reply:
    return Reply(
        row.account_id,
        row.message_id,
        MessageState.RECEIVED,
        row.received_at_ms,
        row.sender,
        row.recipient,
        row.text,
        files.get((row.account_id, row.message_id), ()),
    )


async def webhooks_due(connection: AsyncConnection, *, at_ms: int, owner: int | None = None) -> list[WebhookId]:
    """The webhooks that have deliveries to be tried by now. owner: by this process, or by anybody."""
    whose = [] if owner is None else [delivery.c.owner.in_((0, owner))]
    wanted = (
        select(delivery.c.webhook_id)
        .where(delivery.c.state == DeliveryState.PENDING, *whose)
        .group_by(delivery.c.webhook_id)
        .having(func.min(delivery.c.next_at_ms) <= at_ms)
    )
    return [WebhookId(number) for number in await connection.scalars(wanted)]


async def due(connection: AsyncConnection, webhook_id: WebhookId, *, at_ms: int, most: int) -> list[Due]:
    """Deliveries of a webhook to be tried by now, the longest waiting first."""
    wanted = (
        select(delivery.c.id, delivery.c.body, delivery.c.attempts)
        .where(
            delivery.c.state == DeliveryState.PENDING,
            delivery.c.webhook_id == webhook_id,
            delivery.c.next_at_ms <= at_ms,
        )
        .order_by(delivery.c.next_at_ms)
        .limit(most)
    )
    return [Due(*row) for row in await connection.execute(wanted)]


async def claim(connection: AsyncConnection, webhook_id: WebhookId, *, owner: int, at_ms: int, most: int) -> list[Due]:
    """As `due`, of an owner's and of nobody's, which become the owner's. On a server, where others do the same."""
    wanted = (
        select(delivery.c.id)
        .where(
            delivery.c.state == DeliveryState.PENDING,
            delivery.c.webhook_id == webhook_id,
            delivery.c.next_at_ms <= at_ms,
            delivery.c.owner.in_((0, owner)),
        )
        .order_by(delivery.c.next_at_ms)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = (
        update(delivery)
        .where(delivery.c.id.in_(wanted.scalar_subquery()))
        .values(owner=owner)
        .returning(delivery.c.next_at_ms, delivery.c.id, delivery.c.body, delivery.c.attempts)
    )
    return [Due(*row[1:]) for row in sorted(map(tuple, await connection.execute(claimed)))]


async def failing(connection: AsyncConnection) -> dict[WebhookId, int]:
    """Since when webhooks have failed every call."""
    wanted = select(webhook.c.id, webhook.c.failing_since_ms).where(webhook.c.failing_since_ms.is_not(None))
    return {WebhookId(row[0]): row[1] for row in await connection.execute(wanted)}


async def failing_since(connection: AsyncConnection, webhook_id: WebhookId) -> int | None:
    """Since when a webhook has failed every call; None when it works, or was switched on again."""
    found: int | None = await connection.scalar(select(webhook.c.failing_since_ms).where(webhook.c.id == webhook_id))
    return found


async def note_failing(connection: AsyncConnection, webhook_id: WebhookId, *, since_ms: int | None) -> None:
    """Remember since when a webhook fails, or that it works again."""
    await connection.execute(update(webhook).where(webhook.c.id == webhook_id).values(failing_since_ms=since_ms))


async def switch_off(connection: AsyncConnection, webhook_id: WebhookId, *, note: str) -> None:
    """Stop calling a webhook, and say why to whoever looks at it."""
    await connection.execute(update(webhook).where(webhook.c.id == webhook_id).values(is_active=False, note=note))
    await meta.bump_revision(connection)
