"""Accounts: the customers, and what each of them may do."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.directory import Account
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.store import meta
from heliograph.store.schema import account, balance


def _account_from(row: Row[Any]) -> Account:
    return Account(
        account_id=AccountId(row.id),
        name=row.name,
        user=row.user,
        mark=row.mark,
        is_suspended=row.is_suspended,
        sender=row.sender,
        senders=frozenset(row.senders),
        rate_limit=row.rate_limit,
        time_zone=row.time_zone,
        has_agreed=row.has_agreed,
        channels=frozenset(map(Channel, row.channels)),
        settings=row.settings,
    )


async def every(connection: AsyncConnection) -> list[Account]:
    """All accounts, oldest first."""
    return [_account_from(row) for row in await connection.execute(select(account).order_by(account.c.id))]


async def _one(connection: AsyncConnection, condition: Any) -> Account | None:
    row = (await connection.execute(select(account).where(condition))).first()
    return _account_from(row) if row else None


async def named(connection: AsyncConnection, name: str) -> Account | None:
    """The account with a name."""
    return await _one(connection, account.c.name == name)


async def numbered(connection: AsyncConnection, account_id: AccountId) -> Account | None:
    """The account with an id."""
    return await _one(connection, account.c.id == account_id)


async def marked(connection: AsyncConnection, mark: str) -> Account | None:
    """The account whose ids end in a mark."""
    return await _one(connection, account.c.mark == mark)


async def has_user(connection: AsyncConnection, user: str) -> bool:
    """Whether a user name is taken."""
    return await connection.scalar(select(account.c.id).where(account.c.user == user)) is not None


async def add(connection: AsyncConnection, *, name: str, user: str, mark: str, now_ms: int) -> AccountId:
    """Make an account with an empty balance."""
    made = await connection.execute(
        insert(account)
        .values(name=name, user=user, mark=mark, senders=[], settings={}, created_at_ms=now_ms)
        .returning(account.c.id)
    )
    account_id = AccountId(made.scalar_one())
    await connection.execute(insert(balance).values(account_id=account_id))
    await meta.bump_revision(connection)
    return account_id


async def change(connection: AsyncConnection, account_id: AccountId, *, values: Mapping[str, object]) -> None:
    """Give an account other values, by column."""
    await connection.execute(update(account).where(account.c.id == account_id).values(dict(values)))
    await meta.bump_revision(connection)


async def created_at(connection: AsyncConnection) -> dict[AccountId, int]:
    """When each account was made, in milliseconds."""
    rows = await connection.execute(select(account.c.id, account.c.created_at_ms))
    return {AccountId(row.id): row.created_at_ms for row in rows}
