"""Webhooks: whom to call with which news of an account."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.directory import Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.store import meta
from heliograph.store.schema import webhook


def _webhook_from(row: Row[Any]) -> Webhook:
    return Webhook(
        webhook_id=WebhookId(row.id),
        account_id=AccountId(row.account_id),
        dialect=row.dialect,
        kind=EventKind(row.kind),
        url=row.url,
        secret=row.secret,
        is_active=row.is_active,
        note=row.note,
        name=row.name,
        settings=row.settings,
        created_at_ms=row.created_at_ms,
        modified_at_ms=row.modified_at_ms,
    )


async def every(
    connection: AsyncConnection, account_id: AccountId | None = None, *, dialect: str | None = None
) -> list[Webhook]:
    """Webhooks of one account or of all, of one dialect or of all, oldest first."""
    wanted = select(webhook).order_by(webhook.c.id)
    if account_id is not None:
        wanted = wanted.where(webhook.c.account_id == account_id)
    if dialect is not None:
        wanted = wanted.where(webhook.c.dialect == dialect)
    return [_webhook_from(row) for row in await connection.execute(wanted)]


async def numbered(connection: AsyncConnection, webhook_id: WebhookId) -> Webhook | None:
    """The webhook with an id, whosever it is."""
    row = (await connection.execute(select(webhook).where(webhook.c.id == webhook_id))).first()
    return _webhook_from(row) if row else None


async def add(connection: AsyncConnection, values: Mapping[str, object], *, now_ms: int) -> WebhookId:
    """Make a webhook. values: by column; the others have their defaults."""
    made = await connection.execute(insert(webhook).values(created_at_ms=now_ms, **values).returning(webhook.c.id))
    await meta.bump_revision(connection)
    return WebhookId(made.scalar_one())


async def change(connection: AsyncConnection, webhook_id: WebhookId, *, values: Mapping[str, object]) -> None:
    """Give a webhook other values, by column."""
    await connection.execute(update(webhook).where(webhook.c.id == webhook_id).values(dict(values)))
    await meta.bump_revision(connection)


async def remove(connection: AsyncConnection, webhook_id: WebhookId) -> None:
    """Forget a webhook; its number is never given out again."""
    await connection.execute(delete(webhook).where(webhook.c.id == webhook_id))
    await meta.bump_revision(connection)
