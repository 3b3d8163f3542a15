"""Movements of credits made by people, in the same two tables that the hot path writes."""

from collections.abc import Iterable

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core import ledger
from heliograph.core.ids import AccountId
from heliograph.core.ledger import Balance, PostingKind
from heliograph.store.schema import balance, posting


async def balance_of(connection: AsyncConnection, account_id: AccountId) -> Balance:
    """Where an account's credits are."""
    wanted = select(balance.c.available, balance.c.held, balance.c.captured).where(balance.c.account_id == account_id)
    row = (await connection.execute(wanted)).first()
    return Balance(*row) if row else Balance()


async def balances(connection: AsyncConnection) -> dict[AccountId, Balance]:
    """Every account's credits."""
    rows = await connection.execute(select(balance))
    return {AccountId(row.account_id): Balance(row.available, row.held, row.captured) for row in rows}


async def post(
    connection: AsyncConnection, account_id: AccountId, *, kinds: Iterable[PostingKind], amount: int, now_ms: int
) -> None:
    """Move `amount` micro-credits once for each kind, and keep the postings."""
    for kind in kinds:
        moved = ledger.post(Balance(), kind, amount)
        await connection.execute(
            update(balance)
            .where(balance.c.account_id == account_id)
            .values(
                available=balance.c.available + moved.available,
                held=balance.c.held + moved.held,
                captured=balance.c.captured + moved.captured,
            )
        )
        place = {"account_id": account_id, "at_ms": now_ms, "kind": kind}
        added = await connection.execute(
            update(posting).filter_by(**place).values(amount=posting.c.amount + amount),
        )
        if not added.rowcount:
            await connection.execute(insert(posting).values(amount=amount, **place))
