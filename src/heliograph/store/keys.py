"""API keys. Only a digest of the secret is kept: whoever reads the store learns no key."""

import hmac
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import AccountId
from heliograph.store import meta
from heliograph.store.schema import account, api_key


class KeyRow(NamedTuple):
    """A key as people list it; the secret is not known here."""

    key_id: int
    account: str
    created_at_ms: int
    revoked_at_ms: int | None


def digest_of(secret: str) -> str:
    """What is stored of a key's secret: it is long and random, so a plain hash cannot be searched."""
    return sha256(secret.encode()).hexdigest()


async def account_id_for(connection: AsyncConnection, key_id: int, digest: str) -> AccountId | None:
    """Whose key this is; None when there is no such key, its secret is another, or it was revoked."""
    row = (
        await connection.execute(
            select(api_key.c.account_id, api_key.c.digest).where(
                api_key.c.id == key_id, api_key.c.revoked_at_ms.is_(None)
            )
        )
    ).first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    return AccountId(row.account_id)


async def add(connection: AsyncConnection, account_id: AccountId, *, digest: str, now_ms: int) -> int:
    """Store a new key; returns the number it opens with."""
    made = await connection.execute(
        insert(api_key).values(account_id=account_id, digest=digest, created_at_ms=now_ms).returning(api_key.c.id)
    )
    await meta.bump_revision(connection)
    return int(made.scalar_one())


async def every(connection: AsyncConnection, account_id: AccountId | None = None) -> list[KeyRow]:
    """Keys of one account or of all, oldest first, revoked ones among them."""
    wanted = (
        select(api_key.c.id, account.c.name, api_key.c.created_at_ms, api_key.c.revoked_at_ms)
        .join(account, account.c.id == api_key.c.account_id)
        .order_by(api_key.c.id)
    )
    if account_id is not None:
        wanted = wanted.where(api_key.c.account_id == account_id)
    return [KeyRow(*row) for row in await connection.execute(wanted)]


async def revoke(connection: AsyncConnection, key_id: int, *, now_ms: int) -> bool:
    """End a key; False when there is none that is valid."""
    ended = await connection.execute(
        update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at_ms.is_(None)).values(revoked_at_ms=now_ms)
    )
    if not ended.rowcount:
        return False
    await meta.bump_revision(connection)
    return True
